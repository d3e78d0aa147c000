//! Asks Tencent itself what its documentation leaves open, and prints a report to send to this project.
//!
//! It takes a test application: `TENCENT_SDK_APP_ID`, `TENCENT_SECRET_KEY` and, where they differ from the provider's
//! defaults, `TENCENT_REGION` and `TENCENT_IDENTIFIER`. Then run
//!
//! ```shell
//! cargo test --test live -- --ignored --nocapture
//! ```
//!
//! It makes some two hundred calls, one after the other. Where the application has a callback configuration or a callback
//! token already, it does not start, unless `TENCENT_LIVE_TEST_REPLACES=1` allows it to replace them for that time. It
//! puts back what it found, whatever happens: after an error, a panic, and Ctrl-C as well.

#![allow(clippy::print_stdout)] // The report is there to be read.

mod api;
mod questions;

use std::env;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tencent_simulator::{Configuration, Service, Simulator, Token};

use api::{Account, Api, Result};
use questions::{Report, SERVICES};

/// Allows it to replace what is there.
const REPLACES: &str = "TENCENT_LIVE_TEST_REPLACES";

/// What an application had before: the bodies that write it again, by the paths of the calls.
struct Found {
    configurations: Vec<(&'static str, Option<Value>)>,
    token: Option<Value>,
}

impl Found {
    async fn at(api: &Api) -> Result<Self> {
        let or_none = |answer: api::Answer, none: i64| match answer.code {
            0 => Ok(Some(answer.response)),
            code if code == none => Ok(None),
            _ => Err(format!("cannot read what is there: {answer}")),
        };
        let mut configurations = Vec::new();
        for (service, _) in SERVICES {
            configurations.push((service, or_none(api.get(service).await?, 100_301)?));
        }
        let token = or_none(api.call("live_config/get_callback_token", &json!({})).await?, 100_302)?;
        Ok(Self { configurations, token })
    }

    fn is_nothing(&self) -> bool {
        self.token.is_none() && self.configurations.iter().all(|(_, configuration)| configuration.is_none())
    }

