//! Invalid input: the error names the argument and quotes the value without its secrets, and nothing is sent.

use serde_json::Value;
use std::fmt::Write as _;
use terraform_cli::Output;

use crate::harness::{END, ID, KEY, Result, START, Scenario, URL, diagnostic, provider, resource, sends, this};

/// A diagnostic of `terraform validate`.
#[derive(Debug)]
struct Finding {
    severity: String,
    address: String,
    /// The line of the configuration that it points to.
    line: String,
    text: String,
}

/// Runs `terraform validate` on a configuration.
fn validate(scenario: &Scenario, config: &str) -> Result<Vec<Finding>> {
    scenario.configure(config)?;
    let output = scenario.run(&["validate", "-json"])?;
    let report: Value = serde_json::from_str(output.stdout())?;
    let found = report["diagnostics"].as_array().ok_or_else(|| format!("no diagnostics: {output}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(found
        .iter()
        .map(|d| Finding {
            severity: text(&d["severity"]),
            address: text(&d["address"]),
            line: text(&d["snippet"]["code"]).trim().to_owned(),
            text: format!("{}: {}", text(&d["summary"]), text(&d["detail"])),
        })
        .collect())
}

/// An invalid value of an argument, and the expected diagnostic.
struct Case<'a> {
    /// The lines of the block.
    arguments: String,
    severity: &'a str,
    /// The start of the line at fault.
    blamed: &'a str,
    said: &'a [&'a str],
}

fn error<'a>(arguments: impl Into<String>, blamed: &'a str, said: &'a [&'a str]) -> Case<'a> {
    Case { arguments: arguments.into(), severity: "error", blamed, said }
}

fn warning<'a>(arguments: impl Into<String>, blamed: &'a str, said: &'a [&'a str]) -> Case<'a> {
    Case { severity: "warning", ..error(arguments, blamed, said) }
}

