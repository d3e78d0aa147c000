//! Tests of the simulator from a client's side: each answer of the API, each fault as the client sees it, TLS, the
//! state file, and the end of everything.
//!
//! The client is a few lines over a socket, because many faults happen on the socket.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tencent_simulator::{
    Action, Age, App, AppStatus, Configuration, Fault, FaultKind, Outcome, RateLimit, Service, Simulator, Token,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore};

const ID: u64 = Simulator::SDK_APP_ID;
const KEY: &str = Simulator::SECRET_KEY;
/// A service that a simulator serves only if a test asks for it.
const OTHER: Service = Service::Other("other_config");
/// The longest wait. Only a test that fails takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

fn start() -> Simulator {
    Simulator::start().expect("a simulator")
}

fn sample() -> Configuration {
    Configuration::new(
        "https://hooks.example.com/tencent",
        ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"],
    )
}

fn token() -> Token {
    Token::new("a-token-to-hide", true)
}

// ---- a client ----

/// A call, which is correct until a test changes it.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    parameters: Vec<(&'static str, String)>,
    body: String,
}

impl Call {
    fn new(action: &str, body: &Value) -> Self {
        Self {
            method: "POST",
            path: format!("/v4/call_config/{action}_callback"),
            parameters: vec![
                ("sdkappid", ID.to_string()),
                ("identifier", "administrator".to_owned()),
                ("usersig", UserSig::default().make()),
                ("random", "4294967295".to_owned()),
                ("contenttype", "json".to_owned()),
            ],
            body: body.to_string(),
        }
    }

    fn set(configuration: &Configuration) -> Self {
        Self::new("set", &json!(configuration))
    }

    fn update(configuration: &Configuration) -> Self {
        Self::new("update", &json!(configuration))
    }

    fn get() -> Self {
        Self::new("get", &json!({}))
    }

    fn delete() -> Self {
        Self::new("delete", &json!({}))
    }

    fn set_token(token: &Token) -> Self {
        Self::of_token("set", &json!(token))
    }

    /// Creates a call about the token of Live's callbacks.
    fn of_token(action: &str, body: &Value) -> Self {
        Self::new(action, body).path(&format!("/v4/live_config/{action}_callback_token"))
    }

    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    fn service(self, segment: &str) -> Self {
        let (_, action) = self.path.rsplit_once('/').expect("a path");
        let path = format!("/v4/{segment}/{action}");
        self.path(&path)
    }

    fn body(mut self, body: impl ToString) -> Self {
        self.body = body.to_string();
        self
    }

    fn with(self, name: &'static str, value: impl ToString) -> Self {
        let mut call = self.without(name);
        call.parameters.push((name, value.to_string()));
        call
    }

    fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(n, _)| *n != name);
        self
    }

    /// Makes the call for another application.
    fn of_app(self, sdk_app_id: u64, secret_key: &str) -> Self {
        let user_sig = UserSig { sdk_app_id, secret_key, ..UserSig::default() }.make();
        self.with("sdkappid", sdk_app_id).with("usersig", user_sig)
    }

    fn bytes(&self) -> Vec<u8> {
        let query: Vec<_> = self.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{} {}?{} HTTP/1.1\r\nHost: simulator\r\nUser-Agent: a-test\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{}",
            self.method,
            self.path,
            query.join("&"),
            self.body.len(),
            self.body
        )
        .into_bytes()
    }

    /// Sends the call over a connection of its own.
    fn send(&self, simulator: &Simulator) -> io::Result<Reply> {
        self.send_over(&mut connect(simulator)?)
    }

    fn send_over(&self, connection: &mut (impl Read + Write)) -> io::Result<Reply> {
        connection.write_all(&self.bytes())?;
        Reply::read(connection)
    }

    /// Sends the call and returns the envelope, which every answer of the API is.
    fn envelope(&self, simulator: &Simulator) -> Value {
        let reply = self.send(simulator).expect("an answer");
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
        let envelope = reply.json();
        let status = if envelope["ErrorCode"] == 0 { "OK" } else { "FAIL" };
        assert_eq!(envelope["ActionStatus"], status, "{envelope}");
        assert_eq!(envelope["ErrorInfo"] == "", status == "OK", "{envelope}");
        assert!(envelope["RequestId"].as_str().is_some_and(|id| id.starts_with("Id-")), "{envelope}");
        envelope
    }

    fn code(&self, simulator: &Simulator) -> i64 {
        self.envelope(simulator)["ErrorCode"].as_i64().expect("a number")
    }
}

fn connect(simulator: &Simulator) -> io::Result<TcpStream> {
    let (_, address) = simulator.url().split_once("://").expect("a URL");
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn read(connection: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Self { status: status.expect("a status line"), headers, body: Vec::new() };
        let length = reply.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
        reply.body.resize(length, 0);
        connection.read_exact(&mut reply.body)?;
        Ok(reply)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// A maker of UserSigs that shares no code with the simulator or the provider.
struct UserSig<'a> {
    sdk_app_id: u64,
    identifier: &'a str,
    secret_key: &'a str,
    age: u64,
}

impl Default for UserSig<'_> {
    fn default() -> Self {
        Self { sdk_app_id: ID, identifier: "administrator", secret_key: KEY, age: 0 }
    }
}

impl UserSig<'_> {
    fn make(&self) -> String {
        let Self { sdk_app_id, identifier, secret_key, age } = self;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let (time, expire) = (now - age, 3600);
        let content = [
            format!("TLS.identifier:{identifier}\n"),
            format!("TLS.sdkappid:{sdk_app_id}\n"),
            format!("TLS.time:{time}\n"),
            format!("TLS.expire:{expire}\n"),
        ]
        .concat();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).expect("any key");
        mac.update(content.as_bytes());
        let fields = json!({
            "TLS.ver": "2.0",
            "TLS.identifier": identifier,
            "TLS.sdkappid": sdk_app_id,
            "TLS.expire": expire,
            "TLS.time": time,
            "TLS.sig": STANDARD.encode(mac.finalize().into_bytes()),
        });
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(fields.to_string().as_bytes()).expect("compressed");
        let base64 = STANDARD.encode(zlib.finish().expect("compressed"));
        base64.replace('+', "*").replace('/', "-").replace('=', "_")
    }
}

