//! Several resources of one application share one configuration: it stays as long as one of them needs it.

use std::fs;

use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Fault, FaultKind};
use terraform_cli::{Output, Terraform};

use crate::harness::{
    CHANGED, CREATE_BEFORE_DESTROY, END, ID, KEY, ONE_ATTEMPT, OTHER_URL, OVERWRITE, Result, START, Scenario,
    TERRAFORM, THIS, URL, diagnostic, diagnostics, provider, resource, sends, this,
};

const STAYS: &str = "Warning: The Call callback configuration of SDKAppID 1400000001 is kept for another object";
const TWO_RESOURCES: &str = "Two resources for the Call callback configuration of SDKAppID 1400000001";

/// Terraform's parallelism, and whether the plan is saved.
pub(crate) type Way = (&'static str, bool);

const SOME_WAYS: [Way; 2] = [("-parallelism=1", false), ("-parallelism=10", true)];
pub(crate) const OTHER_WAYS: [Way; 2] = [("-parallelism=10", false), ("-parallelism=1", true)];

fn apply(scenario: &Scenario, (parallelism, saved): Way, more: &[&str]) -> Result<Output> {
    if !saved {
        return scenario.run(&[&["apply", "-auto-approve", parallelism], more].concat());
    }
    scenario.run(&[&["plan", "-out=tfplan", parallelism], more].concat())?.expect_success();
    scenario.run(&["apply", parallelism, "tfplan"])
}

fn import(name: &str) -> String {
    format!(
        r#"import {{
  to = tencent_call_callback.{name}
  id = "{ID}"
}}
"#
    )
}

/// Destroys one of two objects of the same application, which come from an interrupted replacement, a rename without `moved`,
/// or a second import. The configuration stays.
pub(crate) fn shared_configurations_are_kept(terraform: &Terraform, ways: [Way; 2]) -> Result {
    for way in ways {
        an_interrupted_replacement(&scenario(terraform)?, way)?;
        a_rename_without_moved(&scenario(terraform)?, way)?;
        for removed in ["a", "b"] {
            an_import_twice(&scenario(terraform)?, removed, way)?;
        }
    }
    Ok(())
}

fn scenario(terraform: &Terraform) -> Result<Scenario> {
    Scenario::on(terraform, tencent_simulator::Simulator::start()?)
}

/// Asserts that the state has one object, that Tencent holds it, and that a plan has no changes.
#[track_caller]
fn expect_one_object(scenario: &Scenario, commands: &[&str], url: &str) -> Result {
    assert_eq!(scenario.instances()?, 1);
    scenario.expect_remote(commands, url);
    scenario.expect_no_changes()?;
    assert!(scenario.workspace.state()?.is_some_and(|state| !state.to_string().contains("deposed")));
    Ok(())
}

/// Leaves a deposed object of the same application, by a dependent that fails between create and destroy.
fn an_interrupted_replacement(scenario: &Scenario, way: Way) -> Result {
    let object = |url| this(&(sends(&[START], url) + CREATE_BEFORE_DESTROY + OVERWRITE));
    let failing = r#"resource "terraform_data" "dependent" {
  triggers_replace = tencent_call_callback.this.last_request_id
  provisioner "local-exec" {
    command = "exit ${tencent_call_callback.this.url == "URL" ? 0 : 1}"
  }
}
"#;
    for url in [URL, OTHER_URL] {
        scenario.configure(&(object(URL) + &failing.replace("\"URL\"", &format!("\"{URL}\""))))?;
        scenario.apply()?;
        scenario.configure(&(object(url) + &failing.replace("\"URL\"", "\"fails\"")))?;
        let interrupted = scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?;
        interrupted.expect_failure();
        assert_eq!(scenario.instances()?, 2, "a deposed object\n{interrupted}");

        scenario.configure(&object(url))?;
        let applied = apply(scenario, way, &[])?;
        applied.expect_success().expect_contains("destroyed");
        expect_one_object(scenario, &[START], url)?;
    }
    Ok(())
}

