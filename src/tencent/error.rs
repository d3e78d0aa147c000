//! The failures of calls, and what to do about them.

use std::fmt;

use super::api_version::ApiVersion;
use super::app::Credentials;
use super::foreign::ForeignText;
use super::user_sig::InvalidUserSig;

/// The failure of a call, after its retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// The failure that ended the call.
    pub kind: ErrorKind,
    /// Whether an attempt may have taken effect although no answer says so.
    pub may_have_taken_effect: bool,
}

/// The failure of an attempt, or the end of all attempts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// An answer with an error code.
    #[error("{0}")]
    Api(ApiError),
    /// An answer that refuses the time in a UserSig, where this machine's clock is wrong.
    #[error("Tencent answered with {error}, and this machine's clock is {skew} the Date header of the answer")]
    ClockSkew {
        /// The error code.
        error: ApiError,
        /// The difference, such as "7m 3s ahead of".
        skew: String,
    },
    /// No answer from Tencent.
    #[error("{0}")]
    Network(NetworkError),
    /// A UserSig that cannot work. Nothing was sent.
    #[error("the UserSig cannot be used: {0}")]
    UserSig(InvalidUserSig),
    /// The end of the time for the operation.
    #[error("the operation's timeout ran out{}", in_time(last.as_deref(), queue.as_deref()))]
    Timeout {
        /// The failure of the last attempt, if there was one.
        last: Option<Box<ErrorKind>>,
        /// The reason why there was no turn for another attempt in time, if that was so.
        queue: Option<String>,
    },
    /// A caller that no longer wants the result.
    #[error("the operation was interrupted")]
    Stopped,
}

/// Continues "the timeout ran out".
fn in_time(last: Option<&ErrorKind>, queue: Option<&str>) -> String {
    let queue = queue.map(|why| format!(" while the call waited for its turn: {why}")).unwrap_or_default();
    let or = if queue.is_empty() { ", or left no time for another attempt" } else { "" };
    last.map(|last| format!("{queue}{or}; the last one failed: {last}")).unwrap_or(queue)
}

impl Error {
    /// Returns the answer with an error code that ended the call or its last attempt.
    pub fn api(&self) -> Option<&ApiError> {
        self.kind.api()
    }

    /// Returns whether an answer with this code ended the call.
    pub fn is(&self, code: ErrorCode) -> bool {
        matches!(&self.kind, ErrorKind::Api(api) if api.code == code)
    }

    /// Masks `secret` in the words of the answer.
    #[must_use]
    pub fn masking(mut self, secret: &str) -> Self {
        let mut kind = &mut self.kind;
        while let ErrorKind::Timeout { last: Some(last), .. } = kind {
            kind = last;
        }
        match kind {
            ErrorKind::Api(api) | ErrorKind::ClockSkew { error: api, .. } => {
                api.info = std::mem::take(&mut api.info).masking(&[secret])
            }
            ErrorKind::Network(network) if !secret.is_empty() => network.what = network.what.replace(secret, "***"),
            _ => {}
        }
        self
    }
}

