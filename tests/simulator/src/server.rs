//! The sockets: accepts connections, speaks HTTP/1.1 on them, and ends them when a fault asks for it.
//!
//! It has its own accept loop because a reset needs the socket under a connection, which axum does not give out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::fault::{Delivery, End};
use crate::record::Incoming;
use crate::state::Shared;

/// The most bytes of a body that are read, far more than any real request has.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The connection that a request came over, as its handler sees it.
#[derive(Clone)]
struct Connection {
    number: u64,
    end: mpsc::Sender<End>,
}

/// Accepts connections until it is dropped, together with the runtime that holds the connections' tasks.
pub(crate) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let router = Router::new().fallback(handle).with_state(shared);
    let mut number = 0;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Most likely out of file descriptors: others may be closed in the meantime.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        number += 1;
        let router = router.clone();
        let tls = tls.clone();
        tokio::spawn(async move {
            // The client reports what fails here.
            let _ = connect(stream, tls, router, number).await;
        });
    }
}

async fn connect(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => serve(stream, |stream| stream, router, number).await,
        Some(tls) => serve(tls.accept(stream).await?, |stream| stream.get_ref().0, router, number).await,
    }
}

/// Serves one connection, with keep-alive. `socket` returns the socket under the stream.
async fn serve<S>(stream: S, socket: impl FnOnce(&S) -> &TcpStream, router: Router, number: u64) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (end, mut ended) = mpsc::channel(1);
    let service = TowerToHyperService::new(router.layer(Extension(Connection { number, end })));
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let end = tokio::select! {
        done = &mut http => return done.map_err(io::Error::other),
        end = ended.recv() => end,
    };
    let stream = http.into_parts().io.into_inner();
    if end == Some(End::Reset) {
        // A socket that does not linger is closed with RST instead of FIN.
        socket(&stream).set_zero_linger()?;
    }
    Ok(())
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Connection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return connection.end(End::Close).await;
    };
    match shared.take(Incoming::new(connection.number, &method, &uri, headers, body)) {
        Delivery::Answer(answer) => answer,
        Delivery::Late { delay, answer } => {
            tokio::time::sleep(delay).await;
            answer
        }
        Delivery::Never => std::future::pending().await,
        Delivery::End(end) => connection.end(end).await,
    }
}

impl Connection {
    /// Asks for the end of the connection, and waits for it. The end drops the wait.
    async fn end(&self, end: End) -> Response {
        let _ = self.end.send(end).await;
        std::future::pending().await
    }
}
