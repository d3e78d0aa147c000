//! The service Room: conferences.

use serde_json::{Value, json};

use super::callback::service::{CallbackService, Event, Now, PROBE_ID, PROBE_USER, no_advice};
use crate::tencent::{Overwrite, Service};

pub(super) const ROOM: CallbackService = CallbackService {
    name: "room",
    type_name: "tencent_room_callback",
    events_of: "rooms",
    api: Service { path_segment: "room_config", overwrite: Overwrite::ByUpdate },
    events: &[
        Event {
            command: "Room.CallbackAfterCreateRoom",
            meaning: "a room was created",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomInfo": room(),
                    "ScheduleInviteeList_Account": [],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Room.CallbackAfterDestroyRoom",
            meaning: "a room was closed",
            sample: Some(
                |now| json!({ "Operator_Account": PROBE_USER, "RoomId": PROBE_ID, "EventTime": now.milliseconds }),
            ),
        },
        Event {
            command: "Room.CallbackAfterUpdateRoomInfo",
            meaning: "the information about a room changed",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomInfo": { "RoomId": PROBE_ID, "RoomName": PROBE_USER },
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Room.CallbackAfterMemberEnter",
            meaning: "a user entered a room",
            sample: Some(|now| member_changed("Enter", now)),
        },
        Event {
            command: "Room.CallbackAfterMemberLeave",
            meaning: "a user left a room, was removed from it, or lost the connection",
            sample: Some(|now| {
                let mut event = member_changed("Leave", now);
                event["Reason"] = "".into();
                event
            }),
        },
        Event {
            command: "Mic.CallbackAfterSeatInfoChanged",
            meaning: "the list of speakers' seats changed",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "SeatList": [seat()],
                    "EventTime": now.milliseconds,
                })
            }),
        },
    ],
    notes: "",
    advise: no_advice,
};

/// One seat of a room, taken. Live's rooms have such ones, too.
pub(super) fn seat() -> Value {
    json!({
        "Index": 0, "Member_Account": PROBE_USER,
        "IsTakenDisabled": false, "IsVideoDisabled": false, "IsAudioDisabled": false,
    })
}

fn member_changed(how: &str, now: Now) -> Value {
    json!({
        "Operator_Account": PROBE_USER,
        "RoomId": PROBE_ID,
        "MemberCount": 1,
        "Type": how,
        "MemberList_Account": [PROBE_USER],
        "EventTime": now.milliseconds,
    })
}

fn room() -> Value {
    json!({
        "RoomId": PROBE_ID, "RoomName": PROBE_USER, "RoomType": "Meeting", "Owner_Account": PROBE_USER,
        "MaxMemberCount": 1, "MaxSeatCount": 1, "IsSeatEnabled": false, "CustomInfo": "",
    })
}
