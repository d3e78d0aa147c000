//! Everything that the simulator knows, behind one lock. Each request is decided and recorded in one step.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::Api;
use crate::fault::{Delivery, Faults, answered};
use crate::record::{Incoming, Request};

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) api: Api,
    pub(crate) faults: Faults,
    pub(crate) requests: Vec<Request>,
}

/// The state that the server and the handle share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

impl Shared {
    pub(crate) fn new(api: Api) -> Self {
        Self { state: Mutex::new(State { api, ..State::default() }), arrived: Condvar::new() }
    }

    /// Locks the state, also after a panic in a test's predicate, which leaves nothing half changed.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about a request, and records it.
    pub(crate) fn take(&self, incoming: Incoming) -> Delivery {
        let mut state = self.lock();
        let state = &mut *state;
        let route = state.api.route(&incoming.path);
        let (delivery, outcome) = match state.faults.meeting(route, incoming.sdk_app_id()) {
            Some(fault) => fault.act(&mut state.api, &incoming),
            None => answered(state.api.answer(&incoming)),
        };
        state.requests.push(incoming.recorded(route, outcome));
        self.arrived.notify_all();
        delivery
    }

    /// Waits until the requests so far satisfy `predicate`, and returns whether they did in time.
    pub(crate) fn wait_for(&self, predicate: impl Fn(&[Request]) -> bool, timeout: Duration) -> bool {
        let (_state, waited) = self
            .arrived
            .wait_timeout_while(self.lock(), timeout, |state| !predicate(&state.requests))
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}
