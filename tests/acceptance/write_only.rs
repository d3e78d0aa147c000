//! A URL that is in neither state nor plan.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Configuration, Fault, FaultKind, Service, Simulator};
use terraform_cli::{Feature, Terraform, needs};

use crate::harness::{
    CHANGED, CREATE_BEFORE_DESTROY, END, ID, ONE_ATTEMPT, OTHER_URL, OVERWRITE, Result, START, Scenario, TERRAFORM,
    THIS, URL, contains, diagnostic, differences, resource, sends, this,
};
use crate::secrets::{files, has_full_log, unzipped};

const SECRET: &str = "s3cret-to-hide";
const SECRET_URL: &str = "https://hooks.example.com/s3cret-to-hide/call";
const NEXT_URL: &str = "https://hooks.example.com/s3cret-to-hide/next";
const OTHER_SECRET_URL: &str = "https://elsewhere.example.com/s3cret-to-hide";
const VARIABLE: &str = r#"variable "url" {
  ephemeral = true
}
"#;

/// Writes the arguments of a resource with `url_wo`.
fn sends_secretly(commands: &[&str], version: u32) -> String {
    format!(
        "url_wo = var.url
url_wo_version = {version}
callback_commands = {}
",
        Value::from(commands)
    )
}

fn secret(commands: &[&str], version: u32) -> String {
    VARIABLE.to_owned() + &this(&sends_secretly(commands, version))
}

/// A scenario that logs as much as possible, and whose output and files are searched for the secret.
struct Secretive {
    scenario: Scenario,
}

impl Secretive {
    fn on(terraform: &Terraform) -> Result<Self> {
        let mut scenario = Scenario::on(terraform, Simulator::start()?)?;
        scenario.workspace.env("TF_LOG", "trace").env("TF_VAR_url", SECRET_URL);
        Ok(Self { scenario })
    }

    /// Creates [`THIS`] with version 1 of the secret URL.
    #[track_caller]
    fn created() -> Result<Self> {
        let secretive = Self::on(&TERRAFORM)?;
        secretive.scenario.configure(&secret(&[START], 1))?;
        secretive.apply()?;
        Ok(secretive)
    }

    /// Replaces the secret URL.
    fn rotate(&mut self, url: &str) {
        self.scenario.workspace.env("TF_VAR_url", url);
    }

    /// Runs a command, which must not print the secret.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Result<terraform_cli::Output> {
        let output = self.scenario.run(arguments)?;
        output.expect_lacks(SECRET);
        Ok(output)
    }

    #[track_caller]
    fn apply(&self) -> Result<terraform_cli::Output> {
        let applied = self.run(&["apply", "-auto-approve"])?;
        applied.expect_success();
        assert!(has_full_log(&applied), "{applied}");
        self.expect_hidden()?;
        Ok(applied)
    }

    /// Plans into a file, searches the file for the secret, and returns the planned change of [`THIS`].
    #[track_caller]
    fn planned(&self) -> Result<Value> {
        self.run(&["plan", "-out=tfplan"])?.expect_success();
        for entry in unzipped(&fs::read(self.scenario.workspace.path().join("tfplan"))?) {
            assert!(!contains(&entry, SECRET), "{}", String::from_utf8_lossy(&entry));
        }
        let plan = self.run(&["show", "-json", "tfplan"])?;
        let plan: Value = serde_json::from_str(plan.stdout())?;
        self.expect_hidden()?;
        crate::harness::change(&plan, THIS).ok_or_else(|| format!("the plan has no {THIS}").into())
    }

    #[track_caller]
    fn expect_no_changes(&self) -> Result {
        assert_eq!(self.planned()?["actions"], json!(["no-op"]));
        assert_eq!(self.scenario.stored()?.expect("an object")["url"], Value::Null);
        Ok(())
    }

    /// Asserts that no file holds the secret, nor the private data in the state.
    #[track_caller]
    fn expect_hidden(&self) -> Result {
        for (file, content) in files(self.scenario.workspace.path()) {
            assert!(!contains(&content, SECRET), "{file}");
        }
        if let Some(instance) = self.scenario.instance()? {
            assert_eq!(instance["attributes"]["url_wo"], Value::Null);
            let private = STANDARD.decode(instance["private"].as_str().unwrap_or_default())?;
            assert!(!contains(&private, SECRET), "{}", String::from_utf8_lossy(&private));
        }
        Ok(())
    }
}

#[test]
fn a_refresh_right_after_an_apply_finds_no_drift_of_a_secret_url() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::created()?;
    secretive.scenario.expect_no_drift()
}

