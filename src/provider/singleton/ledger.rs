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
//! | 5 | keeps it | one is destroyed, or may be: known when this one was read | it is written again | written again |
//! | 6 | keeps it | one is destroyed: noticed after this one was read | an error, unless row 2 is one | needs a refresh |
//! | 7 | destroys it | none, or only such that go | it is deleted | |
//! | 8 | destroys it | one that exists stays, or is undecided | nothing is deleted | kept for another |
//! | 9 | destroys it | one stays and is written | nothing is deleted | kept for another |
//! | 10 | destroys it | one that was not read stays, unwritten; or one stays, noticed after this one was read | an error | needs a refresh |
//! | 11 | forgets it | any | nothing is deleted; the others do not count it | |
//!
//! The result of reading an object for rows 5 and 8 is remembered in its private data: Terraform plans once more when
//! it applies, in a process that may have read nothing. A plan in the process that has read the object looks at the
//! others again. [`Others`] is what the rows go by; [`Ledger::plan_to_stay`], [`Ledger::plan_to_destroy`] and
//! [`Ledger::plan_to_forget`] decide.
//!
//! Objects are told apart by a random [`Key`] in their private data. Terraform plans the replacement of a tainted
//! object without it. So a creation takes the place of the last object that was read and not planned.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::Content;
use super::history::History;
use super::memory::Key;
use crate::tencent::SdkAppId;

/// The longest Terraform takes from reading an object to planning it. Planning is the next step of the same node of its
/// graph; only a run that does nothing but refresh or import never takes it.
const PLANNED_WITHIN: Duration = Duration::from_secs(2);

/// How long a read stays fresh enough to reuse. Terraform plans an object once more right before it applies the plan.
const FRESH: Duration = Duration::from_secs(5);

/// The ledgers of one kind, by application.
#[derive(Debug)]
pub(crate) struct Ledgers<C> {
    by_id: Mutex<HashMap<SdkAppId, Arc<Ledger<C>>>>,
    shared: Mutex<BTreeSet<SdkAppId>>,
}

impl<C> Default for Ledgers<C> {
    fn default() -> Self {
        Self { by_id: Mutex::default(), shared: Mutex::default() }
    }
}

impl<C: Content> Ledgers<C> {
    pub(super) fn of(&self, id: SdkAppId) -> Arc<Ledger<C>> {
        Arc::clone(lock(&self.by_id).entry(id).or_default())
    }

    /// Notes that an application has more than one object.
    pub(super) fn note_shared(&self, id: SdkAppId) {
        lock(&self.shared).insert(id);
    }

    /// Returns the applications that have more than one object, as far as this process has read them.
    pub(super) fn shared(&self) -> Vec<String> {
        lock(&self.shared).iter().map(ToString::to_string).collect()
    }
}

/// The knowledge of this process about the remote object of one application.
#[derive(Debug)]
pub(crate) struct Ledger<C> {
    entries: Mutex<Vec<Entry<C>>>,
    /// Notified whenever an entry changes.
    changed: Notify,
    /// The last write. It is locked during writes and deletions, so that these exclude each other.
    pub(super) written: tokio::sync::Mutex<Option<Write<C>>>,
    /// The content that Terraform let go of and left at Tencent. If that is still there, nobody else set it.
    left: Mutex<Option<C>>,
    last_read: Mutex<Option<Read<C>>>,
    pub(super) history: History<C>,
}

impl<C> Default for Ledger<C> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            changed: Notify::new(),
            written: tokio::sync::Mutex::default(),
            left: Mutex::default(),
            last_read: Mutex::default(),
            history: History::default(),
        }
    }
}

/// An object that this process has read or planned.
#[derive(Debug)]
struct Entry<C> {
    key: Key,
    /// The others when this object was read; none if it was planned without being read.
    when_read: Option<Others<C>>,
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
    Goes {
        deletes: bool,
    },
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

/// The other objects of the application, at some point of a run.
#[derive(Debug, Clone)]
pub(super) struct Others<C> {
    stays: Vec<OtherStay<C>>,
    /// Destroying one of them deletes the remote object.
    deletes: bool,
    /// One of them was read and never planned.
    undecided: bool,
}

#[derive(Debug, Clone)]
struct OtherStay<C> {
    stay: Stay<C>,
    was_read: bool,
}

impl<C> Others<C> {
    /// Returns whether one that exists may stay, so that destroying this object must delete nothing. An object that is
    /// only being created does not count: before a destroy, Terraform even plans creations that it never applies.
    pub(super) fn may_stay(&self) -> bool {
        self.undecided || self.stays.iter().any(|other| other.stay.exists)
    }

