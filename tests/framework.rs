//! The promises of the `terraform` module to any provider, tested with a toy provider.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use terraform_provider_tencent::model;
use terraform_provider_tencent::terraform::codec::{decode, encode};
use terraform_provider_tencent::terraform::proto::attribute_path::step::Selector;
use terraform_provider_tencent::terraform::proto::{
    self, DynamicValue, RawState, ResourceIdentityData, provider_server::Provider as _,
};
use terraform_provider_tencent::terraform::{
    Attr, Attribute, Block, Change, Configured, Context, Data, Diagnostic, Diagnostics, EphemeralResource, Failure,
    Found, IdentityAttribute, IdentitySchema, ImportTarget, ListResource, Listing, ManagedResource, Nesting, Opened,
    Provider, Registry, Schema, Server, SetOf, Type, Value,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};

model! {
    #[derive(Debug, Clone, Default)]
    struct Thing {
        name: Attr<String>,
        size: Attr<u64>,
        serial: Attr<u64>,
        label: Attr<Label>,
        parts: Attr<BTreeMap<String, Part>>,
    }
}

model! {
    #[derive(Debug, Clone)]
    struct Label {
        text: Attr<String>,
        printed: Attr<bool>,
    }
}

model! {
    #[derive(Debug, Clone)]
    struct Part {
        weight: Attr<u64>,
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

/// A resource whose objects behave as their names say.
struct ThingResource;

impl Block for ThingResource {
    type Client = ();
    type Model = Thing;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 2,
            description: "A thing.".into(),
            attributes: vec![
                Attribute::new("name", Type::String, "").required().requires_replace(),
                Attribute::new("size", Type::Number, "").default_value(Value::Number(1u64.into())),
                Attribute::new("serial", Type::Number, "").computed(),
                Attribute::nested(
                    "label",
                    Nesting::Single,
                    vec![
                        Attribute::new("text", Type::String, "").required(),
                        Attribute::new("printed", Type::Bool, "").computed(),
                    ],
                    "",
                ),
                Attribute::nested(
                    "parts",
                    Nesting::Map,
                    vec![Attribute::new("weight", Type::Number, "").computed()],
                    "",
                ),
            ],
        }
    }

    fn validate(&self, config: &Thing) -> Diagnostics {
        match config.name.known().map(String::as_str) {
            Some("odd") => Diagnostic::warning("Odd", "As the name says.").on("name").into(),
            _ => Diagnostics::new(),
        }
    }
}

impl ManagedResource for ThingResource {
    type Identity = ThingIdentity;

    fn identity_schema(&self) -> IdentitySchema {
        let name = IdentityAttribute { name: "name", ty: Type::String, description: "" };
        IdentitySchema { version: 0, attributes: vec![name] }
    }

    async fn plan(&self, _: &(), change: Change<Thing>, _: &mut Context) -> Result<Thing, Diagnostics> {
        Ok(change.proposed)
    }

    async fn read(&self, _: &(), state: Thing, cx: &mut Context) -> Result<Option<Thing>, Diagnostics> {
        match state.name.known().map(String::as_str) {
            Some("panic") => panic!("as the name says"),
            Some("gone") => Ok(None),
            Some("slow") => {
                cx.end().cancelled().await;
                Err(Diagnostic::error("Not read", "The process ends.").into())
            }
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

    async fn delete(&self, _: &(), prior: Thing, _: &mut Context) -> Result<(), Failure<Thing>> {
        match prior.name.known().map(String::as_str) {
            Some("fail") => Err(Diagnostic::error("Not deleted", "As the name says.").into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, _: &(), _: ImportTarget<ThingIdentity>, _: &mut Context) -> Result<Thing, Diagnostics> {
        Err(Diagnostic::error("Not imported", "Things cannot be.").into())
    }

    /// Upgrades from version 1, which called the name "title" and had no size.
    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Thing> {
        let title = state["title"].as_str()?.to_owned();
        (from_version == 1).then_some(Thing { name: Attr::Known(title), size: Attr::Known(1), ..Thing::default() })
    }
}

model! {
    #[derive(Debug)]
    struct Lease {
        name: Attr<String>,
        term: Attr<u64>,
        number: Attr<u64>,
    }
}

/// An ephemeral resource that is renewed twice.
struct LeaseResource;

impl Block for LeaseResource {
    type Client = ();
    type Model = Lease;

    fn type_name(&self) -> &'static str {
        LEASE
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "A lease.".into(),
            attributes: vec![
                Attribute::new("name", Type::String, "").required(),
                Attribute::new("term", Type::Number, "").default_value(Value::Number(60u64.into())),
                Attribute::new("number", Type::Number, "").computed(),
            ],
        }
    }
}

impl EphemeralResource for LeaseResource {
    async fn open(&self, _: &(), config: Lease, cx: &mut Context) -> Result<Opened<Lease>, Diagnostics> {
        cx.set_private(&1u64);
        let attributes = Lease { number: Attr::Known(7), ..config };
        Ok(Opened { attributes, renew_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)) })
    }

