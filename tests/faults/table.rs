//! The faults, and what each means for one call: the expectations of the matrix follow from that alone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tencent_simulator::FaultKind;
use terraform_provider_tencent::tencent::{self, Credentials, ErrorCode};

/// The time for one attempt, as the provider is told.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Further attempts after the first, as the provider is told.
pub(crate) const MAX_RETRIES: u32 = 1;

/// A fault.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// As the page names it.
    pub(crate) name: String,
    pub(crate) cause: Cause,
    pub(crate) meaning: Meaning,
    /// Whether all other calls wait as well.
    slows_down: bool,
    /// What a message about it contains.
    pub(crate) said: Vec<String>,
}

impl Case {
    /// Whether the same call may succeed later although nobody changes anything: a plan then only warns.
    pub(crate) fn may_pass(&self) -> bool {
        let answered_by_another_program = match &self.cause {
            Cause::Simulator(kind) => matches!(
                kind,
                FaultKind::NotJson
                    | FaultKind::WrongTypes
                    | FaultKind::MissingFields
                    | FaultKind::OversizedBody(_)
                    | FaultKind::Answer(_)
            ),
            Cause::Unreachable(_) => false,
        };
        self.meaning.retry != Retry::No && !answered_by_another_program
    }

    /// The provider block that the fault is for: some would get in the way of all others in the same process.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        match self.cause {
            Cause::Simulator(_) => self.slows_down.then_some(LIMITED),
            Cause::Unreachable(unreachable) => Some(unreachable.alias()),
        }
    }
}

/// The alias of the provider block whose calls meet limits, and then all wait.
pub(crate) const LIMITED: &str = "limited";

/// Where a fault comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cause {
    /// The simulator acts it out.
    Simulator(FaultKind),
    /// The simulator cannot even be reached.
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

    /// The alias of the provider block that meets it.
    pub(crate) fn alias(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownHost => "unknown_host",
        }
    }
}

/// What a fault means for an attempt that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Whether the attempt succeeds all the same.
    pub(crate) succeeds: bool,
    /// Whether Tencent carries the request out.
    pub(crate) processed: bool,
    /// Whether a client can tell from it that the request was not carried out.
    pub(crate) certain: bool,
    /// Whether another attempt is worth it.
    pub(crate) retry: Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    No,
    Yes,
    /// Once, with a UserSig signed anew.
    Resign,
}

impl Meaning {
    /// A harmless oddity.
    const HARMLESS: Self = Self { succeeds: true, processed: true, certain: false, retry: Retry::No };
    /// No answer of Tencent's, after the request was carried out.
    const DONE: Self = Self { succeeds: false, processed: true, certain: false, retry: Retry::Yes };
    /// No answer of Tencent's; the request was not carried out, but the client cannot tell.
    const LOST: Self = Self { processed: false, ..Self::DONE };
    /// The same, and trying again would not help.
    const TURNED_AWAY: Self = Self { retry: Retry::No, ..Self::LOST };
    /// Nothing was sent, or it was turned away at the door.
    const UNSENT: Self = Self { certain: true, ..Self::LOST };
    /// A refusal for good.
    const REFUSAL: Self = Self { certain: true, ..Self::TURNED_AWAY };

    /// How many attempts there are if every one meets the fault.
    pub(crate) fn attempts(self) -> usize {
        match self.retry {
            Retry::No => 1,
            Retry::Yes => MAX_RETRIES as usize + 1,
            Retry::Resign => 2,
        }
    }

    /// How many attempts may meet it until one succeeds.
    pub(crate) fn passes_after(self) -> Option<u32> {
        match self.retry {
            Retry::No => None,
            Retry::Yes => Some(MAX_RETRIES),
            Retry::Resign => Some(1),
        }
    }
}

/// One that Tencent does not document.
const UNKNOWN: ErrorCode = ErrorCode(99999);

