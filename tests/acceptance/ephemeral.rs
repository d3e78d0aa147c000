//! The ephemeral UserSig: a provider with the key signs it for one that must not have the key.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tencent_simulator::Simulator;
use terraform_cli::{Feature, Flavour, Terraform, needs};
use terraform_provider_tencent::tencent::UserSig;

use crate::harness::{
    CHANGED, END, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, URL, diagnostic, sends, this,
};

/// Writes two providers, one with the key. The other calls with a UserSig that the first one signs.
pub(crate) fn handed_on(expires_in: &str, arguments: &str) -> String {
    format!(
        r#"ephemeral "tencent_user_sig" "pipeline" {{
  expires_in = "{expires_in}"
}}
provider "tencent" {{
  alias      = "keyless"
  sdk_app_id = {ID}
  user_sig   = ephemeral.tencent_user_sig.pipeline.user_sig
}}
{}"#,
        this(&format!("provider = tencent.keyless\n{arguments}"))
    )
}

/// Takes the requests, and returns the lifetimes of their UserSigs.
fn lifetimes(scenario: &Scenario) -> BTreeSet<u64> {
    let user_sigs =
        scenario.simulator.take_requests().into_iter().map(|r| UserSig::from(r.user_sig.expect("a UserSig")));
    user_sigs.map(|user_sig| user_sig.claims().expect("claims").lifetime).collect()
}

/// Creates, updates and destroys a resource whose provider never sees the key.
pub(crate) fn user_sigs_are_handed_on(terraform: &Terraform) -> Result {
    let scenario = Scenario::on(terraform, Simulator::start()?)?;
    scenario.configure(&handed_on("25m", &sends(&[START], URL)))?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.configure(&handed_on("25m", &sends(&[CHANGED, END], OTHER_URL)))?;
    scenario.apply()?;
    scenario.expect_remote(&[CHANGED, END], OTHER_URL);
    scenario.expect_no_changes()?;
    let destroyed = scenario.run(&["destroy", "-auto-approve"])?;
    destroyed.expect_success();
    assert_eq!(scenario.remote(), None);
    assert_eq!(lifetimes(&scenario), [25 * 60].into());
    Ok(())
}

#[test]
fn an_ephemeral_user_sig_can_be_passed_to_another_provider() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    user_sigs_are_handed_on(&TERRAFORM)
}

#[test]
fn applying_a_saved_plan_signs_a_new_user_sig() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let scenario = Scenario::new()?;
    // Long enough for each of the two commands, even on a slow machine.
    scenario.configure(&handed_on("30s", &sends(&[START], URL)))?;
    scenario.run(&["plan", "-out=saved.tfplan"])?.expect_success();
    // The UserSig of the plan has expired: the apply signs a new one.
    std::thread::sleep(Duration::from_secs(31));
    scenario.run(&["apply", "saved.tfplan"])?.expect_success();
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn a_key_known_only_after_apply_can_sign_a_user_sig() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TF_VAR_key", KEY);
    let config = format!(
        r#"variable "key" {{}}
resource "terraform_data" "later" {{
  input = var.key
}}
provider "tencent" {{
  secret_key = terraform_data.later.output
}}
{}"#,
        handed_on("25m", &sends(&[START], URL))
    );
    scenario.configure(&config)?;
    let plan = scenario.run(&["plan"])?;
    assert!(diagnostic(&plan, "cannot be opened yet").contains("to its depends_on"), "{plan}");
    // OpenTofu defers by what the resource depends on, not by what the provider answers.
    if TERRAFORM.flavour() == Flavour::OpenTofu {
        plan.expect_failure();
        let expires = r#"expires_in = "25m""#;
        scenario.configure(&config.replace(expires, &format!("{expires}\n  depends_on = [terraform_data.later]")))?;
    }
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    assert_eq!(lifetimes(&scenario), [25 * 60].into());
    Ok(())
}

#[test]
fn an_invalid_user_sig_request_is_an_error() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let mut scenario = Scenario::new()?;
    for (arguments, said) in [
        (r#"expires_in = "181d""#, "\"181d\" is not a duration from \"1s\" to \"180d\"."),
        (r#"expires_in = "1M""#, "Did you mean \"1m\" or \"30d\"?"),
        (r#"expires_in = "1H""#, "Did you mean \"1h\"?"),
        (r#"user_id = """#, "The user_id is empty or contains white space."),
        ("sdk_app_id = 0", "0 is not an SDKAppID"),
        ("sdk_app_id = 7", "has no credentials for SDKAppID 7"),
    ] {
        scenario.configure(&format!(
            r#"ephemeral "tencent_user_sig" "one" {{
  {arguments}
}}
"#
        ))?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_failure();
        diagnostic(&plan, said);
    }

    let user_sig = UserSig::sign(
        &KEY.to_owned().into(),
        "administrator",
        ID.to_string().parse()?,
        SystemTime::now(),
        Duration::from_secs(3600),
    );
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TENCENT_USER_SIG", user_sig.expose());
    scenario.configure(
        r#"ephemeral "tencent_user_sig" "one" {}
"#,
    )?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure().expect_lacks(user_sig.expose());
    diagnostic(&plan, "the provider holds only the UserSig (TENCENT_USER_SIG) for it");
    assert_eq!(scenario.calls(), []);
    Ok(())
}
