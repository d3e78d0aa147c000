//! Data source `tencent_call_callback`: what an application's call callbacks are, whoever set them.

use super::applications::Tencent;
use super::callback::Callback;
use super::callback::model::{DEFAULT_TIMEOUT, SERVICE};
use super::checks;
use crate::model;
use crate::terraform::{Attr, Attribute, Context, DataSource, Diagnostics, Number, Schema, SetOf, Type};

model! {
    /// The attributes of the data source.
    #[derive(Debug)]
    pub(super) struct CallCallbackData {
        sdk_app_id: Attr<Number>,
        configured: Attr<bool>,
        url: Attr<String>,
        callback_commands: Attr<SetOf<String>>,
        id: Attr<String>,
    }
}

/// The data source.
#[derive(Debug)]
pub(super) struct CallCallbackDataSource;

impl DataSource for CallCallbackDataSource {
    type Client = Tencent;
    type Model = CallCallbackData;

    const TYPE_NAME: &'static str = "tencent_call_callback";

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "The callback configuration of an application's calls, as it is at Tencent. An application \
                          without one is not an error: modules can branch on `configured`.",
            attributes: vec![
                Attribute::new(
                    "sdk_app_id",
                    Type::Number,
                    "The SDKAppID of the application, which the provider's credentials must belong to. Default: the \
                     provider's `sdk_app_id`.",
                )
                .optional_computed(),
                Attribute::new("configured", Type::Bool, "Whether the application has a callback configuration.")
                    .computed(),
                Attribute::new("url", Type::String, "Where Tencent posts the events; null if `configured` is false.")
                    .computed(),
                Attribute::new(
                    "callback_commands",
                    Type::set(Type::String),
                    "The events that are sent; null if `configured` is false.",
                )
                .computed(),
                Attribute::new("id", Type::String, "The SDKAppID as a string.").computed(),
            ],
        }
    }

    fn validate(&self, config: &CallCallbackData) -> Diagnostics {
        checks::sdk_app_id_argument(&config.sdk_app_id)
    }

    async fn read(
        &self,
        tencent: &Tencent,
        config: CallCallbackData,
        cx: &mut Context,
    ) -> Result<CallCallbackData, Diagnostics> {
        let callback = Callback::of(tencent, SERVICE, &config.sdk_app_id, DEFAULT_TIMEOUT, cx)?;
        let (id, found) = (callback.sdk_app_id(), callback.get().await?);
        let configured = found.is_some();
        let (url, callback_commands) = match found {
            Some(found) => {
                (Attr::Known(found.url.expose().to_owned()), Attr::Known(found.callback_commands.into_iter().collect()))
            }
            None => (Attr::Null, Attr::Null),
        };
        Ok(CallCallbackData {
            sdk_app_id: checks::number(id),
            configured: Attr::Known(configured),
            url,
            callback_commands,
            id: Attr::Known(id.to_string()),
        })
    }
}
