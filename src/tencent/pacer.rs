//! Rate limiting: evenly spaced calls, first come, first served.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The rate limiter of an endpoint. For each path, turns are an interval apart; unlike a token bucket, it never lets a
/// burst through. A pause holds for all paths.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    schedule: Mutex<Schedule>,
}

#[derive(Debug)]
struct Schedule {
    /// The next free turn of each path that was called.
    next: HashMap<String, Instant>,
    /// The end of a pause, before which every turn is void.
    paused_until: Instant,
    /// The reason for the pause.
    paused_by: String,
}

impl Pacer {
    /// Creates a pacer with at most `per_second` turns a second for each path.
    pub(super) fn new(per_second: u32) -> Self {
        let schedule =
            Mutex::new(Schedule { next: HashMap::new(), paused_until: Instant::now(), paused_by: String::new() });
        Self { interval: Duration::from_secs(1) / per_second.max(1), schedule }
    }

    /// Waits for a turn to call `path`.
    pub(super) async fn turn(&self, path: &str) {
        loop {
            let turn = self.reserve(path);
            sleep_until(turn).await;
            // A pause that began in the meantime makes the turn void.
            if self.schedule().paused_until <= turn {
                return;
            }
        }
    }

    /// Holds back all callers for a while: those that already wait, and those that come later. `reason` is a clause.
    pub(super) fn pause(&self, duration: Duration, reason: &str) {
        let mut schedule = self.schedule();
        let until = Instant::now() + duration;
        if until > schedule.paused_until {
            schedule.paused_until = until;
            let duration = humantime::format_duration(Duration::from_millis(duration.as_millis() as u64));
            schedule.paused_by = format!("{reason}, so all calls to the endpoint pause for {duration}");
        }
    }

    /// Returns the reason why a caller has waited since `then`.
    pub(super) fn reason(&self, then: Instant) -> String {
        let schedule = self.schedule();
        match schedule.paused_until > then {
            true => schedule.paused_by.clone(),
            false => "requests_per_second lets no call go out earlier".to_owned(),
        }
    }

    fn reserve(&self, path: &str) -> Instant {
        let mut schedule = self.schedule();
        let free = schedule.paused_until.max(Instant::now());
        let turn = schedule.next.get(path).map_or(free, |next| free.max(*next));
        schedule.next.insert(path.to_owned(), turn + self.interval);
        turn
    }

    fn schedule(&self) -> std::sync::MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // tokio's paused clock makes these exact.

    #[tokio::test(start_paused = true)]
    async fn turns_are_an_interval_apart() {
        let pacer = Pacer::new(200);
        let start = Instant::now();
        for i in 0..5 {
            pacer.turn("get").await;
            assert_eq!(start.elapsed(), Duration::from_millis(5 * i));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let late = Instant::now();
        pacer.turn("get").await;
        pacer.turn("get").await;
        assert_eq!(late.elapsed(), Duration::from_millis(5), "idle time is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_waiting_callers() {
        let pacer = Pacer::new(1);
        let start = Instant::now();
        pacer.turn("get").await;
        let waiting = async {
            pacer.turn("get").await;
            start.elapsed()
        };
        let pausing = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            pacer.pause(Duration::from_secs(10), "");
        };
        let (elapsed, ()) = tokio::join!(waiting, pausing);
        assert_eq!(elapsed, Duration::from_millis(10_500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_the_first_call_of_another_path() {
        let pacer = Pacer::new(1);
        let start = Instant::now();
        pacer.turn("get").await;
        pacer.pause(Duration::from_secs(30), "");
        for (path, seconds) in [("set", 30), ("set", 31), ("get", 31)] {
            pacer.turn(path).await;
            assert_eq!(start.elapsed(), Duration::from_secs(seconds), "{path}");
        }
    }
}
