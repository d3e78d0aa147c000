//! `WHAT VERSION\nJSON`: `state`, `move` or `identity`, the schema version, and the stored JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::terraform::proto::provider_server::Provider as _;
use terraform_provider_tencent::terraform::proto::{self, RawState};
use terraform_provider_tencent::terraform::{Type, Value, codec};
use terraform_provider_tencent_fuzz::{SCHEMAS, TYPE_NAME, UNKNOWN, answered, block_on, failed, sent, type_of};
use tonic::Request;

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Some((what, version)) = std::str::from_utf8(&data[..end]).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let Ok(version) = version.parse() else { return };
    let raw = Some(RawState { json: data[end + 1..].to_vec(), ..Default::default() });
    match what {
        "state" => {
            let request =
                proto::upgrade_resource_state::Request { type_name: TYPE_NAME.into(), version, raw_state: raw };
            let answer = answered(what, block_on(UNKNOWN.upgrade_resource_state(Request::new(request))));
            if !failed(&answer.diagnostics) {
                is_an_object(&sent(answer.upgraded_state.as_ref(), &type_of(&SCHEMAS.resource)));
            }
        }
        "move" => {
            let request = proto::move_resource_state::Request {
                source_provider_address: "registry.example.com/callkit/tencent".into(),
                source_type_name: TYPE_NAME.into(),
                source_schema_version: version,
                source_state: raw,
                target_type_name: TYPE_NAME.into(),
                ..Default::default()
            };
            let answer = answered(what, block_on(UNKNOWN.move_resource_state(Request::new(request))));
            if !failed(&answer.diagnostics) {
                is_an_object(&sent(answer.target_state.as_ref(), &type_of(&SCHEMAS.resource)));
            }
        }
        "identity" => {
            let request =
                proto::upgrade_resource_identity::Request { type_name: TYPE_NAME.into(), version, raw_identity: raw };
            let answer = answered(what, block_on(UNKNOWN.upgrade_resource_identity(Request::new(request))));
            if !failed(&answer.diagnostics) {
                let identity = answer.upgraded_identity.expect("an identity").identity_data;
                let ty = Type::object([("sdk_app_id", Type::Number)]);
                is_an_object(&codec::decode(identity.as_ref(), &ty).expect("an identity of its schema"));
            }
        }
        _ => {}
    }
});

/// Asserts that a state is an object or null.
fn is_an_object(value: &Value) {
    assert!(matches!(value, Value::Object(_) | Value::Null), "{value:?}");
}
