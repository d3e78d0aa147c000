//! What users write in HCL: the provider block, and one file per object.
//!
//! | file | content |
//! | --- | --- |
//! | `block/` | the provider block and its environment variables |
//! | `applications.rs` | the configured provider: its applications, and how to call for each |
//! | `singleton/` | the flow of everything that an application has exactly one of |
//! | `callback/` | the callback configurations of all services: resources, data sources, list resources, the probe |
//! | `callback_token/` | resource `tencent_live_callback_token` |
//! | `services/` | the services, one file each: names, events and advice |
//! | `user_sig.rs` | ephemeral resource `tencent_user_sig` |
//! | `functions.rs` | functions about UserSigs and signatures |
//!
//! This module works on typed models: it never speaks msgpack, protobuf or HTTP.

mod activity;
mod applications;
mod block;
mod callback;
mod callback_token;
mod functions;
mod services;
mod singleton;
#[cfg(test)]
mod testing;
mod user_sig;

use crate::tencent::{ApiVersion, UserSig};
use crate::terraform::{Block, Configured, Context, Diagnostics, Provider, Registry, Schema};

use applications::Applications;
use block::{Config, Environment};
use callback::CallbackKind;
use callback::commands::CallbackCommands;
use callback::data_source::CallbackDataSource;
use callback::list_resource::CallbackList;
use callback::probe::CallbackProbe;
use callback_token::CallbackTokenKind;
use functions::{CallbackSignature, UserSigClaims};
use services::{Actions, CallbackService, Commands, Naming, SERVICES};
use singleton::Singleton;
use user_sig::UserSigResource;

/// The provider `tencent`.
#[derive(Debug, Clone, Copy)]
pub struct TencentProvider {
    environment: Environment,
}

impl Default for TencentProvider {
    /// With this process' environment.
    fn default() -> Self {
        Self { environment: |name| std::env::var(name).ok() }
    }
}

impl TencentProvider {
    /// Signs a UserSig with the credentials in the environment. `lifetime` is a duration as the ephemeral resource takes it,
    /// with the same default.
    ///
    /// # Errors
    ///
    /// A message that names the variable or the option at fault.
    pub fn user_sig(&self, lifetime: Option<&str>) -> Result<UserSig, String> {
        user_sig::sign(self.environment, lifetime)
    }
}

impl Block for TencentProvider {
    type Client = Applications;
    type Model = Config;

    fn type_name(&self) -> &'static str {
        "tencent"
    }

    fn schema(&self) -> Schema {
        block::schema()
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        block::validate(config)
    }
}

impl Provider for TencentProvider {
    fn registry(&self) -> Registry<Applications> {
        let registry = Registry::new()
            .resource(Singleton(CallbackTokenKind))
            .action(CallbackProbe)
            .ephemeral_resource(UserSigResource)
            .function(CallbackCommands)
            .function(UserSigClaims)
            .function(CallbackSignature);
        SERVICES.iter().copied().fold(registry, |registry, service| match service.api.version {
            ApiVersion::V1 => with_service(registry, service, Actions),
            ApiVersion::V4 => with_service(registry, service, Commands),
        })
    }

    fn configure(&self, config: Config, cx: &mut Context) -> Result<Configured<Applications>, Diagnostics> {
        let (configured, warnings) = block::configure(config, self.environment)?;
        warnings.into_iter().for_each(|warning| cx.warn(warning));
        Ok(configured)
    }
}

/// Adds the objects of a service.
fn with_service(
    registry: Registry<Applications>,
    service: &'static CallbackService,
    naming: impl Naming,
) -> Registry<Applications> {
    let kind = CallbackKind(service, naming);
    registry.resource(Singleton(kind)).data_source(CallbackDataSource(kind)).list_resource(CallbackList(kind))
}
