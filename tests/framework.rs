//! The `terraform` room with another provider than this repository's: what it promises to any.

use std::sync::Arc;

use terraform_provider_tencent::model;
use terraform_provider_tencent::terraform::codec::{decode, encode};
use terraform_provider_tencent::terraform::proto::{self, DynamicValue, RawState, provider_server::Provider as _};
use terraform_provider_tencent::terraform::{
    Attr, Attribute, Change, Configured, Context, Data, Diagnostic, Diagnostics, Failure, IdentityAttribute,
    IdentitySchema, ImportTarget, ManagedResource, Provider, Registry, Schema, Server, Type, Value,
};
use tonic::{Code, Request};

model! {
    #[derive(Debug, Clone)]
    struct Thing {
        name: Attr<String>,
        size: Attr<u64>,
    }
}

model! {
    #[derive(Debug)]
    struct ThingIdentity {
        name: Attr<String>,
    }
}

model! {
    #[derive(Debug)]
    struct Nothing {
    }
}

/// A resource whose objects do what their names say.
struct ThingResource;

impl ManagedResource for ThingResource {
    type Client = ();
    type Model = Thing;
    type Identity = ThingIdentity;

    const TYPE_NAME: &'static str = "toy_thing";

    fn schema(&self) -> Schema {
        Schema {
            version: 2,
            description: "A thing.",
            attributes: vec![
                Attribute::new("name", Type::String, "").required().requires_replace(),
                Attribute::new("size", Type::Number, "").default_value(Value::Number(1u64.into())),
            ],
        }
    }

    fn identity_schema(&self) -> IdentitySchema {
        let name = IdentityAttribute { name: "name", ty: Type::String, description: "" };
        IdentitySchema { version: 0, attributes: vec![name] }
    }

    fn identity(&self, state: &Thing) -> ThingIdentity {
        ThingIdentity { name: state.name.clone() }
    }

    fn validate(&self, _: &Thing) -> Diagnostics {
        Diagnostics::new()
    }

    async fn plan(&self, _: &(), change: Change<Thing>, _: &mut Context) -> Result<Thing, Diagnostics> {
        Ok(change.proposed)
    }

    async fn read(&self, _: &(), state: Thing, cx: &mut Context) -> Result<Option<Thing>, Diagnostics> {
        match state.name.known().map(String::as_str) {
            Some("panic") => panic!("as the name says"),
            Some("gone") => Ok(None),
            _ => {
                let reads: u64 = cx.private();
                cx.set_private(&(reads + 1));
                Ok(Some(state))
            }
        }
    }

    async fn create(&self, _: &(), planned: Thing, _: &mut Context) -> Result<Thing, Failure<Thing>> {
        match planned.name.known().map(String::as_str) {
            Some("fail") => Err(Diagnostic::error("Not created", "As the name says.").into()),
            Some("half") => {
                let diagnostics = Diagnostic::error("Half created", "As the name says.").into();
                Err(Failure { diagnostics, state: Some(Thing { size: Attr::Known(0), ..planned }) })
            }
            _ => Ok(planned),
        }
    }

    async fn update(&self, _: &(), _: Thing, planned: Thing, _: &mut Context) -> Result<Thing, Failure<Thing>> {
        match planned.name.known().map(String::as_str) {
            Some("fail") => Err(Diagnostic::error("Not updated", "As the name says.").into()),
            _ => Ok(planned),
        }
    }

