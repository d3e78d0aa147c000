//! Compiles the protocol files, and sees to it that a release starts quickly wherever it is built.

use std::env;
use std::error::Error;

/// What keeps aws-lc from seeding its random generator by CPU jitter: `.cargo/config.toml` says why, and sets it.
const NO_JITTER: &str = "AWS_LC_SYS_NO_JITTER_ENTROPY";

fn main() -> Result<(), Box<dyn Error>> {
    compile_protocols()?;
    println!("cargo::rerun-if-env-changed={NO_JITTER}");
    let is = |name, value| env::var(name).is_ok_and(|set| set == value);
    if is("PROFILE", "release") && !is(NO_JITTER, "1") && env::var_os("DOCS_RS").is_none() {
        // Cargo reads .cargo/config.toml of the current directory, not of the package.
        println!(
            "cargo::error={NO_JITTER} is not set: each start of the provider would take some 30 ms longer. Build in the \
             provider's own directory, whose .cargo/config.toml sets it, or set {NO_JITTER}=1."
        );
    }
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        // Loaded at a fixed address, as Go's executables are: at a random one, the loader would adjust some 8,000
        // pointers at each start, which is a tenth of the time to the handshake line.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    Ok(())
}

/// With protox, a protobuf compiler in Rust: no `protoc` to install.
fn compile_protocols() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["tfplugin6.proto", "go_plugin.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // The server answers UNIMPLEMENTED for what it does not offer; clients are for the protocol tests and benchmarks.
        .generate_default_stubs(true)
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
