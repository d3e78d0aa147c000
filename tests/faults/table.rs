//! The faults, and the meaning of each for one call. The expectations of the matrix follow from the meanings alone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tencent_simulator::{Age, FaultKind};
use terraform_provider_tencent::tencent::{self, ApiVersion, Credentials, ErrorCode};

/// `request_timeout` where no fault keeps an answer away: longer than any answer takes on a busy machine.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// `request_timeout` where answers come too late or never.
pub(crate) const SHORT_TIMEOUT: Duration = Duration::from_secs(3);
/// `max_retries`
pub(crate) const MAX_RETRIES: u32 = 1;

/// A fault, with its meaning.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The name on the page.
    pub(crate) name: String,
    pub(crate) cause: Cause,
    pub(crate) meaning: Meaning,
    /// The alias of the provider block that meets the fault, if it would get in the way of the other faults in one process.
    pub(crate) provider: Option<&'static str>,
    /// Texts of the message about it.
    pub(crate) said: Vec<String>,
}

/// The alias of the provider block whose calls meet rate limits, which delay all its calls.
pub(crate) const LIMITED: &str = "limited";
/// The alias of the provider block with the [`SHORT_TIMEOUT`].
pub(crate) const IMPATIENT: &str = "impatient";

/// The origin of a fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cause {
    /// The simulator plays the fault.
    Simulator(FaultKind),
    /// The simulator cannot be reached.
    Unreachable(Unreachable),
}

/// Why a server cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    Refused,
    UnknownIssuer,
    UnknownHost,
}

impl Unreachable {
    pub(crate) const ALL: [Self; 3] = [Self::Refused, Self::UnknownIssuer, Self::UnknownHost];

    /// Returns the alias of the provider block that meets the fault.
    pub(crate) fn alias(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownHost => "unknown_host",
        }
    }
}

/// The meaning of a fault for an attempt that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Whether the attempt succeeds nevertheless.
    pub(crate) succeeds: bool,
    /// Whether Tencent processes the request.
    pub(crate) processed: bool,
    /// Whether the client can be certain that the request was not processed.
    pub(crate) certain: bool,
    /// Whether the client tries again.
    pub(crate) retry: Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    No,
    Yes,
    /// Once, with a new UserSig.
    Resign,
}

impl Meaning {
    /// A harmless oddity.
    const HARMLESS: Self = Self { succeeds: true, processed: true, certain: false, retry: Retry::No };
    /// Processed, but no answer of Tencent's.
    const DONE: Self = Self { succeeds: false, processed: true, certain: false, retry: Retry::Yes };
    /// Not processed, which the client cannot know, because there is no answer of Tencent's.
    const LOST: Self = Self { processed: false, ..Self::DONE };
    /// As [`Self::LOST`], but not worth retrying.
    const TURNED_AWAY: Self = Self { retry: Retry::No, ..Self::LOST };
    /// Not sent, or rejected before processing.
    const UNSENT: Self = Self { certain: true, ..Self::LOST };
    /// A permanent refusal.
    const REFUSAL: Self = Self { certain: true, ..Self::TURNED_AWAY };

    /// Returns the number of attempts if every one meets the fault.
    pub(crate) fn attempts(self) -> usize {
        match self.retry {
            Retry::No => 1,
            Retry::Yes => MAX_RETRIES as usize + 1,
            Retry::Resign => 2,
        }
    }

    /// Returns how many attempts can meet the fault before one succeeds.
    pub(crate) fn passes_after(self) -> Option<u32> {
        match self.retry {
            Retry::No => None,
            Retry::Yes => Some(MAX_RETRIES),
            Retry::Resign => Some(1),
        }
    }
}

/// An undocumented code.
const UNKNOWN: i64 = 99999;

