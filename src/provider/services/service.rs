//! The form of a service: its names, its events, and advice on them.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::tencent::Service;
use crate::terraform::Diagnostic;

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

    use super::*;
    use crate::provider::SERVICES;

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
