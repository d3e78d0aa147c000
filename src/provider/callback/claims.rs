//! Who wants what of an application, such as its callback configuration: the objects of one run of Terraform that are one
//! and the same to Tencent.
//!
//! Terraform takes each of its objects for a remote object of its own. When two of them belong to one application (a
//! block renamed without `moved`, an application imported twice, what an interrupted `create_before_destroy` left),
//! destroying the one would delete what the other still wants. Terraform reads and plans each object separately, in one
//! process per provider block: what is noted here while it does so is all that anybody knows of the others.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long after reading an object Terraform plans it at the latest. Planning is the very next step of the same node
/// of its graph; only a run that does nothing but refresh or import never takes it.
const PLANNED_WITHIN: Duration = Duration::from_secs(2);

/// The objects that are one at Tencent, as far as this run has come. `W` is what an object may want of it.
#[derive(Debug)]
pub(crate) struct Claims<W> {
    objects: Mutex<Vec<Claim<W>>>,
    changed: Notify,
}

impl<W> Default for Claims<W> {
    fn default() -> Self {
        Self { objects: Mutex::default(), changed: Notify::new() }
    }
}

/// The number of an object within its [`Claims`].
pub(crate) type ClaimNumber = usize;

/// What tells the objects of one application apart: their `last_request_id`. Some have none.
pub(crate) type Mark = Option<String>;

/// What becomes of an object.
#[derive(Debug, Clone)]
pub(crate) enum Claim<W> {
    /// It is being read.
    Reading,
    /// It was read, when the others had come this far; it is planned before this time, or not at all.
    Read {
        mark: Mark,
        planned_by: Instant,
        others: Others<W>,
    },
    /// It turned out not to be there, or could not be read.
    Void,
    /// It exists after the apply.
    Stays(Stay<W>),
    Goes(Goes),
}

impl<W> Claim<W> {
    fn of_object(self, was_read: bool) -> Self {
        match self {
            Self::Stays(stay) => Self::Stays(Stay { was_read, ..stay }),
            Self::Goes(goes) => Self::Goes(Goes { was_read, ..goes }),
            claim => claim,
        }
    }
}

/// An object that Terraform lets go of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goes {
    /// Whether that deletes the configuration.
    pub(crate) deletes: bool,
    /// Whether it was read before it was planned. Terraform 1.9 to 1.11 reads an object that has no block any more only
    /// after that.
    was_read: bool,
}

impl Goes {
    pub(crate) fn new(deletes: bool) -> Self {
        Self { deletes, was_read: false }
    }
}

/// An object that exists after the apply.
#[derive(Debug, Clone)]
pub(crate) struct Stay<W> {
    /// What it wants, as far as that is known.
    pub(crate) wanted: Option<W>,
    /// Whether applying the plan writes it.
    pub(crate) is_written: bool,
    /// Whether it exists before the apply, too.
    pub(crate) exists: bool,
    /// Whether it was read before it was planned.
    pub(crate) was_read: bool,
}

impl<W> Stay<W> {
    pub(crate) fn new(wanted: Option<W>, is_written: bool, exists: bool) -> Self {
        Self { wanted, is_written, exists, was_read: false }
    }
}

/// An object that is planned.
#[derive(Debug)]
pub(crate) struct Claimed<W> {
    pub(crate) number: ClaimNumber,
    pub(crate) others: Others<W>,
    /// How far the others had come when it was read, if it was.
    pub(crate) when_read: Option<Others<W>>,
}

/// What becomes of all other objects of the application.
#[derive(Debug, Clone)]
pub(crate) struct Others<W> {
    pub(crate) stays: Vec<Stay<W>>,
    /// Destroying one of them deletes the configuration.
    pub(crate) deletes: bool,
    /// One of them was read and never planned.
    pub(crate) undecided: bool,
}

impl<W> Others<W> {
    /// Whether one that exists may stay: then the configuration is kept for it. One that is created is written anyway,
    /// and need not even be, if Terraform is only preparing to destroy everything.
    pub(crate) fn may_stay(&self) -> bool {
        self.undecided || self.stays.iter().any(|stay| stay.exists)
    }

    /// Whether destroying one of them may delete the configuration: then what stays is written again.
    pub(crate) fn may_delete(&self) -> bool {
        self.undecided || self.deletes
    }