// ---- the API ----

#[test]
fn a_configuration_is_set_replaced_read_and_deleted() {
    let simulator = start();
    assert_eq!(Call::get().code(&simulator), 100301);
    assert_eq!(Call::delete().code(&simulator), 100301);

    let set = Call::set(&sample()).envelope(&simulator);
    assert_eq!((&set["ErrorCode"], set.get("Response")), (&json!(0), None));
    let get = Call::get().envelope(&simulator);
    assert_eq!(get["Response"], json!(sample()));
    assert_ne!(set["RequestId"], get["RequestId"]);

    let other = Configuration::new("http://other.example.com", ["Unknown.Command", "Unknown.Command"]);
    assert_eq!(Call::set(&other).code(&simulator), 0);
    assert_eq!(Call::get().envelope(&simulator)["Response"], json!(other), "replaced as a whole, in silence");

    assert_eq!(Call::delete().code(&simulator), 0);
    assert_eq!(Call::get().code(&simulator), 100301);
    assert_eq!(Call::delete().code(&simulator), 100301);
}

#[test]
fn applications_and_services_have_configurations_of_their_own() {
    let simulator = start();
    simulator.add_app(App::new(ID + 1, "another key"));
    assert_eq!(Call::set(&sample()).code(&simulator), 0);

    assert_eq!(Call::get().of_app(ID + 1, "another key").code(&simulator), 100301);
    assert_eq!(Call::get().service("room_config").code(&simulator), 100301);
    assert_eq!(Call::delete().service("live_config").code(&simulator), 100301);

    let other = Configuration::new("https://other.example.com", ["Live.Any"]);
    assert_eq!(Call::set(&other).service("live_config").of_app(ID + 1, "another key").code(&simulator), 0);
    assert_eq!(simulator.configuration(Service::Call, ID), Some(sample()));
    assert_eq!(simulator.configuration(Service::Live, ID + 1), Some(other));
    assert_eq!(simulator.configuration(Service::Live, ID), None);
    assert_eq!(simulator.configuration(Service::Call, ID + 1), None);
}

#[test]
fn set_creates_and_update_replaces_unless_set_overwrites() {
    let other = Configuration::new("https://other.example.com", ["Any.Other"]);
    for (service, segment) in [
        (Service::Call, "call_config"),
        (Service::Room, "room_config"),
        (Service::Live, "live_config"),
        (OTHER, "other_config"),
    ] {
        let simulator =
            Simulator::builder().serve("other_config").let_set_overwrite(service, false).start().expect("a simulator");
        let [set, update] = [Call::set, Call::update].map(|call| move |of: &_| call(of).service(segment));
        assert_eq!(update(&sample()).code(&simulator), 100301, "{service}: nothing to replace");
        assert_eq!(simulator.configuration(service, ID), None);
        assert_eq!(set(&sample()).code(&simulator), 0);
        assert_eq!(set(&other).code(&simulator), 100300, "{service}: exists");
        assert_eq!(set(&sample()).code(&simulator), 100300, "{service}: the same is no exception");
        assert_eq!(simulator.configuration(service, ID), Some(sample()));
        let updated = update(&other).envelope(&simulator);
        assert_eq!((&updated["ErrorCode"], updated.get("Response")), (&json!(0), None));
        assert_eq!(simulator.configuration(service, ID), Some(other.clone()), "both fields");
        let half = update(&other).body(json!({"Url": "https://half.example.com"}));
        assert_eq!(half.code(&simulator), 100002, "{service}: update takes both fields, too");
        assert_eq!(set(&other).body("{}").code(&simulator), 100002, "{service}: the body is looked at first");

        simulator.let_set_overwrite(service, true);
        assert_eq!(set(&sample()).code(&simulator), 0);
        assert_eq!(simulator.configuration(service, ID), Some(sample()));
        let code = update(&other).code(&simulator);
        assert_eq!(code, if service == Service::Call { 60009 } else { 0 }, "{service}");
    }
}

#[test]
fn legacy_call_has_names_and_error_codes_of_its_own() {
    let simulator = Simulator::start().expect("a simulator");
    let call = |action: &str, body: Value| Call::get().path(&format!("/v1/callback/{action}")).body(body);
    let answer = |call: &Call| call.send(&simulator).expect("an answer").json();
    let code = |action: &str, body: Value| answer(&call(action, body))["errorCode"].clone();
    let wanted = json!({ "address": "https://hooks.example.com/x", "actions": ["normal_end", "cancel"] });

    assert_eq!(code("update", wanted.clone()), 999, "nothing to replace");
    for hides in [false, true] {
        simulator.hide_absence(hides);
        let expected = if hides { 0 } else { 999 };
        assert_eq!((code("get", json!({})), code("delete", json!({}))), (json!(expected), json!(expected)));
        assert_eq!(code("update", wanted.clone()), 999);
    }
    let set = answer(&call("set", wanted.clone()));
    assert_eq!((&set["errorCode"], &set["errorMessage"]), (&json!(0), &json!("Success")));
    assert_eq!(set["data"], wanted["address"]);
    assert_eq!(set["requestId"].as_str().map(str::len), Some(32));
    assert_eq!(answer(&call("get", json!({})))["data"], wanted);
    simulator.let_set_overwrite(Service::LegacyCall, false);
    assert_eq!(code("set", json!({ "address": "http://other.example.com", "actions": ["cancel"] })), 0, "overwrites");
    let found = simulator.configuration(Service::LegacyCall, ID);
    assert_eq!(found, Some(Configuration::new("http://other.example.com", ["cancel"])));
    assert_eq!(simulator.configuration(Service::Call, ID), None);
    let deleted = answer(&call("delete", json!({})));
    assert_eq!((&deleted["errorCode"], &deleted["data"]), (&json!(0), &json!("")));

    for (body, expected) in [(json!({ "address": "ftp://x", "actions": ["cancel"] }), 70001), (json!([]), 70009)] {
        assert_eq!(code("set", body), expected);
    }
    let of_app = |id, key: &str| answer(&call("get", json!({})).of_app(id, key))["errorCode"].clone();
    assert_eq!(of_app(ID, "another key"), 70002, "a wrong key");
    simulator.set_rate_limit(Some(RateLimit::per_application(1)));
    assert_eq!((code("get", json!({})), code("get", json!({}))), (json!(0), json!(70005)));
}

