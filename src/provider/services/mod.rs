//! The services whose events Tencent posts: one file each, besides `service.rs`, which defines their common form.

mod call;
pub(super) mod live;
mod room;
mod service;

pub(super) use service::{CallbackService, Event, Services};

/// All services, one line each.
#[rustfmt::skip]
pub(super) const SERVICES: Services = Services(&[
    &call::CALL,
    &room::ROOM,
    &live::LIVE,
]);

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use serde_json::{Map, Value, json};
    use tencent_simulator::{Configuration, Receiver, Service as Simulated, Simulator};
    use tonic::Request;

    use super::service::{PROBE_ID, no_advice};
    use super::*;
    use crate::provider::callback::CallbackKind;
    use crate::provider::callback::data_source::CallbackData;
    use crate::provider::callback::probe::ProbeConfig;
    use crate::provider::singleton::Singleton;
    use crate::provider::{Config, TencentProvider};
    use crate::tencent::{Overwrite, Service};
    use crate::terraform::proto::{self, DynamicValue, provider_server::Provider as _};
    use crate::terraform::{Block, Data, Server, Type};

    /// A service that Tencent does not have.
    const NEW: CallbackService = CallbackService {
        name: "new",
        title: "New",
        type_name: "tencent_new_callback",
        events_of: "new things",
        api: Service { path_segment: "new_config", overwrite: Overwrite::ByUpdate },
        events: &[Event {
            command: "New.CallbackAfterBegin",
            meaning: "a new thing began",
            carries: "the thing's ID",
            page: 1,
            sample: Some(|now| json!({ "ThingId": PROBE_ID, "EventTime": now.milliseconds })),
        }],
        notes: "",
        advise: no_advice,
    };

    fn json(value: &Value) -> DynamicValue {
        DynamicValue { json: value.to_string().into_bytes(), ..Default::default() }
    }

    /// Encodes an object of the model `M`. Attributes that `set` leaves out are null.
    fn object<M: Data>(set: Value) -> Option<DynamicValue> {
        let (Type::Object(attributes), Value::Object(set)) = (M::ty(), set) else { panic!("no object") };
        let mut object: Map<_, _> = attributes.into_keys().map(|name| (name, Value::Null)).collect();
        object.extend(set);
        Some(json(&object.into()))
    }

    async fn configured(simulator: &Simulator) -> Server<TencentProvider> {
        let server = Server::new(TencentProvider { environment: |_| None, services: Services(&[&room::ROOM, &NEW]) });
        let config = object::<Config>(json!({
            "sdk_app_id": Simulator::SDK_APP_ID, "secret_key": Simulator::SECRET_KEY, "endpoint": simulator.url(),
        }));
        let request = proto::configure_provider::Request { config, ..Default::default() };
        let response = server.configure_provider(Request::new(request)).await.expect("an answer");
        assert_eq!(response.into_inner().diagnostics, []);
        server
    }

    #[tokio::test]
    async fn a_new_service_gets_every_object_by_its_line_in_the_list() {
        let simulator = Simulator::builder().serve(NEW.api.path_segment).start().expect("a simulator");
        let server = configured(&simulator).await;
        let type_name = || NEW.type_name.to_owned();

        let config = object::<<Singleton<CallbackKind> as Block>::Model>(
            json!({ "url": "https://hooks.example.com/", "callback_commands": [NEW.events[0].command] }),
        );
        let request = proto::plan_resource_change::Request {
            type_name: type_name(),
            proposed_new_state: config.clone(),
            config: config.clone(),
            ..Default::default()
        };
        let planned = server.plan_resource_change(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(planned.diagnostics, []);
        let request = proto::apply_resource_change::Request {
            type_name: type_name(),
            planned_state: planned.planned_state,
            planned_private: planned.planned_private,
            config,
            ..Default::default()
        };
        let applied = server.apply_resource_change(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(applied.diagnostics, []);
        assert_eq!(
            simulator.configuration(Simulated::Other(NEW.api.path_segment), Simulator::SDK_APP_ID),
            Some(Configuration::new("https://hooks.example.com/", [NEW.events[0].command]))
        );

        let request = proto::read_data_source::Request {
            type_name: type_name(),
            config: object::<CallbackData>(json!({})),
            ..Default::default()
        };
        let read = server.read_data_source(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(read.diagnostics, []);

        let request = Request::new(proto::get_provider_schema::Request {});
        let schema = server.get_provider_schema(request).await.expect("an answer").into_inner();
        assert!(schema.list_resource_schemas.contains_key(NEW.type_name));

        let arguments = vec![json(&json!("new"))];
        let request = proto::call_function::Request { name: "callback_commands".into(), arguments };
        let called = server.call_function(Request::new(request)).await.expect("an answer").into_inner();
        assert_eq!(called.error, None);
    }

    #[tokio::test]
    async fn the_probe_posts_the_events_of_a_new_service() {
        let simulator = Simulator::builder().serve(NEW.api.path_segment).start().expect("a simulator");
        let receiver = Receiver::start().expect("a receiver");
        let server = configured(&simulator).await;
        let config = json!({
            "callback_command": NEW.events[0].command, "url": receiver.url(), "allow_private": true,
        });
        let request = proto::invoke_action::Request {
            action_type: "tencent_callback_probe".into(),
            config: object::<ProbeConfig>(config),
            ..Default::default()
        };
        let told = server.invoke_action(Request::new(request)).await.expect("a stream").into_inner();
        assert!(told.all(async |event| event.is_ok()).await);
        assert_eq!(receiver.take().remove(0).body["ThingId"], PROBE_ID);
    }
}
