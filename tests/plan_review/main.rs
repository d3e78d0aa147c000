//! The kit `examples/plan-review` does what its README promises: every command of the README, and every script of the
//! workflows, of GitLab's jobs and of Atlantis, runs unchanged, on a machine with nothing else of the project.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `machine` | the machine: real Terraform, bash, git and jq; Tencent, the receiver and S3 on loopback; a `gh` that records |
//! | `bucket` | the part of S3 that Terraform's backend uses |
//! | `github` | runs the jobs of the workflows |
//! | `act` | runs the workflow in act, and what it does there |
//! | `actions` | stands in for the actions that need GitHub |
//! | `forge` | runs the workflow in Gitea, which `forge/run` builds |
//! | `policy` | the policy's decisions, row by row |

// The kit's scripts are for bash.
#![cfg(unix)]

mod act;
mod actions;
mod bucket;
mod forge;
mod github;
mod machine;
mod policy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tencent_simulator::{Configuration, Reply, Service, Simulator};
use terraform_cli::{Feature, Flavour, Output, Release, Terraform, needs, python_with};

use github::Run;
use machine::{Machine, Result, edit, kit, yaml};

const ADDRESS: &str = "tencent_call_callback.this";
/// A URL in the kit that the README says to change.
const URL: &str = "https://hooks.example.com/tencent/call";
const ARCHIVES: &str = "https://artifacts.example.com/terraform-provider-tencent";

/// A repository made from the kit.
struct Repository {
    machine: Machine,
    directory: PathBuf,
}

/// Returns the README's command that contains this text: a whole block, as people copy it.
fn command(text: &str) -> Result<String> {
    let readme = fs::read_to_string(kit().join("README.md"))?;
    let mut blocks = blocks(&readme).filter(|block| block.contains(text));
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        return Err(format!("README has no command with {text}, or several").into());
    };
    Ok(block.to_owned())
}

fn blocks(readme: &str) -> impl Iterator<Item = &str> {
    readme.split("```shell\n").skip(1).filter_map(|rest| rest.split("```").next())
}

impl Repository {
    /// Runs the README's commands up to the first push, with the changes it says to make. Skips those that only try things
    /// out; one test runs them all.
    fn new() -> Result<Option<Self>> {
        Self::by_commands(|command| !command.contains("terraform test") && !command.contains("linux_amd64"))
    }

    fn by_commands(runs: impl Fn(&str) -> bool) -> Result<Option<Self>> {
        let Some(machine) = Machine::new()? else { return Ok(None) };
        let readme = fs::read_to_string(kit().join("README.md"))?;
        let [copy, rest @ .., pull_request, probe] = &blocks(&readme).collect::<Vec<_>>()[..] else {
            return Err("the README has no commands".into());
        };
        assert_eq!(
            (*pull_request, *probe),
            (&*command("gh pr create")?, &*command("-invoke=")?),
            "they have their turn"
        );
        machine.bash(copy, &machine.path("provider"), &[])?;
        let directory = machine.path("tencent-infra");
        let repository = Self { machine, directory };
        repository.make_it_ones_own()?;
        for block in rest.iter().filter(|block| runs(block)) {
            repository.machine.bash(block, &repository.directory, &secrets())?;
        }
        Ok(Some(repository))
    }

