//! The token of Live's callbacks: what a host gets to see of it, and the outcome of an interrupted write.

use std::time::Duration;

use tencent_simulator::{Action, Fault, FaultKind, Simulator, Token};
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::{self, DynamicValue};
use terraform_provider_tencent::terraform::{Value, codec};

use crate::session::{Session, arrived, blamed, encode, host, nothing, number, text, the_error, type_of, with};

const RESOURCE: &str = "tencent_live_callback_token";
const APP: u64 = Simulator::SDK_APP_ID;
const TOKEN: &str = "tok3n-first";
const OTHER: &str = "tok3n-other";
/// The common prefix of both tokens.
const SECRET: &str = "tok3n";

fn dynamic(session: &Session, value: &Value) -> Option<DynamicValue> {
    Some(encode(value, &type_of(session.schema_of(RESOURCE))))
}

fn decoded(session: &Session, value: &Option<DynamicValue>) -> Value {
    let ty = type_of(session.schema_of(RESOURCE));
    codec::decode(value.as_ref(), &ty).expect("a value of the resource's type")
}

/// Returns the object as an apply leaves it, without its token.
fn object(session: &Session) -> Value {
    with(
        nothing(session.schema_of(RESOURCE)),
        [
            ("sdk_app_id", number(APP)),
            ("id", text(&APP.to_string())),
            ("enabled", Value::Bool(true)),
            ("overwrite_existing", Value::Bool(false)),
            ("deletion_policy", text("DELETE")),
            ("last_request_id", text("Id-1")),
        ],
    )
}

async fn apply(
    session: &Session,
    prior: &Value,
    planned: &Value,
    config: &Value,
) -> proto::apply_resource_change::Response {
    let request = proto::apply_resource_change::Request {
        type_name: RESOURCE.into(),
        prior_state: dynamic(session, prior),
        planned_state: dynamic(session, planned),
        config: dynamic(session, config),
        ..Default::default()
    };
    session.provider().apply_resource_change(request).await.expect("an answer").into_inner()
}

#[tokio::test]
async fn token_wo_goes_to_tencent_and_nowhere_else() {
    let simulator = Simulator::start().expect("a simulator");
    let mut session = Session::start_by(&host().env("TF_LOG", "TRACE")).await;
    session.configure(&session.provider_config(&simulator)).await;
    let wo = [("token_wo", text(TOKEN)), ("token_wo_version", number(1))];
    let config = with(nothing(session.schema_of(RESOURCE)), wo.clone());
    let proposed = with(object(&session), wo);
    let request = proto::plan_resource_change::Request {
        type_name: RESOURCE.into(),
        prior_state: dynamic(&session, &Value::Null),
        proposed_new_state: dynamic(&session, &with(proposed, [("last_request_id", Value::Unknown)])),
        config: dynamic(&session, &config),
        ..Default::default()
    };
    let plan = session.provider().plan_resource_change(request).await.expect("a plan").into_inner();
    assert_eq!(plan.diagnostics, []);
    let planned = decoded(&session, &plan.planned_state);
    let applied = apply(&session, &Value::Null, &planned, &config).await;
    assert_eq!(applied.diagnostics, []);
    assert_eq!(simulator.token(APP), Some(Token::new(TOKEN, true)));
    let created = decoded(&session, &applied.new_state);
    for shown in [format!("{planned:?}"), format!("{created:?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    for private in [plan.planned_private, applied.private.clone()] {
        assert!(!String::from_utf8(private.clone()).expect("JSON").contains(SECRET), "{private:?}");
    }

    // Reading it again shows no difference. Another token shows one, without the token.
    for (token, version, warnings) in [(TOKEN, number(1), 0), (OTHER, Value::Null, 1)] {
        simulator.put_token(APP, Token::new(token, true));
        let request = proto::read_resource::Request {
            type_name: RESOURCE.into(),
            current_state: dynamic(&session, &created),
            private: applied.private.clone(),
            ..Default::default()
        };
        let read = session.provider().read_resource(request).await.expect("an answer").into_inner();
        assert_eq!(read.diagnostics.len(), warnings, "{:?}", read.diagnostics);
        let state = decoded(&session, &read.new_state);
        assert_eq!(state, with(created.clone(), [("token_wo_version", version)]));
        let private = String::from_utf8(read.private.clone()).expect("JSON");
        assert!(!format!("{:?} {private}", read.diagnostics).contains(SECRET), "{private}");
    }
    let ended = session.plugin.shut_down().await;
    assert!(ended.stderr.contains("set_callback_token") && !ended.stderr.contains(SECRET), "{}", ended.stderr);
}

#[tokio::test]
async fn an_interrupted_token_write_reports_what_tencent_holds() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::start().await;
    let brief = with(session.provider_config(&simulator), [("request_timeout", text("1s"))]);
    let prior = with(object(&session), [("token", text(TOKEN))]);
    let planned = with(prior.clone(), [("token", text(OTHER)), ("last_request_id", Value::Unknown)]);
    // A write and a deletion, each without an answer: not processed, and processed.
    let late = || FaultKind::Delay(Duration::from_secs(30));
    for (fault, action, planned, holds) in [
        (FaultKind::NoAnswer, Action::SetToken, &planned, false),
        (late(), Action::SetToken, &planned, true),
        (FaultKind::NoAnswer, Action::DeleteToken, &Value::Null, false),
        (late(), Action::DeleteToken, &Value::Null, true),
    ] {
        session.configure(&brief).await;
        simulator.put_token(APP, Token::new(TOKEN, true));
        simulator.clear_requests();
        simulator.clear_faults();
        simulator.inject(Fault::new(fault).on(action));
        let stop = async {
            arrived(&simulator, |requests| requests.iter().any(|request| request.action == Some(action))).await;
            session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
        };
        let (applied, ()) = tokio::join!(apply(&session, &prior, planned, planned), stop);
        let [diagnostic] = &applied.diagnostics[..] else { panic!("{:?}", applied.diagnostics) };
        assert!(!format!("{diagnostic:?}").contains(SECRET), "{diagnostic:?}");
        let state = decoded(&session, &applied.new_state);
        match holds {
            true => {
                assert_eq!(diagnostic.severity(), Severity::Warning, "{diagnostic:?}");
                assert!(diagnostic.summary.ends_with(", unconfirmed"), "{diagnostic:?}");
                let left = if planned.is_null() { Value::Null } else { text(OTHER) };
                assert_eq!(*state.attribute("token"), left);
            }
            false => {
                assert_eq!(diagnostic.severity(), Severity::Error, "{diagnostic:?}");
                assert!(diagnostic.detail.contains("As far as reading it back shows, it was not"), "{diagnostic:?}");
                assert_eq!(state, prior);
            }
        }
    }
}

#[tokio::test]
async fn a_terraform_that_would_store_token_wo_is_refused() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let config = with(nothing(session.schema_of(RESOURCE)), [("token_wo", text(TOKEN))]);
    let request = proto::validate_resource_config::Request {
        type_name: RESOURCE.into(),
        config: dynamic(&session, &config),
        client_capabilities: None,
    };
    let answer = session.provider().validate_resource_config(request).await.expect("an answer").into_inner();
    let error = the_error(&answer.diagnostics);
    assert_eq!(blamed(error), Some("token_wo"));
    assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
}
