//! The data source: reads a configuration, whoever set it, and tells whether there is one.

use serde_json::{Value, json};
use tencent_simulator::{App, Configuration, FaultKind, Service};

use crate::harness::{CHANGED, END, ID, KEY, Result, START, Scenario, URL, diagnostic, sends, this};

const READ: &str = r#"data "tencent_call_callback" "there" {}
output "there" { value = data.tencent_call_callback.there }
"#;

/// Applies, and returns the output `there`.
fn read(scenario: &Scenario) -> Result<Value> {
    scenario.apply()?;
    Ok(scenario.workspace.show_json()?["values"]["outputs"]["there"]["value"].clone())
}

#[test]
fn the_data_source_tells_whether_a_configuration_exists() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(READ)?;
    let nothing = json!({
        "sdk_app_id": ID, "id": ID.to_string(), "configured": false, "url": null, "callback_commands": null,
    });
    assert_eq!(read(&scenario)?, nothing);

    scenario.someone_sets(&[START, END, START], URL);
    let something = json!({
        "sdk_app_id": ID, "id": ID.to_string(), "configured": true, "url": URL, "callback_commands": [END, START],
    });
    assert_eq!(read(&scenario)?, something);
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[test]
fn the_data_source_reads_another_application() -> Result {
    let scenario = Scenario::of_applications(2)?;
    scenario.simulator.put_configuration(Service::Call, ID + 1, Configuration::new(URL, [CHANGED]));
    scenario.configure(&READ.replace(
        "{}",
        &format!(
            "{{
  sdk_app_id = {}
}}",
            ID + 1
        ),
    ))?;
    let there = read(&scenario)?;
    assert_eq!((&there["id"], &there["url"]), (&json!((ID + 1).to_string()), &json!(URL)));

    scenario.configure(&READ.replace(
        "{}",
        "{
  sdk_app_id = 0
}",
    ))?;
    let validated = scenario.run(&["validate"])?;
    validated.expect_failure();
    diagnostic(&validated, "0 is not an SDKAppID");
    Ok(())
}

#[test]
fn a_module_can_branch_on_whether_a_configuration_exists() -> Result {
    let only_if_free = this(&(sends(&[START], URL) + "count = data.tencent_call_callback.there.configured ? 0 : 1"));
    let scenario = Scenario::new()?;
    scenario.someone_sets(&[END], URL);
    scenario.configure(&(READ.to_owned() + &only_if_free))?;
    scenario.apply()?.expect_contains("0 added");
    scenario.expect_remote(&[END], URL);

    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn a_failed_read_is_an_error() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.configure(READ)?;
    scenario.simulator.add_app(App::new(ID, "another key"));
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, &format!("Reading the Call callback configuration of SDKAppID {ID} failed"));
    assert!(error.contains("with data.tencent_call_callback.there") && error.contains("error 70009"), "{error}");

    scenario.simulator.add_app(App::new(ID, KEY));
    scenario.simulator.inject(FaultKind::ErrorCode { code: 60020, info: String::new() });
    scenario.run(&["plan"])?.expect_failure().expect_contains("error 60020").expect_lacks("ErrorInfo");
    scenario.workspace.remove_env("TENCENT_SDK_APP_ID");
    diagnostic(&scenario.run(&["plan"])?, "No SDKAppID");
    Ok(())
}

#[test]
fn an_unknown_provider_defers_the_read_to_apply() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    scenario.someone_sets(&[START], URL);
    let later = format!(
        r#"resource "terraform_data" "later" {{
  input = "{KEY}"
}}
provider "tencent" {{
  secret_key = terraform_data.later.output
}}
"#
    );
    // A provider that depends on a resource of the same run cannot read while planning.
    let depending = READ.replace(
        "{}",
        "{
  depends_on = [terraform_data.later]
}",
    );
    scenario.configure(&(later.clone() + &depending))?;
    scenario.run(&["plan"])?.expect_success().expect_contains("(known after apply)");
    assert_eq!(scenario.calls(), []);
    assert_eq!(read(&scenario)?["url"], URL);

    // Without depends_on, Terraform reads while planning, which cannot work yet.
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    scenario.configure(&(later + READ))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    diagnostic(&plan, "The provider's configuration is not known yet");
    assert_eq!(scenario.calls(), []);
    Ok(())
}
