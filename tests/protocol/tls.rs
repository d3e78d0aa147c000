//! Who may connect: only the client whose certificate the host announced.

use rustls::version::{TLS12, TLS13};

use crate::host::{Identity, Plugin, Socket, Tls, pem};
use crate::session::{failure, host, is_healthy};

/// Asserts that a connection with these TLS settings is refused. In TLS 1.3, a client learns of a refusal only from the first
/// answer, so a request has to fail.
async fn is_refused(plugin: &Plugin, tls: Option<&Tls>) {
    if let Ok(channel) = plugin.connect_as(tls).await {
        assert!(!is_healthy(&channel).await, "a stranger was served: {tls:?}");
    }
    plugin.process.logged("a connection was refused").await;
}

#[tokio::test]
async fn the_host_can_use_tls_1_2_and_1_3() {
    for version in [&TLS13, &TLS12] {
        let plugin = host().start().await;
        let tls = Tls { version, ..plugin.tls() };
        let channel = plugin.connect_as(Some(&tls)).await.expect("a connection");
        assert!(is_healthy(&channel).await, "{version:?}");
        assert_eq!(plugin.process.log(), "");
    }
}

#[tokio::test]
async fn clients_with_another_certificate_are_refused() {
    let ours = Identity::new();
    let strangers = [
        ("nobody", None),
        ("another name, another key", Some(Identity::named("stranger"))),
        ("the same name, another key", Some(Identity::new())),
        // The announced certificate is marked as an authority, so verifying the chain would accept this one.
        ("signed by the announced certificate", Some(ours.issue())),
        // The announced certificate with another key: certificates are public.
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
async fn a_chain_that_merely_contains_the_announced_certificate_is_refused() {
    // Only the first certificate of a chain identifies the client.
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
async fn an_unreadable_host_certificate_is_fatal() {
    let key = rcgen::KeyPair::generate().expect("a key").serialize_der();
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
async fn silent_connections_do_not_block_others() {
    let plugin = host().start().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(Socket::connect(plugin.handshake.address()).await.expect("a connection"));
    }
    assert!(is_healthy(&plugin.connect().await).await);
    drop(silent);
    assert!(is_healthy(&plugin.connect().await).await);
}
