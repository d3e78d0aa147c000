//! Functions: the trait that provider code implements, and its form without type parameters.

use std::borrow::Cow;

use super::model::Mismatch;
use super::{Data, Step, Type, Value, proto};

/// A function that configurations can call. Its result follows from its arguments alone.
///
/// It is called with arguments that are known and not null only: Terraform refuses null, and takes the result of an
/// unknown argument to be unknown.
pub trait Function: Send + Sync + 'static {
    /// The arguments: an attribute for each parameter.
    type Arguments: Data;
    /// What it returns.
    type Output: Data;

    /// The name in configurations, behind `provider::NAME::`.
    fn name(&self) -> &'static str;

    /// What it is for, and its parameters.
    fn signature(&self) -> Signature;

    /// Computes the result.
    ///
    /// # Errors
    ///
    /// If there is none for these arguments.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// What a function is for, and its parameters.
#[derive(Debug, Clone)]
pub struct Signature {
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Markdown.
    pub description: &'static str,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
}

/// One parameter of a function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The parameter's name, for people: arguments have none.
    pub name: &'static str,
    /// The type of its arguments.
    pub ty: Type,
    /// Markdown.
    pub description: Cow<'static, str>,
}

/// Why a function has no result.
///
/// Terraform puts the text after a colon and a full stop behind it. It should not quote arguments, which may be secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    text: String,
    parameter: Option<String>,
}

impl FunctionError {
    /// An error that no single argument is to blame for.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameter: None }
    }

    /// Blames the argument of the parameter `name`.
    #[must_use]
    pub fn on(self, name: impl Into<String>) -> Self {
        Self { parameter: Some(name.into()), ..self }
    }

    /// The error as `signature` numbers the parameters.
    pub(super) fn to_proto(&self, signature: &Signature) -> proto::FunctionError {
        let position = |name| signature.parameters.iter().position(|parameter| parameter.name == name);
        let position = self.parameter.as_deref().and_then(position);
        proto::FunctionError {
            text: self.text.clone(),
            function_argument: position.and_then(|position| i64::try_from(position).ok()),
        }
    }
}

/// An argument that its model cannot hold.
impl From<Mismatch> for FunctionError {
    fn from(mismatch: Mismatch) -> Self {
        let error = Self::new(format!("{} is required", mismatch.expected));
        match mismatch.path.into_iter().next() {
            Some(Step::Attribute(name)) => error.on(name),
            _ => error,
        }
    }
}

impl Signature {
    pub(super) fn to_proto(&self, returns: &Type) -> proto::Function {
        let parameter = |parameter: &Parameter| proto::function::Parameter {
            name: parameter.name.to_owned(),
            r#type: parameter.ty.to_bytes(),
            allow_null_value: false,
            allow_unknown_values: false,
            description: parameter.description.clone().into_owned(),
            description_kind: proto::StringKind::Markdown.into(),
        };
        proto::Function {
            parameters: self.parameters.iter().map(parameter).collect(),
            r#return: Some(proto::function::Return { r#type: returns.to_bytes() }),
            summary: self.summary.to_owned(),
            description: self.description.to_owned(),
            description_kind: proto::StringKind::Markdown.into(),
            ..Default::default()
        }
    }
}

/// A [`Function`] without its type parameters.
pub(super) struct RegisteredFunction {
    pub(super) signature: Signature,
    pub(super) returns: Type,
    /// Calls the function with an object that has an attribute for each parameter.
    pub(super) call: Box<dyn Fn(Value) -> Result<Value, FunctionError> + Send + Sync>,
}

impl RegisteredFunction {
    /// # Panics
    ///
    /// If the arguments and the signature of `function` disagree: a bug that every start of the provider shows.
    pub(super) fn new<F: Function>(function: F) -> Self {
        let signature = function.signature();
        let parameters = Type::object(signature.parameters.iter().map(|p| (p.name, p.ty.clone())));
        assert_eq!(parameters, F::Arguments::ty(), "signature and arguments of {}", function.name());
        let call = move |arguments| function.call(F::Arguments::from_value(arguments)?).map(Data::into_value);
        Self { signature, returns: F::Output::ty(), call: Box::new(call) }
    }
}
