//! What Terraform knows of a callback configuration: the attributes of the resource, and what they mean at Tencent.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::claims::Mark;
use super::memory::Memory;
use super::service::CallbackService;
use super::{Callback, Unwritten, Written};
use crate::model;
use crate::provider::applications::OfService;
use crate::provider::checks;
use crate::tencent::{CallbackConfiguration, CallbackUrl, SdkAppId};
use crate::terraform::{Attr, Attribute, Context, Diagnostic, Diagnostics, Failure, Nesting, Number, SetOf, Type};

model! {
    /// The attributes of the resource.
    #[derive(Debug, Clone)]
    pub(crate) struct CallbackModel {
        pub(crate) sdk_app_id: Attr<Number>,
        pub(crate) url: Attr<String>,
        pub(crate) url_wo: Attr<SecretString>,
        pub(crate) url_wo_version: Attr<Number>,
        pub(crate) callback_commands: Attr<SetOf<String>>,
        pub(crate) overwrite_existing: Attr<bool>,
        pub(crate) deletion_policy: Attr<String>,
        pub(crate) timeouts: Attr<Timeouts>,
        pub(crate) id: Attr<String>,
        pub(crate) last_request_id: Attr<String>,
    }
}

model! {
    /// How long each operation may take, its retries included.
    #[derive(Debug, Clone)]
    pub(crate) struct Timeouts {
        create: Attr<String>,
        read: Attr<String>,
        update: Attr<String>,
        delete: Attr<String>,
    }
}

pub(crate) const DELETE: &str = "DELETE";
pub(crate) const ABANDON: &str = "ABANDON";
/// Enough for a write with the default number of retries, each as slow as it may be, and a look at the outcome.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

impl CallbackModel {
    /// All that the schema has a default for; nothing else.
    pub(crate) fn defaults() -> Self {
        Self {
            sdk_app_id: Attr::Null,
            url: Attr::Null,
            url_wo: Attr::Null,
            url_wo_version: Attr::Null,
            callback_commands: Attr::Null,
            overwrite_existing: Attr::Known(true),
            deletion_policy: Attr::Known(DELETE.to_owned()),
            timeouts: Attr::Null,
            id: Attr::Null,
            last_request_id: Attr::Null,
        }
    }

    /// The object that holds `remote`, which someone else may have set.
    pub(crate) fn imported(id: SdkAppId, remote: CallbackConfiguration) -> Self {
        Self::defaults().of(id).holding(remote)
    }

    pub(crate) fn of(self, id: SdkAppId) -> Self {
        Self { sdk_app_id: checks::number(id), id: Attr::Known(id.to_string()), ..self }
    }

    /// What `remote` says, in the spelling that is here already where that is equivalent.
    pub(crate) fn holding(self, remote: CallbackConfiguration) -> Self {
        let here: Option<CallbackUrl> = self.url.known().cloned().map(CallbackUrl::from);
        let url = match here {
            Some(here) if here.is_equivalent(&remote.url) => here,
            _ => remote.url,
        };
        Self {
            url: Attr::Known(url.expose().to_owned()),
            callback_commands: Attr::Known(remote.callback_commands.into_iter().collect()),
            ..self
        }
    }

    /// What `found` says, of which Terraform keeps no secret URL: `memory` notes whether that is another one.
    pub(crate) fn refreshed(self, found: CallbackConfiguration, memory: &mut Memory) -> Self {
        if !self.has_secret_url() {
            return self.holding(found);
        }
        let is_same = memory.knows_url(&found.url);
        memory.drift = (!is_same).then(|| memory.fingerprint(&found));
        Self {
            url_wo_version: if is_same { self.url_wo_version } else { Attr::Null },
            callback_commands: Attr::Known(found.callback_commands.into_iter().collect()),
            ..self
        }
    }

    /// Whether the URL is one that Terraform does not keep.
    pub(crate) fn has_secret_url(&self) -> bool {
        self.url.is_null()
    }

    /// The URL that Terraform does not keep, where it is known: in what is planned.
    pub(crate) fn secret_url(&self) -> Option<CallbackUrl> {
        let url = self.url_wo.known().filter(|_| self.has_secret_url())?;
        Some(CallbackUrl::from(url.expose_secret().to_owned()).secret())
    }

    /// Whether `planned`, with another URL that Terraform does not keep, says nothing of sending it.
    pub(crate) fn overlooks_url_of(&self, planned: &Self, memory: &Memory) -> bool {
        self.has_secret_url()
            && self.url_wo_version == planned.url_wo_version
            && memory.drift.is_none()
            && planned.secret_url().is_some_and(|url| !memory.knows_url(&url))
    }

    pub(crate) fn has_equivalent_url(&self, other: &Self) -> bool {
        match (self.url.known(), other.url.known()) {
            (Some(a), Some(b)) => CallbackUrl::from(a.clone()).is_equivalent(&b.clone().into()),
            _ => false,
        }
    }

