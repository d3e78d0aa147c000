//! The executable as it is released, which `.ci/run` builds once for all of this.
//!
//! | module | what |
//! | --- | --- |
//! | `reproducible` | the same bytes wherever it is built |
//! | `portable` | it needs nothing of the machine that it runs on |
//! | `dns`, `tls` | what such a machine calls |

#![cfg(target_os = "linux")]

mod dns;
mod portable;
mod reproducible;
mod tls;

use std::path::PathBuf;
use std::sync::LazyLock;

use terraform_cli::{Profile, cargo_build};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The executable, built if it is not there yet.
static EXECUTABLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = cargo_build(env!("CARGO_PKG_NAME"), Profile::Release);
    built.unwrap_or_else(|error| panic!("there is no release: {error}"))
});
