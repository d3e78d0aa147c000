//! Differences between services: Tencent creates and overwrites with one call or with two, and users do not notice.

use rstest_reuse::apply;
use tencent_simulator::Action::{Delete, Get, Set, Update};
use tencent_simulator::{Configuration, Fault, FaultKind, Outcome, Service};

use crate::harness::{
    CALL, ID, LEGACY_CALL, LIVE, OTHER_URL, Of, ROOM, Result, SERVICES, URL, diagnostic, diagnostics, each_service,
    each_service_that_may_refuse, sends,
};

/// Writes the resource `this`, with or without the guard (`overwrite_existing = false`).
fn guarded(of: Of, is_guarded: bool, url: &str) -> String {
    of.object(&(sends(&[of.start], url) + &format!("overwrite_existing = {}\n", !is_guarded)))
}

#[test]
fn every_service_is_tested() {
    assert_eq!(SERVICES.map(|of| of.service), Service::ALL);
}

#[test]
fn the_services_of_an_application_are_independent() -> Result {
    let objects = |of: &[Of]| of.iter().map(|of| of.object(&sends(&[of.start], URL))).collect::<String>();
    let scenario = CALL.scenario()?.applied(&objects(&SERVICES))?;
    for of in SERVICES {
        let expected = Configuration::new(URL, [of.start]);
        assert_eq!(scenario.simulator.configuration(of.service, ID), Some(expected), "{of:?}");
    }
    scenario.expect_no_changes()?;

    let stay = SERVICES.into_iter().filter(|of| of.service != ROOM.service).collect::<Vec<_>>();
    scenario.configure(&objects(&stay))?;
    let applied = scenario.apply()?;
    applied.expect_contains("0 added, 0 changed, 1 destroyed");
    assert_eq!(diagnostics(&applied), [""; 0], "they are not two objects of one");
    for of in SERVICES {
        let there = scenario.simulator.configuration(of.service, ID).is_some();
        assert_eq!(there, of.service != ROOM.service, "{of:?}");
    }
    scenario.expect_no_changes()
}

/// Tencent's documentation leaves open how get and delete of the older API of calls answer without a configuration.
#[test]
fn it_makes_no_difference_how_tencent_says_that_there_is_no_configuration() -> Result {
    let of = LEGACY_CALL;
    for hides_absence in [false, true] {
        let scenario = of.scenario()?;
        scenario.simulator.hide_absence(hides_absence);
        scenario.configure(&of.object(&sends(&[of.start], URL)))?;
        let imported = scenario.run(&["import", of.this, &ID.to_string()])?;
        diagnostic(imported.expect_failure(), "has no Legacy Call callback configuration");
        for is_deleted_elsewhere in [false, true] {
            scenario.apply()?.expect_contains("1 added");
            scenario.expect_remote(&[of.start], URL);
            scenario.expect_no_changes()?;
            if is_deleted_elsewhere {
                scenario.simulator.remove_configuration(of.service, ID);
                scenario.apply()?.expect_contains("1 added");
                // The last look before the deletion still finds it.
                scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodyDeletes).on(Delete).times(1));
            }
            let destroyed = scenario.run(&["destroy", "-auto-approve"])?;
            destroyed.expect_success().expect_contains("1 destroyed");
            assert_eq!((diagnostics(&destroyed), scenario.remote(), scenario.instances()?), (vec![], None, 0));
        }
    }
    Ok(())
}

/// The documentation of each service says something else about `set_callback` over an existing configuration, and may be
/// out of date.
#[apply(each_service)]
fn it_makes_no_difference_whether_set_overwrites(of: Of) -> Result {
    for overwrites in [true, false] {
        let scenario = of.scenario()?;
        scenario.simulator.let_set_overwrite(of.service, overwrites);
        scenario.someone_sets(&[of.end], OTHER_URL);
        scenario.configure(&guarded(of, true, URL))?;
        let refused = scenario.try_apply()?;
        refused.expect_failure();
        diagnostic(&refused, &format!("already has a {} callback configuration", of.title));
        assert_eq!(scenario.writes(), []);

        scenario.configure(&guarded(of, false, URL))?;
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied).len(), 1, "the plan's own warning, and no other\n{applied}");
        diagnostic(&applied, "This plan overwrites the existing");
        scenario.expect_remote(&[of.start], URL);
        scenario.expect_no_changes()?;

        scenario.configure(&guarded(of, true, OTHER_URL))?;
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied), [""; 0]);
        scenario.expect_remote(&[of.start], OTHER_URL);
        scenario.expect_no_changes()?;

        scenario.run(&["destroy", "-auto-approve"])?.expect_success();
        assert_eq!(scenario.remote(), None);
    }
    Ok(())
}

