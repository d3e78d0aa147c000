//! The ephemeral resource: signs a new UserSig whenever it is opened.

use std::time::{Duration, SystemTime};

use tencent_simulator::Simulator;
use terraform_provider_tencent::tencent::UserSig;
use terraform_provider_tencent::terraform::{Value, codec, proto};

use crate::session::{Session, blamed, encode, nothing, number, text, the_error, type_of, with};

const USER_SIG: &str = "tencent_user_sig";

fn config<'a>(session: &Session, arguments: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    with(nothing(session.ephemeral_schema(USER_SIG)), arguments)
}

async fn open(session: &Session, config: &Value) -> proto::open_ephemeral_resource::Response {
    let request = proto::open_ephemeral_resource::Request {
        type_name: USER_SIG.into(),
        config: Some(encode(config, &type_of(session.ephemeral_schema(USER_SIG)))),
        client_capabilities: None,
    };
    session.provider().open_ephemeral_resource(request).await.expect("an answer").into_inner()
}

fn result(session: &Session, answer: &proto::open_ephemeral_resource::Response) -> Value {
    assert_eq!(answer.diagnostics, []);
    codec::decode(answer.result.as_ref(), &type_of(session.ephemeral_schema(USER_SIG))).expect("a result")
}

fn user_sig(result: &Value) -> UserSig {
    let Value::String(user_sig) = result.attribute("user_sig") else { panic!("{result:?}") };
    user_sig.clone().into()
}

#[tokio::test]
async fn a_user_sig_is_signed_for_the_requested_user() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;
    let id = Simulator::SDK_APP_ID;
    for (arguments, user_id, expires_in, lifetime) in [
        (vec![], "administrator", "1h", 3600),
        (vec![("user_id", text("alice")), ("expires_in", text("180d"))], "alice", "180d", 180 * 86_400),
        (vec![("sdk_app_id", number(id)), ("expires_in", text("1500ms"))], "administrator", "1500ms", 1),
    ] {
        let before = SystemTime::now() - Duration::from_secs(1);
        let answer = open(&session, &config(&session, arguments)).await;
        assert_eq!(answer.renew_at, None, "it cannot be prolonged");
        let result = result(&session, &answer);
        let claims = user_sig(&result).claims().expect("claims");
        assert_eq!((claims.identifier.as_str(), claims.sdk_app_id, claims.lifetime), (user_id, id, lifetime));
        let issued = SystemTime::UNIX_EPOCH + Duration::from_secs(claims.issued_at);
        assert!((before..=SystemTime::now()).contains(&issued));
        for (name, value) in [("sdk_app_id", number(id)), ("user_id", text(user_id)), ("expires_in", text(expires_in))]
        {
            assert_eq!(result.attribute(name), &value);
        }
        let expiry = humantime::format_rfc3339_seconds(claims.expiry().expect("a time")).to_string();
        assert_eq!(result.attribute("expires_at"), &text(&expiry));

        let request = proto::close_ephemeral_resource::Request { type_name: USER_SIG.into(), private: answer.private };
        let closed = session.provider().close_ephemeral_resource(request).await.expect("an answer").into_inner();
        assert_eq!(closed.diagnostics, []);
    }
    assert_eq!(simulator.requests(), [], "Tencent is not asked");
}

#[tokio::test]
async fn without_the_key_no_user_sig_is_signed() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::start().await;
    let (id, key) = (Simulator::SDK_APP_ID.to_string().parse().expect("an id"), "tok3n".to_owned().into());
    let theirs = UserSig::sign(&key, "administrator", id, SystemTime::now(), Duration::from_secs(3600));
    let credentials = [("secret_key", Value::Null), ("user_sig", text(theirs.expose()))];
    session.configure(&with(session.provider_config(&simulator), credentials)).await;
    let answer = open(&session, &config(&session, [])).await;
    let error = the_error(&answer.diagnostics);
    assert_eq!(error.summary, format!("No SecretKey for SDKAppID {}", Simulator::SDK_APP_ID));
    assert!(error.detail.contains("holds only the UserSig (the provider's user_sig)"), "{error:?}");
    assert!(!error.detail.contains(theirs.expose()) && answer.result.is_none());

    let other = open(&session, &config(&session, [("sdk_app_id", number(7))])).await;
    assert!(the_error(&other.diagnostics).summary.contains("no credentials for SDKAppID 7"), "{other:?}");
}

#[tokio::test]
async fn without_credentials_the_secret_key_is_asked_for() {
    let session = Session::start().await;
    let empty = nothing(session.provider_schema());
    for (block, errors) in [(with(empty.clone(), [("sdk_app_id", number(7))]), 1), (empty, 2)] {
        session.configure(&block).await;
        let answer = open(&session, &config(&session, [])).await;
        assert_eq!(answer.diagnostics.len(), errors, "{answer:?}");
        let error = the_error(&answer.diagnostics[errors - 1..]);
        assert_eq!(error.summary, "The provider \"tencent\" has no credentials");
        let help = "Set the provider's secret_key, or the environment variable TENCENT_SECRET_KEY, to the application's SecretKey";
        let no_help = "user_sig and TENCENT_USER_SIG do not help here";
        assert!(error.detail.starts_with(help) && error.detail.contains(no_help), "{error:?}");
    }
}

#[tokio::test]
async fn an_unknown_provider_opens_with_unknown_results() {
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on_unknown(&simulator).await;
    let mut answer = open(&session, &config(&session, [("user_id", text("alice"))])).await;
    // A host that accepts no unknown results adds its own error to this warning.
    let warnings: Vec<_> = answer.diagnostics.drain(..).map(|warning| warning.summary).collect();
    assert_eq!(warnings, ["The ephemeral resource cannot be opened yet"]);
    let result = result(&session, &answer);
    for (name, value) in [("user_sig", Value::Unknown), ("expires_at", Value::Unknown), ("user_id", text("alice"))] {
        assert_eq!(result.attribute(name), &value);
    }
}

#[tokio::test]
async fn arguments_are_validated() {
    let session = Session::start().await;
    for (name, value) in [("sdk_app_id", number(0)), ("user_id", text("")), ("expires_in", text("181d"))] {
        let request = proto::validate_ephemeral_resource_config::Request {
            type_name: USER_SIG.into(),
            config: Some(encode(&config(&session, [(name, value)]), &type_of(session.ephemeral_schema(USER_SIG)))),
        };
        let answer = session.provider().validate_ephemeral_resource_config(request).await.expect("an answer");
        assert_eq!(blamed(the_error(&answer.into_inner().diagnostics)), Some(name));
    }
}
