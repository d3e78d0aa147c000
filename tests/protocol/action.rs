//! The action: posts a sample event to a receiver, and reports its answer.

use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tencent_simulator::{Action, Configuration, Event, Fault, FaultKind, Receiver, Reply, Service, Simulator, Token};
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::invoke_action::event::Type;
use terraform_provider_tencent::terraform::proto::{self, Diagnostic};
use tokio_stream::StreamExt as _;
use url::Url;

use crate::services::SERVICES;
use crate::session::{Session, blamed, encode, nothing, text, the_error, type_of, with};

const PROBE: &str = "tencent_callback_probe";
const COMMAND: &str = "Call.CallbackAfterEndCall";

pub(crate) fn config<'a>(session: &Session, arguments: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let config = with(nothing(session.action_schema(PROBE)), [("callback_command", text(COMMAND))]);
    with(config, arguments)
}

/// Invokes the action, and returns its progress messages and final diagnostics.
pub(crate) async fn invoke(session: &Session, config: &Value) -> (Vec<String>, Vec<Diagnostic>) {
    let request = proto::invoke_action::Request {
        action_type: PROBE.into(),
        config: Some(encode(config, &type_of(session.action_schema(PROBE)))),
        client_capabilities: None,
    };
    let events = session.provider().invoke_action(request).await.expect("a stream").into_inner();
    let events: Vec<_> = events.map(|event| event.expect("an event").r#type.expect("a type")).collect().await;
    let (mut told, mut end) = (Vec::new(), None);
    for event in events {
        assert_eq!(end, None, "the end comes last");
        match event {
            Type::Progress(progress) => told.push(progress.message),
            Type::Completed(completed) => end = Some(completed.diagnostics),
        }
    }
    (told, end.expect("an end"))
}

#[tokio::test]
async fn a_probe_posts_the_event_as_tencent_does() {
    let (simulator, receiver) = (Simulator::start().expect("a simulator"), Receiver::start().expect("a receiver"));
    let session = Session::on(&simulator).await;
    let there = format!("{}/call?token=tok3n", receiver.url().replace("//", "//user:tok3n@"));
    simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, Configuration::new(&there, [COMMAND]));
    for (url, calls) in [(text(&there), 0), (Value::Null, 1)] {
        let config = config(&session, [("url", url), ("allow_private", Value::Bool(true))]);
        let (told, diagnostics) = invoke(&session, &config).await;
        assert_eq!((told.len(), diagnostics.as_slice()), (2, &[][..]), "{told:?} {diagnostics:?}");
        assert!(
            told[0].starts_with("Posting Call.CallbackAfterEndCall of SDKAppID 1400000001 to http://***@"),
            "{told:?}"
        );
        assert!(told[1].starts_with("The receiver answered after "), "{told:?}");
        assert!(told[1].ends_with(" ms, with status 200, ActionStatus \"OK\" and ErrorCode 0"), "{told:?}");
        assert!(!format!("{told:?}").contains("tok3n"));
        assert_eq!(simulator.take_requests().len(), calls);

        let events = receiver.take();
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!(
            (event.method.as_str(), event.target.as_str()),
            (
                "POST",
                "/call?token=tok3n&SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall&contenttype=json\
                 &ClientIP=127.0.0.1&OptPlatform=Unknown"
            )
        );
        let header = |name: &str| event.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert!(header("user-agent").is_some_and(|agent| agent.ends_with("(callback probe)")), "{event:?}");
        assert_eq!((header("authorization"), header("cookie")), (None, None));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(
            (&event.body["CallbackCommand"], &event.body["CallRecord"]["CallId"]),
            (&COMMAND.into(), &"00000000-0000-0000-0000-000000000000".into())
        );
    }
}