#[apply(each_service_that_may_refuse)]
fn a_configuration_created_right_before_the_write_is_named(of: Of) -> Result {
    let elsewhere = Configuration::new("https://elsewhere.example.com/x?token=t0ken", [of.end]);
    for is_guarded in [false, true] {
        let scenario = of.scenario()?;
        scenario.simulator.let_set_overwrite(of.service, false);
        scenario.configure(&guarded(of, is_guarded, URL))?;
        // Someone creates a configuration after the provider's check.
        scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodySets(elsewhere.clone())).on(Set).times(1));
        let applied = scenario.try_apply()?;
        applied.expect_code(if is_guarded { 1 } else { 0 }).expect_lacks("t0ken");
        let told =
            diagnostic(&applied, &format!("The {} callback configuration of SDKAppID {ID} has changed", of.title));
        assert!(told.starts_with(if is_guarded { "Error" } else { "Warning" }), "{told}");
        assert!(told.contains(&format!("{} to https://elsewhere.example.com/x?token=***", of.end)), "{told}");
        if is_guarded {
            assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 0));
            assert_eq!(scenario.remote(), Some(elsewhere.clone()));
        } else {
            // Tencent documents that Call's set overwrites, so the provider tries it again.
            let mut writes = scenario.writes();
            writes.dedup();
            assert_eq!(writes, [Set, Update]);
            scenario.expect_remote(&[of.start], URL);
            scenario.expect_no_changes()?;
        }
    }
    Ok(())
}

#[apply(each_service)]
fn a_configuration_deleted_right_before_the_write_is_created(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&guarded(of, false, URL))?;
    scenario.configure(&guarded(of, false, OTHER_URL))?;
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodyDeletes).on(of.overwrite).times(1));
    let applied = scenario.apply()?;
    // Only an update fails where there is nothing.
    let told = diagnostics(&applied);
    assert_eq!(told.len(), usize::from(of.overwrite == Update), "{told:#?}");
    assert!(told.iter().all(|told| told.starts_with("Warning") && told.contains("has been deleted since the plan")));
    scenario.expect_remote(&[of.start], OTHER_URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_creation_whose_answer_is_lost_is_recognized(of: Of) -> Result {
    for is_guarded in [false, true] {
        let scenario = of.scenario()?;
        scenario.simulator.let_set_overwrite(of.service, false);
        scenario.configure(&guarded(of, is_guarded, URL))?;
        // The second attempt finds what the first one created.
        scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set).times(1));
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied), [""; 0]);
        assert_eq!(scenario.writes().last(), Some(if of == LEGACY_CALL { &Set } else { &Update }));
        scenario.expect_remote(&[of.start], URL);
        assert!(scenario.stored()?.expect("an object")["last_request_id"].is_string());
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn a_creation_whose_answer_is_lost_is_kept_even_if_the_retry_is_refused(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&guarded(of, false, URL))?;
    scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set).times(1));
    let disabled = FaultKind::ErrorCode { code: of.refusal(), info: String::new() };
    scenario.simulator.inject(Fault::new(disabled).on(of.overwrite));
    let applied = scenario.apply()?;
    diagnostic(&applied, "was written, unconfirmed");
    scenario.expect_remote(&[of.start], URL);
    assert_eq!(scenario.instances()?, 1);
    scenario.simulator.clear_faults();
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_configuration_that_the_plan_showed_is_not_reported_as_changed(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.simulator.let_set_overwrite(of.service, false);
    scenario.someone_sets(&[of.end], OTHER_URL);
    scenario.configure(&guarded(of, false, URL))?;
    // The configuration disappears, and the same one comes back.
    let same = Configuration::new(OTHER_URL, [of.end]);
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodyDeletes).on(Update).times(1));
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodySets(same)).on(Set).times(1));
    let applied = scenario.apply()?;
    diagnostic(&applied, "This plan overwrites the existing");
    applied.expect_lacks("has changed since the plan");
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service_that_may_refuse)]
fn a_constantly_changing_configuration_ends_in_an_error(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.simulator.let_set_overwrite(of.service, false);
    scenario.configure(&guarded(of, false, URL))?;
    let elsewhere = Configuration::new(OTHER_URL, [of.end]);
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodySets(elsewhere)).on(Set));
    scenario.simulator.inject(Fault::new(FaultKind::FirstSomebodyDeletes).on(Update));
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error =
        diagnostic(&applied, &format!("Writing the {} callback configuration of SDKAppID {ID} failed", of.title));
    assert!(error.contains("error 100300") && error.contains("find out what else creates and deletes it"), "{error}");
    assert!(scenario.writes().len() < 16);
    assert_eq!(scenario.instances()?, 0);
    Ok(())
}

