//! The arguments and attributes that all kinds share, and what an object is as a whole.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::memory::{Memory, Planned};
use super::{Arguments, Content, Words};
use crate::model;
use crate::provider::applications;
use crate::provider::block::values::TIMEOUTS;
use crate::tencent::SdkAppId;
use crate::terraform::{
    Attr, Attribute, Data, Diagnostic, Diagnostics, IdentityAttribute, IdentitySchema, Mismatch, Nesting, Number, Type,
    Value,
};

/// An object of any kind, as Terraform knows it.
#[derive(Debug, Clone)]
pub(crate) struct Model<A> {
    pub(crate) common: Common,
    pub(crate) arguments: A,
}

model! {
    /// The arguments and attributes that all kinds share.
    #[derive(Debug, Clone)]
    pub(crate) struct Common {
        pub(crate) sdk_app_id: Attr<Number>,
        pub(crate) overwrite_existing: Attr<bool>,
        pub(crate) deletion_policy: Attr<String>,
        pub(crate) timeouts: Attr<Timeouts>,
        pub(crate) id: Attr<String>,
        pub(crate) last_request_id: Attr<String>,
    }
}

model! {
    /// The longest time for each operation, its retries included.
    #[derive(Debug, Clone)]
    pub(crate) struct Timeouts {
        create: Attr<String>,
        read: Attr<String>,
        update: Attr<String>,
        delete: Attr<String>,
    }
}

model! {
    /// The attribute that tells one object from all others of its kind.
    #[derive(Debug)]
    pub(crate) struct Identity {
        pub(crate) sdk_app_id: Attr<Number>,
    }
}

/// An operation that has a timeout of its own, in the order of [`Timeouts::named`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

/// The reaction to something that this resource does not manage, or that has changed since the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Overwrite it, with a warning.
    Warn,
    /// Leave it as it is, with an error.
    Refuse,
}

const DELETE: &str = "DELETE";
pub(super) const ABANDON: &str = "ABANDON";
/// Enough for a write with the default number of retries, each as slow as it may be, and for reading it back.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

impl<A: Arguments> Data for Model<A> {
    fn ty() -> Type {
        match (Common::ty(), A::ty()) {
            (Type::Object(common), Type::Object(arguments)) => {
                Type::Object(common.into_iter().chain(arguments).collect())
            }
            _ => unreachable!("models are objects"),
        }
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        Ok(Self { common: Common::from_value(value.clone())?, arguments: A::from_value(value)? })
    }

    fn into_value(self) -> Value {
        match (self.common.into_value(), self.arguments.into_value()) {
            (Value::Object(common), Value::Object(arguments)) => {
                Value::Object(common.into_iter().chain(arguments).collect())
            }
            _ => unreachable!("models are objects"),
        }
    }
}

impl<A: Arguments> Model<A> {
    /// Describes the remote object that application `id` has, whoever set it.
    pub(crate) fn imported(id: SdkAppId, content: A::Content) -> Self {
        Self { common: Common::default(), arguments: A::default().holding(content) }.of(id)
    }

    /// Sets the application.
    pub(crate) fn of(mut self, id: SdkAppId) -> Self {
        self.common.sdk_app_id = id.into();
        self.common.id = Attr::Known(id.to_string());
        self
    }

    /// Sets the request of the last write.
    pub(super) fn written_by(mut self, last_request_id: Attr<String>) -> Self {
        self.common.last_request_id = last_request_id;
        self
    }

    /// Takes over `found`, except a secret that Terraform does not keep: `memory` notes whether that has changed.
    pub(super) fn refreshed(self, found: A::Content, memory: &mut Memory) -> Self {
        if !self.arguments.is_write_only() {
            return Self { arguments: self.arguments.holding(found), ..self };
        }
        let version = if memory.note_secret_of(&found) { self.arguments.version().clone() } else { Attr::Null };
        Self { arguments: self.arguments.holding(found).write_only(version), ..self }
    }

