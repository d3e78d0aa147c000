//! Fixtures of the tests: a simulator, a workspace whose provider calls it, and ways to inspect both.

use std::error::Error;
use std::sync::LazyLock;

use memchr::memmem;
use rstest_reuse::template;
use serde_json::{Value, json};
use tencent_simulator::{Action, App, Configuration, Simulator};
use terraform_cli::{Mirror, Output, Terraform, Workspace, provider_under_test};

#[path = "../services/mod.rs"]
mod services;

pub(crate) use services::*;

/// The Terraform or OpenTofu that the tests run.
pub(crate) static TERRAFORM: LazyLock<Terraform> = LazyLock::new(|| Terraform::find().expect("a Terraform to run"));

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The only application of a simulator that was given none.
pub(crate) const ID: u64 = Simulator::SDK_APP_ID;
/// The SecretKey of [`ID`].
pub(crate) const KEY: &str = Simulator::SECRET_KEY;
pub(crate) const URL: &str = "https://hooks.example.com/tencent/call";
pub(crate) const OTHER_URL: &str = "https://other.example.com/calls";
pub(crate) const START: &str = CALL.start;
pub(crate) const CHANGED: &str = CALL.changed;
pub(crate) const END: &str = CALL.end;

/// A provider block that retries nothing.
pub(crate) const ONE_ATTEMPT: &str = r#"provider "tencent" {
  max_retries = 0
}
"#;
/// The lifecycle of a resource whose replacement is created first.
pub(crate) const CREATE_BEFORE_DESTROY: &str = "lifecycle {
  create_before_destroy = true
}
";

/// Returns the SecretKey of an application. Each application has its own, as at Tencent.
pub(crate) fn key(id: u64) -> String {
    if id == ID { KEY.to_owned() } else { format!("{id:064}") }
}

/// A test that every service passes. rstest needs [`SERVICES`] written out. Without the feature `gate`, Call stands for the others.
#[template]
#[rstest::rstest]
#[case::call(crate::harness::CALL)]
#[cfg_attr(feature = "gate", case::room(crate::harness::ROOM))]
#[cfg_attr(feature = "gate", case::live(crate::harness::LIVE))]
#[cfg_attr(feature = "gate", case::legacy_call(crate::harness::LEGACY_CALL))]
fn each_service(#[case] of: Of) {}

/// A test that each service passes whose set may refuse to replace a configuration.
#[template]
#[rstest::rstest]
#[case::call(crate::harness::CALL)]
#[cfg_attr(feature = "gate", case::room(crate::harness::ROOM))]
#[cfg_attr(feature = "gate", case::live(crate::harness::LIVE))]
fn each_service_that_may_refuse(#[case] of: Of) {}

impl Of {
    /// Writes the resource `this`.
    pub(crate) fn object(self, arguments: &str) -> String {
        self.resource("this", arguments)
    }

    /// Writes a resource block. `arguments` may have the names of Call's.
    pub(crate) fn resource(self, name: &str, arguments: &str) -> String {
        let arguments = arguments.replace(CALL.argument(), self.argument());
        format!(
            r#"resource "{}" "{name}" {{
{arguments}
}}
"#,
            self.resource_type()
        )
    }

    /// Writes the resource `fleet`, with an instance for each of `ids`.
    pub(crate) fn fleet(self, ids: impl IntoIterator<Item = u64>, arguments: &str) -> String {
        self.instances("fleet", ids, arguments)
    }

    /// Writes a resource block with an instance for each of `ids`, and a local value of the same name.
    pub(crate) fn instances(self, name: &str, ids: impl IntoIterator<Item = u64>, arguments: &str) -> String {
        let ids: serde_json::Map<_, _> = ids.into_iter().map(|id| (id.to_string(), Value::Null)).collect();
        // Terraform evaluates for_each again for every instance, and walks through a set each time: hence a map in a local.
        format!(
            "locals {{
  {name} = {}
}}
",
            Value::from(ids)
        ) + &self.resource(
            name,
            &format!(
                "for_each = local.{name}
sdk_app_id = each.key
{arguments}"
            ),
        )
    }

    /// Starts with one application, which has no callback configuration.
    pub(crate) fn scenario(self) -> Result<Scenario> {
        Ok(Scenario::new()?.of_service(self))
    }

    /// Starts with `count` applications from [`ID`] on, which have no callback configuration.
    pub(crate) fn applications(self, count: usize) -> Result<Scenario> {
        Ok(Scenario::of_applications(count)?.of_service(self))
    }
}

