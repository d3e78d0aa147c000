//! A fleet in one process: two hundred applications, each with its key, and every call they take.

use std::collections::BTreeMap;

use tencent_simulator::{Action, Configuration, Service};

use crate::harness::{END, ID, OTHER_URL, OVERWRITE, Result, START, Scenario, URL, diagnostics, fleet, sends};

const APPLICATIONS: usize = 200;

/// Reads the guide's table: how often an operation makes each call for each application.
fn documented(operation: &str) -> BTreeMap<String, usize> {
    let guide = include_str!("../../docs/guides/many-applications.md");
    let row = guide.lines().find_map(|line| line.strip_prefix(&format!("| {operation} | ")));
    let calls = row.and_then(|row| row.split(" | ").next()).unwrap_or_else(|| panic!("the guide has no {operation}"));
    let call = |text: &str| text.split_once(' ').map(|(count, action)| (action.to_owned(), count.parse().expect(text)));
    calls.split(", ").filter_map(call).collect()
}

/// Asserts that each application took as many calls as the guide says.
#[track_caller]
fn expect_calls(scenario: &Scenario, operation: &str) {
    let mut calls: BTreeMap<u64, BTreeMap<String, usize>> = BTreeMap::new();
    for request in scenario.simulator.take_requests() {
        let action: Action = request.action.expect("one of the API's calls");
        let of_application = calls.entry(request.sdk_app_id.expect("an SDKAppID")).or_default();
        *of_application.entry(action.to_string()).or_default() += 1;
    }
    assert_eq!(calls.len(), APPLICATIONS);
    let documented = documented(operation);
    for (id, calls) in calls {
        assert_eq!(calls, documented, "{operation}: {id}");
    }
}

fn expect_everywhere(scenario: &Scenario, expected: Option<&Configuration>) {
    for id in (ID..).take(APPLICATIONS) {
        assert_eq!(scenario.simulator.configuration(Service::Call, id).as_ref(), expected, "{id}");
    }
}

#[test]
fn two_hundred_applications_take_no_more_calls_than_documented() -> Result {
    calls("-parallelism=10")
}

#[test]
#[ignore = "takes as long again; run by .ci/run"]
fn two_hundred_applications_at_once_take_no_more_calls_than_documented() -> Result {
    calls("-parallelism=100")
}

fn calls(parallelism: &str) -> Result {
    let scenario = Scenario::of_applications(APPLICATIONS)?;
    let ids = || (ID..).take(APPLICATIONS);
    let apply = || scenario.run(&["apply", "-auto-approve", parallelism]);

    scenario.configure(&fleet(ids(), &sends(&[START], URL)))?;
    let created = apply()?;
    created.expect_success().expect_contains("200 added");
    assert_eq!(diagnostics(&created), [""; 0]);
    expect_calls(&scenario, "create");
    expect_everywhere(&scenario, Some(&Configuration::new(URL, [START])));

    scenario.run(&["plan", "-detailed-exitcode", parallelism])?.expect_code(0);
    expect_calls(&scenario, "plan, nothing to do");

    scenario.configure(&fleet(ids(), &sends(&[END, START], OTHER_URL)))?;
    apply()?.expect_success().expect_contains("200 changed");
    expect_calls(&scenario, "change");
    expect_everywhere(&scenario, Some(&Configuration::new(OTHER_URL, [END, START])));

    scenario.configure(&fleet(ids(), &(sends(&[END, START], OTHER_URL) + OVERWRITE)))?;
    apply()?.expect_success().expect_contains("200 changed");
    expect_calls(&scenario, "change of `overwrite_existing`, `deletion_policy` or `timeouts` only");

    scenario.run(&["destroy", "-auto-approve", parallelism])?.expect_success().expect_contains("200 destroyed");
    expect_calls(&scenario, "destroy");
    expect_everywhere(&scenario, None);
    Ok(())
}
