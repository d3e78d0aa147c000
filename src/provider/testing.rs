//! Values that the tests of several modules need. Each secret contains `tok3n`.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use super::applications::Account;
use crate::tencent::{Credentials, Region, SdkAppId, UserSig};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Number};

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(super) fn text(text: &str) -> Attr<String> {
    text.to_owned().into()
}

pub(super) fn number(number: u64) -> Attr<Number> {
    Number::from(number).into()
}

pub(super) fn secret(text: &str) -> Attr<SecretString> {
    SecretString::from(text).into()
}

pub(super) fn id(number: u64) -> SdkAppId {
    number.try_into().expect("an SDKAppID")
}

/// Signs a UserSig for the administrator of an application.
pub(super) fn user_sig(of: u64, now: SystemTime, lifetime: Duration) -> UserSig {
    UserSig::sign(&"tok3n".into(), "administrator", id(of), now, lifetime)
}

/// Returns the account that calls with the SecretKey `key`.
pub(super) fn account(key: &str) -> Account {
    Account {
        identifier: "administrator".into(),
        credentials: Credentials::SecretKey(key.into()),
        origin: "TENCENT_SECRET_KEY".into(),
        endpoint: Region::Seoul.into(),
    }
}

/// Returns the only diagnostic.
#[track_caller]
pub(super) fn only(diagnostics: Diagnostics) -> Diagnostic {
    assert_eq!(diagnostics.iter().len(), 1, "{diagnostics:?}");
    diagnostics.into_iter().next().expect("a diagnostic")
}

/// Returns the blamed argument of the only diagnostic, if there is a diagnostic.
#[track_caller]
pub(super) fn blamed(diagnostics: Diagnostics) -> Option<String> {
    let has_any = diagnostics.iter().len() > 0;
    has_any.then(|| only(diagnostics).path.expect("a path").to_string())
}
