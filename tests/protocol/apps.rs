//! Mistakes in the entries of the provider's `apps`. Over a path into a map, Terraform may panic; for a path to the map,
//! it prints all of the map, secrets included.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use terraform_provider_tencent::tencent::UserSig;
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{self, Diagnostic, DynamicValue};

use crate::session::{Session, encode, nothing, number, text, type_of, with};

const ID: u64 = 1_400_000_001;
const KEY: &str = "s3cret";

fn user_sig(id: u64, identifier: &str, issued: SystemTime) -> Value {
    let id = id.try_into().expect("an SDKAppID");
    let lifetime = Duration::from_secs(2 * 24 * 60 * 60);
    text(UserSig::sign(&KEY.to_owned().into(), identifier, id, issued, lifetime).expose())
}

/// Returns what an entry's arguments can be: right and wrong, each in every way.
fn arguments() -> [(&'static str, Vec<Value>); 5] {
    let now = SystemTime::now();
    let user_sigs = vec![
        Value::Null,
        text("s3cret"),
        user_sig(ID, "administrator", now),
        user_sig(ID + 1, "administrator", now),
        user_sig(ID, "someone", now),
        user_sig(ID, "administrator", SystemTime::UNIX_EPOCH),
        Value::Unknown,
    ];
    let keys = vec![Value::Null, text(""), text("s3cret s3cret"), text(KEY), text("s3cret-2"), Value::Unknown];
    [
        ("secret_key", keys),
        ("user_sig", user_sigs),
        ("identifier", vec![Value::Null, text(""), text("someone")]),
        ("region", vec![Value::Null, text("mars"), text("seoul")]),
        ("endpoint", vec![Value::Null, text("http://10.0.0.1"), text("https://gateway.example.com")]),
    ]
}

/// Returns every entry.
fn entries() -> Vec<Value> {
    arguments().iter().fold(vec![Value::Object([].into())], |entries, (name, values)| {
        let with_each = |entry: &Value| {
            let Value::Object(entry) = entry.clone() else { unreachable!("an entry is an object") };
            values.iter().map(move |value| {
                let mut entry = entry.clone();
                entry.insert((*name).to_owned(), value.clone());
                Value::Object(entry)
            })
        };
        entries.iter().flat_map(with_each).collect()
    })
}

/// Validates the provider block and configures the provider with it. Returns all diagnostics.
async fn answers(session: &Session, config: DynamicValue) -> Vec<Diagnostic> {
    let request = proto::validate_provider_config::Request { config: Some(config.clone()) };
    let validated = session.provider().validate_provider_config(request).await.expect("an answer").into_inner();
    let request = proto::configure_provider::Request { config: Some(config), ..Default::default() };
    let configured = session.provider().configure_provider(request).await.expect("an answer").into_inner();
    [validated.diagnostics, configured.diagnostics].concat()
}

/// Asserts that a diagnostic has no path, and that its words name the entry or its key.
#[track_caller]
fn assert_says(diagnostic: &Diagnostic, name: &str) {
    assert_eq!(diagnostic.attribute, None, "{diagnostic:#?}");
    let said = format!("{}: {}", diagnostic.summary, diagnostic.detail);
    assert!(said.contains(name) && !said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn diagnostics_of_entries_have_no_path() {
    let session = Session::start().await;
    let ty = type_of(session.provider_schema());
    let fleet = nothing(session.provider_schema());
    let default = with(fleet.clone(), [("sdk_app_id", number(ID)), ("secret_key", text(KEY))]);
    let mut summaries = BTreeSet::new();
    for (block, entry) in
        [fleet.clone(), default].iter().flat_map(|block| entries().into_iter().map(move |e| (block, e)))
    {
        let apps = Value::Object([(ID.to_string(), entry)].into());
        for diagnostic in answers(&session, encode(&with(block.clone(), [("apps", apps)]), &ty)).await {
            assert_says(&diagnostic, &format!("apps[\"{ID}\"]"));
            summaries.insert(diagnostic.summary);
        }
    }
    let arguments = ["", ".endpoint", ".identifier", ".region", ".secret_key", ".user_sig"];
    let invalid = arguments.map(|argument| format!("Invalid provider argument apps[\"{ID}\"]{argument}"));
    let all = ["A UserSig expires soon", "The UserSig cannot be used"].map(str::to_owned).into_iter().chain(invalid);
    assert_eq!(summaries, all.collect());

    for key in ["", "0", "01", "-1", "1.5", "calls", "a\"]", "null", "4294967296", "\u{202e}"] {
        let entries = [(1, KEY.to_owned())];
        let Value::Object(mut apps) = session.apps(entries) else { unreachable!("apps is a map") };
        apps.insert(key.to_owned(), apps["1"].clone());
        let config = encode(&with(fleet.clone(), [("apps", Value::Object(apps))]), &ty);
        let diagnostics = answers(&session, config).await;
        assert_eq!(diagnostics.len(), 2, "once when validating, once when configuring: {diagnostics:#?}");
        for diagnostic in diagnostics {
            assert_says(&diagnostic, &format!("{key:?}"));
        }
    }
}