#[tokio::test]
async fn an_action_of_the_older_api_has_the_names_of_that_api() {
    let (simulator, receiver) = (Simulator::start().expect("a simulator"), Receiver::start().expect("a receiver"));
    let session = Session::on(&simulator).await;
    let there = Configuration::new(format!("{}/call?key=1", receiver.url()), ["caller_start_call"]);
    simulator.put_configuration(Service::LegacyCall, Simulator::SDK_APP_ID, there);
    let action = [("callback_command", text("caller_start_call")), ("allow_private", Value::Bool(true))];
    let config = config(&session, action);

    receiver.replies(Reply { delay: Duration::from_millis(2100), ..Reply::of_version_1() });
    let (told, diagnostics) = invoke(&session, &config).await;
    assert_eq!(diagnostics, [], "no time limit is documented");
    assert!(told[1].ends_with(" ms, with status 200 and ErrorCode 0"), "{told:?}");
    let events = receiver.take();
    let [event] = &events[..] else { panic!("{events:?}") };
    let query = "/call?key=1&sdkappid=1400000001&command=caller_start_call&contenttype=json&clientip=127.0.0.1\
                 &optplatform=Unknown";
    assert_eq!(event.target, query);
    assert_eq!((&event.body["Event"], &event.body["CallResult"]), (&"start_call".into(), &"".into()));
    assert_eq!(event.body.get("CallbackCommand"), None);

    for (reply, said) in [
        (Reply::default(), "lacks ErrorCode or ErrorMessage. Answer {\"ErrorCode\":0,\"ErrorMessage\":\"Success\"}"),
        (
            Reply { body: r#"{"ErrorCode":7,"ErrorMessage":"who?"}"#.to_owned(), ..Reply::default() },
            "answered with ErrorCode 7 and ErrorMessage \"who?\"",
        ),
    ] {
        receiver.replies(reply);
        let (_, diagnostics) = invoke(&session, &config).await;
        assert!(the_error(&diagnostics).detail.contains(said), "{diagnostics:?}");
    }
}

#[tokio::test]
async fn a_probe_tells_whether_the_answer_allows_a_gift() {
    let (simulator, receiver) = (Simulator::start().expect("a simulator"), Receiver::start().expect("a receiver"));
    let session = Session::on(&simulator).await;
    let arguments = [
        ("callback_command", text("Live.CallbackBeforeSendGift")),
        ("url", text(&receiver.url())),
        ("allow_private", Value::Bool(true)),
    ];
    let config = config(&session, arguments);
    for (code, decision) in [(0, "allows"), (1, "blocks"), (102_100, "blocks")] {
        let body = format!(r#"{{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":{code}}}"#);
        receiver.replies(Reply { body, ..Reply::default() });
        let (told, diagnostics) = invoke(&session, &config).await;
        assert_eq!(diagnostics, []);
        assert!(told[1].ends_with(&format!(" and ErrorCode {code}, which {decision} the gift")), "{told:?}");
    }
}

/// Returns a query parameter of an event's URL.
fn parameter(event: &Event, name: &str) -> Option<String> {
    let url = Url::parse("http://receiver").and_then(|url| url.join(&event.target)).expect("a URL");
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn live_events_are_signed_as_tencent_signs_them() {
    const SEATS: &str = "Mic.CallbackAfterSeatInfoChanged";
    let (simulator, receiver) = (Simulator::start().expect("a simulator"), Receiver::start().expect("a receiver"));
    let session = Session::on(&simulator).await;
    let there = format!("{}/live?key=1", receiver.url());
    let commands = [COMMAND, SEATS, "Live.CallbackAfterCreateRoom"];
    for of in SERVICES {
        simulator.put_configuration(of.service, Simulator::SDK_APP_ID, Configuration::new(&there, commands));
    }
    let probe = async |session: &Session, command: &str, service: Option<&str>, url: Option<&str>| {
        let optional = |value: Option<&str>| value.map_or(Value::Null, text);
        let arguments = [
            ("callback_command", text(command)),
            ("service", optional(service)),
            ("url", optional(url)),
            ("allow_private", Value::Bool(true)),
        ];
        let (told, diagnostics) = invoke(session, &config(session, arguments)).await;
        assert_eq!(diagnostics, []);
        assert!(!format!("{told:?}").contains("tok3n"), "{told:?}");
        let mut events = receiver.take();
        assert_eq!(events.len(), 1, "{events:?}");
        (told[0].clone(), events.remove(0))
    };
    let create = "Live.CallbackAfterCreateRoom";
    let set = |token: &str, enabled| simulator.put_token(Simulator::SDK_APP_ID, Token::new(token, enabled));

    set("tok3n/first", true);
    for url in [None, Some(there.as_str())] {
        for (command, service) in [(create, None), (SEATS, Some("live"))] {
            let (told, event) = probe(&session, command, service, url).await;
            assert!(told.ends_with(", signed with the application's Live callback token"), "{told}");
            let time = parameter(&event, "RequestTime").expect("a time");
            let seconds = Duration::from_secs(time.parse().expect("Unix seconds"));
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
            assert!(now.saturating_sub(seconds) < Duration::from_secs(60) && seconds <= now, "{time}");
            let digest = Sha256::digest(format!("tok3n/first{time}"));
            let expected: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(parameter(&event, "Sign"), Some(expected));
            assert_eq!(parameter(&event, "key").as_deref(), Some("1"));
        }
        // Neither Call nor Room signs.
        for (command, service) in [(COMMAND, None), (SEATS, Some("room"))] {
            let (told, event) = probe(&session, command, service, url).await;
            assert!(!told.contains("signed"), "{told}");
            assert_eq!((parameter(&event, "Sign"), parameter(&event, "RequestTime")), (None, None));
        }
    }

    // A disabled token, no token, and a token that cannot be read.
    let unsigned = async |session: &Session, url: Option<&str>, why: &str| {
        let (told, event) = probe(session, create, None, url).await;
        assert!(told.ends_with(&format!(", unsigned: {why}")), "{told}");
        assert_eq!((parameter(&event, "Sign"), parameter(&event, "RequestTime")), (None, None));
    };
    set("tok3n/first", false);
    unsigned(&session, None, "the application has no enabled Live callback token").await;
    simulator.remove_token(Simulator::SDK_APP_ID);
    unsigned(&session, Some(&there), "the application has no enabled Live callback token").await;
    set("tok3n/first", true);
    let kind = FaultKind::ErrorCode { code: 60010, info: "made to fail".into() };
    simulator.inject(Fault::new(kind).on(Action::GetToken));
    let arguments = [("callback_command", text(create)), ("url", text(&there)), ("allow_private", Value::Bool(true))];
    let (told, diagnostics) = invoke(&session, &config(&session, arguments)).await;
    let error = the_error(&diagnostics);
    assert_eq!(error.summary, "Reading the Live callback token of SDKAppID 1400000001 failed");
    assert_eq!((told, receiver.take()), (Vec::new(), Vec::new()));

    // Without credentials, a URL still can be probed.
    let without = with(session.provider_config(&simulator), [("secret_key", Value::Null)]);
    session.configure(&without).await;
    unsigned(&session, Some(&there), "without credentials, the Live callback token cannot be looked up").await;
    // So nothing but the application is missing here.
    session.configure(&with(without, [("sdk_app_id", Value::Null)])).await;
    let arguments = [("callback_command", text(create)), ("url", text(&there)), ("allow_private", Value::Bool(true))];
    let (_, diagnostics) = invoke(&session, &config(&session, arguments)).await;
    assert_eq!(the_error(&diagnostics).summary, "No SDKAppID");
}

#[tokio::test]
async fn a_bad_answer_of_the_receiver_is_explained() {
    let receiver = Receiver::start().expect("a receiver");
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let elsewhere = Receiver::start().expect("a receiver");
    let reply = |status: &str, body: &str| Reply { status: status.into(), body: body.into(), ..Reply::default() };
    let location = vec![format!("Location: {}/", elsewhere.url())];
    for (reply, said) in [
        (Some(reply("500 Internal Server Error", "{}")), "HTTP status 500 Internal Server Error"),
        (Some(reply("204 No Content", "")), "HTTP status 204 No Content"),
        (Some(Reply { headers: location, ..reply("302 Found", "") }), "Redirects are not followed"),
        (Some(reply("200 OK", "OK")), "the server's answer is not JSON"),
        (Some(reply("200 OK", &"x".repeat(100_000))), "the server's answer is longer than 64 KiB"),
        (Some(reply("200 OK", r#"{"ActionStatus":"OK"}"#)), "lacks ActionStatus, ErrorCode or ErrorInfo"),
        (
            Some(reply("200 OK", r#"{"ActionStatus":"FAIL","ErrorInfo":"who?","ErrorCode":7}"#)),
            "ActionStatus \"FAIL\", ErrorCode 7 and ErrorInfo \"who?\"",
        ),
        (Some(Reply { delay: Duration::from_millis(2100), ..Reply::default() }), "Tencent waits 2 seconds"),
        (None, "the connection was lost before the answer was complete"),
    ] {
        receiver.replies(reply);
        let arguments = [("url", text(&receiver.url())), ("allow_private", Value::Bool(true))];
        let (told, diagnostics) = invoke(&session, &config(&session, arguments)).await;
        let error = the_error(&diagnostics);
        assert_eq!(told.len(), 1, "{said}");
        assert!(error.detail.to_lowercase().contains(&said.to_lowercase()), "{said}: {}", error.detail);
        assert!(error.summary.starts_with("The callback probe of http://127.0.0.1:"), "{error:?}");
    }
    assert_eq!(elsewhere.take(), [], "no redirect is followed");
}

#[tokio::test]
async fn private_addresses_are_not_probed() {
    let receiver = Receiver::start().expect("a receiver");
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    for url in [receiver.url(), receiver.url().replace("127.0.0.1", "localhost"), "http://169.254.169.254/".into()] {
        for allow_private in [Value::Null, Value::Bool(false)] {
            let config = config(&session, [("url", text(&url)), ("allow_private", allow_private)]);
            let (_, diagnostics) = invoke(&session, &config).await;
            assert!(the_error(&diagnostics).detail.contains("set allow_private to true"), "{diagnostics:?}");
        }
    }
    assert_eq!(receiver.take(), []);
}

#[tokio::test]
async fn probing_an_application_without_a_configuration_is_an_error() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let (told, diagnostics) = invoke(&session, &config(&session, [])).await;
    assert_eq!(told, [""; 0]);
    assert_eq!(the_error(&diagnostics).summary, "SDKAppID 1400000001 has no Call callback configuration");
    simulator.inject(Fault::new(FaultKind::ErrorCode { code: 70009, info: "made to fail".into() }));
    let (_, diagnostics) = invoke(&session, &config(&session, [])).await;
    assert!(the_error(&diagnostics).detail.contains("error 70009"), "{diagnostics:?}");
}

#[tokio::test]
async fn stopping_interrupts_a_probe() {
    let receiver = Receiver::start().expect("a receiver");
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    receiver.replies(Reply { delay: Duration::from_secs(30), ..Reply::default() });
    let config = config(&session, [("url", text(&receiver.url())), ("allow_private", Value::Bool(true))]);
    let stop = async {
        while receiver.take().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
    };
    let ((_, diagnostics), ()) = tokio::join!(invoke(&session, &config), stop);
    assert_eq!(the_error(&diagnostics).summary, "The callback probe was interrupted");
}

#[tokio::test]
async fn arguments_are_validated_and_can_be_unknown() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on_unknown(&simulator).await;
    let ty = type_of(session.action_schema(PROBE));
    for (name, value, refused) in [
        ("callback_command", text("Call.Nothing"), true),
        ("callback_command", Value::Null, true),
        ("url", text("hooks.example.com"), true),
        ("url", Value::Unknown, false),
    ] {
        let config = Some(encode(&config(&session, [(name, value)]), &ty));
        let request = proto::validate_action_config::Request { type_name: PROBE.into(), config: config.clone() };
        let answer = session.provider().validate_action_config(request).await.expect("an answer").into_inner();
        match refused {
            true => assert_eq!(blamed(the_error(&answer.diagnostics)), Some(name)),
            false => assert_eq!(answer.diagnostics, []),
        }
        let request = proto::plan_action::Request { action_type: PROBE.into(), config, client_capabilities: None };
        let planned = session.provider().plan_action(request).await.expect("an answer").into_inner();
        // Values of variables are known only when planning.
        match refused {
            true => assert_eq!(blamed(the_error(&planned.diagnostics)), Some(name)),
            false => assert_eq!((planned.diagnostics.as_slice(), planned.deferred), (&[][..], None)),
        }
    }
    let (_, diagnostics) = invoke(&session, &config(&session, [])).await;
    assert_eq!(the_error(&diagnostics).summary, "The provider's configuration is not known yet");
}
