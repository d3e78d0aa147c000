//! The proxy for calls, from the variables `HTTPS_PROXY` and `NO_PROXY`.
//!
//! They are read as Go's `net/http` reads them, and with it Terraform itself: see
//! <https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config> and <https://pkg.go.dev/net/http#Transport>. Go calls
//! without a proxy where it cannot read `HTTPS_PROXY`; here, that is an error. Plain http has no proxy, because its
//! endpoints are loopback addresses.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;
use url::{Host, Url};

use super::endpoint::Endpoint;

/// A proxy for https. It is shown without the user name and password that its URL may hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    url: Url,
    /// The variable that names the proxy.
    variable: &'static str,
}

/// The error for a variable that is not the URL of a proxy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not the URL of a proxy")]
pub(super) struct InvalidProxy(&'static str);

impl Proxy {
    /// Finds the proxy for calls to an endpoint, if there is one.
    pub(super) fn to(
        endpoint: &Endpoint,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidProxy> {
        let set = |name| environment(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        let Some((variable, value)) = set("HTTPS_PROXY").or_else(|| set("https_proxy")) else { return Ok(None) };
        let exceptions = set("NO_PROXY").or_else(|| set("no_proxy")).map(|(_, hosts)| hosts).unwrap_or_default();
        if endpoint.is_loopback() || exceptions.split(',').any(|entry| is_exception(entry.trim(), endpoint.url())) {
            return Ok(None);
        }
        let url = read(&value).ok_or(InvalidProxy(variable))?;
        Ok(Some(Self { url, variable }))
    }
}

/// Shows the proxy and the variable, as in `http://proxy.example.com:3128 (HTTPS_PROXY)`.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, variable } = self;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        url.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
        write!(f, " ({variable})")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Proxy> for reqwest::Proxy {
    fn from(Proxy { mut url, .. }: Proxy) -> Self {
        // The proxy resolves host names, as in Go. For the HTTP client, only "socks5h" says so.
        if url.scheme() == "socks5" {
            url.set_scheme("socks5h").expect("a scheme of the same kind");
        }
        Self::https(url).expect("a URL with a host")
    }
}

/// Reads the value of `HTTPS_PROXY`: a URL, or a host and port.
fn read(value: &str) -> Option<Url> {
    if value.contains(char::is_whitespace) {
        return None;
    }
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h"))?;
    // The HTTP client reads the URL again by other rules, and would call without the proxy.
    let is_usable = url.has_host() && url.as_str().parse::<Uri>().is_ok();
    is_usable.then_some(url)
}

/// Returns whether an entry of `NO_PROXY` excepts the server of `url`.
fn is_exception(entry: &str, url: &Url) -> bool {
    let Some(host) = url.host() else { return false };
    let address = match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::from(address)),
        Host::Ipv6(address) => Some(IpAddr::from(address).to_canonical()),
    };
    if entry == "*" {
        return true;
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| network.contains(&address));
    }
    let (name, port) = split_port(entry);
    let is_port = port.is_empty() || url.port_or_known_default().is_some_and(|own| port == own.to_string());
    is_port
        && match (host, name.parse::<IpAddr>()) {
            (Host::Domain(host), Err(_)) => is_below(host, name),
            (_, named) => named.is_ok_and(|named| address == Some(named.to_canonical())),
        }
}

/// Splits an entry such as `example.com:443` or `[2001:db8::1]:443`. Without a port, the port is empty.
fn split_port(entry: &str) -> (&str, &str) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port),
        Some((host, port)) if host.starts_with('[') && host.ends_with(']') => (&host[1..host.len() - 1], port),
        _ => (entry, ""),
    }
}

