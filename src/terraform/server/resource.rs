//! The RPCs about managed resources.

use super::{Server, all_unknown, deferred, each, find};
use crate::terraform::codec::{self, EncodeError, ExtraAttributes, decode};
use crate::terraform::proto::{self, DynamicValue, RawState, ResourceIdentityData};
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::resource::{AnyResource, Change, Failure, Foreign, ImportTarget};
use crate::terraform::{AttributePath, Context, Diagnostic, Diagnostics, Type, Value};

impl<P: Provider> Server<P> {
    pub(super) fn resource(&self, type_name: &str) -> Result<&dyn AnyResource<P::Client>, Diagnostics> {
        find(&self.shared.registry.resources, "resource type", type_name)
    }

    pub(super) async fn get_resource_identity_schemas(
        &self,
        _: proto::get_resource_identity_schemas::Request,
        _: &mut Context,
    ) -> Result<proto::get_resource_identity_schemas::Response, Diagnostics> {
        Ok(proto::get_resource_identity_schemas::Response {
            identity_schemas: each(&self.shared.registry.resources, |resource| resource.identity_schema().to_proto()),
            ..Default::default()
        })
    }

    pub(super) async fn validate_resource_config(
        &self,
        request: proto::validate_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_resource_config::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let config = decode(request.config.as_ref(), resource.ty())?;
        if !request.client_capabilities.is_some_and(|c| c.write_only_attributes_allowed) {
            resource.schema().unsupported_write_only(&config).into_result()?;
        }
        resource.validate(config)?;
        Ok(Default::default())
    }

