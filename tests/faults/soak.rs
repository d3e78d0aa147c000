//! Random operations under random faults: after each, state and Tencent agree, or the output says that they may not.
//!
//! All services take part, and whether set overwrites changes all the time. Two resources can share an application, and an
//! application can move from one to the other. Someone else writes between a plan and its apply, and right before and after a
//! write. Under faults, some resources may overwrite that, and some may not. Reads may lag behind writes.
//!
//! `FAULTS_SEED` repeats a run, `FAULTS_OPERATIONS` makes it longer or shorter. The seed determines operations and faults, but
//! not how requests interleave.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tencent_simulator::{Action, Age, Configuration, Fault, FaultKind, Outcome};
use terraform_cli::Output;

use crate::harness::{ID, Of, Result, SERVICES, Scenario, diagnostics};

/// Seven of each service.
const APPLICATIONS: u64 = 7 * SERVICES.len() as u64;

/// Returns the service of an application.
fn of(id: u64) -> Of {
    SERVICES[usize::try_from(id).expect("an SDKAppID") % SERVICES.len()]
}

const LONGEST_LAG: Duration = Duration::from_millis(500);

/// A quarter of them is kept for reading back, again and again if a write has no effect.
const TIMEOUTS: &str = r#"{ create = "16s", update = "16s", delete = "16s" }"#;

/// Short timeouts, because there are many faults.
const PROVIDER: &str = r#"provider "tencent" {
  max_retries = 2
  request_timeout = "1s"
}
"#;

#[test]
fn random_operations_under_random_faults_lose_nothing() -> Result {
    soak(80)
}

#[test]
#[ignore = "takes some two minutes; .ci/run runs it"]
fn hundreds_of_random_operations_under_random_faults_lose_nothing() -> Result {
    soak(600)
}

/// Plays `operations`, or as many as the environment says.
fn soak(operations: usize) -> Result {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>());
    let seed = number("FAULTS_SEED").transpose()?.unwrap_or_else(rand::random);
    let operations = number("FAULTS_OPERATIONS").transpose()?.map_or(Ok(operations), usize::try_from)?;
    // Printed first, so that a failed run shows it.
    println!("FAULTS_SEED={seed} FAULTS_OPERATIONS={operations}");
    let mut soak = Soak::new(seed)?;
    while soak.figures.operations < operations {
        soak.round()?;
    }
    println!("{}", soak.figures);
    assert!(soak.figures.faults > 0 && soak.figures.reported > 0, "something went wrong on the way");
    assert_eq!(soak.figures.lost, 0, "{:#?}", soak.lost);
    Ok(())
}

#[derive(Debug, Default)]
struct Figures {
    /// Changes in Terraform or elsewhere, and refreshes without a change.
    operations: usize,
    rounds: usize,
    /// Requests that met a fault other than a slow answer.
    faults: usize,
    /// Errors and warnings about an application.
    reported: usize,
    /// Differences between state and Tencent that the output reported.
    explained: usize,
    /// Differences that it did not report.
    lost: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, rounds, faults, reported, explained, lost } = self;
        write!(
            f,
            "soak: {operations} operations in {rounds} rounds, {faults} requests met a fault, {reported} errors and \
             warnings reported, {explained} differences explained by them, lost: {lost}"
        )
    }
}

type Configurations = BTreeMap<u64, Configuration>;

struct Soak {
    scenario: Scenario,
    random: StdRng,
    /// The configured applications.
    wanted: Configurations,
    /// The resource of each application.
    places: BTreeMap<u64, Place>,
    /// The applications whose resource may not overwrite what exists.
    guarded: BTreeSet<u64>,
    /// Applications changed elsewhere since Terraform last read them.
    unseen: BTreeSet<u64>,
    figures: Figures,
    lost: Vec<String>,
}

/// The resource or resources of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Fleet,
    Twin,
    Both,
}

impl Place {
    fn is_in(self, resource: &str) -> bool {
        self == Self::Both || (self == Self::Twin) == (resource == TWIN)
    }
}

const FLEET: &str = "fleet";
const TWIN: &str = "twin";

/// How Terraform runs under faults.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Plan and apply meet faults.
    Apply,
    /// Only the apply of a saved plan meets faults.
    Planned,
    Refresh,
}

