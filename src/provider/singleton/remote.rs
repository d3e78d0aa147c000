//! One operation at Tencent: reading, waiting, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep_until};

use super::history::LONGEST_LAG;
use super::ledger::{Reading, Write};
use super::memory::{Key, Origin};
use super::messages::call_failed;
use super::{Arguments, Content, Kind, LedgerOf, Scope, Subject};
use crate::tencent::{App, Error, ErrorKind, Patience, Stored};
use crate::terraform::{Context, Diagnostic};

/// The pause before a stale read is repeated. It doubles each time, up to the last one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The remote object of one application at Tencent, while an operation lasts.
#[derive(Debug)]
pub(crate) struct Remote<'a, K: Kind> {
    pub(super) scope: Scope<'a, K>,
    pub(super) app: Arc<App>,
    pub(super) ledger: LedgerOf<K>,
    pub(super) patience: Patience,
    /// Whether messages show as little of the secret part as possible.
    conceals: bool,
    /// Texts that Tencent may quote in an error, and no message may show.
    secrets: Vec<SecretString>,
}

impl<'a, K: Kind> Remote<'a, K> {
    /// Begins an operation that may take as long as `timeout`.
    pub(crate) fn new(scope: Scope<'a, K>, app: Arc<App>, timeout: Duration, cx: &Context) -> Self {
        let ledger = scope.ledgers().of(app.sdk_app_id());
        let (stop, end) = (cx.stop().clone(), cx.end().clone());
        let patience = Patience { deadline: Instant::now() + timeout, longest: None, stop, end };
        Self { scope, app, ledger, patience, conceals: false, secrets: Vec::new() }
    }

    /// Shortens each call to at most `longest`, apart from waiting for its turn.
    pub(super) fn within(mut self, longest: Duration) -> Self {
        self.patience.longest = Some(longest);
        self
    }

    /// Keeps the secret of `arguments` out of messages.
    pub(super) fn concealing(mut self, arguments: &K::Arguments) -> Self {
        self.conceals |= arguments.is_write_only();
        self.secrets.extend(arguments.unquotable().cloned());
        self
    }

    /// Names the remote object, for messages.
    pub(crate) fn subject(&self) -> Subject<K> {
        Subject { kind: self.scope.kind, id: self.app.sdk_app_id() }
    }

    /// Returns the provider settings that lead to the remote object.
    pub(super) fn origin(&self) -> Origin {
        Origin::of(self.scope.apps, &self.app, self.scope.kind.service().version)
    }

