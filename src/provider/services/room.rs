//! The service Room: conferences.

use super::{CallbackService, Event, no_advice};
use crate::tencent::{ApiVersion, Overwrite, Service};

pub(in crate::provider) const ROOM: CallbackService = CallbackService {
    name: "room",
    title: "Room",
    type_name: "tencent_room_callback",
    events_of: "rooms",
    api: Service { version: ApiVersion::V4, path_segment: "room_config", overwrite: Overwrite::ByUpdate },
    events: &[
        Event {
            command: "Room.CallbackAfterCreateRoom",
            meaning: "a room was created",
            carries: "who created it, the room's settings and schedule, and who is invited",
            page: 60733,
        },
        Event {
            command: "Room.CallbackAfterDestroyRoom",
            meaning: "a room was closed",
            carries: "the room's ID, and who closed it",
            page: 60732,
        },
        Event {
            command: "Room.CallbackAfterUpdateRoomInfo",
            meaning: "the information about a room changed",
            carries: "the settings that changed, and who changed them",
            page: 60731,
        },
        Event {
            command: "Room.CallbackAfterMemberEnter",
            meaning: "a user entered a room",
            carries: "the room's ID, its number of members, and who entered",
            page: 60735,
        },
        Event {
            command: "Room.CallbackAfterMemberLeave",
            meaning: "a user left a room, was removed from it, or lost the connection",
            carries: "the room's ID, its number of members, who left, and why",
            page: 60734,
        },
        Event {
            command: "Mic.CallbackAfterSeatInfoChanged",
            meaning: "a speaker's seat changed hands, or was locked or muted",
            carries: "every seat: who sits there, and what is disabled",
            page: 60736,
        },
    ],
    samples: include_str!("room.json"),
    notes: &[
        "This resource covers the rooms of conferences. For the rooms of live streams, use `tencent_live_callback`.",
    ],
    see_also: "",
    advise: no_advice,
};