impl Soak {
    fn new(seed: u64) -> Result<Self> {
        let scenario = Scenario::of_applications(usize::try_from(APPLICATIONS)?)?;
        Ok(Self {
            scenario,
            random: StdRng::seed_from_u64(seed),
            wanted: Configurations::new(),
            places: (ID..ID + APPLICATIONS).map(|id| (id, Place::Fleet)).collect(),
            guarded: BTreeSet::new(),
            unseen: BTreeSet::new(),
            figures: Figures::default(),
            lost: Vec::new(),
        })
    }

    /// Plays several operations at once under faults, and then applies without faults.
    fn round(&mut self) -> Result {
        self.figures.rounds += 1;
        for id in ID..ID + APPLICATIONS {
            self.operate(id);
        }
        self.configure()?;
        for of in SERVICES {
            self.scenario.simulator.let_set_overwrite(of.service, self.random.random());
        }
        let way = *[Way::Apply, Way::Planned, Way::Planned, Way::Refresh].choose(&mut self.random).ok_or("a way")?;
        let parallel = "-parallelism=20";
        let output = match way {
            Way::Apply => {
                self.inject(0.25);
                self.scenario.run(&["apply", "-auto-approve", parallel])?
            }
            Way::Planned => {
                self.scenario.run(&["plan", "-out=tfplan", parallel])?.expect_success();
                self.meddle()?;
                self.inject(0.9);
                self.scenario.run(&["apply", parallel, "tfplan"])?
            }
            Way::Refresh => {
                self.inject(0.25);
                self.scenario.run(&["apply", "-refresh-only", "-auto-approve", parallel])?
            }
        };
        self.check(way, &output)?;

        self.scenario.simulator.clear_faults();
        self.guarded.clear();
        self.configure()?;
        let met = |outcome| matches!(outcome, Outcome::Fault(_));
        self.figures.faults += self.scenario.simulator.take_requests().iter().filter(|r| met(r.outcome)).count();
        let clean = self.scenario.run(&["apply", "-auto-approve", parallel])?;
        clean.expect_success();
        self.unseen.clear();
        let (states, remotes) = (self.states()?, self.remotes());
        let wanted = |id: &u64, configuration: &Configuration| {
            let objects = if self.places[id] == Place::Both { 2 } else { 1 };
            (*id, vec![configuration.clone(); objects])
        };
        let wanted: BTreeMap<_, _> = self.wanted.iter().map(|(id, configuration)| wanted(id, configuration)).collect();
        assert_eq!(states, wanted, "a clean apply\n{clean}");
        assert_eq!(remotes, self.wanted, "a clean apply\n{clean}");
        if self.figures.rounds.is_multiple_of(4) {
            self.scenario.run(&["plan", "-detailed-exitcode", parallel])?.expect_code(0);
        }
        self.scenario.simulator.clear_requests();
        Ok(())
    }

    /// Changes some applications elsewhere after the plan.
    fn meddle(&mut self) -> Result {
        self.scenario.simulator.clear_requests();
        let states = self.states()?;
        for id in ID..ID + APPLICATIONS {
            let is_managed = states.contains_key(&id) || self.wanted.contains_key(&id);
            if is_managed && self.random.random_bool(0.2) {
                let some = self.some_configuration(id);
                self.scenario.simulator.put_configuration(of(id).service, id, some);
                self.unseen.insert(id);
                self.figures.operations += 1;
            }
        }
        Ok(())
    }

    /// Plays one operation, by Terraform or elsewhere.
    fn operate(&mut self, id: u64) {
        if self.random.random_bool(0.2) {
            let place = *[Place::Fleet, Place::Twin, Place::Both].choose(&mut self.random).expect("not empty");
            self.places.insert(id, place);
        } else if self.random.random() {
            // With a new resource, the plan would fail, and nothing would be applied.
            self.guarded.insert(id);
        }
        let some = self.some_configuration(id);
        let simulator = &self.scenario.simulator;
        match (self.random.random_range(0..10), self.wanted.contains_key(&id)) {
            (0..4, false) | (0..3, true) => {
                self.wanted.insert(id, some);
            }
            (3..5, true) => {
                self.wanted.remove(&id);
            }
            (5, managed) => {
                simulator.put_configuration(of(id).service, id, some);
                // An unmanaged configuration is not read before it is created.
                if managed {
                    self.unseen.insert(id);
                } else {
                    self.wanted
                        .insert(id, self.scenario.simulator.configuration(of(id).service, id).expect("just set"));
                }
            }
            (6, true) => {
                simulator.remove_configuration(of(id).service, id);
                self.unseen.insert(id);
            }
            // Only refreshed.
            (_, true) => {}
            (_, false) => return,
        }
        self.figures.operations += 1;
    }

