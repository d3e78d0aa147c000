//! The compilers for a target: this machine's own, or Debian's.
//!
//! Debian packages a recent Rust as `rustc-web`, with a standard library for arm64 and its sources for every other target. It
//! packages C compilers for Linux and Windows, but none for macOS. So code for macOS can be checked, but not linked.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use terraform_cli::Toolchain;

use super::debian::run;
use super::{Debian, directory};
use crate::Result;
use crate::project::{Project, Target};

/// Debian's packages for a target.
struct Parts {
    target: &'static str,
    /// The package of the standard library. Without one, Cargo builds it from its sources.
    library: Option<&'static str>,
    /// The packages of the C compiler and the C library.
    packages: &'static [&'static str],
    /// The prefix of the C compiler's programs, if there is one.
    prefix: Option<&'static str>,
    compiler: &'static str,
}

const PARTS: [Parts; 6] = [
    Parts {
        target: "aarch64-unknown-linux-gnu",
        library: Some("libstd-rust-web-dev:arm64"),
        packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
        prefix: Some("aarch64-linux-gnu"),
        compiler: "gcc",
    },
    Parts {
        target: "i686-unknown-linux-gnu",
        library: None,
        packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
        prefix: Some("i686-linux-gnu"),
        compiler: "gcc",
    },
    Parts {
        target: "s390x-unknown-linux-gnu",
        library: None,
        packages: &["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"],
        prefix: Some("s390x-linux-gnu"),
        compiler: "gcc",
    },
    Parts {
        target: WINDOWS,
        library: None,
        packages: &["gcc-mingw-w64-x86-64-posix"],
        prefix: Some("x86_64-w64-mingw32"),
        compiler: "gcc-posix",
    },
    Parts { target: "aarch64-apple-darwin", library: None, packages: &[], prefix: None, compiler: "" },
    Parts { target: "x86_64-apple-darwin", library: None, packages: &[], prefix: None, compiler: "" },
];

/// The target of mingw-w64, which Debian has for Windows.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Returns this machine's toolchain if it can build for the target, otherwise Debian's.
pub(crate) fn for_target(project: &Project, target: &Target) -> Result<Toolchain> {
    let own = Toolchain::of_this_machine();
    if own.has_target(target.triple())? {
        return Ok(own);
    }
    for_target_on_debian(project, target).map_err(|cause| {
        let target = target.triple();
        format!(
            "this machine's Rust has no standard library for {target}. Run `rustup target add {target}`, and tell Cargo the \
             C compiler and linker; or use a Debian machine, whose packages this command fetches: {cause}"
        )
        .into()
    })
}

/// Returns Debian's toolchain for a target, which is unpacked first if necessary.
fn for_target_on_debian(project: &Project, target: &Target) -> Result<Toolchain> {
    let parts = PARTS.iter().find(|parts| parts.target == target.triple());
    let parts = parts.ok_or_else(|| {
        let known: Vec<_> = PARTS.iter().map(|parts| parts.target).collect();
        format!("Debian has no compilers for {}, only for {}", target.triple(), known.join(", "))
    })?;
    let debian = Debian::below(&directory(project))?;
    debian.unpack(&["rustc-web", "cargo-web"])?;
    debian.unpack(parts.packages)?;
    match parts.library {
        Some(package) => debian.unpack_alone(&[package])?,
        None => debian.unpack(&["rust-web-src"])?,
    }

    let bin = debian.path("usr/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(env::split_paths(&path).chain([bin.clone()]))?;
    let mut toolchain = Toolchain::at(bin.join("cargo"), bin.join("rustc"))
        .env("RUSTDOC", bin.join("rustdoc"))
        .env("LD_LIBRARY_PATH", debian.path("usr/lib/x86_64-linux-gnu"))
        .env("PATH", path);

    let name = target.triple().replace('-', "_");
    // A check links nothing, so no C has to be compiled.
    let (compiler, archiver) = match parts.prefix {
        Some(prefix) => (
            bin.join(format!("{prefix}-{}", parts.compiler)).into_os_string(),
            bin.join(format!("{prefix}-ar")).into_os_string(),
        ),
        None => (OsString::from("true"), OsString::from("true")),
    };
    toolchain = toolchain
        .env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), &compiler)
        .env(format!("CC_{name}"), &compiler)
        .env(format!("CXX_{name}"), compiler)
        .env(format!("AR_{name}"), archiver);
    if target.triple().contains("-linux-") {
        // Nothing of the other platform has to be on this machine when tests run. Releases have flags of their own.
        toolchain =
            toolchain.env(format!("CARGO_TARGET_{}_RUSTFLAGS", name.to_uppercase()), "-Ctarget-feature=+crt-static");
    }
    if parts.library.is_none() {
        toolchain =
            toolchain.env("RUSTC_BOOTSTRAP", "1").build_arguments(&["-Zbuild-std=std,panic_unwind,proc_macro,test"]);
    }
    if target.triple() == WINDOWS {
        make_startup_objects(&debian, &toolchain)?;
    }
    Ok(toolchain)
}

/// Makes the objects that every executable for Windows begins and ends with: Cargo does not, when it builds the standard library.
fn make_startup_objects(debian: &Debian, toolchain: &Toolchain) -> Result {
    let place = debian.path(&format!("usr/lib/rustlib/{WINDOWS}/lib"));
    fs::create_dir_all(&place)?;
    for name in ["rsbegin", "rsend"] {
        let object = place.join(format!("{name}.o"));
        if !object.exists() {
            let source = debian.path(&format!("usr/lib/rustlib/src/rust/library/rtstartup/{name}.rs"));
            let arguments = ["--target", WINDOWS, "--emit=obj", "-o"];
            run(toolchain.rustc_command(Path::new("/")).args(arguments).arg(&object).arg(source))?;
        }
    }
    Ok(())
}
