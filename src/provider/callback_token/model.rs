//! What Terraform knows of a callback token: the attributes of the resource, and what the provider remembers beside them.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::remote::{Remote, Unwritten};
use super::token;
use crate::model;
use crate::provider::applications::Tencent;
use crate::provider::callback::claims::Mark;
use crate::provider::callback::memory::{Key, Origin, Planned, is_false};
use crate::provider::callback::model::{ABANDON, DELETE, Operation, Timeouts};
use crate::provider::checks;
use crate::tencent::{CallbackToken, SdkAppId};
use crate::terraform::{Attr, Context, Diagnostic, Diagnostics, Failure, Number};

model! {
    /// The attributes of the resource.
    #[derive(Debug, Clone)]
    pub(crate) struct TokenModel {
        pub(super) sdk_app_id: Attr<Number>,
        pub(super) token: Attr<SecretString>,
        pub(super) token_wo: Attr<SecretString>,
        pub(super) token_wo_version: Attr<Number>,
        pub(super) enabled: Attr<bool>,
        pub(super) overwrite_existing: Attr<bool>,
        pub(super) deletion_policy: Attr<String>,
        pub(super) timeouts: Attr<Timeouts>,
        pub(super) id: Attr<String>,
        pub(super) last_request_id: Attr<String>,
    }
}

/// An object's private data: [`Memory`](crate::provider::callback::memory::Memory) of a callback token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    pub(super) key: Key,
    /// The digest of the token that was last sent, if Terraform does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// If Terraform does not keep the token, and another one was found: the [fingerprint](Self::fingerprint) of what was
    /// found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<String>,
    /// Another object of the application stays: destroying this one deletes nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) keep: bool,
    /// Another object of the application is destroyed: if this one stays, it is written again.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) rewrite: bool,
    /// How it was reached when it was last read or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin>,
    /// From planning until applying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) planned: Option<Planned>,
}

impl Memory {
    /// A digest rather than the token.
    pub(super) fn fingerprint(&self, token: &CallbackToken) -> String {
        self.key.digest(&serde_json::to_vec(token).expect("strings are JSON"))
    }

    fn digest_of(&self, token: &SecretString) -> String {
        self.key.digest(token.expose_secret().as_bytes())
    }

    /// Whether this is the token that was last sent, of those that Terraform does not keep.
    fn knows(&self, token: &SecretString) -> bool {
        self.token.as_ref().is_some_and(|known| *known == self.digest_of(token))
    }

    /// Whether `found` is what was there when this was read or planned.
    fn has_seen(&self, found: &CallbackToken) -> bool {
        let seen = self.planned.as_ref().and_then(|planned| planned.seen.as_ref());
        [seen, self.drift.as_ref()].contains(&Some(&self.fingerprint(found)))
    }

    /// Forgets what was planned: it is being applied.
    pub(super) fn begin_apply(cx: &mut Context) -> Self {
        let memory: Self = cx.private();
        if memory.planned.is_some() {
            cx.set_private(&Self { planned: None, ..memory.clone() });
        }
        memory
    }
}

impl TokenModel {
    /// All that the schema has a default for; nothing else.
    fn defaults() -> Self {
        Self {
            sdk_app_id: Attr::Null,
            token: Attr::Null,
            token_wo: Attr::Null,
            token_wo_version: Attr::Null,
            enabled: Attr::Known(true),
            overwrite_existing: Attr::Known(true),
            deletion_policy: Attr::Known(DELETE.to_owned()),
            timeouts: Attr::Null,
            id: Attr::Null,
            last_request_id: Attr::Null,
        }
    }

    /// The object of this application that is about to be read for the first time.
    pub(super) fn imported(id: SdkAppId) -> Self {
        Self::defaults().of(id)
    }

    pub(super) fn of(self, id: SdkAppId) -> Self {
        Self { sdk_app_id: checks::number(id), id: Attr::Known(id.to_string()), ..self }
    }

    /// What `found` says.
    pub(super) fn holding(self, found: CallbackToken) -> Self {
        Self { token: Attr::Known(found.token), enabled: Attr::Known(found.enabled), ..self }
    }

