//! Someone starts the binary by hand.

use std::process::Stdio;

use terraform_provider_tencent::tencent::UserSig;

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
    for arguments in [&["--help"][..], &["-help"], &["-h"], &["user-sig", "--help"]] {
        let ended = run(arguments).await;
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stdout.contains("--debug") && ended.stdout.contains("--version"), "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn user_sig_names_what_is_missing_or_wrong() {
    const TOO_LONG: &str = "administrator-of-all-applications";
    let (id, key) = (("TENCENT_SDK_APP_ID", "1400000001"), ("TENCENT_SECRET_KEY", "s3cret"));
    for (variables, lifetime, said) in [
        (&[key][..], "1h", "The environment variable TENCENT_SDK_APP_ID is not set. "),
        (&[id, ("TENCENT_SECRET_KEY", "")], "1h", "The environment variable TENCENT_SECRET_KEY is not set. "),
        (&[("TENCENT_SDK_APP_ID", "0"), key], "1h", "The environment variable TENCENT_SDK_APP_ID is not an SDKAppID: "),
        (
            &[id, ("TENCENT_SECRET_KEY", "s3cret\n")],
            "1h",
            "The environment variable TENCENT_SECRET_KEY begins or ends ",
        ),
        (&[id, key, ("TENCENT_IDENTIFIER", "a b")], "1h", "The environment variable TENCENT_IDENTIFIER is empty or "),
        (&[id, key, ("TENCENT_IDENTIFIER", TOO_LONG)], "1h", "The TENCENT_IDENTIFIER is longer than 32 bytes: "),
        (&[id, key], "181d", "--expires-in: \"181d\" is not a duration from \"1s\" to \"180d\"."),
        (&[id, key], "0s", "--expires-in: \"0s\" is not a duration from "),
        (&[id, key], "3600", "--expires-in: \"3600\" is not a duration. Write a number with a unit, such as "),
    ] {
        let host = variables.iter().fold(person(), |host, (name, value)| host.env(name, value));
        let ended = host.arguments(["user-sig".to_owned(), format!("--expires-in={lifetime}")]).spawn().end().await;
        assert!(ended.stderr.starts_with(said) && !ended.stderr.contains("s3cret"), "{ended:?}");
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(1), ""), "{ended:?}");
    }
}

#[tokio::test]
async fn user_sig_prints_a_user_sig_for_an_hour_and_nothing_else() {
    let host = person().env("TENCENT_SDK_APP_ID", "1400000001").env("TENCENT_SECRET_KEY", "s3cret");
    let ended = host.arguments(["user-sig"]).spawn().end().await;
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    let user_sig = ended.stdout.strip_suffix('\n').expect("a line").to_owned();
    let claims = UserSig::from(user_sig).claims().expect("a UserSig");
    assert_eq!((&*claims.identifier, claims.sdk_app_id, claims.lifetime), ("administrator", 1_400_000_001, 3600));
}

#[tokio::test]
async fn other_arguments_are_refused() {
    for (arguments, got) in [
        (&["apply"][..], r#""apply""#),
        (&["--verison"], r#""--verison""#),
        (&["--debug", "--help"], r#""--debug" "--help""#),
        (&[""], r#""""#),
        (&["user-sig", "30d"], r#""user-sig" "30d""#),
    ] {
        let ended = run(arguments).await;
        let expected = format!("Expected the command or one of the options below, but got {got}.\n\n");
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