    /// Whether `planned` is another object at Tencent, or the same object with another content.
    pub(crate) fn differs_remotely(&self, planned: &Self, memory: &Memory) -> bool {
        self.sdk_app_id != planned.sdk_app_id
            || self.callback_commands != planned.callback_commands
            || self.sends_url_of(planned, memory)
    }

    /// Whether `planned` has another URL, or may have.
    fn sends_url_of(&self, planned: &Self, memory: &Memory) -> bool {
        match (&self.url, &planned.url) {
            (Attr::Null, Attr::Null) => memory.drift.is_some() || self.url_wo_version != planned.url_wo_version,
            (Attr::Null, Attr::Known(url)) => memory.drift.is_some() || !memory.knows_url(&url.clone().into()),
            // An ephemeral value may be another one when the plan is applied. Updating tells.
            (url, planned) => url != planned,
        }
    }

    /// The object as Tencent knows it, if all of it is known: not of a state without the URL.
    pub(crate) fn remote(&self) -> Option<CallbackConfiguration> {
        let url = match &self.url {
            Attr::Null => self.secret_url()?,
            url => url.known()?.clone().into(),
        };
        Some(CallbackConfiguration { url, callback_commands: self.commands()? })
    }

    /// What was written to get `stored`, as far as the state tells.
    pub(crate) fn written(&self, stored: &CallbackConfiguration) -> Option<CallbackConfiguration> {
        match self.has_secret_url() {
            true => Some(CallbackConfiguration { url: stored.url.clone(), callback_commands: self.commands()? }),
            false => self.remote(),
        }
    }

    pub(crate) fn commands(&self) -> Option<BTreeSet<String>> {
        Some(self.callback_commands.known()?.known()?.into_iter().cloned().collect())
    }

    /// Whether what was `found` may be this with its secret URL, which no state may hold.
    pub(crate) fn may_have_become(&self, found: &CallbackConfiguration) -> bool {
        self.secret_url().is_some_and(|url| url.is_respelling_of(&found.url))
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.deletion_policy.known().is_some_and(|policy| policy == ABANDON)
    }

