//! The attempts of a write or a deletion, each right after a look.

use std::mem;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::apply::{Intent, NOTHING_DELETED, NOTHING_WRITTEN, Outcome, Unwritten};
use super::model::Guard;
use super::remote::Remote;
use super::{Content as _, Kind, is_same};
use crate::tencent::{ALREADY_CONFIGURED, Caller, Error, ErrorKind, Patience};
use crate::terraform::Context;

/// How long after a look the first attempt may go out without another look.
const FRESH: Duration = Duration::from_secs(1);
/// The most times that a write starts anew because someone else has created the remote object in between.
const RACES: usize = 3;
/// The longest wait before each further time.
const RACE_PAUSE: Duration = Duration::from_secs(1);

/// The attempts of one write or deletion. An attempt that waited, or follows one that failed, looks again.
pub(super) struct Attempts<'a, 'r, K: Kind> {
    remote: &'a Remote<'r, K>,
    intent: &'a Intent<'a, K::Content>,
    /// The content to write; `None` to delete.
    wanted: Option<&'a K::Content>,
    /// What the last look found.
    before: Option<K::Content>,
    looked: Instant,
    is_first: bool,
    /// Tencent's answer that there is a remote object already.
    exists: Option<Error>,
    /// Whether a write replaced a remote object that no look found.
    is_unseen: bool,
    may_have_taken_effect: bool,
    /// The reason to make no further attempt.
    refusal: Option<Unwritten<K::Content>>,
    patience: Patience,
    cx: &'a mut Context,
}

impl<'a, 'r, K: Kind> Attempts<'a, 'r, K> {
    /// Begins the attempts of `intent`, right after a look that found `before`.
    pub(super) fn new(
        remote: &'a Remote<'r, K>,
        intent: &'a Intent<'a, K::Content>,
        before: Option<K::Content>,
        cx: &'a mut Context,
    ) -> Self {
        Self {
            remote,
            intent,
            wanted: None,
            before,
            looked: Instant::now(),
            is_first: true,
            exists: None,
            is_unseen: false,
            may_have_taken_effect: false,
            refusal: None,
            patience: remote.for_writing(),
            cx,
        }
    }

    /// Writes `wanted`. If Tencent answers that someone has just created the remote object, starts anew with a look.
    /// Returns what the last look found, and the result.
    pub(super) async fn set(
        mut self,
        wanted: &'a K::Content,
    ) -> Outcome<K, (Option<K::Content>, Result<String, Error>)> {
        self.wanted = Some(wanted);
        let mut set = self.put(wanted).await?;
        for race in 0..RACES {
            match &set {
                Err(error) if error.is(ALREADY_CONFIGURED) => self.exists = Some(error.clone()),
                _ => break,
            }
            if race > 0 {
                // Gives some time to the other writer.
                let _ = self.remote.patiently(sleep(RACE_PAUSE.mul_f64(rand::random()))).await;
            }
            // From now on, a read that finds none is stale.
            self.remote.ledger.history.note(None, Some(wanted.clone()));
            self.patience = self.remote.for_writing();
            set = self.put(wanted).await?;
        }
        if self.is_unseen && set.is_ok() {
            self.cx.warn(self.remote.subject().replaced_unseen());
        }
        Ok((self.before, set))
    }

    async fn put(&mut self, wanted: &K::Content) -> Outcome<K, Result<String, Error>> {
        let Remote { scope, app, .. } = self.remote;
        let exists = self.exists.is_some() || self.before.is_some();
        let put = scope.apps.client.put(app, scope.kind.service(), wanted, exists, self).await;
        self.outcome(put)
    }

    /// Deletes the remote object. Returns what the last look found, and whether there was something to delete.
    pub(super) async fn delete(mut self) -> Outcome<K, (Option<K::Content>, Result<bool, Error>)> {
        let Remote { scope, app, .. } = self.remote;
        let deleted = scope.apps.client.delete::<K::Content>(app, scope.kind.service(), &mut self).await;
        let deleted = self.outcome(deleted)?;
        Ok((self.before, deleted))
    }

    fn outcome<T>(&mut self, called: Result<T, Error>) -> Outcome<K, Result<T, Error>> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        Ok(called.map_err(|error| {
            self.may_have_taken_effect |= error.may_have_taken_effect;
            Error { may_have_taken_effect: self.may_have_taken_effect, ..error }
        }))
    }

    /// Looks again, and reports what has changed since the last look, or refuses to touch it.
    async fn look(&mut self) -> Result<(), ErrorKind> {
        let outcome = match (self.may_have_taken_effect, self.wanted) {
            (false, Some(_)) => NOTHING_WRITTEN,
            (false, None) => NOTHING_DELETED,
            (true, Some(_)) => "This apply may have written its own configuration before that.",
            (true, None) => "This apply may have deleted the earlier one before that.",
        };
        let found = match self.remote.look_within(&self.patience).await {
            Ok(found) => found,
            Err(error) => {
                // What may have been done is found out afterwards.
                let refusal = || self.remote.failed_check(&error, outcome).into();
                self.refusal = (!self.may_have_taken_effect).then(refusal);
                return Err(error.kind);
            }
        };
        self.looked = Instant::now();
        if let Err(refusal) = self.judge(found.as_ref(), outcome) {
            self.refusal = Some(refusal);
            return Err(ErrorKind::Stopped);
        }
        self.before = found;
        Ok(())
    }

    fn judge(&mut self, found: Option<&K::Content>, outcome: &str) -> Outcome<K, ()> {
        let (subject, guard) = (self.remote.subject(), self.intent.guard);
        let Some(found) = found else {
            if let (Some(error), Guard::Refuse) = (&self.exists, guard) {
                let mut diagnostic = self.remote.failed("Writing the", error);
                diagnostic.detail += &subject.must_not_replace_unseen(outcome);
                return Err(diagnostic.into());
            }
            self.is_unseen = self.exists.is_some() && !self.may_have_taken_effect;
            return match (self.wanted, &self.before) {
                (Some(_), Some(_)) => self.remote.report_deleted(guard, self.cx),
                _ => Ok(()),
            };
        };
        self.is_unseen = false;
        // An earlier attempt may have left it.
        let is_own = self.wanted.is_some_and(|wanted| {
            found.is_same(wanted) || self.may_have_taken_effect && wanted.own_form(found).is_some()
        });
        if is_own || is_same(Some(found), self.before.as_ref()) || (self.intent.is_expected)(found) {
            return Ok(());
        }
        let warning = match self.wanted {
            Some(_) => subject.will_replace(found, self.wanted),
            None => subject.has_changed(found, "This apply deletes it."),
        };
        self.remote.report(warning, found.clone(), guard, outcome, self.cx)
    }
}

impl<K: Kind> Caller for Attempts<'_, '_, K> {
    fn patience(&self) -> &Patience {
        &self.patience
    }

    async fn check(&mut self, may_have_taken_effect: bool) -> Result<(), ErrorKind> {
        if mem::take(&mut self.is_first) && self.looked.elapsed() < FRESH {
            return Ok(());
        }
        self.may_have_taken_effect |= may_have_taken_effect;
        self.look().await
    }
}
