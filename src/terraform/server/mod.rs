//! The tfplugin6 service: decodes a request by schema, calls the provider's object, and encodes the answer.
//!
//! | file | contents |
//! | --- | --- |
//! | `mod.rs` | the server, the dispatch of RPCs, and the RPCs about the provider itself |
//! | `stream.rs` | the streams of RPCs that answer with one |
//! | `resource.rs`, `data_source.rs`, … | the RPCs about one kind of block, or about functions |

mod action;
mod data_source;
mod ephemeral_resource;
mod function;
mod list_resource;
mod resource;
mod stream;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::block::{AnyBlock, Registered};
use super::codec::{DecodeError, EncodeError, decode};
use super::proto;
use super::provider::{ByName, Configured, Provider, Registry};
use super::session::{Host, Session};
use super::{Context, Data, Diagnostic, Diagnostics, Type, Value};
use stream::{Events, stream};

pub use action::Progress;

/// Serves a [`Provider`] as the gRPC service `tfplugin6.Provider`.
pub struct Server<P: Provider> {
    shared: Arc<Shared<P>>,
    session: Session<P>,
}

/// The part of the server that all sessions share.
struct Shared<P: Provider> {
    provider: Registered<P>,
    registry: Registry<P::Client>,
    end: CancellationToken,
}

impl<P: Provider> Server<P> {
    /// Returns a server that Terraform has not configured yet.
    ///
    /// # Panics
    ///
    /// If a schema of the provider disagrees with its model.
    pub fn new(provider: P) -> Self {
        Self::ending_with(provider, CancellationToken::new())
    }

    /// Returns a server in a process that ends soon after `end` is cancelled: see [`Context::end`].
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn ending_with(provider: P, end: CancellationToken) -> Self {
        let registry = provider.registry();
        let provider = Registered::new(provider);
        Self { shared: Arc::new(Shared { provider, registry, end }), session: Session::default() }
    }

    /// Returns the server in the session of `request`, and a new context. The session is the caller's own if the
    /// transport tells callers apart.
    fn of<T>(&self, request: &Request<T>) -> (Self, Context) {
        let session: Session<P> = request.extensions().get().unwrap_or(&self.session).clone();
        let mut cx = Context::new(session.stop(), self.shared.end.clone());
        cx.set_host_drops_plans(session.host() == Host::Pulumi);
        (Self { shared: Arc::clone(&self.shared), session }, cx)
    }

    fn configured(&self) -> Result<Arc<Configured<P::Client>>, Diagnostics> {
        let used_too_early = || Diagnostic::bug("Terraform used the provider before configuring it.").into();
        self.session.client().ok_or_else(used_too_early)
    }

