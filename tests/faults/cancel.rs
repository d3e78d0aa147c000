//! Ctrl-C at every moment, once and twice, and a killed host.
//!
//! Terraform runs in a terminal of its own, so the provider gets Ctrl-C as well. One run interrupts many operations at once, one per application.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Action, Configuration, Fault, FaultKind, Service};
use terraform_cli::{in_own_terminal, press_ctrl_c};

use crate::harness::{END, ID, OTHER_URL, Result, START, Scenario, URL, resource, sends};

/// A time limit far longer than anything here takes.
const HANGS: Duration = Duration::from_secs(180);
/// How long a process may outlive its host. The provider waits three seconds to be sure that the host is gone.
const ORPHANED: Duration = Duration::from_secs(60);

/// The time between two presses of Ctrl-C: enough for Terraform to notice the first, and less than it lets calls end.
const BETWEEN: Duration = Duration::from_secs(1);

/// A running Terraform. Dropping this kills it and all its child processes.
struct Running {
    terraform: Child,
    ended: Option<ExitStatus>,
    output: PathBuf,
}

impl Running {
    fn start(world: &World, arguments: &[&str]) -> Result<Self> {
        let output = world.files.path().join("output");
        let stdout = File::create(&output)?;
        let mut command = world.scenario.workspace.command(arguments);
        let command = in_own_terminal(&mut command).stderr(stdout.try_clone()?).stdout(stdout);
        Ok(Self { terraform: command.spawn()?, ended: None, output })
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.terraform.id().try_into().expect("a process id"))
    }

    fn interrupt(&self) -> Result {
        Ok(press_ctrl_c(self.terraform.id())?)
    }

    /// Waits for the end, and returns the output without line breaks.
    fn end(&mut self) -> Result<(ExitStatus, String)> {
        let started = Instant::now();
        while self.ended.is_none() {
            self.ended = self.terraform.try_wait()?;
            let hangs = self.ended.is_none() && started.elapsed() > HANGS;
            assert!(!hangs, "Terraform hangs:\n{}", fs::read_to_string(&self.output)?);
            thread::sleep(Duration::from_millis(20));
        }
        let text = fs::read_to_string(&self.output)?.replace(['│', '╷', '╵'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok((self.ended.ok_or("it ended")?, text))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.terraform.wait();
        }
    }
}

/// A scenario of several applications, with its own directory for sockets.
struct World {
    scenario: Scenario,
    files: TempDir,
    sockets: TempDir,
}

impl World {
    fn of_applications(count: usize) -> Result<Self> {
        let mut scenario = Scenario::of_applications(count)?.installed()?;
        let sockets = tempfile::tempdir()?;
        scenario.workspace.env("TMPDIR", sockets.path());
        Ok(Self { scenario, files: tempfile::tempdir()?, sockets })
    }

