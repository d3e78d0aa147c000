//! Nothing is overwritten by surprise: what a plan that creates says of what is there already.

use serde_json::json;
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Configuration, Fault, FaultKind, Service};

use crate::harness::{
    CHANGED, END, ID, OTHER_URL, Result, START, Scenario, THIS, URL, diagnostic, diagnostics, resource, sends, this,
};

const WILL_BE_OVERWRITTEN: &str = "Warning: An existing callback configuration will be overwritten";
const EXISTS_ALREADY: &str = "Error: A callback configuration exists already";
const AS_PLANNED: &str = "Warning: The callback configuration exists already, as planned";
const LOOKUP_FAILED: &str = "Looking for an existing callback configuration of SDKAppID 1400000001 failed";

/// What somebody else has set there, with two secrets in its URL.
const THERE: &str = "https://user:p4ssword@legacy.example.com/hook?token=t0ken&v=1";

#[test]
fn a_plan_shows_what_it_would_overwrite() -> Result {
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[END, CHANGED], THERE);
    scenario.configure(&this(&sends(&[START], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add, 0 to change, 0 to destroy");
    plan.expect_lacks("p4ssword").expect_lacks("t0ken");
    let warning = diagnostic(&plan, WILL_BE_OVERWRITTEN);
    for expected in [
        "with tencent_call_callback.this",
        "1400000001",
        CHANGED,
        END,
        "https://***@legacy.example.com/hook?token=***&v=***",
        "terraform import",
    ] {
        assert!(warning.contains(expected), "expected {expected:?}\n{warning}");
    }

    let applied = scenario.apply()?;
    applied.expect_contains("1 added").expect_lacks("p4ssword").expect_lacks("t0ken");
    diagnostic(&applied, WILL_BE_OVERWRITTEN);
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn the_import_command_that_it_names_works() -> Result {
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[END], OTHER_URL);
    scenario.configure(&this(&sends(&[END], OTHER_URL)).replace(OTHER_URL, URL))?;
    let warning = diagnostic(&scenario.run(&["plan"])?, WILL_BE_OVERWRITTEN);
    let command = warning.split("terraform import ").nth(1).expect("a command");
    let mut words = command.split_whitespace();
    let (address, id) = (words.next().expect("an address"), words.next().expect("an ID"));
    assert!(address.starts_with("tencent_call_callback."), "{warning}");
    scenario.run(&["import", THIS, id.trim_end_matches('.')])?.expect_success();
    scenario.configure(&this(&sends(&[END], OTHER_URL)))?;
    scenario.expect_no_changes()
}

#[test]
fn an_equal_object_is_said_to_be_equal() -> Result {
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[END, START, END], URL);
    scenario.configure(&this(&sends(&[START, END], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_lacks("overwritten");
    diagnostic(&plan, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
}

#[test]
fn nothing_there_is_nothing_to_warn_of() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan"])?.expect_success().expect_lacks("Warning");
    scenario.apply()?.expect_lacks("Warning");
    scenario.expect_no_changes()
}

#[test]
fn the_guard_refuses_at_plan() -> Result {
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[END], THERE);
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1).expect_lacks("p4ssword").expect_lacks("t0ken");
    let error = diagnostic(&plan, EXISTS_ALREADY);
    for expected in
        [END, "https://***@legacy.example.com/hook?token=***&v=***", "overwrite_existing", "terraform import"]
    {
        assert!(error.contains(expected), "expected {expected:?}\n{error}");
    }
    scenario.try_apply()?.expect_failure();
    // Also where it is what the plan would write: somebody else made it.
    scenario.somebody_sets(&[START], URL);
    diagnostic(&scenario.run(&["plan"])?, EXISTS_ALREADY);
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn the_guard_looks_again_before_it_writes() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.somebody_sets(&[END], THERE);
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("p4ssword").expect_lacks("t0ken");
    assert!(diagnostic(&applied, EXISTS_ALREADY).contains("legacy.example.com"));
    assert_eq!((scenario.writes(), scenario.stored()?), (vec![], None));
    scenario.expect_remote(&[END], THERE);
    Ok(())
}

#[test]
fn the_guard_looks_in_the_very_last_moment() -> Result {
    // Terraform plans once more when it applies. What appears after that only the provider's own look can find.
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    assert_eq!(scenario.calls(), [Get]);
    scenario.run(&["apply", "tfplan"])?.expect_success();
    let looks = scenario.calls().iter().take_while(|action| **action == Get).count();
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();

    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let response = json!({ "Url": THERE, "CallbackCommandList": [END] });
    let last = u32::try_from(looks)? - 1;
    scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get).skip(last));
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("t0ken");
    diagnostic(&applied, EXISTS_ALREADY);
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn a_plan_that_cannot_look_says_so_and_goes_on() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&sends(&[START], URL)))?;
    let fault = FaultKind::ErrorCode { code: 60020, info: "suspended by this test".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add");
    let warning = diagnostic(&plan, LOOKUP_FAILED);
    assert!(warning.starts_with("Warning") && warning.contains("60020") && warning.contains("could not be found out"));

    // Writing works: reading it back does not, as the next refresh shows.
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_remote(&[START], URL);
    scenario.simulator.clear_faults();
    scenario.expect_no_changes()
}

