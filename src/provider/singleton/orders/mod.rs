//! An explorer of orders: it plays every order of RPCs in which a host may plan and apply up to three objects of up to
//! two applications, with every fate of every call at Tencent, and checks the promises after each run.
//!
//! It drives the provider's server in this process, without sockets, on tokio's paused clock. Nothing is left to chance:
//! whatever may differ between two runs is a decision, and all decisions are walked through depth first.
//!
//! | file | contents |
//! | --- | --- |
//! | `situations.rs` | the objects, blocks and options of Terraform that are explored, and how their number is cut |
//! | `host.rs` | Terraform: plan walk and apply walk, and the orders of RPCs |
//! | `kinds.rs` | the kinds of objects: a few attributes and calls tell them apart |
//! | `tencent.rs` | Tencent: what it holds, what becomes of a call, and which call comes next |
//! | `choices.rs` | the walk through all decisions |
//! | `promises.rs` | the promises |
//! | `report.rs` | the report, with the shortest script of each broken promise |

mod choices;
mod host;
mod kinds;
mod promises;
mod report;
mod situations;
mod tencent;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::runtime::Builder;

use choices::Choices;
use host::{Action, Host, Instance, Mode, Process, Reads, State};
use kinds::Kind;
use promises::{Outcome, Promise};
use report::{Report, script};
use situations::{Block, OLD, Situation, Story};
use tencent::{APPS, Content, Fate, THEIRS, Tencent};

/// As Terraform up to 1.15 runs with `-parallelism=1`.
const ORDERLY: Mode = Mode { reads: Reads::First, is_one_process: false, is_parallel: false, keeps_plans: false };

/// As Terraform since 1.16 does.
const RECENT: Mode = Mode { keeps_plans: true, ..ORDERLY };

/// What to explore: a situation, how Terraform runs, and how much goes wrong.
#[derive(Debug, Clone)]
struct Job {
    kind: Kind,
    situation: Situation,
    mode: Mode,
    faults: u8,
}

/// The beginning of every run of a situation.
struct Start {
    state: State,
    held: [Option<Content>; 2],
}

impl Start {
    /// Returns all of the situation that decides how it begins.
    fn key(situation: &Situation) -> String {
        let objects = situation.stories.iter().map(|story| {
            let imported = story.block.filter(|_| story.is_imported).map(|block| block.app);
            let Story { current, is_tainted, deposed, was_write_only, .. } = story;
            format!("{current:?} {is_tainted} {deposed:?} {was_write_only} {imported:?}")
        });
        format!("{:?} {:?} {}", objects.collect::<Vec<_>>(), situation.unmanaged, situation.is_guarded())
    }

    /// Creates the objects of the state one after the other; further ones of an application are imported.
    async fn of(situation: &Situation, provider: &Process) -> Self {
        let stories = situation.stories.iter().enumerate();
        let slots = stories.flat_map(|(address, story)| {
            let deposed = story.deposed.map(|app| (address, true, app, false));
            deposed.into_iter().chain(story.current.map(|app| (address, false, app, story.was_write_only)))
        });
        provider.tencent.world().begin(Choices::default(), situation.unmanaged, 0);
        let (mut setup, mut objects) = (Situation::of(Vec::new()), State::new());
        let mut slots: Vec<_> = slots.collect();
        slots.sort_by_key(|(_, _, app, _)| *app);
        for (_, _, app, is_write_only) in &slots {
            let is_imported = setup.had(*app);
            let is_guarded = situation.stories.iter().any(|story| story.block.is_some_and(|block| block.is_guarded));
            let story = Story { is_imported, ..Story::of(None, Some((*app, OLD))) };
            let forms = |block: &mut Block| (block.is_guarded, block.is_write_only) = (is_guarded, *is_write_only);
            setup.stories.push(story.with(forms));
            objects.push(Instance::default());
            let host = Host::new(provider, &setup, ORDERLY, objects).await;
            assert!(host.plan().await, "{setup}: {:?}", host.run());
            host.apply().await;
            objects = host.run().state.clone();
            setup.stories.last_mut().into_iter().for_each(|story| story.current = Some(*app));
        }
        let mut state = vec![Instance::default(); situation.stories.len()];
        for ((address, is_deposed, ..), object) in slots.iter().zip(objects) {
            let instance = &mut state[*address];
            let mut object = object.current.expect("an object");
            object.is_tainted = situation.stories[*address].is_tainted && !is_deposed;
            if *is_deposed { instance.deposed.push(object) } else { instance.current = Some(object) }
        }
        let mut held = provider.tencent.world().held;
        for block in situation.stories.iter().filter(|story| story.is_imported).filter_map(|story| story.block) {
            held[block.app as usize].get_or_insert(OLD);
        }
        Self { state, held }
    }
}

