//! Functions that read and compute signatures, without calling Tencent.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use super::user_sig::rfc3339;
use crate::model;
use crate::tencent::{self, CallbackToken, InvalidCallbackToken};
use crate::terraform::{Attr, Function, FunctionError, Number, Parameter, Signature, Type};

/// The function `provider::tencent::user_sig_claims`, which reads a UserSig.
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
            summary: "Reads the claims of a UserSig",
            description: "Reads a UserSig of version 2.0: the account (`identifier`) and the application \
                          (`sdk_app_id`) that it was made for, and when it was issued and expires (`issued_at`, \
                          `expires_at`, RFC 3339). Use it in checks, and to find out why Tencent refuses a \
                          UserSig.\n\n~> **Not verified:** Anyone can forge these claims. Only Tencent, which has the \
                          key, can verify the signature. Keep the UserSig itself in a `sensitive` variable: Terraform \
                          quotes any other value in error messages.",
            parameters: vec![Parameter { name: "user_sig", ty: Type::String, description: "The UserSig.".into() }],
        }
    }

    fn call(&self, OfUserSig { user_sig }: OfUserSig) -> Result<Claims, FunctionError> {
        let is_padded = user_sig.trim() != user_sig;
        let claims = tencent::UserSig::from(user_sig).claims().map_err(|error| {
            let advice = if is_padded {
                "it begins or ends with white space, which trimspace() removes"
            } else {
                "check that it was copied whole"
            };
            FunctionError::new(format!("{error}; {advice}")).on("user_sig")
        })?;
        let issued_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(claims.issued_at));
        Ok(Claims {
            identifier: claims.identifier.clone().into(),
            sdk_app_id: Number::from(claims.sdk_app_id).into(),
            issued_at: rfc3339(issued_at),
            expires_at: rfc3339(claims.expiry()),
        })
    }
}

/// The function `provider::tencent::callback_signature`, which signs an event as Live does.
#[derive(Debug)]
pub(super) struct CallbackSignature;

model! {
    /// The arguments of `callback_signature`.
    pub(super) struct OfEvent {
        token: SecretString,
        request_time: String,
    }
}

impl Function for CallbackSignature {
    type Arguments = OfEvent;
    type Output = String;

    fn name(&self) -> &'static str {
        "callback_signature"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Computes the signature of a Live event",
            description: "Computes the query parameter `Sign` that Tencent adds to the callback URL of live streams if \
                          the application has an enabled `tencent_live_callback_token`: the SHA-256 of the token \
                          followed by the query parameter `RequestTime`, in lower-case hexadecimal digits. Use it in a \
                          receiver's tests, and to find out why it refuses an event. Tencent's own example: the token \
                          `xxxxyyyy` and the time `1669872112` have the signature \
                          `17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061`.\n\nA receiver computes \
                          the same for each event, compares it with `Sign` in constant time, and refuses the event if \
                          the two differ, if one of the parameters is missing, or if `RequestTime` is off by more than \
                          a minute. The signature covers neither the body nor the rest of the URL: https protects \
                          those. Only Live signs its events; Call and Room do not.\n\n~> **Replays:** Anyone who has \
                          seen a signature can send other events with it for a minute. Keep the token in a `sensitive` \
                          variable, so that the signature is sensitive as well.",
            parameters: vec![
                Parameter { name: "token", ty: Type::String, description: "The token.".into() },
                Parameter {
                    name: "request_time",
                    ty: Type::String,
                    description: "The value of `RequestTime`: the Unix time in seconds, digits only.".into(),
                },
            ],
        }
    }

    fn call(&self, OfEvent { token, request_time }: OfEvent) -> Result<String, FunctionError> {
        CallbackToken::check(&token).map_err(|error| {
            let advice = if error == InvalidCallbackToken::WhiteSpace { "; trimspace() removes it" } else { "" };
            FunctionError::new(format!("{error}{advice}")).on("token")
        })?;
        if unix_time(&request_time).is_none_or(|seconds| seconds > LAST_SECOND) {
            let reason = format!(
                "it is not a Unix time in seconds, a whole number from 0 to {LAST_SECOND}, such as 1669872112{}",
                correction(&request_time)
            );
            return Err(FunctionError::new(reason).on("request_time"));
        }
        Ok(CallbackToken::sign(&token, &request_time))
    }
}

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

