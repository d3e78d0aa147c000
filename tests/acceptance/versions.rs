//! Every feature on every version of Terraform and OpenTofu that can be installed.

use std::fs;
use std::panic;

use serde_json::{Value, json};
use tencent_simulator::Action::{Delete, Set};
use tencent_simulator::{Configuration, Service, Simulator};
use terraform_cli::{Feature, Flavour, RELEASES, Release, Terraform, forget, not_run, record};

use crate::environment::creations_are_held_to_their_plan;
use crate::ephemeral::user_sigs_are_handed_on;
use crate::functions::functions_answer;
use crate::harness::{
    CALL, CHANGED, END, ID, OTHER_URL, OVERWRITE, Result, START, Scenario, THIS, URL, diagnostic, fleet, resource,
    sends, this,
};
use crate::import::takes_over_from_another_type;
use crate::lifecycle::configuration_lifecycle;
use crate::live_token::{
    a_secret_token_is_kept_nowhere, a_secret_token_is_refused, shared_tokens_are_kept, token_lifecycle,
};
use crate::one_object::{OTHER_WAYS, shared_configurations_are_kept};
use crate::opentofu::{
    a_resource_is_switched, called_for, each_application_has_its_provider, secrets_are_encrypted,
    the_excluded_is_left_alone, variables_are_evaluated_early,
};
use crate::probe::{callers_are_probed, destructions_are_probed, receivers_are_probed};
use crate::query::query_finds_and_imports;
use crate::write_only::{a_secret_url_is_kept_nowhere, a_secret_url_is_refused};

/// One test per release that can be installed: it installs or builds the release, if it is not there yet.
macro_rules! releases {
    ($($name:ident: $release:literal,)*) => {
        $(
            #[test]
            fn $name() -> Result {
                let release = RELEASES.into_iter().find(|release| release.to_string() == $release);
                works_on(release.expect("a known release"))
            }
        )*

        #[test]
        fn every_known_release_has_a_test() {
            assert_eq!(RELEASES.map(|release| release.to_string()), [$($release),*]);
        }
    };
}

releases! {
    terraform_1_6: "Terraform 1.6.6",
    terraform_1_8: "Terraform 1.8.4",
    terraform_1_9: "Terraform 1.9.8",
    terraform_1_10: "Terraform 1.10.5",
    terraform_1_12: "Terraform 1.12.2",
    terraform_1_13: "Terraform 1.13.5",
    terraform_1_14: "Terraform 1.14.9",
    terraform_1_15: "Terraform 1.15.5",
    terraform_1_16: "Terraform 1.16.4",
    terraform_1_17: "Terraform 1.17.0-beta1",
    opentofu_1_11: "OpenTofu 1.11.14",
    opentofu_1_12: "OpenTofu 1.12.6",
    opentofu_1_13: "OpenTofu 1.13.0-beta1",
}

/// Returns the test of a feature, which runs on each version, whether it is said to have the feature or not.
fn trial(feature: Feature) -> fn(&Terraform) -> Result {
    match feature {
        Feature::Lifecycle => lifecycle,
        Feature::Drift => drift_is_repaired,
        Feature::Guard => the_guard_refuses,
        Feature::Import => adopts_by_id,
        Feature::OneObject => |terraform| {
            shared_configurations_are_kept(terraform, OTHER_WAYS)?;
            shared_tokens_are_kept(terraform)
        },
        Feature::Test => tests_clean_up,
        Feature::ImportForEach => adopts_a_fleet,
        Feature::Removed => forgets_and_deletes_nothing,
        Feature::MovedTypes => |terraform| takes_over_from_another_type(terraform, CALL),
        Feature::Functions => functions_answer,
        Feature::Ephemeral => user_sigs_are_handed_on,
        Feature::WriteOnly => |terraform| {
            a_secret_url_is_kept_nowhere(terraform)?;
            a_secret_token_is_kept_nowhere(terraform)
        },
        Feature::Identity => adopts_by_identity,
        Feature::Query => query_finds_and_imports,
        Feature::Actions => receivers_are_probed,
        Feature::Caller => callers_are_probed,
        Feature::PlannedPrivate => creations_are_held_to_their_plan,
        Feature::DestroyEvents => destructions_are_probed,
        Feature::ImportInModules => adopts_in_a_module,
        Feature::StateShowJson => shows_the_identity,
        Feature::MinimalRefresh => reads_only_what_changes,
        Feature::ForgetOnDestroy => destroying_forgets,
        Feature::ProviderForEach => each_application_has_its_provider,
        Feature::Encryption => secrets_are_encrypted,
        Feature::Exclude => the_excluded_is_left_alone,
        Feature::EarlyEvaluation => variables_are_evaluated_early,
        Feature::Enabled => a_resource_is_switched,
    }
}

