//! Create, update, replace, destroy; what counts as a difference.

use rstest_reuse::apply;
use serde_json::{Value, json};
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Configuration, Fault, FaultKind, Simulator};
use terraform_cli::Terraform;

use crate::harness::{
    CALL, CREATE_BEFORE_DESTROY, ID, OTHER_URL, Of, Result, Scenario, TERRAFORM, URL, change, diagnostic, differences,
    each_service, key, sends,
};

#[apply(each_service)]
fn a_configuration_is_created_updated_and_destroyed(of: Of) -> Result {
    configuration_lifecycle(&TERRAFORM, of).map(drop)
}

#[test]
fn line_ends_of_windows_change_nothing() -> Result {
    let scenario = Scenario::new()?;
    let configuration = r#"
variable "url" {
  type = string
}

resource "tencent_call_callback" "this" {
  url               = var.url
  callback_commands = split("\n", trimspace(replace(var.commands, "\r", "")))
}

variable "commands" {
  default = <<-EOT
    Call.CallbackAfterStartCall
    Call.CallbackAfterEndCall
  EOT
}
"#;
    scenario.workspace.write("terraform.tfvars", &format!("url = \"{URL}\"\r\n"))?;
    scenario.configure(&configuration.replace('\n', "\r\n"))?;
    scenario.apply()?;
    scenario.expect_remote(&[CALL.start, CALL.end], URL);
    scenario.expect_no_changes()?;

    // The same in a repository that another system has checked out.
    scenario.configure(configuration)?;
    scenario.expect_no_changes()
}

/// Creates, updates and destroys a configuration on this Terraform.
pub(crate) fn configuration_lifecycle(terraform: &Terraform, of: Of) -> Result<Scenario> {
    let scenario = Scenario::on(terraform, Simulator::start()?)?.of_service(of);
    scenario.configure(&of.object(&sends(&[of.start, of.end], URL)))?;

    let planned = scenario.planned()?;
    assert_eq!(planned["actions"], json!(["create"]));
    assert_eq!(
        planned["after"],
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
        })
    );
    assert_eq!(planned["after_unknown"], json!({ of.argument(): [false, false], "last_request_id": true }));
    assert_eq!((scenario.calls(), scenario.remote()), (vec![Get], None), "a plan looks, and changes nothing");

    scenario.apply()?.expect_contains("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    assert_eq!(scenario.writes(), [Set]);
    scenario.expect_remote(&[of.start, of.end], URL);
    let created = scenario.stored()?.expect("an object");
    assert_eq!((&created["id"], &created["sdk_app_id"]), (&json!(ID.to_string()), &json!(ID)));
    assert_is_request_id(of, &created["last_request_id"]);
    scenario.expect_no_changes()?;
    assert_eq!(scenario.calls(), [Get]);
    scenario.expect_no_drift()?;

    scenario.configure(&of.object(&sends(&[of.changed], OTHER_URL)))?;
    scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed").expect_contains("updated in-place");
    assert_eq!(scenario.writes(), [of.overwrite]);
    scenario.expect_remote(&[of.changed], OTHER_URL);
    scenario.expect_no_changes()?;
    assert_eq!(scenario.calls(), [Get]);

    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("1 destroyed");
    assert_eq!((scenario.writes(), scenario.remote()), (vec![Delete], None));
    assert_eq!(scenario.instances()?, 0);
    Ok(scenario)
}

#[apply(each_service)]
fn a_refresh_right_after_an_apply_or_an_import_finds_no_drift(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start, of.end], URL)))?;
    scenario.expect_no_drift()?;
    scenario.run(&["state", "rm", of.this])?.expect_success();
    scenario.run(&["import", of.this, &ID.to_string()])?.expect_success();
    scenario.expect_no_drift()
}

#[track_caller]
fn assert_is_request_id(of: Of, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let is_one = of.by_version(text.len() == 32, text.starts_with("Id-") && text.contains("-O-Seq-"));
    assert!(is_one, "Tencent's RequestId: {value}");
}

#[apply(each_service)]
fn each_attribute_is_updated_in_place_by_one_write(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    for (commands, url, changed) in [
        (vec![of.start], OTHER_URL, vec!["last_request_id", "url"]),
        (vec![of.start, of.end], OTHER_URL, vec![of.argument(), "last_request_id"]),
        (vec![of.changed, of.end], URL, vec![of.argument(), "last_request_id", "url"]),
    ] {
        scenario.configure(&of.object(&sends(&commands, url)))?;
        let planned = scenario.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        assert_eq!(planned["after_unknown"]["last_request_id"], true);

        let before = scenario.stored()?.expect("an object");
        scenario.simulator.clear_requests();
        scenario.apply()?;
        assert_eq!(scenario.writes(), [of.overwrite]);
        scenario.expect_remote(&commands, url);
        let after = scenario.stored()?.expect("an object");
        assert_eq!(differences(&before, &after), changed);
        assert_is_request_id(of, &after["last_request_id"]);
        scenario.expect_no_changes()?;
        scenario.simulator.clear_requests();
    }
    Ok(())
}

