//! `RPC FORM\nREQUEST`: a method of tfplugin6, the form of the request, and the request:
//!
//! - `message`: protobuf.
//! - `value`: its values in msgpack, separated by the byte 0xc1.
//! - `object`: its values in JSON, without null attributes. `"?"` is an unknown attribute.
//!
//! The provider's configuration is unknown, so that nothing calls Tencent.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use serde_json::Value as Json;
use terraform_provider_tencent::provider::TencentProvider;
use terraform_provider_tencent::terraform::codec::{self, ExtraAttributes};
use terraform_provider_tencent::terraform::proto::provider_server::Provider as _;
use terraform_provider_tencent::terraform::proto::{
    self, ClientCapabilities, Diagnostic, DynamicValue, ResourceIdentityData, Schema,
};
use terraform_provider_tencent::terraform::{Server, Type, Value};
use terraform_provider_tencent_fuzz::{
    SCHEMAS, TYPE_NAME, UNKNOWN, answered, attributes, block_on, failed, sent, type_of, with,
};
use tonic::Request;

/// A server that only gets configured.
static CONFIGURED: LazyLock<Server<TencentProvider>> = LazyLock::new(|| Server::new(TencentProvider::default()));

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Some((rpc, form)) = std::str::from_utf8(&data[..end]).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let rest = &data[end + 1..];
    match form {
        "message" => message(rpc, rest),
        "value" => values(rpc, &parts(rest).map(raw).collect::<Vec<_>>()),
        "object" => {
            let ty = values_type(rpc);
            let values: Option<Vec<_>> = parts(rest).map(|text| object(text, &ty)).collect();
            if let Some(values) = values {
                values_of(rpc, values, &ty);
            }
        }
        _ => {}
    }
});

fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0xc1)
}

fn raw(msgpack: &[u8]) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: msgpack.to_vec(), json: Vec::new() })
}

/// Builds an object from its attributes. Missing ones are null.
fn object(text: &[u8], ty: &Type) -> Option<Value> {
    let mut json: Json = serde_json::from_slice(text).ok()?;
    let mut unknown = Vec::new();
    if let (Json::Object(attributes), Type::Object(types)) = (&mut json, ty) {
        attributes.retain(|name, value| {
            let known = value.as_str() != Some("?");
            if !known && types.contains_key(name) {
                unknown.push(name.clone());
            }
            known
        });
    }
    let value = codec::from_json(json.to_string().as_bytes(), ty, ExtraAttributes::Ignored).ok()?;
    Some(unknown.iter().fold(value, |value, name| with(value, name, Value::Unknown)))
}

/// Returns the type of the values in an RPC's request.
fn values_type(rpc: &str) -> Type {
    match rpc {
        "validate_provider_config" | "configure_provider" => type_of(&SCHEMAS.provider),
        "validate_data_resource_config" | "read_data_source" => type_of(&SCHEMAS.data_source),
        "import_resource_state" => Type::object([("sdk_app_id", Type::Number)]),
        _ => type_of(&SCHEMAS.resource),
    }
}

fn values_of(rpc: &str, mut parts: Vec<Value>, ty: &Type) {
    if rpc == "plan_resource_change"
        && let [prior, config] = parts.as_slice()
    {
        let proposed = proposed(prior, config);
        parts.push(proposed);
    }
    let encoded = parts.iter().map(|value| Some(codec::encode(value, ty).expect("a value of its type")));
    values(rpc, &encoded.collect::<Vec<_>>());
}

/// Returns the state that Terraform proposes: the configuration, with prior values for computed attributes it leaves out.
fn proposed(prior: &Value, config: &Value) -> Value {
    if config.is_null() {
        return Value::Null;
    }
    let computed = attributes(&SCHEMAS.resource).iter().filter(|a| a.computed && config.attribute(&a.name).is_null());
    computed.fold(config.clone(), |proposed, attribute| {
        let value = if prior.is_null() { Value::Unknown } else { prior.attribute(&attribute.name).clone() };
        with(proposed, &attribute.name, value)
    })
}

