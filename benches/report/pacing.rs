//! The two readings of Tencent's rate limit, on a simulator that counts by the one and one that counts by the other.

use tencent_simulator::RateLimit;
use terraform_cli::Terraform;

use crate::Result;
use crate::fleet::{Fleet, Run};
use crate::page::Page;
use crate::statistics::Samples;
use crate::subject::Subject;

/// Tencent's documented limit of each call.
const PER_SECOND: u32 = 200;
const WHY: &str = "Terraform's own time, which no pace shortens, is most of what is left: see its line under *Fleets*.";
type Operation = fn(&Fleet) -> Result<Run>;

/// The default, and what a fleet can opt for.
const SCOPES: [&str; 2] = ["endpoint", "application"];
const OPERATIONS: [(&str, Operation); 2] = [("create", Fleet::create), ("plan", Fleet::plan)];

/// A reading of the limit: whose calls it counts, and the budgets of [`OPERATIONS`] as shares of the default's time.
struct Reading {
    counts: &'static str,
    limit: fn(u32) -> RateLimit,
    budgets: [f64; 2],
}

const READINGS: [Reading; 2] = [
    Reading { counts: "each application", limit: RateLimit::per_application, budgets: [0.65, 0.5] },
    Reading { counts: "an endpoint", limit: RateLimit::per_endpoint, budgets: [1.2, 1.2] },
];

pub(crate) fn measure(size: usize, rounds: usize, terraform: &Terraform, subject: &Subject, page: &mut Page) -> Result {
    page.section("Pacing");
    page.text(&format!(
        "{size} applications, with each `requests_per_second_scope` {rounds} times in turn, against a simulator that refuses \
         calls above {PER_SECOND} a second: one counts those of each application, the other one those of all \
         applications. No command fails."
    ));
    let mut rows = Vec::new();
    for Reading { counts, limit, budgets } in READINGS {
        let mut all: [Vec<Vec<Run>>; 2] = Default::default();
        for _ in 0..rounds {
            for (scope, all) in SCOPES.iter().zip(&mut all) {
                let scope = format!("  requests_per_second_scope = \"{scope}\"\n");
                let fleet = Fleet::limited(terraform, subject, size, &scope, limit(PER_SECOND))?;
                all.push(OPERATIONS.iter().map(|(_, run)| run(&fleet)).collect::<Result<_>>()?);
            }
        }
        for (operation, ((name, _), budget)) in OPERATIONS.iter().zip(budgets).enumerate() {
            let [default, opted] =
                all.each_ref().map(|runs| Samples::of(runs.iter().map(|run| run[operation].seconds)));
            for ((scope, runs), seconds) in SCOPES.iter().zip(&all).zip([&default, &opted]) {
                let refused: Vec<_> = runs.iter().map(|run| run[operation].refused.to_string()).collect();
                let scope = format!("`{scope}`");
                rows.push(vec![counts.to_owned(), (*name).to_owned(), scope, seconds.show(1), refused.join(", ")]);
            }
            let what =
                format!("{size} applications, limit of {counts}: {name} with `application`, as a share of `endpoint`");
            page.budget(&what, 2, budget, opted.median() / default.median(), WHY);
        }
    }
    page.table(&["the limit counts", "", "scope", "s: median (range)", "calls refused"], rows);
    Ok(())
}
