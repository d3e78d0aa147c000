//! The token that Live signs its events with: in the state, or in neither state nor plan, and never in a message.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};
use tencent_simulator::Action::{self, DeleteToken, GetToken, SetToken};
use tencent_simulator::{Fault, FaultKind, Simulator, Token};
use terraform_cli::{Feature, Output, Terraform, needs};

use crate::harness::{
    ID, ONE_ATTEMPT, OVERWRITE, Result, Scenario, TERRAFORM, change, contains, diagnostic, diagnostics, differences,
};
use crate::secrets::{files, has_full_log, unzipped};

const THIS: &str = "tencent_live_callback_token.this";
const TOKEN: &str = "t0ken-to-hide-first";
const OTHER: &str = "t0ken-to-hide-other";
const THIRD: &str = "t0ken-to-hide-third";
/// The common prefix of all tokens.
const SECRET: &str = "t0ken-to-hide";
const SUBJECT: &str = "Live callback token of SDKAppID 1400000001";
const KEPT: &str = r#"variable "token" {
  sensitive = true
}
"#;
const KEPT_NOWHERE: &str = r#"variable "token" {
  ephemeral = true
}
"#;

/// A scenario whose output is searched for tokens.
struct Signed(Scenario);

fn resource(name: &str, arguments: &str) -> String {
    format!(
        r#"resource "tencent_live_callback_token" "{name}" {{
{arguments}
}}
"#
    )
}

/// Writes the resource with `token`.
fn kept(arguments: &str) -> String {
    KEPT.to_owned() + &resource("this", &format!("token = var.token\n{arguments}"))
}

