//! Calls to Tencent's REST API: signed, paced, retried.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::callback_url::CallbackUrl;
use super::endpoint::Endpoint;
use super::error::{ALREADY_CONFIGURED, ApiError, Error, ErrorCode, ErrorKind, NO_SUCH_CALL, Retry};
use super::network::{self, Route};
use super::pacer::Pacer;
use super::service::{Overwrite, Service};
use super::stored::Stored;
use super::user_sig::UserSig;

/// How a [`Client`] calls.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time for one attempt, from connecting to the last byte of the answer.
    pub request_timeout: Duration,
    /// Further attempts after the first.
    pub max_retries: u32,
    /// Attempts a second, for each of the API's calls.
    pub requests_per_second: NonZeroU32,
}

impl Default for Settings {
    /// Ten seconds, four retries, and the 200 calls a second that Tencent documents as its limit.
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(10),
            max_retries: 4,
            requests_per_second: NonZeroU32::new(200).expect("not zero"),
        }
    }
}

/// How long a caller waits for a call, its retries included.
#[derive(Debug, Clone)]
pub struct Patience {
    /// When to give up.
    pub deadline: Instant,
    /// Cancelled when the caller wants no more.
    pub stop: CancellationToken,
    /// Cancelled when the process is about to end: there is only a moment left.
    pub end: CancellationToken,
}

impl Patience {
    /// Patience for `duration` from now, which nothing interrupts.
    pub fn of(duration: Duration) -> Self {
        Self { deadline: Instant::now() + duration, stop: CancellationToken::new(), end: CancellationToken::new() }
    }

    /// Resolves when the caller wants no more, or the process is about to end.
    pub async fn interrupted(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.end.cancelled() => {}
        }
    }

    /// Resolves when the time is over in which something begun may still come to its end after a stop: `longest`, or a
    /// moment if the process ends.
    pub async fn grace(&self, longest: Duration) {
        let moment = async {
            self.end.cancelled().await;
            sleep(MOMENT).await;
        };
        tokio::select! {
            () = sleep(longest) => {}
            () = moment => {}
        }
    }
}

/// A client of the API for any number of applications, with one pool of connections.
#[derive(Debug, Default)]
pub struct Client {
    settings: Settings,
    /// Made at the first call: reading the system's certificates takes longer than all else at start-up.
    remote: OnceLock<reqwest::Client>,
    /// The same without proxies, for endpoints on this machine.
    local: OnceLock<reqwest::Client>,
    /// By endpoint and path.
    pacers: Mutex<HashMap<(Endpoint, String), Arc<Pacer>>>,
}

/// One of the API's calls.
#[derive(Debug)]
struct Call {
    name: &'static str,
    path: String,
    body: String,
    /// The noun for what the answer must hold; `None` if the call writes or deletes.
    reads: Option<&'static str>,
}

impl Call {
    fn new(service: Service, name: &'static str, body: String) -> Self {
        Self { name, path: format!("v4/{}/{name}", service.path_segment), body, reads: None }
    }
}

/// The longest answer that is read. Real ones are below 4 KiB.
const MAX_ANSWER: usize = 1024 * 1024;
/// The wait before the first retry is random, up to this; it doubles with each one.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// What the wait doubles up to.
const LAST_BACKOFF: Duration = Duration::from_secs(16);
/// The wait before a UserSig is signed anew: it has whole seconds, and one of the same second is the same.
const RESIGN_DELAY: Duration = Duration::from_secs(1);
/// How long all calls wait at most because one met a limit, whatever `Retry-After` says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a write already sent may still be answered after the caller wants no more. Terraform waits for it.
const GRACE: Duration = Duration::from_secs(5);
/// The same when the process is about to end: a host kills it after two seconds, and looking at what the write did takes
/// a moment as well.
const MOMENT: Duration = Duration::from_millis(700);

