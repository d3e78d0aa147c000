//! Compiles the protocol files, and links for a quick start.

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    compile_protocols()?;
    let is = |name, value| env::var(name).is_ok_and(|set| set == value);
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
