//! The lifecycle of a resource: planned, applied, read, updated, destroyed; with errors on the way, and with Ctrl-C.

use tencent_simulator::{Action, App, Configuration, Fault, FaultKind, Outcome, Service, Simulator};
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::{self, ResourceIdentityData};
use terraform_provider_tencent::terraform::{Type, Value, codec};

use crate::data_source;
use crate::host::within;
use crate::session::{RESOURCE, Session, arrived, encode, number, set, text, the_error, with};

pub(crate) const APP: u64 = Simulator::SDK_APP_ID;
const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://hooks.example.com/other";

fn simulator() -> Simulator {
    Simulator::start().expect("a simulator")
}

fn configured(simulator: &Simulator) -> Option<Configuration> {
    simulator.configuration(Service::Call, APP)
}

fn put(simulator: &Simulator, url: &str) {
    let commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];
    simulator.put_configuration(Service::Call, APP, Configuration::new(url, commands));
}

fn fail(simulator: &Simulator, action: Action) {
    // "Not an administrator", which is permanent.
    let kind = FaultKind::ErrorCode { code: 60010, info: "made to fail".into() };
    simulator.inject(Fault::new(kind).on(action));
}

fn identity_type() -> Type {
    Type::object([("sdk_app_id", Type::Number)])
}

fn identity(id: Value) -> Option<ResourceIdentityData> {
    let value = Value::Object([("sdk_app_id".to_owned(), id)].into());
    Some(ResourceIdentityData { identity_data: Some(encode(&value, &identity_type())) })
}

/// Returns the SDKAppID in an identity.
pub(crate) fn identified(identity: &Option<ResourceIdentityData>) -> Value {
    let data = identity.as_ref().expect("an identity").identity_data.as_ref();
    codec::decode(data, &identity_type()).expect("an identity").attribute("sdk_app_id").clone()
}

#[tokio::test]
async fn a_resource_is_created_read_updated_and_destroyed() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;

    // Create: only last_request_id is not known before.
    let config = session.config(URL);
    let plan = session.plan(&Value::Null, &config).await;
    assert_eq!(plan.diagnostics, []);
    let planned = session.decode(&plan.planned_state);
    assert_eq!(planned, with(session.state(URL), [("last_request_id", Value::Unknown)]));
    assert_eq!(configured(&simulator), None, "a plan changes nothing");
    let applied = session.apply(&Value::Null, &planned).await;
    assert_eq!(applied.diagnostics, []);
    let created = session.decode(&applied.new_state);
    let request_id = created.attribute("last_request_id").clone();
    assert!(matches!(&request_id, Value::String(id) if !id.is_empty()), "{request_id:?}");
    assert_eq!(created, with(planned, [("last_request_id", request_id)]), "applied as planned");
    assert_eq!(identified(&applied.new_identity), number(APP));
    let stored = configured(&simulator).expect("a configuration");
    assert_eq!(stored.url, URL);
    assert_eq!(set(stored.callback_commands.iter().map(String::as_str)), *created.attribute("callback_commands"));

    // Read: no change. Plan again: nothing to do.
    let read = session.read(&created).await;
    assert_eq!((read.diagnostics.as_slice(), session.decode(&read.new_state)), (&[][..], created.clone()));
    assert_eq!(identified(&read.new_identity), number(APP));
    let plan = session.plan(&created, &config).await;
    assert_eq!((plan.diagnostics.as_slice(), session.decode(&plan.planned_state)), (&[][..], created.clone()));

    // Update in place, in another run: Terraform configures the provider again for each.
    session.configure(&session.provider_config(&simulator)).await;
    let plan = session.plan(&created, &session.config(OTHER_URL)).await;
    assert_eq!((plan.diagnostics.as_slice(), plan.requires_replace.as_slice()), (&[][..], &[][..]));
    let planned = session.decode(&plan.planned_state);
    assert_eq!(planned.attribute("last_request_id"), &Value::Unknown);
    let applied = session.apply(&created, &planned).await;
    assert_eq!(applied.diagnostics, []);
    let changed = session.decode(&applied.new_state);
    assert_eq!(changed.attribute("url"), &text(OTHER_URL));
    assert!(changed.is_wholly_known());
    assert_eq!(configured(&simulator).expect("a configuration").url, OTHER_URL);

    // Destroy, in another run.
    session.configure(&session.provider_config(&simulator)).await;
    let plan = session.plan(&changed, &Value::Null).await;
    assert_eq!((plan.diagnostics.as_slice(), session.decode(&plan.planned_state)), (&[][..], Value::Null));
    let applied = session.apply(&changed, &Value::Null).await;
    assert_eq!((applied.diagnostics.as_slice(), session.decode(&applied.new_state)), (&[][..], Value::Null));
    assert_eq!(configured(&simulator), None);
}

