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

    /// Looks for objects, each as soon as Terraform wants it.
    ///
    /// # Errors
    ///
    /// If it is clear before the first one that there is no way.
    fn list<'a>(
        &'a self,
        client: &'a Self::Client,
        config: Self::Model,
        cx: &'a Context,
    ) -> Result<Listing<'a, <Self::Resource as Block>::Model>, Diagnostics>;
}

/// What is found, look by look. A look that finds nothing is `None`.
///
/// One that fails is a warning to Terraform, for the first error would end the query: only if all fail, it is one.
pub type Listing<'a, M> = BoxStream<'a, Result<Option<Found<M>>, Diagnostics>>;

/// A remote object that exists.
#[derive(Debug, Clone)]
pub struct Found<M> {
    /// What a person recognizes it by.
    pub display_name: String,
    /// The resource as an import makes it.
    pub object: M,
    /// What a person should know of it.
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