    /// What `found` says, of which Terraform keeps no secret token: `memory` notes whether that is another one.
    pub(super) fn refreshed(self, found: CallbackToken, memory: &mut Memory) -> Self {
        if !self.is_kept_nowhere() {
            return self.holding(found);
        }
        let is_same = memory.knows(&found.token);
        memory.drift = (!is_same).then(|| memory.fingerprint(&found));
        Self {
            token_wo_version: if is_same { self.token_wo_version } else { Attr::Null },
            enabled: Attr::Known(found.enabled),
            ..self
        }
    }

    /// Whether the token is one that Terraform does not keep.
    pub(super) fn is_kept_nowhere(&self) -> bool {
        self.token.is_null()
    }

    /// The token, where it is known; that which Terraform does not keep, in what is planned only.
    fn secret(&self) -> Option<&SecretString> {
        if self.is_kept_nowhere() { &self.token_wo } else { &self.token }.known()
    }

    /// The object as Tencent knows it, if all of it is known: not of a state without the token.
    pub(super) fn remote(&self) -> Option<CallbackToken> {
        Some(CallbackToken { token: self.secret()?.clone(), enabled: *self.enabled.known()? })
    }

    /// The object to write, all of which Terraform knows by then. What was not known when planning was not checked.
    pub(super) fn wanted(&self) -> Result<CallbackToken, Diagnostics> {
        let wanted = self.remote().ok_or_else(|| {
            let detail = "Terraform applied a plan with unknown values. This is a bug in Terraform: please report it.";
            Diagnostic::error("The planned token is not known", detail)
        })?;
        token::check(if self.is_kept_nowhere() { "token_wo" } else { "token" }, &wanted.token)?;
        Ok(wanted)
    }

    /// Whether `planned` is another object at Tencent, or the same object with another content.
    pub(super) fn differs_remotely(&self, planned: &Self, memory: &Memory) -> bool {
        self.sdk_app_id != planned.sdk_app_id || self.enabled != planned.enabled || self.sends_token_of(planned, memory)
    }

    /// Whether `planned` has another token, or may have. One that Terraform begins or ceases to keep is sent.
    fn sends_token_of(&self, planned: &Self, memory: &Memory) -> bool {
        match (&self.token, &planned.token) {
            (Attr::Null, Attr::Null) => memory.drift.is_some() || self.token_wo_version != planned.token_wo_version,
            (Attr::Known(token), Attr::Known(planned)) => token.expose_secret() != planned.expose_secret(),
            _ => true,
        }
    }

    /// Whether `planned`, with another token that Terraform does not keep, says nothing of sending it.
    pub(super) fn overlooks_token_of(&self, planned: &Self, memory: &Memory) -> bool {
        self.is_kept_nowhere()
            && planned.is_kept_nowhere()
            && self.token_wo_version == planned.token_wo_version
            && memory.drift.is_none()
            && planned.secret().is_some_and(|token| !memory.knows(token))
    }

    /// Tells what the plan showed as the prior state from what somebody has set since.
    pub(super) fn is_what_the_plan_showed(&self, memory: &Memory) -> impl Fn(&CallbackToken) -> bool {
        let (shown, enabled) = (self.remote(), self.enabled.clone());
        let is_shown = move |found: &CallbackToken| match &shown {
            Some(shown) => shown.is_same(found),
            None => enabled == Attr::Known(found.enabled) && memory.knows(&found.token),
        };
        move |found| is_shown(found) || memory.has_seen(found)
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.deletion_policy.known().is_some_and(|policy| policy == ABANDON)
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.overwrite_existing == Attr::Known(false)
    }

