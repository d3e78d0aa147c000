//! The resources of a long-lived process: ten thousand valid and invalid RPCs leak neither memory nor file descriptors, and
//! hanging calls do not block others.

#![cfg(target_os = "linux")]

#[path = "../protocol/host.rs"]
mod host;
#[path = "../protocol/session.rs"]
#[allow(dead_code)]
mod session;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use tencent_simulator::{App, Configuration, Fault, FaultKind, Service, Simulator};
use terraform_provider_tencent::plugin::proto::ConnInfo;
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{self, Diagnostic, DynamicValue};
use tokio::task::JoinSet;
use tonic::Request;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

use host::within;
use session::{RESOURCE, Session, arrived, is_healthy, number, text, with};

const URL: &str = "https://hooks.example.com/tencent/call";
const IN_FLIGHT: usize = 8;
/// RPCs before the first measurement, while connections, caches and the allocator's reserves grow.
const WARM_UP: usize = 1_000;
const RPCS: usize = 9_000;
/// The allowed growth during [`RPCS`]. 100 is typical; a leak of 1 KiB per RPC would be 9,000.
const GROWTH_KIB: u64 = 1024;

/// The number of kinds of RPC. Each run of Terraform, which configures the provider again, has one of each.
const KINDS: usize = 12;

/// The applications. Terraform plans and reads each of its objects once in a run.
const PLANNED: u64 = Simulator::SDK_APP_ID;
const READ: u64 = PLANNED + 2;
/// Applications whose reads meet a fault.
const RESETTING: u64 = READ + 2;
const BABBLING: u64 = RESETTING + 1;
const APPS: std::ops::RangeInclusive<u64> = PLANNED..=BABBLING;

/// Returns the key of an application. Each has its own.
fn key(app: u64) -> String {
    if app == Simulator::SDK_APP_ID { Simulator::SECRET_KEY.to_owned() } else { format!("{app:064}") }
}

/// Adds these applications to a provider block.
fn fleet(config: Value, apps: impl IntoIterator<Item = u64>) -> Value {
    let entry = |app| {
        let arguments = ["user_sig", "identifier", "region", "endpoint"].map(|name| (name.to_owned(), Value::Null));
        let secret_key = ("secret_key".to_owned(), text(&key(app)));
        (app.to_string(), Value::Object(arguments.into_iter().chain([secret_key]).collect()))
    };
    with(config, [("apps", Value::Object(apps.into_iter().map(entry).collect()))])
}

/// The memory and file descriptors of a process.
#[derive(Debug, Clone, Copy)]
struct Usage {
    resident_kib: u64,
    descriptors: usize,
}

impl Usage {
    fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        Self {
            resident_kib: resident.and_then(|number| number.parse().ok()).expect("a number of kB"),
            descriptors: fs::read_dir(format!("/proc/{process}/fd")).expect("the process runs").count(),
        }
    }
}

/// Makes one RPC of the mix, chosen by `i`.
async fn rpc(session: &Session, i: usize) {
    let type_name = || RESOURCE.to_owned();
    let noise = || Some(DynamicValue { msgpack: vec![0x91; 1 + i % 500], json: Vec::new() });
    let good = |diagnostics: &[Diagnostic]| assert_eq!(diagnostics, [], "{i}");
    let bad = |diagnostics: &[Diagnostic]| assert_eq!(diagnostics.len(), 1, "{i}: {diagnostics:?}");
    let of = |object: Value, app: u64| with(object, [("sdk_app_id", number(app))]);
    let state = |app: u64| with(of(session.state(URL), app), [("id", text(&app.to_string()))]);
    let read = async |app| session.read(&state(app)).await.diagnostics;
    match i % KINDS {
        0 | 1 => {
            let config = session.encode(&session.config(URL));
            let request = proto::validate_resource_config::Request { type_name: type_name(), config, ..default() };
            let answer = session.provider().validate_resource_config(request).await.expect("an answer");
            good(&answer.into_inner().diagnostics);
        }
        kind @ (2 | 3) => {
            let app = PLANNED + kind as u64 - 2;
            let config = of(session.config("https://hooks.example.com/new"), app);
            good(&session.plan(&state(app), &config).await.diagnostics);
        }
        kind @ (4 | 5) => good(&read(READ + kind as u64 - 4).await),
        6 => bad(&read(RESETTING).await),
        7 => bad(&read(BABBLING).await),
        8 => {
            let request =
                proto::validate_resource_config::Request { type_name: type_name(), config: noise(), ..default() };
            let answer = session.provider().validate_resource_config(request).await.expect("an answer");
            bad(&answer.into_inner().diagnostics);
        }
        9 => {
            let request = proto::plan_resource_change::Request {
                type_name: type_name(),
                prior_state: noise(),
                proposed_new_state: noise(),
                ..default()
            };
            let answer = session.provider().plan_resource_change(request).await.expect("an answer");
            bad(&answer.into_inner().diagnostics);
        }
        10 => {
            let request = proto::read_resource::Request { type_name: format!("{RESOURCE}_{i}"), ..default() };
            bad(&session.provider().read_resource(request).await.expect("an answer").into_inner().diagnostics);
        }
        _ => {
            // Field 1 is a number in this message, and a string in the expected one.
            let mut grpc = tonic::client::Grpc::new(session.channel.clone());
            grpc.ready().await.expect("a connection");
            let path = PathAndQuery::from_static("/tfplugin6.Provider/ReadResource");
            let message = Request::new(ConnInfo { service_id: 7, ..default() });
            let answer = grpc.unary(message, path, ProstCodec::<ConnInfo, ConnInfo>::default()).await;
            answer.expect_err("no such message");
        }
    }
}

