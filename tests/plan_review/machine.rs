//! A machine, of a user or a CI runner, with nothing of this project except the kit.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tencent_simulator::{Receiver, Simulator};
use terraform_cli::{Feature, Output, Terraform, not_run, platform, python_with, run};

use crate::bucket::Bucket;

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Returns the folder of the kit.
pub(crate) fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan-review")
}

/// Reads a YAML file. Every scalar stays a string, even the key `on`.
pub(crate) fn yaml(file: &Path) -> Result<Value> {
    const READ: &str = "import json, sys, yaml
print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))";
    let read = Command::new(python_with("PyYAML", "6.0.3")?).args(["-c", READ]).arg(file).output()?;
    Ok(serde_json::from_slice(&read.stdout)?)
}

/// Returns whether the kit accepts this version (see its `versions.tf`). If not, the calling test does not run here.
pub(crate) fn is_new_enough(terraform: &Terraform) -> bool {
    let is_new_enough = (terraform.version().major, terraform.version().minor) >= (1, 11);
    if !is_new_enough {
        not_run(format!("because the kit needs Terraform 1.11 or OpenTofu 1.11, and this is {terraform}"));
    }
    is_new_enough
}

/// Replaces a text that is in a file exactly once.
pub(crate) fn edit(file: &Path, from: &str, to: &str) -> Result {
    let text = fs::read_to_string(file)?;
    assert_eq!(text.matches(from).count(), 1, "{from} in {}", file.display());
    Ok(fs::write(file, text.replace(from, to))?)
}

/// Writes an executable script.
pub(crate) fn program(file: &Path, text: &str) -> Result {
    fs::write(file, text)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

/// Puts `jq` into this directory, unless the machine has one.
pub(crate) fn jq(directory: &Path) -> Result {
    if Command::new("jq").arg("--version").stdout(Stdio::null()).status().is_ok() {
        return Ok(());
    }
    program(&directory.join("jq"), &JQ.replace("PYTHON", &python_with("jq", "1.13.0")?.to_string_lossy()))
}

/// Returns PATH with this directory first.
pub(crate) fn path_with(directory: &Path) -> Result<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = [directory.to_owned()].into_iter().chain(env::split_paths(&path));
    Ok(env::join_paths(directories)?.to_string_lossy().into_owned())
}

/// A machine. Its files are `bin/`, `home/`, `archives/` with a release of the provider, `provider/` with the kit as in a
/// checkout, and `github/` with the arguments of `gh`.
pub(crate) struct Machine {
    root: TempDir,
    environment: BTreeMap<String, String>,
    pub(crate) terraform: Terraform,
    pub(crate) simulator: Simulator,
    pub(crate) receiver: Receiver,
    pub(crate) bucket: Bucket,
}

