//! The time a provider adds to whole Terraform commands, each of which starts, authenticates, calls and stops it.

use std::path::Path;

use tencent_simulator::Simulator;
use terraform_cli::{Mirror, Terraform, Workspace};

use crate::Result;
use crate::page::{Bar, Budget, Group, Page};
use crate::peers::Subject;
use crate::statistics::Samples;

const TERRAFORM_DATA: &str =
    "resource \"terraform_data\" \"this\" {\n  input = \"https://hooks.example.com/call\"\n}\n";
const OURS: &str = "resource \"tencent_call_callback\" \"this\" {\n  url = \"https://hooks.example.com/call\"\n  \
                    callback_commands = [\"Call.CallbackAfterEndCall\"]\n}\n";
const SCHEMA: &[&str] = &["providers", "schema", "-json"];

/// The commands, each on an object that exists and does not change.
const COMMANDS: &[&[&str]] = &[SCHEMA, &["validate"], &["plan"], &["apply", "-auto-approve"]];

pub(crate) fn measure(runs: usize, terraform: &Terraform, subjects: &[Subject], page: &mut Page) -> Result {
    let simulator = Simulator::start()?;
    let baseline = workspace(terraform, &Mirror::empty()?, TERRAFORM_DATA)?;
    let (ours, peers) = subjects.split_first().ok_or("no provider to measure")?;
    let mut with_ours = workspace_of(terraform, ours, OURS)?;
    with_ours
        .env("NO_PROXY", "127.0.0.1")
        .env("TENCENT_ENDPOINT", simulator.url())
        .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
        .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
    for workspace in [&baseline, &with_ours] {
        workspace.run(&["apply", "-auto-approve"])?.expect_success();
    }
    let with_peers: Vec<_> = peers.iter().map(|peer| workspace_of(terraform, peer, "")).collect::<Result<_>>()?;

    page.section("Commands");
    page.text(&format!(
        "Whole commands, {runs} times in turn: with one resource of this provider, and with one `terraform_data`, which \
         needs no provider process. The difference is the provider's share. A plan and an apply read the object once \
         from a simulator of Tencent's API on the same machine."
    ));
    let mut rows = Vec::new();
    let mut schema_bars = Vec::new();
    for command in COMMANDS {
        let schema = *command == SCHEMA;
        let workspaces = [&baseline, &with_ours].into_iter().chain(with_peers.iter().filter(|_| schema));
        let names = subjects.iter().map(|subject| subject.name);
        let mut times: Vec<(&Workspace, Vec<_>)> = workspaces.map(|workspace| (workspace, Vec::new())).collect();
        for _ in 0..runs {
            for (workspace, times) in &mut times {
                times.push(workspace.run(command)?.expect_success().took());
            }
        }
        let mut samples = times.into_iter().map(|(_, times)| Samples::of_times(times));
        let own = samples.next().ok_or("nothing was measured")?;
        for (name, samples) in names.zip(samples) {
            let above = samples.median() - own.median();
            rows.push(vec![
                format!("`terraform {}`", command.join(" ")),
                name.to_owned(),
                samples.show(0),
                format!("{:.0}", own.median()),
                format!("{above:.0}"),
            ]);
            if schema {
                schema_bars.push(Bar::new(name, above.max(0.0)));
            }
        }
    }
    page.table(&["", "", "ms: median (range)", "with terraform_data alone, ms", "above it, ms"], rows);
    if let [ours, go, ..] = schema_bars.as_slice() {
        let share = ours.value / go.value;
        page.budget(Budget::at_most(
            "`terraform providers schema` above Terraform's own time, as a share of the Go peer's",
            share,
            0.3,
            2,
        ));
    }
    page.chart(Group::of_peers("terraform providers schema: ms above Terraform's own time", schema_bars));
    Ok(())
}

fn workspace(terraform: &Terraform, mirror: &Mirror, text: &str) -> Result<Workspace> {
    let workspace = Workspace::new(terraform, mirror)?;
    workspace.write("main.tf", text)?;
    workspace.init()?.expect_success();
    Ok(workspace)
}

fn workspace_of(terraform: &Terraform, subject: &Subject, text: &str) -> Result<Workspace> {
    let mirror = Mirror::of(subject.source, Path::new(&subject.executable), subject.version)?;
    let name = subject.source.rsplit('/').next().unwrap_or_default();
    let required = format!(
        "terraform {{\n  required_providers {{\n    {name} = {{ source = \"{}\" }}\n  }}\n}}\n",
        subject.source
    );
    workspace(terraform, &mirror, &(required + text))
}