    async fn delete(&self, _: &(), prior: Thing, _: &mut Context) -> Result<(), Diagnostics> {
        match prior.name.known().map(String::as_str) {
            Some("fail") => Err(Diagnostic::error("Not deleted", "As the name says.").into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, _: &(), _: ImportTarget<ThingIdentity>, _: &mut Context) -> Result<Thing, Diagnostics> {
        Err(Diagnostic::error("Not imported", "Things cannot be.").into())
    }

    /// Version 1 called the name "title" and had no size.
    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Thing> {
        let title = state["title"].as_str()?.to_owned();
        (from_version == 1).then_some(Thing { name: Attr::Known(title), size: Attr::Known(1) })
    }
}

struct Toy;

impl Provider for Toy {
    type Config = Nothing;
    type Client = ();

    const TYPE_NAME: &'static str = "toy";

    fn schema(&self) -> Schema {
        Schema { version: 0, description: "", attributes: vec![] }
    }

    fn registry(&self) -> Registry<()> {
        Registry::new().resource(ThingResource)
    }

    fn validate(&self, _: &Nothing) -> Diagnostics {
        Diagnostics::new()
    }

    fn configure(&self, _: Nothing, _: &mut Context) -> Result<Configured<()>, Diagnostics> {
        Ok(Configured::Known(()))
    }
}

const TYPE_NAME: &str = ThingResource::TYPE_NAME;

async fn server() -> Server<Toy> {
    let server = Server::new(Toy);
    let config = Some(encode(&Value::Object([].into()), &Nothing::ty()).expect("an empty object"));
    let request = proto::configure_provider::Request { config, ..Default::default() };
    let response = server.configure_provider(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(response.diagnostics, []);
    server
}

fn thing(name: &str, size: u64) -> Value {
    Thing { name: Attr::Known(name.into()), size: Attr::Known(size) }.into_value()
}

fn dynamic(value: &Value) -> Option<DynamicValue> {
    Some(encode(value, &Thing::ty()).expect("a thing"))
}

fn value(dynamic: Option<DynamicValue>) -> Value {
    decode(dynamic.as_ref(), &Thing::ty()).expect("a thing")
}

async fn apply(prior: &Value, planned: &Value) -> (Value, Vec<String>) {
    let request = proto::apply_resource_change::Request {
        type_name: TYPE_NAME.into(),
        prior_state: dynamic(prior),
        planned_state: dynamic(planned),
        config: dynamic(planned),
        ..Default::default()
    };
    let response = server().await.apply_resource_change(Request::new(request)).await.expect("an answer").into_inner();
    (value(response.new_state), response.diagnostics.into_iter().map(|d| d.summary).collect())
}

#[tokio::test]
async fn a_failed_write_leaves_the_state_that_holds() {
    for (prior, planned, state, summary) in [
        (Value::Null, thing("new", 3), thing("new", 3), None),
        (Value::Null, thing("fail", 3), Value::Null, Some("Not created")),
        (Value::Null, thing("half", 3), thing("half", 0), Some("Half created")),
        (thing("old", 3), thing("old", 4), thing("old", 4), None),
        (thing("fail", 3), thing("fail", 4), thing("fail", 3), Some("Not updated")),
        (thing("old", 3), Value::Null, Value::Null, None),
        (thing("fail", 3), Value::Null, thing("fail", 3), Some("Not deleted")),
    ] {
        let (found, summaries) = apply(&prior, &planned).await;
        assert_eq!(found, state, "{prior:?} to {planned:?}");
        assert_eq!(summaries, summary.into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_read_leaves_the_state_that_holds() {
    let request = proto::apply_resource_change::Request {
        type_name: TYPE_NAME.into(),
        prior_state: dynamic(&thing("old", 3)),
        planned_state: Some(DynamicValue { msgpack: vec![0xff], json: vec![] }),
        planned_private: b"7".to_vec(),
        ..Default::default()
    };
    let response = server().await.apply_resource_change(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(value(response.new_state), thing("old", 3));
    assert_eq!(response.private, b"7");
    assert_eq!(response.diagnostics.len(), 1);
}

async fn read(server: &Server<Toy>, name: &str, private: &[u8]) -> Result<proto::read_resource::Response, Code> {
    let request = proto::read_resource::Request {
        type_name: TYPE_NAME.into(),
        current_state: dynamic(&thing(name, 1)),
        private: private.to_vec(),
        ..Default::default()
    };
    server.read_resource(Request::new(request)).await.map(tonic::Response::into_inner).map_err(|status| status.code())
}

#[tokio::test]
async fn a_panic_ends_its_own_request_only() {
    let server = Arc::new(server().await);
    assert_eq!(read(&server, "panic", b"").await.expect_err("a panic"), Code::Internal);
    assert_eq!(value(read(&server, "gone", b"").await.expect("an answer").new_state), Value::Null);
    let status = server
        .read_resource(Request::new(proto::read_resource::Request {
            type_name: TYPE_NAME.into(),
            current_state: dynamic(&thing("panic", 1)),
            ..Default::default()
        }))
        .await
        .expect_err("a panic");
    assert!(!status.message().contains("as the name says"), "a panic's message may quote a secret");
}

#[tokio::test]
async fn private_data_lives_from_one_operation_to_the_next() {
    let server = server().await;
    let first = read(&server, "thing", b"").await.expect("an answer");
    assert_eq!(first.private, b"1");
    let second = read(&server, "thing", &first.private).await.expect("an answer");
    assert_eq!(second.private, b"2");
    // What another version has left behind is no reason to fail.
    assert_eq!(read(&server, "thing", b"{\"other\":1}").await.expect("an answer").private, b"1");
}

async fn upgrade(version: i64, json: &str) -> Result<Value, String> {
    let request = proto::upgrade_resource_state::Request {
        type_name: TYPE_NAME.into(),
        version,
        raw_state: Some(RawState { json: json.into(), flatmap: Default::default() }),
    };
    let response = server().await.upgrade_resource_state(Request::new(request)).await.expect("an answer").into_inner();
    match response.diagnostics.into_iter().next() {
        None => Ok(value(response.upgraded_state)),
        Some(diagnostic) => Err(diagnostic.detail),
    }
}

#[tokio::test]
async fn states_are_upgraded_or_refused() {
    assert_eq!(upgrade(2, r#"{"name":"a","size":3}"#).await, Ok(thing("a", 3)));
    // Written by a release of the same schema version that knew fewer attributes, or more.
    let fewer = Thing { name: Attr::Known("a".into()), size: Attr::Null }.into_value();
    assert_eq!(upgrade(2, r#"{"name":"a","color":"red"}"#).await, Ok(fewer));
    assert_eq!(upgrade(1, r#"{"title":"a"}"#).await, Ok(thing("a", 1)));
    for (version, json, reason) in [
        (0, r#"{"title":"a"}"#, "cannot upgrade it"),
        (3, r#"{"name":"a","size":3}"#, "A newer version of the provider wrote it"),
        (2, r#"{"name":7,"size":3}"#, "name: a string was expected"),
        (2, "{", "not JSON"),
        (1, "{", "not JSON"),
        (2, "", "not JSON"),
    ] {
        let error = upgrade(version, json).await.expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_plan_has_defaults_and_says_what_replaces() {
    let plan = async |prior: Value, name: &str, size: Value| {
        let config = Value::Object([("name".into(), Value::String(name.into())), ("size".into(), size)].into());
        let request = proto::plan_resource_change::Request {
            type_name: TYPE_NAME.into(),
            prior_state: dynamic(&prior),
            proposed_new_state: dynamic(&config),
            config: dynamic(&config),
            ..Default::default()
        };
        let response = server().await.plan_resource_change(Request::new(request)).await.expect("an answer");
        let response = response.into_inner();
        (value(response.planned_state), response.requires_replace.len())
    };
    assert_eq!(plan(Value::Null, "a", Value::Null).await, (thing("a", 1), 0));
    assert_eq!(plan(thing("a", 5), "a", Value::Null).await, (thing("a", 1), 0));
    assert_eq!(plan(thing("a", 5), "b", Value::Number(5u64.into())).await, (thing("b", 5), 1));
}
