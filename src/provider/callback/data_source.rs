//! Data sources such as `tencent_call_callback`, which read a callback configuration no matter who set it.

use std::marker::PhantomData;

use super::CallbackKind;
use crate::model;
use crate::provider::applications::{self, Applications, Purpose};
use crate::provider::services::{CallbackService, Naming};
use crate::provider::singleton::{DEFAULT_TIMEOUT, Remote, Scope, id_attribute};
use crate::terraform::{Attr, Attribute, Block, Context, DataSource, Diagnostics, Number, Schema, SetOf, Type};

model! {
    /// The attributes of the data source.
    #[derive(Debug)]
    pub(crate) struct CallbackData<N: Naming> {
        sdk_app_id: Attr<Number>,
        configured: Attr<bool>,
        url: Attr<String>,
        events as N::EVENTS: Attr<SetOf<String>>,
        id: Attr<String>,
    }
}

/// The data source of one service.
#[derive(Debug)]
pub(crate) struct CallbackDataSource<N>(pub(crate) CallbackKind<N>);

impl<N: Naming> Block for CallbackDataSource<N> {
    type Client = Applications;
    type Model = CallbackData<N>;

    fn type_name(&self) -> &'static str {
        self.0.0.type_name
    }

    fn schema(&self) -> Schema {
        let CallbackService { title, see_also, .. } = self.0.0;
        let configured = format!("Whether the application has a {title} callback configuration.{see_also}");
        Schema {
            version: 0,
            description: format!(
                "Reads the {title} callback configuration of an application from Tencent. An application without one is not \
                 an error: check `configured`.\n\n~> **Secrets:** The URL is read as it is, with any secret in it, and \
                 Terraform keeps it in the state. Mark an output that contains it as `sensitive`."
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
                Attribute::new("configured", Type::Bool, configured).computed(),
                Attribute::new(
                    "url",
                    Type::String,
                    "The URL that Tencent posts the events to. Null if `configured` is false.",
                )
                .computed(),
                Attribute::new(
                    N::EVENTS,
                    Type::set(Type::String),
                    format!(
                        "The events that Tencent sends, by their {}s. Null if `configured` is false.",
                        self.0.0.word()
                    ),
                )
                .computed(),
                id_attribute(),
            ],
        }
    }

    fn validate(&self, config: &CallbackData<N>) -> Diagnostics {
        applications::check_sdk_app_id(&config.sdk_app_id)
    }
}

impl<N: Naming> DataSource for CallbackDataSource<N> {
    async fn read(
        &self,
        apps: &Applications,
        config: CallbackData<N>,
        cx: &mut Context,
    ) -> Result<CallbackData<N>, Diagnostics> {
        let id = apps.sdk_app_id(&config.sdk_app_id, Purpose::Call)?;
        let remote = Remote::new(Scope::new(apps, self.0), apps.app(id, Purpose::Call)?, DEFAULT_TIMEOUT, cx);
        let found = remote.get().await?;
        let url = found.as_ref().map_or(Attr::Null, |found| found.url.expose().to_owned().into());
        Ok(CallbackData {
            sdk_app_id: id.into(),
            configured: found.is_some().into(),
            url,
            events: found.map_or(Attr::Null, |found| Attr::Known(found.callback_commands.into_iter().collect())),
            id: id.to_string().into(),
            names: PhantomData,
        })
    }
}
