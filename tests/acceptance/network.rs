//! Failures between this machine and Tencent: lost answers, gateways, certificates, proxies, regions.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rstest_reuse::apply;
use serde_json::json;
use tencent_simulator::Action::{Delete, Get, Set};
use tencent_simulator::{Fault, FaultKind, RateLimit, Request, Service, Simulator};
use terraform_cli::{in_own_terminal, press_ctrl_c};

use crate::harness::{
    CALL, END, ID, ONE_ATTEMPT, OTHER_URL, Of, Result, START, Scenario, TERRAFORM, URL, diagnostic, diagnostics,
    each_service, fleet, provider, sends, this,
};

fn gateway(code: u16, processed: bool) -> FaultKind {
    FaultKind::Status { code, retry_after: None, processed }
}

#[test]
fn a_write_whose_answer_is_lost_is_read_back() -> Result {
    let scenario = Scenario::new()?;
    scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set));
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))))?;
    let applied = scenario.apply()?;
    let warning = diagnostic(&applied, "was written, unconfirmed");
    assert!(warning.starts_with("Warning") && warning.contains("the configuration is as planned"), "{warning}");
    assert_eq!(scenario.writes(), [Set]);
    let stored = scenario.stored()?.expect("an object");
    assert_eq!((&stored["url"], &stored["last_request_id"]), (&json!(URL), &json!(null)));
    scenario.expect_no_changes()?;

    scenario.configure(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START, END], OTHER_URL))))?;
    diagnostic(&scenario.apply()?, "was written, unconfirmed");
    scenario.expect_remote(&[START, END], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn an_update_that_never_arrived_keeps_the_old_state() -> Result {
    let scenario = Scenario::new()?.applied(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))))?;
    let before = scenario.stored()?;
    scenario.simulator.inject(Fault::new(FaultKind::ResetBeforeProcessing).on(Set));
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[END], OTHER_URL))))?;
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Writing the Call callback configuration");
    assert!(error.contains("it was not written") && error.contains(URL), "{error}");
    assert_eq!(scenario.stored()?, before);
    scenario.simulator.clear_faults();
    scenario.apply()?;
    scenario.expect_remote(&[END], OTHER_URL);
    scenario.expect_no_changes()
}

#[test]
fn a_write_that_cannot_be_confirmed_or_read_back_is_an_error() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Set));
    // The check right before the write is answered.
    scenario.simulator.inject(Fault::new(gateway(502, false)).on(Get).skip(1));
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Writing the Call callback configuration");
    assert!(error.contains("may have been written anyway") && error.contains("next plan"), "{error}");
    assert_eq!(scenario.instances()?, 0);

    // The next plan starts from what exists.
    scenario.simulator.clear_faults();
    diagnostic(&scenario.run(&["plan"])?, "already exists as planned");
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn transient_network_failures_are_retried() -> Result {
    for kind in [FaultKind::ResetBeforeProcessing, FaultKind::ResetAfterProcessing, gateway(503, false)] {
        let scenario = Scenario::new()?;
        for action in [Get, Set, Delete] {
            scenario.simulator.inject(Fault::new(kind.clone()).on(action).times(1));
        }
        scenario.configure(&this(&sends(&[START], URL)))?;
        let applied = scenario.apply()?;
        assert_eq!(diagnostics(&applied), [""; 0], "{kind:?}");
        assert_eq!(scenario.writes(), [Set, Set]);
        scenario.expect_remote(&[START], URL);
        // The second attempt to delete gets 100301.
        scenario.run(&["destroy", "-auto-approve"])?.expect_success();
        assert_eq!((scenario.writes(), scenario.remote()), (vec![Delete, Delete], None));
    }
    Ok(())
}

