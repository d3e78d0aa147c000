//! The transport of requests to Tencent, and of the answers back.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::ClientBuilder;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use super::endpoint::Endpoint;
use super::error::NetworkError;
use super::network::{self, Route};
use super::proxy::Proxy;
use super::received::Received;
use crate::crypto;

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
        let builder = http_client("", self.timeout)?;
        let builder = proxy.into_iter().fold(builder, |builder, proxy| builder.proxy(proxy.into()));
        let client = builder.build().map_err(|_| network::no_client())?;
        Ok(slot.get_or_init(|| client))
    }
}

/// Begins an HTTP client that trusts the servers that this machine trusts, follows no redirect and takes no proxy. It calls
/// itself by the provider's name and version, and this `purpose`. A request has this time, from connecting to the last byte of
/// the answer.
pub(super) fn http_client(purpose: &str, timeout: Duration) -> Result<ClientBuilder, NetworkError> {
    let mut tls = ClientConfig::builder_with_provider(crypto::provider())
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_platform_verifier())
        .map_err(|_| network::no_client())?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(format!("{}/{}{purpose}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        // A little less than the whole time: a request that never connected is then known not to have been sent.
        .connect_timeout(timeout.mul_f64(0.9))
        // A redirect would send the UserSig or an event to another host.
        .redirect(Policy::none())
        // The HTTP client itself reads the environment by other rules.
        .no_proxy())
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
