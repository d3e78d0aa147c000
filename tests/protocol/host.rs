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
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, SigningKey};
use p521::elliptic_curve::Generate as _;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion};
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
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder};
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::Ia5String;
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned as SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

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
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
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
    pub(crate) key: EcdsaP521Sha512,
}

impl Identity {
    /// Creates a host's identity as go-plugin does: ECDSA P-521, self-signed, and marked as a certificate authority.
    pub(crate) fn new() -> Self {
        Self::named("localhost")
    }

    /// Creates an identity with another common name.
    pub(crate) fn named(name: &str) -> Self {
        let key = SigningKey::generate();
        let certificate = certificate(name, true, &key, &key);
        Self { chain: vec![certificate], key: EcdsaP521Sha512(key) }
    }

    /// Creates an identity whose certificate this one signs.
    pub(crate) fn issue(&self) -> Self {
        let key = SigningKey::generate();
        let certificate = certificate("localhost", false, &key, &self.key.0);
        Self { chain: vec![certificate], key: EcdsaP521Sha512(key) }
    }

    /// Returns the certificate in the form of `PLUGIN_CLIENT_CERT`.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.chain[0])
    }

    fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::new(CertifiedKey::new(self.chain.clone(), Arc::new(self.key.clone())))
    }
}

/// Creates a certificate with this common name for `key`.
fn certificate(name: &str, is_authority: bool, key: &SigningKey, issuer: &SigningKey) -> CertificateDer<'static> {
    let profile = OfHost { name: format!("CN={name},O=HashiCorp").parse().expect("a name"), is_authority };
    let validity = Validity::from_now(Duration::from_secs(24 * 60 * 60)).expect("a time");
    let public = SubjectPublicKeyInfo::from_key(key.verifying_key()).expect("a key");
    let builder = CertificateBuilder::new(profile, SerialNumber::from(1_u32), validity, public).expect("a certificate");
    let certificate = builder.build::<_, DerSignature>(issuer).expect("a certificate");
    certificate.to_der().expect("a certificate").into()
}

/// What go-plugin writes into a certificate.
struct OfHost {
    name: Name,
    is_authority: bool,
}

impl BuilderProfile for OfHost {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.name.clone()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let subject = tbs.subject();
        let name = GeneralName::DnsName(Ia5String::new("localhost")?);
        let usages =
            KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::KeyAgreement | KeyUsages::KeyCertSign;
        let purposes = vec![ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH];
        Ok(vec![
            BasicConstraints { ca: self.is_authority, path_len_constraint: None }.to_extension(subject, &[])?,
            SubjectAltName(vec![name]).to_extension(subject, &[])?,
            KeyUsage(usages).to_extension(subject, &[])?,
            ExtendedKeyUsage(purposes).to_extension(subject, &[])?,
        ])
    }
}

/// A key that signs handshakes as Terraform does.
#[derive(Debug, Clone)]
pub(crate) struct EcdsaP521Sha512(SigningKey);

impl rustls::sign::SigningKey for EcdsaP521Sha512 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512).then(|| Box::new(self.clone()) as _)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl rustls::sign::Signer for EcdsaP521Sha512 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: DerSignature = self.0.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// Encodes bytes as PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