impl ErrorKind {
    /// Returns the answer with an error code, if there was one.
    pub(super) fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) | Self::ClockSkew { error, .. } => Some(error),
            Self::Timeout { last: Some(last), .. } => last.api(),
            _ => None,
        }
    }

    /// Adds to a timeout why there was no turn in time.
    pub(super) fn in_queue(self, why: impl FnOnce() -> String) -> Self {
        match self {
            Self::Timeout { last, .. } => Self::Timeout { last, queue: Some(why()) },
            other => other,
        }
    }

    /// Returns the kind of retry that may help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Api(error) | Self::ClockSkew { error, .. } => error.code.retry(),
            Self::Network(error) => error.retry,
            Self::UserSig(_) | Self::Timeout { .. } | Self::Stopped => Retry::No,
        }
    }

    /// Returns whether the same call may succeed later although nobody changes anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Api(error) | Self::ClockSkew { error, .. } => {
                let retry = error.code.retry();
                error.code == VERIFIED_TOO_OFTEN
                    || error.code.is_internal_error()
                    || matches!(retry, Retry::Yes | Retry::SlowDown)
            }
            Self::Network(error) => error.may_pass,
            Self::Timeout { last, .. } => last.as_ref().is_none_or(|last| last.may_pass()),
            Self::UserSig(_) => false,
            Self::Stopped => true,
        }
    }

    /// Returns whether Tencent may have received the request and carried it out.
    pub(super) fn may_have_taken_effect(&self) -> bool {
        match self {
            // An internal error or a timeout inside the service leaves open what was done before it.
            Self::Api(error) | Self::ClockSkew { error, .. } => {
                error.code.retry() == Retry::Yes || error.code.is_internal_error()
            }
            Self::Network(error) => error.sent,
            Self::UserSig(_) | Self::Timeout { .. } | Self::Stopped => false,
        }
    }

    /// Returns the next step for a caller with these credentials.
    pub fn advice(&self, credentials: &Credentials) -> &'static str {
        match self {
            Self::Api(error) | Self::ClockSkew { error, .. } => error.code.advice(credentials),
            Self::Network(error) => error.advice,
            Self::UserSig(_) => "Make a new UserSig for this application and administrator.",
            Self::Timeout { last: Some(last), .. } => last.advice(credentials),
            Self::Timeout { last: None, .. } => "Allow more time, or try again later.",
            Self::Stopped => "Run a new plan to see what is there.",
        }
    }
}

impl From<NetworkError> for ErrorKind {
    fn from(error: NetworkError) -> Self {
        Self::Network(error)
    }
}

/// An answer with an error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// `ErrorCode`
    pub code: ErrorCode,
    /// `ErrorInfo`, Tencent's own words, possibly empty.
    pub info: ForeignText,
    /// `RequestId`, which Tencent's support asks for, possibly empty.
    pub request_id: ForeignText,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, self.code.meaning())
    }
}

/// A failure between this machine and Tencent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NetworkError {
    /// The failure in words. They may quote the beginning of an answer, without a UserSig or a URL in it.
    pub what: String,
    /// The next step for the user.
    pub advice: &'static str,
    /// The kind of retry that may help.
    pub retry: Retry,
    /// Whether a later call may succeed although nobody changes anything.
    pub may_pass: bool,
    /// Whether the request may have reached Tencent.
    pub sent: bool,
}

/// An error code of Tencent's REST API. The same number has another meaning in another version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode {
    /// The version of the API that answered.
    pub version: ApiVersion,
    /// `ErrorCode`, or `errorCode` in version 1.
    pub number: i64,
}

/// Displays the number.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

/// The kind of retry that a failed attempt is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// None, because another attempt would fail as well.
    No,
    /// Retries after a while.
    Yes,
    /// Retries after a while, in which all other calls wait as well, because the rate limit was exceeded.
    SlowDown,
    /// One retry, with a new UserSig.
    Resign,
}

struct Entry {
    number: i64,
    retry: Retry,
    meaning: &'static str,
    advice: &'static str,
    /// The advice for a caller with a ready-made UserSig, if it differs.
    with_user_sig: Option<&'static str>,
}

const fn entry(number: i64, retry: Retry, meaning: &'static str, advice: &'static str) -> Entry {
    Entry { number, retry, meaning, advice, with_user_sig: None }
}

impl Entry {
    const fn with_user_sig(self, advice: &'static str) -> Self {
        Self { with_user_sig: Some(advice), ..self }
    }
}

const BUG: &str = "This is a bug in the provider or in a gateway on the way: please report it with the RequestId.";
const LATER: &str = "Try again later; if it persists, ask Tencent's support with the RequestId.";
const SLOWER: &str = "Send fewer requests per second, or run fewer operations at the same time.";
const KEY: &str = "Check that the SecretKey belongs to this SDKAppID (Tencent RTC console, Basic Information) and was copied whole. It \
     is the RTC application's own key, not the SecretKey of the Tencent Cloud API (CAM).";
const IDENTIFIER: &str =
    "Check the identifier: it must be the account that the UserSig was made for, an app administrator.";
