//! The RPCs about functions.

use std::collections::{BTreeMap, HashMap};

use super::{Server, each, find};
use crate::terraform::codec::{self, decode};
use crate::terraform::function::{FunctionError, RegisteredFunction};
use crate::terraform::proto;
use crate::terraform::provider::Provider;
use crate::terraform::{Context, Diagnostics, Value};

impl<P: Provider> Server<P> {
    pub(super) fn functions(&self) -> HashMap<String, proto::Function> {
        each(&self.shared.registry.functions, |function| function.signature.to_proto(&function.returns))
    }

    pub(super) async fn get_functions(
        &self,
        _: proto::get_functions::Request,
        _: &mut Context,
    ) -> Result<proto::get_functions::Response, Diagnostics> {
        Ok(proto::get_functions::Response { functions: self.functions(), ..Default::default() })
    }

    pub(super) async fn call_function(
        &self,
        request: proto::call_function::Request,
        _: &mut Context,
    ) -> Result<proto::call_function::Response, Diagnostics> {
        let function = find(&self.shared.registry.functions, "function", &request.name)?;
        Ok(match call(function, &request.arguments) {
            Ok(result) => {
                let result = Some(codec::encode(&result, &function.returns)?);
                proto::call_function::Response { result, error: None }
            }
            Err(error) => {
                let error = Some(error.to_proto(&function.signature));
                proto::call_function::Response { result: None, error }
            }
        })
    }
}

fn call(function: &RegisteredFunction, given: &[proto::DynamicValue]) -> Result<Value, FunctionError> {
    let parameters = &function.signature.parameters;
    if given.len() != parameters.len() {
        let (sent, expected) = (given.len(), parameters.len());
        return Err(FunctionError::new(format!("Terraform sent {sent} arguments instead of {expected}")));
    }
    let mut arguments = BTreeMap::new();
    for (parameter, given) in parameters.iter().zip(given) {
        let argument = decode(Some(given), &parameter.ty).map_err(|error| {
            FunctionError::new(format!("Terraform sent a value of another type: {error}")).on(parameter.name)
        })?;
        arguments.insert(parameter.name.to_owned(), argument);
    }
    let arguments = Value::Object(arguments);
    if arguments.is_wholly_known() { (function.call)(arguments) } else { Ok(Value::Unknown) }
}
