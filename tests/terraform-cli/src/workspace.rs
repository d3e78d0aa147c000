//! A directory with a configuration, in which Terraform runs as on a fresh machine with one provider and no network.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::attached::{Attached, Environment, REATTACH, set_environment};
use crate::error::{Error, Result};
use crate::file;
use crate::mirror::Mirror;
use crate::output::Output;
use crate::process::{self, begins_with};
use crate::terraform::{Flavour, Terraform};

/// A temporary working directory. Dropping it removes it.
///
/// Terraform in it installs providers only from the [`Mirror`], never asks a question, and sees no `TF_…` or `TENCENT_…`
/// variable of this process, only those set with [`Workspace::env`].
#[derive(Debug)]
pub struct Workspace {
    terraform: Terraform,
    root: TempDir,
    path: PathBuf,
    environment: Environment,
    /// The provider that Terraform need not install.
    attached: Option<Attached>,
    mirror: Mirror,
}

impl Workspace {
    /// Creates an empty working directory.
    ///
    /// # Errors
    ///
    /// The temporary directory cannot be written to.
    pub fn new(terraform: &Terraform, mirror: &Mirror) -> Result<Self> {
        let root = tempfile::Builder::new()
            .prefix("a workspace ") // Paths may have spaces.
            .tempdir()
            .map_err(|cause| Error::new(format!("cannot create a temporary directory: {cause}")))?;
        let path = root.path().join("work");
        fs::create_dir(&path).map_err(Error::io("cannot create", &path))?;
        let mirror = mirror.clone();
        let workspace =
            Self { terraform: terraform.clone(), root, path, environment: Environment::new(), attached: None, mirror };
        workspace.configure_cli()?;
        Ok(workspace)
    }

    /// Creates an empty working directory in which [`run`](Self::run) starts this provider itself, once, for all commands to
    /// connect to. It needs no [`init`](Self::init).
    ///
    /// # Errors
    ///
    /// The temporary directory cannot be written to.
    pub fn attached(terraform: &Terraform, provider: &Path) -> Result<Self> {
        let workspace = Self::new(terraform, &Mirror::empty()?)?;
        Ok(Self { attached: Some(Attached::new(provider)), ..workspace })
    }

    /// Returns whether commands connect to a running provider.
    pub fn is_attached(&self) -> bool {
        self.attached.is_some()
    }

    /// Makes Terraform install its provider from `mirror`, and start it itself, from the next [`init`](Self::init) on.
    ///
    /// # Errors
    ///
    /// The temporary directory cannot be written to.
    pub fn install_from(&mut self, mirror: &Mirror) -> Result<()> {
        self.attached = None;
        self.mirror = mirror.clone();
        self.configure_cli()
    }

    fn configure_cli(&self) -> Result<()> {
        let cli_config = cli_config(&self.root);
        fs::write(&cli_config, cli_config_text(self.mirror.path())).map_err(Error::io("cannot write", &cli_config))
    }

    /// Returns the working directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the Terraform that runs here.
    pub fn terraform(&self) -> &Terraform {
        &self.terraform
    }

