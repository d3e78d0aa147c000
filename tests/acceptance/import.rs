//! Existing configurations come under management, leave it, and change their address.

use rstest_reuse::apply;
use serde_json::{Value, json};
use tencent_simulator::Action::Get;
use tencent_simulator::Simulator;
use terraform_cli::{Feature, Flavour, Output, Terraform, needs};

use crate::harness::{ID, OTHER_URL, Of, Result, Scenario, TERRAFORM, URL, change, diagnostic, each_service, sends};

impl Of {
    fn import_block(self, id: &str) -> String {
        format!(
            r#"import {{
  to = {}
  id = "{id}"
}}
"#,
            self.this
        )
    }
}

#[apply(each_service)]
fn import_by_command_writes_nothing(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end, of.start, of.end], URL);
    scenario.configure(&of.object(&sends(&[of.start, of.end], URL)))?;
    scenario.run(&["import", of.this, &ID.to_string()])?.expect_success().expect_contains("Import successful!");
    assert_eq!(
        scenario.stored()?.expect("an object"),
        json!({
            "sdk_app_id": ID,
            "id": ID.to_string(),
            "url": URL,
            of.argument(): [of.end, of.start],
            "overwrite_existing": false,
            "deletion_policy": "DELETE",
            "timeouts": null,
            "url_wo": null,
            "url_wo_version": null,
            "last_request_id": null,
        })
    );
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn import_by_block_writes_nothing(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.start], URL);
    scenario.configure(&(of.import_block(&ID.to_string()) + &of.object(&sends(&[of.start], URL))))?;
    scenario.run(&["plan"])?.expect_success().expect_contains("1 to import, 0 to add, 0 to change, 0 to destroy.");
    let planned = scenario.planned()?;
    assert_eq!((&planned["actions"], &planned["importing"]["id"]), (&json!(["no-op"]), &json!(ID.to_string())));
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed").expect_lacks("Warning");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), [], "adopting an object writes nothing");
    Ok(())
}

#[apply(each_service)]
fn an_import_shows_what_it_will_change(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.start], OTHER_URL);
    let settings = r#"deletion_policy = "ABANDON"