    fn type_name(&self) -> &'static str {
        self.shared.provider.block.type_name()
    }

    fn unknown_provider(&self) -> Diagnostics {
        Diagnostic::error(
            "The provider's configuration is not known yet",
            format!(
                "An argument of the provider \"{}\" depends on a value that is known only after apply. First apply \
                 what it depends on, for example with -target.",
                self.type_name()
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
            provider: Some(self.shared.provider.schema().to_proto()),
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
        let provider = &self.shared.provider;
        provider.validate(decode(request.config.as_ref(), provider.ty())?)?;
        Ok(Default::default())
    }

    async fn configure_provider(
        &self,
        request: proto::configure_provider::Request,
        cx: &mut Context,
    ) -> Result<proto::configure_provider::Response, Diagnostics> {
        tracing::debug!(terraform_version = request.terraform_version, "configuring the provider");
        let provider = &self.shared.provider;
        let config = P::Model::from_value(decode(request.config.as_ref(), provider.ty())?)?;
        self.session.configure(provider.block.configure(config, cx)?, Host::of(&request.terraform_version));
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

/// Builds a list from the names in `registered`.
fn named<T: ?Sized, N>(registered: &ByName<T>, of: impl Fn(String) -> N) -> Vec<N> {
    registered.keys().map(|name| of((*name).to_owned())).collect()
}

/// Builds a map from the blocks or functions in `registered`, by name.
fn each<T: ?Sized, S>(registered: &ByName<T>, of: impl Fn(&T) -> S) -> HashMap<String, S> {
    registered.iter().map(|(name, object)| ((*name).to_owned(), of(object))).collect()
}

fn capabilities() -> proto::ServerCapabilities {
    proto::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: true,
    }
}

/// Defers an operation because the provider's configuration is unknown. Returns `None` if the client does not support
/// deferral.
fn deferred(capabilities: Option<proto::ClientCapabilities>) -> Option<proto::Deferred> {
    let reason = proto::deferred::Reason::ProviderConfigUnknown.into();
    capabilities.is_some_and(|c| c.deferral_allowed).then_some(proto::Deferred { reason })
}

/// Returns an object whose attributes are all unknown.
fn all_unknown(ty: &Type) -> Value {
    match ty {
        Type::Object(attributes) => {
            Value::Object(attributes.keys().map(|name| (name.clone(), Value::Unknown)).collect())
        }
        _ => Value::Unknown,
    }
}

/// Decodes the block `config` of a list or an action, which may be omitted.
fn config_of(block: &(impl AnyBlock + ?Sized), config: Option<&proto::DynamicValue>) -> Result<Value, DecodeError> {
    Ok(block.schema().or_empty(decode(config, block.ty())?))
}

/// Finds a block or a function by its name.
fn find<'a, T: ?Sized>(registered: &'a ByName<T>, kind: &str, type_name: &str) -> Result<&'a T, Diagnostics> {
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

/// The field of a response that reports what went wrong.
trait Report {
    /// Adds diagnostics. A field for a single error takes the first.
    fn add(&mut self, diagnostics: Diagnostics);
}

impl Report for Vec<proto::Diagnostic> {
    fn add(&mut self, diagnostics: Diagnostics) {
        self.extend(diagnostics.into_proto());
    }
}

impl Report for Option<proto::FunctionError> {
    fn add(&mut self, diagnostics: Diagnostics) {
        if let Some(error) = diagnostics.into_iter().next() {
            let text = format!("{}: {}", error.summary, error.detail);
            *self = Some(proto::FunctionError { text, function_argument: None });
        }
    }
}

impl Report for String {
    fn add(&mut self, diagnostics: Diagnostics) {
        if let Some(error) = diagnostics.into_iter().next() {
            *self = error.summary;
        }
    }
}

/// Builds the answer to an RPC whose handler panicked. It does not quote the panic's message, which may contain a
/// secret.
fn panicked(rpc: &str) -> Status {
    Status::internal(format!(
        "The provider panicked in {rpc}. This is a bug: please report it together with the provider's log."
    ))
}

/// Implements the service. Each RPC runs the method of [`Server`] with its name. Unary RPCs are listed by the field of
/// their response that reports what went wrong. An RPC that is not listed answers UNIMPLEMENTED.
macro_rules! serve {
    (unary { $($field:ident: $($unary:ident)*;)* } streamed { $($streamed:ident)* }) => {
        #[tonic::async_trait]
        impl<P: Provider> proto::provider_server::Provider for Server<P> {
            $($(async fn $unary(
                &self,
                request: Request<proto::$unary::Request>,
            ) -> Result<Response<proto::$unary::Response>, Status> {
                let (server, mut cx) = self.of(&request);
                let span = tracing::info_span!("rpc", tf_rpc = stringify!($unary));
                let work = server.$unary(request.into_inner(), &mut cx).instrument(span);
                let outcome = AssertUnwindSafe(work).catch_unwind().await;
                // A gRPC error rather than a diagnostic makes Terraform keep the state that it has.
                let outcome = outcome.map_err(|_| panicked(stringify!($unary)))?;
                let (mut response, diagnostics) = match outcome {
                    Ok(response) => (response, Diagnostics::new()),
                    Err(diagnostics) => (Default::default(), diagnostics),
                };
                response.$field.add(diagnostics);
                response.$field.add(cx.into_warnings());
                Ok(Response::new(response))
            })*)*

            $(async fn $streamed(
                &self,
                request: Request<proto::$streamed::Request>,
            ) -> Result<Response<BoxStream<proto::$streamed::Event>>, Status> {
                let (server, cx) = self.of(&request);
                let work = async move |events: &Events<_>, cx: &mut Context| {
                    let span = tracing::info_span!("rpc", tf_rpc = stringify!($streamed));
                    server.$streamed(request.into_inner(), events, cx).instrument(span).await
                };
                Ok(Response::new(Box::pin(stream(stringify!($streamed), cx, work))))
            })*
        }
    };
}

serve! {
    unary {
        diagnostics:
            get_metadata get_provider_schema get_resource_identity_schemas get_functions
            validate_provider_config configure_provider
            validate_resource_config upgrade_resource_state upgrade_resource_identity read_resource
            plan_resource_change apply_resource_change import_resource_state move_resource_state
            generate_resource_config
            validate_data_resource_config read_data_source
            validate_ephemeral_resource_config open_ephemeral_resource renew_ephemeral_resource
            close_ephemeral_resource
            validate_list_resource_config
            validate_action_config plan_action;
        error: call_function stop_provider;
    }
    streamed { list_resource invoke_action }
}