impl Machine {
    /// Returns none, and notes that the calling test does not run here, if Terraform is older than the kit needs.
    pub(crate) fn new() -> Result<Option<Self>> {
        let terraform = Terraform::find()?;
        if !is_new_enough(&terraform) {
            return Ok(None);
        }
        let machine = Self {
            root: tempfile::Builder::new().prefix("plan-review-").tempdir()?,
            environment: BTreeMap::new(),
            terraform,
            simulator: Simulator::start()?,
            receiver: Receiver::start_tls()?,
            bucket: Bucket::start()?,
        };
        for directory in ["bin", "home", "archives", "provider/examples", "github"] {
            fs::create_dir_all(machine.path(directory))?;
        }
        let copied = Command::new("cp").arg("-r").arg(kit()).arg(machine.path("provider/examples")).status()?;
        assert!(copied.success());
        machine.release()?;
        machine.programs()?;
        Ok(Some(machine.with_environment()?))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Returns whether the kit is used with its probe.
    pub(crate) fn probes(&self) -> bool {
        self.terraform.has(Feature::Actions)
    }

    /// Makes a release of the provider, with the names of `cargo xtask package`.
    fn release(&self) -> Result {
        const ZIP: &str = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive: archive.write(sys.argv[2], sys.argv[3])";
        let version = env!("CARGO_PKG_VERSION");
        let platform = platform(env::consts::OS, env::consts::ARCH);
        let archive = format!("archives/terraform-provider-tencent_{version}_{platform}.zip");
        let zipped = Command::new("python3")
            .args(["-c", ZIP])
            .arg(self.path(&archive))
            .arg(env!("CARGO_BIN_EXE_terraform-provider-tencent"))
            .arg(format!("terraform-provider-tencent_v{version}"))
            .status()?;
        assert!(zipped.success());
        // The kit locks the checksum for this platform, too.
        let runner = self.path(&format!("archives/terraform-provider-tencent_{version}_linux_amd64.zip"));
        if !runner.exists() {
            fs::copy(self.path(&archive), runner)?;
        }
        Ok(())
    }

    /// Installs the programs that the kit runs and not every machine has.
    fn programs(&self) -> Result {
        let bin = self.path("bin");
        program(
            &bin.join("terraform"),
            &format!("#!/bin/sh\nexec '{}' \"$@\"\n", self.terraform.executable().display()),
        )?;
        // Of the container that GitLab's jobs run in.
        program(&bin.join("apk"), "#!/bin/sh\n")?;
        program(&bin.join("gh"), &GH.replace("GITHUB", &self.path("github").to_string_lossy()))?;
        jq(&bin)
    }

    fn with_environment(mut self) -> Result<Self> {
        let authority = self.path("receiver.pem");
        fs::write(&authority, self.receiver.ca_certificate_pem().unwrap_or_default())?;
        let set = [
            ("PATH", path_with(&self.path("bin"))?),
            ("HOME", self.path("home").to_string_lossy().into_owned()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("TF_INPUT", "false".to_owned()),
            ("SSL_CERT_FILE", authority.to_string_lossy().into_owned()),
            ("TENCENT_ENDPOINT", self.simulator.url().to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_AUTHOR_NAME", "A".to_owned()),
            ("GIT_AUTHOR_EMAIL", "a@example.com".to_owned()),
            ("GIT_COMMITTER_NAME", "A".to_owned()),
            ("GIT_COMMITTER_EMAIL", "a@example.com".to_owned()),
        ];
        self.environment.extend(set.map(|(name, value)| (name.to_owned(), value)));
        self.environment.extend(self.bucket.environment().map(|(name, value)| (name.to_owned(), value)));
        Ok(self)
    }

    /// Builds the command for a program in a directory of this machine. Its environment is only this machine's and `more`.
    pub(crate) fn command(&self, program: &[&str], directory: &Path, more: &[(String, String)]) -> Command {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).current_dir(directory).env_clear().stdin(Stdio::null());
        command.envs(&self.environment).envs(more.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a program to its end, as [`Self::command`] builds it.
    pub(crate) fn run(&self, program: &[&str], directory: &Path, more: &[(String, String)]) -> Result<Output> {
        Ok(run(self.command(program, directory, more), format!("`{}`", program.join(" ")))?)
    }

    /// Runs a script that must succeed.
    pub(crate) fn bash(&self, script: &str, directory: &Path, more: &[(String, String)]) -> Result<Output> {
        let output = self.run(&["bash", "-eo", "pipefail", "-c", script], directory, more)?;
        output.expect_success();
        Ok(output)
    }

    /// Clones a branch of the repository on GitHub.
    pub(crate) fn check_out(&self, branch: &str, to: &Path) -> Result {
        let to = to.to_string_lossy();
        let clone = ["git", "clone", "--quiet", "--branch", branch, "github/repository.git", &to];
        self.run(&clone, &self.path(""), &[])?.expect_success();
        Ok(())
    }

    /// Returns what `gh` was given: a comment, an issue, a secret, or the branch of a pull request.
    pub(crate) fn github(&self, name: &str) -> Result<String> {
        let file = self.path("github").join(name);
        Ok(fs::read_to_string(&file).map_err(|cause| format!("gh was not given {name}: {cause}"))?)
    }

    /// Returns the secrets of the repository and of the environment.
    pub(crate) fn secrets(&self, environment: Option<&str>) -> Result<Value> {
        let mut secrets = json!({});
        for place in ["secrets".to_owned()].into_iter().chain(environment.map(|name| format!("secrets/{name}"))) {
            for entry in fs::read_dir(self.path("github").join(place))?.flatten() {
                if entry.path().is_file() {
                    // gh removes the line end.
                    let value = fs::read_to_string(entry.path())?.trim_end().to_owned();
                    secrets[&*entry.file_name().to_string_lossy()] = value.into();
                }
            }
        }
        Ok(secrets)
    }
}

/// A `gh` that stores what it is given, including the repository.
const GH: &str = r#"#!/usr/bin/env bash
set -eu
case "$*" in
  "secret set "*" --env "*) mkdir -p "GITHUB/secrets/$5" && cat > "GITHUB/secrets/$5/$3" ;;
  "secret set "*) mkdir -p GITHUB/secrets && cat > "GITHUB/secrets/$3" ;;
  "repo create "*" --private --source=.")
    git init --quiet --bare --initial-branch=main GITHUB/repository.git
    git remote add origin GITHUB/repository.git ;;
  "pr create --fill") git branch --show-current > GITHUB/pull-request ;;
  "pr comment "*" --body-file "*" --edit-last --create-if-none") cp "$5" "GITHUB/comment-$3" ;;
  "issue list --limit 1000 --json number,title --jq map(select(.title == env.TITLE))[0].number // empty")
    if [ -e GITHUB/issue ]; then [ "$TITLE" = "$(cat GITHUB/issue-title)" ]; echo 5; fi ;;
  "issue create --title "*" --body-file "*) [ ! -e GITHUB/issue ]; printf %s "$4" > GITHUB/issue-title; cp "$6" GITHUB/issue ;;
  "issue edit 5 --body-file "*) cp "$5" GITHUB/issue ;;
  *) echo "unknown: gh $*" >&2; exit 2 ;;
esac
"#;

/// A `jq` made of PyPI's `jq`, a Python module of the original.
const JQ: &str = r#"#!PYTHON
import jq, json, sys
_, raw, slurpfile, name, value, option, program = sys.argv
assert (raw, slurpfile, option) == ("-r", "--slurpfile", "-f"), sys.argv
compiled = jq.compile(open(program).read(), args={name: [json.load(open(value))]})
for line in compiled.input_text(sys.stdin.read()):
    print(line)
"#;
