//! Checks of callback commands, and the function that lists them.

use crate::model;
use crate::provider::services::{self, CallbackService};
use crate::provider::singleton::sentence;
use crate::terraform::{Attr, Diagnostic, Diagnostics, Function, FunctionError, Parameter, SetOf, Signature, Type};

/// The likeness from which on one command counts as a misspelling of another: two letters in ten may differ.
const NEAR_MISS: f64 = 0.8;

/// The most commands that a message lists.
const LISTED: usize = 6;

/// Checks the argument of a resource of `service` that lists the events to send.
pub(super) fn validate(commands: &SetOf<String>, service: &CallbackService) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    // Elements of a set have no path of their own, so errors blame the set.
    let mut note = |diagnostic: Diagnostic| diagnostics.push(diagnostic.on(service.argument()));
    let word = service.word();
    if commands.is_empty() {
        let detail = format!("Tencent needs at least one {word}. {}", documented(service));
        note(Diagnostic::error(format!("No {word}s"), detail));
    }
    for command in commands.iter() {
        match command {
            Attr::Unknown => {}
            Attr::Known(command) if service.event(command).is_some() => {}
            Attr::Known(command) if !command.trim().is_empty() => note(undocumented(command, service)),
            Attr::Known(_) | Attr::Null => {
                let detail = format!("A {word} is empty. {}", documented(service));
                note(Diagnostic::error(format!("Empty {word}"), detail));
            }
        }
    }
    // A command that is still unknown may be the one that the advice asks for.
    let all: Option<Vec<_>> = commands.known().map(|all| all.into_iter().map(String::as_str).collect());
    if let Some(advice) = all.and_then(|all| (service.advise)(&all)) {
        note(advice);
    }
    diagnostics
}

fn undocumented(command: &str, service: &CallbackService) -> Diagnostic {
    let word = service.word();
    let question = near_miss(command, service.commands()).map(|meant| format!(" Did you mean {meant:?}?"));
    let others: Vec<_> = services::of_command(command).collect();
    if let [first, ..] = others.as_slice() {
        let types = others.iter().map(|other| other.type_name).collect::<Vec<_>>().join(" and ");
        let detail = format!(
            "Tencent documents {command:?} for {types}, not for {}.{} Tencent may refuse it or never send the event.",
            service.type_name,
            question.unwrap_or_default(),
        );
        return Diagnostic::warning(format!("{} of the {} service", sentence(&first.word()), first.title), detail);
    }
    let hint = question.unwrap_or_else(|| format!(" {}", documented(service)));
    let detail = format!(
        "{command:?} is not a {word} that Tencent documents for {}.{hint} If it is new, ignore this warning.",
        service.events_of
    );
    Diagnostic::warning(format!("Unknown {word}"), detail)
}

/// Returns the known command that a misspelled one is likely to mean.
pub(super) fn near_miss(command: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let likeness = |name: &str| strsim::normalized_levenshtein(&command.to_lowercase(), &name.to_lowercase());
    let likely = known.map(|name| (name, likeness(name))).filter(|(_, likeness)| *likeness >= NEAR_MISS);
    likely.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(name, _)| name)
}

/// Lists the commands of a service, or tells where the list is if it is long.
fn documented(service: &CallbackService) -> String {
    match service.events.len() {
        ..=LISTED => format!("Tencent documents {}.", service.commands().collect::<Vec<_>>().join(", ")),
        count => format!(
            "Tencent documents {count} for {}: the documentation of {} and the function callback_commands({:?}) list \
             them.",
            service.events_of, service.type_name, service.name
        ),
    }
}

/// The function `provider::tencent::callback_commands`, which lists the events of a service.
#[derive(Debug)]
pub(crate) struct CallbackCommands;

model! {
    /// The arguments of `callback_commands`.
    #[derive(Debug)]
    pub(crate) struct Arguments {
        service: String,
    }
}

impl Function for CallbackCommands {
    type Arguments = Arguments;
    type Output = Vec<String>;

