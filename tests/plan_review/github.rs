//! Runs jobs of the kit's workflows as GitHub does. It supports what these workflows use, and refuses everything else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use terraform_cli::Output;

use crate::machine::{Machine, Result, yaml};

/// The repository's name.
pub(crate) const REPOSITORY: &str = "acme/tencent-infra";
/// The token that GitHub makes for a run.
pub(crate) const TOKEN: &str = "gh-token";

/// Returns the event of a new or changed pull request of the repository itself.
pub(crate) fn pull_request(number: u64) -> Value {
    json!({ "pull_request": { "number": number, "head": { "repo": { "full_name": REPOSITORY } } } })
}

/// One run of a workflow, for one event.
pub(crate) struct Run<'a> {
    machine: &'a Machine,
    branch: String,
    directory: PathBuf,
    workflow: Value,
    github: Value,
}

/// A finished job.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// The steps that ran a script, by name or script.
    pub(crate) steps: Vec<(String, Output)>,
    pub(crate) summary: String,
}

impl Job {
    pub(crate) fn step(&self, name: &str) -> &Output {
        let step = self.steps.iter().find(|(of, _)| of == name);
        &step.unwrap_or_else(|| panic!("the step {name} did not run: {self:#?}")).1
    }

    /// Returns the step that failed.
    pub(crate) fn failed(&self) -> Option<&str> {
        self.steps.iter().find(|(_, output)| !output.success()).map(|(name, _)| &**name)
    }

    #[track_caller]
    pub(crate) fn expect_success(&self) -> &Self {
        assert_eq!(
            self.failed(),
            None,
            "{}",
            self.steps.iter().map(|(_, output)| output.to_string()).collect::<String>()
        );
        self
    }

    #[track_caller]
    pub(crate) fn expect_failed(&self, step: &str) -> &Self {
        assert_eq!(self.failed(), Some(step), "{self:#?}");
        self
    }
}

impl<'a> Run<'a> {
    /// Starts the run for a push to the branch.
    pub(crate) fn push(machine: &'a Machine, branch: &str) -> Result<Self> {
        Self::new(machine, "callback", branch, json!({ "event_name": "push", "token": TOKEN }))
    }

    /// Starts the run that looks for drift.
    pub(crate) fn schedule(machine: &'a Machine) -> Result<Self> {
        Self::new(machine, "drift", "main", json!({ "event_name": "schedule", "token": TOKEN }))
    }

    /// Starts the run for a new or changed pull request of the branch.
    pub(crate) fn pull_request(machine: &'a Machine, branch: &str, number: u64) -> Result<Self> {
        let github = json!({
            "event_name": "pull_request",
            "token": TOKEN,
            "repository": REPOSITORY,
            "event": pull_request(number),
        });
        Self::new(machine, "callback", branch, github)
    }

    fn new(machine: &'a Machine, workflow: &str, branch: &str, github: Value) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("run-").tempdir_in(machine.path(""))?.keep();
        machine.check_out(branch, &directory.join("workflow"))?;
        let workflow = yaml(&directory.join(format!("workflow/.github/workflows/{workflow}.yml")))?;
        let event = github["event_name"].as_str().unwrap_or_default();
        assert!(workflow["on"].get(event).is_some(), "the workflow does not run on {event}");
        Ok(Self { machine, branch: branch.to_owned(), directory, workflow, github })
    }

    /// Runs a job to its end. Returns none if its condition does not hold.
    pub(crate) fn job(&self, name: &str) -> Result<Option<Job>> {
        let job = &self.workflow["jobs"][name];
        let secrets = self.machine.secrets(job["environment"].as_str())?;
        let context = json!({ "github": self.github, "secrets": secrets });
        if !condition(job, &context, true)? {
            return Ok(None);
        }
        let workspace = self.directory.join(name);
        let summary = self.directory.join("summary.md");
        fs::write(&summary, "")?;
        let mut environment = environment(&self.workflow, &context)?;
        environment.push(("GITHUB_STEP_SUMMARY".to_owned(), summary.to_string_lossy().into_owned()));
        let mut done = Job::default();
        self.steps(&job["steps"], &workspace, &context, &environment, &mut done)?;
        done.summary = fs::read_to_string(&summary)?;
        Ok(Some(done))
    }