    fn some_configuration(&mut self, id: u64) -> Configuration {
        let Of { start, changed, end, .. } = of(id);
        let mut commands: Vec<_> = [changed, end, start].into_iter().filter(|_| self.random.random()).collect();
        if commands.is_empty() {
            commands.push(end);
        }
        commands.sort_unstable();
        let number: u32 = self.random.random();
        Configuration::new(format!("https://hooks.example.com/{number}"), commands)
    }

    fn configure(&self) -> Result {
        let resources = SERVICES.map(|of| [FLEET, TWIN].map(|name| self.resource(of, name)).concat());
        self.scenario.configure(&(PROVIDER.to_owned() + &resources.concat()))
    }

    fn resource(&self, service: Of, name: &str) -> String {
        let each: BTreeMap<_, _> = self
            .wanted
            .iter()
            .filter(|(id, _)| of(**id).name == service.name && self.places[id].is_in(name))
            .map(|(id, configuration)| {
                let Configuration { url, callback_commands } = configuration;
                let overwrites = !self.guarded.contains(id);
                (id.to_string(), json!({ "url": url, "commands": callback_commands, "overwrites": overwrites }))
            })
            .collect();
        let arguments = format!(
            "for_each = {}
sdk_app_id = each.key
url = each.value.url
callback_commands = each.value.commands
timeouts = {TIMEOUTS}
overwrite_existing = each.value.overwrites
",
            json!(each)
        );
        service.resource(name, &arguments)
    }

    /// Injects a fault for this share of the applications.
    fn inject(&mut self, share: f64) {
        // No read that lags shows what held before this round.
        sleep(LONGEST_LAG);
        for id in ID..ID + APPLICATIONS {
            if !self.random.random_bool(share) {
                continue;
            }
            let mut fault = Fault::new(self.some_fault(id)).sdk_app_id(id).skip(self.random.random_range(0..2));
            let write = *[Action::Set, Action::Update].choose(&mut self.random).expect("not empty");
            fault.on = *[None, Some(Action::Get), Some(write), Some(Action::Delete)]
                .choose(&mut self.random)
                .expect("not empty");
            // Someone else's write next to any other call would go unnoticed.
            if matches!(
                fault.kind,
                FaultKind::ThenSomebodySets(_) | FaultKind::FirstSomebodySets(_) | FaultKind::FirstSomebodyDeletes
            ) {
                fault.on = Some(write);
            } else if self.random.random_bool(0.2) {
                // A read that lags may hide someone else's write.
                let lag = LONGEST_LAG.mul_f64(self.random.random());
                let read = Fault::new(FaultKind::StaleRead(Age::Ago(lag))).sdk_app_id(id).on(Action::Get);
                self.scenario.simulator.inject(read);
            }
            // Two are retried successfully, more exhaust the attempts, and some faults stay.
            fault.times = *[Some(1), Some(2), Some(3), Some(5), None].choose(&mut self.random).expect("not empty");
            self.scenario.simulator.inject(fault);
        }
    }

    /// Returns a random fault. 100301 is none of them, because a false "none" cannot be told from a true one.
    fn some_fault(&mut self, id: u64) -> FaultKind {
        if self.random.random_bool(0.2) {
            let somebody_sets = self.some_configuration(id);
            return match self.random.random_range(0..4) {
                0..2 => FaultKind::ThenSomebodySets(somebody_sets),
                2 => FaultKind::FirstSomebodySets(somebody_sets),
                _ => FaultKind::FirstSomebodyDeletes,
            };
        }
        let random = &mut self.random;
        let code = |code| FaultKind::ErrorCode { code, info: String::new() };
        match random.random_range(0..20) {
            0 => FaultKind::ResetBeforeProcessing,
            1 => FaultKind::ResetAfterProcessing,
            2 => FaultKind::CloseBeforeProcessing,
            3 => FaultKind::CloseAfterProcessing,
            4 => FaultKind::NoAnswer,
            5 => FaultKind::Delay(Duration::from_millis(random.random_range(1..2000))),
            6 => FaultKind::SlowBody { piece: 32, pause: Duration::from_millis(random.random_range(1..500)) },
            7 => FaultKind::TruncatedBody,
            8 => FaultKind::OversizedBody(2 << 20),
            9 => FaultKind::NotJson,
            10 => FaultKind::WrongTypes,
            11 => FaultKind::MissingFields,
            12 => FaultKind::Redirect { code: 307, location: "http://127.0.0.1:9/".to_owned() },
            13 => FaultKind::Status { code: 429, retry_after: None, processed: false },
            14..17 => FaultKind::Status {
                code: *[500, 502, 503].choose(random).expect("not empty"),
                retry_after: None,
                processed: random.random(),
            },
            17 => code(*[100_001, 60008, 60013].choose(random).expect("not empty")),
            18 => code(*[60007, 60011, 70001].choose(random).expect("not empty")),
            _ => code(*[100_002, 60016, 60020, 70009, 70050].choose(random).expect("not empty")),
        }
    }

