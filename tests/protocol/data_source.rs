//! The data source: reads a configuration, whoever set it.

use tencent_simulator::{Action, Configuration, Fault, FaultKind, Service, Simulator};
use terraform_provider_tencent::terraform::proto::Schema;
use terraform_provider_tencent::terraform::{Value, codec, proto};

use crate::session::{Session, encode, nothing, number, set, text, the_error, type_of, with};

pub(crate) const DATA_SOURCE: &str = "tencent_call_callback";

fn schema(session: &Session) -> &Schema {
    session.data_sources().find(|(name, _)| *name == DATA_SOURCE).expect("the data source").1
}

pub(crate) async fn read(session: &Session) -> proto::read_data_source::Response {
    let schema = schema(session);
    let request = proto::read_data_source::Request {
        type_name: DATA_SOURCE.into(),
        config: Some(encode(&nothing(schema), &type_of(schema))),
        ..Default::default()
    };
    session.provider().read_data_source(request).await.expect("an answer").into_inner()
}

fn decode(session: &Session, answer: &proto::read_data_source::Response) -> Value {
    codec::decode(answer.state.as_ref(), &type_of(schema(session))).expect("a state")
}

#[tokio::test]
async fn the_data_source_reads_what_exists() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let id = Simulator::SDK_APP_ID;
    let absent = with(
        nothing(schema(&session)),
        [("sdk_app_id", number(id)), ("id", text(&id.to_string())), ("configured", Value::Bool(false))],
    );
    let answer = read(&session).await;
    assert_eq!((answer.diagnostics.as_slice(), decode(&session, &answer)), (&[][..], absent.clone()));

    let (url, command) = ("https://hooks.example.com/call", "Call.CallbackAfterEndCall");
    simulator.put_configuration(Service::Call, id, Configuration::new(url, [command]));
    let answer = read(&session).await;
    let present = [("configured", Value::Bool(true)), ("url", text(url)), ("callback_commands", set([command]))];
    assert_eq!((answer.diagnostics.as_slice(), decode(&session, &answer)), (&[][..], with(absent, present)));
}

#[tokio::test]
async fn a_failed_read_is_an_error() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let kind = FaultKind::ErrorCode { code: 60010, info: "made to fail".into() };
    simulator.inject(Fault::new(kind).on(Action::Get));
    let answer = read(&session).await;
    assert!(the_error(&answer.diagnostics).detail.contains("60010"), "{answer:?}");
    assert_eq!(answer.state, None);
}
