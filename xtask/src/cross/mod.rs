//! Builds for other platforms on this machine, and runs what was built.
//!
//! | module | what |
//! | --- | --- |
//! | `toolchain` | the compilers for a target |
//! | `debian` | Debian's packages, unpacked below the target directory |
//! | `emulator` | runs what was built |

mod debian;
mod emulator;
mod toolchain;

use std::path::PathBuf;

pub(crate) use debian::Debian;
pub(crate) use emulator::Emulator;
pub(crate) use toolchain::{WINDOWS, for_target};

use crate::project::Project;

/// Returns the directory of all that is needed for other platforms.
pub(crate) fn directory(project: &Project) -> PathBuf {
    project.target_directory.join("platforms")
}