fn works_on(release: Release) -> Result {
    let version = release.to_string();
    forget(&version)?;
    if release.lacks_go()? {
        not_run(format!("because {version} is not built and Go is not there"));
        return Ok(());
    }
    let terraform = release.install()?;
    assert_eq!(terraform.to_string(), version);

    let mut seen = Vec::new();
    for feature in Feature::ALL {
        let trial = trial(feature);
        if terraform.has(feature) {
            trial(&terraform)?;
            seen.push(feature);
        } else {
            let tried = panic::catch_unwind(|| trial(&terraform));
            assert!(!matches!(tried, Ok(Ok(()))), "{version} is said not to have {feature}, but has");
        }
    }
    if !terraform.has(Feature::WriteOnly) {
        a_secret_url_is_refused(&terraform)?;
        a_secret_token_is_refused(&terraform)?;
    }
    Ok(record(&version, &seen)?)
}

fn scenario(terraform: &Terraform) -> Result<Scenario> {
    Scenario::on(terraform, Simulator::start()?)
}

fn lifecycle(terraform: &Terraform) -> Result {
    let ran = configuration_lifecycle(terraform, CALL)?.run(&["version"])?;
    ran.expect_contains(&terraform.version().to_string())
        .expect_contains(concat!("callkit/tencent v", env!("CARGO_PKG_VERSION")));
    token_lifecycle(terraform)
}

/// Repairs a change made elsewhere, and then a deletion.
fn drift_is_repaired(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?.applied(&this(&sends(&[START, END], URL)))?;
    scenario.someone_sets(&[END], OTHER_URL);
    let planned = scenario.planned()?;
    assert_eq!((&planned["actions"], &planned["before"]["url"]), (&json!(["update"]), &json!(OTHER_URL)));
    scenario.run(&["plan", "-refresh-only"])?.expect_success().expect_contains(&format!("# {THIS} has changed"));
    scenario.apply()?.expect_contains("0 added, 1 changed, 0 destroyed");
    scenario.expect_remote(&[START, END], URL);
    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.apply()?.expect_contains("1 added, 0 changed, 0 destroyed");
    scenario.expect_remote(&[START, END], URL);
    scenario.expect_no_changes()
}

/// Refuses to overwrite what someone else has set, when planning and right before the write.
fn the_guard_refuses(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?;
    scenario.configure(&this(&sends(&[START, END], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.someone_sets(&[END], URL);
    for command in [&["plan"][..], &["apply", "tfplan"]] {
        let refused = scenario.run(command)?;
        refused.expect_failure();
        diagnostic(&refused, "already has a Call callback configuration");
    }
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    scenario.configure(&this(&(sends(&[START, END], URL) + OVERWRITE)))?;
    diagnostic(&scenario.apply()?, "This plan overwrites the existing Call callback configuration");
    scenario.expect_remote(&[START, END], URL);
    Ok(())
}

/// Runs `terraform test`, which destroys what it creates.
fn tests_clean_up(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?;
    scenario.configure(&this(&sends(&[START], URL)))?;
    let run = format!(
        r#"run "creates" {{
  assert {{
    condition     = {THIS}.id == "{ID}"
    error_message = "no ID"
  }}
}}
"#
    );
    scenario.workspace.write("tests/callback.tftest.hcl", &run)?;
    scenario.run(&["test"])?.expect_success().expect_contains("1 passed, 0 failed");
    assert_eq!((scenario.writes(), scenario.remote()), (vec![Set, Delete], None));
    Ok(())
}

fn import_block(what: &str) -> String {
    format!(
        "import {{
  to = {THIS}
  {what}
}}
"
    )
}

