//! The token that Live signs its events with: in the state, or in neither state nor plan; and never in a message.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tencent_simulator::Action::{self, DeleteToken, GetToken, SetToken};
use tencent_simulator::{Fault, FaultKind, Simulator, Token};
use terraform_cli::{Feature, Output, Terraform};

use crate::harness::{ID, Result, Scenario, TERRAFORM, change, diagnostic, diagnostics, differences};
use crate::secrets::{contains, files, unzipped};

const THIS: &str = "tencent_live_callback_token.this";
const TOKEN: &str = "t0ken-to-hide-first";
const OTHER: &str = "t0ken-to-hide-other";
const THIRD: &str = "t0ken-to-hide-third";
/// What all of them begin with.
const SECRET: &str = "t0ken-to-hide";
const SUBJECT: &str = "Live callback token of SDKAppID 1400000001";
const KEPT: &str = "variable \"token\" {\n  sensitive = true\n}\n";
const KEPT_NOWHERE: &str = "variable \"token\" {\n  ephemeral = true\n}\n";

/// Tencent, and a person whose every output is searched for tokens.
struct Signed(Scenario);

fn resource(name: &str, arguments: &str) -> String {
    format!("resource \"tencent_live_callback_token\" \"{name}\" {{\n{arguments}\n}}\n")
}

/// The token in the state, with further arguments.
fn kept(arguments: &str) -> String {
    KEPT.to_owned() + &resource("this", &format!("token = var.token\n{arguments}"))
}

/// The token in neither state nor plan.
fn kept_nowhere(version: u32, arguments: &str) -> String {
    let token = format!("token_wo = var.token\ntoken_wo_version = {version}\n{arguments}");
    KEPT_NOWHERE.to_owned() + &resource("this", &token)
}

impl Signed {
    fn new() -> Result<Self> {
        Self::on(&TERRAFORM)
    }

    fn on(terraform: &Terraform) -> Result<Self> {
        let mut scenario = Scenario::on(terraform, Simulator::start()?)?;
        scenario.workspace.env("TF_LOG", "trace").env("TF_VAR_token", TOKEN);
        Ok(Self(scenario))
    }

    /// The variable is this from now on.
    fn token(&mut self, token: &str) -> &Self {
        self.0.workspace.env("TF_VAR_token", token);
        self
    }

