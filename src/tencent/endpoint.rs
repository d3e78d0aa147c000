//! The endpoints that calls go to: regions of Tencent's, or URLs in their place.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, ParseError, Url};

use super::api_version::ApiVersion;

/// A region of Tencent's, which has its own host for the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Mainland China, the default.
    China,
    /// Singapore.
    Singapore,
    /// Seoul.
    Seoul,
    /// Frankfurt.
    Frankfurt,
    /// Silicon Valley.
    SiliconValley,
    /// Jakarta.
    Jakarta,
    /// Tokyo.
    Tokyo,
}

/// The likeness to a region's name from which a text counts as a misspelling of it: one letter in four may differ.
const NEAR_MISS: f64 = 0.75;

impl Region {
    /// All regions.
    pub const ALL: [Self; 7] =
        [Self::China, Self::Singapore, Self::Seoul, Self::Frankfurt, Self::SiliconValley, Self::Jakarta, Self::Tokyo];

    /// Returns the region's name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::China => "china",
            Self::Singapore => "singapore",
            Self::Seoul => "seoul",
            Self::Frankfurt => "frankfurt",
            Self::SiliconValley => "silicon_valley",
            Self::Jakarta => "jakarta",
            Self::Tokyo => "tokyo",
        }
    }

    /// Returns the region's host, from Tencent's documentation of this API and of its siblings. For version 1, Tencent
    /// documents one host for China and one international host, without naming its regions.
    fn host(self, version: ApiVersion) -> &'static str {
        match (version, self) {
            (ApiVersion::V1, Self::China) => "callkit.trtc.tencent-cloud.com",
            (ApiVersion::V1, _) => "callkit-intl.trtc.tencent-cloud.com",
            (ApiVersion::V4, Self::China) => "console.tim.qq.com",
            (ApiVersion::V4, Self::Singapore) => "adminapisgp.im.qcloud.com",
            (ApiVersion::V4, Self::Seoul) => "adminapikr.im.qcloud.com",
            (ApiVersion::V4, Self::Frankfurt) => "adminapiger.im.qcloud.com",
            (ApiVersion::V4, Self::SiliconValley) => "adminapiusa.im.qcloud.com",
            (ApiVersion::V4, Self::Jakarta) => "adminapiidn.im.qcloud.com",
            (ApiVersion::V4, Self::Tokyo) => "adminapijpn.im.qcloud.com",
        }
    }

    /// Returns other names that people use: countries, country codes, and regions of Tencent Cloud (without `ap-` and
    /// the like).
    fn other_names(self) -> &'static [&'static str] {
        match self {
            Self::China => {
                &["cn", "chn", "prc", "mainland", "mainlandchina", "beijing", "shanghai", "guangzhou", "nanjing"]
            }
            Self::Singapore => &["sg", "sgp"],
            Self::Seoul => &["kr", "kor", "korea", "southkorea"],
            Self::Frankfurt => &["de", "deu", "ger", "germany", "eu", "europe"],
            Self::SiliconValley => &["us", "usa", "california", "unitedstates", "america", "northamerica"],
            Self::Jakarta => &["id", "idn", "indonesia"],
            Self::Tokyo => &["jp", "jpn", "japan"],
        }
    }

    /// Guesses the region that a text means that is not a region's name.
    fn meant_by(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let of_cloud = ["ap-", "na-", "eu-"].iter().find_map(|area| lower.strip_prefix(area)).unwrap_or(&lower);
        let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let text = plain(of_cloud);
        let likeness = |region: &Self| match region.other_names().contains(&text.as_str()) {
            true => 1.0,
            false => strsim::normalized_levenshtein(&text, &plain(region.name())),
        };
        let likely = Self::ALL.into_iter().map(|region| (region, likeness(&region)));
        let best = likely.max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.filter(|(_, likeness)| *likeness >= NEAR_MISS).map(|(region, _)| region)
    }
}

/// The error for a text that is not a region's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRegion {
    /// The region that the text may mean.
    pub meant: Option<Region>,
}

impl std::error::Error for UnknownRegion {}

