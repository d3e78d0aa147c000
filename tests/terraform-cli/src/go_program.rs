//! Programs that Go builds from a module, for programs that no package installs on every machine.
//!
//! Each module is built as the main module, so that its own `go.mod` and `go.sum` decide what it depends on.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cargo;
use crate::error::{Error, Result};
use crate::once;

/// The place below the target directory.
const PLACE: &str = "go";

/// A program to build from a Go module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoProgram {
    /// The name of the executable.
    pub name: &'static str,
    /// The path of the module.
    pub module: &'static str,
    /// The version, without the letter `v`.
    pub version: &'static str,
    /// The checksum of the module, as in a `go.sum`.
    pub sum: &'static str,
    /// The package of the executable, in the module.
    pub package: &'static str,
    /// The version of Go that builds it.
    pub go: &'static str,
}

/// The way to build a program.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Build<'a> {
    /// Go's names of an operating system and an architecture, or none for this machine.
    pub(crate) platform: Option<(&'a str, &'a str)>,
    /// Flags of Go's linker.
    pub(crate) ldflags: &'a str,
    /// Changes a copy of the module before it is built.
    pub(crate) change: Option<fn(&Path) -> Result<()>>,
}

impl GoProgram {
    /// Returns whether [`Self::install`] lacks only Go.
    ///
    /// # Errors
    ///
    /// Cargo cannot name its target directory.
    pub fn lacks_go(&self) -> Result<bool> {
        Ok(self.built()?.is_none() && go().is_none())
    }

    /// Returns the executable. The first call builds it below Cargo's target directory. Several processes may call this at
    /// once.
    ///
    /// # Errors
    ///
    /// Go is missing, or cannot build it.
    pub fn install(&self) -> Result<PathBuf> {
        self.build(Build::default())
    }

    /// Returns the executable for this machine, if it is built.
    pub(crate) fn built(&self) -> Result<Option<PathBuf>> {
        let directory = once::made(PLACE, &self.directory(None))?;
        Ok(directory.map(|directory| self.executable(&directory, None)))
    }

    /// Returns the executable, which is built first if necessary.
    pub(crate) fn build(&self, build: Build<'_>) -> Result<PathBuf> {
        let name = self.directory(build.platform);
        let directory = once::make(PLACE, &name, |directory| {
            eprintln!("Building {name} ...");
            let compiled = Go::find(self.go).and_then(|go| self.compile(&go, build, directory));
            compiled.map_err(|error| {
                Error::new(format!(
                    "{} {} could not be built. It needs Go 1.21 or newer, and a way to the Go module proxy, for the modules \
                     and for Go {}.\n{error}",
                    self.name, self.version, self.go
                ))
            })
        })?;
        Ok(self.executable(&directory, build.platform))
    }

    fn directory(&self, platform: Option<(&str, &str)>) -> String {
        let platform = platform.map(|(os, arch)| format!("-{os}_{arch}")).unwrap_or_default();
        format!("{}-{}{platform}", self.name, self.version)
    }

    fn executable(&self, directory: &Path, platform: Option<(&str, &str)>) -> PathBuf {
        let suffix = match platform {
            None => EXE_SUFFIX,
            Some(("windows", _)) => ".exe",
            Some(_) => "",
        };
        directory.join(self.name.to_owned() + suffix)
    }

    fn compile(&self, go: &Go, build: Build<'_>, directory: &Path) -> Result<()> {
        let module = &format!("{}@v{}", self.module, self.version);
        fs::create_dir_all(directory).map_err(Error::io("cannot create", directory))?;
        let downloaded = go.run(&["mod", "download", "-json", module.as_str()].map(OsStr::new), directory)?;
        let unpacked = unpacked(module, self.sum, &downloaded)?;
        let copy = tempfile::tempdir_in(directory).map_err(Error::io("cannot write to", directory))?;
        let source = match build.change {
            Some(change) => {
                copy_directory(&unpacked, copy.path())?;
                change(copy.path())?;
                copy.path()
            }
            None => &unpacked,
        };
        let executable = self.executable(directory, build.platform);
        go.clone().for_platform(build.platform).build(source, self.package, build.ldflags, &executable)
    }
}

/// Builds a provider in Go from a directory of this repository, and returns its executable. Go builds again only what has
/// changed.
///
/// # Errors
///
/// Go is missing, or cannot build it.
pub fn build_go(source: &Path, go: &str) -> Result<PathBuf> {
    let directory = cargo::target_directory()?.join(PLACE);
    fs::create_dir_all(&directory).map_err(Error::io("cannot create", &directory))?;
    let executable = directory.join(source.file_name().unwrap_or_default());
    Go::find(go)?.build(source, ".", "", &executable)?;
    Ok(executable)
}

/// Finds Go.
pub(crate) fn go() -> Option<PathBuf> {
    which::which("go").ok()
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

    /// Builds an executable as releases are linked: without symbols.
    fn build(&self, source: &Path, package: &str, ldflags: &str, executable: &Path) -> Result<()> {
        let ldflags = format!("-s -w {ldflags}");
        let arguments = ["build", "-mod=readonly", "-trimpath", "-ldflags", ldflags.trim_end(), "-o"].map(OsStr::new);
        self.run(&[&arguments[..], &[executable.as_os_str(), package.as_ref()]].concat(), source)?;
        Ok(())
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
