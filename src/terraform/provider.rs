//! Providers: the trait that provider code implements, and the registry of what a provider offers.

use std::collections::BTreeMap;

use super::action::{self, Action, AnyAction};
use super::data_source::{self, AnyDataSource, DataSource};
use super::ephemeral_resource::{self, AnyEphemeralResource, EphemeralResource};
use super::function::{self, AnyFunction, Function};
use super::list_resource::{self, AnyListResource, ListResource};
use super::resource::{self, AnyResource, ManagedResource};
use super::{Context, Data, Diagnostics, Schema};

/// A provider: its block in configurations, and what it offers.
pub trait Provider: Send + Sync + 'static {
    /// The attributes of the provider block.
    type Config: Data + Send + 'static;
    /// What all that the provider offers works with once the provider is configured.
    type Client: Send + Sync + 'static;

    /// The provider's type, the last part of its address and the first of its resources' names, such as `tencent`.
    const TYPE_NAME: &'static str;

    /// The attributes of the provider block.
    fn schema(&self) -> Schema;

    /// What the provider offers: one line each.
    fn registry(&self) -> Registry<Self::Client>;

    /// Checks the provider block before its values are all known.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Makes the client. It reaches nothing remote. What a person should know all the same is a warning in `cx`.
    ///
    /// # Errors
    ///
    /// If the configuration cannot work.
    fn configure(&self, config: Self::Config, cx: &mut Context) -> Result<Configured<Self::Client>, Diagnostics>;
}

/// A client, as far as the provider's configuration is known.
#[derive(Debug)]
pub enum Configured<C> {
    /// Ready to be used.
    Known(C),
    /// Arguments that it needs are known after apply only: good for planning, not for reaching anything remote.
    Partly(C),
}

/// What a provider offers, by name.
pub struct Registry<C> {
    pub(super) resources: BTreeMap<&'static str, Box<dyn AnyResource<C>>>,
    pub(super) data_sources: BTreeMap<&'static str, Box<dyn AnyDataSource<C>>>,
    pub(super) list_resources: BTreeMap<&'static str, Box<dyn AnyListResource<C>>>,
    pub(super) ephemeral_resources: BTreeMap<&'static str, Box<dyn AnyEphemeralResource<C>>>,
    pub(super) actions: BTreeMap<&'static str, Box<dyn AnyAction<C>>>,
    pub(super) functions: BTreeMap<&'static str, Box<dyn AnyFunction>>,
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
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a managed resource.
    #[must_use]
    pub fn resource<R: ManagedResource<Client = C>>(mut self, resource: R) -> Self {
        self.resources.insert(resource.type_name(), Box::new(resource::Registered::new(resource)));
        self
    }

    /// Adds a data source.
    #[must_use]
    pub fn data_source<D: DataSource<Client = C>>(mut self, data_source: D) -> Self {
        self.data_sources.insert(data_source.type_name(), Box::new(data_source::Registered::new(data_source)));
        self
    }

    /// Adds a list resource. Its resource is to be added, too.
    #[must_use]
    pub fn list_resource<L: ListResource<Client = C>>(mut self, list_resource: L) -> Self {
        self.list_resources.insert(list_resource.type_name(), Box::new(list_resource::Registered::new(list_resource)));
        self
    }

    /// Adds an ephemeral resource.
    #[must_use]
    pub fn ephemeral_resource<E: EphemeralResource<Client = C>>(mut self, resource: E) -> Self {
        self.ephemeral_resources.insert(resource.type_name(), Box::new(ephemeral_resource::Registered::new(resource)));
        self
    }

    /// Adds an action.
    #[must_use]
    pub fn action<A: Action<Client = C>>(mut self, action: A) -> Self {
        self.actions.insert(action.type_name(), Box::new(action::Registered::new(action)));
        self
    }

    /// Adds a function.
    #[must_use]
    pub fn function<F: Function>(mut self, function: F) -> Self {
        self.functions.insert(function.name(), Box::new(function::Registered::new(function)));
        self
    }
}
