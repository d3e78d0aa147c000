//! Providers: the trait that provider code implements, and the registry of what a provider offers.

use std::collections::BTreeMap;

use super::action::{Action, AnyAction};
use super::block::{AnyBlock as _, Block, Registered};
use super::data_source::{AnyDataSource, DataSource};
use super::ephemeral_resource::{AnyEphemeralResource, EphemeralResource};
use super::function::{Function, RegisteredFunction};
use super::list_resource::{AnyListResource, ListResource};
use super::resource::{AnyResource, ManagedResource};
use super::{Context, Data as _, Diagnostics};

/// A provider: its block in configurations, and what it offers.
///
/// Its type name is the last part of its address and the first of its resources' names, such as `tencent`.
pub trait Provider: Block {
    /// Lists everything that the provider offers.
    fn registry(&self) -> Registry<Self::Client>;

    /// Creates the client, without calling anything remote. Warnings go to `cx`.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid.
    fn configure(&self, config: Self::Model, cx: &mut Context) -> Result<Configured<Self::Client>, Diagnostics>;
}

/// The client of a configured provider.
#[derive(Debug)]
pub enum Configured<C> {
    /// A client that is ready for use.
    Known(C),
    /// A client for planning only: arguments that it needs for remote calls are known after apply.
    Partly(C),
}

/// The blocks of one kind, or the functions, by name.
pub(super) type ByName<T> = BTreeMap<&'static str, Box<T>>;

/// Everything that a provider offers.
pub struct Registry<C> {
    pub(super) resources: ByName<dyn AnyResource<C>>,
    pub(super) data_sources: ByName<dyn AnyDataSource<C>>,
    pub(super) list_resources: ByName<dyn AnyListResource<C>>,
    pub(super) ephemeral_resources: ByName<dyn AnyEphemeralResource<C>>,
    pub(super) actions: ByName<dyn AnyAction<C>>,
    pub(super) functions: ByName<RegisteredFunction>,
}

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Self {
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            list_resources: BTreeMap::new(),
            ephemeral_resources: BTreeMap::new(),
            actions: BTreeMap::new(),
            functions: BTreeMap::new(),
        }
    }
}

impl<C> Registry<C> {
    /// Returns an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a managed resource.
    ///
    /// # Panics
    ///
    /// If the identity schema of `resource` disagrees with its model or with the schema of the resource.
    #[must_use]
    pub fn resource<R: ManagedResource<Client = C>>(mut self, resource: R) -> Self {
        let (name, identity, resource) = (resource.type_name(), resource.identity_schema(), Registered::new(resource));
        assert_eq!(identity.ty(), R::Identity::ty(), "identity schema and model of {name}");
        assert!(identity.is_part_of(resource.schema()), "identity schema and resource schema of {name}");
        self.resources.insert(name, Box::new(resource));
        self
    }

    /// Adds a data source.
    #[must_use]
    pub fn data_source<D: DataSource<Client = C>>(mut self, data_source: D) -> Self {
        self.data_sources.insert(data_source.type_name(), Box::new(Registered::new(data_source)));
        self
    }

    /// Adds a list resource. Its resource must be added as well.
    #[must_use]
    pub fn list_resource<L: ListResource<Client = C>>(mut self, list_resource: L) -> Self {
        self.list_resources.insert(list_resource.type_name(), Box::new(Registered::new(list_resource)));
        self
    }

    /// Adds an ephemeral resource.
    #[must_use]
    pub fn ephemeral_resource<E: EphemeralResource<Client = C>>(mut self, resource: E) -> Self {
        self.ephemeral_resources.insert(resource.type_name(), Box::new(Registered::new(resource)));
        self
    }

    /// Adds an action.
    #[must_use]
    pub fn action<A: Action<Client = C>>(mut self, action: A) -> Self {
        self.actions.insert(action.type_name(), Box::new(Registered::new(action)));
        self
    }

    /// Adds a function.
    #[must_use]
    pub fn function<F: Function>(mut self, function: F) -> Self {
        self.functions.insert(function.name(), Box::new(RegisteredFunction::new(function)));
        self
    }
}