    /// Returns whether destroying one may delete the remote object, so that this object is written again if it stays.
    pub(super) fn may_delete(&self) -> bool {
        self.undecided || self.deletes
    }
}

/// The decision about an object that stays.
#[derive(Debug)]
pub(super) struct Staying<C> {
    /// Whether it was read before it was planned.
    pub(super) was_read: bool,
    pub(super) twins: Vec<Twin<C>>,
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

/// A decision came too late: an object was planned before another one was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NeedsRefresh;

impl<C: Content> Ledger<C> {
    /// Waits until the objects that were read before are planned, then notes that this one is being read. So each
    /// object is read and planned before the next one is read, and the later one knows of the earlier.
    pub(super) async fn begin_reading(&self, key: &Key) -> Reading<'_, C> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.try_reading(key) {
                Ok(Some(key)) => return Reading { ledger: self, key, has_entry: true, others: None },
                Ok(None) => return Reading { ledger: self, key: key.clone(), has_entry: false, others: None },
                Err(None) => changed.await,
                // Once the time has passed, nothing waits for the other object any more.
                Err(Some(planned_by)) => drop(timeout_at(planned_by, changed).await),
            }
        }
    }

    /// Returns the key of the object's new entry if it gets one, or until when to wait for another object.
    fn try_reading(&self, key: &Key) -> Result<Option<Key>, Option<Instant>> {
        let mut entries = lock(&self.entries);
        // Terraform 1.9 to 1.11 plans an object that has no block any more before it reads it.
        let was_planned_first =
            |entry: &Entry<C>| matches!(entry.stage, Stage::Goes { .. }) && entry.when_read.is_none();
        if entries.iter().any(was_planned_first) {
            return Ok(None);
        }
        let now = Instant::now();
        for entry in entries.iter() {
            match entry.stage {
                Stage::BeingRead => return Err(None),
                Stage::Read { planned_by } if planned_by > now => return Err(Some(planned_by)),
                _ => {}
            }
        }
        // The state may hold a copy of an object, private data included. If that was read before, this is another one.
        let is_copied = |entry: &Entry<C>| {
            entry.key == *key && entry.when_read.is_some() && !matches!(entry.stage, Stage::Read { .. })
        };
        let key = if entries.iter().any(is_copied) { Key::default() } else { key.clone() };
        entries.retain(|entry| entry.key != key);
        entries.push(Entry { key: key.clone(), when_read: None, stage: Stage::BeingRead });
        Ok(Some(key))
    }

    /// Returns the others of an object that was read and not planned yet.
    pub(super) fn others_before_planning(&self, key: &Key) -> Option<Others<C>> {
        let entries = lock(&self.entries);
        let is_it = |entry: &Entry<C>| entry.key == *key && matches!(entry.stage, Stage::Read { .. });
        entries.iter().any(is_it).then(|| others(&entries, key))
    }

    /// Plans that the object exists after the apply.
    pub(super) fn plan_to_stay(&self, key: &Key, stay: Stay<C>) -> Result<Staying<C>, NeedsRefresh> {
        let (wanted, is_written, is_new) = (stay.wanted.clone(), stay.is_written, !stay.exists);
        let (_, others, when_read) = self.plan(key, Stage::Stays(stay), is_new && is_written);
        let twin = |other: OtherStay<C>| match (other.stay.wanted, &wanted) {
            (Some(other), Some(wanted)) if other.is_same(wanted) => Twin::Agreeing,
            (Some(other), Some(_)) => Twin::Conflicting(other),
            _ => Twin::Undecided,
        };
        let twins: Vec<_> = others.stays.into_iter().map(twin).collect();
        let is_conflict = twins.iter().any(|twin| matches!(twin, Twin::Conflicting(_)));
        if others.deletes && !is_written && !is_conflict {
            return Err(NeedsRefresh);
        }
        Ok(Staying { was_read: when_read.is_some(), twins })
    }

    /// Replaces the plan of an object by that of the second half of its replacement. Returns whether there was a plan.
    pub(super) fn plan_to_replace(&self, key: &Key, wanted: Option<C>) -> bool {
        let mut entries = lock(&self.entries);
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) else { return false };
        entry.stage = Stage::Stays(Stay { wanted, is_written: true, exists: true });
        true
    }

    /// Plans that Terraform destroys the object. `kept_for_another` is what reading it has decided.
    pub(super) fn plan_to_destroy(&self, key: &Key, kept_for_another: bool) -> Result<Destruction, NeedsRefresh> {
        let (key, others, when_read) = self.plan(key, Stage::Goes { deletes: true }, false);
        let was_read = when_read.is_some();
        // What an interrupted replacement left remembers only what reading has set.
        let kept = kept_for_another || when_read.is_some_and(|others| others.may_stay());
        let is_late = |other: &OtherStay<C>| !other.stay.is_written && (was_read || !other.was_read);
        if !kept && others.stays.iter().any(is_late) {
            return Err(NeedsRefresh);
        }
        if !kept && !others.undecided && others.stays.is_empty() {
            return Ok(Destruction::Deletes);
        }
        if let Some(entry) = lock(&self.entries).iter_mut().find(|entry| entry.key == key) {
            entry.stage = Stage::Goes { deletes: false };
        }
        Ok(Destruction::KeptForAnother)
    }

    /// Plans that Terraform only forgets the object.
    pub(super) fn plan_to_forget(&self, key: &Key) {
        self.plan(key, Stage::Goes { deletes: false }, false);
    }

    /// Notes the plan of an object. Returns its entry's key, the others as they are now, and as they were when this
    /// object was read.
    fn plan(&self, key: &Key, stage: Stage<C>, may_be_tainted: bool) -> (Key, Others<C>, Option<Others<C>>) {
        let mut entries = lock(&self.entries);
        // One object does not both stay and go: the other one is a copy, which was planned without being read.
        let goes = |stage: &Stage<C>| matches!(stage, Stage::Goes { .. });
        let stays = |stage: &Stage<C>| matches!(stage, Stage::Stays(_));
        let is_copied = |e: &Entry<C>| goes(&e.stage) && stays(&stage) || stays(&e.stage) && goes(&stage);
        let is_read = |entry: &Entry<C>| matches!(entry.stage, Stage::Read { .. });
        let own = entries.iter().position(|entry| entry.key == *key && !is_copied(entry));
        let own = own.or_else(|| entries.iter().rposition(is_read).filter(|_| may_be_tainted));
        let key = if entries.iter().any(|entry| entry.key == *key && is_copied(entry)) {
            Key::default()
        } else {
            key.clone()
        };
        let when_read = own.and_then(|own| entries.remove(own).when_read);
        entries.push(Entry { key: key.clone(), when_read: when_read.clone(), stage });
        let others = others(&entries, &key);
        drop(entries);
        self.changed.notify_waiters();
        (key, others, when_read)
    }

    /// Forgets all plans, because they are being applied: what is planned from now on is another plan.
    pub(super) fn forget_plans(&self) {
        lock(&self.entries).clear();
        self.changed.notify_waiters();
    }
}

