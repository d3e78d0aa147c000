//! Nothing is overwritten by surprise: what a plan that creates says of what is there already.

use serde_json::json;
use tencent_simulator::Action::{Get, Set};
use tencent_simulator::{Configuration, Fault, FaultKind, Service};

use crate::harness::{
    CHANGED, END, ID, OTHER_URL, Result, START, Scenario, THIS, URL, diagnostic, diagnostics, fleet, sends, this,
};

const OVERWRITES: &str = "Warning: This plan overwrites the existing call callback configuration of SDKAppID";
const EXISTS_ALREADY: &str = "has a call callback configuration already";
const AS_PLANNED: &str = "exists already, as planned";
const LOOKUP_FAILED: &str = "Checking for an existing call callback configuration of SDKAppID 1400000001 failed";

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
    let warning = diagnostic(&plan, OVERWRITES);
    for expected in [
        "with tencent_call_callback.this",
        "1400000001",
        CHANGED,
        END,
        "https://***@legacy.example.com/hook?token=***&v=***",
        "import { to = ADDRESS id = \"1400000001\" }",
    ] {
        assert!(warning.contains(expected), "expected {expected:?}\n{warning}");
    }

    let applied = scenario.apply()?;
    applied.expect_contains("1 added").expect_lacks("p4ssword").expect_lacks("t0ken");
    diagnostic(&applied, OVERWRITES);
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn the_import_block_that_it_shows_works() -> Result {
    let scenario = Scenario::new()?;
    scenario.somebody_sets(&[END], OTHER_URL);
    scenario.configure(&this(&sends(&[END], OTHER_URL)).replace(OTHER_URL, URL))?;
    let warning = diagnostic(&scenario.run(&["plan"])?, OVERWRITES);
    let (_, block) = warning.split_once("import {").expect("a block");
    let (block, _) = block.split_once('}').expect("the end of the block");
    let block = block.replace("ADDRESS ", &format!("{THIS}\n"));
    scenario.configure(&format!("import {{\n{block}\n}}\n{}", this(&sends(&[END], OTHER_URL))))?;
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
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
        [END, "https://***@legacy.example.com/hook?token=***&v=***", "overwrite_existing", "import { to = ADDRESS"]
    {
        assert!(error.contains(expected), "expected {expected:?}\n{error}");
    }
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn the_guard_refuses_only_what_would_be_lost() -> Result {
    let guarded = this(&(sends(&[START], URL) + "overwrite_existing = false"));
    let scenario = Scenario::new()?;
    scenario.configure(&guarded)?;
    scenario.somebody_sets(&[START], URL);
    diagnostic(&scenario.run(&["plan"])?, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()?;

    // So a guarded creation whose end Terraform never saw is simply made again.
    scenario.run(&["state", "rm", THIS])?.expect_success();
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
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
    let fault = FaultKind::ErrorCode { code: 70050, info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan", "-out=tfplan"])?;
    plan.expect_success().expect_contains("1 to add");
    let warning = diagnostic(&plan, LOOKUP_FAILED);
    assert!(warning.starts_with("Warning") && warning.contains("error 70050"), "{warning}");
    assert!(warning.contains("It is not known whether this plan overwrites"), "{warning}");

    // Nothing is written blindly.
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Checking the call callback configuration of SDKAppID 1400000001 failed");
    assert!(error.starts_with("Error") && error.contains("Nothing was written."), "{error}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));

    scenario.simulator.clear_faults();
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn what_is_refused_for_good_is_no_plan() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&sends(&[START], URL)))?;
    for code in [60010, 60016, 60017, 60020, 60021, 70003, 70009, 70013, 70014, 70016, 70020, 99999] {
        scenario.simulator.inject(Fault::new(FaultKind::ErrorCode { code, info: String::new() }).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        let error = diagnostic(&plan, LOOKUP_FAILED);
        assert!(error.starts_with("Error") && error.contains(&format!("error {code}")), "{error}");
        scenario.simulator.clear_faults();
    }
    // Neither is what nobody of Tencent's answers.
    scenario
        .configure(&("provider \"tencent\" {\n  max_retries = 0\n}\n".to_owned() + &this(&sends(&[START], URL))))?;
    for kind in [FaultKind::NotJson, FaultKind::Status { code: 403, retry_after: None, processed: false }] {
        scenario.simulator.inject(Fault::new(kind).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        assert!(diagnostic(&plan, LOOKUP_FAILED).starts_with("Error"));
        scenario.simulator.clear_faults();
    }
    // What may pass is a warning.
    for kind in [FaultKind::ResetBeforeProcessing, FaultKind::Status { code: 502, retry_after: None, processed: false }]
    {
        scenario.simulator.inject(Fault::new(kind).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(0);
        assert!(diagnostic(&plan, LOOKUP_FAILED).starts_with("Warning"));
        scenario.simulator.clear_faults();
    }
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[test]
fn a_replacement_that_cannot_look_destroys_nothing() -> Result {
    let with = |id: u64| this(&(sends(&[START], URL) + &format!("sdk_app_id = {id}")));
    let scenario = Scenario::of_applications(2)?.applied(&with(ID))?;
    scenario.configure(&with(ID + 1))?;
    let fault = FaultKind::ErrorCode { code: 70050, info: String::new() };
    scenario.simulator.inject(Fault::new(fault).on(Get).sdk_app_id(ID + 1));
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error =
        diagnostic(&applied, "Checking for an existing call callback configuration of SDKAppID 1400000002 failed");
    assert!(error.starts_with("Error") && error.contains("would destroy"), "{error}");
    assert_eq!(scenario.writes(), []);
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn a_guard_that_cannot_look_is_an_error() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&(sends(&[START], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let fault = FaultKind::ErrorCode { code: 70050, info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1);
    let error = diagnostic(&plan, LOOKUP_FAILED);
    assert!(error.starts_with("Error") && error.contains("overwrite_existing = false"), "{error}");

    scenario.run(&["apply", "tfplan"])?.expect_failure().expect_contains("error 70050");
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
    assert_eq!(scenario.writes(), [Set], "what replaces it overwrites it");
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
    let warning = diagnostic(&plan, OVERWRITES);
    assert!(warning.contains("1400000002") && warning.contains("legacy.example.com"), "{warning}");

    let guarded = this(&(sends(&[START], URL) + &format!("sdk_app_id = {}\noverwrite_existing = false", ID + 1)));
    scenario.configure(&guarded)?;
    diagnostic(&scenario.run(&["plan"])?, EXISTS_ALREADY);
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
fn a_guarded_object_is_replaced_create_first_unless_its_content_changes() -> Result {
    let guarded = |url| {
        let lifecycle = "overwrite_existing = false\nlifecycle {\n  create_before_destroy = true\n}\n";
        this(&(sends(&[START], url) + lifecycle))
    };
    let scenario = Scenario::new()?.applied(&guarded(URL))?;
    let replace = format!("-replace={THIS}");
    scenario.run(&["apply", "-auto-approve", &replace])?.expect_success();
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()?;

    // To the provider, what is still there when the new object is created is somebody else's.
    scenario.configure(&guarded(OTHER_URL))?;
    scenario.simulator.clear_requests();
    let refused = scenario.run(&["apply", "-auto-approve", &replace])?;
    refused.expect_failure();
    diagnostic(&refused, EXISTS_ALREADY);
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
    scenario.expect_remote(&[START], URL);
    // The way out.
    scenario.configure(&guarded(OTHER_URL).replace("overwrite_existing = false\n", ""))?;
    scenario.apply()?;
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn each_of_several_is_named() -> Result {
    // Terraform shows only the first of several warnings of the same title.
    let scenario = Scenario::of_applications(3)?;
    for id in ID..ID + 3 {
        let url = format!("https://legacy-{id}.example.com/");
        scenario.simulator.put_configuration(Service::Call, id, Configuration::new(url, [END]));
    }
    scenario.configure(&fleet(ID..ID + 3, &sends(&[START], URL)))?;
    let plan = scenario.run(&["plan"])?;
    for id in ID..ID + 3 {
        plan.expect_contains(&format!("https://legacy-{id}.example.com/"));
    }
    Ok(())
}
