//! What one run of Terraform has found and done at what an application has one of, such as its callback configuration.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::claims::Claims;

/// How long a look is as good as a new one. Terraform plans an object once more right before it applies the plan.
const FRESH: Duration = Duration::from_secs(5);

/// What an application has one of, and of which application: "Call callback configuration of SDKAppID 1400000001".
pub(crate) trait OneOfItsKind: fmt::Display {
    /// The same of no application in particular, such as "Call callback configuration".
    fn kind(&self) -> String;
}

/// The record of `S`, which at Tencent is a `W`.
#[derive(Debug)]
pub(crate) struct Record<S, W> {
    pub(crate) subject: S,
    pub(crate) claims: Claims<W>,
    /// The last write. Locked while it is written or deleted: the two exclude each other.
    pub(crate) written: tokio::sync::Mutex<Option<Write<W>>>,
    /// What an object was that Terraform has let go of: if that is still there, it is nobody else's.
    released: Mutex<Option<W>>,
    looked: Mutex<Option<Look<W>>>,
}

/// A write, or one that may have taken effect.
#[derive(Debug)]
pub(crate) struct Write<W> {
    /// That of the object for which it was made: its `last_request_id`.
    pub(crate) request_id: Option<String>,
    pub(crate) wanted: W,
}

impl<W> Write<W> {
    /// Whether it was made for the object of this `last_request_id`. No two writes share one, but some have none.
    pub(crate) fn is_of(&self, last_request_id: Option<&String>) -> bool {
        last_request_id.is_some_and(|id| !id.is_empty() && self.request_id.as_ref() == Some(id))
    }
}

#[derive(Debug)]
struct Look<W> {
    at: Instant,
    found: Option<W>,
}

impl<S, W: Clone> Record<S, W> {
    pub(crate) fn of(subject: S) -> Self {
        Self {
            subject,
            claims: Claims::default(),
            written: tokio::sync::Mutex::default(),
            released: Mutex::default(),
            looked: Mutex::default(),
        }
    }

    /// Whether this run has written it, or may have.
    pub(crate) fn has_written(&self) -> bool {
        // Locked: it is being written or deleted.
        self.written.try_lock().map_or(true, |written| written.is_some())
    }

    pub(crate) fn note_look(&self, found: Option<W>) {
        *lock(&self.looked) = Some(Look { at: Instant::now(), found });
    }

    /// What is there is no longer what the last look found.
    pub(crate) fn forget_look(&self) {
        *lock(&self.looked) = None;
    }

    /// What the last look found, however long ago.
    pub(crate) fn last_look(&self) -> Option<W> {
        lock(&self.looked).as_ref()?.found.clone()
    }

    /// What a look of a moment ago found, if there was one.
    pub(crate) fn fresh_look(&self) -> Option<Option<W>> {
        let looked = lock(&self.looked);
        looked.as_ref().filter(|look| look.at.elapsed() < FRESH).map(|look| look.found.clone())
    }

    /// Notes that Terraform lets go of this, and leaves it there.
    pub(crate) fn release(&self, left: Option<W>) {
        *lock(&self.released) = left;
    }

    /// What Terraform has let go of and left there.
    pub(crate) fn released(&self) -> Option<W> {
        lock(&self.released).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
