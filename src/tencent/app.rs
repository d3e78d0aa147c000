//! Tencent RTC applications, with their credentials and endpoints.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};

use super::endpoint::Endpoint;
use super::sdk_app_id::SdkAppId;
use super::user_sig::{InvalidUserSig, UserSig};

/// The proof of a caller's identity.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// The application's SecretKey, which signs UserSigs as they are needed.
    SecretKey(SecretString),
    /// A ready-made UserSig.
    UserSig(UserSig),
}

impl Credentials {
    /// Returns whether both are the same SecretKey or the same UserSig.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SecretKey(a), Self::SecretKey(b)) => a.expose_secret() == b.expose_secret(),
            (Self::UserSig(a), Self::UserSig(b)) => a.expose() == b.expose(),
            _ => false,
        }
    }
}

/// An application, with all that a call for it needs.
#[derive(Debug)]
pub struct App {
    sdk_app_id: SdkAppId,
    identifier: String,
    credentials: Credentials,
    /// The argument or variable that holds the credentials, for messages.
    origin: Option<String>,
    endpoint: Endpoint,
    signed: Mutex<Option<Signed>>,
}

/// A UserSig that this process signed.
#[derive(Debug)]
struct Signed {
    user_sig: UserSig,
    at: SystemTime,
}

/// The lifetime of a signed UserSig: long enough for any run of Terraform, short enough to be worth little to a thief.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// The time before its expiry at which a signed UserSig is replaced: more than the longest call and some clock skew.
const MARGIN: Duration = Duration::from_secs(10 * 60);

impl App {
    /// Creates an application whose administrator account is `identifier`.
    pub fn new(sdk_app_id: SdkAppId, identifier: String, credentials: Credentials, endpoint: Endpoint) -> Self {
        Self { sdk_app_id, identifier, credentials, origin: None, endpoint, signed: Mutex::new(None) }
    }

    /// Names the argument or variable that holds the credentials. Messages quote it.
    #[must_use]
    pub fn held_by(self, origin: impl Into<String>) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    /// Returns the SDKAppID.
    pub fn sdk_app_id(&self) -> SdkAppId {
        self.sdk_app_id
    }

    /// Returns the account that makes the calls.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Returns the endpoint that the calls go to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Describes the credentials for messages, as in `the SecretKey (TENCENT_SECRET_KEY)`.
    pub fn proof(&self) -> String {
        let proof = match self.credentials {
            Credentials::SecretKey(_) => "the SecretKey",
            Credentials::UserSig(_) => "the UserSig",
        };
        self.origin.as_ref().map_or_else(|| proof.to_owned(), |origin| format!("{proof} ({origin})"))
    }

    /// Signs a UserSig for the account `identifier` of this application, valid for `lifetime` from `now`; `None`
    /// without the SecretKey.
    pub fn sign(&self, identifier: &str, now: SystemTime, lifetime: Duration) -> Option<UserSig> {
        match &self.credentials {
            Credentials::SecretKey(key) => Some(UserSig::sign(key, identifier, self.sdk_app_id, now, lifetime)),
            Credentials::UserSig(_) => None,
        }
    }

    /// Returns a UserSig for a call at `now`. A signed UserSig is reused until it nears its expiry.
    pub(super) fn user_sig(&self, now: SystemTime) -> Result<UserSig, InvalidUserSig> {
        let key = match &self.credentials {
            Credentials::SecretKey(key) => key,
            Credentials::UserSig(user_sig) => {
                user_sig.check(&self.identifier, self.sdk_app_id, now)?;
                return Ok(user_sig.clone());
            }
        };
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        // After the clock was set back, a signed UserSig may be from the future, which is as bad as an expired one.
        if let Some(current) = signed.as_ref().filter(|s| (s.at..s.at + LIFETIME - MARGIN).contains(&now)) {
            return Ok(current.user_sig.clone());
        }
        let user_sig = UserSig::sign(key, &self.identifier, self.sdk_app_id, now, LIFETIME);
        *signed = Some(Signed { user_sig: user_sig.clone(), at: now });
        Ok(user_sig)
    }

    /// Drops the signed UserSig. Returns whether the next call can sign a new one.
    pub(super) fn forget_user_sig(&self) -> bool {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        matches!(self.credentials, Credentials::SecretKey(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::Region;
    use super::*;

    fn app() -> App {
        let id = SdkAppId::try_from(1_400_000_001).expect("an SDKAppID");
        let credentials = Credentials::SecretKey("tok3n".to_owned().into());
        App::new(id, "administrator".into(), credentials, Endpoint::from(Region::China))
    }

    fn issued_at(app: &App, now: SystemTime) -> u64 {
        app.user_sig(now).and_then(|user_sig| user_sig.claims()).expect("a UserSig").issued_at
    }

    #[test]
    fn a_user_sig_is_reused_until_it_nears_its_expiry() {
        let app = app();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let issued = |after: Duration| issued_at(&app, start + after);
        let first = issued(Duration::ZERO);
        assert_eq!(issued(LIFETIME - MARGIN - Duration::from_secs(1)), first);
        assert!(issued(LIFETIME - MARGIN) > first, "signed anew before it expires");
    }

    #[test]
    fn a_user_sig_is_signed_anew_after_the_clock_was_set_back() {
        let app = app();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let ahead = issued_at(&app, now + Duration::from_secs(7200));
        assert!(issued_at(&app, now) < ahead);
    }

    #[test]
    fn a_refused_user_sig_is_signed_anew() {
        let app = app();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let first = issued_at(&app, now);
        assert!(app.forget_user_sig());
        assert!(issued_at(&app, now + Duration::from_secs(1)) > first);
    }

    #[test]
    fn debug_shows_no_secret() {
        let app = app();
        let user_sig = app.user_sig(SystemTime::now()).expect("a UserSig");
        let debug = format!("{app:?} {user_sig:?}");
        assert!(!debug.contains("tok3n") && !debug.contains(user_sig.expose()), "{debug}");
    }
}
