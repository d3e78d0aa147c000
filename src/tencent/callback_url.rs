//! The URL that Tencent posts events to, which may carry a secret.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::foreign::shown;

/// A callback URL, valid or not, exactly as someone wrote it.
///
/// `Display` and `Debug` mask the parts that may be secret: the user information, the values of the query and the
/// fragment. For a [`secret`](Self::secret) URL they also mask the path.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct CallbackUrl {
    text: String,
    is_secret: bool,
}

impl PartialEq for CallbackUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CallbackUrl {}

/// The reason why Tencent would refuse a URL, or could not use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallbackUrl {
    /// A scheme other than the two that Tencent documents.
    #[error("it must start with https:// (or http://)")]
    Scheme,
    /// No host between the slashes.
    #[error("it has no host")]
    Host,
    /// A host that no name in the DNS can be.
    #[error("its host has more than {LONGEST_HOST} characters, the most that a name in the DNS can have")]
    LongHost,
    /// White space at either end.
    #[error("it begins or ends with white space, such as a trailing newline")]
    WhiteSpace,
    /// White space, a control character or a backslash, which some software would drop or change silently.
    #[error("it contains a space, a control character or a backslash; percent-encode it (a space is %20)")]
    Character,
    /// A fragment, which is never sent to a server.
    #[error("it has a fragment (\"#…\"), which is never sent to a server; remove it, or percent-encode \"#\" as %23")]
    Fragment,
    /// A port that is out of range or not a number.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// Any other text that is not a URL.
    #[error("it is not a URL")]
    Url,
}

/// A reason to doubt that a valid URL is the intended one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Plain http, over which events travel unencrypted.
    Unencrypted,
    /// A loopback, private or link-local host, which Tencent's servers cannot reach.
    Unreachable,
    /// A length that much software does not accept.
    Long,
}

/// The most characters of a name in the DNS: 255 bytes (RFC 1035, section 2.3.4), without the first length and the root's.
/// Messages show more than this much of a URL, so that they show who gets the events.
const LONGEST_HOST: usize = 253;

/// The most characters that a URL can have without concern. Tencent documents no limit; servers and proxies often have
/// one of about 2,000.
const LONG: usize = 2000;

impl From<String> for CallbackUrl {
    fn from(text: String) -> Self {
        Self { text, is_secret: false }
    }
}

impl From<CallbackUrl> for String {
    fn from(url: CallbackUrl) -> Self {
        url.text
    }
}

impl CallbackUrl {
    /// Returns the URL, unmasked.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Marks the URL as secret: only its scheme and host are shown.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// Returns the one spelling that all [equivalent](Self::is_equivalent) URLs share.
    pub fn canonical(&self) -> String {
        Url::parse(self.expose()).map_or_else(|_| self.text.clone(), String::from)
    }

    /// Masks every URL in `text`, up to the next white space, like a secret URL.
    pub(super) fn mask_all(text: &str) -> String {
        let start_before = |colon: usize| {
            ["https", "http"].into_iter().find_map(|scheme| {
                let start = colon.checked_sub(scheme.len())?;
                text.get(start..colon)?.eq_ignore_ascii_case(scheme).then_some(start)
            })
        };
        let colons = text.match_indices("://").map(|(colon, _)| colon);
        let mut starts: Vec<_> = colons.filter_map(start_before).collect();
        starts.push(text.len());
        let mut masked = text[..starts[0]].to_owned();
        for pair in starts.windows(2) {
            let piece = &text[pair[0]..pair[1]];
            let (url, rest) = piece.split_at(piece.find(char::is_whitespace).unwrap_or(piece.len()));
            masked += &Self::from(url.to_owned()).secret().to_string();
            masked += rest;
        }
        masked
    }

    /// Returns whether both are the same URL, apart from letter case, a trailing slash of the path, and
    /// percent-encoding.
    pub fn is_respelling_of(&self, other: &Self) -> bool {
        match (self.without_spelling(), other.without_spelling()) {
            (Some(a), Some(b)) => a == b,
            _ => self == other,
        }
    }

    fn without_spelling(&self) -> Option<Vec<u8>> {
        let mut url = Url::parse(self.expose()).ok()?;
        let path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
        url.set_path(&path);
        Some(percent_decode_str(url.as_str()).map(|byte| byte.to_ascii_lowercase()).collect())
    }

