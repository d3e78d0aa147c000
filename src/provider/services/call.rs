//! The service Call.

use serde_json::json;

use super::{CallbackService, Event, PROBE_ID, PROBE_USER, no_advice};
use crate::tencent::{Overwrite, Service};

pub(in crate::provider) const CALL: CallbackService = CallbackService {
    name: "call",
    title: "Call",
    type_name: "tencent_call_callback",
    events_of: "calls",
    api: Service { path_segment: "call_config", overwrite: Overwrite::BySet },
    events: &[
        Event {
            command: "Call.CallbackAfterStartCall",
            meaning: "a user started a call",
            carries: "the call, its media type and room, and each user's status",
            page: 68941,
            sample: Some(|now| {
                json!({
                    "CallInfo": {
                        "CallId": PROBE_ID, "CallMediaType": "Audio", "ChatGroupId": "", "RoomId": "", "RoomIdType": 1,
                    },
                    "UserList": [{ "User_Account": PROBE_USER, "Status": "Calling" }],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Call.CallbackAfterMemberChanged",
            meaning: "a member of a call accepted, rejected, joined, left, or was invited",
            carries: "the call's ID, each user's status, and who changed and how",
            page: 69215,
            sample: Some(|now| {
                json!({
                    "CallId": PROBE_ID,
                    "UserList": [{ "User_Account": PROBE_USER, "Status": "Calling" }],
                    "ChangedUserList": [{ "User_Account": PROBE_USER, "ActionType": "Accept" }],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Call.CallbackAfterEndCall",
            meaning: "a call ended",
            carries: "the record of the call: caller, callees, media type, times and result",
            page: 68940,
            sample: Some(|now| {
                json!({
                    "CallRecord": {
                        "CallId": PROBE_ID, "Caller_Account": PROBE_USER, "MediaType": "Audio", "CallType": "SingleCall",
                        "StartTime": now.seconds, "EndTime": now.seconds, "AcceptTime": 0, "CallResult": "Cancel",
                        "CalleeList_Account": [PROBE_USER], "RoomId": PROBE_ID, "RoomIdType": 2,
                    },
                    "EventTime": now.milliseconds,
                })
            }),
        },
    ],
    notes: "",
    advise: no_advice,
};
