//! The callback configuration of any service, for one operation: read, deleted, and written so that the outcome is known.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::attempt::{self, Attempt, LAST_LOOK};
use super::claims::Reading;
use super::memory::Origin;
use super::record::Write;
use super::service::Subject;
use super::{describe, refused_to_overwrite};
use crate::provider::applications::OfService;
use crate::provider::checks;
use crate::tencent::{ALREADY_CONFIGURED, App, CallbackConfiguration, Error, OwnForm, Patience, Service};
use crate::terraform::{Attr, Context, Diagnostic, Diagnostics, Number};

/// How often a write starts anew because someone else has created the configuration in between.
const RACES: usize = 3;
/// How long to wait at most before each further time.
const RACE_PAUSE: Duration = Duration::from_secs(1);

/// An application's callback configuration, while an operation lasts.
#[derive(Debug)]
pub(crate) struct Callback<'a> {
    tencent: OfService<'a>,
    attempt: Attempt<Subject, CallbackConfiguration>,
    /// Whether what it finds is shown without the URL's path.
    hides_url: bool,
}

/// What this run of Terraform has found and done at one application and service.
pub(crate) type Record = super::record::Record<Subject, CallbackConfiguration>;

impl Record {
    /// What to say of two objects that want different things.
    pub(crate) fn managed_twice(&self, other: &CallbackConfiguration, wanted: &CallbackConfiguration) -> Diagnostic {
        Diagnostic::error(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource of this provider manages the same configuration. It sends {}; this one sends {}. An \
                 application has only one {} callback configuration: remove one of the two resources, or change its \
                 sdk_app_id.",
                describe(other),
                describe(wanted),
                self.subject.service.title,
            ),
        )
        .on("sdk_app_id")
    }
}

/// A write that took effect.
#[derive(Debug)]
pub(crate) struct Written {
    /// Tencent's `RequestId`, if an answer with one arrived.
    pub(crate) request_id: Option<String>,
    /// What Tencent stores instead of what was written, if that is only a form of its own.
    pub(crate) stored_as: Option<CallbackConfiguration>,
}

/// A write or a deletion that did not take effect, or possibly not.
pub(crate) type Unwritten = attempt::Unwritten<CallbackConfiguration>;

type Deed<'a> = attempt::Deed<'a, CallbackConfiguration>;

impl Deref for Callback<'_> {
    type Target = Attempt<Subject, CallbackConfiguration>;

    fn deref(&self) -> &Self::Target {
        &self.attempt
    }
}

impl<'a> Callback<'a> {
    /// That of the application which the argument `sdk_app_id` names, or else the provider's.
    ///
    /// # Errors
    ///
    /// If neither names one, or the provider has no credentials for it.
    pub(crate) fn of(
        tencent: OfService<'a>,
        sdk_app_id: &Attr<Number>,
        timeout: Duration,
        cx: &Context,
    ) -> Result<Self, Diagnostics> {
        let app = tencent.app(tencent.sdk_app_id(sdk_app_id)?)?;
        Ok(Self::with(tencent, app, timeout, cx))
    }

    /// That of `app`.
    pub(crate) fn with(tencent: OfService<'a>, app: Arc<App>, timeout: Duration, cx: &Context) -> Self {
        let record = tencent.record(app.sdk_app_id());
        Self { tencent, attempt: Attempt::new(app, record, timeout, cx), hides_url: false }
    }

    /// The same with no more time than this.
    pub(crate) fn within(self, longest: Duration) -> Self {
        Self { attempt: self.attempt.within(longest), ..self }
    }

    /// The same for an object whose URL is secret, if it is.
    pub(crate) fn hiding_url(mut self, is_secret: bool) -> Self {
        self.hides_url |= is_secret;
        self
    }

    /// How it is reached.
    pub(crate) fn origin(&self) -> Origin {
        Origin::of(&self.tencent, &self.app)
    }

    fn api(&self) -> Service {
        self.tencent.service().api
    }