#[apply(each_service)]
fn a_resource_calls_only_its_own_service(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    scenario.apply()?;
    scenario.configure(&of.object(&sends(&[of.end], URL)))?;
    scenario.apply()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    let requests = scenario.simulator.take_requests();
    assert!(requests.iter().all(|request| request.service == Some(of.service)), "{requests:#?}");
    assert!(requests.iter().all(|request| request.outcome == Outcome::Answered { error_code: 0 }
        || request.action == Some(Get) && request.outcome == Outcome::Answered { error_code: of.absent() }));
    let changes: Vec<_> =
        requests.iter().filter_map(|request| request.action).filter(|action| *action != Get).collect();
    assert_eq!(changes, [Set, of.overwrite, Delete]);
    Ok(())
}

#[test]
fn commands_of_another_service_are_warned_of() -> Result {
    let scenario = LIVE.scenario()?;
    scenario.configure(&LIVE.object(&sends(&["Live.CallbackBeforeSendGift", ROOM.start], URL)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_success();
    let gifts = diagnostic(&plan, "Gifts depend on the callback URL");
    assert!(
        gifts.contains("blocks every gift") && gifts.contains("add Live.CallbackBeforeCallBackNotBlock"),
        "{gifts}"
    );
    let other = diagnostic(&plan, "Callback command of the Room service");
    assert!(other.contains("for tencent_room_callback, not for tencent_live_callback."), "{other}");

    let switch = ["Live.CallbackBeforeSendGift", "Live.CallbackBeforeCallBackNotBlock"];
    scenario.configure(&LIVE.object(&sends(&switch, URL)))?;
    let applied = scenario.apply()?;
    assert_eq!(diagnostics(&applied), [""; 0]);
    scenario.expect_remote(&switch, URL);
    assert_eq!(scenario.simulator.configuration(Service::Call, ID), None);
    Ok(())
}

#[apply(each_service)]
fn each_data_source_reads_its_own_service(of: Of) -> Result {
    let scenario = of.scenario()?;
    let ty = of.resource_type();
    scenario.configure(&format!(
        r#"data "{ty}" "this" {{}}
output "this" {{
  value = data.{ty}.this
  sensitive = true
}}
"#
    ))?;
    let read = |scenario: &crate::harness::Scenario| -> Result<serde_json::Value> {
        scenario.apply()?;
        let output = scenario.run(&["output", "-json", "this"])?;
        Ok(serde_json::from_str(output.stdout())?)
    };
    assert_eq!(read(&scenario)?["configured"], false);
    scenario.someone_sets(&[of.end], URL);
    let found = read(&scenario)?;
    assert_eq!((&found["configured"], &found["url"]), (&true.into(), &URL.into()));
    assert_eq!(found[of.argument()], serde_json::json!([of.end]));
    Ok(())
}