/// Creates, updates and destroys a resource with `url_wo`.
pub(crate) fn a_secret_url_is_kept_nowhere(terraform: &Terraform) -> Result {
    let mut secretive = Secretive::on(terraform)?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    let planned = secretive.planned()?;
    assert_eq!((&planned["actions"], &planned["after"]["url_wo_version"]), (&json!(["create"]), &json!(1)));
    secretive.run(&["apply", "tfplan"])?.expect_success();
    secretive.scenario.expect_remote(&[START], SECRET_URL);
    secretive.expect_no_changes()?;

    // The URL is sent again only with a new version, or when something else is written.
    secretive.rotate(NEXT_URL);
    let plan = secretive.run(&["plan", "-detailed-exitcode"])?;
    plan.expect_code(0);
    assert!(
        diagnostic(&plan, "url_wo has changed, but url_wo_version has not").contains("change url_wo_version"),
        "{plan}"
    );
    secretive.scenario.configure(&secret(&[START], 2))?;
    secretive.scenario.simulator.clear_requests();
    secretive.apply()?.expect_contains("1 changed").expect_lacks("url_wo_version has not");
    assert_eq!(secretive.scenario.writes(), [Set]);
    secretive.scenario.expect_remote(&[START], NEXT_URL);
    secretive.rotate(SECRET_URL);
    secretive.scenario.configure(&secret(&[START, END], 2))?;
    secretive.apply()?.expect_contains("sends the new URL with it");
    secretive.scenario.expect_remote(&[START, END], SECRET_URL);
    secretive.expect_no_changes()?;

    // Drift: of the URL, of the commands, of both.
    for (url, commands, changed) in [
        (OTHER_SECRET_URL, &[START, END][..], vec!["last_request_id", "url_wo_version"]),
        (SECRET_URL, &[END], vec!["callback_commands", "last_request_id"]),
        (NEXT_URL, &[END], vec!["callback_commands", "last_request_id", "url_wo_version"]),
    ] {
        secretive.scenario.someone_sets(commands, url);
        let planned = secretive.planned()?;
        assert_eq!(planned["actions"], json!(["update"]));
        assert_eq!(differences(&planned["before"], &planned["after"]), changed);
        let plan = secretive.run(&["plan", "-refresh-only"])?;
        if url != SECRET_URL {
            let warning = diagnostic(&plan, "is not the one on record");
            let host = url.split(SECRET).next().expect("a host");
            assert!(warning.contains(&format!("now posts events to {host}***. ")), "{warning}");
        }
        secretive.scenario.simulator.clear_requests();
        secretive.apply()?.expect_contains("1 changed").expect_lacks("has changed since the plan");
        assert_eq!(secretive.scenario.writes(), [Set]);
        secretive.scenario.expect_remote(&[START, END], SECRET_URL);
        secretive.expect_no_changes()?;
    }

    // Terraform drops what the refresh before a destroy says.
    secretive.scenario.someone_sets(&[START, END], OTHER_SECRET_URL);
    let plan = secretive.run(&["plan", "-destroy"])?;
    assert!(diagnostic(&plan, "is not the one on record").contains("This plan deletes it."), "{plan}");
    secretive.run(&["destroy", "-auto-approve"])?.expect_success();
    secretive.expect_hidden()?;
    assert_eq!(secretive.scenario.remote(), None);
    Ok(())
}

