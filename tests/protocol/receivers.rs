//! The servers in `examples/receiver` pass the probe, and refuse what Tencent would not send them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tencent_simulator::{Simulator, Token};
use terraform_cli::not_run;
use terraform_provider_tencent::terraform::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::action::{config, invoke};
use crate::session::{Session, text, the_error};

const OWN: &str = "1400000001";
const TOKEN: &str = "tok3n";

fn example(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "examples", "receiver", name].iter().collect()
}

/// Builds the server in Go, or notes that Go is missing.
async fn in_go(directory: &TempDir) -> Option<Command> {
    let executable = directory.path().join("receiver");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(&executable).arg(example("receiver.go")).current_dir(directory.path());
    let Ok(built) = build.output().await else {
        not_run("because Go is not on this machine");
        return None;
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(Command::new(executable))
}

/// Returns the command of the server in JavaScript, or notes that Node is missing.
async fn in_node() -> Option<Command> {
    if Command::new("node").arg("--version").output().await.is_err() {
        not_run("because Node is not on this machine");
        return None;
    }
    let mut node = Command::new("node");
    node.arg(example("receiver.mjs"));
    Some(node)
}

/// A running server. It ends when this is dropped.
struct Server {
    _process: Child,
    url: String,
}

impl Server {
    async fn start(command: &mut Command, sdk_app_id: &str, token: &str) -> Self {
        command.env("SDK_APP_ID", sdk_app_id).env("CALLBACK_TOKEN", token).env("LISTEN", "127.0.0.1:0");
        command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().expect("a process");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let url = line.strip_prefix("Listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        // The server goes on writing: keeps the pipe open.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _process: process, url }
    }

    /// Probes the server, and returns why the probe failed.
    async fn probe(&self, session: &Session, command: &str) -> Option<String> {
        let arguments =
            [("callback_command", text(command)), ("url", text(&self.url)), ("allow_private", Value::Bool(true))];
        let (_, diagnostics) = invoke(session, &config(session, arguments)).await;
        (!diagnostics.is_empty()).then(|| the_error(&diagnostics).detail.clone())
    }

    /// Posts an event with these query parameters, and returns the HTTP status.
    async fn post(&self, query: &BTreeMap<&str, String>, body: &'static str) -> u16 {
        let url = url::Url::parse_with_params(&self.url, query).expect("a URL");
        // The client wants to know at once what it would use for TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        http.post(url).body(body).send().await.expect("an answer").status().as_u16()
    }
}

/// Returns the query of an event that was signed `age` seconds ago.
fn signed(age: i64) -> BTreeMap<&'static str, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let time = now.checked_add_signed(-age).expect("a time").to_string();
    let digest = Sha256::digest(format!("{TOKEN}{time}"));
    let sign = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    [("SdkAppid", OWN.to_owned()), ("RequestTime", time), ("Sign", sign)].into()
}

async fn receives_what_tencent_sends(mut command: Command) {
    const CALL: &str = "Call.CallbackAfterEndCall";
    const LEGACY_CALL: &str = "normal_end";
    const LIVE: &str = "Live.CallbackBeforeSendGift";
    const REFUSED: &str = "The answer has the HTTP status 403 Forbidden";
    let simulator = Simulator::start().expect("a simulator");
    let session = Session::on(&simulator).await;

    let unsigned = Server::start(&mut command, OWN, "").await;
    let others = Server::start(&mut command, "1400000002", "").await;
    for event in [CALL, LEGACY_CALL] {
        assert_eq!(unsigned.probe(&session, event).await, None);
        assert!(others.probe(&session, event).await.is_some_and(|why| why.starts_with(REFUSED)));
    }

    let server = Server::start(&mut command, OWN, TOKEN).await;
    assert!(server.probe(&session, LIVE).await.is_some_and(|why| why.starts_with(REFUSED)), "unsigned");
    simulator.put_token(Simulator::SDK_APP_ID, Token::new("an0ther", true));
    assert!(server.probe(&session, LIVE).await.is_some_and(|why| why.starts_with(REFUSED)), "another token");
    simulator.put_token(Simulator::SDK_APP_ID, Token::new(TOKEN, true));
    assert_eq!(server.probe(&session, LIVE).await, None);

    assert_eq!(server.post(&signed(0), "{}").await, 200);
    assert_eq!(server.post(&signed(0), "{").await, 400);
    for age in [90, -90] {
        assert_eq!(server.post(&signed(age), "{}").await, 403, "{age}");
    }
    for name in ["SdkAppid", "RequestTime", "Sign"] {
        let mut without = signed(0);
        without.remove(name);
        assert_eq!(server.post(&without, "{}").await, 403, "{name}");
    }
}

#[tokio::test]
async fn the_receiver_in_go_receives_what_tencent_sends() {
    let directory = tempfile::tempdir().expect("a directory");
    if let Some(command) = in_go(&directory).await {
        receives_what_tencent_sends(command).await;
    }
}

#[tokio::test]
async fn the_receiver_in_node_receives_what_tencent_sends() {
    if let Some(command) = in_node().await {
        receives_what_tencent_sends(command).await;
    }
}
