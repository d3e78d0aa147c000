//! Callback configurations: the events that Tencent sends, and the URL that it sends them to.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::api_version::ApiVersion;
use super::callback_url::CallbackUrl;
use super::error::{NO_CONFIGURATION, NOT_CONFIGURED};
use super::stored::{Calls, Stored};

/// A callback configuration, which the API reads and writes only as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackConfiguration {
    /// The URL that Tencent posts the events to.
    #[serde(rename = "Url", alias = "address")]
    pub url: CallbackUrl,
    /// The callback commands of the events to send. Their order and repetition mean nothing.
    #[serde(rename = "CallbackCommandList", alias = "actions", default, deserialize_with = "null_is_empty")]
    pub callback_commands: BTreeSet<String>,
}

impl Stored for CallbackConfiguration {
    const NOUN: &'static str = "configuration";

    fn calls(version: ApiVersion) -> &'static Calls {
        match version {
            // Its call "update" replaces no more than "set" does.
            ApiVersion::V1 => {
                &Calls { get: "get", set: "set", update: None, delete: "delete", absent: NO_CONFIGURATION }
            }
            ApiVersion::V4 => &Calls {
                get: "get_callback",
                set: "set_callback",
                update: Some("update_callback"),
                delete: "delete_callback",
                absent: NOT_CONFIGURED,
            },
        }
    }

    fn json(&self, version: ApiVersion) -> String {
        match version {
            ApiVersion::V1 => serde_json::json!({ "address": self.url, "actions": self.callback_commands }).to_string(),
            ApiVersion::V4 => serde_json::to_string(self).expect("strings are JSON"),
        }
    }
}

impl CallbackConfiguration {
    /// Returns how `stored` differs from the configuration, if it is a form in which a service may store it: in another
    /// spelling, or with fewer or more commands. Anything else must have been written by someone else.
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
            // A configuration without events does not have the same meaning.
            None
        } else if stored.is_subset(&wanted) {
            Some(OwnForm::FewerCommands)
        } else if stored.is_superset(&wanted) {
            Some(OwnForm::MoreCommands)
        } else {
            None
        }
    }

    /// Marks the URL as secret: only its scheme and host are shown.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { url: self.url.secret(), ..self }
    }

    /// Returns whether both make Tencent send the same events to the same URL.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.callback_commands == other.callback_commands && self.url.is_equivalent(&other.url)
    }
}

/// A difference between what a service was told to store and what it stores instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnForm {
    /// The URL or the commands have another spelling.
    Spelling,
    /// Some of the commands are missing.
    FewerCommands,
    /// Some of the commands were not asked for.
    MoreCommands,
}

/// Reads null as an empty list, because services written in Go encode an empty list like that.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_the_documented_json() {
        let json = r#"{"Url":"https://example.com","CallbackCommandList":["A","B"]}"#;
        let configuration = CallbackConfiguration {
            url: "https://example.com".to_owned().into(),
            callback_commands: ["B".into(), "A".into()].into(),
        };
        assert_eq!(serde_json::to_string(&configuration).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<CallbackConfiguration>(json).expect("JSON"), configuration);
        assert_eq!(configuration.json(ApiVersion::V4), json);
        let json = r#"{"actions":["A","B"],"address":"https://example.com"}"#;
        assert_eq!(configuration.json(ApiVersion::V1), json);
        assert_eq!(serde_json::from_str::<CallbackConfiguration>(json).expect("JSON"), configuration);
    }

    #[test]
    fn a_services_own_form_is_told_from_another_configuration() {
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
    fn the_order_and_repetition_of_commands_mean_nothing_and_null_is_no_commands() {
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