    pub(super) async fn upgrade_resource_state(
        &self,
        request: proto::upgrade_resource_state::Request,
        _: &mut Context,
    ) -> Result<proto::upgrade_resource_state::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let state = upgrade(resource, &request.type_name, request.version, request.raw_state.as_ref())?;
        Ok(proto::upgrade_resource_state::Response {
            upgraded_state: Some(kept(resource, &state)?),
            ..Default::default()
        })
    }

    pub(super) async fn upgrade_resource_identity(
        &self,
        request: proto::upgrade_resource_identity::Request,
        _: &mut Context,
    ) -> Result<proto::upgrade_resource_identity::Response, Diagnostics> {
        let schema = self.resource(&request.type_name)?.identity_schema();
        if request.version != schema.version {
            return Err(other_version("identity", &request.type_name, request.version, schema.version));
        }
        let raw = request.raw_identity.as_ref().map(|raw| raw.json.as_slice()).unwrap_or_default();
        let identity = codec::from_json(raw, &schema.ty(), ExtraAttributes::Ignored)
            .map_err(|error| unreadable_state("identity", &request.type_name, &error.to_string()))?;
        Ok(proto::upgrade_resource_identity::Response {
            upgraded_identity: identity_data(&identity, &schema.ty())?,
            ..Default::default()
        })
    }

    pub(super) async fn read_resource(
        &self,
        request: proto::read_resource::Request,
        cx: &mut Context,
    ) -> Result<proto::read_resource::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let configured = self.configured()?;
        let Configured::Known(client) = &*configured else {
            let deferred = deferred(request.client_capabilities);
            if deferred.is_none() {
                cx.warn(not_refreshed(&request.type_name));
            }
            return Ok(proto::read_resource::Response {
                new_state: request.current_state,
                new_identity: request.current_identity,
                private: request.private,
                deferred,
                ..Default::default()
            });
        };
        cx.set_private_bytes(request.private);
        let state = resource.read(client, decode(request.current_state.as_ref(), resource.ty())?, cx).await?;
        Ok(proto::read_resource::Response {
            new_state: Some(kept(resource, &state)?),
            new_identity: identity_of(resource, &state)?,
            private: cx.private_bytes(),
            ..Default::default()
        })
    }

    pub(super) async fn plan_resource_change(
        &self,
        request: proto::plan_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::plan_resource_change::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let (schema, ty) = (resource.schema(), resource.ty());
        let prior = decode(request.prior_state.as_ref(), ty)?;
        let proposed = decode(request.proposed_new_state.as_ref(), ty)?;

        let configured = self.configured()?;
        let (client, known) = match &*configured {
            Configured::Known(client) => (client, true),
            Configured::Partly(client) => (client, false),
        };
        cx.set_private_bytes(request.prior_private);
        cx.set_first_plan_bytes(request.planned_private);
        cx.set_host_keeps_plans(request.client_capabilities.is_some_and(|c| c.store_planned_private));
        cx.set_provider_is_known(known);
        if proposed.is_null() {
            resource.plan_destroy(client, prior, cx).await?;
            return Ok(proto::plan_resource_change::Response {
                planned_state: Some(codec::encode(&Value::Null, ty)?),
                planned_private: cx.private_bytes(),
                planned_identity: request.prior_identity,
                ..Default::default()
            });
        }

        let config = decode(request.config.as_ref(), ty)?;
        let change = Change {
            prior: (!prior.is_null()).then(|| prior.clone()),
            proposed: schema.with_write_only(schema.with_defaults(proposed, &config), &config),
            config,
        };
        let planned = resource.plan(client, change, cx).await?;
        let deferred = if known { None } else { deferred(request.client_capabilities) };
        if deferred.is_some() {
            // A deferred object is planned again when more is known.
            cx.discard_warnings();
        }

        let replacing = |name| AttributePath::attribute(name).to_proto();
        let requires_replace = match prior {
            Value::Null => Vec::new(),
            prior => schema.replacing_changes(&prior, &planned).map(replacing).collect(),
        };
        Ok(proto::plan_resource_change::Response {
            planned_state: Some(kept(resource, &planned)?),
            requires_replace,
            planned_private: cx.private_bytes(),
            planned_identity: identity_of(resource, &planned)?,
            deferred,
            ..Default::default()
        })
    }

    pub(super) async fn apply_resource_change(
        &self,
        request: proto::apply_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::apply_resource_change::Response, Diagnostics> {
        let (type_name, prior_state) = (request.type_name.clone(), request.prior_state.clone());
        cx.set_private_bytes(request.planned_private.clone());
        let response = self.apply(request, cx).await.or_else(|diagnostics| {
            // The remote object was not reached, so the prior state still holds.
            Ok(proto::apply_resource_change::Response {
                new_identity: self.stored_identity(&type_name, prior_state.as_ref()),
                new_state: prior_state,
                diagnostics: diagnostics.into_proto(),
                ..Default::default()
            })
        });
        response.map(|response| proto::apply_resource_change::Response { private: cx.private_bytes(), ..response })
    }

    /// Returns the identity of the object in a state that Terraform sent, if there is one.
    fn stored_identity(&self, type_name: &str, state: Option<&DynamicValue>) -> Option<ResourceIdentityData> {
        let resource = self.resource(type_name).ok()?;
        let state = decode(state, resource.ty()).ok()?;
        identity_of(resource, &state).ok()?
    }

    async fn apply(
        &self,
        request: proto::apply_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::apply_resource_change::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let ty = resource.ty();
        let configured = self.configured()?;
        let Configured::Known(client) = &*configured else { return Err(self.unknown_provider()) };
        let prior = decode(request.prior_state.as_ref(), ty)?;
        let config = decode(request.config.as_ref(), ty)?;
        let planned = resource.schema().with_write_only(decode(request.planned_state.as_ref(), ty)?, &config);
        let (state, diagnostics) = match resource.apply(client, prior.clone(), planned, cx).await {
            Ok(state) => (state, Diagnostics::new()),
            Err(Failure { state, diagnostics }) => (state.unwrap_or(prior), diagnostics),
        };
        Ok(proto::apply_resource_change::Response {
            new_state: Some(kept(resource, &state)?),
            new_identity: identity_of(resource, &state)?,
            diagnostics: diagnostics.into_proto(),
            ..Default::default()
        })
    }

    pub(super) async fn import_resource_state(
        &self,
        request: proto::import_resource_state::Request,
        cx: &mut Context,
    ) -> Result<proto::import_resource_state::Response, Diagnostics> {
        use proto::import_resource_state::ImportedResource;
        let resource = self.resource(&request.type_name)?;
        let target = match &request.identity {
            Some(identity) => {
                let ty = resource.identity_schema().ty();
                ImportTarget::Identity(decode(identity.identity_data.as_ref(), &ty)?)
            }
            None => ImportTarget::Id(request.id),
        };
        let (state, deferred) = match (&*self.configured()?, deferred(request.client_capabilities)) {
            (Configured::Known(client), _) => (resource.import(client, target, cx).await?, None),
            (Configured::Partly(_), Some(deferred)) => (all_unknown(resource.ty()), Some(deferred)),
            (Configured::Partly(_), None) => return Err(self.unknown_provider()),
        };
        let imported = ImportedResource {
            type_name: request.type_name,
            state: Some(kept(resource, &state)?),
            identity: if deferred.is_some() { request.identity } else { identity_of(resource, &state)? },
            private: Vec::new(),
        };
        Ok(proto::import_resource_state::Response {
            imported_resources: vec![imported],
            deferred,
            ..Default::default()
        })
    }

    /// Answers with the configuration that Terraform writes for an object that someone imports.
    pub(super) async fn generate_resource_config(
        &self,
        request: proto::generate_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::generate_resource_config::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let config = resource.schema().config_of(decode(request.state.as_ref(), resource.ty())?);
        Ok(proto::generate_resource_config::Response { config: Some(kept(resource, &config)?), ..Default::default() })
    }

    pub(super) async fn move_resource_state(
        &self,
        request: proto::move_resource_state::Request,
        _: &mut Context,
    ) -> Result<proto::move_resource_state::Response, Diagnostics> {
        let target = &request.target_type_name;
        let resource = self.resource(target)?;
        // The provider may have had another address, such as a private registry's.
        let same_provider = request.source_provider_address.rsplit('/').next() == Some(self.type_name());
        let (state, private) = if same_provider && request.source_type_name == *target {
            let state = upgrade(resource, target, request.source_schema_version, request.source_state.as_ref())?;
            (state, request.source_private)
        } else {
            (take_over(resource, &request)?, Vec::new())
        };
        Ok(proto::move_resource_state::Response {
            target_state: Some(kept(resource, &state)?),
            target_identity: identity_of(resource, &state)?,
            target_private: private,
            ..Default::default()
        })
    }
}

