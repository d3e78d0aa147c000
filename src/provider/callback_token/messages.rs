//! How messages speak of callback tokens: without showing one.

use super::kind::CallbackTokenKind;
use crate::provider::singleton::{Wording, Words};
use crate::tencent::CallbackToken;

impl Wording<CallbackToken> for CallbackTokenKind {
    fn name(&self) -> String {
        "Live callback token".to_owned()
    }

    fn words(&self) -> &'static Words {
        &Words { subject: "the application", sends: "has", sent: "had", argument: "token", secret: "token" }
    }

    fn describe(&self, token: &CallbackToken) -> String {
        if token.enabled { "an enabled token" } else { "a disabled token" }.to_owned()
    }

    fn describe_unexpected(&self, found: &CallbackToken) -> String {
        self.describe(found) + " that differs from what was written"
    }

    fn describe_unmanaged(&self, found: &CallbackToken) -> String {
        self.describe(found) + " that this resource does not manage yet."
    }

    fn difference(&self, _: &CallbackToken, _: &CallbackToken) -> String {
        "The two differ in the token or in enabled.".to_owned()
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
        "Receivers that check signatures with the one that Terraform sent refuse events.".to_owned()
    }

    fn after_forgetting(&self, last: Option<&CallbackToken>) -> String {
        match last {
            Some(CallbackToken { enabled: false, .. }) => "it stays there, disabled",
            _ => "Tencent goes on signing the events of live streams with it",
        }
        .to_owned()
    }
}
