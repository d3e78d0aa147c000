//! Sessions: how long a configuration of the provider lasts.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::provider::{Configured, Provider};

/// The session of one caller of the [`Server`](super::Server): its configured client, and its signal to stop. Clones
/// are handles of the same session.
///
/// Each provider block is one caller. A transport that tells callers apart puts the caller's session into the
/// extensions of its requests. Requests without a session share one.
pub struct Session<P: Provider>(Arc<Mutex<Run<P::Client>>>);

/// The state from one configuration of the provider to the next.
struct Run<C> {
    /// `None` before Terraform has configured the provider.
    client: Option<Arc<Configured<C>>>,
    stop: CancellationToken,
    host: Host,
}

/// The program that has configured the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Host {
    #[default]
    Terraform,
    /// Pulumi's bridge to Terraform providers.
    Pulumi,
}

impl Host {
    /// Recognizes the host by the version that it sends. Pulumi's bridge names itself in the version's build metadata:
    /// `pkg/pf/tfbridge/provider_configure.go` in pulumi-terraform-bridge 3.136.0.
    pub(super) fn of(terraform_version: &str) -> Self {
        if terraform_version.ends_with("+pulumi-terraform-bridge") { Self::Pulumi } else { Self::Terraform }
    }
}

impl<P: Provider> Session<P> {
    fn run(&self) -> MutexGuard<'_, Run<P::Client>> {
        // Each change is one assignment, so a panic cannot leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn client(&self) -> Option<Arc<Configured<P::Client>>> {
        self.run().client.clone()
    }

    /// Returns a token that is cancelled when Terraform asks operations in flight to stop.
    pub(super) fn stop(&self) -> CancellationToken {
        self.run().stop.clone()
    }

    pub(super) fn host(&self) -> Host {
        self.run().host
    }

    /// Begins a new run, with a new signal to stop.
    pub(super) fn configure(&self, client: Configured<P::Client>, host: Host) {
        *self.run() = Run { client: Some(Arc::new(client)), stop: CancellationToken::new(), host };
    }
}

impl<P: Provider> Default for Session<P> {
    /// Returns a session that Terraform has not configured yet.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Run { client: None, stop: CancellationToken::new(), host: Host::default() })))
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
