//! Terraform (or OpenTofu) installs what `cargo xtask` makes.
//!
//! | module | what |
//! | --- | --- |
//! | `mirrors` | from directories, and from a network mirror |
//! | `registry` | from a registry: signatures, lock files, and modified packages |
//! | `install` | `cargo xtask install`, and the blocks it prints |
//! | `package` | a package, made once for all tests, and its key |
//! | `server` | files over HTTPS, on this machine |

// On other systems, Terraform trusts only the system's certificates, and not a test's.
#![cfg(target_os = "linux")]

mod install;
mod mirrors;
mod package;
mod registry;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;
use terraform_cli::{Mirror, Terraform, Workspace};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const VERSION: &str = env!("CARGO_PKG_VERSION");

static TERRAFORM: LazyLock<Terraform> =
    LazyLock::new(|| Terraform::find().unwrap_or_else(|error| panic!("there is no Terraform: {error}")));

/// Builds the command `cargo xtask`, with the profile of this test.
fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments);
    command
}

/// A user's project, on a machine whose home directory has no Terraform configuration.
struct Checkout {
    home: TempDir,
    workspace: Workspace,
}

impl Checkout {
    /// Creates a project that requires the provider from `source`, in any version or in the given one.
    fn of(source: &str, version: Option<&str>) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let mut workspace = Workspace::new(&TERRAFORM, &Mirror::empty()?)?;
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            workspace.remove_env(proxy);
        }
        for directory in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_DATA_DIRS"] {
            workspace.remove_env(directory);
        }
        workspace.remove_env("TF_CLI_CONFIG_FILE").env("HOME", home.path());
        let version = version.map(|version| format!("\n      version = \"{version}\"")).unwrap_or_default();
        workspace.write(
            "main.tf",
            &format!(
                "terraform {{\n  required_providers {{\n    tencent = {{\n      source = \"{source}\"{version}\n    }}\n  }}\n}}\n\
                 provider \"tencent\" {{}}\n"
            ),
        )?;
        Ok(Self { home, workspace })
    }

    /// Writes the CLI configuration.
    fn configure_cli(&mut self, text: &str) -> Result {
        let file = self.home.path().join("cli.tfrc");
        fs::write(&file, text)?;
        self.workspace.env("TF_CLI_CONFIG_FILE", file);
        Ok(())
    }

    /// Installs the provider, and starts it.
    fn installs(&self) -> Result<String> {
        let installed = self.workspace.init()?;
        installed.expect_success();
        self.starts()?;
        Ok(installed.text().to_string())
    }

    /// Asserts that the installed provider starts and answers.
    fn starts(&self) -> Result {
        self.workspace.run(&["validate"])?.expect_success();
        Ok(())
    }

    fn lock_file(&self) -> PathBuf {
        self.workspace.path().join(".terraform.lock.hcl")
    }
}

/// Returns Terraform's name of this machine's platform.
fn platform() -> String {
    terraform_cli::platform(std::env::consts::OS, std::env::consts::ARCH)
}

/// Returns the names of the files in a directory.
fn names(directory: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