#[test]
fn only_calls_set_overwrites_by_default() {
    let simulator = Simulator::builder().serve("other_config").start().expect("a simulator");
    let twice = |segment| [(); 2].map(|()| Call::set(&sample()).service(segment).code(&simulator));
    assert_eq!(twice("call_config"), [0, 0]);
    for segment in ["room_config", "live_config", "other_config"] {
        assert_eq!(twice(segment), [0, 100300], "{segment}");
        assert_eq!(Call::update(&sample()).service(segment).code(&simulator), 0);
    }
    assert_eq!(Call::update(&sample()).code(&simulator), 60009, "no page documents it");
    let refused = simulator.requests().pop().expect("recorded");
    assert_eq!((refused.service, refused.action), (Some(Service::Call), Some(Action::Update)));
}

#[test]
fn a_service_that_tencent_does_not_have_is_served_only_on_request() {
    let call = Call::set(&sample()).service("other_config");
    assert_eq!(call.code(&start()), 60009);
    let simulator = Simulator::builder().serve("other_config").start().expect("a simulator");
    assert_eq!(call.code(&simulator), 0);
    assert_eq!(simulator.configuration(OTHER, ID), Some(sample()));
    assert_eq!(simulator.requests()[0].service, Some(OTHER));
}

#[test]
fn a_test_can_change_the_configuration_like_somebody_else() {
    let simulator = start();
    simulator.put_configuration(Service::Call, ID, sample());
    assert_eq!(Call::get().envelope(&simulator)["Response"], json!(sample()));
    simulator.remove_configuration(Service::Call, ID);
    assert_eq!(Call::get().code(&simulator), 100301);
}

#[test]
fn every_refusal_has_its_documented_code() {
    let simulator = start();
    for (status, id) in [(AppStatus::Disabled, ID + 1), (AppStatus::Forbidden, ID + 2), (AppStatus::Suspended, ID + 3)]
    {
        simulator.add_app(App::new(id, KEY).status(status));
    }
    let sig = UserSig::default;
    let for_somebody = UserSig { identifier: "somebody", ..sig() }.make();
    let get = Call::get;
    let cases = [
        // The request line.
        (60009, get().path("/")),
        (60009, get().path("/v4/call_config/list_callback")),
        (60009, get().path("/v4/call_record_http_srv/get_record_by_callid")),
        (60009, Call::update(&sample())),
        (60009, Call::of_token("get", &json!({})).service("call_config")),
        (60009, Call::of_token("get", &json!({})).method("GET")),
        (60009, get().method("GET")),
        (60009, get().method("PUT")),
        (60002, get().without("random")),
        (100301, get().with("random", "0")),
        (100301, get().with("random", "4294967295")),
        (60002, get().with("random", "4294967296")),
        (60002, get().with("random", "-1")),
        (60002, get().with("random", "0x10")),
        (60002, get().without("contenttype")),
        (60002, get().with("contenttype", "JSON")),
        // The application.
        (60012, get().without("sdkappid")),
        (60012, get().with("sdkappid", "")),
        (60006, get().with("sdkappid", "my-app")),
        (60006, get().with("sdkappid", "-1400000001")),
        (70020, get().with("sdkappid", "1499999999")),
        (60016, get().of_app(ID + 1, KEY)),
        (60017, get().of_app(ID + 2, KEY)),
        (60020, get().of_app(ID + 3, KEY)),
        // The account and its UserSig.
        (60004, get().without("identifier")),
        (60005, get().without("usersig")),
        (70003, get().with("usersig", "eJyrVgrx")),
        (70003, get().with("usersig", "not-a-user-sig")),
        (70001, get().with("usersig", UserSig { age: 4000, ..sig() }.make())),
        (70009, get().with("usersig", UserSig { secret_key: "another", ..sig() }.make())),
        (70013, get().with("usersig", &for_somebody)),
        (70013, get().with("identifier", "Administrator")),
        (70014, get().with("usersig", UserSig { sdk_app_id: ID + 1, ..sig() }.make())),
        (60010, get().with("identifier", "somebody").with("usersig", &for_somebody)),
        // The body.
        (60003, get().body("")),
        (60003, get().body("{")),
        (60003, get().body("[]")),
        (60003, Call::delete().body("nothing")),
        (60003, Call::set(&sample()).body("{\"Url\":")),
        (60003, Call::set_token(&token()).body("[]")),
    ];
    for (code, call) in cases {
        assert_eq!(call.code(&simulator), code, "{} {} {:?} {}", call.method, call.path, call.parameters, call.body);
    }
}

