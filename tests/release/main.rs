//! The executable of a release, which `.ci/run` builds once for all these tests.
//!
//! | module | what |
//! | --- | --- |
//! | `reproducible` | builds are byte-identical everywhere |
//! | `portable` | it needs nothing of the machine it runs on |
//! | `dns`, `tls` | servers that such a machine calls |

#![cfg(target_os = "linux")]

mod dns;
mod portable;
mod reproducible;
mod tls;

use std::path::PathBuf;
use std::sync::LazyLock;

use terraform_cli::{Profile, cargo_build, provider_under_test};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The executable, built on first use.
static EXECUTABLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = || cargo_build(env!("CARGO_PKG_NAME"), Profile::Release).expect("a release");
    provider_under_test().unwrap_or_else(built)
});