    /// Describes what is there instead of what was planned.
    pub(super) fn instead(self, found: A::Content, is_write_only: bool) -> Self {
        let arguments = self.arguments.holding(found);
        let arguments = if is_write_only { arguments.write_only(Attr::Null) } else { arguments };
        Self { arguments, ..self }.written_by(Attr::Null)
    }

    /// Returns whether applying `planned` sends anything: the application or the content differs, or may differ.
    pub(super) fn differs_remotely(&self, planned: &Self, memory: &Memory) -> bool {
        self.common.sdk_app_id != planned.common.sdk_app_id
            || self.arguments.differs(&planned.arguments)
            || self.sends_secret_of(planned, memory)
    }

    fn sends_secret_of(&self, planned: &Self, memory: &Memory) -> bool {
        let secret = planned.arguments.secret();
        match (self.arguments.is_write_only(), planned.arguments.is_write_only()) {
            (true, true) => memory.drift.is_some() || self.arguments.version() != planned.arguments.version(),
            // An ephemeral value may be another one when the plan is applied, and so may what Tencent has. The update
            // looks.
            (true, false) | (false, true) => true,
            (false, false) => match (self.arguments.secret(), secret) {
                (Some(prior), Some(planned)) => prior.expose_secret() != planned.expose_secret(),
                _ => true,
            },
        }
    }

    /// Returns whether Tencent seems to have what `planned` describes, although a plan shows a difference: the secret
    /// argument takes the place of its write-only twin or the other way round, or Terraform has no record of a write.
    pub(super) fn seems_to_be(&self, planned: &Self, memory: &Memory) -> bool {
        let is_exchanged = self.arguments.is_write_only() != planned.arguments.is_write_only();
        let has = |secret: &SecretString| match self.arguments.secret() {
            Some(prior) => prior.expose_secret() == secret.expose_secret(),
            None => memory.tells_that_tencent_has(secret),
        };
        (is_exchanged || memory.drift.is_some())
            && self.common.sdk_app_id == planned.common.sdk_app_id
            && !self.arguments.differs(&planned.arguments)
            && planned.arguments.secret().is_some_and(|secret| has(&secret))
    }

    /// Returns whether `planned` has a new write-only value that its version does not announce.
    pub(super) fn overlooks_secret_of(&self, planned: &Self, memory: &Memory) -> bool {
        self.arguments.is_write_only()
            && planned.arguments.is_write_only()
            && self.arguments.version() == planned.arguments.version()
            && memory.drift.is_none()
            && memory.secret.is_some()
            && planned.arguments.secret().is_some_and(|secret| !memory.knows(&secret))
    }

    /// Returns the write-only value, if there is one and it is known: in what is planned.
    pub(super) fn write_only_secret(&self) -> Option<SecretString> {
        self.arguments.secret().filter(|_| self.arguments.is_write_only())
    }

    /// Returns a test that tells what the plan showed as the prior state from what someone has set since.
    pub(super) fn is_what_the_plan_showed(&self, memory: &Memory, planned: &Planned) -> impl Fn(&A::Content) -> bool {
        let (content, arguments) = (self.arguments.content(), &self.arguments);
        move |found| {
            let is_shown = match &content {
                Some(content) => content.is_same(found),
                // Where nothing is left to compare the secret with, the rest decides.
                None => {
                    !arguments.differs(&arguments.clone().holding(found.clone()))
                        && (memory.is_lost() || memory.knows(&found.write_only_part()))
                }
            };
            is_shown || memory.has_seen(planned, found)
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.common.deletion_policy.known().is_some_and(|policy| policy == ABANDON)
    }

    pub(super) fn guard(&self) -> Guard {
        match self.common.overwrite_existing {
            // While it is unknown, a plan only warns. The apply knows it.
            Attr::Known(true) | Attr::Unknown => Guard::Warn,
            Attr::Known(false) | Attr::Null => Guard::Refuse,
        }
    }
}

impl Default for Common {
    /// The schema's defaults.
    fn default() -> Self {
        Self {
            sdk_app_id: Attr::Null,
            overwrite_existing: Attr::Known(false),
            deletion_policy: Attr::Known(DELETE.to_owned()),
            timeouts: Attr::Null,
            id: Attr::Null,
            last_request_id: Attr::Null,
        }
    }
}

impl Common {
    /// Checks the arguments as far as they are known.
    pub(super) fn validate(&self) -> Diagnostics {
        let mut diagnostics = applications::check_sdk_app_id(&self.sdk_app_id);
        if let Some(policy) = self.deletion_policy.known()
            && policy != DELETE
            && policy != ABANDON
        {
            let reason = format!("deletion_policy must be \"{DELETE}\" or \"{ABANDON}\", not {policy:?}.");
            diagnostics.push(Diagnostic::invalid("deletion_policy", reason));
        }
        diagnostics.extend(Timeouts::validate(&self.timeouts));
        diagnostics
    }

