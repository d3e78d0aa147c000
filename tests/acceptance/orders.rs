//! The order in which each version of Terraform and OpenTofu reads, plans and applies objects: `orders.md` is the report.
//!
//! Two runs tell which calls are ordered: in each, the calls of one object are held up, so that everything else overtakes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter;
use std::time::Duration;

use expect_test::expect_file;
use serde_json::Value;
use tencent_simulator::{Configuration, Service};
use terraform_cli::{Feature, RELEASES, Terraform, not_run};

use crate::harness::{
    CREATE_BEFORE_DESTROY, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, THIS, URL, provider, resource, sends,
};
use crate::recorder::{Call, Process, Recorder, mark};

/// The hosts of the report, oldest first.
const HOSTS: [&str; 14] = [
    "Terraform 1.6",
    "Terraform 1.8",
    "Terraform 1.9",
    "Terraform 1.10",
    "Terraform 1.11",
    "Terraform 1.12",
    "Terraform 1.13",
    "Terraform 1.14",
    "Terraform 1.15",
    "Terraform 1.16",
    "Terraform 1.17",
    "OpenTofu 1.11",
    "OpenTofu 1.12",
    "OpenTofu 1.13",
];
const ALL: &str = "all";
const MINIMAL_REFRESH: &str = "-minimal-refresh";
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/acceptance/orders.md");

/// The time for which each call of an object is held up. The second is for a slow machine, and is tried where the first shows
/// another order than the report.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

fn host_name(terraform: &Terraform) -> String {
    let (flavour, version) = (terraform.flavour(), terraform.version());
    format!("{flavour} {}.{}", version.major, version.minor)
}

/// Finds the hosts that are here or can be installed.
fn hosts() -> Result<Vec<Terraform>> {
    let mut hosts = vec![TERRAFORM.clone()];
    for release in RELEASES {
        if !release.lacks_go()? {
            hosts.push(release.install()?);
        }
    }
    Ok(hosts)
}

/// One row of the report.
struct Situation {
    name: &'static str,
    /// The configuration that is applied first.
    before: String,
    /// Edits the state after that.
    edit: fn(&mut Value),
    /// Whether someone deletes everything at Tencent after that.
    is_deleted: bool,
    after: String,
    command: &'static [&'static str],
}

impl Situation {
    fn new(name: &'static str, before: impl Into<String>, after: impl Into<String>) -> Self {
        let command = &["apply", "-auto-approve"];
        Self { name, before: before.into(), edit: |_| {}, is_deleted: false, after: after.into(), command }
    }

    fn edited(self, edit: fn(&mut Value)) -> Self {
        Self { edit, ..self }
    }

    fn by(self, command: &'static [&'static str]) -> Self {
        Self { command, ..self }
    }

    /// Returns whether the host can play this situation.
    fn is_for(&self, terraform: &Terraform) -> bool {
        (!self.command.contains(&MINIMAL_REFRESH) || terraform.has(Feature::MinimalRefresh))
            && (!self.after.starts_with("removed") || terraform.has(Feature::Removed))
    }
}

/// Writes the block `name`. Its calls are those of `object`.
fn block(name: &str, object: char, url: &str, more: &str) -> String {
    let timeouts = format!("timeouts = {{ create = \"{}\" }}", mark(object));
    resource(name, &format!("{}overwrite_existing = true\n{timeouts}\n{more}", sends(&[START], url)))
}

/// Writes the block `a`.
fn a(url: &str, more: &str) -> String {
    block("a", 'a', url, more)
}

/// Writes the block `b`.
fn b(url: &str, more: &str) -> String {
    block("b", 'b', url, more)
}

fn of_other_application() -> String {
    format!("sdk_app_id = {}\n", ID + 1)
}

fn of_other_application_created_first() -> String {
    of_other_application() + CREATE_BEFORE_DESTROY
}

fn taint(state: &mut Value) {
    state["resources"][0]["instances"][0]["status"] = "tainted".into();
}