overwrite_existing = true"#;
    scenario
        .configure(&(of.import_block(&ID.to_string()) + &of.object(&(sends(&[of.start, of.end], URL) + settings))))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to import, 0 to add, 1 to change, 0 to destroy.");
    plan.expect_contains(&format!("\"{OTHER_URL}\" -> \"{URL}\"")).expect_contains(&format!("+ \"{}\"", of.end));
    scenario.apply()?;
    scenario.expect_remote(&[of.start, of.end], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_invalid_import_id_is_an_error(of: Of) -> Result {
    let scenario = of.scenario()?;
    let object = of.object(&sends(&[of.start], URL));
    let expect_error = |id: &str, imported: &Output| {
        imported.expect_failure();
        let error = diagnostic(imported, "The import ID is not an SDKAppID");
        assert!(error.contains(&format!("{id:?} cannot be imported")), "{error}");
        assert!(error.contains("a whole number from 1 to 4294967295"), "{error}");
    };
    scenario.configure(&object)?;
    for id in ["this", "0", "4294967296", "-1", "call/1400000001", "1.4e9"] {
        expect_error(id, &scenario.run(&["import", of.this, id])?);
    }
    // Since 1.13, the command `tofu import` strips white space.
    let id = "1400000001 ";
    scenario.configure(&(of.import_block(id) + &object))?;
    expect_error(id, &scenario.run(&["plan"])?);
    assert_eq!((scenario.calls(), scenario.instances()?), (vec![], 0), "nothing was asked, nothing was stored");
    Ok(())
}

#[apply(each_service)]
fn an_application_without_a_configuration_cannot_be_imported(of: Of) -> Result {
    let scenario = of.scenario()?;
    let config = of.object(&sends(&[of.start], URL));
    scenario.configure(&config)?;
    let summary = format!("Error: SDKAppID {ID} has no {} callback configuration", of.title);
    let by_command = scenario.run(&["import", of.this, &ID.to_string()])?;
    by_command.expect_failure();
    assert!(diagnostic(&by_command, &summary).contains("There is nothing to import."));

    scenario.configure(&(of.import_block(&ID.to_string()) + &config))?;
    let by_block = scenario.run(&["plan"])?;
    by_block.expect_failure();
    assert!(diagnostic(&by_block, &summary).contains("There is nothing to import."));
    assert_eq!(scenario.instances()?, 0);
    Ok(())
}

#[apply(each_service)]
fn an_application_that_does_not_exist_cannot_be_imported(of: Of) -> Result {
    let scenario = of.applications(2)?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.simulator.remove_app(ID + 1);
    let imported = scenario.run(&["import", of.this, "1400000002"])?;
    imported.expect_failure();
    let error = diagnostic(&imported, "SDKAppID 1400000002 failed");
    let (code, advice) = of.no_such_app();
    assert!(error.contains(&format!("error {code}")) && error.contains(advice), "{error}");
    Ok(())
}

/// Returns whether this Terraform generates a configuration for `hashicorp/tencent` unless the block `import` names the
/// provider. 1.16.0 to 1.16.2 do so as well.
fn needs_the_provider(terraform: &Terraform) -> bool {
    terraform.flavour() == Flavour::Terraform && terraform.version().to_string() == "1.17.0-beta1"
}

#[apply(each_service)]
fn a_generated_configuration_plans_no_changes(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end, of.start], "https://hooks.example.com/?token=s3cret&v=1");
    let import = of.import_block(&ID.to_string());
    // Only while Terraform generates, may the block name the provider.
    let named = import.replacen('{', "{\nprovider = tencent", 1);
    scenario.configure(if needs_the_provider(&TERRAFORM) { &named } else { &import })?;
    let planned = scenario.run(&["plan", "-generate-config-out=generated.tf"])?;
    planned.expect_success().expect_contains("1 to import, 0 to add, 0 to change, 0 to destroy.");
    let warning = diagnostic(&planned, "An imported callback URL may contain a secret");
    assert!(!warning.contains("s3cret") && warning.contains(of.title), "{warning}");
    let generated = std::fs::read_to_string(scenario.workspace.path().join("generated.tf"))?;
    assert!(!generated.contains("last_request_id"), "what only the provider sets is not in it: {generated}");
    // Others ask for no configuration, and write the state down.
    let is_asked_for = TERRAFORM.has(Feature::Query);
    for default in ["deletion_policy", "overwrite_existing"] {
        assert_eq!(!generated.contains(default), is_asked_for, "{generated}");
    }

    scenario.configure(&import)?;
    scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(2).expect_contains("1 to import, 0 to add, 0 to change");
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()?;
    scenario.configure("")?;
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn a_removed_object_can_be_imported_again(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start, of.changed], URL)))?;
    let created = scenario.stored()?.expect("an object");
    scenario.run(&["state", "rm", of.this])?.expect_success();
    scenario.run(&["import", of.this, &ID.to_string()])?.expect_success();
    scenario.expect_no_changes()?;
    let mut imported = scenario.stored()?.expect("an object");
    assert_eq!(imported["last_request_id"], json!(null), "it was not this state that wrote");
    imported["last_request_id"] = created["last_request_id"].clone();
    assert_eq!(imported, created);
    assert_eq!(scenario.writes(), []);

    // The next write sets last_request_id again.
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.apply()?;
    assert!(scenario.stored()?.expect("an object")["last_request_id"].is_string());
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_moved_block_writes_nothing(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.resource("old", &sends(&[of.start], URL)))?;
    let moved = format!(
        "moved {{
  from = {}.old
  to = {this}
}}
",
        of.resource_type()
    );
    scenario.configure(&(moved + &of.object(&sends(&[of.start], URL))))?;
    let plan = scenario.workspace.plan_json(&[])?;
    assert_eq!(change(&plan, of.this).expect("a change")["actions"], json!(["no-op"]));
    assert_eq!(scenario.calls(), [Get], "a managed object is not looked up as if it were new");
    scenario.apply()?.expect_contains("0 added, 0 changed, 0 destroyed");
    assert!(scenario.stored()?.is_some());
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn a_resource_of_another_type_can_move_here(of: Of) -> Result {
    needs!(TERRAFORM, Feature::MovedTypes);
    takes_over_from_another_type(&TERRAFORM, of)
}

/// Moves a resource whose state holds a call of Tencent's API: the plan is empty, or shows the difference. Nothing is sent, and
/// the old object is not destroyed.
pub(crate) fn takes_over_from_another_type(terraform: &Terraform, of: Of) -> Result {
    let scenario = Scenario::on(terraform, Simulator::start()?)?.of_service(of);
    let (this, path, events) = (of.this, of.path("set"), [of.start]);
    let body = of.json(URL, &json!(events)).to_string();
    let old = format!(
        r#"resource "terraform_data" "old" {{
  input = {{
    url  = "https://console.tim.qq.com/{path}?sdkappid={ID}&identifier=administrator"
    body = {}
  }}
}}
"#,
        Value::from(body)
    );
    scenario.someone_sets(&events, URL);
    scenario.configure(&old)?;
    scenario.apply()?;
    let moved = format!("moved {{\n  from = terraform_data.old\n  to = {this}\n}}\n");
    scenario.configure(&(moved.clone() + &of.object(&sends(&[of.start, of.changed], URL))))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("0 to add, 1 to change, 0 to destroy").expect_contains(of.changed);
    scenario.configure(&(moved + &of.object(&sends(&events, URL))))?;
    scenario.apply()?.expect_contains("0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn a_removed_block_deletes_nothing(of: Of) -> Result {
    needs!(TERRAFORM, Feature::Removed);
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.configure(&format!(
        "removed {{
  from = {this}
  lifecycle {{
    destroy = false
  }}
}}
"
    ))?;
    assert_eq!(scenario.planned()?["actions"], json!(["forget"]));
    scenario.apply()?;
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}