fn others<C: Content>(entries: &[Entry<C>], own: &Key) -> Others<C> {
    let mut others = Others { stays: Vec::new(), deletes: false, undecided: false };
    for entry in entries.iter().filter(|entry| entry.key != *own) {
        match &entry.stage {
            Stage::BeingRead | Stage::Read { .. } => others.undecided = true,
            Stage::Stays(stay) => {
                others.stays.push(OtherStay { stay: stay.clone(), was_read: entry.when_read.is_some() });
            }
            Stage::Goes { deletes } => others.deletes |= deletes,
        }
    }
    others
}

/// An object while it is being read.
#[derive(Debug)]
pub(super) struct Reading<'a, C: Content> {
    ledger: &'a Ledger<C>,
    key: Key,
    has_entry: bool,
    /// The others, if the object exists.
    others: Option<Others<C>>,
}

impl<C: Content> Reading<'_, C> {
    /// Notes that the object exists. Returns its key from now on, and the others.
    pub(super) fn found(mut self) -> (Key, Others<C>) {
        // Without an entry of its own, the object may be a copy of the one that was planned first.
        let own = if self.has_entry { self.key.clone() } else { Key::default() };
        let others = others(&lock(&self.ledger.entries), &own);
        (self.key.clone(), self.others.insert(others).clone())
    }
}

