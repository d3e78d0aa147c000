//! A provider whose configuration is not known yet: it cannot call Tencent.

use tencent_simulator::Simulator;
use terraform_provider_tencent::terraform::proto::deferred::Reason;
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::{self, ClientCapabilities, Deferred};
use terraform_provider_tencent::terraform::{Value, codec};

use crate::resource::{APP, identified};
use crate::session::{DEFERRAL, RESOURCE, Session, encode, nothing, number, the_error, type_of, with};

const URL: &str = "https://hooks.example.com/call";

/// The deferral that a client gets if it understands deferral.
const DEFERRED: Option<Deferred> = Some(Deferred { reason: Reason::ProviderConfigUnknown as i32 });

/// Clients with and without deferral, and the deferral each gets.
const CLIENTS: [(Option<ClientCapabilities>, Option<Deferred>); 2] = [(DEFERRAL, DEFERRED), (None, None)];

async fn start() -> (Simulator, Session) {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on_unknown(&simulator).await;
    (simulator, session)
}

#[tokio::test]
async fn an_unknown_provider_plans_without_calling_tencent() {
    for (client_capabilities, deferred) in CLIENTS {
        let (simulator, session) = start().await;
        let config = session.config(URL);
        let request = proto::plan_resource_change::Request {
            type_name: RESOURCE.into(),
            prior_state: session.encode(&Value::Null),
            proposed_new_state: session.encode(&session.proposed(&Value::Null, &config)),
            config: session.encode(&config),
            client_capabilities,
            ..Default::default()
        };
        let plan = session.provider().plan_resource_change(request).await.expect("a plan").into_inner();
        assert_eq!(plan.deferred, deferred);
        // A client without deferral gets a warning instead: nothing was checked.
        let severities: Vec<_> = plan.diagnostics.iter().map(|diagnostic| diagnostic.severity()).collect();
        assert_eq!(severities, if deferred.is_some() { vec![] } else { vec![Severity::Warning] });
        // The application is known, its key is not.
        assert_eq!(
            session.decode(&plan.planned_state),
            with(session.state(URL), [("last_request_id", Value::Unknown)])
        );
        assert_eq!(identified(&plan.planned_identity), number(APP));
        assert_eq!(simulator.requests(), []);
    }
}

#[tokio::test]
async fn an_unknown_provider_keeps_states_as_they_are() {
    let (simulator, session) = start().await;
    let state = session.state(URL);
    for (client_capabilities, deferred) in CLIENTS {
        let request = proto::read_resource::Request { client_capabilities, ..session.read_request(&state) };
        let read = session.provider().read_resource(request).await.expect("an answer").into_inner();
        assert_eq!((session.decode(&read.new_state), read.deferred), (state.clone(), deferred));
        // A client without deferral gets a warning instead.
        let severities: Vec<_> = read.diagnostics.iter().map(|diagnostic| diagnostic.severity()).collect();
        assert_eq!(severities, if deferred.is_some() { vec![] } else { vec![Severity::Warning] });
    }
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn an_unknown_provider_defers_or_refuses_imports() {
    let (simulator, session) = start().await;
    for (client_capabilities, deferred) in CLIENTS {
        let request = proto::import_resource_state::Request {
            type_name: RESOURCE.into(),
            id: Simulator::SDK_APP_ID.to_string(),
            client_capabilities,
            identity: None,
        };
        let answer = session.provider().import_resource_state(request).await.expect("an answer").into_inner();
        assert_eq!(answer.deferred, deferred);
        if deferred.is_none() {
            assert!(the_error(&answer.diagnostics).summary.contains("not known yet"), "{answer:?}");
            assert_eq!(answer.imported_resources, []);
            continue;
        }
        assert_eq!(answer.diagnostics, []);
        let [imported] = &answer.imported_resources[..] else { panic!("{answer:?}") };
        assert_eq!(session.decode(&imported.state).attribute("url"), &Value::Unknown);
    }
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn an_unknown_provider_defers_or_refuses_data_sources() {
    let (simulator, session) = start().await;
    for (name, schema) in session.data_sources() {
        let ty = type_of(schema);
        for (client_capabilities, deferred) in CLIENTS {
            let request = proto::read_data_source::Request {
                type_name: name.to_owned(),
                config: Some(encode(&nothing(schema), &ty)),
                provider_meta: None,
                client_capabilities,
            };
            let answer = session.provider().read_data_source(request).await.expect("an answer").into_inner();
            assert_eq!(answer.deferred, deferred, "{name}");
            if deferred.is_none() {
                assert!(the_error(&answer.diagnostics).summary.contains("not known yet"), "{name}: {answer:?}");
                continue;
            }
            assert_eq!(answer.diagnostics, [], "{name}");
            let state = codec::decode(answer.state.as_ref(), &ty).expect("a state");
            assert!(!state.is_wholly_known(), "{name}: {state:?}");
        }
    }
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn an_unknown_provider_applies_nothing() {
    let (simulator, session) = start().await;
    let prior = session.state(URL);
    let applied = session.apply(&prior, &Value::Null).await;
    assert!(the_error(&applied.diagnostics).summary.contains("not known yet"), "{applied:?}");
    assert_eq!(session.decode(&applied.new_state), prior);
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn an_unknown_provider_can_plan_a_destroy() {
    let (simulator, session) = start().await;
    let plan = session.plan(&session.state(URL), &Value::Null).await;
    assert_eq!((plan.diagnostics.as_slice(), session.decode(&plan.planned_state)), (&[][..], Value::Null));
    assert_eq!(simulator.requests(), []);
}

#[tokio::test]
async fn a_provider_that_becomes_known_is_used() {
    let (simulator, session) = start().await;
    session.configure(&session.provider_config(&simulator)).await;
    let plan = session.plan(&Value::Null, &session.config(URL)).await;
    assert_eq!((plan.diagnostics.as_slice(), plan.deferred), (&[][..], None));
    assert_eq!(simulator.requests().len(), 1, "the look at what is there");
}
