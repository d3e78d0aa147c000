//! Blocks: the part of a provider, a resource or any other kind of block that is the same for all kinds.

use super::{Data, Diagnostics, Schema, Type, Value};

/// A kind of block in configurations: its name, its arguments and their checks.
pub trait Block: Send + Sync + 'static {
    /// The client of the configured provider.
    type Client: Send + Sync + 'static;
    /// The attributes of the schema.
    type Model: Data + Send + 'static;

    /// The name in configurations, such as `tencent_call_callback`.
    fn type_name(&self) -> &'static str;

    /// The attributes of the block.
    fn schema(&self) -> Schema;

    /// Checks a configuration without the client. Values may be unknown.
    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }
}

/// A block with its schema and type, which are computed once.
pub(super) struct Registered<B> {
    pub(super) block: B,
    schema: Schema,
    ty: Type,
}

impl<B: Block> Registered<B> {
    /// # Panics
    ///
    /// If the schema and the model of `block` disagree: a bug that every start of the provider shows.
    pub(super) fn new(block: B) -> Self {
        let schema = block.schema();
        let ty = schema.ty();
        assert_eq!(ty, B::Model::ty(), "schema and model of {}", block.type_name());
        Self { block, schema, ty }
    }
}

/// A [`Registered`] block without its type parameter.
pub(super) trait AnyBlock: Send + Sync {
    fn schema(&self) -> &Schema;

    /// The type of the block's values.
    fn ty(&self) -> &Type;

    /// Checks a configuration by the schema and by the block's own rules.
    fn validate(&self, config: Value) -> Result<(), Diagnostics>;
}

impl<B: Block> AnyBlock for Registered<B> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn validate(&self, config: Value) -> Result<(), Diagnostics> {
        let mut diagnostics = self.schema.check(&config);
        let own = B::Model::from_value(config).map_or_else(Diagnostics::from, |config| self.block.validate(&config));
        diagnostics.extend(own);
        diagnostics.into_result()
    }
}