    /// Runs a command, which prints no token.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.0.run(arguments)?;
        output.expect_lacks(SECRET);
        Ok(output)
    }

    #[track_caller]
    fn apply(&self) -> Result<Output> {
        let applied = self.run(&["apply", "-auto-approve"])?;
        applied.expect_success();
        Ok(applied)
    }

    #[track_caller]
    fn applied(self, text: &str) -> Result<Self> {
        self.0.configure(text)?;
        self.apply()?;
        self.0.simulator.clear_requests();
        Ok(self)
    }

    /// The planned change of [`THIS`], of which the human-readable plan shows no token.
    #[track_caller]
    fn planned(&self) -> Result<Value> {
        self.run(&["plan", "-out=tfplan"])?.expect_success();
        let plan: Value = serde_json::from_str(self.0.run(&["show", "-json", "tfplan"])?.stdout())?;
        change(&plan, THIS).ok_or_else(|| format!("the plan has no {THIS}").into())
    }

    #[track_caller]
    fn expect_no_changes(&self) -> Result {
        for _ in 0..2 {
            self.run(&["plan", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
        }
        Ok(())
    }

    fn somebody_sets(&self, token: &str, enabled: bool) {
        self.0.simulator.put_token(ID, Token::new(token, enabled));
    }

    #[track_caller]
    fn expect_remote(&self, token: &str, enabled: bool) {
        assert_eq!(self.remote(), Some((token.to_owned(), enabled)));
    }

    fn remote(&self) -> Option<(String, bool)> {
        self.0.simulator.token(ID).map(|token| (token.token, token.enabled))
    }

    /// The calls since the last look that change something.
    fn writes(&self) -> Vec<Action> {
        self.0.calls().into_iter().filter(|action| *action != GetToken).collect()
    }

    fn objects(&self) -> Result<Vec<Value>> {
        let state = self.0.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let ours = resources.iter().filter(|r| r["type"] == "tencent_live_callback_token");
        Ok(ours.flat_map(|r| r["instances"].as_array().cloned().unwrap_or_default()).collect())
    }

    /// The attributes of the one object in the state.
    #[track_caller]
    fn stored(&self) -> Result<Value> {
        let objects = self.objects()?;
        assert_eq!(objects.len(), 1);
        Ok(objects[0]["attributes"].clone())
    }

    /// No file holds a token.
    #[track_caller]
    fn expect_hidden(&self) -> Result {
        for (file, content) in files(self.0.workspace.path()) {
            assert!(!contains(&content, SECRET), "{file}");
            for entry in unzipped(&content) {
                assert!(!contains(&entry, SECRET), "{file}: {}", String::from_utf8_lossy(&entry));
            }
        }
        for object in self.objects()? {
            let private = STANDARD.decode(object["private"].as_str().unwrap_or_default())?;
            assert!(!contains(&private, SECRET), "{}", String::from_utf8_lossy(&private));
        }
        Ok(())
    }
}

/// The whole life of a token in the state.
pub(crate) fn a_token_lives_and_dies(terraform: &Terraform) -> Result {
    let mut signed = Signed::on(terraform)?;
    signed.0.configure(&kept(""))?;
    let plan = signed.run(&["plan"])?;
    plan.expect_success().expect_contains("(sensitive value)").expect_lacks("Warning");
    signed.apply()?.expect_contains("1 added").expect_lacks("Warning");
    signed.expect_remote(TOKEN, true);
    let stored = signed.stored()?;
    assert_eq!(
        (&stored["token"], &stored["id"], &stored["enabled"]),
        (&json!(TOKEN), &json!(ID.to_string()), &json!(true))
    );
    assert!(stored["last_request_id"].is_string());
    assert_eq!(signed.writes(), [SetToken]);
    signed.expect_no_changes()?;

    // Each change is one write, and what is Terraform's alone is none.
    for (token, arguments, enabled, writes) in [
        (OTHER, "", true, 1),
        (OTHER, "enabled = false", false, 1),
        (OTHER, "enabled = false\noverwrite_existing = false", false, 0),
        (TOKEN, "enabled = true", true, 1),
    ] {
        signed.token(token).0.configure(&kept(arguments))?;
        signed.0.simulator.clear_requests();
        signed.apply()?.expect_contains("1 changed").expect_lacks("Warning");
        assert_eq!(signed.writes(), vec![SetToken; writes]);
        signed.expect_remote(token, enabled);
        signed.expect_no_changes()?;
    }

    signed.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!((signed.remote(), signed.objects()?.len()), (None, 0));
    Ok(())
}

#[test]
fn the_life_of_a_token() -> Result {
    a_token_lives_and_dies(&TERRAFORM)
}

#[test]
fn what_is_gone_already_is_destroyed() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    signed.0.simulator.remove_token(ID);
    signed.run(&["plan", "-detailed-exitcode"])?.expect_code(2).expect_contains("1 to add");
    signed.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_success().expect_lacks("Warning");
    assert_eq!(signed.objects()?.len(), 0);

    // Deleted by somebody else in the very last moment: 100302.
    let signed = Signed::new()?.applied(&kept(""))?;
    let gone = FaultKind::ErrorCode { code: 100_302, info: "not configured".into() };
    signed.0.simulator.inject(Fault::new(gone).on(DeleteToken));
    signed.run(&["destroy", "-auto-approve"])?.expect_success().expect_lacks("Warning");
    assert_eq!(signed.objects()?.len(), 0);
    Ok(())
}