#[apply(each_service)]
fn settings_that_only_terraform_uses_send_nothing(of: Of) -> Result {
    let arguments = sends(&[of.start], URL);
    let scenario = of.scenario()?.applied(&of.object(&arguments))?;
    let created = scenario.stored()?.expect("an object");
    for (setting, changed) in [
        (r#"deletion_policy = "ABANDON""#, vec!["deletion_policy"]),
        (
            r#"deletion_policy = "ABANDON"
overwrite_existing = true"#,
            vec!["overwrite_existing"],
        ),
        (
            r#"timeouts = { create = "1m", delete = "1m30s" }"#,
            vec!["deletion_policy", "overwrite_existing", "timeouts"],
        ),
        (r#"timeouts = { create = "1m" }"#, vec!["timeouts"]),
        // Without settings, the defaults apply again.
        ("", vec!["timeouts"]),
    ] {
        scenario.configure(&of.object(&(arguments.clone() + setting)))?;
        let planned = scenario.planned()?;
        assert_eq!(planned["actions"], json!(["update"]), "{setting}");
        assert_eq!(differences(&planned["before"], &planned["after"]), changed, "{setting}");
        assert_eq!(planned["after"]["last_request_id"], created["last_request_id"], "{setting}: no write, no new one");

        scenario.simulator.clear_requests();
        scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
        assert_eq!(scenario.calls(), [Get], "{setting}");
        assert_eq!(scenario.stored()?.expect("an object")["last_request_id"], created["last_request_id"]);
        scenario.expect_no_changes()?;
    }
    assert_eq!(scenario.stored()?, Some(created), "all settings are gone, and so is every trace of them");
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}

#[apply(each_service)]
fn last_request_id_is_the_id_of_the_last_write(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.simulator.inject(Fault::new(FaultKind::RequestId(Some("Id-of-this-test".into()))).on(Set).times(1));
    let scenario = scenario.applied(&of.object(&sends(&[of.start], URL)))?;
    assert_eq!(scenario.stored()?.expect("an object")["last_request_id"], "Id-of-this-test");
    Ok(())
}

#[apply(each_service)]
fn the_order_and_repetition_of_commands_make_no_difference(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start, of.changed, of.end], URL)))?;
    for commands in [&[of.end, of.start, of.changed][..], &[of.start, of.end, of.changed, of.end, of.start]] {
        scenario.configure(&of.object(&sends(commands, URL)))?;
        scenario.expect_no_changes()?;
    }
    scenario.someone_sets(&[of.end, of.end, of.changed, of.start, of.end], URL);
    scenario.expect_no_changes()?;

    // Undocumented fields.
    let mut response = of.json(URL, &json!([of.end, of.changed, of.start]));
    (response["Version"], response["Extra"]) = (json!(2), json!([null]));
    scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get));
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn duplicate_commands_are_not_sent(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start, of.end, of.start], URL)))?;
    scenario.expect_remote(&[of.start, of.end], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn destroying_a_configuration_that_is_already_gone_succeeds(of: Of) -> Result {
    // Terraform notices when refreshing …
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.simulator.remove_configuration(of.service, ID);
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));

    // … or, without a refresh, the provider does when deleting.
    let scenario = scenario.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.simulator.remove_configuration(of.service, ID);
    scenario
        .run(&["destroy", "-auto-approve", "-refresh=false"])?
        .expect_success()
        .expect_contains("1 destroyed")
        .expect_lacks(&of.absent().to_string());
    assert_eq!((scenario.calls(), scenario.instances()?), (vec![Get], 0), "there is nothing to delete");
    Ok(())
}

