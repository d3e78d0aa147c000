//! The action that probes a receiver: after each change, and on the command line.

use rstest_reuse::apply;
use tencent_simulator::Action::Set;
use tencent_simulator::{Receiver, Reply, Service, Simulator};
use terraform_cli::{Feature, Output, Terraform, needs};
use terraform_provider_tencent::tencent::ApiVersion;

use crate::harness::{
    END, ID, Of, Result, START, Scenario, TERRAFORM, THIS, URL, diagnostic, diagnostics, each_service, sends, this,
};

/// The name of the action that [`probed`] writes, as an option of `terraform apply`.
const INVOKE: &str = "-invoke=action.tencent_callback_probe.this";

/// Writes a resource that triggers a probe, and the action with these arguments.
fn probed(url: &str, trigger: &str, arguments: &str) -> String {
    let trigger = format!(
        "lifecycle {{
  action_trigger {{
    actions = [action.tencent_callback_probe.this]
    {trigger}
  }}
}}
"
    );
    let action = format!(
        r#"action "tencent_callback_probe" "this" {{
  config {{
    callback_command = "{END}"
    {arguments}
  }}
}}
"#
    );
    this(&(sends(&[START, END], url) + &trigger)) + &action
}

const AFTER_CHANGES: &str = "events = [after_create, after_update]";
const AROUND_DESTRUCTION: &str = "events = [before_destroy, after_destroy]";
const ALLOW_PRIVATE: &str = "allow_private = true";
const OF_THE_CALLER: &str = "sdk_app_id = caller.sdk_app_id\nurl = caller.url\nallow_private = true";

#[test]
fn a_probe_without_an_event_is_invalid() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = Scenario::new()?;
    let config = "action \"tencent_callback_probe\" \"this\" {\n  config {\n    callback_command = null\n  }\n}\n";
    scenario.configure(config)?;
    let validated = scenario.run(&["validate"])?;
    validated.expect_failure();
    assert!(diagnostic(&validated, "Missing callback_command").contains("callback_command is required"));
    Ok(())
}

/// Expects one event after creating, one after changing, one when invoked, and no other.
fn are_probed(terraform: &Terraform, trigger: &str, arguments: &str) -> Result {
    let scenario = Scenario::on(terraform, Simulator::start()?)?;
    let receiver = Receiver::start()?;
    let url = |path: &str| format!("{}/{path}?token=t0ken-to-hide", receiver.url());
    let events = || receiver.take().into_iter().map(|event| event.target).collect::<Vec<_>>();
    for (path, command) in [
        ("one", &["apply", "-auto-approve"][..]),
        ("two", &["apply", "-auto-approve"]),
        ("two", &["apply", "-auto-approve", INVOKE]),
    ] {
        scenario.configure(&probed(&url(path), trigger, arguments))?;
        let applied = scenario.run(command)?;
        applied.expect_success().expect_contains(&format!("Posting {END} of SDKAppID 1400000001 to http://"));
        applied.expect_contains("The receiver answered after ");
        assert_eq!(foreign_warnings(&applied), [""; 0]);
        let [event] = &events()[..] else { panic!("{applied}") };
        assert!(event.starts_with(&format!("/{path}?token=t0ken-to-hide&SdkAppid=1400000001&CallbackCommand={END}&")));
    }
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(events(), [""; 0]);
    Ok(())
}

/// Returns the warnings that are not about the receiver's URL, which is a local one.
fn foreign_warnings(output: &Output) -> Vec<String> {
    let is_ours = |text: &String| text.contains("callback URL");
    diagnostics(output).into_iter().filter(|text| !is_ours(text)).collect()
}

pub(crate) fn receivers_are_probed(terraform: &Terraform) -> Result {
    are_probed(terraform, AFTER_CHANGES, ALLOW_PRIVATE)
}

pub(crate) fn callers_are_probed(terraform: &Terraform) -> Result {
    are_probed(terraform, &format!("{AFTER_CHANGES}\non_failure = continue"), OF_THE_CALLER)
}