#[test]
fn every_network_fault_is_explained() -> Result {
    let wrong_key = r#"{"ActionStatus":"FAIL","ErrorCode":70009,"ErrorInfo":"no \u001b[2J"}"#;
    let wrong_key_behind_502 = FaultKind::Verbatim { code: 502, headers: vec![], body: wrong_key.into() };
    let faults: [(FaultKind, &[&str]); 10] = [
        (
            FaultKind::ResetBeforeProcessing,
            &["connection to http://127.0.0.1:", "(TENCENT_ENDPOINT) was lost", "network"],
        ),
        (FaultKind::CloseBeforeProcessing, &["was lost before the answer was complete", "network"]),
        (
            FaultKind::NotJson,
            &[
                "not JSON of the documented form",
                "the content type text/html",
                "Please sign in to this network",
                "HTTPS_PROXY",
            ],
        ),
        (FaultKind::WrongTypes, &["not JSON of the documented form", "begins with \"{\"ActionStatus\":1,"]),
        (FaultKind::MissingFields, &["not JSON of the documented form"]),
        (FaultKind::OversizedBody(2 << 20), &["longer than 1 MiB"]),
        (gateway(502, false), &["HTTP status 502 Bad Gateway", "endpoint"]),
        (wrong_key_behind_502, &["error 70009", "ErrorInfo: no \\x1b[2J", "Check that the SecretKey"]),
        (gateway(429, false), &["HTTP status 429 Too Many Requests", "requests_per_second"]),
        (
            FaultKind::Redirect { code: 307, location: "https://elsewhere.example.com/".to_owned() },
            &["HTTP status 307", "Redirects are not followed"],
        ),
    ];
    let scenario = Scenario::of_applications(faults.len())?;
    let ids = (ID..).take(faults.len());
    scenario.configure(&(ONE_ATTEMPT.to_owned() + &fleet(ids, &sends(&[START], URL))))?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    for (id, (kind, _)) in (ID..).zip(&faults) {
        // The check right before the write is answered.
        scenario.simulator.inject(Fault::new(kind.clone()).sdk_app_id(id).skip(1));
    }
    let applied = scenario.run(&["apply", "tfplan"])?;
    applied.expect_failure();
    for (id, (kind, said)) in (ID..).zip(&faults) {
        let error = diagnostic(&applied, &format!("Writing the Call callback configuration of SDKAppID {id} failed"));
        for said in *said {
            assert!(error.contains(said), "{kind:?}: expected {said:?}\n{error}");
        }
    }
    assert_eq!(scenario.instances()?, 0);
    Ok(())
}

