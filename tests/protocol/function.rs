//! Functions: results, and the arguments they refuse. They need no configuration.

use std::time::{Duration, SystemTime};

use terraform_provider_tencent::tencent::UserSig;
use terraform_provider_tencent::terraform::{Type, Value, codec, proto};

use crate::session::{Session, encode, number, text};

/// Calls a function, and returns its result, or its error and the position of the argument at fault.
async fn call(session: &Session, name: &str, arguments: &[Value]) -> Result<Value, (String, Option<i64>)> {
    let functions = session.provider().get_functions(proto::get_functions::Request {}).await;
    let function = functions.expect("an answer").into_inner().functions.remove(name).expect("the function");
    let returns = Type::from_json(&function.r#return.expect("a return type").r#type).expect("a type");
    let arguments = arguments.iter().map(|argument| encode(argument, &Type::String)).collect();
    let request = proto::call_function::Request { name: name.into(), arguments };
    let answer = session.provider().call_function(request).await.expect("an answer").into_inner();
    match answer.error {
        None => Ok(codec::decode(answer.result.as_ref(), &returns).expect("a value of the type")),
        Some(error) => Err((error.text, error.function_argument)),
    }
}

#[tokio::test]
async fn functions_return_the_documented_results() {
    let session = Session::start().await;
    let commands = call(&session, "callback_commands", &[text("call")]).await.expect("commands");
    let Value::List(commands) = commands else { panic!("{commands:?}") };
    assert!(commands.contains(&text("Call.CallbackAfterEndCall")));

    let (id, key) = ("1400000001".parse().expect("an SDKAppID"), "tok3n".to_owned().into());
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let user_sig = UserSig::sign(&key, "administrator", id, at, Duration::from_secs(60));
    let claims = call(&session, "user_sig_claims", &[text(user_sig.expose())]).await.expect("claims");
    let expected = [
        ("identifier", text("administrator")),
        ("sdk_app_id", number(1_400_000_001)),
        ("issued_at", text("2023-11-14T22:13:20Z")),
        ("expires_at", text("2023-11-14T22:14:20Z")),
    ];
    assert_eq!(claims, Value::Object(expected.map(|(name, value)| (name.to_owned(), value)).into()));

    let signature = call(&session, "callback_signature", &[text("xxxxyyyy"), text("1669872112")]).await;
    assert_eq!(signature, Ok(text("17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061")));
}

#[tokio::test]
async fn a_refused_argument_is_blamed_without_being_quoted() {
    let session = Session::start().await;
    for name in ["callback_commands", "user_sig_claims"] {
        let (said, blamed) = call(&session, name, &[text("tok3n")]).await.expect_err(name);
        assert_eq!(blamed, Some(0), "{said}");
        assert!(!said.contains("tok3n") && !said.ends_with('.'), "{said}");
        let (said, blamed) = call(&session, name, &[Value::Null]).await.expect_err(name);
        assert_eq!((said.as_str(), blamed), ("a string is required", Some(0)));
        assert_eq!(call(&session, name, &[Value::Unknown]).await, Ok(Value::Unknown));
        let (said, blamed) = call(&session, name, &[]).await.expect_err(name);
        assert_eq!((said.as_str(), blamed), ("Terraform sent 0 arguments instead of 1", None));
    }
    for (token, request_time, position) in [(" tok3n", "1669872112", 0), ("", "1669872112", 0), ("tok3n", "1.6e9", 1)] {
        let (said, blamed) =
            call(&session, "callback_signature", &[text(token), text(request_time)]).await.expect_err(request_time);
        assert_eq!(blamed, Some(position), "{said}");
        assert!(!said.contains("tok3n") && !said.ends_with('.'), "{said}");
    }
}

#[tokio::test]
async fn unknown_functions_are_errors() {
    let session = Session::start().await;
    let functions = session.provider().get_functions(proto::get_functions::Request {}).await;
    let functions = functions.expect("an answer").into_inner();
    assert_eq!(functions.diagnostics, []);
    assert!(!functions.functions.contains_key("no_such_function"));
    let request = proto::call_function::Request { name: "no_such_function".into(), arguments: Vec::new() };
    let answer = session.provider().call_function(request).await.expect("an answer").into_inner();
    assert_eq!(answer.result, None);
    assert!(answer.error.expect("an error").text.contains("no_such_function"));
}
