//! Writing files that are given by a directory and a path in it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file, and creates the directories above it.
pub(crate) fn write(directory: &Path, name: impl AsRef<Path>, text: &str) -> Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("cannot create", parent))?;
    }
    fs::write(&path, text).map_err(Error::io("cannot write", &path))
}

/// Adds to the end of a file that exists.
pub(crate) fn append(directory: &Path, name: impl AsRef<Path>, text: &str) -> Result<()> {
    let path = directory.join(name);
    let mut file = OpenOptions::new().append(true).open(&path).map_err(Error::io("cannot open", &path))?;
    file.write_all(text.as_bytes()).map_err(Error::io("cannot write", &path))
}
