//! Probes: made-up events, posted from this machine as Tencent posts real ones.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::api_version::ApiVersion;
use super::callback_token::CallbackToken;
use super::callback_url::{CallbackUrl, is_unreachable_address};
use super::error::NetworkError;
use super::foreign::ForeignText;
use super::network;
use super::sdk_app_id::SdkAppId;
use super::transport::http_client;

/// An event that did not happen, and the receiver to post it to.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The version of the API that configures such events. Each has its own names for the parts of an event.
    pub version: ApiVersion,
    /// The application of the event.
    pub sdk_app_id: SdkAppId,
    /// The callback command of the event.
    pub callback_command: String,
    /// The other fields of the event's JSON object.
    pub event: Map<String, Value>,
    /// The token with which Tencent signs the application's events, if it does.
    pub token: Option<SecretString>,
    /// The URL of the receiver.
    pub url: CallbackUrl,
    /// Whether the event may go where Tencent cannot reach: to this machine, or into a private network.
    pub allow_private: bool,
}

/// An answer that Tencent accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The time until the answer was complete.
    pub took: Duration,
    /// `ErrorCode`. Tencent ignores it, except where it asks before something happens, such as before a gift is sent.
    pub code: i64,
}

/// The reason why an event would not get through, or was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// A host name without an address.
    #[error("the host name {0} was not found")]
    NoAddress(String),
    /// An address that Tencent cannot reach. Nothing was sent.
    #[error("its address {0} belongs to this machine or to a private network")]
    Private(IpAddr),
    /// A TLS failure. The event was not sent.
    #[error("{0}")]
    Tls(String),
    /// No connection, or one that was lost.
    #[error("{0}")]
    NoAnswer(String),
    /// An answer that is too late for Tencent.
    #[error("{}", match .0 {
        Some(took) => format!("the answer took {}", seconds(*took)),
        None => format!("no answer arrived within {}", seconds(PATIENCE)),
    })]
    Late(Option<Duration>),
    /// An HTTP status other than 200.
    #[error("the answer has the HTTP status {0}")]
    Status(StatusCode),
    /// An answer in another form than Tencent documents.
    #[error("the server's answer {0}")]
    Shape(&'static str),
    /// An answer in the documented form that reports a failure.
    #[error("the receiver answered with {}", match version {
        ApiVersion::V1 => format!("ErrorCode {code} and ErrorMessage \"{info}\""),
        ApiVersion::V4 => format!("ActionStatus \"FAIL\", ErrorCode {code} and ErrorInfo \"{info}\""),
    })]
    Refused {
        /// The version of the API.
        version: ApiVersion,
        /// `ErrorCode`
        code: i64,
        /// `ErrorInfo`, or `ErrorMessage` in version 1
        info: ForeignText,
    },
}

/// The time that Tencent waits for an answer. Version 1 does not document one.
pub const TENCENT_WAITS: Duration = Duration::from_secs(2);
/// The time that a probe waits for an answer, so that it can tell how late the answer is.
const PATIENCE: Duration = Duration::from_secs(10);
/// The size of an answer above which it is not read. Real answers have about 60 bytes.
const MAX_ANSWER: usize = 64 * 1024;

impl Probe {
    /// Posts the event once, directly to the receiver, and reads the answer. It follows no redirect and sends no
    /// credentials, not even the URL's own user information.
    ///
    /// # Errors
    ///
    /// If Tencent's event would not get through, or must not be sent there.
    pub async fn send(&self) -> Result<Answered, ProbeError> {
        let no_url = || ProbeError::NoAnswer("there is no such URL".to_owned());
        let mut url = Url::parse(self.url.expose()).map_err(|_| no_url())?;
        // This fails only for a URL without a host, which has no user information.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let [app, command, ip, platform] = match self.version {
            ApiVersion::V1 => ["sdkappid", "command", "clientip", "optplatform"],
            ApiVersion::V4 => ["SdkAppid", "CallbackCommand", "ClientIP", "OptPlatform"],
        };
        url.query_pairs_mut()
            .append_pair(app, &self.sdk_app_id.to_string())
            .append_pair(command, &self.callback_command)
            .append_pair("contenttype", "json")
            .append_pair(ip, "127.0.0.1")
            .append_pair(platform, "Unknown");
        if let Some(token) = &self.token {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let request_time = now.as_secs().to_string();
            url.query_pairs_mut()
                .append_pair("Sign", &CallbackToken::sign(token, &request_time))
                .append_pair("RequestTime", &request_time);
        }

