//! Managed resources: the trait that provider code implements, and its form without type parameters.

use std::future::Future;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::model::Mismatch;
use super::{AttributePath, Context, Data, Diagnostic, Diagnostics, IdentitySchema, Value};

/// A kind of remote object that Terraform manages.
///
/// Methods that reach the remote object return what holds afterwards, whether they succeed or fail: Terraform stores
/// it, except for write-only values, which only [`plan`](Self::plan), [`create`](Self::create) and
/// [`update`](Self::update) are given, with what is planned.
pub trait ManagedResource: Block {
    /// The attributes of the identity schema.
    type Identity: Data + Send + 'static;

    /// The attributes that tell remote objects of this kind apart. Each is an attribute of the resource as well.
    fn identity_schema(&self) -> IdentitySchema;

    /// Plans a creation or an update: `change.proposed` with all that is known already filled in. The client may be
    /// one that cannot reach anything: [`Context::provider_is_known`].
    ///
    /// # Errors
    ///
    /// If what is planned could not be applied.
    fn plan(
        &self,
        client: &Self::Client,
        change: Change<Self::Model>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// Looks at the planned destruction of `prior`: the place for a warning, and for private data that
    /// [`delete`](Self::delete) is to find. The client may be one that cannot reach anything:
    /// [`Context::provider_is_known`].
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

    /// Refreshes `state` from the remote object; `None` if it is gone.
    ///
    /// # Errors
    ///
    /// If that cannot be found out.
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
    /// If it was not created, or not as planned; [`Failure::state`] is what exists all the same.
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
    /// If it was not changed, or not as planned; [`Failure::state`] is what holds if that is no longer `prior`.
    fn update(
        &self,
        client: &Self::Client,
        prior: Self::Model,
        planned: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Failure<Self::Model>>> + Send;

    /// Destroys the object; one that is gone already is a success.
    ///
    /// # Errors
    ///
    /// If it still exists; [`Failure::state`] is what holds if that is no longer `prior`.
    fn delete(
        &self,
        client: &Self::Client,
        prior: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<(), Failure<Self::Model>>> + Send;

    /// Finds the object that the person names.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn import(
        &self,
        client: &Self::Client,
        target: ImportTarget<Self::Identity>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// Brings a state of an earlier schema version into the form of [`Schema::version`]. `None`: there is no way.
    fn upgrade(&self, _from_version: i64, _state: serde_json::Value) -> Option<Self::Model> {
        None
    }
}

/// A planned creation or update.
#[derive(Debug, Clone)]
pub struct Change<M> {
    /// The object as it is; `None` for a creation.
    pub prior: Option<M>,
    /// What the person wrote.
    pub config: M,
    /// Terraform's merge of the two, with the schema's defaults and the configuration's write-only values: what the plan
    /// starts from. Computed attributes are unknown for a creation, and the prior ones for an update.
    pub proposed: M,
}

/// What a person imports by.
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
    /// What went wrong.
    pub diagnostics: Diagnostics,
    /// What holds remotely, if that is not what held before.
    pub state: Option<M>,
}

impl<M, E: Into<Diagnostics>> From<E> for Failure<M> {
    fn from(error: E) -> Self {
        Self { diagnostics: error.into(), state: None }
    }
}

/// A value that its model cannot hold is the person's to correct: the schema's types are too wide to exclude it.
impl From<Mismatch> for Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        let expected = mismatch.expected;
        let path = mismatch.path();
        if path == AttributePath::root() {
            // Terraform makes sure that the object itself is there.
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
    /// Creates (`prior` is null), updates or destroys (`planned` is null, as is what it returns then).
    async fn apply(&self, client: &C, prior: Value, planned: Value, cx: &mut Context) -> Result<Value, Failure<Value>>;
    async fn import(&self, client: &C, target: ImportTarget<Value>, cx: &mut Context) -> Result<Value, Diagnostics>;
    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Value>;
}

#[async_trait]
impl<R: ManagedResource> AnyResource<R::Client> for Registered<R> {
    fn identity_schema(&self) -> IdentitySchema {
        self.block.identity_schema()
    }

    async fn plan(&self, client: &R::Client, change: Change<Value>, cx: &mut Context) -> Result<Value, Diagnostics> {
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
}

fn optional<M: Data>(value: Value) -> Result<Option<M>, Mismatch> {
    if value.is_null() { Ok(None) } else { M::from_value(value).map(Some) }
}
