//! Builds in other directories give the same bytes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use terraform_cli::{Toolchain, release_build_for};

use crate::{EXECUTABLE, Result};

#[test]
fn builds_in_different_directories_are_identical() -> Result {
    let elsewhere = tempfile::tempdir()?;
    let (checkout, home) = (elsewhere.path().join("somewhere/else"), elsewhere.path().join("home"));
    copy_checkout(&checkout)?;
    let cargo_home = home.join(".cargo");
    copy_cargo_home(&cargo_home)?;
    let target = checkout.join("target");
    let toolchain = Toolchain::of_this_machine()
        .env("CARGO_HOME", &cargo_home)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_NET_OFFLINE", "true")
        .env("RUSTUP_HOME", rustup_home()?)
        .env("HOME", &home);
    let there = release_build_for(&toolchain.host()?, &toolchain, &checkout, env!("CARGO_PKG_NAME"))?;

    let (here, there) = (fs::read(&*EXECUTABLE)?, fs::read(there)?);
    let difference = here.iter().zip(&there).position(|(here, there)| here != there);
    let around = |bytes: &[u8], at: usize| {
        let part = &bytes[at.saturating_sub(80)..bytes.len().min(at + 80)];
        part.escape_ascii().to_string()
    };
    if let Some(at) = difference {
        panic!("byte {at} differs:\n  here: {}\n there: {}", around(&here, at), around(&there, at));
    }
    assert_eq!(here.len(), there.len());
    Ok(())
}

#[test]
fn the_executable_contains_no_path_of_the_build_machine() -> Result {
    let bytes = fs::read(&*EXECUTABLE)?;
    for path in [PathBuf::from(env!("CARGO_MANIFEST_DIR")), real_cargo_home()?, rustup_home()?] {
        let path = path.to_str().ok_or("a path that is plain text")?.as_bytes();
        let at = bytes.windows(path.len()).position(|part| part == path);
        assert_eq!(at.map(|at| bytes[at..at + 120].escape_ascii().to_string()), None);
    }
    Ok(())
}

/// Copies git's files, as they are in the work tree.
fn copy_checkout(to: &Path) -> Result {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(from)
        .output()?;
    assert!(listed.status.success(), "`git ls-files` failed: {}", String::from_utf8_lossy(&listed.stderr));
    for file in String::from_utf8(listed.stdout)?.split_terminator('\0') {
        if !from.join(file).exists() {
            continue; // Deleted, but not committed yet.
        }
        let copy = to.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(from.join(file), copy)?;
    }
    Ok(())
}

/// Makes a Cargo home with the same downloaded crates, not yet unpacked.
fn copy_cargo_home(to: &Path) -> Result {
    let from = real_cargo_home()?;
    fs::create_dir_all(to.join("registry"))?;
    for shared in ["registry/cache", "registry/index", "config.toml"] {
        if from.join(shared).exists() {
            symlink(from.join(shared), to.join(shared))?;
        }
    }
    Ok(())
}

fn real_cargo_home() -> Result<PathBuf> {
    home_of("CARGO_HOME", ".cargo")
}

fn rustup_home() -> Result<PathBuf> {
    home_of("RUSTUP_HOME", ".rustup")
}

fn home_of(variable: &str, below_home: &str) -> Result<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    Ok(named.or_else(|| Some(std::env::home_dir()?.join(below_home))).ok_or("there is no home directory")?)
}
