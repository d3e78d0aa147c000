//! The knowledge of this process about the objects of one application, and the decisions that follow.
//!
//! Terraform takes each object in its state for a remote object of its own. Where several of them stand for the one
//! remote object of an application (a block renamed without `moved`, an application imported twice, what an interrupted
//! `create_before_destroy` left), destroying one would delete what another still wants. Terraform reads and plans each
//! object separately, in one process per provider block: what is noted here while it does so is all that is known about
//! the others.
//!
//! | | Terraform | the others | the plan | what is said |
//! | --- | --- | --- | --- | --- |
//! | 1 | creates, changes or keeps it | none | as Terraform proposes | |
//! | 2 | creates, changes or keeps it | one stays, with another content | an error | two resources |
//! | 3 | creates, changes or keeps it | one stays, with the same content | as Terraform proposes | two resources that agree |
//! | 4 | creates, changes or keeps it | one stays, its content not known yet | as proposed; a conflict ends the apply | two resources that may agree |
//! | 5 | keeps it | one is destroyed, and was read and planned without knowing of this one | it is written again | written again |
//! | 6 | keeps it unread | one is deleted | an error, unless row 2 is one | needs a refresh |
//! | 7 | destroys it | none, or only such that go | it is deleted | |
//! | 8 | destroys it | one stays, or is undecided | nothing is deleted | kept for another |
//! | 9 | destroys it | one stays, unwritten, and an apply would not remember it | an error | needs a refresh |
//! | 10 | forgets it | any | nothing is deleted; the others do not count it | |
//!
//! Terraform works on several objects at a time. So that these rows hold in any order, an object is read once those
//! that were read before are planned, and rows 7 to 9 are decided once Terraform seems to be done with the others: see
//! [`Activity::pause`](crate::provider::activity::Activity::pause).
//!
//! While Terraform applies a plan, it tells nothing of the objects that do not change. It hands back the decision of
//! row 8 with the plan, except for a deposed object: that is planned again, in a process that has read nothing. Hence
//! [`Memory::others`](super::memory::Memory::others): the others that reading it has found. Row 5 is for an object of
//! which a deposed one cannot have known.
//!
//! Objects are told apart by a random [`Key`] in their private data. Terraform plans the replacement of a tainted
//! object without it. So a creation takes the place of the last object that was read and not planned.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::history::History;
use super::memory::Key;
use super::{Content, is_same};
use crate::tencent::SdkAppId;

/// The longest Terraform takes from reading an object to planning it. Planning is the next step of the same node of its
/// graph; only a run that does nothing but refresh or import never takes it.
const PLANNED_WITHIN: Duration = Duration::from_secs(2);

/// How long a read stays fresh enough to reuse. Terraform plans an object once more right before it applies the plan.
const FRESH: Duration = Duration::from_secs(5);

/// The ledgers of one kind, by application.
#[derive(Debug)]
pub(crate) struct Ledgers<C> {
    by_id: Mutex<BTreeMap<SdkAppId, Arc<Ledger<C>>>>,
    /// Whether an object was planned whose application is not known yet.
    has_unknown: AtomicBool,
}

impl<C> Default for Ledgers<C> {
    fn default() -> Self {
        Self { by_id: Mutex::default(), has_unknown: AtomicBool::new(false) }
    }
}

impl<C: Content> Ledgers<C> {
    pub(super) fn of(&self, id: SdkAppId) -> Arc<Ledger<C>> {
        Arc::clone(lock(&self.by_id).entry(id).or_default())
    }

