//! Checks that the peer does the same work as this provider: the same calls for the same steps of a lifecycle, with the same
//! ends. Otherwise, the report would compare nothing.

use serde_json::Value;
use tencent_simulator::{Action, Configuration, Outcome, Service, Simulator};
use terraform_cli::{Output, Terraform};

use crate::Result;
use crate::subject::{Subject, resource};

const URL: &str = "https://hooks.example.com/call";
const OTHER_URL: &str = "https://other.example.com/calls";
const APPLY: &[&str] = &["apply", "-auto-approve"];
const PLAN: &[&str] = &["plan", "-detailed-exitcode", "-out=tfplan"];

/// The attributes to compare in the state.
const ATTRIBUTES: [&str; 6] = ["id", "sdk_app_id", "url", "callback_commands", "overwrite_existing", "deletion_policy"];

/// A command's effects.
#[derive(Debug, PartialEq)]
struct Step {
    name: &'static str,
    exit_code: Option<i32>,
    calls: Vec<(Option<Action>, Option<Value>, Outcome)>,
    at_tencent: Option<Configuration>,
    /// The attributes in the state, after a success: a refused change may or may not note in it what it found.
    state: Vec<Value>,
}

/// # Errors
///
/// The first step in which the two differ.
pub(crate) fn check(terraform: &Terraform, ours: &Subject, peer: &Subject) -> Result {
    let pairs = lifecycle(terraform, ours)?.into_iter().zip(lifecycle(terraform, peer)?);
    for ((expected, _), (actual, output)) in pairs {
        if expected != actual {
            let (ours, peer) = (ours.series.name, peer.series.name);
            return Err(format!("{peer}: {actual:#?}\n{output}\ndiffers from {ours}: {expected:#?}").into());
        }
    }
    Ok(())
}

fn lifecycle(terraform: &Terraform, subject: &Subject) -> Result<Vec<(Step, Output)>> {
    let simulator = Simulator::start()?;
    let workspace = subject.workspace_of_one(terraform, &simulator)?;
    let someone_sets = |url: &str| {
        let configuration = Configuration::new(url, ["Call.CallbackAfterStartCall"]);
        simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, configuration);
    };
    let configure = |url, more| workspace.write("main.tf", &resource(url, more));
    let mut steps = Vec::new();
    let mut run = |name, arguments: &[&str]| -> Result {
        let output = workspace.run(arguments)?;
        let calls = simulator.take_requests().into_iter();
        let state = workspace.state()?.unwrap_or_default();
        let attributes = &state["resources"][0]["instances"][0]["attributes"];
        let step = Step {
            name,
            exit_code: output.code(),
            calls: calls.map(|call| (call.action, call.json(), call.outcome)).collect(),
            at_tencent: simulator.configuration(Service::Call, Simulator::SDK_APP_ID),
            state: ATTRIBUTES.iter().filter(|_| output.success()).map(|name| attributes[name].clone()).collect(),
        };
        steps.push((step, output));
        Ok(())
    };

    configure(URL, "")?;
    someone_sets(OTHER_URL);
    run("a plan that would overwrite", PLAN)?;
    configure(URL, "  overwrite_existing = true\n")?;
    run("overwriting on purpose", APPLY)?;
    run("a destroy of what was overwritten", &["destroy", "-auto-approve"])?;
    configure(URL, "")?;
    run("a create", APPLY)?;
    run("a plan without changes", PLAN)?;
    configure(OTHER_URL, "")?;
    run("a plan of a change", PLAN)?;
    someone_sets(URL);
    run("a change of what someone has changed since the plan", &["apply", "tfplan"])?;
    run("a plan that shows the drift", PLAN)?;
    run("a change", APPLY)?;
    configure(OTHER_URL, "  deletion_policy = \"ABANDON\"\n")?;
    run("a change that sends nothing", APPLY)?;
    run("a destroy that abandons", &["destroy", "-auto-approve"])?;
    run("a create of what exists", APPLY)?;
    configure(OTHER_URL, "")?;
    run("another change that sends nothing", APPLY)?;
    run("a destroy", &["destroy", "-auto-approve"])?;
    Ok(steps)
}
