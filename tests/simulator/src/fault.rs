//! Faults between a client and the service, on demand.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;

use crate::api::{Action, Answer, Api, Service, Version};
use crate::configuration::Configuration;
use crate::record::{Incoming, Outcome};
use crate::store::Age;

/// A fault, and the requests that it meets: by default all, until [`clear_faults`](crate::Simulator::clear_faults).
///
/// If several faults meet a request, the one injected first is acted out.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The effect of the fault.
    pub kind: FaultKind,
    /// The action whose requests the fault meets; `None` for all.
    pub on: Option<Action>,
    /// The service whose requests the fault meets; `None` for all.
    pub service: Option<Service>,
    /// The SDKAppID whose requests the fault meets; `None` for all.
    pub sdk_app_id: Option<u64>,
    /// The action of the request after which the fault begins; `None` for at once.
    pub after: Option<Action>,
    /// The number of matching requests that get through unharmed first.
    pub skip: u32,
    /// The number of requests that the fault meets; `None` for no limit.
    pub times: Option<u32>,
}

/// The effect of a fault on a request.
///
/// *Processed* means that the service treated the request like any other: it checked the request, and a write took
/// effect. *Not processed* means that the request had no effect, and that its signature was not even checked.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Processed on arrival; answered only after this time. Recorded as [`Outcome::Answered`].
    Delay(Duration),
    /// Processed; the answer trickles in pieces of `piece` bytes, each after a pause. Recorded as
    /// [`Outcome::Answered`].
    SlowBody {
        /// The bytes of each piece, at least 1.
        piece: usize,
        /// The time before each piece.
        pause: Duration,
    },
    /// Not processed; the connection is held open, and the request is never answered. For a request that took effect
    /// and was never answered, take a long [`Delay`](Self::Delay).
    NoAnswer,
    /// Not processed; the connection is reset (TCP RST).
    ResetBeforeProcessing,
    /// Processed; then the connection is reset (TCP RST) instead of an answer.
    ResetAfterProcessing,
    /// Not processed; the connection is closed in order (TCP FIN; over TLS without a close_notify).
    CloseBeforeProcessing,
    /// Processed; then the connection is closed in order instead of an answer.
    CloseAfterProcessing,
    /// Processed; the answer announces its whole length, breaks off in the middle, and the connection is closed.
    TruncatedBody,
    /// Processed; the answer is followed by blanks up to this many bytes, which keeps it valid JSON.
    OversizedBody(usize),
    /// Processed; the answer has this `RequestId` or none, as behind a gateway that sets one of its own or drops it.
    RequestId(Option<String>),
    /// Processed; right before that, somebody else sets this configuration for the same application and service, or
    /// replaces theirs with it. Recorded as [`Outcome::Answered`].
    FirstSomebodySets(Configuration),
    /// Processed; right before that, somebody else deletes the configuration of the same application and service.
    /// Recorded as [`Outcome::Answered`].
    FirstSomebodyDeletes,
    /// Processed; right after that, somebody else sets this configuration for the same application and service.
    /// Recorded as [`Outcome::Answered`].
    ThenSomebodySets(Configuration),
    /// Processed; a read answers with what held then. Recorded as [`Outcome::Answered`].
    StaleRead(Age),
    /// Not processed; HTTP 200 with an HTML page.
    NotJson,
    /// Not processed; HTTP 200 with an envelope whose fields have the wrong types.
    WrongTypes,
    /// Not processed; HTTP 200 with `{}`.
    MissingFields,
    /// Not processed; HTTP 200 with exactly this JSON as the whole body.
    Answer(Value),
    /// Not processed; exactly this answer.
    Verbatim {
        /// The HTTP status, 200 to 599.
        code: u16,
        /// The headers, with lower-case names. A `date` replaces that of the server.
        headers: Vec<(&'static str, String)>,
        /// The bytes of the body.
        body: Vec<u8>,
    },
    /// Not processed; HTTP 200 with an `OK` envelope that has exactly this JSON as its `Response`.
    Response(Value),
    /// Not processed; HTTP 200 with a `FAIL` envelope.
    ErrorCode {
        /// `ErrorCode`
        code: i64,
        /// `ErrorInfo`
        info: String,
    },
    /// An HTML page of a gateway, with this status.
    Status {
        /// The HTTP status, 200 to 599.
        code: u16,
        /// The `Retry-After` header: seconds or a date.
        retry_after: Option<String>,
        /// Whether the request was processed before the gateway failed.
        processed: bool,
    },
    /// Not processed; a redirect.
    Redirect {
        /// The HTTP status, such as 302 or 307.
        code: u16,
        /// The `Location` header.
        location: String,
    },
}

