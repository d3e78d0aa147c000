//! What a configuration of the provider lasts for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::provider::{Configured, Provider};

/// One caller of the [`Server`](super::Server): the client that its configuration made, and whether it wants what is
/// under way to stop. Clones are handles of the same session.
///
/// Terraform calls once for each provider block. A transport that tells callers apart puts a session of its own into the
/// extensions of each caller's requests; requests without one share one.
pub struct Session<P: Provider>(Arc<Mutex<Run<P::Client>>>);

/// What is between one configuration and the next.
struct Run<C> {
    /// `None` before Terraform has configured the provider.
    client: Option<Arc<Configured<C>>>,
    stop: CancellationToken,
}

impl<P: Provider> Session<P> {
    fn run(&self) -> MutexGuard<'_, Run<P::Client>> {
        // Each change of a session is one assignment: a panic cannot leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn client(&self) -> Option<Arc<Configured<P::Client>>> {
        self.run().client.clone()
    }

    /// Cancelled when Terraform wants what is under way to stop.
    pub(super) fn stop(&self) -> CancellationToken {
        self.run().stop.clone()
    }

    /// Begins a new run, in which nothing is stopped: a session may outlive several.
    pub(super) fn configure(&self, client: Configured<P::Client>) {
        *self.run() = Run { client: Some(Arc::new(client)), stop: CancellationToken::new() };
    }
}

impl<P: Provider> Default for Session<P> {
    /// A session that Terraform has yet to configure.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Run { client: None, stop: CancellationToken::new() })))
    }
}

impl<P: Provider> Clone for Session<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Provider> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
