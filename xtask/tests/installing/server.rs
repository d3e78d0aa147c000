//! Files over HTTPS, for clients that trust one certificate.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::Result;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server on loopback. Dropping it stops it.
pub(crate) struct Server {
    port: u16,
    files: Files,
    directory: TempDir,
    _runtime: Runtime,
}

impl Server {
    /// Starts a server without files.
    pub(crate) fn start() -> Result<Self> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("ca.pem"), ca.self_signed(&ca_key)?.pem())?;
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &Issuer::new(ca, ca_key))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let socket = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let port = socket.local_addr()?.port();
        let files = Files::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&files));
        let listener = TlsListener { socket, acceptor: TlsAcceptor::from(Arc::new(config)) };
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { port, files, directory, _runtime: runtime })
    }

    /// Returns `HOST:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Returns the certificate to trust.
    pub(crate) fn ca_certificate(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Serves `content` at `path`, in place of what was there.
    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), content.into());
    }
}

async fn answer(State(files): State<Files>, uri: Uri) -> Response {
    let path = uri.path();
    match files.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned() {
        Some(content) if content.starts_with(b"{") => {
            ([(header::CONTENT_TYPE, "application/json")], content).into_response()
        }
        Some(content) => ([(header::CONTENT_TYPE, "application/octet-stream")], content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

struct TlsListener {
    socket: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.socket.accept().await else { continue };
            // Serves one client at a time.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}