/// Adds what is left of an object of another application whose replacement was interrupted.
fn depose(state: &mut Value) {
    let mut deposed = state["resources"][0]["instances"][0].clone();
    let id = ID + 1;
    deposed["deposed"] = "0badcafe".into();
    deposed["attributes"]["sdk_app_id"] = id.into();
    deposed["attributes"]["id"] = id.to_string().into();
    if deposed["identity"].is_object() {
        deposed["identity"]["sdk_app_id"] = id.into();
    }
    deposed["attributes"]["timeouts"]["create"] = mark('d').into();
    state["resources"][0]["instances"].as_array_mut().expect("instances").push(deposed);
}

fn forget(state: &mut Value) {
    state["resources"] = Value::Array(Vec::new());
}

/// Returns the situations of objects that are created, read, changed, renamed or removed.
fn plain() -> Vec<Situation> {
    let (old, new, other) = (|| a(URL, ""), || a(OTHER_URL, ""), of_other_application());
    let shared = || a(URL, "") + &b(URL, "");
    let moved = "moved {\n  from = tencent_call_callback.a\n  to = tencent_call_callback.b\n}\n";
    let removed = "removed {\n  from = tencent_call_callback.a\n  lifecycle {\n    destroy = false\n  }\n}\n";
    let import = format!("import {{\n  to = tencent_call_callback.a\n  id = \"{ID}\"\n}}\n");
    let dependent = |url| b(url, &(of_other_application() + "depends_on = [tencent_call_callback.a]\n"));
    vec![
        Situation::new("new", "", old()),
        Situation::new("unchanged", old(), old()),
        Situation::new("changed", old(), new()),
        Situation { is_deleted: true, ..Situation::new("deleted at Tencent", old(), old()) },
        Situation::new("two changed", a(URL, "") + &b(URL, &other), a(OTHER_URL, "") + &b(OTHER_URL, &other)),
        Situation::new("two changed, `b` depends on `a`", old() + &dependent(URL), new() + &dependent(OTHER_URL)),
        Situation::new("block removed", old(), ""),
        Situation { is_deleted: true, ..Situation::new("block removed, deleted at Tencent", old(), "") },
        Situation::new("block renamed without `moved`", old(), b(URL, "")),
        Situation::new("one application at two addresses, block `a` removed, `b` changed", shared(), b(OTHER_URL, "")),
        Situation::new("one application at two addresses, both blocks removed", shared(), ""),
        Situation::new("`removed` with `destroy = false`", old(), removed),
        Situation::new("`moved`, and changed", old(), moved.to_owned() + &block("b", 'a', OTHER_URL, "")),
        Situation::new("`import`", old(), import + &old()).edited(forget),
    ]
}

/// Returns the situations of objects that are replaced, or whose replacement was interrupted.
fn replaced() -> Vec<Situation> {
    let (old, other) = (|| a(URL, ""), of_other_application());
    let first = |url: &str| a(url, CREATE_BEFORE_DESTROY);
    let replace = &["apply", "-auto-approve", "-replace=tencent_call_callback.a"];
    let triggered = |input: u8| {
        format!("resource \"terraform_data\" \"trigger\" {{\n  input = {input}\n}}\n")
            + &a(URL, "lifecycle {\n  replace_triggered_by = [terraform_data.trigger]\n}\n")
    };
    let swapped = a(URL, &other) + &b(OTHER_URL, "");
    vec![
        Situation::new("tainted", old(), old()).edited(taint),
        Situation::new("tainted, block removed", old(), "").edited(taint),
        Situation::new("`-replace`", old(), old()).by(replace),
        Situation::new("`replace_triggered_by`", triggered(1), triggered(2)),
        Situation::new("another `sdk_app_id`", old(), a(URL, &other)),
        Situation::new("two swap their `sdk_app_id`", old() + &b(OTHER_URL, &other), swapped),
        Situation::new("`create_before_destroy`, tainted", first(URL), first(URL)).edited(taint),
        Situation::new("`create_before_destroy`, `-replace`", first(URL), first(URL)).by(replace),
        Situation::new(
            "`create_before_destroy`, another `sdk_app_id`",
            first(URL),
            a(URL, &of_other_application_created_first()),
        ),
        Situation::new("deposed `d`, `a` unchanged", first(URL), first(URL)).edited(depose),
        Situation::new("deposed `d`, `a` changed", first(URL), first(OTHER_URL)).edited(depose),
        Situation::new("deposed `d`, block removed", first(URL), "").edited(depose),
    ]
}

