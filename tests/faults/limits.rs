//! Timeouts and rate limits: how long the provider waits, how often it tries, and when it gives up.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, SystemTime};

use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{
    Action, App, Configuration, Fault, FaultKind, Outcome, RateLimit, Request, Service, Simulator,
};
use terraform_provider_tencent::tencent::{SdkAppId, UserSig};
use tokio::net::TcpSocket;

use crate::harness::{
    END, ID, KEY, OTHER_URL, Result, START, Scenario, URL, diagnostic, diagnostics, fleet, provider, resource, sends,
    this,
};

fn gateway(code: u16, retry_after: Option<&str>) -> FaultKind {
    FaultKind::Status { code, retry_after: retry_after.map(str::to_owned), processed: false }
}

fn error_code(code: i64) -> FaultKind {
    FaultKind::ErrorCode { code, info: String::new() }
}

/// Returns the arrival times of an application's requests for an action.
fn arrivals(requests: &[Request], id: u64, action: Action) -> Vec<SystemTime> {
    let those = requests.iter().filter(|request| request.sdk_app_id == Some(id) && request.action == Some(action));
    those.map(|request| request.arrived).collect()
}

/// How much too short a wait may look because clocks differ.
const TOLERANCE: Duration = Duration::from_millis(50);

#[test]
fn retries_wait_as_long_as_retry_after_asks() -> Result {
    let scenario = Scenario::of_applications(4)?;
    scenario.configure(&(provider(r#"request_timeout = "3s""#) + &fleet(ID..ID + 4, &sends(&[START], URL))))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.clear_requests();

    let date = SystemTime::now() + Duration::from_secs(5);
    let http_date = httpdate::fmt_http_date(date);
    for (id, kind) in (ID..).zip([
        gateway(503, Some("2")),
        gateway(429, Some("2")),
        gateway(502, Some(&http_date)),
        // Its first attempt ends long after the 429 above.
        FaultKind::NoAnswer,
    ]) {
        scenario.simulator.inject(Fault::new(kind).on(Set).sdk_app_id(id).times(1));
    }
    scenario.run(&["apply", "tfplan"])?.expect_success();
    let requests = scenario.simulator.requests();
    let sets: Vec<_> = (ID..ID + 4).map(|id| arrivals(&requests, id, Set)).collect();
    assert!(sets.iter().all(|sets| sets.len() == 2), "{sets:?}");
    for set in &sets[..2] {
        assert!(set[1] + TOLERANCE >= set[0] + Duration::from_secs(2), "{set:?}");
    }
    // A date has whole seconds.
    assert!(sets[2][1] + TOLERANCE + Duration::from_secs(1) >= date, "{:?}", sets[2]);
    assert!(sets[3][1] + TOLERANCE >= sets[1][0] + Duration::from_secs(2), "a 429 slows all calls down: {sets:?}");
    Ok(())
}

#[test]
fn a_retry_after_beyond_the_timeout_fails_at_once() -> Result {
    // Waiting would take longer than the test's time limit.
    let scenario = Scenario::new()?;
    let patient = sends(&[START], URL)
        + r#"timeouts = {
  create = "1h"
}
"#;
    scenario.configure(&this(&patient))?;
    for retry_after in ["7200", "86400000", "18446744073709551615"] {
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        scenario.simulator.clear_requests();
        scenario.simulator.inject(Fault::new(gateway(503, Some(retry_after))).on(Set));
        let applied = scenario.run(&["apply", "tfplan"])?;
        applied.expect_failure();
        let error = diagnostic(&applied, "Writing the Call callback configuration");
        for said in ["timeout ran out", "has the HTTP status 503", "it was not written"] {
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(scenario.writes(), [Set]);
        scenario.simulator.clear_faults();
    }
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn resource_timeouts_end_all_attempts() -> Result {
    let scenario = Scenario::of_applications(4)?;
    let settings = provider(
        r#"max_retries = 100
request_timeout = "1s""#,
    );
    let ids = ID..ID + 4;
    // Of these, a deletion waits for up to two seconds to see other objects.
    let timeouts = r#"timeouts = {
  create = "12s"
  read = "12s"
  update = "12s"
  delete = "12s"
}
"#;
    let of = |name: &str, id: u64, url: &str| {
        resource(name, &format!("sdk_app_id = {id}\n{}{timeouts}", sends(&[START], url)))
    };
    let (create, update, delete) = (of("create", ID, URL), of("update", ID + 1, URL), of("delete", ID + 2, URL));
    let silent = of("silent", ID + 3, URL);
    scenario.configure(&format!("{settings}{update}{delete}{silent}"))?;
    scenario.apply()?;

    let (update, silent) = (of("update", ID + 1, OTHER_URL), of("silent", ID + 3, OTHER_URL));
    scenario.configure(&format!("{settings}{create}{update}{silent}"))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.clear_requests();
    for (id, action) in [(ID, Set), (ID + 1, Set), (ID + 2, Delete)] {
        scenario.simulator.inject(Fault::new(gateway(503, None)).on(action).sdk_app_id(id));
    }
    scenario.simulator.inject(Fault::new(FaultKind::NoAnswer).on(Set).sdk_app_id(ID + 3));
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let lost = "failed: no answer arrived in time from http://127.0.0.1:";
    let refused = "(TENCENT_ENDPOINT) has the HTTP status 503";
    let ran_out = "The operation's timeout ran out";
    for (id, what, why, then) in [
        (ID, "Writing", refused, "the application has none"),
        (ID + 1, "Writing", refused, "the application sends"),
        (ID + 2, "Deleting", refused, ""),
        (ID + 3, "Writing", lost, "the application sends"),
    ] {
        let error = diagnostic(&applied, &format!("{what} the Call callback configuration of SDKAppID {id} failed"));
        assert!([ran_out, why, then].iter().all(|said| error.contains(said)), "{error}");
    }
    let requests = scenario.simulator.take_requests();
    for (id, action) in [(ID, Set), (ID + 1, Set), (ID + 2, Delete), (ID + 3, Set)] {
        let attempts = arrivals(&requests, id, action).len();
        assert!((2..100).contains(&attempts), "{id}: {attempts} attempts");
    }

    scenario.simulator.clear_faults();
    scenario.simulator.inject(Fault::new(gateway(503, None)).on(Get).sdk_app_id(ID + 1));
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "Reading the Call callback configuration of SDKAppID 1400000002 failed");
    assert!(error.contains(ran_out) && error.contains(refused), "{error}");

    scenario.simulator.clear_faults();
    scenario.apply()?;
    for id in ids {
        let there = scenario.simulator.configuration(Service::Call, id).map(|configuration| configuration.url);
        let wanted = [Some(URL), Some(OTHER_URL), None, Some(OTHER_URL)][usize::try_from(id - ID)?];
        assert_eq!(there.as_deref(), wanted, "{id}");
    }
    scenario.expect_no_changes()
}

#[test]
fn an_expired_user_sig_is_replaced_once() -> Result {
    let scenario = Scenario::of_applications(2)?;
    scenario.configure(&fleet(ID..ID + 2, &sends(&[START], URL)))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.clear_requests();
    // After two seconds, a new signature differs.
    for (id, times) in [(ID, 1), (ID + 1, u32::MAX)] {
        scenario.simulator.inject(Fault::new(gateway(503, Some("2"))).on(Set).sdk_app_id(id).times(1));
        scenario.simulator.inject(Fault::new(error_code(70001)).on(Set).sdk_app_id(id).times(times));
    }
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Error: ");
    assert!(error.contains("SDKAppID 1400000002") && error.contains("error 70001"), "{error}");
    for id in [ID, ID + 1] {
        let requests = scenario.simulator.requests();
        let sets = requests.iter().filter(|request| request.sdk_app_id == Some(id) && request.action == Some(Set));
        let user_sigs: Vec<_> = sets.filter_map(|request| request.user_sig.as_deref()).collect();
        let [first, refused, anew] = user_sigs[..] else { panic!("{id}: {} attempts", user_sigs.len()) };
        assert!(first == refused && refused != anew, "{id}: another UserSig after the refusal, and only then");
    }
    scenario.simulator.clear_faults();
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn an_expired_user_sig_made_elsewhere_is_an_error() -> Result {
    let mut scenario = Scenario::new()?;
    let hour = Duration::from_secs(60 * 60);
    let id = SdkAppId::try_from(ID)?;
    let user_sig = UserSig::sign(&KEY.to_owned().into(), "administrator", id, SystemTime::now(), hour);
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TENCENT_USER_SIG", user_sig.expose());
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.simulator.inject(Fault::new(error_code(70001)).on(Set).times(1));
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Writing the Call callback configuration");
    assert!(error.contains("error 70001") && error.contains("Make a new UserSig"), "{error}");
    assert!(!applied.text().contains(user_sig.expose()));
    assert_eq!(scenario.writes(), [Set]);
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn all_resources_of_a_provider_share_one_rate() -> Result {
    const APPLICATIONS: u64 = 30;
    const PER_SECOND: u32 = 20;

    let scenario = Scenario::of_applications(usize::try_from(APPLICATIONS)?)?;
    let ids = ID..ID + APPLICATIONS;
    let settings = provider(&format!("requests_per_second = {PER_SECOND}"));
    scenario.configure(&(settings + &fleet(ids, &sends(&[START], URL))))?;
    scenario.run(&["plan", "-out=tfplan", "-parallelism=30"])?.expect_success();
    let planned = scenario.simulator.take_requests();
    scenario.run(&["apply", "-parallelism=30", "tfplan"])?.expect_success();
    let applied = scenario.simulator.take_requests();

    let second = Duration::from_secs(1);
    for (requests, action, times) in [(&planned, Get, 1), (&applied, Set, 1), (&applied, Get, 2)] {
        let mut arrived: Vec<_> =
            requests.iter().filter(|request| request.action == Some(action)).map(|request| request.arrived).collect();
        arrived.sort();
        assert_eq!(arrived.len(), times * usize::try_from(APPLICATIONS)?, "{action}");
        // The unit tests of the pacer show that turns are an interval apart. Here, a busy machine may hold up the first
        // requests, so that they arrive with later ones.
        let least = second / PER_SECOND * u32::try_from(arrived.len() - 1)? / 2;
        assert!(arrived[arrived.len() - 1] >= arrived[0] + least, "{action}: {arrived:?}");
    }
    Ok(())
}

#[test]
fn one_applications_rate_limit_fails_no_plan_of_another() -> Result {
    let scenario = Scenario::of_applications(4)?;
    let settings = provider("requests_per_second = 4");
    let guarded = sends(&[START], URL) + "overwrite_existing = false\n";
    scenario.configure(&(settings.clone() + &fleet(ID..ID + 4, &guarded)))?;
    // Longer than a look may take.
    let busy = || Fault::new(gateway(429, Some("22"))).on(Get).times(1);
    scenario.simulator.inject(busy());
    let planned = scenario.run(&["plan"])?;
    planned.expect_success();
    assert_eq!(diagnostics(&planned), [""; 0]);

    scenario.configure(&(settings + &fleet(ID..ID + 4, &(guarded + "timeouts = { read = \"3s\" }\n"))))?;
    scenario.simulator.inject(busy());
    let planned = scenario.run(&["plan"])?;
    planned.expect_failure();
    let told = diagnostics(&planned);
    let waited = told.iter().filter(|text| text.contains("timeout ran out while the call waited for its turn"));
    for text in waited.clone() {
        for said in
            ["was answered with HTTP status 429, so all calls to the endpoint pause for 22s", "timeouts set how long"]
        {
            assert!(text.contains(said), "{text}");
        }
    }
    // On a busy machine, an application's turn may come before the limit is met.
    let waited = waited.count();
    assert!(waited >= 1 && told.len() == waited + 1, "{told:#?}");
    Ok(())
}

#[test]
fn a_guard_holds_while_a_write_waits_for_the_rate_limit_of_another_application() -> Result {
    for is_guarded in [true, false] {
        let scenario = Scenario::of_applications(2)?;
        let config =
            |url| fleet(ID..ID + 2, &(sends(&[START], url) + &format!("overwrite_existing = {}\n", !is_guarded)));
        scenario.configure(&config(URL))?;
        scenario.apply()?;
        scenario.configure(&config(OTHER_URL))?;
        scenario.run(&["plan", "-out=tfplan"])?.expect_success();
        scenario.simulator.clear_requests();
        // The first application meets the limit while the second one looks.
        scenario.simulator.inject(Fault::new(gateway(429, Some("4"))).on(Set).sdk_app_id(ID).times(1));
        let late = FaultKind::Delay(Duration::from_millis(1500));
        scenario.simulator.inject(Fault::new(late).on(Get).sdk_app_id(ID + 1).times(1));
        let elsewhere = Configuration::new("https://elsewhere.example.com/", [END]);
        let applied = thread::scope(|scope| {
            scope.spawn(|| {
                let is_limited = |requests: &[Request]| {
                    requests.iter().any(|r| r.action == Some(Set))
                        && requests.iter().any(|r| r.sdk_app_id == Some(ID + 1))
                };
                assert!(scenario.simulator.wait_for(is_limited, Duration::from_secs(60)));
                thread::sleep(Duration::from_millis(2500));
                scenario.simulator.put_configuration(Service::Call, ID + 1, elsewhere.clone());
            });
            scenario.run(&["apply", "tfplan"])
        })?;
        applied.expect_code(if is_guarded { 1 } else { 0 });
        let told =
            diagnostic(&applied, "The Call callback configuration of SDKAppID 1400000002 has changed since the plan");
        assert!(told.contains("https://elsewhere.example.com/"), "{told}");
        let url = |id| scenario.simulator.configuration(Service::Call, id).map(|configuration| configuration.url);
        let kept = if is_guarded { elsewhere.url.as_str() } else { OTHER_URL };
        assert_eq!((url(ID).as_deref(), url(ID + 1).as_deref()), (Some(OTHER_URL), Some(kept)));
        scenario.apply()?;
        scenario.expect_no_changes()?;
    }
    Ok(())
}

#[test]
fn rate_limited_calls_succeed_eventually() -> Result {
    let scenario = Scenario::of_applications(20)?;
    scenario.simulator.set_rate_limit(Some(RateLimit::per_application(1)));
    let config = |url| fleet(ID..ID + 20, &sends(&[START, END], url));
    for url in [URL, OTHER_URL] {
        scenario.configure(&config(url))?;
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied), [""; 0]);
    }
    let refused = Outcome::Answered { error_code: 60011 };
    assert!(scenario.simulator.requests().iter().any(|request| request.outcome == refused), "the limit was met");
    for id in ID..ID + 20 {
        let there = scenario.simulator.configuration(Service::Call, id).map(|configuration| configuration.url);
        assert_eq!(there.as_deref(), Some(OTHER_URL), "{id}");
    }
    scenario.expect_no_changes()
}

#[test]
fn a_fleet_paced_by_application_fails_no_call_whatever_the_limit_counts() -> Result {
    const APPLICATIONS: u64 = 60;
    const PER_SECOND: u32 = 20;

    let ids = ID..ID + APPLICATIONS;
    let settings =
        provider(&format!("requests_per_second = {PER_SECOND}\nrequests_per_second_scope = \"application\""));
    for limit in [RateLimit::per_application(PER_SECOND), RateLimit::per_endpoint(PER_SECOND)] {
        let mut scenario = Scenario::of_applications(usize::try_from(APPLICATIONS)?)?;
        let log = scenario.workspace.path().join("provider.log");
        scenario.workspace.env("TF_LOG_PROVIDER", "debug").env("TF_LOG_PATH", &log);
        scenario.simulator.set_rate_limit(Some(limit));
        // Meets even a provider that a busy machine holds up.
        scenario.simulator.inject(Fault::new(error_code(60018)).on(Set).times(1));
        for url in [URL, OTHER_URL] {
            scenario.configure(&(settings.clone() + &fleet(ids.clone(), &sends(&[START], url))))?;
            assert_eq!(diagnostics(&scenario.apply()?), [""; 0]);
        }
        for id in ids.clone() {
            let there = scenario.simulator.configuration(Service::Call, id).map(|configuration| configuration.url);
            assert_eq!(there.as_deref(), Some(OTHER_URL), "{id}");
        }
        scenario.expect_no_changes()?;
        assert!(fs::read_to_string(&log)?.contains("a rate limit halved the rate"));
    }
    Ok(())
}

#[test]
fn a_server_that_starts_during_the_retries_is_reached() -> Result {
    let mut scenario = Scenario::new()?.installed()?;
    let log = scenario.workspace.path().join("provider.log");
    let reserved = TcpSocket::new_v4()?;
    reserved.set_reuseaddr(true)?;
    reserved.bind(([127, 0, 0, 1], 0).into())?;
    let address: SocketAddr = reserved.local_addr()?;
    scenario
        .workspace
        .env("TENCENT_ENDPOINT", format!("http://{address}"))
        .env("TF_LOG_PROVIDER", "warn")
        .env("TF_LOG_PATH", &log);
    scenario.configure(&(provider("max_retries = 100") + &this(&sends(&[START], URL))))?;
    let simulator = thread::scope(|scope| {
        let coming_up = scope.spawn(|| {
            let refused = || fs::read_to_string(&log).is_ok_and(|log| log.contains("refused the connection"));
            for _ in 0..600 {
                if refused() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
            assert!(refused(), "the retry is logged with its cause");
            drop(reserved);
            Simulator::builder().listen(address).app(App::new(ID, KEY)).start()
        });
        scenario.apply().expect("an apply");
        coming_up.join().expect("no panic")
    })?;
    assert_eq!(simulator.configuration(Service::Call, ID).map(|configuration| configuration.url).as_deref(), Some(URL));
    assert_eq!(scenario.stored()?.expect("an object")["url"], URL);
    Ok(())
}
