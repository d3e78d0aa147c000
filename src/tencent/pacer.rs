//! Rate limiting: evenly spaced calls, first come, first served.
//!
//! Tencent allows 200 calls a second, and does not say of what. [`RateScope`] chooses between two readings.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::sdk_app_id::SdkAppId;

/// The callers that share the rate of one of the API's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateScope {
    /// All applications of an endpoint share it.
    #[default]
    Endpoint,
    /// Each application has it for itself. The pacer finds out how much the endpoint takes of all of them: it raises the
    /// rate until a rate limit refuses a call, and then halves it, though never below that of one application.
    Application,
}

impl RateScope {
    /// All scopes.
    pub const ALL: [Self; 2] = [Self::Endpoint, Self::Application];

    /// Returns the scope's name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Application => "application",
        }
    }
}

/// The rate limiter of an endpoint. For each path, turns are an interval apart; unlike a token bucket, it never lets a
/// burst through. A pause holds for all paths.
#[derive(Debug)]
pub(super) struct Pacer {
    scope: RateScope,
    schedule: Mutex<Schedule>,
}

/// A call to pace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane<'a> {
    pub(super) path: &'a str,
    pub(super) app: SdkAppId,
    /// The rate that is allowed for sure.
    pub(super) per_second: NonZeroU32,
}

/// A turn to make a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    at: Instant,
    /// Whether the pace of the path held the call back. Only then is its answer evidence for a higher rate.
    was_paced: bool,
}

#[derive(Debug)]
struct Schedule {
    /// The pace of each path that was called.
    paces: HashMap<String, Pace>,
    /// The end of a pause, before which every turn is void.
    paused_until: Instant,
    /// The reason for the pause.
    paused_by: String,
}

/// The pace of the calls to one path.
#[derive(Debug)]
struct Pace {
    per_second: f64,
    /// The last time that the rate was halved.
    halved_at: Option<Instant>,
    gate: Arc<Gate>,
    /// The gates of single applications, for [`RateScope::Application`].
    apps: HashMap<SdkAppId, Arc<Gate>>,
}

/// The next free turn. A caller holds the lock, which is fair, until its own turn.
type Gate = tokio::sync::Mutex<Instant>;

/// The calls a second that each answer adds to the rate, before any call was refused.
const FAST_RISE: f64 = 2.0;
/// The calls a second that each answer adds to the rate after a refusal, once [`PLATEAU`] is over.
const SLOW_RISE: f64 = 0.1;
/// The time for which a halved rate stays as it is.
const PLATEAU: Duration = Duration::from_secs(5);

impl Lane<'_> {
    fn rate(self) -> f64 {
        self.per_second.get().into()
    }
}

fn interval(per_second: f64) -> Duration {
    Duration::from_secs(1).div_f64(per_second)
}

impl Pacer {
    pub(super) fn new(scope: RateScope) -> Self {
        let (paces, paused_until) = (HashMap::new(), Instant::now());
        Self { scope, schedule: Mutex::new(Schedule { paces, paused_until, paused_by: String::new() }) }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, lane: Lane<'_>) -> Turn {
        if self.scope == RateScope::Endpoint {
            return self.turn_of_path(lane).await;
        }
        let gate = self.schedule().pace(lane).gate_of(lane.app);
        let mut next = gate.lock().await;
        sleep_until(*next).await;
        let turn = self.turn_of_path(lane).await;
        *next = turn.at + interval(lane.rate());
        turn
    }

    async fn turn_of_path(&self, lane: Lane<'_>) -> Turn {
        let arrived = Instant::now();
        let gate = Arc::clone(&self.schedule().pace(lane).gate);
        let mut next = gate.lock().await;
        loop {
            let free = self.schedule().paused_until.max(arrived);
            let at = free.max(*next);
            sleep_until(at).await;
            let mut schedule = self.schedule();
            // A pause that began in the meantime makes the turn void.
            if schedule.paused_until <= at {
                *next = at + interval(schedule.pace(lane).per_second);
                return Turn { at, was_paced: at > free };
            }
        }
    }

    /// Learns that the call of a turn met no rate limit.
    pub(super) fn admitted(&self, lane: Lane<'_>, turn: Turn) {
        if self.scope == RateScope::Application && turn.was_paced {
            self.schedule().pace(lane).rise();
        }
    }

    /// Learns that the call of a turn met a rate limit.
    pub(super) fn refused(&self, lane: Lane<'_>, turn: Turn) {
        if self.scope == RateScope::Application {
            self.schedule().pace(lane).halve(lane, turn);
        }
    }

