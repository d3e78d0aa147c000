//! An object that is planned, read and planned again in one process: `-minimal-refresh` of Terraform 1.17.

use tencent_simulator::{Service, Simulator};
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{self, apply_resource_change, plan_resource_change};

use crate::session::{RESOURCE, Session, summaries, with};

const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://hooks.example.com/other";

/// An object in a state, with its private data.
struct Stored {
    value: Value,
    private: Vec<u8>,
}

async fn plan(session: &Session, prior: &Stored, config: &Value) -> plan_resource_change::Response {
    let request = plan_resource_change::Request {
        prior_private: prior.private.clone(),
        ..session.plan_request(&prior.value, config)
    };
    session.provider().plan_resource_change(request).await.expect("a plan").into_inner()
}

async fn apply(
    session: &Session,
    prior: &Stored,
    config: &Value,
    plan: &plan_resource_change::Response,
) -> apply_resource_change::Response {
    let request = apply_resource_change::Request {
        type_name: RESOURCE.into(),
        prior_state: session.encode(&prior.value),
        planned_state: plan.planned_state.clone(),
        config: session.encode(config),
        planned_private: plan.planned_private.clone(),
        ..Default::default()
    };
    session.provider().apply_resource_change(request).await.expect("an answer").into_inner()
}

async fn read(session: &Session, object: &Stored) -> Stored {
    let request =
        proto::read_resource::Request { private: object.private.clone(), ..session.read_request(&object.value) };
    let read = session.provider().read_resource(request).await.expect("an answer").into_inner();
    Stored { value: session.decode(&read.new_state), private: read.private }
}

fn nothing() -> Stored {
    Stored { value: Value::Null, private: Vec::new() }
}

/// Creates the configuration of `config`.
async fn created(simulator: &Simulator, config: &Value) -> Stored {
    let session = Session::on(simulator).await;
    let planned = plan(&session, &nothing(), config).await;
    let applied = apply(&session, &nothing(), config, &planned).await;
    Stored { value: session.decode(&applied.new_state), private: applied.private }
}

#[tokio::test]
async fn an_object_planned_before_and_after_it_is_read_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let object = created(&simulator, &session.config(URL)).await;
    let changed = session.config(OTHER_URL);
    let first = plan(&session, &object, &changed).await;
    let object = read(&session, &object).await;
    let second = plan(&session, &object, &changed).await;
    assert_eq!((first.diagnostics.as_slice(), second.diagnostics.as_slice()), (&[][..], &[][..]));
    assert_eq!(session.decode(&first.planned_state), session.decode(&second.planned_state));

    let session = Session::on(&simulator).await;
    let applied = apply(&session, &object, &changed, &second).await;
    assert_eq!(applied.diagnostics, []);
    let object = Stored { value: session.decode(&applied.new_state), private: applied.private };

    // Objects that go are not read at all.
    let session = Session::on(&simulator).await;
    let destroyed = plan(&session, &object, &Value::Null).await;
    assert_eq!(destroyed.diagnostics, []);
    let applied = apply(&session, &object, &Value::Null, &destroyed).await;
    assert_eq!((applied.diagnostics.as_slice(), session.decode(&applied.new_state)), (&[][..], Value::Null));
    assert_eq!(simulator.configuration(Service::Call, Simulator::SDK_APP_ID), None);
}

#[tokio::test]
async fn a_tainted_object_planned_before_and_after_it_is_read_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let config = with(session.config(URL), [("overwrite_existing", Value::Bool(true))]);
    let object = created(&simulator, &config).await;
    // Terraform plans a tainted object as if it were new. It drops what the first plan says.
    plan(&session, &nothing(), &config).await;
    read(&session, &object).await;
    let second = plan(&session, &nothing(), &config).await;
    assert_eq!(summaries(&second.diagnostics), [""; 0]);
}