/// Writes the resource with `token_wo`.
fn kept_nowhere(version: u32, arguments: &str) -> String {
    let token = format!(
        "token_wo = var.token
token_wo_version = {version}
{arguments}"
    );
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

    /// Sets the variable `token`.
    fn token(&mut self, token: &str) -> &Self {
        self.0.workspace.env("TF_VAR_token", token);
        self
    }

    /// Runs a command, which must not print a token.
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
        assert!(has_full_log(&applied), "{applied}");
        Ok(applied)
    }

    #[track_caller]
    fn applied(self, text: &str) -> Result<Self> {
        self.0.configure(text)?;
        self.apply()?;
        self.0.simulator.clear_requests();
        Ok(self)
    }

    /// Plans without printing a token, and returns the planned change of [`THIS`].
    #[track_caller]
    fn planned(&self) -> Result<Value> {
        self.run(&["plan", "-out=tfplan"])?.expect_success();
        let plan: Value = serde_json::from_str(self.0.run(&["show", "-json", "tfplan"])?.stdout())?;
        change(&plan, THIS).ok_or_else(|| format!("the plan has no {THIS}").into())
    }

    #[track_caller]
    fn expect_no_changes(&self) -> Result {
        self.run(&["plan", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
        Ok(())
    }

    fn someone_sets(&self, token: &str, enabled: bool) {
        self.0.simulator.put_token(ID, Token::new(token, enabled));
    }

    #[track_caller]
    fn expect_remote(&self, token: &str, enabled: bool) {
        assert_eq!(self.remote(), Some((token.to_owned(), enabled)));
    }

    fn remote(&self) -> Option<(String, bool)> {
        self.0.simulator.token(ID).map(|token| (token.token, token.enabled))
    }

    /// Takes the calls since the last time that change something.
    fn writes(&self) -> Vec<Action> {
        self.0.calls().into_iter().filter(|action| *action != GetToken).collect()
    }

    fn objects(&self) -> Result<Vec<Value>> {
        let state = self.0.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let ours = resources.iter().filter(|r| r["type"] == "tencent_live_callback_token");
        Ok(ours.flat_map(|r| r["instances"].as_array().cloned().unwrap_or_default()).collect())
    }

    /// Returns the attributes of the only object in the state.
    #[track_caller]
    fn stored(&self) -> Result<Value> {
        let objects = self.objects()?;
        assert_eq!(objects.len(), 1);
        Ok(objects[0]["attributes"].clone())
    }

    /// Asserts that no file holds a token.
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

/// Creates, updates and destroys a token that is in the state.
pub(crate) fn token_lifecycle(terraform: &Terraform) -> Result {
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

    // Each change is one write. Settings that only Terraform uses are none.
    for (token, arguments, enabled, writes) in [
        (OTHER, "", true, 1),
        (OTHER, "enabled = false", false, 1),
        (OTHER, "enabled = false\noverwrite_existing = true", false, 0),
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
fn a_refresh_right_after_an_apply_or_an_import_finds_no_drift_of_a_token() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    signed.0.expect_no_drift()?;
    signed.run(&["state", "rm", THIS])?.expect_success();
    signed.run(&["import", THIS, &ID.to_string()])?.expect_success();
    signed.0.expect_no_drift()
}

#[test]
fn a_refresh_right_after_an_apply_finds_no_drift_of_a_token_kept_nowhere() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let signed = Signed::new()?.applied(&kept_nowhere(1, ""))?;
    signed.0.expect_no_drift()
}

#[test]
fn a_token_is_created_updated_and_destroyed() -> Result {
    token_lifecycle(&TERRAFORM)
}

#[test]
fn destroying_a_token_that_is_already_gone_succeeds() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    signed.0.simulator.remove_token(ID);
    signed.run(&["plan", "-detailed-exitcode"])?.expect_code(2).expect_contains("1 to add");
    signed.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_success().expect_lacks("Warning");
    assert_eq!(signed.objects()?.len(), 0);

    // Someone else deletes the token right before: 100302.
    let signed = Signed::new()?.applied(&kept(""))?;
    let gone = FaultKind::ErrorCode { code: 100_302, info: "not configured".into() };
    signed.0.simulator.inject(Fault::new(gone).on(DeleteToken));
    signed.run(&["destroy", "-auto-approve"])?.expect_success().expect_lacks("Warning");
    assert_eq!(signed.objects()?.len(), 0);
    Ok(())
}

#[test]
fn a_token_changed_or_disabled_elsewhere_is_a_difference() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    for (token, enabled, changed) in [
        (OTHER, true, vec!["last_request_id", "token"]),
        (TOKEN, false, vec!["enabled", "last_request_id"]),
        (OTHER, false, vec!["enabled", "last_request_id", "token"]),
    ] {
        signed.someone_sets(token, enabled);
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
fn a_plan_warns_of_the_token_it_overwrites() -> Result {
    let signed = Signed::new()?;
    for (arguments, token, enabled, says) in [
        (
            "",
            OTHER,
            true,
            "had an enabled token. This resource does not manage that token yet. This plan replaces all of it, as \
             overwrite_existing allows. Receivers",
        ),
        ("enabled = false", TOKEN, true, "Events will no longer be signed"),
        ("", OTHER, false, "had a disabled token. This resource does not manage that token yet"),
    ] {
        signed.someone_sets(token, enabled);
        signed.0.configure(&kept(&(arguments.to_owned() + "\n" + OVERWRITE)))?;
        let plan = signed.run(&["plan"])?;
        let warning =
            diagnostic(plan.expect_success(), &format!("Warning: This plan overwrites the existing {SUBJECT}"));
        assert!(warning.contains(says), "{warning}");
        assert!(warning.contains(&format!("with {THIS}")), "{warning}");
    }
    signed.someone_sets(OTHER, true);
    diagnostic(&signed.apply()?, "overwrites the existing");
    signed.expect_remote(TOKEN, true);
    signed.expect_no_changes()?;

    // Writing the same token overwrites nothing.
    signed.run(&["state", "rm", THIS])?.expect_success();
    diagnostic(&signed.run(&["plan"])?, &format!("The {SUBJECT} already exists as planned"));
    Ok(())
}

#[test]
fn the_guard_refuses_to_lose_a_token() -> Result {
    let mut signed = Signed::new()?;
    let guarded = kept("");
    signed.0.configure(&guarded)?;
    signed.someone_sets(OTHER, true);
    let plan = signed.run(&["plan"])?;
    let error = diagnostic(plan.expect_failure(), "Error: SDKAppID 1400000001 already has a Live callback token");
    assert!(error.contains("It has an enabled token. This resource does not manage it yet, and"), "{error}");

    // After the plan: before a creation, a change, and a deletion.
    signed.0.simulator.remove_token(ID);
    signed.run(&["plan", "-out=tfplan"])?.expect_success();
    signed.someone_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    diagnostic(applied.expect_failure(), "already has a Live callback token");
    signed.expect_remote(OTHER, true);

    signed.someone_sets(TOKEN, true);
    signed.apply()?;
    signed.token(THIRD).run(&["plan", "-out=tfplan"])?.expect_success();
    signed.someone_sets(OTHER, false);
    let applied = signed.run(&["apply", "tfplan"])?;
    let error = diagnostic(applied.expect_failure(), &format!("The {SUBJECT} has changed since the plan"));
    assert!(error.contains("now has a disabled token, which the plan did not show"), "{error}");
    assert_eq!((&signed.stored()?["token"], &signed.stored()?["enabled"]), (&json!(OTHER), &json!(false)));
    signed.expect_remote(OTHER, false);
    signed.apply()?;
    signed.expect_remote(THIRD, true);

    signed.run(&["plan", "-destroy", "-out=tfplan"])?.expect_success();
    signed.someone_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let error = diagnostic(applied.expect_failure(), &format!("The {SUBJECT} has changed since the plan"));
    assert!(error.contains("Nothing was deleted."), "{error}");
    signed.expect_remote(OTHER, true);
    Ok(())
}

#[test]
fn an_apply_names_a_token_changed_since_the_plan() -> Result {
    let mut signed = Signed::new()?.applied(&kept(OVERWRITE))?;
    signed.token(THIRD).run(&["plan", "-out=tfplan"])?.expect_success();
    signed.someone_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let warning = diagnostic(applied.expect_success(), &format!("Warning: The {SUBJECT} has changed since the plan"));
    assert!(
        warning.contains("This apply replaces it. Receivers that check signatures with the old token"),
        "{warning}"
    );
    signed.expect_remote(THIRD, true);

    signed.run(&["plan", "-destroy", "-out=tfplan"])?.expect_success();
    signed.someone_sets(OTHER, true);
    let applied = signed.run(&["apply", "tfplan"])?;
    let warning = diagnostic(applied.expect_success(), "has changed since the plan");
    assert!(warning.contains("This apply deletes it."), "{warning}");
    assert_eq!(signed.remote(), None);
    Ok(())
}

#[test]
fn an_import_stores_the_token_in_the_state() -> Result {
    let signed = Signed::new()?;
    signed.0.configure(&kept(""))?;
    let nothing = signed.run(&["import", THIS, &ID.to_string()])?;
    diagnostic(nothing.expect_failure(), "SDKAppID 1400000001 has no Live callback token");
    signed.someone_sets(TOKEN, true);
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
            "overwrite_existing": false,
            "deletion_policy": "DELETE",
            "timeouts": null,
            "last_request_id": null,
        })
    );
    signed.expect_no_changes()?;

    signed.run(&["state", "rm", THIS])?.expect_success();
    if TERRAFORM.has(Feature::Identity) {
        let import = format!(
            "import {{
  to = {THIS}
  identity = {{ sdk_app_id = {ID} }}
}}
"
        );
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
fn an_abandoned_token_stays_at_tencent() -> Result {
    let signed = Signed::new()?.applied(&kept(r#"deletion_policy = "ABANDON""#))?;
    let destroyed = signed.run(&["destroy", "-auto-approve"])?;
    let warning = diagnostic(destroyed.expect_success(), &format!("The {SUBJECT} stays at Tencent"));
    assert!(warning.contains("keeps signing"), "{warning}");
    signed.expect_remote(TOKEN, true);
    assert_eq!(signed.writes(), []);
    Ok(())
}

#[test]
fn an_abandoned_write_only_token_that_is_disabled_signs_nothing() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let signed = Signed::new()?.applied(&kept_nowhere(1, "enabled = false\ndeletion_policy = \"ABANDON\""))?;
    let destroyed = signed.run(&["destroy", "-auto-approve"])?;
    let warning = diagnostic(destroyed.expect_success(), &format!("The {SUBJECT} stays at Tencent"));
    assert!(warning.contains("it stays there, disabled"), "{warning}");
    Ok(())
}

#[test]
fn a_plan_that_tencent_would_refuse_is_an_error() -> Result {
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
    // A transient failure is a warning only if the plan may overwrite.
    let gateway = FaultKind::Status { code: 502, retry_after: None, processed: false };
    signed.0.configure(&(ONE_ATTEMPT.to_owned() + &kept("")))?;
    signed.0.simulator.inject(Fault::new(gateway));
    diagnostic(signed.run(&["plan"])?.expect_failure(), "needs this check, unless overwrite_existing is true");
    signed.0.configure(&(ONE_ATTEMPT.to_owned() + &kept(OVERWRITE)))?;
    diagnostic(signed.run(&["plan"])?.expect_success(), "This plan may overwrite an existing Live callback token.");
    signed.0.simulator.clear_faults();

    for (token, says) in [("", "it is empty"), (" t0ken-to-hide", "white space")] {
        let plan = signed.token(token).run(&["plan"])?;
        let error = diagnostic(plan.expect_failure(), "Invalid token");
        assert!(error.contains(says), "{error}");
    }
    // An invalid token that is unknown when planning.
    let later = r#"resource "terraform_data" "token" {
  input = ""
}
"#
    .to_owned();
    signed.0.configure(&(later + &resource("this", "token = terraform_data.token.output")))?;
    let applied = signed.run(&["apply", "-auto-approve"])?;
    let error = diagnostic(applied.expect_failure(), "Invalid token");
    assert!(error.contains("it is empty"), "{error}");
    assert_eq!((signed.writes(), signed.remote()), (vec![], None));
    Ok(())
}