/// Lists the regions.
impl fmt::Display for UnknownRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Region::ALL.map(|region| format!("\"{}\"", region.name()));
        let [others @ .., last] = &names;
        write!(f, "the regions are {} and {last}", others.join(", "))
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(name: &str) -> Result<Self, UnknownRegion> {
        let named = Self::ALL.into_iter().find(|region| region.name() == name);
        named.ok_or_else(|| UnknownRegion { meant: Self::meant_by(name) })
    }
}

/// The base URL of calls. Endpoints with the same URL are equal, whatever their origins.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    /// The region that the URL comes from, unless it was given.
    region: Option<Region>,
    /// The source of the URL, for messages.
    origin: Arc<str>,
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for Endpoint {}

impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
    }
}

/// The reason why a URL cannot be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// A text that is not a URL with a host.
    #[error("it is not a URL such as https://gateway.example.com")]
    Url,
    /// White space at either end.
    #[error("it begins or ends with white space, such as a trailing newline")]
    WhiteSpace,
    /// No scheme, as in `gateway.example.com:8443`.
    #[error("it has no scheme: write https:// before the host, as in https://gateway.example.com")]
    NoScheme,
    /// A scheme other than https and http.
    #[error("its scheme is neither https nor http")]
    Scheme,
    /// A port that is out of range or not a number.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// Plain http over a network, where others could read the UserSig.
    #[error("plain http is accepted for loopback addresses only (127.0.0.1, [::1], localhost): use https")]
    Plain,
    /// Parts other than scheme, host, port and path.
    #[error("it must have no user name, password, query or fragment")]
    Extra,
}

impl From<Region> for Endpoint {
    fn from(region: Region) -> Self {
        let origin = format!("the host of region \"{}\"", region.name()).into();
        Self { url: url_of(region, ApiVersion::V4), region: Some(region), origin }
    }
}

