//! Nothing is overwritten by surprise: what a plan that creates says of what is there already.

use rstest_reuse::apply;
use serde_json::json;
use tencent_simulator::Action::Get;
use tencent_simulator::{Configuration, Fault, FaultKind};

use crate::harness::{ID, OTHER_URL, Of, Result, URL, diagnostic, diagnostics, each_service, sends};

const AS_PLANNED: &str = "already exists as planned";
/// What somebody else has set there, with two secrets in its URL.
const THERE: &str = "https://user:p4ssword@legacy.example.com/hook?token=t0ken&v=1";

impl Of {
    fn overwrites(self) -> String {
        format!("Warning: This plan overwrites the existing {} callback configuration of SDKAppID", self.title)
    }

    fn exists_already(self) -> String {
        format!("already has a {} callback configuration", self.title)
    }

    fn lookup_failed(self) -> String {
        format!("Checking for an existing {} callback configuration of SDKAppID {ID} failed", self.title)
    }
}

#[apply(each_service)]
fn a_plan_shows_what_it_would_overwrite(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.somebody_sets(&[of.end, of.changed], THERE);
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add, 0 to change, 0 to destroy");
    plan.expect_lacks("p4ssword").expect_lacks("t0ken");
    let warning = diagnostic(&plan, &of.overwrites());
    for expected in [
        &format!("with {}", of.this),
        "1400000001",
        of.changed,
        of.end,
        "https://***@legacy.example.com/hook?token=***&v=***",
        "import { to = ADDRESS id = \"1400000001\" }",
    ] {
        assert!(warning.contains(expected), "expected {expected:?}\n{warning}");
    }

    let applied = scenario.apply()?;
    applied.expect_contains("1 added").expect_lacks("p4ssword").expect_lacks("t0ken");
    diagnostic(&applied, &of.overwrites());
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn the_import_block_that_it_shows_works(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?;
    scenario.somebody_sets(&[of.end], OTHER_URL);
    scenario.configure(&of.object(&sends(&[of.end], OTHER_URL)).replace(OTHER_URL, URL))?;
    let warning = diagnostic(&scenario.run(&["plan"])?, &of.overwrites());
    let (_, block) = warning.split_once("import {").expect("a block");
    let (block, _) = block.split_once('}').expect("the end of the block");
    let block = block.replace("ADDRESS ", &format!("{this}\n"));
    scenario.configure(&format!("import {{\n{block}\n}}\n{}", of.object(&sends(&[of.end], OTHER_URL))))?;
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_equal_object_is_said_to_be_equal(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.somebody_sets(&[of.end, of.start, of.end], URL);
    scenario.configure(&of.object(&sends(&[of.start, of.end], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_lacks("overwritten");
    diagnostic(&plan, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn nothing_there_is_nothing_to_warn_of(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan"])?.expect_success().expect_lacks("Warning");
    scenario.apply()?.expect_lacks("Warning");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn the_guard_refuses_at_plan(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.somebody_sets(&[of.end], THERE);
    scenario.configure(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1).expect_lacks("p4ssword").expect_lacks("t0ken");
    let error = diagnostic(&plan, &of.exists_already());
    for expected in
        [of.end, "https://***@legacy.example.com/hook?token=***&v=***", "overwrite_existing", "import { to = ADDRESS"]
    {
        assert!(error.contains(expected), "expected {expected:?}\n{error}");
    }
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn the_guard_refuses_only_what_would_be_lost(of: Of) -> Result {
    let guarded = of.object(&(sends(&[of.start], URL) + "overwrite_existing = false"));
    let scenario = of.scenario()?;
    scenario.configure(&guarded)?;
    scenario.somebody_sets(&[of.start], URL);
    diagnostic(&scenario.run(&["plan"])?, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()?;

    // So a guarded creation whose end Terraform never saw is simply made again.
    scenario.run(&["state", "rm", of.this])?.expect_success();
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn the_guard_looks_again_before_it_writes(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.somebody_sets(&[of.end], THERE);
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("p4ssword").expect_lacks("t0ken");
    assert!(diagnostic(&applied, &of.exists_already()).contains("legacy.example.com"));
    assert_eq!((scenario.writes(), scenario.stored()?), (vec![], None));
    scenario.expect_remote(&[of.end], THERE);
    Ok(())
}

#[apply(each_service)]
fn the_guard_looks_in_the_very_last_moment(of: Of) -> Result {
    // Terraform plans once more when it applies. What appears after that only the provider's own look can find.
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    assert_eq!(scenario.calls(), [Get]);
    scenario.run(&["apply", "tfplan"])?.expect_success();
    let looks = scenario.calls().iter().take_while(|action| **action == Get).count();
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();

    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let response = json!({ "Url": THERE, "CallbackCommandList": [of.end] });
    let last = u32::try_from(looks)? - 1;
    scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get).skip(last));
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("t0ken");
    diagnostic(&applied, &of.exists_already());
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

/// The guide on reliability tells people of this limit: Tencent has no write that depends on what is there.
#[apply(each_service)]
fn nobody_sees_what_is_set_between_the_last_look_and_the_write(of: Of) -> Result {
    let guarded = |url| of.object(&(sends(&[of.start], url) + "overwrite_existing = false"));
    let scenario = of.scenario()?.applied(&guarded(OTHER_URL))?;
    scenario.configure(&guarded(URL))?;
    let theirs = Configuration::new(THERE, [of.end]);
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodySets(theirs)).on(of.overwrite).times(1));
    let applied = scenario.apply()?;
    assert_eq!(diagnostics(&applied), [""; 0]);
    assert_eq!(scenario.writes(), [of.overwrite]);
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_plan_that_cannot_look_says_so_and_goes_on(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    let fault = FaultKind::ErrorCode { code: 70050, info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan", "-out=tfplan"])?;
    plan.expect_success().expect_contains("1 to add");
    let warning = diagnostic(&plan, &of.lookup_failed());
    assert!(warning.starts_with("Warning") && warning.contains("error 70050"), "{warning}");
    assert!(warning.contains("This plan may overwrite"), "{warning}");

    // Nothing is written blindly.
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(
        &applied,
        &format!("Checking the {} callback configuration of SDKAppID 1400000001 failed", of.title),
    );
    assert!(error.starts_with("Error") && error.contains("Nothing was written."), "{error}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));

    scenario.simulator.clear_faults();
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn what_is_refused_for_good_is_no_plan(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    for code in [60010, 60016, 60017, 60020, 60021, 70003, 70009, 70013, 70014, 70016, 70020, 99999] {
        scenario.simulator.inject(Fault::new(FaultKind::ErrorCode { code, info: String::new() }).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        let error = diagnostic(&plan, &of.lookup_failed());
        assert!(error.starts_with("Error") && error.contains(&format!("error {code}")), "{error}");
        scenario.simulator.clear_faults();
    }
    // Neither is what nobody of Tencent's answers.
    scenario.configure(
        &("provider \"tencent\" {\n  max_retries = 0\n}\n".to_owned() + &of.object(&sends(&[of.start], URL))),
    )?;
    for kind in [FaultKind::NotJson, FaultKind::Status { code: 403, retry_after: None, processed: false }] {
        scenario.simulator.inject(Fault::new(kind).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        assert!(diagnostic(&plan, &of.lookup_failed()).starts_with("Error"));
        scenario.simulator.clear_faults();
    }
    // What may pass is a warning.
    for kind in [FaultKind::ResetBeforeProcessing, FaultKind::Status { code: 502, retry_after: None, processed: false }]
    {
        scenario.simulator.inject(Fault::new(kind).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(0);
        assert!(diagnostic(&plan, &of.lookup_failed()).starts_with("Warning"));
        scenario.simulator.clear_faults();
    }
    assert_eq!(scenario.writes(), []);
    Ok(())
}

#[apply(each_service)]
fn a_replacement_that_cannot_look_destroys_nothing(of: Of) -> Result {
    let with = |id: u64| of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}")));
    let scenario = of.applications(2)?.applied(&with(ID))?;
    scenario.configure(&with(ID + 1))?;
    let fault = FaultKind::ErrorCode { code: 70050, info: String::new() };
    scenario.simulator.inject(Fault::new(fault).on(Get).sdk_app_id(ID + 1));
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(
        &applied,
        &format!("Checking for an existing {} callback configuration of SDKAppID 1400000002 failed", of.title),
    );
    assert!(error.starts_with("Error") && error.contains("would destroy"), "{error}");
    assert_eq!(scenario.writes(), []);
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}

#[apply(each_service)]
fn a_guard_that_cannot_look_is_an_error(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let fault = FaultKind::ErrorCode { code: 70050, info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1);
    let error = diagnostic(&plan, &of.lookup_failed());
    assert!(error.starts_with("Error") && error.contains("overwrite_existing = false"), "{error}");

    scenario.run(&["apply", "tfplan"])?.expect_failure().expect_contains("error 70050");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn a_managed_object_is_never_looked_up_as_if_it_were_new(of: Of) -> Result {
    let guarded = |url| of.object(&(sends(&[of.start], url) + "overwrite_existing = false"));
    let scenario = of.scenario()?.applied(&guarded(URL))?;
    scenario.somebody_sets(&[of.end], THERE);
    scenario.configure(&guarded(OTHER_URL))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("0 to add, 1 to change");
    assert_eq!(diagnostics(&plan), [""; 0]);
    assert_eq!(scenario.calls(), [Get], "the refresh");
    scenario.apply()?;
    assert_eq!(scenario.writes(), [of.overwrite]);
    scenario.expect_remote(&[of.start], OTHER_URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_forced_replacement_is_no_overwriting_of_somebody_elses_object(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.object(&(sends(&[of.start], URL) + "overwrite_existing = false")))?;
    let replaced = scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?;
    replaced.expect_success().expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(diagnostics(&replaced), [""; 0]);
    assert_eq!(scenario.writes(), [of.overwrite], "what replaces it overwrites it");
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_forced_replacement_that_creates_first_keeps_what_it_created(of: Of) -> Result {
    let this = of.this;
    // There is one object per application: what is destroyed afterwards is what was just created.
    let arguments = sends(&[of.start], URL) + "lifecycle {\ncreate_before_destroy = true\n}";
    let scenario = of.scenario()?.applied(&of.object(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?.expect_success();
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_replacement_looks_at_the_new_application(of: Of) -> Result {
    let with = |id: u64| of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}")));
    let scenario = of.applications(2)?.applied(&with(ID))?;
    scenario.simulator.put_configuration(of.service, ID + 1, Configuration::new(THERE, [of.end]));
    scenario.configure(&with(ID + 1))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add, 0 to change, 1 to destroy");
    let warning = diagnostic(&plan, &of.overwrites());
    assert!(warning.contains("1400000002") && warning.contains("legacy.example.com"), "{warning}");

    let guarded =
        of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {}\noverwrite_existing = false", ID + 1)));
    scenario.configure(&guarded)?;
    diagnostic(&scenario.run(&["plan"])?, &of.exists_already());
    Ok(())
}

#[apply(each_service)]
fn a_guarded_and_abandoned_object_can_be_replaced(of: Of) -> Result {
    let this = of.this;
    let arguments = sends(&[of.start], URL) + "overwrite_existing = false\ndeletion_policy = \"ABANDON\"\n";
    let scenario = of.scenario()?.applied(&of.object(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![of.overwrite], 1));
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_guarded_object_is_replaced_create_first_unless_its_content_changes(of: Of) -> Result {
    let this = of.this;
    let guarded = |url| {
        let lifecycle = "overwrite_existing = false\nlifecycle {\n  create_before_destroy = true\n}\n";
        of.object(&(sends(&[of.start], url) + lifecycle))
    };
    let scenario = of.scenario()?.applied(&guarded(URL))?;
    let replace = format!("-replace={this}");
    scenario.run(&["apply", "-auto-approve", &replace])?.expect_success();
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()?;

    // To the provider, what is still there when the new object is created is somebody else's.
    scenario.configure(&guarded(OTHER_URL))?;
    scenario.simulator.clear_requests();
    let refused = scenario.run(&["apply", "-auto-approve", &replace])?;
    refused.expect_failure();
    diagnostic(&refused, &of.exists_already());
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
    scenario.expect_remote(&[of.start], URL);
    // The way out.
    scenario.configure(&guarded(OTHER_URL).replace("overwrite_existing = false\n", ""))?;
    scenario.apply()?;
    scenario.expect_remote(&[of.start], OTHER_URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn each_of_several_is_named(of: Of) -> Result {
    // Terraform shows only the first of several warnings of the same title.
    let scenario = of.applications(3)?;
    for id in ID..ID + 3 {
        let url = format!("https://legacy-{id}.example.com/");
        scenario.simulator.put_configuration(of.service, id, Configuration::new(url, [of.end]));
    }
    scenario.configure(&of.fleet(ID..ID + 3, &sends(&[of.start], URL)))?;
    let plan = scenario.run(&["plan"])?;
    for id in ID..ID + 3 {
        plan.expect_contains(&format!("https://legacy-{id}.example.com/"));
    }
    Ok(())
}
