//! The token that signs Live's callbacks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The token with which Tencent signs Live's callbacks. Each SDKAppID has one, next to its callback configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// `Token`: the secret. It is never printed.
    #[serde(rename = "Token")]
    pub token: String,
    /// `IsTokenEnable`: whether Tencent would sign.
    #[serde(rename = "IsTokenEnable")]
    pub enabled: bool,
}

impl Token {
    /// Creates a token from its two fields.
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
