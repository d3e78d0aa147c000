//! A callback configuration, as the API stores it.

use serde::{Deserialize, Serialize};

/// A callback configuration: where Tencent sends events, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `Url`: where Tencent would POST the events.
    #[serde(rename = "Url")]
    pub url: String,
    /// `CallbackCommandList`: which events it would send, as they were set (order and duplicates are kept).
    #[serde(rename = "CallbackCommandList")]
    pub callback_commands: Vec<String>,
}

impl Configuration {
    /// A configuration from its two fields.
    pub fn new<C: Into<String>>(url: impl Into<String>, callback_commands: impl IntoIterator<Item = C>) -> Self {
        Self { url: url.into(), callback_commands: callback_commands.into_iter().map(Into::into).collect() }
    }
}
