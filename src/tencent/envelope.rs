//! The JSON object that every answer of the API is.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::api_version::ApiVersion;
use super::error::{ApiError, ErrorCode};
use super::foreign::ForeignText;

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

/// The names of the object's fields.
struct Fields {
    /// The field that is "OK" in a success, if there is one.
    status: Option<&'static str>,
    code: &'static str,
    info: &'static str,
    request_id: &'static str,
    response: &'static str,
}

impl Fields {
    const fn of(version: ApiVersion) -> Self {
        match version {
            ApiVersion::V1 => Self {
                status: None,
                code: "errorCode",
                info: "errorMessage",
                request_id: "requestId",
                response: "data",
            },
            ApiVersion::V4 => Self {
                status: Some("ActionStatus"),
                code: "ErrorCode",
                info: "ErrorInfo",
                request_id: "RequestId",
                response: "Response",
            },
        }
    }
}

/// Reads a whole number. A gateway on the way may write a number as a string, or a string as a number. Tencent's own
/// documentation of version 1 mixes up the two.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64(),
    }
}

/// Returns whether a value is empty, or holds nothing but empty fields.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// The size of an answer above which it is not read. Real answers have less than 4 KiB.
pub(super) const MAX_ANSWER: usize = 1024 * 1024;

/// Reads the answer of a version of the API to a request that carried `secrets`.
pub(super) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    version: ApiVersion,
    secrets: &[&str],
) -> Result<Answer<T>, Refusal> {
    const NOT_DOCUMENTED: Refusal = Refusal::Unusable("it is not JSON of the documented form");
    if bytes.len() > MAX_ANSWER {
        return Err(Refusal::Unusable("it is longer than 1 MiB"));
    }
    let json = String::from_utf8_lossy(bytes);
    let mut object: Map<_, _> =
        serde_json::from_str(json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&json)).map_err(|_| NOT_DOCUMENTED)?;
    let fields = Fields::of(version);
    let mut take = |field| object.remove(field).unwrap_or_default();
    let number = whole_number(&take(fields.code)).ok_or(NOT_DOCUMENTED)?;
    let succeeds = match fields.status.map(&mut take) {
        Some(Value::String(status)) => status.eq_ignore_ascii_case("OK"),
        Some(_) => return Err(NOT_DOCUMENTED),
        None => true,
    };
    // The answer may echo back a secret, or a URL with another one in it.
    let masked = |value| ForeignText::from(text(value)).masking(secrets).masking_urls();
    let request_id = masked(take(fields.request_id));
    if number != 0 {
        let info = masked(take(fields.info));
        return Err(Refusal::Api(ApiError { code: ErrorCode { version, number }, info, request_id }));
    }
    if !succeeds {
        return Err(Refusal::Unusable("it reports a failure without an error code"));
    }
    let response = Some(take(fields.response)).filter(|response| match version {
        ApiVersion::V1 => !is_empty(response),
        ApiVersion::V4 => !response.is_null(),
    });
    // An object that lost a character on the way is not the one that Tencent stores.
    let is_mended = |object: &Value| object.to_string().contains(char::REPLACEMENT_CHARACTER);
    if matches!(json, Cow::Owned(_)) && response.as_ref().is_some_and(is_mended) {
        return Err(Refusal::Unusable("its object is not UTF-8"));
    }
    let response = response.map(serde_json::from_value).transpose().map_err(|_| NOT_DOCUMENTED)?;
    Ok(Answer { request_id: request_id.to_string(), response })
}

