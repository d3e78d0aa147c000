//! No output, log, plan or state holds the SecretKey, a UserSig, or the secrets in a callback URL.
//!
//! Everything runs with `TF_LOG=trace`, and all output is searched, Terraform's own included: Terraform 1.11 logs no value of
//! a configuration. OpenTofu does when an attribute was changed elsewhere. The URL comes from a sensitive variable; as any
//! attribute of a resource, it is in the state and in plan files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use flate2::read::DeflateDecoder;
use serde_json::Value;
use tencent_simulator::Action::{Get, Set};
use tencent_simulator::{App, Fault, FaultKind, Simulator};
use terraform_cli::{Feature, Flavour, Output, needs};
use terraform_provider_tencent::tencent::UserSig;

use crate::ephemeral::handed_on;
use crate::harness::{
    END, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, THIS, contains, diagnostic, fleet, key, provider, this,
};

const PASSWORD: &str = "p4ssword-to-hide";
const TOKEN: &str = "t0ken-to-hide";
const SECRET_URL: &str = "https://user:p4ssword-to-hide@hooks.example.com/call?token=t0ken-to-hide";
const VARIABLE: &str = r#"variable "url" {
  sensitive = true
}
"#;

/// Logs as much as possible, and makes the URL a secret.
fn verbose(scenario: Scenario) -> Result<Scenario> {
    let mut scenario = scenario.installed()?;
    scenario.workspace.env("TF_LOG", "trace").env("TF_VAR_url", SECRET_URL);
    Ok(scenario)
}

/// Writes `url = var.url`, and these commands.
fn sends_secretly(commands: &[&str]) -> String {
    format!("url = var.url\ncallback_commands = {}\n", Value::from(commands))
}

/// Runs commands, and keeps all that they print.
struct Watch<'a> {
    scenario: &'a Scenario,
    outputs: Vec<Output>,
}

impl<'a> Watch<'a> {
    fn over(scenario: &'a Scenario) -> Self {
        Self { scenario, outputs: Vec::new() }
    }

    fn run(&mut self, arguments: &[&str]) -> Result<&Output> {
        self.outputs.push(self.scenario.run(arguments)?);
        Ok(self.outputs.last().expect("just pushed"))
    }

    /// Asserts that no output has a secret, and no file has a key or a UserSig. The URL may be where Terraform keeps any
    /// attribute.
    #[track_caller]
    fn expect_no_leak(&self) {
        let user_sigs = user_sigs(&self.scenario.simulator);
        assert!(!user_sigs.is_empty(), "calls were made");
        assert!(self.outputs.iter().any(has_full_log), "Terraform and the provider log all they can");
        let keys: Vec<_> = user_sigs.into_iter().chain((ID..ID + 50).map(key)).collect();
        for output in &self.outputs {
            let text: String = output.text().lines().filter(|line| !is_opentofus_own(line)).collect();
            for secret in keys.iter().map(String::as_str).chain([PASSWORD, TOKEN]) {
                assert!(!contains(text.as_bytes(), secret), "{secret} in {output}");
                // A UserSig in a URL would be percent-encoded.
                assert!(!contains(text.as_bytes(), &secret.replace('*', "%2A")), "{secret} in {output}");
            }
        }
        for (file, content) in files(self.scenario.workspace.path()) {
            for secret in &keys {
                assert!(!contains(&content, secret), "{secret} in {file}");
            }
            assert!(!file.contains("crash"), "{file}: {}", String::from_utf8_lossy(&content));
        }
    }
}

/// Returns whether Terraform and the provider have logged all they can. The command calls Tencent.
pub(crate) fn has_full_log(output: &Output) -> bool {
    ["[TRACE]", "calling Tencent"].iter().all(|text| contains(output.stderr().as_bytes(), text))
}

/// Returns whether the line is OpenTofu's log of an attribute that was changed elsewhere.
fn is_opentofus_own(line: &str) -> bool {
    TERRAFORM.flavour() == Flavour::OpenTofu && line.starts_with("      - .url: was cty.StringVal(")
}

fn user_sigs(simulator: &Simulator) -> BTreeSet<String> {
    simulator.requests().into_iter().filter_map(|request| request.user_sig).collect()
}

/// Returns every file below a directory, with its content.
pub(crate) fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a file's type");
        // Skips the link to the provider in the mirror.
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file() {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    found
}