    /// Notes that an object was planned whose application is not known yet.
    pub(super) fn note_unknown(&self) {
        self.has_unknown.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_unknown(&self) -> bool {
        self.has_unknown.load(Ordering::Relaxed)
    }

    /// Returns the applications that have an object before and after the apply, as far as this process knows.
    pub(super) fn managed(&self) -> Vec<String> {
        self.those(Ledger::has_object)
    }

    /// Returns the applications that keep their remote object if one of their objects is destroyed, as far as this
    /// process knows.
    pub(super) fn shared(&self) -> Vec<String> {
        self.those(Ledger::is_shared)
    }

    fn those(&self, is_it: impl Fn(&Ledger<C>) -> bool) -> Vec<String> {
        let ledgers = lock(&self.by_id);
        ledgers.iter().filter(|(_, ledger)| is_it(ledger)).map(|(id, _)| id.to_string()).collect()
    }
}

/// The knowledge of this process about the remote object of one application.
#[derive(Debug)]
pub(crate) struct Ledger<C> {
    objects: Mutex<Objects<C>>,
    /// Notified whenever an entry changes.
    changed: Notify,
    /// The last write. It is locked during writes and deletions, so that these exclude each other.
    pub(super) written: tokio::sync::Mutex<Option<Write<C>>>,
    /// Whether the last write, deletion included, failed.
    failed: AtomicBool,
    /// Whether the last change was a deletion.
    deleted: AtomicBool,
    /// The content that Terraform let go of and left at Tencent. If that is still there, nobody else set it.
    left: Mutex<Option<Left<C>>>,
    /// The digests, each with its key, of content that the plan hands on from one object to another.
    handed_on: Mutex<Vec<(Key, String)>>,
    last_read: Mutex<Option<Read<C>>>,
    pub(super) history: History<C>,
}

impl<C> Default for Ledger<C> {
    fn default() -> Self {
        Self {
            objects: Mutex::default(),
            changed: Notify::new(),
            written: tokio::sync::Mutex::default(),
            failed: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            left: Mutex::default(),
            handed_on: Mutex::default(),
            last_read: Mutex::default(),
            history: History::default(),
        }
    }
}

/// The objects of the application.
#[derive(Debug)]
struct Objects<C> {
    /// Those that this process has read or planned.
    entries: Vec<Entry<C>>,
    /// Those that wait for their turn to be read, by key, or to be planned as new.
    waiting: Vec<Option<Key>>,
}

impl<C> Default for Objects<C> {
    fn default() -> Self {
        Self { entries: Vec::new(), waiting: Vec::new() }
    }
}

/// An object that this process has read or planned.
#[derive(Debug)]
struct Entry<C> {
    key: Key,
    /// The others that reading this object has found; none if it was planned without being read.
    noticed: Option<Vec<Key>>,
    stage: Stage<C>,
}

#[derive(Debug, Clone)]
enum Stage<C> {
    BeingRead,
    /// Terraform plans it before this time, or not at all.
    Read {
        planned_by: Instant,
    },
    Stays(Stay<C>),
    Goes(Going),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    Undecided,
    Deletes,
    IsKept,
    IsForgotten,
}

/// An object that exists after the apply.
#[derive(Debug, Clone)]
pub(super) struct Stay<C> {
    /// The content that it wants, if that is known.
    pub(super) wanted: Option<C>,
    /// Whether applying the plan writes it.
    pub(super) is_written: bool,
    /// Whether it exists before the apply.
    pub(super) exists: bool,
}

impl<C: Content> Entry<C> {
    /// Returns whether the object was planned as new, with the content of `stage`.
    fn is_created_as(&self, stage: &Stage<C>) -> bool {
        let Stage::Stays(other) = stage else { return false };
        self.stays().is_some_and(|stay| !stay.exists && is_same(stay.wanted.as_ref(), other.wanted.as_ref()))
    }
}

impl<C> Entry<C> {
    fn is_undecided(&self) -> bool {
        matches!(self.stage, Stage::BeingRead | Stage::Read { .. })
    }

    fn goes(&self) -> Option<Going> {
        if let Stage::Goes(going) = self.stage { Some(going) } else { None }
    }

    fn stays(&self) -> Option<&Stay<C>> {
        if let Stage::Stays(stay) = &self.stage { Some(stay) } else { None }
    }

    /// Returns whether applying the plan may delete the remote object, as far as the object `key` is concerned: a
    /// deposed object is planned again then, and remembers only whom reading it has found.
    fn may_delete_what(&self, key: &Key) -> bool {
        let is_unaware = self.noticed.as_ref().is_some_and(|noticed| !noticed.contains(key));
        match self.goes() {
            Some(Going::Deletes) => true,
            Some(Going::Undecided | Going::IsKept) => is_unaware,
            Some(Going::IsForgotten) | None => false,
        }
    }
}

/// The others that reading an object has found.
#[derive(Debug, Clone, Default)]
pub(super) struct Noticed {
    /// The keys of those that may stay, so that destroying this object must delete nothing. An object that is only being
    /// created does not count: before a destroy, Terraform even plans creations that it never applies.
    pub(super) may_stay: Vec<Key>,
    /// Whether destroying one may delete the remote object, so that this object is written again if it stays.
    pub(super) may_delete: bool,
}

/// The decision about an object that stays.
#[derive(Debug)]
pub(super) struct Staying<C> {
    /// Whether it was read before it was planned.
    pub(super) was_read: bool,
    pub(super) twins: Vec<Twin<C>>,
    /// Whether another one, planned before, deletes the remote object.
    pub(super) is_deleted_before: bool,
}

/// Another object that stays.
#[derive(Debug)]
pub(super) enum Twin<C> {
    Conflicting(C),
    Agreeing,
    /// The content of one of the two is not known yet.
    Undecided,
}

/// The decision about an object that is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destruction {
    Deletes,
    KeptForAnother,
}

/// A decision came too late, or will not be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NeedsRefresh;

