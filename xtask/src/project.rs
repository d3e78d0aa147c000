//! The name, the version and the platform of a build.

use std::path::PathBuf;

use cargo_metadata::MetadataCommand;
use semver::{Prerelease, Version};
use terraform_cli::{Toolchain, platform, release_build_for};

use crate::Result;

/// The name of the provider's package and executable.
pub(crate) const NAME: &str = "terraform-provider-tencent";
/// The protocol version for the registries.
pub(crate) const MANIFEST: &str = "terraform-registry-manifest.json";

/// The provider of this workspace.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) version: Version,
}

impl Project {
    /// A suffix makes the version a pre-release, such as `0.1.0-acme.1`.
    pub(crate) fn of_workspace(version_suffix: Option<&str>) -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().manifest_path(manifest()).exec()?;
        let package = metadata.packages.iter().find(|package| package.name == NAME);
        let mut version = package.ok_or_else(|| format!("the workspace has no package {NAME}"))?.version.clone();
        if let Some(suffix) = version_suffix {
            let suffix = Prerelease::new(suffix).ok().filter(|suffix| !suffix.is_empty()).ok_or_else(|| {
                format!("{suffix:?} cannot follow a version: use letters, digits, hyphens and dots, as in acme.1")
            })?;
            version.pre = suffix;
        }
        Ok(Self { root: metadata.workspace_root.into(), target_directory: metadata.target_directory.into(), version })
    }

    /// Builds the release for a target, and returns the executable, which knows the version and its suffix.
    pub(crate) fn build(&self, target: &Target, toolchain: &Toolchain) -> Result<PathBuf> {
        let mut toolchain = toolchain.clone();
        if !self.version.pre.is_empty() {
            toolchain = toolchain.env("TENCENT_PROVIDER_VERSION", self.version.to_string());
        }
        Ok(release_build_for(target.triple(), &toolchain, &self.root, NAME)?)
    }

    /// Returns the common prefix of the names of all files of the release.
    pub(crate) fn prefix(&self) -> String {
        format!("{NAME}_{}", self.version)
    }

    /// Returns the name of the executable where Terraform searches for it.
    pub(crate) fn executable(&self, target: &Target) -> String {
        format!("{NAME}_v{}{}", self.version, if target.is_windows() { ".exe" } else { "" })
    }
}

/// Returns the workspace's `Cargo.toml`, in the parent directory of this package.
pub(crate) fn manifest() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
}

/// A target of rustc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(String);

impl Target {
    /// Returns the requested target, or this machine's.
    pub(crate) fn or_host(target: Option<&str>) -> Result<Self> {
        Ok(Self(target.map_or_else(|| Toolchain::of_this_machine().host(), |target| Ok(target.to_owned()))?))
    }

    pub(crate) fn triple(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.0.contains("-windows-")
    }

    /// Returns rustc's name of the architecture.
    pub(crate) fn architecture(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// Returns Terraform's name of the platform, such as `linux_amd64`.
    pub(crate) fn platform(&self) -> Result<String> {
        let systems =
            [("-linux-", "linux"), ("-apple-darwin", "macos"), ("-windows-", "windows"), ("-freebsd", "freebsd")];
        let os = systems.iter().find(|(part, _)| self.0.contains(part));
        let (_, os) = os.ok_or_else(|| format!("Terraform does not run on {}", self.0))?;
        Ok(platform(os, self.architecture()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_platform() {
        for (target, platform) in [
            ("x86_64-unknown-linux-gnu", "linux_amd64"),
            ("aarch64-unknown-linux-gnu", "linux_arm64"),
            ("x86_64-apple-darwin", "darwin_amd64"),
            ("aarch64-apple-darwin", "darwin_arm64"),
            ("x86_64-pc-windows-msvc", "windows_amd64"),
            ("aarch64-pc-windows-msvc", "windows_arm64"),
        ] {
            assert_eq!(Target(target.to_owned()).platform().expect("a platform"), platform);
        }
        assert!(Target("wasm32-unknown-unknown".to_owned()).platform().is_err());
    }

    #[test]
    fn a_local_build_has_its_own_version() {
        let released = Project::of_workspace(None).expect("a project");
        let own = Project::of_workspace(Some("acme.1")).expect("a project");
        assert_eq!(own.prefix(), format!("{}-acme.1", released.prefix()));
        for bad in ["", "a b", "..", "+1"] {
            assert!(Project::of_workspace(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
