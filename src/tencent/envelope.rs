//! The JSON object that every answer of the API is.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, ErrorCode};
use super::foreign::ForeignText;
use super::user_sig::UserSig;

/// An answer that reports success.
#[derive(Debug)]
pub(super) struct Answer<T> {
    /// `RequestId`, as it may be shown.
    pub(super) request_id: String,
    pub(super) response: Option<T>,
}

/// An answer that does not report success.
#[derive(Debug)]
pub(super) enum Refusal {
    Api(ApiError),
    /// An answer that cannot be Tencent's, and the reason.
    Unusable(&'static str),
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "ActionStatus")]
    action_status: String,
    #[serde(rename = "ErrorCode")]
    error_code: i64,
    #[serde(rename = "ErrorInfo", default)]
    error_info: Option<String>,
    #[serde(rename = "RequestId", default)]
    request_id: Option<String>,
    #[serde(rename = "Response", default = "Option::default")]
    response: Option<T>,
}

/// Reads the answer to a request that carried `user_sig`.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], user_sig: &UserSig) -> Result<Answer<T>, Refusal> {
    let envelope: Envelope<T> =
        serde_json::from_slice(bytes).map_err(|_| Refusal::Unusable("it is not JSON of the documented form"))?;
    // The answer may echo back the UserSig, or a URL with a secret in it.
    let masked =
        |text: Option<String>| ForeignText::from(text.unwrap_or_default()).masking(user_sig.expose()).masking_urls();
    let request_id = masked(envelope.request_id);
    match (envelope.action_status.as_str(), envelope.error_code) {
        ("OK", 0) => Ok(Answer { request_id: request_id.to_string(), response: envelope.response }),
        (_, 0) => Err(Refusal::Unusable("it reports a failure without an error code")),
        (_, code) => {
            let info = masked(envelope.error_info);
            Err(Refusal::Api(ApiError { code: ErrorCode(code), info, request_id }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::super::callback::CallbackConfiguration;
    use super::*;

    #[test]
    fn an_answer_is_a_success_an_error_code_or_unusable() {
        let ok = br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-1","Response":{"Url":"u","CallbackCommandList":null}}"#;
        let user_sig = UserSig::from("eJx".to_owned());
        let answer = read::<CallbackConfiguration>(ok, &user_sig).expect("an answer");
        assert_eq!(answer.request_id, "Id-1");
        assert_eq!(answer.response.expect("a configuration").url.expose(), "u");

        let fail = br#"{"ActionStatus":"FAIL","ErrorInfo":"no","ErrorCode":70009,"RequestId":"Id-2"}"#;
        let Refusal::Api(error) = read::<IgnoredAny>(fail, &user_sig).expect_err("an error") else {
            panic!("another kind of error")
        };
        assert_eq!(error.to_string(), "error 70009: the UserSig's signature is wrong");

        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"<html>",
            br#"{"ActionStatus":"OK","ErrorCode":"0"}"#,
            br#"{"ActionStatus":"FAIL","ErrorCode":0}"#,
            br#"{"ActionStatus":"OK","ErrorCode":0,"Response":[]}"#,
        ] {
            let error = read::<CallbackConfiguration>(bytes, &user_sig).expect_err("an error");
            assert!(matches!(error, Refusal::Unusable(_)), "{error:?}");
        }
    }

    #[test]
    fn secrets_that_an_answer_echoes_are_masked() {
        let user_sig = UserSig::from("eJx-tok3n".to_owned());
        let fail = br#"{"ActionStatus":"FAIL","ErrorCode":70003,"RequestId":"eJx-tok3n",
            "ErrorInfo":"bad usersig eJx-tok3n for https://me:tok3n@example.com/x?key=tok3n: refused"}"#;
        let Refusal::Api(api) = read::<IgnoredAny>(fail, &user_sig).expect_err("an error") else {
            panic!("another kind of error")
        };
        assert_eq!(api.info.to_string(), "bad usersig *** for https://***@example.com/*** refused");
        assert_eq!(api.request_id.to_string(), "***");
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0,"RequestId":"eJx-tok3n"}"#;
        assert_eq!(read::<IgnoredAny>(ok, &user_sig).expect("an answer").request_id, "***");
    }

    #[test]
    fn an_answer_cannot_reach_the_terminal_unescaped() {
        let user_sig = UserSig::from("eJx".to_owned());
        let info = format!("\u{1b}[2J\nError: \u{202e}{}", "x".repeat(20_000));
        let fail =
            serde_json::json!({"ActionStatus": "FAIL", "ErrorCode": 7, "RequestId": "\u{1b}[2J", "ErrorInfo": info});
        let Refusal::Api(api) = read::<IgnoredAny>(fail.to_string().as_bytes(), &user_sig).expect_err("an error")
        else {
            panic!("another kind of error")
        };
        let info = api.info.to_string();
        assert!(info.starts_with(r"\x1b[2J\nError: \u202exxx") && info.ends_with("x…"), "{info}");
        assert_eq!(api.request_id.to_string(), r"\x1b[2J");
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0,"RequestId":"a\nb"}"#;
        assert_eq!(read::<IgnoredAny>(ok, &user_sig).expect("an answer").request_id, r"a\nb");
    }
}