#[test]
fn no_secret_is_logged_over_a_whole_lifecycle() -> Result {
    let scenario = verbose(Scenario::new()?)?;
    let config = VARIABLE.to_owned() + &this(&sends_secretly(&[START]));
    scenario.configure(&config)?;
    let mut watch = Watch::over(&scenario);
    watch.run(&["validate"])?.expect_success();
    watch.run(&["plan"])?.expect_success().expect_contains("(sensitive value)");
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    scenario.expect_remote(&[START], SECRET_URL);
    watch.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
    watch.run(&["state", "show", THIS])?.expect_success();
    watch.run(&["show"])?.expect_success();

    // Drift, to another URL with secrets.
    scenario.someone_sets(&[END], &SECRET_URL.replace("/call", "/other"));
    watch.run(&["plan"])?.expect_success().expect_contains("1 to change");
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    scenario.expect_remote(&[START], SECRET_URL);
    watch.run(&["destroy", "-auto-approve"])?.expect_success();

    // An existing configuration: equal, different, and guarded.
    scenario.someone_sets(&[START], SECRET_URL);
    diagnostic(watch.run(&["plan"])?, "already exists as planned");
    scenario.someone_sets(&[END], SECRET_URL);
    diagnostic(watch.run(&["apply", "-auto-approve"])?, "already has a Call callback configuration");
    scenario.configure(&config.replace("url = var.url", "overwrite_existing = true\nurl = var.url"))?;
    diagnostic(watch.run(&["plan"])?, "overwrites the existing Call callback configuration");
    watch.run(&["import", THIS, &ID.to_string()])?.expect_success();
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn an_ephemeral_user_sig_is_kept_nowhere() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let scenario = verbose(Scenario::new()?)?;
    scenario.configure(&(VARIABLE.to_owned() + &handed_on("25m", &sends_secretly(&[START]))))?;
    let mut watch = Watch::over(&scenario);
    watch.run(&["plan", "-out=tfplan"])?.expect_success();
    watch.run(&["show", "tfplan"])?.expect_success();
    watch.run(&["apply", "tfplan"])?.expect_success();
    scenario.expect_remote(&[START], SECRET_URL);
    watch.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
    let mut searched = unzipped(&fs::read(scenario.workspace.path().join("tfplan"))?);
    searched.push(scenario.run(&["show", "-json", "tfplan"])?.stdout().as_bytes().to_vec());
    for user_sig in user_sigs(&scenario.simulator) {
        assert!(!searched.iter().any(|content| contains(content, &user_sig)), "{user_sig}");
    }
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn an_invalid_url_is_quoted_without_its_secrets() -> Result {
    for url in [
        format!("ftp://user:{PASSWORD}@hooks.example.com/?token={TOKEN}"),
        format!("https://user:{PASSWORD}@hooks.example.com:99999/?{TOKEN}"),
        format!("https://user:{PASSWORD}@hooks.example.com/a b?token={TOKEN}"),
        format!("user:{PASSWORD}@hooks.example.com#{TOKEN}"),
        format!("http://user:{PASSWORD}@127.0.0.1/?token={TOKEN}"),
    ] {
        let mut scenario = verbose(Scenario::new()?)?;
        scenario.workspace.env("TF_VAR_url", &url);
        scenario.configure(&(VARIABLE.to_owned() + &this(&sends_secretly(&[START]))))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_contains("***@");
        plan.expect_lacks(PASSWORD).expect_lacks(TOKEN).expect_lacks(KEY);
    }
    Ok(())
}

#[test]
fn no_secret_is_logged_when_calls_fail() -> Result {
    let code = |code, info: &str| FaultKind::ErrorCode { code, info: info.to_owned() };
    let gateway = |code, processed| FaultKind::Status { code, retry_after: None, processed };
    let faults = [
        code(100_001, "internal"),
        code(100_002, "invalid"),
        code(60007, "slow down"),
        code(60020, "suspended"),
        code(70001, "expired"),
        code(70009, "wrong key"),
        FaultKind::ResetBeforeProcessing,
        FaultKind::ResetAfterProcessing,
        FaultKind::CloseAfterProcessing,
        FaultKind::TruncatedBody,
        FaultKind::NotJson,
        FaultKind::WrongTypes,
        FaultKind::OversizedBody(2 << 20),
        gateway(502, false),
        gateway(503, true),
        gateway(429, false),
        FaultKind::Redirect { code: 302, location: "http://127.0.0.1:1/".to_owned() },
    ];
    let scenario = verbose(Scenario::of_applications(faults.len())?)?;
    let config = |commands: &[&str], retries: u32| {
        let ids = (ID..).take(faults.len());
        let provider = provider(&format!("max_retries = {retries}"));
        VARIABLE.to_owned() + &provider + &fleet(ids, &sends_secretly(commands))
    };
    let mut watch = Watch::over(&scenario);
    // On every call of a creation, without and with a retry, which is logged.
    for retries in [0, 1] {
        for (id, fault) in (ID..).zip(&faults) {
            scenario.simulator.inject(Fault::new(fault.clone()).sdk_app_id(id));
        }
        scenario.configure(&config(&[START], retries))?;
        watch.run(&["apply", "-auto-approve"])?.expect_failure();
        scenario.simulator.clear_faults();
    }
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    // On the write of an update, and on refreshes.
    scenario.configure(&config(&[START, END], 0))?;
    for action in [Set, Get] {
        for (id, fault) in (ID..).zip(&faults) {
            scenario.simulator.inject(Fault::new(fault.clone()).on(action).sdk_app_id(id));
        }
        watch.run(&["apply", "-auto-approve"])?.expect_failure();
        scenario.simulator.clear_faults();
    }
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn secrets_that_tencent_quotes_from_the_request_are_masked() -> Result {
    let key = KEY.to_owned().into();
    let lifetime = Duration::from_secs(3600);
    let user_sig = UserSig::sign(&key, "administrator", ID.try_into()?, SystemTime::now(), lifetime);
    let mut scenario = verbose(Scenario::new()?)?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TENCENT_USER_SIG", user_sig.expose());
    scenario.configure(&(VARIABLE.to_owned() + &this(&sends_secretly(&[START]))))?;
    let mut watch = Watch::over(&scenario);
    let refused = |info: String| FaultKind::ErrorCode { code: 70003, info };
    scenario.simulator.inject(Fault::new(refused(format!("cannot verify {}", user_sig.expose()))).on(Get));
    let applied = watch.run(&["apply", "-auto-approve"])?;
    applied.expect_failure();
    diagnostic(applied, "ErrorInfo: cannot verify ***");
    scenario.simulator.clear_faults();
    scenario.simulator.inject(Fault::new(refused(format!("cannot verify {} {SECRET_URL}", user_sig.expose()))).on(Set));
    let applied = watch.run(&["apply", "-auto-approve"])?;
    applied.expect_failure();
    let error = diagnostic(applied, "Writing the Call callback configuration");
    assert!(error.contains("ErrorInfo: cannot verify *** https://***@hooks.example.com/***"), "{error}");
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn a_stored_url_that_tencent_quotes_is_masked() -> Result {
    // In answers to calls that did not send it: a check, a refresh, a deletion.
    let scenario = verbose(Scenario::new()?)?;
    scenario.configure(&(VARIABLE.to_owned() + &this(&sends_secretly(&[START]))))?;
    let fault = FaultKind::ErrorCode { code: 100_002, info: format!("Url {SECRET_URL}: host not found") };
    let mut watch = Watch::over(&scenario);
    scenario.simulator.inject(Fault::new(fault.clone()).on(Get).times(1));
    watch.run(&["plan"])?.expect_failure().expect_contains("error 100002").expect_contains("host not found");
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    scenario.simulator.inject(fault);
    watch.run(&["plan"])?.expect_failure().expect_contains("error 100002");
    watch.run(&["destroy", "-auto-approve", "-refresh=false"])?.expect_failure().expect_contains("error 100002");
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn a_secret_key_from_a_variable_stays_secret() -> Result {
    let mut scenario = verbose(Scenario::new()?)?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TF_VAR_key", KEY);
    let provider = r#"variable "key" {
  sensitive = true
}
provider "tencent" {
  secret_key = var.key
}
"#;
    scenario.configure(&(VARIABLE.to_owned() + provider + &this(&sends_secretly(&[START]))))?;
    let mut watch = Watch::over(&scenario);
    watch.run(&["apply", "-auto-approve"])?.expect_success();
    watch.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
    scenario.simulator.add_app(App::new(ID, "another key"));
    watch.run(&["plan"])?.expect_failure().expect_contains("error 70009");
    scenario.workspace.run(&["show", "-json"])?.expect_lacks(KEY);
    watch.expect_no_leak();
    Ok(())
}

#[test]
fn neither_plan_files_nor_state_hold_a_key() -> Result {
    let scenario = verbose(Scenario::new()?)?;
    scenario.configure(&(VARIABLE.to_owned() + &this(&sends_secretly(&[START]))))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.run(&["apply", "tfplan"])?.expect_success();
    scenario.someone_sets(&[END], OTHER_URL);
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();

    let plan = unzipped(&fs::read(scenario.workspace.path().join("tfplan"))?);
    assert!(plan.iter().any(|entry| contains(entry, OTHER_URL)), "this is what a plan file holds");
    let mut searched = plan;
    searched.extend(files(scenario.workspace.path()).into_iter().map(|(_, content)| content));
    searched.push(scenario.run(&["show", "-json", "tfplan"])?.stdout().as_bytes().to_vec());
    let user_sigs = user_sigs(&scenario.simulator);
    for secret in user_sigs.iter().map(String::as_str).chain([KEY]) {
        assert!(!searched.iter().any(|content| contains(content, secret)), "{secret}");
    }
    Ok(())
}

/// Returns the entries of a zip file, in order. Each begins with a header of 30 bytes, its name and an extra field
/// (PKWARE's APPNOTE, 4.3.7). A deflated entry marks its own end.
pub(crate) fn unzipped(zip: &[u8]) -> Vec<Vec<u8>> {
    let starts = (0..zip.len().saturating_sub(30)).filter(|&at| zip[at..].starts_with(b"PK\x03\x04"));
    let entry = |at: usize| {
        let number = |offset: usize| usize::from(u16::from_le_bytes([zip[at + offset], zip[at + offset + 1]]));
        let content = &zip[at + 30 + number(26) + number(28)..];
        let mut entry = Vec::new();
        match number(8) {
            8 => DeflateDecoder::new(content).read_to_end(&mut entry).map(drop).expect("a deflated entry"),
            _ => entry.extend_from_slice(content),
        }
        entry
    };
    starts.map(entry).collect()
}
