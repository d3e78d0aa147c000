//! The callback configuration of any service, for one operation: read, deleted, and written so that the outcome is known.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::claims::{Claims, Reading};
use super::service::Subject;
use super::{describe, refused_to_overwrite};
use crate::provider::applications::OfService;
use crate::provider::checks;
use crate::tencent::{
    ALREADY_CONFIGURED, App, CallbackConfiguration, Error, ErrorKind, OwnForm, Patience, SdkAppId, Service,
};
use crate::terraform::{Attr, Context, Diagnostic, Diagnostics, Number, Severity};

/// How long to look at most for what holds after a write.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// The same when the operation was interrupted.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How long a look is as good as a new one. Terraform plans an object once more right before it applies the plan.
const FRESH: Duration = Duration::from_secs(5);

/// How often a write starts anew because somebody else has created the configuration in between.
const RACES: usize = 3;

/// An application's callback configuration, while an operation lasts.
#[derive(Debug)]
pub(crate) struct Callback<'a> {
    tencent: OfService<'a>,
    app: Arc<App>,
    record: Arc<Record>,
    patience: Patience,
    /// Whether what it finds is shown without the URL's path.
    hides_url: bool,
}

/// What this run of Terraform has found and done at one application and service.
#[derive(Debug)]
pub(crate) struct Record {
    subject: Subject,
    pub(crate) claims: Claims,
    /// The last write. Locked while it is written or deleted: the two exclude each other.
    written: tokio::sync::Mutex<Option<Write>>,
    /// What an object was that Terraform has let go of: if that is still there, it is nobody else's.
    released: Mutex<Option<CallbackConfiguration>>,
    looked: Mutex<Option<Look>>,
}

/// A write, or one that may have taken effect.
#[derive(Debug)]
struct Write {
    /// That of the object for which it was made: its `last_request_id`.
    request_id: Option<String>,
    configuration: CallbackConfiguration,
}

impl Write {
    /// Whether it was made for the object of this `last_request_id`. No two writes share one, but some have none.
    fn is_of(&self, last_request_id: Option<&String>) -> bool {
        last_request_id.is_some_and(|id| !id.is_empty() && self.request_id.as_ref() == Some(id))
    }
}

#[derive(Debug, Clone)]
struct Look {
    at: Instant,
    found: Option<CallbackConfiguration>,
}

impl Record {
    pub(crate) fn of(subject: Subject) -> Self {
        Self {
            subject,
            claims: Claims::default(),
            written: tokio::sync::Mutex::default(),
            released: Mutex::default(),
            looked: Mutex::default(),
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether this run has written it, or may have.
    pub(crate) fn has_written(&self) -> bool {
        // Locked: it is being written or deleted.
        self.written.try_lock().map_or(true, |written| written.is_some())
    }

    /// What a look of a moment ago found, if there was one.
    pub(crate) fn fresh_look(&self) -> Option<Option<CallbackConfiguration>> {
        let look = self.looked().clone()?;
        (look.at.elapsed() < FRESH).then_some(look.found)
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, Option<Look>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to say of two objects that want different things.
    pub(crate) fn managed_twice(&self, other: &CallbackConfiguration, wanted: &CallbackConfiguration) -> Diagnostic {
        Diagnostic::error(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource with this provider manages the same application. It sends {}; this one sends {}. An \
                 application has only one {} callback configuration: remove one of the two resources, or change its \
                 sdk_app_id.",
                describe(other),
                describe(wanted),
                self.subject.service.name,
            ),
        )
        .on("sdk_app_id")
    }

    /// What to say of a deletion that would have deleted what another object wants.
    pub(crate) fn not_deleted(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} is left to another object", self.subject),
            format!(
                "Terraform holds several objects for this application, which has only one {} callback configuration. \
                 Destroying this one deletes nothing at Tencent: the configuration stays as long as another of these objects \
                 does.",
                self.subject.service.name
            ),
        )
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
#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(crate) diagnostic: Diagnostic,
    /// What is there instead, if something is and it could be read.
    pub(crate) found: Option<CallbackConfiguration>,
}

impl From<Diagnostic> for Unwritten {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, found: None }
    }
}

