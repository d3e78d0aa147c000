//! Records of the features that the tests have seen work on each version: `target/compatibility/VERSION`, one feature a line.
//! The documentation's table of versions is made from them.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::cargo;
use crate::error::{Error, Result};
use crate::feature::Feature;

/// Records the features that work on `version`, such as `OpenTofu 1.12.6`.
///
/// # Errors
///
/// The target directory cannot be written to.
pub fn record(version: &str, seen: &[Feature]) -> Result<()> {
    let path = path(version)?;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(Error::io("cannot create", directory))?;
    }
    let lines: String = seen.iter().map(|feature| format!("{feature}\n")).collect();
    fs::write(&path, lines).map_err(Error::io("cannot write", &path))
}

/// Removes the record of an earlier run.
///
/// # Errors
///
/// The record exists and cannot be removed.
pub fn forget(version: &str) -> Result<()> {
    let path = path(version)?;
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(Error::io("cannot remove", &path)(cause)),
        _ => Ok(()),
    }
}

/// Returns the features that work on `version`, or none if no test has run on it.
///
/// # Errors
///
/// The record cannot be read.
pub fn recorded(version: &str) -> Result<Option<Vec<Feature>>> {
    let path = path(version)?;
    match fs::read_to_string(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::io("cannot read", &path)(cause)),
        Ok(lines) => {
            let seen = |feature: &Feature| lines.lines().any(|line| line == feature.to_string());
            Ok(Some(Feature::ALL.into_iter().filter(seen).collect()))
        }
    }
}

fn path(version: &str) -> Result<PathBuf> {
    Ok(cargo::target_directory()?.join("compatibility").join(version))
}
