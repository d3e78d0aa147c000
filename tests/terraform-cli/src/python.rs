//! Packages of PyPI, each in a virtual environment of its own below the target directory: `target/python/PACKAGE-VERSION`.
//! An environment appears complete or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo;
use crate::error::{Error, Result};

/// The Python interpreter of an environment that has this release of a package, installed if it is not there yet.
///
/// # Errors
///
/// Python 3 with venv and pip is needed, a build of the package for that Python, and a way to the package index.
pub fn python_with(package: &str, version: &str) -> Result<PathBuf> {
    Ok(interpreter(&environment(package, version, |_| Ok(()))?))
}

/// The directory of that environment. `finish` is run on a new one before anybody sees it.
pub(crate) fn environment(package: &str, version: &str, finish: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let home = cargo::target_directory()?.join("python");
    let name = format!("{package}-{version}");
    let complete = home.join(&name);
    if complete.exists() {
        return Ok(complete);
    }

    fs::create_dir_all(&home).map_err(Error::io("cannot create", &home))?;
    let lock_path = home.join(format!("{name}.lock"));
    let lock_file = File::create(&lock_path).map_err(Error::io("cannot create", &lock_path))?;
    let mut lock = fd_lock::RwLock::new(lock_file);
    let _guard = lock.write().map_err(Error::io("cannot lock", &lock_path))?;
    if !complete.exists() {
        let partial = home.join(format!("{name}.partial"));
        install(&partial, package, version)?;
        finish(&partial)?;
        fs::rename(&partial, &complete).map_err(Error::io("cannot complete", &complete))?;
    }
    Ok(complete)
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

fn install(directory: &Path, package: &str, version: &str) -> Result<()> {
    eprintln!("Installing {package} {version} from PyPI ...");
    match fs::remove_dir_all(directory) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("cannot remove", directory)(cause));
        }
        _ => {}
    }
    let run = |python: &Path, arguments: &[&OsStr]| {
        python_command(python, arguments).map_err(|cause| {
            Error::new(format!(
                "{package} {version} could not be installed. It needs Python 3 with venv and pip, a build for that \
                 Python, and a way to the package index.\n{cause}"
            ))
        })
    };
    run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), directory.as_os_str()])?;
    let release = format!("{package}=={version}");
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--prefer-binary", &release];
    run(&interpreter(directory), &pip.map(OsStr::new))
}

fn python_command(python: &Path, arguments: &[&OsStr]) -> Result<(), String> {
    let mut command = Command::new(python);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|cause| format!("cannot run {}: {cause}", python.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?} failed ({}).\n{stdout}{stderr}", output.status))
}
