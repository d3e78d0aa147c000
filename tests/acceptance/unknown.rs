//! Values that are known only after apply: the plan claims no more than it knows, calls nobody with an incomplete
//! configuration, and the apply completes it.

use serde_json::{Value, json};
use tencent_simulator::Action::{Get, Set};
use tencent_simulator::Service;

use crate::harness::{
    CHANGED, END, ID, KEY, OTHER_URL, Result, START, Scenario, THIS, URL, change, diagnostic, provider, sends, this,
};

/// Writes a resource whose `output` is this value, known only after apply.
fn later(value: impl Into<Value>) -> String {
    format!(
        r#"resource "terraform_data" "later" {{
  input = {}
}}
"#,
        value.into()
    )
}

const LATER: &str = "terraform_data.later.output";

#[test]
fn an_unknown_url_is_planned_and_applied() -> Result {
    let config = |url: &str| {
        later(url)
            + &this(&format!(
                r#"url = {LATER}
callback_commands = ["{START}"]"#
            ))
    };
    let scenario = Scenario::new()?;
    scenario.configure(&config(URL))?;
    let planned = scenario.planned()?;
    assert_eq!((&planned["after_unknown"]["url"], &planned["after"]["url"]), (&json!(true), &Value::Null));
    assert_eq!((&planned["after"]["id"], &planned["after"]["sdk_app_id"]), (&json!(ID.to_string()), &json!(ID)));
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()?;

    scenario.configure(&config(OTHER_URL))?;
    let planned = scenario.planned()?;
    assert_eq!(planned["actions"], json!(["update"]));
    assert_eq!((&planned["after_unknown"]["url"], &planned["before"]["url"]), (&json!(true), &json!(URL)));
    scenario.apply()?;
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn an_unknown_url_can_turn_out_to_be_unchanged() -> Result {
    // The resource it comes from changes, but the URL does not.
    let config = |note: &str| {
        format!(
            r#"resource "terraform_data" "later" {{
  input = {{ url = "{URL}", note = "{note}" }}
}}
{}"#,
            this(&format!(
                r#"url = {LATER}.url
callback_commands = ["{START}"]"#
            ))
        )
    };
    let scenario = Scenario::new()?.applied(&config("one"))?;
    scenario.configure(&config("two"))?;
    assert_eq!(scenario.planned()?["after_unknown"]["url"], true);
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn an_invalid_url_that_was_unknown_is_not_sent() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(
        &(later("ftp://u:s3cret@hooks.example.com")
            + &this(&format!(
                r#"url = {LATER}
callback_commands = ["{START}"]"#
            ))),
    )?;
    scenario.run(&["plan"])?.expect_success();
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Invalid url");
    assert!(error.contains("\"ftp://***@hooks.example.com\" cannot be a callback URL"), "{error}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn an_unknown_command_is_planned_and_applied() -> Result {
    let config = format!(
        r#"url = "{URL}"
callback_commands = ["{START}", {LATER}]"#
    );
    let scenario = Scenario::new()?;
    scenario.configure(&(later(END) + &this(&config)))?;
    let planned = scenario.planned()?;
    assert_eq!(planned["actions"], json!(["create"]));
    assert!(planned["after_unknown"]["callback_commands"] != json!(false), "{planned}");
    scenario.apply()?;
    scenario.expect_remote(&[START, END], URL);
    scenario.expect_no_changes()?;

    // The command may turn out to be in the set already.
    scenario.configure(&(later(START) + &this(&config)))?;
    assert_eq!(scenario.planned()?["actions"], json!(["update"]));
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn an_unknown_set_of_commands_is_planned_and_applied() -> Result {
    let scenario = Scenario::new()?;
    let config = this(&format!(
        r#"url = "{URL}"
callback_commands = {LATER}"#
    ));
    scenario.configure(&(later(json!([START, CHANGED])) + &config))?;
    assert_eq!(scenario.planned()?["after_unknown"]["callback_commands"], true);
    scenario.apply()?;
    scenario.expect_remote(&[START, CHANGED], URL);
    scenario.expect_no_changes()
}

#[test]
fn unknown_settings_are_planned_and_applied() -> Result {
    let scenario = Scenario::new()?;
    let settings = format!("deletion_policy = {LATER}.policy\noverwrite_existing = {LATER}.overwrite");
    let config = this(&(sends(&[START], URL) + &settings));
    scenario.configure(&(later(json!({ "policy": "ABANDON", "overwrite": true })) + &config))?;
    let planned = scenario.planned()?;
    assert_eq!(planned["after_unknown"]["deletion_policy"], true);
    assert_eq!(planned["after_unknown"]["overwrite_existing"], true);
    scenario.apply()?;
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn a_required_argument_that_turns_out_null_is_missing() -> Result {
    let config = |argument: &str, rest: &str| {
        later(json!({ "value": null })) + &this(&format!("{argument} = {LATER}.value\n{rest}"))
    };
    for (argument, rest) in
        [("callback_commands", format!("url = \"{URL}\"")), ("url", format!("callback_commands = [\"{START}\"]"))]
    {
        let scenario = Scenario::new()?;
        scenario.configure(&config(argument, &rest))?;
        scenario.run(&["plan"])?.expect_success();
        let applied = scenario.try_apply()?;
        applied.expect_failure();
        diagnostic(&applied, &format!("Missing {argument}"));
        assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    }
    Ok(())
}

#[test]
fn an_unknown_guard_that_turns_out_to_be_on_refuses() -> Result {
    let scenario = Scenario::new()?;
    scenario.someone_sets(&[END], OTHER_URL);
    let config = this(&(sends(&[START], URL) + &format!("overwrite_existing = {LATER}")));
    scenario.configure(&(later(false) + &config))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    diagnostic(&applied, "already has a Call callback configuration");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn an_unknown_guard_that_turns_out_to_be_off_allows_the_write() -> Result {
    let scenario = Scenario::new()?;
    scenario.someone_sets(&[END], OTHER_URL);
    let config = this(&(sends(&[START], URL) + &format!("overwrite_existing = {LATER}")));
    scenario.configure(&(later(true) + &config))?;
    scenario.run(&["plan"])?.expect_success();
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn an_unknown_application_is_planned_and_applied() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&(later(ID) + &this(&(sends(&[START], URL) + &format!("sdk_app_id = {LATER}")))))?;
    let planned = scenario.planned()?;
    assert_eq!(
        (&planned["after_unknown"]["sdk_app_id"], &planned["after_unknown"]["id"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(scenario.calls(), [], "there is nothing to ask for yet");
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    assert_eq!(scenario.stored()?.expect("an object")["id"], ID.to_string());
    scenario.expect_no_changes()
}

#[test]
fn an_application_that_becomes_unknown_is_assumed_to_stay() -> Result {
    let config = |id: u64, url: &str| later(id) + &this(&(sends(&[START], url) + &format!("sdk_app_id = {LATER}")));
    let scenario = Scenario::of_applications(2)?.applied(&config(ID, URL))?;
    let moved = || scenario.simulator.configuration(Service::Call, ID + 1);
    // To replace it would be to delete it before the other application is known.
    scenario.configure(&config(ID + 1, URL))?;
    let plan = scenario.run(&["plan"])?;
    diagnostic(plan.expect_success(), "This plan assumes SDKAppID 1400000001");
    assert_eq!(scenario.planned()?["actions"], json!(["no-op"]));
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    assert!(moved().is_none());
    // Now it is known.
    assert_eq!(scenario.planned()?["actions"], json!(["delete", "create"]));
    scenario.apply()?;
    assert!(scenario.remote().is_none() && moved().is_some());
    scenario.expect_no_changes()?;

    // A plan that also changes the URL cannot be applied to another application than the one it was made for.
    scenario.configure(&config(ID, OTHER_URL))?;
    scenario.simulator.clear_requests();
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
    scenario.apply()?;
    assert!(moved().is_none());
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn an_unknown_secret_key_is_planned_without_calls() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    let provider = provider(&format!("secret_key = {LATER}"));
    scenario.configure(&(later(KEY) + &provider + &this(&sends(&[START], URL))))?;
    let plan = scenario.workspace.plan_json(&[])?;
    let planned = change(&plan, THIS).expect("a change");
    assert_eq!((&planned["actions"], &planned["after"]["url"]), (&json!(["create"]), &json!(URL)));
    assert_eq!(scenario.calls(), [], "nothing is asked with half a configuration");

    scenario.apply()?.expect_contains("2 added");
    scenario.expect_remote(&[START], URL);
    assert_eq!(scenario.stored()?.expect("an object")["sdk_app_id"], json!(ID));
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("2 destroyed");
    assert_eq!(scenario.remote(), None);
    Ok(())
}

#[test]
fn each_provider_argument_can_be_unknown_at_plan() -> Result {
    let mut scenario = Scenario::new()?;
    for (variable, argument, value) in [
        ("TENCENT_SDK_APP_ID", "sdk_app_id", json!(ID)),
        ("TENCENT_ENDPOINT", "endpoint", json!(scenario.simulator.url())),
        ("TENCENT_IDENTIFIER", "identifier", json!("administrator")),
        ("NONE", "max_retries", json!(2)),
        ("NONE", "requests_per_second", json!(100)),
        ("NONE", "requests_per_second_scope", json!("application")),
        ("NONE", "request_timeout", json!("5s")),
    ] {
        let provider = provider(&format!("{argument} = {LATER}"));
        scenario.configure(&(later(value.clone()) + &provider + &this(&sends(&[START], URL))))?;
        scenario.workspace.remove_env(variable);
        scenario.simulator.clear_requests();
        scenario.run(&["plan"])?.expect_success().expect_contains("2 to add");
        assert_eq!(scenario.calls(), [], "{argument}");
        scenario.apply()?;
        assert_eq!(scenario.writes(), [Set], "{argument}");
        scenario.expect_remote(&[START], URL);
        scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
        // Unknown once more, while the object exists.
        let again = ["apply", "-auto-approve", "-replace=terraform_data.later"];
        scenario.configure(&(later(value) + &provider + &this(&sends(&[START], OTHER_URL))))?;
        scenario.run(&again)?.expect_success();
        scenario.expect_remote(&[START], OTHER_URL);
        scenario.run(&["destroy", "-auto-approve"])?.expect_success();
        scenario.workspace.env("TENCENT_SDK_APP_ID", ID.to_string()).env("TENCENT_ENDPOINT", scenario.simulator.url());
    }
    Ok(())
}

#[test]
fn a_provider_that_becomes_unknown_keeps_its_resources() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    let config = |note: &str, url: &str| {
        format!(
            r#"resource "terraform_data" "later" {{
  input = {{ key = "{KEY}", note = "{note}" }}
}}
provider "tencent" {{
  secret_key = {LATER}.key
}}
{}"#,
            this(&sends(&[START], url))
        )
    };
    let scenario = scenario.applied(&config("one", URL))?;
    scenario.configure(&config("two", URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("0 to add, 1 to change, 0 to destroy");
    plan.expect_contains("A tencent_call_callback was not refreshed");
    assert_eq!(scenario.calls(), []);
    scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
    assert_eq!(scenario.writes(), []);
    scenario.expect_no_changes()?;

    // An update works in one run, too.
    scenario.configure(&config("three", OTHER_URL))?;
    scenario.apply()?.expect_contains("0 added, 2 changed, 0 destroyed");
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn the_guard_holds_when_the_provider_was_unknown_at_plan() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    scenario.someone_sets(&[END], OTHER_URL);
    let provider = provider(&format!("secret_key = {LATER}"));
    let guarded = this(&sends(&[START], URL));
    scenario.configure(&(later(KEY) + &provider + &guarded))?;
    let plan = scenario.run(&["plan"])?;
    let warning =
        diagnostic(plan.expect_success(), "Could not check for an existing Call callback configuration of SDKAppID");
    assert!(warning.contains("the apply fails instead of overwriting it, unless overwrite_existing is true."));
    assert_eq!(scenario.calls(), []);
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    diagnostic(&applied, "already has a Call callback configuration");
    assert_eq!((scenario.writes(), scenario.stored()?), (vec![], None));
    scenario.expect_remote(&[END], OTHER_URL);
    Ok(())
}

#[test]
fn an_import_while_the_provider_is_unknown_says_what_to_do() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    scenario.someone_sets(&[START], URL);
    let provider = provider(&format!("secret_key = {LATER}"));
    let import = format!(
        r#"import {{
  to = {THIS}
  id = "{ID}"
}}
"#
    );
    scenario.configure(&(later(KEY) + &provider + &import + &this(&sends(&[START], URL))))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "The provider's configuration is not known yet");
    assert!(error.contains("-target"), "{error}");
    assert_eq!(scenario.calls(), []);

    // The advice works.
    scenario.run(&["apply", "-auto-approve", "-target=terraform_data.later"])?.expect_success();
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    assert!(scenario.calls().iter().all(|action| *action == Get));
    scenario.expect_no_changes()
}