    /// Makes the changes that the README says to make.
    fn make_it_ones_own(&self) -> Result {
        let url = self.url("call");
        self.edit("main.tf", URL, &url)?;
        self.edit("policy.json", "hooks.example.com", "127.0.0.1")?;
        self.edit("install-provider.sh", ARCHIVES, &format!("file://{}", self.machine.path("archives").display()))?;
        if self.machine.probes() {
            // Only in this test, the receiver is not on the internet.
            return self.edit("probe.tf", "  config {", "  config {\n    allow_private = true");
        }
        fs::remove_file(self.directory.join("probe.tf"))?;
        for (file, step) in [
            (".github/workflows/callback.yml", "- name: Probe"),
            (".gitlab-ci.yml", "- terraform apply -no-color -lock-timeout=5m -auto-approve"),
            ("repos.yaml", "- run: terraform apply"),
        ] {
            let text = fs::read_to_string(self.directory.join(file))?;
            let (before, after) = text.split_once(step).ok_or("no probe")?;
            assert!(after.trim_end().ends_with("-invoke=action.tencent_callback_probe.receiver"), "the probe is last");
            fs::write(self.directory.join(file), before)?;
        }
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.machine.receiver.url())
    }

    /// Replaces a text that is in a file exactly once.
    fn edit(&self, file: &str, from: &str, to: &str) -> Result {
        edit(&self.directory.join(file), from, to)
    }

    fn git(&self, script: &str) -> Result<Output> {
        self.machine.bash(script, &self.directory, &[])
    }

    /// Commits all changes to a branch, new or existing, and pushes it.
    fn commit(&self, branch: &str) -> Result {
        self.git(&format!(
            "git checkout --quiet -B {branch}; git commit --quiet --all --message=Change; git push --quiet origin {branch}"
        ))
        .map(drop)
    }

    fn pushed(&self) -> Result<Run<'_>> {
        Run::push(&self.machine, "main")
    }

    /// Pushes to main, runs both jobs, and returns the second.
    fn applied(&self) -> Result<github::Job> {
        let run = self.pushed()?;
        run.job("plan")?.ok_or("a plan")?.expect_success();
        Ok(run.job("apply")?.ok_or("an apply")?)
    }

    /// Sets a URL at Tencent as someone else does, without Terraform.
    fn configure_elsewhere(&self, url: &str) {
        let commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];
        let configuration = Configuration::new(url, commands);
        self.machine.simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, configuration);
    }

    /// Returns the URL that Tencent holds.
    fn configured(&self) -> Option<String> {
        self.machine.simulator.configuration(Service::Call, Simulator::SDK_APP_ID).map(|it| it.url)
    }
}

/// Returns the credentials of whoever sets the repository up.
fn secrets() -> [(String, String); 2] {
    [
        ("TENCENT_SDK_APP_ID".to_owned(), Simulator::SDK_APP_ID.to_string()),
        ("TENCENT_SECRET_KEY".to_owned(), Simulator::SECRET_KEY.to_owned()),
    ]
}

#[test]
fn the_readme_leads_to_a_reviewed_apply() -> Result {
    let Some(repository) = Repository::by_commands(|_| true)? else { return Ok(()) };
    let machine = &repository.machine;
    let committed = repository.git("git ls-files")?;
    for file in [".github/workflows/callback.yml", ".gitignore", ".terraform.lock.hcl", "backend.tf"] {
        assert!(committed.stdout().lines().any(|line| line == file), "{committed}");
    }
    for ending in [".tfplan", ".zip", ".tfstate"] {
        assert!(!committed.stdout().contains(ending), "{committed}");
    }
    assert_eq!(repository.configured(), None, "nothing is applied yet");
    assert!(machine.receiver.take().is_empty());

    // The first push shows the plan for approval, and then applies it.
    let run = repository.pushed()?;
    let plan = run.job("plan")?.ok_or("a plan")?;
    plan.expect_success();
    assert!(plan.summary.contains("1 to add, 0 to change, 0 to destroy"), "{plan:#?}");
    assert_eq!(repository.configured(), None);
    let apply = run.job("apply")?.ok_or("an apply")?;
    apply.expect_success().step("Apply").expect_contains("1 added, 0 changed, 0 destroyed");
    assert_eq!(repository.configured(), Some(repository.url("call")));
    assert_eq!(machine.bucket.names(), ["/acme-terraform-state/tencent/callback.tfstate"]);
    if machine.probes() {
        let [event] = &machine.receiver.take()[..] else { panic!("one event") };
        assert!(event.target.starts_with("/call?"), "{}", event.target);
        assert_eq!(event.body["CallbackCommand"], "Call.CallbackAfterEndCall");
    }

    // A pull request shows what it changes, and changes nothing.
    repository.edit("main.tf", &repository.url("call"), &repository.url("v2"))?;
    repository.git(&command("gh pr create")?)?;
    let run = Run::pull_request(machine, machine.github("pull-request")?.trim(), 7)?;
    run.job("plan")?.ok_or("a plan")?.expect_success();
    assert!(run.job("apply")?.is_none());
    let comment = machine.github("comment-7")?;
    assert!(comment.contains("/call\" -> \"https://127.0.0.1"), "{comment}");
    assert_eq!(repository.configured(), Some(repository.url("call")));

    // Merging applies it.
    repository.git("git checkout --quiet main && git merge --quiet next-version && git push --quiet")?;
    repository.applied()?.expect_success();
    assert_eq!(repository.configured(), Some(repository.url("v2")));

    // After repairing the receiver, one can probe it.
    if machine.probes() {
        machine.receiver.take();
        let answered = format!("yes yes | TF_INPUT=true {}", command("-invoke=")?.trim());
        machine.run(&["bash", "-ec", &answered], &repository.directory, &secrets())?.expect_success();
        assert_eq!(machine.receiver.take().len(), 1);
    }
    Ok(())
}

