//! Many applications in one process, each with its own key: created, planned, changed and destroyed.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tencent_simulator::{Action, App, Configuration, Outcome, RateLimit, Request, Service, Simulator};
use terraform_cli::{Mirror, Terraform, Workspace};

use crate::Result;
use crate::chart::{LIMIT, TERRAFORM};
use crate::page::Page;
use crate::process::{all_processor_seconds, memory};
use crate::statistics::Samples;
use crate::subject::Subject;

const FIRST: u64 = Simulator::SDK_APP_ID;
/// Tencent's documented rate limit of each call, which the providers respect.
const CALLS_PER_SECOND: f64 = 200.0;
const COMMAND: &str = "Call.CallbackAfterEndCall";

/// An operation on a fleet: the heading, the command, and which of two URLs the resources have.
const OPERATIONS: [(&str, &[&str], usize); 4] =
    [("create", APPLY, 0), ("plan", PLAN, 0), ("change", APPLY, 1), ("destroy", &["destroy", "-auto-approve"], 1)];
const APPLY: &[&str] = &["apply", "-auto-approve"];
const PLAN: &[&str] = &["plan", "-detailed-exitcode"];

/// The most that this provider may take, as a share of the peer's.
const WALL_BUDGET: f64 = 0.90;
const PROCESSOR_BUDGET: f64 = 0.15;
const MEMORY_BUDGET: f64 = 0.12;

/// The measurements of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    /// The number of each of the API's calls.
    calls: BTreeMap<Action, usize>,
    /// The number of calls that a rate limit refused.
    pub(crate) refused: usize,
    /// The provider's peak memory, in MB.
    pub(crate) memory: f64,
    /// The provider's CPU time.
    processor_seconds: f64,
}

impl Run {
    /// Returns the time that the calls alone take at Tencent's rate limit, which applies to each call separately.
    pub(crate) fn limit(&self) -> f64 {
        self.calls.values().max().map_or(0.0, |calls| *calls as f64 / CALLS_PER_SECOND)
    }

