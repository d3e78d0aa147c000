//! The socket on unix: its directory, its owner, its group.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use nix::unistd::{Gid, Group};

use crate::host::Plugin;
use crate::session::{failure, host, is_healthy};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

fn socket(plugin: &Plugin) -> &Path {
    Path::new(plugin.handshake.address())
}

/// Returns the directory that the plugin made for its socket.
fn directory(plugin: &Plugin) -> &Path {
    socket(plugin).parent().expect("a directory")
}

#[tokio::test]
async fn only_this_user_can_use_the_socket() {
    let plugin = host().start().await;
    let found = fs::metadata(socket(&plugin)).expect("the socket");
    assert!(found.file_type().is_socket());
    assert_eq!(mode(socket(&plugin)), 0o600);
    assert_eq!(mode(directory(&plugin)), 0o700);
}

#[tokio::test]
async fn each_process_removes_its_own_socket_directory() {
    let host = host();
    let (mut one, mut other) = (host.start().await, host.start().await);
    assert_eq!(directory(&one).parent(), Some(host.temporary()));
    assert_ne!(directory(&one), directory(&other));
    one.shut_down().await;
    assert!(!directory(&one).exists() && directory(&other).exists());
    other.shut_down().await;
    assert_eq!(entries(host.temporary()), 0);
}

#[tokio::test]
async fn the_host_can_choose_the_socket_directory() {
    let sockets = tempfile::tempdir().expect("a directory");
    let mut plugin = host().env("PLUGIN_UNIX_SOCKET_DIR", sockets.path()).start().await;
    assert_eq!(directory(&plugin).parent(), Some(sockets.path()), "in a directory inside that one");
    assert!(is_healthy(&plugin.connect().await).await);
    plugin.shut_down().await;
    assert_eq!(entries(sockets.path()), 0);

    let host = host().env("PLUGIN_UNIX_SOCKET_DIR", "");
    let plugin = host.start().await;
    assert_eq!(directory(&plugin).parent(), Some(host.temporary()), "an empty variable is none");
}

#[tokio::test]
async fn the_host_can_share_the_socket_with_a_group() {
    let gid = Gid::current();
    // Not every machine names the group.
    let name = Group::from_gid(gid).expect("the groups can be read").map(|group| group.name);
    for group in [Some(gid.to_string()), name].into_iter().flatten() {
        let plugin = host().env("PLUGIN_UNIX_SOCKET_GROUP", &group).start().await;
        assert_eq!(mode(socket(&plugin)), 0o660, "{group}");
        // The group may enter the directory, but not list it.
        assert_eq!(mode(directory(&plugin)), 0o710, "{group}");
        for path in [socket(&plugin), directory(&plugin)] {
            assert_eq!(fs::metadata(path).expect("it exists").gid(), gid.as_raw(), "{group}");
        }
        assert!(is_healthy(&plugin.connect().await).await, "{group}");
    }
}

#[tokio::test]
async fn an_unknown_group_is_an_error() {
    let host = host().env("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group");
    let ended = failure(&host).await;
    assert!(ended.stderr.contains("PLUGIN_UNIX_SOCKET_GROUP"), "{}", ended.stderr);
    assert!(ended.stderr.contains("there is no group \"no-such-group\""), "{}", ended.stderr);
    assert_eq!(entries(host.temporary()), 0, "nothing is left behind");
}

#[tokio::test]
async fn an_unusable_socket_directory_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("a file");
    let missing = directory.path().join("missing");
    for variable in ["TMPDIR", "PLUGIN_UNIX_SOCKET_DIR"] {
        for (unusable, reason) in [(&missing, "it does not exist"), (&file, "it is not a directory")] {
            let ended = failure(&host().env(variable, unusable)).await;
            let expected = format!(
                "The provider cannot start: cannot create a socket in {}: {reason}. Make it a directory that this user \
                 can write to, or set {variable} to another one.\n",
                unusable.display()
            );
            assert_eq!(ended.stderr, expected);
        }
    }
}

#[tokio::test]
async fn a_temporary_directory_unfit_for_sockets_is_skipped() {
    let temporary = tempfile::tempdir().expect("a directory");
    // The path of a socket is limited to about a hundred bytes, and bars separate the fields of the line.
    for name in ["d".repeat(120), "a|b".to_owned(), "a\nb".to_owned()] {
        let unusable = temporary.path().join(name);
        fs::create_dir(&unusable).expect("a directory");
        let host = host();
        let own = host.temporary().to_owned();
        for (host, used) in [
            (host.clone().env("PLUGIN_UNIX_SOCKET_DIR", &unusable), own.as_path()),
            (host.env("TMPDIR", &unusable), Path::new("/tmp")),
        ] {
            let mut plugin = host.start().await;
            assert_eq!(directory(&plugin).parent(), Some(used));
            assert_eq!(mode(directory(&plugin)), 0o700);
            assert!(is_healthy(&plugin.connect().await).await);
            plugin.process.logged("the socket cannot be there").await;
            plugin.shut_down().await;
            assert!(!directory(&plugin).exists());
            assert_eq!(entries(&unusable), 0);
        }
    }
}

#[tokio::test]
async fn a_relative_socket_directory_is_reported_as_an_absolute_path() {
    let host = host();
    let to_root = "../".repeat(std::env::current_dir().expect("a directory").components().count());
    let relative = format!("{to_root}{}", host.temporary().display());
    let plugin = host.env("TMPDIR", relative).start().await;
    assert!(socket(&plugin).is_absolute(), "{:?}", plugin.handshake);
    assert!(is_healthy(&plugin.connect().await).await);
}

#[tokio::test]
async fn an_error_cannot_be_mistaken_for_a_handshake() {
    let ended = failure(&host().env("PLUGIN_UNIX_SOCKET_GROUP", "1|6|unix|/tmp/socket|grpc|")).await;
    assert!(ended.stderr.contains("there is no group \"1|6|unix|/tmp/socket|grpc|\""), "{}", ended.stderr);
}
