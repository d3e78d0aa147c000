//! A go-plugin host like Terraform: starts a plugin, reads its handshake line, authenticates, and connects.
//!
//! It depends on no particular provider, so that benchmarks can start other ones. Processes end when they are dropped.
//! Unexpected failures panic with the plugin's log.

// Tests and benchmarks each use a part of this file.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P521_SHA512,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use tempfile::TempDir;
use terraform_cli::{in_own_terminal, press_ctrl_c};
use terraform_provider_tencent::plugin::proto::Empty;
use terraform_provider_tencent::plugin::proto::grpc_controller_client::GrpcControllerClient;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader};
#[cfg(windows)]
pub(crate) use tokio::net::TcpStream as Socket;
#[cfg(unix)]
pub(crate) use tokio::net::UnixStream as Socket;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// The time limit of every step: far more than any needs, even under an emulator, so that only a hanging one reaches it.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// The variable that tells a plugin that Terraform started it, and its value.
pub(crate) const MAGIC_COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The network of the socket, as go-plugin names it.
pub(crate) const NETWORK: &str = if cfg!(windows) { "tcp" } else { "unix" };

/// Waits for `work`, and panics with `what` if it hangs.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: still waiting after {LIMIT:?}"),
    }
}

/// The way to start a plugin: as Terraform does, by default.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    executable: PathBuf,
    arguments: Vec<OsString>,
    /// The plugin's whole environment. Nothing is inherited.
    environment: BTreeMap<OsString, OsString>,
    identity: Option<Identity>,
    temporary: Arc<TempDir>,
}

impl Host {
    /// Creates a host with AutoMTLS.
    pub(crate) fn new(executable: impl Into<PathBuf>) -> Self {
        let temporary = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let host = Self {
            executable: executable.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            identity: None,
            temporary: Arc::clone(&temporary),
        };
        host.env(MAGIC_COOKIE.0, MAGIC_COOKIE.1)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_MIN_PORT", "10000")
            .env("PLUGIN_MAX_PORT", "25000")
            // A killed plugin leaves its socket behind, which goes with this directory.
            .env("TMPDIR", temporary.path())
            .identified_by(Identity::new())
    }

    /// Sets a variable of the plugin's environment.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(OsStr::new(name));
        self
    }

    /// Sets the command-line arguments. Terraform gives none.
    pub(crate) fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Uses AutoMTLS with this certificate.
    pub(crate) fn identified_by(self, identity: Identity) -> Self {
        let mut host = self.env("PLUGIN_CLIENT_CERT", identity.pem());
        host.identity = Some(identity);
        host
    }

    /// Turns TLS off.
    pub(crate) fn without_tls(self) -> Self {
        let mut host = self.without("PLUGIN_CLIENT_CERT");
        host.identity = None;
        host
    }

    /// Returns the directory for the plugin's temporary files.
    pub(crate) fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Starts the process without waiting for its handshake.
    pub(crate) fn spawn(&self) -> Process {
        self.spawn_with_stdout(Stdio::piped())
    }

    /// Builds the command that starts the process.
    pub(crate) fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.executable);
        command.args(&self.arguments).env_clear().envs(&self.environment);
        // When coverage is measured, each process writes its own file. Windows finds its libraries by the other variable.
        for inherited in ["LLVM_PROFILE_FILE", "SystemRoot"] {
            command.envs(std::env::var_os(inherited).map(|value| (inherited, value)));
        }
        in_own_terminal(&mut command);
        command
    }

    /// Starts the process with this standard output, which is not read.
    pub(crate) fn spawn_with_stdout(&self, stdout: Stdio) -> Process {
        let mut command = Command::from(self.command());
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.executable.display()));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        let stdout = child.stdout.take().map(BufReader::new);
        Process { child, stdout, stderr, _temporary: Arc::clone(&self.temporary) }
    }

    /// Starts the plugin and reads its handshake line.
    pub(crate) async fn start(&self) -> Plugin {
        let mut process = self.spawn();
        let line = process.line().await;
        let handshake = Handshake::parse(&line)
            .unwrap_or_else(|| panic!("{line:?} is no handshake line; standard error:\n{}", process.log()));
        let tls = handshake
            .certificate()
            .map(|certificate| Tls { identity: self.identity.clone(), ..Tls::trusting(certificate) });
        Plugin { process, handshake, tls }
    }
}

