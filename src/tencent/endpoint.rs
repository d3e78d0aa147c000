//! Where calls go: a region of Tencent's, or a URL that stands in for it.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A region, which is a host of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Mainland China, the default.
    China,
    /// Singapore.
    Singapore,
    /// Seoul.
    Seoul,
}

impl Region {
    /// All regions.
    pub const ALL: [Self; 3] = [Self::China, Self::Singapore, Self::Seoul];

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::China => "china",
            Self::Singapore => "singapore",
            Self::Seoul => "seoul",
        }
    }

    /// Its host, from Tencent's documentation of the call service.
    fn host(self) -> &'static str {
        match self {
            Self::China => "console.tim.qq.com",
            Self::Singapore => "adminapisgp.im.qcloud.com",
            Self::Seoul => "adminapikr.im.qcloud.com",
        }
    }
}

/// A text that names no region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the regions are \"china\", \"singapore\" and \"seoul\"")]
pub struct UnknownRegion;

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(name: &str) -> Result<Self, UnknownRegion> {
        Self::ALL.into_iter().find(|region| region.name() == name).ok_or(UnknownRegion)
    }
}

/// The base URL of calls.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

/// Why a URL cannot be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not a URL with a host.
    #[error("it is not a URL such as https://gateway.example.com")]
    Url,
    /// Neither https nor http.
    #[error("its scheme is neither https nor http")]
    Scheme,
    /// Unencrypted over a network: a UserSig would be readable on the way.
    #[error("plain http is accepted for loopback addresses only (127.0.0.1, [::1], localhost): use https")]
    Plain,
    /// More than scheme, host, port and path.
    #[error("it must have no user name, password, query or fragment")]
    Extra,
}

impl From<Region> for Endpoint {
    fn from(region: Region) -> Self {
        Self(Url::parse(&format!("https://{}/", region.host())).expect("a constant URL"))
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let mut url = Url::parse(text).map_err(|_| InvalidEndpoint::Url)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(InvalidEndpoint::Plain),
            _ => return Err(InvalidEndpoint::Scheme),
        }
        let extra =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        if extra {
            return Err(InvalidEndpoint::Extra);
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Endpoint {
    /// The URL of a call below the base URL.
    pub(super) fn join(&self, path: &str) -> Url {
        self.0.join(path).expect("a relative path below a base URL")
    }

    /// Whether calls stay on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

/// The base URL, which holds nothing secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_names_and_hosts() {
        for region in Region::ALL {
            assert_eq!(region.name().parse(), Ok(region));
            assert!(Endpoint::from(region).to_string().starts_with("https://"));
        }
        assert_eq!("China".parse::<Region>(), Err(UnknownRegion));
    }

    #[test]
    fn endpoints_are_https_or_loopback() {
        for (text, expected) in [
            ("https://gateway.example.com", Ok("https://gateway.example.com")),
            ("https://gateway.example.com/tencent/", Ok("https://gateway.example.com/tencent")),
            ("http://127.0.0.1:8910", Ok("http://127.0.0.1:8910")),
            ("http://localhost:8910/x", Ok("http://localhost:8910/x")),
            ("http://[::1]:8910", Ok("http://[::1]:8910")),
            ("http://gateway.example.com", Err(InvalidEndpoint::Plain)),
            ("http://localhost.example.com", Err(InvalidEndpoint::Plain)),
            ("http://10.0.0.1", Err(InvalidEndpoint::Plain)),
            ("ftp://gateway.example.com", Err(InvalidEndpoint::Scheme)),
            ("gateway.example.com", Err(InvalidEndpoint::Url)),
            ("https://", Err(InvalidEndpoint::Url)),
            ("", Err(InvalidEndpoint::Url)),
            ("https://me@gateway.example.com", Err(InvalidEndpoint::Extra)),
            ("https://gateway.example.com?x=1", Err(InvalidEndpoint::Extra)),
            ("https://gateway.example.com#x", Err(InvalidEndpoint::Extra)),
        ] {
            let endpoint = text.parse::<Endpoint>().map(|e| e.to_string());
            assert_eq!(endpoint.as_deref().map_err(Clone::clone), expected, "{text}");
        }
    }

    #[test]
    fn calls_keep_the_path_of_a_gateway() {
        let endpoint: Endpoint = "https://gateway.example.com/tencent".parse().expect("an endpoint");
        assert_eq!(endpoint.join("v4/x").as_str(), "https://gateway.example.com/tencent/v4/x");
    }
}
