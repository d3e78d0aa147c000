//! Plans of fleets of growing size: how time and memory grow with it.

use terraform_cli::Terraform;

use crate::Result;
use crate::chart::{LIMIT, Line, TERRAFORM};
use crate::fleet::{Fleet, Run, WHY_MEMORY};
use crate::page::Page;
use crate::statistics::Samples;
use crate::subject::Subject;

/// The sizes that the budgets are for, and the most by which time and memory may grow from the one to the other.
const FROM: usize = 1_000;
const TO: usize = 10_000;
const TIME_BUDGET: f64 = 10.5;
const MEMORY_BUDGET: f64 = 4.0;

const WHY: &str = "Terraform's own time grows faster than the number of applications: see its line under *Growth*.";

pub(crate) fn measure(
    sizes: &[usize],
    rounds: usize,
    terraform: &Terraform,
    subjects: &[Subject],
    page: &mut Page,
) -> Result {
    let providers: Vec<_> = subjects.iter().map(Some).chain([None]).collect();
    let mut rows = Vec::new();
    let mut lines: Vec<_> = subjects.iter().map(|subject| Line::new(subject.series)).collect();
    lines.extend([TERRAFORM, LIMIT].map(Line::new));
    for &size in sizes {
        let fleets: Vec<_> =
            providers.iter().map(|subject| Fleet::existing(terraform, *subject, size)).collect::<Result<_>>()?;
        let mut runs: Vec<Vec<Run>> = fleets.iter().map(|_| Vec::new()).collect();
        // The largest takes minutes.
        for _ in 0..if size < TO { rounds } else { 1 } {
            for (fleet, runs) in fleets.iter().zip(&mut runs) {
                runs.push(fleet.plan()?);
            }
        }
        for (runs, line) in runs.iter().zip(&mut lines) {
            let of = |figure: fn(&Run) -> f64| Samples::of(runs.iter().map(figure));
            let (seconds, memory) = (of(|run| run.seconds), of(|run| run.memory));
            let memory = Some(memory).filter(|memory| memory.max() > 0.0);
            rows.push(vec![
                size.to_string(),
                line.series.name.to_owned(),
                seconds.show(2),
                memory.as_ref().map(|memory| memory.show(1)).unwrap_or_default(),
            ]);
            line.add(size, seconds.median(), memory.map(|memory| memory.median()));
        }
        let limit = runs[0][0].limit();
        rows.push(vec![size.to_string(), LIMIT.name.to_owned(), format!("{limit:.2}"), String::new()]);
        if let Some(line) = lines.last_mut() {
            line.add(size, limit, None);
        }
    }

    page.section("Growth");
    page.text(&format!(
        "A plan without changes of fleets that exist, {rounds} times in turn, the largest once. **Limit** and **Terraform** \
         are as above. Each resource block has at most 1,000 applications: Terraform's own time grows with the square of a \
         block's size."
    ));
    page.table(&["applications", "", "s: median (range)", "peak memory, MB"], rows);
    if let [ours, ..] = lines.as_slice()
        && let (Some(from), Some(to)) = (ours.at(FROM), ours.at(TO))
    {
        let of = format!("a plan of {TO} applications, as a multiple of {FROM}");
        page.budget(&format!("{of}: time"), 1, TIME_BUDGET, to.seconds / from.seconds, WHY);
        let memory = to.memory.zip(from.memory).map_or(f64::NAN, |(to, from)| to / from);
        page.budget(&format!("{of}: memory"), 1, MEMORY_BUDGET, memory, WHY_MEMORY);
    }
    page.growth(lines);
    Ok(())
}
