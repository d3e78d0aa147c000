//! Actions: the trait that provider code implements, and its form without type parameters that the server works with.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Context, Data, Diagnostics, Progress, Schema, Value};

/// Something that a provider does when it is told to, and that leaves no object behind: before or after a resource is
/// written, or on the command line.
pub trait Action: Send + Sync + 'static {
    /// What a configured provider hands to its actions.
    type Client: Send + Sync + 'static;
    /// The attributes of the schema.
    type Config: Data + Send + 'static;

    /// The name in configurations, such as `tencent_callback_probe`.
    fn type_name(&self) -> &'static str;

    /// The attributes of the block `config`. The configuration sets them, or nobody does.
    fn schema(&self) -> Schema;

    /// Checks what can be checked without the provider's configuration. Values that come from variables are known only
    /// when the action is planned or invoked, so this is asked again then.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Looks at an action to come, of whose configuration not all may be known. The client may be one that cannot reach
    /// anything: [`Context::provider_is_known`].
    ///
    /// # Errors
    ///
    /// If it is clear now that it cannot be done.
    fn plan(
        &self,
        _client: &Self::Client,
        _config: Self::Config,
        _cx: &mut Context,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        std::future::ready(Ok(()))
    }

    /// Does it, and tells how it goes.
    ///
    /// # Errors
    ///
    /// If it was not done. Terraform then ends what depends on it.
    fn invoke(
        &self,
        client: &Self::Client,
        config: Self::Config,
        progress: &Progress<'_>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// [`Action`] without its type parameters, working on [`Value`]s.
pub(super) trait AnyAction<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
    fn plan<'a>(&'a self, client: &'a C, config: Value, cx: &'a mut Context) -> BoxFuture<'a, Result<(), Diagnostics>>;
    fn invoke<'a>(
        &'a self,
        client: &'a C,
        config: Value,
        progress: &'a Progress<'_>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), Diagnostics>>;
}

/// An action with its schema at hand.
pub(super) struct Registered<A> {
    action: A,
    schema: Schema,
}

impl<A: Action> Registered<A> {
    /// # Panics
    ///
    /// If the model and the schema of `action` disagree: a bug that every start of the provider shows.
    pub(super) fn new(action: A) -> Self {
        let schema = action.schema();
        assert_eq!(schema.ty(), A::Config::ty(), "schema and model of {}", action.type_name());
        Self { action, schema }
    }
}

impl<A: Action> AnyAction<A::Client> for Registered<A> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        self.schema.validate(config, |config| self.action.validate(config))
    }

    fn plan<'a>(
        &'a self,
        client: &'a A::Client,
        config: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), Diagnostics>> {
        async move {
            self.validate(config.clone())?;
            self.action.plan(client, A::Config::from_value(config)?, cx).await
        }
        .boxed()
    }

    fn invoke<'a>(
        &'a self,
        client: &'a A::Client,
        config: Value,
        progress: &'a Progress<'_>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), Diagnostics>> {
        async move {
            self.validate(config.clone())?;
            self.action.invoke(client, A::Config::from_value(config)?, progress, cx).await
        }
        .boxed()
    }
}
