//! The network between this machine and Tencent: its proxies, and its failures in words.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io::ErrorKind::{
    BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, NotFound,
    PermissionDenied, TimedOut, UnexpectedEof,
};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, InvalidMessage};

use super::endpoint::Endpoint;
use super::error::{NetworkError, Retry};
use super::proxy::{InvalidProxy, Proxy};

/// The way of calls, which shows as `https://console.tim.qq.com:443 (the host of region "china")` and the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    endpoint: Endpoint,
    proxy: Option<Proxy>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.endpoint.server(), self.endpoint.origin())?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

impl Route {
    /// Returns the way to an endpoint with the proxy settings of now.
    pub fn to(endpoint: &Endpoint) -> Self {
        let proxy = Proxy::to(endpoint, |name| std::env::var(name).ok()).ok().flatten();
        Self { endpoint: endpoint.clone(), proxy }
    }
}

/// Whether the system verifies certificates, by those that it trusts. Elsewhere, `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
const SYSTEM_DECIDES: bool = cfg!(any(windows, target_vendor = "apple"));

const NETWORK: &str = "Check the network, the proxy (HTTPS_PROXY) and the endpoint.";
const GATEWAY: &str = "Something between this machine and Tencent's service may have answered. Check the \
                       endpoint and the proxy (HTTPS_PROXY).";
const TIME: &str = "Check the network and the proxy, or raise request_timeout, the time for one attempt.";
const NOT_TLS: &str = "https is the wrong scheme for that server, or this is the wrong port. Check the endpoint and the proxy (HTTPS_PROXY).";
const NOT_HTTP: &str = "Check the endpoint's scheme and port: write https:// for a server that speaks TLS.";
const NO_PROXY_URL: &str = "Set it to a URL such as http://proxy.example.com:3128, whose scheme is http, https, socks5 or \
                            socks5h, or unset it. NO_PROXY lists the hosts that are called without a proxy.";
const PROXY_CREDENTIALS: &str =
    "Set them in the proxy's URL, as in HTTPS_PROXY=http://user:password@proxy.example.com:3128.";
const NO_CERTIFICATES: &str = "Install the system's CA certificates, or name them with SSL_CERT_FILE (a file in PEM form) \
                               or SSL_CERT_DIR (a directory).";
const TRUST: &str = if SYSTEM_DECIDES {
    "If it is the right server, or a proxy of yours that decrypts TLS, let this machine trust its issuer: add the \
     issuer's certificate to the system's trusted root certificates."
} else {
    "If it is the right server, or a proxy of yours that decrypts TLS, let this machine trust its issuer: install the \
     issuer's certificate, or name it with SSL_CERT_FILE (a file of certificates in PEM form) or SSL_CERT_DIR (a \
     directory of them)."
};
const OTHER_SERVER: &str = "A server other than Tencent's may have answered, such as a proxy or a gateway. Check the \
                            endpoint and the proxy (HTTPS_PROXY), and this machine's clock.";

impl NetworkError {
    /// Creates an error that no further attempt changes, before anything was sent.
    fn for_good(what: String, advice: &'static str) -> Self {
        Self { what, advice, retry: Retry::No, may_pass: false, sent: false }
    }

    /// Creates an error that may pass, before anything was sent.
    fn passing(what: String, advice: &'static str) -> Self {
        Self { retry: Retry::Yes, may_pass: true, ..Self::for_good(what, advice) }
    }

    /// Marks the request as sent.
    fn after_sending(self) -> Self {
        Self { sent: true, ..self }
    }
}

impl From<InvalidProxy> for NetworkError {
    fn from(error: InvalidProxy) -> Self {
        Self::for_good(error.to_string(), NO_PROXY_URL)
    }
}

/// Explains that no HTTP client could be created, because there are no certificates to trust servers by.
pub(super) fn no_client() -> NetworkError {
    let why = unusable_certificates(|name| std::env::var(name).ok());
    let what = format!("no CA certificates were found on this machine, so no server can be trusted{why}");
    NetworkError::for_good(what, NO_CERTIFICATES)
}

/// Explains an attempt without an answer. `timeout` is the time that the attempt had.
pub(super) fn no_answer(error: &reqwest::Error, route: &Route, timeout: Duration) -> NetworkError {
    let timeout = humantime::format_duration(timeout);
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => {
            let what = format!("no connection could be made to {route} in the time for one attempt, {timeout}");
            NetworkError::passing(what, TIME)
        }
        (true, false) => no_connection(error, route),
        (false, true) => {
            let what = format!("no answer arrived in time from {route}: one attempt may take {timeout}");
            NetworkError::passing(what, TIME).after_sending()
        }
        (false, false) => lost(error, route),
    }
}

fn lost(error: &reqwest::Error, route: &Route) -> NetworkError {
    let is_http = !causes(error).any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse));
    if !is_http && !route.endpoint.is_https() {
        let what = format!("the answer from {route} is not HTTP: the server may expect https");
        return NetworkError::for_good(what, NOT_HTTP);
    }
    let what = format!("the connection to {route} was lost before the answer was complete");
    NetworkError::passing(what, "Check the network and the proxy.").after_sending()
}

