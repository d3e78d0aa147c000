//! The report as a page of `docs/`, with pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use terraform_cli::Terraform;

use crate::Result;
use crate::chart::{self, Bar, Group, Line, Series};
use crate::statistics::Samples;
use crate::subject::Subject;

/// The pictures that sections show, below `docs`.
const PARTS: &str = "performance-plan.svg";
const GROWTH: &str = "performance-growth.svg";

/// The report so far.
#[derive(Debug)]
pub(crate) struct Page {
    head: String,
    subjects: Vec<Series>,
    budgets: Vec<Budget>,
    sections: String,
    groups: Vec<Group>,
    parts: Vec<Group>,
    growth: Vec<Line>,
}

/// A figure of this provider, or its ratio to the peer's, and the most that it may be.
#[derive(Debug)]
pub(crate) struct Budget {
    what: String,
    digits: usize,
    ours: Samples,
    peer: Option<Samples>,
    limit: f64,
    /// The reason why it is missed, if it is.
    why: &'static str,
}

impl Budget {
    fn value(&self) -> f64 {
        self.ours.median() / self.peer.as_ref().map_or(1.0, Samples::median)
    }

    fn is_missed(&self) -> bool {
        self.value() > self.limit
    }

    fn row(&self) -> Vec<String> {
        let Self { what, digits, ours, peer, limit, .. } = self;
        let (peer, ratio) = match peer {
            Some(peer) => (peer.show(*digits), format!("{:.2}", self.value())),
            None => (String::new(), String::new()),
        };
        let limit_digits = if peer.is_empty() { *digits } else { 2 };
        let verdict = match self.is_missed() {
            true => format!("**missed** by {:.0} %", (self.value() / limit - 1.0) * 100.0),
            false => "met".to_owned(),
        };
        vec![what.clone(), ours.show(*digits), peer, ratio, format!("{limit:.limit_digits$}"), verdict]
    }
}

impl Page {
    pub(crate) fn new(terraform: &Terraform, subjects: &[Subject]) -> Result<Self> {
        let mut head = format!("Measured on {}, with {terraform}:\n\n", machine()?);
        for subject in subjects {
            writeln!(head, "- **{}**: {}.", subject.series.name, subject.what)?;
        }
        Ok(Self {
            head,
            subjects: subjects.iter().map(|subject| subject.series).collect(),
            budgets: Vec::new(),
            sections: String::new(),
            groups: Vec::new(),
            parts: Vec::new(),
            growth: Vec::new(),
        })
    }

    pub(crate) fn section(&mut self, heading: &str) {
        self.sections += &format!("\n## {heading}\n");
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.sections += &format!("\n{text}\n");
    }

    pub(crate) fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) {
        self.sections += &table(head, rows);
    }

    /// Sets the most that a figure of this provider may be.
    pub(crate) fn budget(&mut self, what: &str, digits: usize, limit: f64, value: f64, why: &'static str) {
        self.budgets.push(Budget { what: what.to_owned(), digits, ours: Samples::of([value]), peer: None, limit, why });
    }

    /// Sets the most that a figure of this provider may be as a share of the peer's. Without a peer, there is no budget.
    pub(crate) fn compare(
        &mut self,
        what: &str,
        digits: usize,
        limit: f64,
        figures: Vec<Samples>,
        others: &[(Series, f64)],
        why: &'static str,
    ) {
        let medians = self.subjects.iter().copied().zip(figures.iter().map(Samples::median));
        let bars =
            medians.chain(others.iter().copied()).map(|(series, value)| Bar { name: series.name, series, value });
        // A picture has no code.
        self.groups.push(Group { title: what.replace('`', ""), bars: bars.collect() });
        if let Ok([ours, peer]) = <[Samples; 2]>::try_from(figures) {
            self.budgets.push(Budget { what: what.to_owned(), digits, ours, peer: Some(peer), limit, why });
        }
    }

    /// Shows a plan's parts in a picture.
    pub(crate) fn parts(&mut self, parts: Group) {
        self.text(&format!("![The parts as bars](../{PARTS})"));
        self.parts = vec![parts];
    }

    /// Shows growth in a picture.
    pub(crate) fn growth(&mut self, lines: Vec<Line>) {
        self.text(&format!("![Time and memory against the number of applications](../{GROWTH})"));
        self.growth = lines;
    }

    /// Returns the whole report in Markdown.
    pub(crate) fn report(&self) -> String {
        let name = |number: usize| self.subjects.get(number).map_or("", |series| series.name);
        let head = ["", name(0), name(1), "ratio", "at most", ""];
        let budgets = table(&head, self.budgets.iter().map(Budget::row).collect());
        format!("{}\n## Budgets\n{budgets}{}{}", self.head, self.reasons(), self.sections)
    }

    /// Says why budgets are missed.
    fn reasons(&self) -> String {
        let missed = self.budgets.iter().filter(|budget| budget.is_missed() && !budget.why.is_empty());
        let mut reasons: Vec<_> = Vec::new();
        for reason in missed.map(|budget| format!("- {}\n", budget.why)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        match reasons.is_empty() {
            true => String::new(),
            false => format!("\nWhy a budget is missed:\n\n{}", reasons.concat()),
        }
    }

    /// Replaces the page and its pictures.
    pub(crate) fn write(&self) -> Result {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let text = format!(
            "---\npage_title: \"Performance\"\nsubcategory: \"\"\ndescription: |-\n  How long the provider takes to start \
             and to answer, and what a fleet of applications takes, next to a provider in Go.\n---\n\n\
             <!-- Written by `cargo bench`. -->\n\n# Performance\n\n\
             A report of `cargo bench -- --peers`. Compare the figures of one run with each other: on another machine, or \
             on a busy one, all of them differ.\n\n![The budgets below as bars](../performance.svg)\n\n{}",
            self.report()
        );
        for (name, text) in [
            ("guides/performance.md", text),
            ("performance.svg", chart::bars(&self.groups)),
            (PARTS, chart::bars(&self.parts)),
            (GROWTH, chart::growth(&self.growth)),
        ] {
            fs::write(docs.join(name), text)?;
        }
        eprintln!("Wrote docs/guides/performance.md and its pictures.");
        Ok(())
    }
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    format!("\n{}{}{}", row(&head), row(&rule), rows.iter().map(|cells| row(cells)).collect::<String>())
}

/// Describes the machine: what distinguishes it from others.
fn machine() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    let model = model.map_or("an unnamed processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism()?;
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let (system, date) = (said("uname", &["-s", "-r", "-m"]), said("date", &["-u", "+%Y-%m-%d"]));
    Ok(format!("{cores} cores of {model}, {system}, on {date}"))
}
