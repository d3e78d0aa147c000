//! HTTP answers, read whole.

use std::io::Read as _;
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::envelope::MAX_ANSWER;
use super::foreign::ForeignText;

/// An HTTP answer, whoever it comes from. It has no `Debug`, because its body may hold a secret.
pub(crate) struct Received {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// How much this machine's clock differs from the answer's `Date`, if by more than [`CLOSE`].
    pub(super) clock_skew: Option<String>,
    content_type: Option<ForeignText>,
    /// At least the beginning of the body: all of it unless it is longer than [`MAX_ANSWER`].
    pub(super) body: Vec<u8>,
}

/// The longest difference between two clocks that passes for none.
const CLOSE: Duration = Duration::from_secs(60);

/// The most characters of a body that are shown.
const LONGEST_EXCERPT: usize = 200;

/// What may precede a secret in an answer: the object that Tencent stores, a field of it, a UserSig in another encoding,
/// or the rest of a percent-encoded URL.
const BEFORE_SECRETS: [&str; 7] = ["\"response\"", "\"data\"", "\"url\"", "\"address\"", "token", "usersig", "%3a%2f"];

/// The slashes of a URL in JSON and HTML.
const SLASHES: [&str; 5] = ["\\u002f", "\\u002F", "&#x2f;", "&#x2F;", "&#47;"];

impl Received {
    /// Returns an answer of status 200 without headers.
    #[cfg(test)]
    pub(crate) fn ok(body: &[u8]) -> Self {
        let body = unzipped(body.to_vec());
        Self { status: StatusCode::OK, retry_after: None, clock_skew: None, content_type: None, body }
    }

    pub(super) async fn read(mut response: Response) -> Result<Self, reqwest::Error> {
        let header = |name: HeaderName| Some(String::from_utf8_lossy(response.headers().get(name)?.as_bytes()));
        let content_type = header(CONTENT_TYPE).map(ForeignText::from);
        let retry_after = header(RETRY_AFTER).and_then(|value| retry_after(&value));
        let clock_skew = header(DATE).and_then(|date| clock_skew(&date, SystemTime::now()));
        let status = response.status();
        let mut body = Vec::new();
        while body.len() <= MAX_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                // Without the rest, the status still says what happened.
                Err(error) if status.is_success() => return Err(error),
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Self { status, retry_after, clock_skew, content_type, body: unzipped(body) })
    }

    /// Describes the answer in words that continue "has", without secrets, those that it may repeat among them: its status, content type and beginning.
    pub(super) fn portrait(&self, secrets: &[&str]) -> String {
        let content_type = match &self.content_type {
            Some(content_type) => format!("the content type {content_type}"),
            None => "no content type".to_owned(),
        };
        let portrait = format!("the HTTP status {} and {content_type}", self.status);
        match self.excerpt(secrets).as_str() {
            "" => portrait,
            excerpt => format!("{portrait}, and begins with \"{excerpt}\""),
        }
    }

    fn excerpt(&self, secrets: &[&str]) -> String {
        let text = with_plain_slashes(&String::from_utf8_lossy(&self.body));
        let masked = ForeignText::from(text).masking(secrets).masking_urls();
        masked.hiding_from(&BEFORE_SECRETS).beginning(LONGEST_EXCERPT)
    }
}

/// Writes every slash as one. In JSON, also in JSON inside JSON, backslashes may precede it.
fn with_plain_slashes(text: &str) -> String {
    let text = SLASHES.iter().fold(text.to_owned(), |text, slash| text.replace(slash, "/"));
    text.chars().fold(String::with_capacity(text.len()), |mut plain, c| {
        if c == '/' {
            plain.truncate(plain.trim_end_matches('\\').len());
        }
        plain.push(c);
        plain
    })
}

/// Decompresses a body that is compressed although nobody asked for that. JSON never begins like gzip.
fn unzipped(body: Vec<u8>) -> Vec<u8> {
    let mut unzipped = Vec::new();
    // A longer body is refused, so the rest of it does not matter.
    let mut gzip = GzDecoder::new(body.as_slice()).take(MAX_ANSWER as u64 + 1);
    match gzip.read_to_end(&mut unzipped) {
        Ok(_) if body.starts_with(b"\x1f\x8b") => unzipped,
        _ => body,
    }
}