/// Checks the error on versions without write-only arguments.
pub(crate) fn a_secret_url_is_refused(terraform: &Terraform) -> Result {
    let scenario = Scenario::on(terraform, Simulator::start()?)?;
    let config = format!(
        r#"url_wo = "{SECRET_URL}"
callback_commands = ["{START}"]
"#
    );
    scenario.configure(&this(&config))?;
    for command in ["validate", "plan"] {
        let refused = scenario.run(&[command])?;
        refused.expect_failure();
        let error = diagnostic(&refused, "cannot keep url_wo secret");
        assert!(error.contains("Terraform 1.11 or later") && error.contains("remove url_wo"), "{error}");
    }
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn a_write_only_url_is_kept_nowhere() -> Result {
    match TERRAFORM.has(Feature::WriteOnly) {
        true => a_secret_url_is_kept_nowhere(&TERRAFORM),
        false => a_secret_url_is_refused(&TERRAFORM),
    }
}

#[test]
fn url_and_url_wo_can_be_exchanged() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let mut secretive = Secretive::on(&TERRAFORM)?;
    let kept = |url: &str| VARIABLE.to_owned() + &this(&sends(&[START], url));

    // Exchanging the arguments writes a different URL, and not an equal one.
    secretive.scenario.configure(&kept(URL))?;
    secretive.scenario.apply()?;
    secretive.scenario.simulator.clear_requests();
    secretive.scenario.configure(&secret(&[START], 1))?;
    let planned = secretive.planned()?;
    assert_eq!(differences(&planned["before"], &planned["after"]), ["last_request_id", "url", "url_wo_version"]);
    secretive.run(&["apply", "tfplan"])?.expect_success();
    assert_eq!(secretive.scenario.writes(), [Set]);
    secretive.scenario.expect_remote(&[START], SECRET_URL);

    secretive.scenario.configure(&kept(SECRET_URL))?;
    secretive.scenario.apply()?;
    assert_eq!(secretive.scenario.stored()?.expect("an object")["url"], SECRET_URL);
    secretive.scenario.expect_no_changes()?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    let planned = secretive.scenario.planned()?;
    assert_eq!(differences(&planned["before"], &planned["after"]), ["last_request_id", "url", "url_wo_version"]);
    let before = secretive.scenario.stored()?.expect("an object");
    secretive.scenario.apply()?;
    assert_eq!(secretive.scenario.writes(), []);
    let after = secretive.scenario.stored()?.expect("an object");
    assert_eq!(differences(&before, &after), ["url", "url_wo_version"]);
    // The backup is the previous state.
    fs::remove_file(secretive.scenario.workspace.path().join("terraform.tfstate.backup"))?;
    secretive.expect_no_changes()?;

    // The URL changes between plan and apply.
    secretive.scenario.configure(&kept(SECRET_URL))?;
    secretive.scenario.apply()?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    secretive.scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    secretive.rotate(NEXT_URL);
    secretive.scenario.run(&["apply", "tfplan"])?.expect_success();
    assert_eq!(secretive.scenario.writes(), [Set]);
    secretive.scenario.expect_remote(&[START], NEXT_URL);

    secretive.scenario.configure(&kept(OTHER_URL))?;
    secretive.scenario.apply()?;
    secretive.scenario.expect_remote(&[START], OTHER_URL);
    secretive.scenario.expect_no_changes()
}

#[test]
fn a_change_since_the_plan_is_noticed_when_url_takes_the_place_of_an_equal_url_wo() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    for (more, outcome) in [("", 1), (OVERWRITE, 0)] {
        let secretive = Secretive::on(&TERRAFORM)?;
        let scenario = &secretive.scenario;
        scenario.configure(&(VARIABLE.to_owned() + &this(&(sends_secretly(&[START], 1) + more))))?;
        secretive.apply()?;
        let kept = this(&(sends(&[START], SECRET_URL) + more));
        scenario.configure(&kept)?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_contains("1 to change");
        scenario.someone_sets(&[START], OTHER_URL);
        scenario.simulator.clear_requests();
        let applied = scenario.run(&["apply", "tfplan"])?;
        diagnostic(applied.expect_code(outcome), "has changed since the plan");
        assert_eq!(scenario.writes().len(), usize::from(outcome == 0));
        scenario.apply()?;
        scenario.expect_remote(&[START], SECRET_URL);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_write_without_a_record_is_not_blamed_on_others() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let mut secretive = Secretive::on(&TERRAFORM)?;
    let version = |version| ONE_ATTEMPT.to_owned() + &secret(&[START], version);
    secretive.scenario.configure(&version(1))?;
    secretive.apply()?;
    // The answer to the write is lost, and what it did cannot be read.
    secretive.rotate(NEXT_URL);
    secretive.scenario.configure(&version(2))?;
    secretive.run(&["plan", "-out=tfplan"])?.expect_success();
    secretive.scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set));
    secretive.scenario.simulator.inject(Fault::new(FaultKind::ResetBeforeProcessing).on(Get).skip(1));
    secretive.run(&["apply", "tfplan"])?.expect_failure().expect_contains("may have been written anyway");
    secretive.scenario.simulator.clear_faults();
    secretive.scenario.expect_remote(&[START], NEXT_URL);
    expect_the_record_is_mended(&secretive, 2)?;

    // The provider is killed: Terraform then keeps no private data.
    let mut state = secretive.scenario.workspace.state()?.ok_or("no state")?;
    let instance = &mut state["resources"][0]["instances"][0];
    instance.as_object_mut().ok_or("no instance")?.remove("private").ok_or("no private data")?;
    fs::write(secretive.scenario.workspace.path().join("terraform.tfstate"), state.to_string())?;
    expect_the_record_is_mended(&secretive, 2)
}