impl Fault {
    /// Creates a fault that meets every request until faults are cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, on: None, service: None, sdk_app_id: None, after: None, skip: 0, times: None }
    }

    /// Limits the fault to requests for this action.
    #[must_use]
    pub fn on(mut self, action: Action) -> Self {
        self.on = Some(action);
        self
    }

    /// Limits the fault to requests of this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Limits the fault to requests for this SDKAppID.
    #[must_use]
    pub fn sdk_app_id(mut self, sdk_app_id: u64) -> Self {
        self.sdk_app_id = Some(sdk_app_id);
        self
    }

    /// Begins the fault after the next request for this action, of the fault's service and SDKAppID.
    #[must_use]
    pub fn after(mut self, action: Action) -> Self {
        self.after = Some(action);
        self
    }

    /// Lets the first `count` matching requests through unharmed.
    #[must_use]
    pub fn skip(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// Limits the fault to `count` requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = Some(count);
        self
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self::new(kind)
    }
}

/// The faults in force, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// # Panics
    ///
    /// If the fault cannot be sent over HTTP: a status out of range, a header value with control characters.
    pub(crate) fn inject(&mut self, fault: Fault) {
        fault.kind.check();
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the fault that meets a request, and counts it.
    pub(crate) fn meeting(&mut self, route: Option<(Service, Action)>, sdk_app_id: Option<u64>) -> Option<FaultKind> {
        let (service, action) = route.unzip();
        self.0.iter_mut().find_map(|fault| {
            let concerns = (fault.service.is_none() || fault.service == service)
                && (fault.sdk_app_id.is_none() || fault.sdk_app_id == sdk_app_id);
            if let Some(after) = fault.after {
                fault.after = (!concerns || action != Some(after)).then_some(after);
                return None;
            }
            let matches = concerns && (fault.on.is_none() || fault.on == action);
            if !matches || fault.times == Some(0) {
                return None;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                return None;
            }
            fault.times = fault.times.map(|left| left - 1);
            Some(fault.kind.clone())
        })
    }
}

/// The server's reaction to a request.
#[derive(Debug)]
pub(crate) enum Delivery {
    Answer(Response),
    Late { delay: Duration, answer: Response },
    Never,
    End(End),
}

/// An early end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Reset,
}

