//! A plan made once more to be applied, with the private data of the plan that a person has seen (Terraform 1.16).

use tencent_simulator::{App, Configuration, Service, Simulator};
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::ClientCapabilities;
use terraform_provider_tencent::terraform::proto::plan_resource_change::{Request, Response};

use crate::session::{Session, blamed, number, summaries, text, with};

const APP: u64 = Simulator::SDK_APP_ID;
const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://hooks.example.com/other";

const OVERWRITES: &str = "This plan overwrites the existing Call callback configuration of SDKAppID 1400000001";
const HAS_CHANGED: &str = "The Call callback configuration of SDKAppID 1400000001 has changed since the plan";
const WAS_DELETED: &str = "The Call callback configuration of SDKAppID 1400000001 has been deleted since the plan";
const EXISTS: &str = "SDKAppID 1400000001 already has a Call callback configuration";
const AS_PLANNED: &str = "The Call callback configuration of SDKAppID 1400000001 already exists as planned";
const OTHER_PROVIDER: &str = "The provider's configuration has changed since the plan";

/// Plans a creation, with the private data of an earlier plan if there is any.
async fn plan(session: &Session, config: &Value, first: Option<&Response>) -> Response {
    let request = Request {
        client_capabilities: Some(ClientCapabilities { store_planned_private: true, ..Default::default() }),
        planned_private: first.map(|first| first.planned_private.clone()).unwrap_or_default(),
        ..session.plan_request(&Value::Null, config)
    };
    session.provider().plan_resource_change(request).await.expect("a plan").into_inner()
}

fn overwriting(session: &Session) -> Value {
    with(session.config(URL), [("overwrite_existing", Value::Bool(true))])
}

/// Sets the configuration at Tencent, or removes it.
fn put(simulator: &Simulator, url: Option<&str>) {
    simulator.remove_configuration(Service::Call, APP);
    let commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];
    url.iter().for_each(|url| simulator.put_configuration(Service::Call, APP, Configuration::new(*url, commands)));
}

#[tokio::test]
async fn an_apply_says_only_what_the_plan_has_not_said() {
    let nothing: &[&str] = &[];
    // Each with the URL at the plan and at the apply, and the summaries of both, and of an apply on an older host.
    let cases: [(_, _, &[&str], &[&str], &[&str]); 7] = [
        (Some(OTHER_URL), Some(OTHER_URL), &[OVERWRITES], nothing, &[OVERWRITES]),
        (Some(OTHER_URL), Some("https://a.example.com"), &[OVERWRITES], &[HAS_CHANGED], &[OVERWRITES]),
        (Some(OTHER_URL), None, &[OVERWRITES], &[WAS_DELETED], nothing),
        (None, Some(OTHER_URL), nothing, &[HAS_CHANGED], &[OVERWRITES]),
        (None, None, nothing, nothing, nothing),
        (Some(URL), Some(URL), &[AS_PLANNED], nothing, &[AS_PLANNED]),
        (None, Some(URL), nothing, &[AS_PLANNED], &[AS_PLANNED]),
    ];
    let simulator = Simulator::start().expect("a simulator");
    for (before, after, planned, applied, older) in cases {
        put(&simulator, before);
        let session = Session::on(&simulator).await;
        let first = plan(&session, &overwriting(&session), None).await;
        assert_eq!(summaries(&first.diagnostics), planned, "{before:?}");
        put(&simulator, after);
        for (first, expected) in [(Some(&first), applied), (None, older)] {
            let session = Session::on(&simulator).await;
            let second = plan(&session, &overwriting(&session), first).await;
            assert_eq!(summaries(&second.diagnostics), expected, "{before:?}, then {after:?}");
        }
    }
}

#[tokio::test]
async fn a_guarded_creation_is_refused_if_something_was_created_since_the_plan() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let first = plan(&session, &session.config(URL), None).await;
    assert_eq!(first.diagnostics, []);
    put(&simulator, Some(OTHER_URL));
    let session = Session::on(&simulator).await;
    let second = plan(&session, &session.config(URL), Some(&first)).await;
    assert_eq!(summaries(&second.diagnostics), [EXISTS]);
}

#[tokio::test]
async fn a_creation_is_bound_to_the_endpoint_and_the_default_application_of_its_plan() {
    let (simulator, elsewhere) = (Simulator::start().expect("a simulator"), Simulator::start().expect("another"));
    for simulator in [&simulator, &elsewhere] {
        simulator.add_app(App::new(APP + 1, Simulator::SECRET_KEY));
    }
    let session = Session::on(&simulator).await;
    let first = plan(&session, &session.config(URL), None).await;
    assert_eq!(first.diagnostics, []);

    let other_endpoint = session.provider_config(&elsewhere);
    let other_application = with(session.provider_config(&simulator), [("sdk_app_id", number(APP + 1))]);
    for (provider, argument) in [(other_endpoint, None), (other_application, Some("sdk_app_id"))] {
        let session = Session::on(&simulator).await;
        session.configure(&provider).await;
        let refused = plan(&session, &session.config(URL), Some(&first)).await;
        assert_eq!(summaries(&refused.diagnostics), [OTHER_PROVIDER]);
        assert_eq!(blamed(&refused.diagnostics[0]), argument);
        let unbound = plan(&session, &session.config(URL), None).await;
        assert_eq!(unbound.diagnostics, [], "a host that hands nothing back");
    }
}

#[tokio::test]
async fn an_object_whose_application_becomes_known_leaves_that_of_another_resource_alone() {
    let simulator = Simulator::start().expect("a simulator");
    put(&simulator, Some(OTHER_URL));
    let session = Session::on(&simulator).await;
    let managed = session.read(&session.state(OTHER_URL)).await;
    let managed = session.decode(&managed.new_state);
    let unchanged = with(session.config(OTHER_URL), [("sdk_app_id", number(APP))]);
    assert_eq!(session.plan(&managed, &unchanged).await.diagnostics, []);
    let unknown = with(overwriting(&session), [("sdk_app_id", Value::Unknown)]);
    let first = plan(&session, &unknown, None).await;

    // The apply does not plan what does not change.
    let session = Session::on(&simulator).await;
    let known = with(unknown, [("sdk_app_id", number(APP))]);
    let second = plan(&session, &known, Some(&first)).await;
    assert_eq!(
        summaries(&second.diagnostics),
        ["Two resources for the Call callback configuration of SDKAppID 1400000001"]
    );
    let same = with(known, [("url", text(OTHER_URL))]);
    assert_eq!(summaries(&plan(&session, &same, Some(&first)).await.diagnostics), [AS_PLANNED]);
}
