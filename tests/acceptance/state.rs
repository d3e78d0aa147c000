//! States that other versions of the provider wrote, or that someone edited: they are read or refused, and never damaged.

use std::fs;

use serde_json::{Value, json};
use tencent_simulator::{Configuration, Service};

use crate::harness::{END, ID, OVERWRITE, Result, START, Scenario, THIS, URL, diagnostic, differences, sends, this};

/// Starts with a resource whose instance in the state file was edited.
fn edited(edit: impl Fn(&mut Value)) -> Result<Scenario> {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    let mut state = scenario.workspace.state()?.ok_or("a state")?;
    edit(&mut state["resources"][0]["instances"][0]);
    fs::write(scenario.workspace.path().join("terraform.tfstate"), state.to_string())?;
    Ok(scenario)
}

/// The provider reads a stored state of every schema version so far. A new schema version adds a fixture; existing ones
/// never change.
#[test]
fn a_state_of_schema_version_0_plans_no_changes() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START, END], URL) + OVERWRITE)))?;
    let configuration = Configuration::new(URL, [START, END]);
    scenario.simulator.put_configuration(Service::Call, ID, configuration);
    let state = scenario.workspace.path().join("terraform.tfstate");
    fs::write(state, include_str!("fixtures/state-schema-version-0.tfstate"))?;
    scenario.expect_no_changes()?;

    // That state is from when overwrite_existing was true by default. The default of today sends nothing.
    scenario.configure(&this(&sends(&[START, END], URL)))?;
    let planned = scenario.planned()?;
    assert_eq!(differences(&planned["before"], &planned["after"]), ["overwrite_existing"]);
    scenario.apply()?.expect_contains("1 changed");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[test]
fn an_unreadable_state_is_refused_and_kept() -> Result {
    for (path, value, said) in [
        // Terraform itself compares the versions.
        ("/schema_version", json!(1), "created by a newer provider version"),
        ("/attributes/url", json!({ "scheme": "https" }), "url"),
        ("/attributes/callback_commands", json!("one"), "callback_commands"),
        ("/attributes/sdk_app_id", json!("app"), "sdk_app_id"),
    ] {
        let scenario = edited(|instance| *instance.pointer_mut(path).expect(path) = value.clone())?;
        let before = scenario.workspace.state()?;
        for arguments in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"]] {
            let refused = scenario.run(arguments)?;
            refused.expect_failure();
            assert!(diagnostic(&refused, said).starts_with("Error"), "{refused}");
        }
        assert_eq!((scenario.calls(), scenario.workspace.state()?), (vec![], before), "{path}");
        scenario.expect_remote(&[START], URL);
    }
    Ok(())
}

#[test]
fn attributes_of_another_version_are_no_difference() -> Result {
    let scenario = edited(|instance| {
        let attributes = instance["attributes"].as_object_mut().expect("attributes");
        attributes.insert("from_another_version".to_owned(), json!([1, 2]));
        attributes.remove("timeouts");
    })?;
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[test]
fn settings_missing_from_an_older_state_get_their_defaults() -> Result {
    let scenario = edited(|instance| {
        let attributes = instance["attributes"].as_object_mut().expect("attributes");
        for name in ["overwrite_existing", "deletion_policy", "last_request_id"] {
            attributes.remove(name);
        }
    })?;
    scenario.apply()?;
    assert_eq!(scenario.writes(), [], "they are Terraform's affair");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.stored()?.expect("an object")["deletion_policy"], "DELETE");
    Ok(())
}

#[test]
fn unreadable_private_data_is_ignored() -> Result {
    // base64 of "not JSON", and of "[1]".
    for private in ["bm90IEpTT04=", "WzFd"] {
        let scenario = edited(|instance| instance["private"] = json!(private))?;
        scenario.expect_no_changes()?;
        scenario.run(&["destroy", "-auto-approve"])?.expect_success();
        assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    }
    Ok(())
}

#[test]
fn a_tainted_resource_is_replaced() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    scenario.run(&["taint", THIS])?.expect_success();
    scenario.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}
