//! How a host starts, trusts, logs and stops this process: the plugin side of HashiCorp's go-plugin.
//!
//! | file | contents |
//! | --- | --- |
//! | `host.rs` | the host's settings, from the environment |
//! | `listener.rs` | the socket, private to this user |
//! | `tls.rs` | AutoMTLS: the host's certificate, pinned, and ours |
//! | `connection.rs` | accepting connections that the server can trust |
//! | `services.rs` | go-plugin's own services: controller, stdio and broker |
//! | `lifetime.rs` | the reasons for the process to end |
//! | `log.rs` | log lines in the host's format |
//!
//! This module knows no schemas, resources or values: it serves any tonic service.

mod connection;
mod host;
mod lifetime;
mod listener;
pub mod log;
pub mod proto;
mod services;
mod tls;

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::Server;

use connection::Connections;
use host::Host;
use lifetime::Lifetime;
use listener::{CALLERS, Listener};
use services::{Broker, Controller, Stdio};
use tls::Tls;

/// The identity of the plugin towards hosts.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// The addresses of the provider in the registries that hosts use, for `TF_REATTACH_PROVIDERS`.
    pub addresses: &'static [&'static str],
    /// The version of the application protocol that the service speaks.
    pub protocol_version: u32,
}

/// The party that starts the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A host, which reads the handshake line.
    Hosted,
    /// A developer, who tells a host the plugin's address.
    Debug,
}

/// The error if the plugin cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person started the executable, not a host.
    #[error("no host started this process")]
    NoHost,
    /// A variable that the host has set cannot be used.
    #[error("the environment variable {name} cannot be used: {reason}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// The problem with its value.
        reason: String,
    },
    /// The directory for the socket cannot be used.
    #[error(
        "cannot create a socket in {}: {reason}. Make it a directory that this user can write to, or set {variable} to \
         another one",
        .directory.display()
    )]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The problem with the directory.
        reason: String,
        /// The variable that can name another directory.
        variable: &'static str,
    },
    /// No socket could be created.
    #[error("cannot listen on {place}: {source}")]
    Listen {
        /// The path, or the address and ports.
        place: String,
        /// The system's error.
        source: io::Error,
    },
    /// No certificate could be created.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The handshake line could not be written.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// The server failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// The version of go-plugin's own protocol, the first field of the handshake line.
const CORE_PROTOCOL_VERSION: u32 = 1;
/// The largest message to accept, in bytes, equal to Terraform's own limit. tonic's default is 4 MiB.
pub const MAX_MESSAGE: usize = 256 * 1024 * 1024;
/// The grace period for requests in flight. A host kills the process after two seconds.
const GRACE_PERIOD: Duration = Duration::from_millis(1500);

