//! The main job, on the embedded simulator: `cargo run --example quickstart`.
//!
//! It finds Terraform, starts a simulator of Tencent's API in this process, installs the freshly built provider into a
//! temporary mirror, and walks through the life of a callback configuration. After each step it compares what the
//! simulator holds with what the configuration says, and it fails if they differ.

#![allow(clippy::print_stdout)] // Showing is what it is for.

use std::error::Error;

use tencent_simulator::{Action, Configuration, Service, Simulator};
use terraform_cli::{Mirror, Profile, Terraform, Workspace, cargo_build};

const START: &str = "Call.CallbackAfterStartCall";
const END: &str = "Call.CallbackAfterEndCall";

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo run --example` does not build the provider's executable.
    let provider = cargo_build("terraform-provider-tencent", Profile::current())?;
    let terraform = Terraform::find()?;
    let simulator = Simulator::start()?;
    let mirror = Mirror::new(&provider, env!("CARGO_PKG_VERSION"))?;
    let mut workspace = Workspace::new(&terraform, &mirror)?;
    workspace
        .env("TENCENT_ENDPOINT", simulator.url())
        .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
        .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
    println!("{terraform} and a simulator of Tencent's API at {}", simulator.url());

    let theirs = Configuration::new("https://legacy.example.com/callback", [END]);
    let first = Configuration::new("https://hooks.example.com/tencent/call", [START, END]);
    let changed = Configuration::new("https://hooks.example.com/v2/call", [END]);
    simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, theirs.clone());
    let tour = Tour { simulator, workspace };

    tour.configure(&first, "")?;
    tour.run("Initialize", &["init"], 0, Some(&theirs))?;
    tour.run("Plan: someone has set a configuration, so the plan fails", &["plan"], 1, Some(&theirs))?;
    tour.configure(&first, "\n  overwrite_existing = true\n")?;
    tour.run("Plan to overwrite it on purpose: a warning shows what is lost", &["plan"], 0, Some(&theirs))?;
    tour.run("Apply: the configuration is overwritten", &["apply", "-auto-approve"], 0, Some(&first))?;
    tour.run("Plan again: no changes", &["plan", "-detailed-exitcode"], 0, Some(&first))?;
    tour.configure(&changed, "")?;
    // With -detailed-exitcode, 2 means that there are changes.
    tour.run("Plan a change: an update in place", &["plan", "-detailed-exitcode"], 2, Some(&first))?;
    tour.run("Apply the change: the whole object is overwritten", &["apply", "-auto-approve"], 0, Some(&changed))?;
    tour.run("Destroy", &["destroy", "-auto-approve"], 0, None)?;

    let writes = tour.simulator.requests().iter().filter(|request| request.action != Some(Action::Get)).count();
    check("writes in all: overwrite, update, delete", writes, 3)?;
    println!("\nEverything went as planned.");
    Ok(())
}

/// A simulator, and a directory in which Terraform works on it.
struct Tour {
    simulator: Simulator,
    workspace: Workspace,
}

impl Tour {
    /// Writes the Terraform configuration of `wanted`, with one more `argument`.
    fn configure(&self, wanted: &Configuration, argument: &str) -> Result<(), Box<dyn Error>> {
        let text = format!(
            r#"terraform {{
  required_providers {{
    tencent = {{
      source  = "callkit/tencent"
      version = "~> 0.1"
    }}
  }}
}}

# Its arguments come from the environment.
provider "tencent" {{}}

resource "tencent_call_callback" "this" {{
  url               = "{}"
  callback_commands = {:?}
{argument}}}
"#,
            wanted.url, wanted.callback_commands
        );
        println!("\n── main.tf\n\n{text}");
        Ok(self.workspace.write("main.tf", &text)?)
    }

    /// Runs Terraform, shows its output, and compares what the simulator then holds with `expected`.
    fn run(
        &self,
        title: &str,
        arguments: &[&str],
        code: i32,
        expected: Option<&Configuration>,
    ) -> Result<(), Box<dyn Error>> {
        println!("\n── {title}\n\n$ terraform {}", arguments.join(" "));
        let output = self.workspace.run(arguments)?;
        println!("{}", output.text());
        check("exit code", output.code(), Some(code))?;
        let held = self.simulator.configuration(Service::Call, Simulator::SDK_APP_ID);
        println!("The simulator holds: {}", describe(held.as_ref()));
        check("configuration", describe(held.as_ref()), describe(expected))
    }
}

/// Formats a configuration for people, with sorted commands.
fn describe(configuration: Option<&Configuration>) -> String {
    match configuration {
        None => "no callback configuration".to_owned(),
        Some(Configuration { url, callback_commands }) => {
            let mut commands = callback_commands.clone();
            commands.sort();
            format!("{} to {url}", commands.join(", "))
        }
    }
}

fn check<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Box<dyn Error>> {
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}").into()) }
}
