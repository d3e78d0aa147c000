//! The list resource: streams existing configurations as it finds them.

use tencent_simulator::{App, Configuration, Fault, FaultKind, Service, Simulator};
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::list_resource::Event;
use terraform_provider_tencent::terraform::{Type, Value, codec, proto};
use tokio_stream::StreamExt as _;

use crate::session::{RESOURCE, Session, blamed, encode, nothing, number, set, text, the_error, type_of, with};

const ID: u64 = Simulator::SDK_APP_ID;
const COUNT: u64 = 30;

fn url(id: u64) -> String {
    format!("https://hooks.example.com/{id}?token=tok3n")
}

/// Starts a provider of many applications, every second of which has a configuration.
async fn fleet() -> (Simulator, Session) {
    let ids = ID..ID + COUNT;
    let builder = ids.clone().fold(Simulator::builder(), |builder, id| builder.app(App::new(id, id.to_string())));
    let simulator = builder.start().expect("a simulator");
    for id in ids.clone().step_by(2) {
        let configuration = Configuration::new(url(id), ["Call.CallbackAfterEndCall"]);
        simulator.put_configuration(Service::Call, id, configuration);
    }
    let session = Session::start().await;
    let schema = session.provider_schema();
    let apps = session.apps(ids.map(|id| (id, id.to_string())));
    let config = with(nothing(schema), [("endpoint", text(simulator.url())), ("apps", apps)]);
    session.configure(&config).await;
    (simulator, session)
}

async fn list(session: &Session, config: Value, include_resource_object: bool, limit: i64) -> Vec<Event> {
    let request = proto::list_resource::Request {
        type_name: RESOURCE.into(),
        config: Some(encode(&config, &type_of(session.list_schema()))),
        include_resource_object,
        limit,
    };
    let events = session.provider().list_resource(request).await.expect("a stream").into_inner();
    events.map(|event| event.expect("an event")).collect().await
}

/// Returns the SDKAppIDs of the events, sorted, because they come in any order.
fn ids(found: &[Event]) -> Vec<Value> {
    let mut ids: Vec<_> = found.iter().map(id).collect();
    ids.sort();
    ids
}

/// Returns the SDKAppID in an event's identity.
fn id(event: &Event) -> Value {
    let identity = event.identity.as_ref().and_then(|identity| identity.identity_data.as_ref());
    let identity = codec::decode(identity, &Type::object([("sdk_app_id", Type::Number)])).expect("an identity");
    identity.attribute("sdk_app_id").clone()
}

#[tokio::test]
async fn a_list_has_what_exists_up_to_the_limit() {
    let (simulator, session) = fleet().await;
    let nothing = || nothing(session.list_schema());
    let found = list(&session, nothing(), false, 1000).await;
    let expected: Vec<_> = (ID..ID + COUNT).step_by(2).map(number).collect();
    assert_eq!(ids(&found), expected);
    for event in &found {
        assert!(event.diagnostic.is_empty() && event.resource_object.is_none(), "{event:?}");
        assert!(event.display_name.contains("Call.CallbackAfterEndCall") && !event.display_name.contains("tok3n"));
    }
    assert_eq!(simulator.take_requests().len(), usize::try_from(COUNT).expect("a few"));

    let found = list(&session, nothing(), true, 3).await;
    assert!(found.len() == 3 && ids(&found).iter().all(|id| expected.contains(id)));
    let (last, rest) = found.split_last().expect("three");
    assert!(rest.iter().all(|event| event.diagnostic.is_empty()));
    assert_eq!(last.diagnostic[0].summary, "There are more results than this query shows");
    for event in &found {
        let (object, id) = (session.decode(&event.resource_object), id(event));
        let of = (ID..).find(|number_of| number(*number_of) == id).expect("an application");
        assert_eq!((object.attribute("url"), object.attribute("sdk_app_id")), (&text(&url(of)), &id));
        assert_eq!(object.attribute("callback_commands"), &set(["Call.CallbackAfterEndCall"]));
    }
    assert!(simulator.take_requests().len() < usize::try_from(COUNT).expect("a few"), "the rest is not looked at");

    let two = Value::Set([number(ID + 1), number(ID + 2)].into_iter().collect());
    let found = list(&session, with(nothing(), [("sdk_app_ids", two)]), false, 1000).await;
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), [number(ID + 2)]);
    // Without a block `config`.
    assert_eq!(list(&session, Value::Null, false, 0).await.len(), expected.len());
}

