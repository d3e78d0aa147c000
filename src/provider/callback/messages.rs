//! The words of messages about callback configurations.

use super::kind::{CallbackArguments, CallbackKind};
use crate::provider::services::Naming;
use crate::provider::singleton::{Wording, Words};
use crate::tencent::{CallbackConfiguration, shown};

impl<N: Naming> Wording<Self> for CallbackKind<N> {
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

    fn after_forgetting(&self, last: &CallbackArguments<N>) -> String {
        let url = last.callback_url().map_or_else(|| "its URL".to_owned(), |url| url.to_string());
        format!("Tencent keeps posting events to {url}")
    }
}

/// Returns "A, B to URL", with the secrets in the URL masked.
pub(super) fn describe(configuration: &CallbackConfiguration) -> String {
    /// More than any service has.
    const MOST: usize = 100;
    let commands = &configuration.callback_commands;
    let listed: Vec<_> = commands.iter().take(MOST).map(|command| shown(command)).collect();
    let listed = match commands.len() {
        0 => "no events".to_owned(),
        1..=MOST => listed.join(", "),
        count => format!("{} and {} more", listed.join(", "), count - MOST),
    };
    format!("{listed} to {}", configuration.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_that_an_answer_names_are_shown_escaped_and_cut() {
        let of = |commands: Vec<String>| {
            let url = "https://hooks.example.com/".to_owned().into();
            describe(&CallbackConfiguration { url, callback_commands: commands.into_iter().collect() })
        };
        assert_eq!(
            of(vec!["A".into(), "\u{1b}[2J\n\u{202e}".into()]),
            r"\x1b[2J\n\u202e, A to https://hooks.example.com/"
        );
        let long = of(vec!["x".repeat(20_000)]);
        assert!(long.contains("xx… to ") && long.len() < 400, "{long}");
        let many = of((0..20_000).map(|i| i.to_string()).collect());
        assert!(many.contains(" and 19900 more to ") && many.len() < 1000, "{many}");
    }
}
