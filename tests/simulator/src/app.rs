//! The applications that the simulator knows, with their keys and administrators.

use std::fmt;

/// One application, as Tencent's console would show it.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// Tencent's number for the application.
    pub sdk_app_id: u64,
    /// The key that signs the application's UserSigs. It is never printed.
    pub secret_key: String,
    /// The accounts that may call the API for the application.
    pub administrators: Vec<String>,
    /// Whether Tencent serves the application.
    pub status: AppStatus,
}

/// The status of an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppStatus {
    /// Tencent serves the application.
    #[default]
    Active,
    /// The SDKAppID is disabled: 60016.
    Disabled,
    /// The application's requests are forbidden: 60017.
    Forbidden,
    /// The application's plan has expired and is suspended: 60020.
    Suspended,
}

impl App {
    /// Creates an active application with the administrator that the console creates, `administrator`.
    pub fn new(sdk_app_id: u64, secret_key: impl Into<String>) -> Self {
        Self {
            sdk_app_id,
            secret_key: secret_key.into(),
            administrators: vec!["administrator".to_owned()],
            status: AppStatus::Active,
        }
    }

    /// Adds an administrator.
    #[must_use]
    pub fn administrator(mut self, account: impl Into<String>) -> Self {
        self.administrators.push(account.into());
        self
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: AppStatus) -> Self {
        self.status = status;
        self
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("sdk_app_id", &self.sdk_app_id)
            .field("secret_key", &"***")
            .field("administrators", &self.administrators)
            .field("status", &self.status)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_prints_the_key() {
        let printed = format!("{:?}", App::new(1_400_000_001, "a-key-to-hide"));
        assert!(printed.contains("1400000001") && !printed.contains("a-key-to-hide"), "{printed}");
    }
}
