//! Calls to Tencent's REST API: signed, paced, retried.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, sleep};

use super::api_version::ApiVersion;
use super::app::App;
use super::endpoint::Endpoint;
use super::envelope::{self, Answer, Refusal};
use super::error::{ALREADY_CONFIGURED, Error, ErrorCode, ErrorKind, NO_CONFIGURATION, NO_SUCH_CALL, Retry};
use super::network::{self, Route};
use super::pacer::{Lane, Pacer, RateScope};
use super::patience::{Caller, Interruption, Patience};
use super::received::Received;
use super::service::{Overwrite, Service};
use super::stored::Stored;
use super::transport::{Http, Transport};
use super::user_sig::UserSig;

/// The limits that a [`Client`] keeps.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time for one attempt, from connecting to the last byte of the answer.
    pub request_timeout: Duration,
    /// The attempts that may follow the first one.
    pub max_retries: u32,
    /// The attempts per second, counted for each of the API's calls.
    pub requests_per_second: NonZeroU32,
    /// The callers that share these attempts.
    pub requests_per_second_scope: RateScope,
}

impl Default for Settings {
    /// Returns ten seconds, four retries, and for each endpoint the 200 calls a second that Tencent documents as its
    /// limit.
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(10),
            max_retries: 4,
            requests_per_second: NonZeroU32::new(200).expect("not zero"),
            requests_per_second_scope: RateScope::default(),
        }
    }
}

/// A client of the API for any number of applications, with one pool of connections.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    transport: Box<dyn Transport>,
    pacers: Mutex<HashMap<(Endpoint, ApiVersion), Arc<Pacer>>>,
}

/// One of the API's calls. It has no `Debug`, because its body may hold a secret.
struct Call {
    version: ApiVersion,
    endpoint: Endpoint,
    name: &'static str,
    path: String,
    body: String,
    /// The secret in the body, which the answer may echo back.
    secret: Option<SecretString>,
    /// The noun for what the answer must hold; `None` if the call writes or deletes.
    reads: Option<&'static str>,
}

/// The failure of an attempt.
#[derive(Debug)]
struct Failure {
    kind: ErrorKind,
    /// The wait that the server asks for.
    retry_after: Duration,
}

impl<E: Into<ErrorKind>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { kind: error.into(), retry_after: Duration::ZERO }
    }
}

impl Call {
    fn new(app: &App, service: Service, name: &'static str, body: String) -> Self {
        let Service { version, path_segment, .. } = service;
        let path = format!("{}/{path_segment}/{name}", version.path_segment());
        Self { version, endpoint: app.endpoint().of(version), name, path, body, secret: None, reads: None }
    }

    /// Says that the call met a rate limit.
    fn limited(&self, app: &App, failure: &ErrorKind) -> String {
        let with = match failure {
            ErrorKind::Api(api) => format!("error {}", api.code),
            _ => "HTTP status 429".to_owned(),
        };
        format!("{} of SDKAppID {} was answered with {with}", self.name, app.sdk_app_id())
    }
}

/// The retries that a call has left.
struct Retries {
    backoffs: ExponentialBackoff,
    may_resign: bool,
}

impl Retries {
    fn new(settings: &Settings) -> Self {
        let backoffs = ExponentialBuilder::new()
            .with_min_delay(FIRST_BACKOFF)
            .with_max_delay(LAST_BACKOFF)
            .with_max_times(settings.max_retries as usize)
            .build();
        Self { backoffs, may_resign: true }
    }

    /// Returns the wait before the next attempt, if there is one.
    fn delay(&mut self, retry: Retry, app: &App) -> Option<Duration> {
        match retry {
            Retry::No => None,
            Retry::Resign => (std::mem::take(&mut self.may_resign) && app.forget_user_sig()).then_some(RESIGN_DELAY),
            // Full jitter: calls that failed together are not repeated together.
            Retry::Yes | Retry::SlowDown => self.backoffs.next().map(|backoff| backoff.mul_f64(rand::random())),
        }
    }
}

