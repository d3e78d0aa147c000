//! `cargo bench`: one report of the provider's speed, side by side with a peer.
//!
//! | module | what |
//! | --- | --- |
//! | `subject` | the providers to measure: this one, and a peer on request |
//! | `same_work` | checks that the peer does the same work |
//! | `start` | from the start of a process to its handshake line, and its memory then |
//! | `rpc` | requests over the real socket |
//! | `commands` | the time a provider adds to whole Terraform commands |
//! | `plan` | one plan of one resource, part by part |
//! | `fleet` | many applications in one process |
//! | `growth` | plans of fleets of growing size |
//! | `pacing` | a fleet under either reading of Tencent's rate limit |
//! | `process`, `statistics` | figures of processes; medians and percentiles |
//! | `page`, `chart` | the report as a page of `docs/`, with pictures |
//!
//! The report is Markdown on standard output. A full run with the peer also writes it to `docs/guides/performance.md`.
//! Slowness is never a failure, but a peer that does other work is.

// The report goes to standard output.
#![allow(clippy::print_stdout)]

mod chart;
mod commands;
mod fleet;
mod growth;
#[path = "../../tests/protocol/host.rs"]
mod host;
mod pacing;
mod page;
mod plan;
mod process;
mod rpc;
mod same_work;
#[path = "../../tests/protocol/session.rs"]
#[allow(dead_code)]
mod session;
mod start;
mod statistics;
mod subject;

use std::error::Error;
use std::process::ExitCode;

use terraform_cli::Terraform;

use page::Page;
use plan::Whole;
use subject::Subject;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
Measures the provider and prints a report.

Usage: cargo bench [-- OPTIONS]

  --peers  also build and measure the peer in benches/peers, for which this machine needs Go, and write the report to
           docs/guides/performance.md, with its pictures
  --short  a few runs of everything and a fleet of 20, which show that the benchmarks work and little else; writes nothing
  --help   print this
";

/// The extent of the measurements.
#[derive(Debug, Clone, Copy)]
struct Effort {
    starts: usize,
    requests: usize,
    commands: usize,
    /// The size of the fleet that is created, changed and destroyed.
    fleet: usize,
    /// The sizes of the fleets that are planned, the smallest first.
    growth: &'static [usize],
    /// The runs of each fleet.
    rounds: usize,
}

const FULL: Effort =
    Effort { starts: 200, requests: 2000, commands: 15, fleet: 1000, growth: &[1, 10, 100, 1000, 10_000], rounds: 3 };
const SHORT: Effort = Effort { starts: 5, requests: 50, commands: 2, fleet: 20, growth: &[1, 20], rounds: 1 };

fn main() -> ExitCode {
    let (mut short, mut peers) = (false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--short" => short = true,
            "--peers" => peers = true,
            // cargo adds this argument.
            "--bench" => {}
            "--help" | "-h" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("Unknown option {other}.\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    match report(short, peers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The report could not be made: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(short: bool, peers: bool) -> Result {
    let Effort { starts, requests, commands, fleet, growth, rounds } = if short { SHORT } else { FULL };
    let terraform = Terraform::find()?;
    let mut subjects = vec![Subject::ours()?];
    if peers {
        subjects.push(Subject::peer()?);
        eprintln!("Checking that the peer does the same work …");
        same_work::check(&terraform, &subjects[0], &subjects[1])?;
    }

    let mut page = Page::new(&terraform, &subjects)?;
    progress("start and memory");
    let hello = start::measure(starts, &subjects, &mut page)?;
    progress("requests");
    rpc::measure(requests, &subjects[0], &mut page)?;
    progress("commands");
    let [alone, above] = commands::measure(commands, &terraform, &subjects, &mut page)?;
    progress("a plan, part by part");
    plan::measure(starts, &subjects[0], Whole { hello, alone, above }, &mut page)?;
    progress("fleets");
    fleet::measure(fleet, rounds, &terraform, &subjects, &mut page)?;
    progress("growth");
    growth::measure(growth, rounds, &terraform, &subjects, &mut page)?;
    progress("pacing");
    pacing::measure(fleet, rounds, &terraform, &subjects[0], &mut page)?;

    println!("{}", page.report());
    if peers && !short {
        page.write()?;
    }
    Ok(())
}

fn progress(what: &str) {
    eprintln!("Measuring {what} …");
}
