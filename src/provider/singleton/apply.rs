//! Writing and deleting so that the outcome is known.

use std::time::Duration;

use super::attempts::Attempts;
use super::ledger::{Left, Write};
use super::memory::Key;
use super::model::Guard;
use super::remote::Remote;
use super::{Content, Kind, is_same};
use crate::tencent::{ALREADY_CONFIGURED, Error, ErrorKind, Patience, Stored as _};
use crate::terraform::{Context, Diagnostic, Severity};

/// The longest time for finding out what holds after an interruption.
const LAST_LOOK: Duration = Duration::from_secs(5);

pub(super) const NOTHING_WRITTEN: &str = "Nothing was written.";
pub(super) const NOTHING_DELETED: &str = "Nothing was deleted.";

/// A write or a deletion for one object.
pub(super) struct Intent<'a, C> {
    /// The object's key.
    pub(super) key: &'a Key,
    pub(super) guard: Guard,
    /// Tells what the plan showed from what someone else has set since.
    pub(super) is_expected: &'a (dyn Fn(&C) -> bool + Sync),
}

/// A write that took effect.
#[derive(Debug)]
pub(super) struct Written<C> {
    /// The object's key from now on: no copy of the object in the state has it.
    pub(super) object: Key,
    /// Tencent's `RequestId`, if an answer with one arrived.
    pub(super) request_id: Option<String>,
    /// Tencent's own form of what was written, if it stores one.
    pub(super) stored_as: Option<C>,
}

impl<C> Written<C> {
    pub(super) fn as_wanted(request_id: Option<String>) -> Self {
        Self { object: Key::default(), request_id, stored_as: None }
    }
}

/// A write or a deletion that failed, or whose outcome is unknown.
#[derive(Debug)]
pub(super) struct Unwritten<C> {
    pub(super) diagnostic: Diagnostic,
    /// The content that is there instead, if there is any and it could be read.
    pub(super) found: Option<C>,
    /// Tencent's `RequestId` of the write, if Tencent accepted it nevertheless.
    pub(super) accepted: Option<String>,
}

impl<C> Unwritten<C> {
    fn instead(diagnostic: Diagnostic, found: Option<C>) -> Self {
        Self { diagnostic, found, accepted: None }
    }
}

impl<C> From<Diagnostic> for Unwritten<C> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::instead(diagnostic, None)
    }
}

/// The outcome of a write or a deletion.
pub(super) type Outcome<K, T> = Result<T, Unwritten<<K as Kind>::Content>>;