    /// The remote object, for one operation.
    pub(super) fn at_tencent<'a>(
        &self,
        tencent: &'a Tencent,
        operation: Operation,
        cx: &Context,
    ) -> Result<Remote<'a>, Diagnostics> {
        let timeout = Timeouts::of(&self.timeouts, operation);
        let app = tencent.app_of_object(tencent.sdk_app_id(&self.sdk_app_id)?)?;
        Ok(Remote::with(tencent, app, timeout, cx).masking(self.secret()))
    }

    /// What tells it apart from other objects of its application.
    pub(super) fn mark(&self) -> Mark {
        self.last_request_id.known().cloned()
    }

    pub(super) fn after(self, remote: &Remote<'_>, request_id: Option<String>, cx: &mut Context) -> Self {
        let mut memory = Memory { origin: Some(remote.origin()), ..Memory::default() };
        memory.token = self.secret().filter(|_| self.is_kept_nowhere()).map(|token| memory.digest_of(token));
        cx.set_private(&memory);
        Self { last_request_id: request_id.map_or(Attr::Null, Attr::Known), ..self }
    }

    /// What holds after a failed write or deletion, as far as that is known and may be kept: not the token of `planned` that
    /// must not be.
    pub(super) fn failure(
        self,
        unwritten: Unwritten,
        planned: Option<&Self>,
        memory: Memory,
        cx: &mut Context,
    ) -> Failure<Self> {
        let Unwritten { diagnostic, found } = unwritten;
        let unkept = planned.filter(|planned| planned.is_kept_nowhere()).and_then(Self::secret);
        let is_keepable = |found: &CallbackToken| {
            self.is_kept_nowhere() || unkept.is_none_or(|unkept| unkept.expose_secret() != found.token.expose_secret())
        };
        let state = found.filter(is_keepable).map(|found| {
            let mut memory = Memory { planned: None, ..memory };
            let state = self.refreshed(found, &mut memory);
            cx.set_private(&memory);
            state
        });
        Failure { diagnostics: diagnostic.into(), state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(token: &str) -> TokenModel {
        TokenModel { token: Attr::Known(token.to_owned().into()), ..TokenModel::defaults() }
    }

    fn kept_nowhere(token: &str, version: u64) -> TokenModel {
        TokenModel {
            token_wo: Attr::Known(token.to_owned().into()),
            token_wo_version: Attr::Known(version.into()),
            ..TokenModel::defaults()
        }
    }

    fn found(token: &str, enabled: bool) -> CallbackToken {
        CallbackToken { token: token.to_owned().into(), enabled }
    }

    #[test]
    fn only_the_object_at_tencent_is_worth_a_request() {
        let (prior, memory) = (kept("tok3n"), Memory::default());
        let left = TokenModel { deletion_policy: Attr::Known(ABANDON.into()), ..prior.clone() };
        assert!(!prior.differs_remotely(&left, &memory));
        for planned in [
            kept("other"),
            kept_nowhere("tok3n", 1),
            TokenModel { token: Attr::Unknown, ..prior.clone() },
            TokenModel { enabled: Attr::Known(false), ..prior.clone() },
        ] {
            assert!(prior.differs_remotely(&planned, &memory), "{planned:?}");
        }
    }

    #[test]
    fn a_token_that_is_kept_nowhere_is_sent_with_another_version() {
        let prior = TokenModel { token_wo: Attr::Null, ..kept_nowhere("", 1) };
        let mut memory = Memory::default();
        memory.token = Some(memory.digest_of(&"tok3n".to_owned().into()));
        for (planned, differs, overlooks) in [
            (kept_nowhere("tok3n", 1), false, false),
            (kept_nowhere("other", 1), false, true),
            (kept_nowhere("tok3n", 2), true, false),
            (kept("tok3n"), true, false),
        ] {
            assert_eq!(prior.differs_remotely(&planned, &memory), differs, "{planned:?}");
            assert_eq!(prior.overlooks_token_of(&planned, &memory), overlooks, "{planned:?}");
        }
        assert!(!format!("{:?} {memory:?}", kept_nowhere("tok3n", 1)).contains("tok3n"));
        assert!(!serde_json::to_string(&memory).expect("JSON").contains("tok3n"));

        // What someone else has set, and what is there again.
        let drifted = prior.clone().refreshed(found("other", true), &mut memory);
        assert!(drifted.token_wo_version.is_null() && drifted.token.is_null());
        assert!(drifted.differs_remotely(&kept_nowhere("tok3n", 1), &memory));
        assert!(drifted.is_what_the_plan_showed(&memory)(&found("other", true)));
        assert!(!drifted.is_what_the_plan_showed(&memory)(&found("other", false)));
        let same = prior.clone().refreshed(found("tok3n", true), &mut memory);
        assert!(!same.differs_remotely(&kept_nowhere("tok3n", 1), &memory) && memory.drift.is_none());
        let disabled = prior.refreshed(found("tok3n", false), &mut memory);
        assert!(disabled.differs_remotely(&kept_nowhere("tok3n", 1), &memory) && memory.drift.is_none());
    }
}