#[test]
fn an_invalid_configuration_is_refused_by_field() {
    let simulator = start();
    let commands = json!(["Call.CallbackAfterEndCall"]);
    let cases = [
        ("Url", json!({"CallbackCommandList": commands})),
        ("Url", json!({"Url": null, "CallbackCommandList": commands})),
        ("Url", json!({"Url": "", "CallbackCommandList": commands})),
        ("Url", json!({"Url": "https://", "CallbackCommandList": commands})),
        ("Url", json!({"Url": "ftp://example.com", "CallbackCommandList": commands})),
        ("Url", json!({"url": "https://example.com", "CallbackCommandList": commands})),
        ("CallbackCommandList", json!({"Url": "https://example.com"})),
        ("CallbackCommandList", json!({"Url": "https://example.com", "CallbackCommandList": null})),
        ("CallbackCommandList", json!({"Url": "https://example.com", "CallbackCommandList": []})),
        ("CallbackCommandList", json!({"Url": "https://example.com", "CallbackCommandList": [""]})),
        ("CallbackCommandList", json!({"Url": "https://example.com", "CallbackCommandList": ["a", 1]})),
        ("CallbackCommandList", json!({"Url": "https://example.com", "CallbackCommandList": "a"})),
    ];
    for (field, body) in cases {
        let envelope = Call::new("set", &body).envelope(&simulator);
        assert_eq!(envelope["ErrorCode"], 100002, "{body}");
        assert!(envelope["ErrorInfo"].as_str().is_some_and(|info| info.contains(&format!(": {field} "))), "{envelope}");
    }
    assert_eq!(simulator.configuration(Service::Call, ID), None);
}

#[test]
fn lives_token_is_set_replaced_read_and_deleted() {
    let simulator = start();
    simulator.add_app(App::new(ID + 1, "another key"));
    let [get, delete] = ["get", "delete"].map(|action| Call::of_token(action, &json!({})));
    assert_eq!((get.code(&simulator), delete.code(&simulator)), (100302, 100302));

    for token in [token(), Token::new("another token", false)] {
        let set = Call::set_token(&token).envelope(&simulator);
        assert_eq!((&set["ErrorCode"], set.get("Response")), (&json!(0), None));
        let expected = json!({"Token": &token.token, "IsTokenEnable": token.enabled});
        assert_eq!(get.envelope(&simulator)["Response"], expected);
        assert_eq!(simulator.token(ID), Some(token));
    }
    assert_eq!(get.clone().of_app(ID + 1, "another key").code(&simulator), 100302);
    assert_eq!(Call::get().service("live_config").code(&simulator), 100301, "apart from the configuration");
    assert_eq!(delete.code(&simulator), 0);
    assert_eq!((get.code(&simulator), delete.code(&simulator)), (100302, 100302));

    simulator.put_token(ID, token());
    assert_eq!(get.envelope(&simulator)["Response"], json!(token()));
    simulator.remove_token(ID);
    assert_eq!(get.code(&simulator), 100302);
}

#[test]
fn only_live_has_a_token() {
    let simulator = Simulator::builder().serve("other_config").start().expect("a simulator");
    let calls = [Call::set_token(&token()), Call::of_token("get", &json!({})), Call::of_token("delete", &json!({}))];
    for call in calls {
        for segment in ["call_config", "room_config", "other_config"] {
            assert_eq!(call.clone().service(segment).code(&simulator), 60009, "{segment}");
        }
    }
    assert_eq!(simulator.token(ID), None);
}

#[test]
fn an_invalid_token_is_refused_by_field() {
    let simulator = start();
    let cases = [
        ("Token", json!({})),
        ("Token", json!({"IsTokenEnable": true})),
        ("Token", json!({"Token": null, "IsTokenEnable": true})),
        ("Token", json!({"Token": "", "IsTokenEnable": true})),
        ("Token", json!({"Token": 1, "IsTokenEnable": true})),
        ("IsTokenEnable", json!({"Token": "a"})),
        ("IsTokenEnable", json!({"Token": "a", "IsTokenEnable": null})),
        ("IsTokenEnable", json!({"Token": "a", "IsTokenEnable": "true"})),
        ("IsTokenEnable", json!({"Token": "a", "IsTokenEnable": 1})),
    ];
    for (field, body) in cases {
        let envelope = Call::of_token("set", &body).envelope(&simulator);
        assert_eq!(envelope["ErrorCode"], 100002, "{body}");
        assert!(envelope["ErrorInfo"].as_str().is_some_and(|info| info.contains(&format!(": {field} "))), "{envelope}");
    }
    assert_eq!(simulator.token(ID), None);
}

#[test]
fn applications_come_and_go_while_it_runs() {
    let simulator = Simulator::builder().app(App::new(ID + 5, KEY).administrator("ops")).start().expect("a simulator");
    let as_ops = UserSig { sdk_app_id: ID + 5, identifier: "ops", ..UserSig::default() }.make();
    let call = Call::set(&sample()).with("sdkappid", ID + 5).with("identifier", "ops").with("usersig", as_ops);
    assert_eq!(call.code(&simulator), 0);
    assert_eq!(Call::get().code(&simulator), 70020, "the default application is not there when others are given");
    simulator.remove_app(ID + 5);
    assert_eq!(call.code(&simulator), 70020);
    simulator.add_app(App::new(ID + 5, KEY));
    assert_eq!(call.code(&simulator), 60010);
    assert_eq!(simulator.configuration(Service::Call, ID + 5), Some(sample()));
}

#[test]
fn calls_above_the_rate_limit_are_refused() {
    let simulator = start();
    simulator.put_configuration(Service::Call, ID, sample());
    for (limit, code) in [(RateLimit::per_application(0), 60011), (RateLimit::per_endpoint(0), 60007)] {
        simulator.set_rate_limit(Some(limit));
        assert_eq!(Call::get().code(&simulator), code);
        assert_eq!(Call::set(&sample()).code(&simulator), code);
        let unproven = Call::get().with("usersig", "bad");
        assert_eq!(unproven.code(&simulator), 70003, "only calls that prove who they are count");
        assert_eq!(Call::update(&sample()).service("room_config").code(&simulator), code);
        assert_eq!(Call::set_token(&token()).code(&simulator), code);
    }
    simulator.set_rate_limit(None);
    assert_eq!(Call::get().code(&simulator), 0);
}

