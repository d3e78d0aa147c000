//! Checks of callback commands, and the function that lists them.

use crate::model;
use crate::provider::services::{CallbackService, SERVICES};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Function, FunctionError, Parameter, SetOf, Signature, Type};

/// The likeness from which on one command counts as a misspelling of another: two letters in ten may differ.
const NEAR_MISS: f64 = 0.8;

/// The most commands that a message lists.
const LISTED: usize = 6;

/// Checks the argument `callback_commands` of a resource of `service`.
pub(super) fn validate(commands: &SetOf<String>, service: &CallbackService) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    // Elements of a set have no path of their own, so errors blame the set.
    let mut note = |diagnostic: Diagnostic| diagnostics.push(diagnostic.on("callback_commands"));
    if commands.is_empty() {
        let detail = format!("Tencent needs at least one command. {}", documented(service));
        note(Diagnostic::error("No callback commands", detail));
    }
    for command in commands.iter() {
        match command {
            Attr::Unknown => {}
            Attr::Known(command) if service.event(command).is_some() => {}
            Attr::Known(command) if !command.trim().is_empty() => note(undocumented(command, service)),
            Attr::Known(_) | Attr::Null => {
                let detail = format!("A command is empty. {}", documented(service));
                note(Diagnostic::error("Empty callback command", detail));
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
    let question = near_miss(command, service.commands()).map(|meant| format!(" Did you mean {meant:?}?"));
    let others: Vec<_> = SERVICES.of_command(command).collect();
    if let [first, ..] = others.as_slice() {
        let types: Vec<_> = others.iter().map(|other| other.type_name).collect();
        return Diagnostic::warning(
            format!("Callback command of the {} service", first.title),
            format!(
                "Tencent documents {command:?} for {}, not for {}.{} Tencent may refuse the command or never send the \
                 event.",
                types.join(" and "),
                service.type_name,
                question.unwrap_or_default(),
            ),
        );
    }
    let hint = question.unwrap_or_else(|| format!(" {}", documented(service)));
    let detail = format!(
        "{command:?} is not a command that Tencent documents for {}.{hint} If the command is new, ignore this warning.",
        service.events_of
    );
    Diagnostic::warning("Unknown callback command", detail)
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
        ..=LISTED => format!("Tencent documents {}.", list(&service.commands().collect::<Vec<_>>())),
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
            summary: "The callback commands of a service",
            description: "The callback commands that Tencent documents for a service, in the order of its \
                          documentation. Use it for a resource that should receive all events. A later version of the \
                          provider may list more.",
            parameters: vec![Parameter {
                name: "service",
                ty: Type::String,
                description: format!("The service: one of {}.", SERVICES.names()).into(),
            }],
        }
    }

    fn call(&self, Arguments { service }: Arguments) -> Result<Vec<String>, FunctionError> {
        let Some(service) = SERVICES.named(&service) else {
            let text = format!("no such service; it must be one of {}", SERVICES.names());
            return Err(FunctionError::new(text).on("service"));
        };
        Ok(service.commands().map(str::to_owned).collect())
    }
}

/// Joins callback commands for a sentence.
pub(super) fn list(commands: &[&str]) -> String {
    commands.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{AttributePath, Data as _, Severity, Value};

    fn commands(commands: &[&str]) -> SetOf<String> {
        commands.iter().map(|command| (*command).to_owned()).collect()
    }

    #[test]
    fn invalid_commands_are_refused_and_misspelled_ones_get_a_suggestion() {
        use Severity::{Error, Warning};
        for (service, set, expected) in [
            ("call", &["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"][..], vec![]),
            ("call", &[], vec![(Error, "Tencent needs at least one command")]),
            ("call", &["", "Call.CallbackAfterEndCall"], vec![(Error, "A command is empty. Tencent documents Call.")]),
            ("call", &["call.callbackafterendcall"], vec![(Warning, "Did you mean \"Call.CallbackAfterEndCall\"?")]),
            ("call", &["Call.CallbackAfterStarCall"], vec![(Warning, "Did you mean \"Call.CallbackAfterStartCall\"?")]),
            (
                "call",
                &["Call.CallbackBeforeRing"],
                vec![(Warning, "documents for calls. Tencent documents Call.CallbackAfterStartCall, ")],
            ),
            (
                "call",
                &["Live.CallbackAfterCreateRoom"],
                vec![(Warning, "for tencent_live_callback, not for tencent_call_callback. Tencent may")],
            ),
            (
                "call",
                &["Mic.CallbackAfterSeatInfoChanged"],
                vec![(Warning, "for tencent_room_callback and tencent_live_callback, not for")],
            ),
            (
                "live",
                &["Room.CallbackAfterCreateRoom"],
                vec![(Warning, "not for tencent_live_callback. Did you mean \"Live.CallbackAfterCreateRoom\"?")],
            ),
            ("live", &[""], vec![(Error, "and the function callback_commands(\"live\") list them")]),
            (
                "live",
                &["Live.CallbackBeforeCallBackNotBlock"],
                vec![(Warning, "Live.CallbackBeforeCallBackNotBlock sends no events.")],
            ),
            ("room", &["Mic.CallbackAfterSeatInfoChanged"], vec![]),
            ("live", &["Mic.CallbackAfterSeatInfoChanged"], vec![]),
            // These misprints are on Tencent's pages.
            (
                "room",
                &["Room.CallbackUpdateRoomInfo"],
                vec![(Warning, "Did you mean \"Room.CallbackAfterUpdateRoomInfo\"?")],
            ),
            (
                "live",
                &["Live.CallbackMemberStateChanged"],
                vec![(Warning, "Did you mean \"Live.CallbackAfterMemberStateChanged\"?")],
            ),
            ("live", &["Live.CallbackBeforeSendGift"], vec![(Warning, "blocks every gift")]),
            ("live", &["Live.CallbackBeforeSendGift", "Live.CallbackBeforeCallBackNotBlock"], vec![]),
        ] {
            let service = SERVICES.named(service).expect(service);
            let found: Vec<_> = validate(&commands(set), service).into_iter().collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, (severity, text)) in found.iter().zip(expected) {
                assert_eq!(found.severity, severity);
                assert!(found.detail.contains(text), "{found:?}");
                assert_eq!(found.path, Some(AttributePath::attribute("callback_commands")));
            }
        }
    }

    #[test]
    fn an_unknown_command_postpones_the_advice() {
        let gift = Value::String("Live.CallbackBeforeSendGift".into());
        let set = SetOf::from_value(Value::Set([gift, Value::Unknown].into_iter().collect())).expect("a set");
        let service = SERVICES.named("live").expect("live");
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
            FunctionError::new(format!("no such service; it must be one of {}", SERVICES.names())).on("service");
        for unknown in ["", "Call", "group"] {
            assert_eq!(call(unknown), Err(expected.clone()));
        }
    }
}
