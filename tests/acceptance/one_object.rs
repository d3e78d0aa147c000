//! One application has one configuration, however many objects of Terraform's are that one: what is still wanted stays.

use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Fault, FaultKind};
use terraform_cli::{Output, Terraform};

use crate::harness::{
    CHANGED, END, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, THIS, URL, diagnostic, diagnostics, resource,
    sends, this,
};

const STAYS: &str = "Warning: The Call callback configuration of SDKAppID 1400000001 is kept for another object";
const TWO_RESOURCES: &str = "Two resources for the Call callback configuration of SDKAppID 1400000001";

/// How Terraform's graph is walked, and whether the plan is saved.
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
    format!("import {{\n  to = tencent_call_callback.{name}\n  id = \"{ID}\"\n}}\n")
}

/// The same on any Terraform: what an interrupted replacement leaves, a rename without `moved`, an import twice.
pub(crate) fn nothing_wanted_is_deleted(terraform: &Terraform, ways: [Way; 2]) -> Result {
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

/// What is there is what the one object in the state says, and there is nothing more to do.
#[track_caller]
fn expect_one_object(scenario: &Scenario, commands: &[&str], url: &str) -> Result {
    assert_eq!(scenario.instances()?, 1);
    scenario.expect_remote(commands, url);
    scenario.expect_no_changes()?;
    assert!(scenario.workspace.state()?.is_some_and(|state| !state.to_string().contains("deposed")));
    Ok(())
}

/// A dependent that fails between creating and destroying leaves a deposed object of the same application.
fn an_interrupted_replacement(scenario: &Scenario, way: Way) -> Result {
    let object = |url| this(&(sends(&[START], url) + "lifecycle {\n  create_before_destroy = true\n}\n"));
    let failing = "resource \"terraform_data\" \"dependent\" {\n  triggers_replace = \
                   tencent_call_callback.this.last_request_id\n  provisioner \"local-exec\" {\n    command = \"exit \
                   ${tencent_call_callback.this.url == \"URL\" ? 0 : 1}\"\n  }\n}\n";
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
    let guarded = sends(&[START], URL) + "overwrite_existing = false\n";
    scenario.configure(&resource("a", &guarded))?;
    scenario.apply()?;
    // As somebody would do it, and as an error about something else would advise.
    for (name, advice) in [("b", String::new()), ("c", import("c"))] {
        scenario.configure(&(advice + &resource(name, &guarded)))?;
        let applied = apply(scenario, way, &[])?;
        applied.expect_success().expect_contains("1 destroyed");
        expect_one_object(scenario, &[START], URL)?;
    }
    Ok(())
}

fn an_import_twice(scenario: &Scenario, removed: &str, way: Way) -> Result {
    scenario.somebody_sets(&[START], URL);
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
fn what_another_object_wants_is_not_deleted() -> Result {
    nothing_wanted_is_deleted(&TERRAFORM, SOME_WAYS)
}

#[test]
fn a_plan_says_what_becomes_of_it() -> Result {
    // The order in which Terraform comes to the two is its own affair; each has its warning.
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[START], URL);
    let both = ["a", "b"].map(|name| resource(name, &sends(&[START], URL)));
    scenario.configure(&(import("a") + &import("b") + &both.concat()))?;
    scenario.apply()?;
    scenario.configure(&resource("b", &sends(&[START], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success();
    let told = diagnostics(&plan);
    assert_eq!(told.len(), 1, "{told:#?}");
    let written_again = "Warning: The Call callback configuration of SDKAppID 1400000001 is written again";
    assert!(told[0].starts_with(STAYS) || told[0].starts_with(written_again), "{told:#?}");
    Ok(())
}

#[test]
fn a_write_without_a_request_id_is_kept_as_well() -> Result {
    // An imported object has no last_request_id, and neither has a write whose answer is lost or lacks it.
    for kind in [FaultKind::ResetAfterProcessing, FaultKind::NoRequestId] {
        let provider = "provider \"tencent\" {\n  max_retries = 0\n}\n";
        let object = this(&(sends(&[START], URL) + "lifecycle {\n  create_before_destroy = true\n}\n"));
        let scenario = Scenario::new()?;
        scenario.somebody_sets(&[START], URL);
        scenario.configure(&(provider.to_owned() + &import("this") + &object))?;
        scenario.apply()?;
        scenario.simulator.inject(Fault::new(kind).on(Set).times(1));
        scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_success();
        expect_one_object(&scenario, &[START], URL)?;
    }
    Ok(())
}

#[test]
fn two_resources_that_differ_are_an_error_when_planning() -> Result {
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
    // From the state of before, a change of one is an error as well.
    scenario.configure(&two(CHANGED, URL))?;
    diagnostic(&scenario.run(&["plan"])?, TWO_RESOURCES);
    // All of them can be destroyed at once, also where the plan that Terraform makes first would fail.
    diagnostic(&scenario.run(&["destroy", "-auto-approve"])?, TWO_RESOURCES);
    scenario.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_success();
    assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    Ok(())
}

#[test]
fn two_resources_that_turn_out_to_differ_are_an_error_when_applying() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(
        &("resource \"terraform_data\" \"url\" {\n  input = \"https://other.example.com/calls\"\n}\n".to_owned()
            + &resource("a", &sends(&[START], URL))
            + &resource("b", "url = terraform_data.url.output\ncallback_commands = [\"Call.CallbackAfterStartCall\"]")),
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
fn without_a_refresh_such_a_plan_is_refused() -> Result {
    for parallelism in ["-parallelism=1", "-parallelism=10"] {
        let scenario = Scenario::new()?;
        scenario.configure(&["a", "b"].map(|name| resource(name, &sends(&[START], URL))).concat())?;
        scenario.apply()?;
        scenario.configure(&resource("b", &sends(&[START], URL)))?;
        let plan = scenario.run(&["plan", "-refresh=false", parallelism])?;
        plan.expect_code(1);
        let error = diagnostic(&plan, "Several objects share the Call callback configuration of SDKAppID 1400000001");
        assert!(error.contains("-refresh=false"), "{error}");
        // One that is written all the same needs none.
        scenario.configure(&resource("b", &sends(&[END], URL)))?;
        scenario.run(&["apply", "-auto-approve", "-refresh=false", parallelism])?.expect_success();
        expect_one_object(&scenario, &[END], URL)?;
    }
    Ok(())
}

/// The guide on reliability tells people of these limits.
#[test]
fn what_one_process_does_not_see_is_deleted_and_the_next_plan_creates_it_again() -> Result {
    let two_processes = format!(
        "provider \"tencent\" {{\n}}\nprovider \"tencent\" {{\n  alias = \"other\"\n}}\n{}",
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
fn an_application_that_changes_hands_keeps_what_its_new_object_wants() -> Result {
    let of = |name: &str, id: u64, url: &str| resource(name, &(sends(&[START], url) + &format!("sdk_app_id = {id}\n")));
    let scenario = Scenario::of_applications(2)?;
    scenario.configure(&(of("a", ID, URL) + &of("b", ID + 1, OTHER_URL)))?;
    scenario.apply()?;
    scenario.configure(&(of("a", ID + 1, URL) + &of("b", ID, OTHER_URL)))?;
    scenario.apply()?.expect_contains("2 added, 0 changed, 2 destroyed");
    scenario.expect_remote(&[START], OTHER_URL);
    assert_eq!(scenario.instances()?, 2);
    scenario.expect_no_changes()
}

#[test]
fn a_replacement_by_itself_never_leaves_nothing() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    // Whatever becomes of the write: Tencent goes on sending.
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

#[test]
fn what_is_prepared_to_be_created_keeps_nothing_from_being_destroyed() -> Result {
    // Before it destroys, Terraform plans what it would do otherwise: here, to create the block under its new name.
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
fn a_provider_that_is_not_known_yet_puts_nothing_at_risk() -> Result {
    let provider = |key: &str| format!("provider \"tencent\" {{\n  secret_key = {key}\n}}\n");
    for (removed, parallelism) in [("a", "-parallelism=1"), ("b", "-parallelism=1"), ("a", "-parallelism=10")] {
        let scenario = Scenario::new()?;
        scenario.configure(&["a", "b"].map(|name| resource(name, &sends(&[START], URL))).concat())?;
        scenario.apply()?;
        let later = format!("resource \"terraform_data\" \"key\" {{\n  input = \"{KEY}\"\n}}\n");
        let stays = if removed == "a" { "b" } else { "a" };
        scenario
            .configure(&(later + &provider("terraform_data.key.output") + &resource(stays, &sends(&[START], URL))))?;
        let plan = scenario.run(&["plan", parallelism])?;
        plan.expect_code(1);
        diagnostic(&plan, "Several objects share the Call callback configuration of SDKAppID 1400000001");
        // As the error says: first what the provider depends on.
        scenario.run(&["apply", "-auto-approve", "-target=terraform_data.key"])?.expect_success();
        scenario.run(&["apply", "-auto-approve", parallelism])?.expect_success();
        expect_one_object(&scenario, &[START], URL)?;
    }
    Ok(())
}

#[test]
fn a_tainted_object_that_moves_away_takes_nothing_with_it() -> Result {
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
fn a_tainted_object_is_not_somebody_elses() -> Result {
    let guarded = |url| this(&(sends(&[START], url) + "overwrite_existing = false\n"));
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
