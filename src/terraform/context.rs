//! What an operation is given beside its input.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{Diagnostic, Diagnostics};

/// The surroundings of one operation: where its warnings go, whether Terraform still wants it, and what the provider
/// itself remembers of the object.
#[derive(Debug)]
pub struct Context {
    warnings: Diagnostics,
    stop: CancellationToken,
    end: CancellationToken,
    private: Vec<u8>,
    provider_is_known: bool,
}

impl Context {
    pub(super) fn new(stop: CancellationToken, end: CancellationToken) -> Self {
        Self { warnings: Diagnostics::new(), stop, end, private: Vec::new(), provider_is_known: true }
    }

    /// Tells the person something that does not end the operation.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    /// Cancelled when Terraform wants operations under way to end (Ctrl-C). What waits should wait no longer.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Cancelled when the process itself is about to end, within two seconds: what is under way should only tell what
    /// it knows.
    pub fn end(&self) -> &CancellationToken {
        &self.end
    }

    /// Whether the client can reach anything remote. Only a plan is made with one that cannot: while the provider's own
    /// configuration is not known.
    pub fn provider_is_known(&self) -> bool {
        self.provider_is_known
    }

    pub(super) fn set_provider_is_known(&mut self, known: bool) {
        self.provider_is_known = known;
    }

    /// What an earlier operation on the same object has set; the default if nothing of this form was set. Terraform
    /// keeps it beside the state, and nobody is shown it.
    pub fn private<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.private).unwrap_or_default()
    }

    /// Remembers `value` for later operations on the same object. No secrets: the state file is no place for them.
    pub fn set_private<T: Serialize>(&mut self, value: &T) {
        self.private = serde_json::to_vec(value).expect("private data is plain data");
    }

    pub(super) fn private_bytes(&self) -> Vec<u8> {
        self.private.clone()
    }

    pub(super) fn set_private_bytes(&mut self, bytes: Vec<u8>) {
        self.private = bytes;
    }

    pub(super) fn discard_warnings(&mut self) {
        self.warnings = Diagnostics::new();
    }

    pub(super) fn into_warnings(self) -> Diagnostics {
        self.warnings
    }
}