#[test]
fn another_token_or_a_disabled_one_at_tencent_is_a_difference() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    for (token, enabled, changed) in [
        (OTHER, true, vec!["last_request_id", "token"]),
        (TOKEN, false, vec!["enabled", "last_request_id"]),
        (OTHER, false, vec!["enabled", "last_request_id", "token"]),
    ] {
        signed.somebody_sets(token, enabled);
        let planned = signed.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        signed.0.simulator.clear_requests();
        signed.apply()?.expect_contains("1 changed").expect_lacks("Warning");
        assert_eq!(signed.writes(), [SetToken]);
        signed.expect_remote(TOKEN, true);
        signed.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_plan_says_what_it_overwrites_and_what_follows() -> Result {
    let signed = Signed::new()?;
    for (arguments, token, enabled, says) in [
        (
            "",
            OTHER,
            true,
            "had an enabled token that this resource does not manage yet. This plan replaces all of it. Receivers",
        ),
        ("enabled = false", TOKEN, true, "Events will no longer be signed"),
        ("", OTHER, false, "had a disabled token that this resource does not manage yet"),
    ] {
        signed.somebody_sets(token, enabled);
        signed.0.configure(&kept(arguments))?;
        let plan = signed.run(&["plan"])?;
        let warning =
            diagnostic(plan.expect_success(), &format!("Warning: This plan overwrites the existing {SUBJECT}"));
        assert!(warning.contains(says), "{warning}");
        assert!(warning.contains(&format!("with {THIS}")), "{warning}");
        assert!(warning.contains(&format!("import {{ to = ADDRESS id = \"{ID}\" }}")), "{warning}");
    }
    signed.somebody_sets(OTHER, true);
    diagnostic(&signed.apply()?, "overwrites the existing");
    signed.expect_remote(TOKEN, true);
    signed.expect_no_changes()?;

    // The same token is overwritten by nothing.
    signed.run(&["state", "rm", THIS])?.expect_success();
    diagnostic(&signed.run(&["plan"])?, &format!("The {SUBJECT} already exists as planned"));
    Ok(())
}

#[test]
fn the_guard_refuses_what_would_be_lost() -> Result {
    let mut signed = Signed::new()?;
    let guarded = kept("overwrite_existing = false");
    signed.0.configure(&guarded)?;
    signed.somebody_sets(OTHER, true);
    let plan = signed.run(&["plan"])?;
    let error = diagnostic(plan.expect_failure(), "Error: SDKAppID 1400000001 already has a Live callback token");
    assert!(error.contains("It has an enabled token, and overwrite_existing is false."), "{error}");

    // After the plan: before a creation, a change, and a deletion.
    signed.0.simulator.remove_token(ID);
    signed.run(&["plan", "-out=tfplan"])?.expect_success();
    signed.somebody_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    diagnostic(applied.expect_failure(), "already has a Live callback token");
    signed.expect_remote(OTHER, true);

    signed.somebody_sets(TOKEN, true);
    signed.apply()?;
    signed.token(THIRD).run(&["plan", "-out=tfplan"])?.expect_success();
    signed.somebody_sets(OTHER, false);
    let applied = signed.run(&["apply", "tfplan"])?;
    let error = diagnostic(applied.expect_failure(), &format!("The {SUBJECT} has changed since the plan"));
    assert!(error.contains("now has a disabled token, which the plan did not show"), "{error}");
    assert_eq!((&signed.stored()?["token"], &signed.stored()?["enabled"]), (&json!(OTHER), &json!(false)));
    signed.expect_remote(OTHER, false);
    signed.apply()?;
    signed.expect_remote(THIRD, true);

    signed.run(&["plan", "-destroy", "-out=tfplan"])?.expect_success();
    signed.somebody_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let error = diagnostic(applied.expect_failure(), &format!("The {SUBJECT} has changed since the plan"));
    assert!(error.contains("Nothing was deleted."), "{error}");
    signed.expect_remote(OTHER, true);
    Ok(())
}

#[test]
fn what_changed_since_the_plan_is_named() -> Result {
    let mut signed = Signed::new()?.applied(&kept(""))?;
    signed.token(THIRD).run(&["plan", "-out=tfplan"])?.expect_success();
    signed.somebody_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let warning = diagnostic(applied.expect_success(), &format!("Warning: The {SUBJECT} has changed since the plan"));
    assert!(
        warning.contains("This apply replaces it. Receivers that check signatures with the old token"),
        "{warning}"
    );
    signed.expect_remote(THIRD, true);

    signed.run(&["plan", "-destroy", "-out=tfplan"])?.expect_success();
    signed.somebody_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let warning = diagnostic(applied.expect_success(), "has changed since the plan");
    assert!(warning.contains("This apply deletes it."), "{warning}");
    assert_eq!(signed.remote(), None);
    Ok(())
}

#[test]
fn an_import_brings_the_token_into_the_state() -> Result {
    let signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    let nothing = signed.run(&["import", THIS, &ID.to_string()])?;
    diagnostic(nothing.expect_failure(), "SDKAppID 1400000001 has no Live callback token");
    signed.somebody_sets(TOKEN, true);
    signed.run(&["import", THIS, &ID.to_string()])?.expect_success();
    assert_eq!(
        signed.stored()?,
        json!({
            "sdk_app_id": ID,
            "id": ID.to_string(),
            "token": TOKEN,
            "token_wo": null,
            "token_wo_version": null,
            "enabled": true,
            "overwrite_existing": true,
            "deletion_policy": "DELETE",
            "timeouts": null,
            "last_request_id": null,
        })
    );
    signed.expect_no_changes()?;

    signed.run(&["state", "rm", THIS])?.expect_success();
    if TERRAFORM.has(Feature::Identity) {
        let import = format!("import {{\n  to = {THIS}\n  identity = {{ sdk_app_id = {ID} }}\n}}\n");
        signed.0.configure(&(import + &kept("")))?;
        signed.apply()?.expect_contains("1 imported, 0 added, 0 changed");
    } else {
        let refused = signed.run(&["import", THIS, "live"])?;
        diagnostic(refused.expect_failure(), "The import ID is not an SDKAppID");
    }
    assert_eq!(signed.writes(), []);
    Ok(())
}

#[test]
fn an_abandoned_token_stays() -> Result {
    let signed = Signed::new()?.applied(&kept("deletion_policy = \"ABANDON\""))?;
    let destroyed = signed.run(&["destroy", "-auto-approve"])?;
    let warning = diagnostic(destroyed.expect_success(), &format!("The {SUBJECT} stays at Tencent"));
    assert!(warning.contains("goes on signing"), "{warning}");
    signed.expect_remote(TOKEN, true);
    assert_eq!(signed.writes(), []);
    Ok(())
}

#[test]
fn a_plan_that_cannot_work_is_an_error() -> Result {
    let mut signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    for code in [70009, 70020, 60010] {
        let refused = FaultKind::ErrorCode { code, info: format!("no {TOKEN}, no {OTHER}") };
        signed.0.simulator.inject(Fault::new(refused).on(GetToken).times(1));
        let plan = signed.0.run(&["plan"])?;
        plan.expect_failure().expect_lacks(TOKEN);
        let error = diagnostic(&plan, "Checking for an existing Live callback token of SDKAppID 1400000001 failed");
        assert!(error.contains(&format!("error {code}")) && error.contains("ErrorInfo: no ***"), "{error}");
    }
    // What may pass is a warning, unless the guard needs to know.
    let gateway = FaultKind::Status { code: 502, retry_after: None, processed: false };
    signed.0.configure(&("provider \"tencent\" {\n  max_retries = 0\n}\n".to_owned() + &kept("")))?;
    signed.0.simulator.inject(Fault::new(gateway));
    let plan = signed.run(&["plan"])?;
    diagnostic(plan.expect_success(), "This plan may overwrite an existing Live callback token.");
    signed.0.configure(&kept("overwrite_existing = false"))?;
    diagnostic(signed.run(&["plan"])?.expect_failure(), "the provider does not plan without this check");
    signed.0.simulator.clear_faults();

    for (token, says) in [("", "it is empty"), (" t0ken-to-hide", "white space")] {
        let plan = signed.token(token).run(&["plan"])?;
        let error = diagnostic(plan.expect_failure(), "Invalid token");
        assert!(error.contains(says), "{error}");
    }
    // What nobody knew when planning.
    let later = "resource \"terraform_data\" \"token\" {\n  input = \"\"\n}\n".to_owned();
    signed.0.configure(&(later + &resource("this", "token = terraform_data.token.output")))?;
    let applied = signed.run(&["apply", "-auto-approve"])?;
    let error = diagnostic(applied.expect_failure(), "Invalid token");
    assert!(error.contains("it is empty"), "{error}");
    assert_eq!((signed.writes(), signed.remote()), (vec![], None));
    Ok(())
}

#[test]
fn after_a_failed_write_it_is_known_what_holds() -> Result {
    let provider = "provider \"tencent\" {\n  max_retries = 0\n}\n";
    let lost = || FaultKind::ResetAfterProcessing;
    let failed = || FaultKind::ResetBeforeProcessing;
    let gateway = |processed| FaultKind::Status { code: 502, retry_after: None, processed };
    for (fault, holds) in [(lost(), true), (gateway(true), true), (failed(), false), (gateway(false), false)] {
        let mut signed = Signed::new()?;
        signed.0.configure(&(provider.to_owned() + &kept("")))?;
        let expect = |applied: &Output, deed: &str| {
            match holds {
                true => {
                    diagnostic(applied.expect_success(), &format!("Warning: The {SUBJECT} was {deed}, unconfirmed"))
                }
                false => diagnostic(applied.expect_failure(), &format!("shows that it was not {deed}")),
            };
        };
        signed.0.simulator.inject(Fault::new(fault.clone()).on(SetToken).times(1));
        expect(&signed.run(&["apply", "-auto-approve"])?, "written");
        signed.apply()?;
        signed.expect_remote(TOKEN, true);
        signed.expect_no_changes()?;

        signed.0.simulator.inject(Fault::new(fault.clone()).on(SetToken).times(1));
        expect(&signed.token(OTHER).run(&["apply", "-auto-approve"])?, "written");
        assert_eq!(signed.stored()?["token"], json!(if holds { OTHER } else { TOKEN }));
        signed.apply()?;
        signed.expect_no_changes()?;

        signed.0.simulator.inject(Fault::new(fault.clone()).on(DeleteToken).times(1));
        expect(&signed.run(&["destroy", "-auto-approve"])?, "deleted");
        assert_eq!(signed.objects()?.len(), usize::from(!holds));
        signed.run(&["destroy", "-auto-approve"])?.expect_success();
        assert_eq!(signed.remote(), None);
    }
    Ok(())
}

#[test]
fn what_is_written_is_read_back() -> Result {
    // Right after the write, something else is there: once, and then every time.
    let other = || FaultKind::Response(json!({ "Token": OTHER, "IsTokenEnable": true }));
    let signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2).times(1));
    let applied = signed.apply()?;
    diagnostic(&applied, &format!("Warning: Someone else is changing the {SUBJECT}"));
    assert_eq!(signed.writes(), [SetToken, SetToken]);
    signed.expect_no_changes()?;

    let signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2));
    let applied = signed.run(&["apply", "-auto-approve"])?;
    diagnostic(applied.expect_failure(), &format!("Error: The {SUBJECT} differs from what was written"));

    // The second write fails.
    let signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2));
    let refused = FaultKind::ErrorCode { code: 60017, info: String::new() };
    signed.0.simulator.inject(Fault::new(refused).on(SetToken).skip(1));
    let applied = signed.run(&["apply", "-auto-approve"])?;
    let error = diagnostic(applied.expect_failure(), &format!("Error: Writing the {SUBJECT} failed"));
    assert!(error.contains("error 60017") && error.contains("Writing it a second time failed."), "{error}");
    Ok(())
}

