//! The schemas of what the provider offers.

use std::collections::BTreeSet;

use terraform_provider_tencent::terraform::Type;
use terraform_provider_tencent::terraform::proto;

use crate::session::{RESOURCE, Session, block, type_of};

#[tokio::test]
async fn metadata_and_schema_list_the_same_objects() {
    let session = Session::start().await;
    let metadata = session.provider().get_metadata(proto::get_metadata::Request {}).await;
    let metadata = metadata.expect("an answer").into_inner();
    assert_eq!(metadata.diagnostics, []);
    let schema = session.provider().get_provider_schema(proto::get_provider_schema::Request {}).await;
    let schema = schema.expect("an answer").into_inner();
    assert_eq!(schema.diagnostics, []);

    let named: BTreeSet<_> = metadata.resources.iter().map(|resource| &resource.type_name).collect();
    assert_eq!(named, schema.resource_schemas.keys().collect());
    assert!(schema.resource_schemas.contains_key(RESOURCE));
    let named: BTreeSet<_> = metadata.data_sources.iter().map(|data_source| &data_source.type_name).collect();
    assert_eq!(named, schema.data_source_schemas.keys().collect());
    let named: BTreeSet<_> = metadata.list_resources.iter().map(|list_resource| &list_resource.type_name).collect();
    assert_eq!(named, schema.list_resource_schemas.keys().collect());
    let named: BTreeSet<_> = metadata.ephemeral_resources.iter().map(|resource| &resource.type_name).collect();
    assert_eq!(named, schema.ephemeral_resource_schemas.keys().collect());
    let named: BTreeSet<_> = metadata.actions.iter().map(|action| &action.type_name).collect();
    assert_eq!(named, schema.action_schemas.keys().collect());
    let named: BTreeSet<_> = metadata.functions.iter().map(|function| &function.name).collect();
    assert_eq!(named, schema.functions.keys().collect());

    let capabilities = metadata.server_capabilities.expect("capabilities");
    assert_eq!(schema.server_capabilities, Some(capabilities));
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional && capabilities.move_resource_state);
    assert!(capabilities.generate_resource_config);
}

#[tokio::test]
async fn schemas_follow_terraforms_rules() {
    let session = Session::start().await;
    for schema in session.schemas() {
        assert!(!block(schema).description.is_empty());
        for attribute in &block(schema).attributes {
            let name = &attribute.name;
            assert!(attribute.required || attribute.optional || attribute.computed, "{name} has no use");
            assert!(!(attribute.required && (attribute.optional || attribute.computed)), "{name} is a contradiction");
            assert!(attribute.r#type.is_empty() != attribute.nested_type.is_none(), "{name} has one type");
            assert!(!attribute.description.is_empty(), "{name} is not described");
        }
        assert!(matches!(type_of(schema), Type::Object(_)), "the types can be read");
    }
    for secret in ["secret_key", "user_sig"] {
        let attribute = block(session.provider_schema()).attributes.iter().find(|a| a.name == secret);
        assert!(attribute.expect(secret).sensitive, "{secret} must not be shown");
    }
}

#[tokio::test]
async fn every_resource_has_an_identity() {
    let session = Session::start().await;
    let request = proto::get_resource_identity_schemas::Request {};
    let answer = session.provider().get_resource_identity_schemas(request).await.expect("an answer").into_inner();
    assert_eq!(answer.diagnostics, []);
    let identity = &answer.identity_schemas[RESOURCE];
    assert_eq!(identity.version, 0);
    let [attribute] = &identity.identity_attributes[..] else { panic!("{identity:?}") };
    assert_eq!(attribute.name, "sdk_app_id");
    assert_eq!(Type::from_json(&attribute.r#type), Ok(Type::Number));
    assert!(attribute.required_for_import && !attribute.optional_for_import);
}
