//! Every error code of Tencent's: the message for the user, and the outcome of the write that failed.

use rstest::rstest;
use serde_json::json;
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{App, AppStatus, Configuration, Fault, FaultKind, Service, Simulator};
use terraform_provider_tencent::tencent::{Credentials, ErrorCode};

use crate::harness::{
    CALL, END, ID, KEY, LEGACY_CALL, ONE_ATTEMPT, OTHER_URL, Of, Result, START, Scenario, TERRAFORM, URL, diagnostic,
    diagnostics, fleet, sends, this,
};

#[rstest]
#[case::version_4(CALL, 70001)]
#[case::version_1(LEGACY_CALL, 70003)]
fn every_error_code_is_explained(#[case] of: Of, #[case] expired: i64) -> Result {
    let version = of.version();
    let not_documented = ErrorCode { version, number: 99999 };
    let codes: Vec<_> = ErrorCode::documented(version).chain([not_documented]).collect();
    let scenario = of.applications(codes.len())?;
    for (id, code) in (ID..).zip(&codes) {
        let fault = FaultKind::ErrorCode { code: code.number, info: format!("in Tencent's words: {code}") };
        scenario.simulator.inject(Fault::new(fault).on(Set).sdk_app_id(id));
    }
    let ids = (ID..).take(codes.len());
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &of.fleet(ids, &sends(&[of.start], URL))))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let credentials = Credentials::SecretKey(KEY.to_owned().into());
    for (id, code) in (ID..).zip(&codes) {
        let summary = format!("Writing the {} callback configuration of SDKAppID {id} failed", of.title);
        let error = diagnostic(&applied, &summary);
        for expected in [
            "Error:",
            &format!("with {}.fleet[\"{id}\"]", of.resource_type()),
            &format!("error {code}: {}.", code.meaning()),
            code.advice(&credentials),
            &format!("ErrorInfo: in Tencent's words: {code}"),
            "RequestId: ",
        ] {
            assert!(error.contains(expected), "{code}: expected {expected:?}\n{error}");
        }
    }
    assert_eq!((diagnostics(&applied).len(), scenario.instances()?), (codes.len(), 0));

    // An expired UserSig is replaced, and the call retried. After 100300, nothing is replaced that a read does not show.
    let requests = scenario.simulator.take_requests();
    for (id, code) in (ID..).zip(&codes) {
        let attempts = requests.iter().filter(|r| r.action == Some(Set) && r.sdk_app_id == Some(id)).count();
        assert_eq!(attempts, if code.number == expired { 2 } else { 1 }, "{code}");
    }

    // Nothing is lost: the next apply creates all of them.
    scenario.simulator.clear_faults();
    scenario.apply()?.expect_contains(&format!("{} added", codes.len()));
    scenario.expect_no_changes()
}

#[test]
fn a_user_sig_that_tencent_calls_expired_is_replaced() -> Result {
    let scenario = Scenario::new()?;
    let expired = FaultKind::ErrorCode { code: 70001, info: "expired".to_owned() };
    scenario.simulator.inject(Fault::new(expired).on(Set).times(1));
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?;
    assert_eq!(scenario.writes(), [Set, Set]);
    scenario.expect_no_changes()
}

#[test]
fn transient_error_codes_are_retried() -> Result {
    let scenario = Scenario::new()?;
    for code in [100_001, 60008] {
        let fault = FaultKind::ErrorCode { code, info: String::new() };
        scenario.simulator.inject(Fault::new(fault).on(Set).times(1));
    }
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?.expect_lacks("Warning");
    assert_eq!(scenario.writes(), [Set, Set, Set]);
    scenario.expect_no_changes()
}

#[test]
fn a_refusal_by_tencent_is_reported_with_its_code_and_advice() -> Result {
    let cases: [(App, &[&str]); 6] = [
        (App::new(ID, "another key"), &["error 70009", "Check that the SecretKey belongs to this SDKAppID"]),
        (App::new(ID + 1, KEY), &["error 70020", "region"]),
        (App { administrators: vec![], ..App::new(ID, KEY) }, &["error 60010", "identifier"]),
        (App::new(ID, KEY).status(AppStatus::Disabled), &["error 60016", "console"]),
        (App::new(ID, KEY).status(AppStatus::Forbidden), &["error 60017", "console"]),
        (App::new(ID, KEY).status(AppStatus::Suspended), &["error 60020", "five minutes"]),
    ];
    for (app, said) in cases {
        let scenario = Scenario::on(&TERRAFORM, Simulator::builder().app(app).start()?)?;
        scenario.configure(&this(&sends(&[START], URL)))?;
        let applied = scenario.try_apply()?;
        applied.expect_failure();
        let error = diagnostic(&applied, "Error: ");
        for said in said.iter().chain(&["RequestId: Id-", "ErrorInfo: "]) {
            assert!(error.contains(said), "expected {said:?}\n{error}");
        }
        assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    }
    Ok(())
}