    fn steps(
        &self,
        steps: &Value,
        workspace: &Path,
        context: &Value,
        outer: &[(String, String)],
        done: &mut Job,
    ) -> Result {
        // With the outputs of these steps: a composite action has its own.
        let mut context = context.clone();
        for step in steps.as_array().ok_or("no steps")? {
            if !condition(step, &context, done.failed().is_none())? {
                continue;
            }
            if let Some(uses) = step["uses"].as_str() {
                self.uses(uses, &step["with"], workspace, &context, outer, done)?;
                continue;
            }
            let script = step["run"].as_str().ok_or("a step without a script")?;
            assert!(!script.contains("${{"), "an expression in a script can run what others write: {script}");
            let mut environment = outer.to_vec();
            environment.extend(self::environment(step, &context)?);
            let outputs = self.directory.join("outputs");
            fs::write(&outputs, "")?;
            environment.push(("GITHUB_OUTPUT".to_owned(), outputs.to_string_lossy().into_owned()));
            let file = self.directory.join("script.sh");
            fs::write(&file, script)?;
            let file = file.to_string_lossy();
            let program = match step["shell"].as_str().or(self.workflow["defaults"]["run"]["shell"].as_str()) {
                Some("bash") => vec!["bash", "--noprofile", "--norc", "-eo", "pipefail", &file],
                None => vec!["bash", "-e", &file],
                Some(other) => return Err(format!("unknown shell: {other}").into()),
            };
            let output = self.machine.run(&program, workspace, &environment)?;
            if let Some(id) = step["id"].as_str() {
                for (name, value) in fs::read_to_string(&outputs)?.lines().filter_map(|line| line.split_once('=')) {
                    context["steps"][id]["outputs"][name] = value.into();
                }
            }
            done.steps.push((step["name"].as_str().unwrap_or(script).to_owned(), output));
        }
        Ok(())
    }

    fn uses(
        &self,
        action: &str,
        with: &Value,
        workspace: &Path,
        context: &Value,
        outer: &[(String, String)],
        done: &mut Job,
    ) -> Result {
        let artifact =
            || Ok::<_, &str>(self.directory.join(format!("artifact-{}", with["name"].as_str().ok_or("a name")?)));
        match action.split('@').next().unwrap_or_default() {
            "actions/checkout" => self.machine.check_out(&self.branch, workspace)?,
            local if local.starts_with("./") => {
                let action = yaml(&workspace.join(local).join("action.yml"))?;
                self.steps(&action["runs"]["steps"], workspace, context, outer, done)?;
            }
            "actions/upload-artifact" => {
                let file = with["path"].as_str().ok_or("a path")?;
                fs::create_dir(artifact()?)?;
                fs::copy(workspace.join(file), artifact()?.join(file))?;
            }
            "actions/download-artifact" => {
                for file in fs::read_dir(artifact()?)?.flatten() {
                    fs::copy(file.path(), workspace.join(file.file_name()))?;
                }
            }
            // The machine has Terraform, the role, and an empty cache.
            "hashicorp/setup-terraform" | "aws-actions/configure-aws-credentials" | "actions/cache" => {}
            other => return Err(format!("unknown action: {other}").into()),
        }
        Ok(())
    }
}

/// Returns the variables that a step or the workflow sets.
fn environment(of: &Value, context: &Value) -> Result<Vec<(String, String)>> {
    let set = of["env"].as_object().into_iter().flatten();
    set.map(|(name, value)| {
        let text = value.as_str().ok_or("a text")?;
        let expression = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
        Ok((name.clone(), expression.map_or_else(|| text.to_owned(), |it| evaluate(it.trim(), context))))
    })
    .collect()
}

/// Returns whether a job or a step runs.
fn condition(of: &Value, context: &Value, successful: bool) -> Result<bool> {
    let text = of["if"].as_str().unwrap_or("success()");
    let text = text.trim_start_matches("${{").trim_end_matches("}}").trim();
    let holds = |term: &str| match (term.trim(), term.split_once("==")) {
        ("!cancelled()", _) => Ok(true),
        ("success()", _) => Ok(successful),
        (_, Some((left, right))) => Ok(evaluate(left.trim(), context) == evaluate(right.trim(), context)),
        (other, None) => Err(format!("unknown condition: {other}")),
    };
    let all = |terms: &str| terms.split("&&").map(holds).try_fold(true, |all, one| Ok::<_, String>(all & one?));
    let any = text.split("||").map(all).try_fold(false, |any, one| Ok::<_, String>(any | one?))?;
    // A condition without a status function requires success.
    Ok(any && (successful || text.contains("()")))
}

/// Evaluates a literal or a path in the context. Like GitHub, returns an empty string for a missing value.
fn evaluate(expression: &str, context: &Value) -> String {
    if let Some(literal) = expression.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return literal.to_owned();
    }
    match expression.split('.').fold(context, |value, name| &value[name]) {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