/// Returns the situations of commands with options, and of other commands.
fn commands() -> Vec<Situation> {
    let (old, new, first) = (|| a(URL, ""), || a(OTHER_URL, ""), || a(URL, CREATE_BEFORE_DESTROY));
    let two = |url| a(url, "") + &b(url, &of_other_application());
    let target = &["apply", "-auto-approve", "-target=tencent_call_callback.a"];
    let unread = &["apply", "-auto-approve", "-refresh=false"];
    let replace_unread = &["apply", "-auto-approve", "-refresh=false", "-replace=tencent_call_callback.a"];
    let read_only = &["apply", "-auto-approve", "-refresh-only"];
    let destroy = &["destroy", "-auto-approve"];
    vec![
        Situation::new("`-target` of `a`, two changed", two(URL), two(OTHER_URL)).by(target),
        Situation::new("`-target` of `a`, block removed", two(URL), b(OTHER_URL, &of_other_application())).by(target),
        Situation::new("`-refresh=false`, changed", old(), new()).by(unread),
        Situation::new("`-refresh=false`, block removed", old(), "").by(unread),
        Situation::new("`-refresh=false`, `-replace`", old(), old()).by(replace_unread),
        Situation::new("`-refresh=false`, deposed `d`, `a` unchanged", first(), first()).edited(depose).by(unread),
        Situation::new("`-refresh-only`", old(), new()).by(read_only),
        Situation::new("`-refresh-only`, block removed", old(), "").by(read_only),
        Situation::new("`destroy`", old(), old()).by(destroy),
        Situation::new("`destroy` of two", two(URL), two(URL)).by(destroy),
        Situation::new("`destroy`, block renamed", old(), b(URL, "")).by(destroy),
        Situation::new("`destroy -refresh=false`", old(), old()).by(&["destroy", "-auto-approve", "-refresh=false"]),
    ]
}

/// Returns the situations in which Terraform reads only what it is about to change, from 1.17 on.
fn minimal() -> Vec<Situation> {
    let (old, new) = (|| a(URL, ""), || a(OTHER_URL, ""));
    let first = |url: &str| a(url, CREATE_BEFORE_DESTROY);
    let two = |url| a(url, "") + &b(url, &of_other_application());
    let minimal = &["apply", "-auto-approve", MINIMAL_REFRESH];
    let replace = &["apply", "-auto-approve", MINIMAL_REFRESH, "-replace=tencent_call_callback.a"];
    let import = format!("import {{\n  to = tencent_call_callback.a\n  id = \"{ID}\"\n}}\n");
    let situations = vec![
        Situation::new("`-minimal-refresh`, unchanged", old(), old()),
        Situation::new("`-minimal-refresh`, changed", old(), new()),
        Situation {
            is_deleted: true,
            ..Situation::new("`-minimal-refresh`, changed, deleted at Tencent", old(), new())
        },
        Situation::new("`-minimal-refresh`, two changed", two(URL), two(OTHER_URL)),
        Situation::new("`-minimal-refresh`, block removed", old(), ""),
        Situation::new("`-minimal-refresh`, tainted", old(), old()).edited(taint),
        Situation::new("`-minimal-refresh`, another `sdk_app_id`", old(), a(URL, &of_other_application())),
        Situation::new("`-minimal-refresh`, deposed `d`, `a` changed", first(URL), first(OTHER_URL)).edited(depose),
        Situation::new("`-minimal-refresh`, `import`", old(), import + &old()).edited(forget),
    ];
    let mut situations: Vec<_> = situations.into_iter().map(|situation| situation.by(minimal)).collect();
    situations.push(Situation::new("`-minimal-refresh`, `-replace`", old(), old()).by(replace));
    let destroy = &["destroy", "-auto-approve", MINIMAL_REFRESH];
    situations.push(Situation::new("`destroy -minimal-refresh`", old(), old()).by(destroy));
    situations
}

/// A host, and the provider that it calls.
struct Stage {
    scenario: Scenario,
    recorder: Recorder,
    /// The states after the first apply, by configuration.
    states: BTreeMap<String, Value>,
}

