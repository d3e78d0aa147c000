//! Many applications in one process, each with its own key: created, planned, updated and destroyed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tencent_simulator::{Action, App, Simulator};
use terraform_cli::{Mirror, Terraform, Workspace};

use crate::Result;
use crate::page::{Bar, Budget, Group, Page};
use crate::peers::Subject;
use crate::start::memory;

const FIRST: u64 = Simulator::SDK_APP_ID;
/// Tencent's documented rate limit of each call, which the provider respects.
const CALLS_PER_SECOND: f64 = 200.0;

/// The size of the fleet that the budgets are for.
const FLEET_OF_BUDGET: usize = 1000;

/// An operation on a fleet: the heading, the command, and which of two URLs the resources have.
const OPERATIONS: [(&str, &[&str], usize); 4] = [
    ("create", &["apply", "-auto-approve"], 0),
    ("plan", &["plan"], 0),
    ("change", &["apply", "-auto-approve"], 1),
    ("destroy", &["destroy", "-auto-approve"], 1),
];

/// The measurements of an operation.
#[derive(Debug)]
struct Run {
    seconds: f64,
    /// The number of each of the API's calls.
    calls: BTreeMap<Action, usize>,
    /// The provider's peak memory, in MB.
    memory: f64,
    /// The provider's CPU time.
    processor_seconds: f64,
}

impl Run {
    /// Returns the time that the calls alone take at Tencent's rate limit, which applies to each call separately.
    fn limit(&self) -> f64 {
        self.calls.values().max().map_or(0.0, |calls| *calls as f64 / CALLS_PER_SECOND)
    }