    /// Waits for its turn to be read: see [`Claims::read`](super::claims::Claims::read).
    pub(crate) async fn turn_to_read(&self) -> Result<Reading<'_, CallbackConfiguration>, Diagnostic> {
        self.patiently(self.record.claims.read()).await.map_err(|why| {
            Diagnostic::error(
                format!("Reading the {} failed", self.subject()),
                format!(
                    "While Terraform was reading another object of the same configuration, {why}. Nothing was \
                     changed."
                ),
            )
        })
    }

    /// Reads it; `None` if there is none.
    pub(crate) async fn look(&self) -> Result<Option<CallbackConfiguration>, Error> {
        let found = self.read(&self.patience).await?;
        self.record.note_look(found.clone());
        Ok(found)
    }

    async fn read(&self, patience: &Patience) -> Result<Option<CallbackConfiguration>, Error> {
        Ok(self.shown(self.tencent.client.get(&self.app, self.api(), patience).await?))
    }

    /// What a look of a moment ago found, if there was one.
    pub(crate) fn fresh_look(&self) -> Option<Option<CallbackConfiguration>> {
        self.record.fresh_look().map(|found| self.shown(found))
    }

    fn shown(&self, found: Option<CallbackConfiguration>) -> Option<CallbackConfiguration> {
        if self.hides_url { found.map(CallbackConfiguration::secret) } else { found }
    }

    /// Reads it; `None` if there is none.
    pub(crate) async fn get(&self) -> Result<Option<CallbackConfiguration>, Diagnostics> {
        let failed = |error| self.failed("Reading the", &error).into();
        self.look().await.map_err(failed)
    }

    /// A failed call, for a person. `doing` is what was attempted, such as "Reading the".
    pub(crate) fn failed(&self, doing: &str, error: &Error) -> Diagnostic {
        let what = format!("{doing} {} callback configuration", self.subject().service.title);
        checks::call_failed(&what, &self.app, error)
    }

    /// Whether this run has let go of what was `found`, and left it there.
    pub(crate) fn is_released(&self, found: &CallbackConfiguration) -> bool {
        self.record.released().is_some_and(|released| released.is_equivalent(found))
    }

    /// Deletes it for the object of this `last_request_id`; none to delete is a success. `is_expected` tells what the
    /// plan showed from what someone else has set since; with `guarded`, the latter is not deleted.
    ///
    /// What this run has written for another object stays: to Tencent, the two are one. And what is `replaced` by the same
    /// application's stays until that overwrites it: deleted first, it would be lost if that failed.
    pub(crate) async fn delete(
        &self,
        last_request_id: Option<&String>,
        is_expected: impl Fn(&CallbackConfiguration) -> bool,
        guarded: bool,
        replaced: bool,
        cx: &mut Context,
    ) -> Result<(), Unwritten> {
        let mut written = self.lock().await?;
        if written.as_ref().is_some_and(|write| !write.is_of(last_request_id)) {
            if !replaced {
                cx.warn(self.record.not_deleted());
            }
            return Ok(());
        }
        let Some(found) = self.inspect("Nothing was deleted.").await? else { return Ok(()) };
        if !is_expected(&found) {
            if guarded {
                return Err(Unwritten {
                    diagnostic: self.refuses_changed(&found, "Nothing was deleted."),
                    found: Some(found),
                });
            }
            let outcome = if replaced { "This apply replaces it." } else { "This apply deletes it." };
            cx.warn(self.changed_since(&found, outcome));
        }
        if replaced {
            self.record.release(Some(found));
            return Ok(());
        }
        if let Err(error) =
            self.tencent.client.delete::<CallbackConfiguration>(&self.app, self.api(), &self.writing()).await
        {
            self.find_out(Deed::Delete, &error, cx).await?;
        }
        *written = None;
        self.record.forget_look();
        self.record.release(None);
        Ok(())
    }

    /// Writes it for a resource that does not manage it yet. With `guarded`, what would be lost is refused.
    pub(crate) async fn create(
        &self,
        wanted: &CallbackConfiguration,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut written = self.lock().await?;
        self.check_rival(&written, None, wanted)?;
        let mut exists = true;
        let told = self.record.last_look();
        if written.is_none() {
            let found = match self.fresh_look() {
                Some(found) => found,
                None => self.inspect("Nothing was written.").await?,
            };
            exists = found.is_some();
            if let Some(found) = found.filter(|found| !found.is_equivalent(wanted) && !self.is_released(found)) {
                if guarded {
                    return Err(refused_to_overwrite(self.subject(), &found).into());
                }
                if told.as_ref() != Some(&found) {
                    cx.warn(self.changed_since(&found, &replaced_by(wanted)));
                }
            }
        }
        let is_expected =
            |found: &CallbackConfiguration| self.is_released(found) || !guarded && told.as_ref() == Some(found);
        self.write(wanted, exists, &is_expected, guarded, &mut written, cx).await
    }

    /// Replaces it as a whole for the object of this `last_request_id`. `is_expected` tells what the plan showed from what
    /// someone else has set since; with `guarded`, the latter is not replaced.
    pub(crate) async fn update(
        &self,
        last_request_id: Option<&String>,
        wanted: &CallbackConfiguration,
        is_expected: impl Fn(&CallbackConfiguration) -> bool + Sync,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut written = self.lock().await?;
        self.check_rival(&written, last_request_id, wanted)?;
        let mut exists = true;
        if written.is_none() {
            let found = self.inspect("Nothing was written.").await?;
            exists = found.is_some();
            if let Some(found) = found.filter(|found| !is_expected(found) && !found.is_equivalent(wanted)) {
                if guarded {
                    return Err(Unwritten {
                        diagnostic: self.refuses_changed(&found, "Nothing was written."),
                        found: Some(found),
                    });
                }
                cx.warn(self.changed_since(&found, &replaced_by(wanted)));
            }
        }
        self.write(wanted, exists, &is_expected, guarded, &mut written, cx).await
    }

    /// Whether it is as `wanted` already. Then that counts as written for the object of this `last_request_id`: no other
    /// object of this run deletes it.
    pub(crate) async fn adopt(
        &self,
        last_request_id: Option<&String>,
        wanted: &CallbackConfiguration,
    ) -> Result<bool, Diagnostics> {
        let mut written = self.lock().await?;
        if written.is_some() {
            return Ok(false);
        }
        let found = self.inspect("Nothing was written.").await?;
        let is_wanted = found.is_some_and(|found| found.is_equivalent(wanted));
        if is_wanted {
            *written = Some(Write { request_id: last_request_id.cloned(), wanted: wanted.clone() });
        }
        Ok(is_wanted)
    }

    /// Looks at what a write or a deletion is about to replace. `outcome` says what follows if that fails.
    async fn inspect(&self, outcome: &str) -> Result<Option<CallbackConfiguration>, Diagnostic> {
        self.look().await.map_err(|error| self.failed_look(&error, outcome))
    }

    fn failed_look(&self, error: &Error, outcome: &str) -> Diagnostic {
        let mut diagnostic = self.failed("Checking the", error);
        diagnostic.detail += &format!("\n\n{outcome}");
        diagnostic
    }

    fn check_rival(
        &self,
        written: &Option<Write<CallbackConfiguration>>,
        last_request_id: Option<&String>,
        wanted: &CallbackConfiguration,
    ) -> Result<(), Diagnostic> {
        match written {
            Some(write) if !write.is_of(last_request_id) && !write.wanted.is_equivalent(wanted) => {
                Err(self.record.managed_twice(&write.wanted, wanted))
            }
            _ => Ok(()),
        }
    }

    /// Someone else has set something after the plan was made.
    fn changed_since(&self, found: &CallbackConfiguration, outcome: &str) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} has changed since the plan", self.subject()),
            format!("Just before this apply, Tencent sent {}, which the plan did not show. {outcome}", describe(found)),
        )
    }

    fn refuses_changed(&self, found: &CallbackConfiguration, outcome: &str) -> Diagnostic {
        Diagnostic::error(
            format!("The {} has changed since the plan", self.subject()),
            format!(
                "Tencent now sends {}, which the plan did not show, and overwrite_existing is false. {outcome} Run a new \
                 plan to see the change.",
                describe(found)
            ),
        )
        .on("overwrite_existing")
    }

    /// Writes, and finds out what holds afterwards. `exists` is whether the last look found one.
    async fn write(
        &self,
        wanted: &CallbackConfiguration,
        exists: bool,
        is_expected: &(dyn Fn(&CallbackConfiguration) -> bool + Sync),
        guarded: bool,
        written: &mut Option<Write<CallbackConfiguration>>,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut outcome = self.set(wanted, exists).await;
        for race in 0..RACES {
            let Some(refusal) = outcome.as_ref().err().filter(|error| error.is(ALREADY_CONFIGURED)).cloned() else {
                break;
            };
            if race > 0 {
                // Whoever else writes, or a read that lags behind, is given some time.
                let _ = self.patiently(sleep(RACE_PAUSE.mul_f64(rand::random()))).await;
            }
            // What someone else has just set, or what an attempt of this write has left.
            let found = match self.look().await {
                Ok(found) => found,
                Err(error) if refusal.may_have_taken_effect => {
                    outcome = Err(Error { may_have_taken_effect: true, ..error });
                    break;
                }
                Err(error) => return Err(self.failed_look(&error, "Nothing was written.").into()),
            };
            let is_own = |found: &&CallbackConfiguration| {
                found.is_equivalent(wanted) || refusal.may_have_taken_effect && wanted.own_form(found).is_some()
            };
            if let Some(found) = found.as_ref().filter(|found| !is_expected(found) && !is_own(found)) {
                if guarded {
                    let outcome = match refusal.may_have_taken_effect {
                        true => "This apply may have written its own configuration before that.",
                        false => "Nothing was written.",
                    };
                    let diagnostic = self.refuses_changed(found, outcome);
                    return Err(Unwritten { diagnostic, found: Some(found.clone()) });
                }
                cx.warn(self.changed_since(found, &replaced_by(wanted)));
            }
            outcome = self.set(wanted, found.is_some()).await.map_err(|error| Error {
                may_have_taken_effect: error.may_have_taken_effect || refusal.may_have_taken_effect,
                ..error
            });
        }
        let outcome = match outcome {
            Ok(request_id) => self.confirm(wanted, request_id, guarded, cx).await,
            Err(error) if !error.may_have_taken_effect => {
                return Err(self.failed(Deed::Write(wanted).name(), &error).into());
            }
            Err(error) => {
                let found_out = self.find_out(Deed::Write(wanted), &error, cx).await;
                found_out.map(|()| Written { request_id: None, stored_as: None })
            }
        };
        // Also where it may have been written: no other object of this run deletes that.
        let request_id = outcome.as_ref().ok().and_then(|written| written.request_id.clone());
        *written = Some(Write { request_id, wanted: wanted.clone() });
        self.record.release(None);
        self.record.forget_look();
        outcome
    }

    async fn set(&self, configuration: &CallbackConfiguration, exists: bool) -> Result<String, Error> {
        self.tencent.client.put(&self.app, self.api(), configuration, exists, &self.writing()).await
    }

    /// Reads back what was written. A service may keep it in a form of its own; anything else is someone else's.
    async fn confirm(
        &self,
        wanted: &CallbackConfiguration,
        request_id: String,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let as_written = |request_id| Written { request_id: Some(request_id), stored_as: None };
        // A write that was answered took effect: if it cannot be read back, the next plan reads it.
        let Ok(first) = self.read_back().await else { return Ok(as_written(request_id)) };
        if first.as_ref().is_some_and(|first| first.is_equivalent(wanted)) {
            return Ok(as_written(request_id));
        }
        let is_somebody_elses = |found: &&CallbackConfiguration| wanted.own_form(found).is_none();
        let somebody_elses = first.as_ref().filter(is_somebody_elses);
        if let Some(found) = somebody_elses.filter(|_| guarded) {
            return Err(Unwritten { diagnostic: self.refuses_rewrite(found), found: first });
        }

        // Written once more, what someone else set is gone, and a form of Tencent's own comes back the same.
        let rewritten = self.set(wanted, first.is_some()).await;
        let second = match (self.read_back().await, &rewritten) {
            (Ok(second), _) => second,
            (Err(_), Ok(request_id)) => return Ok(as_written(request_id.clone())),
            (Err(_), Err(_)) => first.clone(),
        };
        if second.as_ref().is_some_and(|second| second.is_equivalent(wanted)) {
            cx.warn(self.wrote_twice(first.as_ref()));
            return Ok(as_written(rewritten.unwrap_or(request_id)));
        }
        match second {
            Some(second) if first.as_ref() == Some(&second) && somebody_elses.is_none() => {
                cx.warn(self.stores_own_form(wanted, &second));
                Ok(Written { request_id: Some(rewritten.unwrap_or(request_id)), stored_as: Some(second) })
            }
            second => {
                let diagnostic = match &rewritten {
                    Ok(_) => self.does_not_hold(wanted, second.as_ref()),
                    Err(error) => self.not_rewritten(first.as_ref(), error),
                };
                Err(Unwritten { diagnostic, found: second })
            }
        }
    }

    fn wrote_twice(&self, first: Option<&CallbackConfiguration>) -> Diagnostic {
        Diagnostic::warning(
            format!("Someone else is changing the {}", self.subject()),
            format!(
                "{} This apply wrote it a second time, and that took effect. Find out what else changes it: the \
                 console, a script, or another Terraform state.",
                right_after(first)
            ),
        )
    }

    fn not_rewritten(&self, first: Option<&CallbackConfiguration>, error: &Error) -> Diagnostic {
        let mut diagnostic = self.failed("Writing the", error);
        diagnostic.detail += &format!(
            "\n\n{} Writing it a second time failed. Find out what else changes it: the console, a script, or another \
             Terraform state. The next plan will show what is there.",
            right_after(first)
        );
        diagnostic
    }

    fn refuses_rewrite(&self, found: &CallbackConfiguration) -> Diagnostic {
        Diagnostic::error(
            format!("Someone else is changing the {}", self.subject()),
            format!(
                "Right after this apply wrote it, Tencent sent {}. The provider left it as it is, because \
                 overwrite_existing is false. Find out what else changes it (the console, a script, or another \
                 Terraform state), then run a new plan.",
                describe(found)
            ),
        )
    }

    fn does_not_hold(&self, wanted: &CallbackConfiguration, found: Option<&CallbackConfiguration>) -> Diagnostic {
        Diagnostic::error(
            format!("The {} differs from what was written", self.subject()),
            format!(
                "This apply wrote it twice: {}. Tencent accepted it each time, but then {}. Find out what else changes \
                 it: the console, a script, or another Terraform state. The next plan will show what is there.",
                describe(wanted),
                found.map_or_else(|| "had none".to_owned(), |found| format!("sent {}", describe(found))),
            ),
        )
    }

    /// What a person must know for as long as that is so.
    pub(crate) fn stores_own_form(
        &self,
        written: &CallbackConfiguration,
        stored: &CallbackConfiguration,
    ) -> Diagnostic {
        let difference = match written.own_form(stored) {
            Some(OwnForm::FewerCommands) => "fewer callback commands than it received",
            Some(OwnForm::MoreCommands) => "more callback commands than it received",
            Some(OwnForm::Spelling) | None => "a different spelling of what it received",
        };
        Diagnostic::warning(
            format!("Tencent stores the {} differently", self.subject()),
            format!(
                "Tencent stores {difference}. The provider wrote {}. Tencent stores {}. Terraform shows no difference \
                 until that changes. To stop this warning, write the configuration the way Tencent stores it.",
                describe(written),
                describe(stored),
            ),
        )
    }

    async fn read_back(&self) -> Result<Option<CallbackConfiguration>, Error> {
        let read = self.read(&self.reading_back()).await;
        read.inspect_err(|error| tracing::warn!(%error, "the written configuration could not be read back"))
    }

    /// After a failed call: looks for what holds, unless it is certain that nothing was done.
    async fn find_out(&self, deed: Deed<'_>, error: &Error, cx: &mut Context) -> Result<(), Unwritten> {
        let failure = self.failed(deed.name(), error);
        if !error.may_have_taken_effect {
            return Err(failure.into());
        }
        let found = self.look_after(error, self.read(&self.patience), self.read(&Patience::of(LAST_LOOK))).await;
        let holds = |found: Option<&CallbackConfiguration>| {
            found.map_or_else(|| "has none".to_owned(), |found| format!("sends {}", describe(found)))
        };
        let is_same = CallbackConfiguration::is_equivalent;
        cx.warn(self.found_out(deed, failure, found, is_same, "configuration", holds)?);
        Ok(())
    }
}

/// What a first look after a write found instead of what was written.
fn right_after(first: Option<&CallbackConfiguration>) -> String {
    let found = first.map_or_else(|| "there was none".to_owned(), |first| format!("Tencent sent {}", describe(first)));
    format!("Right after this apply wrote it, {found}.")
}

fn replaced_by(wanted: &CallbackConfiguration) -> String {
    format!("This apply replaces it with {}.", describe(wanted))
}
