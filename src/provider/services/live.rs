//! The service Live: live streams.

use super::{CallbackService, Event};
use crate::tencent::{ApiVersion, Overwrite, Service};
use crate::terraform::Diagnostic;

/// The event before each gift, whose answer allows or blocks the gift.
pub(in crate::provider) const SEND_GIFT: &str = "Live.CallbackBeforeSendGift";
/// Not an event but a switch: with it, gifts pass when the receiver does not answer.
const NOT_BLOCK: &str = "Live.CallbackBeforeCallBackNotBlock";

/// The API of Live, which also stores the callback token.
pub(in crate::provider) const API: Service =
    Service { version: ApiVersion::V4, path_segment: "live_config", overwrite: Overwrite::ByUpdate };

pub(in crate::provider) const LIVE: CallbackService = CallbackService {
    name: "live",
    title: "Live",
    type_name: "tencent_live_callback",
    events_of: "live streams",
    api: API,
    events: &[
        Event {
            command: "Live.CallbackAfterCreateRoom",
            meaning: "a live room was created",
            carries: "who created it, and the room's settings",
            page: 64422,
        },
        Event {
            command: "Live.CallbackAfterDestroyRoom",
            meaning: "a live room was closed, by a user or by the system",
            carries: "how it was closed, the room's settings, and totals of viewers, gifts and likes",
            page: 64423,
        },
        Event {
            command: "Live.CallbackAfterUpdateRoomInfo",
            meaning: "the information about a live room changed",
            carries: "the settings that changed, and who changed them",
            page: 67938,
        },
        Event {
            command: "Live.CallbackAfterSetMetadata",
            meaning: "metadata of a live room was set",
            carries: "the keys and values, and who set them",
            page: 68222,
        },
        Event {
            command: "Live.CallbackAfterDelMetadata",
            meaning: "metadata of a live room was deleted",
            carries: "the keys, and who deleted them",
            page: 68223,
        },
        Event {
            command: "Live.CallbackAfterCreateRoomReachingThreshold",
            meaning: "the number of live rooms reached 70 % of the quota",
            carries: "the number of rooms and the quota",
            page: 70485,
        },
        Event {
            command: "Live.CallbackAfterMemberStateChanged",
            meaning: "members of a live room went online or offline",
            carries: "the room's ID, the members, and why",
            page: 64424,
        },
        Event {
            command: "Live.CallbackAfterChangeOwner",
            meaning: "a live room got another owner",
            carries: "the room's ID, the old and the new owner",
            page: 72553,
        },
        Event {
            command: "Live.CallbackAfterModifyAdmin",
            meaning: "administrators of a live room were added or removed",
            carries: "the room's ID, and who was added or removed",
            page: 72554,
        },
        Event {
            command: "Mic.CallbackAfterSeatInfoChanged",
            meaning: "a speaker's seat changed hands, or was locked or muted",
            carries: "every seat: who sits there, and what is disabled",
            page: 64425,
        },
        Event {
            command: "Live.CallbackAfterCreateBattle",
            meaning: "a battle between live rooms was created",
            carries: "the battle's ID, duration and rooms",
            page: 68259,
        },
        Event {
            command: "Live.CallbackAfterStartBattle",
            meaning: "a battle between live rooms began",
            carries: "the battle's ID, duration, rooms and times",
            page: 68260,
        },
        Event {
            command: "Live.CallbackAfterEndBattle",
            meaning: "a battle between live rooms ended",
            carries: "the battle's ID, duration, rooms and times, and why it ended",
            page: 68261,
        },
        Event {
            command: SEND_GIFT,
            meaning: "**before** a gift is sent. Your server's answer allows or blocks it. Without an answer within two \
                      seconds, Tencent blocks the gift, unless `Live.CallbackBeforeCallBackNotBlock` is set too",
            carries: "the room's ID, the sender, the recipients, the gift and its price",
            page: 72210,
        },
        Event {
            command: NOT_BLOCK,
            meaning: "not an event but a switch: it lets gifts pass when your server does not answer",
            carries: "",
            page: 72210,
        },
        Event {
            command: "Group.CallbackAfterSendMsg",
            meaning: "a message was sent in a live room (an event of Tencent's Chat)",
            carries: "the message, as Chat sends it",
            page: 74348,
        },
        Event {
            command: "Group.CallbackBeforeSendMsg",
            meaning: "**before** a message is sent in a live room. Your server's answer allows, changes or blocks it (an \
                      event of Tencent's Chat)",
            carries: "the message, as Chat sends it",
            page: 74347,
        },
        Event {
            command: "Follow.CallbackAfterFollowAdd",
            meaning: "a user followed another user (an event of Tencent's Chat)",
            carries: "the two users",
            page: 74356,
        },
        Event {
            command: "Follow.CallbackAfterFollowDelete",
            meaning: "a user unfollowed another user (an event of Tencent's Chat)",
            carries: "the two users",
            page: 74357,
        },
    ],
    samples: include_str!("live.json"),
    notes: &[
        "!> **Gifts depend on your server:** With `Live.CallbackBeforeSendGift`, Tencent asks your server before each \
            gift and blocks the gift if it gets no answer: a server that is down stops all gifts. To let gifts pass \
            without an answer, add `Live.CallbackBeforeCallBackNotBlock`.",
        "Tencent also lists the `Group.` and `Follow.` \
            events of its Chat service for live streams. Its documentation does not say whether this API accepts them. The \
            provider accepts them in a plan, and the apply shows Tencent's answer.",
        "Tencent can sign the events of live streams: see `tencent_live_callback_token`.",
    ],
    see_also: "",
    advise: |commands| match (commands.contains(&SEND_GIFT), commands.contains(&NOT_BLOCK)) {
        (true, false) => Some(Diagnostic::warning(
            "Gifts depend on the callback URL",
            format!(
                "With {SEND_GIFT}, Tencent asks the receiver before each gift: a URL that does not answer blocks every \
                 gift. To let gifts pass without an answer, add {NOT_BLOCK}."
            ),
        )),
        (false, true) => Some(Diagnostic::warning(
            "A switch without its event",
            format!(
                "{NOT_BLOCK} sends no events. It lets gifts pass when {SEND_GIFT} gets no answer: add that, or remove it."
            ),
        )),
        _ => None,
    },
};
