//! The handshake line.

use std::path::Path;

use rustls::pki_types::ServerName;

use crate::host::{NETWORK, Tls};
use crate::session::{Session, host, is_healthy};

#[tokio::test]
async fn the_handshake_line_names_address_and_certificate() {
    let plugin = host().start().await;
    let fields: Vec<_> = plugin.handshake.fields.iter().map(String::as_str).collect();
    let ["1", "6", NETWORK, address, "grpc", certificate] = fields[..] else { panic!("{fields:?}") };
    assert!(
        if cfg!(windows) { address.starts_with("127.0.0.1:") } else { Path::new(address).is_absolute() },
        "{address}"
    );
    assert!(!certificate.is_empty() && !certificate.contains('='), "{certificate}");

    // The certificate is for "localhost" only.
    assert!(is_healthy(&plugin.connect().await).await);
    let tls = Tls { server_name: ServerName::try_from("example.com").expect("a name"), ..plugin.tls() };
    let error = plugin.connect_as(Some(&tls)).await.expect_err("another name");
    assert!(format!("{error:?}").contains("NotValidForName"), "{error:?}");
}

#[tokio::test]
async fn standard_output_holds_only_the_handshake_line() {
    let mut session = Session::start().await;
    for _ in 0..3 {
        assert!(is_healthy(&session.channel).await);
        assert_eq!(session.resource_schema().version, 0);
    }
    let ended = session.plugin.shut_down().await;
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr, "", "nor is there a warning");
}

#[tokio::test]
async fn without_automtls_the_line_has_no_certificate() {
    // The oldest hosts set only the cookie.
    let oldest = host().without_tls().without("PLUGIN_PROTOCOL_VERSIONS");
    for host in [oldest, host().without_tls().env("PLUGIN_CLIENT_CERT", "")] {
        let mut plugin = host.start().await;
        assert_eq!(plugin.handshake.fields.len(), 6);
        assert_eq!(plugin.handshake.certificate(), None);
        assert!(is_healthy(&plugin.connect().await).await);
        let ended = plugin.shut_down().await;
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn multiplexing_is_declined() {
    for value in ["true", "false", "1"] {
        let plugin = host().env("PLUGIN_MULTIPLEX_GRPC", value).start().await;
        assert_eq!(plugin.handshake.fields[6..], ["false"], "{value}");
        assert!(is_healthy(&plugin.connect().await).await, "the certificate's field is not mixed up with it");
    }
    // To go-plugin, an empty variable is not set.
    let plugin = host().env("PLUGIN_MULTIPLEX_GRPC", "").start().await;
    assert_eq!(plugin.handshake.fields.len(), 6);
}

#[tokio::test]
async fn a_host_of_another_protocol_version_is_still_answered() {
    for versions in ["5", "4,5", "7"] {
        let plugin = host().env("PLUGIN_PROTOCOL_VERSIONS", versions).start().await;
        assert_eq!(plugin.handshake.fields[1], "6", "{versions}");
        plugin.process.logged("the host does not speak this plugin protocol version").await;
    }
    let mut plugin = host().env("PLUGIN_PROTOCOL_VERSIONS", "6,7").start().await;
    assert_eq!(plugin.shut_down().await.stderr, "");
}
