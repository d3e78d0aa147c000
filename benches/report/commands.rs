//! The time a provider adds to whole Terraform commands, each of which starts, authenticates, calls and stops it.

use tencent_simulator::Simulator;
use terraform_cli::{Mirror, Terraform, Workspace};

use crate::Result;
use crate::page::Page;
use crate::statistics::Samples;
use crate::subject::{Subject, resource};

const URL: &str = "https://hooks.example.com/call";

/// The commands, each on an object that exists and does not change.
const COMMANDS: [(&str, &[&str]); 4] = [
    ("schema", &["providers", "schema", "-json"]),
    ("validate", &["validate"]),
    ("plan", &["plan"]),
    ("apply", &["apply", "-auto-approve"]),
];

/// The most that each may take, as a share of the peer's.
const BUDGET: f64 = 0.40;

const WHY: &str = "Most of what a provider adds to a command is Terraform's work, whatever the provider does: see *A plan, part \
    by part*.";

/// Returns the milliseconds of a plan without a provider, and those that this provider adds.
pub(crate) fn measure(runs: usize, terraform: &Terraform, subjects: &[Subject], page: &mut Page) -> Result<[f64; 2]> {
    let simulator = Simulator::start()?;
    let alone = Workspace::new(terraform, &Mirror::empty()?)?;
    alone.write("main.tf", &format!("resource \"terraform_data\" \"this\" {{\n  input = \"{URL}\"\n}}\n"))?;
    alone.init()?.expect_success();
    let mut workspaces = vec![alone];
    for subject in subjects {
        let workspace = subject.workspace_of_one(terraform, &simulator)?;
        // The configuration of the previous provider exists, and is the same.
        workspace.write("main.tf", &resource(URL, ""))?;
        workspaces.push(workspace);
    }
    for workspace in &workspaces {
        workspace.run(&["apply", "-auto-approve"])?.expect_success();
    }

    page.section("Commands");
    page.text(&format!(
        "Whole commands, {runs} times in turn: with one resource, and with one `terraform_data`, which needs no provider \
         process. The difference is the provider's share. A plan and an apply read the object once from a simulator of \
         Tencent's API on the same machine."
    ));
    let (mut rows, mut plan) = (Vec::new(), [0.0; 2]);
    for (name, command) in COMMANDS {
        let mut times: Vec<_> = workspaces.iter().map(|_| Vec::new()).collect();
        for _ in 0..runs {
            for (workspace, times) in workspaces.iter().zip(&mut times) {
                times.push(workspace.run(command)?.expect_success().took().as_secs_f64() * 1e3);
            }
        }
        let (alone, times) = times.split_first().ok_or("nothing was measured")?;
        let above = |times: &Vec<f64>| Samples::of(times.iter().zip(alone).map(|(with, without)| with - without));
        let alone = Samples::of(alone.iter().copied());
        for (subject, times) in subjects.iter().zip(times) {
            rows.push(vec![
                format!("`terraform {}`", command.join(" ")),
                subject.series.name.to_owned(),
                Samples::of(times.iter().copied()).show(0),
                alone.show(0),
                above(times).show(0),
            ]);
        }
        let above: Vec<_> = times.iter().map(above).collect();
        if name == "plan" {
            plan = [alone.median(), above[0].median()];
        }
        page.compare(&format!("`{name}` of one resource above `terraform_data`, ms"), 0, BUDGET, above, &[], WHY);
    }
    page.table(&["", "", "ms: median (range)", "with `terraform_data` alone, ms", "above it, ms"], rows);
    Ok(plan)
}
