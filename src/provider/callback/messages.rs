//! The words of messages about callback configurations.

use super::kind::{CallbackArguments, CallbackKind};
use crate::provider::singleton::{Wording, Words};
use crate::tencent::CallbackConfiguration;

impl Wording<Self> for CallbackKind {
    fn name(&self) -> String {
        format!("{} callback configuration", self.0.title)
    }

    fn words(&self) -> &'static Words {
        &Words { subject: "Tencent", sends: "sends", sent: "sent", unlike_written: "", argument: "url", secret: "URL" }
    }

    fn describe(&self, configuration: &CallbackConfiguration) -> String {
        describe(configuration)
    }

    fn drift(&self, found: &CallbackConfiguration) -> String {
        format!("Tencent now posts events to {}.", found.url)
    }

    fn after_forgetting(&self, last: &CallbackArguments) -> String {
        let url = last.callback_url().map_or_else(|| "its URL".to_owned(), |url| url.to_string());
        format!("Tencent goes on posting events to {url}")
    }
}

/// Returns "A, B to URL", with the secrets in the URL masked.
pub(super) fn describe(configuration: &CallbackConfiguration) -> String {
    let commands: Vec<_> = configuration.callback_commands.iter().map(String::as_str).collect();
    let commands = if commands.is_empty() { "no events".to_owned() } else { commands.join(", ") };
    format!("{commands} to {}", configuration.url)
}