#[test]
fn the_comment_says_why_a_job_failed() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    repository.applied()?.expect_success();

    // The policy.
    repository.edit("policy.json", "127.0.0.1", "hooks.example.com")?;
    repository.commit("other-host")?;
    let run = Run::pull_request(machine, "other-host", 1)?;
    // The policy accepts a plan without changes.
    run.job("plan")?.ok_or("a plan")?.expect_success();
    repository.edit("main.tf", &repository.url("call"), &repository.url("v2"))?;
    repository.commit("other-host")?;
    run_fails(machine, "other-host", "Policy", "- :x: tencent_call_callback.this: the host 127.0.0.1 is not allowed")?;

    // A destroy, and how it is allowed.
    repository.git("git checkout --quiet -B destroy main")?;
    let main = fs::read_to_string(repository.directory.join("main.tf"))?;
    let (variable, _) = main.split_once("resource ").ok_or("a resource")?;
    fs::write(repository.directory.join("main.tf"), variable)?;
    fs::remove_dir_all(repository.directory.join("tests"))?;
    repository.commit("destroy")?;
    run_fails(machine, "destroy", "Policy", "- :x: tencent_call_callback.this: it would be destroyed")?;
    repository.edit("policy.json", "destroy\": []", &format!("destroy\": [\"{ADDRESS}\"]"))?;
    repository.commit("destroy")?;
    Run::pull_request(machine, "destroy", 2)?.job("plan")?.ok_or("a plan")?.expect_success();
    assert!(machine.github("comment-2")?.contains("1 to destroy"));

    // A provider whose checksum is not in the lock file.
    repository.git("git checkout --quiet -B provider main")?;
    repository.edit(".terraform.lock.hcl", "\"h1:", "\"h1:A")?;
    repository.commit("provider")?;
    run_fails(machine, "provider", "Init", "There is no plan: an earlier step failed.")?;

    // A plan that fails because the state is lost.
    repository.git("git checkout --quiet -B lost main")?;
    repository.edit("main.tf", &repository.url("call"), &repository.url("v2"))?;
    repository.commit("lost")?;
    machine.bucket.clear();
    run_fails(machine, "lost", "Plan", "already has a Call callback configuration")?;
    assert_eq!(repository.configured(), Some(repository.url("call")));
    Ok(())
}

/// Asserts that a pull request of the branch fails in this step, and that its comment contains this text.
fn run_fails(machine: &Machine, branch: &str, step: &str, comment: &str) -> Result {
    Run::pull_request(machine, branch, 9)?.job("plan")?.ok_or("a plan")?.expect_failed(step).step("Comment");
    let text = machine.github("comment-9")?;
    assert!(one_line(&text).contains(comment), "{text}");
    Ok(())
}

