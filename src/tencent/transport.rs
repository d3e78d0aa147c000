//! The transport of requests to Tencent, and of the answers back.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use url::Url;

use super::endpoint::Endpoint;
use super::error::NetworkError;
use super::network::{self, Route};
use super::proxy::Proxy;
use super::received::Received;

/// Carries requests and their answers: over HTTP, except in tests that decide what happens to each request.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// Posts the JSON text `body` to `url`, which belongs to `endpoint`, and returns the answer.
    fn post<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        url: Url,
        body: String,
    ) -> BoxFuture<'a, Result<Received, NetworkError>>;
}

/// HTTP, with one pool of connections through the proxy and one past it.
#[derive(Debug)]
pub(super) struct Http {
    /// The time for one attempt, from connecting to the last byte of the answer.
    timeout: Duration,
    /// Created by the first call, because reading the system's certificates takes longer than all else at start-up.
    direct: OnceLock<reqwest::Client>,
    through_proxy: OnceLock<reqwest::Client>,
}

impl Http {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, direct: OnceLock::new(), through_proxy: OnceLock::new() }
    }

    /// Returns the HTTP client for `endpoint`.
    fn client(&self, endpoint: &Endpoint) -> Result<&reqwest::Client, NetworkError> {
        let proxy = Proxy::to(endpoint, |name| std::env::var(name).ok())?;
        let slot = if proxy.is_some() { &self.through_proxy } else { &self.direct };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            // A little less than the whole time: an attempt that never connected is then known not to have been sent.
            .connect_timeout(self.timeout.mul_f64(0.9))
            // A redirect would send the UserSig to another host.
            .redirect(Policy::none())
            // The HTTP client itself reads the environment by other rules.
            .no_proxy();
        let builder = proxy.into_iter().fold(builder, |builder, proxy| builder.proxy(proxy.into()));
        let client = builder.build().map_err(|_| network::no_client())?;
        Ok(slot.get_or_init(|| client))
    }
}

impl Transport for Http {
    fn post<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        url: Url,
        body: String,
    ) -> BoxFuture<'a, Result<Received, NetworkError>> {
        async move {
            let request = self.client(endpoint)?.post(url).header(CONTENT_TYPE, "application/json").body(body);
            let no_answer = |error| network::no_answer(&error, &Route::to(endpoint), self.timeout);
            Received::read(request.send().await.map_err(no_answer)?).await.map_err(no_answer)
        }
        .boxed()
    }
}
