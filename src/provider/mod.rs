//! What a person writes in HCL: the provider block, and one file per object.
//!
//! | file | what |
//! | --- | --- |
//! | `config.rs` | the provider block and its environment variables |
//! | `apps.rs` | its argument `apps`: further applications |
//! | `arguments.rs` | the checks of what both say |
//! | `applications.rs` | the configured provider: which applications, and how to call for each |
//! | `call_callback.rs` | resource `tencent_call_callback` |
//! | `call_callback_data_source.rs` | data source `tencent_call_callback` |
//! | `call_callback_list.rs` | list resource `tencent_call_callback` |
//! | `callback_probe.rs` | action `tencent_callback_probe` |
//! | `user_sig.rs` | ephemeral resource `tencent_user_sig` |
//! | `functions.rs` | the functions |
//! | `callback/` | what the callback configurations of all services share |
//! | `checks.rs` | checks and their messages that several of these share |
//!
//! This room works on typed models: it never speaks msgpack, protobuf or HTTP.

mod applications;
mod apps;
mod arguments;
mod call_callback;
mod call_callback_data_source;
mod call_callback_list;
mod callback;
mod callback_probe;
mod checks;
mod config;
mod functions;
mod user_sig;

use crate::terraform::{Configured, Context, Diagnostics, Provider, Registry, Schema};

use applications::Tencent;
use call_callback::CallCallbackResource;
use call_callback_data_source::CallCallbackDataSource;
use call_callback_list::CallCallbackList;
use callback_probe::CallbackProbe;
use config::{Config, Environment};
use functions::{CallbackCommands, UserSigClaims};
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

impl Provider for TencentProvider {
    type Config = Config;
    type Client = Tencent;

    const TYPE_NAME: &'static str = "tencent";

    fn schema(&self) -> Schema {
        config::schema()
    }

    fn registry(&self) -> Registry<Tencent> {
        Registry::new()
            .resource(CallCallbackResource)
            .data_source(CallCallbackDataSource)
            .list_resource(CallCallbackList)
            .action(CallbackProbe)
            .ephemeral_resource(UserSigResource)
            .function(CallbackCommands)
            .function(UserSigClaims)
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        config::validate(config)
    }

    fn configure(&self, config: Config, cx: &mut Context) -> Result<Configured<Tencent>, Diagnostics> {
        let (configured, warnings) = config::configure(config, self.environment)?;
        warnings.into_iter().for_each(|warning| cx.warn(warning));
        Ok(configured)
    }
}