impl<K: Kind> Remote<'_, K> {
    /// Writes `wanted` for an object that does not exist yet. With [`Guard::Refuse`], nothing unexpected is overwritten.
    /// `is_own` is whether the plan has shown that this object manages what is there.
    pub(super) async fn create(
        &self,
        wanted: &K::Content,
        intent: &Intent<'_, K::Content>,
        is_own: bool,
        cx: &mut Context,
    ) -> Outcome<K, Written<K::Content>> {
        let mut written = self.lock().await?;
        self.check_rival(intent.key, &written, wanted)?;
        let told = self.ledger.last_read();
        let was_told = |found: &K::Content| told.as_ref().is_some_and(|told| told.is_same(found));
        let mut before = written.as_ref().map(|write| write.wanted.clone());
        if !is_confirmed(&written) {
            before = match self.fresh_read() {
                Some(found) => found,
                None => self.inspect(NOTHING_WRITTEN).await?,
            };
            if before.is_none() && self.ledger.left().is_some() {
                self.report_deleted(intent.guard, cx)?;
            }
            let is_ours = |found: &K::Content| found.is_same(wanted) || is_written(&written, found);
            if let Some(found) = before.clone().filter(|found| !is_ours(found) && !self.ledger.has_left(found)) {
                match intent.guard {
                    _ if (intent.is_expected)(&found) => {}
                    Guard::Refuse if is_own => {
                        return Err(self.subject().must_not_change(&found, NOTHING_WRITTEN).into());
                    }
                    Guard::Refuse => return Err(self.subject().already_exists(&found, false, false).into()),
                    Guard::Warn if was_told(&found) => {}
                    Guard::Warn => cx.warn(self.subject().will_replace(&found, Some(wanted))),
                }
            }
        }
        let is_expected = |found: &K::Content| {
            self.ledger.has_left(found) || (intent.is_expected)(found) || intent.guard == Guard::Warn && was_told(found)
        };
        self.write(wanted, &Intent { is_expected: &is_expected, ..*intent }, before, &mut written, cx).await
    }

    /// Replaces what is there with `wanted`.
    pub(super) async fn update(
        &self,
        wanted: &K::Content,
        intent: &Intent<'_, K::Content>,
        cx: &mut Context,
    ) -> Outcome<K, Written<K::Content>> {
        let mut written = self.lock().await?;
        self.check_rival(intent.key, &written, wanted)?;
        let mut before = written.as_ref().map(|write| write.wanted.clone());
        if !is_confirmed(&written) {
            before = self.inspect(NOTHING_WRITTEN).await?;
            match before.clone() {
                None => self.report_deleted(intent.guard, cx)?,
                Some(found)
                    if (intent.is_expected)(&found) || found.is_same(wanted) || is_written(&written, &found) => {}
                Some(found) => {
                    let warning = self.subject().will_replace(&found, Some(wanted));
                    self.report(warning, found, intent.guard, NOTHING_WRITTEN, cx)?;
                }
            }
        }
        self.write(wanted, intent, before, &mut written, cx).await
    }

    /// Counts `wanted` as written if it is there already: no other object of this process deletes it then. Returns the
    /// object's key from now on.
    pub(super) async fn adopt(&self, wanted: &K::Content) -> Result<Option<Key>, Diagnostic> {
        let mut written = self.lock().await?;
        if written.is_some() || !self.inspect(NOTHING_WRITTEN).await?.is_some_and(|found| found.is_same(wanted)) {
            return Ok(None);
        }
        let key = Key::default();
        *written = Some(Write { key: key.clone(), wanted: wanted.clone(), created: false, is_confirmed: true });
        Ok(Some(key))
    }

    /// Deletes the remote object; none is a success. What this process has written for another object stays.
    pub(super) async fn delete(&self, intent: &Intent<'_, K::Content>, cx: &mut Context) -> Outcome<K, ()> {
        let mut written = self.lock().await?;
        if is_of_another(&written, intent.key) {
            cx.warn(self.subject().kept_for_another());
            return Ok(());
        }
        let Some(found) = self.inspect(NOTHING_DELETED).await? else { return Ok(()) };
        if !(intent.is_expected)(&found) {
            let warning = self.subject().has_changed(&found, "This apply deletes it.");
            self.report(warning, found.clone(), intent.guard, NOTHING_DELETED, cx)?;
        }
        if self.ledger.has_failed() {
            return Err(self.subject().not_deleted_after_failure().into());
        }
        if self.ledger.is_to_be_written(intent.key) {
            cx.warn(self.subject().kept_for_another());
            return Ok(());
        }
        let (before, deleted) = Attempts::new(self, intent, Some(found), cx).delete().await?;
        self.note(before.as_ref(), None, &deleted);
        match deleted {
            Ok(true) => self.confirm_deletion(cx).await?,
            // Tencent has none, whatever a read shows.
            Ok(false) => {}
            Err(error) => self.find_out(None, &error, cx).await?,
        }
        *written = None;
        self.ledger.note_change(true);
        Ok(())
    }

    /// Leaves the remote object to the creation that replaces it, so that it is not lost if the creation fails.
    pub(super) async fn leave(
        &self,
        intent: &Intent<'_, K::Content>,
        is_write_only: bool,
        cx: &mut Context,
    ) -> Outcome<K, ()> {
        let written = self.lock().await?;
        if is_of_another(&written, intent.key) {
            return Ok(());
        }
        let Some(found) = self.inspect(NOTHING_DELETED).await? else { return self.report_deleted(intent.guard, cx) };
        if !(intent.is_expected)(&found) {
            let warning = self.subject().has_changed(&found, "This apply replaces it.");
            self.report(warning, found.clone(), intent.guard, NOTHING_DELETED, cx)?;
        }
        self.ledger.leave(Some(Left { content: found, is_write_only }));
        Ok(())
    }

    /// Warns of something that the plan did not show, or refuses to touch it; `outcome` says what follows.
    pub(super) fn report(
        &self,
        warning: Diagnostic,
        found: K::Content,
        guard: Guard,
        outcome: &str,
        cx: &mut Context,
    ) -> Outcome<K, ()> {
        if guard == Guard::Refuse {
            let diagnostic = self.subject().must_not_change(&found, outcome);
            return Err(Unwritten::instead(diagnostic, Some(found)));
        }
        cx.warn(warning);
        Ok(())
    }

    /// Warns that what the plan showed has been deleted since, or refuses to create it again.
    pub(super) fn report_deleted(&self, guard: Guard, cx: &mut Context) -> Outcome<K, ()> {
        if self.ledger.has_deleted() {
            return Ok(());
        }
        if guard == Guard::Refuse {
            return Err(self.subject().must_not_create_again().into());
        }
        cx.warn(self.subject().was_deleted());
        Ok(())
    }

    /// Reads what a write or a deletion is about to replace. `outcome` says what follows if that fails.
    async fn inspect(&self, outcome: &str) -> Result<Option<K::Content>, Diagnostic> {
        self.look().await.map_err(|error| self.failed_check(&error, outcome))
    }

    pub(super) fn failed_check(&self, error: &Error, outcome: &str) -> Diagnostic {
        let mut diagnostic = self.failed("Checking the", error);
        diagnostic.detail += &format!("\n\n{outcome}");
        diagnostic
    }

    /// Refuses to replace what this process has just written for another object.
    fn check_rival(
        &self,
        key: &Key,
        written: &Option<Write<K::Content>>,
        wanted: &K::Content,
    ) -> Result<(), Diagnostic> {
        match written {
            Some(write) if write.key != *key && !write.wanted.is_same(wanted) => {
                Err(self.subject().managed_twice(&write.wanted, wanted))
            }
            _ => Ok(()),
        }
    }

    /// Writes `wanted`, and finds out what holds afterwards. `before` is what the last read found.
    async fn write(
        &self,
        wanted: &K::Content,
        intent: &Intent<'_, K::Content>,
        before: Option<K::Content>,
        written: &mut Option<Write<K::Content>>,
        cx: &mut Context,
    ) -> Outcome<K, Written<K::Content>> {
        let created = before.is_none() && !self.ledger.has_deleted();
        let (before, set) = Attempts::new(self, intent, before, cx).set(wanted).await?;
        self.note(before.as_ref(), Some(wanted), &set);
        let outcome = match set {
            Ok(request_id) => self.confirm(wanted, intent, request_id, cx).await,
            Err(error) if !error.may_have_taken_effect => return Err(self.failed("Writing the", &error).into()),
            Err(error) => {
                let found_out = self.find_out(Some(wanted), &error, cx).await;
                found_out.map(|()| Written::as_wanted(None))
            }
        };
        // Also where it may have been written: no other object of this process deletes that.
        let key = outcome.as_ref().map_or_else(|_| Key::default(), |written| written.object.clone());
        *written = Some(Write { key, wanted: wanted.clone(), created, is_confirmed: outcome.is_ok() });
        self.ledger.note_change(false);
        outcome
    }

    /// Notes a call that changed `before` into `after`, or may have.
    fn note<T>(&self, before: Option<&K::Content>, after: Option<&K::Content>, called: &Result<T, Error>) {
        if called.as_ref().err().is_none_or(|error| error.may_have_taken_effect) {
            self.ledger.history.note(before.cloned(), after.cloned());
        }
    }

    /// Reads back what was written. Tencent may store a form of its own. Anything else that this process has not replaced
    /// is someone else's. A write that was answered took effect: if it cannot be read back, the next plan reads it.
    async fn confirm(
        &self,
        wanted: &K::Content,
        intent: &Intent<'_, K::Content>,
        request_id: String,
        cx: &mut Context,
    ) -> Outcome<K, Written<K::Content>> {
        let Ok(first) = self.read_back().await else { return Ok(Written::as_wanted(Some(request_id))) };
        if is_same(first.as_ref(), Some(wanted)) {
            return Ok(Written::as_wanted(Some(request_id)));
        }
        let own_form = first.as_ref().and_then(|first| wanted.own_form(first));
        if own_form.is_none() && self.ledger.history.has_replaced(first.as_ref()) {
            cx.warn(self.subject().does_not_show(first.as_ref()));
            return Ok(Written::as_wanted(Some(request_id)));
        }
        if let Some(found) = first.as_ref().filter(|_| intent.guard == Guard::Refuse && own_form.is_none()) {
            let diagnostic = self.subject().changed_after_write(found);
            return Err(Unwritten { diagnostic, found: first, accepted: Some(request_id) });
        }
        self.rewrite(wanted, intent, first, request_id, cx).await
    }

    /// Writes a second time, because reading back found `first`. That removes what someone else set; Tencent's own form
    /// comes back the same.
    async fn rewrite(
        &self,
        wanted: &K::Content,
        intent: &Intent<'_, K::Content>,
        first: Option<K::Content>,
        request_id: String,
        cx: &mut Context,
    ) -> Outcome<K, Written<K::Content>> {
        let set = Attempts::new(self, intent, first.clone(), cx).set(wanted).await;
        let accepted = |unwritten| Unwritten { accepted: Some(request_id.clone()), ..unwritten };
        let (before, rewritten) = set.map_err(accepted)?;
        self.note(before.as_ref(), Some(wanted), &rewritten);
        let second = match (self.read_back().await, &rewritten) {
            (Ok(second), _) => second,
            (Err(_), Ok(request_id)) => return Ok(Written::as_wanted(Some(request_id.clone()))),
            (Err(_), Err(_)) => first.clone(),
        };
        let (failure, request_id) = match rewritten {
            Ok(second) => (None, second),
            Err(error) => (Some(error), request_id),
        };
        if is_same(second.as_ref(), Some(wanted)) {
            cx.warn(self.subject().wrote_twice(first.as_ref()));
            return Ok(Written::as_wanted(Some(request_id)));
        }
        let own_form = first.as_ref().and_then(|first| wanted.own_form(first));
        if let (Some(difference), Some(first), Some(second)) = (own_form, &first, &second)
            && first.is_same(second)
        {
            cx.warn(self.subject().stores_own_form(difference, wanted, second));
            return Ok(Written { stored_as: Some(second.clone()), ..Written::as_wanted(Some(request_id)) });
        }
        let diagnostic = match failure {
            None => self.subject().does_not_hold(wanted, second.as_ref()),
            Some(error) => {
                let mut diagnostic = self.failed("Writing the", &error);
                diagnostic.detail += &self.subject().not_rewritten(first.as_ref());
                diagnostic
            }
        };
        Err(Unwritten { diagnostic, found: second, accepted: Some(request_id) })
    }

    /// Reads back a deletion that Tencent answered. Anything that this process has not replaced is someone else's.
    async fn confirm_deletion(&self, cx: &mut Context) -> Outcome<K, ()> {
        match self.read_back().await {
            Ok(Some(found)) if self.ledger.history.has_replaced(Some(&found)) => {
                Err(Unwritten::instead(self.subject().still_there(&found), Some(found)))
            }
            Ok(Some(found)) => {
                cx.warn(self.subject().set_after_deletion(&found));
                Ok(())
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }

    async fn read_back(&self) -> Result<Option<K::Content>, Error> {
        let read = self.read(&self.for_reading_back()).await;
        read.inspect_err(|error| tracing::warn!(%error, "could not read back"))
    }

    /// Reads what holds after a failed call that was to write `wanted`, or to delete, unless it is certain that nothing
    /// was done. Warns if the call took effect.
    async fn find_out(&self, wanted: Option<&K::Content>, error: &Error, cx: &mut Context) -> Outcome<K, ()> {
        let (doing, participle) =
            if wanted.is_some() { ("Writing the", "written") } else { ("Deleting the", "deleted") };
        let (subject, mut failure) = (self.subject(), self.failed(doing, error));
        if !error.may_have_taken_effect {
            return Err(failure.into());
        }
        let found = match self.look_after(error).await {
            Ok(found) => found,
            Err(_) => {
                failure.detail += &format!(
                    "\n\nIt may have been {participle} anyway, and reading it back failed, too. The next plan \
                     will show what is there."
                );
                return Err(failure.into());
            }
        };
        if is_same(found.as_ref(), wanted) {
            failure.summary = format!("The {subject} was {participle}, unconfirmed");
            failure.severity = Severity::Warning;
            failure.detail += &match found {
                Some(_) => format!("\n\nReading it back shows that the {} is as planned.", K::Content::NOUN),
                None => "\n\nReading it back shows that it is gone.".to_owned(),
            };
            cx.warn(failure);
            return Ok(());
        }
        let holds = match (&found, wanted) {
            (None, _) => "has none".to_owned(),
            (Some(found), Some(_)) => subject.holds(subject.described_unexpected(found)),
            (Some(found), None) => subject.holds(self.scope.kind.describe(found)),
        };
        failure.detail += &match error.is(ALREADY_CONFIGURED) && found.is_none() {
            true => subject.exists_unseen(),
            false => format!(
                "\n\nAs far as reading it back shows, it was not {participle}: the application {holds}. If the request \
                 arrives later, or Tencent's reads lag, the next plan shows it."
            ),
        };
        Err(Unwritten::instead(failure, found))
    }

    /// Reads what is there after a failed call. After an interruption, there is little time left: Terraform waits.
    async fn look_after(&self, error: &Error) -> Result<Option<K::Content>, Error> {
        if error.kind != ErrorKind::Stopped {
            return self.read(&self.patience).await;
        }
        let uninterrupted = Patience::of(LAST_LOOK);
        tokio::select! {
            found = self.read(&uninterrupted) => found,
            () = self.patience.grace(LAST_LOOK) => Err(error.clone()),
        }
    }
}

fn is_confirmed<C>(written: &Option<Write<C>>) -> bool {
    written.as_ref().is_some_and(|write| write.is_confirmed)
}

/// Returns whether `found` is what this process has last written, or may have.
fn is_written<C: Content>(written: &Option<Write<C>>, found: &C) -> bool {
    written.as_ref().is_some_and(|write| write.wanted.is_same(found))
}

fn is_of_another<C>(written: &Option<Write<C>>, key: &Key) -> bool {
    written.as_ref().is_some_and(|write| write.key != *key)
}