    /// Writes a file, given by its path in the working directory.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, file: impl AsRef<Path>, text: &str) -> Result<()> {
        file::write(&self.path, file, text)
    }

    /// Sets an environment variable for every command from now on.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.set(name.as_ref(), Some(value.as_ref().to_owned()))
    }

    /// Removes an environment variable for every command from now on, even an inherited one or a default
    /// (`CHECKPOINT_DISABLE`, `TF_INPUT`, `TF_CLI_CONFIG_FILE`).
    pub fn remove_env(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.set(name.as_ref(), None)
    }

    fn set(&mut self, name: &OsStr, value: Option<OsString>) -> &mut Self {
        if cfg!(windows) {
            // There, both spellings name the same variable.
            self.environment.retain(|other, _| !other.eq_ignore_ascii_case(name));
        }
        self.environment.insert(name.to_owned(), value);
        self
    }

    /// Builds the command for Terraform with these arguments, for callers that need its streams or send signals. It needs an
    /// installed provider.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.terraform.executable());
        command.args(arguments).current_dir(&self.path);
        process::isolate(&mut command);
        command.env("TF_CLI_CONFIG_FILE", cli_config(&self.root));
        set_environment(&mut command, &self.environment);
        command
    }

    /// Runs Terraform with these arguments to its end, successful or not. With `TF_LOG…`, what an attached provider logs follows
    /// what Terraform does.
    ///
    /// # Errors
    ///
    /// Terraform cannot be started, or does not end within [`crate::TIME_LIMIT`] and is killed. An attached provider cannot be
    /// started, or its log not be read.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        let program = match self.terraform.flavour() {
            Flavour::Terraform => "terraform",
            Flavour::OpenTofu => "tofu",
        };
        let line = format!("`{program} {}` ({})", arguments.join(" "), self.terraform);
        let mut command = self.command(arguments);
        // Tests may have a provider of their own.
        let attached = self.attached.as_ref().filter(|_| !self.environment.contains_key(OsStr::new(REATTACH)));
        if let Some(attached) = attached {
            command.env(REATTACH, attached.reattach(&self.environment, &self.path)?);
        }
        let mut output = process::run(command, line)?;
        if let Some(attached) = attached.filter(|_| self.environment.keys().any(|name| begins_with(name, &["TF_LOG"])))
        {
            let log = attached.logged()?;
            match self.environment.get(OsStr::new("TF_LOG_PATH")).and_then(Option::as_ref) {
                // Terraform has created it.
                Some(name) => file::append(&self.path, name, &log)?,
                None => output.add_to_stderr(&log),
            }
        }
        Ok(output)
    }

    /// Runs `terraform init`.
    ///
    /// # Errors
    ///
    /// As for [`Self::run`].
    pub fn init(&self) -> Result<Output> {
        self.run(&["init"])
    }

    /// Plans with these further arguments, and returns the plan in Terraform's [JSON format][format].
    ///
    /// # Errors
    ///
    /// As for [`Self::run`], or planning fails.
    ///
    /// [format]: https://developer.hashicorp.com/terraform/internals/json-format
    pub fn plan_json(&self, arguments: &[&str]) -> Result<Value> {
        let file = self.root.path().join("plan.tfplan");
        let file = file.to_string_lossy();
        let out = format!("-out={file}");
        let planned = self.run(&[&["plan", &out], arguments].concat())?;
        // With -detailed-exitcode, 2 means success with changes.
        if !matches!(planned.code(), Some(0 | 2)) {
            return Err(Error::new(format!("planning failed\n\n{planned}")));
        }
        self.json(&["show", "-json", &file])
    }

    /// Returns the state in Terraform's JSON format. An empty state has no `values`.
    ///
    /// # Errors
    ///
    /// As for [`Self::run`], or the command fails.
    pub fn show_json(&self) -> Result<Value> {
        self.json(&["show", "-json"])
    }

    /// Returns the raw state file, or none before the first apply.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn state(&self) -> Result<Option<Value>> {
        let path = self.path.join("terraform.tfstate");
        match fs::read_to_string(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::io("cannot read", &path)(cause)),
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|cause| Error::new(format!("the state is no JSON: {cause}\n{text}"))),
        }
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.run(arguments)?;
        if !output.success() {
            return Err(Error::new(format!("expected success\n\n{output}")));
        }
        serde_json::from_str(output.stdout()).map_err(|cause| Error::new(format!("expected JSON: {cause}\n\n{output}")))
    }
}

/// Returns the path of the CLI configuration, next to the working directory, whose files Terraform reads as configuration.
fn cli_config(root: &TempDir) -> PathBuf {
    root.path().join("terraform.tfrc")
}

/// Writes a CLI configuration without a `direct` block, so that Terraform asks no registry.
fn cli_config_text(mirror: &Path) -> String {
    let mirror = Value::from(mirror.to_string_lossy());
    format!(
        "provider_installation {{
  filesystem_mirror {{
    path = {mirror}
  }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cli_configuration_names_only_the_mirror() {
        let text = cli_config_text(Path::new(r#"/a "b" \c"#));
        assert_eq!(
            text,
            r#"provider_installation {
  filesystem_mirror {
    path = "/a \"b\" \\c"
  }
}
"#
        );
    }
}