#[apply(each_service)]
fn another_sdk_app_id_replaces_the_resource(of: Of) -> Result {
    let with_id = |id: u64| of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}")));
    let scenario = of.applications(2)?.applied(&with_id(ID))?;
    scenario.configure(&with_id(ID + 1))?;
    let planned = scenario.planned()?;
    assert_eq!(planned["actions"], json!(["delete", "create"]));
    assert_eq!(planned["replace_paths"], json!([["sdk_app_id"]]));
    assert_eq!(planned["after"]["id"], (ID + 1).to_string());

    scenario.simulator.clear_requests();
    scenario.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(scenario.writes(), [Delete, Set]);
    assert_eq!(scenario.remote(), None);
    let moved = scenario.simulator.configuration(of.service, ID + 1);
    assert_eq!(moved, Some(Configuration::new(URL, [of.start])));
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn another_default_application_replaces_its_resources(of: Of) -> Result {
    let mut scenario = of.applications(2)?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.workspace.env("TENCENT_SDK_APP_ID", (ID + 1).to_string()).env("TENCENT_SECRET_KEY", key(ID + 1));
    let planned = scenario.planned()?;
    assert_eq!(planned["actions"], json!(["delete", "create"]));
    assert_eq!((&planned["before"]["sdk_app_id"], &planned["after"]["sdk_app_id"]), (&json!(ID), &json!(ID + 1)));
    scenario.apply()?;
    assert_eq!(scenario.remote(), None);
    assert_eq!(scenario.simulator.configuration(of.service, ID + 1), Some(Configuration::new(URL, [of.start])));
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn naming_the_default_application_is_no_change(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.configure(&of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {ID}"))))?;
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn for_each_manages_several_applications(of: Of) -> Result {
    let arguments = format!(
        r#"url = "{URL}/${{each.key}}"
callback_commands = ["{}"]"#,
        of.end
    );
    let scenario = of.applications(3)?.applied(&of.fleet(ID..ID + 3, &arguments))?;
    for id in ID..ID + 3 {
        let expected = Configuration::new(format!("{URL}/{id}"), [of.end]);
        assert_eq!(scenario.simulator.configuration(of.service, id), Some(expected));
    }
    scenario.expect_no_changes()?;

    scenario.configure(&of.fleet([ID, ID + 2], &arguments))?;
    scenario.simulator.clear_requests();
    scenario.apply()?.expect_contains("0 added, 0 changed, 1 destroyed");
    let writes: Vec<_> = scenario.simulator.take_requests().into_iter().filter(|r| r.action != Some(Get)).collect();
    assert_eq!(writes.len(), 1);
    assert_eq!((writes[0].action, writes[0].sdk_app_id), (Some(Delete), Some(ID + 1)));
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_abandoned_configuration_stays_at_tencent(of: Of) -> Result {
    let scenario = of.scenario()?.applied(
        &of.object(&(sends(&[of.start], "https://hooks.example.com/?token=s3cret") + r#"deletion_policy = "ABANDON""#)),
    )?;
    let stays = &format!("The {} callback configuration of SDKAppID 1400000001 stays at Tencent", of.title);
    let plan = scenario.run(&["plan", "-destroy"])?;
    plan.expect_success().expect_contains("1 to destroy").expect_contains(stays);
    assert!(diagnostic(&plan, stays).contains("keeps posting events to https://hooks.example.com/?token=***"));

    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains(stays).expect_contains("1 destroyed");
    assert_eq!(scenario.writes(), []);
    scenario.expect_remote(&[of.start], "https://hooks.example.com/?token=s3cret");
    assert_eq!(scenario.instances()?, 0);

    // Removing the block from the configuration destroys the resource as well.
    scenario.simulator.remove_configuration(of.service, ID);
    let scenario = scenario.applied(&of.object(&(sends(&[of.start], URL) + r#"deletion_policy = "ABANDON""#)))?;
    scenario.configure("")?;
    scenario.apply()?.expect_contains(stays).expect_contains("0 changed, 1 destroyed");
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}

#[apply(each_service)]
fn the_last_applied_deletion_policy_counts(of: Of) -> Result {
    let abandoned = of.object(&(sends(&[of.start], URL) + r#"deletion_policy = "ABANDON""#));
    let scenario = of.scenario()?.applied(&abandoned)?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_lacks("stays at Tencent");
    assert_eq!(scenario.remote(), None);
    Ok(())
}

#[apply(each_service)]
fn a_replacement_says_that_the_abandoned_configuration_stays(of: Of) -> Result {
    let with = |id: u64, more: &str| of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}\n{more}")));
    let abandon = r#"deletion_policy = "ABANDON"
"#;
    let stays = &format!("The {} callback configuration of SDKAppID {ID} stays at Tencent", of.title);
    for (policy, lifecycle) in [(abandon, ""), ("", ""), (abandon, CREATE_BEFORE_DESTROY)] {
        let scenario = of.applications(2)?.applied(&with(ID, &(abandon.to_owned() + lifecycle)))?;
        scenario.configure(&with(ID + 1, &(policy.to_owned() + lifecycle)))?;
        let plan = scenario.run(&["plan", "-out=tfplan"])?;
        plan.expect_success().expect_contains("1 to add, 0 to change, 1 to destroy");
        let warning = diagnostic(&plan, stays);
        assert!(warning.contains(&format!("keeps posting events to {URL}")), "{warning}");
        assert_eq!(warning.contains("first apply the new deletion_policy"), policy.is_empty(), "{warning}");
        diagnostic(&scenario.run(&["apply", "tfplan"])?, stays);
        scenario.expect_remote(&[of.start], URL);
        assert_eq!(scenario.instances()?, 1);
    }
    Ok(())
}

#[apply(each_service)]
fn create_before_destroy_keeps_what_it_created(of: Of) -> Result {
    let with = |id: u64| {
        of.object(
            &(sends(&[of.start], URL)
                + &format!(
                    "sdk_app_id = {id}
lifecycle {{
create_before_destroy = true
}}"
                )),
        )
    };
    let scenario = of.applications(2)?.applied(&with(ID))?;
    scenario.configure(&with(ID + 1))?;
    let plan = scenario.workspace.plan_json(&[])?;
    assert_eq!(change(&plan, of.this).expect("a change")["actions"], json!(["create", "delete"]));
    scenario.apply()?;
    assert_eq!(scenario.remote(), None);
    assert!(scenario.simulator.configuration(of.service, ID + 1).is_some());
    scenario.expect_no_changes()
}
