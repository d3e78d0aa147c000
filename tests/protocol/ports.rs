//! The socket on Windows: a port on the loopback address, in the host's range.

use std::net::TcpListener;

use crate::session::{failure, host, is_healthy};

const MIN: &str = "PLUGIN_MIN_PORT";
const MAX: &str = "PLUGIN_MAX_PORT";

/// Takes a port that the system chooses.
fn taken() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn port(address: &str) -> u16 {
    address.strip_prefix("127.0.0.1:").and_then(|port| port.parse().ok()).expect("a port of the loopback address")
}

#[tokio::test]
async fn the_port_is_in_the_hosts_range() {
    let plugins = [host().start().await, host().start().await];
    for plugin in &plugins {
        assert!((10_000..=25_000).contains(&port(plugin.handshake.address())), "{:?}", plugin.handshake);
        assert!(is_healthy(&plugin.connect().await).await);
    }
    assert_ne!(plugins[0].handshake.address(), plugins[1].handshake.address());
}

#[tokio::test]
async fn taken_ports_are_passed_over() {
    // Another process may take the next port meanwhile: the range has a few.
    let (_listener, first) = taken();
    let last = first.saturating_add(20);
    let plugin = host().env(MIN, first.to_string()).env(MAX, last.to_string()).start().await;
    assert!((first + 1..=last).contains(&port(plugin.handshake.address())), "{first}: {:?}", plugin.handshake);
    assert!(is_healthy(&plugin.connect().await).await);
}

#[tokio::test]
async fn a_range_without_a_free_port_is_an_error() {
    let (_listener, only) = taken();
    let ended = failure(&host().env(MIN, only.to_string()).env(MAX, only.to_string())).await;
    assert!(ended.stderr.contains(&format!("cannot listen on 127.0.0.1, ports {only} to {only}")), "{ended:?}");
}

#[tokio::test]
async fn without_a_range_the_system_chooses() {
    for host in [host().without(MIN).without(MAX), host().env(MIN, "").env(MAX, "")] {
        let plugin = host.start().await;
        assert_ne!(port(plugin.handshake.address()), 0);
        assert!(is_healthy(&plugin.connect().await).await);
    }
}

#[tokio::test]
async fn a_range_that_is_none_is_an_error() {
    for (min, max, named) in
        [("10000", "", MIN), ("", "10000", MIN), ("25000", "10000", MIN), ("70000", "80000", MIN), ("1", "many", MAX)]
    {
        let ended = failure(&host().env(MIN, min).env(MAX, max)).await;
        assert!(ended.stderr.contains(named), "{min} to {max}: {ended:?}");
    }
}