#[rstest]
#[case::lost(FaultKind::ResetAfterProcessing, true)]
#[case::lost_at_a_gateway(bad_gateway(true), true)]
#[case::never_sent(FaultKind::ResetBeforeProcessing, false)]
#[case::refused_at_a_gateway(bad_gateway(false), false)]
fn a_token_write_of_unknown_outcome_is_read_back(#[case] fault: FaultKind, #[case] holds: bool) -> Result {
    let mut signed = Signed::new()?;
    signed.0.configure(&(ONE_ATTEMPT.to_owned() + &kept("")))?;
    let expect = |applied: &Output, deed: &str| {
        match holds {
            true => diagnostic(applied.expect_success(), &format!("Warning: The {SUBJECT} was {deed}, unconfirmed")),
            false => diagnostic(applied.expect_failure(), &format!("shows, it was not {deed}")),
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

    signed.0.simulator.inject(Fault::new(fault).on(DeleteToken).times(1));
    expect(&signed.run(&["destroy", "-auto-approve"])?, "deleted");
    assert_eq!(signed.objects()?.len(), usize::from(!holds));
    signed.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(signed.remote(), None);
    Ok(())
}

/// Returns the answer of a gateway that may have passed the request on.
fn bad_gateway(processed: bool) -> FaultKind {
    FaultKind::Status { code: 502, retry_after: None, processed }
}

#[test]
fn every_token_write_is_read_back() -> Result {
    // Right after the write, the token is another one: once, and then every time.
    let other = || FaultKind::Response(json!({ "Token": OTHER, "IsTokenEnable": true }));
    let signed = Signed::new()?;
    signed.0.configure(&kept(OVERWRITE))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2).times(1));
    let applied = signed.apply()?;
    diagnostic(&applied, &format!("Warning: Someone else is changing the {SUBJECT}"));
    assert_eq!(signed.writes(), [SetToken, SetToken]);
    signed.expect_no_changes()?;

    let signed = Signed::new()?;
    signed.0.configure(&kept(OVERWRITE))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2));
    let applied = signed.run(&["apply", "-auto-approve"])?;
    diagnostic(applied.expect_failure(), &format!("Error: The {SUBJECT} differs from what was written"));

    // The second write fails.
    let signed = Signed::new()?;
    signed.0.configure(&kept(OVERWRITE))?;
    signed.0.simulator.inject(Fault::new(other()).on(GetToken).skip(2));
    let refused = FaultKind::ErrorCode { code: 60017, info: String::new() };
    signed.0.simulator.inject(Fault::new(refused).on(SetToken).skip(1));
    let applied = signed.run(&["apply", "-auto-approve"])?;
    let error = diagnostic(applied.expect_failure(), &format!("Error: Writing the {SUBJECT} failed"));
    assert!(error.contains("error 60017") && error.contains("Writing it a second time failed."), "{error}");
    Ok(())
}

