//! Validation of configurations: in both encodings, with unknown values, and of any size.

use serde_json::json;
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::{self, ClientCapabilities, Diagnostic, DynamicValue, Schema};
use terraform_provider_tencent::terraform::{Type, Value};

use crate::data_source::DATA_SOURCE;
use crate::session::{RESOURCE, Session, blamed, block, encode, nothing, set, text, the_error, type_of, with};

/// More than tonic accepts by default.
const LARGE: usize = 5 * 1024 * 1024;

async fn validate(session: &Session, config: Option<DynamicValue>) -> Vec<Diagnostic> {
    let request =
        proto::validate_resource_config::Request { type_name: RESOURCE.into(), config, client_capabilities: None };
    session.provider().validate_resource_config(request).await.expect("an answer").into_inner().diagnostics
}

async fn validate_provider(session: &Session, config: DynamicValue) -> Vec<Diagnostic> {
    let request = proto::validate_provider_config::Request { config: Some(config) };
    session.provider().validate_provider_config(request).await.expect("an answer").into_inner().diagnostics
}

#[tokio::test]
async fn resource_arguments_are_validated() {
    let session = Session::start().await;
    let good = session.config("https://hooks.example.com/call");
    assert_eq!(validate(&session, session.encode(&good)).await, []);

    let unknown = with(good.clone(), [("url", Value::Unknown), ("callback_commands", Value::Unknown)]);
    assert_eq!(validate(&session, session.encode(&unknown)).await, [], "what is not known yet may turn out right");

    for (attribute, value) in [
        ("url", text("ftp://hooks.example.com")),
        ("callback_commands", set([])),
        ("callback_commands", Value::Null),
        ("sdk_app_id", Value::Number((-1i64).into())),
        ("deletion_policy", text("KEEP")),
    ] {
        let bad = with(good.clone(), [(attribute, value)]);
        let diagnostics = validate(&session, session.encode(&bad)).await;
        assert_eq!(blamed(the_error(&diagnostics)), Some(attribute));
    }

    let odd = with(good, [("callback_commands", set(["Call.CallbackAfterEndCal"]))]);
    let diagnostics = validate(&session, session.encode(&odd)).await;
    let [warning] = &diagnostics[..] else { panic!("{diagnostics:?}") };
    assert_eq!((warning.severity(), blamed(warning)), (Severity::Warning, Some("callback_commands")));
}

#[tokio::test]
async fn write_only_arguments_need_a_host_that_does_not_store_them() {
    let session = Session::start().await;
    for value in [text("https://hooks.example.com/s3cret"), Value::Unknown] {
        let config = with(session.config(""), [("url", Value::Null), ("url_wo", value)]);
        for (capabilities, expected) in [
            (None, false),
            (
                Some(ClientCapabilities {
                    write_only_attributes_allowed: false,
                    deferral_allowed: true,
                    ..Default::default()
                }),
                false,
            ),
            (
                Some(ClientCapabilities {
                    write_only_attributes_allowed: true,
                    deferral_allowed: false,
                    ..Default::default()
                }),
                true,
            ),
        ] {
            let request = proto::validate_resource_config::Request {
                type_name: RESOURCE.into(),
                config: session.encode(&config),
                client_capabilities: capabilities,
            };
            let answer = session.provider().validate_resource_config(request).await.expect("an answer").into_inner();
            if expected {
                assert_eq!(answer.diagnostics, []);
                continue;
            }
            let error = the_error(&answer.diagnostics);
            assert_eq!(blamed(error), Some("url_wo"));
            assert!(error.detail.contains("Terraform 1.11 or later") && !error.detail.contains("s3cret"), "{error:?}");
        }
    }
}

/// Returns the read-only attributes, in order.
fn read_only(schema: &Schema) -> Vec<&str> {
    let read_only = block(schema).attributes.iter().filter(|a| a.computed && !a.optional);
    let mut names: Vec<_> = read_only.map(|a| a.name.as_str()).collect();
    names.sort();
    names
}