    /// Returns the running provider processes that this world's Terraform has started.
    fn providers(&self) -> Vec<i32> {
        let mine = format!("TMPDIR={}\0", self.sockets.path().display());
        let is_mine = |process: &Path| {
            let provider = fs::read_link(process.join("exe")).is_ok_and(|exe| {
                exe.file_name().is_some_and(|name| name.to_string_lossy().starts_with("terraform-provider-tencent"))
            });
            provider
                && fs::read(process.join("environ"))
                    .is_ok_and(|environment| String::from_utf8_lossy(&environment).contains(&mine))
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let processes = processes.filter(|process| is_mine(process));
        processes.filter_map(|process| process.file_name()?.to_str()?.parse().ok()).collect()
    }

    /// Returns the files that plugins have left in the directory for sockets.
    fn left_over(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.sockets.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("plugin"))).collect()
    }

    /// Asserts that no provider runs any more, and that none has left a socket.
    fn expect_nothing_left(&self) {
        let started = Instant::now();
        loop {
            let (running, left) = (self.providers(), self.left_over());
            if running.is_empty() && left.is_empty() {
                return;
            }
            assert!(started.elapsed() < ORPHANED, "still there: processes {running:?}, sockets {left:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns an application's configuration in the state.
    fn state(&self, id: u64) -> Result<Option<Configuration>> {
        let state = self.scenario.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let instances = resources.iter().filter_map(|resource| resource["instances"].as_array()).flatten();
        let mut attributes = instances.map(|instance| &instance["attributes"]);
        Ok(attributes.find(|attributes| attributes["sdk_app_id"] == id).map(|attributes| {
            let commands = attributes["callback_commands"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Configuration::new(attributes["url"].as_str().unwrap_or_default(), commands)
        }))
    }

    fn remote(&self, id: u64) -> Option<Configuration> {
        let mut configuration = self.scenario.simulator.configuration(Service::Call, id)?;
        configuration.callback_commands.sort();
        Some(configuration)
    }

    /// Restores the backup if Terraform was killed while it wrote its state file, as Terraform itself advises.
    fn restore_state(&self) -> Result {
        let state = self.scenario.workspace.path().join("terraform.tfstate");
        let is_whole = serde_json::from_str::<Value>(&fs::read_to_string(&state)?).is_ok();
        if !is_whole {
            fs::copy(state.with_extension("tfstate.backup"), &state)?;
        }
        Ok(())
    }

    /// Waits until `count` requests of an application for an action have arrived.
    fn expect_requests(&self, id: u64, action: Action, count: usize) {
        let arrived = self.scenario.simulator.wait_for(
            |requests| {
                let those = requests.iter().filter(|r| r.sdk_app_id == Some(id) && r.action == Some(action));
                those.count() >= count
            },
            Duration::from_secs(60),
        );
        assert!(arrived, "{id}: {count} × {action}");
    }

    /// Asserts that state and Tencent agree about an application, or that the output says they may not.
    fn expect_truth(&self, id: u64, text: &str) -> Result {
        let (state, remote) = (self.state(id)?, self.remote(id));
        assert!(
            state == remote || text_of(id, text).contains("anyway"),
            "{id}: the state says {state:?}, but Tencent holds {remote:?}\n{text}"
        );
        Ok(())
    }
}

/// Returns the part of the output about an application.
fn text_of(id: u64, text: &str) -> &str {
    let Some(at) = text.find(&format!("SDKAppID {id} ")) else { return "" };
    let rest = &text[at..];
    let end = ["Error: ", "Warning: "].iter().filter_map(|next| rest.find(next)).min();
    &rest[..end.unwrap_or(rest.len())]
}

fn old() -> Configuration {
    Configuration::new(URL, [START])
}

fn new() -> Configuration {
    Configuration::new(OTHER_URL, [END, START])
}

/// An answer long after the end of the test.
const LATE: FaultKind = FaultKind::Delay(Duration::from_secs(600));

fn unavailable(processed: bool) -> FaultKind {
    FaultKind::Status { code: 503, retry_after: None, processed }
}

/// An operation in flight when Ctrl-C comes.
struct Moment {
    from: Option<Configuration>,
    to: Option<Configuration>,
    fault: FaultKind,
    /// Whether Tencent has carried it out.
    processed: bool,
}

impl Moment {
    fn all() -> Vec<Self> {
        let mut moments = Vec::new();
        for (from, to) in [(None, Some(new())), (Some(old()), Some(new())), (Some(old()), None)] {
            for (fault, processed) in
                [(FaultKind::NoAnswer, false), (LATE, true), (unavailable(false), false), (unavailable(true), true)]
            {
                moments.push(Self { from: from.clone(), to: to.clone(), fault, processed });
            }
        }
        moments
    }

    fn action(&self) -> Action {
        if self.to.is_some() { Set } else { Delete }
    }

    /// Returns whether the operation waits for another attempt, rather than for an answer.
    fn waits(&self) -> bool {
        matches!(self.fault, FaultKind::Status { .. })
    }
}

const PATIENT: &str = r#"provider "tencent" {
  max_retries = 100
  request_timeout = "10m"
}
"#;

/// Writes the configuration of every application that has one.
fn configuration<'a>(all: impl Iterator<Item = Option<&'a Configuration>>) -> String {
    let mut text = PATIENT.to_owned();
    for (id, configuration) in (ID..).zip(all) {
        let Some(Configuration { url, callback_commands }) = configuration else { continue };
        let commands: Vec<_> = callback_commands.iter().map(String::as_str).collect();
        text += &resource(&format!("app_{id}"), &(format!("sdk_app_id = {id}\n") + &sends(&commands, url)));
    }
    text
}

/// Applies the initial configurations, and starts an apply in which each operation is in flight.
fn under_way(moments: &[Moment]) -> Result<(World, Running)> {
    let world = World::of_applications(moments.len())?;
    world.scenario.configure(&configuration(moments.iter().map(|moment| moment.from.as_ref())))?;
    world.scenario.apply()?;
    world.scenario.configure(&configuration(moments.iter().map(|moment| moment.to.as_ref())))?;
    world.scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    world.scenario.simulator.clear_requests();
    for (id, moment) in (ID..).zip(moments) {
        world.scenario.simulator.inject(Fault::new(moment.fault.clone()).on(moment.action()).sdk_app_id(id));
    }
    let running = Running::start(&world, &["apply", "-no-color", "-parallelism=100", "tfplan"])?;
    for (id, moment) in (ID..).zip(moments) {
        world.expect_requests(id, moment.action(), if moment.waits() { 2 } else { 1 });
    }
    Ok((world, running))
}

/// Asserts that the next apply completes each operation.
fn converge(world: &World, moments: &[Moment]) -> Result {
    world.scenario.simulator.clear_faults();
    world.scenario.apply()?;
    for (id, moment) in (ID..).zip(moments) {
        assert_eq!((world.state(id)?, world.remote(id)), (moment.to.clone(), moment.to.clone()), "{id}");
    }
    world.scenario.expect_no_changes()
}

#[test]
fn ctrl_c_during_a_write_reports_what_tencent_holds() -> Result {
    let moments = Moment::all();
    let (world, mut running) = under_way(&moments)?;
    assert!(!world.providers().is_empty(), "the provider can be found");
    running.interrupt()?;
    let (status, text) = running.end()?;
    world.expect_nothing_left();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("Interrupt received"), "{text}");
    for (id, moment) in (ID..).zip(&moments) {
        let said = text_of(id, &text);
        assert!(said.contains("The operation was interrupted"), "{id}: {said}\n{text}");
        world.expect_truth(id, &text)?;
        let holds = if moment.processed { &moment.to } else { &moment.from };
        assert_eq!(world.remote(id), *holds, "{id}");
    }
    converge(&world, &moments)
}