fn default<T: Default>() -> T {
    T::default()
}

/// Makes `count` RPCs of the mix, several at a time, with this provider configuration.
async fn rpcs(session: &Session, config: &Value, simulator: &Simulator, count: usize) {
    let done = AtomicUsize::new(0);
    for run in (0..count).step_by(KINDS) {
        session.configure(config).await;
        stream::iter(run..count.min(run + KINDS))
            .for_each_concurrent(IN_FLIGHT, async |i| {
                within("an answer", rpc(session, i)).await;
                done.fetch_add(1, Ordering::Relaxed);
            })
            .await;
        // Frees the memory of this process, which is not measured.
        simulator.clear_requests();
    }
    assert_eq!(done.into_inner(), count);
}

#[tokio::test]
async fn ten_thousand_rpcs_leak_nothing() {
    let simulator = Simulator::start().expect("a simulator");
    for app in APPS {
        simulator.add_app(App::new(app, key(app)));
        let configuration = Configuration::new(URL, ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]);
        simulator.put_configuration(Service::Call, app, configuration);
    }
    simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).sdk_app_id(RESETTING));
    simulator.inject(Fault::new(FaultKind::NotJson).sdk_app_id(BABBLING));

    let mut session = Session::start().await;
    let config = fleet(session.provider_config(&simulator), APPS);
    let config = with(config, [("requests_per_second", number(1000)), ("max_retries", number(0))]);
    let process = session.plugin.process.id();

    rpcs(&session, &config, &simulator, WARM_UP).await;
    let before = Usage::of(process);
    rpcs(&session, &config, &simulator, RPCS).await;
    let after = Usage::of(process);

    let change = format!("before {before:?}, after {after:?}");
    eprintln!("{RPCS} RPCs: {change}");
    assert!(after.resident_kib <= before.resident_kib + GROWTH_KIB, "memory grows: {change}");
    // The provider may keep as many connections to the API as there were concurrent calls.
    assert!(after.descriptors <= before.descriptors + IN_FLIGHT, "file descriptors are left open: {change}");
    session.shut_down().await;
}

#[tokio::test]
async fn health_checks_are_answered_while_calls_hang() {
    const CALLS: usize = 50;
    let simulator = Simulator::start().expect("a simulator");
    simulator.inject(FaultKind::NoAnswer);
    let mut session = Session::start().await;
    let apps = (Simulator::SDK_APP_ID..).take(CALLS);
    let config = fleet(session.provider_config(&simulator), apps.clone());
    session.configure(&with(config, [("request_timeout", text("1h"))])).await;

    let mut reads = JoinSet::new();
    for app in apps {
        let state = with(session.state(URL), [("sdk_app_id", number(app)), ("id", text(&app.to_string()))]);
        let (mut provider, request) = (session.provider(), session.read_request(&state));
        reads.spawn(async move { provider.read_resource(request).await });
    }
    arrived(&simulator, |requests| requests.len() == CALLS).await;

    for check in 0..100 {
        assert!(within("a health check", is_healthy(&session.channel)).await, "check {check}");
    }
    assert!(reads.try_join_next().is_none(), "the reads wait all that time");

    let stop = session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
    assert_eq!(stop.into_inner().error, "");
    let ended = within("the end of the reads", reads.join_all()).await;
    for read in ended {
        let diagnostics = read.expect("an answer").into_inner().diagnostics;
        assert!(diagnostics.iter().any(|d| d.detail.contains("interrupted")), "{diagnostics:?}");
    }
    assert_eq!(simulator.requests().len(), CALLS, "no call was made again");
    assert!(is_healthy(&session.channel).await);
    session.shut_down().await;
}
