//! The reasons for the process to end: a shutdown request, a signal, or a host that is gone.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Mode;

/// The time without a connection after which the host counts as gone.
const HOST_GONE: Duration = Duration::from_secs(3);
/// The time that a host may take to connect. go-plugin itself gives a plugin a minute to start.
const HOST_SILENT: Duration = Duration::from_secs(60);

/// The lifetime of the process. Clones are handles of the same lifetime.
#[derive(Debug, Clone)]
pub(super) struct Lifetime {
    end: CancellationToken,
    connections: watch::Sender<usize>,
}

/// A connection that is counted until it is dropped.
#[derive(Debug)]
pub(super) struct Alive(watch::Sender<usize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Lifetime {
    /// Returns a lifetime that cancels `end` when it ends.
    pub(super) fn new(end: CancellationToken) -> Self {
        Self { end, connections: watch::Sender::new(0) }
    }

    /// Ends the lifetime.
    pub(super) fn end(&self, reason: &str) {
        tracing::debug!(reason, "the process ends");
        self.end.cancel();
    }

    /// Resolves when the lifetime has ended.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.end.clone().cancelled_owned()
    }

    /// Counts a connection.
    pub(super) fn connection(&self) -> Alive {
        self.connections.send_modify(|count| *count += 1);
        Alive(self.connections.clone())
    }

    /// Waits for a reason to end, then ends the lifetime. Signals are handled from this call on, even before it is
    /// polled.
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
            // These waits cannot fail, because `self` holds the sender.
            let _ = count.wait_for(|count| *count == 0).await;
            if timeout(HOST_GONE, count.wait_for(|count| *count > 0)).await.is_err() {
                return "the host is gone";
            }
        }
    }
}

/// Waits for a signal to end. A terminal sends Ctrl-C to both host and plugin, and the host decides what happens.
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

/// Waits for an event of the console to end. A console sends its events to both host and plugin, and the host decides what
/// happens.
#[cfg(windows)]
fn signals(mode: Mode) -> impl Future<Output = &'static str> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let handlers = (ctrl_c(), ctrl_break(), ctrl_close());
    async move {
        let (Ok(mut interrupt), Ok(mut break_), Ok(mut close)) = handlers else {
            tracing::warn!("signals cannot be handled");
            return std::future::pending().await;
        };
        loop {
            let event = tokio::select! {
                _ = interrupt.recv() => "Ctrl-C",
                _ = break_.recv() => "Ctrl-Break",
                _ = close.recv() => "the console closes",
            };
            match mode {
                Mode::Hosted => tracing::debug!(event, "left to the host"),
                Mode::Debug => return event,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};
    use tonic::Request;

    use super::super::proto::Empty;
    use super::super::proto::grpc_controller_server::GrpcController as _;
    use super::super::services::Controller;
    use super::*;

    #[tokio::test]
    async fn a_shutdown_request_cancels_the_token() {
        let end = CancellationToken::new();
        let lifetime = Lifetime::new(end.clone());
        let watch = lifetime.watch(Mode::Hosted);
        assert!(!end.is_cancelled());
        Controller::new(&lifetime).shutdown(Request::new(Empty {})).await.expect("an answer");
        assert!(end.is_cancelled());
        watch.await;
    }

    #[tokio::test(start_paused = true)]
    async fn losing_the_host_cancels_the_token() {
        let end = CancellationToken::new();
        let lifetime = Lifetime::new(end.clone());
        let watch = tokio::spawn({
            let lifetime = lifetime.clone();
            async move { lifetime.watch(Mode::Hosted).await }
        });
        let connection = lifetime.connection();
        advance(HOST_SILENT * 2).await;
        assert!(!end.is_cancelled(), "the host is there");
        drop(connection);
        let dropped = Instant::now();
        end.cancelled().await;
        assert_eq!(dropped.elapsed(), HOST_GONE);
        watch.await.expect("no panic");
    }
}