    fn calls_each(&self, size: usize) -> String {
        let each = self.calls.iter().map(|(action, calls)| format!("{} {action}", *calls as f64 / size as f64));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// One provider block with one application for each entry of `apps`, one resource each; or as many `terraform_data`.
pub(crate) struct Fleet {
    size: usize,
    workspace: Workspace,
    simulator: Option<Simulator>,
}

impl Fleet {
    /// Creates a fleet for a provider, or without one.
    fn new(terraform: &Terraform, subject: Option<&Subject>, size: usize) -> Result<Self> {
        let (workspace, simulator) = match subject {
            Some(subject) => {
                let (workspace, simulator) = Self::applications(terraform, subject, size)?;
                (workspace, Some(simulator))
            }
            None => (Workspace::new(terraform, &Mirror::empty()?)?, None),
        };
        let fleet = Self { size, workspace, simulator };
        fleet.configure(0)?;
        fleet.workspace.init()?.expect_success();
        Ok(fleet)
    }

    /// Creates a fleet with further arguments in its provider block, and a simulator with a rate limit.
    pub(crate) fn limited(
        terraform: &Terraform,
        subject: &Subject,
        size: usize,
        arguments: &str,
        limit: RateLimit,
    ) -> Result<Self> {
        let fleet = Self::new(terraform, Some(subject), size)?;
        fleet.workspace.write("provider.tf", &provider(arguments))?;
        fleet.simulator.iter().for_each(|simulator| simulator.set_rate_limit(Some(limit.clone())));
        Ok(fleet)
    }

    fn applications(terraform: &Terraform, subject: &Subject, size: usize) -> Result<(Workspace, Simulator)> {
        let key = |id: u64| format!("{id:064}");
        let apps = ids(size).map(|id| App::new(id, key(id)));
        let simulator = apps.fold(Simulator::builder(), |builder, app| builder.app(app)).start()?;
        let workspace = subject.workspace(terraform, &simulator)?;
        workspace.write("provider.tf", &provider(""))?;
        let apps: BTreeMap<_, _> = ids(size).map(|id| (id.to_string(), json!({ "secret_key": key(id) }))).collect();
        // An environment variable holds at most 128 KiB.
        workspace.write("apps.auto.tfvars.json", &json!({ "apps": apps }).to_string())?;
        Ok((workspace, simulator))
    }

    /// Creates a fleet that exists: Terraform creates one object, and the state gets a copy of it for each application.
    pub(crate) fn existing(terraform: &Terraform, subject: Option<&Subject>, size: usize) -> Result<Self> {
        let fleet = Self::new(terraform, subject, size)?;
        fleet.run(&["apply", "-auto-approve", &format!("-target={}.fleet_0[\"{FIRST}\"]", fleet.kind())])?;
        let mut state = fleet.workspace.state()?.ok_or("an apply left no state")?;
        let first = state["resources"][0].take();
        let copy = |id: u64| {
            let mut copy = first["instances"][0].clone();
            copy["index_key"] = id.to_string().into();
            for (name, value) in [("id", Value::from(id.to_string())), ("sdk_app_id", id.into())] {
                copy["attributes"].get_mut(name).into_iter().for_each(|attribute| *attribute = value.clone());
            }
            copy
        };
        let block = |(number, ids): (usize, Range<u64>)| {
            let mut block = first.clone();
            block["name"] = format!("fleet_{number}").into();
            block["instances"] = ids.map(copy).collect();
            block
        };
        state["resources"] = blocks(size).enumerate().map(block).collect();
        fleet.workspace.write("terraform.tfstate", &state.to_string())?;
        for (simulator, id) in fleet.simulator.iter().flat_map(|simulator| ids(size).map(move |id| (simulator, id))) {
            simulator.put_configuration(Service::Call, id, Configuration::new(url(0), [COMMAND]));
        }
        Ok(fleet)
    }

    /// Returns the type of the resources.
    fn kind(&self) -> &'static str {
        if self.simulator.is_some() { "tencent_call_callback" } else { "terraform_data" }
    }

    /// Writes the configuration with one of two URLs.
    fn configure(&self, number: usize) -> Result {
        let url = url(number);
        let arguments = match self.simulator {
            Some(_) => format!("sdk_app_id = each.key\n  url = \"{url}\"\n  callback_commands = [\"{COMMAND}\"]"),
            None => format!("input = \"{url}\""),
        };
        let block = |(number, ids): (usize, Range<u64>)| {
            // Terraform evaluates for_each again for every instance, and walks through a set each time: hence a map in a local.
            format!(
                "locals {{\n  ids_{number} = {{ for i in range({}, {}) : tostring(i) => i }}\n}}\n\
                 resource \"{}\" \"fleet_{number}\" {{\n  for_each = local.ids_{number}\n  {arguments}\n}}\n",
                ids.start,
                ids.end,
                self.kind()
            )
        };
        let text: String = blocks(self.size).enumerate().map(block).collect();
        Ok(self.workspace.write("main.tf", &text)?)
    }

    /// Runs all operations.
    fn lifecycle(&self) -> Result<Vec<Run>> {
        let run = |(_, arguments, url): &(_, &[&str], _)| {
            self.configure(*url)?;
            self.run(arguments)
        };
        OPERATIONS.iter().map(run).collect()
    }

    /// Creates all resources.
    pub(crate) fn create(&self) -> Result<Run> {
        self.run(APPLY)
    }

    /// Plans, and fails unless the plan is empty.
    pub(crate) fn plan(&self) -> Result<Run> {
        self.run(PLAN)
    }

    fn run(&self, arguments: &[&str]) -> Result<Run> {
        let begin = Instant::now();
        let mut command = self.workspace.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let (mut peak, mut computed) = (0.0_f64, BTreeMap::new());
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // A thread that ends takes its list of children along: what was seen once is asked itself from then on.
            computed.extend(providers(child.id()).map(|id| (id, 0.0)));
            for (id, computed) in &mut computed {
                peak = memory(*id, "VmHWM:").map_or(peak, |memory| memory.max(peak));
                *computed = all_processor_seconds(*id).unwrap_or(*computed);
            }
            thread::sleep(Duration::from_millis(20));
        };
        let seconds = begin.elapsed().as_secs_f64();
        if !status.success() {
            let mut text = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                std::io::Read::read_to_string(&mut stderr, &mut text)?;
            }
            return Err(format!("terraform {} ended with {status}:\n{text}", arguments.join(" ")).into());
        }
        let (mut calls, mut refused) = (BTreeMap::new(), 0);
        for request in self.simulator.iter().flat_map(Simulator::take_requests) {
            refused += usize::from(is_refused(&request));
            *calls.entry(request.action.ok_or("a request that is none of the API's calls")?).or_default() += 1;
        }
        Ok(Run { seconds, calls, refused, memory: peak, processor_seconds: computed.values().sum() })
    }
}

/// Returns whether the simulator's rate limit refused a request.
fn is_refused(request: &Request) -> bool {
    matches!(request.outcome, Outcome::Answered { error_code: 60007 | 60011 })
}

/// Writes the provider block, with these further arguments.
fn provider(arguments: &str) -> String {
    format!(
        "variable \"apps\" {{\n  type = map(object({{ secret_key = string }}))\n}}\n\
         provider \"tencent\" {{\n  apps = var.apps\n{arguments}}}\n"
    )
}

