//! The words of messages about callback tokens. None shows a token.

use super::kind::{CallbackTokenKind, TokenArguments};
use crate::provider::singleton::{Wording, Words};
use crate::tencent::CallbackToken;
use crate::terraform::Attr;

impl Wording<Self> for CallbackTokenKind {
    fn name(&self) -> String {
        "Live callback token".to_owned()
    }

    fn words(&self) -> &'static Words {
        &Words {
            subject: "the application",
            sends: "has",
            sent: "had",
            unlike_written: " that differs from what was written",
            argument: "token",
            secret: "token",
        }
    }

    fn describe(&self, token: &CallbackToken) -> String {
        if token.enabled { "an enabled token" } else { "a disabled token" }.to_owned()
    }

    fn consequence(&self, found: &CallbackToken, wanted: Option<&CallbackToken>) -> Option<&'static str> {
        Some(match wanted {
            _ if !found.enabled => "It is disabled, so no receiver depends on it.",
            Some(wanted) if !wanted.enabled => {
                "Events will no longer be signed: receivers that check signatures will refuse them."
            }
            _ => "Receivers that check signatures with the old token will refuse events until they have the new one.",
        })
    }

    fn drift(&self, _: &CallbackToken) -> String {
        "Receivers that check signatures with another token refuse events.".to_owned()
    }

    fn after_forgetting(&self, last: &TokenArguments) -> String {
        match last.enabled {
            Attr::Known(false) => "it stays there, disabled",
            _ => "Tencent keeps signing the events of live streams with it",
        }
        .to_owned()
    }
}
