//! Cargo: finds the target directory, and builds a binary of this workspace.
//!
//! `cargo run --example` builds no binary of the package, unlike `cargo test` and `cargo bench`, which put its path into
//! `CARGO_BIN_EXE_…`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::release_build::release_build;
use crate::toolchain::Toolchain;

/// A profile to build in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Cargo's default.
    Dev,
    /// The profile of a release: see [`release_build`](fn@crate::release_build).
    Release,
}

impl Profile {
    /// Returns the profile of the running program.
    pub fn current() -> Self {
        if cfg!(debug_assertions) { Self::Dev } else { Self::Release }
    }
}

/// Builds a binary of this workspace and returns its path. Cargo's progress and the compiler's errors go to standard
/// error, as usual.
///
/// # Errors
///
/// Cargo is not there, the build fails, or there is no binary of this name.
pub fn cargo_build(bin: &str, profile: Profile) -> Result<PathBuf> {
    if profile == Profile::Release {
        return release_build(bin);
    }
    // Also builds an example, so that dependencies have the same features as for the running example, and are not compiled
    // again.
    let arguments = ["build", "--bin", bin, "--example", "quickstart", "--message-format=json-render-diagnostics"];
    let messages = cargo(&Toolchain::of_this_machine(), &root(), &arguments)?;
    executable(&messages, bin).ok_or_else(|| Error::new(format!("`cargo {}` named no executable", arguments.join(" "))))
}

/// Returns Cargo's target directory.
///
/// # Errors
///
/// Cargo is not there.
pub fn target_directory() -> Result<PathBuf> {
    let metadata = cargo(&Toolchain::of_this_machine(), &root(), &["metadata", "--format-version=1", "--no-deps"])?;
    serde_json::from_str::<Value>(&metadata)
        .ok()
        .and_then(|metadata| Some(PathBuf::from(metadata["target_directory"].as_str()?)))
        .ok_or_else(|| Error::new(format!("`cargo metadata` named no target directory:\n{metadata}")))
}

/// Returns the workspace's root.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// Runs Cargo in a checkout and returns what it printed.
pub(crate) fn cargo(toolchain: &Toolchain, checkout: &Path, arguments: &[&str]) -> Result<String> {
    let output = toolchain
        .cargo(checkout, arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| Error::new(format!("cannot run cargo in {}: {cause}", checkout.display())))?;
    if !output.status.success() {
        let line = arguments.join(" ");
        return Err(Error::new(format!("`cargo {line}` failed ({}); its errors are above", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Finds the binary among Cargo's messages, one JSON object per line.
pub(crate) fn executable(messages: &str, bin: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == bin)
        .find_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"provider","kind":["lib"]},"executable":null}
{"reason":"build-script-executed","package_id":"x"}
{"reason":"compiler-artifact","target":{"name":"other","kind":["bin"]},"executable":"/target/debug/other"}
{"reason":"compiler-artifact","target":{"name":"provider","kind":["bin"]},"executable":"/target/debug/provider"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executable(messages, "provider"), Some(PathBuf::from("/target/debug/provider")));
        assert_eq!(executable(messages, "third"), None);
    }

    #[test]
    fn the_target_directory_is_absolute() {
        let directory = target_directory().expect("cargo runs this test");
        assert!(directory.is_absolute(), "{}", directory.display());
    }
}