/// Undoes how Terraform wraps a text.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn no_log_or_comment_shows_the_secret_of_a_url() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    repository.configure_elsewhere("https://me:s3cret@legacy.example.com/call?token=s3cret#s3cret");

    // An import, and a change of what it finds.
    let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{}\"\n}}\n", Simulator::SDK_APP_ID);
    fs::write(repository.directory.join("import.tf"), import)?;
    repository.edit("main.tf", &repository.url("call"), &repository.url("call?token=n3ws3cret"))?;
    // OpenTofu's mocks import nothing.
    fs::remove_dir_all(repository.directory.join("tests"))?;
    repository.git("git add --all")?;
    repository.commit("import")?;
    let plan = Run::pull_request(machine, "import", 3)?.job("plan")?.ok_or("a plan")?;
    let comment = machine.github("comment-3")?;
    for shown in [&comment, &plan.summary, &format!("{:?}", plan.expect_success().steps)] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let change = format!(r#""https://***@legacy.example.com/call?***" -> "{}""#, repository.url("call?***"));
    assert!(comment.contains("1 to import") && comment.contains(&change), "{comment}");

    // With a sensitive variable, the diff shows nothing of either URL.
    repository.edit("main.tf", "= string\n", "= string\n  sensitive   = true\n")?;
    repository.commit("import")?;
    Run::pull_request(machine, "import", 3)?.job("plan")?.ok_or("a plan")?.expect_success();
    let comment = machine.github("comment-3")?;
    assert!(comment.contains("= (sensitive value)") && !comment.contains(&change), "{comment}");
    Ok(())
}

#[test]
fn drift_opens_one_issue() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    repository.applied()?.expect_success();
    let drift = || -> Result<github::Job> { Ok(Run::schedule(machine)?.job("drift")?.ok_or("a job")?) };
    let is_quiet = |job: &github::Job| {
        job.expect_success().step("Plan").expect_contains("No changes");
        machine.github("issue").is_err()
    };
    assert!(is_quiet(&drift()?));
    // What is merged and not applied yet is no drift.
    repository.edit("main.tf", &repository.url("call"), &repository.url("v2"))?;
    repository.commit("main")?;
    assert!(is_quiet(&drift()?));

    repository.configure_elsewhere("https://legacy.example.com/call?token=s3cret");
    drift()?.expect_success().step("Issue");
    let issue = machine.github("issue")?;
    assert!(issue.contains("\"https://legacy.example.com/call?***\""), "{issue}");

    // The next night, the same issue shows what has changed since.
    machine.simulator.remove_configuration(Service::Call, Simulator::SDK_APP_ID);
    drift()?.expect_success().step("Issue");
    let issue = machine.github("issue")?;
    assert!(issue.contains(&format!("{ADDRESS} has been deleted")), "{issue}");

    // A plan that fails is no drift.
    machine.simulator.remove_app(Simulator::SDK_APP_ID);
    assert_eq!(drift()?.expect_failed("Plan").step("Plan").code(), Some(1));
    assert_eq!(machine.github("issue")?, issue);
    Ok(())
}

#[test]
fn an_outdated_plan_is_not_applied() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let (first, second) = (repository.pushed()?, repository.pushed()?);
    for run in [&first, &second] {
        run.job("plan")?.ok_or("a plan")?.expect_success();
    }
    first.job("apply")?.ok_or("an apply")?.expect_success();
    second.job("apply")?.ok_or("an apply")?.expect_failed("Apply").step("Apply").expect_contains("Saved plan is stale");

    // The state has not changed, but Tencent's configuration has.
    repository.edit("main.tf", &repository.url("call"), &repository.url("v2"))?;
    repository.commit("main")?;
    let run = repository.pushed()?;
    run.job("plan")?.ok_or("a plan")?.expect_success();
    repository.configure_elsewhere("https://legacy.example.com/");
    run.job("apply")?.ok_or("an apply")?.expect_failed("Apply");
    assert_eq!(repository.configured().as_deref(), Some("https://legacy.example.com/"));
    Ok(())
}

