//! The API: requests in, Tencent's envelopes out. It does not know sockets or faults.
//!
//! `POST /v4/{service}/{action}?sdkappid=…&identifier=…&usersig=…&random=…&contenttype=json`. Every answer is HTTP 200
//! with an envelope; `ErrorCode` tells whether the call succeeded.
//!
//! The older API of calls is `POST /v1/callback/{action}`, with other names, another envelope and other error codes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::{App, AppStatus};
use crate::configuration::Configuration;
use crate::rate_limit::RateLimit;
use crate::record::{Incoming, Outcome};
use crate::store::{Age, Store};
use crate::token::Token;
use crate::user_sig::{self, Flaw};

/// A service that has callback configurations of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// `call_config`
    Call,
    /// `room_config` (conference)
    Room,
    /// `live_config`
    Live,
    /// `v1/callback`: calls that an application starts with the deprecated `call()` or `groupCall()`. Set overwrites.
    LegacyCall,
    /// A service that Tencent does not have, by its path segment. It behaves like Room, in a simulator that
    /// [serves](crate::Builder::serve) it.
    Other(&'static str),
}

impl Service {
    /// Every service that Tencent has.
    pub const ALL: [Self; 4] = [Self::Call, Self::Room, Self::Live, Self::LegacyCall];

    /// The segment that names the service in paths and in the state file.
    pub(crate) fn path_segment(self) -> &'static str {
        match self {
            Self::Call => "call_config",
            Self::Room => "room_config",
            Self::Live => "live_config",
            Self::LegacyCall => "callback",
            Self::Other(path_segment) => path_segment,
        }
    }

    pub(crate) fn version(self) -> Version {
        if self == Self::LegacyCall { Version::V1 } else { Version::V4 }
    }

    /// Finds a service by its path segment, among Tencent's and `others`.
    pub(crate) fn find(path_segment: &str, others: &[&'static str]) -> Option<Self> {
        let others = others.iter().copied().map(Self::Other);
        Self::ALL.into_iter().chain(others).find(|service| service.path_segment() == path_segment)
    }
}

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V4,
}

/// One of the API's calls. In version 1, the names lack `_callback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// `set_callback`: creates a configuration. Whether it replaces one that exists depends on the service, and on
    /// [`let_set_overwrite`](crate::Simulator::let_set_overwrite).
    Set,
    /// `update_callback`: replaces a configuration that exists, as a whole. Call lacks it as long as set overwrites.
    Update,
    /// `get_callback`: reads a configuration.
    Get,
    /// `delete_callback`: deletes a configuration.
    Delete,
    /// `set_callback_token`: creates or replaces the token. Only Live has it.
    SetToken,
    /// `get_callback_token`: reads the token.
    GetToken,
    /// `delete_callback_token`: deletes the token.
    DeleteToken,
}

impl Action {
    fn find(version: Version, name: &str) -> Option<Self> {
        if version == Version::V1 {
            let all = [Self::Set, Self::Update, Self::Get, Self::Delete];
            return all.into_iter().find(|action| action.to_string() == name);
        }
        match name {
            "set_callback" => Some(Self::Set),
            "update_callback" => Some(Self::Update),
            "get_callback" => Some(Self::Get),
            "delete_callback" => Some(Self::Delete),
            "set_callback_token" => Some(Self::SetToken),
            "get_callback_token" => Some(Self::GetToken),
            "delete_callback_token" => Some(Self::DeleteToken),
            _ => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Call => "call",
            Self::Room => "room",
            Self::Live => "live",
            Self::LegacyCall => "legacy_call",
            Self::Other(path_segment) => path_segment,
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Set => "set",
            Self::Update => "update",
            Self::Get => "get",
            Self::Delete => "delete",
            Self::SetToken => "set token",
            Self::GetToken => "get token",
            Self::DeleteToken => "delete token",
        })
    }
}

/// An envelope that is ready to be sent.
pub(crate) struct Answer {
    pub(crate) error_code: i64,
    pub(crate) json: Bytes,
}