/// Describes the object of a resource of another type.
fn take_over<C>(
    resource: &dyn AnyResource<C>,
    request: &proto::move_resource_state::Request,
) -> Result<Value, Diagnostics> {
    let (provider, type_name) = (&request.source_provider_address, &request.source_type_name);
    let json = request.source_state.as_ref().map(|raw| raw.json.as_slice()).unwrap_or_default();
    let attributes =
        serde_json::from_slice(json).map_err(|_| unreadable_state("state", type_name, "it is not JSON"))?;
    resource.take_over(&Foreign { provider, type_name, attributes: &attributes }).unwrap_or_else(|| {
        Err(Diagnostic::error(
            "Moving between these resources is not supported",
            format!(
                "A {} cannot take over the state of {type_name} of provider {provider}: the two have nothing in common. \
                 Remove the \"moved\" block and import the object instead.",
                request.target_type_name
            ),
        )
        .into())
    })
}

/// Encodes an object without its write-only values.
pub(super) fn kept<C>(resource: &dyn AnyResource<C>, object: &Value) -> Result<DynamicValue, EncodeError> {
    codec::encode(&resource.schema().without_write_only(object.clone()), resource.ty())
}

pub(super) fn identity_of<C>(
    resource: &dyn AnyResource<C>,
    state: &Value,
) -> Result<Option<ResourceIdentityData>, EncodeError> {
    let schema = resource.identity_schema();
    match schema.identity_of(state) {
        Value::Null => Ok(None),
        identity => identity_data(&identity, &schema.ty()),
    }
}

fn identity_data(identity: &Value, ty: &Type) -> Result<Option<ResourceIdentityData>, EncodeError> {
    Ok(Some(ResourceIdentityData { identity_data: Some(codec::encode(identity, ty)?) }))
}

/// Decodes a stored state, and upgrades it to the current schema.
fn upgrade<C>(
    resource: &dyn AnyResource<C>,
    type_name: &str,
    version: i64,
    raw: Option<&RawState>,
) -> Result<Value, Diagnostics> {
    let schema = resource.schema();
    if raw.is_some_and(|raw| !raw.flatmap.is_empty()) {
        // Terraform wrote this format before there were providers of this protocol.
        return Err(unreadable_state("state", type_name, "it is in the format of Terraform 0.11 or older"));
    }
    let json = raw.map(|raw| raw.json.as_slice()).unwrap_or_default();
    if version == schema.version {
        return codec::from_json(json, resource.ty(), ExtraAttributes::Ignored)
            .map_err(|error| unreadable_state("state", type_name, &error.to_string()));
    }
    let state = serde_json::from_slice(json).map_err(|_| unreadable_state("state", type_name, "it is not JSON"))?;
    (version < schema.version)
        .then(|| resource.upgrade(version, state))
        .flatten()
        .ok_or_else(|| other_version("state", type_name, version, schema.version))
}

fn unreadable_state(what: &str, type_name: &str, reason: &str) -> Diagnostics {
    Diagnostic::error(
        format!("The stored {what} of a {type_name} cannot be read"),
        format!(
            "{reason}.\n\nNothing was changed. Restore an earlier version of the state, or remove the resource from it \
             (terraform state rm) and import the object again."
        ),
    )
    .into()
}

fn other_version(what: &str, type_name: &str, version: i64, current: i64) -> Diagnostics {
    let advice = if version > current {
        "A newer version of the provider wrote it: upgrade the provider to that version or a later one."
    } else {
        "This version of the provider cannot upgrade it: use an earlier version first."
    };
    Diagnostic::error(
        format!("The stored {what} of a {type_name} has an unsupported schema version"),
        format!("It has version {version}, but this provider uses version {current}. {advice} Nothing was changed."),
    )
    .into()
}

fn not_refreshed(type_name: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("A {type_name} was not refreshed"),
        "The provider's configuration depends on values that are known only after apply. The plan shows the object as \
         the last apply left it.",
    )
}