    /// Returns whether both mean the same request: they differ at most in how scheme, host, default port, empty path,
    /// dot segments or percent-encoding are written.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    /// Returns whether messages mask a part of the URL because it may be secret.
    pub fn may_carry_secret(&self) -> bool {
        let mut masked = String::new();
        self.write_masked(&mut masked).is_ok() && masked != self.expose()
    }

    /// Checks the URL, and returns the concerns about a valid one.
    ///
    /// # Errors
    ///
    /// If Tencent would refuse the URL or could not use it.
    pub fn check(&self) -> Result<Vec<Concern>, InvalidCallbackUrl> {
        let text = self.expose();
        if text.trim() != text {
            return Err(InvalidCallbackUrl::WhiteSpace);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(InvalidCallbackUrl::Character);
        }
        let after_scheme = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let after_scheme = after_scheme.ok_or(InvalidCallbackUrl::Scheme)?;
        if text.contains('#') {
            return Err(InvalidCallbackUrl::Fragment);
        }
        // The parser would skip further slashes and take the next segment for the host.
        if after_scheme.is_empty() || after_scheme.starts_with(['/', '?', ':']) {
            return Err(InvalidCallbackUrl::Host);
        }
        // A scheme pasted twice: the parser would take "https" for the host.
        if ["https://", "http://"].iter().any(|scheme| after_scheme.starts_with(scheme)) {
            return Err(InvalidCallbackUrl::Url);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => InvalidCallbackUrl::Host,
            url::ParseError::InvalidPort => InvalidCallbackUrl::Port,
            _ => InvalidCallbackUrl::Url,
        })?;
        if url.port() == Some(0) {
            return Err(InvalidCallbackUrl::Port);
        }
        if url.host_str().is_some_and(|host| host.strip_suffix('.').unwrap_or(host).len() > LONGEST_HOST) {
            return Err(InvalidCallbackUrl::LongHost);
        }

        let mut concerns = Vec::new();
        if url.scheme() == "http" {
            concerns.push(Concern::Unencrypted);
        }
        if url.host().is_none_or(is_unreachable) {
            concerns.push(Concern::Unreachable);
        }
        if text.chars().count() > LONG {
            concerns.push(Concern::Long);
        }
        Ok(concerns)
    }
}

/// Returns whether no server on the internet can reach the host.
fn is_unreachable(host: Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            // RFC 6761 (localhost), RFC 6762 (.local), and ICANN's reservation of .internal.
            name == "localhost" || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
        }
        Host::Ipv4(address) => is_unreachable_v4(address),
        Host::Ipv6(address) => is_unreachable_v6(address),
    }
}

/// Returns whether no server on the internet can reach the address.
pub(super) fn is_unreachable_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_unreachable_v4(address),
        IpAddr::V6(address) => is_unreachable_v6(address),
    }
}

fn is_unreachable_v4(address: Ipv4Addr) -> bool {
    // From IANA's registry of special-purpose addresses: carrier-grade NAT (RFC 6598), protocol assignments (RFC 6890),
    // benchmarking (RFC 2544), and reserved (RFC 1112).
    let is_special =
        matches!(address.octets(), [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] | [240..=255, ..]);
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || is_special
        || address.octets()[0] == 0
        || address.is_multicast()
}

fn is_unreachable_v6(address: Ipv6Addr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_unreachable_v4(address),
        IpAddr::V6(address) => {
            // Addresses that embed an IPv4 address: for translation (RFC 6052), for tunnels (RFC 3056), and in the form
            // that RFC 4291 deprecates.
            if let [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] | [0, 0, 0, 0, 0, 0, a @ 1..=0xffff, b] =
                address.segments()
            {
                let [[a, b], [c, d]] = [a, b].map(u16::to_be_bytes);
                return is_unreachable_v4(Ipv4Addr::new(a, b, c, d));
            }
            // Local-use translation (RFC 8215), and site-local addresses (RFC 3879).
            let is_special = matches!(address.segments(), [0x64, 0xff9b, 1, ..] | [0xfec0..=0xfeff, ..]);
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || is_special
                || address.is_multicast()
        }
    }
}

const MASK: &str = "***";

/// Masks the parts that may be secret, and escapes and cuts the rest as [`shown`] does.
impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut masked = String::new();
        self.write_masked(&mut masked)?;
        f.write_str(&shown(&masked))
    }
}