impl<C: Content> Ledger<C> {
    /// Waits until the objects that were read before are planned, then notes that this one is being read. So each
    /// object is read and planned before the next one is read, and the later one knows of the earlier.
    pub(super) async fn begin_reading(&self, key: &Key) -> Reading<'_, C> {
        let _waiting = Waiting::of(self, Some(key.clone()));
        let own = self.wait_for(|| self.try_reading(key)).await;
        Reading { ledger: self, key: key.clone(), own, noticed: None }
    }

    /// Tries until `attempt` succeeds: again after each change, and at the time that it returns, if that comes first.
    async fn wait_for<T>(&self, attempt: impl Fn() -> Result<T, Option<Instant>>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match attempt() {
                Ok(done) => return done,
                Err(None) => changed.await,
                Err(Some(time)) => drop(timeout_at(time, changed).await),
            }
        }
    }

    /// Returns the key of the object's new entry if it gets one, or until when to wait for another object.
    fn try_reading(&self, key: &Key) -> Result<Option<Key>, Option<Instant>> {
        let entries = &mut lock(&self.objects).entries;
        // Terraform 1.9 to 1.11 plans an object that has no block any more before it reads it. This may also be a copy.
        if entries.iter().any(|entry| entry.key == *key && entry.goes().is_some() && entry.noticed.is_none()) {
            return Ok(None);
        }
        expect_planned(entries)?;
        // The state may hold a copy of an object, private data included. If that was read before, this is another one.
        let is_copied = |entry: &Entry<C>| {
            entry.key == *key && entry.noticed.is_some() && !matches!(entry.stage, Stage::Read { .. })
        };
        let key = if entries.iter().any(is_copied) { Key::default() } else { key.clone() };
        entries.retain(|entry| entry.key != key);
        entries.push(Entry { key: key.clone(), noticed: None, stage: Stage::BeingRead });
        Ok(Some(key))
    }

    /// Returns whether another object may delete the remote object that this one, read and not planned yet, needs; none
    /// if this process has not read it.
    pub(super) fn may_be_deleted(&self, key: &Key) -> Option<bool> {
        let entries = &lock(&self.objects).entries;
        let is_it = |entry: &Entry<C>| entry.key == *key && matches!(entry.stage, Stage::Read { .. });
        entries.iter().any(is_it).then(|| {
            entries.iter().any(|other| other.key != *key && (other.is_undecided() || other.may_delete_what(key)))
        })
    }

    /// Lets a new object wait if another one was read and is not planned yet: nothing is decided until this one is
    /// planned, too.
    pub(super) fn wait_for_others(&self) -> Option<Waiting<'_, C>> {
        let has_unplanned = lock(&self.objects).entries.iter().any(Entry::is_undecided);
        has_unplanned.then(|| Waiting::of(self, None))
    }

    /// Plans that the object exists after the apply. `has_prior` is whether Terraform plans it with a prior state.
    pub(super) fn plan_to_stay(&self, key: &Key, stay: Stay<C>, has_prior: bool) -> Result<Staying<C>, NeedsRefresh> {
        let (wanted, is_written) = (stay.wanted.clone(), stay.is_written);
        let key = self.plan(key, Stage::Stays(stay), !has_prior);
        let entries = &lock(&self.objects).entries;
        let twin = |other: &Stay<C>| match (&other.wanted, &wanted) {
            (Some(other), Some(wanted)) if other.is_same(wanted) => Twin::Agreeing,
            (Some(other), Some(_)) => Twin::Conflicting(other.clone()),
            _ => Twin::Undecided,
        };
        let others = || entries.iter().filter(|entry| entry.key != key);
        let twins: Vec<_> = others().filter_map(Entry::stays).map(twin).collect();
        let is_conflict = twins.iter().any(|twin| matches!(twin, Twin::Conflicting(_)));
        let is_deleted_before = others().any(|other| other.goes() == Some(Going::Deletes));
        if !is_written && !is_conflict && is_deleted_before {
            return Err(NeedsRefresh);
        }
        let was_read = was_read(entries, &key);
        Ok(Staying { was_read, twins, is_deleted_before })
    }

    /// Replaces the plan of an object by that of the second half of its replacement. Returns whether there was a plan.
    pub(super) fn plan_to_replace(&self, key: &Key, wanted: Option<C>) -> bool {
        let entries = &mut lock(&self.objects).entries;
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) else { return false };
        entry.stage = Stage::Stays(Stay { wanted, is_written: true, exists: true });
        true
    }

    /// Plans that Terraform destroys the object. Returns its key in [`decide`](Self::decide).
    pub(super) fn plan_to_destroy(&self, key: &Key) -> Key {
        self.plan(key, Stage::Goes(Going::Undecided), false)
    }

    /// Waits until each object that is being read is planned.
    pub(super) async fn all_planned(&self) {
        self.wait_for(|| {
            let objects = lock(&self.objects);
            expect_planned(&objects.entries)?;
            if objects.waiting.is_empty() { Ok(()) } else { Err(None) }
        })
        .await;
    }

    /// Decides about an object that Terraform destroys. `remembered` are the others that the last refresh has found.
    pub(super) fn decide(&self, key: &Key, remembered: &[Key]) -> Result<Destruction, NeedsRefresh> {
        let entries = &mut lock(&self.objects).entries;
        let was_read = was_read(entries, key);
        let goes = |key: &Key| entries.iter().any(|entry| entry.key == *key && entry.goes().is_some());
        let remembers = remembered.iter().any(|other| !goes(other));
        let others = || entries.iter().filter(|entry| entry.key != *key);
        let is_forgettable = |other: &Entry<C>| {
            other.stays().is_some_and(|stay| !stay.is_written) && (was_read || other.noticed.is_none())
        };
        if !remembers && others().any(is_forgettable) {
            return Err(NeedsRefresh);
        }
        let is_needed = others().any(|other| other.is_undecided() || other.stays().is_some());
        let is_kept = is_needed || !was_read && remembers;
        let going = if is_kept { Going::IsKept } else { Going::Deletes };
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) {
            entry.stage = Stage::Goes(going);
        }
        Ok(if is_kept { Destruction::KeptForAnother } else { Destruction::Deletes })
    }

    /// Returns whether this process has read the object.
    pub(super) fn was_read(&self, key: &Key) -> bool {
        was_read(&lock(&self.objects).entries, key)
    }

    /// Plans that Terraform only forgets the object.
    pub(super) fn plan_to_forget(&self, key: &Key) {
        self.plan(key, Stage::Goes(Going::IsForgotten), false);
    }

    /// Returns whether another object goes.
    pub(super) fn another_goes(&self, key: &Key) -> bool {
        self.has_another(key, |other| other.goes().is_some())
    }

    /// Returns whether this process knows of another object that stays, or may stay.
    pub(super) fn another_stays(&self, key: &Key) -> bool {
        self.has_another(key, |other| other.is_undecided() || other.stays().is_some())
    }

    fn has_another(&self, key: &Key, is_it: impl Fn(&Entry<C>) -> bool) -> bool {
        lock(&self.objects).entries.iter().any(|entry| entry.key != *key && is_it(entry))
    }

    /// Returns whether an object that is destroyed leaves the remote object to another.
    fn is_shared(&self) -> bool {
        let entries = &lock(&self.objects).entries;
        let stays = entries.iter().filter_map(Entry::stays).filter(|stay| stay.exists).count();
        stays > 0 || entries.iter().filter(|entry| entry.is_undecided()).count() > 1
    }

    /// Returns whether an object exists that stays, or may stay.
    fn has_object(&self) -> bool {
        let entries = &lock(&self.objects).entries;
        entries.iter().any(|entry| entry.is_undecided() || entry.stays().is_some_and(|stay| stay.exists))
    }

    /// Notes the plan of an object. Returns the key of its entry.
    fn plan(&self, key: &Key, stage: Stage<C>, may_be_tainted: bool) -> Key {
        let entries = &mut lock(&self.objects).entries;
        // One object does not both stay and go, nor is it planned while it is being read: the other one is a copy.
        let goes = matches!(stage, Stage::Goes(_));
        let is_copied = |entry: &Entry<C>| match entry.stage {
            Stage::BeingRead => true,
            Stage::Read { .. } => false,
            Stage::Stays(_) => goes,
            Stage::Goes(_) => !goes,
        };
        let is_read = |entry: &Entry<C>| matches!(entry.stage, Stage::Read { .. });
        let own = entries.iter().position(|entry| entry.key == *key && !is_copied(entry));
        let tainted = entries.iter().rposition(is_read).filter(|_| own.is_none() && may_be_tainted);
        let has_copy = entries.iter().any(|entry| entry.key == *key && is_copied(entry));
        let key = if has_copy { Key::default() } else { key.clone() };
        let noticed = own.or(tainted).and_then(|own| entries.remove(own).noticed);
        if tainted.is_some() {
            // `-minimal-refresh` of Terraform 1.17 plans it before it reads it as well.
            entries.retain(|entry| !entry.is_created_as(&stage));
        }
        entries.push(Entry { key: key.clone(), noticed, stage });
        self.changed.notify_waiters();
        key
    }

    /// Forgets all plans.
    pub(super) fn forget_plans(&self) {
        lock(&self.objects).entries.clear();
        self.changed.notify_waiters();
    }

    /// Forgets the plan of an object, because it is being applied: what is planned from now on is another plan. Only the
    /// writes that are still to come count on.
    pub(super) fn begin_apply(&self, key: &Key) {
        let entries = &mut lock(&self.objects).entries;
        entries.retain(|entry| entry.key != *key && entry.stays().is_some_and(|stay| stay.is_written));
        self.changed.notify_waiters();
    }

    /// Forgets the plans of a creation. Terraform plans it once more before it applies it, under another key.
    pub(super) fn begin_create(&self, key: &Key, wanted: &C) {
        self.begin_apply(key);
        let is_it = |stay: &Stay<C>| !stay.exists && stay.wanted.as_ref().is_none_or(|other| other.is_same(wanted));
        lock(&self.objects).entries.retain(|entry| !entry.stays().is_some_and(is_it));
    }

    /// Returns whether this apply writes the remote object for another object.
    pub(super) fn is_to_be_written(&self, key: &Key) -> bool {
        self.has_another(key, |other| other.stays().is_some_and(|stay| stay.is_written))
    }
}

