//! The tfplugin6 service: decodes a request by schema, calls the provider's object, encodes its answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::codec::{self, DecodeError, EncodeError, ExtraAttributes, decode};
use super::data_source::AnyDataSource;
use super::proto::{self, DynamicValue, RawState, ResourceIdentityData};
use super::provider::{Configured, Provider, Registry};
use super::resource::{AnyResource, Change, ImportTarget};
use super::session::Session;
use super::{AttributePath, Context, Data, Diagnostic, Diagnostics, Schema, Type, Value};

/// Serves a [`Provider`] as the gRPC service `tfplugin6.Provider`.
pub struct Server<P: Provider> {
    shared: Arc<Shared<P>>,
    session: Session<P>,
}

/// What all sessions share.
struct Shared<P: Provider> {
    provider: P,
    schema: Schema,
    registry: Registry<P::Client>,
    end: CancellationToken,
}

impl<P: Provider> Server<P> {
    /// A server that Terraform has yet to configure.
    ///
    /// # Panics
    ///
    /// If a schema of the provider disagrees with its model.
    pub fn new(provider: P) -> Self {
        Self::ending_with(provider, CancellationToken::new())
    }

    /// The same in a process that ends soon after `end` is cancelled: what is under way then hurries.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn ending_with(provider: P, end: CancellationToken) -> Self {
        let schema = provider.schema();
        assert_eq!(schema.ty(), P::Config::ty(), "schema and model of the provider block");
        let registry = provider.registry();
        Self { shared: Arc::new(Shared { provider, schema, registry, end }), session: Session::default() }
    }

    /// The server in the session of a request: the caller's own, if the transport tells callers apart.
    fn of<T>(&self, request: &Request<T>) -> Self {
        let session = request.extensions().get().unwrap_or(&self.session).clone();
        Self { shared: Arc::clone(&self.shared), session }
    }

    fn configured(&self) -> Result<Arc<Configured<P::Client>>, Diagnostics> {
        let used_too_early = || Diagnostic::bug("Terraform used the provider before configuring it.").into();
        self.session.client().ok_or_else(used_too_early)
    }

    fn unknown_provider(&self) -> Diagnostics {
        Diagnostic::error(
            "The provider's configuration is not known yet",
            format!(
                "An argument of the provider \"{}\" depends on a value that is known only after apply. First apply \
                 what it depends on, for example with -target.",
                P::TYPE_NAME
            ),
        )
        .into()
    }

    fn resource(&self, type_name: &str) -> Result<&dyn AnyResource<P::Client>, Diagnostics> {
        match self.shared.registry.resources.get(type_name) {
            Some(resource) => Ok(resource.as_ref()),
            None => Err(unknown_type("resource type", type_name)),
        }
    }

    fn data_source(&self, type_name: &str) -> Result<&dyn AnyDataSource<P::Client>, Diagnostics> {
        match self.shared.registry.data_sources.get(type_name) {
            Some(data_source) => Ok(data_source.as_ref()),
            None => Err(unknown_type("data source", type_name)),
        }
    }

    async fn get_metadata(
        &self,
        _: proto::get_metadata::Request,
        _: &mut Context,
    ) -> Result<proto::get_metadata::Response, Diagnostics> {
        use proto::get_metadata::{DataSourceMetadata, ResourceMetadata};
        Ok(proto::get_metadata::Response {
            server_capabilities: Some(capabilities()),
            resources: names(&self.shared.registry.resources).map(|type_name| ResourceMetadata { type_name }).collect(),
            data_sources: names(&self.shared.registry.data_sources)
                .map(|type_name| DataSourceMetadata { type_name })
                .collect(),
            ..Default::default()
        })
    }

    async fn get_provider_schema(
        &self,
        _: proto::get_provider_schema::Request,
        _: &mut Context,
    ) -> Result<proto::get_provider_schema::Response, Diagnostics> {
        let resources = self.shared.registry.resources.iter();
        let data_sources = self.shared.registry.data_sources.iter();
        Ok(proto::get_provider_schema::Response {
            provider: Some(self.shared.schema.to_proto()),
            resource_schemas: resources.map(|(name, r)| ((*name).to_owned(), r.schema().to_proto())).collect(),
            data_source_schemas: data_sources.map(|(name, d)| ((*name).to_owned(), d.schema().to_proto())).collect(),
            server_capabilities: Some(capabilities()),
            ..Default::default()
        })
    }

    async fn get_resource_identity_schemas(
        &self,
        _: proto::get_resource_identity_schemas::Request,
        _: &mut Context,
    ) -> Result<proto::get_resource_identity_schemas::Response, Diagnostics> {
        let resources = self.shared.registry.resources.iter();
        Ok(proto::get_resource_identity_schemas::Response {
            identity_schemas: resources.map(|(name, r)| ((*name).to_owned(), r.identity_schema().to_proto())).collect(),
            ..Default::default()
        })
    }

    async fn validate_provider_config(
        &self,
        request: proto::validate_provider_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_provider_config::Response, Diagnostics> {
        let config = decode(request.config.as_ref(), &self.shared.schema.ty())?;
        self.shared.schema.validate(config, |config| self.shared.provider.validate(config))?;
        Ok(Default::default())
    }

    async fn validate_resource_config(
        &self,
        request: proto::validate_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_resource_config::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        resource.validate(decode(request.config.as_ref(), &resource.schema().ty())?)?;
        Ok(Default::default())
    }

    async fn validate_data_resource_config(
        &self,
        request: proto::validate_data_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_data_resource_config::Response, Diagnostics> {
        let data_source = self.data_source(&request.type_name)?;
        data_source.validate(decode(request.config.as_ref(), &data_source.schema().ty())?)?;
        Ok(Default::default())
    }

    async fn upgrade_resource_state(
        &self,
        request: proto::upgrade_resource_state::Request,
        _: &mut Context,
    ) -> Result<proto::upgrade_resource_state::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let state = upgrade(resource, &request.type_name, request.version, request.raw_state.as_ref())?;
        Ok(proto::upgrade_resource_state::Response {
            upgraded_state: Some(codec::encode(&state, &resource.schema().ty())?),
            ..Default::default()
        })
    }

    async fn upgrade_resource_identity(
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

    async fn configure_provider(
        &self,
        request: proto::configure_provider::Request,
        cx: &mut Context,
    ) -> Result<proto::configure_provider::Response, Diagnostics> {
        tracing::debug!(terraform_version = request.terraform_version, "configuring the provider");
        let config = P::Config::from_value(decode(request.config.as_ref(), &self.shared.schema.ty())?)?;
        self.session.configure(self.shared.provider.configure(config, cx)?);
        Ok(Default::default())
    }

    async fn read_resource(
        &self,
        request: proto::read_resource::Request,
        cx: &mut Context,
    ) -> Result<proto::read_resource::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let ty = resource.schema().ty();
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
        let state = resource.read(client, decode(request.current_state.as_ref(), &ty)?, cx).await?;
        Ok(proto::read_resource::Response {
            new_state: Some(codec::encode(&state, &ty)?),
            new_identity: identity_of(resource, &state)?,
            private: cx.private_bytes(),
            ..Default::default()
        })
    }

    async fn plan_resource_change(
        &self,
        request: proto::plan_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::plan_resource_change::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let schema = resource.schema();
        let ty = schema.ty();
        let prior = decode(request.prior_state.as_ref(), &ty)?;
        let proposed = decode(request.proposed_new_state.as_ref(), &ty)?;

        let configured = self.configured()?;
        let (client, known) = match &*configured {
            Configured::Known(client) => (client, true),
            Configured::Partly(client) => (client, false),
        };
        cx.set_private_bytes(request.prior_private);
        cx.set_provider_is_known(known);
        if proposed.is_null() {
            resource.plan_destroy(client, prior, cx).await?;
            return Ok(proto::plan_resource_change::Response {
                planned_state: Some(codec::encode(&Value::Null, &ty)?),
                planned_private: cx.private_bytes(),
                planned_identity: request.prior_identity,
                ..Default::default()
            });
        }

        let config = decode(request.config.as_ref(), &ty)?;
        let change = Change {
            prior: (!prior.is_null()).then(|| prior.clone()),
            proposed: schema.with_defaults(proposed, &config),
            config,
        };
        let planned = resource.plan(client, change, cx).await?;
        let deferred = if known { None } else { deferred(request.client_capabilities) };
        if deferred.is_some() {
            // What is deferred is planned again when more is known.
            cx.discard_warnings();
        }

        let replacing = |name| AttributePath::attribute(name).to_proto();
        let requires_replace = match prior {
            Value::Null => Vec::new(),
            prior => schema.replacing_changes(&prior, &planned).map(replacing).collect(),
        };
        Ok(proto::plan_resource_change::Response {
            planned_state: Some(codec::encode(&planned, &ty)?),
            requires_replace,
            planned_private: cx.private_bytes(),
            planned_identity: identity_of(resource, &planned)?,
            deferred,
            ..Default::default()
        })
    }

    async fn apply_resource_change(
        &self,
        request: proto::apply_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::apply_resource_change::Response, Diagnostics> {
        let (type_name, prior_state) = (request.type_name.clone(), request.prior_state.clone());
        cx.set_private_bytes(request.planned_private.clone());
        let response = self.apply(request, cx).await.or_else(|diagnostics| {
            // Nothing was reached: what held before still holds.
            Ok(proto::apply_resource_change::Response {
                new_identity: self.stored_identity(&type_name, prior_state.as_ref()),
                new_state: prior_state,
                diagnostics: diagnostics.into_proto(),
                ..Default::default()
            })
        });
        response.map(|response| proto::apply_resource_change::Response { private: cx.private_bytes(), ..response })
    }

    /// The identity of the object in a state as Terraform sent it; `None` where there is none to be found.
    fn stored_identity(&self, type_name: &str, state: Option<&DynamicValue>) -> Option<ResourceIdentityData> {
        let resource = self.resource(type_name).ok()?;
        let state = decode(state, &resource.schema().ty()).ok()?;
        identity_of(resource, &state).ok()?
    }

    async fn apply(
        &self,
        request: proto::apply_resource_change::Request,
        cx: &mut Context,
    ) -> Result<proto::apply_resource_change::Response, Diagnostics> {
        let resource = self.resource(&request.type_name)?;
        let ty = resource.schema().ty();
        let configured = self.configured()?;
        let Configured::Known(client) = &*configured else { return Err(self.unknown_provider()) };
        let prior = decode(request.prior_state.as_ref(), &ty)?;
        let planned = decode(request.planned_state.as_ref(), &ty)?;
        let applied = resource.apply(client, prior, planned, cx).await?;
        Ok(proto::apply_resource_change::Response {
            new_state: Some(codec::encode(&applied.state, &ty)?),
            new_identity: identity_of(resource, &applied.state)?,
            diagnostics: applied.diagnostics.into_proto(),
            ..Default::default()
        })
    }

    async fn import_resource_state(
        &self,
        request: proto::import_resource_state::Request,
        cx: &mut Context,
    ) -> Result<proto::import_resource_state::Response, Diagnostics> {
        use proto::import_resource_state::ImportedResource;
        let resource = self.resource(&request.type_name)?;
        let ty = resource.schema().ty();
        let target = match &request.identity {
            Some(identity) => {
                let ty = resource.identity_schema().ty();
                ImportTarget::Identity(decode(identity.identity_data.as_ref(), &ty)?)
            }
            None => ImportTarget::Id(request.id),
        };
        let (state, deferred) = match (&*self.configured()?, deferred(request.client_capabilities)) {
            (Configured::Known(client), _) => (resource.import(client, target, cx).await?, None),
            (Configured::Partly(_), Some(deferred)) => (all_unknown(&ty), Some(deferred)),
            (Configured::Partly(_), None) => return Err(self.unknown_provider()),
        };
        let imported = ImportedResource {
            type_name: request.type_name,
            state: Some(codec::encode(&state, &ty)?),
            identity: if deferred.is_some() { request.identity } else { identity_of(resource, &state)? },
            private: Vec::new(),
        };
        Ok(proto::import_resource_state::Response {
            imported_resources: vec![imported],
            deferred,
            ..Default::default()
        })
    }

    async fn move_resource_state(
        &self,
        request: proto::move_resource_state::Request,
        _: &mut Context,
    ) -> Result<proto::move_resource_state::Response, Diagnostics> {
        let target = &request.target_type_name;
        let resource = self.resource(target)?;
        // The same provider under another address, such as a private registry's.
        let same_provider = request.source_provider_address.rsplit('/').next() == Some(P::TYPE_NAME);
        if !same_provider || request.source_type_name != *target {
            return Err(Diagnostic::error(
                "Move between these resources is not supported",
                format!(
                    "A {target} cannot take over the state of {} of provider {}: the two have nothing in common. \
                     Remove the \"moved\" block and import the object instead.",
                    request.source_type_name, request.source_provider_address
                ),
            )
            .into());
        }
        let state = upgrade(resource, target, request.source_schema_version, request.source_state.as_ref())?;
        Ok(proto::move_resource_state::Response {
            target_state: Some(codec::encode(&state, &resource.schema().ty())?),
            target_identity: identity_of(resource, &state)?,
            target_private: request.source_private,
            ..Default::default()
        })
    }

    async fn read_data_source(
        &self,
        request: proto::read_data_source::Request,
        cx: &mut Context,
    ) -> Result<proto::read_data_source::Response, Diagnostics> {
        let data_source = self.data_source(&request.type_name)?;
        let ty = data_source.schema().ty();
        let config = decode(request.config.as_ref(), &ty)?;
        let (state, deferred) = match (&*self.configured()?, deferred(request.client_capabilities)) {
            (Configured::Known(client), _) => (data_source.read(client, config, cx).await?, None),
            (Configured::Partly(_), Some(deferred)) => (all_unknown(&ty), Some(deferred)),
            (Configured::Partly(_), None) => return Err(self.unknown_provider()),
        };
        Ok(proto::read_data_source::Response {
            state: Some(codec::encode(&state, &ty)?),
            deferred,
            ..Default::default()
        })
    }

    async fn get_functions(
        &self,
        _: proto::get_functions::Request,
        _: &mut Context,
    ) -> Result<proto::get_functions::Response, Diagnostics> {
        Ok(Default::default())
    }

    async fn call_function(
        &self,
        request: proto::call_function::Request,
        _: &mut Context,
    ) -> Result<proto::call_function::Response, Diagnostics> {
        let text = format!("The provider \"{}\" has no function \"{}\".", P::TYPE_NAME, request.name);
        let error = proto::FunctionError { text, function_argument: None };
        Ok(proto::call_function::Response { error: Some(error), result: None })
    }

    async fn stop_provider(
        &self,
        _: proto::stop_provider::Request,
        _: &mut Context,
    ) -> Result<proto::stop_provider::Response, Diagnostics> {
        tracing::info!("Terraform asks to stop: operations under way end now");
        self.session.stop().cancel();
        Ok(Default::default())
    }
}

fn names<T>(map: &std::collections::BTreeMap<&'static str, T>) -> impl Iterator<Item = String> {
    map.keys().map(|name| (*name).to_owned())
}

fn capabilities() -> proto::ServerCapabilities {
    proto::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: false,
    }
}