/// What happens on the way. A redirect leads to `elsewhere`.
pub(crate) fn on_the_way(elsewhere: &str) -> Vec<Case> {
    let case = |name: &str, kind, meaning, said: &[&str]| Case {
        name: name.to_owned(),
        meaning,
        slows_down: matches!(kind, FaultKind::Status { code: 429, .. }),
        cause: Cause::Simulator(kind),
        said: said.iter().map(|&text| text.to_owned()).collect(),
    };
    let lost = &["The connection to", "was lost before the answer was complete", "Check the network and the proxy"];
    let late = &["No answer arrived in time", "Check the network and the proxy, or raise request_timeout"];
    let unusable = |why| ["The answer from", "cannot be used", why, "endpoint and the proxy"];
    let not_documented = unusable("it is not JSON of the documented form");
    let millis = Duration::from_millis;
    let mut cases = vec![
        case("connection reset before processing", FaultKind::ResetBeforeProcessing, Meaning::LOST, lost),
        case("connection reset after processing", FaultKind::ResetAfterProcessing, Meaning::DONE, lost),
        case("connection closed before processing", FaultKind::CloseBeforeProcessing, Meaning::LOST, lost),
        case("connection closed after processing", FaultKind::CloseAfterProcessing, Meaning::DONE, lost),
        case("no answer", FaultKind::NoAnswer, Meaning::LOST, late),
        case("answer too late", FaultKind::Delay(3 * REQUEST_TIMEOUT), Meaning::DONE, late),
        case("slow answer", FaultKind::Delay(REQUEST_TIMEOUT / 10), Meaning::HARMLESS, &[]),
        case("body too slow", FaultKind::SlowBody { piece: 16, pause: REQUEST_TIMEOUT / 2 }, Meaning::DONE, late),
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

/// A get that is answered OK and nothing else. To other calls that is an answer like any.
pub(crate) fn nothing_in_it() -> Case {
    let answer = json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "Id-0" });
    Case {
        name: "OK without a configuration".to_owned(),
        cause: Cause::Simulator(FaultKind::Answer(answer)),
        meaning: Meaning::LOST,
        slows_down: false,
        said: vec!["The answer from".to_owned(), "cannot be used: it holds no configuration".to_owned()],
    }
}

/// No connection at all.
pub(crate) fn unreachable() -> Vec<Case> {
    let case = |unreachable, name: &str, meaning, said: [&str; 3]| Case {
        name: name.to_owned(),
        cause: Cause::Unreachable(unreachable),
        meaning,
        slows_down: false,
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

/// Every documented error code, and one that is not. One of them quotes `url`, as Tencent may.
pub(crate) fn error_codes(url: &str) -> Vec<Case> {
    let documented: BTreeSet<_> = ErrorCode::documented().collect();
    let codes = documented.into_iter().chain([UNKNOWN]);
    codes.map(|code| error_code(code, if code.0 == 100_002 { url } else { "" })).collect()
}

fn error_code(code: ErrorCode, quoted: &str) -> Case {
    let meaning = match code.retry() {
        // An error inside the service leaves open what was done before it.
        tencent::Retry::Yes => Meaning::LOST,
        tencent::Retry::SlowDown => Meaning::UNSENT,
        tencent::Retry::Resign => Meaning { retry: Retry::Resign, ..Meaning::REFUSAL },
        tencent::Retry::No => Meaning::REFUSAL,
    };
    let words = format!("in Tencent's words: {code}");
    Case {
        name: code.to_string(),
        cause: Cause::Simulator(FaultKind::ErrorCode { code: code.0, info: format!("{words} {quoted}") }),
        meaning,
        slows_down: code.retry() == tencent::Retry::SlowDown,
        said: vec![
            format!("Tencent answered with error {code}: {}.", code.meaning()),
            code.advice(&Credentials::SecretKey(String::new().into())).to_owned(),
            format!("ErrorInfo: {words}"),
            "RequestId: Id-".to_owned(),
        ],
    }
}
