//! The action that probes a receiver: after each change, and on the command line.

use rstest_reuse::apply;
use tencent_simulator::{Receiver, Reply, Service, Simulator};
use terraform_cli::{Feature, Terraform, needs};

use crate::harness::{END, ID, Of, Result, START, Scenario, TERRAFORM, URL, diagnostic, each_service, sends, this};

/// Writes a resource whose receiver is probed after each change, and the action with these arguments.
fn probed(url: &str, arguments: &str) -> String {
    let trigger = "lifecycle {
  action_trigger {
    events  = [after_create, after_update]
    actions = [action.tencent_callback_probe.this]
  }
}
";
    let action = format!(
        r#"action "tencent_callback_probe" "this" {{
  config {{
    callback_command = "{END}"
    {arguments}
  }}
}}
"#
    );
    this(&(sends(&[START, END], url) + trigger)) + &action
}

const OF_THE_RESOURCE: &str = "url = tencent_call_callback.this.url\nallow_private = true";

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
pub(crate) fn receivers_are_probed(terraform: &Terraform) -> Result {
    let scenario = Scenario::on(terraform, Simulator::start()?)?;
    let receiver = Receiver::start()?;
    let url = |path: &str| format!("{}/{path}?token=t0ken-to-hide", receiver.url());
    let events = || receiver.take().into_iter().map(|event| event.target).collect::<Vec<_>>();
    for (path, command) in [
        ("one", &["apply", "-auto-approve"][..]),
        ("two", &["apply", "-auto-approve"]),
        ("two", &["apply", "-auto-approve", "-invoke=action.tencent_callback_probe.this"]),
    ] {
        scenario.configure(&probed(&url(path), OF_THE_RESOURCE))?;
        let applied = scenario.run(command)?;
        applied.expect_success().expect_contains(&format!("Posting {END} of SDKAppID 1400000001 to http://"));
        applied.expect_contains("The receiver answered after ");
        let [event] = &events()[..] else { panic!("{applied}") };
        assert!(event.starts_with(&format!("/{path}?token=t0ken-to-hide&SdkAppid=1400000001&CallbackCommand={END}&")));
    }
    scenario.expect_no_changes()?;
    scenario.run(&["destroy", "-auto-approve"])?.expect_success();
    assert_eq!(events(), [""; 0]);
    Ok(())
}

#[test]
fn the_receiver_is_probed_after_each_change() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    receivers_are_probed(&TERRAFORM)
}

#[test]
fn a_failed_probe_fails_the_apply_and_keeps_the_write() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = Scenario::new()?;
    let receiver = Receiver::start()?;
    receiver.replies(Reply { status: "503 Service Unavailable".into(), ..Reply::default() });
    scenario.configure(&probed(&receiver.url(), OF_THE_RESOURCE))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    diagnostic(&applied, "HTTP status 503 Service Unavailable");
    scenario.expect_remote(&[START, END], &receiver.url());
    scenario.expect_no_changes()?;

    let warned = format!(
        r#"{OF_THE_RESOURCE}
on_failure = "warn""#
    );
    scenario.configure(&probed(&format!("{}/other", receiver.url()), &warned))?;
    let applied = scenario.apply()?;
    assert!(diagnostic(&applied, "HTTP status 503 Service Unavailable").starts_with("Warning"));
    scenario.expect_no_changes()
}

#[test]
fn a_private_address_is_not_probed_by_accident() -> Result {
    needs!(TERRAFORM, Feature::Actions);
    let scenario = Scenario::new()?;
    let receiver = Receiver::start()?;
    // Without an argument, the URL is the one that Tencent holds.
    scenario.someone_sets(&[START, END], &receiver.url());
    scenario.configure(&probed(URL, ""))?;
    let invoked = scenario.run(&["apply", "-auto-approve", "-invoke=action.tencent_callback_probe.this"])?;
    invoked.expect_failure();
    diagnostic(&invoked, "Its address 127.0.0.1 belongs to this machine or to a private network. Nothing was sent.");
    // A URL in the configuration is refused before anything is written.
    scenario.simulator.remove_configuration(Service::Call, ID);
    scenario.configure(&probed(URL, &format!(r#"url = "{}""#, receiver.url())))?;
    let planned = scenario.run(&["plan"])?;
    planned.expect_failure();
    diagnostic(&planned, "set allow_private to true to probe it anyway");
    assert_eq!(receiver.take(), []);
    assert_eq!(scenario.writes(), []);

    scenario.configure(&probed(URL, r#"url = "ftp://hooks.example.com""#))?;
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
    assert_eq!(event.body["CallbackCommand"], of.start);

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