/// Expects a plan to blame nobody for a write without a record, and the apply to send nothing.
#[track_caller]
fn expect_the_record_is_mended(secretive: &Secretive, version: u32) -> Result {
    secretive.scenario.simulator.clear_requests();
    let plan = secretive.run(&["plan"])?;
    plan.expect_contains("1 to change");
    let unknown = diagnostic(&plan, "is not the one on record");
    assert!(unknown.contains("or an earlier apply ended before Terraform recorded the URL"), "{unknown}");
    diagnostic(&plan, "The Call callback configuration of SDKAppID 1400000001 is already as url_wo says");
    secretive.apply()?;
    assert_eq!(secretive.scenario.writes(), []);
    assert_eq!(secretive.scenario.stored()?.expect("an object")["url_wo_version"], version);
    secretive.expect_no_changes()
}

#[test]
fn url_wo_is_compared_with_an_existing_configuration() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::on(&TERRAFORM)?;
    let scenario = &secretive.scenario;
    scenario.configure(&secret(&[START], 1))?;
    scenario.someone_sets(&[START], SECRET_URL);
    diagnostic(&secretive.run(&["plan"])?, "already exists as planned");
    scenario.someone_sets(&[END], NEXT_URL);
    diagnostic(&secretive.run(&["apply", "-auto-approve"])?, "already has a Call callback configuration");
    let guarded = secret(&[START], 1);
    let unguarded = VARIABLE.to_owned() + &this(&(sends_secretly(&[START], 1) + OVERWRITE));
    scenario.configure(&unguarded)?;
    let warning = diagnostic(&secretive.run(&["plan"])?, "overwrites the existing Call callback configuration");
    assert!(warning.contains(&format!("{END} to https://hooks.example.com/***. ")), "{warning}");

    // An import stores the URL in the state until the next apply.
    scenario.someone_sets(&[START], SECRET_URL);
    scenario.run(&["import", THIS, &ID.to_string()])?.expect_success();
    assert_eq!(scenario.stored()?.expect("an object")["url"], SECRET_URL);
    let planned = scenario.planned()?;
    assert_eq!(planned["after_unknown"]["last_request_id"], true);
    assert_eq!(differences(&planned["before"], &planned["after"]), ["overwrite_existing", "url", "url_wo_version"]);
    scenario.simulator.clear_requests();
    scenario.apply()?;
    assert_eq!(scenario.writes(), []);
    fs::remove_file(scenario.workspace.path().join("terraform.tfstate.backup"))?;
    secretive.expect_no_changes()?;

    // Someone changes the configuration after the plan, without and with the guard.
    secretive.run(&["plan", "-destroy", "-out=tfplan"])?.expect_success();
    scenario.someone_sets(&[END], OTHER_SECRET_URL);
    let applied = secretive.run(&["apply", "tfplan"])?;
    let warning = diagnostic(applied.expect_success(), "has changed since the plan");
    assert!(warning.contains("https://elsewhere.example.com/***"), "{warning}");
    assert_eq!(scenario.remote(), None);
    scenario.configure(&guarded)?;
    secretive.apply()?;
    scenario.configure(&guarded.replace(START, END))?;
    secretive.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.someone_sets(&[CHANGED], OTHER_SECRET_URL);
    let applied = secretive.run(&["apply", "tfplan"])?;
    diagnostic(applied.expect_failure(), "which the plan did not show, and overwrite_existing is not true");
    secretive.expect_hidden()?;
    assert_eq!(scenario.stored()?.expect("an object")["callback_commands"], json!([CHANGED]));
    // The next plan shows the change.
    secretive.apply()?.expect_contains("1 changed");
    scenario.expect_remote(&[END], SECRET_URL);
    secretive.expect_no_changes()
}

/// A refusal that quotes URLs.
fn refused() -> FaultKind {
    FaultKind::ErrorCode { code: 60010, info: format!("bad Url {NEXT_URL}, {SECRET_URL}") }
}

#[test]
fn a_failed_creation_does_not_reveal_url_wo() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::on(&TERRAFORM)?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    secretive.scenario.simulator.inject(Fault::new(refused()).on(Set).times(1));
    secretive.run(&["apply", "-auto-approve"])?.expect_failure().expect_contains("error 60010");
    secretive.expect_hidden()?;
    secretive.apply()?;
    secretive.expect_no_changes()
}