#[test]
fn the_receiver_is_probed_after_each_change() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    receivers_are_probed(&TERRAFORM)
}

#[test]
fn the_receiver_of_the_caller_is_probed() -> Result {
    needs!(TERRAFORM, Feature::Caller);
    callers_are_probed(&TERRAFORM)
}

fn broken() -> Reply {
    Reply { status: "503 Service Unavailable".into(), ..Reply::default() }
}

#[test]
fn a_failed_probe_fails_the_apply_and_keeps_the_write() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = Scenario::new()?;
    let receiver = Receiver::start()?;
    receiver.replies(broken());
    scenario.configure(&probed(&receiver.url(), AFTER_CHANGES, ALLOW_PRIVATE))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    assert!(diagnostic(&applied, "HTTP status 503 Service Unavailable").starts_with("Error"));
    scenario.expect_remote(&[START, END], &receiver.url());
    scenario.expect_no_changes()?;

    let invoked = scenario.run(&["apply", "-auto-approve", INVOKE])?;
    invoked.expect_failure();
    assert!(diagnostic(&invoked, "HTTP status 503 Service Unavailable").starts_with("Error"));
    Ok(())
}

#[test]
fn a_trigger_decides_what_follows_a_failed_probe() -> Result {
    needs!(TERRAFORM, Feature::Caller);
    let receiver = Receiver::start()?;
    let created = |on_failure: &str| -> Result<(Scenario, Output)> {
        let scenario = Scenario::new()?;
        receiver.replies(broken());
        let trigger = format!("{AFTER_CHANGES}\non_failure = {on_failure}");
        scenario.configure(&probed(&receiver.url(), &trigger, ALLOW_PRIVATE))?;
        let applied = scenario.try_apply()?;
        scenario.expect_remote(&[START, END], &receiver.url());
        receiver.take();
        Ok((scenario, applied))
    };
    let (scenario, applied) = created("continue")?;
    applied.expect_success();
    assert!(diagnostic(&applied, "HTTP status 503 Service Unavailable").starts_with("Warning"));
    scenario.expect_no_changes()?;

    let (scenario, applied) = created("taint")?;
    applied.expect_failure();
    assert!(diagnostic(&applied, "HTTP status 503 Service Unavailable").starts_with("Error"));
    receiver.replies(Reply::default());
    scenario.writes();
    scenario.apply()?.expect_contains("1 added, 0 changed, 1 destroyed");
    assert_eq!((scenario.writes(), receiver.take().len()), (vec![Set], 1), "nothing is deleted");
    scenario.expect_no_changes()
}

/// Applies a resource that triggers a probe of a receiver of its own.
fn triggered(terraform: &Terraform, trigger: &str) -> Result<(Scenario, Receiver)> {
    let receiver = Receiver::start()?;
    let arguments = format!("url = \"{}\"\n{ALLOW_PRIVATE}", receiver.url());
    let scenario = Scenario::on(terraform, Simulator::start()?)?.applied(&probed(URL, trigger, &arguments))?;
    Ok((scenario, receiver))
}

/// Expects one event before destroying, one after it, and no other.
#[cfg(feature = "gate")]
pub(crate) fn destructions_are_probed(terraform: &Terraform) -> Result {
    let (scenario, receiver) = triggered(terraform, AROUND_DESTRUCTION)?;
    assert_eq!(receiver.take(), []);
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!((receiver.take().len(), scenario.remote()), (2, None));
    Ok(())
}

#[test]
fn a_destroy_shows_what_a_probe_finds_and_goes_on() -> Result {
    needs!(TERRAFORM, Feature::DestroyEvents);
    let (scenario, receiver) = triggered(&TERRAFORM, AROUND_DESTRUCTION)?;
    receiver.replies(broken());
    let destroyed = scenario.run(&["destroy", "-auto-approve"])?;
    destroyed.expect_success();
    let found = diagnostics(&destroyed);
    assert!(found.iter().all(|text| text.starts_with("Warning: The callback probe of ")), "{destroyed}");
    assert_eq!((receiver.take().len(), scenario.remote(), scenario.instances()?), (2, None, 0));
    Ok(())
}