#[test]
fn a_failed_probe_fails_the_job_and_keeps_the_configuration() -> Result {
    needs!(Terraform::find()?, Feature::Actions);
    let Some(repository) = Repository::new()? else { return Ok(()) };
    repository.machine.receiver.replies(Reply { status: "503 Service Unavailable".into(), ..Reply::default() });
    repository.applied()?.expect_failed("Probe").step("Probe").expect_contains("503 Service Unavailable");
    assert_eq!(repository.configured(), Some(repository.url("call")));

    // Running all jobs again succeeds.
    repository.machine.receiver.replies(Reply::default());
    repository.applied()?.expect_success();
    Ok(())
}

#[test]
fn atlantis_applies_the_plan_it_showed() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    let clone = machine.path("atlantis");
    repository.git(&format!("git clone --quiet . '{}'", clone.display()))?;
    let server = yaml(&clone.join("repos.yaml"))?;
    let ours = &server["repos"][0];
    let workflow = &server["workflows"][ours["workflow"].as_str().ok_or("a workflow")?];
    // A pull request changes none of this.
    assert_eq!(ours["allowed_overrides"], json!([]));
    assert_eq!(ours["apply_requirements"], json!(["approved", "mergeable", "undiverged"]));
    let project = yaml(&clone.join("atlantis.yaml"))?["projects"][0].take();
    assert!(project["workflow"].is_null() && project["apply_requirements"].is_null(), "{project}");

    let plan_file = clone.join("default.tfplan").to_string_lossy().into_owned();
    let mut environment = secrets().to_vec();
    environment.push(("PLANFILE".to_owned(), plan_file.clone()));
    // Returns the output of the step that failed, if any.
    let run = |stage: &str| {
        for step in workflow[stage]["steps"].as_array().ok_or("steps")? {
            // The commands of Atlantis's own steps.
            let init = step["init"]["extra_args"].as_array().map(|more| {
                let more = more.iter().filter_map(|argument| argument.as_str());
                ["terraform", "init", "-input=false"].into_iter().chain(more).collect::<Vec<_>>()
            });
            let command = match (step.as_str(), init, step["run"].as_str()) {
                (Some("plan"), ..) => vec!["terraform", "plan", "-input=false", "-refresh", "-out", &plan_file],
                (Some("apply"), ..) => vec!["terraform", "apply", "-input=false", &plan_file],
                (None, Some(init), _) => init,
                (None, None, Some(script)) => vec!["sh", "-c", script],
                _ => return Err(format!("unknown step: {step}").into()),
            };
            let output = machine.run(&command, &clone, &environment)?;
            if !output.success() {
                return Ok(Some(output));
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(None)
    };

    // If the policy refuses a plan, no plan file is left.
    let policy = fs::read_to_string(clone.join("policy.json"))?;
    fs::write(clone.join("policy.json"), policy.replace("127.0.0.1", "hooks.example.com"))?;
    run("plan")?.ok_or("a violation")?.expect_contains("the host 127.0.0.1 is not allowed");
    assert!(!Path::new(&plan_file).exists());
    fs::write(clone.join("policy.json"), policy)?;

    assert!(run("plan")?.is_none());
    assert_eq!(repository.configured(), None);
    assert!(run("apply")?.is_none());
    assert_eq!(repository.configured(), Some(repository.url("call")));
    assert_eq!(machine.receiver.take().len(), usize::from(machine.probes()));
    Ok(())
}

#[test]
fn gitlab_applies_the_plan_it_showed() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    let pipeline = yaml(&repository.directory.join(".gitlab-ci.yml"))?;
    let builds = machine.path("builds");
    fs::create_dir(&builds)?;
    // Runs a job in a new clone: in one shell, with the variables of its environment.
    let run = |name: &str| -> Result<Output> {
        let job = &pipeline[name];
        let workspace = builds.join(name);
        machine.bash(&format!("rm -rf {name} && git clone --quiet ../github/repository.git {name}"), &builds, &[])?;
        for artifact in fs::read_dir(&builds)?.flatten().filter(|it| it.path().is_file()) {
            fs::copy(artifact.path(), workspace.join(artifact.file_name()))?;
        }
        let mut environment = vec![
            ("CI_BUILDS_DIR".to_owned(), builds.to_string_lossy().into_owned()),
            ("STATE_TOKEN".to_owned(), "state-token".to_owned()),
            ("TENCENT_PLAN_USER_SIG".to_owned(), machine.github("secrets/TENCENT_PLAN_USER_SIG")?.trim().to_owned()),
        ];
        if job["environment"] == "production" {
            environment.push(("TENCENT_SECRET_KEY".to_owned(), Simulator::SECRET_KEY.to_owned()));
        }
        for (variable, value) in [&pipeline, job].iter().filter_map(|of| of["variables"].as_object()).flatten() {
            let value = value.as_str().ok_or("a text")?.to_owned();
            let expanded = environment.iter().fold(value, |value, (name, by)| value.replace(&format!("${name}"), by));
            environment.push((variable.clone(), expanded));
        }
        let lines = [&pipeline["default"]["before_script"], &job["script"]];
        let lines = lines.iter().filter_map(|lines| lines.as_array()).flatten().filter_map(|line| line.as_str());
        let script = lines.collect::<Vec<_>>().join("\n");
        let output = machine.run(&["bash", "-e", "-c", &script], &workspace, &environment)?;
        if output.success() {
            for file in job["artifacts"]["paths"].as_array().into_iter().flatten().filter_map(|it| it.as_str()) {
                fs::copy(workspace.join(file), builds.join(file))?;
            }
        }
        Ok(output)
    };

    run("plan")?.expect_success().expect_contains("1 to add, 0 to change, 0 to destroy");
    let report = fs::read_to_string(builds.join("plan/report.json"))?;
    assert_eq!(serde_json::from_str::<Value>(&report)?, json!({ "create": 1, "update": 0, "delete": 0 }));
    assert_eq!(repository.configured(), None);
    run("apply")?.expect_success().expect_contains("1 added, 0 changed, 0 destroyed");
    assert_eq!(repository.configured(), Some(repository.url("call")));
    assert_eq!(machine.receiver.take().len(), usize::from(machine.probes()));

    run("drift")?.expect_success();
    repository.configure_elsewhere("https://legacy.example.com/call?token=s3cret");
    run("drift")?.expect_code(2).expect_contains("https://legacy.example.com/call?***").expect_lacks("s3cret");
    run("plan")?.expect_success().expect_lacks("s3cret");

    repository.edit("policy.json", "127.0.0.1", "hooks.example.com")?;
    repository.commit("main")?;
    run("plan")?.expect_failure().expect_contains("the host 127.0.0.1 is not allowed");

    // Who may see what, and when.
    assert!(!pipeline["plan"].to_string().contains("SECRET_KEY") && !pipeline["variables"].to_string().contains("SIG"));
    assert_eq!(pipeline["apply"]["environment"], "production");
    assert_eq!(pipeline["apply"]["rules"], json!([{ "if": "$CI_PIPELINE_SOURCE == \"push\"", "when": "manual" }]));
    let artifacts = &pipeline["plan"]["artifacts"];
    assert_eq!((&artifacts["access"], &artifacts["expire_in"]), (&json!("developer"), &json!("1 day")));
    Ok(())
}

