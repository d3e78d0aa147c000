//! The RPCs about list resources.

use futures_util::StreamExt as _;

use super::resource::{identity_of, kept};
use super::stream::{Event, Events};
use super::{Server, config_of, find};
use crate::terraform::codec::EncodeError;
use crate::terraform::list_resource::{AnyListResource, Found};
use crate::terraform::proto;
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::resource::AnyResource;
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
        // A request without a limit holds 0.
        let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let (mut found, mut empty, mut failed) = (0, 0, 0);
        // The last result that Terraform takes is held back until it is known whether there are more.
        let mut last = None;
        while let Some(look) = looks.next().await {
            if cx.stop().is_cancelled() || cx.end().is_cancelled() {
                let detail = "The results may be incomplete. Run the query again.";
                return Err(Diagnostic::error("The query was interrupted", detail).into());
            }
            match look {
                Ok(None) => empty += 1,
                Ok(Some(_)) if found == limit => {
                    last = last.map(|last| with_more_to_find(last, limit));
                    break;
                }
                Ok(Some(object)) => {
                    found += 1;
                    let event = encode_found(resource, object, request.include_resource_object)?;
                    if found == limit {
                        last = Some(event);
                    } else {
                        events.send(event).await;
                    }
                }
                Err(diagnostics) => {
                    failed += 1;
                    let diagnostic = diagnostics.into_warnings().into_proto();
                    events.send(proto::list_resource::Event { diagnostic, ..Default::default() }).await;
                }
            }
        }
        if let Some(last) = last {
            events.send(last).await;
        }
        if failed > 0 && found + empty == 0 {
            let detail = "Every attempt to read an object failed. The warnings say why.";
            return Err(Diagnostic::error("Nothing could be listed", detail).into());
        }
        Ok(())
    }
}

/// Encodes an object that was found, with its state if `with_state` is set.
fn encode_found<C>(
    resource: &dyn AnyResource<C>,
    found: Found<Value>,
    with_state: bool,
) -> Result<proto::list_resource::Event, EncodeError> {
    Ok(proto::list_resource::Event {
        identity: identity_of(resource, &found.object)?,
        display_name: found.display_name,
        resource_object: with_state.then(|| kept(resource, &found.object)).transpose()?,
        diagnostic: found.warnings.into_proto(),
    })
}

/// Warns on the last result that there are more. Terraform would not show a warning that comes after that result.
fn with_more_to_find(last: proto::list_resource::Event, limit: usize) -> proto::list_resource::Event {
    let warning = Diagnostic::warning(
        "There are more results than this query shows",
        format!(
            "The query ends after {limit}. To see the rest, set limit in the list block; Terraform's default is 100."
        ),
    );
    let diagnostic = last.diagnostic.into_iter().chain(Diagnostics::from(warning).into_proto()).collect();
    proto::list_resource::Event { diagnostic, ..last }
}

impl Event for proto::list_resource::Event {
    fn last(diagnostics: Diagnostics) -> Option<Self> {
        let diagnostic = diagnostics.into_proto();
        (!diagnostic.is_empty()).then(|| Self { diagnostic, ..Default::default() })
    }
}