#[tokio::test]
async fn a_read_finds_changes_made_elsewhere() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    let state = session.state(URL);
    put(&simulator, OTHER_URL);
    let read = session.read(&state).await;
    assert_eq!(read.diagnostics, []);
    assert_eq!(session.decode(&read.new_state), with(state.clone(), [("url", text(OTHER_URL))]));

    simulator.remove_configuration(Service::Call, APP);
    let read = session.read(&state).await;
    assert_eq!((read.diagnostics.as_slice(), session.decode(&read.new_state)), (&[][..], Value::Null), "gone");
}

#[tokio::test]
async fn another_sdk_app_id_replaces_the_resource() {
    let simulator = simulator();
    simulator.add_app(App::new(APP + 1, "another-key"));
    let session = Session::on(&simulator).await;
    let config = with(session.config(URL), [("sdk_app_id", number(APP + 1))]);
    let entry = ["user_sig", "identifier", "region", "endpoint"].map(|name| (name.to_owned(), Value::Null));
    let entry = entry.into_iter().chain([("secret_key".to_owned(), text("another-key"))]).collect();
    let apps = Value::Object([((APP + 1).to_string(), Value::Object(entry))].into());
    session.configure(&with(session.provider_config(&simulator), [("apps", apps)])).await;
    let plan = session.plan(&session.state(URL), &config).await;
    let paths: Vec<_> = plan.requires_replace.iter().map(|path| path.steps.len()).collect();
    assert_eq!(paths, [1], "{plan:?}");
    assert_eq!(identified(&plan.planned_identity), number(APP + 1));
}

#[tokio::test]
async fn private_data_survives_a_failed_apply() {
    let simulator = simulator();
    fail(&simulator, Action::Set);
    let session = Session::on(&simulator).await;
    // Private data of any content.
    let private = b"\xff of another version".to_vec();
    let request = proto::apply_resource_change::Request {
        type_name: RESOURCE.into(),
        prior_state: session.encode(&session.state(URL)),
        planned_state: session.encode(&session.state(OTHER_URL)),
        planned_private: private.clone(),
        ..Default::default()
    };
    let answer = session.provider().apply_resource_change(request).await.expect("an answer").into_inner();
    the_error(&answer.diagnostics);
    assert_eq!(answer.private, private);

    put(&simulator, URL);
    let request = proto::read_resource::Request { private, ..session.read_request(&session.state(URL)) };
    let answer = session.provider().read_resource(request).await.expect("an answer").into_inner();
    assert_eq!((answer.diagnostics.as_slice(), session.decode(&answer.new_state)), (&[][..], session.state(URL)));
}

#[tokio::test]
async fn a_failed_apply_keeps_the_state() {
    let simulator = simulator();
    let mut session = Session::on(&simulator).await;
    let prior = session.state(URL);
    fail(&simulator, Action::Set);
    fail(&simulator, Action::Delete);
    let planned = with(session.state(OTHER_URL), [("last_request_id", Value::Unknown)]);
    for (what, prior, planned) in
        [("create", &Value::Null, &planned), ("update", &prior, &planned), ("delete", &prior, &Value::Null)]
    {
        if !prior.is_null() {
            put(&simulator, URL);
        }
        // Each run of its own: after a failed write, a run deletes nothing.
        session.configure(&session.provider_config(&simulator)).await;
        let applied = session.apply(prior, planned).await;
        let error = the_error(&applied.diagnostics);
        assert!(error.detail.contains("60010") && error.detail.contains("made to fail"), "{what}: {error:#?}");
        assert_eq!(session.decode(&applied.new_state), *prior, "{what}");
        assert_eq!(configured(&simulator).is_some(), !prior.is_null(), "{what}");
        // A process deletes nothing after a failed write.
        session = Session::on(&simulator).await;
    }
}

#[tokio::test]
async fn a_failed_read_is_an_error() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    fail(&simulator, Action::Get);
    let read = session.read(&session.state(URL)).await;
    assert!(the_error(&read.diagnostics).detail.contains("60010"), "{:?}", read.diagnostics);
    assert_eq!(read.new_state, None, "an error is not an object that is gone");
}

