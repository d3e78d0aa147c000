//! The services whose events Tencent posts: what one of them is, and a file for each.

mod call;
mod legacy_call;
pub(super) mod live;
mod room;

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::tencent::{ApiVersion, Service};
use crate::terraform::Diagnostic;

/// All services, one line each.
#[rustfmt::skip]
pub(super) const SERVICES: &[&CallbackService] = &[
    &call::CALL,
    &room::ROOM,
    &live::LIVE,
    &legacy_call::LEGACY_CALL,
];

/// The name of the argument that lists the events to send. Each version of the API has its own word for one.
pub(crate) trait Naming: fmt::Debug + Clone + Copy + Default + Send + Sync + 'static {
    const EVENTS: &'static str;
}

/// The name for callback commands, of version 4.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Commands;

impl Naming for Commands {
    const EVENTS: &'static str = "callback_commands";
}

/// The name for callback actions, of version 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Actions;

impl Naming for Actions {
    const EVENTS: &'static str = "callback_actions";
}

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
    /// An event of each command for probes, in JSON. None of them happened: a call, room or battle has a null UUID, and
    /// each user is `terraform-probe`. `$seconds` and `$milliseconds` stand for the current time.
    pub(crate) samples: &'static str,
    /// Further paragraphs for the documentation of the service's resource.
    pub(crate) notes: &'static [&'static str],
    /// A sentence that points to the service whose configuration a reader may be looking for. May be empty.
    pub(crate) see_also: &'static str,
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
    /// The content besides the time, such as "the record of the call". Empty for a command that is not an event, and where
    /// all events have the same content.
    pub(crate) carries: &'static str,
    /// The number of Tencent's page about the event, below `https://trtc.io/document/`.
    pub(crate) page: u32,
}

impl CallbackService {
    /// Returns the argument that lists the events to send.
    pub(crate) fn argument(&self) -> &'static str {
        match self.api.version {
            ApiVersion::V1 => Actions::EVENTS,
            ApiVersion::V4 => Commands::EVENTS,
        }
    }

    /// Returns the word for an event to send, such as "callback command".
    pub(crate) fn word(&self) -> String {
        self.argument().trim_end_matches('s').replace('_', " ")
    }

    /// Returns the callback commands, in the order of Tencent's documentation.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.events.iter().map(|event| event.command)
    }

    /// Finds the event with this callback command.
    pub(crate) fn event(&self, command: &str) -> Option<&'static Event> {
        self.events.iter().find(|event| event.command == command)
    }

    /// Returns the callback commands that a probe can post.
    pub(crate) fn probed_commands(&'static self) -> impl Iterator<Item = &'static str> {
        let samples = self.samples();
        self.commands().filter(move |command| samples.contains_key(*command))
    }

    fn samples(&self) -> Map<String, Value> {
        serde_json::from_str(self.samples).expect("samples are an object")
    }

    /// Makes the body of a probe, without the callback command. There is none where Tencent's documentation shows none.
    pub(crate) fn sample(&self, command: &str) -> Option<Map<String, Value>> {
        let mut event = self.samples().remove(command)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        set_times(&mut event, now);
        if let Value::Object(event) = event { Some(event) } else { None }
    }
}

/// Replaces the placeholders of times in a sample.
fn set_times(value: &mut Value, now: Duration) {
    match value {
        Value::Object(object) => object.values_mut().for_each(|value| set_times(value, now)),
        Value::Array(array) => array.iter_mut().for_each(|value| set_times(value, now)),
        Value::String(text) if text == "$seconds" => *value = now.as_secs().into(),
        Value::String(text) if text == "$milliseconds" => {
            *value = u64::try_from(now.as_millis()).unwrap_or_default().into();
        }
        _ => {}
    }
}

/// Returns no advice, for services whose commands need none.
pub(crate) fn no_advice(_: &[&str]) -> Option<Diagnostic> {
    None
}

/// Finds the service with this name.
pub(super) fn named(name: &str) -> Option<&'static CallbackService> {
    SERVICES.iter().copied().find(|service| service.name == name)
}

/// Returns the services that have an event with this callback command.
pub(super) fn of_command(command: &str) -> impl Iterator<Item = &'static CallbackService> {
    SERVICES.iter().copied().filter(move |service| service.event(command).is_some())
}

/// Lists the names for a message: `"call", "room"`.
pub(super) fn names() -> String {
    SERVICES.iter().map(|service| format!("{:?}", service.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

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
        /// The user and the thing of a sample: no real ones are called so.
        const MARKS: [&str; 2] = ["terraform-probe", "00000000-0000-0000-0000-000000000000"];
        for service in SERVICES.iter() {
            let samples = service.samples();
            assert!(samples.keys().all(|command| service.event(command).is_some()), "{:?}", samples.keys());
            for command in samples.keys() {
                let sample = Value::Object(service.sample(command).expect("a sample")).to_string();
                assert!(MARKS.iter().any(|mark| sample.contains(mark)) && !sample.contains('$'), "{command}: {sample}");
            }
        }
    }
}
