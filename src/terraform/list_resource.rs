//! List resources: the trait that provider code implements, and its form without type parameters that the server works
//! with.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::{Context, Data, Diagnostics, ManagedResource, Schema, Value};

/// A way to find the remote objects of a resource that exist, whoever made them: `terraform query`.
pub trait ListResource: Send + Sync + 'static {
    /// What a configured provider hands to its list resources.
    type Client: Send + Sync + 'static;
    /// The resource whose objects it finds.
    type Resource: ManagedResource<Client = Self::Client>;
    /// The attributes of the schema.
    type Config: Data + Send + 'static;

    /// The name in configurations: that of the resource.
    fn type_name(&self) -> &'static str;

    /// The attributes of the block `config`.
    fn schema(&self) -> Schema;

    /// Checks what can be checked without the provider's configuration.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Looks for objects, each as soon as Terraform wants it.
    ///
    /// # Errors
    ///
    /// If it is clear before the first one that there is no way.
    fn list<'a>(
        &'a self,
        client: &'a Self::Client,
        config: Self::Config,
        cx: &'a Context,
    ) -> Result<Listing<'a, <Self::Resource as ManagedResource>::Model>, Diagnostics>;
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

/// [`ListResource`] without its type parameters, working on [`Value`]s.
pub(super) trait AnyListResource<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
    fn list<'a>(&'a self, client: &'a C, config: Value, cx: &'a Context) -> Result<Listing<'a, Value>, Diagnostics>;
}

/// A list resource with its schema at hand.
pub(super) struct Registered<L> {
    list_resource: L,
    schema: Schema,
}

impl<L: ListResource> Registered<L> {
    /// # Panics
    ///
    /// If the model and the schema of `list_resource` disagree: a bug that every start of the provider shows.
    pub(super) fn new(list_resource: L) -> Self {
        let schema = list_resource.schema();
        assert_eq!(schema.ty(), L::Config::ty(), "schema and model of the list resource {}", list_resource.type_name());
        Self { list_resource, schema }
    }
}

impl<L: ListResource> AnyListResource<L::Client> for Registered<L> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        self.schema.validate(config, |config| self.list_resource.validate(config))
    }

    fn list<'a>(
        &'a self,
        client: &'a L::Client,
        config: Value,
        cx: &'a Context,
    ) -> Result<Listing<'a, Value>, Diagnostics> {
        let looks = self.list_resource.list(client, L::Config::from_value(config)?, cx)?;
        let untyped = |Found { display_name, object, warnings }| Found {
            display_name,
            object: Data::into_value(object),
            warnings,
        };
        Ok(looks.map(move |look| Ok(look?.map(untyped))).boxed())
    }
}
