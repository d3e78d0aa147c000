//! Functions: what a configuration can ask without calling Tencent.

use std::time::{Duration, SystemTime};

use super::checks;
use crate::model;
use crate::tencent;
use crate::terraform::{Attr, Function, FunctionError, Number, Parameter, Signature, Type};

/// `provider::tencent::user_sig_claims`: what a UserSig says of itself.
#[derive(Debug)]
pub(super) struct UserSigClaims;

model! {
    /// The arguments of `user_sig_claims`.
    pub(super) struct OfUserSig {
        user_sig: String,
    }
}

model! {
    /// The result of `user_sig_claims`.
    #[derive(Debug)]
    pub(super) struct Claims {
        identifier: Attr<String>,
        sdk_app_id: Attr<Number>,
        issued_at: Attr<String>,
        expires_at: Attr<String>,
    }
}

impl Function for UserSigClaims {
    type Arguments = OfUserSig;
    type Output = Claims;

    fn name(&self) -> &'static str {
        "user_sig_claims"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "What a UserSig claims",
            description: "Reads a UserSig of version 2.0: the account (`identifier`) and the application (`sdk_app_id`) \
                          that it was made for, and from when to when it is valid (`issued_at`, `expires_at`, RFC 3339). \
                          Use it in checks, and to find out why Tencent refuses a UserSig.\n\nAnybody can write such \
                          claims. Only Tencent, who has the key, can tell whether the signature is genuine. Keep the UserSig itself in a \
                          `sensitive` variable: in an error, Terraform quotes what is not.",
            parameters: vec![Parameter { name: "user_sig", ty: Type::String, description: "The UserSig.".into() }],
        }
    }

    fn call(&self, OfUserSig { user_sig }: OfUserSig) -> Result<Claims, FunctionError> {
        let is_padded = user_sig.trim() != user_sig;
        let claims = tencent::UserSig::from(user_sig).claims().map_err(|error| {
            let advice = if is_padded { "; it begins or ends with white space, which trimspace() removes" } else { "" };
            FunctionError::new(format!("{error}{advice}")).on("user_sig")
        })?;
        let issued_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(claims.issued_at));
        Ok(Claims {
            identifier: claims.identifier.clone().into(),
            sdk_app_id: Number::from(claims.sdk_app_id).into(),
            issued_at: checks::rfc3339(issued_at),
            expires_at: checks::rfc3339(claims.expiry()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tencent::UserSig;

    fn claims(user_sig: &str) -> Result<Claims, FunctionError> {
        UserSigClaims.call(OfUserSig { user_sig: user_sig.to_owned() })
    }

    fn signed(issued_at: u64, lifetime: u64) -> UserSig {
        let id = "1400000001".parse().expect("an SDKAppID");
        let issued_at = SystemTime::UNIX_EPOCH + Duration::from_secs(issued_at);
        UserSig::sign(&"tok3n".to_owned().into(), "administrator", id, issued_at, Duration::from_secs(lifetime))
    }

    #[test]
    fn a_user_sig_says_for_whom_and_when() {
        let claims = claims(signed(1_700_000_000, 3600).expose()).expect("claims");
        assert_eq!(claims.identifier, Attr::Known("administrator".into()));
        assert_eq!(claims.sdk_app_id, Attr::Known(1_400_000_001_u64.into()));
        assert_eq!(claims.issued_at, Attr::Known("2023-11-14T22:13:20Z".into()));
        assert_eq!(claims.expires_at, Attr::Known("2023-11-14T23:13:20Z".into()));
    }

    #[test]
    fn a_time_that_no_calendar_has_is_null() {
        for lifetime in [253_402_300_800, u64::MAX / 2, u64::MAX] {
            let claims = claims(signed(1_700_000_000, lifetime).expose()).expect("claims");
            assert!(!claims.issued_at.is_null() && claims.expires_at.is_null(), "{lifetime}: {claims:?}");
        }
    }

    #[test]
    fn what_is_no_user_sig_is_not_quoted() {
        let whole = signed(1_700_000_000, 3600);
        let half = &whole.expose()[..whole.expose().len() / 2];
        for (text, advice) in [("tok3n", false), (half, false), (&format!("{}\n", whole.expose()), true)] {
            let error = claims(text).expect_err(text);
            assert_eq!(error, error.clone().on("user_sig"), "blames the argument");
            let said = format!("{error:?}");
            assert!(!said.contains("tok3n") && !said.contains(half), "{said}");
            assert_eq!(said.contains("trimspace() removes"), advice, "{said}");
        }
    }
}