/// What the runs of a job have led to before.
#[derive(Default)]
struct Seen {
    /// Each plan, by the decisions that first led to it.
    plans: BTreeMap<String, Choices>,
    /// What is wrong with the next plan, by what it starts from.
    ends: BTreeMap<String, Option<String>>,
    /// The plans of runs without faults, as people see them.
    shown: BTreeSet<String>,
    /// Whether the plan fails although nothing goes wrong.
    always_fails: bool,
}

/// Describes what Terraform keeps. Random keys are numbered in the order in which they appear.
fn signature(state: &State, changes: impl IntoIterator<Item = String>, rest: &str) -> String {
    let objects = state.iter().map(|instance| {
        let all = instance.current.iter().chain(&instance.deposed);
        let all = all.map(|o| format!("{:?} {} {}", o.value, o.is_tainted, String::from_utf8_lossy(&o.private)));
        format!("{:?} {}", instance.current.is_some(), all.collect::<String>())
    });
    let text = objects.chain(changes).chain([rest.to_owned()]).collect::<Vec<_>>().join("\n");
    let mut keys = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let mut result = String::new();
    for word in text.split_inclusive(|c| !is_part(c)) {
        let key = word.trim_end_matches(|c| !is_part(c));
        if key.len() != 43 {
            result += word;
            continue;
        }
        let index = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        });
        result += &format!("<{index}>{}", &word[key.len()..]);
    }
    result
}

/// The exploration of one job.
struct Explorer<'a> {
    job: &'a Job,
    provider: &'a Process,
    start: &'a Start,
    seen: Seen,
    report: Report,
}

