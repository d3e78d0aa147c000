//! The services that have callback configurations.

/// A service whose events Tencent can send to a URL. Each has one callback configuration per application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Service {
    /// The segment of the API's paths that names it, such as `call_config`.
    pub path_segment: &'static str,
    /// What Tencent documents for a service whose configuration exists already.
    pub overwrite: Overwrite,
}

/// How an existing configuration is overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// By `set_callback`, silently.
    BySet,
    /// By `update_callback`. `set_callback` creates only, and answers 100300.
    ByUpdate,
}