fn deferral(allowed: bool) -> Option<ClientCapabilities> {
    Some(ClientCapabilities { deferral_allowed: allowed, write_only_attributes_allowed: false, ..Default::default() })
}

/// Makes an RPC with these values. Missing ones repeat the last.
fn values(rpc: &str, parts: &[Option<DynamicValue>]) {
    let value = |i: usize| parts.get(i).or(parts.last()).cloned().flatten();
    let type_name = || TYPE_NAME.to_owned();
    let (resource, data_source) = (type_of(&SCHEMAS.resource), type_of(&SCHEMAS.data_source));
    match rpc {
        "validate_provider_config" => {
            let request = proto::validate_provider_config::Request { config: value(0) };
            let answer = answered(rpc, block_on(UNKNOWN.validate_provider_config(Request::new(request))));
            failed(&answer.diagnostics);
            hides_secrets(value(0).as_ref(), &answer.diagnostics);
        }
        "configure_provider" => {
            let request = proto::configure_provider::Request { config: value(0), ..Default::default() };
            let answer = answered(rpc, block_on(CONFIGURED.configure_provider(Request::new(request))));
            failed(&answer.diagnostics);
            hides_secrets(value(0).as_ref(), &answer.diagnostics);
        }
        "validate_resource_config" => {
            is_valid(value(0));
        }
        "validate_data_resource_config" => {
            let request = proto::validate_data_resource_config::Request { type_name: type_name(), config: value(0) };
            failed(&answered(rpc, block_on(UNKNOWN.validate_data_resource_config(Request::new(request)))).diagnostics);
        }
        "plan_resource_change" => plan(value(0), value(1), value(2)),
        "read_resource" => {
            for allowed in [false, true] {
                let request = proto::read_resource::Request {
                    type_name: type_name(),
                    current_state: value(0),
                    client_capabilities: deferral(allowed),
                    ..Default::default()
                };
                let answer = answered(rpc, block_on(UNKNOWN.read_resource(Request::new(request))));
                // The same state as sent, because nothing is read without a client.
                assert!(failed(&answer.diagnostics) || answer.new_state == value(0));
            }
        }
        "apply_resource_change" => {
            let request = proto::apply_resource_change::Request {
                type_name: type_name(),
                prior_state: value(0),
                planned_state: value(1),
                ..Default::default()
            };
            let answer = answered(rpc, block_on(UNKNOWN.apply_resource_change(Request::new(request))));
            assert!(failed(&answer.diagnostics), "nothing can be applied without a client");
            assert_eq!(answer.new_state, value(0), "what held before still holds");
        }
        "import_resource_state" => {
            for allowed in [false, true] {
                let request = proto::import_resource_state::Request {
                    type_name: type_name(),
                    identity: Some(ResourceIdentityData { identity_data: value(0) }),
                    client_capabilities: deferral(allowed),
                    ..Default::default()
                };
                let answer = answered(rpc, block_on(UNKNOWN.import_resource_state(Request::new(request))));
                if !failed(&answer.diagnostics) {
                    for imported in answer.imported_resources {
                        sent(imported.state.as_ref(), &resource);
                    }
                }
            }
        }
        "read_data_source" => {
            for allowed in [false, true] {
                let request = proto::read_data_source::Request {
                    type_name: type_name(),
                    config: value(0),
                    client_capabilities: deferral(allowed),
                    ..Default::default()
                };
                let answer = answered(rpc, block_on(UNKNOWN.read_data_source(Request::new(request))));
                if !failed(&answer.diagnostics) {
                    sent(answer.state.as_ref(), &data_source);
                }
            }
        }
        _ => {}
    }
}

/// Returns whether a configuration of the resource is valid.
fn is_valid(config: Option<DynamicValue>) -> bool {
    let request =
        proto::validate_resource_config::Request { type_name: TYPE_NAME.to_owned(), config, client_capabilities: None };
    let answer = block_on(UNKNOWN.validate_resource_config(Request::new(request)));
    !failed(&answered("validate_resource_config", answer).diagnostics)
}

