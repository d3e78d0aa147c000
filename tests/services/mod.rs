//! The one list of services: all tests that run for every service, and the examples on the pages, take them from here.

#![allow(dead_code)] // Each target uses a part.

use tencent_simulator::{Action, Service};

/// A service, as the tests that run for every service need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) service: Service,
    /// The address of its resource `this`.
    pub(crate) this: &'static str,
    /// Three of its callback commands, in the reverse of their alphabetical order.
    pub(crate) start: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) end: &'static str,
    /// Two events, which the examples on the pages use.
    pub(crate) examples: [&'static str; 2],
    /// The call that replaces a configuration.
    pub(crate) overwrite: Action,
}

impl Of {
    /// Returns the type of the service's resource.
    pub(crate) fn resource_type(self) -> &'static str {
        self.this.trim_end_matches(".this")
    }
}

pub(crate) const CALL: Of = Of {
    name: "call",
    title: "Call",
    service: Service::Call,
    this: "tencent_call_callback.this",
    start: "Call.CallbackAfterStartCall",
    changed: "Call.CallbackAfterMemberChanged",
    end: "Call.CallbackAfterEndCall",
    examples: ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"],
    overwrite: Action::Set,
};
pub(crate) const ROOM: Of = Of {
    name: "room",
    title: "Room",
    service: Service::Room,
    this: "tencent_room_callback.this",
    start: "Room.CallbackAfterUpdateRoomInfo",
    changed: "Room.CallbackAfterMemberEnter",
    end: "Mic.CallbackAfterSeatInfoChanged",
    examples: ["Room.CallbackAfterCreateRoom", "Room.CallbackAfterDestroyRoom"],
    overwrite: Action::Update,
};
pub(crate) const LIVE: Of = Of {
    name: "live",
    title: "Live",
    service: Service::Live,
    this: "tencent_live_callback.this",
    start: "Mic.CallbackAfterSeatInfoChanged",
    changed: "Live.CallbackAfterMemberStateChanged",
    end: "Live.CallbackAfterChangeOwner",
    examples: ["Live.CallbackAfterCreateRoom", "Live.CallbackAfterDestroyRoom"],
    overwrite: Action::Update,
};

/// Every service.
pub(crate) const SERVICES: [Of; 3] = [CALL, ROOM, LIVE];
