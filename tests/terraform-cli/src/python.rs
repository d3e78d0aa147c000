//! Packages from PyPI, each in its own virtual environment below the target directory: `target/python/PACKAGE-VERSION`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::once;

/// The place below the target directory.
const PLACE: &str = "python";

/// Returns the Python interpreter of an environment with this release of a package, which is installed first if necessary.
///
/// # Errors
///
/// Python 3 with venv and pip is needed, a build of the package for that Python, and a way to the package index.
pub fn python_with(package: &str, version: &str) -> Result<PathBuf> {
    Ok(interpreter(&environment(package, version, |_| Ok(()))?))
}

/// Returns the directory of the environment. A new one passes through `finish` before it appears.
pub(crate) fn environment(package: &str, version: &str, finish: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    once::make(PLACE, &name(package, version), |directory| {
        install(directory, package, version)?;
        finish(directory)
    })
}

/// Returns the directory of the environment, if it is there.
pub(crate) fn installed(package: &str, version: &str) -> Result<Option<PathBuf>> {
    once::made(PLACE, &name(package, version))
}

fn name(package: &str, version: &str) -> String {
    format!("{package}-{version}")
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

fn install(directory: &Path, package: &str, version: &str) -> Result<()> {
    eprintln!("Installing {package} {version} from PyPI ...");
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