    /// Holds back all callers for a while: those that already wait, and those that come later. `reason` is a clause.
    pub(super) fn pause(&self, duration: Duration, reason: &str) {
        self.schedule().pause(duration, reason);
    }

    /// Returns the reason why a caller has waited since `then`.
    pub(super) fn reason(&self, then: Instant) -> String {
        let schedule = self.schedule();
        match schedule.paused_until > then {
            true => schedule.paused_by.clone(),
            false => "the limit of calls per second lets none go out earlier".to_owned(),
        }
    }

    fn schedule(&self) -> std::sync::MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    fn pace(&mut self, lane: Lane<'_>) -> &mut Pace {
        self.paces.entry(lane.path.to_owned()).or_insert_with(|| Pace {
            per_second: lane.rate(),
            halved_at: None,
            gate: gate(),
            apps: HashMap::new(),
        })
    }

    fn pause(&mut self, duration: Duration, reason: &str) {
        let until = Instant::now() + duration;
        if until > self.paused_until {
            self.paused_until = until;
            let duration = humantime::format_duration(Duration::from_millis(duration.as_millis() as u64));
            self.paused_by = format!("{reason}, so all calls to the endpoint pause for {duration}");
        }
    }
}

fn gate() -> Arc<Gate> {
    Arc::new(Gate::new(Instant::now()))
}

impl Pace {
    fn gate_of(&mut self, app: SdkAppId) -> Arc<Gate> {
        Arc::clone(self.apps.entry(app).or_insert_with(gate))
    }

    fn rise(&mut self) {
        self.per_second += match self.halved_at {
            None => FAST_RISE,
            Some(then) if then.elapsed() < PLATEAU => 0.0,
            Some(_) => SLOW_RISE,
        };
    }

    fn halve(&mut self, lane: Lane<'_>, turn: Turn) {
        // Calls that were in flight together met one limit.
        if self.halved_at.is_none_or(|then| then < turn.at) {
            self.per_second = (self.per_second / 2.0).max(lane.rate());
            self.halved_at = Some(Instant::now());
            tracing::debug!(path = lane.path, per_second = self.per_second, "a rate limit halved the rate");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    // tokio's paused clock makes these exact.

    const PER_SECOND: u32 = 200;
    const INTERVAL: Duration = Duration::from_millis(5);

    fn lane(path: &str, app: u64, per_second: u32) -> Lane<'_> {
        let app = app.try_into().expect("an SDKAppID");
        Lane { path, app, per_second: per_second.try_into().expect("not zero") }
    }

    fn get(app: u64) -> Lane<'static> {
        lane("get", app, PER_SECOND)
    }

    /// Returns a pacer by application whose calls were admitted, one of each of these applications.
    async fn after(apps: std::ops::RangeInclusive<u64>) -> Pacer {
        let pacer = Pacer::new(RateScope::Application);
        join_all(apps.map(async |app| pacer.admitted(get(app), pacer.turn(get(app)).await))).await;
        pacer
    }

