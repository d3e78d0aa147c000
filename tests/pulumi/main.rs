//! The provider under Pulumi, whose bridge takes the place of Terraform: it keeps the state, and decides what to call when.
//!
//! The tests run Pulumi's own CLI and bridge, with a stack in a directory and a program in YAML.

#[path = "../services/mod.rs"]
mod services;

use std::error::Error;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tencent_simulator::{Configuration, Service, Simulator};
use terraform_cli::{Output, Pulumi, not_run, run};

use services::CALL;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const URL: &str = "https://hooks.example.com/tencent/call?token=a-secret";
const OTHER_URL: &str = "https://other.example.com/calls";
const THIRD_URL: &str = "https://third.example.com/calls";
const TYPE: &str = "tencent:index/callCallback:CallCallback";

/// Tencent (the simulator) and a user of Pulumi with one stack.
struct Stack {
    simulator: Simulator,
    pulumi: Pulumi,
    directory: TempDir,
    /// The program as `pulumi package add` leaves it, without resources.
    package: String,
}

impl Stack {
    /// Creates a stack that uses the provider. Without Go, the calling test does not run.
    fn new() -> Result<Option<Self>> {
        if Pulumi::lacks_go()? {
            not_run("because Go is not on this machine");
            return Ok(None);
        }
        let (simulator, pulumi, directory) = (Simulator::start()?, Pulumi::install()?, tempfile::tempdir()?);
        let mut stack = Self { simulator, pulumi, directory, package: "name: calls\nruntime: yaml\n".to_owned() };
        fs::create_dir(stack.directory.path().join("state"))?;
        stack.program("")?;
        let bridge = stack.pulumi.bridge().display().to_string();
        let provider = env!("CARGO_BIN_EXE_terraform-provider-tencent");
        for arguments in [
            &["plugin", "install", "resource", "terraform-provider", "v0.0.0-dev", "--file", &bridge][..],
            &["package", "add", "terraform-provider", provider],
        ] {
            stack.run(arguments)?.expect_success();
        }
        stack.package = fs::read_to_string(stack.directory.path().join("Pulumi.yaml"))?;
        stack.pulumi("stack init test")?.expect_success();
        Ok(Some(stack))
    }

    /// Writes a program with these lines.
    fn program(&self, lines: &str) -> Result {
        Ok(fs::write(self.directory.path().join("Pulumi.yaml"), format!("{}{lines}", self.package))?)
    }

    /// Writes a program with one resource.
    fn resource(&self, name: &str, properties: &Value) -> Result {
        // JSON is YAML, too.
        self.program(&format!("resources: {}\n", json!({ name: { "type": TYPE, "properties": properties } })))
    }

    /// Writes a program with the resource `this`.
    fn this(&self, properties: &Value) -> Result {
        self.resource("this", properties)
    }

    /// Runs Pulumi with these arguments, which have no spaces in them.
    fn pulumi(&self, arguments: &str) -> Result<Output> {
        self.run(&arguments.split(' ').collect::<Vec<_>>())
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.pulumi.command(arguments);
        let directory = self.directory.path();
        command
            .current_dir(directory)
            .env("PULUMI_HOME", directory.join("home"))
            .env("PULUMI_BACKEND_URL", format!("file://{}", directory.join("state").display()))
            .env("PULUMI_CONFIG_PASSPHRASE", "a passphrase")
            .env("TENCENT_ENDPOINT", self.simulator.url())
            .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
            .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
        Ok(run(command, format!("`pulumi {}`", arguments.join(" ")))?)
    }

    /// Makes somebody else replace the configuration at Tencent.
    fn replace(&self, url: &str) {
        self.simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, Configuration::new(url, [CALL.end]));
    }

    /// Returns the URL of the configuration at Tencent.
    fn url(&self) -> Option<String> {
        let configuration = self.simulator.configuration(Service::Call, Simulator::SDK_APP_ID);
        configuration.map(|configuration| configuration.url)
    }
}

/// Returns the program in the guide.
fn program_of_the_guide() -> Result<String> {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/other-engines.md"))?;
    let program = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(program.ok_or("the guide has no program")?.to_owned())
}

fn with_url(url: &str) -> Value {
    json!({ "url": url, "callbackCommands": [CALL.start] })
}

fn with_hidden_url(url: &str, version: u32) -> Value {
    json!({ "urlWo": url, "urlWoVersion": version, "callbackCommands": [CALL.start] })
}

#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn a_configuration_is_created_changed_and_deleted() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.this(&with_url(URL))?;
    stack.pulumi("preview")?.expect_success().expect_contains("+ 2 to create");
    assert_eq!(stack.url(), None);
    stack.pulumi("up --yes")?.expect_success().expect_contains("+ 2 created").expect_lacks("[WARNING]");
    assert_eq!(stack.url().as_deref(), Some(URL));
    stack.pulumi("up --yes")?.expect_success().expect_contains("2 unchanged");
    stack.pulumi("refresh --yes")?.expect_success().expect_contains("2 unchanged");

    stack.this(&with_url(OTHER_URL))?;
    stack.pulumi("preview")?.expect_success().expect_contains("[diff: ~url]");
    assert_eq!(stack.url().as_deref(), Some(URL));
    stack.pulumi("up --yes")?.expect_success().expect_contains("~ 1 updated").expect_lacks("[WARNING]");
    assert_eq!(stack.url().as_deref(), Some(OTHER_URL));

    stack.pulumi("stack export --show-secrets")?.expect_success().expect_lacks(Simulator::SECRET_KEY);
    stack.pulumi("destroy --yes")?.expect_success().expect_contains("- 2 deleted").expect_lacks("[WARNING]");
    assert_eq!(stack.url(), None);
    Ok(())
}