#[test]
fn tokens_that_tencent_quotes_are_masked() -> Result {
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
    format!(
        r#"import {{
  to = tencent_live_callback_token.{name}
  id = "{ID}"
}}
"#
    )
}

/// Destroys one of two objects of the same token, which come from a rename without `moved`, a second import, or an
/// interrupted replacement. The token stays.
pub(crate) fn shared_tokens_are_kept(terraform: &Terraform) -> Result {
    let token = |name: &str| resource(name, "token = var.token");
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
            signed.someone_sets(TOKEN, true);
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

    let object = KEPT.to_owned()
        + &resource(
            "this",
            "token = var.token
lifecycle {
  create_before_destroy = true
}
",
        );
    let failing = r#"resource "terraform_data" "dependent" {
  triggers_replace = tencent_live_callback_token.this.last_request_id
  provisioner "local-exec" {
    command = "exit 1"
  }
}
"#;
    let signed = Signed::on(terraform)?.applied(&object)?;
    signed.0.configure(&(object.clone() + failing))?;
    signed.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_failure();
    assert_eq!(signed.objects()?.len(), 2, "a deposed object");
    signed.0.configure(&object)?;
    signed.apply()?.expect_contains("destroyed");
    expect_one(&signed)
}

#[test]
fn destroy_keeps_the_token_that_another_resource_needs() -> Result {
    shared_tokens_are_kept(&TERRAFORM)
}

