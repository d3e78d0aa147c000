//! The one list of services: all tests that run for every service, and the examples on the pages, take them from here.

#![allow(dead_code)] // Each target uses a part.

use serde_json::{Value, json};
use tencent_simulator::{Action, Service};
use terraform_provider_tencent::tencent::ApiVersion;

/// A service, as the tests that run for every service need it.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// Returns the version of the API that has the service.
    pub(crate) fn version(self) -> ApiVersion {
        if self.service == Service::LegacyCall { ApiVersion::V1 } else { ApiVersion::V4 }
    }

    /// Chooses between the values of the versions of the API.
    pub(crate) fn by_version<T>(self, of_v1: T, of_v4: T) -> T {
        match self.version() {
            ApiVersion::V1 => of_v1,
            ApiVersion::V4 => of_v4,
        }
    }

    /// Returns the argument that lists the events to send.
    pub(crate) fn argument(self) -> &'static str {
        self.by_version("callback_actions", "callback_commands")
    }

    /// Returns the path of one of the calls, such as "set".
    pub(crate) fn path(self, call: &str) -> String {
        self.by_version(format!("v1/callback/{call}"), format!("v4/{}_config/{call}_callback", self.name))
    }

    /// Writes a configuration as Tencent does.
    pub(crate) fn json(self, url: &str, events: &Value) -> Value {
        self.by_version(
            json!({ "address": url, "actions": events }),
            json!({ "Url": url, "CallbackCommandList": events }),
        )
    }

    /// The error code of a call that found no configuration.
    pub(crate) fn absent(self) -> i64 {
        self.by_version(999, 100_301)
    }

    /// An error code that refuses a call for good.
    pub(crate) fn refusal(self) -> i64 {
        self.by_version(50001, 60020)
    }

    /// An error code that may pass.
    pub(crate) fn passing(self) -> i64 {
        self.by_version(70005, 70050)
    }

    /// The error code of an application that does not exist, and a word of the advice.
    pub(crate) fn no_such_app(self) -> (i64, &'static str) {
        self.by_version((70002, "SecretKey"), (70020, "region"))
    }

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
pub(crate) const LEGACY_CALL: Of = Of {
    name: "legacy_call",
    title: "Legacy Call",
    service: Service::LegacyCall,
    this: "tencent_legacy_call_callback.this",
    start: "reject",
    changed: "normal_end",
    end: "callee_call_end",
    examples: ["caller_start_call", "normal_end"],
    overwrite: Action::Set,
};

/// Every service.
pub(crate) const SERVICES: [Of; 4] = [CALL, ROOM, LIVE, LEGACY_CALL];
