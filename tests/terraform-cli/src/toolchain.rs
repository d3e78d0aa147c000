//! Cargo and the compilers that it runs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::root;
use crate::error::{Error, Result};
use crate::process::remove_variables;

/// Cargo, rustc, and what they need to build for a target.
#[derive(Clone, Debug)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    environment: Vec<(OsString, OsString)>,
    build_arguments: Vec<&'static str>,
}

/// The facts that rustc prints about itself.
pub(crate) struct Rustc {
    pub(crate) host: String,
    pub(crate) commit: String,
    pub(crate) release: String,
    pub(crate) sysroot: PathBuf,
}

impl Toolchain {
    /// Returns the toolchain that builds this program.
    pub fn of_this_machine() -> Self {
        let named = |variable: &str, usual: &str| env::var_os(variable).map_or_else(|| usual.into(), PathBuf::from);
        Self {
            cargo: named("CARGO", "cargo"),
            rustc: named("RUSTC", "rustc"),
            environment: Vec::new(),
            build_arguments: Vec::new(),
        }
    }

    /// Returns the toolchain with these executables.
    pub fn at(cargo: PathBuf, rustc: PathBuf) -> Self {
        let toolchain = Self { cargo, rustc, environment: Vec::new(), build_arguments: Vec::new() };
        let rustc = toolchain.rustc.clone();
        toolchain.env("RUSTC", rustc)
    }

    /// Sets an environment variable for Cargo and all that it starts.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Adds arguments to each command of Cargo that compiles.
    #[must_use]
    pub fn build_arguments(mut self, arguments: &[&'static str]) -> Self {
        self.build_arguments.extend(arguments);
        self
    }

    /// Builds a command of Cargo, in a checkout. `arguments` begin with the name of the command.
    pub fn cargo(&self, checkout: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.cargo, checkout);
        command.args(arguments);
        if matches!(arguments.first(), Some(&("build" | "check" | "test"))) {
            command.args(&self.build_arguments);
        }
        command
    }

    /// Builds a command of rustc, in a directory.
    pub fn rustc_command(&self, directory: &Path) -> Command {
        self.command(&self.rustc, directory)
    }

    /// Returns the target that rustc itself runs on, such as `x86_64-unknown-linux-gnu`.
    ///
    /// # Errors
    ///
    /// rustc is missing.
    pub fn host(&self) -> Result<String> {
        self.rustc_facts().map(|rustc| rustc.host)
    }

    /// Returns the version of rustc, and so of the standard library.
    ///
    /// # Errors
    ///
    /// rustc is missing.
    pub fn rustc_version(&self) -> Result<String> {
        self.rustc_facts().map(|rustc| rustc.release)
    }

    /// Returns whether rustc has a standard library for this target.
    ///
    /// # Errors
    ///
    /// rustc is missing, or does not know the target.
    pub fn has_target(&self, target: &str) -> Result<bool> {
        let directory = self.rustc(&["--print", "target-libdir", "--target", target])?;
        Ok(Path::new(directory.trim()).exists())
    }

    /// Returns the version of the C library that is linked into an executable for this target: of glibc, such as `2.36`, or on
    /// Windows of mingw-w64.
    ///
    /// # Errors
    ///
    /// The C compiler for the target is missing, or has another library.
    pub fn c_library_version(&self, target: &str) -> Result<String> {
        let (header, major, minor) = if target.contains("-windows-") {
            ("_mingw.h", "__MINGW64_VERSION_MAJOR", "__MINGW64_VERSION_MINOR")
        } else {
            ("features.h", "__GLIBC__", "__GLIBC_MINOR__")
        };
        let compiler = self.c_compiler(target);
        let macros = ["-E", "-dM", "-include", header, "-x", "c", "-"].map(OsStr::new);
        let text = self.run(&compiler, &macros)?;
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} ")));
        match (value(major), value(minor)) {
            (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
            _ => Err(Error::new(format!("{} does not define {major}", compiler.display()))),
        }
    }

    /// Returns the C compiler, as the crate cc chooses it.
    fn c_compiler(&self, target: &str) -> PathBuf {
        let names = [format!("CC_{target}"), format!("CC_{}", target.replace('-', "_")), "CC".to_owned()];
        let here = |name: &String| {
            let set = self.environment.iter().find(|(set, _)| *set == **name).map(|(_, value)| value.clone());
            set.or_else(|| env::var_os(name))
        };
        names.iter().find_map(here).map_or_else(|| "cc".into(), PathBuf::from)
    }

    pub(crate) fn rustc_facts(&self) -> Result<Rustc> {
        let version = self.rustc(&["-vV"])?;
        let line = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned).ok_or_else(|| Error::new(format!("`rustc -vV` names no {name}:\n{version}")))
        };
        let sysroot = self.rustc(&["--print", "sysroot"])?.trim().into();
        Ok(Rustc { host: line("host")?, commit: line("commit-hash")?, release: line("release")?, sysroot })
    }

    fn rustc(&self, arguments: &[&str]) -> Result<String> {
        let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
        self.run(&self.rustc, &arguments)
    }

    /// Runs a program in the checkout, where a toolchain file may choose the compiler, and returns its output.
    fn run(&self, program: &Path, arguments: &[&OsStr]) -> Result<String> {
        let mut command = self.command(program, &root());
        let output = command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|cause| Error::new(format!("cannot run {command:?}: {cause}")))?;
        if !output.status.success() {
            return Err(Error::new(format!("{command:?} failed ({})", output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        // `cargo run` describes the running package in these. A build script that looks at them, such as ring's, would run
        // again, and all that depends on it would be compiled again.
        remove_variables(&mut command, &["CARGO_MANIFEST_", "CARGO_PKG_"]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).current_dir(directory);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_target_is_found() {
        let toolchain = Toolchain::of_this_machine();
        let host = toolchain.host().expect("rustc built this test");
        assert!(host.starts_with(env::consts::ARCH), "{host}");
        assert!(toolchain.has_target(&host).expect("rustc knows its own target"));
        assert!(!toolchain.has_target("s390x-unknown-linux-gnu").expect("rustc knows every target"));
    }

    #[test]
    fn the_c_compiler_is_the_one_for_the_target() {
        let toolchain = Toolchain::of_this_machine().env("CC_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-gcc");
        let compiler = toolchain.c_compiler("aarch64-unknown-linux-gnu");
        assert_eq!(compiler, Path::new("aarch64-linux-gnu-gcc"));
        assert_ne!(toolchain.c_compiler("x86_64-unknown-linux-gnu"), compiler);
    }
}
