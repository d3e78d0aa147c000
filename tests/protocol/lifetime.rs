//! How long a plugin lives: as long as its host needs it.

use std::sync::Arc;
use std::time::Duration;

use tencent_simulator::{Action, Fault, FaultKind, Simulator};
use terraform_provider_tencent::plugin::proto::grpc_broker_client::GrpcBrokerClient;
use terraform_provider_tencent::plugin::proto::grpc_controller_client::GrpcControllerClient;
use terraform_provider_tencent::plugin::proto::grpc_stdio_client::GrpcStdioClient;
use terraform_provider_tencent::plugin::proto::{ConnInfo, Empty, StdioData};
use terraform_provider_tencent::terraform::{Value, proto};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::host::{Ended, Plugin, Socket, connect};
use crate::session::{Session, arrived, host, is_healthy, provider, the_error, with};

/// The streams that a host opens first and keeps open.
struct Streams {
    stdio: Streaming<StdioData>,
    broker: Streaming<ConnInfo>,
}

impl Streams {
    async fn open(channel: &Channel) -> Self {
        let stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.expect("a stream");
        let announced = tokio_stream::pending();
        let broker = GrpcBrokerClient::new(channel.clone()).start_stream(announced).await.expect("a stream");
        Self { stdio: stdio.into_inner(), broker: broker.into_inner() }
    }
}

/// Starts a read that Tencent never answers.
pub(crate) async fn hanging_read(session: &Session, simulator: &Simulator) -> JoinHandle<()> {
    simulator.inject(FaultKind::NoAnswer);
    let (mut provider, request) = (session.provider(), session.read_request(&session.state("https://example.com")));
    let read = tokio::spawn(async move {
        // The outcome does not matter.
        let _ = provider.read_resource(request).await;
    });
    arrived(simulator, |requests| !requests.is_empty()).await;
    read
}

/// Asserts that the process succeeded and left nothing behind.
#[track_caller]
pub(crate) fn assert_clean(plugin: &Plugin, ended: &Ended) {
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(plugin.handshake.is_removed(), "{:?}", plugin.handshake);
}