#[test]
fn tencent_may_quote_tokens() -> Result {
    let mut signed = Signed::new()?.applied(&kept(""))?;
    let quoting = || FaultKind::ErrorCode { code: 100_002, info: format!("Token {OTHER} for {TOKEN} is no good") };
    signed.0.simulator.inject(Fault::new(quoting()).on(SetToken).times(1));
    let applied = signed.token(OTHER).run(&["apply", "-auto-approve"])?;
    assert!(diagnostic(applied.expect_failure(), "ErrorInfo").contains("Token *** for *** is no good"), "{applied}");
    signed.0.simulator.inject(Fault::new(FaultKind::ErrorCode { code: 100_002, info: TOKEN.into() }));
    diagnostic(signed.run(&["plan"])?.expect_failure(), "ErrorInfo: ***");
    diagnostic(signed.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_failure(), "ErrorInfo: ***");
    Ok(())
}

fn import(name: &str) -> String {
    format!("import {{\n  to = tencent_live_callback_token.{name}\n  id = \"{ID}\"\n}}\n")
}

/// Renamed without `moved`, imported twice, left by an interrupted replacement: what is wanted stays.
pub(crate) fn no_wanted_token_is_deleted(terraform: &Terraform) -> Result {
    let token = |name: &str| resource(name, "token = var.token\noverwrite_existing = false");
    let expect_one = |signed: &Signed| -> Result {
        assert_eq!(signed.objects()?.len(), 1);
        signed.expect_remote(TOKEN, true);
        signed.expect_no_changes()
    };
    for parallelism in ["-parallelism=1", "-parallelism=10"] {
        let apply = ["apply", "-auto-approve", parallelism];
        let signed = Signed::on(terraform)?.applied(&(KEPT.to_owned() + &token("a")))?;
        signed.0.configure(&(KEPT.to_owned() + &token("b")))?;
        signed.run(&apply)?.expect_success().expect_contains("1 destroyed");
        expect_one(&signed)?;
        signed.0.configure(&(KEPT.to_owned() + &import("c") + &token("c")))?;
        signed.run(&apply)?.expect_success().expect_contains("1 destroyed");
        expect_one(&signed)?;

        for (removed, stays) in [("a", "b"), ("b", "a")] {
            let signed = Signed::on(terraform)?;
            signed.somebody_sets(TOKEN, true);
            signed.0.configure(&(KEPT.to_owned() + &import("a") + &import("b") + &token("a") + &token("b")))?;
            let imported = signed.run(&apply)?;
            assert!(
                imported.expect_success().text().contains(&format!("Two resources for the {SUBJECT}")),
                "{imported}"
            );
            signed.0.configure(&(KEPT.to_owned() + &token(stays)))?;
            signed.run(&apply)?.expect_success().expect_contains("1 destroyed");
            expect_one(&signed).map_err(|error| format!("without {removed}: {error}"))?;
        }
    }

    let object =
        KEPT.to_owned() + &resource("this", "token = var.token\nlifecycle {\n  create_before_destroy = true\n}\n");
    let failing = "resource \"terraform_data\" \"dependent\" {\n  triggers_replace = \
                   tencent_live_callback_token.this.last_request_id\n  provisioner \"local-exec\" {\n    command = \"exit \
                   1\"\n  }\n}\n";
    let signed = Signed::on(terraform)?.applied(&object)?;
    signed.0.configure(&(object.clone() + failing))?;
    signed.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_failure();
    assert_eq!(signed.objects()?.len(), 2, "a deposed object");
    signed.0.configure(&object)?;
    signed.apply()?.expect_contains("destroyed");
    expect_one(&signed)
}

