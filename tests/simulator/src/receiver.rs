//! A receiver of the events that Tencent posts, which answers as a test tells it to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::tls;

/// A receiver on loopback. Its thread ends with the process, but a dropped receiver answers no request any more.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    ca_certificate_pem: Option<String>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    reply: Option<Reply>,
    received: Vec<Event>,
}

/// The answer of a receiver.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The code and the reason in the status line, such as `200 OK`.
    pub status: String,
    /// Further headers, each `Name: value`.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
    /// The time before the answer.
    pub delay: Duration,
}

impl Reply {
    /// Returns the answer that the documentation of version 1 asks for.
    pub fn of_version_1() -> Self {
        Self { body: r#"{"ErrorCode":0,"ErrorMessage":"Success"}"#.to_owned(), ..Self::default() }
    }
}

impl Default for Reply {
    /// Returns the answer that Tencent's documentation asks for.
    fn default() -> Self {
        Self {
            status: "200 OK".to_owned(),
            headers: Vec::new(),
            body: r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#.to_owned(),
            delay: Duration::ZERO,
        }
    }
}

/// An event that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `POST`
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl Receiver {
    /// Starts a receiver that answers as Tencent's documentation asks.
    pub fn start() -> io::Result<Self> {
        Self::listen(None)
    }

    /// Starts a receiver that serves HTTPS: see [`Receiver::ca_certificate_pem`].
    pub fn start_tls() -> io::Result<Self> {
        let (acceptor, ca_certificate_pem) = tls::make(None).map_err(io::Error::other)?;
        Self::listen(Some((Arc::clone(acceptor.config()), ca_certificate_pem)))
    }

    fn listen(tls: Option<(Arc<ServerConfig>, String)>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { reply: Some(Reply::default()), received: Vec::new() }));
        let (config, ca_certificate_pem) = tls.unzip();
        let receiver = Self { address, ca_certificate_pem, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, config) = (Arc::clone(&shared), config.clone());
                // The client reports what fails here.
                thread::spawn(move || match config {
                    None => answer(stream, &shared),
                    Some(config) => {
                        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                        answer(StreamOwned::new(connection, stream), &shared)
                    }
                });
            }
        });
        Ok(receiver)
    }

    /// Returns the receiver's URL, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.ca_certificate_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the certificate authority to trust, if the receiver serves HTTPS.
    pub fn ca_certificate_pem(&self) -> Option<&str> {
        self.ca_certificate_pem.as_deref()
    }

    /// Sets the answer from now on. `None` closes the connection instead.
    pub fn replies(&self, reply: impl Into<Option<Reply>>) {
        lock(&self.shared).reply = reply.into();
    }

    /// Returns the events that arrived since the last call.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut lock(&self.shared).received)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        lock(&self.shared).reply = None;
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An HTTP/1.1 request, for servers that answer one request per connection.
#[derive(Debug)]
pub struct HttpRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as long as `Content-Length` announces.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// If the connection ends or breaks before the request does.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut line = || -> io::Result<String> {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            Ok(line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        while let Some((name, value)) = line()?.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|value| value.parse().ok());
        request.body.resize(length.unwrap_or_default(), 0);
        reader.read_exact(&mut request.body)?;
        Ok(request)
    }

    /// Returns the value of the first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one request, and answers it.
fn answer(stream: impl Read + Write, shared: &Mutex<Shared>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let HttpRequest { method, target, headers, body } = HttpRequest::read(&mut reader)?;
    let reply = {
        let mut shared = lock(shared);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        shared.received.push(Event { method, target, headers, body });
        shared.reply.clone()
    };
    let Some(Reply { status, headers, body, delay }) = reply else { return Ok(()) };
    thread::sleep(delay);
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}");
    let stream = reader.get_mut();
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}
