//! The context of an operation, apart from its input.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{Diagnostic, Diagnostics};

/// The context of one operation: its warnings, the signals to stop, and the private data of the object.
#[derive(Debug)]
pub struct Context {
    warnings: Diagnostics,
    stop: CancellationToken,
    end: CancellationToken,
    private: Vec<u8>,
    first_plan: Vec<u8>,
    host_keeps_plans: bool,
    host_drops_plans: bool,
    provider_is_known: bool,
}

#[cfg(test)]
impl Default for Context {
    /// Makes the context of an operation that nothing interrupts.
    fn default() -> Self {
        Self::new(CancellationToken::new(), CancellationToken::new())
    }
}

impl Context {
    pub(super) fn new(stop: CancellationToken, end: CancellationToken) -> Self {
        Self {
            warnings: Diagnostics::new(),
            stop,
            end,
            private: Vec::new(),
            first_plan: Vec::new(),
            host_keeps_plans: false,
            host_drops_plans: false,
            provider_is_known: true,
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    /// Returns a token that is cancelled when Terraform asks operations in flight to stop (Ctrl-C). An operation should
    /// then stop waiting.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Returns a token that is cancelled when the process is about to end, within two seconds. An operation should then
    /// return what it knows.
    pub fn end(&self) -> &CancellationToken {
        &self.end
    }

    /// Returns whether the client can reach anything remote. It cannot while the provider's own configuration is
    /// unknown, which happens in plans only.
    pub fn provider_is_known(&self) -> bool {
        self.provider_is_known
    }

    pub(super) fn set_provider_is_known(&mut self, known: bool) {
        self.provider_is_known = known;
    }

    /// Returns the private data that an earlier operation on the same object has set, or the default if there is none
    /// of this form. Terraform keeps private data in the state file, and shows it to nobody.
    pub fn private<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.private).unwrap_or_default()
    }

    /// Sets private data for later operations on the same object. It must not contain secrets, because it is kept in
    /// the state file.
    pub fn set_private<T: Serialize>(&mut self, value: &T) {
        self.private = serde_json::to_vec(value).expect("private data is plain data");
    }

    pub(super) fn private_bytes(&self) -> Vec<u8> {
        self.private.clone()
    }

    pub(super) fn set_private_bytes(&mut self, bytes: Vec<u8>) {
        self.private = bytes;
    }

    /// Returns the private data of the plan that is being applied. Terraform plans once more to apply, and since 1.16 it
    /// hands that plan the private data of the first one.
    pub fn first_plan<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.first_plan).ok()
    }

    pub(super) fn set_first_plan_bytes(&mut self, bytes: Vec<u8>) {
        self.first_plan = bytes;
    }

    /// Returns whether the host will hand the private data of this plan to the plan that it makes to apply it.
    pub fn host_keeps_plans(&self) -> bool {
        self.host_keeps_plans
    }

    pub(super) fn set_host_keeps_plans(&mut self, keeps: bool) {
        self.host_keeps_plans = keeps;
    }

    /// Returns whether the host plans an object as often as it likes, and applies only the last plan: Pulumi's bridge.
    pub fn host_drops_plans(&self) -> bool {
        self.host_drops_plans
    }

    pub(super) fn set_host_drops_plans(&mut self, drops: bool) {
        self.host_drops_plans = drops;
    }

    pub(super) fn discard_warnings(&mut self) {
        self.warnings = Diagnostics::new();
    }

    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings
    }
}
