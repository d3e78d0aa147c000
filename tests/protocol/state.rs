//! Stored states and identities: read, upgraded, moved.

use serde_json::{Value as Json, json};
use tencent_simulator::Simulator;
use terraform_provider_tencent::terraform::proto::{self, RawState};
use terraform_provider_tencent::terraform::{Type, Value, codec};

use crate::session::{RESOURCE, Session, number, text, the_error};

const OURS: &str = "registry.terraform.io/callkit/tencent";

fn raw(json: &Json) -> RawState {
    RawState { json: serde_json::to_vec(json).expect("JSON"), ..Default::default() }
}

/// Returns a resource as a state file of schema version 0 holds it.
fn stored() -> Json {
    json!({
        "sdk_app_id": Simulator::SDK_APP_ID,
        "url": "https://hooks.example.com/call",
        "callback_commands": ["Call.CallbackAfterEndCall", "Call.CallbackAfterStartCall"],
        "overwrite_existing": false,
        "deletion_policy": "DELETE",
        "timeouts": null,
        "url_wo": null,
        "url_wo_version": null,
        "id": Simulator::SDK_APP_ID.to_string(),
        "last_request_id": "Id-1",
    })
}

fn identity_type() -> Type {
    Type::object([("sdk_app_id", Type::Number)])
}

async fn upgrade(
    session: &Session,
    version: i64,
    raw_state: Option<RawState>,
) -> proto::upgrade_resource_state::Response {
    let request = proto::upgrade_resource_state::Request { type_name: RESOURCE.into(), version, raw_state };
    session.provider().upgrade_resource_state(request).await.expect("an answer").into_inner()
}

#[tokio::test]
async fn a_stored_state_is_upgraded() {
    let session = Session::start().await;
    let answer = upgrade(&session, 0, Some(raw(&stored()))).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(session.decode(&answer.upgraded_state), session.state("https://hooks.example.com/call"));
}

#[tokio::test]
async fn a_state_can_have_other_attributes_than_the_schema() {
    let session = Session::start().await;
    let mut other = stored();
    let attributes = other.as_object_mut().expect("an object");
    attributes.remove("last_request_id");
    attributes.insert("of_another_version".into(), json!({"a": [1, 2]}));
    let answer = upgrade(&session, 0, Some(raw(&other))).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(session.decode(&answer.upgraded_state).attribute("last_request_id"), &Value::Null);
}

#[tokio::test]
async fn unreadable_states_are_errors() {
    let session = Session::start().await;
    let flatmap = RawState { flatmap: [("url".to_owned(), "x".to_owned())].into(), ..Default::default() };
    let not_json = RawState { json: b"{\"url\": tok3n".to_vec(), ..Default::default() };
    let deep = RawState { json: "[".repeat(100_000).into_bytes(), ..Default::default() };
    for (version, state, expected) in [
        (0, Some(flatmap.clone()), "Terraform 0.11 or older"),
        (3, Some(flatmap), "Terraform 0.11 or older"),
        (0, Some(RawState::default()), "Nothing was changed"),
        (0, None, "Nothing was changed"),
        (0, Some(not_json.clone()), "not JSON"),
        (1, Some(not_json), "not JSON"),
        (0, Some(deep), "not JSON"),
        (0, Some(raw(&json!([1]))), "an object was expected"),
        (0, Some(raw(&json!({"url": 7}))), "url: a string was expected"),
        (1, Some(raw(&stored())), "upgrade the provider"),
        (i64::MAX, Some(raw(&stored())), "upgrade the provider"),
        (-1, Some(raw(&stored())), "cannot upgrade it"),
    ] {
        let answer = upgrade(&session, version, state).await;
        let error = the_error(&answer.diagnostics);
        assert!(error.summary.contains(RESOURCE) && error.detail.contains(expected), "{expected:?}: {error:#?}");
        assert!(!error.detail.contains("tok3n"), "a state may hold secrets: {error:#?}");
        assert_eq!(answer.upgraded_state, None);
    }
}

#[tokio::test]
async fn a_stored_identity_is_upgraded() {
    let session = Session::start().await;
    let upgrade = async |version, json| {
        let raw_identity = Some(raw(&json));
        let request = proto::upgrade_resource_identity::Request { type_name: RESOURCE.into(), version, raw_identity };
        session.provider().upgrade_resource_identity(request).await.expect("an answer").into_inner()
    };
    let answer = upgrade(0, json!({"sdk_app_id": 7})).await;
    assert_eq!(answer.diagnostics, []);
    let identity = answer.upgraded_identity.expect("an identity").identity_data;
    let expected = Value::Object([("sdk_app_id".to_owned(), number(7))].into());
    assert_eq!(codec::decode(identity.as_ref(), &identity_type()), Ok(expected));

    for (version, json, expected) in [
        (1, json!({"sdk_app_id": 7}), "upgrade the provider"),
        (0, json!("7"), "an object was expected"),
        (0, json!({"sdk_app_id": "seven"}), "sdk_app_id"),
    ] {
        let answer = upgrade(version, json).await;
        assert!(the_error(&answer.diagnostics).detail.contains(expected), "{:?}", answer.diagnostics);
        assert_eq!(answer.upgraded_identity, None);
    }
}

async fn move_from(session: &Session, provider: &str, type_name: &str) -> proto::move_resource_state::Response {
    let request = proto::move_resource_state::Request {
        source_provider_address: provider.into(),
        source_type_name: type_name.into(),
        source_schema_version: 0,
        source_state: Some(raw(&stored())),
        target_type_name: RESOURCE.into(),
        source_private: b"private".to_vec(),
        ..Default::default()
    };
    session.provider().move_resource_state(request).await.expect("an answer").into_inner()
}

#[tokio::test]
async fn a_state_can_move_between_addresses_of_the_provider() {
    let session = Session::start().await;
    for address in [OURS, "registry.example.com/acme/tencent"] {
        let answer = move_from(&session, address, RESOURCE).await;
        assert_eq!(answer.diagnostics, []);
        let state = session.decode(&answer.target_state);
        assert_eq!(state.attribute("url"), &text("https://hooks.example.com/call"));
        let identity = answer.target_identity.expect("an identity").identity_data;
        let identity = codec::decode(identity.as_ref(), &identity_type()).expect("an identity");
        assert_eq!(identity.attribute("sdk_app_id"), &number(Simulator::SDK_APP_ID));
        assert_eq!(answer.target_private, b"private");
    }
}

#[tokio::test]
async fn states_of_other_providers_cannot_move() {
    let session = Session::start().await;
    for (provider, type_name) in [
        (OURS, "tencent_room_callback"),
        ("registry.terraform.io/hashicorp/random", "random_id"),
        ("registry.terraform.io/acme/not-tencent", RESOURCE),
        ("", ""),
    ] {
        let answer = move_from(&session, provider, type_name).await;
        let error = the_error(&answer.diagnostics);
        assert!(error.summary.contains("not supported"), "{error:#?}");
        assert_eq!(answer.target_state, None);
    }
}
