//! The error of this package: a message for the user whose test or quickstart could not run Terraform.

use std::fmt;
use std::io;
use std::path::Path;

/// A failure with its cause and a remedy.
///
/// `Debug` prints the message, too, because `main` and `#[test]` print returned errors with it.
pub struct Error(String);

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Returns a function for `map_err`: the operation ("cannot write") failed on this path.
    pub(crate) fn io<'a>(operation: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |cause| Self(format!("{operation} {}: {cause}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