#[test]
fn a_guard_that_cannot_look_is_an_error() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let fault = FaultKind::ErrorCode { code: 60020, info: "suspended by this test".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1);
    let error = diagnostic(&plan, LOOKUP_FAILED);
    assert!(error.starts_with("Error") && error.contains("overwrite_existing = false"), "{error}");

    scenario.run(&["apply", "tfplan"])?.expect_failure().expect_contains("error 60020");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn a_managed_object_is_never_looked_up_as_if_it_were_new() -> Result {
    let guarded = |url| this(&(sends(&[START], url) + "overwrite_existing = false"));
    let scenario = Scenario::new()?.applied(&guarded(URL))?;
    scenario.somebody_sets(&[END], THERE);
    scenario.configure(&guarded(OTHER_URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("0 to add, 1 to change");
    assert_eq!(diagnostics(&plan), [""; 0]);
    assert_eq!(scenario.calls(), [Get], "the refresh");
    scenario.apply()?;
    assert_eq!(scenario.writes(), [Set]);
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn a_forced_replacement_is_no_overwriting_of_somebody_elses_object() -> Result {
    let scenario = Scenario::new()?.applied(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    let replaced = scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?;
    replaced.expect_success().expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(diagnostics(&replaced), [""; 0]);
    assert_eq!(scenario.writes(), [Delete, Set]);
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn a_forced_replacement_that_creates_first_keeps_what_it_created() -> Result {
    // There is one object per application: what is destroyed afterwards is what was just created.
    let arguments = sends(&[START], URL) + "lifecycle {\ncreate_before_destroy = true\n}";
    let scenario = Scenario::new()?.applied(&this(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_success();
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn a_replacement_looks_at_the_new_application() -> Result {
    let with = |id: u64| this(&(sends(&[START], URL) + &format!("sdk_app_id = {id}")));
    let scenario = Scenario::of_applications(2)?.applied(&with(ID))?;
    scenario.simulator.put_configuration(Service::Call, ID + 1, Configuration::new(THERE, [END]));
    scenario.configure(&with(ID + 1))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add, 0 to change, 1 to destroy");
    let warning = diagnostic(&plan, WILL_BE_OVERWRITTEN);
    assert!(warning.contains("1400000002") && warning.contains("legacy.example.com"), "{warning}");

    let guarded = this(&(sends(&[START], URL) + &format!("sdk_app_id = {}\noverwrite_existing = false", ID + 1)));
    scenario.configure(&guarded)?;
    diagnostic(&scenario.run(&["plan"])?, EXISTS_ALREADY);
    Ok(())
}

#[test]
fn two_resources_for_one_application_are_one_too_many() -> Result {
    // Both are planned before either exists, so no look-up can tell; when applying, the second one is told.
    for guard in ["", "overwrite_existing = false\n"] {
        let scenario = Scenario::new()?;
        let resources = [("this", START, URL), ("other", END, OTHER_URL)]
            .map(|(name, command, url)| resource(name, &(sends(&[command], url) + guard)));
        scenario.configure(&resources.concat())?;
        let applied = scenario.try_apply()?;
        applied.expect_failure();
        diagnostic(&applied, "Two resources for the callback configuration of SDKAppID");
        assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 1), "the second one wrote nothing");
    }
    Ok(())
}

#[test]
fn a_guarded_and_abandoned_object_can_be_replaced() -> Result {
    let arguments = sends(&[START], URL) + "overwrite_existing = false\ndeletion_policy = \"ABANDON\"\n";
    let scenario = Scenario::new()?.applied(&this(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 1));
    scenario.expect_no_changes()
}

#[test]
fn a_guarded_object_is_not_replaced_create_first() -> Result {
    // To the provider, the object that is still there is somebody else's. Nothing is lost by the refusal.
    let arguments = sends(&[START], URL) + "lifecycle {\n  create_before_destroy = true\n}\n";
    let guarded = arguments.clone() + "overwrite_existing = false\n";
    let scenario = Scenario::new()?.applied(&this(&guarded))?;
    let refused = scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?;
    refused.expect_failure();
    diagnostic(&refused, EXISTS_ALREADY);
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
    scenario.expect_remote(&[START], URL);
    // The way out.
    scenario.configure(&this(&arguments))?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}
