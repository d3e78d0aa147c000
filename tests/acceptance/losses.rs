//! A configuration that is live is not lost, whatever fails between two objects, or between a plan and its apply.

use std::collections::BTreeSet;

use rstest_reuse::apply;
use tencent_simulator::Action::{Delete, Set, Update};
use tencent_simulator::{Configuration, Fault, FaultKind};
use terraform_cli::{Feature, Output, needs};

use crate::harness::{
    CREATE_BEFORE_DESTROY, ID, KEY, OTHER_URL, Of, Result, Scenario, TERRAFORM, URL, diagnostic, diagnostics,
    each_service, key, provider, sends,
};

const OVERWRITES: &str = "overwrite_existing = true\n";
const WAYS: [&str; 2] = ["-parallelism=1", "-parallelism=10"];
const LATER: &str = "terraform_data.later.output";

/// Makes Tencent refuse every write for good.
fn refuse_writes(scenario: &Scenario) {
    for action in [Set, Update] {
        let refusal = FaultKind::ErrorCode { code: scenario.of.refusal(), info: String::new() };
        scenario.simulator.inject(Fault::new(refusal).on(action));
    }
}

/// Applies with these further arguments, and asserts that nothing is deleted.
#[track_caller]
fn apply_without_deletion(scenario: &Scenario, more: &[&str]) -> Result<Output> {
    scenario.simulator.clear_requests();
    let applied = scenario.run(&[&["apply", "-auto-approve"], more].concat())?;
    let calls = scenario.calls();
    assert!(!calls.contains(&Delete), "{calls:?}\n{applied}");
    Ok(applied)
}

/// Ends the faults, and asserts that one more apply leaves one object, as configured.
#[track_caller]
fn expect_recovery(of: Of, scenario: &Scenario, url: &str) -> Result {
    scenario.simulator.clear_faults();
    scenario.apply()?;
    assert_eq!(scenario.instances()?, 1);
    scenario.expect_remote(&[of.start], url);
    scenario.expect_no_changes()
}

/// Asserts that an apply whose writes are refused deletes nothing, and that the next one completes it.
#[track_caller]
fn expect_no_loss(of: Of, scenario: &Scenario, url: &str) -> Result {
    expect_one_plan(scenario)?;
    refuse_writes(scenario);
    apply_without_deletion(scenario, &[])?;
    scenario.expect_remote(&[of.start], URL);
    expect_recovery(of, scenario, url)
}

/// Writes a resource whose output, an SDKAppID or a key, is known only after each change of `change`.
fn later(value: &str, change: u8) -> String {
    format!("resource \"terraform_data\" \"later\" {{\n  input = {{ value = \"{value}\", change = {change} }}\n}}\n")
}

/// Asserts that every plan says the same, in whichever order Terraform visits the objects.
#[track_caller]
fn expect_one_plan(scenario: &Scenario) -> Result {
    let mut plans = BTreeSet::new();
    for _ in 0..4 {
        // With -parallelism=1, the plan depends on which of the two Terraform visits first, and may announce a gap.
        let plan = scenario.run(&["plan", WAYS[1]])?;
        let mut told = diagnostics(&plan);
        told.sort();
        let summary = plan.stdout().lines().find(|line| line.starts_with("Plan:")).map(str::to_owned);
        plans.insert((told, summary));
    }
    assert_eq!(plans.len(), 1, "{plans:#?}");
    Ok(())
}

impl Of {
    /// Writes a block of this name that sends `start` to `url`.
    fn sender(self, name: &str, url: &str, more: &str) -> String {
        self.resource(name, &(sends(&[self.start], url) + more))
    }

    /// Imports one configuration to the addresses `a` and `b`.
    fn imported_twice(self) -> Result<Scenario> {
        let scenario = self.scenario()?;
        scenario.someone_sets(&[self.start], URL);
        let import = |name: &str| {
            format!("import {{\n  to = {}.{name}\n  id = \"{ID}\"\n}}\n", self.resource_type())
                + &self.sender(name, URL, "")
        };
        scenario.applied(&(import("a") + &import("b")))
    }

    /// Writes the resource `this` of an application that is known only after each change of `change`.
    fn late(self, id: u64, url: &str, change: u8, more: &str) -> String {
        let of_later = format!("sdk_app_id = {LATER}.value\n{more}");
        later(&id.to_string(), change) + &self.object(&(sends(&[self.start], url) + &of_later))
    }
}

