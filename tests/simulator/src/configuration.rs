//! Callback configurations, as the API stores them.

use serde::{Deserialize, Serialize};

/// A callback configuration: the events that Tencent sends, and the URL that it sends them to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `Url`: the URL that Tencent would post the events to.
    #[serde(rename = "Url")]
    pub url: String,
    /// `CallbackCommandList`: the events that Tencent would send, in the order in which they were set, with duplicates.
    #[serde(rename = "CallbackCommandList")]
    pub callback_commands: Vec<String>,
}

impl Configuration {
    /// Creates a configuration from its two fields.
    pub fn new<C: Into<String>>(url: impl Into<String>, callback_commands: impl IntoIterator<Item = C>) -> Self {
        Self { url: url.into(), callback_commands: callback_commands.into_iter().map(Into::into).collect() }
    }
}