/// The longest wait before the first retry. The limit doubles with each retry, up to [`LAST_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LAST_BACKOFF: Duration = Duration::from_secs(16);
/// The wait before a UserSig is signed anew. A UserSig counts whole seconds: signed in the same second, it is the same.
const RESIGN_DELAY: Duration = Duration::from_secs(1);
/// The longest time that one rate-limited call holds back all other calls, whatever its `Retry-After` says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Client {
    /// Creates a client that connects when it makes its first call.
    pub fn new(settings: Settings) -> Self {
        let http = Http::new(settings.request_timeout);
        Self::over(http, settings)
    }

    /// Creates a client whose calls go over `transport`.
    pub(crate) fn over(transport: impl Transport + 'static, settings: Settings) -> Self {
        Self { settings, transport: Box::new(transport), pacers: Mutex::default() }
    }

    /// Reads the object of `service`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If no attempt gets a usable answer.
    pub async fn get<T: Stored>(&self, app: &App, service: Service, patience: &Patience) -> Result<Option<T>, Error> {
        let calls = T::calls(service.version);
        let call = Call { reads: Some(T::NOUN), ..Call::new(app, service, calls.get, "{}".to_owned()) };
        match self.call(app, &call, &mut patience.clone()).await {
            Ok(answer) => Ok(answer.response),
            Err(error) if error.is(calls.absent) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the object of `service` as a whole, and returns Tencent's `RequestId`. `exists` tells whether the caller
    /// expects to replace an object: some services have another call for that. `caller` is asked before each
    /// attempt.
    ///
    /// # Errors
    ///
    /// If the object was not written, or possibly not: see [`Error::may_have_taken_effect`]. [`ALREADY_CONFIGURED`]
    /// means that an object exists although `exists` is false. Someone else may have written it, or an earlier attempt.
    pub async fn put<T: Stored>(
        &self,
        app: &App,
        service: Service,
        wanted: &T,
        exists: bool,
        caller: &mut impl Caller,
    ) -> Result<String, Error> {
        let (calls, body) = (T::calls(service.version), wanted.json(service.version));
        let mut update = calls.update.filter(|_| exists);
        let mut name = update.filter(|_| service.overwrite == Overwrite::ByUpdate).unwrap_or(calls.set);
        let mut may_have_taken_effect = false;
        let mut refusal = None;
        loop {
            let call = Call { secret: wanted.secret().cloned(), ..Call::new(app, service, name, body.clone()) };
            let error = match self.call::<IgnoredAny>(app, &call, caller).await {
                Ok(answer) => return Ok(answer.request_id),
                Err(error) => error,
            };
            may_have_taken_effect |= error.may_have_taken_effect;
            match update {
                Some(_) if name != calls.set && error.is(calls.absent) => (name, update) = (calls.set, None),
                Some(update) if name == calls.set && error.is(ALREADY_CONFIGURED) => {
                    (name, refusal) = (update, Some(error));
                }
                _ => {
                    // A service whose set call replaces an object may lack the update call.
                    let error = refusal.filter(|_| error.is(NO_SUCH_CALL)).unwrap_or(error);
                    return Err(Error { may_have_taken_effect, ..error });
                }
            }
        }
    }

    /// Deletes the object of `service`, and returns whether there was one. If there is none, that is a success. `caller`
    /// is asked before each attempt.
    ///
    /// # Errors
    ///
    /// If the object was not deleted, or possibly not: see [`Error::may_have_taken_effect`].
    pub async fn delete<T: Stored>(
        &self,
        app: &App,
        service: Service,
        caller: &mut impl Caller,
    ) -> Result<bool, Error> {
        let calls = T::calls(service.version);
        let call = Call::new(app, service, calls.delete, "{}".to_owned());
        match self.call::<IgnoredAny>(app, &call, caller).await {
            Ok(_) => Ok(true),
            Err(error) if error.is(calls.absent) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Repeats a call until it succeeds, cannot succeed, or patience ends. Every call of the API is idempotent.
    async fn call<T: DeserializeOwned>(
        &self,
        app: &App,
        call: &Call,
        caller: &mut impl Caller,
    ) -> Result<Answer<T>, Error> {
        let pacer = self.pacer(call);
        let limit = self.settings.requests_per_second;
        let per_second = call.version.most_per_second().map_or(limit, |most| limit.min(most));
        let lane = Lane { path: &call.path, app: app.sdk_app_id(), per_second };
        let patience = caller.patience().clone();
        let mut attempts = patience.with_attempts();
        let mut retries = Retries::new(&self.settings);
        let mut hold = Duration::ZERO;
        let mut last: Option<ErrorKind> = None;
        let mut may_have_taken_effect = false;
        loop {
            let queued = Instant::now();
            let turn = async {
                sleep(hold).await;
                pacer.turn(lane).await
            };
            let turn = match patience.wait(turn).await {
                Ok(turn) => turn,
                Err(interruption) => {
                    let kind = interruption.after(last).in_queue(|| pacer.reason(queued));
                    return Err(Error { kind, may_have_taken_effect });
                }
            };
            attempts.deadline = patience.deadline.min(attempts.deadline + queued.elapsed());
            if let Err(kind) = caller.check(may_have_taken_effect).await {
                return Err(Error { kind, may_have_taken_effect });
            }
            let attempted = self.attempt_within(&attempts, app, call).await;
            let Failure { kind, retry_after } = match attempted {
                Ok(Ok(answer)) => {
                    pacer.admitted(lane, turn);
                    return Ok(answer);
                }
                Ok(Err(failure)) => failure,
                Err(interruption) => {
                    return Err(Error { kind: interruption.after(last), may_have_taken_effect: true });
                }
            };
            may_have_taken_effect |= kind.may_have_taken_effect();
            match kind.retry() {
                Retry::SlowDown => pacer.refused(lane, turn),
                _ if kind.api().is_some() => pacer.admitted(lane, turn),
                // No answer says nothing about the rate.
                _ => {}
            }
            let Some(delay) = retries.delay(kind.retry(), app) else {
                return Err(Error { kind, may_have_taken_effect });
            };
            let delay = delay.max(retry_after);
            tracing::warn!(action = call.name, sdk_app_id = %app.sdk_app_id(), ?delay, cause = %kind, "the attempt failed");
            let (mut waiting, mut wait) = (&attempts, delay);
            hold = Duration::ZERO;
            if kind.retry() == Retry::SlowDown {
                // Waiting for the end of a rate limit is waiting for a turn.
                let pause = delay.min(LONGEST_PAUSE);
                pacer.pause(pause, &call.limited(app, &kind));
                (waiting, wait, hold) = (&patience, Duration::ZERO, delay - pause);
            }
            last = Some(kind);
            if delay >= waiting.deadline.saturating_duration_since(Instant::now()) {
                return Err(Error { kind: Interruption::Deadline.after(last), may_have_taken_effect });
            }
            if let Err(interruption) = waiting.wait(sleep(wait)).await {
                return Err(Error { kind: interruption.after(last), may_have_taken_effect });
            }
        }
    }

    /// Makes an attempt as far as `patience` allows. A write in flight has a grace period.
    async fn attempt_within<T: DeserializeOwned>(
        &self,
        patience: &Patience,
        app: &App,
        call: &Call,
    ) -> Result<Result<Answer<T>, Failure>, Interruption> {
        let (to, start) = (Route::to(&call.endpoint), Instant::now());
        tracing::debug!(action = call.name, sdk_app_id = %app.sdk_app_id(), %to, "calling Tencent");
        let attempt = self.attempt(app, call);
        let outcome = match call.reads {
            Some(_) => patience.wait(attempt).await,
            None => patience.wait_for_write(attempt, self.settings.request_timeout).await,
        };
        outcome.inspect(|attempted| {
            let (sdk_app_id, duration) = (app.sdk_app_id(), start.elapsed());
            let (code, request_id) = match attempted {
                Ok(answer) => (0, answer.request_id.clone()),
                Err(Failure { kind, .. }) => match kind.api() {
                    Some(api) => (api.code.number, api.request_id.to_string()),
                    None => {
                        return tracing::debug!(action = call.name, %sdk_app_id, ?duration, cause = %kind, "no usable answer");
                    }
                },
            };
            tracing::debug!(action = call.name, %sdk_app_id, code, ?duration, request_id, "answered");
        })
    }

    /// Sends one request and reads its answer.
    async fn attempt<T: DeserializeOwned>(&self, app: &App, call: &Call) -> Result<Answer<T>, Failure> {
        let user_sig = app.user_sig(SystemTime::now()).map_err(ErrorKind::UserSig)?;
        let mut url = call.endpoint.join(&call.path);
        url.query_pairs_mut()
            .append_pair("sdkappid", &app.sdk_app_id().to_string())
            .append_pair("identifier", app.identifier())
            .append_pair("usersig", user_sig.expose())
            .append_pair("random", &rand::random::<u32>().to_string())
            .append_pair("contenttype", "json");
        let received = self.transport.post(&call.endpoint, url, call.body.clone()).await?;
        let retry_after = received.retry_after.unwrap_or_default();
        Self::answer(&received, &user_sig, call).map_err(|kind| Failure { kind, retry_after })
    }

    /// Reads what was received for a call with `user_sig`.
    fn answer<T: DeserializeOwned>(
        received: &Received,
        user_sig: &UserSig,
        call: &Call,
    ) -> Result<Answer<T>, ErrorKind> {
        let secrets: Vec<_> = call.secret.iter().map(SecretString::expose_secret).chain([user_sig.expose()]).collect();
        let outcome = envelope::read(&received.body, call.version, &secrets);
        let (portrait, route) = (|| received.portrait(&secrets), || Route::to(&call.endpoint));
        let unusable = |why: &str| network::unexpected(why, &portrait(), &route()).into();
        // A gateway may add an HTTP status to Tencent's answer, or have error codes of its own, such as 999.
        let is_tencents = |code: ErrorCode| code.is_documented() && code != NO_CONFIGURATION;
        let is_tencents = matches!(&outcome, Err(Refusal::Api(error)) if is_tencents(error.code));
        if !received.status.is_success() && !is_tencents {
            return Err(network::bad_status(received.status, &portrait(), &route()).into());
        }
        match outcome {
            Err(Refusal::Api(error)) => Err(match &received.clock_skew {
                Some(skew) if error.code.retry() == Retry::Resign => ErrorKind::ClockSkew { error, skew: skew.clone() },
                _ => ErrorKind::Api(error),
            }),
            Err(Refusal::Unusable(why)) => Err(unusable(why)),
            Ok(answer) => match call.reads {
                // In version 4, an absent object arrives as an error code, never as an empty answer.
                Some(noun) if answer.response.is_none() && call.version != ApiVersion::V1 => {
                    Err(unusable(&format!("it holds no {noun}")))
                }
                _ => Ok(answer),
            },
        }
    }

    fn pacer(&self, call: &Call) -> Arc<Pacer> {
        // Where Tencent allows so few calls, more are not worth the risk.
        let scope = match call.version.most_per_second() {
            Some(_) => RateScope::Endpoint,
            None => self.settings.requests_per_second_scope,
        };
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        let pacer = pacers.entry((call.endpoint.clone(), call.version));
        Arc::clone(pacer.or_insert_with(|| Arc::new(Pacer::new(scope))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures_util::future::BoxFuture;
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use tencent_simulator::{Action, Configuration, Fault, FaultKind, Service as Simulated, Simulator};
    use url::Url;

    use super::super::app::Credentials;
    use super::super::callback::CallbackConfiguration;
    use super::super::callback_token::CallbackToken;
    use super::super::endpoint::Region;
    use super::super::error::NetworkError;
    use super::*;

    const LIVE: Service =
        Service { version: ApiVersion::V4, path_segment: "live_config", overwrite: Overwrite::ByUpdate };
    const COMMAND: &str = "Live.CallbackAfterStart";

    fn app(simulator: &Simulator) -> App {
        let key = Credentials::SecretKey(Simulator::SECRET_KEY.to_owned().into());
        let id = Simulator::SDK_APP_ID.try_into().expect("an SDKAppID");
        App::new(id, "administrator".into(), key, simulator.url().parse().expect("an endpoint"))
    }

    fn patience() -> Patience {
        Patience::of(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_write_changes_to_the_call_that_fits_what_exists() {
        use Action::{Set, Update};
        for (overwrite, set_overwrites, expected, existing, actions) in [
            (Overwrite::BySet, true, false, false, &[Set][..]),
            (Overwrite::BySet, true, true, true, &[Set]),
            (Overwrite::BySet, false, true, true, &[Set, Update]),
            (Overwrite::ByUpdate, false, false, false, &[Set]),
            (Overwrite::ByUpdate, false, true, true, &[Update]),
            (Overwrite::ByUpdate, false, true, false, &[Update, Set]),
        ] {
            let simulator = Simulator::start().expect("a simulator");
            simulator.let_set_overwrite(Simulated::Live, set_overwrites);
            if existing {
                let configuration = Configuration::new("https://old.example.com/", [COMMAND]);
                simulator.put_configuration(Simulated::Live, Simulator::SDK_APP_ID, configuration);
            }
            let wanted = CallbackConfiguration {
                url: "https://new.example.com/".to_owned().into(),
                callback_commands: [COMMAND.to_owned()].into(),
            };
            let service = Service { overwrite, ..LIVE };
            let client = Client::new(Settings::default());
            client.put(&app(&simulator), service, &wanted, expected, &mut patience()).await.expect("written");
            let made: Vec<_> = simulator.requests().into_iter().filter_map(|request| request.action).collect();
            assert_eq!(made, actions, "{overwrite:?} {set_overwrites} {expected} {existing}");
        }
    }

    const LEGACY_CALL: Service =
        Service { version: ApiVersion::V1, path_segment: "callback", overwrite: Overwrite::BySet };

    #[tokio::test]
    async fn version_1_may_answer_without_a_configuration_in_two_ways() {
        for hides_absence in [false, true] {
            let simulator = Simulator::start().expect("a simulator");
            simulator.hide_absence(hides_absence);
            let (app, client) = (app(&simulator), Client::new(Settings::default()));
            let get = async || client.get::<CallbackConfiguration>(&app, LEGACY_CALL, &patience()).await;
            assert_eq!(get().await, Ok(None));
            let deleted = client.delete::<CallbackConfiguration>(&app, LEGACY_CALL, &mut patience()).await;
            assert_eq!(deleted, Ok(hides_absence), "success is taken for a deletion");
            let wanted = CallbackConfiguration {
                url: "https://hooks.example.com/".to_owned().into(),
                callback_commands: ["normal_end".to_owned()].into(),
            };
            client.put(&app, LEGACY_CALL, &wanted, false, &mut patience()).await.expect("written");
            assert_eq!(get().await, Ok(Some(wanted)));
            let bodies: Vec<_> = simulator.requests().into_iter().map(|request| request.body).collect();
            assert!(bodies.iter().all(|body| body != b""), "{bodies:?}");
        }
    }

    #[tokio::test]
    async fn an_expired_user_sig_is_signed_anew_by_the_code_of_each_version() {
        for (service, code) in [(LIVE, 70001), (LEGACY_CALL, 70003)] {
            let simulator = Simulator::start().expect("a simulator");
            simulator.inject(Fault::new(FaultKind::ErrorCode { code, info: "expired".to_owned() }).times(1));
            let client = Client::new(Settings { max_retries: 0, ..Settings::default() });
            let found = client.get::<CallbackConfiguration>(&app(&simulator), service, &patience()).await;
            assert_eq!(found, Ok(None));
            let mut user_sigs: Vec<_> = simulator.requests().into_iter().map(|request| request.user_sig).collect();
            user_sigs.dedup();
            assert_eq!(user_sigs.len(), 2, "{code}");
        }
    }

    #[tokio::test]
    async fn version_1_is_called_ten_times_a_second_at_most() {
        let simulator = Simulator::start().expect("a simulator");
        let (app, client) = (app(&simulator), Client::new(Settings::default()));
        let start = Instant::now();
        let read = async || client.get::<CallbackConfiguration>(&app, LEGACY_CALL, &patience()).await;
        let found = futures_util::future::join_all((0..6).map(|_| read())).await;
        assert_eq!(found, vec![Ok(None); 6]);
        assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_write_that_creates_does_not_replace() {
        let simulator = Simulator::start().expect("a simulator");
        let configuration = Configuration::new("https://old.example.com/", [COMMAND]);
        simulator.put_configuration(Simulated::Live, Simulator::SDK_APP_ID, configuration.clone());
        let wanted = CallbackConfiguration {
            url: "https://new.example.com/".to_owned().into(),
            callback_commands: [COMMAND.to_owned()].into(),
        };
        let client = Client::new(Settings::default());
        let error = client.put(&app(&simulator), LIVE, &wanted, false, &mut patience()).await.expect_err("refused");
        assert!(error.is(ALREADY_CONFIGURED), "{error}");
        assert_eq!(simulator.configuration(Simulated::Live, Simulator::SDK_APP_ID), Some(configuration));
    }

    #[tokio::test]
    async fn an_error_does_not_repeat_the_token() {
        let token = CallbackToken { token: "tok3n-tok3n".to_owned().into(), enabled: true };
        // Only a part of the token would be in the beginning of this page that is shown.
        let page = "-".repeat(195) + "tok3n-tok3n";
        for (fault, shown) in [
            (FaultKind::ErrorCode { code: 100_002, info: "bad value tok3n-tok3n".to_owned() }, "bad value ***"),
            (FaultKind::Verbatim { code: 403, headers: vec![], body: page.into() }, "-***\""),
        ] {
            let simulator = Simulator::start().expect("a simulator");
            simulator.inject(Fault::new(fault).on(Action::SetToken));
            let client = Client::new(Settings::default());
            let error = client.put(&app(&simulator), LIVE, &token, false, &mut patience()).await.expect_err("refused");
            let said = error.api().map_or_else(|| error.to_string(), |api| api.info.to_string());
            assert!(said.ends_with(shown) && !format!("{error:?}").contains("tok3n"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_retry_after_beyond_the_deadline_ends_the_call_at_once() {
        let simulator = Simulator::start().expect("a simulator");
        let retry_after = Some(u64::MAX.to_string());
        simulator.inject(FaultKind::Status { code: 429, retry_after, processed: false });
        let client = Client::new(Settings::default());
        let outcome = client.get::<CallbackToken>(&app(&simulator), LIVE, &patience()).await;
        let error = outcome.expect_err("rate limited");
        assert!(matches!(error.kind, ErrorKind::Timeout { last: Some(_), .. }), "{error}");
        assert_eq!(simulator.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_refused_read_also_holds_back_the_first_write() {
        let simulator = Simulator::start().expect("a simulator");
        let busy = FaultKind::Status { code: 429, retry_after: Some("1".to_owned()), processed: false };
        simulator.inject(Fault::new(busy).on(Action::GetToken).times(1));
        let (app, client) = (app(&simulator), Client::new(Settings::default()));
        let start = Instant::now();
        let reading = async {
            client.get::<CallbackToken>(&app, LIVE, &patience()).await.expect("answered");
        };
        let writing = async {
            sleep(Duration::from_millis(500)).await;
            let token = CallbackToken { token: "tok3n".to_owned().into(), enabled: true };
            client.put(&app, LIVE, &token, false, &mut patience()).await.expect("written");
            assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
        };
        tokio::join!(reading, writing);
    }

    /// Reads as often as `patiences` says, at the same time.
    async fn read_at_once(client: &Client, app: &App, patiences: Vec<Patience>) -> Vec<Result<bool, Error>> {
        let read = async |patience| Ok(client.get::<CallbackToken>(app, LIVE, &patience).await?.is_some());
        futures_util::future::join_all(patiences.into_iter().map(read)).await
    }

    #[tokio::test]
    async fn waiting_for_a_turn_takes_no_time_from_the_attempts() {
        let simulator = Simulator::start().expect("a simulator");
        let requests_per_second = NonZeroU32::MIN;
        let client = Client::new(Settings { requests_per_second, ..Settings::default() });
        let patience = || Patience { longest: Some(Duration::from_secs(3)), ..patience() };
        let read = read_at_once(&client, &app(&simulator), (0..5).map(|_| patience()).collect()).await;
        assert_eq!(read, vec![Ok(false); 5], "the last one waits for four seconds");
    }

    #[tokio::test]
    async fn a_timeout_says_why_there_was_no_turn() {
        let simulator = Simulator::start().expect("a simulator");
        let requests_per_second = NonZeroU32::MIN;
        let client = Client::new(Settings { requests_per_second, ..Settings::default() });
        let short = || Patience::of(Duration::from_secs(3));
        let words = |read: &Result<bool, Error>| read.as_ref().expect_err("no turn").to_string();
        let read =
            read_at_once(&client, &app(&simulator), [&[(); 5].map(|()| patience())[..], &[short()]].concat()).await;
        assert_eq!(
            words(&read[5]),
            "the operation's timeout ran out while the call waited for its turn: the limit of calls per second \
             lets none go out earlier"
        );
        let busy = FaultKind::Status { code: 429, retry_after: Some("30".to_owned()), processed: false };
        simulator.inject(busy);
        let read = read_at_once(&client, &app(&simulator), vec![Patience::of(Duration::from_secs(5)), short()]).await;
        assert!(words(&read[0]).contains("the last one failed: the answer from"), "{read:?}");
        let read = read_at_once(&client, &app(&simulator), vec![short()]).await;
        assert_eq!(
            words(&read[0]),
            "the operation's timeout ran out while the call waited for its turn: get_callback_token of SDKAppID \
             1400000001 was answered with HTTP status 429, so all calls to the endpoint pause for 30s"
        );
    }

    /// An API that admits 200 calls within any second, and that no machine slows down: its clock is tokio's.
    #[derive(Debug)]
    struct Limited {
        /// Whether each application has the limit for itself.
        per_application: bool,
        admitted: Mutex<HashMap<String, VecDeque<Instant>>>,
    }

    impl Transport for Limited {
        fn post<'a>(
            &'a self,
            _endpoint: &'a Endpoint,
            url: Url,
            _body: String,
        ) -> BoxFuture<'a, Result<Received, NetworkError>> {
            async move {
                let latency = Duration::from_millis(2);
                sleep(latency).await;
                let now = Instant::now();
                let app = url.query_pairs().next().filter(|_| self.per_application);
                let key = app.map_or_else(String::new, |(_, id)| id.into_owned());
                let is_admitted = {
                    let mut admitted = self.admitted.lock().expect("no panic");
                    let admitted = admitted.entry(key).or_default();
                    while admitted.front().is_some_and(|then| now.duration_since(*then) >= Duration::from_secs(1)) {
                        admitted.pop_front();
                    }
                    let is_admitted = admitted.len() < 200;
                    admitted.extend(is_admitted.then_some(now));
                    is_admitted
                };
                sleep(latency).await;
                let code = if is_admitted { 100_302 } else { 60007 };
                Ok(Received::ok(format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":""}}"#).as_bytes()))
            }
            .boxed()
        }
    }

    /// Reads once for each application, ten at a time.
    async fn read_each(client: &Client, apps: &[App]) -> Vec<Result<Option<CallbackToken>, Error>> {
        let patience = Patience::of(Duration::from_secs(3600));
        let reads = apps.iter().map(|app| client.get(app, LIVE, &patience));
        stream::iter(reads).buffer_unordered(10).collect().await
    }

    /// Reads once for each application, and returns how long that took.
    async fn fleet_reads(apps: &[App], scope: RateScope, per_application: bool) -> Duration {
        let client = Client::over(
            Limited { per_application, admitted: Mutex::default() },
            Settings { requests_per_second_scope: scope, ..Settings::default() },
        );
        let start = Instant::now();
        let read = read_each(&client, apps).await;
        assert!(read.iter().all(|read| matches!(read, Ok(None))), "{read:?}");
        start.elapsed()
    }

    /// Makes this many applications.
    fn apps(count: u64) -> Vec<App> {
        let key = || Credentials::SecretKey("tok3n".to_owned().into());
        let app = |id: u64| {
            App::new(id.try_into().expect("an SDKAppID"), "administrator".into(), key(), Region::China.into())
        };
        (1..=count).map(app).collect()
    }

    /// Makes a client that finds out how much the endpoint takes, and retries nothing.
    fn finding_out() -> Client {
        let scope = RateScope::Application;
        Client::over(
            Limited { per_application: false, admitted: Mutex::default() },
            Settings { requests_per_second_scope: scope, max_retries: 0, ..Settings::default() },
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_halves_the_rate_even_if_nothing_is_retried() {
        let client = finding_out();
        let read = read_each(&client, &apps(1000)).await;
        assert!(read.iter().any(Result::is_err), "the rate rises above the limit");
        assert!(format!("{:?}", client.pacers).contains("halved_at: Some"), "{:?}", client.pacers);
    }

    #[tokio::test(start_paused = true)]
    async fn version_1_has_one_rate_for_all_applications() {
        let (client, patience) = (finding_out(), Patience::of(Duration::from_secs(3600)));
        let start = Instant::now();
        let apps = apps(11);
        let read = async |app| client.get::<CallbackConfiguration>(app, LEGACY_CALL, &patience).await;
        futures_util::future::join_all(apps.iter().map(read)).await;
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn pacing_by_application_is_faster_where_the_limit_is_per_application_and_fails_nowhere() {
        let apps = apps(1000);
        let [by_endpoint, by_application] = RateScope::ALL;
        let cautious = fleet_reads(&apps, by_endpoint, true).await;
        let finding_out = fleet_reads(&apps, by_application, true).await;
        assert!(finding_out < cautious * 2 / 5, "{finding_out:?}, {cautious:?}");
        // The length of each pause is random.
        let (mut cautious, mut finding_out) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..3 {
            cautious += fleet_reads(&apps, by_endpoint, false).await;
            finding_out += fleet_reads(&apps, by_application, false).await;
        }
        assert!(finding_out < cautious * 6 / 5, "{finding_out:?}, {cautious:?}");
    }

    /// Calls a simulator that gives this answer, and returns the outcome and the number of attempts.
    async fn answered(code: u16, headers: &[(&'static str, &str)], body: &[u8]) -> (Result<bool, Error>, usize) {
        let simulator = Simulator::start().expect("a simulator");
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        simulator.inject(FaultKind::Verbatim { code, headers, body: body.to_vec() });
        let client = Client::new(Settings { max_retries: 1, ..Settings::default() });
        let outcome = client.get::<CallbackToken>(&app(&simulator), LIVE, &patience()).await;
        (outcome.map(|found| found.is_some()), simulator.requests().len())
    }

    #[tokio::test]
    async fn an_error_code_of_tencents_outranks_the_http_status() {
        let fail = |code: u32| format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"no"}}"#);
        for (status, body, expected, attempts) in [
            (502, fail(70009), "error 70009: the UserSig's signature is wrong", 1),
            (403, fail(100_001), "error 100001: an internal error of Tencent's server", 2),
            (503, fail(503), "HTTP status 503 Service Unavailable and no content type, and begins with \"{\"Action", 2),
            (502, r#"{"ActionStatus":"OK","ErrorCode":0}"#.to_owned(), "HTTP status 502 Bad Gateway", 2),
            (
                403,
                "<html>Blocked".to_owned(),
                "403 Forbidden and no content type, and begins with \"<html>Blocked\"",
                1,
            ),
        ] {
            let (outcome, made) = answered(status, &[], body.as_bytes()).await;
            let error = outcome.expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(made, attempts, "{error}");
        }
        assert_eq!(answered(404, &[], fail(100_302).as_bytes()).await, (Ok(false), 1), "Tencent has no token");
        let (outcome, made) = answered(429, &[("retry-after", "3600")], fail(60007).as_bytes()).await;
        assert!(matches!(outcome.expect_err("busy").kind, ErrorKind::Timeout { last: Some(_), .. }));
        assert_eq!(made, 1);
    }

    #[tokio::test]
    async fn an_absence_in_version_1_needs_a_successful_http_status() {
        let simulator = Simulator::start().expect("a simulator");
        let body = br#"{"errorCode":999,"errorMessage":"no"}"#.to_vec();
        let client = Client::new(Settings { max_retries: 0, ..Settings::default() });
        for (code, is_absent) in [(200, true), (502, false)] {
            simulator.clear_faults();
            simulator.inject(FaultKind::Verbatim { code, headers: Vec::new(), body: body.clone() });
            let found = client.get::<CallbackConfiguration>(&app(&simulator), LEGACY_CALL, &patience()).await;
            assert_eq!(found == Ok(None), is_absent, "{code}: {found:?}");
        }
    }

    #[tokio::test]
    async fn an_expired_user_sig_names_the_clock_that_is_wrong() {
        let fail = br#"{"ActionStatus":"FAIL","ErrorCode":70001,"ErrorInfo":"expired"}"#;
        let date = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(3600));
        let error = answered(200, &[("date", &date)], fail).await.0.expect_err("expired");
        let words = error.to_string();
        let start = "Tencent answered with error 70001: the UserSig has expired, and this machine's clock is 1h";
        assert!(words.starts_with(start) && words.ends_with(" ahead of the Date header of the answer"), "{words}");
        assert_eq!(error.api().expect("an error code").info, "expired".into());
        let right = answered(200, &[], fail).await.0.expect_err("expired");
        assert_eq!(right.to_string(), "error 70001: the UserSig has expired");
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_is_shown() {
        let page = b"<html>\r\n<h1>Sign in</h1>";
        let (outcome, made) = answered(200, &[("content-type", "text/html")], page).await;
        let error = outcome.expect_err("a page").to_string();
        let expected = r#"cannot be used: it is not JSON of the documented form. It has the HTTP status 200 OK and the content type text/html, and begins with "<html>\r\n<h1>Sign in</h1>""#;
        assert!(error.ends_with(expected), "{error}");
        assert_eq!(made, 2);
    }
}
