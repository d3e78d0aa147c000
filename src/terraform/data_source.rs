//! Data sources: the trait that provider code implements, and its form without type parameters that the server works
//! with.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Context, Data, Diagnostics, Schema, Value};

/// A kind of remote object that Terraform reads and does not manage.
pub trait DataSource: Send + Sync + 'static {
    /// What a configured provider hands to its data sources.
    type Client: Send + Sync + 'static;
    /// The attributes of the schema.
    type Model: Data + Send + 'static;

    /// The name in configurations, such as `tencent_call_callback`.
    fn type_name(&self) -> &'static str;

    /// The attributes of the data source.
    fn schema(&self) -> Schema;

    /// Checks what can be checked without the provider's configuration.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the object that `config` names: `config` with the computed attributes filled in.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(
        &self,
        client: &Self::Client,
        config: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;
}

/// [`DataSource`] without its type parameters, working on [`Value`]s.
pub(super) trait AnyDataSource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
    fn read<'a>(
        &'a self,
        client: &'a C,
        config: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>>;
}

/// A data source with its schema at hand.
pub(super) struct Registered<D> {
    data_source: D,
    schema: Schema,
}

impl<D: DataSource> Registered<D> {
    /// # Panics
    ///
    /// If the model and the schema of `data_source` disagree: a bug that every start of the provider shows.
    pub(super) fn new(data_source: D) -> Self {
        let schema = data_source.schema();
        assert_eq!(schema.ty(), D::Model::ty(), "schema and model of {}", data_source.type_name());
        Self { data_source, schema }
    }
}

impl<D: DataSource> AnyDataSource<D::Client> for Registered<D> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        self.schema.validate(config, |config| self.data_source.validate(config))
    }

    fn read<'a>(
        &'a self,
        client: &'a D::Client,
        config: Value,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Value, Diagnostics>> {
        async move { self.data_source.read(client, D::Model::from_value(config)?, cx).await.map(Data::into_value) }
            .boxed()
    }
}
