//! Asks Tencent itself about what its documentation leaves open, and prints a report to send to this project.
//!
//! It needs a test application: `TENCENT_SDK_APP_ID`, `TENCENT_SECRET_KEY` and, where they differ from the provider's
//! defaults, `TENCENT_REGION` and `TENCENT_IDENTIFIER`. Then run
//!
//! ```shell
//! cargo test --features gate --test live -- --ignored --nocapture
//! ```
//!
//! It makes some three hundred calls, one after the other. If the application already has a callback configuration or a
//! callback token, it does not start, unless `TENCENT_LIVE_TEST_REPLACES=1` allows it to replace them meanwhile. It restores
//! what it found, even after an error, a panic or Ctrl-C.

#![allow(clippy::print_stdout)] // The report is there to be read.

mod api;
mod questions;
#[path = "../services/mod.rs"]
mod services;

use std::env;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tencent_simulator::{Configuration, Service, Simulator, Token};

use api::{Account, Api, Result};
use questions::Report;
use services::{Of, SERVICES};

/// The variable that allows replacing existing configurations.
const REPLACES: &str = "TENCENT_LIVE_TEST_REPLACES";

/// What the application had before: the request bodies that restore it.
struct Found {
    configurations: Vec<(Of, Option<Value>)>,
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
        for of in SERVICES {
            let found = or_none(api.get(of).await?, of.absent())?;
            // Version 1 may answer with nothing in it.
            configurations.push((of, found.filter(|found| found.is_object())));
        }
        let token = or_none(api.call("v4/live_config/get_callback_token", &json!({})).await?, 100_302)?;
        Ok(Self { configurations, token })
    }

    fn is_nothing(&self) -> bool {
        self.token.is_none() && self.configurations.iter().all(|(_, configuration)| configuration.is_none())
    }

    /// Restores everything it can, and then reports the failures.
    async fn restore(&self, api: &Api) -> Result<()> {
        let mut failures = Vec::new();
        let mut tell = |what: String, outcome: Result<api::Answer>, fine: &[i64]| match outcome {
            Ok(answer) if fine.contains(&answer.code) => {}
            Ok(answer) => failures.push(format!("{what}: {answer}")),
            Err(error) => failures.push(format!("{what}: {error}")),
        };
        for (of, configuration) in &self.configurations {
            tell(of.path("delete"), api.delete(*of).await, &[0, of.absent()]);
            if let Some(configuration) = configuration {
                let path = of.path("set");
                let outcome = api.call(&path, configuration).await;
                tell(format!("{path} {configuration}"), outcome, &[0]);
            }
        }
        let call =
            async |action: &str, body: &Value| api.call(&format!("v4/live_config/{action}_callback_token"), body).await;
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

/// Asks everything, and restores what was there.
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
    let nothing = Found { configurations: SERVICES.map(|of| (of, None)).to_vec(), token: None };
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
#[ignore = "calls Tencent for a test application; run it by hand: see the head of tests/live/main.rs"]
async fn report_tencents_answers() -> Result<()> {
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
async fn the_report_lists_every_answer() -> Result<()> {
    let simulator = Simulator::start()?;
    let report = run(simulated(&simulator), false).await?;
    for line in [
        "## Call",
        "## Legacy Call",
        "| get without a configuration | 999 (the callback configuration does not exist) |",
        "| set for Call, then get for Legacy Call | OK; get: 999 (",
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
    for of in SERVICES {
        assert_eq!(simulator.configuration(of.service, Simulator::SDK_APP_ID), None);
    }
    assert_eq!(simulator.token(Simulator::SDK_APP_ID), None);
    Ok(())
}

#[tokio::test]
async fn existing_configurations_are_restored_whatever_happens() -> Result<()> {
    use tencent_simulator::{Action, Fault, FaultKind};
    let there = |service: Service| Configuration::new(format!("https://there.example.com/{service}"), ["A", "B"]);
    let token = Token::new("tok3n", true);
    let simulator = Simulator::start()?;
    let put_there = || {
        for of in SERVICES {
            simulator.put_configuration(of.service, Simulator::SDK_APP_ID, there(of.service));
        }
        simulator.put_token(Simulator::SDK_APP_ID, token.clone());
    };
    let is_there = || {
        let configuration = |service| simulator.configuration(service, Simulator::SDK_APP_ID);
        SERVICES.iter().all(|of| configuration(of.service) == Some(there(of.service)))
            && simulator.token(Simulator::SDK_APP_ID).as_ref() == Some(&token)
    };

    // Without permission, it does not start.
    put_there();
    let refused = run(simulated(&simulator), false).await.expect_err("a refusal").to_string();
    assert!(refused.contains(REPLACES), "{refused}");
    assert!(simulator.take_requests().iter().all(|r| matches!(r.action, Some(Action::Get | Action::GetToken))));

    // With permission, it restores everything.
    run(simulated(&simulator), true).await?;
    assert!(is_there());

    // It restores everything after a failure.
    simulator.inject(Fault::new(FaultKind::ResetBeforeProcessing).on(Action::Set).skip(20).times(1));
    let failed = run(simulated(&simulator), true).await.expect_err("a failure").to_string();
    assert!(!failed.contains("NOT EVERYTHING WAS RESTORED"), "{failed}");
    assert!(is_there());

    // If restoring fails, the error says what to restore.
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