impl Explorer<'_> {
    /// Explores all runs.
    async fn explore(mut self) -> Report {
        let mut choices = Some(Choices::default());
        while let Some(next) = choices {
            choices = self.run(next).await.next();
            self.report.count(&self.job.situation);
        }
        self.report
    }

    async fn run(&mut self, choices: Choices) -> Choices {
        let Self { job: Job { kind, situation, mode, faults }, provider, start, .. } = *self;
        let tencent = &provider.tencent;
        tencent.world().begin(choices, start.held, *faults);
        let host = Host::new(provider, situation, *mode, start.state.clone()).await;
        let was_applied = host.plan().await;
        let is_new = self.compare_plans(&host);
        if was_applied && is_new {
            host.apply().await;
        } else if was_applied {
            self.report.merged += 1;
            return std::mem::take(&mut tencent.world().choices);
        }
        let (choices, calls, end) = {
            let mut world = tencent.world();
            world.calm();
            (std::mem::take(&mut world.choices), world.calls.clone(), world.held)
        };
        let run = host.run().clone();
        let outcome = Outcome { kind: *kind, situation, mode: *mode, was_applied, run, calls, start: start.held, end };
        let mut broken = outcome.broken();
        broken.extend(self.next(&outcome).await.map(|how| (Promise::Next, how)));
        for (promise, how) in broken {
            self.report.note(situation, promise, how, script(&outcome));
        }
        choices
    }

    /// Returns whether a plan is new, so that applying it may lead to something new. Notes plans that only chance of order
    /// makes different.
    fn compare_plans(&mut self, host: &Host<'_>) -> bool {
        let Self { job: Job { situation, mode, .. }, seen, report, .. } = self;
        let run = host.run();
        let world = host.tencent.world();
        if world.calls.iter().all(|(_, call)| call.fate == Fate::Done) {
            let said = run.rpcs.iter().flat_map(|rpc| &rpc.said).map(|said| said.summary.clone());
            // Only some orders have a gap, and only those announce it.
            let said: BTreeSet<_> = said.filter(|said| !said.contains("may be missing for a moment")).collect();
            let actions: Vec<_> = run.changes.iter().map(|(address, change)| (address, change.action)).collect();
            // A plan that fails shows no actions.
            seen.always_fails |= run.has_failed;
            let shown = if run.has_failed { format!("fails: {said:?}") } else { format!("{actions:?} {said:?}") };
            seen.shown.insert(shown);
            if seen.shown.len() > 1 {
                let how = seen.shown.iter().cloned().collect::<Vec<_>>().join("\n");
                report.note(situation, Promise::Same, how, format!("{mode:?}"));
            }
        }
        let changes = run.changes.iter().map(|(address, change)| {
            format!("{address} {:?} {}", change.action, String::from_utf8_lossy(&change.private))
        });
        let plan = signature(&run.state, changes, &format!("{} {}", world.signature(), run.has_failed));
        let decisions = world.choices.so_far();
        mode.is_one_process || *seen.plans.entry(plan).or_insert_with(|| decisions.clone()) == decisions
    }

    /// Returns what is wrong with the next plan, or with applying it after a failure.
    async fn next(&mut self, outcome: &Outcome<'_>) -> Option<String> {
        let state = if outcome.was_applied { &outcome.run.state } else { &self.start.state };
        let has_failed = outcome.run.has_failed;
        let is_mistaken = outcome.situation.stories.iter().any(Story::is_mistaken);
        if !has_failed && (is_mistaken || APPS.into_iter().any(|app| outcome.is_theirs(app))) {
            return None;
        }
        let from = signature(state, [], &format!("{:?} {has_failed}", outcome.end));
        if let Some(known) = self.seen.ends.get(&from) {
            return known.clone();
        }
        // A plan that always fails goes on failing; so does one that contradicts itself as soon as all is known.
        let is_right = has_failed && (self.seen.always_fails || outcome.situation.is_contradictory());
        let wrong = if is_right { None } else { self.wrong_next(state, has_failed).await };
        self.seen.ends.insert(from, wrong.clone());
        wrong
    }

    async fn wrong_next(&self, state: &State, has_failed: bool) -> Option<String> {
        let mut situation = self.job.situation.clone();
        if situation.is_destroy && !has_failed {
            let is_empty = |instance: &Instance| instance.current.is_none() && instance.deposed.is_empty();
            let is_left = |(instance, story): (&Instance, &Story)| !story.is_left_out && !is_empty(instance);
            return state
                .iter()
                .zip(&situation.stories)
                .any(is_left)
                .then(|| "something is left in the state".to_owned());
        }
        for (story, instance) in situation.stories.iter_mut().zip(state) {
            let has_import = story.is_imported && instance.current.is_none();
            *story = Story { is_forced: false, is_imported: has_import, ..*story }.with(|block| block.is_known = true);
        }
        let mut state = state.clone();
        for has_failed in [has_failed, false] {
            let mode = Mode { keeps_plans: self.job.mode.keeps_plans, ..ORDERLY };
            let host = Host::new(self.provider, &situation, mode, state).await;
            let is_planned = host.plan().await;
            if has_failed && is_planned {
                host.apply().await;
            }
            let run = host.run().clone();
            let errors = run.rpcs.iter().flat_map(|rpc| &rpc.said).filter(|said| said.is_error);
            let errors: Vec<_> = errors.map(|said| said.summary.clone()).collect();
            if run.has_failed {
                let is_right = self.is_refused_rightly();
                return (!is_right).then(|| format!("after a failure, the next run fails: {errors:?}"));
            }
            let is_change = |change: &&host::Change| change.action != Action::NoOp;
            if let Some(change) = run.changes.values().find(is_change).filter(|_| !has_failed) {
                return Some(format!("after a success, the next plan shows {:?}", change.action));
            }
            if !has_failed {
                return None;
            }
            state = run.state;
        }
        None
    }

    /// Returns whether someone else has set what the guard protects, or deleted what is to be imported.
    fn is_refused_rightly(&self) -> bool {
        let (held, situation) = (self.provider.tencent.world().held, &self.job.situation);
        let is_missing = |story: &Story| story.block.is_some_and(|block| held[block.app as usize].is_none());
        let cannot_import = situation.stories.iter().any(|story| story.is_imported && is_missing(story));
        cannot_import || situation.is_guarded() && held.contains(&Some(THEIRS))
    }
}