const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::super::callback::CallbackConfiguration;
    use super::*;

    #[test]
    fn an_answer_is_a_success_an_error_code_or_unusable() {
        let ok = br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-1","Response":{"Url":"u","CallbackCommandList":null}}"#;
        let answer = read::<CallbackConfiguration>(ok, ApiVersion::V4, &[]).expect("an answer");
        assert_eq!(answer.request_id, "Id-1");
        assert_eq!(answer.response.expect("a configuration").url.expose(), "u");

        let fail = br#"{"ActionStatus":"FAIL","ErrorInfo":"no","ErrorCode":70009,"RequestId":"Id-2"}"#;
        let Refusal::Api(error) = read::<IgnoredAny>(fail, ApiVersion::V4, &[]).expect_err("an error") else {
            panic!("another kind of error")
        };
        assert_eq!(error.to_string(), "error 70009: the UserSig's signature is wrong");

        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"<html>",
            br#"{"ActionStatus":"OK","ErrorCode":"0x0"}"#,
            br#"{"ActionStatus":"OK","ErrorCode":0.5}"#,
            br#"{"ErrorCode":0}"#,
            br#"{"ActionStatus":"FAIL","ErrorCode":0}"#,
            br#"{"ActionStatus":"OK","ErrorCode":0,"Response":[]}"#,
        ] {
            let error = read::<CallbackConfiguration>(bytes, ApiVersion::V4, &[]).expect_err("an error");
            assert!(matches!(error, Refusal::Unusable(_)), "{error:?}");
        }
    }

    #[test]
    fn version_1_has_names_of_its_own_and_may_mix_up_its_types() {
        let read = |answer: &str| read::<CallbackConfiguration>(answer.as_bytes(), ApiVersion::V1, &[]);
        for start in [
            r#"{"errorCode":0,"errorMessage":"Success","requestId":"Id-1","#,
            r#"{"errorCode":"0","errorMessage":null,"requestId":"Id-1","#,
        ] {
            let answer = read(&format!(r#"{start}"data":{{"actions":["a"],"address":"u"}}}}"#)).expect("an answer");
            let found = answer.response.expect("a configuration");
            assert_eq!((answer.request_id.as_str(), found.url.expose()), ("Id-1", "u"));
            assert_eq!(found.callback_commands, ["a".to_owned()].into());
            for nothing in ["", r#""data":"","#, r#""data":null,"#, r#""data":{},"#, r#""data":[],"#] {
                let answer = read(&format!(r#"{start}{nothing}"more":1}}"#)).expect("an answer");
                assert!(answer.response.is_none(), "{nothing}");
            }
            let zeros = r#""data":{"actions":[],"address":""}}"#;
            assert!(read(&format!("{start}{zeros}")).expect("an answer").response.is_none());
        }
        let refused = read(r#"{"errorCode":70003,"errorMessage":"expired","requestId":7}"#);
        let Err(Refusal::Api(api)) = refused else { panic!("{refused:?}") };
        assert_eq!(api.to_string(), "error 70003: the UserSig has expired");
        assert_eq!((api.info.to_string().as_str(), api.request_id.to_string().as_str()), ("expired", "7"));
        for of_version_4 in [r#"{"ActionStatus":"OK","ErrorCode":0}"#, "{}", r#"{"errorCode":"none"}"#] {
            assert!(matches!(read(of_version_4), Err(Refusal::Unusable(_))), "{of_version_4}");
        }
    }

    #[test]
    fn secrets_that_an_answer_echoes_are_masked() {
        let fail = br#"{"ActionStatus":"FAIL","ErrorCode":70003,"RequestId":"eJx-tok3n",
            "ErrorInfo":"bad usersig eJx-tok3n for https://me:tok3n@example.com/x?key=tok3n: refused"}"#;
        let Refusal::Api(api) = read::<IgnoredAny>(fail, ApiVersion::V4, &["eJx-tok3n", ""]).expect_err("an error")
        else {
            panic!("another kind of error")
        };
        assert_eq!(api.info.to_string(), "bad usersig *** for https://***@example.com/*** refused");
        assert_eq!(api.request_id.to_string(), "***");
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0,"RequestId":"eJx-tok3n"}"#;
        assert_eq!(read::<IgnoredAny>(ok, ApiVersion::V4, &["eJx-tok3n", ""]).expect("an answer").request_id, "***");
    }

    #[test]
    fn an_answer_cannot_reach_the_terminal_unescaped() {
        let info = format!("\u{1b}[2J\nError: \u{202e}{}", "x".repeat(20_000));
        let fail =
            serde_json::json!({"ActionStatus": "FAIL", "ErrorCode": 7, "RequestId": "\u{1b}[2J", "ErrorInfo": info});
        let Refusal::Api(api) =
            read::<IgnoredAny>(fail.to_string().as_bytes(), ApiVersion::V4, &[]).expect_err("an error")
        else {
            panic!("another kind of error")
        };
        let info = api.info.to_string();
        assert!(info.starts_with(r"\x1b[2J\nError: \u202exxx") && info.ends_with("x…"), "{info}");
        assert_eq!(api.request_id.to_string(), r"\x1b[2J");
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0,"RequestId":"a\nb"}"#;
        assert_eq!(read::<IgnoredAny>(ok, ApiVersion::V4, &[]).expect("an answer").request_id, r"a\nb");
    }

    #[test]
    fn an_answer_that_a_gateway_has_rewritten_is_read_if_it_is_unmistakable() {
        let configuration = r#""Response":{"Url":"u"}}"#;
        for (start, request_id) in [
            ("\u{feff}{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"RequestId\":\"Id-1\",", "Id-1"),
            (r#"{"ActionStatus":"Ok","ErrorCode":"0","RequestId":12345678901234567890123,"#, "12345678901234567890123"),
            (r#"{"ActionStatus":"ok","ErrorCode":0,"RequestId":null,"ErrorInfo":7,"#, ""),
        ] {
            let answer =
                read::<CallbackConfiguration>((start.to_owned() + configuration).as_bytes(), ApiVersion::V4, &[]);
            let answer = answer.expect(start);
            assert_eq!(answer.request_id, request_id);
            assert_eq!(answer.response.expect("a configuration").url.expose(), "u");
        }
        let refused = read::<IgnoredAny>(
            b"{\"ActionStatus\":\"Fail\",\"ErrorCode\":\"70009\",\"ErrorInfo\":\"caf\xe9\"}",
            ApiVersion::V4,
            &[],
        );
        let Err(Refusal::Api(api)) = refused else { panic!("{refused:?}") };
        assert_eq!(
            (api.code, api.info.to_string()),
            (ErrorCode { version: ApiVersion::V4, number: 70009 }, "caf\u{fffd}".to_owned())
        );
        let mistakable = b"{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"Response\":{\"Url\":\"caf\xe9\"}}";
        let refused = read::<CallbackConfiguration>(mistakable, ApiVersion::V4, &[]);
        assert!(matches!(refused, Err(Refusal::Unusable("its object is not UTF-8"))), "{refused:?}");
    }
}
