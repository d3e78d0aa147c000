//! Why the process ends: the host's wish, a signal, or a host that is gone.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Mode;

/// How long after the last connection a host counts as gone.
const HOST_GONE: Duration = Duration::from_secs(3);
/// How long a host may take to connect: go-plugin itself gives a plugin a minute to start.
const HOST_SILENT: Duration = Duration::from_secs(60);

/// The life of the process. Clones are handles of the same life.
#[derive(Debug, Clone)]
pub(super) struct Lifetime {
    end: CancellationToken,
    connections: watch::Sender<usize>,
}

/// A connection, while it lasts.
#[derive(Debug)]
pub(super) struct Alive(watch::Sender<usize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Lifetime {
    pub(super) fn new() -> Self {
        Self { end: CancellationToken::new(), connections: watch::Sender::new(0) }
    }

    /// Ends it.
    pub(super) fn end(&self, reason: &str) {
        tracing::debug!(reason, "the process ends");
        self.end.cancel();
    }

    /// Resolves when it has ended.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.end.clone().cancelled_owned()
    }

    /// Counts a connection.
    pub(super) fn connection(&self) -> Alive {
        self.connections.send_modify(|count| *count += 1);
        Alive(self.connections.clone())
    }

    /// Waits for the end, and for what brings it about. Signals are handled from this call on.
    pub(super) fn watch(&self, mode: Mode) -> impl Future<Output = ()> {
        let signals = signals(mode);
        async move {
            tokio::select! {
                () = self.ended() => {}
                reason = signals => self.end(reason),
                reason = self.host_gone(), if mode == Mode::Hosted => self.end(reason),
            }
        }
    }

    async fn host_gone(&self) -> &'static str {
        let mut count = self.connections.subscribe();
        if timeout(HOST_SILENT, count.wait_for(|count| *count > 0)).await.is_err() {
            return "no host connected";
        }
        loop {
            // The sender is this life's own: these waits cannot fail.
            let _ = count.wait_for(|count| *count == 0).await;
            if timeout(HOST_GONE, count.wait_for(|count| *count > 0)).await.is_err() {
                return "the host is gone";
            }
        }
    }
}

/// Waits for a signal to end. A terminal sends Ctrl-C to the host and to the plugin: the host decides what it means.
#[cfg(unix)]
fn signals(mode: Mode) -> impl Future<Output = &'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let handlers = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = handlers else {
            tracing::warn!("signals cannot be handled");
            return std::future::pending().await;
        };
        loop {
            tokio::select! {
                _ = terminate.recv() => return "SIGTERM",
                _ = interrupt.recv() => match mode {
                    Mode::Hosted => tracing::debug!("SIGINT is left to the host"),
                    Mode::Debug => return "SIGINT",
                },
            }
        }
    }
}

#[cfg(windows)]
fn signals(mode: Mode) -> impl Future<Output = &'static str> {
    let handler = tokio::signal::windows::ctrl_c();
    async move {
        let Ok(mut interrupt) = handler else {
            tracing::warn!("signals cannot be handled");
            return std::future::pending().await;
        };
        loop {
            interrupt.recv().await;
            match mode {
                Mode::Hosted => tracing::debug!("Ctrl-C is left to the host"),
                Mode::Debug => return "Ctrl-C",
            }
        }
    }
}
