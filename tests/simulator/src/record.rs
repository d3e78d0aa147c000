//! The requests that arrived, as the API reads them and as tests look at them afterwards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use crate::api::{Action, Service, unsigned};

/// A request that arrived in full, before anything was decided about it.
pub(crate) struct Incoming {
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    parameters: BTreeMap<String, String>,
}

impl Incoming {
    pub(crate) fn new(connection: u64, method: &Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            connection,
            method: method.to_string(),
            path: uri.path().to_owned(),
            headers,
            body,
            parameters: Query::try_from_uri(uri).map(|Query(parameters)| parameters).unwrap_or_default(),
        }
    }

    /// Returns a query parameter. An empty one counts as missing.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn sdk_app_id(&self) -> Option<u64> {
        self.parameter("sdkappid").and_then(unsigned)
    }

    pub(crate) fn recorded(self, route: Option<(Service, Action)>, outcome: Outcome) -> Request {
        let owned = |name| self.parameter(name).map(str::to_owned);
        let header = |name| self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let (service, action) = route.unzip();
        Request {
            arrived: SystemTime::now(),
            connection: self.connection,
            service,
            action,
            sdk_app_id: self.sdk_app_id(),
            identifier: owned("identifier"),
            user_sig: owned("usersig"),
            random: owned("random"),
            host: header(header::HOST),
            user_agent: header(header::USER_AGENT),
            content_type: header(header::CONTENT_TYPE),
            method: self.method,
            path: self.path,
            body: self.body.into(),
            outcome,
        }
    }
}

/// One request that the simulator received. It is recorded as soon as all of it has arrived, before it is answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The time when all of the request had arrived.
    pub arrived: SystemTime,
    /// The number of the connection, counted from 1. Requests with the same number shared a connection.
    pub connection: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The service that the path names, even if the service lacks the [`action`](Self::action).
    pub service: Option<Service>,
    /// The action that the path names, if it names one of the API's.
    pub action: Option<Action>,
    /// `sdkappid`, if it is a number.
    pub sdk_app_id: Option<u64>,
    /// `identifier`, decoded.
    pub identifier: Option<String>,
    /// `usersig`, decoded. Debug masks it.
    pub user_sig: Option<String>,
    /// `random`, as it was sent.
    pub random: Option<String>,
    /// The `Host` header.
    pub host: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body, as it was sent. Debug masks it where it holds a token.
    pub body: Vec<u8>,
    /// The simulator's reaction to the request.
    pub outcome: Outcome,
}

/// The simulator's reaction to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered as the API does, at once or late. An `error_code` of 0 means success.
    Answered {
        /// The envelope's `ErrorCode`.
        error_code: i64,
    },
    /// It acted out a fault instead. The name is that of a variant of [`FaultKind`](crate::FaultKind).
    Fault(&'static str),
}

impl Request {
    /// Returns the body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns the body as text, or `***` if it holds a token.
    pub fn printable_body(&self) -> Cow<'_, str> {
        match self.action {
            Some(Action::SetToken) => Cow::Borrowed("***"),
            _ => String::from_utf8_lossy(&self.body),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("arrived", &self.arrived)
            .field("connection", &self.connection)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("service", &self.service)
            .field("action", &self.action)
            .field("sdk_app_id", &self.sdk_app_id)
            .field("identifier", &self.identifier)
            .field("user_sig", &self.user_sig.as_ref().map(|_| "***"))
            .field("random", &self.random)
            .field("host", &self.host)
            .field("user_agent", &self.user_agent)
            .field("content_type", &self.content_type)
            .field("body", &self.printable_body())
            .field("outcome", &self.outcome)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_masks_the_body_that_holds_a_token() {
        let body = Bytes::from_static(br#"{"Token":"a-token-to-hide","IsTokenEnable":true}"#);
        let uri = Uri::from_static("/v4/live_config/set_callback_token");
        let request = Incoming::new(1, &Method::POST, &uri, HeaderMap::new(), body.clone())
            .recorded(Some((Service::Live, Action::SetToken)), Outcome::Answered { error_code: 0 });
        assert_eq!(request.body, body);
        let printed = format!("{request:?}");
        assert!(printed.contains("body: \"***\"") && !printed.contains("a-token-to-hide"), "{printed}");
    }

    #[test]
    fn debug_masks_the_user_sig() {
        let uri = Uri::from_static("/v4/call_config/get_callback?sdkappid=14&usersig=a-sig-to-hide&random=");
        let request = Incoming::new(1, &Method::POST, &uri, HeaderMap::new(), Bytes::from_static(b"{}"))
            .recorded(Some((Service::Call, Action::Get)), Outcome::Answered { error_code: 0 });
        assert_eq!(request.user_sig.as_deref(), Some("a-sig-to-hide"));
        assert_eq!((request.sdk_app_id, &request.random), (Some(14), &None));
        let printed = format!("{request:?}");
        assert!(printed.contains("***") && !printed.contains("a-sig-to-hide"), "{printed}");
    }
}