        let host = url.host_str().unwrap_or_default().to_owned();
        let addresses = self.addresses(&url).await?;
        let no_client = |error: NetworkError| ProbeError::NoAnswer(error.what);
        // A proxy would resolve the name itself, perhaps to an address that was not checked.
        let http = http_client(" (callback probe)", PATIENCE)
            .map_err(no_client)?
            .resolve_to_addrs(&host, &addresses)
            .build()
            .map_err(|_| no_client(network::no_client()))?;

        let start = Instant::now();
        let failed = |error: reqwest::Error| match network::why_no_tls(&error, &host) {
            Some(why) => ProbeError::Tls(why),
            None if error.is_timeout() && !error.is_connect() => ProbeError::Late(None),
            None => ProbeError::NoAnswer(network::why_no_answer(&error)),
        };
        let mut body = self.event.clone();
        if self.version == ApiVersion::V4 {
            body.insert(command.to_owned(), self.callback_command.as_str().into());
        }
        let body = Value::Object(body).to_string();
        let request = http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(ProbeError::Status(response.status()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > MAX_ANSWER {
                return Err(ProbeError::Shape("is longer than 64 KiB"));
            }
            answer.extend_from_slice(&chunk);
        }
        let took = start.elapsed();
        let code = check(&answer, self.version).map_err(|error| self.masked(error))?;
        if took > TENCENT_WAITS && self.version == ApiVersion::V4 {
            Err(ProbeError::Late(Some(took)))
        } else {
            Ok(Answered { took, code })
        }
    }

    /// Returns the answer that Tencent's documentation asks for.
    pub fn expected_answer(version: ApiVersion) -> &'static str {
        match version {
            ApiVersion::V1 => r#"{"ErrorCode":0,"ErrorMessage":"Success"}"#,
            ApiVersion::V4 => r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#,
        }
    }

    /// Masks the parts of the URL and the token that the receiver may echo back.
    fn masked(&self, error: ProbeError) -> ProbeError {
        let ProbeError::Refused { version, code, info } = error else { return error };
        let url = Url::parse(self.url.expose()).ok();
        let values = url.iter().flat_map(|url| url.query_pairs().map(|(_, value)| value.into_owned()));
        let token = self.token.iter().map(|token| token.expose_secret().to_owned());
        let secrets: Vec<_> = values.chain(token).collect();
        let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
        ProbeError::Refused { version, code, info: info.masking(&secrets).masking_urls() }
    }

    /// Resolves the receiver's addresses, and checks that all of them may be called. They are resolved only once, so
    /// that no other address is called than the checked ones.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, ProbeError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let addresses: Vec<_> = match url.host() {
            Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, 0))],
            Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, 0))],
            _ => match timeout(PATIENCE, lookup_host((host.as_str(), 0))).await {
                Ok(Ok(addresses)) => addresses.collect(),
                Ok(Err(_)) | Err(_) => Vec::new(),
            },
        };
        match addresses.iter().map(SocketAddr::ip).find(|address| is_unreachable_address(*address)) {
            _ if addresses.is_empty() => Err(ProbeError::NoAddress(host)),
            Some(address) if !self.allow_private => Err(ProbeError::Private(address)),
            _ => Ok(addresses),
        }
    }
}

/// Checks the form of an answer and what it reports, and returns its `ErrorCode`.
fn check(answer: &[u8], version: ApiVersion) -> Result<i64, ProbeError> {
    let (info, lacks) = match version {
        ApiVersion::V1 => ("ErrorMessage", "lacks ErrorCode or ErrorMessage"),
        ApiVersion::V4 => ("ErrorInfo", "lacks ActionStatus, ErrorCode or ErrorInfo"),
    };
    let answer: Value = serde_json::from_slice(answer).map_err(|_| ProbeError::Shape("is not JSON"))?;
    let field = |name| answer.get(name).ok_or(ProbeError::Shape(lacks));
    let status = if version == ApiVersion::V4 { Some(field("ActionStatus")?) } else { None };
    let (code, info) = (field("ErrorCode")?, field(info)?);
    let code = code.as_i64().ok_or(ProbeError::Shape("has an ErrorCode that is not a whole number"))?;
    let info = info.as_str().ok_or(ProbeError::Shape(match version {
        ApiVersion::V1 => "has an ErrorMessage that is not a string",
        ApiVersion::V4 => "has an ErrorInfo that is not a string",
    }))?;
    let succeeds = match status.map(Value::as_str) {
        None => code == 0,
        Some(Some("OK")) => true,
        Some(Some("FAIL")) => false,
        Some(_) => return Err(ProbeError::Shape("has an ActionStatus other than \"OK\" and \"FAIL\"")),
    };
    if succeeds { Ok(code) } else { Err(ProbeError::Refused { version, code, info: info.into() }) }
}

