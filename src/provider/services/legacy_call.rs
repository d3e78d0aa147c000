//! The older API of calls, for applications that still start them with `TUICallKit.call()` or `groupCall()`.

use super::call::WHICH;
use super::{CallbackService, Event, no_advice};
use crate::tencent::{ApiVersion, Overwrite, Service};

pub(in crate::provider) const LEGACY_CALL: CallbackService = CallbackService {
    name: "legacy_call",
    title: "Legacy Call",
    type_name: "tencent_legacy_call_callback",
    events_of: "legacy calls",
    api: Service { version: ApiVersion::V1, path_segment: "callback", overwrite: Overwrite::BySet },
    events: &[
        action("cancel", "result: the caller canceled the call before an answer"),
        action("reject", "result: the callee rejected the call"),
        action("not_answer", "result: nobody answered in time"),
        action("normal_end", "result: the call was connected, and ended normally. Group calls have no other result"),
        action("call_busy", "result: the callee was busy"),
        action("interrupt", "result: the network or something else interrupted the call"),
        action("caller_start_call", "the caller started a call"),
        action("caller_call_accepted", "the caller's call was accepted"),
        action("caller_call_missed", "the caller's call was not answered"),
        action("caller_call_rejected", "the caller's call was rejected"),
        action("caller_call_busy", "the caller's call found the callee busy"),
        action("caller_cancel_call", "the caller canceled the call"),
        action("caller_call_failed", "the caller's call could not be started"),
        action("caller_call_end", "the caller's call ended normally"),
        action("caller_call_interrupted", "the caller's call was interrupted"),
        action("callee_receive_call", "the callee received a call"),
        action("callee_accept_call", "the callee accepted the call"),
        action("callee_not_answer_call", "the callee did not answer the call"),
        action("callee_reject_call", "the callee rejected the call"),
        action("callee_ignore_call", "the callee ignored the call"),
        action("callee_call_canceled", "the call to the callee was canceled"),
        action("callee_call_end", "the callee's call ended normally"),
        action("callee_call_interrupted", "the callee's call was interrupted"),
        action("invite_user", "a user was invited during a call"),
        action("join_in_group_call", "a user joined a group call"),
    ],
    samples: include_str!("legacy_call.json"),
    notes: &[
        WHICH,
        "Of `callback_actions`, the first six are results: Tencent sends one when a call ends, with the field `CallResult`. \
         The others are events during a call, with the field `Event`. Every one carries the caller or the callee, the room, \
         the media type and the times, in seconds. Tencent needs at least TUICallKit 1.7.1 for Android, iOS, Flutter and \
         uni-app, 1.4.6 for Web, and 1.5.1 for WeChat at all parties of a call, and the package **Group Call Version** or \
         its trial.",
        "**What the receiver gets:** The names of this API differ from those of `tencent_call_callback`. The query has \
         `sdkappid`, `command` (the action), `clientip` and `optplatform`; the body is flat; and the answer is \
         `{\"ErrorCode\":0,\"ErrorMessage\":\"Success\"}`. After any other `ErrorCode` or an HTTP error, Tencent sends the \
         event again, after 0, 1, 1, 2, 3 and 5 seconds: be ready for duplicates. Its documentation mentions no signature.",
        "**Hosts and limits:** With `region = \"china\"`, the provider calls `callkit.trtc.tencent-cloud.com`, and with any other \
         region `callkit-intl.trtc.tencent-cloud.com`, the only other host that Tencent documents. With an `endpoint`, it \
         calls `v1/callback` below that, so a gateway must pass such calls to one of the two hosts. Tencent allows 10 calls a \
         second for each call of this API, so the provider makes no more, whatever `requests_per_second` says.",
    ],
    see_also: " Calls that `calls()` starts have another one: see `tencent_call_callback`.",
    advise: no_advice,
};

/// Describes an action. All actions have the same content.
const fn action(command: &'static str, meaning: &'static str) -> Event {
    Event { command, meaning, carries: "", page: 60135 }
}