fn a_rename_without_moved(scenario: &Scenario, way: Way) -> Result {
    let guarded = sends(&[START], URL);
    scenario.configure(&resource("a", &guarded))?;
    scenario.apply()?;
    // By itself, and with the import block that the guard's error suggests.
    for (name, advice) in [("b", String::new()), ("c", import("c"))] {
        scenario.configure(&(advice + &resource(name, &guarded)))?;
        let applied = apply(scenario, way, &[])?;
        applied.expect_success().expect_contains("1 destroyed");
        expect_one_object(scenario, &[START], URL)?;
    }
    Ok(())
}

fn an_import_twice(scenario: &Scenario, removed: &str, way: Way) -> Result {
    scenario.someone_sets(&[START], URL);
    let both = ["a", "b"].map(|name| resource(name, &sends(&[START], URL)));
    scenario.configure(&(import("a") + &import("b") + &both.concat()))?;
    let imported = scenario.apply()?;
    imported.expect_contains("2 imported");
    assert!(imported.text().contains(TWO_RESOURCES), "{imported}");

    let stays = if removed == "a" { "b" } else { "a" };
    scenario.configure(&resource(stays, &sends(&[START], URL)))?;
    apply(scenario, way, &[])?.expect_success().expect_contains("1 destroyed");
    expect_one_object(scenario, &[START], URL)
}

#[test]
fn destroy_keeps_what_another_resource_needs() -> Result {
    shared_configurations_are_kept(&TERRAFORM, SOME_WAYS)
}

#[test]
fn a_plan_says_that_a_shared_configuration_is_kept() -> Result {
    let scenario = Scenario::new()?;
    scenario.someone_sets(&[START], URL);
    let both = ["a", "b"].map(|name| resource(name, &sends(&[START], URL)));
    scenario.configure(&(import("a") + &import("b") + &both.concat()))?;
    scenario.apply()?;
    // Terraform plans the two in any order, and the plan is the same.
    for stays in ["a", "b", "a", "b"] {
        scenario.configure(&resource(stays, &sends(&[START], URL)))?;
        let plan = scenario.run(&["plan"])?;
        let told = diagnostics(plan.expect_success());
        assert!(told.len() == 1 && told[0].starts_with(STAYS), "{told:#?}");
        plan.expect_contains("0 to add, 0 to change, 1 to destroy");
    }
    Ok(())
}

#[test]
fn a_replacement_without_a_request_id_keeps_the_configuration() -> Result {
    // An imported object has no last_request_id, and neither has a write whose answer is lost or lacks it.
    for kind in [FaultKind::ResetAfterProcessing, FaultKind::RequestId(None)] {
        let provider = ONE_ATTEMPT;
        let object = this(&(sends(&[START], URL) + CREATE_BEFORE_DESTROY));
        let scenario = Scenario::new()?;
        scenario.someone_sets(&[START], URL);
        scenario.configure(&(provider.to_owned() + &import("this") + &object))?;
        scenario.apply()?;
        scenario.simulator.inject(Fault::new(kind).on(Set).times(1));
        scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_success();
        expect_one_object(&scenario, &[START], URL)?;
    }
    Ok(())
}

#[test]
fn a_destroy_that_remembers_a_forgotten_object_says_how_to_check_again() -> Result {
    let both = ["a", "b"].map(|name| resource(name, &sends(&[START], URL)));
    let scenario = Scenario::new()?.applied(&both.concat())?;
    scenario.apply()?;
    let state = scenario.workspace.path().join("terraform.tfstate");
    let with_both = fs::read(&state)?;
    let mut remembers = 0;
    for forgotten in ["a", "b"] {
        fs::write(&state, &with_both)?;
        scenario.run(&["state", "rm", &format!("tencent_call_callback.{forgotten}")])?.expect_success();
        scenario.configure("")?;
        let plan = scenario.run(&["plan", "-destroy", "-refresh=false"])?;
        if plan.expect_success().text().contains("is kept for another object") {
            remembers += 1;
            assert!(diagnostic(&plan, "is kept for another").contains("destroy this one without -refresh=false"));
        }
    }
    assert!(remembers > 0, "at least the object that was read after the other one");
    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_lacks("is kept for another");
    assert_eq!(scenario.remote(), None);
    Ok(())
}

