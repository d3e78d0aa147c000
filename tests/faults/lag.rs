//! Reads that lag behind writes, for two objects of one application. The matrix has the lags for one object.

use std::thread::sleep;
use std::time::Duration;

use tencent_simulator::{Action, Age, Configuration, Fault, FaultKind};

use crate::harness::{CALL, CREATE_BEFORE_DESTROY, ID, OTHER_URL, Of, ROOM, Result, Scenario, URL, diagnostics, sends};

/// Each application has a lag of its own.
const LAGS: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(200), Duration::from_secs(1)];

/// Terraform runs, after all reads have caught up with the run before.
fn apply(scenario: &Scenario, arguments: &[&str]) -> Result<String> {
    sleep(LAGS[2]);
    let applied = scenario.run(&[&["apply", "-auto-approve"], arguments].concat())?;
    applied.expect_success();
    let aside = ["Two resources for", "is kept for another object", "is written again", "already exists as planned"];
    let told = diagnostics(&applied).into_iter().filter(|text| !aside.iter().any(|aside| text.contains(aside)));
    assert_eq!(told.collect::<Vec<_>>(), [""; 0]);
    Ok(applied.text())
}

fn expect_everywhere(scenario: &Scenario, of: Of, url: Option<&str>) {
    for id in (ID..).take(LAGS.len()) {
        let there = scenario.simulator.configuration(of.service, id);
        assert_eq!(there, url.map(|url| Configuration::new(url, [of.start])), "{id}");
    }
}

#[test]
fn reads_that_lag_change_nothing_for_two_objects_of_one_application() -> Result {
    for of in [CALL, ROOM] {
        let scenario = of.applications(LAGS.len())?;
        for (id, lag) in (ID..).zip(LAGS) {
            scenario.simulator.inject(Fault::new(FaultKind::StaleRead(Age::Ago(lag))).on(Action::Get).sdk_app_id(id));
        }
        let ids = || (ID..).take(LAGS.len());
        let fleet = |url| of.fleet(ids(), &sends(&[of.start], url));
        let twin = |url| of.instances("twin", ids(), &(sends(&[of.start], url) + CREATE_BEFORE_DESTROY));
        for url in [URL, OTHER_URL] {
            scenario.configure(&(fleet(url) + &twin(url)))?;
            apply(&scenario, &[])?;
            expect_everywhere(&scenario, of, Some(url));
            assert_eq!(scenario.instances()?, 2 * LAGS.len());
        }

        let addresses = ids().map(|id| format!("-replace={}.twin[\"{id}\"]", of.resource_type()));
        let replace: Vec<_> = addresses.collect();
        apply(&scenario, &replace.iter().map(String::as_str).collect::<Vec<_>>())?;
        expect_everywhere(&scenario, of, Some(OTHER_URL));

        scenario.configure(&fleet(OTHER_URL))?;
        apply(&scenario, &[])?;
        expect_everywhere(&scenario, of, Some(OTHER_URL));
        assert_eq!(scenario.instances()?, LAGS.len());
        scenario.configure("")?;
        apply(&scenario, &[])?;
        expect_everywhere(&scenario, of, None);
        assert_eq!(scenario.instances()?, 0);
    }
    Ok(())
}
