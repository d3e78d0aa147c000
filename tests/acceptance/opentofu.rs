//! Features that only OpenTofu has: several instances of a provider block, encrypted states, `-exclude`, early evaluation.
//!
//! These tests run on the executable that all tests use if it is OpenTofu. Otherwise they run on the OpenTofu next to it,
//! unless `TF_ACC_TERRAFORM_PATH` names the executable to use.

use std::env;
use std::fs;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{App, Service, Simulator};
use terraform_cli::{Feature, Flavour, Output, Terraform, needs, not_run};

use crate::harness::{
    CALL, CHANGED, END, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, URL, contains, key, resource, sends,
    this,
};
use crate::secrets::{files, unzipped};

/// The OpenTofu that these tests run.
static OPENTOFU: LazyLock<Option<Terraform>> = LazyLock::new(|| {
    if TERRAFORM.flavour() == Flavour::OpenTofu {
        return Some(TERRAFORM.clone());
    }
    if env::var_os("TF_ACC_TERRAFORM_PATH").is_some_and(|named| !named.is_empty()) {
        return None;
    }
    Terraform::opentofu_at_hand().expect("an OpenTofu that works")
});

/// Runs a test on [`OPENTOFU`], if there is one and it has this feature.
fn on_opentofu(feature: Feature, test: impl FnOnce(&Terraform) -> Result) -> Result {
    let Some(opentofu) = &*OPENTOFU else {
        not_run(
            "because no OpenTofu was found: install tofu or run .ci/run with Go, and leave TF_ACC_TERRAFORM_PATH unset",
        );
        return Ok(());
    };
    needs!(opentofu, feature);
    test(opentofu)
}

#[test]
fn a_configuration_is_created_updated_and_destroyed_on_opentofu() -> Result {
    on_opentofu(Feature::Lifecycle, |opentofu| crate::lifecycle::configuration_lifecycle(opentofu, CALL).map(drop))
}

/// Starts a simulator of these applications, each with its key.
fn simulator(ids: impl IntoIterator<Item = u64>) -> Result<Simulator> {
    let apps = ids.into_iter().map(|id| App::new(id, key(id)));
    Ok(apps.fold(Simulator::builder(), |simulator, app| simulator.app(app)).start()?)
}

/// Manages several applications with one provider block, each with its own key.
pub(crate) fn each_application_has_its_provider(terraform: &Terraform) -> Result {
    let ids = [ID, ID + 1, ID + 2];
    let mut scenario = Scenario::on(terraform, simulator(ids)?)?;
    let keys: serde_json::Map<_, _> = ids.map(|id| (id.to_string(), key(id).into())).into_iter().collect();
    scenario
        .workspace
        .remove_env("TENCENT_SDK_APP_ID")
        .remove_env("TENCENT_SECRET_KEY")
        .env("TF_VAR_keys", json!(keys).to_string());
    let configure = |managed: &[u64], url: &str| {
        let names = |ids: &[u64]| json!(ids.iter().map(u64::to_string).collect::<Vec<_>>()).to_string();
        scenario.configure(&format!(
            r#"variable "keys" {{
  type      = map(string)
  sensitive = true
}}
provider "tencent" {{
  alias      = "by_app"
  for_each   = toset({})
  sdk_app_id = each.key
  secret_key = var.keys[each.key]
}}
{}"#,
            names(&ids),
            this(&format!(
                "for_each = toset({})
provider = tencent.by_app[each.key]
{}",
                names(managed),
                sends(&[END], url)
            ))
        ))
    };
    configure(&ids, URL)?;
    let applied = scenario.apply()?;
    applied.expect_contains("3 added, 0 changed, 0 destroyed").expect_lacks(&key(ID + 1));
    assert!(ids.iter().all(|id| scenario.simulator.configuration(Service::Call, *id).is_some()));
    scenario.expect_no_changes()?;
    let state = scenario.workspace.state()?.expect("a state").to_string();
    assert!(state.contains("by_app") && !ids.iter().any(|id| state.contains(&key(*id))), "{state}");

    // The provider of an application must outlive its resource, to destroy it.
    configure(&ids[1..], OTHER_URL)?;
    scenario.simulator.clear_requests();
    scenario.apply()?.expect_contains("0 added, 2 changed, 1 destroyed");
    let mut writes: Vec<_> = scenario.simulator.take_requests().into_iter().filter(|r| r.action != Some(Get)).collect();
    writes.sort_by_key(|request| request.sdk_app_id);
    let writes: Vec<_> = writes.iter().map(|request| (request.action, request.sdk_app_id)).collect();
    assert_eq!(writes, [(Some(Delete), Some(ID)), (Some(Set), Some(ID + 1)), (Some(Set), Some(ID + 2))]);
    scenario.expect_no_changes()?;

    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("2 destroyed");
    assert!(!ids.iter().any(|id| scenario.simulator.configuration(Service::Call, *id).is_some()));
    Ok(())
}

