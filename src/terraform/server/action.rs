//! The RPCs about actions.

use super::stream::{Event, Events};
use super::{Server, config_of, deferred, find};
use crate::terraform::action::AnyAction;
use crate::terraform::proto::invoke_action::event::{Completed, Type};
use crate::terraform::proto::{self, invoke_action};
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::{Context, Diagnostics};

impl<P: Provider> Server<P> {
    fn action(&self, action_type: &str) -> Result<&dyn AnyAction<P::Client>, Diagnostics> {
        find(&self.shared.registry.actions, "action", action_type)
    }

    pub(super) async fn validate_action_config(
        &self,
        request: proto::validate_action_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_action_config::Response, Diagnostics> {
        let action = self.action(&request.type_name)?;
        action.validate(config_of(action, request.config.as_ref())?)?;
        Ok(Default::default())
    }

    pub(super) async fn plan_action(
        &self,
        request: proto::plan_action::Request,
        cx: &mut Context,
    ) -> Result<proto::plan_action::Response, Diagnostics> {
        let action = self.action(&request.action_type)?;
        let config = config_of(action, request.config.as_ref())?;
        let configured = self.configured()?;
        let (client, deferred) = match &*configured {
            Configured::Known(client) => (client, None),
            Configured::Partly(client) => {
                cx.set_provider_is_known(false);
                (client, deferred(request.client_capabilities))
            }
        };
        action.plan(client, config, cx).await?;
        Ok(proto::plan_action::Response { deferred, ..Default::default() })
    }

    pub(super) async fn invoke_action(
        &self,
        request: invoke_action::Request,
        events: &Events<invoke_action::Event>,
        cx: &mut Context,
    ) -> Result<(), Diagnostics> {
        let action = self.action(&request.action_type)?;
        let config = config_of(action, request.config.as_ref())?;
        let configured = self.configured()?;
        let Configured::Known(client) = &*configured else { return Err(self.unknown_provider()) };
        action.invoke(client, config, &Progress(events), cx).await
    }
}

/// The progress reports of an action, which Terraform shows while the action runs.
pub struct Progress<'a>(&'a Events<invoke_action::Event>);

impl Progress<'_> {
    /// Reports progress.
    pub async fn tell(&self, message: impl Into<String>) {
        let progress = Type::Progress(invoke_action::event::Progress { message: message.into() });
        self.0.send(invoke_action::Event { r#type: Some(progress) }).await;
    }
}

impl Event for invoke_action::Event {
    fn last(diagnostics: Diagnostics) -> Option<Self> {
        let completed = Type::Completed(Completed { diagnostics: diagnostics.into_proto() });
        Some(Self { r#type: Some(completed) })
    }
}