// ---- the record ----

#[test]
fn every_request_is_recorded() {
    let simulator = start();
    let mut connection = connect(&simulator).expect("connected");
    Call::set(&sample()).send_over(&mut connection).expect("answered");
    Call::get().with("random", "7").send_over(&mut connection).expect("answered, on the same connection");
    Call::get().method("GET").path("/elsewhere").without("sdkappid").send(&simulator).expect("answered");

    let requests = simulator.requests();
    let [set, get, elsewhere] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((set.service, set.action, set.sdk_app_id), (Some(Service::Call), Some(Action::Set), Some(ID)));
    assert_eq!((set.method.as_str(), set.path.as_str()), ("POST", "/v4/call_config/set_callback"));
    assert_eq!((set.identifier.as_deref(), set.random.as_deref()), (Some("administrator"), Some("4294967295")));
    assert!(set.user_sig.as_ref().is_some_and(|sig| sig.starts_with("eJ")));
    assert_eq!((set.host.as_deref(), set.user_agent.as_deref()), (Some("simulator"), Some("a-test")));
    assert_eq!(set.content_type.as_deref(), Some("application/json"));
    assert_eq!(set.json(), Some(json!(sample())));
    assert_eq!(set.outcome, Outcome::Answered { error_code: 0 });

    assert_eq!((get.action, get.random.as_deref()), (Some(Action::Get), Some("7")));
    assert_eq!(set.connection, get.connection);

    assert_eq!((elsewhere.service, elsewhere.action, elsewhere.sdk_app_id), (None, None, None));
    assert_eq!((elsewhere.method.as_str(), elsewhere.path.as_str()), ("GET", "/elsewhere"));
    assert_eq!(elsewhere.outcome, Outcome::Answered { error_code: 60009 });
    assert_ne!(get.connection, elsewhere.connection);

    assert_eq!(simulator.take_requests(), requests);
    Call::get().send(&simulator).expect("answered");
    assert_eq!(simulator.requests().len(), 1);
    simulator.clear_requests();
    assert_eq!(simulator.requests(), []);
}

#[test]
fn waiting_for_requests_ends_when_they_arrive_or_never_do() {
    let simulator = start();
    assert!(!simulator.wait_for(|requests| !requests.is_empty(), Duration::from_millis(1)));
    std::thread::scope(|scope| {
        scope.spawn(|| Call::get().send(&simulator).expect("answered"));
        assert!(simulator.wait_for(|requests| requests.len() == 1, PATIENCE));
    });
    assert!(simulator.wait_for(|requests| requests.len() == 1, Duration::ZERO), "what is so already needs no time");
}

#[test]
fn the_simulators_debug_output_holds_no_token() {
    let simulator = start();
    assert_eq!(Call::set_token(&token()).code(&simulator), 0);
    assert_eq!(Call::set_token(&token()).service("room_config").code(&simulator), 60009);
    assert_eq!(Call::of_token("get", &json!({})).code(&simulator), 0);
    let requests = simulator.requests();
    assert_eq!((requests[0].action, requests[0].json()), (Some(Action::SetToken), Some(json!(token()))));
    let printed = format!("{simulator:?} {requests:?} {:?}", simulator.token(ID));
    assert!(printed.contains("SetToken") && !printed.contains(&token().token), "{printed}");
}

// ---- faults ----

/// Makes one set call under a fault. Returns what the client sees, and whether the call took effect.
fn set_under(kind: FaultKind) -> (io::Result<Reply>, bool) {
    let simulator = start();
    let name = kind.name();
    simulator.inject(Fault::new(kind).on(Action::Set).times(1));
    let seen = Call::set(&sample()).send(&simulator);
    let outcome = simulator.requests().pop().expect("recorded").outcome;
    match name {
        "Delay" | "SlowBody" => assert_eq!(outcome, Outcome::Answered { error_code: 0 }),
        name => assert_eq!(outcome, Outcome::Fault(name)),
    }
    let processed = simulator.configuration(Service::Call, ID).is_some();
    assert_eq!(Call::set(&sample()).code(&simulator), 0, "the fault is over");
    (seen, processed)
}