/// Imports an existing configuration, and abandons it.
fn adopts_by_id(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?;
    let config = this(&(sends(&[START, END], URL) + r#"deletion_policy = "ABANDON""#));
    scenario.someone_sets(&[END, START], URL);
    scenario.configure(&config)?;
    scenario.run(&["import", THIS, &ID.to_string()])?.expect_success();
    scenario.run(&["state", "rm", THIS])?.expect_success();

    scenario.configure(&(import_block(&format!(r#"id = "{ID}""#)) + &config))?;
    scenario.apply()?.expect_contains("1 imported, 0 added");
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("stays at Tencent");
    scenario.expect_remote(&[START, END], URL);
    Ok(())
}

/// Imports several configurations with one block.
fn adopts_a_fleet(terraform: &Terraform) -> Result {
    let scenario = Scenario::of_on(terraform, [ID, ID + 1])?;
    for id in [ID, ID + 1] {
        scenario.simulator.put_configuration(Service::Call, id, Configuration::new(URL, [CHANGED]));
    }
    let import = "import {
  for_each = local.fleet
  to = tencent_call_callback.fleet[each.key]
  id = each.key
}
";
    scenario.configure(&(import.to_owned() + &fleet([ID, ID + 1], &sends(&[CHANGED], URL))))?;
    scenario.apply()?.expect_contains("2 imported, 0 added, 0 changed, 0 destroyed");
    assert_eq!(scenario.writes(), []);
    scenario.expect_no_changes()
}

/// Takes a configuration out of management with a block `removed`.
fn forgets_and_deletes_nothing(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?.applied(&this(&sends(&[START], URL)))?;
    scenario.configure(&format!(
        "removed {{
  from = {THIS}
  lifecycle {{
    destroy = false
  }}
}}
"
    ))?;
    scenario.apply()?;
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    scenario.expect_remote(&[START], URL);
    Ok(())
}

/// Imports an existing configuration by identity.
fn adopts_by_identity(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?;
    scenario.someone_sets(&[END, START], URL);
    scenario.configure(
        &(import_block(&format!("identity = {{ sdk_app_id = {ID} }}")) + &this(&sends(&[START, END], URL))),
    )?;
    scenario.simulator.clear_requests();
    scenario.run(&["plan"])?.expect_success().expect_contains("1 to import, 0 to add, 0 to change, 0 to destroy");
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    let instance = scenario.instance()?.expect("an object");
    assert_eq!(
        (&instance["identity"], &instance["identity_schema_version"]),
        (&json!({ "sdk_app_id": ID }), &json!(0))
    );
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);

    // Invalid identities.
    scenario.run(&["state", "rm", THIS])?.expect_success();
    for id in ["0", "4294967296", "1.5", "null"] {
        scenario.configure(
            &(import_block(&format!("identity = {{ sdk_app_id = {id} }}")) + &this(&sends(&[START], URL))),
        )?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_failure().expect_contains("sdk_app_id").expect_lacks("bug");
    }

    // A resource that Terraform created has its identity in the state, too.
    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?;
    assert_eq!(scenario.instance()?.expect("an object")["identity"], json!({ "sdk_app_id": ID }));
    scenario.expect_no_drift()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(scenario.remote(), None);
    Ok(())
}

/// Imports an existing configuration by a block in a module.
fn adopts_in_a_module(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?;
    let versions = fs::read_to_string(scenario.workspace.path().join("versions.tf"))?;
    let module = versions + &import_block(&format!(r#"id = "{ID}""#)) + &this(&sends(&[START], URL));
    scenario.workspace.write("modules/callback/main.tf", &module)?;
    scenario.configure("module \"callback\" {\n  source = \"./modules/callback\"\n}\n")?;
    scenario.someone_sets(&[START], URL);
    scenario.workspace.init()?.expect_success();
    scenario.apply()?.expect_contains("1 imported, 0 added, 0 changed, 0 destroyed");
    scenario.expect_no_changes()?;
    assert_eq!(scenario.writes(), []);
    Ok(())
}

/// Prints one object of the state, with its identity.
fn shows_the_identity(terraform: &Terraform) -> Result {
    let scenario = scenario(terraform)?.applied(&this(&sends(&[START], URL)))?;
    let shown = scenario.run(&["state", "show", "-json", THIS])?;
    shown.expect_success();
    // OpenTofu prints its version first, and the object as `show -json` does.
    let shown = serde_json::Deserializer::from_str(shown.stdout()).into_iter::<Value>().last().ok_or("nothing")??;
    let this =
        shown.pointer("/resource").or_else(|| shown.pointer("/values/root_module/resources/0")).ok_or("no object")?;
    assert_eq!((&this["values"]["url"], &this["identity"]), (&json!(URL), &json!({ "sdk_app_id": ID })));
    Ok(())
}

/// Changes one of two resources with `-minimal-refresh`, which reads only that one, and destroys both, which reads neither.
fn reads_only_what_changes(terraform: &Terraform) -> Result {
    let ids = [ID, ID + 1];
    let both = |url| {
        let of = |name, id: u64, url| resource(name, &(sends(&[START], url) + &format!("sdk_app_id = {id}\n")));
        of("one", ID, URL) + &of("other", ID + 1, url)
    };
    let scenario = Scenario::of_on(terraform, ids)?.applied(&both(URL))?;
    let urls = || ids.map(|id| scenario.simulator.configuration(Service::Call, id).map(|there| there.url));
    scenario.configure(&both(OTHER_URL))?;
    let planned = scenario.run(&["plan", "-minimal-refresh", "-out=tfplan"])?;
    planned.expect_success().expect_contains("0 to add, 1 to change, 0 to destroy").expect_lacks("Warning");
    assert_eq!(called_for(&scenario), [ID + 1]);
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_success().expect_contains("0 added, 1 changed, 0 destroyed").expect_lacks("Warning");
    assert_eq!((called_for(&scenario), urls()), (vec![ID + 1], [URL, OTHER_URL].map(|url| Some(url.to_owned()))));
    scenario.run(&["plan", "-minimal-refresh", "-detailed-exitcode"])?.expect_code(0);
    assert_eq!(called_for(&scenario), [0; 0]);
    let destroyed = scenario.run(&["destroy", "-minimal-refresh", "-auto-approve"])?;
    destroyed.expect_success().expect_contains("2 destroyed").expect_lacks("Warning");
    assert_eq!(urls(), [None, None]);
    Ok(())
}

/// Replaces a resource with `destroy = false`, which writes, and destroys it, which only forgets it.
fn destroying_forgets(terraform: &Terraform) -> Result {
    let kept = this(&(sends(&[START], URL) + "lifecycle {\n  destroy = false\n}\n"));
    let scenario = scenario(terraform)?.applied(&kept)?;
    scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_success();
    assert_eq!(scenario.writes(), [Set]);
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()?;
    let destroy = ["destroy", "-auto-approve", "-suppress-forget-errors"];
    let suppressing = usize::from(terraform.flavour() == Flavour::OpenTofu);
    scenario.run(&destroy[..2 + suppressing])?.expect_success();
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![], 0));
    scenario.expect_remote(&[START], URL);
    Ok(())
}