/// An edited state may hold an object twice, with the same private data.
#[test]
fn destroy_keeps_what_a_copied_object_needs() -> Result {
    let copied = |configuration: &str| -> Result<Scenario> {
        let scenario = Scenario::new()?.applied(&resource("a", &sends(&[START], URL)))?;
        let mut state = scenario.workspace.state()?.ok_or("no state")?;
        let mut copy = state["resources"][0].clone();
        copy["name"] = "b".into();
        state["resources"].as_array_mut().ok_or("no resources")?.push(copy);
        fs::write(scenario.workspace.path().join("terraform.tfstate"), state.to_string())?;
        scenario.configure(configuration)?;
        Ok(scenario)
    };
    for way in SOME_WAYS.into_iter().chain(OTHER_WAYS) {
        for stays in ["a", "b"] {
            let scenario = copied(&resource(stays, &sends(&[START], URL)))?;
            apply(&scenario, way, &[])?.expect_success().expect_contains("1 destroyed");
            expect_one_object(&scenario, &[START], URL)?;
        }
    }
    let scenario = copied(&(resource("a", &sends(&[END], OTHER_URL)) + &resource("b", &sends(&[START], URL))))?;
    diagnostic(scenario.try_apply()?.expect_failure(), TWO_RESOURCES);
    let scenario = copied("")?;
    scenario.apply()?;
    assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    Ok(())
}

#[test]
fn two_resources_that_differ_fail_the_plan() -> Result {
    let scenario = Scenario::new()?;
    let two = |command, url| resource("a", &sends(&[START], URL)) + &resource("b", &sends(&[command], url));
    // Both new, and then one of them managed already.
    for _ in 0..2 {
        scenario.configure(&two(END, OTHER_URL))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        let error = diagnostic(&plan, TWO_RESOURCES);
        assert!(error.starts_with("Error") && error.contains(OTHER_URL) && error.contains(URL), "{error}");
        assert_eq!(scenario.writes(), []);
        scenario.configure(&resource("a", &sends(&[START], URL)))?;
        scenario.apply()?;
        scenario.simulator.clear_requests();
    }
    scenario.configure(&two(START, URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success();
    assert!(diagnostic(&plan, TWO_RESOURCES).starts_with("Warning"));
    scenario.apply()?;
    assert_eq!(scenario.instances()?, 2);
    scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(0).expect_contains(TWO_RESOURCES);
    // With both in the state, changing one is an error as well.
    scenario.configure(&two(CHANGED, URL))?;
    diagnostic(&scenario.run(&["plan"])?, TWO_RESOURCES);
    // Both can be destroyed at once, even though the plan that Terraform makes first fails.
    diagnostic(&scenario.run(&["destroy", "-auto-approve"])?, TWO_RESOURCES);
    scenario.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_success();
    assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    Ok(())
}

#[test]
fn two_resources_that_turn_out_to_differ_fail_the_apply() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(
        &(r#"resource "terraform_data" "url" {
  input = "https://other.example.com/calls"
}
"#
        .to_owned()
            + &resource("a", &sends(&[START], URL))
            + &resource(
                "b",
                r#"url = terraform_data.url.output
callback_commands = ["Call.CallbackAfterStartCall"]"#,
            )),
    )?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success();
    assert!(diagnostic(&plan, TWO_RESOURCES).starts_with("Warning"));
    scenario.simulator.clear_requests();
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    assert!(diagnostics(&applied).iter().any(|d| d.starts_with("Error") && d.contains(TWO_RESOURCES)), "{applied}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 1), "the second one wrote nothing");
    Ok(())
}

#[test]
fn without_refresh_a_plan_that_could_delete_a_shared_configuration_is_refused() -> Result {
    for parallelism in ["-parallelism=1", "-parallelism=10"] {
        let scenario = Scenario::new()?;
        scenario.configure(&["a", "b"].map(|name| resource(name, &sends(&[START], URL))).concat())?;
        scenario.apply()?;
        scenario.configure(&resource("b", &sends(&[START], URL)))?;
        let plan = scenario.run(&["plan", "-refresh=false", parallelism])?;
        plan.expect_code(1);
        let error = diagnostic(&plan, "Several objects share the Call callback configuration of SDKAppID 1400000001");
        assert!(error.contains("-refresh=false"), "{error}");
        // A resource that is written anyway needs no refresh.
        scenario.configure(&resource("b", &sends(&[END], URL)))?;
        scenario.run(&["apply", "-auto-approve", "-refresh=false", parallelism])?.expect_success();
        expect_one_object(&scenario, &[END], URL)?;
    }
    Ok(())
}

/// Limits that the guide on reliability states.
#[test]
fn destroy_deletes_what_only_a_resource_outside_the_run_needs() -> Result {
    let two_processes = format!(
        r#"provider "tencent" {{
}}
provider "tencent" {{
  alias = "other"
}}
{}"#,
        resource("a", &sends(&[START], URL))
    );
    let of_other = two_processes.clone() + &resource("b", &(sends(&[START], URL) + "provider = tencent.other\n"));
    let one_process = resource("a", &sends(&[START], URL));
    let both = one_process.clone() + &resource("b", &sends(&[START], URL));
    for (before, after, target) in
        [(of_other, two_processes, &[][..]), (both, one_process, &["-target=tencent_call_callback.b"])]
    {
        let scenario = Scenario::new()?.applied(&before)?;
        scenario.configure(&after)?;
        let applied = scenario.run(&[&["apply", "-auto-approve"], target].concat())?;
        applied.expect_success().expect_contains("1 destroyed");
        assert_eq!((scenario.remote(), scenario.instances()?), (None, 1));
        scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");
        expect_one_object(&scenario, &[START], URL)?;
    }
    Ok(())
}

