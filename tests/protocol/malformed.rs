//! Requests that Terraform never sends: each gets an error as its answer, and the process goes on.

use tencent_simulator::Simulator;
use terraform_provider_tencent::plugin::proto::ConnInfo;
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::diagnostic::Severity;
use terraform_provider_tencent::terraform::proto::{self, Diagnostic, DynamicValue, RawState, ResourceIdentityData};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use crate::host::{Socket, within};
use crate::session::{RESOURCE, Session, host, is_healthy};

/// The answer to one RPC.
type Answer = (&'static str, Result<Vec<Diagnostic>, Status>);

/// Responses with diagnostics.
macro_rules! answers {
    ($session:expr, $($method:ident { $($fields:tt)* })*) => {
        vec![$((
            stringify!($method),
            $session
                .provider()
                .$method(proto::$method::Request { $($fields)* })
                .await
                .map(|answer| answer.into_inner().diagnostics),
        )),*]
    };
}

fn is_error(answer: &Result<Vec<Diagnostic>, Status>) -> bool {
    match answer {
        Ok(diagnostics) => diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error),
        Err(status) => matches!(status.code(), Code::Internal | Code::InvalidArgument),
    }
}

/// Asserts that each answer is an error, and none the answer to a panic.
fn assert_errors(what: &str, session: &Session, answers: &[Answer]) {
    for (rpc, answer) in answers {
        assert!(is_error(answer), "{rpc} with {what}: {answer:?}");
        for diagnostic in answer.iter().flatten() {
            let detail = &diagnostic.detail;
            assert!(
                detail.starts_with(|c: char| !c.is_whitespace()),
                "{rpc} with {what}: a sentence is cut: {detail:?}"
            );
        }
        let log = session.plugin.process.log();
        assert!(!log.contains("panicked"), "{rpc} with {what}: {log}");
    }
}

/// Sends `garbage` in place of each value, in requests that are valid otherwise.
async fn answers_to(session: &Session, garbage: &DynamicValue) -> Vec<Answer> {
    let garbage = Some(garbage.clone());
    let state = session.encode(&session.state("https://example.com"));
    let type_name = || RESOURCE.to_owned();
    let identity = Some(ResourceIdentityData { identity_data: garbage.clone() });
    let mut answers = answers! { session,
        validate_provider_config { config: garbage.clone() }
        validate_resource_config { type_name: type_name(), config: garbage.clone(), client_capabilities: None }
        configure_provider { terraform_version: String::new(), config: garbage.clone(), client_capabilities: None }
        read_resource { type_name: type_name(), current_state: garbage.clone(), ..Default::default() }
        plan_resource_change {
            type_name: type_name(),
            prior_state: garbage.clone(),
            proposed_new_state: state.clone(),
            config: state.clone(),
            ..Default::default()
        }
        plan_resource_change {
            type_name: type_name(),
            prior_state: state.clone(),
            proposed_new_state: garbage.clone(),
            config: state.clone(),
            ..Default::default()
        }
        plan_resource_change {
            type_name: type_name(),
            prior_state: state.clone(),
            proposed_new_state: state.clone(),
            config: garbage.clone(),
            ..Default::default()
        }
        apply_resource_change {
            type_name: type_name(),
            prior_state: garbage.clone(),
            planned_state: state.clone(),
            ..Default::default()
        }
        apply_resource_change {
            type_name: type_name(),
            prior_state: state.clone(),
            planned_state: garbage.clone(),
            ..Default::default()
        }
        import_resource_state {
            type_name: type_name(),
            id: String::new(),
            client_capabilities: None,
            identity: identity.clone(),
        }
    };
    for (name, _) in session.data_sources() {
        answers.extend(answers! { session,
            validate_data_resource_config { type_name: name.to_owned(), config: garbage.clone() }
            read_data_source { type_name: name.to_owned(), config: garbage.clone(), ..Default::default() }
        });
    }
    answers
}

