//! A name server that knows one name.

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A name server on port 53 of its own loopback address. Dropping it stops it.
pub(crate) struct NameServer {
    address: IpAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The length of a message header.
const HEADER: usize = 12;
/// Record types.
const A: [u8; 2] = [0, 1];

impl NameServer {
    pub(crate) fn start(name: &'static str, address: Ipv4Addr) -> io::Result<Self> {
        let [.., high, low] = std::process::id().to_be_bytes();
        let own = IpAddr::from([127, 53, high, low.max(1)]);
        let socket = UdpSocket::bind((own, 53))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let (asked, stop) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (asked, stop) = (Arc::clone(&asked), Arc::clone(&stop));
            move || {
                let mut query = [0; 512];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((length, client)) = socket.recv_from(&mut query) else { continue };
                    let Some((question, wanted)) = read(&query[..length]) else { continue };
                    let answer = answer(&query[..length], &question, (wanted == name).then_some(address));
                    asked.lock().unwrap_or_else(PoisonError::into_inner).push(wanted);
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        Ok(Self { address: own, asked, stop, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the names that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Parses a query: its question, and the name in it.
fn read(query: &[u8]) -> Option<(Vec<u8>, String)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    // Type and class follow.
    Some((query.get(HEADER..at + 4)?.to_owned(), labels.join(".")))
}

fn answer(query: &[u8], question: &[u8], address: Option<Ipv4Addr>) -> Vec<u8> {
    let is_a = question[question.len() - 4..][..2] == A;
    let record = address.filter(|_| is_a);
    let no_such_name = if address.is_none() { 3 } else { 0 };
    let mut answer = query[..2].to_owned();
    // A response, recursion desired and available; one question, and the answer records.
    answer.extend([0x81, 0x80 | no_such_name, 0, 1, 0, u8::from(record.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(address) = record {
        // A pointer to the question's name, type A, class IN, a TTL of a minute, four bytes.
        answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}
