//! What an operation is given beside its input.

use tokio_util::sync::CancellationToken;

use super::{Diagnostic, Diagnostics};

/// The surroundings of one operation: where its warnings go, and whether Terraform still wants it.
#[derive(Debug)]
pub struct Context {
    warnings: Diagnostics,
    stop: CancellationToken,
}

impl Context {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { warnings: Diagnostics::new(), stop }
    }

    /// Tells the person something that does not end the operation.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    /// Cancelled when Terraform wants operations under way to end (Ctrl-C). What waits should wait no longer.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    pub(super) fn into_warnings(self) -> Diagnostics {
        self.warnings
    }
}