    /// Reads the remote object; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) async fn get(&self) -> Result<Option<K::Content>, Diagnostic> {
        self.look().await.map_err(|error| self.failed("Reading the", &error))
    }

    /// Reads the remote object, and notes in the ledger what was found.
    pub(super) async fn look(&self) -> Result<Option<K::Content>, Error> {
        self.look_within(&self.patience).await
    }

    /// Does what [`look`](Self::look) does, with `patience` instead of the operation's.
    pub(super) async fn look_within(&self, patience: &Patience) -> Result<Option<K::Content>, Error> {
        let found = self.read(patience).await?;
        self.ledger.note_read(found.clone());
        Ok(found)
    }

    /// Reads the remote object, with `patience` instead of the operation's. While a read shows what this process has
    /// just replaced, it is stale: reads again, as long as patience and the longest lag allow.
    pub(super) async fn read(&self, patience: &Patience) -> Result<Option<K::Content>, Error> {
        let mut pause = FIRST_PAUSE;
        let mut stale = None;
        loop {
            let found = match (self.read_once(patience).await, stale) {
                // The time is over.
                (Err(Error { kind: ErrorKind::Timeout { .. }, .. }), Some(stale)) => return Ok(stale),
                (read, _) => read?,
            };
            let next = Instant::now() + pause;
            let may_wait = |until: Instant| next < until.min(patience.deadline);
            if !self.ledger.history.stale_until(found.as_ref()).is_some_and(may_wait) {
                return Ok(found);
            }
            tracing::debug!(sdk_app_id = %self.app.sdk_app_id(), ?pause, "the read is stale");
            tokio::select! {
                () = sleep_until(next) => pause = LAST_PAUSE.min(2 * pause),
                () = patience.interrupted() => return Ok(found),
                () = self.patience.end.cancelled() => return Ok(found),
            }
            stale = Some(found);
        }
    }

    async fn read_once(&self, patience: &Patience) -> Result<Option<K::Content>, Error> {
        let Scope { apps, kind } = self.scope;
        Ok(self.shown(apps.client.get(&self.app, kind.service(), patience).await?))
    }

    /// Returns what a read of a moment ago found, if there was one.
    pub(super) fn fresh_read(&self) -> Option<Option<K::Content>> {
        self.ledger.fresh_read().map(|found| self.shown(found))
    }

    fn shown(&self, found: Option<K::Content>) -> Option<K::Content> {
        if self.conceals { found.map(K::Content::concealed) } else { found }
    }

    /// Builds the diagnostic for a failed call. `doing` is what was attempted, such as "Reading the".
    pub(super) fn failed(&self, doing: &str, error: &Error) -> Diagnostic {
        let last_read = self.ledger.last_read();
        let secrets = self.secrets.iter().chain(last_read.as_ref().and_then(Stored::secret));
        let error = secrets.fold(error.clone(), |error, secret| error.masking(secret.expose_secret()));
        let kind = self.scope.kind;
        call_failed(&format!("{doing} {}", kind.name()), &self.app, kind.service().version, &error)
    }

    /// Adds to a failure that the application has none now, if this apply has deleted it.
    pub(super) fn naming_loss(&self, mut failure: Diagnostic) -> Diagnostic {
        if self.ledger.has_deleted() {
            failure.detail += &self.subject().has_none_now();
        }
        failure
    }

    /// Waits for the turn to read the object of `key`: see [`Ledger::begin_reading`](super::Ledger::begin_reading).
    pub(super) async fn turn_to_read(&self, key: &Key) -> Result<Reading<'_, K::Content>, Diagnostic> {
        self.patiently(self.ledger.begin_reading(key)).await.map_err(|why| {
            Diagnostic::error(
                format!("Reading the {} failed", self.subject()),
                format!(
                    "While Terraform was reading another object of the same {}, {why}. Nothing was changed.",
                    K::Content::NOUN
                ),
            )
        })
    }

    /// Waits until no other object of this process is written or deleted. The guard holds the last write.
    pub(super) async fn lock(&self) -> Result<MutexGuard<'_, Option<Write<K::Content>>>, Diagnostic> {
        self.patiently(self.ledger.written.lock()).await.map_err(|why| {
            Diagnostic::error(
                format!("Another resource is writing the {}", self.subject()),
                format!("While this resource waited for it, {why}. Manage it with only one resource."),
            )
        })
    }

    /// Waits for `work`, or returns why the wait ended first.
    pub(super) async fn patiently<T>(&self, work: impl Future<Output = T>) -> Result<T, &'static str> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.patience.interrupted() => Err("the operation was interrupted"),
            () = sleep_until(self.patience.deadline) => Err("the operation's timeout ran out"),
        }
    }

    /// Returns the patience for a write: a part of the time is kept for finding out what holds, whatever happens.
    pub(super) fn for_writing(&self) -> Patience {
        let left = self.patience.deadline.saturating_duration_since(Instant::now());
        Patience { deadline: self.patience.deadline - LONGEST_LAG.min(left / 4), ..self.patience.clone() }
    }

    /// Returns the patience for reading back what was written. Waiting for a turn takes no part of that time.
    pub(super) fn for_reading_back(&self) -> Patience {
        Patience { longest: Some(LONGEST_LAG), ..self.patience.clone() }
    }
}
