//! Terraform and OpenTofu, built by Go: no package installs their newest releases on every machine, but each is a Go module.
//!
//! Each module is built as the main module, so that its own `go.mod` and `go.sum` decide what it depends on. OpenTofu is built
//! in the directory into which Go unpacks the module. Terraform is copied and changed first:
//!
//! - `go.mod` expects the modules of nine state backends, and `internal/legacy`, in directories that the module's archive
//!   lacks. Stubs take their place.
//! - 1.17.0-beta1 requires a version of HashiCorp's API client that not every module proxy serves. An older version takes its
//!   place. Queries in HCP Terraform need the newer one, and become a stub.
//!
//! So these builds of Terraform lack the backends `azurerm`, `consul`, `cos`, `gcs`, `kubernetes`, `oci`, `oss`, `pg` and `s3`,
//! and queries in HCP Terraform. Tests that need such a backend run on PyPI's builds.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::once;
use crate::terraform::Flavour;

/// The place below the target directory.
const PLACE: &str = "go";

impl Flavour {
    /// Returns the name of the executable.
    const fn command(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "tofu",
        }
    }

    const fn module(self) -> &'static str {
        match self {
            Self::Terraform => TERRAFORM,
            Self::OpenTofu => "github.com/opentofu/opentofu",
        }
    }

    /// Returns the package of the executable, in the module.
    const fn package(self) -> &'static str {
        match self {
            Self::Terraform => ".",
            Self::OpenTofu => "./cmd/tofu",
        }
    }
}

/// Finds Go.
pub(crate) fn go() -> Option<PathBuf> {
    which::which("go").ok()
}

/// A version to build, and the platform to build it for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build<'a> {
    pub(crate) flavour: Flavour,
    pub(crate) version: &'a str,
    /// Go's names of an operating system and an architecture, or none for this machine.
    pub(crate) platform: Option<(&'a str, &'a str)>,
}

/// Returns the build, if there is one.
pub(crate) fn built(build: Build<'_>) -> Result<Option<PathBuf>> {
    let directory = once::made(PLACE, &build.name())?;
    Ok(directory.map(|directory| build.executable(&directory)))
}

/// Returns the build, which is made first if necessary: from the module with the checksum `sum`, by this version of Go.
pub(crate) fn build(build: Build<'_>, sum: &str, go_version: &str) -> Result<PathBuf> {
    let Build { flavour, version, .. } = build;
    let directory = once::make(PLACE, &build.name(), |directory| {
        eprintln!("Building {} ...", build.name());
        let compiled = Go::find(go_version).and_then(|go| compile(&go, build, sum, directory));
        compiled.map_err(|error| {
            Error::new(format!(
                "{flavour} {version} could not be built. It needs Go 1.21 or newer, and a way to the Go module proxy, for \
                 the modules and for Go {go_version}.\n{error}"
            ))
        })
    })?;
    Ok(build.executable(&directory))
}

impl Build<'_> {
    fn name(self) -> String {
        let platform = self.platform.map(|(os, arch)| format!("-{os}_{arch}")).unwrap_or_default();
        format!("{}-{}{platform}", self.flavour.command(), self.version)
    }

    fn executable(self, directory: &Path) -> PathBuf {
        let suffix = match self.platform {
            None => EXE_SUFFIX,
            Some(("windows", _)) => ".exe",
            Some(_) => "",
        };
        directory.join(self.flavour.command().to_owned() + suffix)
    }
}

fn compile(go: &Go, build: Build<'_>, sum: &str, directory: &Path) -> Result<()> {
    let flavour = build.flavour;
    let module = &format!("{}@v{}", flavour.module(), build.version);
    fs::create_dir_all(directory).map_err(Error::io("cannot create", directory))?;
    let downloaded = go.run(&["mod", "download", "-json", module.as_str()].map(OsStr::new), directory)?;
    let unpacked = unpacked(module, sum, &downloaded)?;
    let copy = tempfile::tempdir_in(directory).map_err(Error::io("cannot write to", directory))?;
    let source = match flavour {
        Flavour::Terraform => {
            copy_directory(&unpacked, copy.path())?;
            complete_terraform(copy.path())?;
            copy.path()
        }
        Flavour::OpenTofu => &unpacked,
    };
    // As releases are linked: without symbols, and with a version that does not end in `-dev`.
    let ldflags = format!("-s -w -X {}/version.dev=no", flavour.module());
    let executable = build.executable(directory);
    let arguments = ["build", "-mod=readonly", "-trimpath", "-ldflags", &ldflags, "-o"].map(OsStr::new);
    let go = go.clone().for_platform(build.platform);
    go.run(&[&arguments[..], &[executable.as_os_str(), flavour.package().as_ref()]].concat(), source)?;
    Ok(())
}

/// Returns the directory that `go mod download -json` has unpacked a module into, if its checksum is `sum`.
fn unpacked(module: &str, sum: &str, downloaded: &str) -> Result<PathBuf> {
    let described: Value = serde_json::from_str(downloaded).unwrap_or_default();
    match (described["Sum"].as_str(), described["Dir"].as_str()) {
        (Some(found), Some(directory)) if found == sum => Ok(directory.into()),
        _ => Err(Error::new(format!("{module} does not have the checksum {sum}: {downloaded}"))),
    }
}