#[tokio::test]
async fn undecodable_values_are_errors() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let good = session.encode(&session.state("https://example.com")).expect("a value").msgpack;
    let msgpack = |bytes: Vec<u8>| DynamicValue { msgpack: bytes, json: Vec::new() };
    let json = |text: String| DynamicValue { msgpack: Vec::new(), json: text.into_bytes() };
    let noise: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (what, garbage) in [
        ("a byte that msgpack never uses", msgpack(vec![0xc1])),
        ("noise", msgpack(noise)),
        ("a value that is cut off", msgpack(good[..good.len() - 1].to_vec())),
        ("a value with more behind it", msgpack([&good[..], &[0xc0]].concat())),
        ("an empty object", msgpack(vec![0x80])),
        ("a string for an object", msgpack(b"\xa3url".to_vec())),
        ("an attribute that is no UTF-8", msgpack(b"\x81\xa3\xff\xff\xff\xc0".to_vec())),
        ("four billion attributes", msgpack(b"\xdf\xff\xff\xff\xff".to_vec())),
        ("four billion elements", msgpack(b"\xdd\xff\xff\xff\xff".to_vec())),
        ("four billion bytes", msgpack(b"\xdb\xff\xff\xff\xff".to_vec())),
        ("an extension of four billion bytes", msgpack(b"\xc9\xff\xff\xff\xff\x00".to_vec())),
        ("an extension that nobody knows", msgpack(b"\xd4\x63\x00".to_vec())),
        ("arrays without end", msgpack(vec![0x91; 100_000])),
        ("maps without end", msgpack(b"\x81\xa3url".repeat(100_000))),
        ("no JSON", json("{".into())),
        ("JSON of another type", json("7".into())),
        ("JSON of other attributes", json("{}".into())),
        ("JSON without end", json("[".repeat(100_000))),
    ] {
        let answers = answers_to(&session, &garbage).await;
        assert!(answers.len() >= 10);
        assert_errors(what, &session, &answers);
        assert!(is_healthy(&session.channel).await, "after {what}");
    }
    assert_eq!(simulator.requests(), [], "nothing reached Tencent");
}

#[tokio::test]
async fn missing_values_are_errors() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let state = session.encode(&session.state("https://example.com"));
    let type_name = || RESOURCE.to_owned();
    let answers = answers! { session,
        validate_provider_config { config: None }
        validate_resource_config { type_name: type_name(), config: None, client_capabilities: None }
        read_resource { type_name: type_name(), ..Default::default() }
        plan_resource_change { type_name: type_name(), ..Default::default() }
        plan_resource_change { type_name: type_name(), proposed_new_state: state.clone(), ..Default::default() }
        upgrade_resource_state { type_name: type_name(), version: 0, raw_state: None }
        upgrade_resource_identity { type_name: type_name(), version: 0, raw_identity: None }
        move_resource_state { target_type_name: type_name(), ..Default::default() }
        configure_provider { ..Default::default() }
    };
    assert_errors("no value", &session, &answers);
    assert!(is_healthy(&session.channel).await);
    assert_eq!(simulator.requests(), [], "nothing reached Tencent");
}

#[tokio::test]
async fn unknown_objects_are_errors_where_they_must_be_known() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let (unknown, state) = (session.encode(&Value::Unknown), session.encode(&session.state("https://example.com")));
    let type_name = || RESOURCE.to_owned();
    let answers = answers! { session,
        read_resource { type_name: type_name(), current_state: unknown.clone(), ..Default::default() }
        apply_resource_change {
            type_name: type_name(),
            prior_state: state,
            planned_state: unknown.clone(),
            ..Default::default()
        }
        apply_resource_change { type_name: type_name(), prior_state: unknown, ..Default::default() }
    };
    assert_errors("an unknown object", &session, &answers);
    assert!(is_healthy(&session.channel).await);
    assert_eq!(simulator.requests(), [], "nothing reached Tencent");
}

#[tokio::test]
async fn unknown_type_names_are_errors() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    for name in ["tencent_no_such_thing", "", "\u{0}", "call_callback"] {
        let type_name = || name.to_owned();
        let raw = Some(RawState { json: b"{}".to_vec(), ..Default::default() });
        let answers = answers! { session,
            validate_resource_config { type_name: type_name(), ..Default::default() }
            validate_data_resource_config { type_name: type_name(), ..Default::default() }
            upgrade_resource_state { type_name: type_name(), version: 0, raw_state: raw.clone() }
            upgrade_resource_identity { type_name: type_name(), version: 0, raw_identity: raw.clone() }
            read_resource { type_name: type_name(), ..Default::default() }
            plan_resource_change { type_name: type_name(), ..Default::default() }
            apply_resource_change { type_name: type_name(), ..Default::default() }
            import_resource_state { type_name: type_name(), id: "1400000001".into(), ..Default::default() }
            move_resource_state { target_type_name: type_name(), source_state: raw.clone(), ..Default::default() }
            read_data_source { type_name: type_name(), ..Default::default() }
        };
        assert_errors(name, &session, &answers);
        for (rpc, answer) in &answers {
            let diagnostics = answer.as_ref().expect("diagnostics, not a failed call");
            assert!(diagnostics[0].detail.contains(&format!("\"{name}\"")), "{rpc}: {diagnostics:?}");
        }
    }
    assert!(is_healthy(&session.channel).await);
}