#[test]
fn a_provider_block_with_for_each_serves_each_application() -> Result {
    on_opentofu(Feature::ProviderForEach, each_application_has_its_provider)
}

const TOKEN: &str = "t0ken-to-hide";

/// Encrypts states and plans with a passphrase. Unencrypted ones are still read.
const ENCRYPTION: &str = r#"
variable "passphrase" {
  sensitive = true
}

terraform {
  encryption {
    key_provider "pbkdf2" "passphrase" {
      passphrase = var.passphrase
    }
    method "aes_gcm" "this" {
      keys = key_provider.pbkdf2.passphrase
    }
    method "unencrypted" "before" {}
    state {
      method = method.aes_gcm.this
      fallback {
        method = method.unencrypted.before
      }
    }
    plan {
      method   = method.aes_gcm.this
      enforced = true
    }
  }
}
"#;

/// Encrypts the state of an object whose URL has a token, and then its plans.
pub(crate) fn secrets_are_encrypted(terraform: &Terraform) -> Result {
    let mut scenario = Scenario::on(terraform, Simulator::start()?)?;
    scenario.workspace.env("TF_VAR_passphrase", "correct horse battery staple");
    let url = |path: &str| format!("https://hooks.example.com/{path}?token={TOKEN}");
    let object = r#"variable "url" {
  sensitive = true
}
"#
    .to_owned()
        + &this(
            r#"url = var.url
callback_commands = ["Call.CallbackAfterEndCall"]"#,
        );
    let file = |scenario: &Scenario, name: &str| fs::read(scenario.workspace.path().join(name));

    // Without encryption, plan and state show the token.
    scenario.workspace.env("TF_VAR_url", url("one"));
    scenario.configure(&object)?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    assert!(unzipped(&file(&scenario, "tfplan")?).iter().any(|entry| contains(entry, TOKEN)));
    scenario.run(&["apply", "tfplan"])?.expect_success();
    assert!(contains(&file(&scenario, "terraform.tfstate")?, TOKEN));

    scenario.configure(&(ENCRYPTION.to_owned() + &object))?;
    scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
    for path in ["two", "three"] {
        scenario.workspace.env("TF_VAR_url", url(path));
        scenario.run(&["plan", "-out=tfplan"])?.expect_success().expect_lacks(TOKEN);
        scenario.run(&["show", "tfplan"])?.expect_success().expect_contains("will be updated in-place");
        scenario.run(&["apply", "tfplan"])?.expect_success();
        scenario.expect_remote(&[END], &url(path));
        scenario.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
        for name in ["tfplan", "terraform.tfstate"] {
            let encrypted: Value = serde_json::from_slice(&file(&scenario, name)?)?;
            assert!(encrypted["encrypted_data"].is_string(), "{name}: {encrypted}");
        }
    }
    for (name, content) in files(scenario.workspace.path()) {
        assert!(!contains(&content, TOKEN) && !contains(&content, KEY), "{name}");
    }
    let shown = scenario.workspace.show_json()?;
    assert_eq!(shown["values"]["root_module"]["resources"][0]["values"]["url"], url("three"));

    // Without the passphrase, nothing is called and nothing is lost.
    scenario.simulator.clear_requests();
    scenario.workspace.env("TF_VAR_passphrase", "another horse battery staple");
    scenario.run(&["plan"])?.expect_failure().expect_lacks(TOKEN);
    assert_eq!(scenario.calls(), []);
    scenario.workspace.env("TF_VAR_passphrase", "correct horse battery staple");
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(scenario.remote(), None);
    Ok(())
}

