//! Managed resources: the trait that provider code implements, and its form without type parameters.

use std::future::Future;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::model::Mismatch;
use super::{AttributePath, Context, Data, Diagnostic, Diagnostics, IdentitySchema, Value};

/// A kind of remote object that Terraform manages.
///
/// Methods that reach the remote object return its state afterwards, whether they succeed or fail, and Terraform stores
/// that state without its write-only values. Only [`plan`](Self::plan), [`create`](Self::create) and
/// [`update`](Self::update) receive write-only values, as part of the proposed or planned object.
pub trait ManagedResource: Block {
    /// The attributes of the identity schema.
    type Identity: Data + Send + 'static;

    /// The attributes that tell remote objects of this kind apart. Each is an attribute of the resource as well.
    fn identity_schema(&self) -> IdentitySchema;

    /// Plans a creation or an update, and returns `change.proposed` with the computed values that are known already.
    /// The client may be unable to reach anything remote: see [`Context::provider_is_known`].
    ///
    /// # Errors
    ///
    /// If the plan could not be applied.
    fn plan(
        &self,
        client: &Self::Client,
        change: Change<Self::Model>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// Plans the destruction of `prior`: it may warn, and may set private data for [`delete`](Self::delete). The client
    /// may be unable to reach anything remote: see [`Context::provider_is_known`].
    ///
    /// # Errors
    ///
    /// If the object cannot or must not be destroyed.
    fn plan_destroy(
        &self,
        _client: &Self::Client,
        _prior: Self::Model,
        _cx: &mut Context,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        std::future::ready(Ok(()))
    }

    /// Refreshes `state` from the remote object. Returns `None` if the object is gone.
    ///
    /// # Errors
    ///
    /// If the object cannot be read.
    fn read(
        &self,
        client: &Self::Client,
        state: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Option<Self::Model>, Diagnostics>> + Send;

    /// Creates the planned object.
    ///
    /// # Errors
    ///
    /// If the object was not created as planned. [`Failure::state`] is the object if it exists nevertheless.
    fn create(
        &self,
        client: &Self::Client,
        planned: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Failure<Self::Model>>> + Send;

    /// Changes `prior` into `planned`, in place.
    ///
    /// # Errors
    ///
    /// If the object was not changed as planned. [`Failure::state`] is its state if that is no longer `prior`.
    fn update(
        &self,
        client: &Self::Client,
        prior: Self::Model,
        planned: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Failure<Self::Model>>> + Send;

    /// Destroys the object, or succeeds if the object is gone already.
    ///
    /// # Errors
    ///
    /// If the object still exists. [`Failure::state`] is its state if that is no longer `prior`.
    fn delete(
        &self,
        client: &Self::Client,
        prior: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<(), Failure<Self::Model>>> + Send;

    /// Reads the object that a person imports.
    ///
    /// # Errors
    ///
    /// If there is no such object.
    fn import(
        &self,
        client: &Self::Client,
        target: ImportTarget<Self::Identity>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// Upgrades a state from an earlier schema version to the current one. Returns `None` if that is not supported.
    fn upgrade(&self, _from_version: i64, _state: serde_json::Value) -> Option<Self::Model> {
        None
    }

    /// Describes the object that a resource of another type has managed. Returns `None` if that is not supported for this
    /// type.
    ///
    /// # Errors
    ///
    /// If the state does not tell which object that is.
    fn take_over(&self, _from: &Foreign<'_>) -> Option<Result<Self::Model, Diagnostics>> {
        None
    }
}

/// The state of a resource that a `moved` block turns into one of another type.
pub struct Foreign<'a> {
    /// The address of its provider, such as `registry.terraform.io/hashicorp/null`.
    pub provider: &'a str,
    /// The type of the resource.
    pub type_name: &'a str,
    /// The attributes, as its provider wrote them.
    pub attributes: &'a serde_json::Value,
}

/// A planned creation or update.
#[derive(Debug, Clone)]
pub struct Change<M> {
    /// The object as it is; `None` for a creation.
    pub prior: Option<M>,
    /// The configuration.
    pub config: M,
    /// Terraform's merge of `prior` and `config`, with the schema's defaults and the configuration's write-only values.
    /// Computed attributes are unknown in a creation, and have their prior values in an update.
    pub proposed: M,
}

/// The name of an object to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTarget<I> {
    /// `terraform import ADDRESS ID`, or the `id` of an `import` block.
    Id(String),
    /// The `identity` of an `import` block.
    Identity(I),
}

/// A write that failed.
#[derive(Debug)]
pub struct Failure<M> {
    /// The errors, and any warnings.
    pub diagnostics: Diagnostics,
    /// The object after the failure, if it differs from the prior one.
    pub state: Option<M>,
}

impl<M, E: Into<Diagnostics>> From<E> for Failure<M> {
    fn from(error: E) -> Self {
        Self { diagnostics: error.into(), state: None }
    }
}

/// Reports a value that its model cannot hold as an error in the configuration: the schema's types are too wide to
/// exclude such values.
impl From<Mismatch> for Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        let expected = mismatch.expected;
        let path = mismatch.path();
        if path == AttributePath::root() {
            // Terraform always sends the object itself.
            return Diagnostic::bug(format!("Terraform sent no value where {expected} was expected.")).into();
        }
        Diagnostic::error("Invalid value", format!("{path} must be {expected}.")).at(path).into()
    }
}

/// A [`ManagedResource`] without its type parameters.
#[async_trait]
pub(super) trait AnyResource<C>: AnyBlock {
    fn identity_schema(&self) -> IdentitySchema;
    async fn plan(&self, client: &C, change: Change<Value>, cx: &mut Context) -> Result<Value, Diagnostics>;
    async fn plan_destroy(&self, client: &C, prior: Value, cx: &mut Context) -> Result<(), Diagnostics>;
    /// Returns null if the object is gone.
    async fn read(&self, client: &C, state: Value, cx: &mut Context) -> Result<Value, Diagnostics>;
    /// Creates the object if `prior` is null, destroys it if `planned` is null, and updates it otherwise. Returns null
    /// after a destruction.
    async fn apply(&self, client: &C, prior: Value, planned: Value, cx: &mut Context) -> Result<Value, Failure<Value>>;
    async fn import(&self, client: &C, target: ImportTarget<Value>, cx: &mut Context) -> Result<Value, Diagnostics>;
    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Value>;
    fn take_over(&self, from: &Foreign<'_>) -> Option<Result<Value, Diagnostics>>;
}

#[async_trait]
impl<R: ManagedResource> AnyResource<R::Client> for Registered<R> {
    fn identity_schema(&self) -> IdentitySchema {
        self.block.identity_schema()
    }

    async fn plan(&self, client: &R::Client, change: Change<Value>, cx: &mut Context) -> Result<Value, Diagnostics> {
        // A value that was unknown when the configuration was validated may have turned out null.
        self.schema().check(&change.config).into_result()?;
        let change = Change {
            prior: change.prior.map(R::Model::from_value).transpose()?,
            config: R::Model::from_value(change.config)?,
            proposed: R::Model::from_value(change.proposed)?,
        };
        self.block.plan(client, change, cx).await.map(Data::into_value)
    }

    async fn plan_destroy(&self, client: &R::Client, prior: Value, cx: &mut Context) -> Result<(), Diagnostics> {
        self.block.plan_destroy(client, R::Model::from_value(prior)?, cx).await
    }

    async fn read(&self, client: &R::Client, state: Value, cx: &mut Context) -> Result<Value, Diagnostics> {
        let state = self.block.read(client, R::Model::from_value(state)?, cx).await?;
        Ok(state.map_or(Value::Null, Data::into_value))
    }

    async fn apply(
        &self,
        client: &R::Client,
        prior: Value,
        planned: Value,
        cx: &mut Context,
    ) -> Result<Value, Failure<Value>> {
        let written = match (optional(prior)?, optional(planned)?) {
            (None, Some(planned)) => self.block.create(client, planned, cx).await.map(Some),
            (Some(prior), Some(planned)) => self.block.update(client, prior, planned, cx).await.map(Some),
            (Some(prior), None) => self.block.delete(client, prior, cx).await.map(|()| None),
            (None, None) => Ok(None),
        };
        match written {
            Ok(state) => Ok(state.map_or(Value::Null, Data::into_value)),
            Err(Failure { diagnostics, state }) => Err(Failure { diagnostics, state: state.map(Data::into_value) }),
        }
    }

    async fn import(
        &self,
        client: &R::Client,
        target: ImportTarget<Value>,
        cx: &mut Context,
    ) -> Result<Value, Diagnostics> {
        let target = match target {
            ImportTarget::Id(id) => ImportTarget::Id(id),
            ImportTarget::Identity(identity) => ImportTarget::Identity(R::Identity::from_value(identity)?),
        };
        self.block.import(client, target, cx).await.map(Data::into_value)
    }

    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Value> {
        self.block.upgrade(from_version, state).map(Data::into_value)
    }

    fn take_over(&self, from: &Foreign<'_>) -> Option<Result<Value, Diagnostics>> {
        Some(self.block.take_over(from)?.map(Data::into_value))
    }
}

fn optional<M: Data>(value: Value) -> Result<Option<M>, Mismatch> {
    if value.is_null() { Ok(None) } else { M::from_value(value).map(Some) }
}
