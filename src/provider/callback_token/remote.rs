//! The callback token of an application, for one operation: read, deleted, and written so that the outcome is known.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Subject, consequence, describe, refused_to_overwrite};
use crate::provider::applications::Tencent;
use crate::provider::callback::attempt::{self, Attempt, LAST_LOOK};
use crate::provider::callback::claims::Reading;
use crate::provider::callback::memory::Origin;
use crate::provider::callback::record::{self, Write};
use crate::provider::{checks, live};
use crate::tencent::{App, CallbackToken, Error, Patience};
use crate::terraform::{Context, Diagnostic};

/// An application's callback token, while an operation lasts.
#[derive(Debug)]
pub(crate) struct Remote<'a> {
    tencent: &'a Tencent,
    attempt: Attempt<Subject, CallbackToken>,
    /// What Tencent may quote in an error, and no message may show.
    secrets: Vec<SecretString>,
}

/// What this run of Terraform has found and done at one application.
pub(crate) type Record = record::Record<Subject, CallbackToken>;

impl Record {
    /// What to say of two objects that want different things.
    pub(super) fn managed_twice(&self) -> Diagnostic {
        Diagnostic::error(
            format!("Two resources for the {}", self.subject),
            "Another resource of this provider manages the same token, and the two differ in the token or in enabled. \
             An application has only one Live callback token: remove one of the two resources, or change its \
             sdk_app_id.",
        )
        .on("sdk_app_id")
    }
}

/// A write or a deletion that did not take effect, or possibly not.
pub(crate) type Unwritten = attempt::Unwritten<CallbackToken>;

type Deed<'a> = attempt::Deed<'a, CallbackToken>;

impl Deref for Remote<'_> {
    type Target = Attempt<Subject, CallbackToken>;

    fn deref(&self) -> &Self::Target {
        &self.attempt
    }
}

impl<'a> Remote<'a> {
    /// That of `app`.
    pub(crate) fn with(tencent: &'a Tencent, app: Arc<App>, timeout: Duration, cx: &Context) -> Self {
        let record = tencent.token_record(app.sdk_app_id());
        Self { tencent, attempt: Attempt::new(app, record, timeout, cx), secrets: Vec::new() }
    }

    /// The same with no more time than this.
    pub(crate) fn within(self, longest: Duration) -> Self {
        Self { attempt: self.attempt.within(longest), ..self }
    }

    /// The same without `secret` in what Tencent says.
    pub(super) fn masking(mut self, secret: Option<&SecretString>) -> Self {
        self.secrets.extend(secret.cloned());
        self
    }

    /// How it is reached.
    pub(super) fn origin(&self) -> Origin {
        Origin::of(self.tencent, &self.app)
    }

