//! Shared by the fuzz targets: a provider without network, and Terraform's rules for its answers.

use std::cell::LazyCell;
use std::fmt::Debug;
use std::future::Future;
use std::sync::LazyLock;

use terraform_provider_tencent::provider::TencentProvider;
use terraform_provider_tencent::terraform::proto::provider_server::Provider as _;
use terraform_provider_tencent::terraform::proto::schema::object::NestingMode;
use terraform_provider_tencent::terraform::proto::schema::{Attribute, Block};
use terraform_provider_tencent::terraform::proto::{self, Diagnostic, DynamicValue, Schema};
use terraform_provider_tencent::terraform::{Server, Type, Value, codec};
use tokio::runtime::{Builder, Runtime};
use tonic::{Request, Response, Status};

/// The name of the resource, and of the data source.
pub const TYPE_NAME: &str = "tencent_call_callback";

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
}

/// Runs `work` to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// The provider's schemas.
pub struct Schemas {
    /// The provider block.
    pub provider: Schema,
    /// The resource.
    pub resource: Schema,
    /// The data source.
    pub data_source: Schema,
}

impl Schemas {
    fn of(server: &Server<TencentProvider>) -> Self {
        let schema = block_on(server.get_provider_schema(Request::new(proto::get_provider_schema::Request {})));
        let mut schema = schema.expect("the schema").into_inner();
        Self {
            provider: schema.provider.expect("a provider"),
            resource: schema.resource_schemas.remove(TYPE_NAME).expect("a resource"),
            data_source: schema.data_source_schemas.remove(TYPE_NAME).expect("a data source"),
        }
    }
}

/// The schemas of a new server.
pub static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&Server::new(TencentProvider::default())));

/// A server whose SecretKey is unknown, so that no request makes it call Tencent.
pub static UNKNOWN: LazyLock<Server<TencentProvider>> = LazyLock::new(|| {
    let server = Server::new(TencentProvider::default());
    let ty = type_of(&SCHEMAS.provider);
    let config = codec::from_json(b"{}", &ty, codec::ExtraAttributes::Ignored).expect("an empty block");
    let config = with(config, "secret_key", Value::Unknown);
    let request = proto::configure_provider::Request {
        config: Some(codec::encode(&config, &ty).expect("a block")),
        ..Default::default()
    };
    let answer = block_on(server.configure_provider(Request::new(request))).expect("an answer").into_inner();
    assert_eq!(answer.diagnostics, []);
    server
});

/// Replaces one attribute of an object.
pub fn with(object: Value, name: &str, value: Value) -> Value {
    let Value::Object(mut attributes) = object else { panic!("{object:?} is no object") };
    attributes.insert(name.to_owned(), value);
    Value::Object(attributes)
}

/// Unwraps the answer to an RPC. A gRPC error would be a bug.
pub fn answered<T: Debug>(rpc: &str, answer: Result<Response<T>, Status>) -> T {
    match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => panic!("{rpc}: {status:?}"),
    }
}

/// Returns whether one of the diagnostics is an error. None may be empty.
pub fn failed(diagnostics: &[Diagnostic]) -> bool {
    for diagnostic in diagnostics {
        assert!(!diagnostic.summary.is_empty() && !diagnostic.detail.is_empty(), "{diagnostic:?}");
    }
    diagnostics.iter().any(|diagnostic| diagnostic.severity() == proto::diagnostic::Severity::Error)
}

/// Decodes a value from the provider.
pub fn sent(value: Option<&DynamicValue>, ty: &Type) -> Value {
    codec::decode(value, ty).expect("the provider sends values of its schema")
}

/// Returns the attributes of a schema.
pub fn attributes(schema: &Schema) -> &[Attribute] {
    let Block { attributes, .. } = schema.block.as_ref().expect("a block");
    attributes
}

/// Returns the type of the values that a schema describes.
pub fn type_of(schema: &Schema) -> Type {
    object_of(attributes(schema))
}

fn object_of(attributes: &[Attribute]) -> Type {
    Type::object(attributes.iter().map(|attribute| (attribute.name.clone(), attribute_type(attribute))))
}

fn attribute_type(attribute: &Attribute) -> Type {
    let Some(nested) = &attribute.nested_type else {
        return Type::from_json(&attribute.r#type).expect("a type");
    };
    let object = object_of(&nested.attributes);
    match nested.nesting() {
        NestingMode::Single => object,
        NestingMode::List => Type::list(object),
        NestingMode::Set => Type::set(object),
        NestingMode::Map => Type::map(object),
        NestingMode::Invalid => panic!("{} has no nesting mode", attribute.name),
    }
}