#[test]
fn ctrl_c_waits_for_an_answer_in_flight() -> Result {
    let slow = FaultKind::Delay(Duration::from_secs(3));
    let cases = [(None, Some(new())), (Some(old()), Some(new())), (Some(old()), None)];
    let moments = cases.map(|(from, to)| Moment { from, to, fault: slow.clone(), processed: true });
    let (world, mut running) = under_way(&moments)?;
    running.interrupt()?;
    let (_, text) = running.end()?;
    world.expect_nothing_left();
    for (id, moment) in (ID..).zip(&moments) {
        assert_eq!(text_of(id, &text), "", "{id}: it was answered\n{text}");
        assert_eq!((world.state(id)?, world.remote(id)), (moment.to.clone(), moment.to.clone()), "{id}\n{text}");
    }
    converge(&world, &moments)
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_the_next_apply_recovers() -> Result {
    let moments = Moment::all();
    let (world, mut running) = under_way(&moments)?;
    running.interrupt()?;
    thread::sleep(BETWEEN);
    running.interrupt()?;
    let (status, text) = running.end()?;
    world.expect_nothing_left();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("Two interrupts received"), "{text}");
    for (id, moment) in (ID..).zip(&moments) {
        // Tencent holds the old configuration or the new one, nothing in between.
        let holds = if moment.processed { &moment.to } else { &moment.from };
        assert_eq!(world.remote(id), *holds, "{id}");
    }
    world.restore_state()?;
    converge(&world, &moments)
}