#[test]
fn a_failed_download_names_its_url() -> Result {
    let directory = tempfile::tempdir()?;
    let archives = format!("file://{}", directory.path().join("none").display());
    let script = fs::read_to_string(kit().join("install-provider.sh"))?.replace(ARCHIVES, &archives);
    let ran = Command::new("bash").args(["-c", &script, "bash", "linux_amd64"]).current_dir(&directory).output()?;
    assert!(!ran.status.success());
    let archive = format!("terraform-provider-tencent_{}_linux_amd64.zip", env!("CARGO_PKG_VERSION"));
    let said = String::from_utf8(ran.stderr)?;
    assert!(said.ends_with(&format!("Cannot download {archives}/{archive}\n")), "{said}");
    Ok(())
}

#[test]
fn pipelines_follow_the_schemas_of_github_and_gitlab() -> Result {
    let python = python_with("check-jsonschema", "0.39.0")?;
    for (schema, files) in [
        ("github-workflows", &[".github/workflows/callback.yml", ".github/workflows/drift.yml"][..]),
        ("github-actions", &[".github/actions/terraform/action.yml"]),
        ("gitlab-ci", &[".gitlab-ci.yml"]),
    ] {
        let schema = format!("vendor.{schema}");
        let checked = Command::new(&python)
            .args(["-m", "check_jsonschema", "--builtin-schema", &schema])
            .args(files)
            .current_dir(kit())
            .output()?;
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
    Ok(())
}

#[test]
fn the_secret_key_is_never_available_to_a_pull_request() -> Result {
    let workflow = yaml(&kit().join(".github/workflows/callback.yml"))?;
    let jobs = workflow["jobs"].as_object().ok_or("jobs")?;
    let (plan, apply) = (jobs["plan"].to_string(), jobs["apply"].to_string());
    assert!(plan.contains("secrets.TENCENT_PLAN_USER_SIG") && !plan.contains("SECRET_KEY"), "{plan}");
    assert!(!workflow["env"].to_string().contains("secrets."));
    assert!(apply.contains("secrets.TENCENT_SECRET_KEY"), "{apply}");
    assert_eq!(jobs["apply"]["if"], "github.event_name == 'push'");
    assert_eq!(jobs["apply"]["environment"], "production");
    assert_eq!(workflow["on"]["push"]["branches"], json!(["main"]));

    // The artifact with the plan is kept for one day only.
    let steps = jobs["plan"]["steps"].as_array().ok_or("steps")?;
    let uploads: Vec<_> =
        steps.iter().filter(|step| step["uses"].as_str().is_some_and(|it| it.contains("upload"))).collect();
    let [upload] = uploads[..] else { return Err("one artifact".into()) };
    assert_eq!(upload["if"], "github.event_name == 'push'");
    assert_eq!(upload["with"]["retention-days"], "1");

    // Plan and apply use the same Terraform: the newest that they run on.
    let action = yaml(&kit().join(".github/actions/terraform/action.yml"))?;
    let newest = Release::newest_on_pypi().version();
    assert_eq!(action["runs"]["steps"][0]["with"]["terraform_version"], newest);
    let gitlab = yaml(&kit().join(".gitlab-ci.yml"))?;
    assert_eq!(gitlab["default"]["image"]["name"], format!("hashicorp/terraform:{newest}"));
    Ok(())
}

#[test]
fn the_kits_configuration_is_valid_and_passes_its_tests() -> Result {
    if !machine::is_new_enough(&Terraform::find()?) {
        return Ok(());
    }
    let simulator = Simulator::start()?;
    let workspace = policy::workspace(&simulator, &fs::read_to_string(kit().join("main.tf"))?)?;
    let tests = "tests/callback.tftest.hcl";
    workspace.write(tests, &fs::read_to_string(kit().join(tests))?)?;
    workspace.run(&["fmt", "-check", "-diff", "-recursive", &kit().to_string_lossy()])?.expect_success();
    workspace.run(&["validate"])?.expect_success();
    workspace.run(&["test"])?.expect_success().expect_contains("2 passed, 0 failed");
    // With OpenTofu, the kit's page says, this has to wait until the import is done.
    if workspace.terraform().flavour() == Flavour::Terraform {
        let import = r#"import {
  to = tencent_call_callback.this
  id = "1400000001"
}
"#;
        workspace.write("import.tf", import)?;
        workspace.run(&["test"])?.expect_success().expect_contains("2 passed, 0 failed");
        workspace.write("import.tf", "")?;
    }
    assert!(simulator.requests().is_empty(), "terraform test needs no Tencent");
    workspace
        .run(&["plan", "-var=callback_url=http://hooks.example.com/"])?
        .expect_failure()
        .expect_contains("must be https");
    Ok(())
}