/// The address of the resource that [`this()`] writes.
pub(crate) const THIS: &str = CALL.this;

/// Writes Call's resource `this`.
pub(crate) fn this(arguments: &str) -> String {
    CALL.object(arguments)
}

/// Writes a resource block of Call's.
pub(crate) fn resource(name: &str, arguments: &str) -> String {
    CALL.resource(name, arguments)
}

/// Writes Call's resource `fleet`, with an instance for each of `ids`.
pub(crate) fn fleet(ids: impl IntoIterator<Item = u64>, arguments: &str) -> String {
    CALL.fleet(ids, arguments)
}

/// Writes a provider block.
pub(crate) fn provider(arguments: &str) -> String {
    format!("{PROVIDER}{arguments}\n}}\n")
}

/// Writes the two arguments that every resource needs.
pub(crate) fn sends(commands: &[&str], url: &str) -> String {
    format!("url = {}\ncallback_commands = {}\n", Value::from(url), Value::from(commands))
}

/// Allows a resource to overwrite what exists.
pub(crate) const OVERWRITE: &str = "overwrite_existing = true\n";

/// Tencent (the simulator) and a user (the workspace).
pub(crate) struct Scenario {
    pub(crate) simulator: Simulator,
    pub(crate) workspace: Workspace,
    /// The service whose resource `this` the methods inspect.
    pub(crate) of: Of,
    /// Whether provider blocks set `apps`.
    has_apps: bool,
}

/// The first line of a provider block.
const PROVIDER: &str = r#"provider "tencent" {
"#;
const APPS: &str = "  apps = var.apps\n";

impl Scenario {
    /// Starts with one application, which has no callback configuration.
    pub(crate) fn new() -> Result<Self> {
        Self::on(&TERRAFORM, Simulator::start()?)
    }

    /// Starts with `count` applications from [`ID`] on, as [`Self::of`] does.
    pub(crate) fn of_applications(count: usize) -> Result<Self> {
        Self::of((ID..).take(count))
    }

    /// Starts with these applications, each with its [`key`]. Every provider block has the credentials of all of them.
    pub(crate) fn of(ids: impl IntoIterator<Item = u64>) -> Result<Self> {
        Self::of_on(&TERRAFORM, ids)
    }

