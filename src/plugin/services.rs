//! go-plugin's own services, which every plugin serves next to its own.

use futures_util::{StreamExt as _, stream};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::lifetime::Lifetime;
use super::proto::grpc_broker_server::GrpcBroker;
use super::proto::grpc_controller_server::GrpcController;
use super::proto::grpc_stdio_server::GrpcStdio;
use super::proto::{ConnInfo, Empty, StdioData};

/// The service that ends the process when the host requests it.
pub(super) struct Controller(Lifetime);

impl Controller {
    pub(super) fn new(lifetime: &Lifetime) -> Self {
        Self(lifetime.clone())
    }
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.end("the host requested shutdown");
        Ok(Response::new(Empty {}))
    }
}

/// Returns an empty stream that stays open until the process ends.
fn silence<T: Send + 'static>(lifetime: &Lifetime) -> BoxStream<T> {
    stream::pending().take_until(lifetime.ended()).boxed()
}

/// The service for the plugin's output. There is none, because the plugin logs to standard error.
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

/// The service for further connections between host and plugin. Terraform's protocol has none.
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
