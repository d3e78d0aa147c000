//! Callback tokens, with which Live signs the events that it posts.

use std::fmt::Write as _;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::api_version::ApiVersion;
use super::error::NO_TOKEN;
use super::stored::{Calls, Stored};

/// The token with which Live signs an application's events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallbackToken {
    /// The secret that Tencent and the receiver share.
    #[serde(rename = "Token", serialize_with = "expose")]
    pub token: SecretString,
    /// Whether Tencent signs events with the token.
    #[serde(rename = "IsTokenEnable")]
    pub enabled: bool,
}

/// The reason why a text should not be a token. Tencent documents neither a length nor an alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallbackToken {
    /// An empty text.
    #[error("it is empty: anyone could sign with it")]
    Empty,
    /// White space at either end, which the receiver's copy may lack.
    #[error("it begins or ends with white space, such as a trailing newline")]
    WhiteSpace,
}

impl Stored for CallbackToken {
    const NOUN: &'static str = "token";

    fn calls(_: ApiVersion) -> &'static Calls {
        &Calls {
            get: "get_callback_token",
            set: "set_callback_token",
            update: None,
            delete: "delete_callback_token",
            absent: NO_TOKEN,
        }
    }

    fn secret(&self) -> Option<&SecretString> {
        Some(&self.token)
    }
}

impl CallbackToken {
    /// Checks that a token is fit to sign with.
    ///
    /// # Errors
    ///
    /// If the token protects nothing, or was copied with white space.
    pub fn check(token: &SecretString) -> Result<(), InvalidCallbackToken> {
        match token.expose_secret() {
            "" => Err(InvalidCallbackToken::Empty),
            token if token.trim() != token => Err(InvalidCallbackToken::WhiteSpace),
            _ => Ok(()),
        }
    }

    /// Computes the `Sign` that Tencent adds to the callback URL together with this `RequestTime` (Unix time in
    /// seconds): the SHA-256 of the token followed by the time as text, in lower-case hexadecimal digits.
    pub fn sign(token: &SecretString, request_time: &str) -> String {
        let digest = Sha256::new().chain_update(token.expose_secret()).chain_update(request_time).finalize();
        digest.iter().fold(String::with_capacity(2 * digest.len()), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Returns whether Tencent signs events with both in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret() && self.enabled == other.enabled
    }
}

fn expose<S: Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the example on Tencent's page about Live's callbacks.
    #[test]
    fn an_event_is_signed_as_documented() {
        assert_eq!(
            CallbackToken::sign(&"xxxxyyyy".to_owned().into(), "1669872112"),
            "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"
        );
    }

    #[test]
    fn a_token_has_the_documented_json_and_debug_hides_it() {
        let json = r#"{"Token":"tok3n","IsTokenEnable":true}"#;
        let token: CallbackToken = serde_json::from_str(json).expect("JSON");
        assert_eq!(serde_json::to_string(&token).expect("JSON"), json);
        assert!(!format!("{token:?}").contains("tok3n"));
    }
}
