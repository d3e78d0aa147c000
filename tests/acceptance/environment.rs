//! A plan and its apply with different environments, or with another configuration at Tencent.

use tencent_simulator::{App, Configuration, Service, Simulator};
use terraform_cli::{Feature, Terraform, needs};

use crate::harness::{
    END, ID, KEY, OTHER_URL, OVERWRITE, Result, START, Scenario, TERRAFORM, THIS, URL, diagnostic, diagnostics, key,
    sends, this,
};

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

#[test]
fn a_saved_creation_is_held_to_its_plan() -> Result {
    needs!(TERRAFORM, Feature::PlannedPrivate);
    creations_are_held_to_their_plan(&TERRAFORM)
}

/// Applies saved plans of a creation: through another endpoint, for another default application, as planned, and after
/// someone has changed what it overwrites.
pub(crate) fn creations_are_held_to_their_plan(terraform: &Terraform) -> Result {
    let simulator = || Simulator::builder().app(App::new(ID, KEY)).app(App::new(ID + 1, key(ID + 1))).start();
    let (mut scenario, elsewhere) = (Scenario::on(terraform, simulator()?)?, simulator()?);
    scenario.configure(&this(&(sends(&[START], URL) + OVERWRITE)))?;
    scenario.someone_sets(&[END], OTHER_URL);
    let here = [("TENCENT_ENDPOINT", scenario.simulator.url().to_owned())];
    let there = [("TENCENT_ENDPOINT", elsewhere.url().to_owned())];
    let this_application = [("TENCENT_SDK_APP_ID", ID.to_string()), ("TENCENT_SECRET_KEY", KEY.to_owned())];
    let other_application = [("TENCENT_SDK_APP_ID", (ID + 1).to_string()), ("TENCENT_SECRET_KEY", key(ID + 1))];
    let changes = [(&here[..], &there[..]), (&this_application, &other_application)];
    for (planned, applied) in changes {
        diagnostic(&scenario.run(&["plan", "-out=tfplan"])?, "This plan overwrites the existing Call");
        scenario.set(applied);
        let refused = scenario.run(&["apply", "tfplan"])?;
        refused.expect_failure().expect_lacks("bug in the provider");
        diagnostic(&refused, DIFFERENTLY);
        scenario.set(planned);
    }
    assert_eq!((scenario.writes(), elsewhere.requests()), (vec![], vec![]));

    // The apply repeats nothing that the plan has said, and says what the plan could not say.
    for changed in [false, true] {
        diagnostic(&scenario.run(&["plan", "-out=tfplan"])?, "This plan overwrites the existing Call");
        if changed {
            scenario.someone_sets(&[END], URL);
        }
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_success();
        match changed {
            false => assert_eq!(diagnostics(&applied), [""; 0]),
            true => drop(diagnostic(&applied, "has changed since the plan")),
        }
        scenario.expect_remote(&[START], URL);
        scenario.run(&["state", "rm", THIS])?.expect_success();
        scenario.someone_sets(&[END], OTHER_URL);
    }
    Ok(())
}

impl Scenario {
    fn set(&mut self, variables: &[(&str, String)]) {
        for (name, value) in variables {
            self.workspace.env(name, value);
        }
    }
}
