//! What the exploration found: runs and broken promises by class, with the shortest run that breaks each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::host::Phase;
use super::promises::{Outcome, Promise};
use super::situations::Situation;

/// What became of all runs.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The runs of each class.
    pub(super) runs: BTreeMap<String, usize>,
    /// Runs that ended before the apply, because an earlier one had led to the same plan.
    pub(super) merged: usize,
    broken: BTreeMap<(String, Promise), Broken>,
}

/// A broken promise.
#[derive(Debug, Clone)]
struct Broken {
    runs: usize,
    how: String,
    script: String,
}

impl Report {
    pub(super) fn count(&mut self, situation: &Situation) {
        *self.runs.entry(situation.class()).or_default() += 1;
    }

    pub(super) fn note(&mut self, situation: &Situation, promise: Promise, how: String, script: String) {
        self.add_broken(
            (situation.class(), promise),
            Broken { runs: 1, how, script: format!("{situation}\n{script}") },
        );
    }

    fn add_broken(&mut self, key: (String, Promise), broken: Broken) {
        let known = self.broken.entry(key).or_insert_with(|| Broken { runs: 0, ..broken.clone() });
        known.runs += broken.runs;
        if broken.script.len() < known.script.len() {
            *known = Broken { runs: known.runs, ..broken };
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.merged += other.merged;
        other.runs.into_iter().for_each(|(class, runs)| *self.runs.entry(class).or_default() += runs);
        other.broken.into_iter().for_each(|(key, broken)| self.add_broken(key, broken));
    }

    /// Compares the broken promises with the lines of `known`, such as `Kept: create + remove`, below comments with the
    /// reasons. Returns what differs, and the lines as they should be.
    pub(super) fn compare(&self, known: &str) -> (Vec<String>, String) {
        let line = |(class, promise): &(String, Promise)| format!("{promise:?}: {class}");
        let found: BTreeSet<_> = self.broken.keys().map(line).collect();
        let is_right = |line: &&str| line.is_empty() || line.starts_with('#') || found.contains(*line);
        let (right, passing): (Vec<_>, Vec<_>) = known.lines().partition(is_right);
        let new = self.broken.iter().filter(|(key, _)| !right.contains(&line(key).as_str()));
        let new: Vec<_> = new.map(|(key, broken)| (line(key), broken)).collect();
        let mut lines: Vec<_> = right.iter().map(|line| (*line).to_owned()).collect();
        if !new.is_empty() {
            lines.push("\n# Not explained yet.".to_owned());
        }
        lines.extend(new.iter().map(|(line, _)| line.clone()));
        let passing = passing.into_iter().map(|line| format!("This promise is now kept: {line}"));
        let failing =
            new.iter().map(|(line, Broken { runs, how, script })| format!("{line}\n({runs} runs) {how}\n\n{script}\n"));
        (passing.chain(failing).collect(), lines.join("\n") + "\n")
    }
}

/// Lists the classes, each with the promises that it breaks.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, runs) in &self.runs {
            let broken = self.broken.iter().filter(|((of, _), _)| of == class);
            let broken: Vec<_> = broken.map(|((_, promise), broken)| format!("{promise:?} {}", broken.runs)).collect();
            let outcome =
                if broken.is_empty() { "keeps all".to_owned() } else { format!("breaks {}", broken.join(", ")) };
            writeln!(f, "{runs:6}  {class}: {outcome}")?;
        }
        let total: usize = self.runs.values().sum();
        write!(f, "{total} runs of {} classes, {} of them merged", self.runs.len(), self.merged)
    }
}

/// Writes the RPCs of a run, with the calls at Tencent and what was said.
pub(super) fn script(outcome: &Outcome<'_>) -> String {
    let mut lines = vec![format!("{:?} {:?}", outcome.kind, outcome.mode)];
    for (id, rpc) in outcome.run.rpcs.iter().enumerate() {
        let calls: Vec<_> = outcome.calls.iter().filter(|(of, _)| *of == id).map(|(_, call)| call).collect();
        let number = |at: usize| if outcome.mode.is_parallel { format!("#{at} ") } else { String::new() };
        let calls: Vec<_> = calls.into_iter().map(|call| format!("{}{call}", number(call.at))).collect();
        let phase = if rpc.phase == Phase::Plan { "plan " } else { "apply" };
        let story = &outcome.situation.stories[rpc.address];
        lines.push(format!("{phase} [{}: {story}] {}: {}", rpc.address, rpc.name, calls.join(", ")));
        for said in &rpc.said {
            let severity = if said.is_error { "Error" } else { "Warning" };
            lines.push(format!("        {severity}: {}", said.summary));
        }
    }
    lines.join("\n")
}
