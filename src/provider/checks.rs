//! Checks and messages that the provider block, resources and data sources share.

use std::time::{Duration, SystemTime};

pub(super) use super::block::values::{duration, sdk_app_id};
use crate::tencent::{self, App, ErrorKind, Retry, Route, SdkAppId};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Number};

/// Prints a time as Terraform's own functions do. Without a time, or beyond the year 9999, the result is null.
pub(super) fn rfc3339(time: Option<SystemTime>) -> Attr<String> {
    /// The first second of the year 10000.
    const END: Duration = Duration::from_secs(253_402_300_800);
    match time {
        Some(time) if time < SystemTime::UNIX_EPOCH + END => humantime::format_rfc3339_seconds(time).to_string().into(),
        _ => Attr::Null,
    }
}

/// Converts an SDKAppID to Terraform's type.
pub(super) fn number(id: SdkAppId) -> Attr<Number> {
    Attr::Known(u64::from(id).into())
}

/// Checks the argument `sdk_app_id` of a resource or data source.
pub(super) fn sdk_app_id_argument(argument: &Attr<Number>) -> Diagnostics {
    match argument.known().map(sdk_app_id) {
        Some(Err(reason)) => invalid_sdk_app_id(reason).into(),
        _ => Diagnostics::new(),
    }
}

pub(super) fn invalid_sdk_app_id(reason: String) -> Diagnostic {
    Diagnostic::error("Invalid sdk_app_id", reason).on("sdk_app_id")
}

/// Reports a failed call. `what` names the attempt, such as "Reading the call callback configuration".
pub(super) fn call_failed(what: &str, app: &App, error: &tencent::Error) -> Diagnostic {
    let mut detail = format!("{}.\n\n{}", in_words(&error.kind), error.kind.advice(app.credentials()));
    if error.kind.retry() == Retry::SlowDown {
        detail += " The provider's requests_per_second limits the rate of each of the API's calls.";
    }
    if matches!(error.kind, ErrorKind::Timeout { .. }) {
        detail += " The resource's timeouts set how long an operation may take.";
    }
    if let Some(api) = error.api() {
        let route = Route::to(app.endpoint());
        detail += &format!("\n\nCalled: {route}, as {:?} with {}", app.identifier(), app.proof());
        if !api.info.is_empty() {
            detail += &format!("\nErrorInfo: {}", api.info);
        }
        if !api.request_id.is_empty() {
            detail += &format!("\nRequestId: {}", api.request_id);
        }
    }
    Diagnostic::error(format!("{what} of SDKAppID {} failed", app.sdk_app_id()), detail)
}

fn in_words(kind: &ErrorKind) -> String {
    sentence(&match kind {
        ErrorKind::Api(api) => format!("Tencent answered with {api}"),
        kind => kind.to_string(),
    })
}

/// Capitalizes the first letter.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tencent::{ApiError, Credentials, ErrorCode, Region};

    #[test]
    fn a_failed_call_reports_the_code_the_route_and_the_request_id() {
        let api = ApiError { code: ErrorCode(70009), info: "sig mismatch".into(), request_id: "Id-1".into() };
        let error = tencent::Error { kind: ErrorKind::Api(api), may_have_taken_effect: false };
        let id = sdk_app_id(&Number::from(1_400_000_001_u64)).expect("an SDKAppID");
        let key = Credentials::SecretKey("tok3n".to_owned().into());
        let app = App::new(id, "administrator".into(), key, Region::China.into()).held_by("TENCENT_SECRET_KEY");
        let diagnostic = call_failed("Reading the callback configuration", &app, &error);
        assert_eq!(diagnostic.summary, "Reading the callback configuration of SDKAppID 1400000001 failed");
        assert_eq!(
            diagnostic.detail,
            "Tencent answered with error 70009: the UserSig's signature is wrong.\n\nCheck that the SecretKey belongs \
             to this SDKAppID (Tencent RTC console, Basic Information) and was copied whole. It is the RTC \
             application's own key, not the SecretKey of the Tencent Cloud API (CAM).\n\nCalled: \
             https://console.tim.qq.com:443 (the host of region \"china\"), as \"administrator\" with the SecretKey \
             (TENCENT_SECRET_KEY)\nErrorInfo: sig mismatch\nRequestId: Id-1"
        );
    }
}