#[tokio::test]
async fn use_before_configuration_is_an_error() {
    let session = Session::start().await;
    let state = session.encode(&session.state("https://example.com"));
    let config = session.encode(&session.config("https://example.com"));
    let type_name = || RESOURCE.to_owned();
    let mut answers = answers! { session,
        read_resource { type_name: type_name(), current_state: state.clone(), ..Default::default() }
        plan_resource_change {
            type_name: type_name(),
            proposed_new_state: config.clone(),
            config: config.clone(),
            ..Default::default()
        }
        apply_resource_change { type_name: type_name(), planned_state: state.clone(), ..Default::default() }
        import_resource_state { type_name: type_name(), id: "1400000001".into(), ..Default::default() }
    };
    for (name, _) in session.data_sources() {
        answers.extend(answers! { session,
            read_data_source { type_name: name.to_owned(), ..Default::default() }
        });
    }
    assert_errors("no configuration", &session, &answers);
    assert!(is_healthy(&session.channel).await);
}

#[tokio::test]
async fn empty_messages_are_answered() {
    // Some are valid, such as GetMetadata's. What matters is that there is an answer, and that the process goes on.
    for simulator in [None, Some(Simulator::start().expect("a simulator"))] {
        let session = match &simulator {
            Some(simulator) => Session::on(simulator).await,
            None => Session::start().await,
        };
        let answers = answers! { session,
            get_metadata {} get_provider_schema {} get_resource_identity_schemas {} get_functions {}
            validate_provider_config { ..Default::default() }
            validate_resource_config { ..Default::default() }
            validate_data_resource_config { ..Default::default() }
            upgrade_resource_state { ..Default::default() }
            upgrade_resource_identity { ..Default::default() }
            read_resource { ..Default::default() }
            plan_resource_change { ..Default::default() }
            apply_resource_change { ..Default::default() }
            import_resource_state { ..Default::default() }
            move_resource_state { ..Default::default() }
            read_data_source { ..Default::default() }
            validate_list_resource_config { ..Default::default() }
            validate_action_config { ..Default::default() }
            plan_action { ..Default::default() }
            validate_ephemeral_resource_config { ..Default::default() }
            open_ephemeral_resource { ..Default::default() }
            renew_ephemeral_resource { ..Default::default() }
            close_ephemeral_resource { ..Default::default() }
            configure_provider { ..Default::default() }
        };
        for (rpc, answer) in &answers {
            assert!(answer.is_ok(), "{rpc}: {answer:?}");
        }
        let call = session.provider().call_function(proto::call_function::Request::default()).await;
        assert!(call.expect("an answer").into_inner().error.is_some());
        let stop = session.provider().stop_provider(proto::stop_provider::Request {}).await;
        assert_eq!(stop.expect("an answer").into_inner().error, "");
        assert!(is_healthy(&session.channel).await);
        assert!(!session.plugin.process.log().contains("panicked"), "{}", session.plugin.process.log());
    }
}

#[tokio::test]
async fn bytes_of_another_message_are_errors() {
    let session = Session::start().await;
    // Field 1 is a number in this message, and a string or a message in the expected ones.
    let other = ConnInfo { service_id: 7, ..Default::default() };
    for rpc in ["ValidateProviderConfig", "ValidateResourceConfig", "ReadResource", "ApplyResourceChange"] {
        let mut grpc = tonic::client::Grpc::new(session.channel.clone());
        grpc.ready().await.expect("a connection");
        let path = PathAndQuery::try_from(format!("/tfplugin6.Provider/{rpc}")).expect("a path");
        let codec = tonic_prost::ProstCodec::<ConnInfo, ConnInfo>::default();
        let answer = grpc.unary(Request::new(other.clone()), path, codec).await;
        let status = answer.expect_err("no such message");
        assert!(matches!(status.code(), Code::Internal | Code::InvalidArgument), "{rpc}: {status:?}");
        assert!(is_healthy(&session.channel).await, "after {rpc}");
    }
}

#[tokio::test]
async fn bytes_that_are_not_http2_close_the_connection() {
    let plugin = host().without_tls().start().await;
    let channel = plugin.connect().await;
    for bytes in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0; 1000], &[0xff; 1000]] {
        let mut stream = Socket::connect(plugin.handshake.address()).await.expect("a connection");
        stream.write_all(bytes).await.expect("written");
        // The connection closes, after an answer or without.
        let _ = within("the end of the connection", stream.read_to_end(&mut Vec::new())).await;
        assert!(is_healthy(&channel).await);
    }
}