fn ids(size: usize) -> impl Iterator<Item = u64> {
    (FIRST..).take(size)
}

/// Returns the applications of each resource block. Terraform's time grows with the square of a block's size, and its function
/// `range` counts to 1,024 at most.
fn blocks(size: usize) -> impl Iterator<Item = Range<u64>> {
    const BLOCK: usize = 1000;
    let id = |number: usize| FIRST + number as u64;
    (0..size).step_by(BLOCK).map(move |first| id(first)..id(size.min(first + BLOCK)))
}

fn url(number: usize) -> String {
    format!("https://hooks.example.com/{number}")
}

const WHY_WALL: &str = "Both providers wait for the same limit of 200 calls a second. For most of the rest, Terraform computes: after \
    each object, it writes the whole state, of which an object of this provider takes more, for what it remembers.";
const WHY_DESTROY: &str = "Before a plan destroys an object, this provider waits for other objects of the same application: some \
    100 ms for each ten objects. The plan then says what stays.";
const WHY_PROCESSOR: &str =
    "For each object, Terraform makes four to seven requests, and each takes its way through TLS and gRPC.";
pub(crate) const WHY_MEMORY: &str = "Some 4 KB for each application are in use. The heap takes about four times as much, in the gaps \
    that larger blocks leave between those that stay.";

pub(crate) fn measure(
    size: usize,
    rounds: usize,
    terraform: &Terraform,
    subjects: &[Subject],
    page: &mut Page,
) -> Result {
    let alone = Fleet::new(terraform, None, size)?.lifecycle()?;
    let mut all: Vec<Vec<Vec<Run>>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (subject, all) in subjects.iter().zip(&mut all) {
            all.push(Fleet::new(terraform, Some(subject), size)?.lifecycle()?);
        }
    }

    page.section("Fleets");
    page.text(&format!(
        "One provider block with {size} applications in `apps`, and one resource for each, {rounds} times in turn, against \
         a simulator of Tencent's API on the same machine, which shares its processors. **Limit** is what the calls take \
         at the 200 a second that Tencent allows for each kind of call; **Terraform** is the time for as many \
         `terraform_data`, without any provider. **CPU** is how long the provider computes; the rest of a run is \
         Terraform's, the simulator's, or waiting for a turn."
    ));
    let samples =
        |runs: &Vec<Vec<Run>>, figure: &dyn Fn(&[Run]) -> f64| Samples::of(runs.iter().map(|run| figure(run)));
    let mut rows = Vec::new();
    for (operation, (name, ..)) in OPERATIONS.iter().enumerate() {
        let seconds: Vec<_> = all.iter().map(|runs| samples(runs, &|run| run[operation].seconds)).collect();
        for ((subject, runs), seconds) in subjects.iter().zip(&all).zip(&seconds) {
            rows.push(vec![
                (*name).to_owned(),
                subject.series.name.to_owned(),
                seconds.show(1),
                runs[0][operation].calls_each(size),
                samples(runs, &|run| run[operation].processor_seconds).show(2),
                samples(runs, &|run| run[operation].memory).show(1),
            ]);
        }
        let (limit, alone) = (all[0][0][operation].limit(), alone[operation].seconds);
        let others = [(LIMIT, limit), (TERRAFORM, alone)];
        for (series, value) in others {
            let empty = String::new;
            rows.push(vec![(*name).to_owned(), series.name.into(), format!("{value:.1}"), empty(), empty(), empty()]);
        }
        let why = if *name == "destroy" { WHY_DESTROY } else { WHY_WALL };
        page.compare(&format!("{size} applications: {name}, s"), 1, WALL_BUDGET, seconds, &others, why);
    }
    let of_all = |figure: &dyn Fn(&[Run]) -> f64| all.iter().map(|runs| samples(runs, figure)).collect::<Vec<_>>();
    let computed = of_all(&|run| run.iter().map(|run| run.processor_seconds).sum());
    page.compare(
        &format!("{size} applications: the provider's CPU in all four, s"),
        1,
        PROCESSOR_BUDGET,
        computed,
        &[],
        WHY_PROCESSOR,
    );
    let peak = of_all(&|run| run.iter().map(|run| run.memory).fold(0.0, f64::max));
    page.compare(&format!("{size} applications: peak memory, MB"), 1, MEMORY_BUDGET, peak, &[], WHY_MEMORY);
    page.table(&["", "", "s: median (range)", "calls each", "CPU, s", "peak memory, MB"], rows);
    Ok(())
}

/// Returns the providers that any thread of a process has started. A child that has not yet executed the provider still has
/// its parent's memory.
fn providers(id: u32) -> impl Iterator<Item = u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children =
        lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>());
    children.filter(|id| {
        fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("terraform-prov"))
    })
}
