//! The one error of this package: a message for the person whose test or quickstart did not get as far as Terraform.

use std::fmt;
use std::io;
use std::path::Path;

/// What could not be done, why, and what to do about it.
///
/// Its `Debug` form is the message too, for it is what `main` and `#[test]` print of an error they return.
pub struct Error(String);

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For `map_err`: the operation ("cannot write") failed on this path.
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
