//! `--debug`: a developer starts the provider and tells Terraform its address.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tencent_simulator::{App, Configuration, Service, Simulator};
use terraform_cli::{Mirror, Terraform, Workspace};
use terraform_provider_tencent::terraform::{Value, codec, proto};
use tokio::time::sleep;
use tonic::transport::Channel;

use crate::data_source::DATA_SOURCE;
use crate::host::{MAGIC_COOKIE, NETWORK, Process, connect, is_removed};
use crate::session::{encode, host, is_healthy, nothing, number, provider, text, the_error, type_of, with};

/// A provider in debug mode.
struct Debugged {
    process: Process,
    text: String,
    /// `TF_REATTACH_PROVIDERS`
    reattach: String,
}

/// The command that sets the variable, up to its value.
const SET: &str = if cfg!(windows) { "$env:TF_REATTACH_PROVIDERS='" } else { "export TF_REATTACH_PROVIDERS='" };

impl Debugged {
    async fn start() -> Self {
        // A developer's shell may have a host's variables set. They are ignored.
        let host = host().without(MAGIC_COOKIE.0).env("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group");
        let mut process = host.arguments(["--debug"]).spawn();
        let mut text = String::new();
        loop {
            let line = process.line().await;
            if let Some(json) = line.trim().strip_prefix(SET) {
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

    fn address(&self) -> String {
        let json = self.json();
        let entry = json.as_object().expect("an object").values().next().expect("an address").clone();
        entry["Addr"]["String"].as_str().expect("an address").to_owned()
    }

    /// Sends Ctrl-C and waits for the end.
    async fn interrupt(mut self) {
        let address = self.address();
        self.process.press_ctrl_c();
        let ended = self.process.end().await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(is_removed(&address), "{address}");
    }
}

#[tokio::test]
async fn debug_mode_prints_what_to_export() {
    let debugged = Debugged::start().await;
    assert!(debugged.text.contains("for development only"), "{}", debugged.text);
    assert!(debugged.text.contains("Ctrl-C"), "{}", debugged.text);
    let others = if cfg!(windows) { "other users' too" } else { "of this user" };
    assert!(debugged.text.contains(others), "{}", debugged.text);
    let entry = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": debugged.process.id(),
        "Test": true,
        "Addr": {"Network": NETWORK, "String": debugged.address()},
    });
    assert_eq!(debugged.json()["registry.terraform.io/callkit/tencent"], entry);
    debugged.interrupt().await;
}

#[cfg(windows)]
#[tokio::test]
async fn debug_mode_prints_what_to_set_in_either_shell() {
    let mut debugged = Debugged::start().await;
    let set = format!("    set TF_REATTACH_PROVIDERS={}", debugged.reattach);
    for expected in ["", "In cmd.exe:", "", &set] {
        assert_eq!(debugged.process.line().await, expected);
    }
    assert!(!debugged.reattach.contains([' ', '\'', '%', '&']), "{}", debugged.reattach);
    debugged.interrupt().await;
}

#[tokio::test]
async fn debug_mode_serves_without_tls_until_interrupted() {
    let mut debugged = Debugged::start().await;
    let address = debugged.address();
    assert!(is_healthy(&connect(&address, None).await.expect("a connection")).await);
    // Longer than a plugin waits for its host.
    sleep(Duration::from_secs(4)).await;
    assert!(debugged.process.runs());
    assert!(is_healthy(&connect(&address, None).await.expect("a connection")).await);
    debugged.interrupt().await;
}

#[cfg(windows)]
#[tokio::test]
#[ignore = "Wine 8 has no Ctrl-Break to press; run it by hand, on Windows"]
async fn ctrl_break_ends_debug_mode() {
    let mut debugged = Debugged::start().await;
    debugged.process.press_ctrl_break();
    assert!(debugged.process.end().await.status.success());
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_ends_debug_mode() {
    let mut debugged = Debugged::start().await;
    assert!(is_healthy(&connect(&debugged.address(), None).await.expect("a connection")).await);
    debugged.process.send_sigterm();
    assert!(debugged.process.end().await.status.success());
}

/// A connection to a debugged process, as each of Terraform's providers has one.
struct Caller {
    channel: Channel,
    schema: proto::get_provider_schema::Response,
}

impl Caller {
    async fn connect(address: &str) -> Self {
        let channel = connect(address, None).await.expect("a connection");
        let schema = provider(&channel).get_provider_schema(proto::get_provider_schema::Request {}).await;
        Self { channel, schema: schema.expect("the schema").into_inner() }
    }

    async fn configure(&self, simulator: &Simulator, app: u64, key: &str) {
        let schema = self.schema.provider.as_ref().expect("a schema");
        let config = [("sdk_app_id", number(app)), ("secret_key", text(key)), ("endpoint", text(simulator.url()))];
        let config = Some(encode(&with(nothing(schema), config), &type_of(schema)));
        let request = proto::configure_provider::Request { config, ..Default::default() };
        let answer = provider(&self.channel).configure_provider(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
    }

    /// Reads the configuration of the provider's own application.
    async fn read(&self) -> proto::read_data_source::Response {
        let schema = &self.schema.data_source_schemas[DATA_SOURCE];
        let config = Some(encode(&nothing(schema), &type_of(schema)));
        let request = proto::read_data_source::Request { type_name: DATA_SOURCE.into(), config, ..Default::default() };
        provider(&self.channel).read_data_source(request).await.expect("an answer").into_inner()
    }

    /// Returns the id and the URL that [`read`](Self::read) finds.
    async fn finds(&self) -> (Value, Value) {
        let answer = self.read().await;
        assert_eq!(answer.diagnostics, []);
        let schema = &self.schema.data_source_schemas[DATA_SOURCE];
        let state = codec::decode(answer.state.as_ref(), &type_of(schema)).expect("a state");
        (state.attribute("id").clone(), state.attribute("url").clone())
    }
}

const OTHER_APP: u64 = Simulator::SDK_APP_ID + 1;
const OTHER_KEY: &str = "another-key";

/// Starts two simulators with an application each.
fn simulators() -> (Simulator, Simulator) {
    let other = Simulator::builder().app(App::new(OTHER_APP, OTHER_KEY)).start().expect("a simulator");
    (Simulator::start().expect("a simulator"), other)
}

#[tokio::test]
async fn each_connection_has_a_provider_of_its_own() {
    let debugged = Debugged::start().await;
    let (one_simulator, other_simulator) = simulators();
    let configuration = |url| Configuration::new(url, ["Call.CallbackAfterEndCall"]);
    one_simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, configuration("https://one.example.com"));
    other_simulator.put_configuration(Service::Call, OTHER_APP, configuration("https://other.example.com"));

    let (one, other) = (Caller::connect(&debugged.address()).await, Caller::connect(&debugged.address()).await);
    one.configure(&one_simulator, Simulator::SDK_APP_ID, Simulator::SECRET_KEY).await;
    other.configure(&other_simulator, OTHER_APP, OTHER_KEY).await;
    let found = |app: u64, url| (text(&app.to_string()), text(url));
    for _ in 0..2 {
        assert_eq!(one.finds().await, found(Simulator::SDK_APP_ID, "https://one.example.com"));
        assert_eq!(other.finds().await, found(OTHER_APP, "https://other.example.com"));
    }

    // Terraform stops each of its providers separately.
    let stop = provider(&one.channel).stop_provider(proto::stop_provider::Request {}).await;
    assert_eq!(stop.expect("an answer").into_inner().error, "");
    the_error(&one.read().await.diagnostics);
    assert_eq!(other.finds().await, found(OTHER_APP, "https://other.example.com"));

    drop((one, other));
    let next = Caller::connect(&debugged.address()).await.read().await;
    assert!(the_error(&next.diagnostics).detail.contains("before configuring it"), "{next:?}");
    debugged.interrupt().await;
}

#[tokio::test]
async fn terraform_can_use_one_debugged_process_for_several_runs() {
    let (simulator, other) = simulators();
    let mut debugged = Debugged::start().await;
    let mut workspace = Workspace::new(
        &Terraform::find().expect("Terraform"),
        // No other provider can be installed.
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
        provider "tencent" {
          alias      = "other"
          sdk_app_id = OTHER_APP
          secret_key = "OTHER_KEY"
          endpoint   = "OTHER_URL"
        }
        resource "tencent_call_callback" "this" {
          url               = "https://hooks.example.com/call"
          callback_commands = ["Call.CallbackAfterEndCall"]
        }
        resource "tencent_call_callback" "other" {
          provider          = tencent.other
          url               = "https://other.example.com/call"
          callback_commands = ["Call.CallbackAfterEndCall"]
        }
    "#;
    let config = config
        .replace("OTHER_APP", &OTHER_APP.to_string())
        .replace("OTHER_KEY", OTHER_KEY)
        .replace("OTHER_URL", other.url())
        .replace("SDK_APP_ID", &Simulator::SDK_APP_ID.to_string())
        .replace("SECRET_KEY", Simulator::SECRET_KEY)
        .replace("URL", simulator.url());
    workspace.write("main.tf", &config).expect("a file");

    // In another thread, because this one reads the provider's log while Terraform waits for the provider.
    let runs = tokio::task::spawn_blocking(move || -> Result<(), terraform_cli::Error> {
        workspace.init()?.expect_success();
        workspace.run(&["plan"])?.expect_success().expect_contains("2 to add");
        workspace.run(&["apply", "-auto-approve"])?.expect_success().expect_contains("2 added");
        workspace.run(&["plan", "-detailed-exitcode"])?.expect_code(0);
        Ok(())
    });
    runs.await.expect("no panic").expect("Terraform runs");
    let expected = |url| Some(Configuration::new(url, ["Call.CallbackAfterEndCall"]));
    let found = simulator.configuration(Service::Call, Simulator::SDK_APP_ID);
    assert_eq!(found, expected("https://hooks.example.com/call"));
    assert_eq!(other.configuration(Service::Call, OTHER_APP), expected("https://other.example.com/call"));
    assert!(debugged.process.runs(), "Terraform leaves it alone");
    debugged.interrupt().await;
}