    /// The remote object, for one operation.
    pub(crate) fn at_tencent<'a>(
        &self,
        tencent: OfService<'a>,
        operation: Operation,
        cx: &Context,
    ) -> Result<Callback<'a>, Diagnostics> {
        let timeout = Timeouts::of(&self.timeouts, operation);
        let app = tencent.app_of_object(tencent.sdk_app_id(&self.sdk_app_id)?)?;
        Ok(Callback::with(tencent, app, timeout, cx).hiding_url(self.has_secret_url()))
    }

    /// The object to write, all of which Terraform knows by then.
    pub(crate) fn wanted(&self) -> Result<CallbackConfiguration, Diagnostics> {
        self.remote().ok_or_else(|| {
            let detail = "Terraform applied a plan with unknown values. This is a bug in Terraform: please report it.";
            Diagnostic::error("The planned configuration is not known", detail).into()
        })
    }

    /// What tells it apart from other objects of its application.
    pub(crate) fn mark(&self) -> Mark {
        self.last_request_id.known().cloned()
    }

    pub(crate) fn after(self, callback: &Callback<'_>, written: Written, cx: &mut Context) -> Self {
        cx.set_private(&Memory::of_written(callback, self.secret_url().as_ref(), written.stored_as.as_ref()));
        Self { last_request_id: written.request_id.map_or(Attr::Null, Attr::Known), ..self }
    }

    /// What holds after a failed write or deletion, as far as that is known.
    pub(crate) fn failure(self, unwritten: Unwritten, memory: Memory, cx: &mut Context) -> Failure<Self> {
        let Unwritten { diagnostic, found } = unwritten;
        let state = found.map(|found| {
            let mut memory = Memory { planned: None, ..memory };
            let is_secret = self.has_secret_url();
            let state = self.refreshed(found, &mut memory);
            if is_secret {
                cx.set_private(&memory);
            }
            state
        });
        Failure { diagnostics: diagnostic.into(), state }
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.overwrite_existing == Attr::Known(false)
    }

    /// Tells what the plan showed as the prior state from what somebody has set since.
    pub(crate) fn is_what_the_plan_showed(&self, memory: &Memory) -> impl Fn(&CallbackConfiguration) -> bool {
        let (shown, commands) = (self.remote(), self.commands());
        let is_shown = move |found: &CallbackConfiguration| match &shown {
            Some(shown) => shown.is_equivalent(found),
            None => commands.as_ref() == Some(&found.callback_commands) && memory.knows_url(&found.url),
        };
        move |found| is_shown(found) || memory.knows(found)
    }

    pub(crate) fn stays_abandoned(&self, service: &CallbackService) -> Diagnostic {
        let id = self.id.known().map(String::as_str).unwrap_or_default();
        Diagnostic::warning(
            format!("The {} callback configuration of SDKAppID {id} stays at Tencent", service.title),
            format!(
                "deletion_policy is \"{ABANDON}\": Terraform only forgets the configuration, and Tencent goes on posting \
                 events to {}.",
                self.remote().map_or_else(|| "its URL".to_owned(), |remote| remote.url.to_string())
            ),
        )
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

impl Timeouts {
    pub(crate) fn attribute() -> Attribute {
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

    pub(crate) fn validate(timeouts: &Attr<Self>) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (name, timeout) in timeouts.known().into_iter().flat_map(Self::named) {
            if let Some(Err(reason)) = timeout.known().map(|text| checks::duration(text)) {
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

    /// How long the operation may take.
    pub(crate) fn of(timeouts: &Attr<Self>, operation: Operation) -> Duration {
        let timeout = timeouts.known().and_then(|timeouts| match operation {
            Operation::Create => timeouts.create.known(),
            Operation::Read => timeouts.read.known(),
            Operation::Update => timeouts.update.known(),
            Operation::Delete => timeouts.delete.known(),
        });
        // Validated in the configuration; what a state holds was validated when it was one.
        timeout.and_then(|text| checks::duration(text).ok()).unwrap_or(DEFAULT_TIMEOUT)
    }
}

pub(crate) fn validate_deletion_policy(deletion_policy: &Attr<String>) -> Diagnostics {
    match deletion_policy.known() {
        Some(policy) if policy != DELETE && policy != ABANDON => {
            let reason = format!("{policy:?} is neither \"{DELETE}\" nor \"{ABANDON}\".");
            Diagnostic::error("Invalid deletion_policy", reason).on("deletion_policy").into()
        }
        _ => Diagnostics::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(url: &str) -> CallbackModel {
        CallbackModel {
            url: Attr::Known(url.to_owned()),
            callback_commands: Attr::Known(["Call.CallbackAfterEndCall".to_owned()].into_iter().collect()),
            ..CallbackModel::defaults()
        }
    }

    fn secret(url: &str, version: u64) -> CallbackModel {
        CallbackModel {
            url: Attr::Null,
            url_wo: Attr::Known(url.to_owned().into()),
            url_wo_version: Attr::Known(version.into()),
            ..known("")
        }
    }

    #[test]
    fn only_the_object_at_tencent_is_worth_a_request() {
        let prior = known("https://example.com/");
        let kept = CallbackModel { deletion_policy: Attr::Known(ABANDON.into()), ..prior.clone() };
        let memory = Memory::default();
        assert!(!prior.differs_remotely(&kept, &memory));
        assert!(prior.differs_remotely(&known("https://example.com/x"), &memory));
        assert!(prior.differs_remotely(&CallbackModel { url: Attr::Unknown, ..prior.clone() }, &memory));
        assert!(prior.has_equivalent_url(&known("https://EXAMPLE.com")));
    }

    #[test]
    fn a_secret_url_is_sent_with_another_version_or_in_place_of_another_one() {
        let url = "https://example.com/tok3n";
        let prior = CallbackModel { url_wo: Attr::Null, ..secret("", 1) };
        let mut memory = Memory::default();
        memory.url = Some(memory.digest_of(&url.to_owned().into()));
        for (planned, differs, overlooks) in [
            (secret(url, 1), false, false),
            (secret("https://EXAMPLE.com:443/tok3n", 1), false, false),
            (secret("https://example.com/other", 1), false, true),
            (secret(url, 2), true, false),
            (known(url), false, false),
            (known("https://example.com/other"), true, false),
        ] {
            assert_eq!(prior.differs_remotely(&planned, &memory), differs, "{planned:?}");
            assert_eq!(prior.overlooks_url_of(&planned, &memory), overlooks, "{planned:?}");
        }
        assert!(known(url).differs_remotely(&secret(url, 1), &memory), "it may be another one by then");
        assert!(!format!("{:?} {memory:?}", secret(url, 1)).contains("tok3n"));

        // What someone else has set, and what is there again.
        let found = |url: &str| known(url).remote().expect("a configuration");
        let drifted = prior.clone().refreshed(found("https://example.com/other"), &mut memory);
        assert!(drifted.url_wo_version.is_null() && drifted.url.is_null());
        assert!(drifted.differs_remotely(&secret(url, 1), &memory) && drifted.differs_remotely(&known(url), &memory));
        assert!(drifted.is_what_the_plan_showed(&memory)(&found("https://example.com/other")));
        assert!(!drifted.is_what_the_plan_showed(&memory)(&found("https://example.com/third")));
        let same = prior.clone().refreshed(found("https://example.com/tok3n"), &mut memory);
        assert!(!same.differs_remotely(&secret(url, 1), &memory) && memory.drift.is_none());
    }
}