/// Plans, and asserts Terraform's rules for the plan of a valid configuration.
fn plan(prior: Option<DynamicValue>, config: Option<DynamicValue>, proposed: Option<DynamicValue>) {
    let ty = type_of(&SCHEMAS.resource);
    let request = proto::plan_resource_change::Request {
        type_name: TYPE_NAME.to_owned(),
        prior_state: prior.clone(),
        config: config.clone(),
        proposed_new_state: proposed.clone(),
        ..Default::default()
    };
    let answer = answered("plan_resource_change", block_on(UNKNOWN.plan_resource_change(Request::new(request))));
    if failed(&answer.diagnostics) {
        return;
    }
    let planned = sent(answer.planned_state.as_ref(), &ty);
    let decoded = |value: &Option<DynamicValue>| codec::decode(value.as_ref(), &ty);
    let (Ok(prior), Ok(proposed_value), Ok(config_value)) = (decoded(&prior), decoded(&proposed), decoded(&config))
    else {
        // A destroy proposes null, whatever the configuration.
        return;
    };
    if proposed_value.is_null() {
        assert!(planned.is_null());
    } else if is_configurable(&config_value)
        && proposed_value == self::proposed(&prior, &config_value)
        && is_valid(config)
    {
        follows_the_configuration(&SCHEMAS.resource, &prior, &config_value, &planned);
    }
}

/// Returns whether Terraform accepts a configuration: read-only attributes cannot be set.
fn is_configurable(config: &Value) -> bool {
    attributes(&SCHEMAS.resource).iter().all(|a| a.optional || a.required || config.attribute(&a.name).is_null())
}

/// Asserts Terraform's rules: a configured value is planned, or an equivalent prior value. Only computed attributes may differ.
fn follows_the_configuration(schema: &Schema, prior: &Value, config: &Value, planned: &Value) {
    for attribute in attributes(schema) {
        let of = |value: &Value| value.attribute(&attribute.name).clone();
        let (prior, config, planned) = (of(prior), of(config), of(planned));
        let left_to_the_provider = config.is_null() && attribute.computed;
        assert!(
            left_to_the_provider || planned == config || planned == prior,
            "{}: {config:?} is configured and {planned:?} planned",
            attribute.name
        );
    }
}

/// Asserts that the secrets of a provider block appear nowhere.
fn hides_secrets(config: Option<&DynamicValue>, diagnostics: &[Diagnostic]) {
    let Ok(config) = codec::decode(config, &type_of(&SCHEMAS.provider)) else { return };
    for attribute in attributes(&SCHEMAS.provider).iter().filter(|attribute| attribute.sensitive) {
        let Value::String(secret) = config.attribute(&attribute.name) else { continue };
        // Short secrets may be words of a diagnostic.
        if secret.contains("tok3n") && format!("{config:?}").matches(secret.as_str()).count() == 1 {
            assert!(!format!("{diagnostics:?}").contains(secret.as_str()), "{diagnostics:?}");
        }
    }
}

macro_rules! message {
    ($rpc:expr, $data:expr, $($server:ident: $($method:ident)*;)*) => {
        match $rpc {
            $($(stringify!($method) => {
                if let Ok(request) = proto::$method::Request::decode($data) {
                    answered($rpc, block_on($server.$method(Request::new(request))));
                }
            })*)*
            _ => {}
        }
    };
}

/// Makes an RPC with an encoded request.
fn message(rpc: &str, data: &[u8]) {
    message! { rpc, data,
        UNKNOWN: get_metadata get_provider_schema get_resource_identity_schemas get_functions call_function
            validate_provider_config validate_resource_config validate_data_resource_config
            upgrade_resource_state upgrade_resource_identity move_resource_state import_resource_state
            read_resource plan_resource_change apply_resource_change read_data_source
            validate_list_resource_config validate_action_config plan_action validate_ephemeral_resource_config
            open_ephemeral_resource renew_ephemeral_resource close_ephemeral_resource;
        CONFIGURED: configure_provider stop_provider;
    }
}
