//! Compiles the protocol files with protox, a protobuf compiler in Rust: no `protoc` to install.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["tfplugin6.proto", "go_plugin.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // The server answers UNIMPLEMENTED for what it does not offer; clients are for the protocol tests and benchmarks.
        .generate_default_stubs(true)
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
