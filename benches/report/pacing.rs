//! The two readings of Tencent's rate limit, on a simulator that counts by the one and one that counts by the other.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;
use tencent_simulator::{App, Outcome, RateLimit, Simulator};
use terraform_cli::{Mirror, Terraform, Workspace};

use crate::Result;
use crate::page::{Budget, Page};
use crate::peers::Subject;
use crate::statistics::Samples;

const FIRST: u64 = Simulator::SDK_APP_ID;
/// Tencent's documented limit of each call.
const PER_SECOND: u32 = 200;
const SCOPES: [&str; 2] = ["endpoint", "application"];
const OPERATIONS: [(&str, &[&str]); 2] = [("create", &["apply", "-auto-approve"]), ("plan", &["plan"])];

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

/// The seconds that each operation takes, and how many calls the limit refused.
struct Run {
    seconds: [f64; 2],
    refused: [usize; 2],
}

pub(crate) fn measure(runs: usize, size: usize, terraform: &Terraform, subject: &Subject, page: &mut Page) -> Result {
    page.section("Pacing");
    page.text(&format!(
        "{size} applications, with each `requests_per_second_scope` {runs} times in turn, against a simulator that refuses \
         calls above {PER_SECOND} a second: one counts those of each application, the other one those of all \
         applications. No command fails."
    ));
    let mut rows = Vec::new();
    for Reading { counts, limit, budgets } in READINGS {
        let mut measured: [Vec<Run>; 2] = Default::default();
        for _ in 0..runs {
            for (scope, measured) in SCOPES.iter().zip(&mut measured) {
                measured.push(run(size, scope, limit(PER_SECOND), terraform, subject)?);
            }
        }
        for (operation, ((name, _), budget)) in OPERATIONS.iter().zip(budgets).enumerate() {
            let [default, opted] =
                measured.each_ref().map(|runs| Samples::of(runs.iter().map(|run| run.seconds[operation])));
            let share = opted.median() / default.median();
            for ((scope, runs), samples) in SCOPES.iter().zip(&measured).zip([&default, &opted]) {
                let refused: Vec<_> = runs.iter().map(|run| run.refused[operation].to_string()).collect();
                rows.push(vec![
                    counts.to_owned(),
                    (*name).to_owned(),
                    format!("`{scope}`"),
                    samples.show(1),
                    refused.join(", "),
                ]);
            }
            let what =
                format!("{size} applications, limit of {counts}: {name} with `application`, as a share of `endpoint`");
            page.budget(Budget::at_most(&what, share, budget, 2));
        }
    }
    page.table(&["the limit counts", "", "scope", "s: median (range)", "calls refused"], rows);
    Ok(())
}

/// Creates a fleet and plans it again.
fn run(size: usize, scope: &str, limit: RateLimit, terraform: &Terraform, subject: &Subject) -> Result<Run> {
    let ids = || (FIRST..).take(size);
    let key = |id: u64| format!("{id:064}");
    let simulator = ids().fold(Simulator::builder(), |builder, id| builder.app(App::new(id, key(id)))).start()?;
    simulator.set_rate_limit(Some(limit));
    let mut workspace = Workspace::new(terraform, &Mirror::new(&subject.executable, subject.version)?)?;
    workspace.env("NO_PROXY", "127.0.0.1").env("TENCENT_ENDPOINT", simulator.url());
    workspace.write(
        "main.tf",
        &format!(
            r#"terraform {{
  required_providers {{
    tencent = {{ source = "callkit/tencent" }}
  }}
}}
variable "apps" {{
  type = map(object({{ secret_key = string }}))
}}
provider "tencent" {{
  apps                      = var.apps
  requests_per_second_scope = "{scope}"
}}
locals {{
  ids = {{ for i in range({size}) : tostring({FIRST} + i) => i }}
}}
resource "tencent_call_callback" "fleet" {{
  for_each          = local.ids
  sdk_app_id        = each.key
  url               = "https://hooks.example.com/call"
  callback_commands = ["Call.CallbackAfterEndCall"]
}}
"#
        ),
    )?;
    let apps: BTreeMap<_, _> = ids().map(|id| (id.to_string(), json!({ "secret_key": key(id) }))).collect();
    workspace.write("apps.auto.tfvars.json", &json!({ "apps": apps }).to_string())?;
    workspace.init()?.expect_success();

    let mut run = Run { seconds: [0.0; 2], refused: [0; 2] };
    for (operation, (_, command)) in OPERATIONS.iter().enumerate() {
        let begin = Instant::now();
        workspace.run(command)?.expect_success();
        run.seconds[operation] = begin.elapsed().as_secs_f64();
        let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Answered { error_code: 60007 | 60011 });
        run.refused[operation] =
            simulator.take_requests().iter().filter(|request| is_refused(&request.outcome)).count();
    }
    Ok(run)
}
