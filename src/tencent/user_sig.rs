//! UserSigs of version 2.0, the signatures that authenticate calls.

use std::cell::RefCell;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::sdk_app_id::SdkAppId;

/// A signed claim to be an account of an application, for a limited time. `Debug` hides it, because anyone who has it
/// can make calls.
#[derive(Clone)]
pub struct UserSig(SecretString);

/// The claims of a UserSig. Only Tencent, which has the key too, can verify them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The account.
    pub identifier: String,
    /// The application.
    pub sdk_app_id: u64,
    /// The Unix time of the signature, in seconds.
    pub issued_at: u64,
    /// The lifetime in seconds.
    pub lifetime: u64,
}

impl Claims {
    /// Returns the time of expiry; `None` if no clock can show it.
    pub fn expiry(&self) -> Option<SystemTime> {
        let since_epoch = Duration::from_secs(self.issued_at.saturating_add(self.lifetime));
        SystemTime::UNIX_EPOCH.checked_add(since_epoch)
    }
}

/// The reason why a UserSig cannot work, as far as that shows without the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserSig {
    /// A text that is not a UserSig.
    #[error("it is not a UserSig of version 2.0")]
    Unreadable,
    /// A UserSig for another application.
    #[error("it was made for SDKAppID {0}")]
    OtherApp(u64),
    /// A UserSig for another account.
    #[error("it was made for the identifier {0:?}")]
    OtherIdentifier(String),
    /// A UserSig past its lifetime.
    #[error("it expired at {}", humantime::format_rfc3339_seconds(*.0))]
    Expired(SystemTime),
}

/// The signed document, with the fields in the order of Tencent's own implementations.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdk_app_id: u64,
    #[serde(rename = "TLS.expire")]
    lifetime: u64,
    #[serde(rename = "TLS.time")]
    issued_at: u64,
    #[serde(rename = "TLS.sig")]
    signature: String,
}

const VERSION: &str = "2.0";

/// The most bytes that a UserSig is decompressed to. Real ones have about 300, and accounts at most 32.
const MAX_DOCUMENT: u64 = 16 * 1024;

thread_local! {
    /// One compressor for all signatures: to make its state of 300 KB takes some 0.2 ms, and to use it again 0.01 ms.
    static ZLIB: RefCell<ZlibEncoder<Vec<u8>>> = RefCell::new(ZlibEncoder::new(Vec::new(), Compression::default()));
}