/// Returns the faults of network and gateways. A redirect leads to `elsewhere`.
pub(crate) fn on_the_way(elsewhere: &str) -> Vec<Case> {
    let lost = &["The connection to", "was lost before the answer was complete", "Check the network and the proxy"];
    let late = &["No answer arrived in time", "Check the network and the proxy, or raise request_timeout"][..];
    let case = |name: &str, kind, meaning, said: &[&str]| Case {
        name: name.to_owned(),
        meaning,
        provider: match kind {
            FaultKind::Status { code: 429, .. } => Some(LIMITED),
            _ if said == late => Some(IMPATIENT),
            _ => None,
        },
        cause: Cause::Simulator(kind),
        said: said.iter().map(|&text| text.to_owned()).collect(),
    };
    let unusable = |why| ["The answer from", "cannot be used", why, "endpoint and the proxy"];
    let not_documented = unusable("it is not JSON of the documented form");
    let millis = Duration::from_millis;
    let mut cases = vec![
        case("connection reset before processing", FaultKind::ResetBeforeProcessing, Meaning::LOST, lost),
        case("connection reset after processing", FaultKind::ResetAfterProcessing, Meaning::DONE, lost),
        case("connection closed before processing", FaultKind::CloseBeforeProcessing, Meaning::LOST, lost),
        case("connection closed after processing", FaultKind::CloseAfterProcessing, Meaning::DONE, lost),
        case("no answer", FaultKind::NoAnswer, Meaning::LOST, late),
        case("answer too late", FaultKind::Delay(3 * SHORT_TIMEOUT), Meaning::DONE, late),
        case("slow answer", FaultKind::Delay(millis(100)), Meaning::HARMLESS, &[]),
        case("body too slow", FaultKind::SlowBody { piece: 16, pause: SHORT_TIMEOUT / 2 }, Meaning::DONE, late),
        case("slow body", FaultKind::SlowBody { piece: 80, pause: millis(30) }, Meaning::HARMLESS, &[]),
        case("truncated body", FaultKind::TruncatedBody, Meaning::DONE, lost),
        case("body of 2 MiB", FaultKind::OversizedBody(2 << 20), Meaning::DONE, &unusable("it is longer than 1 MiB")),
        case("HTML with status 200", FaultKind::NotJson, Meaning::LOST, &not_documented),
        case("JSON of wrong types", FaultKind::WrongTypes, Meaning::LOST, &not_documented),
        case("JSON without its fields", FaultKind::MissingFields, Meaning::LOST, &not_documented),
    ];
    for (code, reason) in [(500, "Internal Server Error"), (502, "Bad Gateway"), (503, "Service Unavailable")] {
        for (processed, when) in [(false, "before"), (true, "after")] {
            let kind = FaultKind::Status { code, retry_after: None, processed };
            let meaning = if processed { Meaning::DONE } else { Meaning::LOST };
            let status = format!("has the HTTP status {code} {reason}");
            let said = ["The answer from", status.as_str(), "endpoint and the proxy"];
            cases.push(case(&format!("HTTP {code} {when} processing"), kind, meaning, &said));
        }
    }
    for (retry_after, name) in [(None, "HTTP 429"), (Some("1"), "HTTP 429 with Retry-After")] {
        let kind = FaultKind::Status { code: 429, retry_after: retry_after.map(str::to_owned), processed: false };
        let said = ["The answer from", "has the HTTP status 429 Too Many Requests", "requests_per_second"];
        cases.push(case(name, kind, Meaning::UNSENT, &said));
    }
    let forbidden = FaultKind::Status { code: 403, retry_after: None, processed: false };
    let said = ["The answer from", "has the HTTP status 403 Forbidden", "endpoint and the proxy"];
    cases.push(case("HTTP 403 of a gateway", forbidden, Meaning::TURNED_AWAY, &said));
    for code in [302, 307] {
        let kind = FaultKind::Redirect { code, location: elsewhere.to_owned() };
        let said = ["The answer from", &format!("has the HTTP status {code}"), "Redirects are not followed"];
        cases.push(case(&format!("HTTP {code} to another host"), kind, Meaning::TURNED_AWAY, &said));
    }
    cases
}

