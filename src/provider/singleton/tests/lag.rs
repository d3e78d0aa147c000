//! Reads that lag behind the writes of this process.

use tencent_simulator::Action::{Get, Set, Update};
use tencent_simulator::{Age, Configuration, Fault, FaultKind, Service};

use super::super::Arguments as _;
use super::super::apply::Unwritten;
use super::*;
use crate::provider::callback::CallbackKind;
use crate::provider::services::{self, Commands};
use crate::tencent::CallbackConfiguration;

const URL: &str = "https://hooks.example.com/ours";
const COMMAND: &str = "Room.CallbackAfterCreateRoom";

fn lag(seconds: f64) -> Fault {
    Fault::new(FaultKind::StaleRead(Age::Ago(Duration::from_secs_f64(seconds))))
}

/// A lag that no operation waits for.
fn long_lag() -> Fault {
    lag(3600.0)
}

impl Application {
    /// Updates the token of `key` from `shown` to `text`, guarded. Returns its key from then on, and what was said.
    async fn update(&self, key: &Key, shown: &str, text: &str) -> (Key, Vec<String>) {
        let mut cx = Context::default();
        let intent =
            Intent { key, guard: Guard::Refuse, is_expected: &|found: &CallbackToken| found.is_same(&token(shown)) };
        let written = self.remote().update(&token(text), &intent, &mut cx).await.expect("no error");
        (written.object, summaries(Diagnostics::new(), cx))
    }

    async fn delete(&self, key: &Key, shown: &str) -> (Result<(), Unwritten<CallbackToken>>, Vec<String>) {
        let mut cx = Context::default();
        let intent =
            Intent { key, guard: Guard::Refuse, is_expected: &|found: &CallbackToken| found.is_same(&token(shown)) };
        let deleted = self.brief().delete(&intent, &mut cx).await;
        (deleted, summaries(Diagnostics::new(), cx))
    }

    /// Begins an operation that waits for stale reads for at most some seconds: enough for a slow machine, such as an emulator.
    fn brief(&self) -> Remote<'_, CallbackTokenKind> {
        self.remote_within(Duration::from_secs(8))
    }
}

#[tokio::test]
async fn reads_that_lag_are_waited_for() {
    for seconds in [0.1, 0.2, 1.0] {
        let application = Application::with(None);
        application.simulator.inject(lag(seconds).on(GetToken));
        let mut cx = Context::default();
        let created = create(&application.remote(), &token("a"), Guard::Refuse, &mut cx).await.expect("created");
        assert_eq!(summaries(Diagnostics::new(), cx), [""; 0]);
        let (key, said) = application.update(&created.object, "a", "b").await;
        assert_eq!(said, [""; 0]);
        let (deleted, said) = application.delete(&key, "b").await;
        assert!(deleted.is_ok() && said.is_empty(), "{said:?}");
        assert_eq!(application.writes(), [SetToken, SetToken, DeleteToken], "{seconds}");
    }
}

#[tokio::test]
async fn a_look_that_shows_what_this_process_has_replaced_is_repeated() {
    let application = Application::with(Some("a"));
    let (key, _) = application.update(&Key::default(), "a", "b").await;
    application.simulator.inject(Fault::new(FaultKind::StaleRead(Age::BeforeTheLastChange)).on(GetToken).times(3));
    let object = application.object("b", Guard::Refuse);
    let mut cx = Context::default();
    let refreshed = Singleton(CallbackTokenKind).read(&application.apps, object, &mut cx).await.expect("read");
    assert!(refreshed.expect("an object").arguments.content().expect("a token").is_same(&token("b")));
    application.simulator.clear_faults();
    application.simulator.inject(Fault::new(FaultKind::StaleRead(Age::BeforeTheLastChange)).on(GetToken).times(3));
    assert!(application.delete(&key, "b").await.0.is_ok(), "someone else is not accused");
}

