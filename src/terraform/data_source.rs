//! Data sources: the trait that provider code implements, and its form without type parameters.

use std::future::Future;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::{Context, Data, Diagnostics, Value};

/// A kind of remote object that Terraform reads but does not manage.
pub trait DataSource: Block {
    /// Reads the object that `config` names, and fills in the computed attributes.
    ///
    /// # Errors
    ///
    /// If the object cannot be read.
    fn read(
        &self,
        client: &Self::Client,
        config: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;
}

/// A [`DataSource`] without its type parameters.
#[async_trait]
pub(super) trait AnyDataSource<C>: AnyBlock {
    async fn read(&self, client: &C, config: Value, cx: &mut Context) -> Result<Value, Diagnostics>;
}

#[async_trait]
impl<D: DataSource> AnyDataSource<D::Client> for Registered<D> {
    async fn read(&self, client: &D::Client, config: Value, cx: &mut Context) -> Result<Value, Diagnostics> {
        self.block.read(client, D::Model::from_value(config)?, cx).await.map(Data::into_value)
    }
}