#[apply(each_service)]
fn an_application_that_a_plan_does_not_know_is_assumed_to_be_the_same(of: Of) -> Result {
    for more in ["", OVERWRITES] {
        let scenario = of.scenario()?.applied(&of.late(ID, URL, 1, more))?;
        scenario.configure(&of.late(ID, URL, 2, more))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_success().expect_contains("0 to add").expect_contains("0 to destroy");
        diagnostic(&plan, "This plan assumes SDKAppID 1400000001");
        apply_without_deletion(&scenario, &[])?.expect_success();
        scenario.expect_remote(&[of.start], URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn an_application_that_turns_out_to_be_another_loses_nothing(of: Of) -> Result {
    for (more, url) in [("", URL), ("", OTHER_URL), (OVERWRITES, OTHER_URL)] {
        let scenario = of.applications(2)?.applied(&of.late(ID, URL, 1, more))?;
        scenario.configure(&of.late(ID + 1, url, 2, more))?;
        let applied = apply_without_deletion(&scenario, &[])?;
        assert_eq!(applied.success(), url == URL, "only what changes is applied\n{applied}");
        assert_eq!(scenario.instances()?, 1);
        scenario.expect_remote(&[of.start], URL);
        assert_eq!(scenario.simulator.configuration(of.service, ID + 1), None);

        // The next plan knows the application.
        scenario.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
        assert_eq!(scenario.remote(), None);
        assert_eq!(scenario.simulator.configuration(of.service, ID + 1), Some(Configuration::new(url, [of.start])));
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn a_failed_dependency_of_the_application_loses_nothing(of: Of) -> Result {
    let config = |change: u8, exit: u8| {
        format!(
            r#"resource "terraform_data" "dependency" {{
  triggers_replace = {change}
  provisioner "local-exec" {{
    command = "exit {exit}"
  }}
}}
data "{}" "source" {{
  sdk_app_id = {ID}
  depends_on = [terraform_data.dependency]
}}
"#,
            of.resource_type()
        ) + &of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = data.{}.source.id\n", of.resource_type())))
    };
    let scenario = of.scenario()?;
    scenario.someone_sets(&[of.start], URL);
    let scenario = scenario.applied(&config(1, 0))?;
    scenario.configure(&config(2, 1))?;
    scenario.run(&["plan"])?.expect_success().expect_lacks(&format!("{} must be replaced", of.this));
    apply_without_deletion(&scenario, &[])?.expect_failure();
    assert!(scenario.instance()?.is_some());
    scenario.expect_remote(&[of.start], URL);
    scenario.configure(&config(3, 0))?;
    apply_without_deletion(&scenario, &[])?.expect_success();
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_refused_replacement_stays_in_the_state(of: Of) -> Result {
    let replace = format!("-replace={}", of.this);
    for (more, url) in [("", URL), (OVERWRITES, URL), ("", OTHER_URL)] {
        for is_tainted in [false, true] {
            let object = |url| of.object(&(sends(&[of.start], url) + more));
            let scenario = of.scenario()?.applied(&object(URL))?;
            scenario.configure(&object(url))?;
            if is_tainted {
                scenario.run(&["taint", of.this])?.expect_success();
            }
            refuse_writes(&scenario);
            let more = if is_tainted { &[][..] } else { &[replace.as_str()] };
            apply_without_deletion(&scenario, more)?.expect_failure();
            scenario.expect_remote(&[of.start], URL);
            assert_eq!(scenario.instances()?, 1);
            expect_recovery(of, &scenario, url)?;
        }
    }
    Ok(())
}

#[apply(each_service)]
fn a_guarded_move_to_an_application_that_cannot_be_checked_fails_the_plan(of: Of) -> Result {
    let of_app = |id: u64| of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}\n")));
    let keys = |other: &str| {
        provider(&format!(
            r#"apps = {{ "{ID}" = {{ secret_key = "{KEY}" }}, "{}" = {{ secret_key = {other} }} }}"#,
            ID + 1
        ))
    };
    let scenario = of.applications(2)?;
    scenario.configure(&(keys(&format!("\"{}\"", key(ID + 1))) + &of_app(ID)))?;
    scenario.apply()?;
    scenario.configure(&(later(&key(ID + 1), 1) + &keys(&format!("{LATER}.value")) + &of_app(ID + 1)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_code(1);
    let told = diagnostics(&plan);
    assert!(told.iter().any(|d| d.starts_with("Error") && d.contains("1400000002")), "{told:#?}");
    apply_without_deletion(&scenario, &[])?.expect_failure();
    assert_eq!(scenario.instances()?, 1);
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}

#[apply(each_service)]
fn an_identity_without_an_application_imports_nothing(of: Of) -> Result {
    needs!(*TERRAFORM, Feature::Identity);
    let scenario = of.applications(2)?;
    scenario.someone_sets(&[of.start], URL);
    let import = format!("import {{\n  to = {}\n  identity = {{ sdk_app_id = null }}\n}}\n", of.this);
    for id in [ID, ID + 1] {
        scenario
            .configure(&(import.clone() + &of.object(&(sends(&[of.start], URL) + &format!("sdk_app_id = {id}\n")))))?;
        let applied = apply_without_deletion(&scenario, &[])?;
        let told = diagnostics(applied.expect_failure());
        assert!(told.iter().any(|d| d.starts_with("Error") && d.contains("sdk_app_id")), "{told:#?}");
        assert_eq!((scenario.instances()?, scenario.writes()), (0, vec![]));
    }
    scenario.expect_remote(&[of.start], URL);
    Ok(())
}

#[apply(each_service)]
fn a_replacement_is_told_from_the_old_object_without_tencents_request_ids(of: Of) -> Result {
    let replace = format!("-replace={}", of.this);
    for more in ["", CREATE_BEFORE_DESTROY] {
        let object = |url| of.object(&(sends(&[of.start], url) + OVERWRITES + more));
        let scenario = of.scenario()?;
        scenario.simulator.inject(Fault::new(FaultKind::RequestId(Some("the-gateways-own".to_owned()))));
        let scenario = scenario.applied(&object(URL))?;
        assert_eq!(scenario.stored()?.ok_or("no object")?["last_request_id"], "the-gateways-own");
        for url in [URL, OTHER_URL] {
            scenario.configure(&object(url))?;
            scenario.run(&["apply", "-auto-approve", &replace])?.expect_success();
            scenario.expect_remote(&[of.start], url);
            assert_eq!(scenario.instances()?, 1);
            scenario.expect_no_changes()?;
        }
    }
    Ok(())
}

#[apply(each_service)]
fn a_refused_write_loses_nothing_that_another_address_held(of: Of) -> Result {
    for (stays, url) in [("a", URL), ("b", URL), ("a", OTHER_URL), ("b", OTHER_URL)] {
        let scenario = of.imported_twice()?;
        scenario.configure(&of.sender(stays, url, ""))?;
        expect_no_loss(of, &scenario, url)?;
    }
    Ok(())
}

#[apply(each_service)]
fn a_refused_write_loses_nothing_of_a_rename_without_moved(of: Of) -> Result {
    for (more, url) in [("", URL), (OVERWRITES, OTHER_URL)] {
        let scenario = of.scenario()?.applied(&of.sender("a", URL, more))?;
        scenario.configure(&of.sender("b", url, more))?;
        expect_no_loss(of, &scenario, url)?;
    }
    Ok(())
}

/// With `-parallelism=1`, Terraform may plan the end of the old object before anything tells of the new one.
#[apply(each_service)]
fn a_rename_without_moved_says_that_it_may_leave_a_gap(of: Of) -> Result {
    for _ in 0..4 {
        let scenario = of.scenario()?.applied(&of.sender("a", URL, ""))?;
        scenario.configure(&of.sender("b", URL, ""))?;
        let plan = scenario.run(&["plan", "-out=tfplan", WAYS[0]])?;
        let told = diagnostics(plan.expect_success()).join("\n");
        let is_kept = told.contains("is kept for another object");
        assert!(is_kept || told.contains("has none until"), "{plan}");
        refuse_writes(&scenario);
        let applied = scenario.run(&["apply", WAYS[0], "tfplan"])?;
        let is_lost = scenario.remote().is_none();
        assert!(!(is_lost && is_kept), "{applied}");
        assert_eq!(is_lost, diagnostics(&applied).join("\n").contains("The application has none now."), "{applied}");
        expect_recovery(of, &scenario, URL)?;
    }
    Ok(())
}

#[apply(each_service)]
fn a_guarded_resource_whose_application_becomes_known_late_loses_nothing(of: Of) -> Result {
    for way in WAYS {
        for url in [URL, OTHER_URL] {
            let scenario = of.scenario()?.applied(&of.sender("a", URL, ""))?;
            let more = format!("sdk_app_id = {LATER}.value\n");
            scenario.configure(&(later(&ID.to_string(), 1) + &of.sender("b", url, &more)))?;
            // With -parallelism=1, Terraform may have deleted the one before it plans the other again.
            match way == WAYS[0] {
                true => scenario.run(&["apply", "-auto-approve", way])?,
                false => apply_without_deletion(&scenario, &[way])?,
            };
            assert!(scenario.remote().is_some(), "{way} {url}");
        }
    }
    Ok(())
}