impl CallbackUrl {
    /// Writes the URL with its secret parts masked. This works on the text, because an invalid URL can hold a secret as
    /// well.
    fn write_masked(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let text = self.expose();
        if self.is_secret && self.check().is_err() {
            // An invalid URL may have no host to show.
            return f.write_str(MASK);
        }
        let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => text.split_at(scheme.len() + 3),
            _ => ("", text),
        };
        f.write_str(scheme)?;

        let user_info = match self.check() {
            Ok(_) => rest[..rest.find(['/', '?']).unwrap_or(rest.len())].rfind('@'),
            // In an invalid URL, slashes may belong to the password or be missing: `user:p/ss@host`,
            // `https:/user:p@host`.
            Err(_) => rest.rfind('@'),
        };
        let rest = match user_info {
            // Either a query with an `@`, or a password with a question mark.
            Some(at) if rest[..at].contains(['?', '#']) => return f.write_str(MASK),
            Some(at) => {
                f.write_str(MASK)?;
                &rest[at..]
            }
            None => rest,
        };
        if self.is_secret {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            return match path {
                "" | "/" => write!(f, "{host}{path}"),
                _ => write!(f, "{host}/{MASK}"),
            };
        }

        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, _)) => (rest, "#***"),
            None => (rest, ""),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        f.write_str(path)?;
        for (i, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            f.write_str(if i == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((name, _)) => write!(f, "{name}={MASK}")?,
                None if pair.is_empty() => {}
                None => f.write_str(MASK)?,
            }
        }
        f.write_str(fragment)
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> CallbackUrl {
        text.to_owned().into()
    }

    #[test]
    fn a_secret_url_shows_only_its_scheme_and_host() {
        for (text, shown) in [
            ("https://hooks.example.com/tok3n", "https://hooks.example.com/***"),
            ("https://hooks.example.com:8443/a/tok3n?b=tok3n&tok3n", "https://hooks.example.com:8443/***"),
            ("https://hooks.example.com?tok3n=1", "https://hooks.example.com/***"),
            ("https://me:tok3n@hooks.example.com/tok3n", "https://***@hooks.example.com/***"),
            ("https://hooks.example.com/", "https://hooks.example.com/"),
            ("https://hooks.example.com", "https://hooks.example.com"),
            ("https://hooks.example.com/tok3n b", "***"),
            ("https://hooks.example.com tok3n", "***"),
            ("tok3n", "***"),
        ] {
            let secret = url(text).secret();
            assert_eq!((secret.to_string(), format!("{secret:?}")), (shown.to_owned(), format!("\"{shown}\"")));
            assert!(secret == url(text) && secret.is_equivalent(&url(text)));
        }
    }

    #[test]
    fn a_url_that_tencent_cannot_use_is_refused_or_a_concern() {
        use Concern::{Unencrypted, Unreachable};
        for (text, expected) in [
            ("https://hooks.example.com/tencent/call", Ok(vec![])),
            ("https://hooks.example.com:8443?token=x&y", Ok(vec![])),
            ("https://user:pass@hooks.example.com/", Ok(vec![])),
            ("https://8.8.8.8/", Ok(vec![])),
            ("http://hooks.example.com/", Ok(vec![Unencrypted])),
            ("http://localhost/", Ok(vec![Unencrypted, Unreachable])),
            ("https://hooks.localhost./", Ok(vec![Unreachable])),
            ("https://LOCALHOST/", Ok(vec![Unreachable])),
            ("https://hooks.internal/", Ok(vec![Unreachable])),
            ("https://127.1.2.3/", Ok(vec![Unreachable])),
            ("https://0x7f000001/", Ok(vec![Unreachable])),
            ("https://10.0.0.1/", Ok(vec![Unreachable])),
            ("https://169.254.1.1/", Ok(vec![Unreachable])),
            ("https://0.0.0.0/", Ok(vec![Unreachable])),
            ("https://[::1]/", Ok(vec![Unreachable])),
            ("https://[fd00::1]/", Ok(vec![Unreachable])),
            ("https://[fe80::1]/", Ok(vec![Unreachable])),
            ("https://[64:ff9b::a01:203]/", Ok(vec![Unreachable])),
            ("https://[64:ff9b::808:808]/", Ok(vec![])),
            ("https://100.64.0.1/", Ok(vec![Unreachable])),
            ("https://100.128.0.1/", Ok(vec![])),
            ("https://192.0.0.8/", Ok(vec![Unreachable])),
            ("https://198.19.0.1/", Ok(vec![Unreachable])),
            ("https://198.20.0.1/", Ok(vec![])),
            ("https://240.0.0.1/", Ok(vec![Unreachable])),
            ("https://[::127.0.0.1]/", Ok(vec![Unreachable])),
            ("https://[2002:7f00:1::]/", Ok(vec![Unreachable])),
            ("https://[2002:808:808::]/", Ok(vec![])),
            ("https://[64:ff9b:1::1]/", Ok(vec![Unreachable])),
            ("https://[fec0::1]/", Ok(vec![Unreachable])),
            ("https://[::ffff:192.168.0.1]/", Ok(vec![Unreachable])),
            ("", Err(InvalidCallbackUrl::Scheme)),
            ("hooks.example.com", Err(InvalidCallbackUrl::Scheme)),
            ("ftp://hooks.example.com", Err(InvalidCallbackUrl::Scheme)),
            ("HTTPS://hooks.example.com", Err(InvalidCallbackUrl::Scheme)),
            ("https:hooks.example.com", Err(InvalidCallbackUrl::Scheme)),
            ("https://", Err(InvalidCallbackUrl::Host)),
            ("https:///path", Err(InvalidCallbackUrl::Host)),
            ("https://?x", Err(InvalidCallbackUrl::Host)),
            ("https://:8443/", Err(InvalidCallbackUrl::Host)),
            ("https://user@/", Err(InvalidCallbackUrl::Host)),
            ("https://hooks.example.com/#part", Err(InvalidCallbackUrl::Fragment)),
            ("https://hooks.example.com/a b", Err(InvalidCallbackUrl::Character)),
            (" https://hooks.example.com/", Err(InvalidCallbackUrl::WhiteSpace)),
            ("https://hooks.example.com/\n", Err(InvalidCallbackUrl::WhiteSpace)),
            ("https://hooks.example.com/\nx", Err(InvalidCallbackUrl::Character)),
            ("https:\\\\hooks.example.com", Err(InvalidCallbackUrl::Character)),
            ("https://hooks.example.com:99999/", Err(InvalidCallbackUrl::Port)),
            ("https://hooks.example.com:0/", Err(InvalidCallbackUrl::Port)),
            ("https://hooks.example.com:port/", Err(InvalidCallbackUrl::Port)),
            ("https://[::1/", Err(InvalidCallbackUrl::Url)),
            ("https://https://hooks.example.com", Err(InvalidCallbackUrl::Url)),
        ] {
            assert_eq!(url(text).check(), expected, "{text}");
        }
    }

    #[test]
    fn a_url_is_shown_without_what_moves_a_cursor_or_turns_the_text() {
        for (text, shown) in [
            (
                "https://hooks.example.com/\u{1b}[2J\n\u{202e}?a\r=1",
                r"https://hooks.example.com/\x1b[2J\n\u202e?a\r=***",
            ),
            ("\u{1b}[2J", r"\x1b[2J"),
        ] {
            assert_eq!((url(text).to_string(), format!("{:?}", url(text))), (shown.to_owned(), format!("\"{shown}\"")));
        }
        let long = url(&format!("https://hooks.example.com/{}", "x".repeat(20_000))).to_string();
        assert!(long.len() < 400 && long.ends_with("x…"), "{long}");
    }

    #[test]
    fn the_longest_host_is_shown_and_no_longer_one_is_valid() {
        let of = |length: usize| {
            let name = "a-label-of-20-bytes.".repeat(20);
            url(&format!("https://me:tok3n@{}x/path", &name[..length - 1])).secret()
        };
        let longest = of(LONGEST_HOST);
        assert_eq!(longest.check(), Ok(vec![]));
        let host = Url::parse(longest.expose()).expect("a URL").host_str().map(str::to_owned).expect("a host");
        assert_eq!((host.len(), longest.to_string()), (LONGEST_HOST, format!("https://***@{host}/***")));
        assert_eq!(of(LONGEST_HOST + 1).check(), Err(InvalidCallbackUrl::LongHost));
    }

    #[test]
    fn a_long_url_is_a_concern() {
        let of = |length: usize| format!("https://example.com/{}", "x".repeat(length - "https://example.com/".len()));
        assert_eq!(url(&of(LONG)).check(), Ok(vec![]));
        assert_eq!(url(&of(LONG + 1)).check(), Ok(vec![Concern::Long]));
    }

    #[test]
    fn urls_in_a_text_are_masked() {
        for (text, masked) in [
            ("no URL here", "no URL here"),
            ("Url \"https://me:tok3n@host/x?a=tok3n\" is bad", "Url \"https://***@host/*** is bad"),
            ("(http://host/?tok3n)\nand\thttps://host/#tok3n", "(http://host/***\nand\t***"),
            ("HTTPS://me:tok3n@host/", "***"),
            ("https://a,https://me:tok3n@host/", "https://a,https://***@host/"),
            ("日本 https://me:tok3n@host/ 語", "日本 https://***@host/ 語"),
            ("", ""),
        ] {
            assert_eq!(CallbackUrl::mask_all(text), masked);
        }
    }

    #[test]
    fn equivalent_urls_make_the_same_request() {
        for (a, b, equivalent) in [
            ("https://example.com", "https://example.com/", true),
            ("https://EXAMPLE.com/x", "https://example.com:443/x", true),
            ("https://example.com/x", "https://example.com/X", false),
            ("https://example.com/x", "https://example.com/x/", false),
            ("https://example.com/x", "http://example.com/x", false),
            ("https://example.com/x?a=1", "https://example.com/x?a=2", false),
            ("https://me:a@example.com/", "https://me:b@example.com/", false),
            ("nonsense", "nonsense", true),
            ("nonsense", "other nonsense", false),
        ] {
            assert_eq!(url(a).is_equivalent(&url(b)), equivalent, "{a} and {b}");
        }
    }

    #[test]
    fn the_secret_parts_of_a_url_are_masked() {
        for (text, masked) in [
            ("https://hooks.example.com/tencent/call", "https://hooks.example.com/tencent/call"),
            ("https://hooks.example.com:8443/x", "https://hooks.example.com:8443/x"),
            ("https://user:tok3n@host/x", "https://***@host/x"),
            ("https://tok3n@[::1]:80/x", "https://***@[::1]:80/x"),
            ("https://host/x?token=tok3n&v=1", "https://host/x?token=***&v=***"),
            ("https://host?tok3n", "https://host?***"),
            ("https://host/?a=tok=3n", "https://host/?a=***"),
            ("https://host/#tok3n", "https://host/#***"),
            ("https://user:tok/3n@host/x", "https://***@host/x"),
            ("https://user:tok?3n@host/x", "https://***"),
            ("https://user:tok#3n@host/x", "https://***"),
            ("https://user:tok3n@host/?mail=a@b", "https://***@host/?mail=***"),
            ("https:/user:tok3n@host/", "***@host/"),
            ("https:///user:tok3n@host/", "https://***@host/"),
            ("https//user:tok3n@host/", "***@host/"),
            ("https:\\\\user:tok3n@host", "***@host"),
            ("HTTPS://user:tok3n@host", "HTTPS://***@host"),
            ("ftp://user:tok3n@host", "ftp://***@host"),
            ("hooks:/x?token=tok3n&next=https://host/", "hooks:/x?token=***&next=***"),
            ("https://https://user:tok3n@host", "https://***@host"),
            ("https://host/@someone", "https://host/@someone"),
            ("user:tok3n@host", "***@host"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(
                (url(text).to_string().as_str(), url(text).may_carry_secret()),
                (masked, text != masked),
                "{text}"
            );
            assert_eq!(format!("{:?}", url(text)), format!("\"{masked}\""));
        }
    }

    proptest! {
        #[test]
        fn a_secret_never_shows(
            scheme in "(https://|http://|https:/|https///|https//|HTTPS://|https:\\\\\\\\)",
            user in "(|SECRET@|user:SECRET@|SECRET:@)",
            path in "(|/|/a/b)",
            query in "(|\\?SECRET|\\?a=SECRET|\\?a=1&b=SECRET&c)",
            fragment in "(|#SECRET)",
        ) {
            let masked = url(&format!("{scheme}{user}host{path}{query}{fragment}")).to_string();
            prop_assert!(!masked.contains("SECRET"), "{}", masked);
            prop_assert!(masked.contains("host"), "{}", masked);
        }

        #[test]
        fn any_text_can_be_checked_and_masked(text in ".{0,60}") {
            let _ = url(&text).check();
            let _ = url(&text).to_string();
        }
    }
}
