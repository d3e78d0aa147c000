//! The limit of calls per second, for each action.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::api::{Action, Failure, fail};

/// A rate limit on the calls within any second, for each action. A refused call does not count.
#[derive(Debug, Clone)]
pub struct RateLimit {
    per_second: u32,
    per: Per,
    /// The calls that were admitted within the last second. Where applications share the limit, they are `None`.
    admitted: HashMap<(Option<u64>, Action), VecDeque<Instant>>,
}

#[derive(Debug, Clone, Copy)]
enum Per {
    Application,
    Endpoint,
}

impl RateLimit {
    /// Creates a limit on the calls of each application. Calls above it get 60011.
    pub fn per_application(per_second: u32) -> Self {
        Self { per_second, per: Per::Application, admitted: HashMap::new() }
    }

    /// Creates a limit that all applications share. Calls above it get 60007.
    pub fn per_endpoint(per_second: u32) -> Self {
        Self { per_second, per: Per::Endpoint, admitted: HashMap::new() }
    }

    /// Counts a call, or refuses it.
    pub(crate) fn admit(&mut self, sdk_app_id: u64, action: Action, now: Instant) -> Result<(), Failure> {
        let app = match self.per {
            Per::Application => Some(sdk_app_id),
            Per::Endpoint => None,
        };
        let admitted = self.admitted.entry((app, action)).or_default();
        while admitted.front().is_some_and(|&then| now.duration_since(then) >= Duration::from_secs(1)) {
            admitted.pop_front();
        }
        if admitted.len() < self.per_second as usize {
            admitted.push_back(now);
            return Ok(());
        }
        match self.per {
            Per::Application => fail(60011, "the request rate of this SDKAppID is exceeded"),
            Per::Endpoint => fail(60007, "the call rate of this REST interface is exceeded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_within_any_second_are_counted_per_action_and_for_an_application_or_all() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for (mut limit, is_shared) in [(RateLimit::per_application(2), false), (RateLimit::per_endpoint(2), true)] {
            let mut admits = |sdk_app_id, action, ms| limit.admit(sdk_app_id, action, at(ms)).is_ok();
            assert!(admits(1, Action::Get, 0));
            assert!(admits(1, Action::Get, 600));
            assert!(!admits(1, Action::Get, 999));
            assert!(admits(1, Action::Set, 999), "another action");
            assert_eq!(admits(2, Action::Get, 999), !is_shared, "another application");
            assert!(admits(1, Action::Get, 1000), "the first is a second old");
            assert!(!admits(1, Action::Get, 1599));
            assert!(admits(1, Action::Get, 1600));
        }
    }
}
