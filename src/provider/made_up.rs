//! A service that Tencent does not have, added as one of Tencent's would be. `CONTRIBUTING.md` shows the first part.

// A new service: its file.
use serde_json::json;

use super::callback::service::{CallbackService, Event, PROBE_ID, no_advice};
use crate::tencent::{Overwrite, Service};

pub(super) const MADE_UP: CallbackService = CallbackService {
    name: "made_up",
    title: "Made-up",
    type_name: "tencent_made_up_callback",
    events_of: "made-up things",
    api: Service { path_segment: "made_up_config", overwrite: Overwrite::ByUpdate },
    events: &[
        Event {
            command: "MadeUp.CallbackAfterBegin",
            meaning: "a made-up thing began",
            carries: "the thing's ID",
            page: 1,
            sample: Some(|now| json!({ "ThingId": PROBE_ID, "EventTime": now.milliseconds })),
        },
        Event {
            command: "MadeUp.CallbackAfterEnd",
            meaning: "a made-up thing ended",
            carries: "the thing's ID, and why it ended",
            page: 2,
            // Tencent's page shows none: no probe.
            sample: None,
        },
    ],
    notes: "",
    advise: no_advice,
};
// The end of the file.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use tencent_simulator::Action::{Delete, Get, Set, Update};
use tencent_simulator::{Configuration, Receiver, Service as Simulated, Simulator};
use tonic::Request;

use super::callback::probe::CallbackProbe;
use super::callback::resource::CallbackResource;
use super::{Config, Services, TencentProvider, call};
use crate::terraform::codec::{decode, encode};
use crate::terraform::proto::{self, DynamicValue, provider_server::Provider as _};
use crate::terraform::{Action, Data, ManagedResource, Server, Type, Value};

type Model = <CallbackResource as ManagedResource>::Model;
type ProbeConfig = <CallbackProbe as Action>::Config;

/// The service in the simulator.
const SIMULATED: Simulated = Simulated::Other(MADE_UP.api.path_segment);

/// Its line in the registry.
const WITH_IT: Services = Services(&[&call::CALL, &MADE_UP]);

const URL: &str = "https://hooks.example.com/made-up";
const BEGIN: &str = "MadeUp.CallbackAfterBegin";