/// Go of a certain version.
#[derive(Clone)]
struct Go {
    executable: PathBuf,
    toolchain: String,
    platform: Vec<(&'static str, String)>,
}

impl Go {
    /// Finds Go on `PATH`. If that has another version, it fetches this one.
    fn find(version: &str) -> Result<Self> {
        let executable = go().ok_or_else(|| Error::new("there is no `go` on PATH"))?;
        Ok(Self { executable, toolchain: format!("go{version}"), platform: Vec::new() })
    }

    /// Makes Go build for this platform.
    fn for_platform(mut self, platform: Option<(&str, &str)>) -> Self {
        let variables = platform.map(|(os, arch)| [("GOOS", os.to_owned()), ("GOARCH", arch.to_owned())]);
        self.platform.extend(variables.into_iter().flatten());
        self
    }

    /// Runs Go in `directory`, whatever this machine's settings for other projects are, and returns its output.
    fn run(&self, arguments: &[&OsStr], directory: &Path) -> Result<String> {
        let mut command = Command::new(&self.executable);
        command
            .args(arguments)
            .current_dir(directory)
            .env("GOTOOLCHAIN", &self.toolchain)
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0")
            .envs(self.platform.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let output = command.output().map_err(|cause| Error::new(format!("cannot run {command:?}: {cause}")))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return Ok(stdout.into_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(Error::new(format!("{command:?} failed ({}).\n{stdout}{stderr}", output.status)))
    }
}

const TERRAFORM: &str = "github.com/hashicorp/terraform";
/// The modules below `internal/backend/remote-state`.
const BACKENDS: [&str; 9] = ["azure", "consul", "cos", "gcs", "kubernetes", "oci", "oss", "pg", "s3"];

/// The version of HashiCorp's API client that takes the place of 2.6.0, and its checksums.
const CLIENT: &str = "github.com/hashicorp/go-tfe/v2 => github.com/hashicorp/go-tfe/v2 v2.1.0";
const CLIENT_SUMS: &str = "github.com/hashicorp/go-tfe/v2 v2.1.0 h1:pC570/UrZURMTczgTrUSkQlPddZcqG0lJWB0SfMk+2Y=
github.com/hashicorp/go-tfe/v2 v2.1.0/go.mod h1:gosuJ9PH3NLxkCoCW3EIeHHli+5QqLUkboBiUZ1ljCM=
";
/// Stands in for queries in HCP Terraform, which need the newer client.
const QUERIES: &str = r#"package cloud

import (
	"context"
	"errors"

	"github.com/hashicorp/go-tfe"
	"github.com/hashicorp/terraform/internal/backend/backendrun"
)

var errQuery = errors.New("this build lacks queries in HCP Terraform")

func (*Cloud) opQuery(context.Context, context.Context, *backendrun.Operation, *tfe.Workspace) (OperationResult, error) {
	return nil, errQuery
}

func (*Cloud) cancelQueryRun(context.Context, *backendrun.Operation, *tfe.QueryRun) error {
	return errQuery
}
"#;

/// Makes the changes that the head of this file explains.
fn complete_terraform(source: &Path) -> Result<()> {
    for backend in BACKENDS {
        let path = format!("internal/backend/remote-state/{backend}");
        write(source, &format!("{path}/go.mod"), &format!("module {TERRAFORM}/{path}\n"))?;
        let code = format!(
            "package {backend}\n\nimport \"{TERRAFORM}/internal/backend\"\n\nfunc New() backend.Backend {{ return nil }}\n"
        );
        write(source, &format!("{path}/backend.go"), &code)?;
    }
    write(source, "internal/legacy/go.mod", &format!("module {TERRAFORM}/internal/legacy\n"))?;

    append(source, "go.mod", &format!("\nreplace {CLIENT}\n"))?;
    append(source, "go.sum", CLIENT_SUMS)?;
    write(source, "internal/cloud/backend_query.go", QUERIES)
}

fn write(directory: &Path, name: &str, text: &str) -> Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("cannot create", parent))?;
    }
    fs::write(&path, text).map_err(Error::io("cannot write", &path))
}

fn append(directory: &Path, name: &str, text: &str) -> Result<()> {
    let path = directory.join(name);
    let mut file = OpenOptions::new().append(true).open(&path).map_err(Error::io("cannot open", &path))?;
    file.write_all(text.as_bytes()).map_err(Error::io("cannot write", &path))
}

/// Copies a directory. Unlike Go's, the files of the copy can be written.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io("cannot create", to))?;
    for entry in fs::read_dir(from).map_err(Error::io("cannot read", from))? {
        let from = entry.map_err(Error::io("cannot read", from))?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            copy_directory(&from, &to)?;
        } else {
            let content = fs::read(&from).map_err(Error::io("cannot read", &from))?;
            fs::write(&to, content).map_err(Error::io("cannot write", &to))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_module_with_the_listed_checksum_is_built() {
        let listed = |printed| unpacked("example.com/m@v1", "h1:right", printed);
        assert_eq!(listed(r#"{ "Sum": "h1:right", "Dir": "/m" }"#).expect("a module"), Path::new("/m"));
        for other in [r#"{ "Sum": "h1:wrong", "Dir": "/m" }"#, r#"{ "Dir": "/m" }"#, ""] {
            let error = listed(other).expect_err("no such module").to_string();
            assert!(error.contains("example.com/m@v1") && error.contains("h1:right"), "{error}");
        }
    }
}