/// Reads the value of `Retry-After`: seconds or an HTTP date.
fn retry_after(value: &str) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value.trim()).ok()?.duration_since(SystemTime::now()).ok(),
    }
}

/// Describes how a clock that shows `now` differs from a server's that shows `date`, as in "7m 3s ahead of".
fn clock_skew(date: &str, now: SystemTime) -> Option<String> {
    let date = httpdate::parse_http_date(date).ok()?;
    let (skew, direction) = match now.duration_since(date) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let skew = Some(Duration::from_secs(skew.as_secs())).filter(|skew| *skew > CLOSE)?;
    Some(format!("{} {direction}", humantime::format_duration(skew)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).expect("a write to memory");
        gzip.finish().expect("a write to memory")
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(retry_after(&date).expect("a date") > Duration::from_secs(90));
        for value in ["", "soon", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(retry_after(value), None, "{value}");
        }
    }

    #[test]
    fn a_clock_that_is_more_than_a_minute_wrong_is_named() {
        let date = "Thu, 01 Jan 2026 00:00:00 GMT";
        let right = httpdate::parse_http_date(date).expect("a date");
        let seconds = Duration::from_secs;
        for (now, expected) in [
            (right + seconds(60), None),
            (right - seconds(60), None),
            (right + seconds(423), Some("7m 3s ahead of")),
            (right - seconds(7200), Some("2h behind")),
        ] {
            assert_eq!(clock_skew(date, now).as_deref(), expected);
        }
        assert_eq!(clock_skew("today", right), None);
    }

    #[test]
    fn a_compressed_answer_is_read_up_to_the_limit_of_an_answer() {
        assert_eq!(Received::ok(&gzip(b"{}")).body, b"{}");
        assert_eq!(Received::ok(&gzip(&vec![b' '; 2 * MAX_ANSWER])).body.len(), MAX_ANSWER + 1);
        let broken = &gzip(b"{}")[..12];
        assert_eq!(Received::ok(broken).body, broken);
        assert_eq!(Received::ok(b"{}").body, b"{}");
    }

    #[test]
    fn an_answer_is_shown_by_its_beginning_without_secrets() {
        let long = "x".repeat(1000);
        for (body, shown) in [
            ("<html>\r\n<h1>\u{1b}[2JBlocked</h1>", r"<html>\r\n<h1>\x1b[2JBlocked</h1>"),
            ("\u{feff}oops", r"\ufeffoops"),
            ("called with eJx-tok3n", "called with ***"),
            ("go to https://me:tok3n@login.example.com/tok3n now", "go to https://***@login.example.com/*** now"),
            (
                r#"{"location":"https:\/\/me:tok3n@login.example.com\/tok3n" }"#,
                r#"{"location":"https://***@login.example.com/*** }"#,
            ),
            (r#"{"ActionStatus":"OK","Response":{"Token":"tok3n"}}"#, r#"{"ActionStatus":"OK",***"#),
            (
                r#"{"body":"{\"Url\":\"https:\\/\\/me:tok3n@login.example.com\\/tok3n\"}" }"#,
                r#"{"body":"{\"Url\":\"*** }"#,
            ),
            (r"see https:\u002f\u002fme:tok3n@host\u002Ftok3n", "see https://***@host/***"),
            ("see https:&#x2f;&#47;host&#x2F;tok3n", "see https://host/***"),
            ("body=https%3A%2F%2Fhooks.example.com%2Ftok3n", "body=https***"),
            (r#"{"Url":"hooks/tok3n"}"#, "{***"),
            (r#"{"address":"hooks/tok3n"}"#, "{***"),
            (r#"{"errorCode":0,"data":"hooks/tok3n"}"#, r#"{"errorCode":0,***"#),
            ("no such usersig%3DtOk3n", "no such ***"),
            (&long, &("x".repeat(200) + "…")),
        ] {
            assert_eq!(Received::ok(body.as_bytes()).excerpt(&["eJx-tok3n"]), shown);
        }
        let page = Received { content_type: Some("text/html".into()), ..Received::ok(b"<html>") };
        let portrait = r#"the HTTP status 200 OK and the content type text/html, and begins with "<html>""#;
        assert_eq!(page.portrait(&[]), portrait);
        assert_eq!(Received::ok(b"").portrait(&[]), "the HTTP status 200 OK and no content type");
    }
}