/// Asserts that the diagnostics are errors that blame these attributes and say what to do.
#[track_caller]
fn assert_read_only(diagnostics: &[Diagnostic], attributes: &[&str]) {
    let mut names: Vec<_> = diagnostics.iter().map(|d| blamed(d).expect("an attribute")).collect();
    names.sort();
    assert_eq!(names, attributes);
    for diagnostic in diagnostics {
        let name = blamed(diagnostic).expect("an attribute");
        let error = the_error(std::slice::from_ref(diagnostic));
        assert_eq!(error.summary, "Read-only attribute cannot be configured");
        let detail = format!("The value of {name} is set by the provider. Remove it from the configuration.");
        assert_eq!(error.detail, detail);
    }
}

#[tokio::test]
async fn read_only_attributes_cannot_be_configured() {
    let session = Session::start().await;
    let attributes = read_only(session.resource_schema());
    assert_eq!(attributes, ["id", "last_request_id"]);
    for value in [text("1400000001"), Value::Unknown] {
        let set = attributes.iter().map(|name| (*name, value.clone()));
        let config = with(session.config("https://hooks.example.com/call"), set);
        assert_read_only(&validate(&session, session.encode(&config)).await, &attributes);
    }

    let (name, schema) = session.data_sources().find(|(name, _)| *name == DATA_SOURCE).expect("the data source");
    let attributes = read_only(schema);
    assert_eq!(attributes, ["callback_commands", "configured", "id", "url"]);
    let config = with(nothing(schema), attributes.iter().map(|name| (*name, Value::Unknown)));
    let config = Some(encode(&config, &type_of(schema)));
    let request = proto::validate_data_resource_config::Request { type_name: name.into(), config };
    let answer = session.provider().validate_data_resource_config(request).await.expect("an answer");
    assert_read_only(&answer.into_inner().diagnostics, &attributes);
}

#[tokio::test]
async fn values_can_be_json_or_msgpack() {
    let session = Session::start().await;
    let config = |url: &str| {
        let Type::Object(attributes) = type_of(session.resource_schema()) else { panic!("no object") };
        let mut json: serde_json::Map<_, _> = attributes.into_keys().map(|name| (name, json!(null))).collect();
        json.insert("url".into(), json!(url));
        json.insert("callback_commands".into(), json!(["Call.CallbackAfterEndCall"]));
        Some(DynamicValue { msgpack: Vec::new(), json: serde_json::to_vec(&json).expect("JSON") })
    };
    assert_eq!(validate(&session, config("https://hooks.example.com/call")).await, []);
    let diagnostics = validate(&session, config("ftp://hooks.example.com/call")).await;
    assert_eq!(blamed(the_error(&diagnostics)), Some("url"));
}

#[tokio::test]
async fn provider_arguments_are_validated() {
    let session = Session::start().await;
    let ty = type_of(session.provider_schema());
    let empty = nothing(session.provider_schema());
    assert_eq!(validate_provider(&session, encode(&empty, &ty)).await, [], "the environment may have it all");
    let unknown = with(empty.clone(), [("secret_key", Value::Unknown), ("endpoint", Value::Unknown)]);
    assert_eq!(validate_provider(&session, encode(&unknown, &ty)).await, []);
    for (attribute, value) in
        [("region", text("mars")), ("endpoint", text("http://example.com")), ("secret_key", text(""))]
    {
        let diagnostics = validate_provider(&session, encode(&with(empty.clone(), [(attribute, value)]), &ty)).await;
        assert_eq!(blamed(the_error(&diagnostics)), Some(attribute));
    }
}

#[tokio::test]
async fn large_values_are_accepted_and_returned() {
    let session = Session::start().await;
    let url = format!("https://hooks.example.com/{}", "a".repeat(LARGE));
    let config = session.config(&url);
    // The answer may be an error.
    validate(&session, session.encode(&config)).await;

    let empty = nothing(session.provider_schema());
    session.configure(&with(empty, [("sdk_app_id", Value::Unknown)])).await;
    let planned = session.plan(&Value::Null, &config).await;
    assert_eq!(session.decode(&planned.planned_state).attribute("url"), &text(&url));
}
