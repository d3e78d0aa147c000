//! The example `examples/plan-review` does what it promises: its policy tells good plans from bad ones, and its
//! configuration is valid and passes its own tests.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tencent_simulator::Simulator;
use terraform_cli::{Error, Mirror, Terraform, Workspace, python_with};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan-review")
}

/// A copy of the example, as an infra repository would have it.
fn repository(simulator: &Simulator) -> Result<Workspace, Error> {
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    let mut workspace = Workspace::new(&Terraform::find()?, &Mirror::new(provider, env!("CARGO_PKG_VERSION"))?)?;
    workspace
        .env("NO_PROXY", "127.0.0.1")
        .env("TENCENT_ENDPOINT", simulator.url())
        .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
        .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
    for file in ["versions.tf", "main.tf", "tests/callback.tftest.hcl"] {
        workspace.write(file, &fs::read_to_string(folder().join(file)).expect(file))?;
    }
    workspace.init()?.expect_success();
    Ok(workspace)
}

/// What a Python program prints when it reads `input`.
fn python(package: &str, version: &str, program: &str, argument: &Path, input: &str) -> Result<String, Error> {
    let mut child = Command::new(python_with(package, version)?)
        .args(["-c", program])
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "Python failed");
    Ok(String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned())
}

/// What the policy says of a plan, a violation a line. PyPI's `jq` is jq itself as a Python module.
fn violations(plan: &Value) -> Result<String, Error> {
    const RUN: &str = "import jq, sys
program = jq.compile(open(sys.argv[1]).read(), args={'hosts': ['hooks.example.com']})
print('\\n'.join(program.input_text(sys.stdin.read()).all()))";
    python("jq", "1.13.0", RUN, &folder().join("policy.jq"), &plan.to_string())
}

fn yaml(file: &str) -> Result<Value, Error> {
    // BaseLoader: every scalar stays a string, also the key `on`.
    const READ: &str = "import json, sys, yaml
print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))";
    Ok(serde_json::from_str(&python("PyYAML", "6.0.3", READ, &folder().join(file), "")?).expect("JSON"))
}

#[test]
fn the_key_never_meets_a_pull_request() -> Result<(), Error> {
    let workflow = yaml(".github/workflows/callback.yml")?;
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let (plan, apply) = (jobs["plan"].to_string(), jobs["apply"].to_string());
    assert!(plan.contains("secrets.TENCENT_PLAN_USER_SIG") && !plan.contains("SECRET_KEY"), "{plan}");
    assert!(!workflow["env"].to_string().contains("secrets."));
    assert!(apply.contains("secrets.TENCENT_SECRET_KEY"), "{apply}");
    assert_eq!(jobs["apply"]["if"], "github.event_name == 'push'");
    assert_eq!(workflow["on"]["push"]["branches"], json!(["main"]));

    let atlantis = yaml("atlantis.yaml")?;
    let workflow = atlantis["projects"][0]["workflow"].as_str().expect("a workflow");
    assert!(atlantis["workflows"][workflow]["plan"].to_string().contains("policy.jq"));
    Ok(())
}

#[test]
fn the_policy_tells_good_plans_from_bad_ones() -> Result<(), Error> {
    let simulator = Simulator::start().expect("a simulator");
    let workspace = repository(&simulator)?;

    let good = workspace.plan_json(&[])?;
    assert_eq!(violations(&good)?, "");

    let bad = workspace.plan_json(&["-var=callback_url=https://hooks.example.com@evil.example.net/x?token=tok3n"])?;
    assert_eq!(violations(&bad)?, "tencent_call_callback.this: the host evil.example.net is not allowed");

    let plain = json!({"resource_changes": [{
        "address": "tencent_call_callback.this", "mode": "managed", "type": "tencent_call_callback",
        "change": {"actions": ["update"], "after": {"url": "http://HOOKS.example.com/"}, "after_unknown": {}},
    }]});
    assert_eq!(violations(&plain)?, "tencent_call_callback.this: the URL is not https");

    let secret = json!({"resource_changes": [{
        "address": "tencent_call_callback.this", "mode": "managed", "type": "tencent_call_callback",
        "change": {"actions": ["create"], "after": {"url": null, "url_wo": null}, "after_unknown": {}},
    }]});
    assert_eq!(
        violations(&secret)?,
        "tencent_call_callback.this: the URL is not in the plan (url_wo), so nobody can review it"
    );

    workspace.write("main.tf", UNKNOWN)?;
    assert_eq!(
        violations(&workspace.plan_json(&[])?)?,
        "tencent_call_callback.this: the URL is not known before apply, so nobody can review it"
    );
    Ok(())
}

const UNKNOWN: &str = r#"
resource "terraform_data" "host" {}

resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/${terraform_data.host.id}"
  callback_commands = ["Call.CallbackAfterEndCall"]
}
"#;

#[test]
fn a_destroy_is_no_violation() -> Result<(), Error> {
    let simulator = Simulator::start().expect("a simulator");
    let workspace = repository(&simulator)?;
    workspace.run(&["apply", "-auto-approve"])?.expect_success();
    assert_eq!(violations(&workspace.plan_json(&["-destroy"])?)?, "");
    Ok(())
}

#[test]
fn the_configuration_is_valid_and_passes_its_tests() -> Result<(), Error> {
    let simulator = Simulator::start().expect("a simulator");
    let workspace = repository(&simulator)?;
    workspace.run(&["fmt", "-check", "-diff", "-recursive"])?.expect_success();
    workspace.run(&["validate"])?.expect_success();
    workspace.run(&["test"])?.expect_success().expect_contains("2 passed, 0 failed");
    assert!(simulator.requests().is_empty(), "terraform test needs no Tencent");
    workspace
        .run(&["plan", "-var=callback_url=http://hooks.example.com/"])?
        .expect_failure()
        .expect_contains("must be https");
    Ok(())
}