/// Reads a stream to its end, line by line.
fn collect(stream: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<String> {
    let (sender, receiver) = watch::channel(String::new());
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
            sender.send_modify(|text| text.push_str(&String::from_utf8_lossy(&line)));
            line.clear();
        }
    });
    receiver
}

/// A process that runs, or has run. Dropping this kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: watch::Receiver<String>,
    _temporary: Arc<TempDir>,
}

/// The end of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The unread rest of standard output.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Returns the process id.
    ///
    /// # Panics
    ///
    /// If the process has been waited for.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_else(|| panic!("the process has ended; standard error:\n{}", self.log()))
    }

    /// Returns the next line of standard output, without its end; empty if there is none.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        if let Some(stdout) = &mut self.stdout {
            let read = tokio::time::timeout(LIMIT, stdout.read_line(&mut line)).await;
            read.unwrap_or_else(|_| panic!("no line on standard output; standard error:\n{}", self.log()))
                .expect("standard output is text");
        }
        line.truncate(line.trim_end_matches('\n').len());
        line
    }

    /// Returns what the process has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// Waits until standard error contains `text`.
    pub(crate) async fn logged(&self, text: &str) {
        let mut stderr = self.stderr.clone();
        let found = tokio::time::timeout(LIMIT, stderr.wait_for(|log| log.contains(text))).await;
        assert!(matches!(found, Ok(Ok(_))), "standard error lacks {text:?}:\n{}", self.log());
    }

    /// Returns whether the process still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Presses Ctrl-C in the terminal of the process.
    pub(crate) fn press_ctrl_c(&self) {
        press_ctrl_c(self.id()).expect("a running child");
    }

    /// Presses Ctrl-Break there.
    #[cfg(windows)]
    pub(crate) fn press_ctrl_break(&self) {
        terraform_cli::press_ctrl_break(self.id()).expect("a running child");
    }

    /// Asks the process to end.
    #[cfg(unix)]
    pub(crate) fn send_sigterm(&self) {
        use nix::sys::signal::{Signal, kill};
        let id = nix::unistd::Pid::from_raw(self.id().cast_signed());
        kill(id, Signal::SIGTERM).expect("a running child");
    }

    /// Waits for the end of the process.
    pub(crate) async fn end(&mut self) -> Ended {
        let ended = tokio::time::timeout(LIMIT, async {
            let mut stdout = String::new();
            if let Some(stream) = &mut self.stdout {
                stream.read_to_string(&mut stdout).await.expect("standard output is text");
            }
            let status = self.child.wait().await.expect("a child");
            while self.stderr.changed().await.is_ok() {}
            Ended { status, stdout, stderr: self.log() }
        });
        match ended.await {
            Ok(ended) => ended,
            Err(_) => panic!("the process does not end; standard error:\n{}", self.log()),
        }
    }
}

/// The line with a plugin's address and certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) fields: Vec<String>,
}

impl Handshake {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split('|').map(str::to_owned).collect();
        (fields.len() >= 6).then_some(Self { fields })
    }

    /// Returns the address of the plugin's socket: a path, or on Windows an IP address and a port.
    pub(crate) fn address(&self) -> &str {
        &self.fields[3]
    }

    /// Returns whether the plugin has removed its socket and the directory around it.
    pub(crate) fn is_removed(&self) -> bool {
        is_removed(self.address())
    }

    /// The certificate by which the host knows the plugin, if there is TLS.
    pub(crate) fn certificate(&self) -> Option<CertificateDer<'static>> {
        let field = self.fields[5].as_str();
        (!field.is_empty()).then(|| STANDARD_NO_PAD.decode(field).expect("unpadded base64").into())
    }
}

/// A plugin that has printed its handshake line.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) process: Process,
    pub(crate) handshake: Handshake,
    tls: Option<Tls>,
}