#[rstest]
#[case::refused(refused())]
#[case::never_sent(FaultKind::ResetBeforeProcessing)]
#[case::refused_at_a_gateway(FaultKind::Status { code: 502, retry_after: None, processed: false })]
fn a_failed_write_does_not_reveal_url_wo(#[case] fault: FaultKind) -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let mut secretive = Secretive::created()?;

    secretive.rotate(NEXT_URL);
    secretive.scenario.configure(&secret(&[START], 2))?;
    secretive.scenario.simulator.inject(Fault::new(fault).on(Set));
    secretive.run(&["apply", "-auto-approve"])?.expect_failure();
    secretive.scenario.simulator.clear_faults();
    secretive.expect_hidden()?;
    assert_eq!(secretive.scenario.stored()?.expect("an object")["url_wo_version"], 1);
    secretive.scenario.expect_remote(&[START], SECRET_URL);

    // The next apply sends the new URL. Only its answer is lost.
    secretive.scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set));
    secretive.apply()?.expect_contains("was written, unconfirmed");
    secretive.scenario.simulator.clear_faults();
    secretive.scenario.expect_remote(&[START], NEXT_URL);
    secretive.expect_no_changes()
}

#[test]
fn a_failed_deletion_does_not_reveal_url_wo() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::created()?;
    for action in [Get, Delete] {
        secretive.scenario.simulator.inject(Fault::new(refused()).on(action));
        secretive.run(&["destroy", "-auto-approve"])?.expect_failure().expect_contains("error 60010");
        secretive.scenario.simulator.clear_faults();
        secretive.expect_hidden()?;
    }
    secretive.expect_no_changes()
}

#[rstest]
#[case::another_url(json!({ "Url": SECRET_URL.to_owned() + "/", "CallbackCommandList": [START] }))]
#[case::another_command(json!({ "Url": SECRET_URL, "CallbackCommandList": [START, CHANGED] }))]
fn a_url_wo_that_tencent_normalizes_does_not_differ_in_every_plan(#[case] stored: Value) -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::on(&TERRAFORM)?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    secretive.planned()?;
    secretive.scenario.simulator.inject(Fault::new(FaultKind::Response(stored)).on(Get).skip(1));
    secretive.run(&["apply", "tfplan"])?.expect_success().expect_contains("differently");
    secretive.expect_no_changes()?;
    secretive.scenario.simulator.clear_faults();
    secretive.scenario.someone_sets(&[START], OTHER_SECRET_URL);
    assert_eq!(secretive.planned()?["actions"], json!(["update"]));
    Ok(())
}