#[test]
fn what_another_object_wants_is_not_deleted() -> Result {
    no_wanted_token_is_deleted(&TERRAFORM)
}

#[test]
fn two_resources_that_differ_are_an_error() -> Result {
    let signed = Signed::new()?;
    signed.0.configure(
        &(KEPT.to_owned() + &resource("a", "token = var.token") + &resource("b", "token = var.token\nenabled = false")),
    )?;
    let plan = signed.run(&["plan"])?;
    let error = diagnostic(plan.expect_failure(), &format!("Two resources for the {SUBJECT}"));
    assert!(error.starts_with("Error") && error.contains("differ in the token or in enabled"), "{error}");
    assert_eq!(signed.writes(), []);
    Ok(())
}

#[test]
fn a_replacement_never_leaves_nothing() -> Result {
    let signed = Signed::new()?.applied(&kept("overwrite_existing = false"))?;
    let refused = FaultKind::ErrorCode { code: 60017, info: String::new() };
    signed.0.simulator.inject(Fault::new(refused).on(SetToken));
    signed.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_failure();
    signed.expect_remote(TOKEN, true);
    signed.0.simulator.clear_faults();
    signed.apply()?;
    signed.run(&["taint", THIS])?.expect_success();
    signed.0.simulator.clear_requests();
    signed.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(signed.writes(), [SetToken]);
    signed.expect_no_changes()
}

