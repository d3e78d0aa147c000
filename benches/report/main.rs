//! `cargo bench`: one report of the provider's speed, side by side with its peers.
//!
//! | module | what |
//! | --- | --- |
//! | `peers` | other providers to measure in the same run, fetched on request |
//! | `start` | from the start of a process to its handshake line, and its memory then |
//! | `rpc` | requests over the real socket |
//! | `commands` | the time a provider adds to whole Terraform commands |
//! | `fleet` | many applications in one process |
//! | `pacing` | many applications under either reading of Tencent's rate limit |
//! | `statistics` | medians and percentiles |
//! | `page` | the report as a page of `docs/`, with a chart |
//!
//! The report is Markdown on standard output. A full run also writes it to `docs/guides/performance.md`. Slowness is never a
//! failure.

// The report goes to standard output.
#![allow(clippy::print_stdout)]

mod commands;
mod fleet;
#[path = "../../tests/protocol/host.rs"]
mod host;
mod pacing;
mod page;
mod peers;
mod rpc;
#[path = "../../tests/protocol/session.rs"]
#[allow(dead_code)]
mod session;
mod start;
mod statistics;

use std::error::Error;
use std::process::ExitCode;

use terraform_cli::Terraform;

use page::Page;
use peers::Subject;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
Measures the provider and prints a report; without --short, also writes docs/guides/performance.md and its chart.

Usage: cargo bench [-- OPTIONS]

  --peers  fetch the peers from PyPI and crates.io into the target directory, and measure them too; once they are there,
           every run measures them
  --short  a few runs of everything and a fleet of 20, which show that the benchmarks work and little else
  --help   print this
";

/// The extent of the measurements.
#[derive(Debug, Clone, Copy)]
struct Effort {
    starts: usize,
    requests: usize,
    commands: usize,
    /// The sizes of the fleets, the smallest first.
    fleets: &'static [usize],
    /// The runs of the largest fleet in each pace.
    pacings: usize,
}

const FULL: Effort = Effort { starts: 200, requests: 2000, commands: 15, fleets: &[1, 10, 100, 1000], pacings: 3 };
const SHORT: Effort = Effort { starts: 5, requests: 50, commands: 2, fleets: &[1, 20], pacings: 1 };

fn main() -> ExitCode {
    let (mut effort, mut fetch) = (FULL, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--short" => effort = SHORT,
            "--peers" => fetch = true,
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
    match report(effort, fetch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The report could not be made: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(effort: Effort, fetch: bool) -> Result {
    let terraform = Terraform::find()?;
    let mut subjects = vec![Subject::ours()?];
    subjects.extend(peers::all(fetch)?);

    let mut page = Page::new(&terraform, &subjects)?;
    progress("start and memory");
    start::measure(effort.starts, &subjects, &mut page)?;
    progress("requests");
    rpc::measure(effort.requests, &subjects[0], &mut page)?;
    progress("commands");
    commands::measure(effort.commands, &terraform, &subjects, &mut page)?;
    progress("fleets");
    fleet::measure(effort.fleets, &terraform, &subjects[0], &mut page)?;
    progress("pacing");
    pacing::measure(effort.pacings, effort.fleets[effort.fleets.len() - 1], &terraform, &subjects[0], &mut page)?;

    println!("{}", page.report());
    if effort.fleets == FULL.fleets {
        page.write()?;
    }
    Ok(())
}

fn progress(what: &str) {
    eprintln!("Measuring {what} …");
}