    async fn renew(&self, _: &(), cx: &mut Context) -> Result<Option<SystemTime>, Diagnostics> {
        let times: u64 = cx.private();
        cx.set_private(&(times + 1));
        Ok((times < 2).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(times + 1)))
    }

    async fn close(&self, _: &(), cx: &mut Context) -> Result<(), Diagnostics> {
        match cx.private() {
            3u64 => Ok(()),
            times => Err(Diagnostic::error("Closed too early", format!("After {times}.")).into()),
        }
    }
}

model! {
    #[derive(Debug)]
    struct Names {
        names: Attr<SetOf<String>>,
    }
}

/// A list resource that finds things with the given names.
struct ThingList;

impl Block for ThingList {
    type Client = ();
    type Model = Names;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        let names = Attribute::new("names", Type::set(Type::String), "").required();
        Schema { version: 0, description: "Things.".into(), attributes: vec![names] }
    }
}

impl ListResource for ThingList {
    type Resource = ThingResource;

    fn list<'a>(&'a self, _: &'a (), config: Names, _: &'a Context) -> Result<Listing<'a, Thing>, Diagnostics> {
        let names: Vec<_> = config.names.known().and_then(SetOf::known).into_iter().flatten().cloned().collect();
        let look = |name: String| match name.as_str() {
            "panic" => panic!("as the name says"),
            "gone" => Ok(None),
            "fail" => Err(Diagnostic::error("Not looked at", "As the name says.").into()),
            _ => Ok(Some(Found {
                display_name: name.to_uppercase(),
                object: Thing { name: Attr::Known(name), ..Thing::default() },
                warnings: Diagnostics::new(),
            })),
        };
        Ok(Box::pin(futures_util::stream::iter(names).map(look)))
    }
}

struct Toy;

impl Block for Toy {
    type Client = ();
    type Model = Nothing;

    fn type_name(&self) -> &'static str {
        "toy"
    }

    fn schema(&self) -> Schema {
        Schema { version: 0, description: "".into(), attributes: vec![] }
    }
}

impl Provider for Toy {
    fn registry(&self) -> Registry<()> {
        Registry::new().resource(ThingResource).list_resource(ThingList).ephemeral_resource(LeaseResource)
    }

    fn configure(&self, _: Nothing, _: &mut Context) -> Result<Configured<()>, Diagnostics> {
        Ok(Configured::Known(()))
    }
}

const TYPE_NAME: &str = "toy_thing";
const LEASE: &str = "toy_lease";

async fn server() -> Server<Toy> {
    configured(Server::new(Toy)).await
}

