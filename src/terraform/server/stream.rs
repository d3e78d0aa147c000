//! The streams of RPCs that answer with one: a handler sends events, and a last event follows.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tonic::Status;

use super::panicked;
use crate::terraform::{Context, Diagnostics};

/// An event of a stream.
pub(super) trait Event: Sized {
    /// Builds the last event, with the remaining diagnostics; `None` if no last event is needed.
    fn last(diagnostics: Diagnostics) -> Option<Self>;
}

/// The sender of one RPC's events.
pub(super) struct Events<E>(mpsc::Sender<Result<E, Status>>);

impl<E> Events<E> {
    /// Sends an event, as soon as the previous one is on its way.
    pub(super) async fn send(&self, event: E) {
        self.deliver(Ok(event)).await;
    }

    async fn deliver(&self, event: Result<E, Status>) {
        // If nobody listens any more, the handler is about to be dropped.
        let _ = self.0.send(event).await;
    }
}

/// Runs the handler of one RPC, and returns its events. The handler runs only while the stream is polled, and is
/// dropped with it. A panic ends this stream only.
pub(super) fn stream<E: Event>(
    rpc: &'static str,
    mut cx: Context,
    work: impl AsyncFnOnce(&Events<E>, &mut Context) -> Result<(), Diagnostics>,
) -> impl Stream<Item = Result<E, Status>> {
    let (sender, mut receiver) = mpsc::channel(1);
    let work = async move {
        let events = Events(sender);
        let outcome = AssertUnwindSafe(work(&events, &mut cx)).catch_unwind().await;
        let last = match outcome {
            Ok(outcome) => {
                let mut diagnostics = outcome.err().unwrap_or_default();
                diagnostics.extend(cx.into_warnings());
                E::last(diagnostics).map(Ok)
            }
            Err(_) => Some(Err(panicked(rpc))),
        };
        if let Some(last) = last {
            events.deliver(last).await;
        }
    };
    let work = stream::once(work).filter_map(async |()| None);
    stream::select(stream::poll_fn(move |cx| receiver.poll_recv(cx)), work)
}
