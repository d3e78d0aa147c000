//! Accepting connections that the server can trust.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream as FuturesStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::transport::server::Connected;

use super::lifetime::{Alive, Lifetime};
use super::listener::{Listener, Stream};
use super::tls::Tls;

/// The time that a client may take for the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// The pause after a failure to accept. Some failures, such as a lack of file descriptors, would repeat at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A stream of connections from trusted clients.
pub(super) struct Connections<C>(mpsc::Receiver<io::Result<Connection<C>>>);

impl<C: Clone + Default + Send + 'static> Connections<C> {
    /// Accepts connections until the process ends. Each TLS handshake has its own task, so that a slow or hostile
    /// client delays nobody else. If `shared` is `None`, each connection gets its own `C`.
    pub(super) fn accept(listener: Listener, tls: Option<Tls>, lifetime: &Lifetime, shared: Option<C>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let lifetime = lifetime.clone();
        let tls = tls.map(Arc::new);
        tokio::spawn(async move {
            let ended = lifetime.ended();
            tokio::pin!(ended);
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = &mut ended => return,
                };
                let stream = match accepted {
                    Ok(stream) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                let (tls, sender, lifetime) = (tls.clone(), sender.clone(), lifetime.clone());
                let caller = shared.clone().unwrap_or_default();
                tokio::spawn(async move {
                    match trust(stream, tls.as_deref()).await {
                        Ok(io) => {
                            let connection = Connection { io, caller, _alive: lifetime.connection() };
                            // Sending fails only if the server has ended.
                            let _ = sender.send(Ok(connection)).await;
                        }
                        Err(error) => tracing::warn!(%error, "a connection was refused"),
                    }
                });
            }
        });
        Self(receiver)
    }
}

impl<C> FuturesStream for Connections<C> {
    type Item = io::Result<Connection<C>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

async fn trust(stream: Stream, tls: Option<&Tls>) -> io::Result<Box<dyn Io>> {
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    match timeout(HANDSHAKE_LIMIT, tls.acceptor.accept(stream)).await {
        Ok(accepted) => Ok(Box::new(accepted?)),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")),
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection of a trusted client.
pub(super) struct Connection<C> {
    io: Box<dyn Io>,
    caller: C,
    _alive: Alive,
}

impl<C: Clone + Send + Sync + 'static> Connected for Connection<C> {
    type ConnectInfo = C;

    fn connect_info(&self) -> C {
        self.caller.clone()
    }
}

impl<C: Unpin> AsyncRead for Connection<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<C: Unpin> AsyncWrite for Connection<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
