//! A fleet on one provider: each application has its own credentials, and is never called with those of another.

use rstest_reuse::apply;
use serde_json::json;
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{App, Service, Simulator};
use terraform_cli::{Feature, needs};

use crate::harness::{
    CALL, END, ID, KEY, OTHER_URL, Of, Result, START, Scenario, TERRAFORM, URL, change, diagnostic, diagnostics,
    each_service, fleet, key, provider, resource, sends, this,
};

fn of(id: u64, url: &str) -> String {
    resource(&format!("app_{id}"), &(sends(&[START], url) + &format!("sdk_app_id = {id}\n")))
}

#[test]
fn a_fleet_needs_no_default_application() -> Result {
    let mut scenario = Scenario::of_applications(3)?;
    scenario.workspace.remove_env("TENCENT_SDK_APP_ID").remove_env("TENCENT_SECRET_KEY");
    let scenario = scenario.applied(&fleet(ID..ID + 3, &sends(&[START], URL)))?;
    assert!((ID..ID + 3).all(|id| scenario.simulator.configuration(Service::Call, id).is_some()));
    scenario.expect_no_changes()?;

    // A resource that names no application gets none.
    scenario.configure(&this(&sends(&[START], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "No SDKAppID");
    assert!(error.contains("credentials for the SDKAppIDs 1400000001, 1400000002, 1400000003."), "{error}");
    Ok(())
}

#[test]
fn each_application_can_have_its_own_endpoint_and_identifier() -> Result {
    let elsewhere = Simulator::builder().app(App::new(ID + 1, key(ID + 1)).administrator("terraform")).start()?;
    let scenario = Scenario::new()?;
    let entry = format!(
        r#"apps = {{
"{}" = {{
secret_key = "{}"
identifier = "terraform"
endpoint = "{}"
}}
}}"#,
        ID + 1,
        key(ID + 1),
        elsewhere.url()
    );
    let scenario = scenario.applied(&(provider(&entry) + &of(ID, URL) + &of(ID + 1, URL)))?;
    scenario.expect_remote(&[START], URL);
    assert!(elsewhere.configuration(Service::Call, ID + 1).is_some());
    assert!(elsewhere.requests().iter().all(|request| request.identifier.as_deref() == Some("terraform")));
    scenario.expect_no_changes()
}