    fn name(&self) -> &'static str {
        "callback_commands"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Lists the events of a service",
            description: "Lists the callback commands (the names of events) that Tencent documents for a service, in the \
                          order of its documentation. For `legacy_call`, it lists the callback actions. Use it for a \
                          resource that should receive all events. A later version of the provider may list more.",
            parameters: vec![Parameter {
                name: "service",
                ty: Type::String,
                description: format!("The service: one of {}.", services::names()).into(),
            }],
        }
    }

    fn call(&self, Arguments { service }: Arguments) -> Result<Vec<String>, FunctionError> {
        let Some(service) = services::named(&service) else {
            let text = format!("no such service; it must be one of {}", services::names());
            return Err(FunctionError::new(text).on("service"));
        };
        Ok(service.commands().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::services::SERVICES;
    use crate::provider::testing::only;
    use crate::terraform::{AttributePath, Data as _, Severity, Value};

    const SEATS: &str = "Mic.CallbackAfterSeatInfoChanged";

    /// Validates commands that are separated by spaces, of which each may be empty.
    fn validated(service: &str, commands: &str) -> Diagnostics {
        validate(&commands.split(' ').map(str::to_owned).collect(), services::named(service).expect(service))
    }

    #[track_caller]
    fn expect(severity: Severity, found: Diagnostics, expected: &str) {
        expect_on("callback_commands", severity, found, expected);
    }

    #[track_caller]
    fn expect_on(argument: &str, severity: Severity, found: Diagnostics, expected: &str) {
        let found = only(found);
        assert!(found.severity == severity && found.detail.contains(expected), "{found:?}");
        assert_eq!(found.path, Some(AttributePath::attribute(argument)));
    }

    #[test]
    fn commands_of_the_service_are_accepted() {
        for (service, commands) in [
            ("call", "Call.CallbackAfterStartCall Call.CallbackAfterEndCall"),
            ("room", SEATS),
            ("live", SEATS),
            ("live", "Live.CallbackBeforeSendGift Live.CallbackBeforeCallBackNotBlock"),
        ] {
            assert_eq!(validated(service, commands), Diagnostics::new());
        }
    }

    #[test]
    fn invalid_commands_are_refused_and_misspelled_ones_get_a_suggestion() {
        let empty = validated("call", " Call.CallbackAfterEndCall");
        expect(Severity::Error, empty, "A callback command is empty. Tencent documents Call.");
        expect(Severity::Error, validated("live", ""), "and the function callback_commands(\"live\") list them");
        let none = validate(&SetOf::from_iter([]), services::named("call").expect("call"));
        expect(Severity::Error, none, "Tencent needs at least one callback command");
        for (service, commands, expected) in [
            ("call", "call.callbackafterendcall", "Did you mean \"Call.CallbackAfterEndCall\"?"),
            ("call", "Call.CallbackAfterStarCall", "Did you mean \"Call.CallbackAfterStartCall\"?"),
            ("call", "Call.CallbackBeforeRing", "documents for calls. Tencent documents Call.CallbackAfterStartCall, "),
            ("call", "Live.CallbackAfterCreateRoom", "tencent_live_callback, not for tencent_call_callback. Tencent"),
            ("call", SEATS, "for tencent_room_callback and tencent_live_callback, not for"),
            ("live", "Room.CallbackAfterCreateRoom", "_callback. Did you mean \"Live.CallbackAfterCreateRoom\"?"),
            ("live", "Live.CallbackBeforeCallBackNotBlock", "Live.CallbackBeforeCallBackNotBlock sends no events."),
            ("live", "Live.CallbackBeforeSendGift", "blocks every gift"),
            // These misprints are on Tencent's pages.
            ("room", "Room.CallbackUpdateRoomInfo", "Did you mean \"Room.CallbackAfterUpdateRoomInfo\"?"),
            ("live", "Live.CallbackMemberStateChanged", "Did you mean \"Live.CallbackAfterMemberStateChanged\"?"),
        ] {
            expect(Severity::Warning, validated(service, commands), expected);
        }
    }

    #[test]
    fn actions_are_called_so() {
        let all: Vec<_> = services::named("legacy_call").expect("a service").commands().collect();
        assert_eq!((all.len(), validated("legacy_call", &all.join(" "))), (25, Diagnostics::new()));
        for (actions, severity, expected) in [
            (
                "",
                Severity::Error,
                "A callback action is empty. Tencent documents 25 for legacy calls: the documentation",
            ),
            (
                "normalend",
                Severity::Warning,
                "is not a callback action that Tencent documents for legacy calls. Did you",
            ),
            ("Normal_End", Severity::Warning, "Did you mean \"normal_end\"?"),
            ("Call.CallbackAfterEndCall", Severity::Warning, "for tencent_call_callback, not for tencent_legacy_call_"),
        ] {
            expect_on("callback_actions", severity, validated("legacy_call", actions), expected);
        }
    }

    #[test]
    fn an_unknown_command_postpones_the_advice() {
        let gift = Value::String("Live.CallbackBeforeSendGift".into());
        let set = SetOf::from_value(Value::Set([gift, Value::Unknown].into_iter().collect())).expect("a set");
        let service = services::named("live").expect("live");
        assert!(validate(&set, service).into_iter().next().is_none());
    }

    #[test]
    fn the_function_lists_the_commands_of_every_service() {
        let call = |service: &str| CallbackCommands.call(Arguments { service: service.to_owned() });
        for service in SERVICES.iter() {
            let commands: Vec<_> = service.commands().map(str::to_owned).collect();
            assert_eq!(call(service.name), Ok(commands));
        }
        let expected =
            FunctionError::new(format!("no such service; it must be one of {}", services::names())).on("service");
        for unknown in ["", "Call", "group"] {
            assert_eq!(call(unknown), Err(expected.clone()));
        }
    }
}