    /// Returns the schema, with `arguments` where a reader expects them.
    pub(super) fn attributes(noun: &str, arguments: Vec<Attribute>) -> Vec<Attribute> {
        let sdk_app_id = "The SDKAppID of the application. The provider must have its credentials. Default: the \
                          provider's `sdk_app_id`. Changing it forces replacement.";
        let overwrite_existing = format!(
            "Whether to overwrite a {noun} that this resource does not manage yet, or that has changed since the plan. \
             Default: `false`: the plan or the apply fails, and shows what exists. With `true`, a warning shows it. Either \
             way, applying reverts drift that the plan shows. An identical {noun} is not an error."
        );
        let deletion_policy = format!(
            "What happens at Tencent when Terraform destroys the resource: `DELETE` (the default) deletes the {noun}, \
             `ABANDON` leaves it as it is. The value of the last apply counts, even if the plan that destroys the object \
             changes it."
        );
        let last_request_id = "The `RequestId` of the last write, which Tencent's support asks for.";
        let mut attributes =
            vec![Attribute::new("sdk_app_id", Type::Number, sdk_app_id).optional_computed().requires_replace()];
        attributes.extend(arguments);
        attributes.extend([
            Attribute::new("overwrite_existing", Type::Bool, overwrite_existing).default_value(Value::Bool(false)),
            Attribute::new("deletion_policy", Type::String, deletion_policy)
                .default_value(Value::String(DELETE.into())),
            Timeouts::attribute(),
            id_attribute(),
            Attribute::new("last_request_id", Type::String, last_request_id).computed(),
        ]);
        attributes
    }
}

/// Checks that exactly one of a secret argument and its write-only twin is set, and the version only with the twin.
/// While an argument is unknown, its check waits.
pub(crate) fn validate_secret<T>(
    words: &Words,
    plain: &Attr<T>,
    write_only: &Attr<SecretString>,
    version: &Attr<Number>,
) -> Diagnostics {
    let Words { argument, secret, .. } = words;
    match (plain, write_only) {
        (Attr::Null, Attr::Null) => {
            let detail =
                format!("Set {argument}, or {argument}_wo for a {secret} that must not be in the state or the plan.");
            Diagnostic::error(format!("Missing {argument}"), detail).on(argument).into()
        }
        (Attr::Known(_), Attr::Known(_)) => {
            let detail = format!("{argument} and {argument}_wo both set the {secret}. Remove one of them.");
            let argument = format!("{argument}_wo");
            Diagnostic::error(format!("Both {} and {argument}", words.argument), detail).on(&argument).into()
        }
        (Attr::Known(_) | Attr::Unknown, Attr::Null) if !version.is_null() => {
            let detail = format!(
                "{argument}_wo_version says when to send {argument}_wo again, but {argument}_wo is not set. Remove \
                 {argument}_wo_version."
            );
            Diagnostic::error(format!("{argument}_wo_version without {argument}_wo"), detail)
                .on(&format!("{argument}_wo_version"))
                .into()
        }
        _ => Diagnostics::new(),
    }
}

pub(crate) fn id_attribute() -> Attribute {
    Attribute::new("id", Type::String, "The SDKAppID as a string.").computed()
}

impl Timeouts {
    fn attribute() -> Attribute {
        let duration = |name, what| Attribute::new(name, Type::String, what);
        Attribute::nested(
            "timeouts",
            Nesting::Single,
            vec![
                duration("create", "For create, such as `30s`. Default: `2m`."),
                duration("read", "For refresh and import. Default: `2m`."),
                duration("update", "For update. Default: `2m`."),
                duration("delete", "For destroy. Default: `2m`."),
            ],
            "How long each operation may take, including its retries. Check the spelling of the keys: Terraform silently \
             ignores a key that it does not know.",
        )
    }

