//! The policy's decisions about plans: real ones of Terraform's, and malformed ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use tencent_simulator::Simulator;
use terraform_cli::{Feature, GoProgram, Mirror, Terraform, Workspace, not_run};

use crate::ADDRESS;
use crate::machine::{Result, edit, jq, kit, path_with, program};

/// The kit's policy, in one of its two languages.
struct Policy {
    directory: TempDir,
    conftest: Option<PathBuf>,
}

impl Policy {
    /// Returns the policy for jq and its script, with a Terraform that only shows plans.
    fn for_jq() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        for file in ["check-plan.sh", "policy.jq", "policy.json", "policy.rego"] {
            fs::copy(kit().join(file), directory.path().join(file))?;
        }
        fs::create_dir(directory.path().join("bin"))?;
        jq(&directory.path().join("bin"))?;
        program(&directory.path().join("bin/terraform"), "#!/bin/sh\ncat \"$3\"\n")?;
        Ok(Self { directory, conftest: None })
    }

    /// Returns the policy for this conftest.
    fn for_conftest(conftest: PathBuf) -> Result<Self> {
        Ok(Self { conftest: Some(conftest), ..Self::for_jq()? })
    }

    /// Lists these resources, and no others, in `allow_destroy` or `allow_overwrite`.
    fn allow(&self, list: &str, addresses: &[&str]) -> Result {
        let file = self.directory.path().join("policy.json");
        let mut policy: Value = serde_json::from_str(&fs::read_to_string(kit().join("policy.json"))?)?;
        policy[list] = json!(addresses);
        Ok(fs::write(file, policy.to_string())?)
    }

    /// Returns the policy's objections to a plan.
    fn violations(&self, plan: &Value) -> Result<Vec<String>> {
        fs::write(self.directory.path().join("plan"), plan.to_string())?;
        let checked = self.check()?;
        let text = String::from_utf8(checked.stdout)?;
        let violations: Vec<_> = if self.conftest.is_some() {
            let results: Value = serde_json::from_str(&text)?;
            let failures = results[0]["failures"].as_array().into_iter().flatten();
            failures.filter_map(|failure| failure["msg"].as_str()).map(str::to_owned).collect()
        } else {
            text.lines().map(str::to_owned).collect()
        };
        let error = String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.success(), violations.is_empty(), "{text}{error}");
        Ok(violations)
    }

    fn check(&self) -> Result<Output> {
        let mut command = if let Some(conftest) = &self.conftest {
            let mut command = Command::new(conftest);
            command.args(["test", "--parser", "json", "--output", "json"]);
            command.args(["--policy", "policy.rego", "--data", "policy.json", "plan"]);
            command
        } else {
            let mut command = Command::new("bash");
            command.args(["check-plan.sh", "plan"]).env("PATH", path_with(&self.directory.path().join("bin"))?);
            command
        };
        Ok(command.current_dir(self.directory.path()).output()?)
    }
}

/// Creates a workspace with this configuration, whose provider calls this simulator.
pub(crate) fn workspace(simulator: &Simulator, configuration: &str) -> Result<Workspace> {
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    let mut workspace = Workspace::new(&Terraform::find()?, &Mirror::new(provider, env!("CARGO_PKG_VERSION"))?)?;
    workspace
        .env("NO_PROXY", "127.0.0.1")
        .env("TENCENT_ENDPOINT", simulator.url())
        .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
        .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
    workspace.write("versions.tf", VERSIONS)?;
    workspace.write("main.tf", configuration)?;
    workspace.init()?.expect_success();
    Ok(workspace)
}

const VERSIONS: &str = r#"
terraform {
  required_providers {
    tencent = {
      source = "callkit/tencent"
    }
  }
}
"#;

/// Writes one resource of each kind that the policy knows, with these arguments.
fn each_kind(arguments: &str) -> String {
    let callback = |service: &str, events: &str| {
        format!(
            r#"resource "tencent_{service}_callback" "this" {{
  url = "https://hooks.example.com/{service}"
  {events}
  {arguments}
}}
"#
        )
    };
    [
        callback("call", r#"callback_commands = ["Call.CallbackAfterEndCall"]"#),
        callback("legacy_call", r#"callback_actions = ["normal_end"]"#),
        callback("room", r#"callback_commands = ["Room.CallbackAfterCreateRoom"]"#),
        callback("live", r#"callback_commands = ["Live.CallbackAfterCreateRoom"]"#),
        format!(
            r#"resource "tencent_live_callback_token" "this" {{
  token = "t0ken"
  {arguments}
}}
"#
        ),
    ]
    .concat()
}

/// A resource whose `output` is true, and known only after apply.
const LATER: &str = r#"resource "terraform_data" "later" {
  input = true
}"#;

/// Returns the violation for each kind.
fn of_each(violation: &str) -> Vec<String> {
    let kinds = ["call_callback", "legacy_call_callback", "live_callback", "live_callback_token", "room_callback"];
    kinds.iter().map(|kind| format!("tencent_{kind}.this: {violation}")).collect()
}

#[test]
fn the_policy_guards_each_kind_of_resource() -> Result {
    guards_each_kind_of_resource(&Policy::for_jq()?)
}

#[test]
fn the_policy_requires_the_url_in_the_plan() -> Result {
    requires_the_url_in_the_plan(&Policy::for_jq()?)
}