    /// Counts the applications whose state and Tencent disagree, by whether the output says so.
    fn check(&mut self, way: Way, output: &Output) -> Result {
        let told = diagnostics(output);
        // These messages explain no difference.
        let aside = [
            "Two resources",
            "stays at Tencent",
            "is kept for",
            "is written again",
            "overwrites the existing",
            "already exists as planned",
        ];
        let explains = |text: &&String| !aside.iter().any(|aside| text.contains(aside));
        let about =
            |id: u64| told.iter().filter(explains).filter(move |text| text.contains(&format!("SDKAppID {id} ")));
        // If Terraform fails while planning, it applies nothing and keeps the whole previous state.
        let applied = ["Creating...", "Modifying...", "Destroying...", "Apply complete!"]
            .iter()
            .any(|sign| output.stdout().contains(sign));
        let (states, remotes) = (self.states()?, self.remotes());
        for id in ID..ID + APPLICATIONS {
            self.figures.reported += about(id).count();
            let (state, remote) = (states.get(&id), remotes.get(&id));
            let is_managed = state.is_some() || self.wanted.contains_key(&id);
            let agree = match state {
                Some(objects) => objects.iter().all(|object| Some(object) == remote),
                None => remote.is_none(),
            };
            if agree || !is_managed {
                continue;
            }
            let pending = match way {
                // A refresh changes nothing, and does not read what is not in the state.
                Way::Refresh => state.is_none() || !applied && self.unseen.contains(&id),
                // Someone changed it after the plan, which had no change for it.
                Way::Planned => self.unseen.contains(&id) && !self.was_written(id),
                Way::Apply => !applied && (self.unseen.contains(&id) || state.is_none()),
            };
            if pending {
                continue;
            }
            if about(id).count() > 0 {
                self.figures.explained += 1;
            } else {
                self.figures.lost += 1;
                self.lost.push(format!(
                    "round {}, {way:?}: {id}: state {state:?}, Tencent {remote:?}\n{output}",
                    self.figures.rounds
                ));
            }
        }
        // A failure prints an error.
        let errors = told.iter().filter(|text| text.starts_with("Error")).count();
        assert_eq!(output.code(), Some(i32::from(errors > 0)), "{output}");
        Ok(())
    }

    fn was_written(&self, id: u64) -> bool {
        let requests = self.scenario.simulator.requests();
        requests.iter().any(|request| request.sdk_app_id == Some(id) && request.action != Some(Action::Get))
    }

    /// Returns every object of each application in the state.
    fn states(&self) -> Result<BTreeMap<u64, Vec<Configuration>>> {
        let state = self.scenario.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let instances = resources.iter().filter_map(|resource| resource["instances"].as_array()).flatten();
        let attributes = instances.map(|instance| &instance["attributes"]);
        let mut states = BTreeMap::<_, Vec<_>>::new();
        for attributes in attributes {
            let id = attributes["sdk_app_id"].as_u64().expect("an SDKAppID");
            let commands = attributes[of(id).argument()].as_array().into_iter().flatten();
            let url = attributes["url"].as_str().unwrap_or_default();
            states.entry(id).or_default().push(Configuration::new(url, commands.filter_map(Value::as_str)));
        }
        Ok(states)
    }

    fn remotes(&self) -> Configurations {
        let all = (ID..ID + APPLICATIONS)
            .filter_map(|id| Some((id, self.scenario.simulator.configuration(of(id).service, id)?)));
        all.map(|(id, mut configuration)| {
            configuration.callback_commands.sort();
            (id, configuration)
        })
        .collect()
    }
}
