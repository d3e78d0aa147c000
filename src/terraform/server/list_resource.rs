//! The RPCs about list resources.

use futures_util::StreamExt as _;

use super::resource::{identity_of, kept};
use super::stream::{Event, Events};
use super::{Server, find};
use crate::terraform::codec::decode;
use crate::terraform::list_resource::AnyListResource;
use crate::terraform::proto::{self, DynamicValue};
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::{Context, Diagnostic, Diagnostics, Value};

impl<P: Provider> Server<P> {
    fn list_resource_of(&self, type_name: &str) -> Result<&dyn AnyListResource<P::Client>, Diagnostics> {
        find(&self.shared.registry.list_resources, "list resource", type_name)
    }

    pub(super) async fn validate_list_resource_config(
        &self,
        request: proto::validate_list_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_list_resource_config::Response, Diagnostics> {
        let list_resource = self.list_resource_of(&request.type_name)?;
        list_resource.validate(config_of(list_resource, request.config.as_ref())?)?;
        Ok(Default::default())
    }

    pub(super) async fn list_resource(
        &self,
        request: proto::list_resource::Request,
        events: &Events<proto::list_resource::Event>,
        cx: &mut Context,
    ) -> Result<(), Diagnostics> {
        let list_resource = self.list_resource_of(&request.type_name)?;
        let resource = self.resource(&request.type_name)?;
        let config = config_of(list_resource, request.config.as_ref())?;
        let configured = self.configured()?;
        let Configured::Known(client) = &*configured else { return Err(self.unknown_provider()) };

        let mut looks = list_resource.list(client, config, cx)?;
        // 0 is what a request without a limit holds.
        let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let (mut found, mut empty, mut failed) = (0, 0, 0);
        while found < limit
            && let Some(look) = looks.next().await
        {
            let event = match look {
                Ok(None) => {
                    empty += 1;
                    continue;
                }
                Ok(Some(object)) => {
                    found += 1;
                    let resource_object = request.include_resource_object.then(|| kept(resource, &object.object));
                    proto::list_resource::Event {
                        identity: identity_of(resource, &object.object)?,
                        display_name: object.display_name,
                        resource_object: resource_object.transpose()?,
                        diagnostic: Vec::new(),
                    }
                }
                Err(diagnostics) => {
                    failed += 1;
                    let diagnostic = diagnostics.into_warnings().into_proto();
                    proto::list_resource::Event { diagnostic, ..Default::default() }
                }
            };
            events.send(event).await;
        }
        if failed > 0 && found + empty == 0 {
            let detail = "Every look at a remote object failed. The warnings say why.";
            return Err(Diagnostic::error("Nothing could be listed", detail).into());
        }
        Ok(())
    }
}

/// The block `config`; one that is left out says nothing.
fn config_of<C>(list_resource: &dyn AnyListResource<C>, config: Option<&DynamicValue>) -> Result<Value, Diagnostics> {
    let schema = list_resource.schema();
    Ok(schema.or_nothing(decode(config, &schema.ty())?))
}

impl Event for proto::list_resource::Event {
    fn last(diagnostics: Diagnostics) -> Option<Self> {
        let diagnostic = diagnostics.into_proto();
        (!diagnostic.is_empty()).then(|| Self { diagnostic, ..Default::default() })
    }
}
