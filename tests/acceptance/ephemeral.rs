//! The ephemeral UserSig: whoever holds the key hands it to whoever must not.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tencent_simulator::Simulator;
use terraform_cli::{Feature, Flavour, Terraform, needs};
use terraform_provider_tencent::tencent::UserSig;

use crate::harness::{
    CHANGED, END, ID, KEY, OTHER_URL, Result, START, Scenario, TERRAFORM, URL, diagnostic, sends, this,
};

/// One provider has the key. The other has a UserSig of the first one's, and calls with that.
pub(crate) fn handed_on(expires_in: &str, arguments: &str) -> String {
    format!(
        "ephemeral \"tencent_user_sig\" \"pipeline\" {{\n  expires_in = \"{expires_in}\"\n}}\n\
         provider \"tencent\" {{\n  alias      = \"keyless\"\n  sdk_app_id = {ID}\n  \
         user_sig   = ephemeral.tencent_user_sig.pipeline.user_sig\n}}\n{}",
        this(&format!("provider = tencent.keyless\n{arguments}"))
    )
}

/// The lifetimes of the UserSigs that calls were made with.
fn lifetimes(scenario: &Scenario) -> BTreeSet<u64> {
    let user_sigs =
        scenario.simulator.take_requests().into_iter().map(|r| UserSig::from(r.user_sig.expect("a UserSig")));
    user_sigs.map(|user_sig| user_sig.claims().expect("claims").lifetime).collect()
}

/// The whole life of a resource whose provider never sees the key.
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
fn a_user_sig_is_handed_on() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    user_sigs_are_handed_on(&TERRAFORM)
}

#[test]
fn a_saved_plan_has_none_in_it() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let scenario = Scenario::new()?;
    // Long enough for each of the two commands, on a slow machine too.
    scenario.configure(&handed_on("6s", &sends(&[START], URL)))?;
    scenario.run(&["plan", "-out=saved.tfplan"])?.expect_success();
    // What was signed for the plan has ended: the apply signs anew.
    std::thread::sleep(Duration::from_secs(7));
    scenario.run(&["apply", "saved.tfplan"])?.expect_success();
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn a_key_that_is_known_after_apply_holds_up_no_plan() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TF_VAR_key", KEY);
    let config = format!(
        "variable \"key\" {{}}\nresource \"terraform_data\" \"later\" {{\n  input = var.key\n}}\n\
         provider \"tencent\" {{\n  secret_key = terraform_data.later.output\n}}\n{}",
        handed_on("25m", &sends(&[START], URL))
    );
    scenario.configure(&config)?;
    let plan = scenario.run(&["plan"])?;
    assert!(diagnostic(&plan, "cannot be opened yet").contains("to its depends_on"), "{plan}");
    // OpenTofu decides by what the resource depends on, not by what the provider answers.
    if TERRAFORM.flavour() == Flavour::OpenTofu {
        plan.expect_failure();
        let expires = "expires_in = \"25m\"";
        scenario.configure(&config.replace(expires, &format!("{expires}\n  depends_on = [terraform_data.later]")))?;
    }
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    assert_eq!(lifetimes(&scenario), [25 * 60].into());
    Ok(())
}

#[test]
fn what_cannot_be_signed_is_an_error() -> Result {
    needs!(TERRAFORM, Feature::Ephemeral);
    let mut scenario = Scenario::new()?;
    for (arguments, said) in [
        ("expires_in = \"181d\"", "\"181d\" is not a duration from \"1s\" to \"180d\"."),
        ("user_id = \"\"", "The user_id is empty or contains white space."),
        ("sdk_app_id = 0", "0 is not an SDKAppID"),
        ("sdk_app_id = 7", "has no credentials for SDKAppID 7"),
    ] {
        scenario.configure(&format!("ephemeral \"tencent_user_sig\" \"one\" {{\n  {arguments}\n}}\n"))?;
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
    scenario.configure("ephemeral \"tencent_user_sig\" \"one\" {}\n")?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure().expect_lacks(user_sig.expose());
    diagnostic(&plan, "the provider holds only the UserSig (TENCENT_USER_SIG) for it");
    assert_eq!(scenario.calls(), []);
    Ok(())
}
