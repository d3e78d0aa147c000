//! One run of a command: isolated from this process's environment, with a time limit and captured output.

use std::convert::Infallible;
use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::output::Output;

/// The time limit of a command. Far more than any needs: a command that reaches it hangs.
pub const TIME_LIMIT: Duration = Duration::from_secs(180);

/// Isolates a command from settings for Terraform, Pulumi and the provider, from the terminal, and from the check for new versions.
pub(crate) fn isolate(command: &mut Command) {
    remove_variables(command, &FOREIGN);
    // TF_INPUT=0 is `-input=false` for every command that could ask.
    command.env("CHECKPOINT_DISABLE", "1").env("TF_INPUT", "0").stdin(Stdio::null());
}

/// The beginnings of variables that are settings of the user or the machine, which must not influence a command.
const FOREIGN: [&str; 3] = ["TF_", "TENCENT_", "PULUMI_"];

/// Lets a command inherit no variable whose name begins with one of `prefixes`.
pub(crate) fn remove_variables(command: &mut Command, prefixes: &[&str]) {
    for (name, _) in env::vars_os().filter(|(name, _)| begins_with(name, prefixes)) {
        command.env_remove(name);
    }
}

/// Returns whether a variable's name begins with one of `prefixes`.
pub(crate) fn begins_with(variable: &OsStr, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| variable.as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// Runs the command to its end, successful or not. Messages call it `line`.
///
/// # Errors
///
/// The command cannot be started, or does not end within [`TIME_LIMIT`] and is killed.
pub fn run(command: Command, line: String) -> Result<Output> {
    run_within(TIME_LIMIT, command, line)
}

fn run_within(limit: Duration, mut command: Command, line: String) -> Result<Output> {
    let cannot = |what, cause| Error::new(format!("cannot {what} {line}: {cause}"));
    let started = Instant::now();
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|cause| cannot("start", cause))?;

    let (open, closed) = mpsc::channel();
    let stdout = collect(child.stdout.take(), open.clone());
    let stderr = collect(child.stderr.take(), open);
    // Nothing is ever sent. The channel closes when both streams have ended.
    let streams_ended = closed.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected);
    let ended = wait_until(started + limit, &mut child).map_err(|cause| cannot("wait for", cause))?;
    let status = match ended {
        Some(status) => status,
        None => kill(&mut child).map_err(|cause| cannot("kill", cause))?,
    };

    let output = Output::new(line, status, started.elapsed(), &lock(&stdout), &lock(&stderr));
    match ended {
        Some(_) if streams_ended => Ok(output),
        Some(_) => Err(Error::new(format!(
            "a command ended, but a process that it started held its output open for {limit:?}.\n\n{output}"
        ))),
        None => Err(Error::new(format!(
            "a command did not end within {limit:?} and was killed. This is its output so far.\n\n{output}"
        ))),
    }
}

type Collected = Arc<Mutex<Vec<u8>>>;

/// Reads a stream to its end on a new thread, which holds `open` until then.
fn collect(stream: Option<impl Read + Send + 'static>, open: Sender<Infallible>) -> Collected {
    let collected = Collected::default();
    let collecting = Arc::clone(&collected);
    thread::spawn(move || {
        let _open = open;
        let Some(mut stream) = stream else { return };
        let mut chunk = [0; 8192];
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => lock(&collecting).extend_from_slice(&chunk[..length]),
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    collected
}

fn lock(collected: &Collected) -> MutexGuard<'_, Vec<u8>> {
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the child. A child whose output has ended usually exits at once.
fn wait_until(deadline: Instant, child: &mut Child) -> io::Result<Option<ExitStatus>> {
    loop {
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() >= deadline {
            return Ok(ended);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    child.kill()?;
    child.wait()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(limit: Duration, script: &str) -> Result<Output> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        isolate(&mut command);
        run_within(limit, command, format!("`{script}`"))
    }

    #[test]
    fn both_streams_and_the_exit_code_are_kept() {
        let output = sh(TIME_LIMIT, "echo out; echo err >&2; exit 7").expect("it ran");
        assert_eq!((output.code(), output.stdout(), output.stderr()), (Some(7), "out\n", "err\n"));
    }

    #[test]
    fn output_beyond_a_pipes_capacity_causes_no_deadlock() {
        let output =
            sh(TIME_LIMIT, "i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done").expect("it ran");
        assert_eq!(output.stderr().len(), 20000 * 11);
    }

    #[test]
    fn a_hanging_command_is_killed_and_shown_with_its_output() {
        let limit = Duration::from_millis(300);
        let error = sh(limit, "echo halfway; exec sleep 60").expect_err("it hangs").to_string();
        assert!(error.contains("300ms") && error.contains("halfway"), "{error}");
    }

    #[test]
    fn a_process_that_keeps_the_output_open_is_reported() {
        let limit = Duration::from_millis(300);
        let error = sh(limit, "echo done; sleep 2 &").expect_err("sleep holds the pipes").to_string();
        assert!(error.contains("held its output open") && error.contains("done"), "{error}");
    }

    #[test]
    fn foreign_environment_variables_are_not_inherited() {
        let output = sh(TIME_LIMIT, "env; cat").expect("it ran");
        let settings: Vec<_> = output.stdout().lines().filter(|line| begins_with(OsStr::new(line), &FOREIGN)).collect();
        assert_eq!(settings, ["TF_INPUT=0"]);
    }

    #[test]
    fn settings_for_terraform_pulumi_and_the_provider_are_foreign() {
        for foreign in ["TF_LOG", "TF_CLI_ARGS_plan", "TF_VAR_x", "TENCENT_SECRET_KEY", "PULUMI_HOME"] {
            assert!(begins_with(OsStr::new(foreign), &FOREIGN), "{foreign}");
        }
        for own in ["PATH", "TFENV_ROOT", "MY_TF_LOG", "CHECKPOINT_DISABLE"] {
            assert!(!begins_with(OsStr::new(own), &FOREIGN), "{own}");
        }
    }
}