#[test]
fn the_credentials_of_one_application_are_never_used_for_another() -> Result {
    let scenario = Scenario::of_applications(2)?.applied(&(of(ID, URL) + &of(ID + 1, URL)))?;
    let apps_without = format!(r#"apps = {{ "{ID}" = {{ secret_key = "{KEY}" }} }}"#);
    for resources in [of(ID, URL) + &of(ID + 1, OTHER_URL), of(ID, URL)] {
        scenario.configure(&(provider(&apps_without) + &resources))?;
        for refresh in ["-refresh=true", "-refresh=false"] {
            let applied = scenario.run(&["apply", "-auto-approve", refresh])?;
            applied.expect_failure();
            let error = diagnostic(&applied, "The provider \"tencent\" has no credentials for SDKAppID 1400000002");
            for said in
                ["It has credentials for SDKAppID 1400000001.", r#"apps = { "1400000002""#, "ABANDON", "removed"]
            {
                assert!(error.contains(said), "{error}");
            }
        }
    }
    assert_eq!(scenario.writes(), []);
    assert!(scenario.simulator.configuration(Service::Call, ID + 1).is_some());

    // With its credentials, it can be destroyed.
    scenario.configure(&of(ID, URL))?;
    scenario.apply()?.expect_contains("0 added, 0 changed, 1 destroyed");
    assert_eq!(scenario.writes(), [Delete]);
    Ok(())
}

/// Starts with two managed applications. Then one leaves `apps`, and the environment has a key without an application.
fn left_apps(of: Of) -> Result<(Scenario, String)> {
    let resource =
        |id: u64| of.resource(&format!("app_{id}"), &(sends(&[of.start], URL) + &format!("sdk_app_id = {id}")));
    let mut scenario = of.applications(2)?.applied(&(resource(ID) + &resource(ID + 1)))?;
    scenario.workspace.remove_env("TENCENT_SDK_APP_ID");
    let rest = provider(&format!(r#"apps = {{ "{ID}" = {{ secret_key = "{KEY}" }} }}"#)) + &resource(ID);
    Ok((scenario, rest))
}

#[track_caller]
fn expect_calls_only_for(id: u64, scenario: &Scenario) {
    let requests = scenario.simulator.take_requests();
    assert!(requests.iter().all(|request| request.sdk_app_id == Some(id)), "{requests:#?}");
}

#[apply(each_service)]
fn an_application_that_has_left_apps_is_never_called(of: Of) -> Result {
    let (scenario, rest) = left_apps(of)?;
    let (ty, id) = (of.resource_type(), ID + 1);
    let resource = of.resource(&format!("app_{id}"), &(sends(&[of.start], OTHER_URL) + &format!("sdk_app_id = {id}")));
    let data = format!("data \"{ty}\" \"there\" {{\n  sdk_app_id = {id}\n}}\n");
    let import =
        format!("import {{\n  to = {ty}.again\n  id = \"{id}\"\n}}\n") + &resource.replace("app_1400000002", "again");
    for (more, option) in [
        (&resource, "-refresh=true"),
        (&resource, "-refresh=false"),
        (&resource, "-refresh-only"),
        (&resource, "-destroy"),
        (&String::new(), "-refresh=true"),
        (&String::new(), "-refresh=false"),
        (&data, &format!("-target=data.{ty}.there")),
        (&import, &format!("-target={ty}.again")),
    ] {
        scenario.configure(&(rest.clone() + more))?;
        let planned = scenario.run(&["plan", option])?;
        planned.expect_failure();
        let error = diagnostic(&planned, "The provider \"tencent\" has no credentials for SDKAppID 1400000002");
        assert!(error.contains("whose SecretKey") && error.contains(r#"apps = { "1400000002""#), "{error}");
        expect_calls_only_for(ID, &scenario);
    }
    Ok(())
}

#[test]
fn a_key_without_an_application_signs_and_lists_for_none() -> Result {
    needs!(TERRAFORM, Feature::Query);
    let (scenario, rest) = left_apps(CALL)?;
    let query = format!(
        "list \"tencent_call_callback\" \"all\" {{\n  provider = tencent\n  config {{\n    sdk_app_ids = [{}]\n  }}\n}}\n",
        ID + 1
    );
    let user_sig = format!("ephemeral \"tencent_user_sig\" \"this\" {{\n  sdk_app_id = {}\n}}\n", ID + 1);
    let probe = format!(
        "action \"tencent_callback_probe\" \"this\" {{\n  config {{\n    sdk_app_id = {}\n    callback_command = \"{END}\"\n  }}\n}}\n",
        ID + 1
    );
    for (file, text, command) in [
        ("more.tfquery.hcl", &query, &["query"][..]),
        ("more.tf", &user_sig, &["plan"]),
        ("more.tf", &probe, &["plan", "-invoke=action.tencent_callback_probe.this"]),
    ] {
        scenario.configure(&rest.replace(&of(ID, URL), ""))?;
        scenario.workspace.write(file, text)?;
        let run = scenario.run(command)?;
        run.expect_failure();
        assert!(
            diagnostics(&run).iter().any(|said| said.contains("has no credentials for SDKAppID 1400000002")),
            "{run}"
        );
        scenario.workspace.write(file, "")?;
        expect_calls_only_for(ID, &scenario);
    }
    Ok(())
}

#[test]
fn an_apps_entry_that_contradicts_the_default_application_is_refused() -> Result {
    let mut scenario = Scenario::new()?;
    // Terraform prints the line at fault, so the keys are not on it.
    scenario.workspace.env("TF_VAR_another", "s3cret").env("TF_VAR_same", KEY);
    let variables = r#"variable "another" {}
variable "same" {}
"#;
    for (entry, name, said) in [
        ("secret_key = var.another", "secret_key", "a different SecretKey"),
        (
            r#"secret_key = var.same
identifier = "s3cretary""#,
            "identifier",
            "\"administrator\"",
        ),
        (
            r#"secret_key = var.same
region = "seoul""#,
            "region",
            "the endpoint http://127.0.0.1:",
        ),
    ] {
        let apps = format!(
            r#"apps = {{
"{ID}" = {{
{entry}
}}
}}"#
        );
        scenario.configure(&(variables.to_owned() + &provider(&apps) + &of(ID, URL)))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_failure().expect_lacks("s3cret\"").expect_lacks(KEY);
        let error = diagnostic(&plan, &format!("Invalid provider argument apps[\"{ID}\"].{name}"));
        assert!(error.contains(said), "{error}");
        assert!(error.contains("in provider \"tencent\""), "{error}");
    }
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn an_unknown_apps_entry_does_not_block_other_applications() -> Result {
    let scenario = Scenario::of_applications(2)?;
    let config = |note: &str, url: &str| {
        let later = json!({ "key": key(ID + 1), "note": note });
        let apps = format!(r#"apps = {{ "{}" = {{ secret_key = terraform_data.later.output.key }} }}"#, ID + 1);
        format!(
            r#"resource "terraform_data" "later" {{
  input = {later}
}}
"#
        ) + &provider(&apps)
            + &of(ID, url)
            + &of(ID + 1, url)
    };
    scenario.configure(&config("one", URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("3 to add");
    let warning = diagnostic(&plan, "Could not check for an existing Call callback configuration");
    assert!(warning.contains("tencent_call_callback.app_1400000002"), "{warning}");
    assert_eq!(scenario.calls(), [Get], "the other application is looked at");
    scenario.apply()?;
    scenario.expect_no_changes()?;

    scenario.configure(&config("two", OTHER_URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success();
    diagnostic(&plan, "The Call callback configuration of SDKAppID 1400000002 was not refreshed");
    let plan = scenario.workspace.plan_json(&[])?;
    for id in [ID, ID + 1] {
        let planned = change(&plan, &format!("tencent_call_callback.app_{id}")).expect("a change");
        assert_eq!(planned["actions"], json!(["update"]), "{id}");
    }
    scenario.simulator.clear_requests();
    scenario.apply()?.expect_contains("0 added, 3 changed, 0 destroyed");
    assert_eq!(scenario.writes(), [Set, Set]);
    scenario.expect_no_changes()
}

#[test]
fn a_data_source_without_credentials_is_an_error() -> Result {
    let scenario = Scenario::of_applications(2)?;
    let read = format!(
        r#"data "tencent_call_callback" "there" {{
  sdk_app_id = {}
}}
"#,
        ID + 2
    );
    scenario.configure(&(read + &this(&sends(&[END], URL))))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "no credentials for SDKAppID 1400000003");
    assert!(error.contains("with data.tencent_call_callback.there"), "{error}");
    Ok(())
}

#[test]
fn invalid_apps_entries_are_refused_without_quoting_their_secrets() -> Result {
    let mut scenario = Scenario::new()?;
    let secret = "5ecret".repeat(8);
    scenario.workspace.env("TF_VAR_secret", &secret);
    for (entries, name, said) in [
        // The SecretKey in the SDKAppID's place.
        ("(var.secret) = { secret_key = var.secret }", "apps", "The value is not an SDKAppID. Each key of apps is"),
        ("calls = { secret_key = var.secret }", "apps", "\"calls\" is not an SDKAppID."),
        (
            r#""1400000002" = { secret_key = var.secret }
"01400000002" = { secret_key = var.secret }"#,
            "apps[\"1400000002\"]",
            "\"01400000002\" and \"1400000002\" are the same SDKAppID.",
        ),
        (r#""1400000002" = { region = "seoul" }"#, "apps[\"1400000002\"]", "The entry has no credentials."),
        (
            r#""1400000002" = { secret_key = "${var.secret}\n" }"#,
            "apps[\"1400000002\"].secret_key",
            "begins or ends with white space",
        ),
        (r#""1400000002" = { user_sig = var.secret }"#, "apps[\"1400000002\"].user_sig", "it is not a UserSig"),
        (
            r#""1400000002" = {
secret_key = var.secret
user_sig = var.secret
}"#,
            "apps[\"1400000002\"].user_sig",
            "both set",
        ),
    ] {
        let apps = format!(
            r#"variable "secret" {{}}
{}"#,
            provider(&format!(
                "apps = {{
{entries}
}}"
            ))
        );
        scenario.configure(&(apps + &of(ID, URL)))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_failure().expect_lacks(&secret);
        let error = diagnostic(&plan, &format!("Invalid provider argument {name}"));
        assert!(error.contains(said), "expected {said:?}\n{error}");
    }
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn an_invalid_entry_is_named_however_its_key_is_written() -> Result {
    let scenario = Scenario::new()?;
    // Over a path into a map, Terraform panics if a key is a number. For the map itself, it prints all of the map.
    let keys =
        [r#""1400000002""#, "1400000002", "(1400000002)", r#""${1400000002}""#, "(1400000000 + 2)", "(local.id)"];
    for key in keys {
        for (entry, name, said) in [
            (
                r#"{ secret_key = "s3cret", region = "mars" }"#,
                "apps[\"1400000002\"].region",
                "\"mars\" is not a region",
            ),
            ("{}", "apps[\"1400000002\"]", "The entry has no credentials."),
        ] {
            let apps = format!(
                r#"locals {{
  id = 1400000002
}}
{}"#,
                provider(&format!("apps = {{ {key} = {entry} }}"))
            );
            scenario.configure(&(apps + &of(ID, URL)))?;
            let plan = scenario.run(&["plan"])?;
            plan.expect_failure().expect_lacks("s3cret");
            let error = diagnostic(&plan, &format!("Invalid provider argument {name}"));
            assert!(error.contains("in provider \"tencent\":"), "{error}");
            assert!(error.contains(said), "{key}: expected {said:?}\n{error}");
        }
    }
    Ok(())
}

#[test]
fn an_instance_without_credentials_is_named_and_does_not_block_the_others() -> Result {
    let scenario = Scenario::of_applications(2)?;
    scenario.configure(&fleet(ID..ID + 3, &sends(&[START], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "no credentials for SDKAppID 1400000003");
    assert!(error.contains("with tencent_call_callback.fleet[\"1400000003\"]"), "{error}");
    assert_eq!(scenario.calls(), [Get, Get], "the others are looked at");
    Ok(())
}

#[test]
fn an_application_known_only_after_apply_is_planned_and_created() -> Result {
    let scenario = Scenario::of_applications(2)?;
    let later = format!(
        r#"resource "terraform_data" "later" {{
  input = {}
}}
"#,
        ID + 1
    );
    let object = sends(&[START], URL) + "for_each = { later = terraform_data.later.output }\nsdk_app_id = each.value\n";
    scenario.configure(&(later + &this(&object)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("2 to add");
    diagnostic(&plan, "Could not check for an existing Call callback configuration");
    scenario.apply()?.expect_contains("2 added");
    assert!(scenario.simulator.configuration(Service::Call, ID + 1).is_some());
    scenario.expect_no_changes()
}

#[test]
fn unmanaged_entries_of_apps_cost_no_calls() -> Result {
    let scenario = Scenario::of_applications(1)?;
    let apps: serde_json::Map<_, _> =
        (ID..).take(2_000).map(|id| (id.to_string(), json!({ "secret_key": key(id) }))).collect();
    // More than an environment variable holds.
    scenario.workspace.write("fleet.auto.tfvars.json", &json!({ "fleet": apps }).to_string())?;
    let variable = r#"variable "fleet" {
  type = map(object({ secret_key = string }))
  sensitive = true
}
"#;
    let scenario = scenario.applied(&(variable.to_owned() + &provider("apps = var.fleet") + &of(ID, URL)))?;
    scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
    assert_eq!(scenario.calls(), [Get], "what is not managed is not called for");
    Ok(())
}