#[test]
fn a_timeout_names_the_limit_that_ran_out() -> Result {
    let scenario = Scenario::new()?;
    scenario.simulator.inject(FaultKind::NoAnswer);
    let guarded = sends(&[START], URL);
    let settings = r#"
  max_retries     = 0
  request_timeout = "3s""#;
    scenario.configure(&(provider(settings) + &this(&guarded)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "Checking for an existing Call callback configuration");
    assert!(
        error.contains("No answer arrived in time from http://127.0.0.1")
            && error.contains("one attempt may take 3s")
            && error.contains("request_timeout"),
        "{error}"
    );
    assert_eq!(scenario.calls(), [Get]);

    // The operation's timeout ends all attempts.
    scenario.configure(&this(&(guarded + r#"timeouts = { read = "3s" }"#)))?;
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    assert!(diagnostic(&plan, "Checking for an existing").contains("timeout ran out"));
    assert_eq!(scenario.calls(), [Get]);
    Ok(())
}

#[test]
fn a_refused_connection_is_explained() -> Result {
    let scenario = Scenario::new()?.applied(&(ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))))?;
    scenario.simulator.stop();
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    let error = diagnostic(&plan, "Reading the Call callback configuration");
    assert!(
        error.contains("(TENCENT_ENDPOINT): the server refused the connection") && error.contains("endpoint"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_429_with_retry_after_is_retried() -> Result {
    let scenario = Scenario::new()?;
    let busy = FaultKind::Status { code: 429, retry_after: Some("1".to_owned()), processed: false };
    scenario.simulator.inject(Fault::new(busy).on(Set).times(1));
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?;
    assert_eq!(scenario.writes(), [Set, Set]);
    scenario.expect_no_changes()
}

#[test]
fn rate_limited_calls_succeed_eventually() -> Result {
    let scenario = Scenario::of_applications(3)?;
    scenario.simulator.set_rate_limit(Some(RateLimit::per_application(1)));
    scenario.configure(&fleet(ID..ID + 3, &sends(&[START], URL)))?;
    let applied = scenario.apply()?;
    applied.expect_contains("3 added");
    assert!((ID..ID + 3).all(|id| scenario.simulator.configuration(Service::Call, id).is_some()));
    Ok(())
}

/// Presses Ctrl-C during a write whose attempts meet these faults, one each: Terraform tells the provider to stop during the
/// last attempt. Returns Terraform's output.
fn interrupted<const N: usize>(scenario: &Scenario, of: Of, faults: [FaultKind; N]) -> Result<String> {
    scenario.configure(&of.object(&sends(&[of.start], URL)))?;
    for fault in faults {
        scenario.simulator.inject(Fault::new(fault).on(Set).times(1));
    }
    let mut command = scenario.workspace.command(&["apply", "-auto-approve", "-no-color"]);
    let terraform = in_own_terminal(&mut command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let sent = |requests: &[Request]| requests.iter().filter(|r| r.action == Some(Set)).count() == N;
    assert!(scenario.simulator.wait_for(sent, Duration::from_secs(60)), "a write under way");
    press_ctrl_c(terraform.id())?;
    let output = terraform.wait_with_output()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('│', " ");
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn an_interrupted_write_that_had_no_effect_is_an_error() -> Result {
    let scenario = Scenario::new()?.installed()?;
    let text = interrupted(&scenario, CALL, [FaultKind::NoAnswer])?;
    assert!(text.contains("Writing the Call callback configuration of SDKAppID 1400000001 failed"), "{text}");
    assert!(text.contains("The operation was interrupted") && text.contains("was not written"), "{text}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 0), "no further attempt");
    scenario.simulator.clear_faults();
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn an_interrupted_write_that_took_effect_is_in_the_state() -> Result {
    let scenario = Scenario::new()?.installed()?;
    // The write takes effect on arrival; its answer would come long after the test.
    let text = interrupted(&scenario, CALL, [FaultKind::Delay(Duration::from_secs(600))])?;
    assert!(text.contains("was written, unconfirmed"), "{text}");
    assert_eq!((scenario.writes(), scenario.instances()?), (vec![Set], 1), "no further attempt");
    scenario.simulator.clear_faults();
    scenario.expect_no_changes()
}

#[apply(each_service)]
fn an_interrupted_write_whose_first_answer_was_lost_is_in_the_state(of: Of) -> Result {
    let scenario = of.scenario()?.installed()?;
    let answers_after_the_interruption = FaultKind::Delay(Duration::from_secs(1));
    interrupted(&scenario, of, [FaultKind::ResetAfterProcessing, answers_after_the_interruption])?;
    scenario.expect_remote(&[of.start], URL);
    assert_eq!(scenario.instances()?, 1);
    scenario.expect_no_changes()
}

/// Writes a guarded resource, whose plan checks what exists, with one attempt.
fn guarded() -> String {
    ONE_ATTEMPT.to_owned() + &this(&sends(&[START], URL))
}

/// Plans, and returns the error about the check that failed.
#[track_caller]
fn unplanned(scenario: &Scenario) -> Result<String> {
    let plan = scenario.run(&["plan"])?;
    plan.expect_failure();
    Ok(diagnostic(&plan, "Checking for an existing Call callback configuration"))
}

/// Does what [`unplanned`] does, and asserts that the failed call was not retried.
#[track_caller]
fn refused_at_once(scenario: &mut Scenario) -> Result<String> {
    let log = scenario.workspace.path().join("provider.log");
    scenario.workspace.env("TF_LOG_PROVIDER", "debug").env("TF_LOG_PATH", &log);
    scenario.configure(&this(&sends(&[START], URL)))?;
    let error = unplanned(scenario)?;
    assert_eq!(fs::read_to_string(&log)?.matches("calling Tencent").count(), 1, "{error}");
    fs::remove_file(log)?;
    Ok(error)
}

/// Starts a simulator that speaks TLS. On Linux, the provider trusts it after [`trust`].
fn over_tls() -> Result<Scenario> {
    let scenario = Scenario::on(&TERRAFORM, Simulator::builder().tls(true).start()?)?;
    scenario.configure(&guarded())?;
    Ok(scenario)
}

#[cfg(target_os = "linux")]
fn trust(scenario: &mut Scenario) -> Result {
    let file = scenario.workspace.path().join("ca.pem");
    fs::write(&file, scenario.simulator.ca_certificate_pem().expect("with TLS"))?;
    scenario.workspace.env("SSL_CERT_FILE", &file);
    Ok(())
}

#[cfg(target_os = "linux")] // Elsewhere the system's store alone counts.
#[test]
fn a_certificate_that_the_system_trusts_is_accepted() -> Result {
    let mut scenario = over_tls()?;
    assert!(scenario.simulator.url().starts_with("https://"));
    trust(&mut scenario)?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn an_untrusted_certificate_is_refused() -> Result {
    let mut scenario = over_tls()?;
    let error = refused_at_once(&mut scenario)?;
    let why = if cfg!(target_os = "linux") {
        ["this machine does not trust its issuer.", "SSL_CERT_FILE"]
    } else {
        ["cannot be trusted: ", "add the issuer's certificate to the system's trusted root certificates"]
    };
    assert!(error.contains("The certificate of https://127.0.0.1:"), "{error}");
    assert!(why.iter().all(|why| error.contains(why)), "{error}");
    assert_eq!(scenario.calls(), [], "no request without trust");
    Ok(())
}

#[cfg(target_os = "linux")] // Elsewhere the system's store alone counts.
#[test]
fn an_invalid_certificate_is_refused_with_its_flaw() -> Result {
    use tencent_simulator::CertificateFlaw;

    for (flaw, said) in [
        (CertificateFlaw::Expired, "it expired at 2001-02-03T00:00:00Z"),
        (CertificateFlaw::NotYetValid, "it is not valid before 4000-01-01T00:00:00Z"),
        (CertificateFlaw::OtherHost, "it is not for the host 127.0.0.1"),
        (CertificateFlaw::Authority, "it is the certificate of an authority (CA) rather than of a server"),
    ] {
        let simulator = Simulator::builder().flawed_certificate(flaw).start()?;
        let mut scenario = Scenario::on(&TERRAFORM, simulator)?;
        trust(&mut scenario)?;
        let error = refused_at_once(&mut scenario)?;
        assert!(error.contains("(TENCENT_ENDPOINT) cannot be trusted: ") && error.contains(said), "{flaw:?}: {error}");
        assert_eq!(scenario.calls(), []);
    }
    Ok(())
}

#[cfg(target_os = "linux")] // Elsewhere the system's store alone counts.
#[test]
fn unreadable_ca_certificates_are_explained() -> Result {
    let mut scenario = over_tls()?;
    scenario.workspace.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    let error = unplanned(&scenario)?;
    assert!(error.contains("SSL_CERT_FILE names \"/nowhere/ca.pem\", which does not exist"), "{error}");

    // The file has another certificate than the one needed.
    let other = Simulator::builder().tls(true).start()?;
    let file = scenario.workspace.path().join("other.pem");
    fs::write(&file, other.ca_certificate_pem().expect("with TLS"))?;
    scenario.workspace.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", "/nowhere");
    let error = unplanned(&scenario)?;
    assert!(error.contains("does not trust its issuer, and SSL_CERT_DIR names \"/nowhere\""), "{error}");
    Ok(())
}

#[test]
fn http_to_a_tls_server_is_explained() -> Result {
    let mut scenario = over_tls()?;
    let plain = scenario.simulator.url().replace("https://", "http://");
    scenario.workspace.env("TENCENT_ENDPOINT", &plain);
    let error = refused_at_once(&mut scenario)?;
    assert!(error.contains(&format!("The answer from {plain} (TENCENT_ENDPOINT) is not HTTP")), "{error}");
    assert!(error.contains("write https://"), "{error}");
    assert_eq!(scenario.calls(), []);
    Ok(())
}

#[test]
fn https_to_a_server_without_tls_is_explained() -> Result {
    let mut scenario = Scenario::new()?;
    let secure = scenario.simulator.url().replace("http://", "https://");
    scenario.workspace.env("TENCENT_ENDPOINT", &secure);
    let error = refused_at_once(&mut scenario)?;
    assert!(error.contains(&format!("to {secure} (TENCENT_ENDPOINT): the server there does not speak TLS")), "{error}");
    assert!(error.contains("https is the wrong scheme"), "{error}");
    Ok(())
}

#[test]
fn a_connection_that_takes_too_long_is_explained() -> Result {
    // Accepts connections, and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0))?;
    let mut scenario = Scenario::new()?;
    scenario.workspace.env("TENCENT_ENDPOINT", format!("https://{}", silent.local_addr()?));
    let settings = r#"
  max_retries     = 0
  request_timeout = "500ms""#;
    scenario.configure(&(provider(settings) + &this(&sends(&[START], URL))))?;
    let error = unplanned(&scenario)?;
    assert!(error.contains("in the time for one attempt, 500ms") && error.contains("request_timeout"), "{error}");
    Ok(())
}

#[test]
fn the_log_says_where_calls_go() -> Result {
    let mut scenario = Scenario::new()?;
    let log = scenario.workspace.path().join("provider.log");
    scenario.workspace.env("TF_LOG_PROVIDER", "debug").env("TF_LOG_PATH", &log);
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.run(&["plan"])?.expect_success();
    let log = fs::read_to_string(&log)?;
    let route = format!("{} (TENCENT_ENDPOINT)", scenario.simulator.url());
    for line in ["configured", "calling Tencent"] {
        assert!(log.lines().any(|text| text.contains(line) && text.contains(&route)), "{line}: {log}");
    }
    Ok(())
}

/// A proxy for HTTPS that records where clients want to go, and connects all of them to `target` (or refuses).
struct Proxy {
    address: SocketAddr,
    wanted: Arc<Mutex<Vec<String>>>,
}

/// A proxy's answer to a client it does not let through.
const FORBIDDEN: &str = "403 Forbidden";

impl Proxy {
    fn to(target: std::result::Result<SocketAddr, &'static str>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let proxy = Self { address: listener.local_addr()?, wanted: Arc::default() };
        let wanted = Arc::clone(&proxy.wanted);
        // The thread ends with the process; waiting costs nothing.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let wanted = Arc::clone(&wanted);
                thread::spawn(move || serve(client, target, &wanted));
            }
        });
        Ok(proxy)
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn wanted(&self) -> Vec<String> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one `CONNECT host:port` or one request of SOCKS 5, and then copies bytes both ways.
fn serve(
    mut client: TcpStream,
    target: std::result::Result<SocketAddr, &str>,
    wanted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut first = [0];
    client.peek(&mut first)?;
    let is_socks = first == [5];
    let host = if is_socks { socks_request(&mut client)? } else { connect_request(&client)? };
    wanted.lock().unwrap_or_else(PoisonError::into_inner).push(host);
    let mut server = match target {
        Ok(target) => TcpStream::connect(target)?,
        Err(_) if is_socks => return client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        Err(status) => return client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()),
    };
    let connected: &[u8] =
        if is_socks { &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0] } else { b"HTTP/1.1 200 Connection established\r\n\r\n" };
    client.write_all(connected)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client).map(drop)
}

fn connect_request(client: &TcpStream) -> std::io::Result<String> {
    let mut lines = BufReader::new(client).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    Ok(request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or(&request).to_owned())
}

/// Reads a request to connect to a named host (RFC 1928). A client that offers another method than no authentication is
/// refused.
fn socks_request(client: &mut TcpStream) -> std::io::Result<String> {
    let mut greeting = [0; 3];
    client.read_exact(&mut greeting)?;
    if greeting != [5, 1, 0] {
        client.write_all(&[5, 255])?;
        return Err(std::io::ErrorKind::Unsupported.into());
    }
    client.write_all(&[5, 0])?;
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    assert_eq!(request[..4], [5, 1, 0, 3], "version 5, connect, a host name: the proxy resolves it");
    let mut address = vec![0; usize::from(request[4]) + 2];
    client.read_exact(&mut address)?;
    let (host, port) = address.split_at(address.len() - 2);
    Ok(format!("{}:{}", String::from_utf8_lossy(host), u16::from_be_bytes([port[0], port[1]])))
}

#[test]
fn each_region_has_its_host() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.configure(&guarded())?;
    for (region, host) in [
        (None, "console.tim.qq.com"),
        (Some("china"), "console.tim.qq.com"),
        (Some("singapore"), "adminapisgp.im.qcloud.com"),
        (Some("seoul"), "adminapikr.im.qcloud.com"),
        (Some("frankfurt"), "adminapiger.im.qcloud.com"),
        (Some("silicon_valley"), "adminapiusa.im.qcloud.com"),
        (Some("jakarta"), "adminapiidn.im.qcloud.com"),
        (Some("tokyo"), "adminapijpn.im.qcloud.com"),
    ] {
        let proxy = Proxy::to(Err(FORBIDDEN))?;
        scenario.workspace.remove_env("TENCENT_ENDPOINT").env("HTTPS_PROXY", proxy.url());
        let origin = match region {
            Some(region) => format!("(the host of region \"{region}\", from TENCENT_REGION)"),
            None => "(the host of region \"china\", the default)".to_owned(),
        };
        if let Some(region) = region {
            scenario.workspace.env("TENCENT_REGION", region);
        }
        let error = unplanned(&scenario)?;
        let way = format!("https://{host}:443 {origin} through the proxy {} (HTTPS_PROXY)", proxy.url());
        assert!(error.contains(&format!("{way}: the proxy refused to connect to that host")), "{error}");
        assert_eq!(proxy.wanted(), [format!("{host}:443")], "{region:?}");
    }
    Ok(())
}

#[test]
fn a_failing_proxy_is_named_without_its_password() -> Result {
    let mut scenario = Scenario::new()?;
    scenario.configure(&guarded())?;
    scenario.workspace.remove_env("TENCENT_ENDPOINT").remove_env("NO_PROXY");
    let asking = Proxy::to(Err("407 Proxy Authentication Required"))?;
    let nobody = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let refusing = Proxy::to(Err(FORBIDDEN))?;
    for (variable, scheme, address, said) in [
        ("HTTPS_PROXY", "http", asking.address, "the proxy asks for a user name and a password"),
        ("https_proxy", "http", nobody, "the proxy refused the connection"),
        ("HTTPS_PROXY", "socks5", nobody, "the proxy does not accept a connection"),
        (
            "HTTPS_PROXY",
            "socks5h",
            asking.address,
            "the proxy asks for a user name and a password, or does not accept any",
        ),
    ] {
        scenario.workspace.env(variable, format!("{scheme}://user:s3cret@{address}/"));
        let error = unplanned(&scenario)?;
        // Windows does not distinguish such names.
        let named = if cfg!(windows) { "HTTPS_PROXY" } else { variable };
        assert!(error.contains(&format!("through the proxy {scheme}://{address} ({named}): {said}")), "{error}");
        assert!(!error.contains("s3cret") && !error.contains("user@"), "{error}");
        scenario.workspace.remove_env(variable);
    }
    scenario.workspace.env("HTTPS_PROXY", format!("socks5://{}", refusing.address));
    let error = unplanned(&scenario)?;
    assert!(error.contains("(HTTPS_PROXY): the proxy refused to connect to that host"), "{error}");

    for value in ["http://", "ftp://s3cret@proxy.example.com", "socks4://s3cret@proxy.example.com"] {
        scenario.workspace.env("HTTPS_PROXY", value);
        let error = unplanned(&scenario)?;
        let said = "The environment variable HTTPS_PROXY is not the URL of a proxy.";
        assert!(error.contains(said) && error.contains("http, https, socks5 or socks5h"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    Ok(())
}

#[cfg(target_os = "linux")] // Elsewhere the system's store alone counts.
#[test]
fn a_certificate_for_another_host_is_refused() -> Result {
    // The proxy leads to the simulator, whose certificate is not for Tencent's host.
    let mut scenario = over_tls()?;
    trust(&mut scenario)?;
    let proxy = Proxy::to(Ok(scenario.simulator.url().trim_start_matches("https://").parse()?))?;
    scenario.workspace.remove_env("TENCENT_ENDPOINT");
    for scheme in ["http", "socks5", "socks5h"] {
        scenario.workspace.env("HTTPS_PROXY", format!("{scheme}://{}", proxy.address));
        let error = unplanned(&scenario)?;
        assert!(error.contains("it is not for the host console.tim.qq.com"), "{scheme}: {error}");
    }
    assert_eq!(proxy.wanted(), ["console.tim.qq.com:443"; 3]);
    assert_eq!(scenario.calls(), [], "no UserSig for a host that is another one");
    Ok(())
}

#[test]
fn loopback_addresses_are_called_without_a_proxy() -> Result {
    let proxy = Proxy::to(Err(FORBIDDEN))?;
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("NO_PROXY").env("HTTPS_PROXY", proxy.url()).env("HTTP_PROXY", proxy.url());
    let scenario = scenario.applied(&this(&sends(&[START], URL)))?;
    assert_eq!(proxy.wanted(), [""; 0]);
    scenario.expect_remote(&[START], URL);
    Ok(())
}

#[test]
fn an_endpoint_can_have_a_path() -> Result {
    let mut scenario = Scenario::new()?;
    let below = format!("{}/tencent", scenario.simulator.url());
    scenario.workspace.env("TENCENT_ENDPOINT", below);
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.run(&["plan"])?.expect_failure().expect_contains("error 60009").expect_contains("endpoint");
    let requests = scenario.simulator.take_requests();
    assert_eq!(requests[0].path, "/tencent/v4/call_config/get_callback");
    Ok(())
}

#[test]
fn requests_have_the_documented_form() -> Result {
    let scenario = Scenario::new()?;
    scenario.configure(&this(&sends(&[END, START], URL)))?;
    scenario.apply()?;
    let requests = scenario.simulator.take_requests();
    let set = requests.iter().find(|r| r.action == Some(Set)).expect("a write");
    let mut body = set.json().expect("JSON");
    body["CallbackCommandList"].as_array_mut().expect("a list").sort_by_key(|command| command.to_string());
    assert_eq!(body, json!({ "Url": URL, "CallbackCommandList": [END, START] }));
    for request in &requests {
        assert_eq!((request.method.as_str(), request.identifier.as_deref()), ("POST", Some("administrator")));
        assert_eq!(request.content_type.as_deref(), Some("application/json"));
        assert!(request.user_agent.as_deref().is_some_and(|agent| agent.contains("terraform-provider-tencent/")));
        if request.action == Some(Get) {
            assert_eq!(request.json(), Some(json!({})));
        }
    }
    let mut randoms: Vec<_> = requests.iter().map(|r| r.random.clone()).collect();
    randoms.sort();
    randoms.dedup();
    assert_eq!(randoms.len(), requests.len(), "a new one for every request");
    Ok(())
}