    /// Waits for its turn to be read: see [`Claims::read`](crate::provider::callback::claims::Claims::read).
    pub(super) async fn turn_to_read(&self) -> Result<Reading<'_, CallbackToken>, Diagnostic> {
        self.patiently(self.record.claims.read()).await.map_err(|why| {
            Diagnostic::error(
                format!("Reading the {} failed", self.subject()),
                format!(
                    "While Terraform was reading another object of the same application, {why}. Nothing was \
                     changed."
                ),
            )
        })
    }

    /// Reads it; `None` if there is none.
    pub(super) async fn look(&self) -> Result<Option<CallbackToken>, Error> {
        let found = self.read(&self.patience).await?;
        self.record.note_look(found.clone());
        Ok(found)
    }

    async fn read(&self, patience: &Patience) -> Result<Option<CallbackToken>, Error> {
        self.tencent.client.get(&self.app, live::API, patience).await
    }

    /// Reads it; `None` if there is none.
    pub(crate) async fn get(&self) -> Result<Option<CallbackToken>, Diagnostic> {
        self.look().await.map_err(|error| self.failed("Reading the", &error))
    }

    /// A failed call, for a person. `doing` is what was attempted, such as "Reading the".
    pub(super) fn failed(&self, doing: &str, error: &Error) -> Diagnostic {
        let looked = self.record.last_look();
        let secrets = self.secrets.iter().chain(looked.iter().map(|found| &found.token));
        let error = secrets.fold(error.clone(), |error, secret| error.masking(secret.expose_secret()));
        checks::call_failed(&format!("{doing} Live callback token"), &self.app, &error)
    }

    /// Whether this run has let go of what was `found`, and left it there.
    pub(super) fn is_released(&self, found: &CallbackToken) -> bool {
        self.record.released().is_some_and(|released| released.is_same(found))
    }

    /// Deletes it for the object of this `last_request_id`; none to delete is a success. `is_expected` tells what the
    /// plan showed from what someone else has set since; with `guarded`, the latter is not deleted.
    ///
    /// What this run has written for another object stays: to Tencent, the two are one. And what is `replaced` by the same
    /// application's stays until that overwrites it: deleted first, it would be lost if that failed.
    pub(super) async fn delete(
        &self,
        last_request_id: Option<&String>,
        is_expected: impl Fn(&CallbackToken) -> bool,
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
                return Err(Unwritten { diagnostic: self.refuses_changed(&found, "deleted"), found: Some(found) });
            }
            let outcome = if replaced { "This apply replaces it." } else { "This apply deletes it." };
            cx.warn(self.changed_since(&found, outcome));
        }
        if replaced {
            self.record.release(Some(found));
            return Ok(());
        }
        let deleted = self.tencent.client.delete::<CallbackToken>(&self.app, live::API, &self.writing()).await;
        if let Err(error) = deleted {
            self.find_out(Deed::Delete, &error, cx).await?;
        }
        *written = None;
        self.record.forget_look();
        self.record.release(None);
        Ok(())
    }

    /// Writes it for a resource that does not manage it yet. With `guarded`, what would be lost is refused. Returns Tencent's
    /// `RequestId`, if an answer with one arrived.
    pub(super) async fn create(
        &self,
        wanted: &CallbackToken,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Option<String>, Unwritten> {
        let mut written = self.lock().await?;
        self.check_rival(&written, None, wanted)?;
        if written.is_none() {
            let told = self.record.last_look();
            let found = match self.record.fresh_look() {
                Some(found) => found,
                None => self.inspect("Nothing was written.").await?,
            };
            if let Some(found) = found.filter(|found| !found.is_same(wanted) && !self.is_released(found)) {
                if guarded {
                    return Err(refused_to_overwrite(self.subject(), &found).into());
                }
                if !told.is_some_and(|told| told.is_same(&found)) {
                    cx.warn(self.changed_since(&found, &replaced_by(&found, wanted)));
                }
            }
        }
        self.write(wanted, guarded, &mut written, cx).await
    }

    /// Replaces it for the object of this `last_request_id`. `is_expected` tells what the plan showed from what somebody
    /// else has set since; with `guarded`, the latter is not replaced. Returns Tencent's `RequestId`, if an answer with one
    /// arrived.
    pub(super) async fn update(
        &self,
        last_request_id: Option<&String>,
        wanted: &CallbackToken,
        is_expected: impl Fn(&CallbackToken) -> bool,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Option<String>, Unwritten> {
        let mut written = self.lock().await?;
        self.check_rival(&written, last_request_id, wanted)?;
        if written.is_none()
            && let Some(found) = self.inspect("Nothing was written.").await?
            && !is_expected(&found)
            && !found.is_same(wanted)
        {
            if guarded {
                return Err(Unwritten { diagnostic: self.refuses_changed(&found, "written"), found: Some(found) });
            }
            cx.warn(self.changed_since(&found, &replaced_by(&found, wanted)));
        }
        self.write(wanted, guarded, &mut written, cx).await
    }

    /// Looks at what a write or a deletion is about to replace. `outcome` says what follows if that fails.
    async fn inspect(&self, outcome: &str) -> Result<Option<CallbackToken>, Diagnostic> {
        self.look().await.map_err(|error| {
            let mut diagnostic = self.failed("Checking the", &error);
            diagnostic.detail += &format!("\n\n{outcome}");
            diagnostic
        })
    }

    fn check_rival(
        &self,
        written: &Option<Write<CallbackToken>>,
        last_request_id: Option<&String>,
        wanted: &CallbackToken,
    ) -> Result<(), Diagnostic> {
        match written {
            Some(write) if !write.is_of(last_request_id) && !write.wanted.is_same(wanted) => {
                Err(self.record.managed_twice())
            }
            _ => Ok(()),
        }
    }

    /// Someone else has set something after the plan was made.
    fn changed_since(&self, found: &CallbackToken, outcome: &str) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} has changed since the plan", self.subject()),
            format!(
                "Just before this apply, the application had {}, which the plan did not show. {outcome}",
                describe(found)
            ),
        )
    }

    fn refuses_changed(&self, found: &CallbackToken, participle: &str) -> Diagnostic {
        Diagnostic::error(
            format!("The {} has changed since the plan", self.subject()),
            format!(
                "The application now has {}, which the plan did not show, and overwrite_existing is false. Nothing was \
                 {participle}. Run a new plan to see the change.",
                describe(found)
            ),
        )
        .on("overwrite_existing")
    }

    /// Writes, and finds out what holds afterwards.
    async fn write(
        &self,
        wanted: &CallbackToken,
        guarded: bool,
        written: &mut Option<Write<CallbackToken>>,
        cx: &mut Context,
    ) -> Result<Option<String>, Unwritten> {
        let outcome = match self.set(wanted).await {
            Ok(request_id) => self.confirm(wanted, request_id, guarded, cx).await,
            Err(error) if !error.may_have_taken_effect => {
                return Err(self.failed(Deed::Write(wanted).name(), &error).into());
            }
            Err(error) => {
                let found_out = self.find_out(Deed::Write(wanted), &error, cx).await;
                found_out.map(|()| None)
            }
        };
        // Also where it may have been written: no other object of this run deletes that.
        let request_id = outcome.as_ref().ok().cloned().flatten();
        *written = Some(Write { request_id, wanted: wanted.clone() });
        self.record.release(None);
        self.record.forget_look();
        outcome
    }

    async fn set(&self, token: &CallbackToken) -> Result<String, Error> {
        self.tencent.client.put(&self.app, live::API, token, true, &self.writing()).await
    }

    /// Reads back what was written. Anything else is someone else's.
    async fn confirm(
        &self,
        wanted: &CallbackToken,
        request_id: String,
        guarded: bool,
        cx: &mut Context,
    ) -> Result<Option<String>, Unwritten> {
        let holds = |found: &Option<CallbackToken>| Deed::Write(wanted).is_done(found.as_ref(), CallbackToken::is_same);
        // A write that was answered took effect: if it cannot be read back, the next plan reads it.
        let Ok(first) = self.read_back().await else { return Ok(Some(request_id)) };
        if holds(&first) {
            return Ok(Some(request_id));
        }
        if let Some(found) = first.as_ref().filter(|_| guarded) {
            return Err(Unwritten { diagnostic: self.refuses_rewrite(found), found: first });
        }
        // Written once more, what someone else set is gone.
        let rewritten = self.set(wanted).await;
        let second = match (self.read_back().await, &rewritten) {
            (Ok(second), _) => second,
            (Err(_), Ok(request_id)) => return Ok(Some(request_id.clone())),
            (Err(_), Err(_)) => first.clone(),
        };
        if holds(&second) {
            cx.warn(self.wrote_twice(first.as_ref()));
            return Ok(Some(rewritten.unwrap_or(request_id)));
        }
        let diagnostic = match &rewritten {
            Ok(_) => self.does_not_hold(second.as_ref()),
            Err(error) => self.not_rewritten(first.as_ref(), error),
        };
        Err(Unwritten { diagnostic, found: second })
    }

    fn wrote_twice(&self, first: Option<&CallbackToken>) -> Diagnostic {
        Diagnostic::warning(
            format!("Someone else is changing the {}", self.subject()),
            format!(
                "Right after this apply wrote it, the application had {}. This apply wrote it a second time, and that \
                 took effect. Find out what else changes it: the console, a script, or another Terraform state.",
                other_than_written(first)
            ),
        )
    }

    fn not_rewritten(&self, first: Option<&CallbackToken>, error: &Error) -> Diagnostic {
        let mut diagnostic = self.failed("Writing the", error);
        diagnostic.detail += &format!(
            "\n\nRight after this apply wrote it, the application had {}. Writing it a second time failed. Find out what \
             else changes it: the console, a script, or another Terraform state. The next plan will show what is there.",
            other_than_written(first)
        );
        diagnostic
    }

    fn refuses_rewrite(&self, found: &CallbackToken) -> Diagnostic {
        Diagnostic::error(
            format!("Someone else is changing the {}", self.subject()),
            format!(
                "Right after this apply wrote it, the application had {}. The provider left it as it is, because \
                 overwrite_existing is false. Find out what else changes it (the console, a script, or another \
                 Terraform state), then run a new plan.",
                other_than_written(Some(found))
            ),
        )
    }

    fn does_not_hold(&self, found: Option<&CallbackToken>) -> Diagnostic {
        Diagnostic::error(
            format!("The {} differs from what was written", self.subject()),
            format!(
                "This apply wrote it twice. Tencent accepted it each time, but then the application had {}. Find out \
                 what else changes it: the console, a script, or another Terraform state. The next plan will show what \
                 is there.",
                other_than_written(found)
            ),
        )
    }

    async fn read_back(&self) -> Result<Option<CallbackToken>, Error> {
        let read = self.read(&self.reading_back()).await;
        read.inspect_err(|error| tracing::warn!(%error, "the written token could not be read back"))
    }

    /// After a failed call that may have taken effect: looks for what holds.
    async fn find_out(&self, deed: Deed<'_>, error: &Error, cx: &mut Context) -> Result<(), Unwritten> {
        let failure = self.failed(deed.name(), error);
        if !error.may_have_taken_effect {
            return Err(failure.into());
        }
        let found = self.look_after(error, self.read(&self.patience), self.read(&Patience::of(LAST_LOOK))).await;
        let was_written = matches!(deed, Deed::Write(_));
        let holds = |found: Option<&CallbackToken>| match found {
            Some(found) if !was_written => format!("has {}", describe(found)),
            found => format!("has {}", other_than_written(found)),
        };
        cx.warn(self.found_out(deed, failure, found, CallbackToken::is_same, "token", holds)?);
        Ok(())
    }
}

fn replaced_by(found: &CallbackToken, wanted: &CallbackToken) -> String {
    format!("This apply replaces it. {}", consequence(found, Some(wanted)))
}

/// What is there in the place of what was written.
fn other_than_written(found: Option<&CallbackToken>) -> &'static str {
    match found {
        None => "none",
        Some(CallbackToken { enabled: true, .. }) => "an enabled token that differs from what was written",
        Some(CallbackToken { enabled: false, .. }) => "a disabled token that differs from what was written",
    }
}
