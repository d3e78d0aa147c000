//! List resources: the trait that provider code implements, and its form without type parameters.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::block::{AnyBlock, Block, Registered};
use super::{Context, Data, Diagnostics, ManagedResource, Value};

/// A way to find the existing remote objects of a resource, no matter who made them: `terraform query`.
///
/// Its type name is that of the resource, and its attributes are those of the block `config`.
pub trait ListResource: Block {
    /// The resource whose objects it finds.
    type Resource: ManagedResource<Client = Self::Client>;

    /// Looks for objects, one after another as Terraform asks for them.
    ///
    /// # Errors
    ///
    /// If the search cannot begin.
    fn list<'a>(
        &'a self,
        client: &'a Self::Client,
        config: Self::Model,
        cx: &'a Context,
    ) -> Result<Listing<'a, <Self::Resource as Block>::Model>, Diagnostics>;
}

/// The results of a search, one for each place that was looked at; `None` if there is no object.
///
/// Terraform is sent failures as warnings, because the first error would end the query. If every look failed, an error
/// follows.
pub type Listing<'a, M> = BoxStream<'a, Result<Option<Found<M>>, Diagnostics>>;

/// A remote object that exists.
#[derive(Debug, Clone)]
pub struct Found<M> {
    /// The name that a person recognizes the object by.
    pub display_name: String,
    /// The state that an import of the object would create.
    pub object: M,
    /// Warnings about the object.
    pub warnings: Diagnostics,
}

/// A [`ListResource`] without its type parameters.
pub(super) trait AnyListResource<C>: AnyBlock {
    fn list<'a>(&'a self, client: &'a C, config: Value, cx: &'a Context) -> Result<Listing<'a, Value>, Diagnostics>;
}

impl<L: ListResource> AnyListResource<L::Client> for Registered<L> {
    fn list<'a>(
        &'a self,
        client: &'a L::Client,
        config: Value,
        cx: &'a Context,
    ) -> Result<Listing<'a, Value>, Diagnostics> {
        let looks = self.block.list(client, L::Model::from_value(config)?, cx)?;
        let untyped = |Found { display_name, object, warnings }| Found {
            display_name,
            object: Data::into_value(object),
            warnings,
        };
        Ok(looks.map(move |look| Ok(look?.map(untyped))).boxed())
    }
}
