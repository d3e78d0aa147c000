//! Ephemeral resources: the trait that provider code implements, and its form without type parameters.

use std::future::Future;
use std::time::SystemTime;

use tonic::async_trait;

use super::block::{AnyBlock, Block, Registered};
use super::{Context, Data, Diagnostics, Value};

/// An object that lives only while a Terraform command runs, and is in neither state nor plan.
///
/// Terraform opens it when another object needs it, and closes it when no object does any more. A plan and its apply
/// open one each. Private data ([`Context::private`]) lives from opening to closing.
pub trait EphemeralResource: Block {
    /// Opens the object, and returns `config` with the computed attributes filled in. All of `config` is known.
    ///
    /// # Errors
    ///
    /// If the object cannot be opened.
    fn open(
        &self,
        client: &Self::Client,
        config: Self::Model,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Opened<Self::Model>, Diagnostics>> + Send;

    /// Renews the object at [`Opened::renew_at`], and returns when to renew it next, if at all. Its attributes cannot
    /// change, because Terraform has passed them on already.
    ///
    /// # Errors
    ///
    /// If the object cannot be renewed.
    fn renew(
        &self,
        _client: &Self::Client,
        _cx: &mut Context,
    ) -> impl Future<Output = Result<Option<SystemTime>, Diagnostics>> + Send {
        std::future::ready(Ok(None))
    }

    /// Closes the object.
    ///
    /// # Errors
    ///
    /// If the object cannot be closed.
    fn close(&self, _client: &Self::Client, _cx: &mut Context) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        std::future::ready(Ok(()))
    }
}

/// An open ephemeral resource.
#[derive(Debug)]
pub struct Opened<M> {
    /// The attributes, including the computed ones.
    pub attributes: M,
    /// When to renew it; `None` if it need not be renewed.
    pub renew_at: Option<SystemTime>,
}

impl<M> From<M> for Opened<M> {
    /// Returns an object that need not be renewed.
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