#[test]
fn a_failed_probe_before_a_replacement_loses_no_configuration() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let (scenario, receiver) = triggered(&TERRAFORM, "events = [before_create]")?;
    receiver.replies(broken());
    scenario.run(&["apply", "-auto-approve", &format!("-replace={THIS}")])?.expect_failure();
    scenario.expect_remote(&[START, END], URL);
    // Terraform 1.16 and later destroy first.
    let is_destroyed = TERRAFORM.has(Feature::Caller);
    assert_eq!(scenario.instances()?, usize::from(!is_destroyed));
    if is_destroyed {
        receiver.replies(Reply::default());
        let applied = scenario.apply()?;
        diagnostic(&applied, "already exists as planned");
        assert_eq!(scenario.instances()?, 1);
    }
    scenario.expect_no_changes()
}

#[test]
fn a_private_address_is_not_probed_by_accident() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = Scenario::new()?;
    let receiver = Receiver::start()?;
    // Without an argument, the URL is the one that Tencent holds.
    scenario.someone_sets(&[START, END], &receiver.url());
    scenario.configure(&probed(URL, AFTER_CHANGES, ""))?;
    let invoked = scenario.run(&["apply", "-auto-approve", INVOKE])?;
    invoked.expect_failure();
    diagnostic(&invoked, "Its address 127.0.0.1 belongs to this machine or to a private network. Nothing was sent.");
    // A URL in the configuration is refused before anything is written.
    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.configure(&probed(URL, AFTER_CHANGES, &format!(r#"url = "{}""#, receiver.url())))?;
    let planned = scenario.run(&["plan"])?;
    planned.expect_failure();
    diagnostic(&planned, "set allow_private to true to probe it anyway");
    assert_eq!(receiver.take(), []);
    assert_eq!(scenario.writes(), []);

    scenario.configure(&probed(URL, AFTER_CHANGES, r#"url = "ftp://hooks.example.com""#))?;
    let planned = scenario.run(&["plan"])?;
    planned.expect_failure();
    diagnostic(&planned, "it must start with https:// (or http://)");
    Ok(())
}

#[apply(each_service)]
fn a_probe_posts_an_event_of_the_service_to_its_url(of: Of) -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = of.scenario()?;
    let receiver = Receiver::start()?;
    if of.version() == ApiVersion::V1 {
        receiver.replies(Reply::of_version_1());
    }
    scenario.someone_sets(&[of.start], &receiver.url());
    let config = |service: &str| {
        let command = of.start;
        scenario.configure(&format!(
            r#"action "tencent_callback_probe" "now" {{
  config {{
    callback_command = "{command}"
    allow_private = true
    {service}
  }}
}}
"#
        ))
    };
    config(&format!(r#"service = "{}""#, of.name))?;
    let invoke = ["apply", "-auto-approve", "-invoke=action.tencent_callback_probe.now"];
    scenario.run(&invoke)?.expect_success();
    let [event] = &receiver.take()[..] else { panic!("one event") };
    let name = of.by_version("command", "CallbackCommand");
    assert!(event.target.contains(&format!("&{name}={}&", of.start)), "{event:?}");

    // The command implies the service, unless several services have it.
    config("")?;
    let probed = scenario.run(&invoke)?;
    if of.start.starts_with("Mic.") {
        probed.expect_failure();
        let error = diagnostic(&probed, "Missing service");
        assert!(error.contains("Set service to \"room\" or \"live\"."), "{error}");
        assert!(receiver.take().is_empty());
    } else {
        probed.expect_success();
        assert_eq!(receiver.take().len(), 1);
    }
    Ok(())
}