#[test]
fn url_wo_can_be_known_only_after_apply() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let mut scenario = Scenario::new()?;
    scenario.workspace.env("TF_VAR_path", "secret");
    // The URL depends on an ID that is known only after apply, twice.
    let config = |version: u32| {
        format!(
            r#"variable "path" {{}}
resource "terraform_data" "later" {{
  triggers_replace = [var.path]
}}
{}"#,
            this(&format!(
                r#"url_wo = "https://hooks.example.com/${{terraform_data.later.id}}"
url_wo_version = {version}
callback_commands = ["{START}"]
"#
            ))
        )
    };
    for (version, path) in [(1, "secret"), (2, "another")] {
        scenario.workspace.env("TF_VAR_path", path);
        scenario.configure(&config(version))?;
        scenario.apply()?;
        let url = scenario.remote().expect("a configuration").url;
        assert!(url.len() > "https://hooks.example.com/".len() + 30, "{url}");
        assert_eq!(scenario.stored()?.expect("an object")["url"], Value::Null);
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_replacement_sends_url_wo_once() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    for lifecycle in ["", CREATE_BEFORE_DESTROY] {
        let secretive = Secretive::on(&TERRAFORM)?;
        secretive.scenario.configure(&(VARIABLE.to_owned() + &this(&(sends_secretly(&[START], 1) + lifecycle))))?;
        secretive.apply()?;
        secretive.scenario.simulator.clear_requests();
        let replaced = secretive.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?;
        replaced.expect_success().expect_lacks("has changed since the plan");
        assert_eq!(secretive.scenario.writes(), [Set]);
        secretive.scenario.expect_remote(&[START], SECRET_URL);
        secretive.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn a_refresh_notes_that_url_wo_was_changed_elsewhere() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::created()?;
    secretive.scenario.someone_sets(&[START], OTHER_SECRET_URL);
    secretive.run(&["plan", "-refresh=false", "-detailed-exitcode"])?.expect_code(0);
    secretive.scenario.simulator.clear_requests();
    for _ in 0..2 {
        secretive.run(&["apply", "-refresh-only", "-auto-approve"])?.expect_success();
        secretive.expect_hidden()?;
        assert_eq!(secretive.scenario.stored()?.expect("an object")["url_wo_version"], Value::Null);
    }
    assert_eq!(secretive.scenario.writes(), []);
    secretive.run(&["plan", "-refresh=false"])?.expect_success().expect_contains("1 to change");
    secretive.apply()?;
    secretive.scenario.expect_remote(&[START], SECRET_URL);
    secretive.expect_no_changes()
}

#[test]
fn two_resources_with_url_wo_are_compared() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let secretive = Secretive::on(&TERRAFORM)?;
    let both = |first: &str, second: &str| VARIABLE.to_owned() + &resource("this", first) + &resource("that", second);
    let mine = sends_secretly(&[START], 1);
    secretive.scenario.configure(&both(&mine, &mine))?;
    diagnostic(
        &secretive.run(&["plan"])?,
        "Another resource of this provider manages the same Call callback configuration, and the two agree so far",
    );
    secretive.scenario.configure(&both(&mine, &sends(&[START], OTHER_URL)))?;
    let plan = secretive.run(&["plan"])?;
    let error = diagnostic(plan.expect_failure(), "Another resource of this provider manages the same configuration");
    assert!(error.contains("https://hooks.example.com/***"), "{error}");

    // Renamed without a moved block, the configuration is kept for the other resource.
    secretive.scenario.configure(&secret(&[START], 1))?;
    secretive.apply()?;
    secretive.scenario.configure(&(VARIABLE.to_owned() + &resource("that", &mine)))?;
    secretive.run(&["apply", "-auto-approve"])?.expect_success();
    secretive.scenario.expect_remote(&[START], SECRET_URL);

    // Abandoned.
    let abandoned = sends_secretly(&[START], 1)
        + r#"deletion_policy = "ABANDON"
"#;
    secretive.scenario.configure(&(VARIABLE.to_owned() + &resource("that", &abandoned)))?;
    secretive.run(&["apply", "-auto-approve"])?.expect_success();
    secretive.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("keeps posting events to its URL");
    secretive.scenario.expect_remote(&[START], SECRET_URL);
    Ok(())
}

#[test]
fn an_invalid_url_wo_is_not_quoted() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let mut secretive = Secretive::on(&TERRAFORM)?;
    secretive.scenario.configure(&secret(&[START], 1))?;
    for url in ["ftp://hooks.example.com/s3cret-to-hide", "https://hooks.example.com/s3cret-to-hide/ b", SECRET] {
        secretive.rotate(url);
        let plan = secretive.run(&["plan"])?;
        let error = diagnostic(plan.expect_failure(), "Invalid url_wo");
        assert!(error.contains("\"***\" cannot be a callback URL"), "{error}");
    }
    secretive.rotate("http://127.0.0.1/s3cret-to-hide");
    diagnostic(&secretive.run(&["plan"])?, "http://127.0.0.1/*** is an address of this machine");
    Ok(())
}

#[test]
fn exactly_one_of_url_and_url_wo_is_required() -> Result {
    needs!(TERRAFORM, Feature::WriteOnly);
    let scenario = Scenario::new()?;
    let url = format!(
        r#"url = "{URL}"
"#
    );
    for (arguments, said) in [
        (String::new(), "Missing url"),
        ("url_wo_version = 1\n".to_owned(), "Missing url"),
        (url.clone() + &url.replace("url", "url_wo"), "Both url and url_wo"),
        (url + "url_wo_version = 1\n", "url_wo_version without url_wo"),
    ] {
        scenario.configure(&this(
            &(arguments
                + &format!(
                    r#"callback_commands = ["{START}"]
"#
                )),
        ))?;
        diagnostic(scenario.run(&["validate"])?.expect_failure(), said);
    }
    // url_wo works without url_wo_version.
    scenario.simulator.put_configuration(Service::Call, ID, Configuration::new(URL, [START]));
    scenario.configure(&this(&format!(
        r#"url_wo = "{URL}"
callback_commands = ["{START}"]
"#
    )))?;
    scenario.apply()?;
    scenario.expect_no_changes()?;
    scenario.someone_sets(&[START], OTHER_URL);
    let planned = scenario.planned()?;
    assert_eq!(differences(&planned["before"], &planned["after"]), ["last_request_id"]);
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    Ok(())
}
