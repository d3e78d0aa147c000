//! The report as a page of `docs/`, with a chart.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use terraform_cli::Terraform;

use crate::Result;
use crate::peers::Subject;

const PAGE: &str = "docs/guides/performance.md";
const CHART: &str = "docs/performance.svg";

const WHY_MISSED: &str = "
What to know about the budgets:

- A start is mostly loading: see the line `--version` below.
- Memory at the handshake is nearly all shared with other processes: see what is private below.
- For `terraform providers schema`, Terraform hashes the executable and makes a P-521 key for each process that it starts,
  whatever the provider does.
- Wherever Terraform's own time and that of the calls do not overlap, a fleet takes both, one after the other. A separate
  column shows how long the provider itself computes.
";

/// The report so far.
#[derive(Debug, Default)]
pub(crate) struct Page {
    head: String,
    budgets: Vec<Budget>,
    sections: String,
    groups: Vec<Group>,
}

/// A figure and its budget.
#[derive(Debug)]
pub(crate) struct Budget {
    what: String,
    value: f64,
    limit: f64,
    digits: usize,
}

impl Budget {
    pub(crate) fn at_most(what: &str, value: f64, limit: f64, digits: usize) -> Self {
        Self { what: what.to_owned(), value, limit, digits }
    }

    fn is_missed(&self) -> bool {
        self.value > self.limit
    }

    fn row(&self) -> Vec<String> {
        let Self { what, value, limit, digits } = self;
        let verdict = match self.is_missed() {
            true => format!("**missed** by {:.0} %", (value / limit - 1.0) * 100.0),
            false => "met".to_owned(),
        };
        vec![what.clone(), format!("{value:.digits$}"), format!("{limit:.digits$}"), verdict]
    }
}

/// Bars on one scale. The first one is this provider's.
#[derive(Debug)]
pub(crate) struct Group {
    title: String,
    bars: Vec<Bar>,
    /// Whether the others are peers.
    has_peers: bool,
}

impl Group {
    pub(crate) fn new(title: &str, bars: Vec<Bar>) -> Self {
        Self { title: title.to_owned(), bars, has_peers: false }
    }

    /// Creates a group that compares a figure of this provider with those of its peers.
    pub(crate) fn of_peers(title: &str, bars: Vec<Bar>) -> Self {
        Self { has_peers: true, ..Self::new(title, bars) }
    }

    /// Returns this provider's figure as a share of each peer's.
    fn shares(&self) -> Option<Vec<String>> {
        let (ours, peers) = self.bars.split_first().filter(|(_, peers)| self.has_peers && !peers.is_empty())?;
        let shares = peers.iter().map(|peer| format!("{:.2}", ours.value / peer.value));
        Some([self.title.clone()].into_iter().chain(shares).collect())
    }
}

#[derive(Debug)]
pub(crate) struct Bar {
    name: String,
    pub(crate) value: f64,
}

impl Bar {
    pub(crate) fn new(name: &str, value: f64) -> Self {
        Self { name: name.to_owned(), value }
    }
}

impl Page {
    pub(crate) fn new(terraform: &Terraform, subjects: &[Subject]) -> Result<Self> {
        let mut page = Self::default();
        let head = &mut page.head;
        writeln!(head, "Measured on {}, with {terraform}:\n", machine()?)?;
        for subject in subjects {
            writeln!(head, "- **{}**: {}.", subject.name, subject.what)?;
        }
        if subjects.len() == 1 {
            writeln!(head, "\nNo peer was measured: `cargo bench -- --peers` fetches them.")?;
        }
        Ok(page)
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

    pub(crate) fn budget(&mut self, budget: Budget) {
        self.budgets.push(budget);
    }

    pub(crate) fn chart(&mut self, group: Group) {
        self.groups.push(group);
    }

    /// Returns the whole report in Markdown.
    pub(crate) fn report(&self) -> String {
        let budgets = table(&["budget", "measured", "at most", ""], self.budgets.iter().map(Budget::row).collect());
        let missed = if self.budgets.iter().any(Budget::is_missed) { WHY_MISSED } else { "" };
        format!("{}{}\n## Budgets\n{budgets}{missed}{}", self.head, self.comparison(), self.sections)
    }

    /// Returns all comparisons with the peers in one table.
    fn comparison(&self) -> String {
        let groups = self.groups.iter().filter(|group| group.has_peers);
        let Some(first) = groups.clone().next().filter(|group| group.bars.len() > 1) else { return String::new() };
        let head: Vec<_> = [""].into_iter().chain(first.bars[1..].iter().map(|bar| bar.name.as_str())).collect();
        let intro =
            "Each figure of this provider as a share of a peer's: below 1, this provider takes less; above, more.";
        format!("\n## Beside the peers\n\n{intro}\n{}", table(&head, groups.filter_map(Group::shares).collect()))
    }

    /// Replaces the page and its chart.
    pub(crate) fn write(&self) -> Result {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = root.join(PAGE);
        let text = format!(
            "---\npage_title: \"Performance\"\nsubcategory: \"\"\ndescription: |-\n  How long the provider takes to start \
             and to answer, and what a fleet of applications takes, next to other providers.\n---\n\n\
             <!-- Written by `cargo bench`. -->\n\n# Performance\n\n\
             A report of `cargo bench -- --peers`. Compare the figures of one run with each other: on another machine, or \
             on a busy one, all of them differ.\n\n![The figures below as bars](../performance.svg)\n\n{}",
            self.report()
        );
        fs::write(&page, text)?;
        fs::write(root.join(CHART), self.svg())?;
        eprintln!("Wrote {PAGE} and its chart.");
        Ok(())
    }

    fn svg(&self) -> String {
        const LINE: usize = 20;
        const LABELS: usize = 130;
        const BARS: f64 = 440.0;
        let lines: usize = self.groups.iter().map(|group| group.bars.len() + 2).sum();
        let (width, height) = (LABELS + BARS as usize + 90, lines * LINE + LINE);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        let mut y = LINE;
        for group in &self.groups {
            svg += &format!("<text x=\"8\" y=\"{y}\" font-weight=\"bold\">{}</text>\n", group.title);
            let largest = group.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
            for (i, Bar { name, value }) in group.bars.iter().enumerate() {
                y += LINE;
                let (length, top) = (value / largest * BARS, y - LINE * 3 / 5);
                let colour = if i == 0 { "#2563eb" } else { "#94a3b8" };
                svg += &format!(
                    "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{name}</text>\
                     <rect x=\"{LABELS}\" y=\"{top}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>\
                     <text x=\"{:.1}\" y=\"{y}\">{value:.1}</text>\n",
                    LABELS - 8,
                    LABELS as f64 + length + 6.0,
                );
            }
            y += 2 * LINE;
        }
        svg + "</svg>\n"
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
