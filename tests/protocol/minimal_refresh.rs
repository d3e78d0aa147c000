//! An object that is planned, read and planned again in one process: `-minimal-refresh` of Terraform 1.17.

use tencent_simulator::{Service, Simulator};
use terraform_provider_tencent::terraform::Value;

use crate::object::Stored;
use crate::session::{Session, summaries, with};

const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://hooks.example.com/other";

#[tokio::test]
async fn an_object_planned_before_and_after_it_is_read_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let object = Stored::created(&simulator, &session.config(URL)).await;
    let changed = session.config(OTHER_URL);
    let first = object.plan(&session, &changed).await;
    let object = object.read(&session).await;
    let second = object.plan(&session, &changed).await;
    assert_eq!((first.diagnostics.as_slice(), second.diagnostics.as_slice()), (&[][..], &[][..]));
    assert_eq!(session.decode(&first.planned_state), session.decode(&second.planned_state));

    let session = Session::on(&simulator).await;
    let applied = object.apply(&session, &changed, &second).await;
    assert_eq!(applied.diagnostics, []);
    let object = Stored::applied(&session, &applied);

    // Objects that go are not read at all.
    let session = Session::on(&simulator).await;
    let destroyed = object.plan(&session, &Value::Null).await;
    assert_eq!(destroyed.diagnostics, []);
    let applied = object.apply(&session, &Value::Null, &destroyed).await;
    assert_eq!((applied.diagnostics.as_slice(), session.decode(&applied.new_state)), (&[][..], Value::Null));
    assert_eq!(simulator.configuration(Service::Call, Simulator::SDK_APP_ID), None);
}

#[tokio::test]
async fn a_tainted_object_planned_before_and_after_it_is_read_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let config = with(session.config(URL), [("overwrite_existing", Value::Bool(true))]);
    let object = Stored::created(&simulator, &config).await;
    // Terraform plans a tainted object as if it were new. It drops what the first plan says.
    Stored::nothing().plan(&session, &config).await;
    object.read(&session).await;
    let second = Stored::nothing().plan(&session, &config).await;
    assert_eq!(summaries(&second.diagnostics), [""; 0]);
}
