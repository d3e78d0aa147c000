//! `terraform query`: finds existing configurations, whoever made them, and brings them under management.

use std::fs;

use rstest_reuse::apply;
use tencent_simulator::{Configuration, Fault, FaultKind, Service};
use terraform_cli::{Feature, Terraform, needs};

use crate::harness::{
    CALL, CHANGED, END, ID, OTHER_URL, Of, Result, SERVICES, START, Scenario, TERRAFORM, URL, diagnostic, each_service,
};

const ALL: &str = r#"list "tencent_call_callback" "all" {
  provider = tencent
}
"#;

/// Starts with three applications, of which the second has no configuration.
fn two_of_three(terraform: &Terraform) -> Result<Scenario> {
    let scenario = Scenario::of_on(terraform, ID..ID + 3)?;
    scenario.configure(
        r#"provider "tencent" {
}
"#,
    )?;
    scenario.simulator.put_configuration(Service::Call, ID, Configuration::new(URL, [START, END]));
    scenario.simulator.put_configuration(Service::Call, ID + 2, Configuration::new(OTHER_URL, [CHANGED]));
    scenario.workspace.write("all.tfquery.hcl", ALL)?;
    Ok(scenario)
}

/// Finds two configurations, and imports them with the configuration that Terraform generates.
pub(crate) fn query_finds_and_imports(terraform: &Terraform) -> Result {
    let scenario = two_of_three(terraform)?;
    let found = scenario.run(&["query"])?;
    found
        .expect_success()
        .expect_contains(&format!("sdk_app_id={ID}"))
        .expect_contains(&format!("sdk_app_id={}", ID + 2));
    found.expect_contains(&format!("{CHANGED} to {OTHER_URL}")).expect_lacks(&format!("sdk_app_id={}", ID + 1));
    assert_eq!(scenario.writes(), []);

    scenario.run(&["query", "-generate-config-out=generated.tf"])?.expect_success();
    let generated = fs::read_to_string(scenario.workspace.path().join("generated.tf"))?;
    assert!(generated.contains(OTHER_URL) && !generated.contains("deletion_policy"), "no defaults: {generated}");
    scenario.run(&["apply", "-auto-approve"])?.expect_contains("2 imported, 0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[test]
fn query_finds_configurations_and_generates_imports() -> Result {
    needs!(TERRAFORM, Feature::Query);
    query_finds_and_imports(&TERRAFORM)
}

#[test]
fn a_failed_read_does_not_hide_other_applications() -> Result {
    needs!(TERRAFORM, Feature::Query);
    let scenario = two_of_three(&TERRAFORM)?;
    let refused = Fault::new(FaultKind::ErrorCode { code: 60020, info: "made to fail".into() });
    scenario.simulator.inject(refused.clone().sdk_app_id(ID));
    let found = scenario.run(&["query"])?;
    found.expect_success().expect_contains(&format!("sdk_app_id={}", ID + 2));
    let warning = diagnostic(&found, "error 60020");
    assert!(
        warning.starts_with(&format!("Warning: Reading the Call callback configuration of SDKAppID {ID} failed")),
        "{warning}"
    );

    scenario.simulator.inject(refused);
    let nothing = scenario.run(&["query"])?;
    nothing.expect_failure();
    diagnostic(&nothing, "Error: Nothing could be listed");
    Ok(())
}

#[test]
fn a_query_can_be_limited() -> Result {
    needs!(TERRAFORM, Feature::Query);
    let scenario = two_of_three(&TERRAFORM)?;
    let with = |arguments: &str| ALL.replace("= tencent\n", &format!("= tencent\n{arguments}\n"));
    let only = |ids: &str| {
        with(&format!(
            "  config {{
    sdk_app_ids = {ids}
  }}"
        ))
    };
    for (query, found) in [
        (with("  limit = 1"), vec![ID]),
        (only(&format!("[{}, {}]", ID + 1, ID + 2)), vec![ID + 2]),
        (only("[]"), vec![]),
    ] {
        scenario.workspace.write("all.tfquery.hcl", &query)?;
        let queried = scenario.run(&["query"])?;
        queried.expect_success();
        let listed = (ID..ID + 3).filter(|id| queried.contains(&format!("sdk_app_id={id}")));
        assert_eq!(listed.collect::<Vec<_>>(), found, "{queried}");
    }
    for (ids, said) in [("[0]", "0 is not an SDKAppID"), ("[7]", "has no credentials for SDKAppID 7")] {
        scenario.workspace.write("all.tfquery.hcl", &only(ids))?;
        let queried = scenario.run(&["query"])?;
        queried.expect_failure();
        diagnostic(&queried, said);
    }
    Ok(())
}

#[test]
fn credentials_without_an_application_list_nothing() -> Result {
    needs!(TERRAFORM, Feature::Query);
    let mut scenario = Scenario::new()?;
    scenario.configure(
        r#"provider "tencent" {}
"#,
    )?;
    scenario.workspace.write("all.tfquery.hcl", ALL)?;
    scenario.workspace.remove_env("TENCENT_SDK_APP_ID");
    let queried = scenario.run(&["query"])?;
    queried.expect_failure();
    diagnostic(&queried, "The provider does not know which application its credentials belong to.");
    scenario.workspace.remove_env("TENCENT_SECRET_KEY");
    let queried = scenario.run(&["query"])?;
    queried.expect_failure();
    diagnostic(&queried, "The provider \"tencent\" has no credentials");
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[apply(each_service)]
fn a_query_finds_only_its_own_service(of: Of) -> Result {
    needs!(TERRAFORM, Feature::Query);
    let scenario = of.scenario()?;
    for other in SERVICES {
        let url = format!("https://{}.example.com/", other.name);
        scenario.simulator.put_configuration(other.service, ID, Configuration::new(url, [other.end]));
    }
    scenario.configure(
        r#"provider "tencent" {
}
"#,
    )?;
    scenario.workspace.write("all.tfquery.hcl", &ALL.replace(CALL.resource_type(), of.resource_type()))?;
    let found = scenario.run(&["query"])?;
    found.expect_success().expect_contains(&format!("{} to https://{}.example.com/", of.end, of.name));
    let requests = scenario.simulator.take_requests();
    assert!(requests.iter().all(|request| request.service == Some(of.service)));
    Ok(())
}