#[test]
fn ctrl_c_during_a_plan_or_a_refresh_changes_nothing() -> Result {
    let faults = [FaultKind::NoAnswer, LATE, unavailable(false)];
    let world = World::of_applications(2 * faults.len())?;
    let ids: Vec<_> = (ID..).take(faults.len()).collect();
    let (old, new) = (old(), new());
    world.scenario.configure(&configuration(ids.iter().map(|_| Some(&old))))?;
    world.scenario.apply()?;
    let before = world.scenario.workspace.state()?;

    // Half of the applications are managed and refreshed. The others are to be created, and checked.
    world.scenario.configure(&configuration((0..2 * faults.len()).map(|_| Some(&new))))?;
    for (arguments, passed_on) in [
        (&["plan", "-no-color", "-parallelism=100"][..], true),
        (&["refresh", "-no-color", "-parallelism=100"], true),
        // While planning as part of apply, Terraform 1.11 does not pass Ctrl-C on to providers.
        (&["apply", "-auto-approve", "-no-color", "-parallelism=100"], false),
    ] {
        let all = (ID..).zip(faults.iter().chain(&faults));
        let met: Vec<_> = all.filter(|(id, _)| arguments[0] != "refresh" || ids.contains(id)).collect();
        world.scenario.simulator.clear_requests();
        for (id, fault) in &met {
            world.scenario.simulator.inject(Fault::new((*fault).clone()).on(Get).sdk_app_id(*id));
        }
        let mut running = Running::start(&world, arguments)?;
        for (id, fault) in &met {
            let waits = matches!(fault, FaultKind::Status { .. });
            world.expect_requests(*id, Get, if waits { 2 } else { 1 });
        }
        running.interrupt()?;
        if !passed_on {
            thread::sleep(BETWEEN);
            running.interrupt()?;
        }
        let (status, text) = running.end()?;
        world.expect_nothing_left();
        assert_eq!(status.code(), Some(1), "{text}");
        for id in ids.iter().filter(|_| passed_on) {
            let said = text_of(*id, &text);
            assert!(said.contains("The operation was interrupted"), "{id}: {said}\n{text}");
        }
        assert!(world.scenario.simulator.requests().iter().all(|request| request.action == Some(Get)));
        assert_eq!(world.scenario.workspace.state()?, before, "{arguments:?}");
        world.scenario.simulator.clear_faults();
    }
    world.scenario.apply()?;
    for id in (ID..).take(2 * faults.len()) {
        assert_eq!((world.state(id)?, world.remote(id)), (Some(new.clone()), Some(new.clone())), "{id}");
    }
    world.scenario.expect_no_changes()
}

#[test]
fn a_killed_host_leaves_no_process_and_no_socket() -> Result {
    let moments = Moment::all();
    let (world, mut running) = under_way(&moments)?;
    assert!(!world.providers().is_empty() && !world.left_over().is_empty(), "a provider, and its socket");
    // Only Terraform is killed, at once, so nothing tells the provider.
    kill(running.pid(), Signal::SIGKILL)?;
    let (status, _) = running.end()?;
    assert_eq!(status.code(), None, "killed");
    world.expect_nothing_left();
    for (id, moment) in (ID..).zip(&moments) {
        let holds = if moment.processed { &moment.to } else { &moment.from };
        assert_eq!(world.remote(id), *holds, "{id}");
    }
    world.restore_state()?;
    converge(&world, &moments)
}
