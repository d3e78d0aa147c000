//! Ephemeral resources: the trait that provider code implements, and its form without type parameters that the server
//! works with.

use std::future::Future;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Context, Data, Diagnostics, Schema, Value};

/// Something that Terraform has for as long as a command runs, and keeps in neither state nor plan.
///
/// Terraform opens it when another object needs it, and closes it when none does any more; a plan and its apply open
/// one each. What [`Context::private`] holds lives from opening to closing.
pub trait EphemeralResource: Send + Sync + 'static {
    /// What a configured provider hands to its ephemeral resources.
    type Client: Send + Sync + 'static;
    /// The attributes of the schema.
    type Model: Data + Send + 'static;

    /// The name in configurations, such as `tencent_user_sig`.
    fn type_name(&self) -> &'static str;

    /// The attributes of the ephemeral resource.
    fn schema(&self) -> Schema;

    /// Checks what can be checked without the provider's configuration.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Makes what `config` asks for, all of which is known: `config` with the computed attributes filled in.
    ///
    /// # Errors
    ///
    /// If it cannot be had.
    fn open(
        &self,
        client: &Self::Client,
        config: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Opened<Self::Model>, Diagnostics>> + Send;

    /// Keeps what was opened alive, at the time that was asked for. The attributes stay as they are: Terraform has
    /// handed them out. The next time is returned, if there is one.
    ///
    /// # Errors
    ///
    /// If it does not live any longer.
    fn renew(
        &self,
        _client: &Self::Client,
        _cx: &mut Context,
    ) -> impl Future<Output = Result<Option<SystemTime>, Diagnostics>> + Send {
        std::future::ready(Ok(None))
    }

    /// Ends what was opened.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn close(&self, _client: &Self::Client, _cx: &mut Context) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What was opened.
#[derive(Debug)]
pub struct Opened<M> {
    /// The attributes.
    pub attributes: M,
    /// When it must be renewed, if it must.
    pub renew_at: Option<SystemTime>,
}

impl<M> From<M> for Opened<M> {
    /// Lives long enough.
    fn from(attributes: M) -> Self {
        Self { attributes, renew_at: None }
    }
}

/// [`EphemeralResource`] without its type parameters, working on [`Value`]s.
pub(super) trait AnyEphemeralResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
    fn open<'a>(
        &'a self,
        client: &'a C,
        config: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Opened<Value>, Diagnostics>>;
    fn renew<'a>(
        &'a self,
        client: &'a C,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, Diagnostics>>;
    fn close<'a>(&'a self, client: &'a C, cx: &'a mut Context) -> BoxFuture<'a, Result<(), Diagnostics>>;
}

/// An ephemeral resource with its schema at hand.
pub(super) struct Registered<E> {
    resource: E,
    schema: Schema,
}

impl<E: EphemeralResource> Registered<E> {
    /// # Panics
    ///
    /// If the model and the schema of `resource` disagree: a bug that every start of the provider shows.
    pub(super) fn new(resource: E) -> Self {
        let schema = resource.schema();
        assert_eq!(schema.ty(), E::Model::ty(), "schema and model of {}", resource.type_name());
        Self { resource, schema }
    }
}

impl<E: EphemeralResource> AnyEphemeralResource<E::Client> for Registered<E> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        self.schema.validate(config, |config| self.resource.validate(config))
    }

    fn open<'a>(
        &'a self,
        client: &'a E::Client,
        config: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Opened<Value>, Diagnostics>> {
        async move {
            let Opened { attributes, renew_at } = self.resource.open(client, E::Model::from_value(config)?, cx).await?;
            Ok(Opened { attributes: attributes.into_value(), renew_at })
        }
        .boxed()
    }

    fn renew<'a>(
        &'a self,
        client: &'a E::Client,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Option<SystemTime>, Diagnostics>> {
        self.resource.renew(client, cx).boxed()
    }

    fn close<'a>(&'a self, client: &'a E::Client, cx: &'a mut Context) -> BoxFuture<'a, Result<(), Diagnostics>> {
        self.resource.close(client, cx).boxed()
    }
}
