//! Tencent's API, uninterpreted: one request, one envelope.

use std::env;
use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};
use terraform_provider_tencent::tencent::{ApiVersion, Endpoint, Region, SdkAppId, UserSig};
use url::Url;

use crate::services::Of;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A test application and its credentials.
pub(crate) struct Account {
    pub(crate) sdk_app_id: SdkAppId,
    pub(crate) secret_key: String,
    pub(crate) identifier: String,
    pub(crate) endpoint: Endpoint,
}

impl Account {
    /// Reads the provider's environment variables.
    pub(crate) fn from_environment() -> Result<Self> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name| set(name).ok_or_else(|| format!("set {name} to that of a test application"));
        let endpoint = match (set("TENCENT_ENDPOINT"), set("TENCENT_REGION")) {
            (Some(endpoint), _) => endpoint.parse()?,
            (None, Some(region)) => region.parse::<Region>()?.into(),
            (None, None) => Region::China.into(),
        };
        Ok(Self {
            sdk_app_id: needed("TENCENT_SDK_APP_ID")?.parse()?,
            secret_key: needed("TENCENT_SECRET_KEY")?,
            identifier: set("TENCENT_IDENTIFIER").unwrap_or_else(|| "administrator".to_owned()),
            endpoint,
        })
    }
}

/// An answer of Tencent's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Answer {
    #[serde(rename = "ErrorCode", alias = "errorCode")]
    pub(crate) code: i64,
    #[serde(rename = "ErrorInfo", alias = "errorMessage", default)]
    info: String,
    #[serde(rename = "Response", alias = "data", default)]
    pub(crate) response: Value,
}

/// Displays `OK`, or the error code with Tencent's own words.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.info.as_str()) {
            (0, _) => f.write_str("OK"),
            (code, "") => write!(f, "{code}"),
            (code, info) => write!(f, "{code} ({})", info.replace('|', "/")),
        }
    }
}

/// The API, for one application.
pub(crate) struct Api {
    http: reqwest::Client,
    account: Account,
}

impl Api {
    pub(crate) fn new(account: Account) -> Result<Self> {
        // The client takes the algorithms of TLS from the process. Another client may have set them before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Tencent documents a limit of three seconds for its answers.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { http, account })
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Makes one call, such as `v4/call_config/get_callback`.
    pub(crate) async fn call(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call_with(&self.account.secret_key, path, body).await
    }

    /// Makes one call, signed with this key.
    pub(crate) async fn call_with(&self, key: &str, path: &str, body: &Value) -> Result<Answer> {
        let Account { sdk_app_id, identifier, endpoint, .. } = &self.account;
        let lifetime = Duration::from_secs(600);
        let user_sig = UserSig::sign(&key.to_owned().into(), identifier, *sdk_app_id, SystemTime::now(), lifetime);
        let version = if path.starts_with("v1/") { ApiVersion::V1 } else { ApiVersion::V4 };
        let mut url = Url::parse(&format!("{}/", endpoint.of(version)))?.join(path)?;
        url.query_pairs_mut()
            .append_pair("sdkappid", &sdk_app_id.to_string())
            .append_pair("identifier", identifier)
            .append_pair("usersig", user_sig.expose())
            .append_pair("random", &rand::random::<u32>().to_string())
            .append_pair("contenttype", "json");
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        // The URL holds the UserSig.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let text = answer.text().await.map_err(reqwest::Error::without_url)?;
        serde_json::from_str(&text).map_err(|error| format!("the answer to {path} is not Tencent's: {error}").into())
    }

    /// Writes a configuration, by set or update.
    pub(crate) async fn write(&self, of: Of, action: &str, url: &str, commands: &[&str]) -> Result<Answer> {
        self.call(&of.path(action), &of.json(url, &json!(commands))).await
    }

    pub(crate) async fn get(&self, of: Of) -> Result<Answer> {
        self.call(&of.path("get"), &json!({})).await
    }

    pub(crate) async fn delete(&self, of: Of) -> Result<Answer> {
        self.call(&of.path("delete"), &json!({})).await
    }
}
