//! Data sources such as `tencent_call_callback`, which read a callback configuration no matter who set it.

use super::CallbackKind;
use crate::model;
use crate::provider::applications::{self, Applications, Purpose};
use crate::provider::singleton::{DEFAULT_TIMEOUT, Remote, Scope, id_attribute};
use crate::terraform::{Attr, Attribute, Block, Context, DataSource, Diagnostics, Number, Schema, SetOf, Type};

model! {
    /// The attributes of the data source.
    #[derive(Debug)]
    pub(crate) struct CallbackData {
        sdk_app_id: Attr<Number>,
        configured: Attr<bool>,
        url: Attr<String>,
        callback_commands: Attr<SetOf<String>>,
        id: Attr<String>,
    }
}

/// The data source of one service.
#[derive(Debug)]
pub(crate) struct CallbackDataSource(pub(crate) CallbackKind);

impl Block for CallbackDataSource {
    type Client = Applications;
    type Model = CallbackData;

    fn type_name(&self) -> &'static str {
        self.0.0.type_name
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: format!(
                "Reads the {} callback configuration of an application from Tencent. An application without one is not \
                 an error: check `configured`.\n\n~> **Secrets:** The URL is read as it is, with any secret in it, and \
                 Terraform keeps it in the state. Mark an output that contains it as `sensitive`.",
                self.0.0.title
            )
            .into(),
            attributes: vec![
                Attribute::new(
                    "sdk_app_id",
                    Type::Number,
                    "The SDKAppID of the application. The provider must have its credentials. Default: the provider's \
                     `sdk_app_id`.",
                )
                .optional_computed(),
                Attribute::new("configured", Type::Bool, "Whether the application has a callback configuration.")
                    .computed(),
                Attribute::new(
                    "url",
                    Type::String,
                    "The URL that Tencent posts the events to. Null if `configured` is false.",
                )
                .computed(),
                Attribute::new(
                    "callback_commands",
                    Type::set(Type::String),
                    "The events that Tencent sends, by their callback commands. Null if `configured` is false.",
                )
                .computed(),
                id_attribute(),
            ],
        }
    }

    fn validate(&self, config: &CallbackData) -> Diagnostics {
        applications::check_sdk_app_id(&config.sdk_app_id)
    }
}

impl DataSource for CallbackDataSource {
    async fn read(
        &self,
        apps: &Applications,
        config: CallbackData,
        cx: &mut Context,
    ) -> Result<CallbackData, Diagnostics> {
        let id = apps.sdk_app_id(&config.sdk_app_id, Purpose::Call)?;
        let remote = Remote::new(Scope::new(apps, self.0), apps.app(id, Purpose::Call)?, DEFAULT_TIMEOUT, cx);
        let found = remote.get().await?;
        let url = found.as_ref().map_or(Attr::Null, |found| found.url.expose().to_owned().into());
        Ok(CallbackData {
            sdk_app_id: id.into(),
            configured: found.is_some().into(),
            url,
            callback_commands: found
                .map_or(Attr::Null, |found| Attr::Known(found.callback_commands.into_iter().collect())),
            id: id.to_string().into(),
        })
    }
}