    /// Does what [`Self::of`] does, on this Terraform.
    pub(crate) fn of_on(terraform: &Terraform, ids: impl IntoIterator<Item = u64>) -> Result<Self> {
        let (mut simulator, mut apps) = (Simulator::builder(), serde_json::Map::new());
        for id in ids {
            simulator = simulator.app(App::new(id, key(id)));
            apps.insert(id.to_string(), json!({ "secret_key": key(id) }));
        }
        let mut scenario = Self::on(terraform, simulator.start()?)?;
        scenario.has_apps = true;
        // Tests search all files for secrets: these are in the environment.
        scenario.workspace.env("TF_VAR_apps", Value::from(apps).to_string());
        let ty = "map(object({ secret_key = string }))";
        scenario.workspace.write(
            "apps.tf",
            &format!(
                r#"variable "apps" {{
  type = {ty}
  sensitive = true
}}
"#
            ),
        )?;
        Ok(scenario)
    }

    /// Combines a Terraform and a simulator. The environment names the default application and its key.
    pub(crate) fn on(terraform: &Terraform, simulator: Simulator) -> Result<Self> {
        let mut workspace = Workspace::attached(terraform, env!("CARGO_BIN_EXE_terraform-provider-tencent").as_ref())?;
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "no_proxy"] {
            workspace.remove_env(proxy);
        }
        workspace
            // Terraform's commands are short: collecting less garbage saves an eighth of their CPU time.
            .env("GOGC", "400")
            .env("NO_PROXY", "127.0.0.1")
            .env("TENCENT_ENDPOINT", simulator.url())
            .env("TENCENT_SDK_APP_ID", ID.to_string())
            .env("TENCENT_SECRET_KEY", KEY);
        workspace.write(
            "versions.tf",
            r#"terraform {
  required_providers {
    tencent = { source = "callkit/tencent" }
  }
}
"#,
        )?;
        let scenario = Self { simulator, workspace, of: CALL, has_apps: false };
        // What users get is tested as they get it.
        if provider_under_test().is_some() { scenario.installed() } else { Ok(scenario) }
    }

    /// Lets Terraform install the provider and start it itself, as users do. It takes twice the time, and is for tests that
    /// read the log as users see it, install, or interrupt Terraform.
    pub(crate) fn installed(mut self) -> Result<Self> {
        if !self.workspace.is_attached() {
            return Ok(self);
        }
        let built = || env!("CARGO_BIN_EXE_terraform-provider-tencent").into();
        let provider = provider_under_test().unwrap_or_else(built);
        self.workspace.install_from(&Mirror::new(&provider, env!("CARGO_PKG_VERSION"))?)?;
        self.workspace.init()?.expect_success();
        Ok(self)
    }

    /// Inspects the resource of this service from now on.
    pub(crate) fn of_service(self, of: Of) -> Self {
        Self { of, ..self }
    }

    /// Writes `main.tf`. If provider blocks need `apps`, adds it, unless the text sets it.
    pub(crate) fn configure(&self, text: &str) -> Result {
        let text = match self.has_apps && !text.contains("apps = ") {
            false => text.to_owned(),
            true if text.contains(PROVIDER) => text.replace(PROVIDER, &format!("{PROVIDER}{APPS}")),
            true => format!("{PROVIDER}{APPS}}}\n{text}"),
        };
        Ok(self.workspace.write("main.tf", &text)?)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.workspace.run(arguments)?)
    }

    /// Runs `terraform apply`, which may fail.
    pub(crate) fn try_apply(&self) -> Result<Output> {
        self.run(&["apply", "-auto-approve"])
    }

    /// Runs `terraform apply`, which must succeed.
    #[track_caller]
    pub(crate) fn apply(&self) -> Result<Output> {
        let applied = self.try_apply()?;
        applied.expect_success();
        Ok(applied)
    }

    /// Writes `main.tf`, applies it, and forgets the requests it took.
    #[track_caller]
    pub(crate) fn applied(self, text: &str) -> Result<Self> {
        self.configure(text)?;
        self.apply()?;
        self.simulator.clear_requests();
        Ok(self)
    }

    /// Asserts that a plan finds nothing to do.
    #[track_caller]
    pub(crate) fn expect_no_changes(&self) -> Result {
        self.run(&["plan", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
        Ok(())
    }

    /// Asserts that a plan that only refreshes, as a nightly job runs it, finds no drift.
    #[track_caller]
    pub(crate) fn expect_no_drift(&self) -> Result {
        self.run(&["plan", "-refresh-only", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");
        Ok(())
    }

    /// Plans, and returns the change of the resource `this`: `actions`, `before`, `after`, `after_unknown` ….
    pub(crate) fn planned(&self) -> Result<Value> {
        let plan = self.workspace.plan_json(&[])?;
        let this = self.of.this;
        change(&plan, this).ok_or_else(|| format!("the plan has no {this}: {plan}").into())
    }

    /// Returns the attributes of the resource `this` in the state.
    pub(crate) fn stored(&self) -> Result<Option<Value>> {
        Ok(self.instance()?.map(|instance| instance["attributes"].clone()))
    }

    /// Returns the instance of the resource `this` in the state file, with Terraform's metadata.
    pub(crate) fn instance(&self) -> Result<Option<Value>> {
        let state = self.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let this = resources.iter().find(|r| r["type"] == self.of.resource_type() && r["name"] == "this");
        Ok(this.and_then(|resource| resource["instances"].get(0)).cloned())
    }

    /// Counts the instances of the resource in the state, deposed ones included.
    pub(crate) fn instances(&self) -> Result<usize> {
        let state = self.workspace.state()?.unwrap_or_default();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let ours = resources.iter().filter(|r| r["type"] == self.of.resource_type());
        Ok(ours.map(|r| r["instances"].as_array().map_or(0, Vec::len)).sum())
    }

    /// Returns what Tencent holds for the default application.
    pub(crate) fn remote(&self) -> Option<Configuration> {
        self.simulator.configuration(self.of.service, ID)
    }

    /// Asserts that Tencent holds exactly this for the default application.
    #[track_caller]
    pub(crate) fn expect_remote(&self, commands: &[&str], url: &str) {
        assert_eq!(self.remote().map(sorted), Some(sorted(Configuration::new(url, commands.iter().copied()))));
    }

    /// Sets the default application's configuration, as someone would in the console.
    pub(crate) fn someone_sets(&self, commands: &[&str], url: &str) {
        let configuration = Configuration::new(url, commands.iter().copied());
        self.simulator.put_configuration(self.of.service, ID, configuration);
    }

    /// Takes the calls since the last time, in order. Each must be one of the API's.
    #[track_caller]
    pub(crate) fn calls(&self) -> Vec<Action> {
        let requests = self.simulator.take_requests();
        requests.into_iter().map(|r| r.action.unwrap_or_else(|| panic!("not one of the API's calls: {r:?}"))).collect()
    }

    /// Takes the calls since the last time that change something, in order. Terraform decides how often it reads.
    #[track_caller]
    pub(crate) fn writes(&self) -> Vec<Action> {
        self.calls().into_iter().filter(|action| *action != Action::Get).collect()
    }
}

/// Sorts the commands, whose order means nothing. Duplicates stay.
fn sorted(mut configuration: Configuration) -> Configuration {
    configuration.callback_commands.sort();
    configuration
}

/// Returns the planned change of the resource at `address`.
pub(crate) fn change(plan: &Value, address: &str) -> Option<Value> {
    let changes = plan["resource_changes"].as_array()?;
    changes.iter().find(|c| c["address"] == address).map(|c| c["change"].clone())
}

/// Returns the names of the attributes that differ between two objects.
pub(crate) fn differences<'a>(before: &'a Value, after: &'a Value) -> Vec<&'a str> {
    let object = before.as_object().expect("an object");
    object.iter().filter(|(name, value)| after[name.as_str()] != **value).map(|(name, _)| name.as_str()).collect()
}

/// Returns whether bytes hold a text. Logs are long, and searched for many secrets.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    memmem::find(bytes, text.as_bytes()).is_some()
}

/// Returns the diagnostics that Terraform printed, each on one line and without its frame.
pub(crate) fn diagnostics(output: &Output) -> Vec<String> {
    let text = output.text();
    let boxes = text.split('╷').skip(1).map(|rest| rest.split('╵').next().unwrap_or(rest));
    boxes.map(|text| text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Returns the one diagnostic of `output` that contains `text`.
#[track_caller]
pub(crate) fn diagnostic(output: &Output, text: &str) -> String {
    let mut with_text: Vec<_> = diagnostics(output).into_iter().filter(|d| d.contains(text)).collect();
    assert_eq!(with_text.len(), 1, "diagnostics with {text:?}: {with_text:#?}\n\n{output}");
    with_text.remove(0)
}
