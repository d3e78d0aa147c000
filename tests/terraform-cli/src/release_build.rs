//! Builds the executable of a release: the one that is packaged, installed and measured.
//!
//! On Linux it is linked statically, so that one executable runs on every distribution. With the same compilers, the same
//! sources give the same bytes on every machine: the executable contains no path of the machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo::{cargo, executable, root};
use crate::error::{Error, Result};
use crate::toolchain::{Rustc, Toolchain};

/// Builds the release of a binary of this workspace for this machine, and returns its path. Its package has the same name.
///
/// # Errors
///
/// As for [`crate::cargo_build`].
pub fn release_build(bin: &str) -> Result<PathBuf> {
    let toolchain = Toolchain::of_this_machine();
    release_build_for(&toolchain.host()?, &toolchain, &root(), bin)
}

/// Builds the release for a target, in a checkout.
///
/// # Errors
///
/// As for [`crate::cargo_build`].
pub fn release_build_for(target: &str, toolchain: &Toolchain, checkout: &Path, bin: &str) -> Result<PathBuf> {
    if target.contains("-linux-gnu") {
        check_glibc(&toolchain.c_library_version(target)?)?;
    }
    let metadata =
        cargo(toolchain, checkout, &["metadata", "--format-version=1", "--locked", "--filter-platform", target])?;
    let metadata = serde_json::from_str(&metadata)
        .map_err(|cause| Error::new(format!("`cargo metadata` printed no JSON: {cause}")))?;
    let flags = flags(target, &toolchain.rustc_facts()?, &metadata);
    let toolchain = toolchain.clone().env("CARGO_ENCODED_RUSTFLAGS", flags);
    // Builds only this package, without the features that other members need. The target is named because Cargo otherwise
    // applies the flags to build scripts and macros as well, which cannot be linked statically.
    let arguments = [
        "build",
        "--release",
        "--locked",
        "--bin",
        bin,
        "--target",
        target,
        "--message-format=json-render-diagnostics",
    ];
    let messages = cargo(&toolchain, checkout, &arguments)?;
    executable(&messages, bin).ok_or_else(|| Error::new(format!("`cargo {}` named no executable", arguments.join(" "))))
}

/// Refuses a glibc that loads even the name look-up that a static executable needs as a plugin.
fn check_glibc(version: &str) -> Result<()> {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok()).unwrap_or_default();
    let mut parts = version.split('.');
    if (number(parts.next()), number(parts.next())) < (2, 34) {
        return Err(Error::new(format!(
            "the C compiler has glibc {version}, and what is linked statically with it could not look up any host name: \
             build with glibc 2.34 or newer"
        )));
    }
    Ok(())
}

/// Returns the flags for rustc, in the form of `CARGO_ENCODED_RUSTFLAGS`.
fn flags(target: &str, rustc: &Rustc, metadata: &Value) -> OsString {
    let mut flags: Vec<OsString> = Vec::new();
    if target.contains("-linux-") || target.ends_with("-windows-msvc") {
        flags.push("-Ctarget-feature=+crt-static".into());
    }
    if target.contains("-linux-") {
        // A fixed load address, as in Go's executables, needs no relocation at the start.
        flags.push("-Crelocation-model=static".into());
        // By default, the crate getrandom looks its system function up at run time, does not find it in a static executable,
        // and falls back to /dev/urandom, which an empty container lacks.
        flags.extend(["--cfg".into(), "getrandom_backend=\"linux_getrandom\"".into()]);
    }
    if target.ends_with("-windows-msvc") {
        // Omits the time of linking.
        flags.push("-Clink-arg=/Brepro".into());
    }
    if target.ends_with("-windows-gnu") {
        flags.push("-Clink-arg=-Wl,--no-insert-timestamp".into());
    }
    for (from, to) in remapped(rustc, metadata) {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    }
    flags.join("\u{1f}".as_ref())
}

/// Returns the directories of this machine that rustc would write into the executable, and their replacements.
fn remapped(rustc: &Rustc, metadata: &Value) -> Vec<(PathBuf, String)> {
    let path = |value: &Value| value.as_str().map(PathBuf::from);
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // The directories of unpacked crates: below CARGO_HOME, or the vendor directory.
    let crates: BTreeSet<_> = packages
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| Some(path(&package["manifest_path"])?.ancestors().nth(2)?.to_owned()))
        .collect();
    // The last match counts: the target directory is usually inside the checkout.
    let mut remapped: Vec<_> =
        path(&metadata["workspace_root"]).map(|root| (root, ".".to_owned())).into_iter().collect();
    remapped.extend(path(&metadata["target_directory"]).map(|target| (target, "target".to_owned())));
    remapped.extend(crates.into_iter().map(|crates| (crates, "crates".to_owned())));
    // Exists only if the sources of the standard library are installed. Otherwise, rustc uses the replacement itself.
    let library = rustc.sysroot.join("lib/rustlib/src/rust");
    let linked = library.canonicalize().ok().filter(|linked| *linked != library);
    remapped.extend(linked.into_iter().chain([library]).map(|library| (library, format!("/rustc/{}", rustc.commit))));
    remapped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flags_for(target: &str) -> Vec<String> {
        let rustc =
            Rustc { host: "h".into(), commit: "c0ffee".into(), release: "1.0.0".into(), sysroot: "/sysroot".into() };
        let metadata = json!({
            "workspace_root": "/home/a/checkout",
            "target_directory": "/home/a/checkout/target",
            "packages": [
                { "source": null, "manifest_path": "/home/a/checkout/Cargo.toml" },
                { "source": "registry+x", "manifest_path": "/home/a/.cargo/registry/src/index-1/one-1.0.0/Cargo.toml" },
                { "source": "registry+x", "manifest_path": "/home/a/.cargo/registry/src/index-1/two-1.0.0/Cargo.toml" },
            ],
        });
        let flags = flags(target, &rustc, &metadata).into_string().expect("plain text");
        flags.split('\u{1f}').map(str::to_owned).collect()
    }

    #[test]
    fn paths_of_the_build_machine_are_remapped() {
        let flags = flags_for("aarch64-apple-darwin");
        assert_eq!(
            flags,
            [
                "--remap-path-prefix=/home/a/checkout=.",
                "--remap-path-prefix=/home/a/checkout/target=target",
                "--remap-path-prefix=/home/a/.cargo/registry/src/index-1=crates",
                "--remap-path-prefix=/sysroot/lib/rustlib/src/rust=/rustc/c0ffee",
            ]
        );
    }

    #[test]
    fn linux_is_linked_statically() {
        for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl"] {
            assert_eq!(flags_for(target)[..2], ["-Ctarget-feature=+crt-static", "-Crelocation-model=static"]);
        }
    }

    #[test]
    fn a_glibc_too_old_for_static_name_lookup_is_refused() {
        for enough in ["2.34", "2.41", "3.0"] {
            assert!(check_glibc(enough).is_ok(), "{enough}");
        }
        for old in ["2.33", "2.28", ""] {
            assert!(check_glibc(old).is_err(), "{old}");
        }
    }
}