/// The envelope's fields, in the order in which Tencent sends them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a> {
    action_status: &'a str,
    error_info: &'a str,
    error_code: i64,
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
}

/// The envelope of version 1.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeV1<'a> {
    error_code: i64,
    error_message: &'a str,
    request_id: String,
    data: Value,
}

impl Answer {
    /// Creates an answer that reports success. In version 4, only get adds a `response`.
    pub(crate) fn ok(version: Version, response: Option<Value>) -> Self {
        Self::new(version, 0, "", response)
    }

    pub(crate) fn fail(version: Version, error_code: i64, error_info: &str) -> Self {
        Self::new(version, error_code, error_info, None)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::Answered { error_code: self.error_code }
    }

    fn new(version: Version, error_code: i64, error_info: &str, response: Option<Value>) -> Self {
        let id = format!("{:032x}", rand::random::<u128>());
        let json = match version {
            Version::V1 => {
                let error_message = if error_code == 0 { "Success" } else { error_info };
                let data = response.unwrap_or_else(|| "".into());
                serde_json::to_vec(&EnvelopeV1 { error_code, error_message, request_id: id, data })
            }
            Version::V4 => {
                let action_status = if error_code == 0 { "OK" } else { "FAIL" };
                // Shaped like the RequestIds in Tencent's documentation: "Id-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720".
                let request_id = format!("Id-{id}-O-Seq-{}", rand::random::<u16>());
                serde_json::to_vec(&Envelope { action_status, error_info, error_code, request_id, response })
            }
        };
        Self { error_code, json: json.expect("an envelope is always JSON").into() }
    }
}

/// The failure of a call: its `ErrorCode` and `ErrorInfo`.
pub(crate) struct Failure(i64, String);

pub(crate) fn fail<T>(error_code: i64, error_info: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(error_code, error_info.into()))
}

/// Returns the error code of version 1 for a failure that has this code in version 4.
fn in_v1(error_code: i64) -> i64 {
    match error_code {
        100_301 => 999,
        60_016 | 60_017 | 60_020 => 50001,
        60_002 | 60_004 | 60_005 | 60_006 | 60_012 | 100_002 => 70001,
        70_003 | 70_009 | 70_013 | 70_014 | 70_020 => 70002,
        70_001 => 70003,
        60_010 => 70004,
        60_007 | 60_011 => 70005,
        60_003 => 70009,
        // Any other code is an internal error there.
        other => other,
    }
}

/// Writes a configuration with the field names of a version.
fn configuration(version: Version, Configuration { url, callback_commands }: &Configuration) -> Value {
    match version {
        Version::V1 => json!({ "actions": callback_commands, "address": url }),
        Version::V4 => json!({ "Url": url, "CallbackCommandList": callback_commands }),
    }
}

/// The state of the API.
#[derive(Debug, Default)]
pub(crate) struct Api {
    pub(crate) apps: BTreeMap<u64, App>,
    pub(crate) store: Store,
    pub(crate) rate_limit: Option<RateLimit>,
    /// Whether set replaces a configuration that exists, for the services where that differs from the default.
    pub(crate) set_overwrites: BTreeMap<Service, bool>,
    /// Whether get and delete of version 1 report success where there is no configuration.
    pub(crate) hides_absence: bool,
    /// The path segments of the services that are served besides Tencent's.
    pub(crate) other_services: Vec<&'static str>,
}

impl Api {
    /// Returns the service and the action that a path names, also where the service lacks the action.
    pub(crate) fn route(&self, path: &str) -> Option<(Service, Action)> {
        let (version, path) = match path.strip_prefix("/v1/") {
            Some(path) => (Version::V1, path),
            None => (Version::V4, path.strip_prefix("/v4/")?),
        };
        let (service, action) = path.split_once('/')?;
        let service = Service::find(service, &self.other_services).filter(|service| service.version() == version);
        service.zip(Action::find(version, action))
    }