/// What is to be done at Tencent.
#[derive(Debug, Clone, Copy)]
enum Deed<'a> {
    Write(&'a CallbackConfiguration),
    Delete,
}

impl Deed<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Write(_) => "Writing the",
            Self::Delete => "Deleting the",
        }
    }

    fn participle(self) -> &'static str {
        match self {
            Self::Write(_) => "written",
            Self::Delete => "deleted",
        }
    }

    /// Whether it has been done if `found` is there now.
    fn is_done(self, found: Option<&CallbackConfiguration>) -> bool {
        match (self, found) {
            (Self::Write(wanted), Some(found)) => found.is_equivalent(wanted),
            (Self::Delete, None) => true,
            _ => false,
        }
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
        let patience = Patience { deadline: Instant::now() + timeout, stop: cx.stop().clone(), end: cx.end().clone() };
        Self { tencent, app, record, patience, hides_url: false }
    }

    /// The same with no more time than this.
    pub(crate) fn within(mut self, longest: Duration) -> Self {
        self.patience.deadline = self.patience.deadline.min(Instant::now() + longest);
        self
    }

    /// The same for an object whose URL is secret, if it is.
    pub(crate) fn hiding_url(mut self, is_secret: bool) -> Self {
        self.hides_url |= is_secret;
        self
    }

    pub(crate) fn sdk_app_id(&self) -> SdkAppId {
        self.app.sdk_app_id()
    }

    pub(crate) fn subject(&self) -> Subject {
        self.record.subject
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn tencent(&self) -> OfService<'a> {
        self.tencent
    }

    fn api(&self) -> Service {
        self.tencent.service().api
    }

    /// Waits for its turn to be read: see [`Claims::read`].
    pub(crate) async fn turn_to_read(&self) -> Result<Reading<'_>, Diagnostic> {
        self.patiently(self.record.claims.read()).await.map_err(|why| {
            Diagnostic::error(
                format!("Reading the {} failed", self.subject()),
                format!("While Terraform read another object of the same application, {why}. Nothing was changed."),
            )
        })
    }

    /// Where its calls go.
    pub(crate) fn endpoint(&self) -> String {
        self.app.endpoint().to_string()
    }

    /// Reads it; `None` if there is none.
    pub(crate) async fn look(&self) -> Result<Option<CallbackConfiguration>, Error> {
        let found = self.read(&self.patience).await?;
        *self.record.looked() = Some(Look { at: Instant::now(), found: found.clone() });
        Ok(found)
    }

    async fn read(&self, patience: &Patience) -> Result<Option<CallbackConfiguration>, Error> {
        Ok(self.shown(self.tencent.client.get_callback(&self.app, self.api(), patience).await?))
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
        let what = format!("{doing} {} callback configuration", self.subject().service.name);
        checks::call_failed(&what, &self.app, error)
    }

    /// Whether this run has let go of what was `found`, and left it there.
    pub(crate) fn is_released(&self, found: &CallbackConfiguration) -> bool {
        self.released().as_ref().is_some_and(|released| released.is_equivalent(found))
    }

    /// Notes that Terraform lets go of this, and leaves it there.
    pub(crate) fn release(&self, left: Option<CallbackConfiguration>) {
        *self.released() = left;
    }

    fn released(&self) -> std::sync::MutexGuard<'_, Option<CallbackConfiguration>> {
        self.record.released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes it for the object of this `last_request_id`; none to delete is a success. `is_expected` tells what the
    /// plan showed from what somebody else has set since; with `guarded`, the latter is not deleted.
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
            self.release(Some(found));
            return Ok(());
        }
        if let Err(error) = self.tencent.client.delete_callback(&self.app, self.api(), &self.writing()).await {
            self.find_out(Deed::Delete, &error, cx).await?;
        }
        *written = None;
        *self.record.looked() = None;
        self.release(None);
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
        let told = self.record.looked().clone().and_then(|look| look.found);
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
    /// somebody else has set since; with `guarded`, the latter is not replaced.
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
            *written = Some(Write { request_id: last_request_id.cloned(), configuration: wanted.clone() });
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
        written: &Option<Write>,
        last_request_id: Option<&String>,
        wanted: &CallbackConfiguration,
    ) -> Result<(), Diagnostic> {
        match written {
            Some(write) if !write.is_of(last_request_id) && !write.configuration.is_equivalent(wanted) => {
                Err(self.record.managed_twice(&write.configuration, wanted))
            }
            _ => Ok(()),
        }
    }

    /// Somebody else has set something after the plan was made.
    fn changed_since(&self, found: &CallbackConfiguration, outcome: &str) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} has changed since the plan", self.subject()),
            format!("Before the apply, Tencent sent {}. The plan did not show that. {outcome}", describe(found)),
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

    /// Waits until no other resource of this process writes or deletes it.
    async fn lock(&self) -> Result<tokio::sync::MutexGuard<'_, Option<Write>>, Diagnostic> {
        self.record.claims.clear();
        self.patiently(self.record.written.lock()).await.map_err(|why| {
            Diagnostic::error(
                format!("Another resource is writing the {}", self.subject()),
                format!("While this one waited for it, {why}. An application should have one such resource."),
            )
        })
    }

    /// Waits for something here, or returns why it was not waited for any longer.
    async fn patiently<T>(&self, something: impl Future<Output = T>) -> Result<T, &'static str> {
        tokio::select! {
            biased;
            done = something => Ok(done),
            () = self.patience.interrupted() => Err("the operation was interrupted"),
            () = sleep_until(self.patience.deadline) => Err("the operation's timeout ran out"),
        }
    }

    /// Writes, and finds out what holds afterwards. `exists` is whether the last look found one.
    async fn write(
        &self,
        wanted: &CallbackConfiguration,
        exists: bool,
        is_expected: &(dyn Fn(&CallbackConfiguration) -> bool + Sync),
        guarded: bool,
        written: &mut Option<Write>,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut outcome = self.set(wanted, exists).await;
        for _ in 0..RACES {
            let Some(refusal) = outcome.as_ref().err().filter(|error| error.is(ALREADY_CONFIGURED)).cloned() else {
                break;
            };
            // What somebody else has just set, or what an attempt of this write has left.
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
                        true => "This apply may have written its own before that.",
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
        *written = Some(Write { request_id, configuration: wanted.clone() });
        self.release(None);
        *self.record.looked() = None;
        outcome
    }

    async fn set(&self, configuration: &CallbackConfiguration, exists: bool) -> Result<String, Error> {
        self.tencent.client.write_callback(&self.app, self.api(), configuration, exists, &self.writing()).await
    }

    /// The time for a write: a part is kept for finding out what holds, whatever becomes of it.
    fn writing(&self) -> Patience {
        let left = self.patience.deadline.saturating_duration_since(Instant::now());
        Patience { deadline: self.patience.deadline - LONGEST_LOOK.min(left / 4), ..self.patience.clone() }
    }

    /// Reads back what was written. A service may keep it in a form of its own; anything else is somebody else's.
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

        // Written once more, what somebody else set is gone, and a form of Tencent's own comes back the same.
        let (request_id, second) = match self.set(wanted, first.is_some()).await {
            Ok(request_id) => (request_id, self.read_back().await),
            Err(_) => (request_id, Ok(first.clone())),
        };
        let Ok(second) = second else { return Ok(as_written(request_id)) };
        if second.as_ref().is_some_and(|second| second.is_equivalent(wanted)) {
            cx.warn(self.wrote_twice(first.as_ref()));
            return Ok(as_written(request_id));
        }
        match second {
            Some(second) if first.as_ref() == Some(&second) && somebody_elses.is_none() => {
                cx.warn(self.stores_own_form(wanted, &second));
                Ok(Written { request_id: Some(request_id), stored_as: Some(second) })
            }
            second => Err(Unwritten { diagnostic: self.does_not_hold(wanted, second.as_ref()), found: second }),
        }
    }

    fn wrote_twice(&self, first: Option<&CallbackConfiguration>) -> Diagnostic {
        Diagnostic::warning(
            format!("Somebody else also changes the {}", self.subject()),
            format!(
                "Right after this apply wrote it, {}. This apply wrote it once more, which replaced that. Find out who \
                 else sets it: the console, a script, or another Terraform state.",
                first.map_or_else(|| "there was none".to_owned(), |first| format!("Tencent sent {}", describe(first)))
            ),
        )
    }

    fn refuses_rewrite(&self, found: &CallbackConfiguration) -> Diagnostic {
        Diagnostic::error(
            format!("Somebody else also changes the {}", self.subject()),
            format!(
                "Right after this apply wrote it, Tencent sent {}. It was left as it is, because overwrite_existing is \
                 false. Find out who else sets it (the console, a script, or another Terraform state), then run a new \
                 plan.",
                describe(found)
            ),
        )
    }

    fn does_not_hold(&self, wanted: &CallbackConfiguration, found: Option<&CallbackConfiguration>) -> Diagnostic {
        Diagnostic::error(
            format!("The {} is not what was written", self.subject()),
            format!(
                "This apply wrote it twice: {}. Each time Tencent accepted it, but then {}. Find out who else sets it: \
                 the console, a script, or another Terraform state. The next plan will show what is there.",
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
            Some(OwnForm::FewerCommands) => "fewer callback commands than it was given",
            Some(OwnForm::MoreCommands) => "more callback commands than it was given",
            Some(OwnForm::Spelling) | None => "another spelling of what it was given",
        };
        Diagnostic::warning(
            format!("Tencent stores the {} differently", self.subject()),
            format!(
                "Tencent stores {difference}. It was given {}. It stores {}. Terraform shows no difference as long as \
                 that stays so. To end this warning, write the configuration the way Tencent stores it.",
                describe(written),
                describe(stored),
            ),
        )
    }

    async fn read_back(&self) -> Result<Option<CallbackConfiguration>, Error> {
        let deadline = self.patience.deadline.min(Instant::now() + LONGEST_LOOK);
        let read = self.read(&Patience { deadline, ..self.patience.clone() }).await;
        read.inspect_err(|error| tracing::warn!(%error, "the written configuration could not be read back"))
    }

    /// After a failed call: looks for what holds, unless it is certain that nothing was done.
    async fn find_out(&self, deed: Deed<'_>, error: &Error, cx: &mut Context) -> Result<(), Unwritten> {
        let participle = deed.participle();
        let mut diagnostic = self.failed(deed.name(), error);
        if !error.may_have_taken_effect {
            return Err(diagnostic.into());
        }
        let found = self.look_after(error).await;
        match &found {
            Ok(found) if deed.is_done(found.as_ref()) => {
                diagnostic.summary = format!("The {} was {participle}, unconfirmed", self.subject());
                diagnostic.severity = Severity::Warning;
                diagnostic.detail += match found {
                    Some(_) => "\n\nReading it back shows that the configuration is as planned.",
                    None => "\n\nReading it back shows that it is gone.",
                };
                cx.warn(diagnostic);
                return Ok(());
            }
            Ok(found) => {
                let holds =
                    found.as_ref().map_or_else(|| "has none".to_owned(), |found| format!("sends {}", describe(found)));
                diagnostic.detail +=
                    &format!("\n\nReading it back shows that it was not {participle}: the application {holds}.");
            }
            Err(_) => {
                diagnostic.detail += &format!(
                    "\n\nIt may have been {participle} all the same, and reading it back failed as well. The next plan \
                     will show what is there."
                );
            }
        }
        Err(Unwritten { diagnostic, found: found.ok().flatten() })
    }

    async fn look_after(&self, error: &Error) -> Result<Option<CallbackConfiguration>, Error> {
        if error.kind != ErrorKind::Stopped {
            return self.read(&self.patience).await;
        }
        // Terraform waits for the end; some time is left to find out.
        tokio::select! {
            found = self.read_unstopped() => found,
            () = self.patience.grace(LAST_LOOK) => Err(error.clone()),
        }
    }

    async fn read_unstopped(&self) -> Result<Option<CallbackConfiguration>, Error> {
        self.read(&Patience::of(LAST_LOOK)).await
    }
}

fn replaced_by(wanted: &CallbackConfiguration) -> String {
    format!("This apply replaces it with {}.", describe(wanted))
}