#[test]
fn encrypted_states_and_plans_hide_the_url() -> Result {
    on_opentofu(Feature::Encryption, secrets_are_encrypted)
}

/// Takes the requests, and returns the applications they are for.
pub(crate) fn called_for(scenario: &Scenario) -> Vec<u64> {
    let mut ids: Vec<_> = scenario.simulator.take_requests().into_iter().filter_map(|r| r.sdk_app_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Applies with `-exclude`: the excluded resource is neither read nor changed.
pub(crate) fn the_excluded_is_left_alone(terraform: &Terraform) -> Result {
    let mut scenario = Scenario::of_on(terraform, [ID, ID + 1])?;
    let of = |name: &str, id: u64, url: &str| resource(name, &(sends(&[END], url) + &format!("sdk_app_id = {id}\n")));
    let both = |url| of("one", ID, url) + &of("other", ID + 1, url);
    let url = |id| scenario.simulator.configuration(Service::Call, id).map(|there| there.url);
    let apply = |more: &[&str]| -> Result<Output> {
        scenario.run(&[&["apply", "-auto-approve", "-exclude=tencent_call_callback.one"], more].concat())
    };
    scenario.configure(&both(URL))?;
    apply(&[])?.expect_success().expect_contains("1 added, 0 changed, 0 destroyed");
    assert_eq!((url(ID), url(ID + 1), called_for(&scenario)), (None, Some(URL.to_owned()), vec![ID + 1]));
    scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");

    scenario.configure(&both(OTHER_URL))?;
    scenario.simulator.clear_requests();
    apply(&[])?.expect_success().expect_contains("0 added, 1 changed, 0 destroyed");
    assert_eq!((url(ID), url(ID + 1)), (Some(URL.to_owned()), Some(OTHER_URL.to_owned())));
    assert_eq!(called_for(&scenario), [ID + 1]);
    apply(&["-destroy"])?.expect_success().expect_contains("1 destroyed");
    assert_eq!((url(ID), url(ID + 1), called_for(&scenario)), (Some(URL.to_owned()), None, vec![ID + 1]));

    // If all of the provider's resources are excluded, it needs no configuration.
    let later = r#"resource "terraform_data" "later" {
  input = "there"
}
"#;
    scenario.configure(&(later.to_owned() + &of("one", ID, OTHER_URL)))?;
    for variable in ["TENCENT_ENDPOINT", "TENCENT_SDK_APP_ID", "TENCENT_SECRET_KEY"] {
        scenario.workspace.remove_env(variable);
    }
    let applied = scenario.run(&["apply", "-auto-approve", "-exclude=tencent_call_callback.one"])?;
    applied.expect_success().expect_contains("1 added, 0 changed, 0 destroyed");
    assert_eq!((called_for(&scenario), scenario.instances()?), (vec![], 1));
    Ok(())
}

#[test]
fn an_excluded_resource_is_neither_read_nor_changed() -> Result {
    on_opentofu(Feature::Exclude, the_excluded_is_left_alone)
}

#[test]
fn an_excluded_resource_does_not_keep_what_it_shares() -> Result {
    on_opentofu(Feature::Exclude, |opentofu| {
        let both = ["a", "b"].map(|name| resource(name, &sends(&[START], URL)));
        let scenario = Scenario::on(opentofu, Simulator::start()?)?.applied(&both.concat())?;
        // The removed resource is excluded: it stays, and so does the configuration.
        scenario.configure(&both[0])?;
        scenario.run(&["apply", "-auto-approve", "-exclude=tencent_call_callback.b"])?.expect_success();
        assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 2));
        // The remaining resource is excluded: the provider does not see it. The next plan does.
        scenario.run(&["apply", "-auto-approve", "-exclude=tencent_call_callback.a"])?.expect_success();
        assert_eq!((scenario.remote(), scenario.instances()?), (None, 1));
        scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");
        scenario.expect_remote(&[START], URL);
        scenario.expect_no_changes()
    })
}