/// Asserts that each of `cases`, in blocks named `case_0`, `case_1` …, is found, that there are no other findings, and that
/// none shows a secret.
#[track_caller]
fn expect(findings: &[Finding], cases: &[Case<'_>]) {
    let is_of = |finding: &Finding, case: usize| finding.address.ends_with(&format!(".case_{case}"));
    let mut missing = String::new();
    for (i, case) in cases.iter().enumerate() {
        let of_this: Vec<_> = findings.iter().filter(|f| is_of(f, i)).collect();
        let matching = of_this.iter().any(|f| {
            f.severity == case.severity
                && f.line.starts_with(case.blamed)
                && case.said.iter().all(|said| f.text.contains(said))
        });
        if !matching {
            let Case { arguments, severity, blamed, said } = case;
            missing += &format!("{arguments}\nexpected {severity} {said:?} on {blamed:?}: {of_this:#?}\n\n");
        }
    }
    assert!(missing.is_empty(), "{missing}");
    for finding in findings {
        assert!((0..cases.len()).any(|i| is_of(finding, i)), "{finding:#?}");
        assert!(!finding.text.contains("s3cret"), "{finding:#?}");
    }
}

#[test]
fn invalid_resource_arguments_are_explained() -> Result {
    let with_url = |url: &str| sends(&[START], url);
    let with_commands = |commands: &[&str]| sends(commands, URL);
    let with = |argument: &str| sends(&[START], URL) + argument;
    let cases = [
        error(with_url("hooks.example.com/x?token=s3cret"), "url", &["\"hooks.example.com/x?token=***\"", "https://"]),
        error(with_url(""), "url", &["https://"]),
        error(with_url("ftp://me:s3cret@hooks.example.com"), "url", &["\"ftp://***@hooks.example.com\"", "https://"]),
        error(with_url("https://"), "url", &["\"https://\"", "no host"]),
        error(with_url("https:///path?s3cret"), "url", &["\"https:///path?***\"", "no host"]),
        error(
            with_url("https://hooks.example.com/#s3cret"),
            "url",
            &["\"https://hooks.example.com/#***\"", "fragment"],
        ),
        error(with_url("https://hooks.example.com/a b?t=s3cret"), "url", &["/a b?t=***\"", "space", "%20"]),
        error(with_url("https://hooks.example.com:99999/?t=s3cret"), "url", &["its port", "1 to 65535"]),
        error(with_url("https://hooks.example.com/?t=s3cret\n"), "url", &["white space", "trimspace()"]),
        error(with_url("https://me:s3/s3cret@hooks.example.com"), "url", &["\"https://***@hooks.example.com\""]),
        warning(with_url("http://hooks.example.com/?t=s3cret"), "url", &["does not use https", "/?t=***"]),
        warning(
            with_url("https://127.0.0.1:8443/?t=s3cret"),
            "url",
            &["cannot reach", "https://127.0.0.1:8443/?t=***"],
        ),
        warning(with_url("https://localhost/"), "url", &["cannot reach"]),
        warning(with_url("https://10.1.2.3/"), "url", &["cannot reach", "private"]),
        warning(with_url("https://169.254.169.254/"), "url", &["cannot reach"]),
        warning(with_url("https://[fe80::1]/"), "url", &["cannot reach"]),
        warning(with_url(&format!("{URL}?t=s3cret{}", "x".repeat(2000))), "url", &["very long", "2,000 characters"]),
        error(with_commands(&[]), "callback_commands", &["at least one", START, END]),
        error(with_commands(&[START, ""]), "callback_commands", &["Empty callback command", END]),
        error(with_commands(&[" "]), "callback_commands", &["Empty callback command"]),
        warning(
            with_commands(&["Room.CallbackAfterCreateRoom"]),
            "callback_commands",
            &["Room.CallbackAfterCreateRoom", "for tencent_room_callback, not for tencent_call_callback."],
        ),
        warning(
            with_commands(&["Call.CallbackBeforeRing"]),
            "callback_commands",
            &["Call.CallbackBeforeRing", START, END],
        ),
        warning(
            with_commands(&["call.callbackafterendcall"]),
            "callback_commands",
            &["\"call.callbackafterendcall\"", "Did you mean \"Call.CallbackAfterEndCall\"?"],
        ),
        error(with("sdk_app_id = 0"), "sdk_app_id", &["0 is not an SDKAppID", "from 1 to 4294967295"]),
        error(with("sdk_app_id = 4294967296"), "sdk_app_id", &["4294967296 is not an SDKAppID"]),
        error(with("sdk_app_id = -1"), "sdk_app_id", &["from 1 to 4294967295"]),
        error(with("sdk_app_id = 1.5"), "sdk_app_id", &["from 1 to 4294967295"]),
        error(with(r#"deletion_policy = "delete""#), "deletion_policy", &["\"delete\"", "\"DELETE\"", "\"ABANDON\""]),
        error(with(r#"timeouts = { create = "10" }"#), "timeouts", &["create", "\"10\"", "\"30s\""]),
        error(with(r#"timeouts = { read = "0s" }"#), "timeouts", &["read", "\"0s\""]),
        error(with(r#"timeouts = { update = "25h" }"#), "timeouts", &["update", "\"25h\"", "24h"]),
        error(with(r#"timeouts = { delete = "soon" }"#), "timeouts", &["delete", "\"soon\""]),
    ];
    let mut config = String::new();
    for (i, case) in cases.iter().enumerate() {
        config += &resource(&format!("case_{i}"), &case.arguments);
    }
    let scenario = Scenario::new()?;
    let findings = validate(&scenario, &config)?;
    expect(&findings, &cases);
    Ok(())
}

#[test]
fn missing_arguments_are_explained() -> Result {
    let scenario = Scenario::new()?;
    for (arguments, said) in [
        ("", "\"callback_commands\" is required"),
        (
            &format!("url = \"{URL}\"\ncallback_commands = null"),
            "Missing callback_commands: callback_commands is required, but its value is null. Set a value.",
        ),
        (&format!(r#"callback_commands = ["{START}"]"#), "Missing url: Set url, or url_wo"),
    ] {
        let findings = validate(&scenario, &this(arguments))?;
        assert!(findings.len() == 1 && findings[0].text.contains(said), "{findings:?}");
    }
    Ok(())
}

#[test]
fn a_required_argument_that_a_variable_leaves_null_is_missing() -> Result {
    let scenario = Scenario::new()?;
    let variable = "variable \"events\" {\n  type = set(string)\n  default = null\n}\n";
    let config = variable.to_owned() + &this(&format!("url = \"{URL}\"\ncallback_commands = var.events"));
    assert!(validate(&scenario, &config)?.is_empty(), "the variable may have a value");
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "Missing callback_commands");
    assert!(
        error.contains("callback_commands = var.events") && error.contains("a default that is not null"),
        "{error}"
    );
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn valid_arguments_give_no_findings() -> Result {
    let scenario = Scenario::new()?;
    let config = [
        sends(&[START, END], "https://user:password@hooks.example.com:8443/a%20b?token=x&y#"),
        sends(&[START], "https://8.8.8.8"),
        sends(&[START], "https://[2606:4700::1111]/"),
        sends(&[START], URL)
            + r#"sdk_app_id = 4294967295
timeouts = { create = "1m30s", read = "1.5h", delete = "24h" }"#,
        sends(&[START], URL)
            + "deletion_policy = null
overwrite_existing = null
timeouts = null
sdk_app_id = null",
        format!(
            r#"url = var.anything
callback_commands = ["{START}", var.anything]"#
        ),
    ];
    let mut text = r#"variable "anything" {}
"#
    .to_owned();
    for (i, arguments) in config.iter().enumerate() {
        text += &resource(&format!("case_{i}"), &arguments.replace('#', ""));
    }
    let findings = validate(&scenario, &text)?;
    assert!(findings.is_empty(), "{findings:#?}");
    Ok(())
}

/// Terraform would print all of `apps`, secrets included, below a diagnostic on it.
const WHOLE_BLOCK: &str = "provider \"tencent\"";

#[test]
fn invalid_provider_arguments_are_explained() -> Result {
    let cases = [
        error("sdk_app_id = 0", "sdk_app_id", &["0 is not an SDKAppID", "from 1 to 4294967295"]),
        error("sdk_app_id = 4294967296", "sdk_app_id", &["4294967296"]),
        error(r#"secret_key = """#, "secret_key", &["empty", "TENCENT_SECRET_KEY"]),
        error(r#"secret_key = "s3cret\n""#, "secret_key", &["white space", "trimspace()"]),
        error(r#"user_sig = "s3cret""#, "user_sig", &["not a UserSig"]),
        error(r#"user_sig = "s3cret\n""#, "user_sig", &["white space", "trimspace()"]),
        error(
            r#"secret_key = "a"
user_sig = "s3cret""#,
            "user_sig",
            &["secret_key and user_sig are both set"],
        ),
        error(r#"identifier = """#, "identifier", &["empty", "administrator"]),
        error(r#"region = "mars""#, "region", &["\"mars\"", "\"china\", \"singapore\", \"seoul\", \"frankfurt\""]),
        error(r#"region = "Singapore""#, "region", &["\"Singapore\"", "Did you mean \"singapore\"?"]),
        error(r#"region = "ap-seoul""#, "region", &["Did you mean \"seoul\"?"]),
        error(format!(r#"region = "{}""#, "s3cret".repeat(10)), "region", &["The value is not a region"]),
        error(r#"endpoint = "http://gateway.example.com""#, "endpoint", &["loopback", "https"]),
        error(r#"endpoint = "http://10.0.0.1:8080""#, "endpoint", &["loopback"]),
        error(r#"endpoint = "gateway.example.com""#, "endpoint", &["no scheme", "https://gateway.example.com"]),
        error(r#"endpoint = "127.0.0.1:8910""#, "endpoint", &["no scheme"]),
        error(r#"endpoint = "https://gateway.example.com:99999""#, "endpoint", &["port", "65535"]),
        error(r#"endpoint = "https://gateway.example.com/\n""#, "endpoint", &["white space", "trimspace()"]),
        error(r#"apps = { "app" = { secret_key = "s3cret" } }"#, WHOLE_BLOCK, &["\"app\" is not an SDKAppID"]),
        error(
            r#"apps = {
"1" = {}
}"#,
            WHOLE_BLOCK,
            &["apps[\"1\"]", "no credentials"],
        ),
        error(
            r#"apps = {
"1" = null
}"#,
            WHOLE_BLOCK,
            &["apps[\"1\"]", "no credentials"],
        ),
        error(
            r#"apps = {
"1" = { secret_key = "s3cret" }
"01" = { secret_key = "s3cret" }
}"#,
            WHOLE_BLOCK,
            &["\"01\" and \"1\" are the same SDKAppID"],
        ),
        error(
            r#"apps = {
"1" = {
secret_key = "s3cret"
region = "mars"
}
}"#,
            WHOLE_BLOCK,
            &["apps[\"1\"].region", "\"mars\""],
        ),
        error(r#"endpoint = "ftp://gateway.example.com""#, "endpoint", &["https"]),
        error(r#"endpoint = "https://me:s3cret@gateway.example.com""#, "endpoint", &["password"]),
        error(r#"request_timeout = "10""#, "request_timeout", &["\"10\"", "\"30s\""]),
        error(r#"request_timeout = "0s""#, "request_timeout", &["\"0s\""]),
        error("max_retries = -1", "max_retries", &["0 to 100"]),
        error("max_retries = 1000", "max_retries", &["1000", "0 to 100"]),
        error("requests_per_second = 0", "requests_per_second", &["0", "from 1 to"]),
        error("requests_per_second = 0.5", "requests_per_second", &["from 1 to 1000"]),
        error(
            r#"requests_per_second_scope = "app""#,
            "requests_per_second_scope",
            &["\"app\" is neither \"endpoint\" nor \"application\""],
        ),
    ];
    let mut config = String::new();
    for (i, case) in cases.iter().enumerate() {
        write!(
            config,
            r#"provider "tencent" {{
alias = "case_{i}"
{}
}}
"#,
            case.arguments
        )?;
        // Terraform does not validate a provider that nothing uses.
        config += &resource(&format!("case_{i}"), &(sends(&[START], URL) + &format!("provider = tencent.case_{i}")));
    }
    let scenario = Scenario::new()?;
    let findings = validate(&scenario, &config)?;
    expect(&findings, &cases);
    Ok(())
}

/// Plans with only these environment variables for the provider.
fn plan_with(scenario: &mut Scenario, variables: &[(&str, &str)]) -> Result<Output> {
    for name in ["SDK_APP_ID", "SECRET_KEY", "USER_SIG", "IDENTIFIER", "REGION", "ENDPOINT"] {
        scenario.workspace.remove_env(format!("TENCENT_{name}"));
    }
    for (name, value) in variables {
        scenario.workspace.env(name, value);
    }
    scenario.run(&["plan"])
}

#[test]
fn invalid_environment_variables_are_explained() -> Result {
    let mut scenario = Scenario::new()?;
    let url = scenario.simulator.url().to_owned();
    scenario.configure(&this(&sends(&[START], URL)))?;
    /// Names and values.
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Variables<'_>, &[&str]); 12] = [
        (
            &[("TENCENT_SDK_APP_ID", "1400000001"), ("TENCENT_ENDPOINT", &url)],
            &["no credentials", "secret_key", "TENCENT_SECRET_KEY", "user_sig", "TENCENT_USER_SIG"],
        ),
        (
            &[("TENCENT_SECRET_KEY", KEY), ("TENCENT_ENDPOINT", &url)],
            &["No SDKAppID", "sdk_app_id", "TENCENT_SDK_APP_ID"],
        ),
        (
            &[("TENCENT_SECRET_KEY", KEY), ("TENCENT_USER_SIG", "s3cret")],
            &["TENCENT_SECRET_KEY and TENCENT_USER_SIG are both set"],
        ),
        (&[("TENCENT_USER_SIG", "s3cret")], &["user_sig", "TENCENT_USER_SIG", "not a UserSig"]),
        (&[("TENCENT_SECRET_KEY", "s3cret key")], &["secret_key", "TENCENT_SECRET_KEY", "white space"]),
        (&[("TENCENT_SDK_APP_ID", "s3cret")], &["sdk_app_id", "variable TENCENT_SDK_APP_ID is not an SDKAppID"]),
        (&[("TENCENT_SDK_APP_ID", "0")], &["sdk_app_id", "TENCENT_SDK_APP_ID is not an SDKAppID", "from 1 to"]),
        (&[("TENCENT_REGION", "s3cret")], &["region", "variable TENCENT_REGION is not a region", "\"seoul\""]),
        (&[("TENCENT_REGION", "sg")], &["region", "TENCENT_REGION", "Did you mean \"singapore\"?"]),
        (&[("TENCENT_ENDPOINT", "s3cret")], &["endpoint", "TENCENT_ENDPOINT cannot be used", "https://"]),
        (&[("TENCENT_ENDPOINT", "http://gateway.example.com")], &["endpoint", "TENCENT_ENDPOINT", "loopback"]),
        (&[("TENCENT_IDENTIFIER", " ")], &["identifier", "TENCENT_IDENTIFIER", "empty"]),
    ];
    for (variables, said) in cases {
        let plan = plan_with(&mut scenario, variables)?;
        plan.expect_code(1).expect_lacks("s3cret").expect_lacks(KEY);
        let error = diagnostic(&plan, said[0]);
        for said in said {
            assert!(error.contains(said), "{variables:?}: expected {said:?}\n{error}");
        }
    }
    assert_eq!(scenario.calls(), [], "nothing was asked");

    // Without resources, the provider needs nothing.
    scenario.configure("")?;
    plan_with(&mut scenario, &[])?.expect_success();
    Ok(())
}

#[test]
fn a_missing_application_and_missing_credentials_are_reported_together() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.configure(&this(&sends(&[START], URL)))?;
    let plan = plan_with(&mut scenario, &[])?;
    plan.expect_code(1);
    diagnostic(&plan, "No SDKAppID");
    diagnostic(&plan, "The provider \"tencent\" has no credentials");
    Ok(())
}

#[test]
fn a_region_overridden_by_a_variable_is_a_warning() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.configure(&(provider(r#"region = "seoul""#) + &this(&sends(&[START], URL))))?;
    let plan = scenario.run(&["plan"])?;
    let warning = diagnostic(plan.expect_success(), "TENCENT_ENDPOINT overrides region");
    for said in ["Warning", "not to the region \"seoul\"", "Unset the variable", "on main.tf line 2"] {
        assert!(warning.contains(said), "{warning}");
    }
    let url = scenario.simulator.url().to_owned();
    scenario.workspace.remove_env("TENCENT_ENDPOINT");
    let endpoint = provider(&format!(
        r#"region = "seoul"
endpoint = "{url}""#
    ));
    scenario.configure(&(endpoint + &this(&sends(&[START], URL))))?;
    scenario.run(&["plan"])?.expect_success().expect_lacks("Warning");
    Ok(())
}

#[test]
fn the_provider_block_takes_precedence_over_the_environment() -> Result {
    let mut scenario = Scenario::new()?;
    let url = scenario.simulator.url().to_owned();
    scenario.configure(&format!(
        r#"provider "tencent" {{
sdk_app_id = {ID}
secret_key = "{KEY}"
identifier = "administrator"
endpoint = "{url}"
}}
{}"#,
        this(&sends(&[START], URL))
    ))?;
    let wrong = [
        ("TENCENT_SDK_APP_ID", "7"),
        ("TENCENT_USER_SIG", "nonsense"),
        ("TENCENT_IDENTIFIER", "nobody"),
        ("TENCENT_ENDPOINT", "http://127.0.0.1:1"),
    ];
    plan_with(&mut scenario, &wrong)?.expect_success().expect_lacks("Warning");
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn validate_points_to_the_line_and_the_resource() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(
        r#"url = "ftp://hooks.example.com"
callback_commands = ["call.callbackafterendcall"]"#,
    ))?;
    let validated = scenario.run(&["validate"])?;
    validated.expect_code(1);
    let error = diagnostic(&validated, "Invalid url");
    assert!(error.contains("on main.tf line 2") && error.contains("with tencent_call_callback.this"), "{error}");
    diagnostic(&validated, "Unknown callback command");
    assert_eq!(scenario.calls(), []);
    Ok(())
}
