//! Tencent RTC's REST API for callback configurations, and UserSigs, for any caller.
//!
//! Start with [`Client`], which gets, puts and deletes whatever is [`Stored`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use terraform_provider_tencent::tencent::{
//!     ApiVersion, App, CallbackConfiguration, Client, Credentials, Overwrite, Patience, Region, Service, Settings,
//! };
//!
//! let key = Credentials::SecretKey(std::env::var("TENCENT_SECRET_KEY")?.into());
//! let app = App::new("1400000001".parse()?, "administrator".into(), key, Region::Singapore.into());
//! let client = Client::new(Settings::default());
//! let patience = Patience::of(Duration::from_secs(60));
//! let calls = Service { version: ApiVersion::V4, path_segment: "call_config", overwrite: Overwrite::BySet };
//! let configuration = client.get::<CallbackConfiguration>(&app, calls, &patience).await?;
//! println!("{configuration:?}");
//! # Ok(())
//! # }
//! ```
//!
//! This module does not know Terraform: it has no HCL, no diagnostics and no gRPC.

mod api_version;
mod app;
mod callback;
mod callback_token;
mod callback_url;
mod client;
mod endpoint;
mod envelope;
mod error;
mod foreign;
mod network;
mod pacer;
mod patience;
mod probe;
mod proxy;
mod received;
mod sdk_app_id;
mod service;
mod stored;
mod transport;
mod user_sig;

pub use api_version::ApiVersion;
pub use app::{App, Credentials};
pub use callback::{CallbackConfiguration, OwnForm};
pub use callback_token::{CallbackToken, InvalidCallbackToken};
pub use callback_url::{CallbackUrl, Concern, InvalidCallbackUrl};
pub use client::{Client, Settings};
pub use endpoint::{Endpoint, InvalidEndpoint, Region, UnknownRegion};
pub use error::{
    ALREADY_CONFIGURED, ApiError, Error, ErrorCode, ErrorKind, NO_CONFIGURATION, NOT_CONFIGURED, NetworkError, Retry,
};
pub use foreign::{ForeignText, shown};
pub use network::Route;
pub use pacer::RateScope;
pub use patience::{Caller, Patience};
pub use probe::{Answered, Probe, ProbeError, TENCENT_WAITS};
pub use sdk_app_id::{InvalidSdkAppId, SdkAppId};
pub use service::{Overwrite, Service};
pub use stored::{Calls, Stored};
pub use user_sig::{Claims, InvalidUserSig, UserSig};
#[cfg(test)]
pub(crate) use {received::Received, transport::Transport};