#[tokio::test]
async fn an_accepted_write_that_reads_never_show_stays_in_the_state() {
    let application = Application::with(None);
    application.simulator.inject(long_lag().on(GetToken));
    let mut cx = Context::default();
    let created = create(&application.brief(), &token("a"), Guard::Refuse, &mut cx).await.expect("created");
    assert_eq!(summaries(Diagnostics::new(), cx), ["The does not show the write yet"]);
    assert_eq!((created.request_id.is_some(), application.writes()), (true, vec![SetToken]));
}

#[tokio::test]
async fn an_accepted_deletion_that_reads_never_show_is_an_error() {
    let application = Application::with(Some("a"));
    application.simulator.inject(Fault::new(FaultKind::StaleRead(Age::BeforeTheLastChange)).on(GetToken).skip(1));
    let (deleted, _) = application.delete(&Key::default(), "a").await;
    let unwritten = deleted.expect_err("still there");
    assert!(unwritten.diagnostic.summary.ends_with("is still there after its deletion"), "{unwritten:?}");
    assert!(unwritten.found.is_some_and(|found| found.is_same(&token("a"))), "Terraform keeps it");
    assert_eq!(application.writes(), [DeleteToken]);
}

#[tokio::test]
async fn a_created_object_that_someone_replaces_at_once_stays_in_the_state() {
    let application = Application::with(None);
    let other = serde_json::json!({ "Token": "other", "IsTokenEnable": true });
    application.simulator.inject(Fault::new(FaultKind::Response(other)).on(GetToken).skip(1));
    let planned = application.object("a", Guard::Refuse);
    let mut cx = Context::default();
    let failure = Singleton(CallbackTokenKind).create(&application.apps, planned, &mut cx).await.expect_err("replaced");
    let state = failure.state.expect("a state").arguments.content().expect("a token");
    assert!(state.is_same(&token("other")), "it shows what is there");
}

/// Creates a configuration where the first answer is lost and reads lag. Returns whether that succeeded, what was said,
/// and the writes.
async fn created_unanswered(seconds: f64, guard: Guard) -> (bool, String, Vec<Action>) {
    let application = Application::with(None);
    let kind = CallbackKind(services::named("room").expect("a service"), Commands);
    let app = application.apps.app(application.id, Purpose::Object).expect("an application");
    let remote = Remote::new(Scope::new(&application.apps, kind), app, Duration::from_secs(8), &Context::default());
    application.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set).times(1));
    application.simulator.inject(lag(seconds).on(Get));
    let commands = [COMMAND.to_owned()].into();
    let wanted = CallbackConfiguration { url: URL.to_owned().into(), callback_commands: commands };
    let mut cx = Context::default();
    let created = create(&remote, &wanted, guard, &mut cx).await;
    let there = application.simulator.configuration(Service::Room, Simulator::SDK_APP_ID);
    assert_eq!(there, Some(Configuration::new(URL, [COMMAND])));
    let is_created = created.is_ok();
    let error = created.err().map(|unwritten| unwritten.diagnostic);
    let said: Vec<_> = error.into_iter().chain(cx.into_warnings()).map(|said| said.summary + &said.detail).collect();
    let actions = application.simulator.take_requests().into_iter().filter_map(|request| request.action);
    (is_created, said.join("\n"), actions.filter(|action| *action != Get).collect())
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_recognized_although_reads_lag() {
    for guard in [Guard::Warn, Guard::Refuse] {
        assert_eq!(created_unanswered(0.5, guard).await, (true, String::new(), vec![Set, Set, Update]), "{guard:?}");
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_replaces_nothing_unseen_if_guarded() {
    let (is_created, said, writes) = created_unanswered(3600.0, Guard::Refuse).await;
    assert!(!is_created && said.contains("it is this apply's own, or someone has just created it"), "{said}");
    assert_eq!(writes, [Set, Set], "a guarded creation replaces nothing that it cannot see");
    let (is_created, said, writes) = created_unanswered(3600.0, Guard::Warn).await;
    assert!(is_created && said.contains("does not show the write yet"), "{said}");
    assert_eq!(writes, [Set, Set, Update]);
}