impl Client {
    /// A client that has not connected anywhere.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Reads the object of `service`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the API does not tell.
    pub async fn get<T: Stored>(&self, app: &App, service: Service, patience: &Patience) -> Result<Option<T>, Error> {
        let call = Call { reads: Some(T::NOUN), ..Call::new(service, T::GET, "{}".to_owned()) };
        match self.call(app, &call, patience).await {
            Ok(answer) => Ok(answer.response),
            Err(error) if error.is(T::ABSENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the object of `service` as a whole, and returns Tencent's `RequestId`. `exists` tells whether the caller
    /// expects to replace an object, for services that have a call of its own for that.
    ///
    /// # Errors
    ///
    /// If the object was not written, or possibly not: [`Error::may_have_taken_effect`]. [`ALREADY_CONFIGURED`] means
    /// that one exists although `exists` is false: someone else wrote it, or an earlier attempt of this call did.
    pub async fn put<T: Stored>(
        &self,
        app: &App,
        service: Service,
        wanted: &T,
        exists: bool,
        patience: &Patience,
    ) -> Result<String, Error> {
        let body = serde_json::to_string(wanted).expect("strings are JSON");
        let mut update = T::UPDATE.filter(|_| exists);
        let mut name = update.filter(|_| service.overwrite == Overwrite::ByUpdate).unwrap_or(T::SET);
        let mut may_have_taken_effect = false;
        let mut refusal = None;
        loop {
            let call = Call::new(service, name, body.clone());
            let error = match self.call::<IgnoredAny>(app, &call, patience).await {
                Ok(answer) => return Ok(answer.request_id),
                Err(error) => error,
            };
            may_have_taken_effect |= error.may_have_taken_effect;
            match update {
                Some(_) if name != T::SET && error.is(T::ABSENT) => (name, update) = (T::SET, None),
                Some(update) if name == T::SET && error.is(ALREADY_CONFIGURED) => {
                    (name, refusal) = (update, Some(error));
                }
                _ => {
                    // A service whose set call replaces may have no other call.
                    let error = refusal.filter(|_| error.is(NO_SUCH_CALL)).unwrap_or(error);
                    let error = Error { may_have_taken_effect, ..error };
                    // The answer may echo the object.
                    return Err(match wanted.secret() {
                        Some(secret) => error.masking(secret.expose_secret()),
                        None => error,
                    });
                }
            }
        }
    }

    /// Deletes the object of `service`. None to delete is a success.
    ///
    /// # Errors
    ///
    /// If the object was not deleted, or possibly not: [`Error::may_have_taken_effect`].
    pub async fn delete<T: Stored>(&self, app: &App, service: Service, patience: &Patience) -> Result<(), Error> {
        let call = Call::new(service, T::DELETE, "{}".to_owned());
        match self.call::<IgnoredAny>(app, &call, patience).await {
            Ok(_) => Ok(()),
            Err(error) if error.is(T::ABSENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a call until it succeeds, cannot succeed, or patience ends. Each of the API's calls may be repeated: a second
    /// one leaves what the first has left.
    async fn call<T: DeserializeOwned>(&self, app: &App, call: &Call, patience: &Patience) -> Result<Answer<T>, Error> {
        let pacer = self.pacer(app, &call.path);
        let mut backoffs = ExponentialBuilder::new()
            .with_min_delay(FIRST_BACKOFF)
            .with_max_delay(LAST_BACKOFF)
            .with_max_times(self.settings.max_retries as usize)
            .build();
        let mut may_resign = true;
        let mut last: Option<ErrorKind> = None;
        let mut may_have_taken_effect = false;
        loop {
            if let Err(interruption) = wait(pacer.turn(), patience).await {
                return Err(Error { kind: interruption.after(last), may_have_taken_effect });
            }
            let to = Route::to(app.endpoint());
            tracing::debug!(action = call.name, sdk_app_id = %app.sdk_app_id(), %to, "calling Tencent");
            let attempt = self.attempt(app, call);
            let outcome = if call.reads.is_some() {
                wait(attempt, patience).await
            } else {
                wait_with_grace(attempt, patience, self.settings.request_timeout.min(GRACE)).await
            };
            let kind = match outcome {
                Ok(Ok(answer)) => {
                    tracing::debug!(action = call.name, sdk_app_id = %app.sdk_app_id(), request_id = answer.request_id, "answered");
                    return Ok(answer);
                }
                Ok(Err(kind)) => kind,
                Err(interruption) => {
                    return Err(Error { kind: interruption.after(last), may_have_taken_effect: true });
                }
            };
            may_have_taken_effect |= kind.may_have_taken_effect();

            let retry = kind.retry();
            let delay = match retry {
                Retry::No => None,
                Retry::Resign => (std::mem::take(&mut may_resign) && app.forget_user_sig()).then_some(RESIGN_DELAY),
                // Full jitter, so that many who failed together do not come back together.
                Retry::Yes | Retry::SlowDown => backoffs.next().map(|backoff| backoff.mul_f64(rand::random())),
            };
            let Some(delay) = delay else { return Err(Error { kind, may_have_taken_effect }) };
            let delay = delay.max(kind.retry_after());
            tracing::warn!(action = call.name, sdk_app_id = %app.sdk_app_id(), ?delay, cause = %kind, "the attempt failed");
            if retry == Retry::SlowDown {
                self.slow_down(app, delay);
            }
            last = Some(kind);
            if delay >= patience.deadline.saturating_duration_since(Instant::now()) {
                return Err(Error { kind: Interruption::Deadline.after(last), may_have_taken_effect });
            }
            if let Err(interruption) = wait(sleep(delay), patience).await {
                return Err(Error { kind: interruption.after(last), may_have_taken_effect });
            }
        }
    }

    /// Sends one request and reads its answer.
    async fn attempt<T: DeserializeOwned>(&self, app: &App, call: &Call) -> Result<Answer<T>, ErrorKind> {
        let user_sig = app.user_sig(SystemTime::now()).map_err(ErrorKind::UserSig)?;
        let mut url = app.endpoint().join(&call.path);
        url.query_pairs_mut()
            .append_pair("sdkappid", &app.sdk_app_id().to_string())
            .append_pair("identifier", app.identifier())
            .append_pair("usersig", user_sig.expose())
            .append_pair("random", &rand::random::<u32>().to_string())
            .append_pair("contenttype", "json");
        let request = self.http(app)?.post(url).header(CONTENT_TYPE, "application/json").body(call.body.clone());
        let route = || Route::to(app.endpoint());
        let no_answer = |error| network::no_answer(&error, &route(), self.settings.request_timeout);
        let mut response = request.send().await.map_err(no_answer)?;
        network::check_status(&response, route)?;
        let unusable = |why: &str| network::unexpected(why, &route()).into();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(unusable("it is longer than 1 MiB"));
            }
            bytes.extend_from_slice(&chunk);
        }
        match (read_envelope(&bytes, &user_sig), call.reads) {
            // An absent object arrives as an error code, never as an empty answer.
            (Ok(Answer { response: None, .. }), Some(noun)) => Err(unusable(&format!("it holds no {noun}"))),
            (Ok(answer), _) => Ok(answer),
            (Err(Refusal::Api(error)), _) => Err(ErrorKind::Api(error)),
            (Err(Refusal::Unusable(why)), _) => Err(unusable(why)),
        }
    }

    fn http(&self, app: &App) -> Result<&reqwest::Client, ErrorKind> {
        let local = app.endpoint().is_loopback();
        if !local {
            network::check_proxy(app.endpoint(), |name| std::env::var(name).ok())?;
        }
        let slot = if local { &self.local } else { &self.remote };
        if let Some(http) = slot.get() {
            return Ok(http);
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .timeout(self.settings.request_timeout)
            // A little less, so that an attempt that was never sent is known as such.
            .connect_timeout(self.settings.request_timeout.mul_f64(0.9))
            // A UserSig is for the host that it was meant for.
            .redirect(Policy::none());
        let http = if local { builder.no_proxy() } else { builder }.build().map_err(|_| network::no_client())?;
        Ok(slot.get_or_init(|| http))
    }

    /// Lets no call to the endpoint through for a while: one that met a limit is not the only one that counts towards
    /// it.
    fn slow_down(&self, app: &App, delay: Duration) {
        let pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        let of_endpoint = pacers.iter().filter(|((endpoint, _), _)| endpoint == app.endpoint());
        of_endpoint.for_each(|(_, pacer)| pacer.pause(delay.min(LONGEST_PAUSE)));
    }

    fn pacer(&self, app: &App, path: &str) -> Arc<Pacer> {
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        let pacer = pacers.entry((app.endpoint().clone(), path.to_owned()));
        Arc::clone(pacer.or_insert_with(|| Arc::new(Pacer::new(self.settings.requests_per_second.get()))))
    }
}

/// Why waiting ended before what was waited for.
enum Interruption {
    Stop,
    Deadline,
}

impl Interruption {
    fn after(self, last: Option<ErrorKind>) -> ErrorKind {
        match self {
            Self::Stop => ErrorKind::Stopped,
            Self::Deadline => ErrorKind::Timeout { last: last.map(Box::new) },
        }
    }
}

/// Waits for `work`, but no longer than patience lasts.
async fn wait<T>(work: impl Future<Output = T>, patience: &Patience) -> Result<T, Interruption> {
    tokio::select! {
        biased;
        () = patience.interrupted() => Err(Interruption::Stop),
        done = timeout_at(patience.deadline, work) => done.map_err(|_| Interruption::Deadline),
    }
}

/// The same for a write that has been sent: whether it took effect is worth some time.
async fn wait_with_grace<T>(
    work: impl Future<Output = T>,
    patience: &Patience,
    longest: Duration,
) -> Result<T, Interruption> {
    let mut work = std::pin::pin!(work);
    match wait(&mut work, patience).await {
        Err(Interruption::Stop) => tokio::select! {
            done = work => Ok(done),
            () = patience.grace(longest) => Err(Interruption::Stop),
        },
        outcome => outcome,
    }
}

/// What every call answers.
#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "ActionStatus")]
    action_status: String,
    #[serde(rename = "ErrorCode")]
    error_code: i64,
    #[serde(rename = "ErrorInfo", default)]
    error_info: Option<String>,
    #[serde(rename = "RequestId", default)]
    request_id: Option<String>,
    #[serde(rename = "Response", default = "Option::default")]
    response: Option<T>,
}

/// An answer that says OK.
#[derive(Debug)]
struct Answer<T> {
    request_id: String,
    response: Option<T>,
}

/// Another answer.
#[derive(Debug)]
enum Refusal {
    Api(ApiError),
    /// None of Tencent's; and why not.
    Unusable(&'static str),
}

fn read_envelope<T: DeserializeOwned>(bytes: &[u8], user_sig: &UserSig) -> Result<Answer<T>, Refusal> {
    let envelope: Envelope<T> =
        serde_json::from_slice(bytes).map_err(|_| Refusal::Unusable("it is not JSON of the documented form"))?;
    // Whoever answers may quote the UserSig, or a URL with whatever it carries.
    let masked =
        |text: Option<String>| CallbackUrl::mask_all(&text.unwrap_or_default().replace(user_sig.expose(), "***"));
    let request_id = masked(envelope.request_id);
    match (envelope.action_status.as_str(), envelope.error_code) {
        ("OK", 0) => Ok(Answer { request_id, response: envelope.response }),
        (_, 0) => Err(Refusal::Unusable("it reports a failure without an error code")),
        (_, code) => {
            let info = masked(envelope.error_info);
            Err(Refusal::Api(ApiError { code: ErrorCode(code), info, request_id }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::callback::CallbackConfiguration;
    use super::*;

    #[test]
    fn envelopes_are_answers_or_errors() {
        let ok = br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-1","Response":{"Url":"u","CallbackCommandList":null}}"#;
        let user_sig = UserSig::from("eJx".to_owned());
        let answer = read_envelope::<CallbackConfiguration>(ok, &user_sig).expect("an answer");
        assert_eq!(answer.request_id, "Id-1");
        assert_eq!(answer.response.expect("a configuration").url.expose(), "u");

        let fail = br#"{"ActionStatus":"FAIL","ErrorInfo":"no","ErrorCode":70009,"RequestId":"Id-2"}"#;
        let Refusal::Api(error) = read_envelope::<IgnoredAny>(fail, &user_sig).expect_err("an error") else {
            panic!("another kind of error")
        };
        assert_eq!(error.to_string(), "error 70009: the UserSig's signature is wrong");

        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"<html>",
            br#"{"ActionStatus":"OK","ErrorCode":"0"}"#,
            br#"{"ActionStatus":"FAIL","ErrorCode":0}"#,
            br#"{"ActionStatus":"OK","ErrorCode":0,"Response":[]}"#,
        ] {
            let error = read_envelope::<CallbackConfiguration>(bytes, &user_sig).expect_err("an error");
            assert!(matches!(error, Refusal::Unusable(_)), "{error:?}");
        }
    }

    #[test]
    fn an_answer_that_quotes_secrets_is_masked() {
        let user_sig = UserSig::from("eJx-tok3n".to_owned());
        let fail = br#"{"ActionStatus":"FAIL","ErrorCode":70003,"RequestId":"eJx-tok3n",
            "ErrorInfo":"bad usersig eJx-tok3n for https://me:tok3n@example.com/x?key=tok3n: refused"}"#;
        let Refusal::Api(api) = read_envelope::<IgnoredAny>(fail, &user_sig).expect_err("an error") else {
            panic!("another kind of error")
        };
        assert_eq!(api.info, "bad usersig *** for https://***@example.com/*** refused");
        assert_eq!(api.request_id, "***");
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0,"RequestId":"eJx-tok3n"}"#;
        assert_eq!(read_envelope::<IgnoredAny>(ok, &user_sig).expect("an answer").request_id, "***");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_under_way_is_given_time_and_less_when_the_process_ends() {
        let work = || sleep(Duration::from_secs(3600));
        let seconds = Duration::from_secs;
        for (stop, end, expected) in [
            (Some(1), None, seconds(6)),
            (Some(1), Some(2), seconds(2) + MOMENT),
            (Some(1), Some(1), seconds(1) + MOMENT),
            (None, None, seconds(60)),
        ] {
            let patience = Patience::of(seconds(60));
            let start = Instant::now();
            let after = async |token: &CancellationToken, at: Option<u64>| {
                if let Some(at) = at {
                    sleep(seconds(at)).await;
                    token.cancel();
                }
            };
            let (outcome, (), ()) = tokio::join!(
                wait_with_grace(work(), &patience, GRACE),
                after(&patience.stop, stop),
                after(&patience.end, end)
            );
            assert!(outcome.is_err());
            assert_eq!(start.elapsed(), expected, "{stop:?} {end:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_retry_after_is_no_reason_to_panic() {
        let wait = network::retry_after(&u64::MAX.to_string()).expect("seconds");
        let patience = Patience::of(Duration::from_secs(1));
        assert!(wait >= patience.deadline.saturating_duration_since(Instant::now()));
    }
}
