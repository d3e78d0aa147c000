//! What users write in HCL: the provider block, and one file per object.
//!
//! | file | content |
//! | --- | --- |
//! | `block/` | the provider block and its environment variables |
//! | `applications.rs` | the configured provider: its applications, and how to call for each |
//! | `services/` | the services, one file each: names, events and advice |
//! | `callback/` | the callback configurations of all services: resources, data sources, list resources, the probe |
//! | `callback_token/` | resource `tencent_live_callback_token` |
//! | `user_sig.rs` | ephemeral resource `tencent_user_sig` |
//! | `functions.rs` | functions about UserSigs and signatures |
//! | `checks.rs` | checks and messages that several of these share |
//!
//! This module works on typed models: it never speaks msgpack, protobuf or HTTP.

mod applications;
mod block;
mod callback;
mod callback_token;
mod checks;
mod functions;
mod services;
mod user_sig;

use crate::terraform::{Configured, Context, Diagnostics, Provider, Registry, Schema};

use applications::Tencent;
use block::{Config, Environment};
use callback::commands::CallbackCommands;
use callback::data_source::CallbackDataSource;
use callback::list_resource::CallbackList;
use callback::probe::CallbackProbe;
use callback::resource::CallbackResource;
use callback::service::Services;
use callback_token::resource::CallbackTokenResource;
use functions::{CallbackSignature, UserSigClaims};
use services::{SERVICES, live};
use user_sig::UserSigResource;

/// The provider `tencent`.
#[derive(Debug, Clone, Copy)]
pub struct TencentProvider {
    environment: Environment,
    services: Services,
}

impl Default for TencentProvider {
    /// With this process' environment.
    fn default() -> Self {
        Self { environment: |name| std::env::var(name).ok(), services: SERVICES }
    }
}

impl Provider for TencentProvider {
    type Config = Config;
    type Client = Tencent;

    const TYPE_NAME: &'static str = "tencent";

    fn schema(&self) -> Schema {
        block::schema()
    }

    fn registry(&self) -> Registry<Tencent> {
        let all = self.services;
        let of_service = |registry: Registry<Tencent>, service| {
            registry
                .resource(CallbackResource { service, all })
                .data_source(CallbackDataSource(service))
                .list_resource(CallbackList(service))
        };
        all.iter()
            .fold(Registry::new(), of_service)
            .resource(CallbackTokenResource)
            .action(CallbackProbe(all))
            .ephemeral_resource(UserSigResource)
            .function(CallbackCommands(all))
            .function(UserSigClaims)
            .function(CallbackSignature)
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        block::validate(config)
    }

    fn configure(&self, config: Config, cx: &mut Context) -> Result<Configured<Tencent>, Diagnostics> {
        let (configured, warnings) = block::configure(config, self.environment)?;
        warnings.into_iter().for_each(|warning| cx.warn(warning));
        Ok(configured)
    }
}