/// Explains a TLS failure on a direct call; `None` if TLS did not fail.
pub(super) fn why_no_tls(error: &reqwest::Error, host: &str) -> Option<String> {
    Some(match causes(error).find_map(|cause| cause.downcast_ref())? {
        rustls::Error::InvalidCertificate(error) => {
            format!("the server's certificate cannot be trusted: {}", distrust(error, host).0)
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => "the server does not speak TLS".to_owned(),
        _ => "the TLS handshake failed".to_owned(),
    })
}

/// Explains why a server did not answer a direct call.
pub(super) fn why_no_answer(error: &reqwest::Error) -> String {
    match causes(error).find_map(in_words) {
        Some(why) => format!("the server{why}"),
        None if error.is_connect() && error.is_timeout() => "the server does not accept a connection".to_owned(),
        None if error.is_connect() => "no connection could be made".to_owned(),
        None => "the connection was lost before the answer was complete".to_owned(),
    }
}

/// Describes a cause in words that continue "the server". Some causes are known only by their texts, because the HTTP
/// client does not export their types.
fn in_words(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    Some(match (cause.downcast_ref().map(io::Error::kind), cause.to_string().as_str()) {
        (Some(ConnectionRefused), _) => " refused the connection",
        (Some(ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof), _)
        | (_, "tunnel error: unexpected end of file") => " closed the connection",
        (Some(HostUnreachable | NetworkUnreachable), _) => " cannot be reached from this network",
        (Some(TimedOut), _) => " does not answer",
        (_, "dns error") if cfg!(target_os = "linux") && !Path::new("/etc/resolv.conf").exists() => {
            "'s host name was not found: it is not in /etc/hosts, and there is no /etc/resolv.conf to name a DNS server"
        }
        (_, "dns error") => "'s host name was not found",
        (_, "SOCKS error: failed to create underlying connection") => " does not accept a connection",
        (_, "SOCKS error: io error during SOCKS handshake") => " closed the connection",
        (_, "SOCKS error: failed parsing server response") => " does not speak SOCKS",
        (_, "tunnel error: unsuccessful" | "SOCKS error: connection not allowed") => " refused to connect to that host",
        (_, text) if text.starts_with("SOCKS error: ") => " could not connect to that host",
        _ => return None,
    })
}

/// Describes a refusal over credentials in words that continue "the proxy".
fn refusal_of_credentials(cause: &str) -> Option<&'static str> {
    Some(match cause {
        "tunnel error: proxy authorization required" => "asks for a user name and a password",
        "SOCKS error: credentials not accepted" => "does not accept the user name and the password",
        "SOCKS error: server does not support user/pass authentication" => {
            "asks for a user name and a password, or does not accept any"
        }
        _ => return None,
    })
}

fn no_connection(error: &reqwest::Error, route: &Route) -> NetworkError {
    if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return no_tls(error, route);
    }
    let what = format!("no connection could be made to {route}");
    let peer = if route.proxy.is_some() { "the proxy" } else { "the server" };
    for cause in causes(error) {
        if let Some(why) = refusal_of_credentials(&cause.to_string()) {
            let what = format!("{what}: the proxy {why}");
            return NetworkError::for_good(what, PROXY_CREDENTIALS);
        }
        if let Some(why) = in_words(cause) {
            return NetworkError::passing(format!("{what}: {peer}{why}"), NETWORK);
        }
    }
    NetworkError::passing(what, NETWORK)
}

/// Explains a TLS failure.
fn no_tls(error: &rustls::Error, route: &Route) -> NetworkError {
    let (what, advice) = match error {
        rustls::Error::InvalidCertificate(error) => {
            let (why, advice) = distrust(error, route.endpoint.host());
            (format!("the certificate of {route} cannot be trusted: {why}"), advice)
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (format!("no connection could be made to {route}: the server there does not speak TLS"), NOT_TLS)
        }
        _ => {
            let what = format!("no connection could be made to {route}: the TLS handshake failed");
            return NetworkError::passing(what, GATEWAY);
        }
    };
    NetworkError::for_good(what, advice)
}

/// Explains why a certificate is not trusted, and returns the next step for the user.
fn distrust(error: &CertificateError, host: &str) -> (String, &'static str) {
    match error {
        // A bad signature is that of another issuer of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let why = unusable_certificates(|name| std::env::var(name).ok());
            (format!("this machine does not trust its issuer{why}"), TRUST)
        }
        CertificateError::Expired => ("it has expired".to_owned(), OTHER_SERVER),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("it expired at {}", utc(*not_after)), OTHER_SERVER)
        }
        CertificateError::NotValidYet => ("it is not valid yet".to_owned(), OTHER_SERVER),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("it is not valid before {}", utc(*not_before)), OTHER_SERVER)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (format!("it is not for the host {host}"), OTHER_SERVER)
        }
        CertificateError::Revoked => ("it has been revoked".to_owned(), OTHER_SERVER),
        // The verifier does not export the type of this error.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => (
            "it is the certificate of an authority (CA) rather than of a server".to_owned(),
            "Give the server a certificate that the authority has signed, and let this machine trust the authority.",
        ),
        CertificateError::Other(other) if SYSTEM_DECIDES => (format!("the system does not accept it ({other})"), TRUST),
        _ => ("it is not valid".to_owned(), OTHER_SERVER),
    }
}

