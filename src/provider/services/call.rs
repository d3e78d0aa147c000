//! The service Call.

use super::{CallbackService, Event, no_advice};
use crate::tencent::{ApiVersion, Overwrite, Service};

/// The paragraphs that tell this service and [`legacy_call`](super::legacy_call) apart.
pub(super) const WHICH: &str = "\
**Which one do I need?** Tencent has two APIs for the events of calls, and the code that starts a call decides which of \
them sends its events:

| the application starts calls with | resource | Tencent's API |
| --- | --- | --- |
| `calls()`: TUICallKit 4.0.2 or later for Web, about 2.9 or later for mobile | `tencent_call_callback` | version 4 |
| the deprecated `call()` or `groupCall()` | `tencent_legacy_call_callback` | version 1 |

Tencent does not say whether the two configurations of an application are independent. To migrate without missing an \
event, manage both, and remove the legacy one when no released version of the application uses the deprecated functions.";

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
    notes: &[WHICH],
    see_also: " Calls that `call()` or `groupCall()` starts have another one: see `tencent_legacy_call_callback`.",
    advise: no_advice,
};
