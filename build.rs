//! Compiles the protocol files, and checks the settings that a release needs to start quickly.

use std::env;
use std::error::Error;

/// The variable that keeps aws-lc from seeding its random generator by CPU jitter. `.cargo/config.toml` sets it, and
/// says why.
const NO_JITTER: &str = "AWS_LC_SYS_NO_JITTER_ENTROPY";

fn main() -> Result<(), Box<dyn Error>> {
    compile_protocols()?;
    println!("cargo::rerun-if-env-changed={NO_JITTER}");
    let is = |name, value| env::var(name).is_ok_and(|set| set == value);
    if is("PROFILE", "release") && !is(NO_JITTER, "1") && env::var_os("DOCS_RS").is_none() {
        // Cargo reads the .cargo/config.toml of the current directory, not of the package.
        println!(
            "cargo::error={NO_JITTER} is not set: each start of the provider would take some 30 ms longer. Build in the \
             provider's own directory, whose .cargo/config.toml sets it, or set {NO_JITTER}=1."
        );
    }
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        // Loads the executable at a fixed address, as Go's are. At a random one, the loader would adjust some 8,000
        // pointers at each start, which takes a tenth of the time to the handshake line.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    Ok(())
}

/// Compiles the protocol files with protox, a protobuf compiler in Rust, so that nobody has to install `protoc`.
fn compile_protocols() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["tfplugin6.proto", "go_plugin.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // The server answers UNIMPLEMENTED to RPCs that it does not have. The protocol tests and benchmarks use the
        // clients.
        .generate_default_stubs(true)
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