fn was_read<C>(entries: &[Entry<C>], key: &Key) -> bool {
    entries.iter().any(|entry| entry.key == *key && entry.noticed.is_some())
}

/// Returns until when to wait for an object that is being read, or was read and is to be planned, if there is one. Once
/// that time has passed, nothing waits for it any more.
fn expect_planned<C>(entries: &[Entry<C>]) -> Result<(), Option<Instant>> {
    let now = Instant::now();
    entries.iter().try_for_each(|entry| match entry.stage {
        Stage::BeingRead => Err(None),
        Stage::Read { planned_by } if planned_by > now => Err(Some(planned_by)),
        _ => Ok(()),
    })
}

/// An object while it waits for its turn to be read, or to be planned as new.
#[derive(Debug)]
pub(super) struct Waiting<'a, C> {
    ledger: &'a Ledger<C>,
    key: Option<Key>,
}

impl<'a, C> Waiting<'a, C> {
    fn of(ledger: &'a Ledger<C>, key: Option<Key>) -> Self {
        lock(&ledger.objects).waiting.push(key.clone());
        Self { ledger, key }
    }
}

impl<C> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        let waiting = &mut lock(&self.ledger.objects).waiting;
        if let Some(own) = waiting.iter().position(|key| *key == self.key) {
            waiting.swap_remove(own);
        }
        self.ledger.changed.notify_waiters();
    }
}

