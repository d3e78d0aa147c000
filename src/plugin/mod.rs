//! How a host starts, trusts, logs and stops this process: the plugin side of HashiCorp's go-plugin.
//!
//! | file | what |
//! | --- | --- |
//! | `host.rs` | what the host passes in the environment |
//! | `listener.rs` | the socket, private to this user |
//! | `tls.rs` | AutoMTLS: the host's certificate, pinned, and ours |
//! | `connection.rs` | from accepted sockets to connections the server may trust |
//! | `services.rs` | controller, stdio and broker |
//! | `lifetime.rs` | why the process ends |
//! | `log.rs` | log lines as the host reads them |
//!
//! This module never knows schemas, resources or values: it serves any tonic service.

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
use listener::Listener;
use services::{Broker, Controller, Stdio};
use tls::Tls;

/// What a host calls the plugin.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// The addresses of the provider in the registries that hosts use, for `TF_REATTACH_PROVIDERS`.
    pub addresses: &'static [&'static str],
    /// The version of the application protocol that the service speaks.
    pub protocol_version: u32,
}

/// Who starts the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A host, which reads the handshake line.
    Hosted,
    /// A developer, who tells a host where the plugin is.
    Debug,
}

/// Why the plugin could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person started the executable.
    #[error("no host started this process")]
    NoHost,
    /// What the host says in the environment cannot be used.
    #[error("the environment variable {name} cannot be used: {reason}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory for the socket cannot be used.
    #[error(
        "cannot create a socket in {}: {reason}. Make it a directory that this user can write to, or set {variable} to \
         another one",
        .directory.display()
    )]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The variable that can name another.
        variable: &'static str,
    },
    /// No socket could be made.
    #[error("cannot listen on {place}: {source}")]
    Listen {
        /// Where.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The host does not read what it is told.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// The server failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// The version of go-plugin's own protocol, the first field of the handshake line.
const CORE_PROTOCOL_VERSION: u32 = 1;
/// The largest message to accept, in bytes: what Terraform accepts as well. tonic's own limit is 4 MiB.
pub const MAX_MESSAGE: usize = 256 * 1024 * 1024;
/// What requests under way are given after the end was decided. A host kills the process after two seconds.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Serves what `service` makes for one host until the host wants no more. It is made while the host, which has read the
/// handshake line, connects.
///
/// `end` is cancelled when the process is about to end, a moment before requests under way are cut off.
///
/// The extensions of each request hold a `C` that stands for the caller. A host is one caller, however often it
/// connects. In [`Mode::Debug`], each connection is one: a host then connects once for each plugin that it would start.
///
/// # Errors
///
/// If serving cannot begin; nothing was served then.
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
    // Before there is a socket to clean up, and before the host knows of the process: a signal may follow at once.
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
    // The name under which go-plugin hosts ask, whatever the service is called.
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

    let farewell = async {
        ended.await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = server => served?,
        () = farewell => tracing::warn!("requests were still under way at the end"),
    }
    Ok(())
}

/// `CORE|APP|NETWORK|ADDRESS|grpc|CERTIFICATE`, and a seventh field for hosts that announce to understand it.
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

/// What a developer exports for a host to use this process.
fn reattach_instructions(plugin: Plugin, listener: &Listener) -> String {
    let entry = serde_json::json!({
        "Protocol": "grpc",
        "ProtocolVersion": plugin.protocol_version,
        "Pid": std::process::id(),
        // The host leaves the process alone when it ends.
        "Test": true,
        "Addr": {"Network": listener.network(), "String": listener.address()},
    });
    let entries: serde_json::Map<_, _> = plugin.addresses.iter().map(|a| ((*a).to_owned(), entry.clone())).collect();
    let json = serde_json::Value::Object(entries);
    format!(
        "The provider is running without a host, for development only. Any process of this user can connect to its \
         socket.\nIt uses the environment of this terminal, not Terraform's. To use it, set this variable and run \
         Terraform in another terminal. To stop it, press Ctrl-C.\n\n    export TF_REATTACH_PROVIDERS='{json}'\n\n"
    )
}

/// Tells a host why there is no plugin, before a handshake: what a host cannot read as a handshake line it shows, while
/// what is on standard error goes to its log.
pub fn tell_host(reason: &str) {
    // One line, and one field: with more than that it would be read as a handshake.
    let one = |c: char| if c.is_control() || c == '|' { ' ' } else { c };
    let line: String = reason.trim().chars().map(one).collect();
    // Who does not read it has the exit code.
    let _ = announce(&format!("{line}\n"));
}

fn announce(text: &str) -> Result<(), ServeError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(ServeError::Stdout)
}