async fn configured(server: Server<Toy>) -> Server<Toy> {
    let config = Some(encode(&Value::Object([].into()), &Nothing::ty()).expect("an empty object"));
    let request = proto::configure_provider::Request { config, ..Default::default() };
    let response = server.configure_provider(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(response.diagnostics, []);
    server
}

fn thing(name: &str, size: u64) -> Value {
    Thing { name: Attr::Known(name.into()), size: Attr::Known(size), ..Thing::default() }.into_value()
}

fn with<const N: usize>(object: Value, attributes: [(&str, Value); N]) -> Value {
    let Value::Object(mut object) = object else { panic!("{object:?} is no object") };
    object.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(object)
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
async fn a_failed_write_keeps_the_actual_state() {
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

/// Returns the name in an identity.
fn identified(identity: Option<ResourceIdentityData>) -> Option<Value> {
    let identity = identity?.identity_data;
    Some(decode(identity.as_ref(), &ThingIdentity::ty()).expect("an identity").attribute("name").clone())
}

#[tokio::test]
async fn an_unreadable_plan_keeps_the_prior_state() {
    let negative = with(thing("old", 3), [("size", Value::Number((-1i64).into()))]);
    for (prior, planned, name) in [
        (thing("old", 3), Some(DynamicValue { msgpack: vec![0xff], json: vec![] }), Some("old")),
        (thing("old", 3), dynamic(&negative), Some("old")),
        (Value::Null, dynamic(&negative), None),
    ] {
        let request = proto::apply_resource_change::Request {
            type_name: TYPE_NAME.into(),
            prior_state: dynamic(&prior),
            planned_state: planned,
            planned_private: b"7".to_vec(),
            ..Default::default()
        };
        let response = server().await.apply_resource_change(Request::new(request)).await.expect("an answer");
        let response = response.into_inner();
        assert_eq!(value(response.new_state), prior);
        assert_eq!(identified(response.new_identity), name.map(|name| Value::String(name.into())));
        assert_eq!(response.private, b"7");
        assert_eq!(response.diagnostics.len(), 1);
    }
}

#[tokio::test]
async fn an_apply_before_configuration_keeps_the_prior_state() {
    let request = proto::apply_resource_change::Request {
        type_name: TYPE_NAME.into(),
        prior_state: dynamic(&thing("old", 3)),
        planned_state: dynamic(&Value::Null),
        ..Default::default()
    };
    let response = Server::new(Toy).apply_resource_change(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(value(response.new_state), thing("old", 3));
    assert_eq!(identified(response.new_identity), Some(Value::String("old".into())));
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
async fn a_panic_fails_only_its_own_request() {
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
async fn operations_in_flight_learn_of_a_shutdown() {
    let end = CancellationToken::new();
    let server = configured(Server::ending_with(Toy, end.clone())).await;
    let (slow, quick) = tokio::join!(read(&server, "slow", b""), async {
        let quick = read(&server, "thing", b"").await;
        end.cancel();
        quick
    });
    assert_eq!(quick.expect("an answer").diagnostics, []);
    assert_eq!(slow.expect("an answer").diagnostics[0].summary, "Not read");
}

#[tokio::test]
async fn private_data_survives_from_one_operation_to_the_next() {
    let server = server().await;
    let first = read(&server, "thing", b"").await.expect("an answer");
    assert_eq!(first.private, b"1");
    let second = read(&server, "thing", &first.private).await.expect("an answer");
    assert_eq!(second.private, b"2");
    // Private data of another version is no reason to fail.
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
async fn old_states_are_upgraded_or_refused() {
    assert_eq!(upgrade(2, r#"{"name":"a","size":3}"#).await, Ok(thing("a", 3)));
    // A release with the same schema version but fewer or more attributes wrote this state.
    let fewer = Thing { name: Attr::Known("a".into()), ..Thing::default() }.into_value();
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
async fn a_plan_fills_in_defaults_and_forces_replacement() {
    let plan = async |prior: Value, name: &str, size: Value| {
        let config = with(thing(name, 0), [("size", size)]);
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

/// Validates a configuration, and returns the diagnostics in short.
async fn validate(config: &Value) -> Vec<(String, String)> {
    let request = proto::validate_resource_config::Request {
        type_name: TYPE_NAME.into(),
        config: dynamic(config),
        client_capabilities: None,
    };
    let response = server().await.validate_resource_config(Request::new(request)).await.expect("an answer");
    in_short(response.into_inner().diagnostics)
}

/// Returns the summaries of diagnostics with the paths that they blame.
fn in_short(diagnostics: Vec<proto::Diagnostic>) -> Vec<(String, String)> {
    let path = |path: proto::AttributePath| path.steps.into_iter().map(|step| selected(step.selector)).collect();
    diagnostics.into_iter().map(|d| (d.summary, d.attribute.map(path).unwrap_or_default())).collect()
}

fn selected(selector: Option<Selector>) -> String {
    match selector {
        Some(Selector::AttributeName(name)) => format!(".{name}"),
        Some(Selector::ElementKeyString(key)) => format!("[{key}]"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn read_only_attributes_cannot_be_configured() {
    let object = |attributes: [(&str, Value); 1]| with(Value::Object([].into()), attributes);
    let label = |printed| with(object([("text", Value::Unknown)]), [("printed", printed)]);
    let parts = |weight| object([("left", object([("weight", weight)]))]);
    let right = [("label", label(Value::Null)), ("parts", parts(Value::Null)), ("size", Value::Unknown)];
    for config in [thing("a", 1), with(thing("a", 1), right), with(thing("a", 1), [("label", Value::Unknown)])] {
        assert_eq!(validate(&config).await, [], "{config:?}");
    }

    let wrong = [
        ("serial", Value::Unknown),
        ("label", label(Value::Bool(false))),
        ("parts", parts(Value::Number(1u64.into()))),
    ];
    // Only the message names the attribute of an element of the map `parts`.
    let read_only = [".label.printed", "", ".serial"];
    let with_own = |own: (&str, &str)| {
        let read_only = read_only.map(|path| ("Read-only attribute cannot be configured", path));
        let mut all: Vec<_> = [&read_only[..], &[own]].concat();
        all.sort();
        all.into_iter().map(|(summary, path)| (summary.to_owned(), path.to_owned())).collect::<Vec<_>>()
    };
    for (name, size, own) in [
        ("odd", Value::Null, ("Odd", ".name")),
        // A value that its model cannot hold never reaches the resource.
        ("odd", Value::Number((-1i64).into()), ("Invalid value", ".size")),
    ] {
        let config = with(with(thing(name, 0), wrong.clone()), [("size", size)]);
        let mut found = validate(&config).await;
        found.sort();
        assert_eq!(found, with_own(own));
    }
}

#[tokio::test]
async fn required_attributes_cannot_be_null() {
    let label = |text| with(Value::Object([].into()), [("text", text), ("printed", Value::Null)]);
    for (attributes, missing) in [
        (vec![("name", Value::Null)], Some(("Missing name", ".name"))),
        (vec![("label", label(Value::Null))], Some(("Missing label.text", ".label.text"))),
        (vec![("name", Value::Unknown), ("label", label(Value::Unknown))], None),
        (vec![("label", Value::Unknown), ("parts", Value::Unknown)], None),
        (vec![("label", Value::Null), ("parts", Value::Null)], None),
    ] {
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
        let Value::Object(config) = thing("a", 1) else { unreachable!("a thing is an object") };
        let config = Value::Object(config.into_iter().chain(attributes).collect());
        let missing: Vec<_> = missing.into_iter().map(|(s, path)| (s.to_owned(), path.to_owned())).collect();
        assert_eq!(validate(&config).await, missing, "{config:?}");

        // Terraform knows more when it plans, and again when it plans in order to apply.
        let request = proto::plan_resource_change::Request {
            type_name: TYPE_NAME.into(),
            prior_state: dynamic(&Value::Null),
            proposed_new_state: dynamic(&config),
            config: dynamic(&config),
            ..Default::default()
        };
        let response = server().await.plan_resource_change(Request::new(request)).await.expect("an answer");
        assert_eq!(in_short(response.into_inner().diagnostics), missing, "{config:?}");
    }
}

async fn open(config: Value) -> (Server<Toy>, proto::open_ephemeral_resource::Response) {
    let server = server().await;
    let request = proto::open_ephemeral_resource::Request {
        type_name: LEASE.into(),
        config: Some(encode(&config, &Lease::ty()).expect("a lease")),
        client_capabilities: None,
    };
    let opened = server.open_ephemeral_resource(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(opened.diagnostics, []);
    (server, opened)
}

fn lease(name: Attr<String>, term: Attr<u64>, number: Attr<u64>) -> Value {
    Lease { name, term, number }.into_value()
}

#[tokio::test]
async fn ephemeral_resources_are_renewed_and_closed() {
    let name = Attr::Known("a".to_owned());
    let (server, opened) = open(lease(name.clone(), Attr::Null, Attr::Null)).await;
    let result = decode(opened.result.as_ref(), &Lease::ty()).expect("a lease");
    assert_eq!(result, lease(name, Attr::Known(60), Attr::Known(7)));
    let (mut renew_at, mut private, mut times) = (opened.renew_at, opened.private, Vec::new());
    while let Some(time) = renew_at {
        times.push(time.seconds);
        let request = proto::renew_ephemeral_resource::Request { type_name: LEASE.into(), private };
        let renewed = server.renew_ephemeral_resource(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(renewed.diagnostics, []);
        (renew_at, private) = (renewed.renew_at, renewed.private);
    }
    assert_eq!(times, [1, 2]);
    for (private, said) in [(private, None), (None, Some("Closed too early"))] {
        let request = proto::close_ephemeral_resource::Request { type_name: LEASE.into(), private };
        let closed = server.close_ephemeral_resource(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(closed.diagnostics.first().map(|d| d.summary.as_str()), said);
    }
}

#[tokio::test]
async fn ephemeral_resources_with_unknown_arguments_are_not_opened() {
    let (_, opened) = open(lease(Attr::Unknown, Attr::Known(1), Attr::Null)).await;
    assert_eq!(opened.renew_at, None);
    let result = decode(opened.result.as_ref(), &Lease::ty()).expect("a lease");
    assert_eq!(result, lease(Attr::Unknown, Attr::Known(1), Attr::Unknown));
}

/// Lists things with these names, and returns the events in short: display names, diagnostics, or the RPC's status.
async fn list(server: &Server<Toy>, names: &[&str]) -> Vec<String> {
    let names = Names { names: Attr::Known(names.iter().map(|&name| name.to_owned()).collect()) };
    let request = proto::list_resource::Request {
        type_name: TYPE_NAME.into(),
        config: Some(encode(&names.into_value(), &Names::ty()).expect("names")),
        include_resource_object: true,
        limit: 3,
    };
    let events = server.list_resource(Request::new(request)).await.expect("a stream").into_inner();
    let said = |event: Result<proto::list_resource::Event, tonic::Status>| match event {
        Ok(event) => {
            let mut said = event.display_name;
            if event.identity.is_some() {
                let name = value(event.resource_object).attribute("name").clone();
                assert_eq!(identified(event.identity), Some(name));
            }
            for diagnostic in event.diagnostic {
                said += &format!("{:?}: {}", diagnostic.severity(), diagnostic.summary);
            }
            said
        }
        Err(status) => format!("{:?}", status.code()),
    };
    events.map(said).collect().await
}

#[tokio::test]
async fn a_query_streams_what_it_finds() {
    let server = server().await;
    for (names, said) in [
        (&[][..], &[][..]),
        (&["a", "b", "gone"], &["A", "B"]),
        (&["a", "b", "c"], &["A", "B", "C"]),
        (&["a", "b", "c", "gone", "d"], &["A", "B", "CWarning: There are more results than this query shows"]),
        (&["a", "fail"], &["A", "Warning: Not looked at"]),
        (&["fail", "gone"], &["Warning: Not looked at"]),
        (&["fail"], &["Warning: Not looked at", "Error: Nothing could be listed"]),
    ] {
        assert_eq!(list(&server, names).await, said, "{names:?}");
    }
}

#[tokio::test]
async fn a_panic_fails_only_its_own_stream() {
    let server = server().await;
    let (panics, works) = tokio::join!(list(&server, &["a", "panic", "z"]), list(&server, &["a", "b"]));
    assert_eq!(panics, ["A", "Internal"]);
    assert_eq!(works, ["A", "B"]);
    assert_eq!(list(&server, &["c"]).await, ["C"]);
}
