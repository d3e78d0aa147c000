//! Callback configurations: which service, which events, where to.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::callback_url::CallbackUrl;

/// A service whose events Tencent can send to a URL. Each has one callback configuration per application.
///
/// A further service (Room, Live) is one more constant like [`Service::CALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Service {
    /// The segment of the API's paths that names it.
    pub(super) path_segment: &'static str,
    /// The callback commands that Tencent documents for it. It may know more.
    pub callback_commands: &'static [&'static str],
}

impl Service {
    /// Calls. The commands are those of Tencent's documentation of the call service's callbacks.
    pub const CALL: Self = Self {
        path_segment: "call_config",
        callback_commands: &[
            "Call.CallbackAfterStartCall",
            "Call.CallbackAfterMemberChanged",
            "Call.CallbackAfterEndCall",
        ],
    };
}

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

impl CallbackConfiguration {
    /// Whether both make Tencent send the same events to the same URL.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.callback_commands == other.callback_commands && self.url.is_equivalent(&other.url)
    }
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