#[test]
#[ignore = "builds a Go program; .ci/run runs it"]
fn conftest_decides_as_jq_does() -> Result {
    if CONFTEST.lacks_go()? {
        not_run("because Go is not on this machine");
        return Ok(());
    }
    let policy = Policy::for_conftest(CONFTEST.install()?)?;
    guards_each_kind_of_resource(&policy)?;
    requires_the_url_in_the_plan(&policy)?;
    fs::write(policy.directory.path().join("policy.json"), "{}")?;
    assert_eq!(policy.violations(&json!({}))?, ["policy.json has no allow_destroy", "policy.json has no hosts"]);
    fs::write(policy.directory.path().join("plan"), "")?;
    assert!(!policy.check()?.status.success(), "an unreadable plan");
    Ok(())
}

const CONFTEST: GoProgram = GoProgram {
    name: "conftest",
    module: "github.com/open-policy-agent/conftest",
    version: "0.71.1",
    sum: "h1:M6MogKBsr76V7WVTgGgyGvKUsDtzFA3gaOrl7ciyqvQ=",
    package: ".",
    go: "1.26.8",
};

fn guards_each_kind_of_resource(policy: &Policy) -> Result {
    let simulator = Simulator::start()?;
    let overwriting = format!("{LATER}\n{}", each_kind("overwrite_existing = terraform_data.later.output"));
    let workspace = workspace(&simulator, &overwriting)?;
    let overwrites = "overwrite_existing is not false, so what someone else has set would be overwritten";
    assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, of_each(overwrites));
    workspace.write("main.tf", &each_kind("overwrite_existing = true"))?;
    assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, of_each(overwrites));
    policy.allow("allow_overwrite", &[ADDRESS, "tencent_legacy_call_callback.this"])?;
    assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, of_each(overwrites)[2..]);
    policy.allow("allow_overwrite", &[])?;

    workspace.write("main.tf", &each_kind(""))?;
    assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, [""; 0]);
    workspace.run(&["apply", "-auto-approve"])?.expect_success();
    assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, [""; 0]);

    let destroy = workspace.plan_json(&["-destroy"])?;
    assert_eq!(policy.violations(&destroy)?, of_each("it would be destroyed"));
    policy.allow("allow_destroy", &["tencent_call_callback.this", "tencent_legacy_call_callback.this"])?;
    let denied = policy.violations(&destroy)?;
    assert_eq!(denied, [&of_each("it would be destroyed")[2..]].concat());

    let replace = workspace.plan_json(&["-replace=tencent_room_callback.this", &format!("-replace={ADDRESS}")])?;
    assert_eq!(policy.violations(&replace)?, ["tencent_room_callback.this: it would be destroyed and created again"]);
    policy.allow("allow_destroy", &[])?;

    // `removed` only forgets the resource.
    if workspace.terraform().has(Feature::Removed) {
        let removed = "removed {
  from = tencent_call_callback.this
  lifecycle {
    destroy = false
  }
}
";
        let all = each_kind("");
        let (_, others) = all.split_once("}\n").ok_or("a block")?;
        workspace.write("main.tf", &format!("{removed}{others}"))?;
        assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, [""; 0]);
    }
    workspace.write("main.tf", &each_kind(r#"deletion_policy = "ABANDON""#))?;
    workspace.run(&["apply", "-auto-approve"])?.expect_success();
    assert_eq!(policy.violations(&workspace.plan_json(&["-destroy"])?)?, [""; 0]);
    Ok(())
}

fn requires_the_url_in_the_plan(policy: &Policy) -> Result {
    let simulator = Simulator::start()?;
    let workspace = workspace(&simulator, "")?;
    let plan = |url: &str| {
        workspace.write(
            "main.tf",
            &format!(
                r#"resource "terraform_data" "host" {{}}

resource "tencent_call_callback" "this" {{
  {url}
  callback_commands = ["Call.CallbackAfterEndCall"]
}}
"#
            ),
        )?;
        policy.violations(&workspace.plan_json(&[])?)
    };
    for (url, expected) in [
        (r#"url = "https://hooks.example.com/x?token=t0ken""#, None),
        (r#"url = "https://HOOKS.example.com:8443/x""#, None),
        (r#"url = "http://hooks.example.com/""#, Some("the URL is not https")),
        (
            r#"url = "https://hooks.example.com@evil.example.net/x?token=t0ken""#,
            Some("the host evil.example.net is not allowed"),
        ),
        (r#"url = "https://evil.example.net/@hooks.example.com""#, Some("the host evil.example.net is not allowed")),
        (r#"url = "https://evil.example.net/hooks.example.com""#, Some("the host evil.example.net is not allowed")),
        (
            r#"url = "https://hooks.example.com/${terraform_data.host.id}""#,
            Some("the URL is not known before apply, so nobody can review it"),
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|violation| format!("{ADDRESS}: {violation}")).collect();
        assert_eq!(plan(url).map_err(|error| format!("{url}: {error}"))?, expected, "{url}");
    }
    if workspace.terraform().has(Feature::WriteOnly) {
        assert_eq!(
            plan(
                r#"url_wo = "https://hooks.example.com/"
  url_wo_version = 1"#
            )?,
            [format!("{ADDRESS}: the URL is not in the plan (url_wo), so nobody can review it")]
        );
        // The README says how to allow it.
        let message = "\"the URL is not in the plan (url_wo), so nobody can review it\"";
        edit(&policy.directory.path().join("policy.jq"), message, "empty")?;
        edit(&policy.directory.path().join("policy.rego"), &format!("{{{message}}}"), "set()")?;
        assert_eq!(policy.violations(&workspace.plan_json(&[])?)?, [""; 0]);
    }
    Ok(())
}

#[test]
fn the_policy_refuses_an_unreadable_plan() -> Result {
    let policy = Policy::for_jq()?;
    fs::write(policy.directory.path().join("bin/terraform"), "#!/bin/sh\nexit 1\n")?;
    assert!(!policy.check()?.status.success());
    Ok(())
}
