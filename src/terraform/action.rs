//! Actions: the trait that provider code implements, and its form without type parameters.

use std::future::Future;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::{Context, Data, Diagnostics, Progress, Value};

/// Something that a provider does when told to, and that leaves no object behind: before or after a resource is
/// written, or on the command line.
///
/// Its attributes are those of the block `config`. Planning and invoking validate again: values that come from
/// variables are not known before.
pub trait Action: Block {
    /// Checks an action before it is invoked. Values of `config` may be unknown, and the client may be unable to reach
    /// anything remote: see [`Context::provider_is_known`].
    ///
    /// # Errors
    ///
    /// If the action is bound to fail.
    fn plan(
        &self,
        _client: &Self::Client,
        _config: Self::Model,
        _cx: &mut Context,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        std::future::ready(Ok(()))
    }

    /// Runs the action, and reports its progress.
    ///
    /// # Errors
    ///
    /// If the action failed. Terraform then skips what depends on it.
    fn invoke(
        &self,
        client: &Self::Client,
        config: Self::Model,
        progress: &Progress<'_>,
        cx: &mut Context,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// An [`Action`] without its type parameters.
#[async_trait]
pub(super) trait AnyAction<C>: AnyBlock {
    async fn plan(&self, client: &C, config: Value, cx: &mut Context) -> Result<(), Diagnostics>;
    async fn invoke(
        &self,
        client: &C,
        config: Value,
        progress: &Progress<'_>,
        cx: &mut Context,
    ) -> Result<(), Diagnostics>;
}

#[async_trait]
impl<A: Action> AnyAction<A::Client> for Registered<A> {
    async fn plan(&self, client: &A::Client, config: Value, cx: &mut Context) -> Result<(), Diagnostics> {
        self.validate(config.clone())?;
        self.block.plan(client, A::Model::from_value(config)?, cx).await
    }

    async fn invoke(
        &self,
        client: &A::Client,
        config: Value,
        progress: &Progress<'_>,
        cx: &mut Context,
    ) -> Result<(), Diagnostics> {
        self.validate(config.clone())?;
        self.block.invoke(client, A::Model::from_value(config)?, progress, cx).await
    }
}