#[tokio::test]
async fn a_failed_read_is_a_warning_and_hides_no_other() {
    let (simulator, session) = fleet().await;
    let nothing = || nothing(session.list_schema());
    for kind in [
        FaultKind::ErrorCode { code: 70009, info: "made to fail".into() },
        FaultKind::Status { code: 404, retry_after: None, processed: false },
        FaultKind::NotJson,
        FaultKind::WrongTypes,
    ] {
        simulator.inject(Fault::new(kind.clone()).sdk_app_id(ID + 2));
        let events = list(&session, nothing(), false, 1000).await;
        let (failed, found): (Vec<_>, Vec<_>) = events.iter().partition(|event| !event.diagnostic.is_empty());
        assert_eq!(found.len(), usize::try_from(COUNT).expect("a few") / 2 - 1, "{kind:?}");
        let [Event { identity: None, diagnostic, .. }] = &failed[..] else { panic!("{kind:?}: {failed:?}") };
        assert_eq!(diagnostic[0].severity(), Severity::Warning);
        assert!(diagnostic[0].summary.contains(&(ID + 2).to_string()), "{diagnostic:?}");
        simulator.clear_faults();
    }

    simulator.inject(Fault::new(FaultKind::ErrorCode { code: 60020, info: "made to fail".into() }));
    let events = list(&session, nothing(), false, 1000).await;
    let (last, rest) = events.split_last().expect("an event");
    assert_eq!(the_error(&last.diagnostic).summary, "Nothing could be listed");
    assert_eq!(rest.len(), usize::try_from(COUNT).expect("a few"));
}

#[tokio::test]
async fn an_abandoned_stream_ends() {
    let (simulator, session) = fleet().await;
    simulator.inject(Fault::new(FaultKind::Delay(std::time::Duration::from_secs(60))).skip(1));
    let request = proto::list_resource::Request { type_name: RESOURCE.into(), limit: 1000, ..Default::default() };
    let mut events = session.provider().list_resource(request).await.expect("a stream").into_inner();
    let first = events.next().await.expect("an event").expect("the first");
    assert_eq!(id(&first), number(ID));
    drop(events);
    // No new read begins after those in flight.
    simulator.clear_faults();
    let under_way = simulator.take_requests().len();
    assert!(under_way < usize::try_from(COUNT).expect("a few"), "{under_way}");
    assert_eq!(list(&session, Value::Null, false, 2).await.len(), 2);
    let requests = simulator.take_requests().len();
    assert!(requests < usize::try_from(COUNT).expect("a few"), "{requests}");
}

#[tokio::test]
async fn an_interrupted_query_is_an_error() {
    let (simulator, session) = fleet().await;
    simulator.inject(Fault::new(FaultKind::NoAnswer).skip(1));
    let request = proto::list_resource::Request { type_name: RESOURCE.into(), limit: 1000, ..Default::default() };
    let mut events = session.provider().list_resource(request).await.expect("a stream").into_inner();
    events.next().await.expect("an event").expect("the first");
    session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
    let rest: Vec<_> = events.map(|event| event.expect("an event")).collect().await;
    let last = rest.last().expect("a last event");
    assert_eq!(the_error(&last.diagnostic).summary, "The query was interrupted");
}

#[tokio::test]
async fn a_url_that_no_plan_accepts_is_reported() {
    let (simulator, session) = fleet().await;
    let with_fragment = Configuration::new("https://hooks.example.com/x#tok3n", ["Call.CallbackAfterEndCall"]);
    simulator.put_configuration(Service::Call, ID, with_fragment);
    let found = list(&session, Value::Null, false, 0).await;
    let warned: Vec<_> = found.iter().filter(|event| !event.diagnostic.is_empty()).collect();
    let [event] = warned[..] else { panic!("{warned:?}") };
    assert_eq!(id(event), number(ID));
    let warning = &event.diagnostic[0];
    assert!(warning.detail.contains("fragment") && !warning.detail.contains("tok3n"), "{warning:?}");
}

#[tokio::test]
async fn arguments_are_validated() {
    let session = Session::start().await;
    for (ids, refused) in
        [(vec![number(0)], true), (vec![Value::Null], true), (vec![number(1), Value::Unknown], false), (vec![], false)]
    {
        let ids = Value::Set(ids.into_iter().collect());
        let config = with(nothing(session.list_schema()), [("sdk_app_ids", ids)]);
        let request = proto::validate_list_resource_config::Request {
            type_name: RESOURCE.into(),
            config: Some(encode(&config, &type_of(session.list_schema()))),
            ..Default::default()
        };
        let answer = session.provider().validate_list_resource_config(request).await.expect("an answer").into_inner();
        if refused {
            assert_eq!(blamed(the_error(&answer.diagnostics)), Some("sdk_app_ids"));
        } else {
            assert_eq!(answer.diagnostics, []);
        }
    }
}

#[tokio::test]
async fn nothing_is_listed_without_a_configured_provider() {
    let simulator = Simulator::start().expect("a simulator");
    for (session, said) in [
        (Session::start().await, "The provider cannot answer"),
        (Session::on_unknown(&simulator).await, "The provider's configuration is not known yet"),
    ] {
        let events = list(&session, Value::Null, false, 10).await;
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!(the_error(&event.diagnostic).summary, said);
    }
}
