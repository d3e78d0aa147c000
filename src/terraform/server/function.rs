//! The RPCs about functions.

use super::Server;
use crate::terraform::proto;
use crate::terraform::provider::Provider;
use crate::terraform::{Context, Diagnostics};

impl<P: Provider> Server<P> {
    pub(super) async fn get_functions(
        &self,
        _: proto::get_functions::Request,
        _: &mut Context,
    ) -> Result<proto::get_functions::Response, Diagnostics> {
        Ok(Default::default())
    }

    pub(super) async fn call_function(
        &self,
        request: proto::call_function::Request,
        _: &mut Context,
    ) -> Result<proto::call_function::Response, Diagnostics> {
        let text = format!("The provider \"{}\" has no function \"{}\".", P::TYPE_NAME, request.name);
        let error = proto::FunctionError { text, function_argument: None };
        Ok(proto::call_function::Response { error: Some(error), result: None })
    }
}
