//! Ephemeral resources: the trait that provider code implements, and its form without type parameters.

use std::future::Future;
use std::time::SystemTime;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::{Context, Data, Diagnostics, Value};

/// Something that Terraform has for as long as a command runs, and keeps in neither state nor plan.
///
/// Terraform opens it when another object needs it, and closes it when none does any more; a plan and its apply open
/// one each. What [`Context::private`] holds lives from opening to closing.
pub trait EphemeralResource: Block {
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

/// An [`EphemeralResource`] without its type parameters.
#[async_trait]
pub(super) trait AnyEphemeralResource<C>: AnyBlock {
    async fn open(&self, client: &C, config: Value, cx: &mut Context) -> Result<Opened<Value>, Diagnostics>;
    async fn renew(&self, client: &C, cx: &mut Context) -> Result<Option<SystemTime>, Diagnostics>;
    async fn close(&self, client: &C, cx: &mut Context) -> Result<(), Diagnostics>;
}

#[async_trait]
impl<E: EphemeralResource> AnyEphemeralResource<E::Client> for Registered<E> {
    async fn open(&self, client: &E::Client, config: Value, cx: &mut Context) -> Result<Opened<Value>, Diagnostics> {
        let Opened { attributes, renew_at } = self.block.open(client, E::Model::from_value(config)?, cx).await?;
        Ok(Opened { attributes: attributes.into_value(), renew_at })
    }

    async fn renew(&self, client: &E::Client, cx: &mut Context) -> Result<Option<SystemTime>, Diagnostics> {
        self.block.renew(client, cx).await
    }

    async fn close(&self, client: &E::Client, cx: &mut Context) -> Result<(), Diagnostics> {
        self.block.close(client, cx).await
    }
}