const REGION: &str = "Check the SDKAppID and the region: an application exists in one region only. The regions are china, \
                      singapore, seoul, frankfurt, silicon_valley, jakarta and tokyo.";
const SIGNED_ELSEWHERE: &str = "The UserSig must be signed with the SecretKey of this SDKAppID (Tencent RTC console, \
                                Basic Information). Check that it was copied whole, or make a new one.";
const NEW_USER_SIG: &str = "Make a new UserSig, and check the clock of the machine that makes it.";
const CLOCK: &str = "Check this machine's clock: the provider signs UserSigs with its time.";
const ADMINISTRATOR: &str = "Make the identifier an app administrator in the Tencent RTC console, or use one that is.";
const CONSOLE: &str = "Check the application's state and plan in the Tencent RTC console.";

/// The error codes that Tencent documents for version 1 of the API.
#[rustfmt::skip]
const V1: &[Entry] = &[
    entry(NO_CONFIGURATION.number, Retry::No, "the application has no callback configuration", "Create it, or check the SDKAppID."),
    entry(50001, Retry::No, "the application lacks the package TUICallKit Group Call Version", "Buy that package in the Tencent RTC console, or start its trial."),
    entry(70001, Retry::No, "a parameter is missing or invalid", "See ErrorInfo for Tencent's own explanation."),
    entry(70002, Retry::No, "the UserSig is not valid", KEY).with_user_sig(SIGNED_ELSEWHERE),
    entry(70003, Retry::Resign, "the UserSig has expired", CLOCK).with_user_sig(NEW_USER_SIG),
    entry(70004, Retry::No, "the account is not an app administrator", ADMINISTRATOR),
    entry(70005, Retry::SlowDown, "the API's call rate is exceeded", SLOWER),
    entry(70009, Retry::No, "the request's body cannot be parsed", BUG),
];

/// The error codes that Tencent documents for version 4 of the API.
#[rustfmt::skip]
const V4: &[Entry] = &[
    entry(100001, Retry::Yes, "an internal error of Tencent's server", LATER),
    entry(100002, Retry::No, "a parameter is invalid", "See ErrorInfo for Tencent's own explanation."),
    entry(100007, Retry::No, "there is no payment information for the application", "Buy a package for this service in the Tencent RTC console."),
    entry(ALREADY_CONFIGURED.number, Retry::No, "the application already has a callback configuration", "Tencent reports one, although the provider found none. Run a new plan. If that does not help, find out what else creates and deletes it: the console, a script, or another Terraform state."),
    entry(NOT_CONFIGURED.number, Retry::No, "the application has no callback configuration", "Create it, or check the SDKAppID."),
    entry(NO_TOKEN.number, Retry::No, "the application has no callback token", "Create it, or check the SDKAppID."),
    entry(60002, Retry::No, "the request's URL is malformed", BUG),
    entry(60003, Retry::No, "the request's JSON is malformed", BUG),
    entry(60004, Retry::No, "the account in the request is wrong", IDENTIFIER),
    entry(60005, Retry::No, "the signature in the request is wrong", KEY).with_user_sig(SIGNED_ELSEWHERE),
    entry(60006, Retry::No, "the SDKAppID is not valid", REGION),
    entry(60007, Retry::SlowDown, "the API's call rate is exceeded", SLOWER),
    entry(60008, Retry::Yes, "the request timed out inside Tencent's service", LATER),
    entry(NO_SUCH_CALL.number, Retry::No, "no such resource", "Check the endpoint and its path: the provider appends v4/… to it."),
    entry(60010, Retry::No, "the account is not an app administrator", ADMINISTRATOR),
    entry(60011, Retry::SlowDown, "the application's request rate is exceeded", SLOWER),
    entry(60012, Retry::No, "the SDKAppID is missing from the request", BUG),
    entry(60013, Retry::Yes, "an unreadable answer inside Tencent's service", LATER),
    entry(60014, Retry::Yes, "looking up the account timed out inside Tencent's service", LATER),
    entry(60015, Retry::No, "the account in the request is not a string", BUG),
    entry(60016, Retry::No, "the application is disabled", CONSOLE),
    entry(60017, Retry::No, "the request is forbidden for this application", CONSOLE),
    entry(60018, Retry::SlowDown, "too many requests", SLOWER),
    entry(60019, Retry::SlowDown, "too many requests", SLOWER),
    entry(60020, Retry::No, "the application's plan has expired and is suspended", "Renew the plan in the Tencent RTC console. That takes effect after about five minutes."),
    entry(60021, Retry::No, "calls from this IP address are not allowed", "Add the address of this machine (or of its proxy) to the allow-list in the Tencent RTC console."),
    entry(70001, Retry::Resign, "the UserSig has expired", CLOCK).with_user_sig(NEW_USER_SIG),
    entry(70003, Retry::No, "the UserSig cannot be parsed", BUG).with_user_sig("Check that the UserSig was copied whole."),
    entry(70009, Retry::No, "the UserSig's signature is wrong", KEY).with_user_sig(SIGNED_ELSEWHERE),
    entry(70013, Retry::No, "the UserSig was made for another identifier", IDENTIFIER),
    entry(70014, Retry::No, "the UserSig was made for another SDKAppID", "Make a UserSig for this application, or correct the SDKAppID."),
    entry(70016, Retry::No, "the application's key does not exist", REGION),
    entry(70020, Retry::No, "the SDKAppID does not exist", REGION),
    entry(70050, Retry::No, "verifying the UserSig failed too often", "Wait a minute. Then check that the SecretKey belongs to this SDKAppID.").with_user_sig(SIGNED_ELSEWHERE),
    entry(70051, Retry::No, "the account is blocked", "Use another app administrator as the identifier."),
    entry(70107, Retry::No, "the account does not exist", "Import the account in the Tencent RTC console, or use another identifier."),
];

