//! The limit of calls per second, for each application and action.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::api::Action;

/// A rate limit on the calls within any second. A refused call does not count.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    per_second: Option<u32>,
    admitted: HashMap<(u64, Action), VecDeque<Instant>>,
}

impl RateLimit {
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, admitted: HashMap::new() }
    }

    pub(crate) fn admits(&mut self, sdk_app_id: u64, action: Action, now: Instant) -> bool {
        let Some(per_second) = self.per_second else { return true };
        let admitted = self.admitted.entry((sdk_app_id, action)).or_default();
        while admitted.front().is_some_and(|&then| now.duration_since(then) >= Duration::from_secs(1)) {
            admitted.pop_front();
        }
        let admits = admitted.len() < per_second as usize;
        if admits {
            admitted.push_back(now);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_within_any_second_are_counted_per_application_and_action() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut limit = RateLimit::new(Some(2));
        assert!(limit.admits(1, Action::Get, at(0)));
        assert!(limit.admits(1, Action::Get, at(600)));
        assert!(!limit.admits(1, Action::Get, at(999)));
        assert!(limit.admits(1, Action::Set, at(999)), "another action");
        assert!(limit.admits(2, Action::Get, at(999)), "another application");
        assert!(limit.admits(1, Action::Get, at(1000)), "the first is a second old");
        assert!(!limit.admits(1, Action::Get, at(1599)));
        assert!(limit.admits(1, Action::Get, at(1600)));
    }

    #[test]
    fn no_limit_admits_every_call() {
        let now = Instant::now();
        let mut limit = RateLimit::default();
        assert!((0..1000).all(|_| limit.admits(1, Action::Get, now)));
    }
}
