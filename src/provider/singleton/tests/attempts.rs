//! Each attempt of a write or a deletion comes right after a look.

use tencent_simulator::Action::Get;
use tencent_simulator::{Fault, FaultKind};
use tokio::time::sleep;

use super::super::apply::Unwritten;
use super::*;
use crate::provider::services;
use crate::tencent::{CallbackConfiguration, Patience};

/// An answer that pauses all calls.
fn busy(seconds: u64) -> FaultKind {
    FaultKind::Status { code: 429, retry_after: Some(seconds.to_string()), processed: false }
}

impl Application {
    /// Returns as soon as the simulator has received the call.
    async fn received(&self, action: Action) {
        while !self.simulator.requests().iter().any(|request| request.action == Some(action)) {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sets another token once `action` was received, and some time has passed.
    async fn someone_sets(&self, action: Action, after: Duration) {
        self.received(action).await;
        sleep(after).await;
        self.simulator.put_token(Simulator::SDK_APP_ID, Token::new("other", true));
    }

    /// Updates or deletes the token `a`.
    async fn change(&self, deletes: bool, guard: Guard, cx: &mut Context) -> Result<(), Unwritten<CallbackToken>> {
        let is_expected = |found: &CallbackToken| found.is_same(&token("a"));
        let intent = Intent { key: &Key::default(), guard, is_expected: &is_expected };
        match deletes {
            true => self.remote().delete(&intent, cx).await,
            false => self.remote().update(&token("b"), &intent, cx).await.map(drop),
        }
    }

    /// Asserts that a change has noticed what someone else has set, and done what its guard says.
    fn expect_noticed(&self, changed: Result<(), Unwritten<CallbackToken>>, guard: Guard, cx: Context) {
        let error = changed.err().map(|unwritten| unwritten.diagnostic.into()).unwrap_or_default();
        assert_eq!(summaries(error, cx), ["The has changed since the plan"], "{guard:?}");
        let there = self.simulator.token(Simulator::SDK_APP_ID).map(|token| token.token);
        assert_eq!(there.as_deref() == Some("other"), guard == Guard::Refuse, "{there:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_follows_a_refusal_looks_again() {
    for (deletes, action) in [(false, SetToken), (true, DeleteToken)] {
        for guard in [Guard::Warn, Guard::Refuse] {
            let application = Application::with(Some("a"));
            application.simulator.inject(Fault::new(busy(1)).on(action).times(1));
            let mut cx = Context::default();
            let change = application.change(deletes, guard, &mut cx);
            let (changed, ()) = tokio::join!(change, application.someone_sets(action, Duration::ZERO));
            application.expect_noticed(changed, guard, cx);
        }
    }
}

#[tokio::test]
async fn an_attempt_that_waited_for_the_rate_limit_of_another_call_looks_again() {
    for guard in [Guard::Warn, Guard::Refuse] {
        let application = Application::with(Some("a"));
        // The look takes a second, in which another call meets a rate limit.
        application.simulator.inject(Fault::new(FaultKind::Delay(Duration::from_secs(1))).on(GetToken).times(1));
        application.simulator.inject(Fault::new(busy(5)).on(Get).times(1));
        let limited = async {
            application.received(GetToken).await;
            let app = application.apps.app(application.id, Purpose::Object).expect("an application");
            let service = services::named("call").expect("a service").api;
            let patience = Patience::of(Duration::from_secs(60));
            let read = application.apps.client.get::<CallbackConfiguration>(&app, service, &patience).await;
            assert_eq!(read.expect("answered"), None);
        };
        let mut cx = Context::default();
        let change = application.change(false, guard, &mut cx);
        let someone = application.someone_sets(GetToken, Duration::from_millis(1500));
        let (changed, (), ()) = tokio::join!(change, limited, someone);
        application.expect_noticed(changed, guard, cx);
    }
}

#[tokio::test]
async fn an_attempt_that_cannot_look_again_is_not_made() {
    let application = Application::with(Some("a"));
    let busy = FaultKind::ErrorCode { code: 60007, info: String::new() };
    application.simulator.inject(Fault::new(busy).on(SetToken).times(1));
    let refused = FaultKind::ErrorCode { code: 60016, info: String::new() };
    application.simulator.inject(Fault::new(refused).on(GetToken).skip(1));
    let changed = application.change(false, Guard::Warn, &mut Context::default()).await;
    let error = changed.expect_err("no second look").diagnostic;
    assert!(error.summary.starts_with("Checking the ") && error.detail.ends_with("Nothing was written."), "{error:?}");
    assert_eq!(application.writes(), [SetToken]);
}
