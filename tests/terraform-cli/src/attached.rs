//! A provider that runs already, to which Terraform connects: `TF_REATTACH_PROVIDERS`, with which the acceptance tests of
//! providers in Go run as well.
//!
//! Terraform connects once for each process that it would start otherwise, and the provider treats each connection as a
//! process. Terraform installs nothing, has nothing to verify, and starts nothing, which takes half the time. What the provider
//! logs is not Terraform's to show then: [`Attached::logged`] has it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::process;

/// The variable that makes Terraform connect to a provider.
pub(crate) const REATTACH: &str = "TF_REATTACH_PROVIDERS";

/// Overrides of the environment. `None` removes a variable.
pub(crate) type Environment = BTreeMap<OsString, Option<OsString>>;

/// Sets these variables for a command.
pub(crate) fn set_environment(command: &mut Command, environment: &Environment) {
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// A provider's executable, and the process of it that runs.
#[derive(Debug)]
pub(crate) struct Attached {
    executable: PathBuf,
    running: Mutex<Option<Running>>,
}

impl Attached {
    pub(crate) fn new(executable: &Path) -> Self {
        Self { executable: executable.to_owned(), running: Mutex::new(None) }
    }

    /// Returns the value of [`REATTACH`] for a provider with this environment. A running one that has another is replaced.
    pub(crate) fn reattach(&self, environment: &Environment, directory: &Path) -> Result<String> {
        let mut running = self.running();
        if let Some(running) = running.as_ref().filter(|running| running.environment == *environment) {
            return Ok(running.reattach.clone());
        }
        // The old one ends first.
        *running = None;
        let started = Running::start(&self.executable, environment, directory)?;
        Ok(running.insert(started).reattach.clone())
    }

    /// Returns what the running provider has logged since the last call.
    pub(crate) fn logged(&self) -> Result<String> {
        let mut lines = Vec::new();
        if let Some(Running { log, .. }) = self.running().as_mut() {
            log.read_to_end(&mut lines).map_err(Error::io("cannot read", log.path()))?;
        }
        Ok(String::from_utf8_lossy(&lines).into_owned())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running provider. Dropping this ends it.
#[derive(Debug)]
struct Running {
    environment: Environment,
    process: Child,
    reattach: String,
    /// Its standard error, to read on where the last reader stopped.
    log: NamedTempFile,
}

impl Running {
    fn start(executable: &Path, environment: &Environment, directory: &Path) -> Result<Self> {
        let mut command = Command::new(executable);
        command.arg("--debug").current_dir(directory);
        process::isolate(&mut command);
        set_environment(&mut command, environment);
        let cannot_log = |cause| Error::new(format!("cannot create a temporary file: {cause}"));
        let log = NamedTempFile::new().map_err(cannot_log)?;
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(log.reopen().map_err(cannot_log)?)
            .spawn()
            .map_err(Error::io("cannot start the provider", executable))?;
        let stdout = process.stdout.take();
        let mut running = Self { environment: environment.clone(), process, reattach: String::new(), log };
        let lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines().map_while(std::io::Result::ok));
        let reattach = lines.filter_map(|line| exported(&line).map(str::to_owned)).next();
        running.reattach =
            reattach.ok_or_else(|| Error::new(format!("{} --debug printed no {REATTACH}", executable.display())))?;
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not a kill, so that it removes its socket.
        #[cfg(unix)]
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.process.id().cast_signed()),
            nix::sys::signal::Signal::SIGTERM,
        );
        #[cfg(not(unix))]
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the value of [`REATTACH`] from the command that sets it in a shell.
fn exported(line: &str) -> Option<&str> {
    line.split_once(REATTACH)?.1.strip_prefix("='")?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_found_in_the_commands_for_each_shell() {
        assert_eq!(exported("    export TF_REATTACH_PROVIDERS='{}'"), Some("{}"));
        assert_eq!(exported("    $env:TF_REATTACH_PROVIDERS='{}'"), Some("{}"));
        assert_eq!(exported("    set TF_REATTACH_PROVIDERS={}"), None);
        assert_eq!(exported("To use it, set this variable."), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_provider_that_prints_no_variable_is_reported() {
        let attached = Attached::new(Path::new("true"));
        let error = attached.reattach(&Environment::new(), Path::new("/")).expect_err("no provider").to_string();
        assert!(error.contains("true --debug") && error.contains(REATTACH), "{error}");
    }
}