    fn calls_each(&self, size: usize) -> String {
        let each = self.calls.iter().map(|(action, calls)| format!("{} {action}", *calls as f64 / size as f64));
        each.collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn measure(sizes: &[usize], terraform: &Terraform, subject: &Subject, page: &mut Page) -> Result {
    page.section("Fleets");
    page.text(
        "One provider block with one application for each entry of `apps`, one resource each, against a simulator of \
         Tencent's API on the same machine, which shares its processors. **Limit** is what the calls take at the 200 a \
         second that Tencent allows for each kind of call; **Terraform** is the time for as many `terraform_data`, \
         without any provider. **Provider's CPU** is how long this provider computes; the rest of a run is Terraform's, or \
         waiting for a turn.",
    );
    let mut rows = Vec::new();
    let largest = *sizes.last().ok_or("no fleet to measure")?;
    for &size in sizes {
        let own = terraform_alone(terraform, size)?;
        let parallelisms: &[usize] = if size == largest { &[10, 100] } else { &[10] };
        for &parallelism in parallelisms {
            let runs = ours(terraform, subject, size, parallelism)?;
            for ((run, own), (name, ..)) in runs.iter().zip(&own).zip(OPERATIONS) {
                rows.push(vec![
                    size.to_string(),
                    parallelism.to_string(),
                    name.to_owned(),
                    format!("{:.1}", run.seconds),
                    run.calls_each(size),
                    format!("{:.1}", run.limit()),
                    format!("{own:.1}"),
                    format!("{:.1}", run.processor_seconds),
                    format!("{:.1}", run.memory),
                ]);
            }
            if size == FLEET_OF_BUDGET && parallelism == 10 {
                summarize(size, &runs, &own, page);
            }
        }
    }
    let head = [
        "applications",
        "parallelism",
        "",
        "s",
        "calls each",
        "limit, s",
        "Terraform, s",
        "provider's CPU, s",
        "peak memory, MB",
    ];
    page.table(&head, rows);
    Ok(())
}

/// The budgets, and the chart of the largest fleet.
fn summarize(size: usize, runs: &[Run], own: &[f64], page: &mut Page) {
    let peak = runs.iter().map(|run| run.memory).fold(0.0, f64::max);
    page.budget(Budget::at_most(&format!("{size} applications: peak memory, MB"), peak, 12.0, 1));
    for ((run, own), (name, ..)) in runs.iter().zip(own).zip(OPERATIONS) {
        let what = format!("{size} applications: {name}, s");
        page.budget(Budget::at_most(&what, run.seconds, 1.1 * own.max(run.limit()), 1));
        let bars =
            vec![Bar::new("this provider", run.seconds), Bar::new("limit", run.limit()), Bar::new("Terraform", *own)];
        page.chart(Group::new(&format!("{size} applications: {name}, s"), bars));
    }
}

fn ours(terraform: &Terraform, subject: &Subject, size: usize, parallelism: usize) -> Result<Vec<Run>> {
    let ids = || (FIRST..).take(size);
    let key = |id: u64| format!("{id:064}");
    let simulator = ids().fold(Simulator::builder(), |builder, id| builder.app(App::new(id, key(id)))).start()?;
    let mut workspace = Workspace::new(terraform, &Mirror::new(&subject.executable, subject.version)?)?;
    workspace.env("NO_PROXY", "127.0.0.1").env("TENCENT_ENDPOINT", simulator.url());
    workspace.write(
        "provider.tf",
        "terraform {\n  required_providers {\n    tencent = { source = \"callkit/tencent\" }\n  }\n}\n\
         variable \"apps\" {\n  type = map(object({ secret_key = string }))\n}\n\
         provider \"tencent\" {\n  apps = var.apps\n}\n",
    )?;
    let apps: BTreeMap<_, _> = ids().map(|id| (id.to_string(), json!({ "secret_key": key(id) }))).collect();
    // An environment variable holds at most 128 KiB.
    workspace.write("apps.auto.tfvars.json", &json!({ "apps": apps }).to_string())?;
    run_all(
        &workspace,
        size,
        parallelism,
        |url| {
            format!(
                "resource \"tencent_call_callback\" \"fleet\" {{\n  for_each = local.ids\n  sdk_app_id = each.key\n  \
             url = \"{url}\"\n  callback_commands = [\"Call.CallbackAfterEndCall\"]\n}}\n"
            )
        },
        |run| {
            for request in simulator.take_requests() {
                *run.calls.entry(request.action.expect("one of the API's calls")).or_default() += 1;
            }
        },
    )
}

/// Measures the seconds that each operation takes without a provider.
fn terraform_alone(terraform: &Terraform, size: usize) -> Result<Vec<f64>> {
    let workspace = Workspace::new(terraform, &Mirror::empty()?)?;
    let text = |url: &str| {
        format!("resource \"terraform_data\" \"fleet\" {{\n  for_each = local.ids\n  input = \"{url}\"\n}}\n")
    };
    Ok(run_all(&workspace, size, 10, text, |_| {})?.into_iter().map(|run| run.seconds).collect())
}

fn run_all(
    workspace: &Workspace,
    size: usize,
    parallelism: usize,
    resource: impl Fn(&str) -> String,
    mut finish: impl FnMut(&mut Run),
) -> Result<Vec<Run>> {
    // Terraform evaluates for_each again for every instance, and walks through a set each time: hence a map in a local.
    let ids = format!("locals {{\n  ids = {{ for i in range({size}) : tostring({FIRST} + i) => i }}\n}}\n");
    let configure = |url: usize| {
        workspace.write("main.tf", &(ids.clone() + &resource(&format!("https://hooks.example.com/{url}"))))
    };
    configure(0)?;
    workspace.init()?.expect_success();
    let parallelism = format!("-parallelism={parallelism}");
    OPERATIONS
        .iter()
        .map(|(_, command, url)| {
            configure(*url)?;
            let mut run = run(workspace, &[command, [parallelism.as_str()].as_slice()].concat())?;
            finish(&mut run);
            Ok(run)
        })
        .collect()
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Result<Run> {
    let begin = Instant::now();
    let mut command = workspace.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let (mut peak, mut computed) = (0.0_f64, BTreeMap::new());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        for id in providers(child.id()) {
            peak = memory(id, "VmHWM:").map_or(peak, |memory| memory.max(peak));
            computed.extend(processor_seconds(id).map(|seconds| (id, seconds)));
        }
        thread::sleep(Duration::from_millis(20));
    };
    let seconds = begin.elapsed().as_secs_f64();
    if !status.success() {
        let mut text = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            std::io::Read::read_to_string(&mut stderr, &mut text)?;
        }
        return Err(format!("terraform {} failed:\n{text}", arguments.join(" ")).into());
    }
    Ok(Run { seconds, calls: BTreeMap::new(), memory: peak, processor_seconds: computed.values().sum() })
}

/// Returns the CPU time of a single-threaded process so far.
fn processor_seconds(id: u32) -> Option<f64> {
    let statistics = fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?;
    let nanoseconds: f64 = statistics.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
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