    /// Returns the version of the API that a path belongs to.
    pub(crate) fn version(&self, path: &str) -> Version {
        self.route(path).map_or(Version::V4, |(service, _)| service.version())
    }

    pub(crate) fn answer(&mut self, incoming: &Incoming) -> Answer {
        self.answer_of_age(incoming, Age::Now)
    }

    /// Answers a request; if it reads, with what held then.
    pub(crate) fn answer_of_age(&mut self, incoming: &Incoming, age: Age) -> Answer {
        let version = self.version(&incoming.path);
        match self.call(incoming, age) {
            Ok(response) => Answer::ok(version, response),
            Err(Failure(error_code, error_info)) => {
                let error_code = if version == Version::V1 { in_v1(error_code) } else { error_code };
                let is_hidden = self.hides_absence && error_code == 999 && !incoming.path.ends_with("/update");
                if is_hidden { Answer::ok(version, None) } else { Answer::fail(version, error_code, &error_info) }
            }
        }
    }

    fn call(&mut self, incoming: &Incoming, age: Age) -> Result<Option<Value>, Failure> {
        let is_call = |&(service, action): &_| incoming.method == "POST" && self.has(service, action);
        let Some((service, action)) = self.route(&incoming.path).filter(is_call) else {
            return fail(60009, "wrong resource, please check the request URL");
        };
        check_request_line(incoming)?;
        let sdk_app_id = self.authenticate(incoming)?;
        if let Some(limit) = &mut self.rate_limit {
            limit.admit(sdk_app_id, action, Instant::now())?;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(&incoming.body) else {
            return fail(60003, "the request body is not a JSON object");
        };
        let version = service.version();
        // In version 1, set and update answer with the address.
        let done = |written: &Configuration| (version == Version::V1).then(|| written.url.clone().into());
        match action {
            Action::Set => {
                let configuration = configuration_in(version, &body)?;
                let response = done(&configuration);
                if !self.set_overwrites(service) && self.store.get(service, sdk_app_id, Age::Now).is_some() {
                    return fail(100300, "the callback configuration exists already, call update_callback instead");
                }
                self.replace(service, sdk_app_id, Some(configuration))?;
                Ok(response)
            }
            Action::Update => {
                let configuration = configuration_in(version, &body)?;
                let response = done(&configuration);
                if self.store.get(service, sdk_app_id, Age::Now).is_none() {
                    return fail(100301, NO_CONFIGURATION);
                }
                self.replace(service, sdk_app_id, Some(configuration))?;
                Ok(response)
            }
            Action::Get => match self.store.get(service, sdk_app_id, age) {
                Some(found) => Ok(Some(configuration(version, found))),
                None => fail(100301, NO_CONFIGURATION),
            },
            Action::Delete => match self.replace(service, sdk_app_id, None)? {
                Some(_) => Ok(None),
                None => fail(100301, NO_CONFIGURATION),
            },
            Action::SetToken => {
                let token = token_in(&body)?;
                self.replace_token(sdk_app_id, Some(token))?;
                Ok(None)
            }
            Action::GetToken => match self.store.token(sdk_app_id, age) {
                Some(token) => Ok(Some(json!({ "Token": token.token, "IsTokenEnable": token.enabled }))),
                None => fail(100302, NO_TOKEN),
            },
            // Tencent does not document its answer when there is no token.
            Action::DeleteToken => match self.replace_token(sdk_app_id, None)? {
                Some(_) => Ok(None),
                None => fail(100302, NO_TOKEN),
            },
        }
    }

    /// Returns whether the service has this call. Tencent documents no update for Call, whose set overwrites.
    fn has(&self, service: Service, action: Action) -> bool {
        match action {
            Action::Set | Action::Get | Action::Delete => true,
            Action::Update => service != Service::Call || !self.set_overwrites(service),
            Action::SetToken | Action::GetToken | Action::DeleteToken => service == Service::Live,
        }
    }

    /// Returns whether set replaces a configuration that exists. By default, only Call's does, and always Legacy Call's.
    fn set_overwrites(&self, service: Service) -> bool {
        let chosen = self.set_overwrites.get(&service).copied();
        service == Service::LegacyCall || chosen.unwrap_or(service == Service::Call)
    }

    /// Checks the credentials of a request, and returns the SDKAppID of the application that it may act for.
    fn authenticate(&self, incoming: &Incoming) -> Result<u64, Failure> {
        let Some(sdk_app_id) = incoming.parameter("sdkappid") else {
            return fail(60012, "sdkappid is missing from the request URL");
        };
        let Some(sdk_app_id) = unsigned(sdk_app_id) else {
            return fail(60006, "sdkappid is not a valid SDKAppID");
        };
        let Some(app) = self.apps.get(&sdk_app_id) else {
            return fail(70020, "the SDKAppID does not exist");
        };
        match app.status {
            AppStatus::Active => {}
            AppStatus::Disabled => return fail(60016, "the SDKAppID is disabled"),
            AppStatus::Forbidden => return fail(60017, "requests of this SDKAppID are forbidden"),
            AppStatus::Suspended => return fail(60020, "the plan of this SDKAppID has expired and is suspended"),
        }
        let Some(identifier) = incoming.parameter("identifier") else {
            return fail(60004, "identifier is missing from the request URL");
        };
        let Some(user_sig) = incoming.parameter("usersig") else {
            return fail(60005, "usersig is missing from the request URL");
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        match user_sig::verify(user_sig, sdk_app_id, identifier, &app.secret_key, now) {
            Ok(()) => {}
            Err(Flaw::Unreadable) => return fail(70003, "usersig cannot be parsed"),
            Err(Flaw::OtherIdentifier) => return fail(70013, "usersig was made for another identifier"),
            Err(Flaw::OtherSdkAppId) => return fail(70014, "usersig was made for another SDKAppID"),
            Err(Flaw::WrongKey) => return fail(70009, "usersig verification failed"),
            Err(Flaw::Expired) => return fail(70001, "usersig has expired"),
        }
        if !app.administrators.iter().any(|account| account == identifier) {
            return fail(60010, "the identifier is not an app administrator");
        }
        Ok(sdk_app_id)
    }

    fn replace(
        &mut self,
        service: Service,
        sdk_app_id: u64,
        configuration: Option<Configuration>,
    ) -> Result<Option<Configuration>, Failure> {
        self.store.replace(service, sdk_app_id, configuration).or_else(cannot_save)
    }

    fn replace_token(&mut self, sdk_app_id: u64, token: Option<Token>) -> Result<Option<Token>, Failure> {
        self.store.replace_token(sdk_app_id, token).or_else(cannot_save)
    }
}

const NO_CONFIGURATION: &str = "the callback configuration does not exist";
const NO_TOKEN: &str = "the callback token is not configured";

fn cannot_save<T>(e: io::Error) -> Result<T, Failure> {
    fail(100001, format!("server internal error: {e}"))
}

/// Checks the two parameters that do not identify the caller.
fn check_request_line(incoming: &Incoming) -> Result<(), Failure> {
    if incoming.parameter("contenttype") != Some("json") {
        return fail(60002, "contenttype must be json");
    }
    let random = incoming.parameter("random").and_then(unsigned);
    if random.is_none_or(|random| random > u64::from(u32::MAX)) {
        return fail(60002, "random must be an integer from 0 to 4294967295");
    }
    Ok(())
}

/// Parses a number that consists of digits only. Rust's own parsing would accept a sign as well.
pub(crate) fn unsigned(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn configuration_in(version: Version, body: &serde_json::Map<String, Value>) -> Result<Configuration, Failure> {
    let [url, commands] = match version {
        Version::V1 => ["address", "actions"],
        Version::V4 => ["Url", "CallbackCommandList"],
    };
    let invalid = |why: String| fail(100002, format!("invalid parameter: {why}"));
    let Some(address) = body.get(url) else {
        return invalid(format!("{url} is missing"));
    };
    let is_web = |url: &&str| ["http://", "https://"].iter().any(|s| url.len() > s.len() && url.starts_with(s));
    let Some(address) = address.as_str().filter(is_web) else {
        return invalid(format!("{url} must be a string that starts with http:// or https://"));
    };
    let Some(list) = body.get(commands) else {
        return invalid(format!("{commands} is missing"));
    };
    let list = list.as_array().filter(|list| !list.is_empty()).and_then(|list| {
        list.iter().map(|c| c.as_str().filter(|c| !c.is_empty()).map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    let Some(list) = list else {
        return invalid(format!("{commands} must be a list of non-empty strings, at least one"));
    };
    Ok(Configuration::new(address, list))
}

fn token_in(body: &serde_json::Map<String, Value>) -> Result<Token, Failure> {
    let Some(token) = body.get("Token").and_then(Value::as_str).filter(|token| !token.is_empty()) else {
        return fail(100002, "invalid parameter: Token must be a non-empty string");
    };
    let Some(enabled) = body.get("IsTokenEnable").and_then(Value::as_bool) else {
        return fail(100002, "invalid parameter: IsTokenEnable must be a boolean");
    };
    Ok(Token::new(token, enabled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_paths_are_routes() {
        let api = Api { other_services: vec!["other_config"], ..Api::default() };
        for (path, route) in [
            ("/v4/call_config/set_callback", (Service::Call, Action::Set)),
            ("/v4/room_config/get_callback", (Service::Room, Action::Get)),
            ("/v4/live_config/delete_callback", (Service::Live, Action::Delete)),
            ("/v1/callback/update", (Service::LegacyCall, Action::Update)),
            ("/v4/live_config/get_callback_token", (Service::Live, Action::GetToken)),
            ("/v4/other_config/update_callback", (Service::Other("other_config"), Action::Update)),
        ] {
            assert_eq!(api.route(path), Some(route), "{path}");
        }
        for wrong in [
            "/",
            "/v4/call_config",
            "/v4/call_config/",
            "/v4/call_config/set_callback/",
            "/v4/Call_config/set_callback",
            "/v3/call_config/set_callback",
            "//v4/call_config/set_callback",
            "/v4/call_record_http_srv/get_record_by_callid",
            "/v4/unserved_config/get_callback",
            "/v4/callback/get_callback",
            "/v1/callback/get_callback",
            "/v1/call_config/get",
        ] {
            assert_eq!(api.route(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_digits_are_an_unsigned_number() {
        assert_eq!(unsigned("0"), Some(0));
        assert_eq!(unsigned("4294967295"), Some(u64::from(u32::MAX)));
        for wrong in ["", "+1", "-1", "1.0", " 1", "0x1", "99999999999999999999"] {
            assert_eq!(unsigned(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_envelope_has_tencents_form() {
        let answer = Answer::fail(Version::V4, 100301, "gone");
        let text = std::str::from_utf8(&answer.json).expect("UTF-8");
        let rest = text
            .strip_prefix(r#"{"ActionStatus":"FAIL","ErrorInfo":"gone","ErrorCode":100301,"RequestId":"Id-"#)
            .expect("Tencent's order");
        let (hex, sequence) = rest.strip_suffix("\"}").and_then(|r| r.split_once("-O-Seq-")).expect("a RequestId");
        assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{hex}");
        assert!(unsigned(sequence).is_some(), "{sequence}");
        assert_ne!(answer.json, Answer::fail(Version::V4, 100301, "gone").json, "a fresh RequestId");

        let found = Configuration::new("https://a.example", ["b"]);
        let answer = Answer::ok(Version::V4, Some(configuration(Version::V4, &found)));
        let text = std::str::from_utf8(&answer.json).expect("UTF-8");
        assert!(text.starts_with(r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-"#), "{text}");
        assert!(text.ends_with(r#","Response":{"CallbackCommandList":["b"],"Url":"https://a.example"}}"#), "{text}");
    }
}