#[test]
fn resources_can_swap_their_applications() -> Result {
    let of = |name: &str, id: u64, url: &str, guard: bool| {
        resource(name, &format!("{}sdk_app_id = {id}\noverwrite_existing = {}\n", sends(&[START], url), !guard))
    };
    for (guard, parallelism) in [(true, "-parallelism=10"), (true, "-parallelism=1"), (false, "-parallelism=10")] {
        let scenario = Scenario::of_applications(2)?;
        scenario.configure(&(of("a", ID, URL, guard) + &of("b", ID + 1, OTHER_URL, guard)))?;
        scenario.apply()?;
        scenario.configure(&(of("a", ID + 1, URL, guard) + &of("b", ID, OTHER_URL, guard)))?;
        // With -parallelism=1, a plan cannot know that the other resource moves away, and refuses to overwrite its object.
        let plan = scenario.run(&["plan", "-out=tfplan"])?;
        let mut told = diagnostics(plan.expect_success());
        told.sort();
        let passes =
            |id| format!("Warning: The Call callback configuration of SDKAppID {id} passes to another resource");
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(told.iter().zip([ID, ID + 1]).all(|(told, id)| told.starts_with(&passes(id))), "{told:#?}");
        let applied = scenario.run(&["apply", parallelism, "tfplan"])?;
        applied.expect_success().expect_contains("2 added, 0 changed, 2 destroyed");
        scenario.expect_remote(&[START], OTHER_URL);
        assert!(!scenario.calls().contains(&Delete), "nothing is lost if a write fails");
        assert_eq!(scenario.instances()?, 2);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_replacement_of_the_same_application_deletes_nothing() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    // If the write fails, Tencent goes on sending events.
    scenario.simulator.inject(Fault::new(FaultKind::ErrorCode { code: 60017, info: String::new() }).on(Set));
    let replace = format!("-replace={THIS}");
    scenario.run(&["apply", "-auto-approve", &replace])?.expect_failure();
    scenario.expect_remote(&[START], URL);
    scenario.simulator.clear_faults();
    scenario.simulator.clear_requests();
    scenario.apply()?;
    assert_eq!(scenario.writes(), [Set]);
    scenario.run(&["taint", THIS])?.expect_success();
    scenario.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    assert!(!scenario.calls().contains(&Delete));
    scenario.expect_no_changes()?;
    assert!(scenario.calls().iter().all(|action| *action == Get));
    Ok(())
}

/// Terraform destroys an object before it creates what the replacement depends on. The provider cannot know that the
/// creation will never begin.
#[test]
fn a_replacement_that_never_begins_is_taken_over_by_the_next_apply() -> Result {
    let config = |url: &str, command: &str| {
        let other = format!(
            r#"resource "terraform_data" "first" {{
  triggers_replace = "{command}"
  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"#
        );
        let lifecycle = "lifecycle {\n  replace_triggered_by = [terraform_data.first]\n}\n";
        other + &this(&(sends(&[START], url) + lifecycle))
    };
    let scenario = Scenario::new()?.applied(&config(URL, "true"))?;
    scenario.configure(&config(URL, "false"))?;
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    scenario.expect_remote(&[START], URL);

    scenario.configure(&config(OTHER_URL, "true"))?;
    let planned = scenario.run(&["plan"])?;
    planned.expect_failure();
    diagnostic(&planned, "To keep it, import it: add this block");
    scenario.configure(&config(URL, "true"))?;
    diagnostic(&scenario.apply()?, "already exists as planned");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), [Set]);
    Ok(())
}