impl FaultKind {
    /// Returns the name of the variant, for [`Outcome::Fault`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay(_) => "Delay",
            Self::SlowBody { .. } => "SlowBody",
            Self::NoAnswer => "NoAnswer",
            Self::ResetBeforeProcessing => "ResetBeforeProcessing",
            Self::ResetAfterProcessing => "ResetAfterProcessing",
            Self::CloseBeforeProcessing => "CloseBeforeProcessing",
            Self::CloseAfterProcessing => "CloseAfterProcessing",
            Self::TruncatedBody => "TruncatedBody",
            Self::OversizedBody(_) => "OversizedBody",
            Self::RequestId(_) => "RequestId",
            Self::FirstSomebodySets(_) => "FirstSomebodySets",
            Self::FirstSomebodyDeletes => "FirstSomebodyDeletes",
            Self::ThenSomebodySets(_) => "ThenSomebodySets",
            Self::StaleRead(_) => "StaleRead",
            Self::NotJson => "NotJson",
            Self::WrongTypes => "WrongTypes",
            Self::MissingFields => "MissingFields",
            Self::Answer(_) => "Answer",
            Self::Verbatim { .. } => "Verbatim",
            Self::Response(_) => "Response",
            Self::ErrorCode { .. } => "ErrorCode",
            Self::Status { .. } => "Status",
            Self::Redirect { .. } => "Redirect",
        }
    }

    /// Acts the fault out on a request that `api` would process.
    pub(crate) fn act(self, api: &mut Api, incoming: &Incoming) -> (Delivery, Outcome) {
        let outcome = Outcome::Fault(self.name());
        let version = api.version(&incoming.path);
        let mut process = || api.answer(incoming);
        let delivery = match self {
            Self::Delay(delay) => {
                let answer = process();
                let outcome = answer.outcome();
                return (Delivery::Late { delay, answer: json(answer.json) }, outcome);
            }
            Self::SlowBody { piece, pause } => {
                let answer = process();
                let outcome = answer.outcome();
                return (Delivery::Answer(trickle(answer.json, piece.max(1), pause)), outcome);
            }
            Self::NoAnswer => Delivery::Never,
            Self::ResetBeforeProcessing => Delivery::End(End::Reset),
            Self::ResetAfterProcessing => {
                process();
                Delivery::End(End::Reset)
            }
            Self::CloseBeforeProcessing => Delivery::End(End::Close),
            Self::CloseAfterProcessing => {
                process();
                Delivery::End(End::Close)
            }
            Self::TruncatedBody => Delivery::Answer(truncated(process().json)),
            Self::OversizedBody(bytes) => Delivery::Answer(padded(process().json, bytes)),
            Self::RequestId(id) => Delivery::Answer(with_request_id(version, process().json, id)),
            Self::ThenSomebodySets(configuration) => {
                let answer = process();
                somebody_replaces(api, incoming, Some(configuration));
                return answered(answer);
            }
            Self::FirstSomebodySets(configuration) => {
                somebody_replaces(api, incoming, Some(configuration));
                return answered(api.answer(incoming));
            }
            Self::FirstSomebodyDeletes => {
                somebody_replaces(api, incoming, None);
                return answered(api.answer(incoming));
            }
            Self::StaleRead(age) => return answered(api.answer_of_age(incoming, age)),
            Self::NotJson => Delivery::Answer(page(StatusCode::OK, "Please sign in to this network")),
            Self::WrongTypes => Delivery::Answer(json(match version {
                Version::V1 => WRONG_TYPES_V1,
                Version::V4 => WRONG_TYPES,
            })),
            Self::MissingFields => Delivery::Answer(json("{}")),
            Self::Answer(value) => Delivery::Answer(json(value.to_string())),
            Self::Verbatim { code, headers, body } => Delivery::Answer(verbatim(code, headers, body)),
            Self::Response(value) => Delivery::Answer(json(Answer::ok(version, Some(value)).json)),
            Self::ErrorCode { code, info } => Delivery::Answer(json(Answer::fail(version, code, &info).json)),
            Self::Status { code, retry_after, processed } => {
                if processed {
                    process();
                }
                let status = status(code);
                let mut response = page(status, &status.to_string());
                if let Some(retry_after) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, header_value(&retry_after));
                }
                Delivery::Answer(response)
            }
            Self::Redirect { code, location } => {
                let status = status(code);
                let mut response = page(status, &status.to_string());
                response.headers_mut().insert(header::LOCATION, header_value(&location));
                Delivery::Answer(response)
            }
        };
        (delivery, outcome)
    }

    /// Panics if the fault cannot be sent over HTTP: in the test that injects the fault, rather than later in the
    /// server.
    fn check(&self) {
        match self {
            Self::Status { code, retry_after, .. } => {
                status(*code);
                retry_after.as_deref().map(header_value);
            }
            Self::Redirect { code, location } => {
                status(*code);
                header_value(location);
            }
            Self::Verbatim { code, headers, .. } => {
                status(*code);
                headers.iter().for_each(|(_, value)| drop(header_value(value)));
            }
            _ => {}
        }
    }
}

/// Returns the delivery and the outcome of a request that the API answers.
pub(crate) fn answered(answer: Answer) -> (Delivery, Outcome) {
    let outcome = answer.outcome();
    (Delivery::Answer(json(answer.json)), outcome)
}

