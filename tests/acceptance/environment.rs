//! A plan and its apply with different environments: an error of the provider's own, and nothing is written.

use tencent_simulator::{App, Configuration, Service, Simulator};

use crate::harness::{ID, KEY, OTHER_URL, Result, START, Scenario, URL, diagnostic, key, sends, this};

const DIFFERENTLY: &str = "The provider's configuration has changed since the plan";

#[test]
fn a_saved_plan_is_not_applied_through_another_endpoint() -> Result {
    for destroys in [false, true] {
        let mut scenario = Scenario::new()?.applied(&this(&sends(&[START], URL)))?;
        scenario.configure(&if destroys { String::new() } else { this(&sends(&[START], OTHER_URL)) })?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        let elsewhere = Simulator::builder().app(App::new(ID, KEY)).start()?;
        elsewhere.put_configuration(Service::Call, ID, Configuration::new(URL, [START]));
        scenario.workspace.env("TENCENT_ENDPOINT", elsewhere.url());
        scenario.simulator.clear_requests();
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_failure().expect_lacks("bug in the provider");
        let error = diagnostic(&applied, DIFFERENTLY);
        for said in [scenario.simulator.url(), elsewhere.url(), "TENCENT_ENDPOINT", "new plan"] {
            assert!(error.contains(said), "expected {said:?}\n{error}");
        }
        assert_eq!((scenario.calls(), elsewhere.requests()), (vec![], vec![]));
        assert_eq!(scenario.instances()?, 1);

        // A new plan uses the new endpoint.
        scenario.apply()?;
        scenario.expect_remote(&[START], URL);
        let there = elsewhere.configuration(Service::Call, ID).map(|configuration| configuration.url);
        assert_eq!(there.as_deref(), if destroys { None } else { Some(OTHER_URL) });
    }
    Ok(())
}

#[test]
fn a_saved_plan_is_not_applied_to_another_default_application() -> Result {
    let mut scenario = Scenario::of_applications(2)?.applied(&this(&sends(&[START], URL)))?;
    scenario.configure(&this(&sends(&[START], OTHER_URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.workspace.env("TENCENT_SDK_APP_ID", (ID + 1).to_string()).env("TENCENT_SECRET_KEY", key(ID + 1));
    scenario.simulator.clear_requests();
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure().expect_lacks("bug in the provider");
    let error = diagnostic(&applied, DIFFERENTLY);
    for said in ["1400000001", "1400000002", "TENCENT_SDK_APP_ID"] {
        assert!(error.contains(said), "expected {said:?}\n{error}");
    }
    assert_eq!(scenario.writes(), []);
    scenario.expect_remote(&[START], URL);

    // With the first default again, a new plan updates it.
    scenario.workspace.env("TENCENT_SDK_APP_ID", ID.to_string()).env("TENCENT_SECRET_KEY", KEY);
    scenario.apply()?;
    scenario.expect_remote(&[START], OTHER_URL);
    scenario.expect_no_changes()
}