    /// Puts it back. Tries everything before it reports a failure.
    async fn restore(&self, api: &Api) -> Result<()> {
        let mut failures = Vec::new();
        let mut tell = |what: String, outcome: Result<api::Answer>, fine: &[i64]| match outcome {
            Ok(answer) if fine.contains(&answer.code) => {}
            Ok(answer) => failures.push(format!("{what}: {answer}")),
            Err(error) => failures.push(format!("{what}: {error}")),
        };
        for (service, configuration) in &self.configurations {
            tell(format!("{service}, delete"), api.delete(service).await, &[0, 100_301]);
            if let Some(configuration) = configuration {
                let outcome = api.call(&format!("{service}/set_callback"), configuration).await;
                tell(format!("{service}, set {configuration}"), outcome, &[0]);
            }
        }
        let call =
            async |action: &str, body: &Value| api.call(&format!("live_config/{action}_callback_token"), body).await;
        match &self.token {
            Some(token) => tell("the callback token, set".to_owned(), call("set", token).await, &[0]),
            None => tell("the callback token, delete".to_owned(), call("delete", &json!({})).await, &[0, 100_302]),
        }
        match failures.as_slice() {
            [] => Ok(()),
            _ => Err(format!("NOT EVERYTHING WAS RESTORED. Restore it by hand:\n{}", failures.join("\n")).into()),
        }
    }
}

/// Asks everything, and puts back what was there.
async fn run(account: Account, may_replace: bool) -> Result<String> {
    let api = Api::new(account)?;
    let found = Found::at(&api).await?;
    if !found.is_nothing() && !may_replace {
        return Err(format!(
            "SDKAppID {} has a callback configuration or a callback token, and this test would replace it for a while. \
             Use another application, or set {REPLACES}=1.",
            api.account().sdk_app_id
        )
        .into());
    }
    let mut report = Report::default();
    let nothing = Found { configurations: SERVICES.map(|(service, _)| (service, None)).to_vec(), token: None };
    let asked = async {
        nothing.restore(&api).await?;
        questions::ask(&api, &mut report).await
    };
    let outcome = tokio::select! {
        outcome = AssertUnwindSafe(asked).catch_unwind() => outcome.unwrap_or_else(|_| Err("it panicked, see above".into())),
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    let restored = found.restore(&api).await;
    let text = format!("# Tencent's API, as it answered\n{}", report.text());
    match (outcome, restored) {
        (Ok(()), Ok(())) => Ok(text),
        (outcome, restored) => {
            println!("{text}");
            let said: Vec<_> = [outcome, restored].into_iter().filter_map(|o| o.err().map(|e| e.to_string())).collect();
            Err(said.join("\n").into())
        }
    }
}

#[tokio::test]
#[ignore = "calls Tencent for a test application: see the head of tests/live/main.rs"]
async fn tencent_answers() -> Result<()> {
    let may_replace = env::var(REPLACES).is_ok_and(|value| value == "1");
    println!("{}", run(Account::from_environment()?, may_replace).await?);
    Ok(())
}

fn simulated(simulator: &Simulator) -> Account {
    Account {
        sdk_app_id: Simulator::SDK_APP_ID.to_string().parse().expect("an SDKAppID"),
        secret_key: Simulator::SECRET_KEY.to_owned(),
        identifier: "administrator".to_owned(),
        endpoint: simulator.url().parse().expect("an endpoint"),
    }
}

#[tokio::test]
async fn the_report_says_what_was_answered() -> Result<()> {
    let simulator = Simulator::start()?;
    let report = run(simulated(&simulator), false).await?;
    for line in [
        "## call_config",
        "| get without a configuration | 100301 (the callback configuration does not exist) |",
        "| set, equal | OK |",
        "| set, equal | 100300 (",
        "| update, different | 60009 (",
        "| update, different | OK |",
        "| set [] | 100002 (",
        "| set a URL of 16384 characters | OK; stored whole: true |",
        "| get without a token | 100302 (",
        "| get, signed with a wrong key | 70009 (",
    ] {
        assert!(report.contains(line), "expected {line:?}\n{report}");
    }
    assert!(!report.contains(Simulator::SECRET_KEY));
    for service in Service::ALL {
        assert_eq!(simulator.configuration(service, Simulator::SDK_APP_ID), None);
    }
    assert_eq!(simulator.token(Simulator::SDK_APP_ID), None);
    Ok(())
}

#[tokio::test]
async fn what_is_there_is_put_back_whatever_happens() -> Result<()> {
    use tencent_simulator::{Action, Fault, FaultKind};
    let there = |service: Service| Configuration::new(format!("https://there.example.com/{service}"), ["A", "B"]);
    let token = Token::new("tok3n", true);
    let simulator = Simulator::start()?;
    let put_there = || {
        for service in Service::ALL {
            simulator.put_configuration(service, Simulator::SDK_APP_ID, there(service));
        }
        simulator.put_token(Simulator::SDK_APP_ID, token.clone());
    };
    let is_there = || {
        let configuration = |service| simulator.configuration(service, Simulator::SDK_APP_ID);
        Service::ALL.into_iter().all(|service| configuration(service) == Some(there(service)))
            && simulator.token(Simulator::SDK_APP_ID).as_ref() == Some(&token)
    };

    // It does not start.
    put_there();
    let refused = run(simulated(&simulator), false).await.expect_err("a refusal").to_string();
    assert!(refused.contains(REPLACES), "{refused}");
    assert!(simulator.take_requests().iter().all(|r| matches!(r.action, Some(Action::Get | Action::GetToken))));

    // It is allowed to.
    run(simulated(&simulator), true).await?;
    assert!(is_there());

    // Something fails on the way.
    simulator.inject(Fault::new(FaultKind::ResetBeforeProcessing).on(Action::Set).skip(20).times(1));
    let failed = run(simulated(&simulator), true).await.expect_err("a failure").to_string();
    assert!(!failed.contains("NOT EVERYTHING WAS RESTORED"), "{failed}");
    assert!(is_there());

    // It cannot be put back: that is said, with what to put back.
    let refusal = FaultKind::ErrorCode { code: 60020, info: "made to fail".into() };
    simulator.inject(Fault::new(refusal).on(Action::Set));
    let failed = run(simulated(&simulator), true).await.expect_err("a failure").to_string();
    assert!(
        failed.contains("NOT EVERYTHING WAS RESTORED") && failed.contains("https://there.example.com/room"),
        "{failed}"
    );
    assert!(!failed.contains("tok3n"));
    Ok(())
}
