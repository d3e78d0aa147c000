//! The RPCs about data sources.

use super::{Server, all_unknown, deferred, find};
use crate::terraform::codec::{self, decode};
use crate::terraform::data_source::AnyDataSource;
use crate::terraform::proto;
use crate::terraform::provider::{Configured, Provider};
use crate::terraform::{Context, Diagnostics};

impl<P: Provider> Server<P> {
    fn data_source(&self, type_name: &str) -> Result<&dyn AnyDataSource<P::Client>, Diagnostics> {
        find(&self.shared.registry.data_sources, "data source", type_name)
    }

    pub(super) async fn validate_data_resource_config(
        &self,
        request: proto::validate_data_resource_config::Request,
        _: &mut Context,
    ) -> Result<proto::validate_data_resource_config::Response, Diagnostics> {
        let data_source = self.data_source(&request.type_name)?;
        data_source.validate(decode(request.config.as_ref(), data_source.ty())?)?;
        Ok(Default::default())
    }

    pub(super) async fn read_data_source(
        &self,
        request: proto::read_data_source::Request,
        cx: &mut Context,
    ) -> Result<proto::read_data_source::Response, Diagnostics> {
        let data_source = self.data_source(&request.type_name)?;
        let ty = data_source.ty();
        let config = decode(request.config.as_ref(), ty)?;
        let (state, deferred) = match (&*self.configured()?, deferred(request.client_capabilities)) {
            (Configured::Known(client), _) => (data_source.read(client, config, cx).await?, None),
            (Configured::Partly(_), Some(deferred)) => (all_unknown(ty), Some(deferred)),
            (Configured::Partly(_), None) => return Err(self.unknown_provider()),
        };
        Ok(proto::read_data_source::Response {
            state: Some(codec::encode(&state, ty)?),
            deferred,
            ..Default::default()
        })
    }
}
