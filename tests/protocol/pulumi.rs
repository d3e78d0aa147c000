//! The calls of Pulumi's bridge to Terraform providers, which plans an object as often as it likes in one process, drops those
//! plans, and deletes without a plan and without private data.

use tencent_simulator::{Configuration, Service, Simulator};
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{apply_resource_change, plan_resource_change};

use crate::object::Stored;
use crate::session::{Session, number, summaries, text, the_error, with};

const APP: u64 = Simulator::SDK_APP_ID;
const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://hooks.example.com/other";

/// Starts a provider and configures it as the bridge does.
async fn session(simulator: &Simulator) -> Session {
    let session = Session::start().await;
    session.configure_by("1.0.0+pulumi-terraform-bridge", &session.provider_config(simulator)).await;
    session
}

/// Returns the configuration with the URL in `url_wo`.
fn hidden(session: &Session, url: &str) -> Value {
    let hidden = [("url", Value::Null), ("url_wo", text(url)), ("url_wo_version", number(1))];
    with(session.config(url), hidden)
}

async fn delete(session: &Session, object: &Stored) -> apply_resource_change::Response {
    let plan = plan_resource_change::Response { planned_state: session.encode(&Value::Null), ..Default::default() };
    object.apply(session, &Value::Null, &plan).await
}

fn url_at(simulator: &Simulator) -> Option<String> {
    simulator.configuration(Service::Call, APP).map(|configuration| configuration.url)
}

#[tokio::test]
async fn a_creation_that_was_previewed_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = session(&simulator).await;
    let (nothing, config) = (Stored::nothing(), session.config(URL));
    assert_eq!(nothing.plan(&session, &config).await.diagnostics, []);
    let planned = nothing.plan(&session, &config).await;
    assert_eq!(planned.diagnostics, []);
    assert_eq!(nothing.apply(&session, &config, &planned).await.diagnostics, []);
    assert_eq!(url_at(&simulator).as_deref(), Some(URL));
}

#[tokio::test]
async fn an_object_refreshed_and_planned_again_and_again_is_one_object() {
    let simulator = Simulator::start().expect("a simulator");
    let session = session(&simulator).await;
    let (old, new) = (session.config(URL), session.config(OTHER_URL));
    let object = Stored::created(&simulator, &old).await;
    // `pulumi up --refresh`: the preview, and then the update.
    for _ in ["preview", "update"] {
        let refreshed = object.read(&session).await;
        for config in [&old, &new, &new] {
            assert_eq!(refreshed.plan(&session, config).await.diagnostics, []);
        }
    }
    let refreshed = object.read(&session).await;
    let planned = refreshed.plan(&session, &new).await;
    assert_eq!(refreshed.apply(&session, &new, &planned).await.diagnostics, []);
    assert_eq!(url_at(&simulator).as_deref(), Some(OTHER_URL));
}

#[tokio::test]
async fn two_objects_of_one_application_do_not_overwrite_each_other() {
    let simulator = Simulator::start().expect("a simulator");
    let session = session(&simulator).await;
    let nothing = Stored::nothing();
    let (config, other) = (session.config(URL), session.config(OTHER_URL));
    let plans = [nothing.plan(&session, &config).await, nothing.plan(&session, &other).await];
    assert_eq!(nothing.apply(&session, &config, &plans[0]).await.diagnostics, []);
    let applied = nothing.apply(&session, &other, &plans[1]).await;
    assert!(the_error(&applied.diagnostics).summary.starts_with("Two resources"), "{:?}", applied.diagnostics);
    assert_eq!(url_at(&simulator).as_deref(), Some(URL));
}

#[tokio::test]
async fn what_can_be_compared_decides_about_a_deletion_without_private_data() {
    const CHANGED: &str = "The Call callback configuration of SDKAppID 1400000001 has changed since the plan";
    let commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];
    let simulator = Simulator::start().expect("a simulator");
    let session = session(&simulator).await;
    for (config, url, events, expected) in [
        (session.config(URL), URL, &commands[..], None),
        (session.config(URL), OTHER_URL, &commands, Some(CHANGED)),
        (session.config(URL), URL, &commands[..1], Some(CHANGED)),
        (hidden(&session, URL), URL, &commands, None),
        // The state has no URL to compare with.
        (hidden(&session, URL), OTHER_URL, &commands, None),
        (hidden(&session, URL), URL, &commands[..1], Some(CHANGED)),
    ] {
        simulator.remove_configuration(Service::Call, APP);
        let object = Stored { private: Vec::new(), ..Stored::created(&simulator, &config).await };
        simulator.put_configuration(Service::Call, APP, Configuration::new(url, events.iter().copied()));
        let deleted = delete(&session, &object).await;
        assert_eq!(summaries(&deleted.diagnostics), expected.as_slice(), "{url} {events:?}");
        assert_eq!(url_at(&simulator).as_deref(), expected.map(|_| url));
        assert_eq!(session.decode(&deleted.new_state).is_null(), expected.is_none());
    }
}