fn unix_time(text: &str) -> Option<u64> {
    // The parser would accept a sign.
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Tells how to correct a request time. It quotes no text, which may be the token in the wrong place.
fn correction(request_time: &str) -> String {
    if let Ok(time) = humantime::parse_rfc3339(request_time) {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs());
        return seconds.map(|seconds| format!("; in seconds, this time is {seconds}")).unwrap_or_default();
    }
    if let Some((whole, fraction)) = request_time.split_once('.')
        && unix_time(whole).is_some_and(|seconds| seconds <= LAST_SECOND)
        && unix_time(fraction).is_some()
    {
        return "; floor() removes the fraction".to_owned();
    }
    let units = [("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000)];
    let unit = units.into_iter().find(|(_, per_second)| {
        unix_time(request_time).is_some_and(|time| time > LAST_SECOND && time / per_second <= LAST_SECOND)
    });
    unit.map(|(unit, per_second)| format!("; divide {unit} by {per_second}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::{number, text, user_sig};
    use crate::tencent::UserSig;

    fn claims(user_sig: &str) -> Result<Claims, FunctionError> {
        UserSigClaims.call(OfUserSig { user_sig: user_sig.to_owned() })
    }

    fn signed(issued_at: u64, lifetime: u64) -> UserSig {
        let issued_at = SystemTime::UNIX_EPOCH + Duration::from_secs(issued_at);
        user_sig(1_400_000_001, issued_at, Duration::from_secs(lifetime))
    }

    #[test]
    fn claims_tell_the_account_the_application_and_the_times() {
        let claims = claims(signed(1_700_000_000, 3600).expose()).expect("claims");
        assert_eq!((claims.identifier, claims.sdk_app_id), (text("administrator"), number(1_400_000_001)));
        assert_eq!(claims.issued_at, text("2023-11-14T22:13:20Z"));
        assert_eq!(claims.expires_at, text("2023-11-14T23:13:20Z"));
    }

    #[test]
    fn signatures_match_tencents_example() {
        let sign = |token: &str, request_time: &str| {
            CallbackSignature.call(OfEvent { token: token.to_owned().into(), request_time: request_time.to_owned() })
        };
        let expected = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061";
        assert_eq!(sign("xxxxyyyy", "1669872112").as_deref(), Ok(expected));
        for (token, request_time, blamed) in [
            ("", "1669872112", "token"),
            ("tok3n\n", "1669872112", "token"),
            ("tok3n", "", "request_time"),
            ("tok3n", "1.6e9", "request_time"),
            ("tok3n", "-1", "request_time"),
            ("tok3n", "2022-12-01T05:21:52Z", "request_time"),
        ] {
            let error = sign(token, request_time).expect_err(blamed);
            assert_eq!(error, error.clone().on(blamed));
            assert!(!format!("{error:?}").contains("tok3n"), "{error:?}");
        }
    }

    #[test]
    fn a_request_time_that_is_not_in_seconds_is_answered_with_the_correction() {
        let whole = "it is not a Unix time in seconds, a whole number from 0 to 253402300799, such as 1669872112";
        for (request_time, correction) in [
            ("1669872112000", "; divide milliseconds by 1000"),
            ("1669872112000000", "; divide microseconds by 1000000"),
            ("1669872112000000000", "; divide nanoseconds by 1000000000"),
            ("1669872112.5", "; floor() removes the fraction"),
            ("2022-12-01T05:21:52Z", "; in seconds, this time is 1669872112"),
            ("1000000000000000000000000000000", ""),
            ("-1669872112", ""),
            ("+1669872112", ""),
            ("1.6e9", ""),
            ("", ""),
        ] {
            let event = OfEvent { token: "tok3n".to_owned().into(), request_time: request_time.to_owned() };
            let error = CallbackSignature.call(event).expect_err(request_time);
            assert_eq!(error, FunctionError::new(format!("{whole}{correction}")).on("request_time"));
        }
        for request_time in ["0", "253402300799"] {
            let event = OfEvent { token: "tok3n".to_owned().into(), request_time: request_time.to_owned() };
            assert!(CallbackSignature.call(event).is_ok(), "{request_time}");
        }
    }

    #[test]
    fn an_expiry_beyond_the_year_9999_is_null() {
        for lifetime in [253_402_300_800, u64::MAX / 2, u64::MAX] {
            let claims = claims(signed(1_700_000_000, lifetime).expose()).expect("claims");
            assert!(!claims.issued_at.is_null() && claims.expires_at.is_null(), "{lifetime}: {claims:?}");
        }
    }

    #[test]
    fn an_unreadable_user_sig_is_never_quoted() {
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