    /// Those that stay without being written.
    pub(crate) fn unwritten(&self) -> impl Iterator<Item = &Stay<W>> {
        self.stays.iter().filter(|stay| !stay.is_written)
    }
}

impl<W: Clone> Claims<W> {
    fn objects(&self) -> MutexGuard<'_, Vec<Claim<W>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read an object as soon as it is decided what becomes of those that were read before. So each is read
    /// and planned before the next one is read, and the later one knows of the earlier.
    pub(crate) async fn read(&self) -> Reading<'_, W> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.try_read() {
                Ok(number) => return Reading { claims: self, number, found: None },
                Err(None) => changed.await,
                // Once the time has passed, nothing waits for it any more.
                Err(Some(planned_by)) => drop(timeout_at(planned_by, changed).await),
            }
        }
    }

    /// The number of the object that is now being read, if it counts, or until when to wait for another one.
    fn try_read(&self) -> Result<Option<ClaimNumber>, Option<Instant>> {
        let mut objects = self.objects();
        if objects.iter().any(|claim| matches!(claim, Claim::Goes(Goes { was_read: false, .. }))) {
            // This is that object, or one that learns of it now.
            return Ok(None);
        }
        let now = Instant::now();
        for claim in objects.iter() {
            match claim {
                Claim::Reading => return Err(None),
                Claim::Read { planned_by, .. } if *planned_by > now => return Err(Some(*planned_by)),
                _ => {}
            }
        }
        objects.push(Claim::Reading);
        Ok(Some(objects.len() - 1))
    }

    /// What has become of the others of the object that was read and is about to be planned, if there is one. `prior` is
    /// that object's mark; a new object has none.
    pub(crate) fn others_now(&self, prior: Option<&Mark>) -> Option<Others<W>> {
        let read = was_read(&self.objects(), prior);
        read.map(|number| self.others(Some(number)))
    }

    /// Notes what is planned for an object. One that exists was read before, unless Terraform was told not to, or reads
    /// it later. `prior` is its mark; a new object has none.
    pub(crate) fn plan(&self, prior: Option<&Mark>, claim: Claim<W>) -> Claimed<W> {
        let mut objects = self.objects();
        // A tainted object is planned as if it were new.
        let may_be_read = prior.is_some() || matches!(&claim, Claim::Stays(stay) if stay.is_written);
        let read = was_read(&objects, prior).filter(|_| may_be_read);
        let number = read.unwrap_or(objects.len());
        let when_read = match read.map(|number| &objects[number]) {
            Some(Claim::Read { others, .. }) => Some(others.clone()),
            _ => None,
        };
        let claim = claim.of_object(read.is_some());
        match read {
            Some(number) => objects[number] = claim,
            None => objects.push(claim),
        }
        drop(objects);
        self.changed.notify_waiters();
        Claimed { number, others: self.others(Some(number)), when_read }
    }

    /// Notes what is planned for the same object in the end.
    pub(crate) fn plan_again(&self, number: ClaimNumber, claim: Claim<W>) {
        if let Some(object) = self.objects().get_mut(number) {
            let was_read =
                matches!(object, Claim::Stays(Stay { was_read: true, .. }) | Claim::Goes(Goes { was_read: true, .. }));
            *object = claim.of_object(was_read);
        }
    }

    /// Forgets all of them: what was planned is being applied, and what is planned from now on is another plan.
    pub(crate) fn clear(&self) {
        self.objects().clear();
        self.changed.notify_waiters();
    }

    fn others(&self, number: Option<ClaimNumber>) -> Others<W> {
        let mut others = Others { stays: Vec::new(), deletes: false, undecided: false };
        for (_, claim) in self.objects().iter().enumerate().filter(|(other, _)| Some(*other) != number) {
            match claim {
                Claim::Reading | Claim::Read { .. } => others.undecided = true,
                Claim::Void => {}
                Claim::Stays(stay) => others.stays.push(stay.clone()),
                Claim::Goes(goes) => others.deletes |= goes.deletes,
            }
        }
        others
    }
}

/// The number of the object that was read and is about to be planned.
fn was_read<W>(objects: &[Claim<W>], prior: Option<&Mark>) -> Option<ClaimNumber> {
    let is_it = |claim: &Claim<W>| matches!(claim, Claim::Read { mark, .. } if prior.is_none_or(|prior| prior == mark));
    objects.iter().rposition(is_it)
}