/// Sets or deletes, as somebody else, the configuration that a request is about, if it names one.
fn somebody_replaces(api: &mut Api, incoming: &Incoming, configuration: Option<Configuration>) {
    if let (Some((service, _)), Some(sdk_app_id)) = (api.route(&incoming.path), incoming.sdk_app_id()) {
        api.store.replace(service, sdk_app_id, configuration).expect("the state file can be written");
    }
}

const WRONG_TYPES: &str = r#"{"ActionStatus":1,"ErrorInfo":null,"ErrorCode":"0","RequestId":["Id-0"],"Response":[]}"#;

const WRONG_TYPES_V1: &str = r#"{"errorCode":[],"errorMessage":null,"requestId":["Id-0"],"data":[]}"#;

/// Creates a response like the API's.
fn json(body: impl Into<Body>) -> Response {
    ([JSON], body.into()).into_response()
}

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

/// Creates a page like that of a gateway or a captive portal.
fn page(status: StatusCode, title: &str) -> Response {
    let html = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>stgw</center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html")], html).into_response()
}

fn verbatim(code: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status(code);
    response
        .headers_mut()
        .extend(headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), header_value(&value))));
    response
}

fn with_request_id(version: Version, json: Bytes, id: Option<String>) -> Response {
    let mut envelope: Value = serde_json::from_slice(&json).expect("an envelope");
    let fields = envelope.as_object_mut().expect("an object");
    let name = if version == Version::V1 { "requestId" } else { "RequestId" };
    fields.remove(name);
    fields.extend(id.map(|id| (name.to_owned(), id.into())));
    self::json(envelope.to_string())
}

fn padded(json: Bytes, bytes: usize) -> Response {
    let mut body = json.to_vec();
    body.resize(bytes.max(json.len()), b' ');
    self::json(body)
}

fn trickle(json: Bytes, piece: usize, pause: Duration) -> Response {
    let length = json.len();
    let body = Body::from_stream(stream::unfold(json, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, Infallible>(next), left))
    }));
    ([JSON, (header::CONTENT_LENGTH, &length.to_string())], body).into_response()
}

/// Creates a response that breaks off in the middle.
///
/// hyper closes the connection when a body ends before its announced length, without sending what it still buffers. The
/// pause before the end lets it send the first half.
fn truncated(json: Bytes) -> Response {
    let half = json.slice(..json.len() / 2);
    let body = Body::from_stream(stream::unfold(Some(half), async |half| {
        if half.is_none() {
            tokio::task::yield_now().await;
        }
        Some((Ok::<_, Infallible>(half?), None))
    }));
    ([JSON, (header::CONTENT_LENGTH, &json.len().to_string())], body).into_response()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code)
        .ok()
        .filter(|_| (200..600).contains(&code))
        .unwrap_or_else(|| panic!("{code} is not an HTTP status from 200 to 599"))
}

fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| panic!("{value:?} is not an HTTP header value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_only_the_requests_that_it_is_for() {
        let mut faults = Faults::default();
        faults.inject(
            Fault::new(FaultKind::NoAnswer).on(Action::Set).service(Service::Live).sdk_app_id(1).skip(1).times(2),
        );
        faults.inject(Fault::new(FaultKind::NotJson).on(Action::Set));
        let mut meeting = |route, id| faults.meeting(Some(route), Some(id)).map(|kind| kind.name());
        let set = (Service::Live, Action::Set);
        assert_eq!(meeting((Service::Live, Action::Get), 1), None, "another action");
        assert_eq!(meeting(set, 2), Some("NotJson"), "another application");
        assert_eq!(meeting((Service::Room, Action::Set), 1), Some("NotJson"), "another service");
        let met: Vec<_> = (0..4).map(|_| meeting(set, 1)).collect();
        assert_eq!(met, [Some("NotJson"), Some("NoAnswer"), Some("NoAnswer"), Some("NotJson")]);
        faults.clear();
        assert_eq!(faults.meeting(Some(set), Some(1)), None);
    }

    #[test]
    #[should_panic(expected = "99 is not an HTTP status")]
    fn an_impossible_status_is_refused_at_once() {
        let kind = FaultKind::Status { code: 99, retry_after: None, processed: false };
        Faults::default().inject(kind.into());
    }
}
