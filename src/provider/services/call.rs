//! The service Call.

use super::{CallbackService, Event, no_advice};
use crate::tencent::{ApiVersion, Overwrite, Service};

pub(in crate::provider) const CALL: CallbackService = CallbackService {
    name: "call",
    title: "Call",
    type_name: "tencent_call_callback",
    events_of: "calls",
    api: Service { version: ApiVersion::V4, path_segment: "call_config", overwrite: Overwrite::BySet },
    events: &[
        Event {
            command: "Call.CallbackAfterStartCall",
            meaning: "a user started a call",
            carries: "the call, its media type and room, and each user's status",
            page: 68941,
        },
        Event {
            command: "Call.CallbackAfterMemberChanged",
            meaning: "a member of a call accepted, rejected, joined, left, or was invited",
            carries: "the call's ID, each user's status, and who changed and how",
            page: 69215,
        },
        Event {
            command: "Call.CallbackAfterEndCall",
            meaning: "a call ended",
            carries: "the record of the call: caller, callees, media type, times and result",
            page: 68940,
        },
    ],
    samples: include_str!("call.json"),
    notes: "!> **Calls without events:** Calls that an application starts with the deprecated `TUICallKit.call()` or \
            `TUICallKit.groupCall()` send no events to this URL. They belong to [an older \
            API](https://trtc.io/document/60130), which this provider does not manage. Start calls with `calls()`.",
    advise: no_advice,
};