    fn rate(pacer: &Pacer) -> f64 {
        pacer.schedule().pace(get(1)).per_second
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_an_interval_apart() {
        let pacer = Pacer::new(RateScope::Endpoint);
        let start = Instant::now();
        for i in 0..5 {
            pacer.admitted(get(1), pacer.turn(get(u64::from(i) + 1)).await);
            assert_eq!(start.elapsed(), i * INTERVAL);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let late = Instant::now();
        pacer.turn(get(1)).await;
        pacer.turn(get(2)).await;
        assert_eq!(late.elapsed(), INTERVAL, "idle time is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_waiting_callers() {
        for scope in RateScope::ALL {
            let pacer = Pacer::new(scope);
            let start = Instant::now();
            let lane = lane("get", 1, 1);
            let first = pacer.turn(lane).await;
            let waiting = async {
                pacer.turn(lane).await;
                start.elapsed()
            };
            let pausing = async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                pacer.refused(lane, first);
                pacer.pause(Duration::from_secs(10), "");
            };
            let (elapsed, ()) = tokio::join!(waiting, pausing);
            assert_eq!(elapsed, Duration::from_millis(10_500), "{scope:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_also_holds_back_the_first_call_of_another_path() {
        for scope in RateScope::ALL {
            let pacer = Pacer::new(scope);
            let start = Instant::now();
            let first = pacer.turn(lane("get", 1, 1)).await;
            pacer.refused(lane("get", 1, 1), first);
            pacer.pause(Duration::from_secs(30), "");
            for (path, seconds) in [("set", 30), ("set", 31), ("get", 31)] {
                pacer.turn(lane(path, 1, 1)).await;
                assert_eq!(start.elapsed(), Duration::from_secs(seconds), "{path}, {scope:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_never_exceeds_its_rate() {
        let pacer = after(1..=1000).await;
        let mut lanes = Vec::new();
        for _ in 0..100 {
            for app in 1..=3 {
                lanes.extend([get(app), lane("set", app, PER_SECOND)]);
            }
        }
        let calls = join_all(lanes.iter().map(async |lane| {
            let turn = pacer.turn(*lane).await;
            pacer.admitted(*lane, turn);
            (lane, turn.at, Instant::now())
        }));
        // All that waits at the end of a pause may go at once, but for the rates.
        let pausing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let turn = Turn { at: Instant::now(), was_paced: false };
            pacer.refused(get(9), turn);
            pacer.pause(Duration::from_secs(2), "");
        };
        let (calls, ()) = tokio::join!(calls, pausing);
        for app in 1..=3 {
            for path in ["get", "set"] {
                let those = calls.iter().filter(|(lane, ..)| lane.path == path && u64::from(lane.app) == app);
                let turns: Vec<_> = those.map(|(_, at, now)| (*at, *now)).collect();
                assert_eq!(turns.len(), 100);
                for (earlier, later) in turns.iter().zip(&turns[1..]) {
                    assert!(later.0 >= earlier.0 + INTERVAL, "{path} of {app}, first come, first served");
                    assert!(later.1 >= later.0, "a call waits for its turn");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_raise_the_rate_of_many_applications() {
        let start = Instant::now();
        let mut pacer = after(1..=1000).await;
        assert!(start.elapsed() < 1000 * INTERVAL / 3, "{:?}", start.elapsed());
        assert!(rate(&pacer) > 1000.0);

        // One application by itself, or one call at a time, shows nothing of what the endpoint takes.
        pacer = Pacer::new(RateScope::Application);
        for app in [1, 1, 1, 1, 2, 3, 4] {
            pacer.admitted(get(app), pacer.turn(get(app)).await);
            tokio::time::sleep(INTERVAL).await;
        }
        assert_eq!(rate(&pacer), f64::from(PER_SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_halves_the_rate_which_recovers_later() {
        let pacer = after(1..=1000).await;
        let risen = rate(&pacer);
        let turns = [pacer.turn(get(1)).await, pacer.turn(get(2)).await];
        let next = async |app| {
            let paced = Turn { was_paced: true, ..pacer.turn(get(app)).await };
            pacer.admitted(get(app), paced);
            paced
        };
        for turn in turns {
            pacer.refused(get(1), turn);
            pacer.pause(Duration::from_millis(100), "");
        }
        assert_eq!(rate(&pacer), risen / 2.0, "calls that were in flight together met one limit");
        next(3).await;
        assert_eq!(rate(&pacer), risen / 2.0, "the rate stays for a while");
        for _ in 0..5 {
            let turn = next(1).await;
            pacer.refused(get(1), turn);
            pacer.pause(Duration::from_millis(100), "");
        }
        assert_eq!(rate(&pacer), f64::from(PER_SECOND), "the rate of one application is allowed for sure");
        tokio::time::sleep(PLATEAU).await;
        for app in 1..=100 {
            next(app).await;
        }
        assert!((rate(&pacer) - 210.0).abs() < 1e-6, "{}", rate(&pacer));
    }

    #[tokio::test(start_paused = true)]
    async fn one_applications_queue_holds_back_no_other() {
        let pacer = Pacer::new(RateScope::Application);
        let start = Instant::now();
        let lanes = std::iter::repeat_n(get(1), 500).chain([get(2), get(3)]);
        let waited = join_all(lanes.map(async |lane| {
            pacer.turn(lane).await;
            start.elapsed()
        }));
        let waited = waited.await;
        assert_eq!(waited[500..], [INTERVAL, 2 * INTERVAL], "those who come later");
        assert!(waited[..500].is_sorted() && waited[499] <= 501 * INTERVAL, "{:?}", waited[499]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_gives_up_holds_back_nobody() {
        let pacer = Pacer::new(RateScope::Application);
        let lane = lane("get", 1, 1);
        pacer.turn(lane).await;
        let short = tokio::time::timeout(Duration::from_millis(500), pacer.turn(lane));
        let (given_up, _) = tokio::join!(short, pacer.turn(lane));
        assert!(given_up.is_err());
    }
}
