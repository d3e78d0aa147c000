//! Somebody changes the object elsewhere, in Tencent's console say: the plan shows it, and apply repairs it.

use serde_json::json;
use tencent_simulator::Action::{Get, Set};
use tencent_simulator::{Configuration, Fault, FaultKind, Service};

use crate::harness::{
    CHANGED, END, ID, OTHER_URL, Result, START, Scenario, THIS, URL, diagnostic, differences, sends, this,
};

#[test]
fn every_change_made_elsewhere_is_shown_and_repaired_by_one_write() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START, END], URL)))?;
    for (commands, url, changed) in [
        (&[END, START][..], OTHER_URL, vec!["last_request_id", "url"]),
        (&[START], URL, vec!["callback_commands", "last_request_id"]),
        (&[CHANGED], "https://other.example.com/?token=s3cret", vec!["callback_commands", "last_request_id", "url"]),
        (&["Call.CallbackFromTheFuture"], URL, vec!["callback_commands", "last_request_id"]),
    ] {
        scenario.somebody_sets(commands, url);
        let planned = scenario.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        assert_eq!(
            (&planned["before"]["url"], &planned["before"]["callback_commands"]),
            (&json!(url), &json!(commands))
        );

        scenario.simulator.clear_requests();
        scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
        assert_eq!(scenario.writes(), [Set]);
        scenario.expect_remote(&[START, END], URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn what_was_deleted_elsewhere_is_planned_again() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    scenario.simulator.remove_configuration(Service::Call, ID);
    let plan = scenario.run(&["plan", "-detailed-exitcode"])?;
    plan.expect_code(2).expect_contains("1 to add, 0 to change, 0 to destroy").expect_lacks("exists already");
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn refresh_only_shows_and_accepts() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    scenario.somebody_sets(&[END], OTHER_URL);
    let plan = scenario.run(&["plan", "-refresh-only"])?;
    plan.expect_success().expect_contains(&format!("# {THIS} has changed"));
    plan.expect_contains(&format!("\"{URL}\" -> \"{OTHER_URL}\"")).expect_contains(&format!("+ \"{END}\""));
    scenario.run(&["apply", "-refresh-only", "-auto-approve"])?.expect_success();
    let stored = scenario.stored()?.expect("an object");
    assert_eq!((&stored["url"], &stored["callback_commands"]), (&json!(OTHER_URL), &json!([END])));
    assert_eq!(scenario.writes(), []);

    scenario.configure(&this(&sends(&[END], OTHER_URL)))?;
    scenario.expect_no_changes()?;

    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.run(&["plan", "-refresh-only"])?.expect_contains(&format!("# {THIS} has been deleted"));
    scenario.run(&["apply", "-refresh-only", "-auto-approve"])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn without_refresh_nothing_is_asked() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    scenario.somebody_sets(&[END], OTHER_URL);
    scenario.run(&["plan", "-refresh=false", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
    assert_eq!(scenario.calls(), []);

    // An update overwrites the whole object all the same.
    scenario.configure(&this(&sends(&[START, CHANGED], URL)))?;
    scenario.run(&["apply", "-refresh=false", "-auto-approve"])?.expect_success();
    assert_eq!(scenario.calls()[..2], [Get, Set], "one look right before it");
    scenario.expect_remote(&[START, CHANGED], URL);
    scenario.expect_no_changes()
}

#[test]
fn ignored_changes_stay_as_somebody_made_them() -> Result {
    let ignoring = sends(&[START], URL) + "lifecycle {\nignore_changes = [url]\n}";
    let scenario = Scenario::new()?.applied(&this(&ignoring))?;
    scenario.somebody_sets(&[START], OTHER_URL);
    scenario.expect_no_changes()?;
    scenario.configure(&this(&ignoring.replace(START, END)))?;
    scenario.apply()?;
    scenario.expect_remote(&[END], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn a_refresh_that_fails_is_an_error_and_leaves_the_state() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    let before = scenario.workspace.state()?;
    scenario.simulator.inject(FaultKind::ErrorCode { code: 60020, info: "the plan is suspended".to_owned() });
    for arguments in [&["plan"][..], &["apply", "-auto-approve"], &["apply", "-refresh-only", "-auto-approve"]] {
        let failed = scenario.run(arguments)?;
        failed.expect_failure();
        let error = diagnostic(&failed, &format!("Reading the call callback configuration of SDKAppID {ID} failed"));
        assert!(error.contains(&format!("with {THIS}")) && error.contains("error 60020"), "{error}");
    }
    assert_eq!((scenario.writes(), scenario.workspace.state()?), (vec![], before));
    Ok(())
}

#[test]
fn an_object_without_commands_or_with_a_strange_url_is_shown_as_it_is() -> Result {
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    for commands in [json!([]), json!(null)] {
        let response = json!({ "Url": "not a URL", "CallbackCommandList": commands });
        scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get));
        let planned = scenario.planned()?;
        assert_eq!((&planned["actions"], &planned["before"]["url"]), (&json!(["update"]), &json!("not a URL")));
        assert_eq!(planned["before"]["callback_commands"], json!([]));
        scenario.simulator.clear_faults();
    }
    scenario.expect_no_changes()
}

#[test]
fn what_tencent_stores_in_a_form_of_its_own_is_no_endless_difference() -> Result {
    for stored in [
        json!({ "Url": "https://HOOKS.example.com/tencent/call/", "CallbackCommandList": [START] }),
        json!({ "Url": URL, "CallbackCommandList": [START.to_lowercase()] }),
        json!({ "Url": URL, "CallbackCommandList": [START, CHANGED] }),
    ] {
        let scenario = Scenario::new()?;
        scenario.configure(&this(&sends(&[START], URL)))?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        // Terraform plans once more when it applies: there is nothing yet.
        scenario.simulator.inject(Fault::new(FaultKind::Response(stored)).on(Get).skip(1));
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied
            .expect_success()
            .expect_contains("Tencent stores the call callback configuration of SDKAppID 1400000001 differently");
        scenario.expect_no_changes()?;

        // But a change made elsewhere is one.
        scenario.simulator.clear_faults();
        scenario.somebody_sets(&[END], OTHER_URL);
        assert_eq!(scenario.planned()?["actions"], json!(["update"]));
    }
    Ok(())
}

#[test]
fn a_plan_over_something_else_than_was_written_never_claims_that_all_is_well() -> Result {
    // Whoever wrote it, and however often: a reviewer must see it in each plan.
    let scenario = Scenario::new()?;
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let other = json!({ "Url": OTHER_URL, "CallbackCommandList": [END] });
    scenario.simulator.inject(Fault::new(FaultKind::Response(other)).on(Get).skip(1));
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(&applied, "is not what was written");
    assert!(error.starts_with("Error") && error.contains(OTHER_URL), "{error}");
    assert_eq!(scenario.instances()?, 0, "what is there is somebody else's");
    for _ in 0..2 {
        scenario.run(&["plan"])?.expect_success().expect_contains(OTHER_URL);
    }
    Ok(())
}

#[test]
fn equivalent_spellings_of_a_url_are_not_a_difference() -> Result {
    for (written, returned) in [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://hooks.example.com:443/x", "https://hooks.example.com/x"),
        ("https://Hooks.Example.com/x", "https://hooks.example.com/x"),
    ] {
        let scenario = Scenario::new()?.applied(&this(&sends(&[START], written)))?;
        scenario.simulator.put_configuration(Service::Call, ID, Configuration::new(returned, [START]));
        scenario.expect_no_changes()?;
        assert_eq!(scenario.stored()?.expect("an object")["url"], written);
    }
    Ok(())
}

/// Both resources of these tests: an update that the guard watches, or does not.
fn guarded(guarded: bool, url: &str) -> String {
    this(&(sends(&[START], url) + &format!("overwrite_existing = {}\n", !guarded)))
}

#[test]
fn another_writer_on_the_same_host_is_not_taken_for_tencents_own_form() -> Result {
    let elsewhere = Configuration::new("https://hooks.example.com/somebody/else", [END]);
    let scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
    // Somebody answers both of our writes, and then stops.
    scenario.simulator.inject(Fault::new(FaultKind::ThenSomebodySets(elsewhere.clone())).on(Set).times(2));
    scenario.configure(&this(&sends(&[START, END], URL)))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(&applied, "The call callback configuration of SDKAppID 1400000001 is not what was written");
    assert!(error.contains(&elsewhere.url), "{error}");
    assert_eq!(scenario.stored()?.expect("an object")["url"], elsewhere.url, "the state says what is there");
    assert_eq!(scenario.planned()?["actions"], json!(["update"]));
    scenario.apply()?;
    scenario.expect_remote(&[START, END], URL);
    scenario.expect_no_changes()
}

#[test]
fn what_a_second_write_replaces_is_named() -> Result {
    let elsewhere = Configuration::new("https://hooks.example.com/somebody/else?token=t0ken", [END]);
    for is_guarded in [false, true] {
        let scenario = Scenario::new()?.applied(&guarded(is_guarded, URL))?;
        scenario.simulator.inject(Fault::new(FaultKind::ThenSomebodySets(elsewhere.clone())).on(Set).times(1));
        scenario.configure(&guarded(is_guarded, OTHER_URL))?;
        let applied = scenario.try_apply()?;
        applied.expect_code(if is_guarded { 1 } else { 0 }).expect_lacks("t0ken");
        let told =
            diagnostic(&applied, "Somebody else also changes the call callback configuration of SDKAppID 1400000001");
        assert!(told.starts_with(if is_guarded { "Error" } else { "Warning" }), "{told}");
        assert!(told.contains("CallbackAfterEndCall to https://hooks.example.com/somebody/else?token=***"), "{told}");
        assert_eq!(scenario.writes(), if is_guarded { vec![Set] } else { vec![Set, Set] });
        scenario.expect_remote(
            if is_guarded { &[END] } else { &[START] },
            if is_guarded { &elsewhere.url } else { OTHER_URL },
        );
        scenario.apply()?;
        scenario.expect_remote(&[START], OTHER_URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_saved_plan_says_what_it_replaces_that_it_did_not_show() -> Result {
    let changed = "The call callback configuration of SDKAppID 1400000001 has changed since the plan";
    let elsewhere = "https://user:p4ssword@elsewhere.example.com/x?token=t0ken";
    for is_guarded in [false, true] {
        for destroys in [false, true] {
            let scenario = Scenario::new()?.applied(&guarded(is_guarded, URL))?;
            scenario.configure(&if destroys { String::new() } else { guarded(is_guarded, OTHER_URL) })?;
            scenario.run(&["plan", "-out=tfplan"])?.expect_success();
            scenario.somebody_sets(&[END], elsewhere);
            scenario.simulator.clear_requests();
            let applied = scenario.run(&["apply", "tfplan"])?;
            applied.expect_lacks("p4ssword").expect_lacks("t0ken");
            let told = diagnostic(&applied, changed);
            assert!(told.contains("https://***@elsewhere.example.com/x?token=***"), "{told}");
            if is_guarded {
                applied.expect_failure();
                assert!(told.starts_with("Error") && told.contains("overwrite_existing is false"), "{told}");
                assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
                scenario.expect_remote(&[END], elsewhere);
                // A new plan shows it, and then it is no surprise.
                scenario.apply()?;
            } else {
                applied.expect_success();
                assert!(told.starts_with("Warning"), "{told}");
            }
            match destroys {
                true => assert_eq!(scenario.remote(), None),
                false => scenario.expect_remote(&[START], OTHER_URL),
            }
            scenario.expect_no_changes()?;
        }
    }
    Ok(())
}

#[test]
fn a_saved_replacement_says_what_it_replaces_that_it_did_not_show() -> Result {
    for (is_guarded, policy) in [(false, "DELETE"), (true, "DELETE"), (false, "ABANDON"), (true, "ABANDON")] {
        let object = guarded(is_guarded, URL).replace("\n}\n", &format!("deletion_policy = \"{policy}\"\n}}\n"));
        let scenario = Scenario::new()?.applied(&object)?;
        scenario.run(&["plan", "-out=tfplan", &format!("-replace={THIS}")])?.expect_success();
        scenario.somebody_sets(&[END], OTHER_URL);
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_code(if is_guarded { 1 } else { 0 });
        let told = diagnostic(&applied, "has changed since the plan");
        assert!(told.contains(OTHER_URL), "{told}");
        scenario.expect_remote(if is_guarded { &[END] } else { &[START] }, if is_guarded { OTHER_URL } else { URL });
        scenario.apply()?;
        scenario.expect_remote(&[START], URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_saved_plan_is_silent_about_what_it_showed_or_wants() -> Result {
    for (commands, url) in
        [(&[START][..], URL), (&[START], OTHER_URL), (&[START, START], "https://HOOKS.example.com/tencent/call")]
    {
        let scenario = Scenario::new()?.applied(&guarded(true, URL))?;
        scenario.configure(&guarded(true, OTHER_URL))?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        scenario.somebody_sets(commands, url);
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_success().expect_lacks("Warning");
        scenario.expect_remote(&[START], OTHER_URL);
        scenario.expect_no_changes()?;
    }
    // What was deleted meanwhile is written, or is gone already.
    let scenario = Scenario::new()?.applied(&guarded(true, URL))?;
    for (text, there) in [(guarded(true, OTHER_URL), true), (String::new(), false)] {
        scenario.configure(&text)?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        scenario.simulator.remove_configuration(Service::Call, ID);
        scenario.run(&["apply", "tfplan"])?.expect_success().expect_lacks("Warning");
        assert_eq!(scenario.remote().is_some(), there);
    }
    Ok(())
}