/// Returns the fault of a get that is answered OK without a configuration. For other calls, that is a valid answer.
pub(crate) fn nothing_in_it() -> Case {
    let answer = json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "Id-0" });
    Case {
        name: "OK without a configuration".to_owned(),
        cause: Cause::Simulator(FaultKind::Answer(answer)),
        meaning: Meaning::LOST,
        provider: None,
        said: vec!["The answer from".to_owned(), "cannot be used: it holds no configuration".to_owned()],
    }
}

/// Returns the lags of reads behind writes.
pub(crate) fn lags() -> Vec<Case> {
    let lag = |name: &str, age| Case {
        name: name.to_owned(),
        cause: Cause::Simulator(FaultKind::StaleRead(age)),
        meaning: Meaning::HARMLESS,
        provider: None,
        said: Vec::new(),
    };
    let ago = |millis| Age::Ago(Duration::from_millis(millis));
    vec![
        lag("reads lag by 0.1 s", ago(100)),
        lag("reads lag by 0.2 s", ago(200)),
        lag("reads lag by 1 s", ago(1000)),
        Case { said: vec!["reads still show".to_owned()], ..lag("reads lag for longer", Age::BeforeTheLastChange) },
    ]
}

/// Returns whether no operation waits as long as this lag.
pub(crate) fn is_longest_lag(case: &Case) -> bool {
    case.cause == Cause::Simulator(FaultKind::StaleRead(Age::BeforeTheLastChange))
}

/// Returns the faults without a connection.
pub(crate) fn unreachable() -> Vec<Case> {
    let case = |unreachable: Unreachable, name: &str, meaning, said: [&str; 3]| Case {
        name: name.to_owned(),
        cause: Cause::Unreachable(unreachable),
        meaning,
        provider: Some(unreachable.alias()),
        said: said.map(str::to_owned).to_vec(),
    };
    let unsent = |unreachable, name, why| {
        case(unreachable, name, Meaning::UNSENT, ["No connection could be made to", why, "endpoint"])
    };
    let distrust = ["The certificate of", "this machine does not trust its issuer", "SSL_CERT_FILE"];
    vec![
        unsent(Unreachable::Refused, "connection refused", "the server refused the connection"),
        case(Unreachable::UnknownIssuer, "TLS certificate of an unknown issuer", Meaning::REFUSAL, distrust),
        unsent(Unreachable::UnknownHost, "DNS error", "the server's host name was not found"),
    ]
}

/// Returns every documented error code, and an undocumented one. One of them quotes `url`, as Tencent may.
pub(crate) fn error_codes(version: ApiVersion, url: &str) -> Vec<Case> {
    let invalid = if version == ApiVersion::V1 { 70001 } else { 100_002 };
    let documented: BTreeSet<_> = ErrorCode::documented(version).collect();
    let codes = documented.into_iter().chain([ErrorCode { version, number: UNKNOWN }]);
    codes.map(|code| error_code(code, if code.number == invalid { url } else { "" })).collect()
}

fn error_code(code: ErrorCode, quoted: &str) -> Case {
    let meaning = match code.retry() {
        // An internal error may occur after processing.
        tencent::Retry::Yes => Meaning::LOST,
        tencent::Retry::SlowDown => Meaning::UNSENT,
        _ if code.version == ApiVersion::V1 && code.number == UNKNOWN => Meaning::TURNED_AWAY,
        tencent::Retry::Resign => Meaning { retry: Retry::Resign, ..Meaning::REFUSAL },
        tencent::Retry::No => Meaning::REFUSAL,
    };
    let words = format!("in Tencent's words: {code}");
    Case {
        name: code.to_string(),
        cause: Cause::Simulator(FaultKind::ErrorCode { code: code.number, info: format!("{words} {quoted}") }),
        meaning,
        provider: (code.retry() == tencent::Retry::SlowDown).then_some(LIMITED),
        said: vec![
            format!("Tencent answered with error {code}: {}.", code.meaning()),
            code.advice(&Credentials::SecretKey(String::new().into())).to_owned(),
            format!("ErrorInfo: {words}"),
            "RequestId: ".to_owned(),
        ],
    }
}
