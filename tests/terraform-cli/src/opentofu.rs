//! OpenTofu, built by Go: no package installs it on every machine, but it is a Go module. `tests/opentofu/` pins its releases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::once;

/// The releases of OpenTofu that `tests/opentofu/` pins, oldest first: the folder and the version.
///
/// OpenTofu supports 1.12 until 2027-02-01 and 1.13 until 2027-08-01. 1.11, which has ended, is the first with ephemeral
/// resources. The Go module proxy of the project's machines has no 1.13 yet.
pub const OPENTOFU_RELEASES: &[(&str, &str)] = &[("1.11", "1.11.14"), ("1.12", "1.12.6")];

/// The place below the target directory.
const PLACE: &str = "opentofu";
/// The flags with which OpenTofu links its releases: without symbols, and with a release version.
const LDFLAGS: &str = "-s -w -X github.com/opentofu/opentofu/version.dev=no";
const EXECUTABLE: &str = if cfg!(windows) { "tofu.exe" } else { "tofu" };

/// Returns the build of this version, if there is one.
pub(crate) fn built(version: &str) -> Result<Option<PathBuf>> {
    Ok(once::made(PLACE, version)?.map(|directory| directory.join(EXECUTABLE)))
}

/// Returns the build of this version, which is built first if necessary. Returns none if Go is needed and missing.
pub(crate) fn build(folder: &str, version: &str) -> Result<Option<PathBuf>> {
    if let Some(executable) = built(version)? {
        return Ok(Some(executable));
    }
    let Ok(go) = which::which("go") else { return Ok(None) };
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("opentofu").join(folder);
    let directory = once::make(PLACE, version, |directory| compile(&go, &module, &directory.join(EXECUTABLE)))?;
    Ok(Some(directory.join(EXECUTABLE)))
}

fn compile(go: &Path, module: &Path, executable: &Path) -> Result<()> {
    eprintln!("Building OpenTofu in {} ...", module.display());
    if let Some(directory) = executable.parent() {
        fs::create_dir_all(directory).map_err(Error::io("cannot create", directory))?;
    }
    let mut command = Command::new(go);
    command
        .args(["build", "-mod=readonly", "-trimpath", "-ldflags", LDFLAGS, "-o"])
        .args([executable, Path::new("github.com/opentofu/opentofu/cmd/tofu")])
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .stdin(Stdio::null());
    let output = command.output().map_err(|cause| Error::new(format!("cannot run {}: {cause}", go.display())))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(format!(
        "OpenTofu could not be built. It needs the version of Go that {} names, and a way to the Go module proxy. \
         {command:?} failed ({}).\n{}",
        module.join("go.mod").display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )))
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;

    #[test]
    fn the_listed_versions_match_the_go_modules() {
        let parsed = OPENTOFU_RELEASES.iter().map(|(_, version)| Version::parse(version).expect("a version"));
        assert!(parsed.is_sorted());
        for (folder, version) in OPENTOFU_RELEASES {
            let module = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("opentofu").join(folder).join("go.mod");
            let module = fs::read_to_string(module).expect("go.mod");
            assert!(module.contains(&format!("\n\tgithub.com/opentofu/opentofu v{version}")), "{folder}");
            assert!(version.starts_with(&format!("{folder}.")), "{folder}");
        }
    }
}
