//! Callback configurations: which events, where to.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::callback_url::CallbackUrl;
use super::error::{ErrorCode, NOT_CONFIGURED};
use super::stored::Stored;

/// What Tencent sends, and where to. It is written and read as a whole only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackConfiguration {
    /// Where Tencent posts the events.
    #[serde(rename = "Url")]
    pub url: CallbackUrl,
    /// The events to send, by callback command. Neither order nor repetition has a meaning.
    #[serde(rename = "CallbackCommandList", default, deserialize_with = "null_is_empty")]
    pub callback_commands: BTreeSet<String>,
}

impl Stored for CallbackConfiguration {
    const NOUN: &'static str = "configuration";
    const GET: &'static str = "get_callback";
    const SET: &'static str = "set_callback";
    const UPDATE: Option<&'static str> = Some("update_callback");
    const DELETE: &'static str = "delete_callback";
    const ABSENT: ErrorCode = NOT_CONFIGURED;
}

impl CallbackConfiguration {
    /// Whether `stored` is what a service may make of this, rather than what someone else has set: another spelling of
    /// it, or fewer or more of its commands at another spelling of its URL.
    pub fn own_form(&self, stored: &Self) -> Option<OwnForm> {
        if !self.url.is_respelling_of(&stored.url) {
            return None;
        }
        let lower =
            |commands: &BTreeSet<String>| -> BTreeSet<_> { commands.iter().map(|c| c.to_lowercase()).collect() };
        let (wanted, stored) = (lower(&self.callback_commands), lower(&stored.callback_commands));
        if wanted == stored {
            Some(OwnForm::Spelling)
        } else if stored.is_empty() {
            // No events at all: that is not a form of this.
            None
        } else if stored.is_subset(&wanted) {
            Some(OwnForm::FewerCommands)
        } else if stored.is_superset(&wanted) {
            Some(OwnForm::MoreCommands)
        } else {
            None
        }
    }

    /// The same with a URL of which only scheme and host may be shown.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { url: self.url.secret(), ..self }
    }

    /// Whether both make Tencent send the same events to the same URL.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.callback_commands == other.callback_commands && self.url.is_equivalent(&other.url)
    }
}

/// How a service may keep something else than it was told, although it means the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnForm {
    /// The URL or the commands are spelled otherwise.
    Spelling,
    /// Some of the commands are missing.
    FewerCommands,
    /// There are commands that nobody asked for.
    MoreCommands,
}

/// A service written in Go, as gateways are, may answer an empty list with null, or with nothing.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_the_api_documents() {
        let json = r#"{"Url":"https://example.com","CallbackCommandList":["A","B"]}"#;
        let configuration = CallbackConfiguration {
            url: "https://example.com".to_owned().into(),
            callback_commands: ["B".into(), "A".into()].into(),
        };
        assert_eq!(serde_json::to_string(&configuration).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<CallbackConfiguration>(json).expect("JSON"), configuration);
    }

    #[test]
    fn a_form_of_its_own_is_still_the_same_thing() {
        use OwnForm::{FewerCommands, MoreCommands, Spelling};
        let of = |url: &str, commands: &[&str]| CallbackConfiguration {
            url: url.to_owned().into(),
            callback_commands: commands.iter().map(|&command| command.to_owned()).collect(),
        };
        let wanted = of("https://Example.com/Call%2Dback?a=B", &["A", "B"]);
        for (url, commands, expected) in [
            ("https://example.com/call-back/?a=b", &["A", "B"][..], Some(Spelling)),
            ("https://example.com/Call%2Dback?a=B", &["a", "b"], Some(Spelling)),
            ("https://example.com/Call%2Dback?a=B", &["B"], Some(FewerCommands)),
            ("https://example.com/Call%2Dback?a=B", &["A", "B", "C"], Some(MoreCommands)),
            ("https://example.com/Call%2Dback?a=B", &[], None),
            ("https://example.com/Call%2Dback?a=B", &["A", "C"], None),
            ("https://example.com/Call%2Dback?a=C", &["A", "B"], None),
            ("https://example.com/other?a=B", &["A", "B"], None),
            ("http://example.com/Call%2Dback?a=B", &["A", "B"], None),
            ("https://example.com:8443/Call%2Dback?a=B", &["A", "B"], None),
            ("https://me@example.com/Call%2Dback?a=B", &["A", "B"], None),
        ] {
            assert_eq!(wanted.own_form(&of(url, commands)), expected, "{url} {commands:?}");
        }
    }

    #[test]
    fn order_repetition_and_null_make_no_difference() {
        let read = |list: &str| {
            let json = format!(r#"{{"Url":"x","CallbackCommandList":{list},"New":1}}"#);
            serde_json::from_str::<CallbackConfiguration>(&json).expect("JSON").callback_commands
        };
        assert_eq!(read(r#"["B","A","B"]"#), read(r#"["A","B"]"#));
        assert_eq!(read("null"), read("[]"));
        let omitted = serde_json::from_str::<CallbackConfiguration>(r#"{"Url":"x"}"#).expect("JSON");
        assert_eq!(omitted.callback_commands, read("[]"));
    }
}