#[test]
fn a_reset_connection_is_seen_as_a_reset() {
    for (kind, takes_effect) in [(FaultKind::ResetBeforeProcessing, false), (FaultKind::ResetAfterProcessing, true)] {
        let (seen, processed) = set_under(kind);
        assert_eq!(seen.expect_err("reset").kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(processed, takes_effect);
    }
}

#[test]
fn a_closed_connection_is_seen_as_its_end() {
    for (kind, takes_effect) in [(FaultKind::CloseBeforeProcessing, false), (FaultKind::CloseAfterProcessing, true)] {
        let (seen, processed) = set_under(kind);
        assert_eq!(seen.expect_err("closed").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(processed, takes_effect);
    }
}

#[test]
fn a_truncated_body_breaks_off_after_a_part() {
    let simulator = start();
    simulator.inject(FaultKind::TruncatedBody);
    let mut connection = connect(&simulator).expect("connected");
    connection.write_all(&Call::set(&sample()).bytes()).expect("sent");
    let mut seen = String::new();
    connection.read_to_string(&mut seen).expect("closed in order");
    let (head, body) = seen.split_once("\r\n\r\n").expect("a whole head");
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert!(body.starts_with("{\"ActionStatus\":\"OK\""), "{body}");
    assert!(body.len() < announced.parse().expect("a number"), "{body}");
    assert_eq!(simulator.configuration(Service::Call, ID), Some(sample()));
}

#[test]
fn late_and_slow_answers_are_complete() {
    let slow = FaultKind::SlowBody { piece: 9, pause: Duration::from_millis(1) };
    for kind in [FaultKind::Delay(Duration::from_millis(10)), slow] {
        let (seen, processed) = set_under(kind);
        assert_eq!(seen.expect("an answer").json()["ErrorCode"], 0);
        assert!(processed);
    }
}

#[test]
fn a_delayed_call_has_taken_effect_as_soon_as_it_is_recorded() {
    let simulator = start();
    simulator.inject(FaultKind::Delay(Duration::from_secs(3600)));
    let mut connection = connect(&simulator).expect("connected");
    connection.write_all(&Call::set(&sample()).bytes()).expect("sent");
    assert!(simulator.wait_for(|requests| requests.len() == 1, PATIENCE));
    assert_eq!(simulator.configuration(Service::Call, ID), Some(sample()));
}

#[test]
fn an_answer_may_lack_its_request_id() {
    let (seen, processed) = set_under(FaultKind::RequestId(None));
    let answer = seen.expect("an answer").json();
    assert_eq!((&answer["ErrorCode"], answer.get("RequestId"), processed), (&json!(0), None, true));
}

#[test]
fn a_fault_can_let_somebody_else_write_right_after_a_call() {
    let simulator = start();
    let other = Configuration::new("https://other.example.com", ["b"]);
    simulator.inject(Fault::new(FaultKind::ThenSomebodySets(other.clone())).times(1));
    for expected in [other.clone(), sample()] {
        assert_eq!(Call::set(&sample()).code(&simulator), 0);
        assert_eq!(simulator.configuration(Service::Call, ID), Some(expected));
    }
    simulator.inject(FaultKind::ThenSomebodySets(other.clone()));
    assert_eq!(Call::set(&sample()).service("live_config").code(&simulator), 0);
    assert_eq!(simulator.configuration(Service::Live, ID), Some(other), "in the service of the request");
    assert_eq!(simulator.configuration(Service::Call, ID), Some(sample()));
}

#[test]
fn a_fault_can_let_somebody_else_write_right_before_a_call() {
    let simulator = start();
    let other = Configuration::new("https://other.example.com", ["b"]);
    let [room_set, room_update] = [Call::set, Call::update].map(|call| call(&sample()).service("room_config"));
    let now = || simulator.configuration(Service::Room, ID);

    let first_set = Fault::new(FaultKind::FirstSomebodySets(other.clone())).times(1);
    simulator.inject(first_set.clone());
    assert_eq!(room_set.code(&simulator), 100300, "what a look did not find");
    assert_eq!(now(), Some(other.clone()));
    simulator.inject(first_set.clone());
    assert_eq!(room_update.code(&simulator), 0);
    assert_eq!(now(), Some(sample()), "the request came last");

    let first_delete = Fault::new(FaultKind::FirstSomebodyDeletes).times(1);
    simulator.inject(first_delete.clone());
    assert_eq!(room_update.code(&simulator), 100301, "what a look found");
    assert_eq!(now(), None);
    simulator.inject(first_delete.clone());
    assert_eq!(room_set.code(&simulator), 0, "nothing to delete");
    simulator.inject(first_delete);
    assert_eq!(room_set.code(&simulator), 0);

    let outcomes: Vec<_> = simulator.requests().into_iter().map(|request| request.outcome).collect();
    assert_eq!(outcomes, [100300, 0, 100301, 0, 0].map(|error_code| Outcome::Answered { error_code }));
    simulator.inject(first_set);
    assert_eq!(Call::get().envelope(&simulator)["Response"], json!(other), "Call is another matter");
    assert_eq!((now(), simulator.configuration(Service::Live, ID)), (Some(sample()), None));
}

#[test]
fn a_fault_can_let_reads_lag_behind_writes() {
    let other = Configuration::new("https://other.example.com", ["b"]);
    let [first, second] = [&sample(), &other].map(|written| Some(written.url.clone()));
    for (age, expected) in [
        (Age::Ago(PATIENCE), [None, None, None, None]),
        (Age::Ago(Duration::ZERO), [None, first.clone(), second.clone(), None]),
        (Age::BeforeTheLastChange, [None, None, first, second]),
    ] {
        let simulator = start();
        simulator.inject(FaultKind::StaleRead(age));
        let writes = [None, Some(Call::set(&sample())), Some(Call::set(&other)), Some(Call::delete())];
        let read = writes.map(|write| {
            assert_eq!(write.map_or(0, |write| write.code(&simulator)), 0, "writes take effect at once");
            Call::get().envelope(&simulator)["Response"]["Url"].as_str().map(str::to_owned)
        });
        assert_eq!(read, expected, "{age:?}");
        assert_eq!(simulator.configuration(Service::Call, ID), None);
    }
}

#[test]
fn answers_that_are_not_tencents_arrive_as_injected() {
    let verbatim = json!({"ErrorCode": 0, "Response": {"Url": null, "CallbackCommandList": ["b", "a", "a"], "New": 1}});
    let body = |kind| {
        let (seen, processed) = set_under(kind);
        let reply = seen.expect("an answer");
        assert_eq!((reply.status, processed), (200, false));
        reply
    };
    let html = body(FaultKind::NotJson);
    assert_eq!(html.header("content-type"), Some("text/html"));
    assert!(html.body.starts_with(b"<html>"));
    let wrong = body(FaultKind::WrongTypes).json();
    assert!(wrong["ErrorCode"].is_string() && wrong["Response"].is_array(), "{wrong}");
    assert_eq!(body(FaultKind::MissingFields).json(), json!({}));
    assert_eq!(body(FaultKind::Answer(verbatim.clone())).json(), verbatim);
    let wrapped = body(FaultKind::Response(verbatim.clone())).json();
    assert_eq!((&wrapped["ActionStatus"], &wrapped["Response"]), (&json!("OK"), &verbatim));
    let failed = body(FaultKind::ErrorCode { code: 70050, info: "wait".to_owned() }).json();
    assert_eq!(
        (&failed["ActionStatus"], &failed["ErrorCode"], &failed["ErrorInfo"]),
        (&json!("FAIL"), &json!(70050), &json!("wait"))
    );
}

#[test]
fn a_verbatim_answer_is_exactly_the_injected_one() {
    let headers = vec![("date", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned())];
    let (seen, processed) = set_under(FaultKind::Verbatim { code: 502, headers, body: b"\xffoops".to_vec() });
    assert!(!processed);
    let reply = seen.expect("an answer");
    assert_eq!((reply.status, reply.body.as_slice()), (502, &b"\xffoops"[..]));
    assert_eq!(reply.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
}

#[test]
fn an_oversized_body_has_the_injected_size() {
    let (seen, processed) = set_under(FaultKind::OversizedBody(3_000_000));
    let reply = seen.expect("an answer");
    assert_eq!((reply.body.len(), processed), (3_000_000, true));
    assert_eq!(reply.json()["ErrorCode"], 0);
}

#[test]
fn gateways_fail_before_or_after_processing() {
    for takes_effect in [false, true] {
        let (seen, processed) =
            set_under(FaultKind::Status { code: 503, retry_after: Some("2".to_owned()), processed: takes_effect });
        let reply = seen.expect("a page");
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("2")));
        assert!(reply.body.starts_with(b"<html>"));
        assert_eq!(processed, takes_effect);
    }
    let (seen, processed) =
        set_under(FaultKind::Redirect { code: 307, location: "http://127.0.0.1:1/elsewhere".to_owned() });
    let reply = seen.expect("a page");
    assert_eq!((reply.status, reply.header("location")), (307, Some("http://127.0.0.1:1/elsewhere")));
    assert!(!processed);
}

#[test]
fn faults_meet_only_the_requests_that_they_are_for_until_cleared() {
    let simulator = start();
    simulator.put_configuration(Service::Call, ID, sample());
    let busy = FaultKind::ErrorCode { code: 60019, info: "too many requests".to_owned() };
    simulator.inject(Fault::new(busy.clone()).on(Action::Get).sdk_app_id(ID).skip(1));
    assert_eq!(Call::get().code(&simulator), 0, "skipped");
    assert_eq!(Call::set(&sample()).code(&simulator), 0, "another action");
    assert_eq!(Call::get().with("sdkappid", 1).code(&simulator), 70020, "another application");
    assert_eq!([(); 3].map(|()| Call::get().code(&simulator)), [60019; 3]);
    simulator.clear_faults();
    assert_eq!(Call::get().code(&simulator), 0);

    simulator.inject(Fault::new(busy.clone()).on(Action::Update).service(Service::Live));
    simulator.inject(Fault::new(busy.clone()).on(Action::SetToken));
    let update = |segment| Call::update(&sample()).service(segment).code(&simulator);
    assert_eq!((update("room_config"), update("live_config")), (100301, 60019), "another service, and its own");
    assert_eq!(Call::set_token(&token()).code(&simulator), 60019);
    assert_eq!(Call::of_token("get", &json!({})).code(&simulator), 100302, "not processed");
    simulator.clear_faults();

    simulator.inject(Fault::new(busy.clone()).on(Action::Get).after(Action::Set));
    assert_eq!([Call::get(), Call::set(&sample()), Call::get()].map(|call| call.code(&simulator)), [0, 0, 60019]);
    simulator.clear_faults();

    simulator.inject(busy);
    assert_eq!(Call::get().path("/").code(&simulator), 60019, "without a filter: whatever arrives");
}

// ---- the process around it ----

#[test]
fn dropping_the_simulator_ends_held_connections() {
    let simulator = start();
    let mut idle = connect(&simulator).expect("connected");
    Call::get().send_over(&mut idle).expect("answered");
    simulator.inject(FaultKind::NoAnswer);
    let mut held = connect(&simulator).expect("connected");
    held.write_all(&Call::set(&sample()).bytes()).expect("sent");
    assert!(simulator.wait_for(|requests| requests.len() == 2, PATIENCE));
    assert_eq!(simulator.configuration(Service::Call, ID), None, "NoAnswer does not process");

    simulator.stop();
    assert_eq!(connect(&simulator).expect_err("stopped").kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(simulator.requests().len(), 2, "the record stays");
    drop(simulator);
    for connection in [&mut held, &mut idle] {
        assert_eq!(connection.read(&mut [0]).expect("closed"), 0);
    }
}

#[test]
fn a_state_file_outlives_the_simulator() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("state.json");
    let start = || Simulator::builder().state_file(&file).start();

    let first = start().expect("a new state file");
    assert_eq!(Call::set(&sample()).code(&first), 0);
    first.put_configuration(Service::Room, ID, sample());
    first.put_token(ID, token());
    drop(first);
    let second = start().expect("the same state file");
    assert_eq!(Call::get().envelope(&second)["Response"], json!(sample()));
    assert_eq!(Call::delete().code(&second), 0);
    drop(second);
    let third = start().expect("the same state file");
    assert_eq!(third.configuration(Service::Call, ID), None);
    assert_eq!(third.configuration(Service::Room, ID), Some(sample()));
    assert_eq!(third.token(ID), Some(token()));
    drop(third);

    std::fs::write(&file, "[{}]").expect("written");
    let error = start().expect_err("not a state file").to_string();
    assert!(error.contains("state.json"), "{error}");
}

#[test]
fn a_call_that_cannot_be_saved_is_an_internal_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("missing/state.json");
    let simulator = Simulator::builder().state_file(file).start().expect("no file yet");
    assert_eq!(Call::set(&sample()).code(&simulator), 100001);
    assert_eq!(Call::set_token(&token()).code(&simulator), 100001);
    assert_eq!(Call::get().code(&simulator), 100301);
}

