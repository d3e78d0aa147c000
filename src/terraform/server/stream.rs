//! How an RPC is answered with a stream: by work that sends events, and ends with a last one.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tonic::Status;

use super::panicked;
use crate::terraform::{Context, Diagnostics};

/// An event of a stream.
pub(super) trait Event: Sized {
    /// The last one, with all that is left to be said; none if nothing is.
    fn last(diagnostics: Diagnostics) -> Option<Self>;
}

/// Where the events of one RPC go.
pub(super) struct Events<E>(mpsc::Sender<Result<E, Status>>);

impl<E> Events<E> {
    /// Sends one, as soon as the one before is on its way.
    pub(super) async fn send(&self, event: E) {
        self.deliver(Ok(event)).await;
    }

    async fn deliver(&self, event: Result<E, Status>) {
        // Where nobody listens any more, the work is about to be dropped.
        let _ = self.0.send(event).await;
    }
}

/// The events of one RPC. Its work goes on while they are asked for, and ends with the stream. What it panics with ends
/// nothing else.
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
