//! One operation on what an application has one of, while it lasts: how long that may be, and whom it waits for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep_until};

use super::record::{OneOfItsKind, Record, Write};
use crate::tencent::{App, Error, ErrorKind, Patience, SdkAppId};
use crate::terraform::{Context, Diagnostic, Severity};

/// How long to look at most for what holds after a write.
pub(crate) const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// The same when the operation was interrupted.
pub(crate) const LAST_LOOK: Duration = Duration::from_secs(5);

/// An operation on the `S` of an application, which at Tencent is a `W`.
#[derive(Debug)]
pub(crate) struct Attempt<S, W> {
    pub(crate) app: Arc<App>,
    pub(crate) record: Arc<Record<S, W>>,
    pub(crate) patience: Patience,
}

impl<S: OneOfItsKind + Copy, W: Clone> Attempt<S, W> {
    pub(crate) fn new(app: Arc<App>, record: Arc<Record<S, W>>, timeout: Duration, cx: &Context) -> Self {
        let patience = Patience { deadline: Instant::now() + timeout, stop: cx.stop().clone(), end: cx.end().clone() };
        Self { app, record, patience }
    }

    /// The same with no more time than this.
    pub(crate) fn within(mut self, longest: Duration) -> Self {
        self.patience.deadline = self.patience.deadline.min(Instant::now() + longest);
        self
    }

    pub(crate) fn sdk_app_id(&self) -> SdkAppId {
        self.app.sdk_app_id()
    }

    pub(crate) fn subject(&self) -> S {
        self.record.subject
    }

    pub(crate) fn record(&self) -> &Record<S, W> {
        &self.record
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Waits for something here, or returns why it was not waited for any longer.
    pub(crate) async fn patiently<T>(&self, something: impl Future<Output = T>) -> Result<T, &'static str> {
        tokio::select! {
            biased;
            done = something => Ok(done),
            () = self.patience.interrupted() => Err("the operation was interrupted"),
            () = sleep_until(self.patience.deadline) => Err("the operation's timeout ran out"),
        }
    }

    /// Waits until no other resource of this process writes or deletes it.
    pub(crate) async fn lock(&self) -> Result<MutexGuard<'_, Option<Write<W>>>, Diagnostic> {
        self.record.claims.clear();
        self.patiently(self.record.written.lock()).await.map_err(|why| {
            Diagnostic::error(
                format!("Another resource is writing the {}", self.subject()),
                format!("While this resource waited for it, {why}. Manage it with only one resource."),
            )
        })
    }

    /// The time for a write: a part is kept for finding out what holds, whatever becomes of it.
    pub(crate) fn writing(&self) -> Patience {
        let left = self.patience.deadline.saturating_duration_since(Instant::now());
        Patience { deadline: self.patience.deadline - LONGEST_LOOK.min(left / 4), ..self.patience.clone() }
    }

    /// The time for reading back what was written.
    pub(crate) fn reading_back(&self) -> Patience {
        let deadline = self.patience.deadline.min(Instant::now() + LONGEST_LOOK);
        Patience { deadline, ..self.patience.clone() }
    }

    /// What is there after this failure, as `read` says. An interruption ends that as well: then `unstopped` says it, which
    /// takes no longer than [`LAST_LOOK`].
    pub(crate) async fn look_after(
        &self,
        error: &Error,
        read: impl Future<Output = Result<Option<W>, Error>>,
        unstopped: impl Future<Output = Result<Option<W>, Error>>,
    ) -> Result<Option<W>, Error> {
        if error.kind != ErrorKind::Stopped {
            return read.await;
        }
        // Terraform waits for the end; some time is left to find out.
        tokio::select! {
            found = unstopped => found,
            () = self.patience.grace(LAST_LOOK) => Err(error.clone()),
        }
    }

    /// What to say of a failed call that may have taken effect, after a look at what is there. `failure` says what failed,
    /// `what` is as planned or not, and `holds` is what the application does with what it has, such as "has none".
    pub(crate) fn found_out(
        &self,
        deed: Deed<'_, W>,
        mut failure: Diagnostic,
        found: Result<Option<W>, Error>,
        is_same: impl Fn(&W, &W) -> bool,
        what: &str,
        holds: impl FnOnce(Option<&W>) -> String,
    ) -> Result<Diagnostic, Unwritten<W>> {
        let participle = deed.participle();
        match &found {
            Ok(found) if deed.is_done(found.as_ref(), is_same) => {
                failure.summary = format!("The {} was {participle}, unconfirmed", self.subject());
                failure.severity = Severity::Warning;
                failure.detail += &match found {
                    Some(_) => format!("\n\nReading it back shows that the {what} is as planned."),
                    None => "\n\nReading it back shows that it is gone.".to_owned(),
                };
                return Ok(failure);
            }
            Ok(found) => {
                failure.detail += &format!(
                    "\n\nReading it back shows that it was not {participle}: the application {}. If the request arrives \
                     later, the next plan shows it.",
                    holds(found.as_ref())
                );
            }
            Err(_) => {
                failure.detail += &format!(
                    "\n\nIt may have been {participle} all the same, and reading it back failed as well. The next plan \
                     will show what is there."
                );
            }
        }
        Err(Unwritten { diagnostic: failure, found: found.ok().flatten() })
    }
}

/// A write or a deletion that did not take effect, or possibly not.
#[derive(Debug)]
pub(crate) struct Unwritten<W> {
    pub(crate) diagnostic: Diagnostic,
    /// What is there instead, if something is and it could be read.
    pub(crate) found: Option<W>,
}

impl<W> From<Diagnostic> for Unwritten<W> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, found: None }
    }
}

/// What is to be done at Tencent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'a, W> {
    Write(&'a W),
    Delete,
}

impl<W> Deed<'_, W> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Write(_) => "Writing the",
            Self::Delete => "Deleting the",
        }
    }

    pub(crate) fn participle(&self) -> &'static str {
        match self {
            Self::Write(_) => "written",
            Self::Delete => "deleted",
        }
    }

    /// Whether it has been done if `found` is there now.
    pub(crate) fn is_done(&self, found: Option<&W>, is_same: impl Fn(&W, &W) -> bool) -> bool {
        match (self, found) {
            (Self::Write(wanted), Some(found)) => is_same(found, wanted),
            (Self::Delete, None) => true,
            _ => false,
        }
    }
}