/// Returns whether `host` is the domain `name` or below it. With a leading `.` or `*.`, `name` means only the hosts below.
fn is_below(host: &str, name: &str) -> bool {
    let below = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
    let Ok(Host::Domain(domain)) = Host::parse(below.unwrap_or(name)) else { return false };
    match host.strip_suffix(domain.as_str()) {
        Some("") => below.is_none(),
        Some(rest) => rest.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::endpoint::Region;
    use super::super::transport::http_client;
    use super::*;

    /// Finds the proxy for calls to `server` with these variables.
    fn proxy(server: &str, variables: &[(&str, &str)]) -> Result<Option<String>, InvalidProxy> {
        let endpoint = server.parse().expect("an endpoint");
        let value =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Proxy::to(&endpoint, value).map(|proxy| proxy.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_first_variable_with_a_value_names_the_proxy() {
        let of = |variables: &[_]| proxy("https://gateway.example.com", variables).expect("valid");
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "")], None),
            (&[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:1")], Some("http://a:1 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "b:1")], Some("http://b:1 (https_proxy)")),
            (&[("HTTPS_PROXY", "a:1"), ("NO_PROXY", ""), ("no_proxy", "example.com")], None),
            (&[("HTTPS_PROXY", "a:1"), ("NO_PROXY", "b"), ("no_proxy", "*")], Some("http://a:1 (HTTPS_PROXY)")),
            // Terraform itself does not use them.
            (&[("HTTP_PROXY", "a:1"), ("ALL_PROXY", "a:1"), ("all_proxy", "a:1")], None),
        ] {
            assert_eq!(of(variables).as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_proxy_is_a_url_or_a_host_and_is_shown_without_its_password() {
        let of = |value| proxy("https://gateway.example.com", &[("HTTPS_PROXY", value)]);
        for (value, expected) in [
            ("proxy.example.com", "http://proxy.example.com"),
            ("localhost:3128", "http://localhost:3128"),
            ("user:tok3n@proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("http://us%40er:to%2Fk3n@proxy.example.com:3128/", "http://proxy.example.com:3128"),
            ("https://proxy.example.com:8443", "https://proxy.example.com:8443"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
            ("socks5://user:tok3n@127.0.0.1:1080", "socks5://127.0.0.1:1080"),
            ("SOCKS5H://127.0.0.1", "socks5h://127.0.0.1"),
        ] {
            assert_eq!(of(value), Ok(Some(format!("{expected} (HTTPS_PROXY)"))), "{value}");
            let _: reqwest::Proxy = Proxy { url: read(value).expect("a URL"), variable: "" }.into();
        }
        for value in [
            "http://",
            "http://:3128",
            "socks5://",
            "socks4://proxy.example.com",
            "ftp://tok3n@proxy.example.com",
            "tok3n tok3n",
            " a:1",
            "a:99999",
            "socks5://a\"b:1",
        ] {
            let error = of(value).expect_err(value);
            assert_eq!(error.to_string(), "the environment variable HTTPS_PROXY is not the URL of a proxy", "{value}");
            assert_eq!(proxy("https://gateway.example.com", &[("HTTPS_PROXY", value), ("NO_PROXY", "*")]), Ok(None));
        }
    }

    /// The cases that the documentation of Go's package describes, and those of its tests.
    #[test]
    fn no_proxy_lists_hosts_as_go_reads_it() {
        for (entry, called_directly, called_through_the_proxy) in [
            ("*", &["https://example.com", "https://192.0.2.1", "https://[2001:db8::1]"][..], &[][..]),
            ("example.com", &["https://example.com", "https://a.b.example.com"], &["https://notexample.com"]),
            ("EXAMPLE.com", &["https://example.com"], &[]),
            (".example.com", &["https://a.example.com"], &["https://example.com", "https://notexample.com"]),
            ("*.example.com", &["https://a.example.com"], &["https://example.com", "https://notexample.com"]),
            ("*example.com", &[], &["https://example.com", "https://notexample.com"]),
            ("example.com:443", &["https://example.com", "https://a.example.com:443"], &["https://example.com:8443"]),
            ("*.example.com:8443", &["https://a.example.com:8443"], &["https://a.example.com"]),
            ("192.0.2.1", &["https://192.0.2.1", "https://[::ffff:192.0.2.1]"], &["https://192.0.2.10"]),
            ("192.0.2.1:8443", &["https://192.0.2.1:8443"], &["https://192.0.2.1"]),
            ("192.0.2.77/24", &["https://192.0.2.1:8443"], &["https://192.0.3.1", "https://example.com"]),
            ("2001:db8::1", &["https://[2001:db8::1]"], &["https://[2001:db8::2]"]),
            ("[2001:db8::1]:443", &["https://[2001:db8::1]"], &["https://[2001:db8::1]:8443"]),
            ("2001:db8::/32", &["https://[2001:db8:1::1]"], &["https://[2001:db9::1]"]),
            ("例子.example.com", &["https://a.xn--fsqu00a.example.com"], &["https://example.com"]),
            (":443", &[], &["https://example.com"]),
            ("a.example.net,, example.com ", &["https://example.com"], &["https://example.net"]),
        ] {
            let through = [("HTTPS_PROXY", "http://proxy.example.org"), ("NO_PROXY", entry)];
            for server in called_directly {
                assert_eq!(proxy(server, &through), Ok(None), "{entry}: {server}");
            }
            for server in called_through_the_proxy {
                assert!(proxy(server, &through).is_ok_and(|proxy| proxy.is_some()), "{entry}: {server}");
            }
        }
    }

    #[test]
    fn calls_to_this_machine_use_no_proxy() {
        for server in ["http://127.0.0.1:1", "https://localhost:8443", "https://127.0.0.2", "https://[::1]"] {
            assert_eq!(proxy(server, &[("HTTPS_PROXY", "http://proxy.example.com")]), Ok(None), "{server}");
        }
        let china = Endpoint::from(Region::China).to_string();
        assert!(proxy(&china, &[("HTTPS_PROXY", "http://127.0.0.1:1")]).is_ok_and(|proxy| proxy.is_some()));
    }

    #[test]
    fn debug_shows_no_password() {
        let environment =
            |name: &str| (name == "HTTPS_PROXY").then(|| "http://user:tok3n@proxy.example.com".to_owned());
        let proxy = Proxy::to(&Region::China.into(), environment).expect("valid").expect("a proxy");
        let client = http_client("", Duration::from_secs(1)).expect("certificates").proxy(proxy.clone().into()).build();
        let client = client.expect("a client");
        assert!(!format!("{proxy:?} {client:?}").contains("tok3n"));
    }
}
