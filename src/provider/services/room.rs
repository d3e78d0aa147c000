//! The service Room: conferences.

use serde_json::{Value, json};

use super::{CallbackService, Event, Now, PROBE_ID, PROBE_USER, no_advice, probe_seat};
use crate::tencent::{Overwrite, Service};

pub(in crate::provider) const ROOM: CallbackService = CallbackService {
    name: "room",
    title: "Room",
    type_name: "tencent_room_callback",
    events_of: "rooms",
    api: Service { path_segment: "room_config", overwrite: Overwrite::ByUpdate },
    events: &[
        Event {
            command: "Room.CallbackAfterCreateRoom",
            meaning: "a room was created",
            carries: "who created it, the room's settings and schedule, and who is invited",
            page: 60733,
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomInfo": room(now),
                    "ScheduleInviteeList_Account": [],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Room.CallbackAfterDestroyRoom",
            meaning: "a room was closed",
            carries: "the room's ID, and who closed it",
            page: 60732,
            sample: Some(
                |now| json!({ "Operator_Account": PROBE_USER, "RoomId": PROBE_ID, "EventTime": now.milliseconds }),
            ),
        },
        Event {
            command: "Room.CallbackAfterUpdateRoomInfo",
            meaning: "the information about a room changed",
            carries: "the settings that changed, and who changed them",
            page: 60731,
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
            carries: "the room's ID, its number of members, and who entered",
            page: 60735,
            sample: Some(|now| member_changed("Enter", now)),
        },
        Event {
            command: "Room.CallbackAfterMemberLeave",
            meaning: "a user left a room, was removed from it, or lost the connection",
            carries: "the room's ID, its number of members, who left, and why",
            page: 60734,
            sample: Some(|now| {
                let mut event = member_changed("Leave", now);
                event["Reason"] = "".into();
                event
            }),
        },
        Event {
            command: "Mic.CallbackAfterSeatInfoChanged",
            meaning: "a speaker's seat changed hands, or was locked or muted",
            carries: "every seat: who sits there, and what is disabled",
            page: 60736,
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "SeatList": [probe_seat()],
                    "EventTime": now.milliseconds,
                })
            }),
        },
    ],
    notes: "This resource covers the rooms of conferences. For the rooms of live streams, use `tencent_live_callback`.",
    advise: no_advice,
};

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

fn room(now: Now) -> Value {
    json!({
        "RoomId": PROBE_ID, "RoomName": PROBE_USER, "RoomType": "Meeting", "Owner_Account": PROBE_USER,
        "MaxMemberCount": 1, "MaxSeatCount": 1, "IsMessageDisabled": false, "IsCameraDisabled": false,
        "IsMicrophoneDisabled": false, "CustomInfo": "", "ScheduleStartTime": 0, "ScheduleEndTime": 0,
        "RoomStatus": "", "IsSeatEnabled": false, "TakeSeatMode": "", "CreateTime": now.seconds,
    })
}