/// Serves the service that `service` creates, until the host requests shutdown. The service is created after the
/// handshake line is written, so that the host can connect meanwhile.
///
/// `end` is cancelled when the process is about to end, a moment before requests in flight are cut off.
///
/// The extensions of each request hold a `C`, which identifies the caller. A host is one caller, no matter how often it
/// connects. In [`Mode::Debug`], each connection is one caller: a host then connects once for each plugin that it would
/// start.
///
/// # Errors
///
/// If serving cannot begin, or if the server fails.
pub async fn serve<S, C>(
    plugin: Plugin,
    mode: Mode,
    service: impl FnOnce() -> S,
    end: CancellationToken,
) -> Result<(), ServeError>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S: NamedService + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    C: Clone + Default + Send + Sync + Unpin + 'static,
{
    let host = match mode {
        Mode::Hosted => Host::from_env()?,
        Mode::Debug => Host::default(),
    };
    let lifetime = Lifetime::new(end);
    // Signals are handled before there is a socket to clean up, and before the host can send one.
    let ended = lifetime.watch(mode);
    let tls = host.client_certificate.as_deref().map(Tls::pinned_to).transpose()?;
    let listener = Listener::bind(&host)?;

    match mode {
        Mode::Hosted => {
            host.warn_of_other_versions(plugin.protocol_version);
            announce(&handshake_line(plugin, &host, &listener, tls.as_ref()))?;
        }
        Mode::Debug => announce(&reattach_instructions(plugin, &listener))?,
    }

    let (health_reporter, health) = tonic_health::server::health_reporter();
    // go-plugin hosts check this name, no matter what the service is called.
    health_reporter.set_service_status("plugin", tonic_health::ServingStatus::Serving).await;

    let shared = (mode == Mode::Hosted).then(C::default);
    let connections = Connections::accept(listener, tls, &lifetime, shared);
    let server = Server::builder()
        .add_service(service())
        .add_service(health)
        .add_service(proto::grpc_controller_server::GrpcControllerServer::new(Controller::new(&lifetime)))
        .add_service(proto::grpc_stdio_server::GrpcStdioServer::new(Stdio::new(&lifetime)))
        .add_service(proto::grpc_broker_server::GrpcBrokerServer::new(Broker::new(&lifetime)))
        .serve_with_incoming_shutdown(connections, lifetime.ended());

    let grace_period = async {
        ended.await;
        tokio::time::sleep(GRACE_PERIOD).await;
    };
    tokio::select! {
        served = server => served?,
        () = grace_period => tracing::warn!("requests were still in flight at the end"),
    }
    Ok(())
}

/// Builds the handshake line: `CORE|APP|NETWORK|ADDRESS|grpc|CERTIFICATE`, and a seventh field for hosts that support
/// it.
fn handshake_line(plugin: Plugin, host: &Host, listener: &Listener, tls: Option<&Tls>) -> String {
    let certificate = tls.map(Tls::certificate_field).unwrap_or_default();
    let multiplexing = if host.knows_multiplexing { "|false" } else { "" };
    format!(
        "{CORE_PROTOCOL_VERSION}|{}|{}|{}|grpc|{certificate}{multiplexing}\n",
        plugin.protocol_version,
        listener.network(),
        listener.address(),
    )
}

/// Builds the text that tells a developer how to make a host use this process.
fn reattach_instructions(plugin: Plugin, listener: &Listener) -> String {
    let entry = serde_json::json!({
        "Protocol": "grpc",
        "ProtocolVersion": plugin.protocol_version,
        "Pid": std::process::id(),
        // Keeps the host from stopping this process when the host itself ends.
        "Test": true,
        "Addr": {"Network": listener.network(), "String": listener.address()},
    });
    let entries: serde_json::Map<_, _> = plugin.addresses.iter().map(|a| ((*a).to_owned(), entry.clone())).collect();
    let json = serde_json::Value::Object(entries);
    let set = if cfg!(windows) {
        // No cmd.exe removes quotes. JSON without spaces has nothing else that it or PowerShell would change.
        format!("    $env:TF_REATTACH_PROVIDERS='{json}'\n\nIn cmd.exe:\n\n    set TF_REATTACH_PROVIDERS={json}")
    } else {
        format!("    export TF_REATTACH_PROVIDERS='{json}'")
    };
    format!(
        "The provider is running without a host, for development only. {CALLERS} can connect to its socket.\nIt uses \
         the environment of this terminal, not Terraform's. To use it, set this variable and run Terraform in another \
         terminal. To stop it, press Ctrl-C.\n\n{set}\n\n"
    )
}

/// Tells a host why the plugin cannot start. A host shows a line that is not a handshake line, whereas standard error
/// goes to its log.
pub fn tell_host(reason: &str) {
    // More than one field or one line could be read as a handshake.
    let one = |c: char| if c.is_control() || c == '|' { ' ' } else { c };
    let line: String = reason.trim().chars().map(one).collect();
    // If nobody reads this, the exit code still reports the failure.
    let _ = announce(&format!("{line}\n"));
}

fn announce(text: &str) -> Result<(), ServeError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(ServeError::Stdout)
}