fn utc(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    time.map(|time| humantime::format_rfc3339_seconds(time).to_string()).unwrap_or_default()
}

/// Describes what is wrong with the variables that name trusted certificates: ", and SSL_CERT_FILE names …". Windows
/// and Apple's systems do not use them.
fn unusable_certificates(environment: impl Fn(&str) -> Option<String>) -> String {
    if SYSTEM_DECIDES {
        return String::new();
    }
    let file = environment("SSL_CERT_FILE").and_then(|file| unusable("SSL_CERT_FILE", &file, has_certificate));
    let directories = environment("SSL_CERT_DIR").unwrap_or_default();
    let directories = std::env::split_paths(&directories).filter(|path| !path.as_os_str().is_empty());
    let directories = directories
        .filter_map(|path| unusable("SSL_CERT_DIR", &path.to_string_lossy(), |path| fs::read_dir(path).map(|_| true)));
    file.into_iter().chain(directories).collect()
}

fn unusable(variable: &str, path: &str, check: impl Fn(&Path) -> io::Result<bool>) -> Option<String> {
    let why = match check(Path::new(path)).map_err(|error| error.kind()) {
        Ok(true) => return None,
        Ok(false) => "holds no certificate in PEM form",
        Err(NotFound) => "does not exist",
        Err(PermissionDenied) => "may not be read",
        Err(_) => "cannot be read",
    };
    Some(format!(", and {variable} names {path:?}, which {why}"))
}

fn has_certificate(file: &Path) -> io::Result<bool> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----"))
}

/// Returns an error and its causes, outermost first. An error wrapped in an I/O error counts as its cause.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let inner = (*error).downcast_ref().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| (*error).source())
    })
}

/// Explains an answer whose HTTP status is not that of a success. Tencent always answers 200: another status comes from
/// something in between. `portrait` describes the answer.
pub(super) fn bad_status(status: StatusCode, portrait: &str, route: &Route) -> NetworkError {
    let (retry, advice) = match status {
        StatusCode::TOO_MANY_REQUESTS => (Retry::SlowDown, "Send fewer requests per second."),
        status if status.is_server_error() => (Retry::Yes, GATEWAY),
        status if status.is_redirection() => (
            Retry::No,
            "Redirects are not followed, because a UserSig must not reach another host. Check the endpoint.",
        ),
        _ => (Retry::No, GATEWAY),
    };
    NetworkError {
        what: format!("the answer from {route} has {portrait}"),
        advice,
        retry,
        may_pass: retry != Retry::No,
        // A rate limiter refuses requests before they are carried out.
        sent: retry != Retry::SlowDown,
    }
}

/// Explains an answer that cannot be Tencent's. `portrait` describes it.
pub(super) fn unexpected(why: &str, portrait: &str, route: &Route) -> NetworkError {
    let what = format!("the answer from {route} cannot be used: {why}. It has {portrait}");
    // Another program answers at this address, and will do so again.
    NetworkError { may_pass: false, ..NetworkError::passing(what, GATEWAY).after_sending() }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::Region;
    use super::*;

    /// Creates an environment of these variables.
    fn of<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_route_shows_the_server_its_origin_and_the_proxy() {
        let endpoint = Endpoint::from(Region::China);
        let proxy = Proxy::to(&endpoint, of(&[("HTTPS_PROXY", "http://user:tok3n@127.0.0.1:3128/")])).expect("a proxy");
        assert_eq!(
            Route { endpoint, proxy }.to_string(),
            "https://console.tim.qq.com:443 (the host of region \"china\") through the proxy http://127.0.0.1:3128 \
             (HTTPS_PROXY)"
        );
    }

    #[cfg(not(any(windows, target_vendor = "apple")))]
    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        fs::write(path("empty.pem"), "").expect("a file");
        fs::write(path("ca.pem"), "-----BEGIN CERTIFICATE-----").expect("a file");
        let (missing, empty, whole) = (path("missing.pem"), path("empty.pem"), path("ca.pem"));
        let directories = format!("{}:{missing}", directory.path().display());
        for (variable, value, expected) in [
            ("SSL_CERT_FILE", &whole, String::new()),
            ("SSL_CERT_FILE", &missing, format!(", and SSL_CERT_FILE names {missing:?}, which does not exist")),
            (
                "SSL_CERT_FILE",
                &empty,
                format!(", and SSL_CERT_FILE names {empty:?}, which holds no certificate in PEM form"),
            ),
            ("SSL_CERT_DIR", &directories, format!(", and SSL_CERT_DIR names {missing:?}, which does not exist")),
        ] {
            assert_eq!(unusable_certificates(of(&[(variable, value)])), expected);
        }
    }
}