/// An object while it is being read.
#[derive(Debug)]
pub(super) struct Reading<'a, C: Content> {
    ledger: &'a Ledger<C>,
    key: Key,
    /// The key of its entry, if it has one.
    own: Option<Key>,
    /// The keys of the others, if the object exists.
    noticed: Option<Vec<Key>>,
}

impl<C: Content> Reading<'_, C> {
    /// Notes that the object exists. Returns its key from now on, and the others.
    pub(super) fn found(mut self) -> (Key, Noticed) {
        let objects = lock(&self.ledger.objects);
        let key = self.own.clone().unwrap_or_else(|| self.key.clone());
        let mut found = Noticed::default();
        // Without an entry of its own, the object may be a copy of the one that was planned first.
        for other in objects.entries.iter().filter(|other| self.own.as_ref() != Some(&other.key)) {
            let exists = other.stays().is_some_and(|stay| stay.exists);
            if exists || other.is_undecided() {
                found.may_stay.push(other.key.clone());
            }
            let is_unread = self.own.is_none() && other.goes().is_some();
            found.may_delete |= other.is_undecided() || other.may_delete_what(&key) || is_unread;
        }
        // A copy of this object gets a key of its own.
        let waiting = objects.waiting.iter().flatten();
        found.may_stay.extend(waiting.map(|other| if *other == key { Key::default() } else { other.clone() }));
        drop(objects);
        self.noticed = Some(found.may_stay.clone());
        (key, found)
    }
}

/// Ends the reading: an object that was not found, or could not be read, loses its entry.
impl<C: Content> Drop for Reading<'_, C> {
    fn drop(&mut self) {
        let Some(own) = &self.own else { return };
        let entries = &mut lock(&self.ledger.objects).entries;
        match (self.noticed.take(), entries.iter_mut().find(|entry| entry.key == *own)) {
            (Some(noticed), Some(entry)) => {
                entry.noticed = Some(noticed);
                entry.stage = Stage::Read { planned_by: Instant::now() + PLANNED_WITHIN };
            }
            _ => entries.retain(|entry| entry.key != *own),
        }
        self.ledger.changed.notify_waiters();
    }
}

/// A write that took effect, or may have.
#[derive(Debug)]
pub(super) struct Write<C> {
    /// The key of the object that it was made for.
    pub(super) key: Key,
    pub(super) wanted: C,
    /// Whether there was nothing before, and this process had not deleted it.
    pub(super) created: bool,
    /// Whether it is known to have taken effect, and nobody else has written since.
    pub(super) is_confirmed: bool,
}

