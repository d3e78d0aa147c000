//! The RPCs about ephemeral resources.

use super::{Server, deferred, find};
use crate::terraform::codec::{self, decode};
use crate::terraform::ephemeral_resource::{AnyEphemeralResource, Opened};
use crate::terraform::proto;
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::{Context, Diagnostic, Diagnostics};

impl<P: Provider> Server<P> {
    fn ephemeral_resource(&self, type_name: &str) -> Result<&dyn AnyEphemeralResource<P::Client>, Diagnostics> {
        find(&self.shared.registry.ephemeral_resources, "ephemeral resource", type_name)
    }

    pub(super) async fn validate_ephemeral_resource_config(
        &self,
        request: proto::validate_ephemeral_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_ephemeral_resource_config::Response, Diagnostics> {
        let resource = self.ephemeral_resource(&request.type_name)?;
        resource.validate(decode(request.config.as_ref(), resource.ty())?)?;
        Ok(Default::default())
    }

    pub(super) async fn open_ephemeral_resource(
        &self,
        request: proto::open_ephemeral_resource::Request,
        cx: &mut Context,
    ) -> Result<proto::open_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral_resource(&request.type_name)?;
        let schema = resource.schema();
        let config = decode(request.config.as_ref(), resource.ty())?;
        let config = schema.with_defaults(config.clone(), &config);
        let (configured, config_is_known) = (self.configured()?, config.is_wholly_known());
        let (opened, deferred) = match &*configured {
            Configured::Known(client) if config_is_known => (resource.open(client, config, cx).await?, None),
            // Only a plan can have unknown arguments. The apply opens the resource again.
            Configured::Known(_) => (schema.with_unknowns(config).into(), None),
            Configured::Partly(_) => (schema.with_unknowns(config).into(), deferred(request.client_capabilities)),
        };
        let Opened { attributes, renew_at } = opened;
        if config_is_known && deferred.is_none() && !attributes.is_wholly_known() {
            cx.warn(self.opened_later());
        }
        Ok(proto::open_ephemeral_resource::Response {
            result: Some(codec::encode(&attributes, resource.ty())?),
            renew_at: renew_at.map(Into::into),
            private: Some(cx.private_bytes()),
            deferred,
            ..Default::default()
        })
    }

    /// Warns that the resource opens only during apply. OpenTofu accepts no unknown value here and reports a bug in the
    /// provider; the warning explains that error.
    fn opened_later(&self) -> Diagnostic {
        Diagnostic::warning(
            "The ephemeral resource cannot be opened yet",
            format!(
                "An argument of the provider \"{}\" depends on a value that is known only after apply. Terraform opens \
                 the resource during apply. OpenTofu does so only if the resource depends on that value, too: add what \
                 the value comes from to its depends_on.",
                self.type_name()
            ),
        )
    }

    pub(super) async fn renew_ephemeral_resource(
        &self,
        request: proto::renew_ephemeral_resource::Request,
        cx: &mut Context,
    ) -> Result<proto::renew_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral_resource(&request.type_name)?;
        cx.set_private_bytes(request.private.unwrap_or_default());
        let renew_at = match &*self.configured()? {
            Configured::Known(client) => resource.renew(client, cx).await?,
            Configured::Partly(_) => None,
        };
        Ok(proto::renew_ephemeral_resource::Response {
            renew_at: renew_at.map(Into::into),
            private: Some(cx.private_bytes()),
            ..Default::default()
        })
    }

    pub(super) async fn close_ephemeral_resource(
        &self,
        request: proto::close_ephemeral_resource::Request,
        cx: &mut Context,
    ) -> Result<proto::close_ephemeral_resource::Response, Diagnostics> {
        let resource = self.ephemeral_resource(&request.type_name)?;
        cx.set_private_bytes(request.private.unwrap_or_default());
        // If the client is not known, nothing was opened.
        if let Configured::Known(client) = &*self.configured()? {
            resource.close(client, cx).await?;
        }
        Ok(Default::default())
    }
}
