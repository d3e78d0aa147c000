//! Callback commands: which ones Tencent documents, and what to say of others.

use super::list;
use super::service::{CallbackService, Services};
use crate::model;
use crate::terraform::{Attr, Diagnostic, Diagnostics, Function, FunctionError, Parameter, SetOf, Signature, Type};

/// How alike two commands must be for one to be a misspelling of the other: two letters in ten may differ.
const NEAR_MISS: f64 = 0.8;

/// Checks the argument `callback_commands` of a resource of `service`.
pub(super) fn validate(commands: &SetOf<String>, service: &CallbackService, services: Services) -> Diagnostics {
    let known: Vec<_> = service.commands().collect();
    let mut diagnostics = Diagnostics::new();
    // Elements of a set have no address: blame the set.
    let mut note = |diagnostic: Diagnostic| diagnostics.push(diagnostic.on("callback_commands"));
    if commands.is_empty() {
        let detail = format!("Tencent needs at least one command. It knows {}.", list(&known));
        note(Diagnostic::error("No callback commands", detail));
    }
    for command in commands.iter() {
        match command {
            Attr::Unknown => {}
            Attr::Known(command) if known.contains(&command.as_str()) => {}
            Attr::Known(command) if !command.trim().is_empty() => note(undocumented(command, service, services)),
            Attr::Known(_) | Attr::Null => {
                let detail = format!("Each command is the name of an event: {}.", list(&known));
                note(Diagnostic::error("Empty callback command", detail));
            }
        }
    }
    // What is not known yet may be what it takes.
    let all: Option<Vec<_>> = commands.known().map(|all| all.into_iter().map(String::as_str).collect());
    if let Some(advice) = all.and_then(|all| (service.advise)(&all)) {
        note(advice);
    }
    diagnostics
}

fn undocumented(command: &str, service: &CallbackService, services: Services) -> Diagnostic {
    if let Some(other) = services.of_command(command).next() {
        return Diagnostic::warning(
            format!("Callback command of the {} service", other.name),
            format!(
                "Tencent documents {command:?} for {}, which {} configures, and not for {}. It may refuse the command, or \
                 never send the event.",
                other.events_of, other.type_name, service.events_of
            ),
        );
    }
    let likeness = |name: &str| strsim::normalized_levenshtein(&command.to_lowercase(), &name.to_lowercase());
    let likely = service.commands().map(|name| (name, likeness(name))).filter(|(_, likeness)| *likeness >= NEAR_MISS);
    let hint = match likely.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((meant, _)) => format!("Did you mean {meant:?}?"),
        None => format!("It documents {}.", list(&service.commands().collect::<Vec<_>>())),
    };
    let detail = format!(
        "{command:?} is not a command that Tencent documents for {}. {hint} If it is a new one, ignore this warning.",
        service.events_of
    );
    Diagnostic::warning("Unknown callback command", detail)
}

/// `provider::tencent::callback_commands`: the events of a service.
#[derive(Debug)]
pub(crate) struct CallbackCommands(pub(crate) Services);

model! {
    /// The arguments of `callback_commands`.
    #[derive(Debug)]
    pub(crate) struct OfService {
        service: String,
    }
}

impl Function for CallbackCommands {
    type Arguments = OfService;
    type Output = Vec<String>;

    fn name(&self) -> &'static str {
        "callback_commands"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The callback commands of a service",
            description: "The callback commands that Tencent documents for a service, in the order of its documentation: \
                          for a resource that is to receive all of them. A later version of the provider may know more.",
            parameters: vec![Parameter {
                name: "service",
                ty: Type::String,
                description: format!("The service: one of {}.", self.0.names()).into(),
            }],
        }
    }

    fn call(&self, OfService { service }: OfService) -> Result<Vec<String>, FunctionError> {
        let Some(service) = self.0.named(&service) else {
            let text = format!("no such service; it can be {}", self.0.names());
            return Err(FunctionError::new(text).on("service"));
        };
        Ok(service.commands().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::SERVICES;
    use crate::terraform::{AttributePath, Data as _, Severity, Value};

    fn commands(commands: &[&str]) -> SetOf<String> {
        commands.iter().map(|command| (*command).to_owned()).collect()
    }

    #[test]
    fn commands_are_checked_and_misspellings_corrected() {
        use Severity::{Error, Warning};
        for (service, set, expected) in [
            ("call", &["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"][..], vec![]),
            ("call", &[], vec![(Error, "Tencent needs at least one command")]),
            ("call", &["", "Call.CallbackAfterEndCall"], vec![(Error, "Each command is the name of an event")]),
            ("call", &["call.callbackafterendcall"], vec![(Warning, "Did you mean \"Call.CallbackAfterEndCall\"?")]),
            ("call", &["Call.CallbackAfterStarCall"], vec![(Warning, "Did you mean \"Call.CallbackAfterStartCall\"?")]),
            (
                "call",
                &["Call.CallbackBeforeRing"],
                vec![(Warning, "documents for calls. It documents Call.CallbackAfterStartCall, ")],
            ),
            (
                "call",
                &["Live.CallbackAfterCreateRoom"],
                vec![(Warning, "for live streams, which tencent_live_callback configures, and not for calls.")],
            ),
            ("room", &["Mic.CallbackAfterSeatInfoChanged"], vec![]),
            ("live", &["Mic.CallbackAfterSeatInfoChanged"], vec![]),
            // Misprints of Tencent's pages.
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
            let found: Vec<_> = validate(&commands(set), service, SERVICES).into_iter().collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, (severity, text)) in found.iter().zip(expected) {
                assert_eq!(found.severity, severity);
                assert!(found.detail.contains(text), "{found:?}");
                assert_eq!(found.path, Some(AttributePath::attribute("callback_commands")));
            }
        }
    }

    #[test]
    fn what_is_not_known_yet_may_be_what_is_missing() {
        let gift = Value::String("Live.CallbackBeforeSendGift".into());
        let set = SetOf::from_value(Value::Set([gift, Value::Unknown].into_iter().collect())).expect("a set");
        let service = SERVICES.named("live").expect("live");
        assert!(validate(&set, service, SERVICES).into_iter().next().is_none());
    }

    #[test]
    fn every_service_has_its_commands() {
        let function = CallbackCommands(SERVICES);
        let call = |service: &str| function.call(OfService { service: service.to_owned() });
        for service in SERVICES.iter() {
            let commands: Vec<_> = service.commands().map(str::to_owned).collect();
            assert_eq!(call(service.name), Ok(commands));
        }
        let expected = FunctionError::new("no such service; it can be \"call\", \"room\", \"live\"").on("service");
        for unknown in ["", "Call", "group"] {
            assert_eq!(call(unknown), Err(expected.clone()));
        }
    }
}