#[tokio::test]
async fn a_plan_that_overwrites_is_a_warning() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    put(&simulator, OTHER_URL);
    let config = with(session.config(URL), [("overwrite_existing", Value::Bool(true))]);
    let plan = session.plan(&Value::Null, &config).await;
    let [warning] = &plan.diagnostics[..] else { panic!("{:?}", plan.diagnostics) };
    assert_eq!(warning.severity(), Severity::Warning);
    assert!(warning.detail.contains(OTHER_URL), "{warning:?}");
    assert!(plan.planned_state.is_some(), "and is a plan all the same");
}

#[tokio::test]
async fn a_configuration_is_imported_by_id_and_by_identity() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    put(&simulator, URL);
    for (id, identity) in [(APP.to_string(), None), (String::new(), identity(number(APP)))] {
        let request = proto::import_resource_state::Request {
            type_name: RESOURCE.into(),
            id,
            identity,
            client_capabilities: None,
        };
        let answer = session.provider().import_resource_state(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
        let [imported] = &answer.imported_resources[..] else { panic!("{answer:?}") };
        assert_eq!(imported.type_name, RESOURCE);
        assert_eq!(identified(&imported.identity), number(APP));
        let expected = with(session.state(URL), [("last_request_id", Value::Null)]);
        assert_eq!(session.decode(&imported.state), expected);
    }
}

#[tokio::test]
async fn an_imported_url_that_may_contain_a_secret_is_announced_without_it() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    put(&simulator, &format!("{URL}?key=s3cret"));
    let request =
        proto::import_resource_state::Request { type_name: RESOURCE.into(), id: APP.to_string(), ..Default::default() };
    let answer = session.provider().import_resource_state(request).await.expect("an answer").into_inner();
    let [warning] = &answer.diagnostics[..] else { panic!("{answer:?}") };
    assert_eq!(
        (warning.severity(), warning.summary.as_str()),
        (Severity::Warning, "An imported callback URL may contain a secret")
    );
    assert!(warning.detail.contains(&format!("{URL}?key=*** is the Call callback URL")), "{warning:?}");
    assert!(warning.detail.contains("url_wo"), "{warning:?}");
}

#[tokio::test]
async fn a_generated_configuration_plans_no_changes_and_sets_no_defaults() {
    let simulator = simulator();
    let mut session = Session::on(&simulator).await;
    let left_out = ["id", "last_request_id", "overwrite_existing", "deletion_policy"].map(|name| (name, Value::Null));
    let kept = with(session.state(URL), [("deletion_policy", text("ABANDON"))]);
    for (state, expected) in [
        (session.state(URL), with(session.state(URL), left_out.clone())),
        (kept.clone(), with(with(kept, left_out), [("deletion_policy", text("ABANDON"))])),
    ] {
        let request =
            proto::generate_resource_config::Request { type_name: RESOURCE.into(), state: session.encode(&state) };
        let answer = session.provider().generate_resource_config(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
        let config = session.decode(&answer.config);
        assert_eq!(config, expected);
        let planned = session.plan(&state, &config).await;
        assert_eq!((planned.diagnostics.as_slice(), session.decode(&planned.planned_state)), (&[][..], state));
        // One process takes two plans without private data for two objects.
        session = Session::on(&simulator).await;
    }
    let request = proto::generate_resource_config::Request { type_name: "tencent_nothing".into(), state: None };
    let answer = session.provider().generate_resource_config(request).await.expect("an answer").into_inner();
    assert_eq!(the_error(&answer.diagnostics).summary, "Unknown resource type");
}

#[tokio::test]
async fn an_impossible_import_is_an_error() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    for (id, identity, expected) in [
        ("callback", None, "\"callback\""),
        ("", None, "SDKAppID"),
        ("1400000001", None, "nothing to import"),
        ("", identity(number(0)), "0 is not an SDKAppID"),
        ("", identity(number(APP)), "nothing to import"),
        ("", identity(Value::Null), "does not fall back"),
        ("", Some(ResourceIdentityData { identity_data: None }), ""),
    ] {
        let request = proto::import_resource_state::Request {
            type_name: RESOURCE.into(),
            id: id.into(),
            identity,
            client_capabilities: None,
        };
        let answer = session.provider().import_resource_state(request).await.expect("an answer").into_inner();
        assert!(the_error(&answer.diagnostics).detail.contains(expected), "{expected:?}: {:?}", answer.diagnostics);
        assert_eq!(answer.imported_resources, []);
    }
}

#[tokio::test]
async fn a_hanging_request_does_not_block_others() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    put(&simulator, URL);
    simulator.inject(Fault::new(FaultKind::NoAnswer).times(1));
    let (mut provider, request) = (session.provider(), session.read_request(&session.state(URL)));
    let hanging = tokio::spawn(async move { provider.read_resource(request).await });
    arrived(&simulator, |requests| !requests.is_empty()).await;
    for _ in 0..20 {
        assert_eq!(data_source::read(&session).await.diagnostics, []);
    }
    assert!(!hanging.is_finished());
}