/// Content that Terraform let go of and left at Tencent.
#[derive(Debug, Clone)]
pub(super) struct Left<C> {
    pub(super) content: C,
    /// Whether Terraform must not keep its secret.
    pub(super) is_write_only: bool,
}

#[derive(Debug)]
struct Read<C> {
    at: Instant,
    found: Option<C>,
}

impl<C: Content> Ledger<C> {
    /// Returns whether this process has written it for another object, or may have.
    pub(super) fn is_written_for_another(&self, key: &Key) -> bool {
        // While it is locked, it is being written or deleted.
        self.written.try_lock().map_or(true, |written| written.as_ref().is_some_and(|write| write.key != *key))
    }

    /// Returns whether this process has written it for another object where nothing was, though the plan of this object
    /// showed something: what replaces an object may be created first, and does not know of it.
    pub(super) fn is_created_for_another(&self, key: &Key) -> bool {
        let is_created = |write: &Write<C>| write.key != *key && write.created;
        self.written.try_lock().is_ok_and(|written| written.as_ref().is_some_and(is_created))
    }

    /// Notes what a read found.
    pub(super) fn note_read(&self, found: Option<C>) {
        *lock(&self.last_read) = Some(Read { at: Instant::now(), found });
    }

    /// Notes a write, or a deletion: what was read or left before no longer counts.
    pub(super) fn note_change(&self, is_deletion: bool) {
        *lock(&self.last_read) = None;
        *lock(&self.left) = None;
        self.failed.store(false, Ordering::Relaxed);
        self.deleted.store(is_deletion, Ordering::Relaxed);
    }

