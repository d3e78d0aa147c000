//! Nothing is overwritten by surprise: what a plan says when it creates over an existing configuration.

use rstest_reuse::apply;
use serde_json::json;
use tencent_simulator::Action::Get;
use tencent_simulator::{Configuration, Fault, FaultKind};
use terraform_cli::Feature;

use crate::harness::{
    CREATE_BEFORE_DESTROY, ID, ONE_ATTEMPT, OTHER_URL, OVERWRITE, Of, Result, TERRAFORM, URL, diagnostic, diagnostics,
    each_service, sends,
};

const AS_PLANNED: &str = "already exists as planned";
/// A URL that someone else has set, with two secrets.
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
    scenario.someone_sets(&[of.end, of.changed], THERE);
    scenario.configure(&of.object(&(sends(&[of.start], URL) + OVERWRITE)))?;
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
        "This plan replaces all of it, as overwrite_existing allows.",
    ] {
        assert!(warning.contains(expected), "expected {expected:?}\n{warning}");
    }

    // The apply repeats the plan's warning where it cannot know that the plan showed it. By then, an import would come too late.
    for (command, repeats) in
        [(&["plan", "-out=tfplan"][..], true), (&["apply", "tfplan"], !TERRAFORM.has(Feature::PlannedPrivate))]
    {
        let run = scenario.run(command)?;
        run.expect_success().expect_lacks("p4ssword").expect_lacks("t0ken").expect_lacks("import");
        assert_eq!(diagnostics(&run).iter().any(|text| text.contains(&of.overwrites())), repeats, "{run}");
    }
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn the_suggested_import_block_works(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end], OTHER_URL);
    scenario.configure(&of.object(&sends(&[of.end], OTHER_URL)).replace(OTHER_URL, URL))?;
    let error = diagnostic(&scenario.run(&["plan"])?, &of.exists_already());
    let (_, block) = error.split_once("import {").expect("a block");
    let (block, _) = block.split_once('}').expect("the end of the block");
    let block = block.replace("ADDRESS ", &format!("{this}\n"));
    scenario.configure(&format!(
        "import {{
{block}
}}
{}",
        of.object(&sends(&[of.end], OTHER_URL))
    ))?;
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn the_suggested_line_overwrites_on_purpose(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end], OTHER_URL);
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    let error = diagnostic(&scenario.run(&["plan"])?, &of.exists_already());
    let (_, line) = error.split_once("To overwrite it on purpose, set this in the resource: ").expect("a line");
    scenario.configure(&of.object(&(sends(&[of.start], URL) + line)))?;
    scenario.run(&["plan"])?.expect_success().expect_contains("+ overwrite_existing = true");
    scenario.apply()?;
    scenario.expect_remote(&[of.start], URL);

    // Once the resource manages the configuration, the line can go.
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.simulator.clear_requests();
    scenario.apply()?.expect_contains("1 changed");
    assert_eq!(scenario.writes(), []);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_equal_configuration_is_reported_as_equal(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end, of.start, of.end], URL);
    scenario.configure(&of.object(&sends(&[of.start, of.end], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_lacks("overwritten");
    diagnostic(&plan, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn creating_over_nothing_gives_no_warning(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.run(&["plan"])?.expect_success().expect_lacks("Warning");
    scenario.apply()?.expect_lacks("Warning");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_existing_configuration_fails_the_plan(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.end], THERE);
    for guard in ["", "overwrite_existing = false", "overwrite_existing = null"] {
        scenario.configure(&of.object(&(sends(&[of.start], URL) + guard)))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1).expect_lacks("p4ssword").expect_lacks("t0ken");
        let error = diagnostic(&plan, &of.exists_already());
        for expected in [
            &format!("with {}", of.this),
            of.end,
            "https://***@legacy.example.com/hook?token=***&v=***",
            "does not manage it yet, and overwrite_existing is not true.",
            r#"import { to = ADDRESS id = "1400000001" }"#,
        ] {
            assert!(error.contains(expected), "{guard}: expected {expected:?}\n{error}");
        }
    }
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn an_equal_configuration_is_created_again(of: Of) -> Result {
    let guarded = of.object(&sends(&[of.start], URL));
    let scenario = of.scenario()?;
    scenario.configure(&guarded)?;
    scenario.someone_sets(&[of.start], URL);
    diagnostic(&scenario.run(&["plan"])?, AS_PLANNED);
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()?;

    // So a creation whose end Terraform missed can simply be repeated.
    scenario.run(&["state", "rm", of.this])?.expect_success();
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_creation_checks_again_when_applying(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.someone_sets(&[of.end], THERE);
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("p4ssword").expect_lacks("t0ken");
    assert!(diagnostic(&applied, &of.exists_already()).contains("legacy.example.com"));
    assert_eq!((scenario.writes(), scenario.stored()?), (vec![], None));
    scenario.expect_remote(&[of.end], THERE);
    Ok(())
}

#[apply(each_service)]
fn a_creation_checks_right_before_the_write(of: Of) -> Result {
    // Terraform plans again when it applies. Only the provider's own check finds what appears after that.
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    assert_eq!(scenario.calls(), [Get]);
    scenario.run(&["apply", "tfplan"])?.expect_success();
    let looks = scenario.calls().iter().take_while(|action| **action == Get).count();
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();

    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let response = of.json(THERE, &json!([of.end]));
    let last = u32::try_from(looks)? - 1;
    scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get).skip(last));
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("t0ken");
    diagnostic(&applied, &of.exists_already());
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn a_deletion_since_the_plan_is_not_repaired_in_silence(of: Of) -> Result {
    let object = |url, more: &str| of.object(&(sends(&[of.start], url) + more));
    let replace = format!("-replace={}", of.this);
    let told = format!("The {} callback configuration of SDKAppID {ID} has been deleted since the plan", of.title);
    for (url, option, lifecycle) in
        [(OTHER_URL, "-refresh=true", ""), (URL, replace.as_str(), ""), (URL, &replace, CREATE_BEFORE_DESTROY)]
    {
        let unguarded = format!("overwrite_existing = true\n{lifecycle}");
        let scenario = of.scenario()?.applied(&object(URL, &unguarded))?;
        scenario.configure(&object(url, &unguarded))?;
        scenario.run(&["plan", "-out=tfplan", option])?.expect_success();
        scenario.simulator.remove_configuration(of.service, ID);
        let applied = scenario.run(&["apply", "tfplan"])?;
        assert!(diagnostic(applied.expect_success(), &told).starts_with("Warning"), "{applied}");
        scenario.expect_remote(&[of.start], url);
        scenario.expect_no_changes()?;
    }
    for (url, option) in [(OTHER_URL, "-refresh=true"), (URL, &replace)] {
        let guarded = |url| object(url, "");
        let scenario = of.scenario()?.applied(&guarded(URL))?;
        scenario.configure(&guarded(url))?;
        scenario.run(&["plan", "-out=tfplan", option])?.expect_success();
        scenario.simulator.remove_configuration(of.service, ID);
        let refused = scenario.run(&["apply", "tfplan"])?;
        let error = diagnostic(refused.expect_failure(), &told);
        assert!(error.starts_with("Error") && error.contains("Run a new plan"), "{error}");
        assert_eq!((scenario.writes(), scenario.remote()), (vec![], None));
        // The new plan shows the creation.
        let applied = scenario.apply()?;
        applied.expect_contains("1 added, 0 changed, 0 destroyed");
        assert_eq!(diagnostics(&applied), [""; 0]);
        scenario.expect_remote(&[of.start], url);
    }
    Ok(())
}

/// A limit that the guide on reliability states: Tencent has no conditional write.
#[apply(each_service)]
fn a_change_between_the_last_check_and_the_write_is_replaced_unseen(of: Of) -> Result {
    let guarded = |url| of.object(&sends(&[of.start], url));
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
fn a_plan_that_may_overwrite_and_cannot_check_warns(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &of.object(&(sends(&[of.start], URL) + OVERWRITE))))?;
    let fault = FaultKind::ErrorCode { code: of.passing(), info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan", "-out=tfplan"])?;
    plan.expect_success().expect_contains("1 to add");
    let warning = diagnostic(&plan, &of.lookup_failed());
    assert!(warning.starts_with("Warning") && warning.contains(&format!("error {}", of.passing())), "{warning}");
    assert!(warning.contains("This plan may overwrite"), "{warning}");

    // The apply writes nothing unchecked.
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
fn a_permanent_refusal_fails_the_plan(of: Of) -> Result {
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
    // An answer that is not Tencent's fails the plan as well.
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &of.object(&sends(&[of.start], URL))))?;
    for kind in [FaultKind::NotJson, FaultKind::Status { code: 403, retry_after: None, processed: false }] {
        scenario.simulator.inject(Fault::new(kind).on(Get));
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1);
        assert!(diagnostic(&plan, &of.lookup_failed()).starts_with("Error"));
        scenario.simulator.clear_faults();
    }
    // A transient failure is a warning, if the plan may overwrite.
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &of.object(&(sends(&[of.start], URL) + OVERWRITE))))?;
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
fn a_replacement_that_cannot_check_destroys_nothing(of: Of) -> Result {
    let with =
        |id: u64| ONE_ATTEMPT.to_owned() + &of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}")));
    let scenario = of.applications(2)?.applied(&with(ID))?;
    scenario.configure(&with(ID + 1))?;
    let fault = FaultKind::ErrorCode { code: of.passing(), info: String::new() };
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
fn a_plan_that_cannot_check_fails(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &of.object(&sends(&[of.start], URL))))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let fault = FaultKind::ErrorCode { code: of.passing(), info: "too often".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Get));
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1);
    let error = diagnostic(&plan, &of.lookup_failed());
    assert!(
        error.starts_with("Error") && error.contains("needs this check, unless overwrite_existing is true"),
        "{error}"
    );

    scenario.run(&["apply", "tfplan"])?.expect_failure().expect_contains(&format!("error {}", of.passing()));
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn a_managed_configuration_is_not_checked_as_new(of: Of) -> Result {
    let guarded = |url| of.object(&sends(&[of.start], url));
    let scenario = of.scenario()?.applied(&guarded(URL))?;
    scenario.someone_sets(&[of.end], THERE);
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
fn a_forced_replacement_does_not_trip_the_guard(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    let replaced = scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?;
    replaced.expect_success().expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(diagnostics(&replaced), [""; 0]);
    assert_eq!(scenario.writes(), [of.overwrite], "what replaces it overwrites it");
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_forced_create_before_destroy_keeps_what_it_created(of: Of) -> Result {
    let this = of.this;
    // An application has one configuration: Terraform destroys after the creation what was just written.
    let arguments = sends(&[of.start], URL) + CREATE_BEFORE_DESTROY;
    let scenario = of.scenario()?.applied(&of.object(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?.expect_success();
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_replacement_checks_the_new_application(of: Of) -> Result {
    let with = |id: u64| sends(&[of.start], URL) + &format!("sdk_app_id = {id}\n");
    let scenario = of.applications(2)?.applied(&of.object(&with(ID)))?;
    scenario.simulator.put_configuration(of.service, ID + 1, Configuration::new(THERE, [of.end]));
    scenario.configure(&of.object(&with(ID + 1)))?;
    diagnostic(&scenario.run(&["plan"])?, &of.exists_already());

    scenario.configure(&of.object(&(with(ID + 1) + OVERWRITE)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success().expect_contains("1 to add, 0 to change, 1 to destroy");
    let warning = diagnostic(&plan, &of.overwrites());
    assert!(warning.contains("1400000002") && warning.contains("legacy.example.com"), "{warning}");
    Ok(())
}

#[apply(each_service)]
fn a_guarded_abandoned_resource_can_be_replaced(of: Of) -> Result {
    let this = of.this;
    let arguments = sends(&[of.start], URL) + r#"deletion_policy = "ABANDON""#;
    let scenario = of.scenario()?.applied(&of.object(&arguments))?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={this}")])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![of.overwrite], 1));
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_guarded_create_before_destroy_replaces_its_own_configuration(of: Of) -> Result {
    let this = of.this;
    let guarded = |url| of.object(&(sends(&[of.start], url) + CREATE_BEFORE_DESTROY));
    let scenario = of.scenario()?.applied(&guarded(URL))?;
    let replace = format!("-replace={this}");
    scenario.run(&["apply", "-auto-approve", &replace])?.expect_success();
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()?;

    scenario.configure(&guarded(OTHER_URL))?;
    scenario.simulator.clear_requests();
    let replaced = scenario.run(&["apply", "-auto-approve", &replace])?;
    if TERRAFORM.has(Feature::PlannedPrivate) {
        replaced.expect_success();
        scenario.expect_remote(&[of.start], OTHER_URL);
        scenario.expect_no_changes()?;
        // What someone sets after the plan is not its own.
        scenario.configure(&guarded(URL))?;
        scenario.run(&["plan", "-out=tfplan", &replace])?.expect_success();
        scenario.someone_sets(&[of.end], OTHER_URL);
        let refused = scenario.run(&["apply", "tfplan"])?;
        refused.expect_failure();
        diagnostic(&refused, "has changed since the plan");
        scenario.expect_remote(&[of.end], OTHER_URL);
        return Ok(());
    }
    // When the new object is created, the provider cannot know that the configuration there is its own.
    replaced.expect_failure();
    let error = diagnostic(&replaced, &of.exists_already());
    assert!(error.contains("an import does not help: apply the change first"), "{error}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
    scenario.expect_remote(&[of.start], URL);
    // Without the guard, the replacement works.
    scenario.configure(&of.object(&(sends(&[of.start], OTHER_URL) + CREATE_BEFORE_DESTROY + OVERWRITE)))?;
    scenario.apply()?;
    scenario.expect_remote(&[of.start], OTHER_URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn each_application_with_an_existing_configuration_is_named(of: Of) -> Result {
    // Terraform shows only the first of several warnings with the same title.
    let scenario = of.applications(3)?;
    for id in ID..ID + 3 {
        let url = format!("https://legacy-{id}.example.com/");
        scenario.simulator.put_configuration(of.service, id, Configuration::new(url, [of.end]));
    }
    for guard in ["", OVERWRITE] {
        scenario.configure(&of.fleet(ID..ID + 3, &(sends(&[of.start], URL) + guard)))?;
        let plan = scenario.run(&["plan"])?;
        for id in ID..ID + 3 {
            plan.expect_contains(&format!("https://legacy-{id}.example.com/"));
        }
    }
    Ok(())
}
