//! The rules of planning and applying, without a server.

mod attempts;
mod lag;

use std::time::Duration;

use tencent_simulator::Action::{DeleteToken, GetToken, SetToken};
use tencent_simulator::{Action, Fault, FaultKind, Simulator, Token};

use super::apply::{Intent, Outcome, Written};
use super::ledger::Left;
use super::memory::{Key, Memory};
use super::model::Guard;
use super::{Arguments as _, Kind, Object, Remote, Scope, Singleton};
use crate::provider::applications::{Account, Applications, Purpose};
use crate::provider::callback_token::CallbackTokenKind;
use crate::provider::testing;
use crate::tencent::{CallbackToken, Client, SdkAppId, Settings};
use crate::terraform::{Attr, Change, Context, Diagnostics, ImportTarget, ManagedResource as _};

type TokenObject = Object<CallbackTokenKind>;

/// Creates `wanted`, where the plan has shown nothing.
async fn create<K: Kind>(
    remote: &Remote<'_, K>,
    wanted: &K::Content,
    guard: Guard,
    cx: &mut Context,
) -> Outcome<K, Written<K::Content>> {
    let intent = Intent { key: &Key::default(), guard, is_expected: &|_| false };
    remote.create(wanted, &intent, false, cx).await
}

struct Application {
    simulator: Simulator,
    apps: Applications,
    id: SdkAppId,
}

impl Application {
    /// Starts an application that has the token `existing`, if there is one.
    fn with(existing: Option<&str>) -> Self {
        let simulator = Simulator::start().expect("a simulator");
        let id = testing::id(Simulator::SDK_APP_ID);
        existing.iter().for_each(|text| simulator.put_token(Simulator::SDK_APP_ID, Token::new(*text, true)));
        let endpoint = simulator.url().parse().expect("an endpoint");
        let own = Account { endpoint, ..testing::account(Simulator::SECRET_KEY) };
        let apps = Applications::new(Client::new(Settings::default()), Attr::Known(id), Some(own), Some([].into()));
        Self { simulator, apps, id }
    }

    fn remote(&self) -> Remote<'_, CallbackTokenKind> {
        self.remote_within(super::DEFAULT_TIMEOUT)
    }

    fn remote_within(&self, timeout: Duration) -> Remote<'_, CallbackTokenKind> {
        let app = self.apps.app(self.id, Purpose::Object).expect("an application");
        Remote::new(Scope::new(&self.apps, CallbackTokenKind), app, timeout, &Context::default())
    }

    fn object(&self, text: &str, guard: Guard) -> TokenObject {
        let mut object = TokenObject::imported(self.id, token(text));
        object.common.overwrite_existing = Attr::Known(guard == Guard::Warn);
        object
    }

    /// Plans the change from `prior`. Returns whether the plan writes, and what it says.
    async fn plan(&self, prior: Option<TokenObject>, planned: TokenObject) -> (Option<bool>, Vec<String>) {
        let mut cx = Context::default();
        let change = Change { prior, config: planned.clone(), proposed: planned };
        let plan = Singleton(CallbackTokenKind).plan(&self.apps, change, &mut cx).await;
        let writes = plan.as_ref().ok().map(|planned| planned.common.last_request_id.is_unknown());
        (writes, summaries(plan.err().unwrap_or_default(), cx))
    }

    fn writes(&self) -> Vec<Action> {
        self.simulator.take_requests().into_iter().filter_map(|call| call.action).filter(|a| *a != GetToken).collect()
    }
}

fn token(text: &str) -> CallbackToken {
    CallbackToken { token: text.to_owned().into(), enabled: true }
}

fn summaries(errors: Diagnostics, cx: Context) -> Vec<String> {
    let name = " Live callback token of SDKAppID 1400000001";
    errors.into_iter().chain(cx.into_warnings()).map(|diagnostic| diagnostic.summary.replace(name, "")).collect()
}

#[tokio::test]
async fn a_plan_says_what_it_overwrites_and_writes_only_differences() {
    for (existing, prior, planned, guard, expected) in [
        (None, None, "a", Guard::Refuse, (Some(true), "")),
        (Some("a"), None, "a", Guard::Refuse, (Some(true), "The already exists as planned")),
        (Some("b"), None, "a", Guard::Warn, (Some(true), "This plan overwrites the existing")),
        (Some("b"), None, "a", Guard::Refuse, (None, "SDKAppID 1400000001 already has a Live callback token")),
        (Some("a"), Some("a"), "a", Guard::Warn, (Some(false), "")),
        (Some("a"), Some("a"), "a", Guard::Refuse, (Some(false), "")),
        (Some("a"), Some("a"), "b", Guard::Refuse, (Some(true), "")),
    ] {
        let application = Application::with(existing);
        // By an earlier default, overwrite_existing was true.
        let prior = prior.map(|text| application.object(text, Guard::Warn));
        let (writes, said) = application.plan(prior, application.object(planned, guard)).await;
        assert_eq!((writes, said.join("\n").as_str()), expected, "{existing:?} {planned}");
        assert_eq!(application.writes(), [], "a plan writes nothing");
    }
}