impl Stage {
    fn new(terraform: &Terraform) -> Result<Self> {
        let (mut scenario, recorder) = (Scenario::of_on(terraform, [ID, ID + 1])?, Recorder::start()?);
        scenario.workspace.env("TF_REATTACH_PROVIDERS", recorder.reattach());
        Ok(Self { scenario, recorder, states: BTreeMap::new() })
    }

    /// Writes `main.tf`. The provider runs in this process, so its settings are not in its environment.
    fn configure(&self, text: &str) -> Result {
        let endpoint = self.scenario.simulator.url();
        let settings = format!("endpoint = \"{endpoint}\"\nsdk_app_id = {ID}\nsecret_key = \"{KEY}\"");
        self.scenario.configure(&(provider(&settings) + text))
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.scenario.workspace.path().join("terraform.tfstate")
    }

    /// Brings the state and Tencent to what the situation begins with.
    fn prepare(&mut self, situation: &Situation) -> Result {
        let Situation { before, edit, is_deleted, .. } = situation;
        let simulator = &self.scenario.simulator;
        for id in [ID, ID + 1] {
            simulator.remove_configuration(Service::Call, id);
        }
        let state = match self.states.get(before) {
            Some(state) => state.clone(),
            None => {
                fs::write(self.state_file(), "")?;
                self.configure(before)?;
                self.recorder.begin(None);
                self.scenario.apply()?;
                let state = self.scenario.workspace.state()?.ok_or("no state")?;
                self.states.entry(before.clone()).or_insert(state).clone()
            }
        };
        let mut edited = state;
        edit(&mut edited);
        fs::write(self.state_file(), edited.to_string())?;
        for id in [ID, ID + 1] {
            simulator.remove_configuration(Service::Call, id);
        }
        for attributes in attributes(&edited).filter(|_| !is_deleted) {
            let id = attributes["sdk_app_id"].as_u64().ok_or("no application")?;
            let url = attributes["url"].as_str().ok_or("no URL")?;
            simulator.put_configuration(Service::Call, id, Configuration::new(url, [START]));
        }
        Ok(())
    }

    /// Plays a situation, and returns the calls.
    fn play(
        &mut self,
        situation: &Situation,
        held_up: Option<(char, Duration)>,
        more: &[&str],
    ) -> Result<Vec<Process>> {
        self.prepare(situation)?;
        if situation.after.starts_with("import") {
            self.scenario.someone_sets(&[START], URL);
        }
        self.configure(&situation.after)?;
        self.recorder.begin(held_up);
        self.scenario.run(&[situation.command, more].concat())?.expect_success();
        Ok(self.recorder.processes())
    }

    /// Returns the calls of each process in the order that always holds, or none if the runs do not tell.
    fn order(&mut self, situation: &Situation, pause: Duration) -> Result<Option<Vec<String>>> {
        let first = self.play(situation, None, &["-parallelism=1"])?;
        let objects: BTreeSet<_> = first.iter().flatten().map(|call| call.object).collect();
        let [one, other] = match objects.iter().collect::<Vec<_>>()[..] {
            [] => return Ok(Some(vec!["no call".to_owned()])),
            [_] => return Ok(Some(first.iter().map(|process| chain(process.iter())).collect())),
            [one, other] => [*one, *other],
            _ => return Err(format!("{}: {first:?}", situation.name).into()),
        };
        first.iter().for_each(|process| expect_whole_nodes(situation, process));
        let runs = [self.play(situation, Some((one, pause)), &[])?, self.play(situation, Some((other, pause)), &[])?];
        Ok(iter::zip(&runs[0], &runs[1]).map(|(one_last, other_last)| always(one_last, other_last)).collect())
    }
}

fn attributes(state: &Value) -> impl Iterator<Item = &Value> {
    let resources = state["resources"].as_array().into_iter().flatten();
    let ours = resources.filter(|resource| resource["type"] == THIS.split('.').next().expect("a type"));
    ours.flat_map(|resource| resource["instances"].as_array().into_iter().flatten()).map(|i| &i["attributes"])
}

