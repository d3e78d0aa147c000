//! Who may connect: the one client whose certificate the host announced, and nobody else.

use rustls::version::{TLS12, TLS13};
use tokio::net::UnixStream;

use crate::host::{Identity, Plugin, Tls, pem};
use crate::session::{failure, host, is_healthy};

/// Connects as `tls` says and finds no service. In TLS 1.3 a client learns of the refusal only from its first answer,
/// so it is the request that has to fail.
async fn is_refused(plugin: &Plugin, tls: Option<&Tls>) {
    if let Ok(channel) = plugin.connect_as(tls).await {
        assert!(!is_healthy(&channel).await, "a stranger was served: {tls:?}");
    }
    plugin.process.logged("a connection was refused").await;
}

#[tokio::test]
async fn the_host_is_served_over_either_version_of_tls() {
    for version in [&TLS13, &TLS12] {
        let plugin = host().start().await;
        let tls = Tls { version, ..plugin.tls() };
        let channel = plugin.connect_as(Some(&tls)).await.expect("a connection");
        assert!(is_healthy(&channel).await, "{version:?}");
        assert_eq!(plugin.process.log(), "");
    }
}

#[tokio::test]
async fn others_are_refused() {
    let ours = Identity::new();
    let strangers = [
        ("nobody", None),
        ("another name, another key", Some(Identity::named("stranger"))),
        ("the same name, another key", Some(Identity::new())),
        // The announced certificate is marked as an authority's: a check of the chain would accept this one.
        ("signed by the announced certificate", Some(ours.issue())),
        // A certificate is public.
        ("the announced certificate, another key", Some(Identity { key: Identity::new().key, ..ours.clone() })),
    ];
    for (who, stranger) in strangers {
        for version in [&TLS13, &TLS12] {
            let plugin = host().identified_by(ours.clone()).start().await;
            let tls = Tls { identity: stranger.clone(), version, ..plugin.tls() };
            is_refused(&plugin, Some(&tls)).await;
            assert!(is_healthy(&plugin.connect().await).await, "after {who}, the host is still served");
        }
    }
}

#[tokio::test]
async fn a_chain_with_the_announced_certificate_behind_another_is_refused() {
    // Only the first certificate of a chain is the client's.
    let ours = Identity::new();
    let plugin = host().identified_by(ours.clone()).start().await;
    let mut stranger = ours.issue();
    stranger.chain.extend(ours.chain);
    let tls = Tls { identity: Some(stranger), ..plugin.tls() };
    is_refused(&plugin, Some(&tls)).await;
}

#[tokio::test]
async fn a_connection_without_tls_is_refused() {
    let plugin = host().start().await;
    is_refused(&plugin, None).await;
    assert!(is_healthy(&plugin.connect().await).await);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_fatal() {
    let key = Identity::new().key.serialize_der();
    let whole = Identity::new().pem();
    let unreadable = [
        ("text", "certificate".to_owned()),
        ("a key", pem("PRIVATE KEY", &key)),
        ("not base64", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned()),
        ("cut off", whole[..whole.len() / 2].to_owned()),
        ("no certificate inside", pem("CERTIFICATE", b"certificate")),
    ];
    for (what, certificate) in unreadable {
        let ended = failure(&host().env("PLUGIN_CLIENT_CERT", &certificate)).await;
        assert!(ended.stderr.contains("PLUGIN_CLIENT_CERT"), "{what}: {ended:?}");
    }
}

#[tokio::test]
async fn those_who_say_nothing_keep_nobody_waiting() {
    let plugin = host().start().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(UnixStream::connect(plugin.handshake.socket()).await.expect("a connection"));
    }
    assert!(is_healthy(&plugin.connect().await).await);
    drop(silent);
    assert!(is_healthy(&plugin.connect().await).await);
}