#[tokio::test]
async fn an_apply_replaces_only_what_the_plan_showed_or_says_so() {
    for (guard, held) in [(Guard::Warn, "a"), (Guard::Refuse, "other")] {
        let (application, key) = (Application::with(Some("other")), Key::default());
        let intent = Intent { key: &key, guard, is_expected: &|_| false };
        let mut cx = Context::default();
        let updated = application.remote().update(&token("a"), &intent, &mut cx).await;
        let error = updated.err().map(|unwritten| unwritten.diagnostic.into()).unwrap_or_default();
        assert_eq!(summaries(error, cx), ["The has changed since the plan"]);
        let there = application.simulator.token(Simulator::SDK_APP_ID).map(|token| token.token);
        assert_eq!(there.as_deref(), Some(held));
    }
}

#[tokio::test]
async fn an_apply_says_so_before_it_creates_again_what_was_deleted_since_the_plan() {
    let deleted = vec!["The has been deleted since the plan".to_owned()];
    for guard in [Guard::Warn, Guard::Refuse] {
        let (application, key) = (Application::with(None), Key::default());
        let (remote, intent) = (application.remote(), Intent { key: &key, guard, is_expected: &|_| true });
        // An update; the deletion before a creation that replaces it; a loss between these two.
        for step in ["update", "leave", "create"] {
            let mut cx = Context::default();
            remote.ledger.note_change(false);
            let outcome = match step {
                "update" => remote.update(&token("a"), &intent, &mut cx).await.map(drop),
                "leave" => remote.leave(&intent, false, &mut cx).await,
                _ => {
                    remote.ledger.leave(Some(Left { content: token("b"), is_write_only: false }));
                    create(&remote, &token("a"), guard, &mut cx).await.map(drop)
                }
            };
            assert_eq!(outcome.is_err(), guard == Guard::Refuse, "{step}");
            let error = outcome.err().map(|unwritten| unwritten.diagnostic.into()).unwrap_or_default();
            assert_eq!(summaries(error, cx), deleted, "{step}");
            *remote.lock().await.expect("no other") = None;
            application.simulator.remove_token(Simulator::SDK_APP_ID);
        }
    }
}

#[tokio::test]
async fn an_update_after_a_deletion_by_this_process_is_no_surprise() {
    let (application, keys) = (Application::with(Some("a")), [Key::default(), Key::default()]);
    let mut cx = Context::default();
    let [gone, stays] = keys.each_ref().map(|key| Intent { key, guard: Guard::Refuse, is_expected: &|_| true });
    application.remote().delete(&gone, &mut cx).await.expect("deleted");
    application.remote().update(&token("a"), &stays, &mut cx).await.expect("written");
    assert_eq!((summaries(Diagnostics::new(), cx), application.writes()), (vec![], vec![DeleteToken, SetToken]));
}

#[tokio::test]
async fn a_deletion_leaves_what_this_process_wrote_for_another_object() {
    let (application, mine) = (Application::with(Some("a")), Key::default());
    let mut cx = Context::default();
    let created = create(&application.remote(), &token("a"), Guard::Refuse, &mut cx).await;
    let other = created.expect("created").object;
    let delete = async |key: &Key, cx: &mut Context| {
        let intent = Intent { key, guard: Guard::Refuse, is_expected: &|_| true };
        application.remote().delete(&intent, cx).await.expect("no error");
    };
    delete(&mine, &mut cx).await;
    assert_eq!(
        (summaries(Diagnostics::new(), cx), application.writes()),
        (vec!["The is kept for another object".to_owned()], vec![SetToken])
    );
    let mut cx = Context::default();
    delete(&other, &mut cx).await;
    assert_eq!((summaries(Diagnostics::new(), cx), application.writes()), (vec![], vec![DeleteToken]));
}

#[tokio::test]
async fn an_object_without_credentials_makes_no_call() {
    let Application { simulator, id, .. } = Application::with(Some("a"));
    let endpoint = simulator.url().parse().expect("an endpoint");
    let own = Account { endpoint, ..testing::account(Simulator::SECRET_KEY) };
    // The key has no application, and the object's has left `apps`.
    let apps = Applications::new(Client::new(Settings::default()), Attr::Null, Some(own), Some([].into()));
    let (resource, object) = (Singleton(CallbackTokenKind), TokenObject::imported(id, token("a")));
    let change = |prior| Change { prior, config: object.clone(), proposed: object.clone() };
    let cx = &mut Context::default();
    let refusals = [
        resource.plan(&apps, change(None), cx).await.err(),
        resource.read(&apps, object.clone(), cx).await.err(),
        resource.plan_destroy(&apps, object.clone(), cx).await.err(),
        resource.import(&apps, ImportTarget::Id(id.to_string()), cx).await.err(),
        resource.create(&apps, object.clone(), cx).await.err().map(|failure| failure.diagnostics),
        resource.delete(&apps, object.clone(), cx).await.err().map(|failure| failure.diagnostics),
    ];
    for refusal in refusals {
        let refusal = testing::only(refusal.expect("a refusal"));
        assert_eq!(refusal.summary, "The provider \"tencent\" has no credentials for SDKAppID 1400000001");
    }
    assert_eq!(simulator.take_requests().len(), 0);
}