impl UserSig {
    /// Signs a UserSig for the account `identifier` of the application, valid for `lifetime` (whole seconds) from
    /// `now`.
    pub fn sign(
        key: &SecretString,
        identifier: &str,
        sdk_app_id: SdkAppId,
        now: SystemTime,
        lifetime: Duration,
    ) -> Self {
        let issued_at = unix_seconds(now);
        let lifetime = lifetime.as_secs();
        let content = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{issued_at}\nTLS.expire:{lifetime}\n"
        );
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("HMAC takes a key of any length");
        mac.update(content.as_bytes());
        let document = Document {
            version: VERSION.to_owned(),
            identifier: identifier.to_owned(),
            sdk_app_id: sdk_app_id.into(),
            lifetime,
            issued_at,
            signature: STANDARD.encode(mac.finalize().into_bytes()),
        };
        let json = serde_json::to_vec(&document).expect("strings and numbers are JSON");
        let compressed =
            ZLIB.with_borrow_mut(|zlib| zlib.write_all(&json).and_then(|()| zlib.reset(Vec::new())).expect("memory"));
        Self::from(STANDARD.encode(compressed).replace('+', "*").replace('/', "-").replace('=', "_"))
    }

    /// Reads the claims.
    ///
    /// # Errors
    ///
    /// [`InvalidUserSig::Unreadable`] for anything but a UserSig of version 2.0.
    pub fn claims(&self) -> Result<Claims, InvalidUserSig> {
        let base64 = self.expose().replace('*', "+").replace('-', "/").replace('_', "=");
        let compressed = STANDARD.decode(base64).map_err(|_| InvalidUserSig::Unreadable)?;
        let mut json = Vec::new();
        let mut zlib = ZlibDecoder::new(compressed.as_slice()).take(MAX_DOCUMENT);
        zlib.read_to_end(&mut json).map_err(|_| InvalidUserSig::Unreadable)?;
        let document: Document = serde_json::from_slice(&json).map_err(|_| InvalidUserSig::Unreadable)?;
        if document.version != VERSION {
            return Err(InvalidUserSig::Unreadable);
        }
        Ok(Claims {
            identifier: document.identifier,
            sdk_app_id: document.sdk_app_id,
            issued_at: document.issued_at,
            lifetime: document.lifetime,
        })
    }

    /// Checks all that can be checked without the key: that the text is a UserSig, for this account and application,
    /// that has not expired at `now`.
    ///
    /// # Errors
    ///
    /// The first of these checks that fails.
    pub fn check(&self, identifier: &str, sdk_app_id: SdkAppId, now: SystemTime) -> Result<(), InvalidUserSig> {
        let claims = self.claims()?;
        if claims.sdk_app_id != u64::from(sdk_app_id) {
            return Err(InvalidUserSig::OtherApp(claims.sdk_app_id));
        }
        if claims.identifier != identifier {
            return Err(InvalidUserSig::OtherIdentifier(claims.identifier));
        }
        match claims.expiry() {
            Some(expiry) if expiry <= now => Err(InvalidUserSig::Expired(expiry)),
            _ => Ok(()),
        }
    }

    /// Returns the text, for a request.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for UserSig {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for UserSig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserSig(…)")
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u64) -> SdkAppId {
        SdkAppId::try_from(number).expect("an SDKAppID")
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn signed() -> UserSig {
        let key = "a key".to_owned().into();
        UserSig::sign(&key, "administrator", id(1_400_000_001), at(1_700_000_000), Duration::from_secs(60))
    }

    #[test]
    fn a_user_sig_is_checked_without_the_key() {
        let (app, now) = (id(1_400_000_001), at(1_700_000_059));
        assert_eq!(signed().check("administrator", app, now), Ok(()));
        assert_eq!(
            signed().check("administrator", id(2), now),
            Err(InvalidUserSig::OtherApp(1_400_000_001)),
            "another application"
        );
        assert_eq!(
            signed().check("someone", app, now),
            Err(InvalidUserSig::OtherIdentifier("administrator".into())),
            "another account"
        );
        let expired = signed().check("administrator", app, at(1_700_000_060)).expect_err("expired");
        assert_eq!(expired.to_string(), "it expired at 2023-11-14T22:14:20Z");
    }

    #[test]
    fn a_text_that_is_not_a_user_sig_is_refused() {
        let whole = signed().expose().to_owned();
        let bomb = {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
            zlib.write_all(&vec![b' '; 10_000_000]).expect("memory");
            STANDARD.encode(zlib.finish().expect("memory")).replace('+', "*").replace('/', "-").replace('=', "_")
        };
        for text in ["", "x", "eJw=", &whole[..whole.len() / 2], &bomb] {
            assert_eq!(UserSig::from(text.to_owned()).claims(), Err(InvalidUserSig::Unreadable), "{text:.40}");
        }
    }

    proptest! {
        // On Windows, times end in the year 30828.
        #[test]
        fn the_claims_equal_what_was_signed(identifier in ".{0,32}", app in 1u32.., time in 0u64..1 << 39, ttl in 0u64..1 << 30) {
            let key = "a key".to_owned().into();
            let user_sig = UserSig::sign(&key, &identifier, id(app.into()), at(time), Duration::from_secs(ttl));
            prop_assert!(user_sig.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"*-_".contains(&b)));
            let claims = Claims { identifier, sdk_app_id: app.into(), issued_at: time, lifetime: ttl };
            prop_assert_eq!(user_sig.claims(), Ok(claims));
        }

        #[test]
        fn any_text_is_a_user_sig_or_an_error(text in "[a-zA-Z0-9*_-]{0,80}|.{0,40}") {
            let _ = UserSig::from(text).claims();
        }
    }
}
