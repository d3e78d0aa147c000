//! SIGTERM: someone other than the host ends the plugin.

use tencent_simulator::Simulator;

use crate::lifetime::{assert_clean, end_during_a_write, hanging_read};
use crate::session::{Session, host, is_healthy};

#[tokio::test]
async fn sigterm_ends_the_process() {
    let mut plugin = host().start().await;
    let channel = plugin.connect().await;
    assert!(is_healthy(&channel).await);
    plugin.process.send_sigterm();
    let ended = plugin.process.end().await;
    assert_clean(&plugin, &ended);
}

#[tokio::test]
async fn sigterm_right_after_the_handshake_ends_the_process_cleanly() {
    for _ in 0..5 {
        let mut plugin = host().start().await;
        plugin.process.send_sigterm();
        let ended = plugin.process.end().await;
        assert_clean(&plugin, &ended);
    }
}

#[tokio::test]
async fn a_hanging_request_does_not_prevent_sigterm() {
    let simulator = Simulator::start().expect("a simulator");
    let mut session = Session::on(&simulator).await;
    let _read = hanging_read(&session, &simulator).await;
    session.plugin.process.send_sigterm();
    let ended = session.plugin.process.end().await;
    assert_clean(&session.plugin, &ended);
}

#[tokio::test]
async fn sigterm_interrupts_a_write_that_reports_its_outcome() {
    end_during_a_write(async |session| session.plugin.process.send_sigterm()).await;
}
