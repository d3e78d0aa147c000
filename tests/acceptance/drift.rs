//! Someone changes the configuration elsewhere, such as in Tencent's console: the plan shows it, and apply restores it.

use rstest_reuse::apply;
use serde_json::json;
use tencent_simulator::Action::Get;
use tencent_simulator::{Configuration, Fault, FaultKind};

use crate::harness::{ID, OTHER_URL, OVERWRITE, Of, Result, URL, diagnostic, differences, each_service, sends};

#[apply(each_service)]
fn every_change_made_elsewhere_is_shown_and_repaired_by_one_write(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start, of.end], URL)))?;
    for (commands, url, changed) in [
        (&[of.end, of.start][..], OTHER_URL, vec!["last_request_id", "url"]),
        (&[of.start], URL, vec![of.argument(), "last_request_id"]),
        (&[of.changed], "https://other.example.com/?token=s3cret", vec![of.argument(), "last_request_id", "url"]),
        (&["Some.CallbackFromTheFuture"], URL, vec![of.argument(), "last_request_id"]),
    ] {
        scenario.someone_sets(commands, url);
        let planned = scenario.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        assert_eq!((&planned["before"]["url"], &planned["before"][of.argument()]), (&json!(url), &json!(commands)));

        scenario.simulator.clear_requests();
        scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
        assert_eq!(scenario.writes(), [of.overwrite]);
        scenario.expect_remote(&[of.start, of.end], URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn a_configuration_deleted_elsewhere_is_created_again(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.simulator.remove_configuration(of.service, ID);
    let plan = scenario.run(&["plan", "-detailed-exitcode"])?;
    plan.expect_code(2).expect_contains("1 to add, 0 to change, 0 to destroy").expect_lacks("already exists");
    scenario.apply()?.expect_contains("1 added");
    scenario.expect_remote(&[of.start], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn refresh_only_shows_and_accepts_a_change_made_elsewhere(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.someone_sets(&[of.end], OTHER_URL);
    let plan = scenario.run(&["plan", "-refresh-only"])?;
    plan.expect_success().expect_contains(&format!("# {this} has changed"));
    plan.expect_contains(&format!("\"{URL}\" -> \"{OTHER_URL}\"")).expect_contains(&format!("+ \"{}\"", of.end));
    scenario.run(&["apply", "-refresh-only", "-auto-approve"])?.expect_success();
    let stored = scenario.stored()?.expect("an object");
    assert_eq!((&stored["url"], &stored[of.argument()]), (&json!(OTHER_URL), &json!([of.end])));
    assert_eq!(scenario.writes(), []);

    scenario.configure(&of.object(&sends(&[of.end], OTHER_URL)))?;
    scenario.expect_no_changes()?;

    scenario.simulator.remove_configuration(of.service, ID);
    scenario.run(&["plan", "-refresh-only"])?.expect_contains(&format!("# {this} has been deleted"));
    scenario.run(&["apply", "-refresh-only", "-auto-approve"])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[apply(each_service)]
fn without_refresh_a_plan_makes_no_calls(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    scenario.someone_sets(&[of.end], OTHER_URL);
    scenario.run(&["plan", "-refresh=false", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
    assert_eq!(scenario.calls(), []);

    // An update looks right before it writes.
    let changed = sends(&[of.start, of.changed], URL);
    let update = ["apply", "-refresh=false", "-auto-approve"];
    scenario.configure(&of.object(&changed))?;
    let applied = scenario.run(&update)?;
    assert!(diagnostic(applied.expect_failure(), "has changed since the plan").contains(OTHER_URL), "{applied}");
    assert_eq!(scenario.calls(), [Get]);

    // The failed update has put what it found into the state.
    scenario.someone_sets(&[of.start], OTHER_URL);
    scenario.configure(&of.object(&(changed + OVERWRITE)))?;
    let applied = scenario.run(&update)?;
    assert!(diagnostic(applied.expect_success(), "has changed since the plan").contains(OTHER_URL), "{applied}");
    assert_eq!(scenario.calls()[..2], [Get, of.overwrite]);
    scenario.expect_remote(&[of.start, of.changed], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn ignore_changes_leaves_a_change_made_elsewhere_alone(of: Of) -> Result {
    let ignoring = sends(&[of.start], URL)
        + "lifecycle {
ignore_changes = [url]
}";
    let scenario = of.scenario()?.applied(&of.object(&ignoring))?;
    scenario.someone_sets(&[of.start], OTHER_URL);
    scenario.expect_no_changes()?;
    scenario.configure(&of.object(&ignoring.replace(of.start, of.end)))?;
    scenario.apply()?;
    scenario.expect_remote(&[of.end], OTHER_URL);
    scenario.expect_no_changes()?;

    // Not even a URL that no configuration could have makes a change of something else fail.
    let invalid = format!("{OTHER_URL}#fragment");
    scenario.someone_sets(&[of.end], &invalid);
    scenario.configure(&of.object(&ignoring))?;
    scenario.apply()?;
    scenario.expect_remote(&[of.start], &invalid);
    Ok(())
}

#[apply(each_service)]
fn a_failed_refresh_is_an_error_and_keeps_the_state(of: Of) -> Result {
    let this = of.this;
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    let before = scenario.workspace.state()?;
    scenario.simulator.inject(FaultKind::ErrorCode { code: 60020, info: "the plan is suspended".to_owned() });
    for arguments in [&["plan"][..], &["apply", "-auto-approve"], &["apply", "-refresh-only", "-auto-approve"]] {
        let failed = scenario.run(arguments)?;
        failed.expect_failure();
        let error =
            diagnostic(&failed, &format!("Reading the {} callback configuration of SDKAppID {ID} failed", of.title));
        assert!(error.contains(&format!("with {this}")) && error.contains("error 60020"), "{error}");
    }
    assert_eq!((scenario.writes(), scenario.workspace.state()?), (vec![], before));
    Ok(())
}

#[apply(each_service)]
fn a_configuration_with_no_commands_or_an_invalid_url_is_shown_as_it_is(of: Of) -> Result {
    let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], URL)))?;
    for commands in [json!([]), json!(null)] {
        let response = of.json("not a URL", &commands);
        scenario.simulator.inject(Fault::new(FaultKind::Response(response)).on(Get));
        let planned = scenario.planned()?;
        assert_eq!((&planned["actions"], &planned["before"]["url"]), (&json!(["update"]), &json!("not a URL")));
        assert_eq!(planned["before"][of.argument()], json!([]));
        scenario.simulator.clear_faults();
    }
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_value_that_tencent_normalizes_does_not_differ_in_every_plan(of: Of) -> Result {
    for stored in [
        of.json("https://HOOKS.example.com/tencent/call/", &json!([of.start])),
        of.json(URL, &json!([of.start.to_uppercase()])),
        of.json(URL, &json!([of.start, of.changed])),
    ] {
        let scenario = of.scenario()?;
        scenario.configure(&of.object(&sends(&[of.start], URL)))?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        // Skips the read of the plan that Terraform makes again when it applies.
        scenario.simulator.inject(Fault::new(FaultKind::Response(stored)).on(Get).skip(1));
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_success().expect_contains(&format!(
            "Tencent stores the {} callback configuration of SDKAppID 1400000001 differently",
            of.title
        ));
        scenario.expect_no_changes()?;

        // A change made elsewhere still is a difference.
        scenario.simulator.clear_faults();
        scenario.someone_sets(&[of.end], OTHER_URL);
        assert_eq!(scenario.planned()?["actions"], json!(["update"]));
    }
    Ok(())
}

#[apply(each_service)]
fn a_foreign_configuration_after_a_write_shows_in_every_plan(of: Of) -> Result {
    let scenario = of.scenario()?;
    scenario.configure(&guarded(of, false, URL))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    let other = of.json(OTHER_URL, &json!([of.end]));
    scenario.simulator.inject(Fault::new(FaultKind::Response(other)).on(Get).skip(1));
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(&applied, "differs from what was written");
    assert!(error.starts_with("Error") && error.contains(OTHER_URL), "{error}");
    assert_eq!(scenario.instances()?, 1, "Tencent accepted the write");
    for _ in 0..2 {
        scenario.run(&["plan"])?.expect_success().expect_contains(OTHER_URL);
    }
    Ok(())
}

#[apply(each_service)]
fn equivalent_spellings_of_a_url_are_not_a_difference(of: Of) -> Result {
    for (written, returned) in [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://hooks.example.com:443/x", "https://hooks.example.com/x"),
        ("https://Hooks.Example.com/x", "https://hooks.example.com/x"),
    ] {
        let scenario = of.scenario()?.applied(&of.object(&sends(&[of.start], written)))?;
        scenario.simulator.put_configuration(of.service, ID, Configuration::new(returned, [of.start]));
        scenario.expect_no_changes()?;
        assert_eq!(scenario.stored()?.expect("an object")["url"], written);
    }
    Ok(())
}

/// Writes the resource `this`, with or without the guard (`overwrite_existing = false`).
fn guarded(of: Of, guarded: bool, url: &str) -> String {
    of.object(&(sends(&[of.start], url) + &format!("overwrite_existing = {}\n", !guarded)))
}

#[apply(each_service)]
fn another_writer_is_not_mistaken_for_normalization_by_tencent(of: Of) -> Result {
    let elsewhere = Configuration::new("https://hooks.example.com/somebody/else", [of.end]);
    let scenario = of.scenario()?.applied(&guarded(of, false, URL))?;
    // Someone overwrites both of our writes, and then stops.
    scenario.simulator.inject(Fault::new(FaultKind::ThenSomebodySets(elsewhere.clone())).on(of.overwrite).times(2));
    scenario.configure(&of.object(&(sends(&[of.start, of.end], URL) + OVERWRITE)))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(
        &applied,
        &format!("The {} callback configuration of SDKAppID 1400000001 differs from what was written", of.title),
    );
    assert!(error.contains(&elsewhere.url), "{error}");
    assert_eq!(scenario.stored()?.expect("an object")["url"], elsewhere.url, "the state says what is there");
    assert_eq!(scenario.planned()?["actions"], json!(["update"]));
    scenario.apply()?;
    scenario.expect_remote(&[of.start, of.end], URL);
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn a_second_write_names_what_it_replaces(of: Of) -> Result {
    let elsewhere = Configuration::new("https://hooks.example.com/somebody/else?token=t0ken", [of.end]);
    for is_guarded in [false, true] {
        let scenario = of.scenario()?.applied(&guarded(of, is_guarded, URL))?;
        scenario.simulator.inject(Fault::new(FaultKind::ThenSomebodySets(elsewhere.clone())).on(of.overwrite).times(1));
        scenario.configure(&guarded(of, is_guarded, OTHER_URL))?;
        let applied = scenario.try_apply()?;
        applied.expect_code(if is_guarded { 1 } else { 0 }).expect_lacks("t0ken");
        let told = diagnostic(
            &applied,
            &format!("Someone else is changing the {} callback configuration of SDKAppID 1400000001", of.title),
        );
        assert!(told.starts_with(if is_guarded { "Error" } else { "Warning" }), "{told}");
        assert!(told.contains(&format!("{} to https://hooks.example.com/somebody/else?token=***", of.end)), "{told}");
        assert_eq!(scenario.writes(), if is_guarded { vec![of.overwrite] } else { vec![of.overwrite, of.overwrite] });
        scenario.expect_remote(
            &[if is_guarded { of.end } else { of.start }],
            if is_guarded { &elsewhere.url } else { OTHER_URL },
        );
        scenario.apply()?;
        scenario.expect_remote(&[of.start], OTHER_URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn applying_a_saved_plan_names_changes_made_since(of: Of) -> Result {
    let changed = &format!("The {} callback configuration of SDKAppID 1400000001 has changed since the plan", of.title);
    let elsewhere = "https://user:p4ssword@elsewhere.example.com/x?token=t0ken";
    for is_guarded in [false, true] {
        for destroys in [false, true] {
            let scenario = of.scenario()?.applied(&guarded(of, is_guarded, URL))?;
            scenario.configure(&if destroys { String::new() } else { guarded(of, is_guarded, OTHER_URL) })?;
            scenario.run(&["plan", "-out=tfplan"])?.expect_success();
            scenario.someone_sets(&[of.end], elsewhere);
            scenario.simulator.clear_requests();
            let applied = scenario.run(&["apply", "tfplan"])?;
            applied.expect_lacks("p4ssword").expect_lacks("t0ken");
            let told = diagnostic(&applied, changed);
            assert!(told.contains("https://***@elsewhere.example.com/x?token=***"), "{told}");
            if is_guarded {
                applied.expect_failure();
                assert!(told.starts_with("Error") && told.contains("overwrite_existing is not true"), "{told}");
                assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 1));
                scenario.expect_remote(&[of.end], elsewhere);
                // A new plan shows the change, and its apply may overwrite it.
                scenario.apply()?;
            } else {
                applied.expect_success();
                assert!(told.starts_with("Warning"), "{told}");
            }
            match destroys {
                true => assert_eq!(scenario.remote(), None),
                false => scenario.expect_remote(&[of.start], OTHER_URL),
            }
            scenario.expect_no_changes()?;
        }
    }
    Ok(())
}

#[apply(each_service)]
fn applying_a_saved_replacement_names_changes_made_since(of: Of) -> Result {
    let this = of.this;
    for (is_guarded, policy) in [(false, "DELETE"), (true, "DELETE"), (false, "ABANDON"), (true, "ABANDON")] {
        let object = guarded(of, is_guarded, URL).replace(
            "\n}\n",
            &format!(
                r#"deletion_policy = "{policy}"
}}
"#
            ),
        );
        let scenario = of.scenario()?.applied(&object)?;
        scenario.run(&["plan", "-out=tfplan", &format!("-replace={this}")])?.expect_success();
        scenario.someone_sets(&[of.end], OTHER_URL);
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_code(if is_guarded { 1 } else { 0 });
        let told = diagnostic(&applied, "has changed since the plan");
        assert!(told.contains(OTHER_URL), "{told}");
        scenario.expect_remote(&[if is_guarded { of.end } else { of.start }], if is_guarded { OTHER_URL } else { URL });
        scenario.apply()?;
        scenario.expect_remote(&[of.start], URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[apply(each_service)]
fn applying_a_saved_plan_does_not_warn_of_changes_that_lose_nothing(of: Of) -> Result {
    for (commands, url) in [
        (&[of.start][..], URL),
        (&[of.start], OTHER_URL),
        (&[of.start, of.start], "https://HOOKS.example.com/tencent/call"),
    ] {
        let scenario = of.scenario()?.applied(&guarded(of, true, URL))?;
        scenario.configure(&guarded(of, true, OTHER_URL))?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        scenario.someone_sets(commands, url);
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_success().expect_lacks("Warning");
        scenario.expect_remote(&[of.start], OTHER_URL);
        scenario.expect_no_changes()?;
    }
    // A configuration deleted meanwhile needs no deletion.
    let scenario = of.scenario()?.applied(&guarded(of, true, URL))?;
    scenario.configure("")?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.remove_configuration(of.service, ID);
    scenario.run(&["apply", "tfplan"])?.expect_success().expect_lacks("Warning");
    assert_eq!(scenario.remote(), None);
    Ok(())
}
