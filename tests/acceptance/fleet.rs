//! A fleet in one process: two hundred applications with a key each, and every call that they take.

use std::collections::BTreeMap;

use tencent_simulator::Action::{self, Delete, Get, Set};
use tencent_simulator::{Configuration, Service};

use crate::harness::{END, ID, OTHER_URL, Result, START, Scenario, URL, diagnostics, fleet, sends};

const APPLICATIONS: usize = 200;

/// How often each call was made for each application: the same for all of them.
#[track_caller]
fn expect_calls(scenario: &Scenario, expected: &[(Action, usize)]) {
    let mut calls: BTreeMap<u64, BTreeMap<Action, usize>> = BTreeMap::new();
    for request in scenario.simulator.take_requests() {
        let (id, action) = (request.sdk_app_id.expect("an SDKAppID"), request.action.expect("one of the API's calls"));
        *calls.entry(id).or_default().entry(action).or_default() += 1;
    }
    assert_eq!(calls.len(), APPLICATIONS);
    for (id, calls) in calls {
        assert_eq!(calls, expected.iter().copied().collect(), "{id}");
    }
}

fn expect_everywhere(scenario: &Scenario, expected: Option<&Configuration>) {
    for id in (ID..).take(APPLICATIONS) {
        assert_eq!(scenario.simulator.configuration(Service::Call, id).as_ref(), expected, "{id}");
    }
}

#[test]
fn two_hundred_applications_take_no_more_calls_than_they_need() -> Result {
    calls("-parallelism=10")
}

#[test]
#[ignore = "takes as long again; run by .ci/run"]
fn neither_do_they_all_at_once() -> Result {
    calls("-parallelism=100")
}

/// What the calls are for: *plan* looks whether something would be overwritten, or refreshes; *apply* looks right before
/// it writes or deletes, and reads back what it has written.
fn calls(parallelism: &str) -> Result {
    let scenario = Scenario::of_applications(APPLICATIONS)?;
    let ids = || (ID..).take(APPLICATIONS);
    let apply = || scenario.run(&["apply", "-auto-approve", parallelism]);

    scenario.configure(&fleet(ids(), &sends(&[START], URL)))?;
    let created = apply()?;
    created.expect_success().expect_contains("200 added");
    assert_eq!(diagnostics(&created), [""; 0]);
    expect_calls(&scenario, &[(Get, 3), (Set, 1)]);
    expect_everywhere(&scenario, Some(&Configuration::new(URL, [START])));

    scenario.run(&["plan", "-detailed-exitcode", parallelism])?.expect_code(0);
    expect_calls(&scenario, &[(Get, 1)]);

    scenario.configure(&fleet(ids(), &sends(&[END, START], OTHER_URL)))?;
    apply()?.expect_success().expect_contains("200 changed");
    expect_calls(&scenario, &[(Get, 3), (Set, 1)]);
    expect_everywhere(&scenario, Some(&Configuration::new(OTHER_URL, [END, START])));

    scenario.run(&["destroy", "-auto-approve", parallelism])?.expect_success().expect_contains("200 destroyed");
    expect_calls(&scenario, &[(Get, 2), (Delete, 1)]);
    expect_everywhere(&scenario, None);
    Ok(())
}
