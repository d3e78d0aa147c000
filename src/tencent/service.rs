//! The services that have callback configurations.

use super::api_version::ApiVersion;

/// A service whose events Tencent can send to a URL. Each application has one callback configuration per service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Service {
    /// The version of the API that has the service.
    pub version: ApiVersion,
    /// The segment that names the service in the API's paths, such as `call_config`.
    pub path_segment: &'static str,
    /// The call that overwrites a configuration, as Tencent documents it for the service.
    pub overwrite: Overwrite,
}

/// The call that overwrites an existing configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// `set_callback`, which overwrites silently.
    BySet,
    /// `update_callback`. `set_callback` only creates, and answers 100300 where a configuration exists.
    ByUpdate,
}
