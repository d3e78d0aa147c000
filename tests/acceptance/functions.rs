//! Functions: what a configuration can compute without calling Tencent.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tencent_simulator::Simulator;
use terraform_cli::{Feature, Terraform, needs};
use terraform_provider_tencent::tencent::UserSig;

use crate::harness::{CHANGED, END, ID, KEY, Result, START, Scenario, TERRAFORM, URL, diagnostic, this};

const CLAIMS: &str = r#"variable "user_sig" {
  sensitive = true
}
output "claims" {
  value = nonsensitive(provider::tencent::user_sig_claims(var.user_sig))
}
"#;

/// Calls two functions and checks their results.
pub(crate) fn functions_answer(terraform: &Terraform) -> Result {
    let mut scenario = Scenario::on(terraform, Simulator::start()?)?;
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let user_sig =
        UserSig::sign(&KEY.to_owned().into(), "administrator", ID.to_string().parse()?, at, Duration::from_secs(60));
    scenario.workspace.env("TF_VAR_user_sig", user_sig.expose());
    let all = this(&format!(
        r#"url = "{URL}"
callback_commands = provider::tencent::callback_commands("call")"#
    ));
    scenario.configure(&(CLAIMS.to_owned() + &all))?;
    scenario.apply()?;
    scenario.expect_remote(&[START, CHANGED, END], URL);
    let claims = json!({
        "identifier": "administrator", "sdk_app_id": ID,
        "issued_at": "2023-11-14T22:13:20Z", "expires_at": "2023-11-14T22:14:20Z",
    });
    assert_eq!(scenario.workspace.show_json()?["values"]["outputs"]["claims"]["value"], claims);
    scenario.expect_no_changes()
}

#[test]
fn functions_work_without_calling_tencent() -> Result {
    needs!(TERRAFORM, Feature::Functions);
    functions_answer(&TERRAFORM)
}

#[test]
fn functions_blame_the_argument_they_refuse() -> Result {
    needs!(TERRAFORM, Feature::Functions);
    let mut scenario = Scenario::new()?;
    scenario.workspace.env("TF_VAR_user_sig", "tok3n-to-hide");
    scenario.configure(CLAIMS)?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure().expect_lacks("tok3n-to-hide");
    let error = diagnostic(&plan, "Invalid value for \"user_sig\" parameter");
    assert!(error.ends_with("it is not a UserSig of version 2.0; check that it was copied whole."), "{error}");

    scenario.configure(
        r#"output "all" {
  value = provider::tencent::callback_commands("tok3n-to-hide")
}
"#,
    )?;
    let plan = scenario.run(&["plan"])?;
    let error = diagnostic(&plan, "Invalid value for \"service\" parameter");
    assert!(
        error.ends_with("no such service; it must be one of \"call\", \"room\", \"live\", \"legacy_call\"."),
        "{error}"
    );
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn a_signature_is_as_sensitive_as_its_token() -> Result {
    needs!(TERRAFORM, Feature::Functions);
    let mut scenario = Scenario::new()?;
    scenario.workspace.env("TF_VAR_token", "xxxxyyyy");
    let output = |time: &str| {
        format!(
            r#"variable "token" {{
  sensitive = true
}}
output "sign" {{
  sensitive = true
  value = provider::tencent::callback_signature(var.token, {time})
}}
"#
        )
    };
    // Terraform converts a number to a string.
    for time in ["\"1669872112\"", "1669872112"] {
        scenario.configure(&output(time))?;
        scenario.apply()?.expect_lacks("17773bc3");
        let sign = json!("17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061");
        assert_eq!(scenario.workspace.show_json()?["values"]["outputs"]["sign"]["value"], sign);
    }
    for (time, correction) in [
        ("1669872112000", "; divide milliseconds by 1000."),
        ("1669872112.5", "; floor() removes the fraction."),
        ("\"2022-12-01T05:21:52Z\"", "; in seconds, this time is 1669872112."),
        ("1e30", "such as 1669872112."),
        ("-1", "such as 1669872112."),
    ] {
        scenario.configure(&output(time))?;
        let plan = scenario.run(&["plan"])?;
        let error = diagnostic(plan.expect_failure(), "Invalid value for \"request_time\" parameter");
        let reason = "it is not a Unix time in seconds, a whole number from 0 to 253402300799";
        assert!(error.contains(reason) && error.ends_with(correction), "{error}");
    }
    scenario.configure(&output("1669872112").replace("sensitive = true\n  value", "value"))?;
    diagnostic(scenario.run(&["plan"])?.expect_failure(), "Output refers to sensitive values");
    Ok(())
}
