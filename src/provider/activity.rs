//! The operations that this process works on, and how to wait until Terraform starts no more of them.
//!
//! Terraform reads and plans each object by itself, several at a time. A provider does not learn how many there are: a
//! decision that depends on the others waits until no further one appears.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The pause after which no further object is expected, in a process that has had none before. Terraform starts the
/// nodes of its graph that wait for nothing within milliseconds of each other, or later on a busy machine.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause from then on: a node that only waited for one of Terraform's ten places (`-parallelism`) starts at once
/// when one is free.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest wait for a pause, because an operation that waits takes one of those places.
const LONGEST: Duration = Duration::from_secs(2);

/// The operations that this process works on.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    running: Mutex<usize>,
    changed: Notify,
    has_paused: AtomicBool,
}

impl Activity {
    /// Counts an operation until the result is dropped.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.add(1);
        Running(self)
    }

    /// Waits until no operation has been running for a while. The caller's own no longer counts, not even afterwards:
    /// others may be waiting for the same.
    pub(crate) async fn pause(&self, own: Option<Running<'_>>) {
        drop(own);
        let end = Instant::now() + LONGEST;
        let pause = if self.has_paused.load(Ordering::Relaxed) { PAUSE } else { FIRST_PAUSE };
        loop {
            let changed = self.changed.notified();
            let is_idle = *self.running.lock().unwrap_or_else(PoisonError::into_inner) == 0;
            let until = if is_idle { end.min(Instant::now() + pause) } else { end };
            if timeout_at(until, changed).await.is_err() {
                self.has_paused.fetch_or(is_idle, Ordering::Relaxed);
                return;
            }
        }
    }

    fn add(&self, change: isize) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = running.saturating_add_signed(change);
        drop(running);
        self.changed.notify_waiters();
    }
}

/// An operation that is running.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Activity);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_once_no_operation_has_been_running_for_a_while() {
        let (activity, start) = (Activity::default(), Instant::now());
        let wait = async || {
            activity.pause(Some(activity.begin())).await;
            start.elapsed()
        };
        let other = async {
            sleep(Duration::from_millis(400)).await;
            let running = activity.begin();
            sleep(Duration::from_millis(600)).await;
            drop(running);
        };
        let (first, second, ()) = tokio::join!(wait(), wait(), other);
        assert_eq!((first, second), (Duration::from_millis(1500), Duration::from_millis(1500)));
        assert_eq!(wait().await, Duration::from_millis(1600));
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_takes_long_holds_up_no_other_for_long() {
        let (activity, start) = (Activity::default(), Instant::now());
        let _running = activity.begin();
        activity.pause(Some(activity.begin())).await;
        assert_eq!(start.elapsed(), LONGEST);
    }
}