/// An object while it is read.
#[derive(Debug)]
pub(crate) struct Reading<'a, W: Clone> {
    claims: &'a Claims<W>,
    /// None for one that is planned already.
    number: Option<ClaimNumber>,
    found: Option<(Mark, Others<W>)>,
}

impl<W: Clone> Reading<'_, W> {
    /// Notes that it is there, and tells what has become of the others.
    pub(crate) fn found(mut self, mark: Mark) -> Others<W> {
        let others = self.claims.others(self.number);
        self.found = Some((mark, others.clone()));
        others
    }
}

impl<W: Clone> Drop for Reading<'_, W> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let planned_by = Instant::now() + PLANNED_WITHIN;
        if let Some(object) = self.claims.objects().get_mut(number) {
            *object = match self.found.take() {
                Some((mark, others)) => Claim::Read { mark, planned_by, others },
                None => Claim::Void,
            };
        }
        self.claims.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(is_written: bool) -> Claim<()> {
        Claim::Stays(Stay::new(None, is_written, true))
    }

    fn deletes() -> Claim<()> {
        Claim::Goes(Goes::new(true))
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_is_read_when_the_first_is_planned() {
        let claims = Claims::<()>::default();
        let first = claims.read().await;
        let start = Instant::now();
        let second = async {
            let others = claims.read().await.found(None);
            (others.deletes, others.undecided, start.elapsed())
        };
        let plan_first = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert!(first.found(None).stays.is_empty());
            tokio::time::sleep(Duration::from_secs(1)).await;
            let claimed = claims.plan(Some(&None), deletes());
            assert!(claimed.number == 0 && claimed.when_read.is_some());
            assert!(!claimed.others.may_stay() && !claimed.others.deletes);
        };
        let (second, ()) = tokio::join!(second, plan_first);
        assert_eq!(second, (true, false, Duration::from_secs(31)));
        let claimed = claims.plan(Some(&None), stays(true));
        assert!(claimed.number == 1 && claimed.others.deletes);
        assert!(claimed.when_read.is_some_and(|others| others.deletes && !others.may_stay()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_never_planned_is_not_waited_for_forever() {
        let claims = Claims::<()>::default();
        claims.read().await.found(None);
        let start = Instant::now();
        let others = claims.read().await.found(None);
        assert!(others.undecided);
        assert_eq!(start.elapsed(), PLANNED_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_claims_nothing() {
        let claims = Claims::<()>::default();
        drop(claims.read().await);
        let others = claims.read().await.found(None);
        assert!(!others.undecided && !others.deletes && others.stays.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_planned_before_it_is_read_keeps_nobody_waiting() {
        let claims = Claims::<()>::default();
        claims.plan(Some(&None), deletes());
        let start = Instant::now();
        for _ in 0..2 {
            let others = claims.read().await.found(None);
            assert!(others.deletes && !others.undecided);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_planned_before_it_is_read_is_not_taken_for_what_was_read() {
        let claims = Claims::<()>::default();
        let [stays_here, goes] = ["1", "2"].map(|id| Some(id.to_owned()));
        claims.read().await.found(stays_here.clone());
        let gone = claims.plan(Some(&goes), deletes());
        assert!(gone.when_read.is_none() && gone.others.undecided);
        assert!(claims.others_now(Some(&goes)).is_none());
        assert!(claims.others_now(Some(&stays_here)).is_some_and(|others| others.deletes));
        let stay = claims.plan(Some(&stays_here), stays(false));
        assert_eq!(stay.number, 0);
        assert!(stay.when_read.is_some());
    }

    #[test]
    fn what_was_not_read_counts_as_well() {
        let claims = Claims::<()>::default();
        let first = claims.plan(None, stays(false)).number;
        let second = claims.plan(Some(&None), deletes());
        assert_eq!((first, second.number, second.others.stays.len()), (0, 1, 1));
        assert!(second.when_read.is_none());
        claims.plan_again(first, stays(true));
        let others = claims.plan(None, stays(true)).others;
        assert!(others.deletes && others.stays.iter().all(|stay| stay.is_written));
    }
}