/// Chooses the state and the module by a variable, and the application by the environment.
pub(crate) fn variables_are_evaluated_early(terraform: &Terraform) -> Result {
    let mut scenario = Scenario::on(terraform, simulator([ID, ID + 1])?)?;
    let required = r#"terraform {
  required_providers {
    tencent = { source = "callkit/tencent" }
  }
}
"#;
    scenario.workspace.write("modules/one/main.tf", &(required.to_owned() + &this(&sends(&[START], URL))))?;
    scenario.workspace.write("modules/two/main.tf", &(required.to_owned() + &this(&sends(&[END], OTHER_URL))))?;
    scenario.configure(
        r#"variable "stage" {}
terraform {
  backend "local" {
    path = "${var.stage}.tfstate"
  }
}
module "callback" {
  source = "./modules/${var.stage}"
}
"#,
    )?;
    for (stage, id) in [("one", ID), ("two", ID + 1)] {
        scenario
            .workspace
            .env("TF_VAR_stage", stage)
            .env("TENCENT_SDK_APP_ID", id.to_string())
            .env("TENCENT_SECRET_KEY", key(id));
        scenario.run(&["init", "-reconfigure"])?.expect_success();
        scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");
        scenario.expect_no_changes()?;
        let state = fs::read_to_string(scenario.workspace.path().join(format!("{stage}.tfstate")))?;
        assert!(state.contains(&id.to_string()) && !state.contains(&key(id)), "{state}");
        assert_eq!(called_for(&scenario), [id]);
    }
    assert_eq!(scenario.simulator.configuration(Service::Call, ID).expect("one").url, URL);
    assert_eq!(scenario.simulator.configuration(Service::Call, ID + 1).expect("two").url, OTHER_URL);
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert!(scenario.remote().is_some(), "the other stage stays");
    Ok(())
}

#[test]
fn variables_in_backend_and_module_are_evaluated() -> Result {
    on_opentofu(Feature::EarlyEvaluation, variables_are_evaluated_early)
}

/// Switches a resource off, which destroys it, and on again.
pub(crate) fn a_resource_is_switched(terraform: &Terraform) -> Result {
    let mut scenario = Scenario::on(terraform, Simulator::start()?)?;
    let switch = r#"variable "on" {
  type = bool
}
"#;
    let switched = this(
        &(sends(&[CHANGED], URL)
            + "lifecycle {
  enabled = var.on
}
"),
    );
    scenario.configure(&(switch.to_owned() + &switched))?;
    for (on, writes) in [("true", vec![Set]), ("false", vec![Delete]), ("true", vec![Set])] {
        scenario.workspace.env("TF_VAR_on", on);
        scenario.apply()?;
        assert_eq!(scenario.writes(), writes);
        scenario.expect_no_changes()?;
        assert_eq!(scenario.remote().is_some(), on == "true");
    }
    Ok(())
}

#[test]
fn a_resource_that_is_not_enabled_is_destroyed() -> Result {
    on_opentofu(Feature::Enabled, a_resource_is_switched)
}

#[test]
fn opentofu_takes_over_a_terraform_state() -> Result {
    if TERRAFORM.flavour() == Flavour::OpenTofu {
        not_run("because only OpenTofu is used, and not Terraform as well");
        return Ok(());
    }
    on_opentofu(Feature::Lifecycle, |opentofu| {
        let before = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
        let state = fs::read(before.workspace.path().join("terraform.tfstate"))?;
        let after = Scenario::on(opentofu, Simulator::start()?)?;
        fs::write(after.workspace.path().join("terraform.tfstate"), state)?;
        after.someone_sets(&[START], URL);
        after.configure(&this(&sends(&[START], URL)))?;
        after.expect_no_changes()?;
        after.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("1 destroyed");
        assert_eq!(after.remote(), None);
        Ok(())
    })
}