#[test]
fn the_token_and_the_configuration_of_live_are_two_things() -> Result {
    let signed = Signed::new()?;
    let both = |token: &str| {
        token.to_owned()
            + "resource \"tencent_live_callback\" \"this\" {\n  url = \"https://hooks.example.com/live\"\n  \
               callback_commands = [\"Live.CallbackAfterCreateRoom\"]\n}\n"
    };
    signed.0.configure(&both(&kept("")))?;
    signed.apply()?.expect_contains("2 added");
    signed.expect_no_changes()?;
    signed.0.configure(&both(""))?;
    signed.apply()?.expect_contains("1 destroyed");
    assert_eq!(signed.remote(), None);
    assert!(signed.0.simulator.configuration(tencent_simulator::Service::Live, ID).is_some());
    signed.expect_no_changes()
}

/// The whole life of a token that is in neither state nor plan.
pub(crate) fn a_secret_token_is_kept_nowhere(terraform: &Terraform) -> Result {
    let mut signed = Signed::on(terraform)?;
    signed.0.configure(&kept_nowhere(1, ""))?;
    assert_eq!(signed.planned()?["actions"], json!(["create"]));
    signed.run(&["apply", "tfplan"])?.expect_success();
    signed.expect_remote(TOKEN, true);
    signed.expect_no_changes()?;
    signed.expect_hidden()?;

    // Sent again with a new version only, or with anything else that is written.
    let plan = signed.token(OTHER).run(&["plan", "-detailed-exitcode"])?;
    let warning = diagnostic(plan.expect_code(0), "token_wo has changed, but token_wo_version has not");
    assert!(warning.contains("change token_wo_version"), "{warning}");
    signed.0.configure(&kept_nowhere(2, ""))?;
    signed.0.simulator.clear_requests();
    signed.apply()?.expect_contains("1 changed").expect_lacks("token_wo_version has not");
    assert_eq!(signed.writes(), [SetToken]);
    signed.expect_remote(OTHER, true);
    signed.token(TOKEN).0.configure(&kept_nowhere(2, "enabled = false"))?;
    signed.apply()?.expect_contains("for another reason, and sends the new token with it");
    signed.expect_remote(TOKEN, false);
    signed.expect_no_changes()?;

    // Drift: of the token, of what is done with it, of both.
    for (token, enabled, changed) in [
        (OTHER, false, vec!["last_request_id", "token_wo_version"]),
        (TOKEN, true, vec!["enabled", "last_request_id"]),
        (OTHER, true, vec!["enabled", "last_request_id", "token_wo_version"]),
    ] {
        signed.somebody_sets(token, enabled);
        let planned = signed.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        if token == OTHER {
            diagnostic(&signed.run(&["plan", "-refresh-only"])?, "is not the one that Terraform sent");
        }
        signed.0.simulator.clear_requests();
        signed.apply()?.expect_contains("1 changed").expect_lacks("has changed since the plan");
        assert_eq!(signed.writes(), [SetToken]);
        signed.expect_remote(TOKEN, false);
        signed.expect_no_changes()?;
        signed.expect_hidden()?;
    }

    // A write that fails, whatever is there afterwards, and a destruction.
    for fault in [
        FaultKind::ErrorCode { code: 60010, info: format!("no {TOKEN} and no {OTHER}") },
        FaultKind::ResetBeforeProcessing,
        FaultKind::Status { code: 502, retry_after: None, processed: false },
    ] {
        signed.0.configure(&("provider \"tencent\" {\n  max_retries = 0\n}\n".to_owned() + &kept_nowhere(3, "")))?;
        signed.token(OTHER).0.simulator.inject(Fault::new(fault).on(SetToken).times(1));
        signed.run(&["apply", "-auto-approve"])?.expect_failure();
        signed.expect_remote(TOKEN, false);
        signed.expect_hidden()?;
    }
    signed.apply()?;
    signed.expect_remote(OTHER, true);
    signed.run(&["destroy", "-auto-approve"])?.expect_success();
    signed.expect_hidden()?;
    assert_eq!(signed.remote(), None);
    Ok(())
}