/// Returns the order that two runs share: both are equal, or each object has an order of its own.
fn always(one: &Process, other: &Process) -> Option<String> {
    if one == other {
        return Some(chain(one.iter()));
    }
    let of = |process: &Process, object| chain(process.iter().filter(|call| call.object == object));
    let objects: BTreeSet<_> = one.iter().chain(other).map(|call| call.object).collect();
    let is_sorted = |process: &Process| process.iter().map(|call| call.object).is_sorted();
    let is_reversed = |process: &Process| process.iter().rev().map(|call| call.object).is_sorted();
    let are_independent =
        is_reversed(one) && is_sorted(other) && objects.iter().all(|object| of(one, *object) == of(other, *object));
    are_independent.then(|| objects.iter().map(|object| of(one, *object)).collect::<Vec<_>>().join(" ‖ "))
}

/// Writes calls one after the other. A comma joins those of one node of the host's graph.
fn chain<'a>(calls: impl Iterator<Item = &'a Call>) -> String {
    let mut text = String::new();
    let mut last: Option<&Call> = None;
    for call in calls {
        text += match last {
            None => "",
            Some(last) if is_end_of_node(last, call) => " → ",
            Some(_) => ", ",
        };
        text += &format!("`{call}`");
        last = Some(call);
    }
    text
}

fn is_end_of_node(last: &Call, call: &Call) -> bool {
    last.object != call.object || last.rpc.starts_with("apply")
}

/// Asserts that nothing comes between the calls of one node where the host visits one node at a time.
fn expect_whole_nodes(situation: &Situation, process: &Process) {
    let mut ended = BTreeSet::new();
    for pair in process.windows(2) {
        if is_end_of_node(&pair[0], &pair[1]) && !pair[0].rpc.starts_with("apply") {
            ended.insert(pair[0].object);
        }
        assert!(!ended.contains(&pair[1].object), "{}: {process:?}", situation.name);
    }
}

/// The calls of each process, by situation and host.
type Orders = BTreeMap<(String, usize), Vec<String>>;

fn situations() -> Vec<Situation> {
    [plain(), replaced(), commands(), minimal()].into_iter().flatten().collect()
}

fn record(terraform: &Terraform, host: usize, written: &Orders) -> Result<Orders> {
    let mut stage = Stage::new(terraform)?;
    let mut orders = Orders::new();
    for situation in situations() {
        if !situation.is_for(terraform) {
            continue;
        }
        let key = (situation.name.to_owned(), host);
        let mut order = None;
        for pause in PAUSES {
            order = stage.order(&situation, pause)?;
            if order.is_some() && written.get(&key).is_none_or(|written| order.as_ref() == Some(written)) {
                break;
            }
        }
        orders.insert(key, order.ok_or_else(|| format!("{terraform}, {}: no two runs agree", situation.name))?);
    }
    Ok(orders)
}

/// Writes the hosts as ranges.
fn ranges(hosts: &[usize]) -> String {
    if hosts.len() == HOSTS.len() {
        return ALL.to_owned();
    }
    let flavour = |host: usize| HOSTS[host].split(' ').next();
    let runs = hosts.chunk_by(|one, next| *next == one + 1 && flavour(*one) == flavour(*next));
    let written = runs.map(|run| match run {
        [host] => HOSTS[*host].to_owned(),
        [first, .., last] => {
            format!("{} to {}", HOSTS[*first], HOSTS[*last].split(' ').next_back().unwrap_or_default())
        }
        [] => String::new(),
    });
    written.collect::<Vec<_>>().join(", ")
}

/// Reads the hosts of ranges.
fn hosts_of(ranges: &str) -> Vec<usize> {
    if ranges == ALL {
        return (0..HOSTS.len()).collect();
    }
    let host = |name: &str| HOSTS.iter().position(|host| *host == name).expect("a known host");
    let range = |range: &str| match range.split_once(" to ") {
        None => host(range)..=host(range),
        Some((first, last)) => host(first)..=host(&format!("{} {last}", first.split(' ').next().unwrap_or_default())),
    };
    ranges.split(", ").flat_map(range).collect()
}