/// The deferral of what needs a provider whose configuration is unknown, if the client understands deferral.
fn deferred(capabilities: Option<proto::ClientCapabilities>) -> Option<proto::Deferred> {
    let reason = proto::deferred::Reason::ProviderConfigUnknown.into();
    capabilities.is_some_and(|c| c.deferral_allowed).then_some(proto::Deferred { reason })
}

fn identity_of<C>(resource: &dyn AnyResource<C>, state: &Value) -> Result<Option<ResourceIdentityData>, EncodeError> {
    match resource.identity(state) {
        Value::Null => Ok(None),
        identity => identity_data(&identity, &resource.identity_schema().ty()),
    }
}

fn identity_data(identity: &Value, ty: &Type) -> Result<Option<ResourceIdentityData>, EncodeError> {
    Ok(Some(ResourceIdentityData { identity_data: Some(codec::encode(identity, ty)?) }))
}

/// An object of which nothing is known.
fn all_unknown(ty: &Type) -> Value {
    match ty {
        Type::Object(attributes) => {
            Value::Object(attributes.keys().map(|name| (name.clone(), Value::Unknown)).collect())
        }
        _ => Value::Unknown,
    }
}

/// Brings a stored state into the form of the current schema.
fn upgrade<C>(
    resource: &dyn AnyResource<C>,
    type_name: &str,
    version: i64,
    raw: Option<&RawState>,
) -> Result<Value, Diagnostics> {
    let schema = resource.schema();
    if raw.is_some_and(|raw| !raw.flatmap.is_empty()) {
        // No provider of this protocol ran there.
        return Err(unreadable_state("state", type_name, "it is in the format of Terraform 0.11 or older"));
    }
    let json = raw.map(|raw| raw.json.as_slice()).unwrap_or_default();
    if version == schema.version {
        return codec::from_json(json, &schema.ty(), ExtraAttributes::Ignored)
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
        format!("The stored {what} of a {type_name} has another schema version"),
        format!("It has version {version}, this provider writes version {current}. {advice} Nothing was changed."),
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

fn unknown_type(kind: &str, type_name: &str) -> Diagnostics {
    Diagnostic::error(
        format!("Unknown {kind}"),
        format!("This version of the provider has no {kind} \"{type_name}\". Check the name, or upgrade the provider."),
    )
    .into()
}

impl From<DecodeError> for Diagnostics {
    fn from(error: DecodeError) -> Self {
        let text = format!("Terraform sent a value that does not fit the schema: {error}.");
        Diagnostic::bug(text).at(error.path).into()
    }
}

impl From<EncodeError> for Diagnostics {
    fn from(error: EncodeError) -> Self {
        Diagnostic::bug(format!("{error}.")).into()
    }
}

/// A response that can carry diagnostics.
trait Answer: Default {
    /// Adds diagnostics behind those that are there.
    fn add(&mut self, diagnostics: Diagnostics);
}

/// The responses whose diagnostics are a field `diagnostics`.
macro_rules! answers {
    ($($message:ident)*) => {
        $(impl Answer for proto::$message::Response {
            fn add(&mut self, diagnostics: Diagnostics) {
                self.diagnostics.extend(diagnostics.into_proto());
            }
        })*
    };
}

answers! {
    get_metadata get_provider_schema get_resource_identity_schemas
    validate_provider_config validate_resource_config validate_data_resource_config
    upgrade_resource_state upgrade_resource_identity configure_provider
    read_resource plan_resource_change apply_resource_change import_resource_state move_resource_state
    read_data_source get_functions
}

impl Answer for proto::call_function::Response {
    fn add(&mut self, diagnostics: Diagnostics) {
        if let Some(error) = diagnostics.into_iter().next() {
            let text = format!("{}: {}", error.summary, error.detail);
            self.error = Some(proto::FunctionError { text, function_argument: None });
        }
    }
}

impl Answer for proto::stop_provider::Response {
    fn add(&mut self, diagnostics: Diagnostics) {
        if let Some(error) = diagnostics.into_iter().next() {
            self.error = error.summary;
        }
    }
}

/// Runs one RPC: what it fails with becomes diagnostics, and what it panics with an error that ends nothing else.
async fn answer<T: Answer>(
    rpc: &'static str,
    mut cx: Context,
    work: impl AsyncFnOnce(&mut Context) -> Result<T, Diagnostics>,
) -> Result<Response<T>, Status> {
    let outcome = AssertUnwindSafe(work(&mut cx)).catch_unwind().await;
    let mut response = T::default();
    match outcome {
        Ok(Ok(answer)) => response = answer,
        Ok(Err(diagnostics)) => response.add(diagnostics),
        Err(_) => {
            // A gRPC error rather than a diagnostic: Terraform then keeps the state that it has.
            let text = format!("{rpc} met a bug in the provider; its log has the place. Please report it.");
            return Err(Status::internal(text));
        }
    }
    response.add(cx.into_warnings());
    Ok(Response::new(response))
}

/// The service's methods: each runs the method of the same name above. What is not listed here answers UNIMPLEMENTED.
macro_rules! serve {
    ($($method:ident)*) => {
        impl<P: Provider> proto::provider_server::Provider for Server<P> {
            $(fn $method<'life0, 'async_trait>(
                &'life0 self,
                request: Request<proto::$method::Request>,
            ) -> Pin<Box<dyn Future<Output = Result<Response<proto::$method::Response>, Status>> + Send + 'async_trait>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                let server = self.of(&request);
                let cx = Context::new(server.session.stop(), server.shared.end.clone());
                let span = tracing::info_span!("rpc", tf_rpc = stringify!($method));
                let work = async move |cx: &mut Context| server.$method(request.into_inner(), cx).await;
                Box::pin(answer(stringify!($method), cx, work).instrument(span))
            })*
        }
    };
}

serve! {
    get_metadata get_provider_schema get_resource_identity_schemas
    validate_provider_config validate_resource_config validate_data_resource_config
    upgrade_resource_state upgrade_resource_identity configure_provider
    read_resource plan_resource_change apply_resource_change import_resource_state move_resource_state
    read_data_source get_functions call_function stop_provider
}
