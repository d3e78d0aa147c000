//! Functions: the trait that provider code implements, and its form without type parameters.

use std::borrow::Cow;

use super::model::Mismatch;
use super::{Data, Step, Type, Value, proto};

/// A function that configurations can call. Its result depends on nothing but its arguments.
///
/// The arguments of a call are known and not null: Terraform refuses null arguments, and a call with an unknown
/// argument has an unknown result.
pub trait Function: Send + Sync + 'static {
    /// The arguments, with one attribute for each parameter.
    type Arguments: Data;
    /// The result.
    type Output: Data;

    /// The name in configurations, after `provider::NAME::`.
    fn name(&self) -> &'static str;

    /// The description and the parameters.
    fn signature(&self) -> Signature;

    /// Computes the result.
    ///
    /// # Errors
    ///
    /// If an argument is invalid.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// The description and the parameters of a function.
#[derive(Debug, Clone)]
pub struct Signature {
    /// One line of plain text.
    pub summary: &'static str,
    /// Markdown.
    pub description: &'static str,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
}

/// One parameter of a function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The parameter's name in documentation and errors. Calls pass arguments by position.
    pub name: &'static str,
    /// The type of its arguments.
    pub ty: Type,
    /// Markdown.
    pub description: Cow<'static, str>,
}

/// The error of a function call.
///
/// Terraform prints a colon before the text and a full stop after it. The text should not quote arguments, which may be
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    text: String,
    parameter: Option<String>,
}

impl FunctionError {
    /// Returns an error that blames no single argument.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameter: None }
    }

    /// Blames the argument of the parameter `name`.
    #[must_use]
    pub fn on(self, name: impl Into<String>) -> Self {
        Self { parameter: Some(name.into()), ..self }
    }

    /// Encodes the error. The protocol names a parameter by its position in `signature`.
    pub(super) fn to_proto(&self, signature: &Signature) -> proto::FunctionError {
        let position = |name| signature.parameters.iter().position(|parameter| parameter.name == name);
        let position = self.parameter.as_deref().and_then(position);
        proto::FunctionError {
            text: self.text.clone(),
            function_argument: position.and_then(|position| i64::try_from(position).ok()),
        }
    }
}

/// Blames an argument that its model cannot hold.
impl From<Mismatch> for FunctionError {
    fn from(mismatch: Mismatch) -> Self {
        let error = Self::new(format!("{} is required", mismatch.expected));
        match mismatch.steps.into_iter().next() {
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