/// The application already has the callback configuration that the call was to create.
pub const ALREADY_CONFIGURED: ErrorCode = v4(100_300);

/// The application has no callback configuration.
pub const NOT_CONFIGURED: ErrorCode = v4(100_301);

/// The application has no callback configuration in version 1 of the API.
pub const NO_CONFIGURATION: ErrorCode = ErrorCode { version: ApiVersion::V1, number: 999 };

/// The API has no call of this path.
pub(super) const NO_SUCH_CALL: ErrorCode = v4(60_009);

/// The application has no callback token.
pub(super) const NO_TOKEN: ErrorCode = v4(100_302);

/// Verifying the UserSig failed too often, so that Tencent verifies none for a minute.
const VERIFIED_TOO_OFTEN: ErrorCode = v4(70_050);

const fn v4(number: i64) -> ErrorCode {
    ErrorCode { version: ApiVersion::V4, number }
}

impl ApiVersion {
    fn table(self) -> &'static [Entry] {
        match self {
            Self::V1 => V1,
            Self::V4 => V4,
        }
    }
}

impl ErrorCode {
    /// Returns all documented codes of a version of the API.
    pub fn documented(version: ApiVersion) -> impl Iterator<Item = Self> {
        version.table().iter().map(move |entry| Self { version, number: entry.number })
    }