#[test]
fn the_simulator_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = Simulator::builder().listen(address.parse().expect("an address")).start().expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(address), "{error}");
    }
}

#[test]
fn the_binary_prints_an_environment_and_a_line_per_request() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tencent-simulator"))
        .args(["--listen", "127.0.0.1:0", "--app", "1400000009=another key", "--app", "1400000010=a=b"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Ended)
        .expect("started");
    let mut lines = BufReader::new(child.0.stdout.take().expect("its output")).lines();
    let mut line = |start: &str| {
        lines.by_ref().map(|line| line.expect("text")).find(|line| line.contains(start)).expect("such a line")
    };
    let endpoint = line("export TENCENT_ENDPOINT=http://");
    assert_eq!(line("TENCENT_SDK_APP_ID"), "export TENCENT_SDK_APP_ID=1400000009");
    assert_eq!(line("TENCENT_SECRET_KEY"), "export TENCENT_SECRET_KEY='another key'");
    assert_eq!(line("1400000009"), "#   \"1400000009\" = { secret_key = \"another key\" }");
    assert_eq!(line("1400000010"), "#   \"1400000010\" = { secret_key = \"a=b\" }");

    let (_, address) = endpoint.split_once("http://").expect("a URL");
    for (id, key) in [(1_400_000_009, "another key"), (1_400_000_010, "a=b")] {
        let call = Call::get().of_app(id, key);
        call.send_over(&mut TcpStream::connect(address).expect("connected")).expect("answered");
        let printed = line(&id.to_string());
        assert!(printed.ends_with(&format!("  call get           {id}  100301")), "{printed}");
    }
}