#[test]
fn two_token_resources_that_differ_are_an_error() -> Result {
    let signed = Signed::new()?;
    signed.0.configure(
        &(KEPT.to_owned() + &resource("a", "token = var.token") + &resource("b", "token = var.token\nenabled = false")),
    )?;
    let plan = signed.run(&["plan"])?;
    let error = diagnostic(plan.expect_failure(), &format!("Two resources for the {SUBJECT}"));
    assert!(
        error.starts_with("Error") && error.contains("has an enabled token") && error.contains("has a disabled token"),
        "{error}"
    );
    assert_eq!(signed.writes(), []);
    Ok(())
}

#[test]
fn a_replacement_never_deletes_the_token() -> Result {
    let signed = Signed::new()?.applied(&kept(""))?;
    let refused = FaultKind::ErrorCode { code: 60017, info: String::new() };
    signed.0.simulator.inject(Fault::new(refused).on(SetToken));
    signed.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_failure();
    signed.expect_remote(TOKEN, true);
    assert_eq!(signed.objects()?.len(), 1, "the refused replacement stays in the state");
    signed.0.simulator.clear_faults();
    signed.apply()?;
    signed.run(&["taint", THIS])?.expect_success();
    signed.0.simulator.clear_requests();
    signed.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!(signed.writes(), [SetToken]);
    signed.expect_no_changes()
}

#[test]
fn the_token_and_the_configuration_are_independent() -> Result {
    let signed = Signed::new()?;
    let both = |token: &str| {
        token.to_owned()
            + r#"resource "tencent_live_callback" "this" {
  url = "https://hooks.example.com/live"
  callback_commands = ["Live.CallbackAfterCreateRoom"]
}
"#
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

/// Creates, updates and destroys a token that is in neither state nor plan.
pub(crate) fn a_secret_token_is_kept_nowhere(terraform: &Terraform) -> Result {
    let mut signed = Signed::on(terraform)?;
    signed.0.configure(&kept_nowhere(1, ""))?;
    assert_eq!(signed.planned()?["actions"], json!(["create"]));
    signed.run(&["apply", "tfplan"])?.expect_success();
    signed.expect_remote(TOKEN, true);
    signed.expect_no_changes()?;
    signed.expect_hidden()?;

    // The token is sent again only with a new version, or when something else is written.
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

    // Drift: of the token, of `enabled`, of both.
    for (token, enabled, changed) in [
        (OTHER, false, vec!["last_request_id", "token_wo_version"]),
        (TOKEN, true, vec!["enabled", "last_request_id"]),
        (OTHER, true, vec!["enabled", "last_request_id", "token_wo_version"]),
    ] {
        signed.someone_sets(token, enabled);
        let planned = signed.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        if token == OTHER {
            diagnostic(&signed.run(&["plan", "-refresh-only"])?, "is not the one on record");
        }
        signed.0.simulator.clear_requests();
        signed.apply()?.expect_contains("1 changed").expect_lacks("has changed since the plan");
        assert_eq!(signed.writes(), [SetToken]);
        signed.expect_remote(TOKEN, false);
        signed.expect_no_changes()?;
        signed.expect_hidden()?;
    }

    // Writes that fail, and then a destroy.
    for fault in [
        FaultKind::ErrorCode { code: 60010, info: format!("no {TOKEN} and no {OTHER}") },
        FaultKind::ResetBeforeProcessing,
        FaultKind::Status { code: 502, retry_after: None, processed: false },
    ] {
        signed.0.configure(&(ONE_ATTEMPT.to_owned() + &kept_nowhere(3, "")))?;
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

/// Checks the error on versions without write-only arguments.
pub(crate) fn a_secret_token_is_refused(terraform: &Terraform) -> Result {
    let signed = Signed::on(terraform)?;
    signed.0.configure(&kept_nowhere(1, "").replace("ephemeral", "sensitive"))?;
    diagnostic(signed.run(&["plan"])?.expect_failure(), "cannot keep token_wo secret");
    Ok(())
}

#[test]
fn a_write_only_token_is_kept_nowhere() -> Result {
    match TERRAFORM.has(Feature::WriteOnly) {
        true => a_secret_token_is_kept_nowhere(&TERRAFORM),
        false => a_secret_token_is_refused(&TERRAFORM),
    }
}

#[test]
fn token_and_token_wo_can_be_exchanged() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let signed = Signed::new()?;
    // An import stores the token in the state until the next apply.
    signed.someone_sets(TOKEN, true);
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

    // After a failed write, someone else has disabled the secret token: it stays out of the state.
    let next = r#"variable "next" {
  ephemeral = true
  default = "t0ken-to-hide-third"
}
"#;
    let provider = ONE_ATTEMPT;
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
fn renaming_a_resource_with_token_wo_keeps_the_token() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
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