    fn entry(self) -> Option<&'static Entry> {
        self.version.table().iter().find(|entry| entry.number == self.number)
    }

    pub(super) fn is_documented(self) -> bool {
        self.entry().is_some()
    }

    /// Returns whether version 1 calls the code an internal error, as it does all codes that it does not list.
    fn is_internal_error(self) -> bool {
        self.version == ApiVersion::V1 && !self.is_documented()
    }

    /// Returns the meaning of the code.
    pub fn meaning(self) -> &'static str {
        self.entry().map_or("an error code that Tencent's documentation of this API does not list", |e| e.meaning)
    }

    /// Returns the next step for a caller with these credentials.
    pub fn advice(self, credentials: &Credentials) -> &'static str {
        match (credentials, self.entry()) {
            (_, None) => "Ask Tencent's support with the RequestId.",
            (Credentials::UserSig(_), Some(Entry { with_user_sig: Some(advice), .. })) => advice,
            (_, Some(entry)) => entry.advice,
        }
    }

    /// Returns the kind of retry that may help. No retry is known to help against an undocumented code.
    pub fn retry(self) -> Retry {
        self.entry().map_or(Retry::No, |e| e.retry)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::endpoint::Region;
    use super::*;

    fn v1(number: i64) -> ErrorCode {
        ErrorCode { version: ApiVersion::V1, number }
    }

    #[test]
    fn each_code_has_one_entry() {
        for version in ApiVersion::ALL {
            let codes: BTreeSet<_> = ErrorCode::documented(version).collect();
            assert_eq!(codes.len(), version.table().len());
        }
    }

    #[test]
    fn the_advice_to_check_the_region_names_every_region() {
        let advice = v4(70020).advice(&Credentials::SecretKey("tok3n".to_owned().into()));
        assert!(Region::ALL.into_iter().all(|region| advice.contains(region.name())), "{advice}");
    }

    #[test]
    fn the_advice_fits_the_credentials() {
        let key = Credentials::SecretKey("tok3n".to_owned().into());
        let user_sig = Credentials::UserSig("tok3n".to_owned().into());
        for (wrong, expired) in [(v4(70009), v4(70001)), (v1(70002), v1(70003))] {
            assert!(wrong.advice(&key).contains("not the SecretKey of the Tencent Cloud API (CAM)"));
            assert!(wrong.advice(&user_sig).starts_with("The UserSig must be signed"));
            assert!(expired.advice(&key).contains("this machine's clock"));
            assert!(expired.advice(&user_sig).starts_with("Make a new UserSig"));
        }
    }

    #[test]
    fn a_number_means_something_else_in_another_version() {
        for (number, in_v1, in_v4) in [
            (70001, "a parameter is missing or invalid", "the UserSig has expired"),
            (70003, "the UserSig has expired", "the UserSig cannot be parsed"),
            (70009, "the request's body cannot be parsed", "the UserSig's signature is wrong"),
        ] {
            assert_eq!((v1(number).meaning(), v4(number).meaning()), (in_v1, in_v4));
        }
    }

    #[test]
    fn codes_are_retried_as_documented() {
        for (version, retry, expected) in [
            (ApiVersion::V1, Retry::Yes, &[][..]),
            (ApiVersion::V1, Retry::SlowDown, &[70005]),
            (ApiVersion::V1, Retry::Resign, &[70003]),
            (ApiVersion::V4, Retry::Yes, &[60008, 60013, 60014, 100001]),
            (ApiVersion::V4, Retry::SlowDown, &[60007, 60011, 60018, 60019]),
            (ApiVersion::V4, Retry::Resign, &[70001]),
        ] {
            let retried = ErrorCode::documented(version).filter(|code| code.retry() == retry);
            let retried: BTreeSet<_> = retried.map(|code| code.number).collect();
            assert_eq!(retried.into_iter().collect::<Vec<_>>(), expected, "{version:?} {retry:?}");
        }
        assert_eq!((v1(4711).retry(), v4(4711).retry()), (Retry::No, Retry::No));
    }

    #[test]
    fn only_a_request_that_was_sent_may_have_taken_effect() {
        let network = |sent| {
            let what = "connection reset".into();
            ErrorKind::Network(NetworkError { what, advice: "", retry: Retry::Yes, may_pass: true, sent })
        };
        assert!(network(true).may_have_taken_effect());
        assert!(!network(false).may_have_taken_effect());
        let api = |code| ErrorKind::Api(ApiError { code, info: "".into(), request_id: "".into() });
        for (code, may_have) in
            [(v4(70009), false), (v4(4711), false), (v4(100_001), true), (v1(70002), false), (v1(4711), true)]
        {
            let said = "an internal error leaves open whether the write was made";
            assert_eq!(api(code).may_have_taken_effect(), may_have, "{code:?}: {said}");
            assert_eq!(api(code).may_pass(), may_have, "{code:?}");
        }
    }
}