/// Before Terraform can keep a value out of its plan and state.
pub(crate) fn a_secret_token_is_refused(terraform: &Terraform) -> Result {
    let signed = Signed::on(terraform)?;
    signed.0.configure(&kept_nowhere(1, "").replace("ephemeral", "sensitive"))?;
    diagnostic(signed.run(&["plan"])?.expect_failure(), "cannot keep token_wo secret");
    Ok(())
}

#[test]
fn the_life_of_a_secret_token() -> Result {
    match TERRAFORM.has(Feature::WriteOnly) {
        true => a_secret_token_is_kept_nowhere(&TERRAFORM),
        false => a_secret_token_is_refused(&TERRAFORM),
    }
}

#[test]
fn between_a_token_that_is_kept_and_one_that_is_not() -> Result {
    if !TERRAFORM.has(Feature::WriteOnly) {
        return Ok(());
    }
    let signed = Signed::new()?;
    // As an import leaves it: the token is in the state until the next apply.
    signed.somebody_sets(TOKEN, true);
    signed.0.configure(&kept_nowhere(1, ""))?;
    signed.run(&["import", THIS, &ID.to_string()])?.expect_success();
    assert_eq!(signed.stored()?["token"], json!(TOKEN));
    let planned = signed.planned()?;
    assert_eq!(differences(&planned["before"], &planned["after"]), ["token", "token_wo_version"]);
    assert_eq!(planned["after_unknown"]["last_request_id"], true);
    signed.run(&["apply", "tfplan"])?.expect_success();
    fs::remove_file(signed.0.workspace.path().join("tfplan"))?;
    fs::remove_file(signed.0.workspace.path().join("terraform.tfstate.backup"))?;
    signed.expect_hidden()?;
    signed.expect_no_changes()?;

    signed.0.configure(&kept(""))?;
    signed.apply()?;
    assert_eq!(signed.stored()?["token"], json!(TOKEN));
    signed.expect_no_changes()?;

    // After a failed write, somebody else has made something of the secret one: it stays out of the state all the same.
    let next = "variable \"next\" {\n  ephemeral = true\n  default = \"t0ken-to-hide-third\"\n}\n";
    let provider = "provider \"tencent\" {\n  max_retries = 0\n}\n";
    signed
        .0
        .configure(&(provider.to_owned() + next + &resource("this", "token_wo = var.next\ntoken_wo_version = 1")))?;
    let disabled = FaultKind::Response(json!({ "Token": THIRD, "IsTokenEnable": false }));
    signed.0.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(SetToken).times(1));
    signed.0.simulator.inject(Fault::new(disabled).on(GetToken).skip(2).times(1));
    let applied = signed.run(&["apply", "-auto-approve"])?;
    diagnostic(applied.expect_failure(), "the application has a disabled token that differs from what was written");
    assert_eq!(signed.stored()?["token"], json!(TOKEN));
    Ok(())
}

#[test]
fn a_renamed_secret_token_is_kept() -> Result {
    if !TERRAFORM.has(Feature::WriteOnly) {
        return Ok(());
    }
    let signed = Signed::new()?.applied(&kept_nowhere(1, ""))?;
    signed.0.configure(&kept_nowhere(1, "").replace("\"this\"", "\"renamed\""))?;
    let applied = signed.apply()?;
    applied.expect_contains("1 destroyed");
    assert_eq!(signed.objects()?.len(), 1);
    signed.expect_remote(TOKEN, true);
    signed.expect_no_changes()?;
    assert_eq!(diagnostics(&signed.run(&["plan"])?), [""; 0]);
    signed.expect_hidden()
}
