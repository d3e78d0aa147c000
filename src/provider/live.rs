//! The service Live: live streams.

use serde_json::{Value, json};

use super::callback::service::{CallbackService, Event, Now, PROBE_ID, PROBE_USER, probe_seat};
use crate::tencent::{Overwrite, Service};
use crate::terraform::Diagnostic;

/// Tencent asks before each gift.
pub(super) const SEND_GIFT: &str = "Live.CallbackBeforeSendGift";
/// Not an event: with it, a gift for which nobody answers is sent.
const NOT_BLOCK: &str = "Live.CallbackBeforeCallBackNotBlock";

/// How its API is called, for its callback tokens too.
pub(super) const API: Service = Service { path_segment: "live_config", overwrite: Overwrite::ByUpdate };

pub(super) const LIVE: CallbackService = CallbackService {
    name: "live",
    title: "Live",
    type_name: "tencent_live_callback",
    events_of: "live streams",
    api: API,
    events: &[
        Event {
            command: "Live.CallbackAfterCreateRoom",
            meaning: "a live room was created",
            sample: Some(
                |now| json!({ "Operator_Account": PROBE_USER, "RoomInfo": room(now), "EventTime": now.milliseconds }),
            ),
        },
        Event {
            command: "Live.CallbackAfterDestroyRoom",
            meaning: "a live room was closed, by a user or by the system",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "EventType": "DestroyByUser",
                    "RoomInfo": room(now),
                    "Statistic": {
                        "TotalViewers": 0, "TotalGiftsSent": 0, "TotalGiftCoins": 0, "TotalUniqueGiftSenders": 0,
                        "TotalLikesReceived": 0,
                    },
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterUpdateRoomInfo",
            meaning: "the information about a live room changed",
            sample: Some(
                |now| json!({ "Operator_Account": PROBE_USER, "RoomInfo": room(now), "EventTime": now.milliseconds }),
            ),
        },
        Event {
            command: "Live.CallbackAfterSetMetadata",
            meaning: "metadata of a live room was set",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "Metadata": [{ "Key": PROBE_USER, "Value": "" }],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterDelMetadata",
            meaning: "metadata of a live room was deleted",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "Keys": [PROBE_USER],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterCreateRoomReachingThreshold",
            meaning: "the number of live rooms reached 70 % of the quota",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER, "CurRoomCount": 70, "MaxRoomCount": 100,
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterMemberStateChanged",
            meaning: "members of a live room went online or offline",
            sample: Some(|now| {
                json!({
                    "RoomId": PROBE_ID,
                    "EventType": "Online",
                    "EventCause": "Enter",
                    "MemberList": [{ "Member_Account": PROBE_USER }],
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterChangeOwner",
            meaning: "a live room got another owner",
            sample: Some(|now| {
                json!({
                    "RoomId": PROBE_ID,
                    "Operator_Account": PROBE_USER,
                    "CurrentOwner_Account": PROBE_USER,
                    "OriginalOwner_Account": PROBE_USER,
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterModifyAdmin",
            meaning: "administrators of a live room were added or removed",
            sample: Some(|now| {
                json!({
                    "RoomId": PROBE_ID,
                    "Operator_Account": PROBE_USER,
                    "Admin_Account": [PROBE_USER],
                    "opType": "add",
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Mic.CallbackAfterSeatInfoChanged",
            meaning: "the list of speakers' seats changed",
            sample: Some(
                |now| json!({ "RoomId": PROBE_ID, "SeatList": [probe_seat()], "EventTime": now.milliseconds }),
            ),
        },
        Event {
            command: "Live.CallbackAfterCreateBattle",
            meaning: "a battle between live rooms was created",
            sample: Some(|now| {
                json!({
                    "BattleId": PROBE_ID,
                    "Duration": 1000,
                    "FromRoomId": PROBE_ID,
                    "ToRoomIdList": [PROBE_ID],
                    "Timeout": 1000,
                    "NeedResponse": false,
                    "ExtensionInfo": "",
                    "EventTime": now.milliseconds,
                })
            }),
        },
        Event {
            command: "Live.CallbackAfterStartBattle",
            meaning: "a battle between live rooms began",
            sample: Some(battle),
        },
        Event {
            command: "Live.CallbackAfterEndBattle",
            meaning: "a battle between live rooms ended",
            sample: Some(|now| {
                let mut event = battle(now);
                event["EndTime"] = now.milliseconds.into();
                event["OpType"] = 0.into();
                event
            }),
        },
        Event {
            command: SEND_GIFT,
            meaning: "**before** a gift is sent, which the receiver's answer allows or blocks. Without an answer within two \
                      seconds the gift is blocked, unless `Live.CallbackBeforeCallBackNotBlock` is set as well",
            sample: Some(|now| {
                json!({
                    "Operator_Account": PROBE_USER,
                    "RoomId": PROBE_ID,
                    "GiftWater": {
                        "From_Account": PROBE_USER, "To_Account": [PROBE_USER], "Time": now.seconds,
                        "GiftId": PROBE_ID, "Count": 0, "Coins": 0,
                    },
                })
            }),
        },
        Event {
            command: NOT_BLOCK,
            meaning: "not an event but a switch: with it, a gift for which no answer arrives is sent",
            sample: None,
        },
        Event {
            command: "Group.CallbackAfterSendMsg",
            meaning: "a message was sent in a live room (an event of Tencent's Chat)",
            sample: None,
        },
        Event {
            command: "Group.CallbackBeforeSendMsg",
            meaning: "**before** a message is sent in a live room, which the receiver's answer allows, changes or blocks (an \
                      event of Tencent's Chat)",
            sample: None,
        },
        Event {
            command: "Follow.CallbackAfterFollowAdd",
            meaning: "a user followed another one (an event of Tencent's Chat)",
            sample: None,
        },
        Event {
            command: "Follow.CallbackAfterFollowDelete",
            meaning: "a user ceased to follow another one (an event of Tencent's Chat)",
            sample: None,
        },
    ],
    notes: "With `Live.CallbackBeforeSendGift`, Tencent asks the receiver before each gift, and a gift for which no answer \
            arrives is blocked: a receiver that fails stops all gifts. Add `Live.CallbackBeforeCallBackNotBlock` to let \
            them through.\n\nTencent lists the `Group.` and `Follow.` events, which are those of its Chat, for live streams as \
            well. Its documentation does not say whether this API takes them: a plan accepts them, and an apply shows what \
            Tencent answers.\n\nTencent can sign the events of live streams: see `tencent_live_callback_token`.",
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

fn room(now: Now) -> Value {
    json!({
        "RoomId": PROBE_ID, "RoomName": PROBE_USER, "RoomType": "Live", "Owner_Account": PROBE_USER,
        "MaxMemberCount": 1, "IsMessageDisabled": false, "CustomInfo": "", "IsSeatEnabled": false, "TakeSeatMode": "",
        "MaxSeatCount": 1, "CreateTime": now.seconds, "IsPublicVisible": false, "CoverURL": "", "Category": [],
    })
}

fn battle(now: Now) -> Value {
    json!({
        "BattleId": PROBE_ID,
        "Duration": 1000,
        "FromRoomInfo": { "RoomId": PROBE_ID },
        "ToRoomList": [{ "RoomId": PROBE_ID }],
        "CreateTime": now.milliseconds,
        "StartTime": now.milliseconds,
        "EventTime": now.milliseconds,
    })
}