/// Ends the reading: an object that was not found, or could not be read, loses its entry.
impl<C: Content> Drop for Reading<'_, C> {
    fn drop(&mut self) {
        if !self.has_entry {
            return;
        }
        let mut entries = lock(&self.ledger.entries);
        match (self.others.take(), entries.iter_mut().find(|entry| entry.key == self.key)) {
            (Some(others), Some(entry)) => {
                entry.when_read = Some(others);
                entry.stage = Stage::Read { planned_by: Instant::now() + PLANNED_WITHIN };
            }
            _ => entries.retain(|entry| entry.key != self.key),
        }
        drop(entries);
        self.ledger.changed.notify_waiters();
    }
}

/// A write that took effect, or may have.
#[derive(Debug)]
pub(super) struct Write<C> {
    /// The key of the object that it was made for.
    pub(super) key: Key,
    pub(super) wanted: C,
}

#[derive(Debug)]
struct Read<C> {
    at: Instant,
    found: Option<C>,
}

impl<C: Content> Ledger<C> {
    /// Returns whether this process has written it, or may have.
    pub(super) fn has_written(&self) -> bool {
        // While it is locked, it is being written or deleted.
        self.written.try_lock().map_or(true, |written| written.is_some())
    }

    /// Notes what a read found.
    pub(super) fn note_read(&self, found: Option<C>) {
        *lock(&self.last_read) = Some(Read { at: Instant::now(), found });
    }

