//! The Rust code of the protocols is that of their files. `UPDATE_EXPECT=1 cargo test --test protocols` generates it again.
//!
//! It is committed so that a build of the provider needs no generator, which takes as long to compile as the rest of it.

use std::error::Error;
use std::fs;

use expect_test::expect_file;

#[test]
fn the_code_is_generated_from_the_protocol_files() -> Result<(), Box<dyn Error>> {
    // protox is a protobuf compiler in Rust, so that nobody has to install `protoc`.
    let files = protox::compile(["tfplugin6.proto", "go_plugin.proto"], ["proto"])?;
    let generated = tempfile::tempdir()?;
    tonic_prost_build::configure()
        // The server answers UNIMPLEMENTED to RPCs that it does not have. The protocol tests and benchmarks use the
        // clients.
        .generate_default_stubs(true)
        .build_transport(false)
        .out_dir(&generated)
        .compile_fds(files)?;
    let code = |package| fs::read_to_string(generated.path().join(package));
    expect_file!["../proto/tfplugin6.rs"].assert_eq(&code("tfplugin6.rs")?);
    expect_file!["../proto/plugin.rs"].assert_eq(&code("plugin.rs")?);
    Ok(())
}