    /// Notes that a write failed or was refused.
    pub(super) fn note_failure(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Returns whether a write has failed since the last change.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns whether the last change of this process was a deletion.
    pub(super) fn has_deleted(&self) -> bool {
        self.deleted.load(Ordering::Relaxed)
    }

    /// Returns what the last read found, however long ago.
    pub(super) fn last_read(&self) -> Option<C> {
        lock(&self.last_read).as_ref()?.found.clone()
    }

    /// Returns what a read of a moment ago found, if there was one.
    pub(super) fn fresh_read(&self) -> Option<Option<C>> {
        lock(&self.last_read).as_ref().filter(|read| read.at.elapsed() < FRESH).map(|read| read.found.clone())
    }

    /// Notes that Terraform lets go of `left`, which stays at Tencent.
    pub(super) fn leave(&self, left: Option<Left<C>>) {
        *lock(&self.left) = left;
    }

    /// Returns what Terraform let go of and left at Tencent.
    pub(super) fn left(&self) -> Option<Left<C>> {
        lock(&self.left).clone()
    }

    /// Notes that the plan hands on the content with this fingerprint from one object to another.
    pub(super) fn hand_on(&self, key: Key, fingerprint: String) {
        lock(&self.handed_on).push((key, fingerprint));
    }

    /// Returns whether Terraform let go of `found` and left it at Tencent.
    pub(super) fn has_left(&self, found: &C) -> bool {
        lock(&self.left).as_ref().is_some_and(|left| left.content.is_same(found))
            || lock(&self.handed_on).iter().any(|(key, fingerprint)| key.fingerprint(found) == *fingerprint)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tencent::CallbackToken;

    type Tokens = Ledger<CallbackToken>;

    fn token(text: &str) -> CallbackToken {
        CallbackToken { token: text.to_owned().into(), enabled: true }
    }

    fn stay(wanted: &str, is_written: bool) -> Stay<CallbackToken> {
        let wanted = (!wanted.is_empty()).then(|| token(wanted));
        Stay { wanted, is_written, exists: true }
    }

    fn plan_to_stay(ledger: &Tokens, key: &Key, stay: Stay<CallbackToken>) -> String {
        match ledger.plan_to_stay(key, stay, true) {
            Err(NeedsRefresh) => "needs a refresh".to_owned(),
            Ok(staying) => staying.twins.iter().fold("stays".to_owned(), |said, twin| {
                said + match twin {
                    Twin::Conflicting(_) => ", conflicting",
                    Twin::Agreeing => ", agreeing",
                    Twin::Undecided => ", undecided",
                }
            }),
        }
    }

    /// Plans and decides a destruction at once.
    fn destroy(ledger: &Tokens, key: &Key, remembered: &[Key]) -> Result<Destruction, NeedsRefresh> {
        ledger.decide(&ledger.plan_to_destroy(key), remembered)
    }

    async fn read(ledger: &Tokens, key: &Key) -> (Key, Noticed) {
        ledger.begin_reading(key).await.found()
    }

    #[test]
    fn an_object_that_stays_is_checked_against_the_others() {
        let key = Key::default();
        let goes = |ledger: &Tokens| assert_eq!(destroy(ledger, &Key::default(), &[]), Ok(Destruction::Deletes));
        let forgotten = |ledger: &Tokens| ledger.plan_to_forget(&Key::default());
        let stays = |ledger: &Tokens, wanted| plan_to_stay(ledger, &Key::default(), stay(wanted, true));
        for (row, others, mine, expected) in [
            (1, &(|_: &Tokens| {}) as &dyn Fn(&Tokens), stay("a", false), "stays"),
            (2, &|ledger| drop(stays(ledger, "b")), stay("a", true), "stays, conflicting"),
            (3, &|ledger| drop(stays(ledger, "a")), stay("a", true), "stays, agreeing"),
            (4, &|ledger| drop(stays(ledger, "")), stay("a", true), "stays, undecided"),
            (5, &goes, stay("a", true), "stays"),
            (6, &goes, stay("a", false), "needs a refresh"),
            (10, &forgotten, stay("a", false), "stays"),
        ] {
            let ledger = Tokens::default();
            others(&ledger);
            assert_eq!(plan_to_stay(&ledger, &key, mine), expected, "row {row}");
        }
    }

    #[test]
    fn an_object_that_is_destroyed_deletes_nothing_that_another_needs() {
        let (key, other_key) = (Key::default(), Key::default());
        let remembered = [other_key.clone()];
        for (row, other, remembered, expected) in [
            (7, None, &[][..], Ok(Destruction::Deletes)),
            (8, None, &remembered[..], Ok(Destruction::KeptForAnother)),
            (8, Some(stay("a", false)), &remembered[..], Ok(Destruction::KeptForAnother)),
            (8, Some(stay("a", true)), &[][..], Ok(Destruction::KeptForAnother)),
            (8, Some(Stay { exists: false, ..stay("a", true) }), &[][..], Ok(Destruction::KeptForAnother)),
            (9, Some(stay("a", false)), &[][..], Err(NeedsRefresh)),
        ] {
            let ledger = Tokens::default();
            other.map(|other| plan_to_stay(&ledger, &other_key, other));
            assert_eq!(destroy(&ledger, &key, remembered), expected, "row {row}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_of_several_objects_that_are_destroyed_deletes() {
        let (ledger, first, second) = (Tokens::default(), Key::default(), Key::default());
        let keys = [&first, &second].map(|key| ledger.plan_to_destroy(key));
        // A refresh has found each beside the other.
        assert_eq!(ledger.decide(&keys[0], std::slice::from_ref(&second)), Ok(Destruction::Deletes));
        assert_eq!(ledger.decide(&keys[1], std::slice::from_ref(&first)), Ok(Destruction::Deletes));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_read_once_the_one_before_is_planned() {
        let (ledger, first, second) = (Tokens::default(), Key::default(), Key::default());
        let reading = ledger.begin_reading(&first).await;
        let start = Instant::now();
        let read_second = async {
            let (key, noticed) = read(&ledger, &second).await;
            assert_eq!((key == second, noticed.may_stay.len(), noticed.may_delete), (true, 0, false));
            assert_eq!(start.elapsed(), Duration::from_secs(31));
            assert_eq!(plan_to_stay(&ledger, &second, stay("a", false)), "stays");
        };
        let plan_first = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert_eq!(reading.found().1.may_stay, std::slice::from_ref(&second), "the second waits to be read");
            tokio::time::sleep(Duration::from_secs(1)).await;
            let key = ledger.plan_to_destroy(&first);
            ledger.all_planned().await;
            assert_eq!(ledger.decide(&key, std::slice::from_ref(&second)), Ok(Destruction::KeptForAnother));
        };
        tokio::join!(read_second, plan_first);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_while_a_new_object_waits_for_others() {
        let (ledger, goes, new) = (Tokens::default(), Key::default(), Key::default());
        read(&ledger, &goes).await;
        let waiting = ledger.wait_for_others().expect("another one is not planned yet");
        let going = ledger.plan_to_destroy(&goes);
        let decide = async {
            ledger.all_planned().await;
            ledger.decide(&going, &[])
        };
        let plan_new = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let staying = ledger.plan_to_stay(&new, Stay { exists: false, ..stay("a", true) }, false);
            drop(waiting);
            assert!(staying.is_ok_and(|staying| !staying.was_read && !staying.is_deleted_before));
        };
        assert_eq!(tokio::join!(decide, plan_new).0, Ok(Destruction::KeptForAnother));
        assert!(ledger.wait_for_others().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_of_which_one_that_goes_may_not_know_is_written_again() {
        let (ledger, goes, stays) = (Tokens::default(), Key::default(), Key::default());
        read(&ledger, &goes).await;
        let going = ledger.plan_to_destroy(&goes);
        assert!(read(&ledger, &stays).await.1.may_delete, "a deposed object is planned again in the apply");
        assert_eq!(ledger.may_be_deleted(&stays), Some(true));
        assert_eq!(plan_to_stay(&ledger, &stays, stay("a", true)), "stays");
        assert_eq!(ledger.decide(&going, &[]), Ok(Destruction::KeptForAnother));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_never_planned_holds_up_no_other_for_long() {
        let ledger = Tokens::default();
        drop(ledger.begin_reading(&Key::default()).await);
        assert!(read(&ledger, &Key::default()).await.1.may_stay.is_empty(), "the first was not there");
        let start = Instant::now();
        assert_eq!(read(&ledger, &Key::default()).await.1.may_stay.len(), 1, "the second may stay");
        assert_eq!(start.elapsed(), PLANNED_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_planned_before_it_is_read_keeps_what_another_needs() {
        let (ledger, orphan, other) = (Tokens::default(), Key::default(), Key::default());
        let going = ledger.plan_to_destroy(&orphan);
        let start = Instant::now();
        assert!(!read(&ledger, &other).await.1.may_delete, "its plan is not decided yet");
        assert_eq!(plan_to_stay(&ledger, &other, stay("a", false)), "stays");
        assert_eq!(ledger.decide(&going, &[]), Ok(Destruction::KeptForAnother));
        assert_eq!(read(&ledger, &orphan).await.0, orphan);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_planned_twice_is_not_its_own_twin() {
        let (ledger, key) = (Tokens::default(), Key::default());
        assert_eq!(plan_to_stay(&ledger, &key, stay("a", true)), "stays");
        assert!(read(&ledger, &key).await.1.may_stay.is_empty());
        assert_eq!(plan_to_stay(&ledger, &key, stay("b", true)), "stays");
        assert!(ledger.plan_to_replace(&key, Some(token("c"))) && !ledger.plan_to_replace(&Key::default(), None));
        assert_eq!(plan_to_stay(&ledger, &Key::default(), stay("c", true)), "stays, agreeing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_of_an_object_is_another_object() {
        let (ledger, copied) = (Tokens::default(), Key::default());
        let (first, _) = read(&ledger, &copied).await;
        assert_eq!(plan_to_stay(&ledger, &first, stay("a", false)), "stays");
        let (second, noticed) = read(&ledger, &copied).await;
        assert!(first == copied && second != copied && noticed.may_stay == [first]);
        assert_eq!(destroy(&ledger, &second, &noticed.may_stay), Ok(Destruction::KeptForAnother));
        let unread = Tokens::default();
        assert_eq!(plan_to_stay(&unread, &copied, stay("a", true)), "stays");
        assert_eq!(destroy(&unread, &copied, &[]), Ok(Destruction::KeptForAnother));
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_that_is_planned_first_keeps_what_the_other_needs() {
        let copied = Key::default();
        // Planned while the other is being read, and before that.
        let (ledger, start) = (Tokens::default(), Instant::now());
        let reading = ledger.begin_reading(&copied).await;
        let going = ledger.plan_to_destroy(&copied);
        reading.found();
        assert_eq!(plan_to_stay(&ledger, &copied, stay("a", false)), "stays");
        assert_eq!(ledger.decide(&going, &[]), Ok(Destruction::KeptForAnother));
        let ledger = Tokens::default();
        let going = ledger.plan_to_destroy(&copied);
        assert!(read(&ledger, &copied).await.1.may_delete, "it may be a copy of the orphan");
        assert_eq!(plan_to_stay(&ledger, &copied, stay("a", true)), "stays");
        assert_eq!(ledger.decide(&going, &[]), Ok(Destruction::KeptForAnother));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_is_planned_by_the_key_of_its_replacement() {
        let ledger = Tokens::default();
        read(&ledger, &Key::default()).await;
        let replacement = Stay { exists: false, ..stay("a", true) };
        assert!(ledger.plan_to_stay(&Key::default(), replacement, false).is_ok_and(|staying| staying.was_read));
        let start = Instant::now();
        read(&ledger, &Key::default()).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing is left to be planned");
    }

    #[test]
    fn a_write_that_is_still_to_come_counts_until_it_is_applied() {
        let (ledger, updated, other) = (Tokens::default(), Key::default(), Key::default());
        assert_eq!(plan_to_stay(&ledger, &updated, stay("a", true)), "stays");
        ledger.begin_apply(&other);
        assert!(ledger.is_to_be_written(&other) && !ledger.is_to_be_written(&updated));
        ledger.begin_apply(&updated);
        assert!(!ledger.is_to_be_written(&other));
        // A creation is planned twice, each time under another key.
        for _ in 0..2 {
            let creation = Stay { exists: false, ..stay("a", true) };
            plan_to_stay(&ledger, &Key::default(), creation);
        }
        ledger.begin_create(&Key::default(), &token("a"));
        assert!(!ledger.is_to_be_written(&other));
    }
}
