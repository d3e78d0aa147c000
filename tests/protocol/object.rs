//! An object in a state, and what a host does with it.

use tencent_simulator::Simulator;
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{self, apply_resource_change, plan_resource_change};

use crate::session::{RESOURCE, Session};

/// An object in a state, with its private data.
pub(crate) struct Stored {
    pub(crate) value: Value,
    pub(crate) private: Vec<u8>,
}

impl Stored {
    pub(crate) fn nothing() -> Self {
        Self { value: Value::Null, private: Vec::new() }
    }

    /// Returns what an apply has left.
    pub(crate) fn applied(session: &Session, applied: &apply_resource_change::Response) -> Self {
        Self { value: session.decode(&applied.new_state), private: applied.private.clone() }
    }

    /// Creates the configuration of `config`, in a process of its own.
    pub(crate) async fn created(simulator: &Simulator, config: &Value) -> Self {
        let session = Session::on(simulator).await;
        let nothing = Self::nothing();
        let planned = nothing.plan(&session, config).await;
        Self::applied(&session, &nothing.apply(&session, config, &planned).await)
    }

    /// Plans `config`, or a destruction if that is null.
    pub(crate) async fn plan(&self, session: &Session, config: &Value) -> plan_resource_change::Response {
        let request = plan_resource_change::Request {
            prior_private: self.private.clone(),
            ..session.plan_request(&self.value, config)
        };
        session.provider().plan_resource_change(request).await.expect("a plan").into_inner()
    }

    pub(crate) async fn apply(
        &self,
        session: &Session,
        config: &Value,
        plan: &plan_resource_change::Response,
    ) -> apply_resource_change::Response {
        let request = apply_resource_change::Request {
            type_name: RESOURCE.into(),
            prior_state: session.encode(&self.value),
            planned_state: plan.planned_state.clone(),
            config: session.encode(config),
            planned_private: plan.planned_private.clone(),
            ..Default::default()
        };
        session.provider().apply_resource_change(request).await.expect("an answer").into_inner()
    }

    pub(crate) async fn read(&self, session: &Session) -> Self {
        let request =
            proto::read_resource::Request { private: self.private.clone(), ..session.read_request(&self.value) };
        let read = session.provider().read_resource(request).await.expect("an answer").into_inner();
        assert_eq!(read.diagnostics, []);
        Self { value: session.decode(&read.new_state), private: read.private }
    }
}
