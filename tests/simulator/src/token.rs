//! The token of Live's callbacks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The token that Tencent signs Live's callbacks with: one per SDKAppID, apart from the callback configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// `Token`: the token itself; never printed.
    #[serde(rename = "Token")]
    pub token: String,
    /// `IsTokenEnable`: whether Tencent would sign.
    #[serde(rename = "IsTokenEnable")]
    pub enabled: bool,
}

impl Token {
    /// A token from its two fields.
    pub fn new(token: impl Into<String>, enabled: bool) -> Self {
        Self { token: token.into(), enabled }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("token", &"***").field("enabled", &self.enabled).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_prints_the_token() {
        let printed = format!("{:?}", Token::new("a-token-to-hide", true));
        assert!(printed.contains("true") && !printed.contains("a-token-to-hide"), "{printed}");
    }
}