impl Plugin {
    /// Returns the TLS settings of this host for the plugin.
    ///
    /// # Panics
    ///
    /// If there is no TLS.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone().expect("AutoMTLS")
    }

    /// Connects as the host.
    pub(crate) async fn connect(&self) -> Channel {
        match connect(self.handshake.address(), self.tls.as_ref()).await {
            Ok(channel) => channel,
            Err(error) => panic!("cannot connect: {error:?}; standard error:\n{}", self.process.log()),
        }
    }

    /// Connects with these TLS settings, or without TLS.
    pub(crate) async fn connect_as(&self, tls: Option<&Tls>) -> Result<Channel, tonic::transport::Error> {
        connect(self.handshake.address(), tls).await
    }

    /// Shuts the plugin down as a host does.
    pub(crate) async fn shut_down(&mut self) -> Ended {
        let asked = GrpcControllerClient::new(self.connect().await).shutdown(Empty {}).await;
        asked.unwrap_or_else(|status| panic!("{status}; standard error:\n{}", self.process.log()));
        self.process.end().await
    }
}

/// Returns whether no socket at this address is left, nor a directory that was made for it.
pub(crate) fn is_removed(address: &str) -> bool {
    // A port ends with its process, and the next process may have it already.
    cfg!(windows) || !Path::new(address).parent().expect("a directory").exists()
}

/// Connects to a socket. Hanging requests fail after [`LIMIT`].
pub(crate) async fn connect(address: &str, tls: Option<&Tls>) -> Result<Channel, tonic::transport::Error> {
    let address = address.to_owned();
    let tls = tls.map(|tls| (tls.server_name.clone(), TlsConnector::from(Arc::new(tls.config()))));
    let connector = tower::service_fn(move |_: Uri| {
        let (address, tls) = (address.clone(), tls.clone());
        async move {
            let stream = Socket::connect(address).await?;
            #[cfg(windows)] // As in Go.
            stream.set_nodelay(true)?;
            let io: Box<dyn Io> = match tls {
                Some((name, connector)) => Box::new(connector.connect(name, stream).await?),
                None => Box::new(stream),
            };
            Ok::<_, io::Error>(TokioIo::new(io))
        }
    });
    let endpoint = Endpoint::from_static("http://localhost").timeout(LIMIT).connect_timeout(LIMIT);
    endpoint.connect_with_connector(connector).await
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A client's TLS settings.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The only server certificate to trust.
    pub(crate) server: CertificateDer<'static>,
    /// The name that its certificate must have.
    pub(crate) server_name: ServerName<'static>,
    /// The client's certificate, if it sends one.
    pub(crate) identity: Option<Identity>,
    /// The version of TLS that the client speaks.
    pub(crate) version: &'static SupportedProtocolVersion,
}

impl Tls {
    /// Trusts a server with this certificate and a plugin's name. Sends no client certificate.
    pub(crate) fn trusting(server: CertificateDer<'static>) -> Self {
        let server_name = ServerName::try_from("localhost").expect("a name");
        Self { server, server_name, identity: None, version: &TLS13 }
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version of TLS")
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            // rustls' own resolver refuses a key that does not match the certificate.
            Some(identity) => config.with_client_cert_resolver(Arc::new(Only(identity.certified_key()))),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// Sends its certificate, whatever the server asks for.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesClientCert for Only {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The certificate, and the rest of its chain.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: Arc<KeyPair>,
}

impl Identity {
    /// Creates a host's identity as go-plugin does: ECDSA P-521, self-signed, and marked as a certificate authority.
    pub(crate) fn new() -> Self {
        Self::named("localhost")
    }

    /// Creates an identity with another common name.
    pub(crate) fn named(name: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).expect("a key");
        let certificate = parameters(name).self_signed(&key).expect("a certificate").der().clone();
        Self { chain: vec![certificate], key: Arc::new(key) }
    }

    /// Creates an identity whose certificate this one signs.
    pub(crate) fn issue(&self) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).expect("a key");
        let (ours, mut theirs) = (parameters("localhost"), parameters("localhost"));
        theirs.is_ca = IsCa::NoCa;
        let issuer = Issuer::from_params(&ours, &*self.key);
        let certificate = theirs.signed_by(&key, &issuer).expect("a certificate").der().clone();
        Self { chain: vec![certificate], key: Arc::new(key) }
    }

    /// Returns the certificate in the form of `PLUGIN_CLIENT_CERT`.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.chain[0])
    }

    fn certified_key(&self) -> Arc<CertifiedKey> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let key = aws_lc_rs::sign::any_supported_type(&key).expect("a key to sign with");
        Arc::new(CertifiedKey::new(self.chain.clone(), key))
    }
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, "HashiCorp");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyAgreement,
        KeyUsagePurpose::KeyCertSign,
    ];
    parameters
}

/// Encodes bytes as PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