#[test]
fn the_binary_lets_set_overwrite_where_asked_and_logs_no_token() {
    for (services, codes) in [("room,live", [100300, 0, 0]), ("", [100300; 3]), ("call", [0, 100300, 100300])] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tencent-simulator"))
            .args(["--listen", "127.0.0.1:0", "--log", "--set-overwrites", services])
            .stdout(Stdio::piped())
            .spawn()
            .map(Ended)
            .expect("started");
        let mut lines = BufReader::new(child.0.stdout.take().expect("its output")).lines().map(|l| l.expect("text"));
        let endpoint = lines.find(|line| line.contains("TENCENT_ENDPOINT")).expect("an endpoint");
        let (_, address) = endpoint.split_once("http://").expect("a URL");
        let send = |call: Call| {
            let reply = call.send_over(&mut TcpStream::connect(address).expect("connected")).expect("answered");
            reply.json()["ErrorCode"].as_i64().expect("a number")
        };
        let twice = |segment| [(); 2].map(|()| send(Call::set(&sample()).service(segment)))[1];
        assert_eq!(["call_config", "room_config", "live_config"].map(twice), codes, "{services:?}");

        send(Call::set_token(&token()));
        send(Call::update(&sample()).service("live_config"));
        let end = format!("  live update        {ID}  0");
        let printed: Vec<_> = lines.take_while(|line| !line.ends_with(&end)).collect();
        let has = |end: &str| printed.iter().any(|line| line.ends_with(end));
        assert!(has(&format!("  live set token     {ID}  0")) && has("  body ***"), "{printed:?}");
        assert!(has(&format!("  body {}", json!(sample()))), "{printed:?}");
        assert!(!printed.concat().contains(&token().token), "{printed:?}");
    }
}

/// A child process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_binary_explains_what_it_refuses() {
    for (arguments, explanation) in [
        (["--listen", "0.0.0.0:0"], "refusing to listen on 0.0.0.0:0"),
        (["--listen", "nowhere"], "nowhere"),
        (["--unknown", "0"], "--unknown"),
        (["--app", "1400000001"], "expected SDKAPPID=KEY"),
        (["--app", "app=key"], "not a number"),
        (["--set-overwrites", "call,chat"], "\"chat\" is not one of the services call, room, live"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tencent-simulator")).args(arguments).output().expect("started");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(explanation), "{error}");
    }
}

#[test]
fn with_tls_the_simulators_authority_can_be_trusted() {
    let simulator = Simulator::builder().tls(true).start().expect("a simulator");
    assert!(simulator.url().starts_with("https://127.0.0.1:"));
    let pem = simulator.ca_certificate_pem().expect("an authority");
    for name in ["127.0.0.1", "localhost"] {
        let mut connection = connect_tls(&simulator, Some(pem), name);
        let reply = Call::set(&sample()).send_over(&mut connection).expect("an answer");
        assert_eq!(reply.json()["ErrorCode"], 0);
    }

    let mut stranger = connect_tls(&simulator, None, "127.0.0.1");
    let error = Call::get().send_over(&mut stranger).expect_err("not trusted");
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let mut misnamed = connect_tls(&simulator, Some(pem), "console.tim.qq.com");
    let error = Call::get().send_over(&mut misnamed).expect_err("another name");
    assert!(error.to_string().contains("not valid for name"), "{error}");

    simulator.inject(FaultKind::ResetAfterProcessing);
    let mut connection = connect_tls(&simulator, Some(pem), "localhost");
    let error = Call::get().send_over(&mut connection).expect_err("reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    assert_eq!(start().ca_certificate_pem(), None);
}

fn connect_tls(
    simulator: &Simulator,
    ca_pem: Option<&str>,
    name: &'static str,
) -> rustls::StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = ca_pem {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a certificate");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    rustls::StreamOwned::new(client, connect(simulator).expect("connected"))
}
