//! The services whose events Tencent posts: what one of them adds to what the callback configurations of all share.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::tencent::Service;
use crate::terraform::Diagnostic;

/// A service: its names, its words, its events.
#[derive(Debug)]
pub(crate) struct CallbackService {
    /// In configurations, such as "call".
    pub(crate) name: &'static str,
    /// What Tencent calls it, such as "Call".
    pub(crate) title: &'static str,
    /// The type of its resource, data source and list resource.
    pub(crate) type_name: &'static str,
    /// What its events are of, such as "calls".
    pub(crate) events_of: &'static str,
    pub(crate) api: Service,
    /// Those that Tencent documents. It may know more.
    pub(crate) events: &'static [Event],
    /// What the documentation of its resource adds to that of all, in paragraphs. May be empty.
    pub(crate) notes: &'static str,
    /// What a person should know of callback commands that are valid, given all of a resource's.
    pub(crate) advise: fn(&[&str]) -> Option<Diagnostic>,
}

/// What Tencent tells a receiver of, and when.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its callback command.
    pub(crate) command: &'static str,
    /// When it is sent, such as "a call has ended"; or what the command does, if it is no event.
    pub(crate) meaning: &'static str,
    /// What it tells beside its time, such as "the record of the call". Empty if it is no event.
    pub(crate) carries: &'static str,
    /// The number of Tencent's page about it, below `https://trtc.io/document/`.
    pub(crate) page: u32,
    /// One that did not happen, for probes; not where Tencent's documentation shows none.
    pub(crate) sample: Option<fn(Now) -> Value>,
}

impl CallbackService {
    /// Its callback commands, in the order of Tencent's documentation.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.events.iter().map(|event| event.command)
    }

    /// The event of this callback command, if it has one.
    pub(crate) fn event(&self, command: &str) -> Option<&'static Event> {
        self.events.iter().find(|event| event.command == command)
    }
}

/// Nothing to know.
pub(crate) fn no_advice(_: &[&str]) -> Option<Diagnostic> {
    None
}

impl Event {
    /// What a receiver is sent in a probe beside the callback command.
    pub(crate) fn sample(&self) -> Option<Map<String, Value>> {
        match self.sample?(Now::new()) {
            Value::Object(event) => Some(event),
            _ => None,
        }
    }
}

/// The time, as events tell it.
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

/// The user that acts in a probe's event. Only Tencent has real ones.
pub(crate) const PROBE_USER: &str = "terraform-probe";
/// The call or the room of a probe's event: none has this ID.
pub(crate) const PROBE_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A seat of a room, taken: rooms and live streams both have them.
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

    /// The one of this name.
    pub(crate) fn named(self, name: &str) -> Option<&'static CallbackService> {
        self.iter().find(|service| service.name == name)
    }

    /// Those that have an event of this callback command.
    pub(crate) fn of_command(self, command: &str) -> impl Iterator<Item = &'static CallbackService> {
        self.iter().filter(move |service| service.event(command).is_some())
    }

    /// Their names for a message: `"call", "room"`.
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
    fn names_follow_one_pattern() {
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