fn url_of(region: Region, version: ApiVersion) -> Url {
    Url::parse(&format!("https://{}/", region.host(version))).expect("a constant URL")
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        // The parser would drop the white space silently.
        if text.trim() != text {
            return Err(InvalidEndpoint::WhiteSpace);
        }
        if text.contains(char::is_whitespace) {
            return Err(InvalidEndpoint::Url);
        }
        if !text.is_empty() && !text.contains("://") {
            return Err(InvalidEndpoint::NoScheme);
        }
        let mut url = Url::parse(text).map_err(|error| match error {
            ParseError::InvalidPort => InvalidEndpoint::Port,
            _ => InvalidEndpoint::Url,
        })?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(InvalidEndpoint::Plain),
            _ => return Err(InvalidEndpoint::Scheme),
        }
        if url.port() == Some(0) {
            return Err(InvalidEndpoint::Port);
        }
        let extra =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        if extra {
            return Err(InvalidEndpoint::Extra);
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self { url, region: None, origin: "the endpoint".into() })
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
    /// Names the argument or variable that the URL comes from. Messages quote it.
    #[must_use]
    pub fn said_by(self, origin: impl Into<Arc<str>>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// Returns the endpoint for calls of a version of the API: a region has a host for each.
    #[must_use]
    pub fn of(&self, version: ApiVersion) -> Self {
        Self { url: self.region.map_or_else(|| self.url.clone(), |region| url_of(region, version)), ..self.clone() }
    }

    /// Returns the source of the URL, such as `the host of region "china"`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns scheme, host and port.
    pub fn server(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{}://{}:{port}", self.url.scheme(), self.host())
    }

    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns the URL of a call below the base URL.
    pub(super) fn join(&self, path: &str) -> Url {
        self.url.join(path).expect("a relative path below a base URL")
    }

    /// Returns whether calls stay on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Shows the base URL, which holds no secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
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
    fn every_region_has_a_name_and_a_host() {
        for region in Region::ALL {
            assert_eq!(region.name().parse(), Ok(region));
            assert!(Endpoint::from(region).to_string().starts_with("https://"));
            assert_eq!(Endpoint::from(region).of(ApiVersion::V4), region.into());
        }
        let listed = UnknownRegion { meant: None }.to_string();
        assert!(listed.starts_with("the regions are \"china\", \"singapore\""), "{listed}");
        assert!(listed.ends_with("\"jakarta\" and \"tokyo\""), "{listed}");
    }

    #[test]
    fn other_names_of_a_region_are_refused_with_a_suggestion() {
        for (text, meant) in [
            ("China", Some(Region::China)),
            ("Singapore", Some(Region::Singapore)),
            ("SINGAPORE", Some(Region::Singapore)),
            (" singapore\n", Some(Region::Singapore)),
            ("singapur", Some(Region::Singapore)),
            ("singapor", Some(Region::Singapore)),
            ("ap-singapore", Some(Region::Singapore)),
            ("sg", Some(Region::Singapore)),
            ("cn", Some(Region::China)),
            ("ap-guangzhou", Some(Region::China)),
            ("kr", Some(Region::Seoul)),
            ("ap-seoul", Some(Region::Seoul)),
            ("eu-frankfurt", Some(Region::Frankfurt)),
            ("na-siliconvalley", Some(Region::SiliconValley)),
            ("Silicon Valley", Some(Region::SiliconValley)),
            ("US", Some(Region::SiliconValley)),
            ("jakart", Some(Region::Jakarta)),
            ("JP", Some(Region::Tokyo)),
            ("mars", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Region>(), Err(UnknownRegion { meant }), "{text:?}");
        }
    }

    #[test]
    fn an_endpoint_is_https_or_on_loopback() {
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
            ("https://gateway.example.com:99999", Err(InvalidEndpoint::Port)),
            ("https://gateway.example.com:0", Err(InvalidEndpoint::Port)),
            ("https://gateway.example.com:port", Err(InvalidEndpoint::Port)),
            ("gateway.example.com", Err(InvalidEndpoint::NoScheme)),
            ("gateway.example.com:8443", Err(InvalidEndpoint::NoScheme)),
            ("localhost:8910", Err(InvalidEndpoint::NoScheme)),
            ("https://gate\nway.example.com", Err(InvalidEndpoint::Url)),
            (" https://gateway.example.com", Err(InvalidEndpoint::WhiteSpace)),
            ("https://gateway.example.com\n", Err(InvalidEndpoint::WhiteSpace)),
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
    fn messages_name_the_server_and_its_origin() {
        let endpoint: Endpoint = "https://gateway.example.com/tencent".parse().expect("an endpoint");
        assert_eq!(endpoint.server(), "https://gateway.example.com:443");
        assert_eq!(endpoint.clone().said_by("TENCENT_ENDPOINT"), endpoint);
        assert_eq!(endpoint.said_by("TENCENT_ENDPOINT").origin(), "TENCENT_ENDPOINT");
        assert_eq!(Endpoint::from(Region::Seoul).origin(), "the host of region \"seoul\"");
        let loopback: Endpoint = "http://[::1]:8910".parse().expect("an endpoint");
        assert_eq!(loopback.server(), "http://[::1]:8910");
    }

    #[test]
    fn a_region_has_another_host_for_version_1_and_an_endpoint_has_not() {
        let of = |endpoint: Endpoint| endpoint.said_by("TENCENT_REGION").of(ApiVersion::V1);
        for region in Region::ALL {
            let host = match region {
                Region::China => "https://callkit.trtc.tencent-cloud.com",
                _ => "https://callkit-intl.trtc.tencent-cloud.com",
            };
            let endpoint = of(region.into());
            assert_eq!((endpoint.to_string().as_str(), endpoint.origin()), (host, "TENCENT_REGION"));
        }
        let gateway: Endpoint = "https://gateway.example.com/tencent".parse().expect("an endpoint");
        assert_eq!(of(gateway.clone()), gateway);
    }

    #[test]
    fn calls_keep_the_path_of_a_gateway() {
        let endpoint: Endpoint = "https://gateway.example.com/tencent".parse().expect("an endpoint");
        assert_eq!(endpoint.join("v4/x").as_str(), "https://gateway.example.com/tencent/v4/x");
    }
}