/// Formats a duration to the millisecond.
fn seconds(duration: Duration) -> impl fmt::Display {
    humantime::format_duration(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(url: String) -> Probe {
        Probe {
            version: ApiVersion::V4,
            sdk_app_id: "1400000001".parse().expect("an SDKAppID"),
            callback_command: "Call.CallbackAfterEndCall".to_owned(),
            event: Map::new(),
            token: None,
            url: url.into(),
            allow_private: false,
        }
    }

    #[test]
    fn an_answer_must_have_the_documented_form() {
        use ProbeError::{Refused, Shape};
        let refused = |info: &str| Refused { version: ApiVersion::V4, code: 7, info: info.into() };
        for (answer, expected) in [
            (r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#, Ok(0)),
            (r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":1,"New":1}"#, Ok(1)),
            (r#"{"ActionStatus":"FAIL","ErrorInfo":"no such user","ErrorCode":7}"#, Err(refused("no such user"))),
            ("", Err(Shape("is not JSON"))),
            ("OK", Err(Shape("is not JSON"))),
            ("[]", Err(Shape("lacks ActionStatus, ErrorCode or ErrorInfo"))),
            ("{}", Err(Shape("lacks ActionStatus, ErrorCode or ErrorInfo"))),
            (r#"{"ActionStatus":"OK","ErrorInfo":""}"#, Err(Shape("lacks ActionStatus, ErrorCode or ErrorInfo"))),
            (
                r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":"0"}"#,
                Err(Shape("has an ErrorCode that is not a whole number")),
            ),
            (
                r#"{"ActionStatus":"OK","ErrorInfo":null,"ErrorCode":0}"#,
                Err(Shape("has an ErrorInfo that is not a string")),
            ),
            (
                r#"{"ActionStatus":"ok","ErrorInfo":"","ErrorCode":0}"#,
                Err(Shape("has an ActionStatus other than \"OK\" and \"FAIL\"")),
            ),
        ] {
            assert_eq!(check(answer.as_bytes(), ApiVersion::V4), expected, "{answer}");
        }
        let refused = Refused { version: ApiVersion::V1, code: 7, info: "no such user".into() };
        for (answer, expected) in [
            (r#"{"ErrorCode":0,"ErrorMessage":"Success"}"#, Ok(0)),
            (r#"{"ErrorCode":7,"ErrorMessage":"no such user"}"#, Err(refused)),
            (r#"{"ErrorCode":0,"ErrorInfo":""}"#, Err(Shape("lacks ErrorCode or ErrorMessage"))),
            (r#"{"ErrorCode":0,"ErrorMessage":0}"#, Err(Shape("has an ErrorMessage that is not a string"))),
        ] {
            assert_eq!(check(answer.as_bytes(), ApiVersion::V1), expected, "{answer}");
        }
    }

    #[test]
    fn secrets_that_a_receiver_echoes_are_masked() {
        let url = "https://hooks.example.com/x?token=tok3n".to_owned();
        let probe = Probe { token: Some("k3y".to_owned().into()), ..probe(url) };
        let info = "bad token=tok3n in https://me:tok3n@hooks.example.com/x?token=tok3n, not signed with k3y".into();
        let masked = probe.masked(ProbeError::Refused { version: ApiVersion::V4, code: 1, info }).to_string();
        assert!(masked.contains("bad token=***") && masked.contains("not signed with ***"), "{masked}");
        assert!(!masked.contains("tok3n"), "{masked}");
    }

    #[tokio::test]
    async fn nothing_is_sent_where_tencent_cannot_reach() {
        for host in
            ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:192.168.0.1]"]
        {
            let probe = probe(format!("http://{host}:1/"));
            let refused = probe.send().await.expect_err(host);
            assert!(matches!(refused, ProbeError::Private(_)), "{host}: {refused}");
            let tried = Probe { allow_private: true, ..probe };
            if host == "127.0.0.1" {
                let refused = tried.send().await.expect_err("nobody listens");
                assert_eq!(refused, ProbeError::NoAnswer("the server refused the connection".to_owned()));
            }
        }
    }
}