async fn server(simulator: &Simulator) -> Server<TencentProvider> {
    let server = Server::new(TencentProvider { environment: |_| None, services: WITH_IT });
    let config = with(
        nothing_set(Config::ty()),
        [
            ("sdk_app_id", Value::Number(Simulator::SDK_APP_ID.into())),
            ("secret_key", Value::String(Simulator::SECRET_KEY.into())),
            ("endpoint", Value::String(simulator.url().into())),
        ],
    );
    let config = Some(encode(&config, &Config::ty()).expect("a configuration"));
    let request = proto::configure_provider::Request { config, ..Default::default() };
    let response = server.configure_provider(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(response.diagnostics, []);
    server
}

fn nothing_set(ty: Type) -> Value {
    let Type::Object(attributes) = ty else { panic!("{ty:?} is no object") };
    Value::Object(attributes.into_keys().map(|name| (name, Value::Null)).collect())
}

fn with<const N: usize>(object: Value, attributes: [(&str, Value); N]) -> Value {
    let Value::Object(mut object) = object else { panic!("{object:?} is no object") };
    object.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(object)
}

fn model(url: &str, commands: &[&str]) -> Value {
    let commands = commands.iter().map(|command| Value::String((*command).into())).collect();
    let defaults = Model::defaults().into_value();
    with(defaults, [("url", Value::String(url.into())), ("callback_commands", Value::Set(commands))])
}

fn dynamic(value: &Value) -> Option<DynamicValue> {
    Some(encode(value, &Model::ty()).expect("a model"))
}

/// Plans and applies, as Terraform does.
async fn apply(server: &Server<TencentProvider>, prior: &Value, wanted: &Value) -> Value {
    let type_name = || MADE_UP.type_name.to_owned();
    let proposed = match (prior, wanted) {
        (Value::Null, Value::Object(_)) => {
            with(wanted.clone(), ["id", "sdk_app_id", "last_request_id"].map(|name| (name, Value::Unknown)))
        }
        (_, Value::Object(_)) => {
            let kept = ["id", "sdk_app_id", "last_request_id"].map(|name| (name, prior.attribute(name).clone()));
            with(wanted.clone(), kept)
        }
        _ => Value::Null,
    };
    let request = proto::plan_resource_change::Request {
        type_name: type_name(),
        prior_state: dynamic(prior),
        proposed_new_state: dynamic(&proposed),
        config: dynamic(wanted),
        ..Default::default()
    };
    let plan = server.plan_resource_change(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(plan.diagnostics, []);
    let request = proto::apply_resource_change::Request {
        type_name: type_name(),
        prior_state: dynamic(prior),
        planned_state: plan.planned_state,
        config: dynamic(wanted),
        planned_private: plan.planned_private,
        ..Default::default()
    };
    let applied = server.apply_resource_change(Request::new(request)).await.expect("an answer").into_inner();
    assert_eq!(applied.diagnostics, []);
    decode(applied.new_state.as_ref(), &Model::ty()).expect("a state")
}

fn writes(simulator: &Simulator) -> Vec<tencent_simulator::Action> {
    let requests = simulator.take_requests();
    assert!(requests.iter().all(|request| request.service == Some(SIMULATED)), "{requests:#?}");
    requests.into_iter().filter_map(|request| request.action).filter(|action| *action != Get).collect()
}

#[tokio::test]
async fn one_file_is_all_that_a_service_takes() {
    let simulator = Simulator::builder().serve(MADE_UP.api.path_segment).start().expect("a simulator");
    let there = || simulator.configuration(SIMULATED, Simulator::SDK_APP_ID);

    // All kinds of objects are there.
    let server = server(&simulator).await;
    let request = Request::new(proto::get_provider_schema::Request {});
    let schema = server.get_provider_schema(request).await.expect("an answer").into_inner();
    let name = MADE_UP.type_name;
    for names in [
        schema.resource_schemas.keys().collect::<BTreeSet<_>>(),
        schema.data_source_schemas.keys().collect(),
        schema.list_resource_schemas.keys().collect(),
    ] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }

    // Its resource lives and dies.
    let created = apply(&server, &Value::Null, &model(URL, &[BEGIN])).await;
    assert_eq!((writes(&simulator), there()), (vec![Set], Some(Configuration::new(URL, [BEGIN]))));
    let server = self::server(&simulator).await;
    let other = model("https://other.example.com/", &[BEGIN, "MadeUp.CallbackAfterEnd"]);
    let changed = apply(&server, &created, &other).await;
    assert_eq!(writes(&simulator), [Update]);
    assert_eq!(there().expect("a configuration").url, "https://other.example.com/");

    // Validation and the function know its commands.
    let request = proto::validate_resource_config::Request {
        type_name: name.into(),
        config: dynamic(&model(URL, &["MadeUp.CallbackAfterBegan"])),
        client_capabilities: None,
    };
    let validated = server.validate_resource_config(Request::new(request)).await.expect("an answer").into_inner();
    assert!(validated.diagnostics[0].detail.contains("Did you mean \"MadeUp.CallbackAfterBegin\"?"));
    let argument = encode(&Value::String("made_up".into()), &Type::String).expect("a string");
    let request = proto::call_function::Request { name: "callback_commands".into(), arguments: vec![argument] };
    let called = server.call_function(Request::new(request)).await.expect("an answer").into_inner();
    let commands = decode(called.result.as_ref(), &Vec::<String>::ty()).expect("a list");
    assert_eq!(Vec::<String>::from_value(commands).expect("strings"), MADE_UP.commands().collect::<Vec<_>>());

    // Its destruction is its own.
    let server = self::server(&simulator).await;
    apply(&server, &changed, &Value::Null).await;
    assert_eq!((writes(&simulator), there()), (vec![Delete], None));
}

#[tokio::test]
async fn its_events_can_be_probed() {
    let simulator = Simulator::builder().serve(MADE_UP.api.path_segment).start().expect("a simulator");
    let receiver = Receiver::start().expect("a receiver");
    let server = server(&simulator).await;
    let request = Request::new(proto::get_provider_schema::Request {});
    let schema = server.get_provider_schema(request).await.expect("an answer").into_inner();
    assert!(schema.action_schemas.contains_key("tencent_callback_probe"));

    let config = with(
        nothing_set(ProbeConfig::ty()),
        [
            ("callback_command", Value::String(BEGIN.into())),
            ("url", Value::String(receiver.url())),
            ("allow_private", Value::Bool(true)),
        ],
    );
    let config = Some(encode(&config, &ProbeConfig::ty()).expect("a configuration"));
    let request =
        proto::invoke_action::Request { action_type: "tencent_callback_probe".into(), config, ..Default::default() };
    let events = server.invoke_action(Request::new(request)).await.expect("a stream").into_inner();
    let events: Vec<_> = events.collect().await;
    assert!(events.iter().all(Result::is_ok), "{events:?}");
    let event = receiver.take().remove(0);
    assert_eq!((&event.body["CallbackCommand"], &event.body["ThingId"]), (&BEGIN.into(), &PROBE_ID.into()));
}