    /// Notes a write or a deletion: what was read or left before no longer counts.
    pub(super) fn note_change(&self) {
        *lock(&self.last_read) = None;
        *lock(&self.left) = None;
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
    pub(super) fn leave(&self, left: Option<C>) {
        *lock(&self.left) = left;
    }

    /// Returns whether `found` is what Terraform let go of and left at Tencent.
    pub(super) fn has_left(&self, found: &C) -> bool {
        lock(&self.left).as_ref().is_some_and(|left| left.is_same(found))
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
        match ledger.plan_to_stay(key, stay) {
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

    #[test]
    fn an_object_that_stays_is_checked_against_the_others() {
        let key = Key::default();
        let goes =
            |ledger: &Tokens| assert_eq!(ledger.plan_to_destroy(&Key::default(), false), Ok(Destruction::Deletes));
        let forgotten = |ledger: &Tokens| ledger.plan_to_forget(&Key::default());
        let stays = |ledger: &Tokens, wanted| plan_to_stay(ledger, &Key::default(), stay(wanted, true));
        for (row, others, mine, expected) in [
            (1, &(|_: &Tokens| {}) as &dyn Fn(&Tokens), stay("a", false), "stays"),
            (2, &|ledger| drop(stays(ledger, "b")), stay("a", true), "stays, conflicting"),
            (3, &|ledger| drop(stays(ledger, "a")), stay("a", true), "stays, agreeing"),
            (4, &|ledger| drop(stays(ledger, "")), stay("a", true), "stays, undecided"),
            (5, &goes, stay("a", true), "stays"),
            (6, &goes, stay("a", false), "needs a refresh"),
            (11, &forgotten, stay("a", false), "stays"),
        ] {
            let ledger = Tokens::default();
            others(&ledger);
            assert_eq!(plan_to_stay(&ledger, &key, mine), expected, "row {row}");
        }
    }

    #[test]
    fn an_object_that_is_destroyed_deletes_nothing_that_another_needs() {
        let key = Key::default();
        for (row, other, keep, expected) in [
            (7, None, false, Ok(Destruction::Deletes)),
            (8, Some(stay("a", false)), true, Ok(Destruction::KeptForAnother)),
            (9, Some(stay("a", true)), false, Ok(Destruction::KeptForAnother)),
            (8, Some(Stay { exists: false, ..stay("a", true) }), false, Ok(Destruction::KeptForAnother)),
            (10, Some(stay("a", false)), false, Err(NeedsRefresh)),
        ] {
            let ledger = Tokens::default();
            other.map(|other| plan_to_stay(&ledger, &Key::default(), other));
            assert_eq!(ledger.plan_to_destroy(&key, keep), expected, "row {row}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_read_once_the_one_before_is_planned() {
        let (ledger, first, second) = (Tokens::default(), Key::default(), Key::default());
        let reading = ledger.begin_reading(&first).await;
        let start = Instant::now();
        let read_second = async {
            let (_, others) = ledger.begin_reading(&second).await.found();
            (others.may_delete(), others.may_stay(), start.elapsed())
        };
        let plan_first = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert!(!reading.found().1.may_stay());
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(ledger.plan_to_destroy(&first, false), Ok(Destruction::Deletes));
        };
        let (read, ()) = tokio::join!(read_second, plan_first);
        assert_eq!(read, (true, false, Duration::from_secs(31)));
        assert!(ledger.plan_to_stay(&second, stay("a", true)).is_ok_and(|staying| staying.was_read));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_never_planned_holds_up_no_other_for_long() {
        let ledger = Tokens::default();
        drop(ledger.begin_reading(&Key::default()).await);
        assert!(!ledger.begin_reading(&Key::default()).await.found().1.may_stay(), "the first was not there");
        let start = Instant::now();
        assert!(ledger.begin_reading(&Key::default()).await.found().1.may_stay(), "the second may stay");
        assert_eq!(start.elapsed(), PLANNED_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_planned_before_it_is_read_holds_up_no_other() {
        let (ledger, orphan) = (Tokens::default(), Key::default());
        assert_eq!(ledger.plan_to_destroy(&orphan, false), Ok(Destruction::Deletes));
        let start = Instant::now();
        for key in [&orphan, &Key::default()] {
            assert!(ledger.begin_reading(key).await.found().1.may_delete(), "it may be a copy of the orphan");
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_planned_twice_is_not_its_own_twin() {
        let (ledger, key) = (Tokens::default(), Key::default());
        assert_eq!(plan_to_stay(&ledger, &key, stay("a", true)), "stays");
        assert!(!ledger.begin_reading(&key).await.found().1.may_stay());
        assert_eq!(plan_to_stay(&ledger, &key, stay("b", true)), "stays");
        assert!(ledger.plan_to_replace(&key, Some(token("c"))) && !ledger.plan_to_replace(&Key::default(), None));
        assert_eq!(plan_to_stay(&ledger, &Key::default(), stay("c", true)), "stays, agreeing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_of_an_object_is_another_object() {
        let (ledger, copied) = (Tokens::default(), Key::default());
        let (first, _) = ledger.begin_reading(&copied).await.found();
        assert_eq!(plan_to_stay(&ledger, &first, stay("a", false)), "stays");
        let (second, others) = ledger.begin_reading(&copied).await.found();
        assert!(first == copied && second != copied && others.may_stay());
        assert_eq!(ledger.plan_to_destroy(&second, true), Ok(Destruction::KeptForAnother));
        let unread = Tokens::default();
        assert_eq!(plan_to_stay(&unread, &copied, stay("a", true)), "stays");
        assert_eq!(unread.plan_to_destroy(&copied, false), Ok(Destruction::KeptForAnother));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_is_planned_by_the_key_of_its_replacement() {
        let ledger = Tokens::default();
        ledger.begin_reading(&Key::default()).await.found();
        let replacement = Stay { exists: false, ..stay("a", true) };
        assert!(ledger.plan_to_stay(&Key::default(), replacement).is_ok_and(|staying| staying.was_read));
        let start = Instant::now();
        ledger.begin_reading(&Key::default()).await.found();
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing is left to be planned");
    }
}
