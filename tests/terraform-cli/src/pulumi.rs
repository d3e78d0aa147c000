//! Pulumi, and its bridge to Terraform's providers, built by Go.
//!
//! The module of Pulumi's CLI expects the module of its SDK in a directory that the module's archive lacks. The SDK of the
//! same version takes its place.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::file::append;
use crate::go_program::{Build, GoProgram};
use crate::process;

const GO: &str = "1.27.3";

const CLI: GoProgram = GoProgram {
    name: "pulumi",
    module: "github.com/pulumi/pulumi/pkg/v3",
    version: "3.276.0",
    sum: "h1:RKovVWNh+H8qnmbv88QZWirM/HmfBqR28rbnRN3n6FA=",
    package: "./cmd/pulumi",
    go: GO,
};
/// The checksums of the SDK of the same version.
const SDK_SUMS: &str = "github.com/pulumi/pulumi/sdk/v3 v3.276.0 h1:xkrmwkmAaHC2wilul4RTcPVrGfA6yQetstZpeQrvRWI=
github.com/pulumi/pulumi/sdk/v3 v3.276.0/go.mod h1:WnPO90tGSd4h5BDTfK4BeDZ/b2Rsq7bhZ2yEcfvScEc=
";
/// Runs programs in YAML.
const LANGUAGE: GoProgram = GoProgram {
    name: "pulumi-language-yaml",
    module: "github.com/pulumi/pulumi-yaml",
    version: "1.38.1",
    sum: "h1:FquTa8vjvKXreiBHDmuUD9jaZc5y0WXYvRYey+Wrzd4=",
    package: "./cmd/pulumi-language-yaml",
    go: GO,
};
/// Makes a Terraform provider one of Pulumi's.
const BRIDGE: GoProgram = GoProgram {
    name: "pulumi-resource-terraform-provider",
    module: "github.com/pulumi/pulumi-terraform-bridge/v3",
    version: "3.136.0",
    sum: "h1:MB+m/Rg1NKCAcxICoDR0nAE7SzjE7W7NnBBSOZouwc4=",
    package: "./dynamic",
    go: GO,
};

/// Pulumi's command line interface, which runs programs in YAML.
#[derive(Clone, Debug)]
pub struct Pulumi {
    executable: PathBuf,
    /// The search path for executables, with Pulumi's language plugin.
    path: OsString,
    bridge: PathBuf,
}

impl Pulumi {
    /// Returns whether [`Self::install`] lacks only Go.
    ///
    /// # Errors
    ///
    /// Cargo cannot name its target directory.
    pub fn lacks_go() -> Result<bool> {
        Ok(CLI.lacks_go()? || LANGUAGE.lacks_go()? || BRIDGE.lacks_go()?)
    }

    /// Returns Pulumi. The first call builds it below Cargo's target directory, which takes minutes. Several processes may
    /// call this at once.
    ///
    /// # Errors
    ///
    /// Go is missing, or cannot build it.
    pub fn install() -> Result<Self> {
        let executable = CLI.build(Build { change: Some(take_sdk_from_proxy), ..Build::default() })?;
        let language = LANGUAGE.install()?;
        let inherited = env::var_os("PATH").unwrap_or_default();
        let directories = language.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&inherited));
        let path = env::join_paths(directories)
            .map_err(|cause| Error::new(format!("cannot add {} to PATH: {cause}", language.display())))?;
        Ok(Self { executable, path, bridge: BRIDGE.install()? })
    }

    /// Returns the executable of Pulumi's plugin `terraform-provider`, which is not installed yet.
    pub fn bridge(&self) -> &Path {
        &self.bridge
    }

    /// Builds the command for Pulumi with these arguments. It downloads nothing, never asks a question, and sees no `TF_…`,
    /// `TENCENT_…` or `PULUMI_…` variable of this process.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(arguments).args(["--non-interactive", "--color=never"]);
        process::isolate(&mut command);
        command
            .env("PATH", &self.path)
            .env("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
            .env("PULUMI_SKIP_UPDATE_CHECK", "true");
        command
    }
}

/// Makes the change that the head of this file explains.
fn take_sdk_from_proxy(source: &Path) -> Result<()> {
    let path = source.join("go.mod");
    let text = fs::read_to_string(&path).map_err(Error::io("cannot read", &path))?;
    let text = text.replace("replace github.com/pulumi/pulumi/sdk/v3 => ../sdk\n", "");
    fs::write(&path, text).map_err(Error::io("cannot write", &path))?;
    append(source, "go.sum", SDK_SUMS)
}