#[test]
fn another_administrator_can_make_the_calls() -> Result {
    let app = App { administrators: vec![], ..App::new(ID, KEY) }.administrator("terraform");
    let mut scenario = Scenario::on(&TERRAFORM, Simulator::builder().app(app).start()?)?;
    scenario.workspace.env("TENCENT_IDENTIFIER", "terraform");
    let scenario = scenario.applied(&this(&sends(&[START], URL)))?;
    scenario.expect_no_changes()
}

#[test]
fn a_failed_update_keeps_the_old_state_and_the_next_apply_completes_it() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    let before = scenario.stored()?;
    let fault = FaultKind::ErrorCode { code: 60020, info: "suspended".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Set));
    scenario.configure(&this(&sends(&[START, END], OTHER_URL)))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    diagnostic(&applied, &format!("Writing the Call callback configuration of SDKAppID {ID} failed"));
    assert_eq!(scenario.stored()?, before);
    scenario.expect_remote(&[START], URL);

    scenario.simulator.clear_faults();
    scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
    scenario.expect_remote(&[START, END], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn a_failed_deletion_keeps_the_object_and_the_next_destroy_completes_it() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    let before = scenario.stored()?;
    let fault = FaultKind::ErrorCode { code: 60017, info: "forbidden".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Delete));
    let destroyed = scenario.run(&["destroy", "-auto-approve"])?;
    destroyed.expect_failure();
    let error = diagnostic(&destroyed, &format!("Deleting the Call callback configuration of SDKAppID {ID} failed"));
    assert!(error.contains("error 60017"), "{error}");
    assert_eq!(scenario.stored()?, before);

    scenario.simulator.clear_faults();
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!((scenario.remote(), scenario.instances()?), (None, 0));
    Ok(())
}

#[test]
fn one_application_that_fails_does_not_stop_the_others() -> Result {
    let scenario = Scenario::of_applications(4)?;
    let fault = FaultKind::ErrorCode { code: 60020, info: "suspended".to_owned() };
    scenario.configure(&fleet(ID..ID + 4, &sends(&[START], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.inject(Fault::new(fault).on(Set).sdk_app_id(ID + 2));
    scenario.run(&["apply", "tfplan"])?.expect_failure().expect_contains("SDKAppID 1400000003 failed");
    assert_eq!(scenario.instances()?, 3);
    let there = (ID..ID + 4).map(|id| scenario.simulator.configuration(Service::Call, id).is_some());
    assert_eq!(there.collect::<Vec<_>>(), [true, true, false, true]);
    Ok(())
}

#[test]
fn a_failed_replacement_is_completed_by_the_next_apply() -> Result {
    let with_id = |id: u64| this(&(sends(&[START], URL) + &format!("sdk_app_id = {id}")));
    let scenario = Scenario::of_applications(2)?.applied(&with_id(ID))?;
    let fault = FaultKind::ErrorCode { code: 60020, info: "suspended".to_owned() };
    scenario.simulator.inject(Fault::new(fault).on(Set).sdk_app_id(ID + 1));
    scenario.configure(&with_id(ID + 1))?;
    scenario.try_apply()?.expect_failure();
    assert_eq!((scenario.remote(), scenario.instances()?), (None, 0), "the old one is gone, the new one not there");
    scenario.simulator.clear_faults();
    scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");
    assert_eq!(scenario.simulator.configuration(Service::Call, ID + 1), Some(Configuration::new(URL, [START])));
    scenario.expect_no_changes()
}

#[test]
fn an_ok_without_a_configuration_is_an_error() -> Result {
    // Neither a configuration nor the code for "none".
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    let answer = json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "Id-0" });
    scenario.simulator.inject(Fault::new(FaultKind::Answer(answer)).on(Get));
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    assert!(diagnostic(&plan, "Reading the Call callback configuration").contains("no configuration"));
    assert!(scenario.stored()?.is_some());
    Ok(())
}