/// Reads the table of a report.
fn read(report: &str) -> Orders {
    let mut orders = Orders::new();
    let mut situation = String::new();
    let (_, table) = report.rsplit_once("| --- |\n").unwrap_or_default();
    for line in table.lines() {
        let cells: Vec<_> = line.trim_start_matches("| ").trim_end_matches(" |").split(" | ").collect();
        let [name, hosts, processes @ ..] = &cells[..] else { continue };
        if !name.is_empty() {
            situation = (*name).to_owned();
        }
        let processes: Vec<_> =
            processes.iter().map(|cell| (*cell).to_owned()).filter(|cell| !cell.is_empty()).collect();
        orders.extend(hosts_of(hosts).into_iter().map(|host| ((situation.clone(), host), processes.clone())));
    }
    orders
}

fn report(orders: &Orders) -> String {
    let mut table = String::new();
    for Situation { name, .. } in situations() {
        let mut rows: Vec<(&Vec<String>, Vec<usize>)> = Vec::new();
        for host in 0..HOSTS.len() {
            let Some(order) = orders.get(&(name.to_owned(), host)) else { continue };
            match rows.iter_mut().find(|(other, _)| *other == order) {
                Some((_, hosts)) => hosts.push(host),
                None => rows.push((order, vec![host])),
            }
        }
        for (number, (order, hosts)) in rows.iter().enumerate() {
            let cell = |process: usize| order.get(process).map(String::as_str).unwrap_or_default();
            let name = if number == 0 { name } else { "" };
            table += &format!("| {name} | {} | {} | {} | {} |\n", ranges(hosts), cell(0), cell(1), cell(2));
        }
    }
    BEFORE.to_owned() + &table
}

const BEFORE: &str = r#"<!-- Generated by `UPDATE_EXPECT=1 cargo test --test acceptance orders -- --ignored`, which also records every order. -->

# Orders

The order in which each host calls the provider to read, plan, apply and import objects, recorded from real runs.
[`orders.rs`](orders.rs) plays each situation on each version of Terraform and OpenTofu that can be had, and fails if a host
does anything else. Terraform 1.7 cannot be had.

Each cell holds the calls of one process: the host plans in one process and applies in another.

| sign | meaning |
| --- | --- |
| `read`, `import` | `ReadResource`, `ImportResourceState` |
| `plan a`, `plan +a`, `plan -a` | `PlanResourceChange` with a prior and a new object, without a prior one, without a new one |
| `apply a`, `apply +a`, `apply -a` | `ApplyResourceChange`, likewise |
| `[…]` | the call whose answer the private data comes from; `[state]` is what an earlier command stored. Without it, the host passes none |
| x, y | y follows x. With `-parallelism=1`, no call for another object comes between them |
| x → y | y follows x |
| x ‖ y | the order is up to chance, with `-parallelism=1` as well, and each process has its own |

The object `a` has the block `a`, and `b` the block `b`. `d` is what a replacement of `a` has left, in another application.

| situation | host | first process | second process | third process |
| --- | --- | --- | --- | --- |
"#;

#[test]
fn the_report_lists_every_situation_and_reads_back() -> Result {
    let written = fs::read_to_string(REPORT)?;
    let orders = read(&written);
    assert_eq!(report(&orders), written);
    let names: BTreeSet<_> = orders.into_keys().map(|(name, _)| name).collect();
    assert_eq!(names, situations().into_iter().map(|situation| situation.name.to_owned()).collect());
    Ok(())
}

#[test]
#[ignore = "takes half an hour; run it by hand where a new version of a host appears"]
fn every_host_calls_in_the_recorded_order() -> Result {
    let written = read(&fs::read_to_string(REPORT).unwrap_or_default());
    let mut orders = written.clone();
    orders.retain(|(name, _), _| situations().iter().any(|situation| situation.name == name));
    let mut missing: BTreeSet<_> = HOSTS.into();
    for terraform in hosts()? {
        let name = host_name(&terraform);
        if let Some(host) = HOSTS.iter().position(|host| *host == name).filter(|_| missing.remove(name.as_str())) {
            orders.retain(|(_, of), _| *of != host);
            orders.extend(record(&terraform, host, &written)?);
        }
    }
    if !missing.is_empty() {
        not_run(format!("because {} is not here", missing.into_iter().collect::<Vec<_>>().join(", ")));
    }
    expect_file![REPORT].assert_eq(&report(&orders));
    Ok(())
}