    fn validate(timeouts: &Attr<Self>) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (name, timeout) in timeouts.known().into_iter().flat_map(Self::named) {
            if let Some(Err(reason)) = timeout.known().map(|text| TIMEOUTS.read(text)) {
                // Terraform shows no line for a path inside a nested attribute.
                let detail = format!("timeouts.{name}: {reason}");
                diagnostics.push(Diagnostic::error("Invalid timeout", detail).on("timeouts"));
            }
        }
        diagnostics
    }

    fn named(&self) -> [(&'static str, &Attr<String>); 4] {
        [("create", &self.create), ("read", &self.read), ("update", &self.update), ("delete", &self.delete)]
    }

    /// Returns the longest time for `operation`.
    pub(super) fn of(timeouts: &Attr<Self>, operation: Operation) -> Duration {
        let timeout = timeouts.known().and_then(|timeouts| timeouts.named()[operation as usize].1.known());
        // Values were validated in the configuration, those of a state when they were in one.
        timeout.and_then(|text| TIMEOUTS.read(text).ok()).unwrap_or(DEFAULT_TIMEOUT)
    }
}

impl Identity {
    pub(super) fn schema() -> IdentitySchema {
        let sdk_app_id =
            IdentityAttribute { name: "sdk_app_id", ty: Type::Number, description: "The SDKAppID of the application." };
        IdentitySchema { version: 0, attributes: vec![sdk_app_id] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::callback::CallbackKind;
    use crate::provider::callback_token::CallbackTokenKind;
    use crate::provider::services::{Actions, Commands, SERVICES};
    use crate::provider::singleton::{Kind, Object};
    use crate::tencent::ApiVersion;

    /// Makes an object from the attributes that are set. `%` stands for the secret argument.
    fn object<K: Kind>(kind: &K, attributes: &[(&str, Value)]) -> Object<K> {
        let Type::Object(types) = Object::<K>::ty() else { unreachable!("models are objects") };
        let mut object: std::collections::BTreeMap<_, _> = types.into_keys().map(|name| (name, Value::Null)).collect();
        let named = |name: &str| name.replace('%', kind.words().argument);
        object.extend(attributes.iter().map(|(name, value)| (named(name), value.clone())));
        Object::<K>::from_value(Value::Object(object)).expect("a model")
    }

    fn a_write_only_value_is_sent_when_its_version_changes<K: Kind>(kind: K, rest: [(&str, Value, Value); 1]) {
        let [(name, content, other)] = rest;
        let text = |text: &str| Value::String(text.to_owned());
        let version = |version: u64| Value::Number(version.into());
        let plain = |value: &str| object(&kind, &[("%", text(value)), (name, content.clone())]);
        let hidden = |value: &str, number: u64| {
            object(&kind, &[("%_wo", text(value)), ("%_wo_version", version(number)), (name, content.clone())])
        };
        let (a, b) = ("https://example.com/tok3n", "https://example.com/other");
        let prior = object(&kind, &[("%_wo_version", version(1)), (name, content.clone())]);
        let mut never_sent = hidden(a, 1);
        never_sent.common.deletion_policy = Attr::Known(ABANDON.to_owned());
        let mut memory = Memory::default();
        memory.remember_secret(hidden(a, 1).write_only_secret().as_ref());
        for (planned, differs, overlooks) in [
            (hidden(a, 1), false, false),
            (hidden(b, 1), false, true),
            (hidden(a, 2), true, false),
            (plain(a), true, false),
            (never_sent, false, false),
            (plain(b), true, false),
            (object(&kind, &[("%_wo", text(a)), ("%_wo_version", version(1)), (name, other.clone())]), true, false),
        ] {
            assert_eq!(prior.differs_remotely(&planned, &memory), differs, "{planned:?}");
            assert_eq!(prior.overlooks_secret_of(&planned, &memory), overlooks, "{planned:?}");
        }
        assert!(plain(a).differs_remotely(&hidden(a, 1), &memory), "it may be another value by then");
        // An exchange of the two arguments, and no other difference, may turn out to change nothing.
        let exchanges = [(&prior, plain(a), true), (&prior, plain(b), false), (&prior, hidden(a, 2), false)];
        for (prior, planned, expected) in exchanges.into_iter().chain([(&plain(a), hidden(a, 1), true)]) {
            assert_eq!(prior.seems_to_be(&planned, &memory), expected, "{planned:?}");
        }
        let shown = format!("{:?} {memory:?} {}", hidden(a, 1), serde_json::to_string(&memory).expect("JSON"));
        assert!(!shown.contains("tok3n"), "{shown}");

        // Drift, and its end.
        let found = |object: Object<K>| object.arguments.content().expect("a content");
        let drifted = prior.clone().refreshed(found(plain(b)), &mut memory);
        assert!(drifted.arguments.is_write_only() && drifted.arguments.version().is_null());
        assert!(drifted.differs_remotely(&hidden(a, 1), &memory) && drifted.differs_remotely(&plain(b), &memory));
        // A write without a record: the configuration has what Tencent has.
        assert!(drifted.seems_to_be(&hidden(b, 2), &memory) && !drifted.seems_to_be(&hidden(a, 1), &memory));
        assert!(!drifted.seems_to_be(&object(&kind, &[("%_wo", text(b)), (name, other.clone())]), &memory));
        let is_shown = |value| drifted.is_what_the_plan_showed(&memory, &Planned::default())(&found(plain(value)));
        assert!(is_shown(b) && !is_shown("https://example.com/third"));
        let same = prior.refreshed(found(plain(a)), &mut memory);
        assert!(!same.differs_remotely(&hidden(a, 1), &memory) && memory.drift.is_none());
    }

    #[test]
    fn only_overwrite_existing_set_to_true_overwrites() {
        for (overwrite_existing, guard) in [
            (Attr::Known(true), Guard::Warn),
            (Attr::Known(false), Guard::Refuse),
            (Attr::Null, Guard::Refuse),
            (Common::default().overwrite_existing, Guard::Refuse),
            (Attr::Unknown, Guard::Warn),
        ] {
            let mut object = object(&CallbackTokenKind, &[]);
            object.common.overwrite_existing = overwrite_existing.clone();
            assert_eq!(object.guard(), guard, "{overwrite_existing:?}");
        }
    }

    #[test]
    fn a_write_only_value_of_every_kind_is_sent_when_its_version_changes() {
        let commands = |command: &str| Value::Set([Value::String(command.to_owned())].into_iter().collect());
        for service in SERVICES.iter() {
            let rest = [(service.argument(), commands("A"), commands("B"))];
            match service.api.version {
                ApiVersion::V1 => {
                    a_write_only_value_is_sent_when_its_version_changes(CallbackKind(service, Actions), rest);
                }
                ApiVersion::V4 => {
                    a_write_only_value_is_sent_when_its_version_changes(CallbackKind(service, Commands), rest);
                }
            }
        }
        let rest = [("enabled", Value::Bool(true), Value::Bool(false))];
        a_write_only_value_is_sent_when_its_version_changes(CallbackTokenKind, rest);
    }
}