#[tokio::test]
async fn only_the_plugin_service_reports_healthy() {
    let plugin = host().start().await;
    let channel = plugin.connect().await;
    assert!(is_healthy(&channel).await);
    let other = HealthCheckRequest { service: "tfplugin7.Provider".into() };
    let status = HealthClient::new(channel).check(other).await.expect_err("an unknown service");
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn the_hosts_streams_stay_open() {
    let session = Session::start().await;
    let mut streams = Streams::open(&session.channel).await;
    let a_while = Duration::from_millis(300);
    assert!(timeout(a_while, streams.stdio.message()).await.is_err(), "nothing comes, and there is no end");
    assert!(timeout(a_while, streams.broker.message()).await.is_err(), "nothing comes, and there is no end");
    assert!(is_healthy(&session.channel).await);
}

#[tokio::test]
async fn a_shutdown_is_answered_and_ends_the_process() {
    let mut plugin = host().start().await;
    let channel = plugin.connect().await;
    GrpcControllerClient::new(channel.clone()).shutdown(Empty {}).await.expect("an answer");
    // The host keeps its connection open while it waits.
    let ended = plugin.process.end().await;
    assert_clean(&plugin, &ended);
    assert_eq!(ended.stderr, "");
    assert!(!is_healthy(&channel).await);
}

#[tokio::test]
async fn open_streams_do_not_delay_a_shutdown() {
    let mut plugin = host().start().await;
    let mut streams = Streams::open(&plugin.connect().await).await;
    let ended = plugin.shut_down().await;
    assert_clean(&plugin, &ended);
    assert_eq!(ended.stderr, "", "no request was under way");
    assert!(matches!(streams.stdio.message().await, Ok(None)), "the stream ends in order");
    assert!(matches!(streams.broker.message().await, Ok(None)), "the stream ends in order");
}

#[tokio::test]
async fn idle_connections_do_not_delay_a_shutdown() {
    let mut plugin = host().start().await;
    let _silent = Socket::connect(plugin.handshake.address()).await.expect("a connection");
    let idle = plugin.connect().await;
    assert!(is_healthy(&idle).await);
    let ended = plugin.shut_down().await;
    assert_clean(&plugin, &ended);
    assert_eq!(ended.stderr, "", "no request was under way");
}

#[tokio::test]
async fn a_hanging_request_does_not_prevent_a_shutdown() {
    let simulator = Simulator::start().expect("a simulator");
    let mut session = Session::on(&simulator).await;
    let _streams = Streams::open(&session.channel).await;
    let read = hanging_read(&session, &simulator).await;
    let ended = session.plugin.shut_down().await;
    assert_clean(&session.plugin, &ended);
    read.await.expect("the read ends too");
}

/// Begins a write that Tencent does not answer, and asserts that its outcome is told before `end` ends the process.
pub(crate) async fn end_during_a_write(end: impl AsyncFnOnce(&Session)) {
    let simulator = Simulator::start().expect("a simulator");
    let mut session = Session::on(&simulator).await;
    simulator.inject(Fault::new(FaultKind::NoAnswer).on(Action::Set));
    let planned = with(session.state("https://example.com"), [("last_request_id", Value::Unknown)]);
    let (applied, ()) = tokio::join!(session.apply(&Value::Null, &planned), async {
        arrived(&simulator, |requests| requests.iter().any(|r| r.action == Some(Action::Set))).await;
        end(&session).await;
    });
    let error = the_error(&applied.diagnostics);
    assert!(
        error.detail.contains("The operation was interrupted") && error.detail.contains("not written"),
        "{error:?}"
    );
    let ended = session.plugin.process.end().await;
    assert_clean(&session.plugin, &ended);
}

#[tokio::test]
async fn a_write_in_flight_reports_its_outcome_before_the_process_ends() {
    end_during_a_write(async |session| {
        // Terraform stops operations before it ends the process.
        session.provider().stop_provider(proto::stop_provider::Request {}).await.expect("an answer");
        GrpcControllerClient::new(session.channel.clone()).shutdown(Empty {}).await.expect("an answer");
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_is_left_to_the_host() {
    let simulator = Simulator::start().expect("a simulator");
    let mut session = Session::on(&simulator).await;
    for _ in 0..3 {
        session.plugin.process.press_ctrl_c();
        assert!(is_healthy(&session.channel).await);
        let read = session.read(&session.state("https://example.com")).await;
        assert_eq!(read.diagnostics, []);
    }
    session.shut_down().await;
}

#[cfg(windows)]
#[tokio::test]
#[ignore = "Wine 8 has no Ctrl-Break to press; run it by hand, on Windows"]
async fn ctrl_break_is_left_to_the_host() {
    let mut plugin = host().start().await;
    plugin.process.press_ctrl_break();
    assert!(is_healthy(&plugin.connect().await).await);
    plugin.shut_down().await;
}

#[tokio::test]
async fn ctrl_c_right_after_the_handshake_is_left_to_the_host() {
    for _ in 0..5 {
        let plugin = host().start().await;
        plugin.process.press_ctrl_c();
        assert!(is_healthy(&plugin.connect().await).await);
    }
}

/// Connects as a host, sends requests that stay open, and closes the connection abruptly, as a killed host does.
async fn come_and_go(plugin: &Plugin, requests: impl AsyncFnOnce(Channel) + Send + 'static) {
    let (handshake, tls) = (plugin.handshake.clone(), plugin.tls());
    let life = move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            requests(connect(handshake.address(), Some(&tls)).await.expect("a connection")).await;
        });
        // Dropping the runtime drops the connection and its requests.
    };
    tokio::task::spawn_blocking(life).await.expect("no panic");
}

#[tokio::test]
async fn a_plugin_does_not_outlive_its_host() {
    let mut plugin = host().start().await;
    come_and_go(&plugin, async |channel| {
        let mut streams = Streams::open(&channel).await;
        tokio::spawn(async move { streams.stdio.message().await });
    })
    .await;
    let ended = plugin.process.end().await;
    assert_clean(&plugin, &ended);
}

#[tokio::test]
async fn a_request_in_flight_does_not_keep_a_plugin_without_host_alive() {
    let simulator = Arc::new(Simulator::start().expect("a simulator"));
    simulator.inject(FaultKind::NoAnswer);
    let mut session = Session::on(&simulator).await;
    let read = session.read_request(&session.state("https://example.com"));
    let watched = Arc::clone(&simulator);
    come_and_go(&session.plugin, async move |channel| {
        tokio::spawn(async move { provider(&channel).read_resource(read).await });
        arrived(&watched, |requests| !requests.is_empty()).await;
    })
    .await;
    drop(session.channel);
    let ended = session.plugin.process.end().await;
    assert_clean(&session.plugin, &ended);
}

#[tokio::test]
async fn strangers_do_not_keep_a_plugin_without_host_alive() {
    let mut plugin = host().start().await;
    drop(plugin.connect().await);
    let _silent = Socket::connect(plugin.handshake.address()).await.expect("a connection");
    let ended = plugin.process.end().await;
    assert_clean(&plugin, &ended);
}

#[tokio::test]
async fn a_host_that_reconnects_soon_finds_the_plugin() {
    let mut plugin = host().start().await;
    drop(plugin.connect().await);
    sleep(Duration::from_secs(1)).await;
    let channel = plugin.connect().await;
    // Longer than a plugin waits for its host.
    sleep(Duration::from_secs(4)).await;
    assert!(plugin.process.runs());
    assert!(is_healthy(&channel).await, "a host is there: no reason to end");
}
