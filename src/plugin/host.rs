//! The host's settings, which it passes in the environment.

use std::env;
#[cfg(unix)]
use std::path::PathBuf;

use super::ServeError;

/// The variable that tells a plugin that a host started it, and its value for Terraform.
const MAGIC_COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
const PROTOCOL_VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
const CLIENT_CERT: &str = "PLUGIN_CLIENT_CERT";
const MULTIPLEX_GRPC: &str = "PLUGIN_MULTIPLEX_GRPC";
#[cfg(unix)]
pub(super) const UNIX_SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";
#[cfg(unix)]
pub(super) const UNIX_SOCKET_GROUP: &str = "PLUGIN_UNIX_SOCKET_GROUP";
#[cfg(windows)]
const MIN_PORT: &str = "PLUGIN_MIN_PORT";
#[cfg(windows)]
const MAX_PORT: &str = "PLUGIN_MAX_PORT";

/// A host's settings. The default is for a plugin without a host.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// The versions of the application protocol that the host speaks; empty if it does not say.
    protocol_versions: Vec<u32>,
    /// The certificate to trust, in PEM, if the host uses AutoMTLS.
    pub(super) client_certificate: Option<String>,
    /// Whether the host can read a seventh field in the handshake line.
    pub(super) knows_multiplexing: bool,
    /// The directory for the socket.
    #[cfg(unix)]
    pub(super) socket_dir: Option<PathBuf>,
    /// The group that may use the socket.
    #[cfg(unix)]
    pub(super) socket_group: Option<String>,
    /// The ports that the listener may use.
    #[cfg(windows)]
    pub(super) ports: Option<std::ops::RangeInclusive<u16>>,
}

impl Host {
    pub(super) fn from_env() -> Result<Self, ServeError> {
        if env::var(MAGIC_COOKIE.0).as_deref() != Ok(MAGIC_COOKIE.1) {
            return Err(ServeError::NoHost);
        }
        let versions = set(PROTOCOL_VERSIONS)?.unwrap_or_default();
        Ok(Self {
            protocol_versions: versions.split(',').filter_map(|version| version.trim().parse().ok()).collect(),
            client_certificate: set(CLIENT_CERT)?,
            knows_multiplexing: env::var_os(MULTIPLEX_GRPC).is_some_and(|value| !value.is_empty()),
            #[cfg(unix)]
            socket_dir: env::var_os(UNIX_SOCKET_DIR).filter(|dir| !dir.is_empty()).map(PathBuf::from),
            #[cfg(unix)]
            socket_group: set(UNIX_SOCKET_GROUP)?,
            #[cfg(windows)]
            ports: match (port(MIN_PORT)?, port(MAX_PORT)?) {
                (Some(min), Some(max)) if min <= max => Some(min..=max),
                (None, None) => None,
                _ => {
                    let reason = format!("it takes both {MIN_PORT} and {MAX_PORT}, the smaller one first");
                    return Err(ServeError::Environment { name: MIN_PORT, reason });
                }
            },
        })
    }

    /// Warns if the host does not speak our version. The plugin is served nevertheless, because the host then shows its
    /// own error, which would be lost if the process ended.
    pub(super) fn warn_of_other_versions(&self, ours: u32) {
        if !self.protocol_versions.is_empty() && !self.protocol_versions.contains(&ours) {
            tracing::warn!(host = ?self.protocol_versions, ours, "the host does not speak this plugin protocol version");
        }
    }
}

/// Reads a variable. An empty one counts as not set.
fn set(name: &'static str) -> Result<Option<String>, ServeError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ServeError::Environment { name, reason: "it is not UTF-8".into() }),
    }
}

#[cfg(windows)]
fn port(name: &'static str) -> Result<Option<u16>, ServeError> {
    let parse = |text: String| {
        text.parse().map_err(|_| ServeError::Environment { name, reason: "it is not a port number".into() })
    };
    set(name)?.map(parse).transpose()
}
