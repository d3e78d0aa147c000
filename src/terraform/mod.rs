//! Terraform's data model and the tfplugin6 service, for any provider.
//!
//! | item | purpose |
//! | --- | --- |
//! | [`Value`], [`Type`], [`Number`] | Terraform's values and types (cty) |
//! | [`Schema`], [`Attribute`] | the attributes of an object |
//! | [`model!`](crate::model), [`Attr`], [`Data`] | the structs that provider code works on |
//! | [`Provider`], [`ManagedResource`], [`DataSource`], [`ListResource`], [`EphemeralResource`], [`Action`], [`Block`], [`Function`] | the traits that provider code implements |
//! | [`Server`], [`Session`] | the tfplugin6 service of a provider, and the configuration that one caller gave it |
//! | [`codec`] | the encodings of values |
//! | [`proto`] | the protocol's messages |
//!
//! This module knows neither Tencent nor this provider: its input is a [`Provider`] and requests of the protocol.

mod action;
mod block;
pub mod codec;
mod context;
mod data_source;
mod diagnostic;
mod ephemeral_resource;
mod function;
mod list_resource;
mod model;
mod number;
mod path;
pub mod proto;
mod provider;
mod resource;
mod schema;
mod server;
mod session;
mod types;
mod value;

pub use action::Action;
pub use block::Block;
pub use context::Context;
pub use data_source::DataSource;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use ephemeral_resource::{EphemeralResource, Opened};
pub use function::{Function, FunctionError, Parameter, Signature};
pub use list_resource::{Found, ListResource, Listing};
pub use model::{Attr, Data, Mismatch, SetOf};
#[doc(hidden)]
pub use model::{open_object, take_attribute};
pub use number::{Number, NumberError};
pub use path::{AttributePath, Step};
pub use provider::{Configured, Provider, Registry};
pub use resource::{Change, Failure, Foreign, ImportTarget, ManagedResource};
pub use schema::{Attribute, IdentityAttribute, IdentitySchema, Nesting, Schema};
pub use server::{Progress, Server};
pub use session::Session;
pub use types::{InvalidType, Type};
pub use value::{Set, Value};