/// The bridge plans an object with its old inputs, and then with the new ones, in one process.
#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn a_changed_url_is_applied_by_the_command_that_refreshes() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.this(&with_url(URL))?;
    stack.pulumi("up --yes")?.expect_success();
    for (theirs, ours) in [(None, OTHER_URL), (Some("https://theirs.example.com"), THIRD_URL)] {
        theirs.into_iter().for_each(|url| stack.replace(url));
        stack.this(&with_url(ours))?;
        stack.pulumi("preview --refresh")?.expect_success().expect_contains("~ 1 to update").expect_lacks("[WARNING]");
        stack.pulumi("up --yes --refresh")?.expect_success().expect_contains("~ 1 updated").expect_lacks("[WARNING]");
        assert_eq!(stack.url().as_deref(), Some(ours));
    }
    stack.simulator.remove_configuration(Service::Call, Simulator::SDK_APP_ID);
    stack.pulumi("up --yes --refresh")?.expect_success().expect_contains("+ 1 created");
    assert_eq!(stack.url().as_deref(), Some(THIRD_URL));
    Ok(())
}

#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn an_existing_configuration_is_not_overwritten_but_imported() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.replace(OTHER_URL);
    stack.this(&with_url(URL))?;
    for command in ["preview", "up --yes --skip-preview"] {
        let refusal = format!("SDKAppID {} already has a Call callback configuration", Simulator::SDK_APP_ID);
        stack.pulumi(command)?.expect_failure().expect_contains(&refusal);
    }
    assert_eq!(stack.url().as_deref(), Some(OTHER_URL));

    let id = Simulator::SDK_APP_ID;
    stack
        .pulumi(&format!("import {TYPE} this {id} --yes --protect=false"))?
        .expect_success()
        .expect_contains("= 1 imported");
    stack.this(&json!({ "url": OTHER_URL, "callbackCommands": [CALL.end] }))?;
    stack.pulumi("up --yes --refresh")?.expect_success().expect_contains("2 unchanged");
    stack.this(&with_url(URL))?;
    stack.pulumi("up --yes")?.expect_success().expect_contains("~ 1 updated");
    assert_eq!(stack.url().as_deref(), Some(URL));
    Ok(())
}

/// Pulumi keeps the URL in its state, encrypted: a write-only argument is a secret input to it.
#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn a_hidden_url_is_changed_with_its_version_and_deleted() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.this(&with_hidden_url(URL, 1))?;
    stack.pulumi("up --yes")?.expect_success().expect_contains("+ 2 created").expect_lacks(URL);
    for (refresh, url, version) in [("--refresh=false", OTHER_URL, 2), ("--refresh", URL, 3)] {
        stack.this(&with_hidden_url(url, version))?;
        stack.pulumi(&format!("up --yes {refresh}"))?.expect_success().expect_contains("[diff: ~urlWoVersion]");
        assert_eq!(stack.url().as_deref(), Some(url));
    }
    stack.pulumi("stack export")?.expect_success().expect_lacks(URL);
    stack.pulumi("stack export --show-secrets")?.expect_success().expect_contains(URL);
    stack.pulumi("destroy --yes")?.expect_success().expect_contains("- 2 deleted").expect_lacks("[WARNING]");
    assert_eq!(stack.url(), None);
    Ok(())
}

#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn another_configuration_is_deleted_only_after_a_refresh_has_shown_it() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    for properties in [with_url(URL), with_hidden_url(URL, 1)] {
        stack.this(&properties)?;
        stack.pulumi("up --yes")?.expect_success();
        stack.replace(OTHER_URL);
        stack.pulumi("destroy --yes")?.expect_failure().expect_contains("has changed since the plan");
        assert_eq!(stack.url().as_deref(), Some(OTHER_URL));
        stack.pulumi("refresh --yes")?.expect_success().expect_contains("callbackCommands");
        stack.pulumi("destroy --yes")?.expect_success().expect_lacks("has changed since the plan");
        assert_eq!(stack.url(), None);
    }
    Ok(())
}

/// Pulumi creates the new resource, and then deletes the old one.
#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn a_renamed_resource_keeps_its_configuration() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.this(&with_url(URL))?;
    stack.pulumi("up --yes")?.expect_success();
    stack.resource("that", &with_url(URL))?;
    stack.pulumi("up --yes")?.expect_success().expect_contains("is kept for another object");
    assert_eq!(stack.url().as_deref(), Some(URL));
    stack.pulumi("destroy --yes")?.expect_success();
    assert_eq!(stack.url(), None);
    Ok(())
}

#[test]
#[ignore = "builds Pulumi, which takes minutes; .github/workflows/platforms.yml runs it"]
fn the_program_in_the_guide_keeps_the_url_secret_and_sees_drift() -> Result {
    let Some(stack) = Stack::new()? else { return Ok(()) };
    stack.program(&program_of_the_guide()?)?;
    stack.pulumi(&format!("config set --secret callbackUrl {URL}"))?.expect_success();
    stack.pulumi("up --yes")?.expect_success().expect_contains("+ 2 created").expect_lacks(URL);
    stack.pulumi("stack export")?.expect_success().expect_lacks(URL);
    stack.replace(OTHER_URL);
    stack.pulumi("up --yes")?.expect_success().expect_contains("~ 1 updated").expect_lacks(URL);
    assert_eq!(stack.url().as_deref(), Some(URL));
    stack.pulumi("destroy --yes")?.expect_success();
    assert_eq!(stack.url(), None);
    Ok(())
}