/// Explores all jobs, on all processors.
fn explore(jobs: &[Job]) -> Report {
    let (next, report) = (AtomicUsize::new(0), Mutex::new(Report::default()));
    let work = async || {
        let (mut providers, mut starts) = (BTreeMap::new(), BTreeMap::new());
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let provider = &*providers.entry(job.kind).or_insert_with(|| Process::new(Tencent::of(job.kind)));
            let start = match starts.entry((job.kind, Start::key(&job.situation))) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Start::of(&job.situation, provider).await),
            };
            let (seen, found) = (Seen::default(), Report::default());
            let found = Explorer { job, provider, start, seen, report: found }.explore().await;
            report.lock().unwrap_or_else(PoisonError::into_inner).add(found);
        }
    };
    let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    std::thread::scope(|scope| {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        (0..count).for_each(|_| drop(scope.spawn(|| runtime().block_on(work()))));
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn jobs(situations: &[Situation], modes: &[Mode], faults: u8) -> Vec<Job> {
    let all = situations.iter().flat_map(|situation| modes.iter().map(move |mode| (situation, *mode)));
    all.map(|(situation, mode)| Job { kind: Kind::CALL, situation: situation.clone(), mode, faults }).collect()
}

/// Lists jobs of another kind than Call. All share the flow, so that fewer of them do.
fn jobs_of(kind: Kind, situations: &[Situation], faults: u8) -> Vec<Job> {
    jobs(situations, &[ORDERLY], faults).into_iter().map(|job| Job { kind, ..job }).collect()
}

/// Terraform 1.17 with `-minimal-refresh`.
const MINIMAL: Mode = Mode { reads: Reads::Changed, ..RECENT };

/// How Terraform runs apart from [`ORDERLY`] and [`MINIMAL`].
const OTHER_MODES: [Mode; 5] = [
    RECENT,
    Mode { reads: Reads::OrphansLate, ..ORDERLY },
    Mode { reads: Reads::Never, ..ORDERLY },
    Mode { is_one_process: true, ..ORDERLY },
    Mode { is_parallel: true, ..ORDERLY },
];

/// Explores `jobs`, and compares the broken promises with those that `known/NAME.txt` lists. With `UPDATE_EXPECT=1`, the
/// list is rewritten.
fn check(name: &str, jobs: &[Job]) {
    let begun = Instant::now();
    let report = explore(jobs);
    eprintln!("{report}, {} jobs, {:.1?}", jobs.len(), begun.elapsed());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider/singleton/orders/known");
    let path = folder.join(format!("{name}.txt"));
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let (differences, lines) = report.compare(&known);
    if std::env::var("UPDATE_EXPECT").is_ok_and(|update| update == "1") {
        return std::fs::write(&path, lines).expect("a list of known failures");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn one_object_keeps_the_promises_whatever_goes_wrong_once() {
    check("one", &jobs(&situations::singles(), &[ORDERLY], 1));
}

#[test]
fn one_object_keeps_more_promises_since_the_host_keeps_plans() {
    check("recent", &jobs(&situations::singles(), &[RECENT], 1));
}

#[test]
fn two_objects_of_one_application_keep_the_promises_whatever_goes_wrong_once() {
    check("closest", &jobs(&situations::closest_pairs(), &[ORDERLY], 1));
}

#[test]
fn two_objects_keep_the_promises_in_every_order() {
    check("two", &jobs(&situations::agreeing_pairs(), &[ORDERLY], 0));
}

#[test]
fn two_objects_keep_the_promises_whatever_the_host_reads_and_runs_at_once() {
    check("modes", &jobs(&situations::closest_pairs(), &OTHER_MODES, 0));
}

#[test]
fn an_object_that_is_planned_before_it_is_read_keeps_the_promises() {
    let mut all = jobs(&situations::singles(), &[MINIMAL], 1);
    all.extend(jobs(&situations::agreeing_pairs(), &[MINIMAL], 0));
    all.extend(jobs(&situations::closest_pairs(), &[Mode { is_parallel: true, ..MINIMAL }], 0));
    check("minimal", &all);
}

#[test]
fn an_object_with_a_write_only_argument_keeps_the_promises() {
    let mut all = jobs(&situations::write_only_singles(), &[ORDERLY], 1);
    all.extend(jobs(&situations::write_only_pairs(), &[ORDERLY], 0));
    check("write_only", &all);
}

#[test]
fn an_object_keeps_the_promises_beside_one_that_is_left_out() {
    check("targeted", &jobs(&situations::targeted(), &[ORDERLY], 0));
}

#[test]
fn objects_of_the_other_kinds_keep_the_promises_whatever_goes_wrong_once() {
    let mut all = Vec::new();
    for kind in [Kind::ROOM, Kind::LIVE, Kind::LEGACY_CALL, Kind::Token] {
        all.extend(jobs_of(kind, &situations::singles(), 0));
        all.extend(jobs_of(kind, &situations::closest_pairs(), 0));
    }
    let mut guarded = situations::singles();
    guarded.retain(Situation::is_guarded);
    // The calls of Live are those of Room.
    for kind in [Kind::ROOM, Kind::LEGACY_CALL, Kind::Token] {
        all.extend(jobs_of(kind, &guarded, 1));
    }
    check("kinds", &all);
}

#[test]
#[ignore = "takes a minute; run it by hand after a change of the flow"]
fn three_objects_of_one_application_keep_the_promises_whatever_goes_wrong_once() {
    let mut triples = situations::triples();
    triples.retain(Situation::is_of_one_application);
    check("closest_three", &jobs(&triples, &[ORDERLY], 1));
}

#[test]
#[ignore = "takes a minute; run it by hand after a change of the flow"]
fn three_objects_keep_the_promises_in_every_order() {
    check("three", &jobs(&situations::triples(), &[ORDERLY], 0));
}
