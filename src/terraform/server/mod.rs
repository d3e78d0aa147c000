//! The tfplugin6 service: decodes a request by schema, calls the provider's object, encodes its answer.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | the session, how an RPC is answered, and the RPCs about the provider itself |
//! | `stream.rs` | how an RPC is answered with a stream |
//! | `resource.rs`, `data_source.rs`, … | the RPCs about one kind of object |

mod action;
mod data_source;
mod ephemeral_resource;
mod function;
mod list_resource;
mod resource;
mod stream;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::codec::{DecodeError, EncodeError, decode};
use super::proto;
use super::provider::{Configured, Provider, Registry};
use super::session::Session;
use super::{Context, Data, Diagnostic, Diagnostics, Schema, Type, Value};
use stream::{Events, stream};

pub use action::Progress;

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

    async fn get_metadata(
        &self,
        _: proto::get_metadata::Request,
        _: &mut Context,
    ) -> Result<proto::get_metadata::Response, Diagnostics> {
        use proto::get_metadata::{
            ActionMetadata, DataSourceMetadata, EphemeralResourceMetadata, FunctionMetadata, ListResourceMetadata,
            ResourceMetadata,
        };
        let registry = &self.shared.registry;
        Ok(proto::get_metadata::Response {
            server_capabilities: Some(capabilities()),
            resources: named(&registry.resources, |type_name| ResourceMetadata { type_name }),
            data_sources: named(&registry.data_sources, |type_name| DataSourceMetadata { type_name }),
            list_resources: named(&registry.list_resources, |type_name| ListResourceMetadata { type_name }),
            ephemeral_resources: named(&registry.ephemeral_resources, |type_name| EphemeralResourceMetadata {
                type_name,
            }),
            actions: named(&registry.actions, |type_name| ActionMetadata { type_name }),
            functions: named(&registry.functions, |name| FunctionMetadata { name }),
            ..Default::default()
        })
    }

    async fn get_provider_schema(
        &self,
        _: proto::get_provider_schema::Request,
        _: &mut Context,
    ) -> Result<proto::get_provider_schema::Response, Diagnostics> {
        let registry = &self.shared.registry;
        Ok(proto::get_provider_schema::Response {
            provider: Some(self.shared.schema.to_proto()),
            resource_schemas: each(&registry.resources, |resource| resource.schema().to_proto()),
            data_source_schemas: each(&registry.data_sources, |data_source| data_source.schema().to_proto()),
            list_resource_schemas: each(&registry.list_resources, |list_resource| list_resource.schema().to_proto()),
            ephemeral_resource_schemas: each(&registry.ephemeral_resources, |resource| resource.schema().to_proto()),
            action_schemas: each(&registry.actions, |action| proto::ActionSchema {
                schema: Some(action.schema().to_proto()),
            }),
            functions: self.functions(),
            server_capabilities: Some(capabilities()),
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

    async fn stop_provider(
        &self,
        _: proto::stop_provider::Request,
        _: &mut Context,
    ) -> Result<proto::stop_provider::Response, Diagnostics> {
        tracing::info!("Terraform asked the provider to stop: ending all operations");
        self.session.stop().cancel();
        Ok(Default::default())
    }
}

/// The objects of one kind.
type Registered<T> = BTreeMap<&'static str, Box<T>>;

/// Something for the name of each of them.
fn named<T: ?Sized, N>(registered: &Registered<T>, of: impl Fn(String) -> N) -> Vec<N> {
    registered.keys().map(|name| of((*name).to_owned())).collect()
}

/// Something for each of them, by name.
fn each<T: ?Sized, S>(registered: &Registered<T>, of: impl Fn(&T) -> S) -> HashMap<String, S> {
    registered.iter().map(|(name, object)| ((*name).to_owned(), of(object))).collect()
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

/// An object of which nothing is known.
fn all_unknown(ty: &Type) -> Value {
    match ty {
        Type::Object(attributes) => {
            Value::Object(attributes.keys().map(|name| (name.clone(), Value::Unknown)).collect())
        }
        _ => Value::Unknown,
    }
}

/// The block `config` of a list or an action; one that is left out says nothing.
fn config_of(schema: &Schema, config: Option<&proto::DynamicValue>) -> Result<Value, DecodeError> {
    Ok(schema.or_nothing(decode(config, &schema.ty())?))
}

/// The object of this name among those of its kind.
fn find<'a, T: ?Sized>(registered: &'a Registered<T>, kind: &str, type_name: &str) -> Result<&'a T, Diagnostics> {
    registered.get(type_name).map(Box::as_ref).ok_or_else(|| unknown_type(kind, type_name))
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
    read_data_source get_functions validate_list_resource_config validate_action_config plan_action
    validate_ephemeral_resource_config open_ephemeral_resource renew_ephemeral_resource close_ephemeral_resource
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
            return Err(met_a_bug(rpc));
        }
    }
    response.add(cx.into_warnings());
    Ok(Response::new(response))
}

/// What an RPC is answered with that panicked. The panic's message may quote a secret.
fn met_a_bug(rpc: &str) -> Status {
    Status::internal(format!(
        "The provider panicked in {rpc}. This is a bug: please report it, with what the provider's log says."
    ))
}

/// The service's methods: each runs the method of the same name above. Those behind the semicolon are answered with a
/// stream. What is not listed here answers UNIMPLEMENTED.
macro_rules! serve {
    ($($method:ident)* ; $($streamed:ident)*) => {
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

            $(fn $streamed<'life0, 'async_trait>(
                &'life0 self,
                request: Request<proto::$streamed::Request>,
            ) -> Pin<
                Box<dyn Future<Output = Result<Response<BoxStream<proto::$streamed::Event>>, Status>> + Send + 'async_trait>,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                let server = self.of(&request);
                let cx = Context::new(server.session.stop(), server.shared.end.clone());
                let work = async move |events: &Events<_>, cx: &mut Context| {
                    let span = tracing::info_span!("rpc", tf_rpc = stringify!($streamed));
                    server.$streamed(request.into_inner(), events, cx).instrument(span).await
                };
                let events: BoxStream<_> = Box::pin(stream(stringify!($streamed), cx, work));
                Box::pin(std::future::ready(Ok(Response::new(events))))
            })*
        }
    };
}

serve! {
    get_metadata get_provider_schema get_resource_identity_schemas
    validate_provider_config validate_resource_config validate_data_resource_config
    upgrade_resource_state upgrade_resource_identity configure_provider
    read_resource plan_resource_change apply_resource_change import_resource_state move_resource_state
    read_data_source validate_list_resource_config validate_action_config plan_action
    validate_ephemeral_resource_config open_ephemeral_resource renew_ephemeral_resource close_ephemeral_resource
    get_functions call_function stop_provider;
    list_resource invoke_action
}
