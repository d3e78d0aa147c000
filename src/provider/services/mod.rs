//! The services whose events Tencent posts: what one of them is, and a file for each.

mod call;
pub(super) mod live;
mod room;

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::tencent::Service;
use crate::terraform::Diagnostic;

/// All services, one line each.
#[rustfmt::skip]
pub(super) const SERVICES: Services = Services(&[
    &call::CALL,
    &room::ROOM,
    &live::LIVE,
]);

/// A service that posts events.
#[derive(Debug)]
pub(crate) struct CallbackService {
    /// The name in configurations, such as "call".
    pub(crate) name: &'static str,
    /// Tencent's name, such as "Call".
    pub(crate) title: &'static str,
    /// The type of its resource, data source and list resource.
    pub(crate) type_name: &'static str,
    /// The things that the events are about, such as "calls".
    pub(crate) events_of: &'static str,
    pub(crate) api: Service,
    /// The events that Tencent documents. There may be more.
    pub(crate) events: &'static [Event],
    /// Further paragraphs for the documentation of the service's resource. May be empty.
    pub(crate) notes: &'static str,
    /// Returns a warning about the valid callback commands of one resource, given all of them.
    pub(crate) advise: fn(&[&str]) -> Option<Diagnostic>,
}

/// An event that Tencent posts to a receiver.
#[derive(Debug)]
pub(crate) struct Event {
    /// The callback command.
    pub(crate) command: &'static str,
    /// The occasion, such as "a call ended", or the effect of a command that is not an event.
    pub(crate) meaning: &'static str,
    /// The content besides the time, such as "the record of the call". Empty for a command that is not an event.
    pub(crate) carries: &'static str,
    /// The number of Tencent's page about the event, below `https://trtc.io/document/`.
    pub(crate) page: u32,
    /// Makes an event that never happened, for probes. `None` where Tencent's documentation has no example.
    pub(crate) sample: Option<fn(Now) -> Value>,
}

impl CallbackService {
    /// Returns the callback commands, in the order of Tencent's documentation.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.events.iter().map(|event| event.command)
    }

    /// Finds the event with this callback command.
    pub(crate) fn event(&self, command: &str) -> Option<&'static Event> {
        self.events.iter().find(|event| event.command == command)
    }
}

/// Returns no advice, for services whose commands need none.
pub(crate) fn no_advice(_: &[&str]) -> Option<Diagnostic> {
    None
}

impl Event {
    /// Makes the body of a probe, without the callback command.
    pub(crate) fn sample(&self) -> Option<Map<String, Value>> {
        match self.sample?(Now::new()) {
            Value::Object(event) => Some(event),
            _ => None,
        }
    }
}

/// The current time in the units of events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) seconds: u64,
    pub(crate) milliseconds: u64,
}

impl Now {
    fn new() -> Self {
        let since: Duration = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { seconds: since.as_secs(), milliseconds: u64::try_from(since.as_millis()).unwrap_or_default() }
    }
}

/// The user that acts in a probe's event. No real user has this name.
pub(crate) const PROBE_USER: &str = "terraform-probe";
/// The call, room or battle of a probe's event. No real one has this ID.
pub(crate) const PROBE_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Makes a taken seat, as both rooms and live streams have them.
pub(crate) fn probe_seat() -> Value {
    json!({
        "Index": 0, "Member_Account": PROBE_USER,
        "IsTakenDisabled": false, "IsVideoDisabled": false, "IsAudioDisabled": false,
    })
}

/// All services of the provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Services(pub(crate) &'static [&'static CallbackService]);

impl Services {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static CallbackService> {
        self.0.iter().copied()
    }

    /// Finds the service with this name.
    pub(crate) fn named(self, name: &str) -> Option<&'static CallbackService> {
        self.iter().find(|service| service.name == name)
    }

    /// Returns the services that have an event with this callback command.
    pub(crate) fn of_command(self, command: &str) -> impl Iterator<Item = &'static CallbackService> {
        self.iter().filter(move |service| service.event(command).is_some())
    }

    /// Lists the names for a message: `"call", "room"`.
    pub(crate) fn names(self) -> String {
        self.iter().map(|service| format!("{:?}", service.name)).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::StreamExt as _;
    use tencent_simulator::{Configuration, Receiver, Service as Simulated, Simulator};
    use tonic::Request;

    use super::*;
    use crate::provider::callback::CallbackKind;
    use crate::provider::callback::data_source::CallbackData;
    use crate::provider::callback::probe::ProbeConfig;
    use crate::provider::singleton::Singleton;
    use crate::provider::{Config, TencentProvider};
    use crate::tencent::Overwrite;
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

    #[test]
    fn type_names_follow_one_pattern_and_commands_are_unique() {
        for service in SERVICES.iter() {
            assert_eq!(service.type_name, format!("tencent_{}_callback", service.name));
            let commands: BTreeSet<_> = service.commands().collect();
            assert_eq!(commands.len(), service.events.len(), "{} has each command once", service.name);
        }
    }

    #[test]
    fn every_sample_is_marked_as_a_probe() {
        for event in SERVICES.iter().flat_map(|service| service.events) {
            let Some(sample) = event.sample else { continue };
            let Value::Object(sample) = sample(Now::new()) else { panic!("{} is an object", event.command) };
            let text = Value::Object(sample).to_string();
            assert!(text.contains(PROBE_ID) || text.contains(PROBE_USER), "{}: {text}", event.command);
        }
    }
}
