//! Someone starts the binary by hand.

use std::process::Stdio;

use crate::host::{Ended, Host, MAGIC_COOKIE};
use crate::session::host;

/// Starts the binary as a shell does, without a host's variables.
fn person() -> Host {
    host().without(MAGIC_COOKIE.0).without("PLUGIN_PROTOCOL_VERSIONS").without_tls()
}

async fn run(arguments: &[&str]) -> Ended {
    person().arguments(arguments).spawn().end().await
}

#[tokio::test]
async fn starting_the_binary_by_hand_explains_its_purpose() {
    let wrong = person().env(MAGIC_COOKIE.0, "chocolate");
    let empty = person().env(MAGIC_COOKIE.0, "");
    for host in [person(), wrong, empty] {
        let ended = host.spawn().end().await;
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert_eq!(ended.stdout, "");
        for expected in ["This program is a plugin: Terraform starts it.", "terraform init", "callkit/tencent"] {
            assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn version_prints_the_version() {
    for argument in ["--version", "-version", "-V"] {
        let ended = run(&[argument]).await;
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(ended.stdout, concat!("terraform-provider-tencent ", env!("CARGO_PKG_VERSION"), "\n"));
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn help_prints_the_usage() {
    for argument in ["--help", "-help", "-h"] {
        let ended = run(&[argument]).await;
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stdout.contains("--debug") && ended.stdout.contains("--version"), "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn other_arguments_are_refused() {
    for (arguments, got) in [
        (&["apply"][..], r#""apply""#),
        (&["--verison"], r#""--verison""#),
        (&["--debug", "--help"], r#""--debug" "--help""#),
        (&[""], r#""""#),
    ] {
        let ended = run(arguments).await;
        let expected = format!("Expected at most one of the options below, but got {got}.\n\n");
        assert!(ended.stderr.starts_with(&expected), "{ended:?}");
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("--help"), "{ended:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn arguments_that_are_not_unicode_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let ended = person().arguments([OsStr::from_bytes(b"--\xff")]).spawn().end().await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
}

#[tokio::test]
async fn a_closed_standard_output_causes_no_panic() {
    let starts =
        [person().arguments(["--version"]), person().arguments(["--help"]), person().arguments(["--debug"]), host()];
    for host in starts {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = host.spawn_with_stdout(Stdio::from(writer)).end().await;
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(!ended.stderr.contains("panic"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_host_that_closes_standard_output_finds_the_reason_in_the_log() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let host = host();
    let ended = host.spawn_with_stdout(Stdio::from(writer)).end().await;
    assert!(ended.stderr.contains("cannot write to standard output"), "{ended:?}");
    let left = std::fs::read_dir(host.temporary()).expect("a directory").count();
    assert_eq!(left, 0, "the socket is removed");
}