#[test]
fn destroy_deletes_what_only_a_resource_not_yet_created_needs() -> Result {
    // Before it destroys, Terraform makes a normal plan, which here creates the block under its new name.
    for parallelism in ["-parallelism=1", "-parallelism=10"] {
        let scenario = Scenario::new()?;
        scenario.configure(&resource("a", &sends(&[START], URL)))?;
        scenario.apply()?;
        scenario.configure(&resource("b", &sends(&[START], URL)))?;
        scenario.run(&["destroy", "-auto-approve", parallelism])?.expect_success().expect_lacks("is kept for");
        assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    }
    Ok(())
}

#[test]
fn an_unknown_provider_deletes_no_shared_configuration() -> Result {
    let provider = |key: &str| provider(&format!("secret_key = {key}"));
    for (removed, parallelism) in [("a", "-parallelism=1"), ("b", "-parallelism=1"), ("a", "-parallelism=10")] {
        let scenario = Scenario::new()?;
        scenario.configure(&["a", "b"].map(|name| resource(name, &sends(&[START], URL))).concat())?;
        scenario.apply()?;
        let later = format!(
            r#"resource "terraform_data" "key" {{
  input = "{KEY}"
}}
"#
        );
        let stays = if removed == "a" { "b" } else { "a" };
        scenario
            .configure(&(later + &provider("terraform_data.key.output") + &resource(stays, &sends(&[START], URL))))?;
        let plan = scenario.run(&["plan", parallelism])?;
        plan.expect_code(1);
        diagnostic(&plan, "Several objects share the Call callback configuration of SDKAppID 1400000001");
        // The error advises to apply first what the provider depends on.
        scenario.run(&["apply", "-auto-approve", "-target=terraform_data.key"])?.expect_success();
        scenario.run(&["apply", "-auto-approve", parallelism])?.expect_success();
        expect_one_object(&scenario, &[START], URL)?;
    }
    Ok(())
}

#[test]
fn a_tainted_resource_that_moves_away_keeps_what_another_needs() -> Result {
    let of = |name: &str, id: u64, more: &str| {
        resource(name, &(sends(&[START], URL) + &format!("sdk_app_id = {id}\n{more}")))
    };
    for more in ["", "depends_on = [tencent_call_callback.b]\n"] {
        let scenario = Scenario::of_applications(2)?;
        scenario.configure(&(of("a", ID, "") + &of("b", ID, "")))?;
        scenario.apply()?;
        scenario.run(&["taint", "tencent_call_callback.a"])?.expect_success();
        scenario.configure(&(of("a", ID + 1, more) + &of("b", ID, "")))?;
        scenario.apply()?;
        scenario.expect_remote(&[START], URL);
        assert_eq!(scenario.instances()?, 2);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_guarded_tainted_resource_can_be_replaced() -> Result {
    let guarded = |url| this(&sends(&[START], url));
    let scenario = Scenario::new()?.applied(&guarded(URL))?;
    for url in [URL, OTHER_URL] {
        scenario.run(&["taint", THIS])?.expect_success();
        scenario.configure(&guarded(url))?;
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied), [""; 0]);
        scenario.expect_remote(&[START], url);
        scenario.expect_no_changes()?;
    }
    Ok(())
}
