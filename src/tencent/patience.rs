//! Waiting that ends: at a deadline, on a stop, or when the process ends.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::error::ErrorKind;

/// The time that a caller waits for a call, with its retries, and the signals that end the wait early.
#[derive(Debug, Clone)]
pub struct Patience {
    /// The time to give up at.
    pub deadline: Instant,
    /// The longest time for a call's attempts and the pauses between them. Waiting for a turn does not count.
    pub longest: Option<Duration>,
    /// Cancelled when the caller no longer wants the result.
    pub stop: CancellationToken,
    /// Cancelled when the process is about to end.
    pub end: CancellationToken,
}

/// The caller of a write, who is asked before each attempt: it may have waited for its turn, or follow one that failed.
pub trait Caller {
    /// Returns how long the caller waits.
    fn patience(&self) -> &Patience;

    /// Checks right before an attempt whether it may be made. `may_have_taken_effect` is whether an earlier attempt may
    /// have.
    ///
    /// # Errors
    ///
    /// If the call must end here. [`ErrorKind::Stopped`] means that the caller no longer wants the result.
    fn check(&mut self, may_have_taken_effect: bool) -> impl Future<Output = Result<(), ErrorKind>> + Send;
}

/// A caller who only waits.
impl Caller for Patience {
    fn patience(&self) -> &Patience {
        self
    }

    async fn check(&mut self, _may_have_taken_effect: bool) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// The longest grace period of a write in flight after a stop. Terraform waits for it.
const GRACE: Duration = Duration::from_secs(5);
/// The grace period when the process is about to end. A host kills the process after two seconds, and reading back a
/// write takes a moment as well.
const MOMENT: Duration = Duration::from_millis(700);

/// The reason why waiting ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interruption {
    Stop,
    Deadline,
}

impl Interruption {
    /// Returns the error of a call that was interrupted after the failure `last` of an attempt, if there was one.
    pub(super) fn after(self, last: Option<ErrorKind>) -> ErrorKind {
        match self {
            Self::Stop => ErrorKind::Stopped,
            Self::Deadline => ErrorKind::Timeout { last: last.map(Box::new), queue: None },
        }
    }
}

impl Patience {
    /// Creates patience that lasts for `duration` from now and that nothing interrupts.
    pub fn of(duration: Duration) -> Self {
        let (stop, end) = (CancellationToken::new(), CancellationToken::new());
        Self { deadline: Instant::now() + duration, longest: None, stop, end }
    }

    /// Returns the patience with the attempts of a call that begins now.
    pub(super) fn with_attempts(&self) -> Self {
        let deadline = self.longest.map_or(self.deadline, |longest| self.deadline.min(Instant::now() + longest));
        Self { deadline, ..self.clone() }
    }

    /// Resolves when the caller no longer wants the result, or when the process is about to end.
    pub async fn interrupted(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.end.cancelled() => {}
        }
    }

    /// Resolves when the grace period for work in flight ends: after `longest`, or earlier when the process ends.
    pub async fn grace(&self, longest: Duration) {
        let moment = async {
            self.end.cancelled().await;
            sleep(MOMENT).await;
        };
        tokio::select! {
            () = sleep(longest) => {}
            () = moment => {}
        }
    }

    /// Waits for `work` until it is done, or until patience ends.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Interruption> {
        tokio::select! {
            biased;
            () = self.interrupted() => Err(Interruption::Stop),
            done = timeout_at(self.deadline, work) => done.map_err(|_| Interruption::Deadline),
        }
    }

    /// Waits for a write in flight. After a stop, the write has a grace period of at most `longest`, because its answer
    /// tells whether it took effect.
    pub(super) async fn wait_for_write<T>(
        &self,
        write: impl Future<Output = T>,
        longest: Duration,
    ) -> Result<T, Interruption> {
        let mut write = std::pin::pin!(write);
        match self.wait(&mut write).await {
            Err(Interruption::Stop) => tokio::select! {
                done = write => Ok(done),
                () = self.grace(longest.min(GRACE)) => Err(Interruption::Stop),
            },
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_in_flight_has_a_grace_period_that_is_shorter_when_the_process_ends() {
        let seconds = Duration::from_secs;
        for (stop, end, expected) in [
            (Some(1), None, seconds(6)),
            (Some(1), Some(2), seconds(2) + MOMENT),
            (Some(1), Some(1), seconds(1) + MOMENT),
            (None, None, seconds(60)),
        ] {
            let patience = Patience::of(seconds(60));
            let start = Instant::now();
            let cancel = async |token: &CancellationToken, at: Option<u64>| {
                if let Some(at) = at {
                    sleep(seconds(at)).await;
                    token.cancel();
                }
            };
            let write = sleep(seconds(3600));
            let (outcome, (), ()) = tokio::join!(
                patience.wait_for_write(write, seconds(10)),
                cancel(&patience.stop, stop),
                cancel(&patience.end, end)
            );
            assert!(outcome.is_err());
            assert_eq!(start.elapsed(), expected, "{stop:?} {end:?}");
        }
    }
}
