//! go-plugin's own services beside the one that is served.

use futures_util::{StreamExt as _, stream};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::lifetime::Lifetime;
use super::proto::grpc_broker_server::GrpcBroker;
use super::proto::grpc_controller_server::GrpcController;
use super::proto::grpc_stdio_server::GrpcStdio;
use super::proto::{ConnInfo, Empty, StdioData};

/// Ends the process at the host's wish.
pub(super) struct Controller(Lifetime);

impl Controller {
    pub(super) fn new(lifetime: &Lifetime) -> Self {
        Self(lifetime.clone())
    }
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.end("the host wants no more");
        Ok(Response::new(Empty {}))
    }
}

/// A stream on which nothing comes, open until the end.
fn silence<T: Send + 'static>(lifetime: &Lifetime) -> BoxStream<T> {
    stream::pending().take_until(lifetime.ended()).boxed()
}

/// What the process would have printed: nothing, for it logs to standard error only.
pub(super) struct Stdio(Lifetime);

impl Stdio {
    pub(super) fn new(lifetime: &Lifetime) -> Self {
        Self(lifetime.clone())
    }
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(silence(&self.0)))
    }
}

/// Further connections between host and plugin: Terraform's protocol has none.
pub(super) struct Broker(Lifetime);

impl Broker {
    pub(super) fn new(lifetime: &Lifetime) -> Self {
        Self(lifetime.clone())
    }
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    async fn start_stream(&self, _: Request<Streaming<ConnInfo>>) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(silence(&self.0)))
    }
}