#[tokio::test]
async fn stopping_ends_operations_in_flight() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    let brief = with(session.provider_config(&simulator), [("request_timeout", text("1s"))]);
    session.configure(&brief).await;
    put(&simulator, URL);
    // The check right before the write is answered.
    simulator.inject(Fault::new(FaultKind::NoAnswer).on(Action::Set));
    simulator.inject(Fault::new(FaultKind::NoAnswer).on(Action::Get).skip(1));
    let state = session.state(URL);
    let planned = with(session.state(OTHER_URL), [("last_request_id", Value::Unknown)]);
    let writing = |requests: &[tencent_simulator::Request]| requests.iter().any(|r| r.action == Some(Action::Set));
    let reading = |requests: &[tencent_simulator::Request]| {
        requests.iter().any(|r| r.outcome == Outcome::Fault("NoAnswer") && r.action == Some(Action::Get))
    };
    let (read, applied, ()) = within("the end of what was stopped", async {
        let read = async {
            arrived(&simulator, writing).await;
            session.read(&state).await
        };
        tokio::join!(read, session.apply(&state, &planned), async {
            arrived(&simulator, reading).await;
            let stopped = session.provider().stop_provider(proto::stop_provider::Request {}).await;
            assert_eq!(stopped.expect("an answer").into_inner().error, "");
        })
    })
    .await;
    the_error(&read.diagnostics);
    assert_eq!(read.new_state, None);
    the_error(&applied.diagnostics);
    assert_eq!(session.decode(&applied.new_state), state, "what held before is kept");

    // A debugged process then serves another run.
    simulator.clear_faults();
    put(&simulator, URL);
    session.configure(&session.provider_config(&simulator)).await;
    assert_eq!(session.read(&state).await.diagnostics, []);
}

#[tokio::test]
async fn url_wo_goes_to_tencent_and_nowhere_else() {
    let simulator = simulator();
    let session = Session::on(&simulator).await;
    let secret = |url: &str, version: u64| {
        let wo = [("url", Value::Null), ("url_wo", text(url)), ("url_wo_version", number(version))];
        with(session.config(url), wo)
    };
    let kept = |value: &Value| with(value.clone(), [("url_wo", Value::Null)]);

    // A host may or may not propose url_wo; the planned state never holds it.
    let config = secret(URL, 1);
    let plan = session.plan(&Value::Null, &config).await;
    assert_eq!(plan.diagnostics, []);
    let planned = session.decode(&plan.planned_state);
    assert_eq!(planned, kept(&planned));
    let apply = async |prior: &Value, planned: &Value, config: &Value, private: Vec<u8>| {
        let request = proto::apply_resource_change::Request {
            type_name: RESOURCE.into(),
            prior_state: session.encode(prior),
            planned_state: session.encode(planned),
            config: session.encode(config),
            planned_private: private,
            ..Default::default()
        };
        session.provider().apply_resource_change(request).await.expect("an answer").into_inner()
    };
    let applied = apply(&Value::Null, &planned, &config, plan.planned_private).await;
    assert_eq!(applied.diagnostics, []);
    let created = session.decode(&applied.new_state);
    assert_eq!(created, with(kept(&planned), [("last_request_id", created.attribute("last_request_id").clone())]));
    assert_eq!(configured(&simulator).expect("a configuration").url, URL);
    let private = String::from_utf8(applied.private.clone()).expect("JSON");
    assert!(!private.contains("hooks.example.com"), "{private}");

    // Reading it again shows no difference. Another URL shows one, without the URL.
    let read = async |private: &[u8]| {
        let request = proto::read_resource::Request { private: private.into(), ..session.read_request(&created) };
        session.provider().read_resource(request).await.expect("an answer").into_inner()
    };
    let same = read(&applied.private).await;
    assert_eq!((same.diagnostics.as_slice(), session.decode(&same.new_state)), (&[][..], created.clone()));
    put(&simulator, OTHER_URL);
    for private in [&applied.private[..], b"", b"\xff of another version"] {
        let other = read(private).await;
        let [warning] = &other.diagnostics[..] else { panic!("{:?}", other.diagnostics) };
        assert!(warning.detail.contains("https://hooks.example.com/***"), "{warning:?}");
        assert_eq!(session.decode(&other.new_state), with(created.clone(), [("url_wo_version", Value::Null)]));
    }
}
