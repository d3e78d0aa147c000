//! Standard error: log lines in Terraform's format, at the level asked for.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use tencent_simulator::{Configuration, Fault, FaultKind, Service, Simulator};
use terraform_provider_tencent::terraform::proto;

use crate::session::{Session, host};

/// Runs a provider that logs at each level from DEBUG to WARN, with these variables set, and returns its log.
async fn log_with(variables: &[(&str, &str)], simulator: &Simulator) -> Vec<Json> {
    // A host of another protocol version causes the warning.
    let host = variables.iter().fold(host().env("PLUGIN_PROTOCOL_VERSIONS", "5"), |host, (n, v)| host.env(n, v));
    let mut session = Session::start_by(&host).await;
    session.configure(&session.provider_config(simulator)).await;
    session.read(&session.state("https://example.com/hook")).await;
    session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
    let ended = session.plugin.shut_down().await;
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ended.stderr.lines().map(parse).collect()
}

fn levels(log: &[Json]) -> BTreeSet<&str> {
    log.iter().map(|line| line["@level"].as_str().expect("a level")).collect()
}

#[tokio::test]
async fn the_most_specific_log_variable_decides() {
    const OWN: &str = "TF_LOG_PROVIDER_TENCENT";
    const PROVIDERS: &str = "TF_LOG_PROVIDER";
    const ALL: &str = "TF_LOG";
    let (warn, info, debug) = (&["warn"][..], &["info", "warn"][..], &["debug", "info", "warn"][..]);
    let simulator = Simulator::start().expect("a simulator");
    for (variables, expected) in [
        (&[][..], warn),
        (&[(ALL, "debug")], debug),
        (&[(ALL, "INFO")], info),
        (&[(ALL, "Warn")], warn),
        (&[(ALL, "ERROR")], &[]),
        (&[(ALL, "OFF")], &[]),
        // Terraform treats these as TRACE.
        (&[(ALL, "JSON")], debug),
        (&[(ALL, "1")], debug),
        (&[(ALL, "ERROR"), (PROVIDERS, "INFO")], info),
        (&[(ALL, "TRACE"), (PROVIDERS, "OFF")], &[]),
        (&[(ALL, "ERROR"), (PROVIDERS, "ERROR"), (OWN, "DEBUG")], debug),
        (&[(ALL, "TRACE"), (PROVIDERS, "TRACE"), (OWN, "WARN")], warn),
        (&[(ALL, "INFO"), (PROVIDERS, ""), (OWN, "")], info),
        (&[("TF_LOG_PROVIDER_OTHER", "TRACE"), ("TF_LOG_CORE", "TRACE")], warn),
    ] {
        let log = log_with(variables, &simulator).await;
        assert_eq!(levels(&log), expected.iter().copied().collect(), "{variables:?}: {log:#?}");
    }
}

#[tokio::test]
async fn each_log_line_has_terraforms_format() {
    let simulator = Simulator::start().expect("a simulator");
    let log = log_with(&[("TF_LOG", "TRACE")], &simulator).await;
    assert!(log.len() >= 4, "{log:#?}");
    for line in &log {
        let field = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("no {name} in {line}"));
        assert!(["trace", "debug", "info", "warn", "error"].contains(&field("@level")), "{line}");
        assert!(!field("@message").is_empty(), "{line}");
        assert!(field("@module") == "provider" || field("@module").starts_with("provider."), "{line}");
        let (_, fraction) = field("@timestamp").split_once('.').expect("parts of a second");
        assert_eq!(fraction.trim_end_matches('Z').len(), 6, "microseconds: {line}");
        humantime::parse_rfc3339(field("@timestamp")).expect("a time in RFC 3339");
    }
    let messages: Vec<_> = log.iter().map(|line| (&line["@message"], &line["tf_rpc"])).collect();
    assert!(messages.contains(&(&"configuring the provider".into(), &"configure_provider".into())), "{messages:?}");
}

#[tokio::test]
async fn each_answer_is_one_line_with_its_code_and_how_long_it_took() {
    let simulator = Simulator::start().expect("a simulator");
    simulator.inject(Fault::new(FaultKind::Status { code: 502, retry_after: None, processed: false }).times(1));
    let answers = async || -> Vec<_> {
        let log = log_with(&[("TF_LOG", "DEBUG")], &simulator).await;
        let of_calls = log.into_iter().filter(|line| !line["duration"].is_null());
        of_calls.map(|line| (line["@message"].clone(), line["code"].clone(), line["request_id"].is_string())).collect()
    };
    // The first answer is a gateway's. The next says that nothing is configured.
    assert_eq!(
        answers().await,
        [(json!("no usable answer"), json!(null), false), (json!("answered"), json!(100_301), true)]
    );
    let configuration = Configuration::new("https://example.com/hook", ["Call.CallbackAfterStartCall"]);
    simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, configuration);
    assert_eq!(answers().await, [(json!("answered"), json!(0), true)]);
}

#[tokio::test]
async fn no_log_level_shows_a_secret() {
    let simulator = Simulator::start().expect("a simulator");
    let log = format!("{:?}", log_with(&[("TF_LOG", "TRACE")], &simulator).await);
    let requests = simulator.requests();
    let user_sigs = requests.iter().filter_map(|request| request.user_sig.as_deref());
    let secrets: Vec<_> = user_sigs.chain([Simulator::SECRET_KEY]).collect();
    assert!(secrets.len() > 1, "a call was made");
    for secret in secrets {
        assert!(!log.contains(secret), "{log}");
    }
}