#[tokio::test]
async fn a_move_to_another_application_says_what_it_abandons() {
    let Application { simulator, apps, id } = Application::with(Some("a"));
    let resource = Singleton(CallbackTokenKind);
    let mut prior = TokenObject::imported(id, token("a"));
    prior.common.deletion_policy = testing::text("ABANDON");
    let mut planned = TokenObject::imported(testing::id(1_400_000_002), token("a"));
    for policy in ["ABANDON", "DELETE"] {
        planned.common.deletion_policy = testing::text(policy);
        let mut cx = Context::default();
        let change = Change { prior: Some(prior.clone()), config: planned.clone(), proposed: planned.clone() };
        // The provider has no credentials for the new application, so the plan fails, after its warning.
        resource.plan(&apps, change, &mut cx).await.expect_err("no credentials");
        let stays = testing::only(cx.into_warnings());
        assert_eq!(stays.summary, "The Live callback token of SDKAppID 1400000001 stays at Tencent");
        assert_eq!(stays.detail.contains("The new deletion_policy does not apply"), policy == "DELETE", "{stays:?}");
    }
    assert_eq!(simulator.take_requests().len(), 0);
}

#[tokio::test]
async fn an_exchange_of_token_wo_for_token_looks_before_it_sends_nothing() {
    for (there, guard, said, writes) in [
        ("a", Guard::Refuse, vec![], vec![]),
        ("b", Guard::Refuse, vec!["The has changed since the plan"], vec![]),
        ("b", Guard::Warn, vec!["The has changed since the plan"], vec![SetToken]),
    ] {
        let application = Application::with(Some(there));
        let planned = application.object("a", guard).written_by(Attr::Unknown);
        let mut prior = application.object("a", guard);
        let mut memory = Memory::default();
        memory.remember_secret(prior.arguments.secret().as_ref());
        prior.arguments = prior.arguments.write_only(testing::number(1));
        let mut cx = Context::default();
        cx.set_private(&memory);
        let updated = Singleton(CallbackTokenKind).update(&application.apps, prior, planned, &mut cx).await;
        let errors = updated.err().map(|failure| failure.diagnostics).unwrap_or_default();
        assert_eq!(summaries(errors, cx), said);
        assert_eq!(application.writes(), writes);
    }
}

#[tokio::test]
async fn a_destruction_that_only_an_earlier_refresh_prevents_says_how_to_check_again() {
    let application = Application::with(Some("a"));
    let mut cx = Context::default();
    cx.set_private(&Memory { others: vec![Key::default()], ..Memory::default() });
    let object = application.object("a", Guard::Refuse);
    Singleton(CallbackTokenKind).plan_destroy(&application.apps, object, &mut cx).await.expect("a plan");
    let kept = testing::only(cx.into_warnings());
    assert!(kept.summary.ends_with("is kept for another object"), "{kept:?}");
    assert!(kept.detail.contains("destroy this one without -refresh=false"), "{kept:?}");
}

#[tokio::test]
async fn a_write_after_one_that_someone_else_replaced_looks_again() {
    let application = Application::with(Some("a"));
    let someone = async {
        while !application.simulator.requests().iter().any(|call| call.action == Some(SetToken)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        application.simulator.put_token(Simulator::SDK_APP_ID, Token::new("other", true));
    };
    // The other token is set before the first write is answered, and then read back.
    let slow = FaultKind::Delay(Duration::from_secs(1));
    application.simulator.inject(Fault::new(slow).on(SetToken).times(1));
    let is_expected = |found: &CallbackToken| found.is_same(&token("a"));
    let (first, second) = (Key::default(), Key::default());
    let intent = |key| Intent { key, guard: Guard::Refuse, is_expected: &is_expected };
    let (remote, mut cx) = (application.remote(), Context::default());
    let (intended, wanted) = (intent(&first), token("b"));
    let (written, ()) = tokio::join!(remote.update(&wanted, &intended, &mut cx), someone);
    assert!(written.expect_err("replaced").diagnostic.summary.starts_with("Someone else is changing"));
    let refused = application.remote().update(&wanted, &intent(&second), &mut cx).await.expect_err("a refusal");
    assert!(refused.diagnostic.summary.ends_with("has changed since the plan"), "{refused:?}");
    assert_eq!(application.simulator.token(Simulator::SDK_APP_ID).map(|token| token.token).as_deref(), Some("other"));
}
