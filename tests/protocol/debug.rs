//! `--debug`: a developer starts the provider, and tells Terraform where it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};
use tencent_simulator::{Configuration, Service, Simulator};
use terraform_cli::{Mirror, Terraform, Workspace};
use tokio::time::sleep;

use crate::host::{MAGIC_COOKIE, Process, connect};
use crate::session::{host, is_healthy};

/// A provider under a debugger, and what it says.
struct Debugged {
    process: Process,
    text: String,
    /// `TF_REATTACH_PROVIDERS`
    reattach: String,
}

impl Debugged {
    async fn start() -> Self {
        // A developer's shell may have a host's variables left over: they count for nothing.
        let host = host().without(MAGIC_COOKIE.0).env("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group");
        let mut process = host.arguments(["--debug"]).spawn();
        let mut text = String::new();
        loop {
            let line = process.line().await;
            if let Some(json) = line.trim().strip_prefix("export TF_REATTACH_PROVIDERS='") {
                let reattach = json.strip_suffix('\'').expect("a quoted variable").to_owned();
                return Self { process, text, reattach };
            }
            assert!(!line.is_empty() || text.lines().count() < 5, "no variable in {text:?}");
            text += &line;
            text.push('\n');
        }
    }

    fn json(&self) -> Json {
        serde_json::from_str(&self.reattach).expect("JSON")
    }

    fn socket(&self) -> PathBuf {
        let json = self.json();
        let entry = json.as_object().expect("an object").values().next().expect("an address").clone();
        Path::new(entry["Addr"]["String"].as_str().expect("a path")).to_owned()
    }

    /// A developer presses Ctrl-C.
    async fn interrupt(mut self) {
        let socket = self.socket();
        self.process.signal(Signal::SIGINT);
        let ended = self.process.end().await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(!socket.parent().expect("a directory").exists());
    }
}

#[tokio::test]
async fn says_what_to_export() {
    let debugged = Debugged::start().await;
    assert!(debugged.text.contains("for development only"), "{}", debugged.text);
    assert!(debugged.text.contains("Ctrl-C"), "{}", debugged.text);
    let entry = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": debugged.process.id(),
        "Test": true,
        "Addr": {"Network": "unix", "String": debugged.socket()},
    });
    assert_eq!(debugged.json()["registry.terraform.io/callkit/tencent"], entry);
    debugged.interrupt().await;
}

#[tokio::test]
async fn serves_without_tls_and_without_end() {
    let mut debugged = Debugged::start().await;
    let socket = debugged.socket();
    assert!(is_healthy(&connect(&socket, None).await.expect("a connection")).await);
    // Longer than a plugin waits for its host.
    sleep(Duration::from_secs(4)).await;
    assert!(debugged.process.runs());
    assert!(is_healthy(&connect(&socket, None).await.expect("a connection")).await);
    debugged.interrupt().await;
}

#[tokio::test]
async fn sigterm_ends_it_too() {
    let mut debugged = Debugged::start().await;
    assert!(is_healthy(&connect(&debugged.socket(), None).await.expect("a connection")).await);
    debugged.process.signal(Signal::SIGTERM);
    assert!(debugged.process.end().await.status.success());
}

#[tokio::test]
async fn terraform_uses_it_run_after_run() {
    let simulator = Simulator::start().expect("a simulator");
    let mut debugged = Debugged::start().await;
    let mut workspace = Workspace::new(
        &Terraform::find().expect("Terraform"),
        // There is no other provider to be had.
        &Mirror::empty().expect("a mirror"),
    )
    .expect("a workspace");
    workspace.env("TF_REATTACH_PROVIDERS", &debugged.reattach);
    let config = r#"
        terraform {
          required_providers {
            tencent = { source = "callkit/tencent" }
          }
        }
        provider "tencent" {
          sdk_app_id = SDK_APP_ID
          secret_key = "SECRET_KEY"
          endpoint   = "URL"
        }
        resource "tencent_call_callback" "this" {
          url               = "https://hooks.example.com/call"
          callback_commands = ["Call.CallbackAfterEndCall"]
        }
    "#;
    let config = config
        .replace("SDK_APP_ID", &Simulator::SDK_APP_ID.to_string())
        .replace("SECRET_KEY", Simulator::SECRET_KEY)
        .replace("URL", simulator.url());
    workspace.write("main.tf", &config).expect("a file");

    // In another thread: Terraform waits for a provider whose log is read here.
    let runs = tokio::task::spawn_blocking(move || -> Result<(), terraform_cli::Error> {
        workspace.init()?.expect_success();
        workspace.run(&["plan"])?.expect_success().expect_contains("1 to add");
        workspace.run(&["apply", "-auto-approve"])?.expect_success().expect_contains("1 added");
        workspace.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
        Ok(())
    });
    runs.await.expect("no panic").expect("Terraform runs");
    let expected = Configuration::new("https://hooks.example.com/call", ["Call.CallbackAfterEndCall"]);
    assert_eq!(simulator.configuration(Service::Call, Simulator::SDK_APP_ID), Some(expected));
    assert!(debugged.process.runs(), "Terraform leaves it alone");
    debugged.interrupt().await;
}
