//! Managed resources: the trait that provider code implements, and its form without type parameters that the server
//! works with.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::model::Mismatch;
use super::{AttributePath, Context, Data, Diagnostic, Diagnostics, IdentitySchema, Schema, Value};

/// A kind of remote object that Terraform manages.
///
/// Methods that reach the remote object return what holds afterwards, whether they succeed or fail: Terraform stores
/// it, except for write-only values, which only [`plan`](Self::plan), [`create`](Self::create) and
/// [`update`](Self::update) are given, with what is planned.
pub trait ManagedResource: Send + Sync + 'static {
    /// What a configured provider hands to its resources.
    type Client: Send + Sync + 'static;
    /// The attributes of the schema.
    type Model: Data + Send + 'static;
    /// The attributes of the identity schema.
    type Identity: Data + Send + 'static;

    /// The name in configurations, such as `tencent_call_callback`.
    fn type_name(&self) -> &'static str;

    /// The attributes of the resource.
    fn schema(&self) -> Schema;

    /// What tells remote objects of this kind apart.
    fn identity_schema(&self) -> IdentitySchema;

    /// The identity of the object in `state`.
    fn identity(&self, state: &Self::Model) -> Self::Identity;

    /// Checks what can be checked without the provider's configuration.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

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

impl<M> From<Diagnostics> for Failure<M> {
    fn from(diagnostics: Diagnostics) -> Self {
        Self { diagnostics, state: None }
    }
}

impl<M> From<Diagnostic> for Failure<M> {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from(diagnostic).into()
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

/// The state after a failed or successful write, `Value::Null` where nothing exists.
pub(super) struct Applied {
    pub(super) state: Value,
    pub(super) diagnostics: Diagnostics,
}

/// [`ManagedResource`] without its type parameters, working on [`Value`]s.
pub(super) trait AnyResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn identity_schema(&self) -> &IdentitySchema;
    /// Null while the identity is not known.
    fn identity(&self, state: &Value) -> Value;
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
    fn plan<'a>(
        &'a self,
        client: &'a C,
        change: Change<Value>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>>;
    fn plan_destroy<'a>(
        &'a self,
        client: &'a C,
        prior: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), Diagnostics>>;
    fn read<'a>(
        &'a self,
        client: &'a C,
        state: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>>;
    /// Creates (`prior` null), updates or destroys (`planned` null).
    fn apply<'a>(
        &'a self,
        client: &'a C,
        prior: Value,
        planned: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Applied, Diagnostics>>;
    fn import<'a>(
        &'a self,
        client: &'a C,
        target: ImportTarget<Value>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>>;
    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Value>;
}

/// A resource with its schemas at hand.
pub(super) struct Registered<R> {
    resource: R,
    schema: Schema,
    identity_schema: IdentitySchema,
}

impl<R: ManagedResource> Registered<R> {
    /// # Panics
    ///
    /// If the models and the schemas of `resource` disagree: a bug that every start of the provider shows.
    pub(super) fn new(resource: R) -> Self {
        let (schema, identity_schema) = (resource.schema(), resource.identity_schema());
        assert_eq!(schema.ty(), R::Model::ty(), "schema and model of {}", resource.type_name());
        assert_eq!(identity_schema.ty(), R::Identity::ty(), "identity schema and model of {}", resource.type_name());
        Self { resource, schema, identity_schema }
    }
}

impl<R: ManagedResource> AnyResource<R::Client> for Registered<R> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity_schema(&self) -> &IdentitySchema {
        &self.identity_schema
    }

    fn identity(&self, state: &Value) -> Value {
        let model = R::Model::from_value(state.clone());
        let identity = model.map_or(Value::Null, |model| self.resource.identity(&model).into_value());
        if identity.is_wholly_known() { identity } else { Value::Null }
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        self.schema.validate(config, |config| self.resource.validate(config))
    }

    fn plan<'a>(
        &'a self,
        client: &'a R::Client,
        change: Change<Value>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>> {
        async move {
            let change = Change {
                prior: optional(change.prior.unwrap_or(Value::Null))?,
                config: R::Model::from_value(change.config)?,
                proposed: R::Model::from_value(change.proposed)?,
            };
            self.resource.plan(client, change, cx).await.map(Data::into_value)
        }
        .boxed()
    }

    fn plan_destroy<'a>(
        &'a self,
        client: &'a R::Client,
        prior: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), Diagnostics>> {
        async move { self.resource.plan_destroy(client, R::Model::from_value(prior)?, cx).await }.boxed()
    }

    fn read<'a>(
        &'a self,
        client: &'a R::Client,
        state: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>> {
        async move {
            let state = self.resource.read(client, R::Model::from_value(state)?, cx).await?;
            Ok(state.map_or(Value::Null, Data::into_value))
        }
        .boxed()
    }

    fn apply<'a>(
        &'a self,
        client: &'a R::Client,
        prior: Value,
        planned: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Applied, Diagnostics>> {
        async move {
            let before = prior.clone();
            let written = match (optional(prior)?, optional(planned)?) {
                (None, Some(planned)) => self.resource.create(client, planned, cx).await.map(Some),
                (Some(prior), Some(planned)) => self.resource.update(client, prior, planned, cx).await.map(Some),
                (Some(prior), None) => self.resource.delete(client, prior, cx).await.map(|()| None),
                (None, None) => Ok(None),
            };
            Ok(match written {
                Ok(state) => {
                    Applied { state: state.map_or(Value::Null, Data::into_value), diagnostics: Diagnostics::new() }
                }
                Err(failure) => {
                    Applied { state: failure.state.map_or(before, Data::into_value), diagnostics: failure.diagnostics }
                }
            })
        }
        .boxed()
    }

    fn import<'a>(
        &'a self,
        client: &'a R::Client,
        target: ImportTarget<Value>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>> {
        async move {
            let target = match target {
                ImportTarget::Id(id) => ImportTarget::Id(id),
                ImportTarget::Identity(identity) => ImportTarget::Identity(R::Identity::from_value(identity)?),
            };
            self.resource.import(client, target, cx).await.map(Data::into_value)
        }
        .boxed()
    }

    fn upgrade(&self, from_version: i64, state: serde_json::Value) -> Option<Value> {
        self.resource.upgrade(from_version, state).map(Data::into_value)
    }
}

fn optional<M: Data>(value: Value) -> Result<Option<M>, Mismatch> {
    if value.is_null() { Ok(None) } else { M::from_value(value).map(Some) }
}
