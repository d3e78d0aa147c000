//! Private data: what the provider remembers of an object beside its state. Terraform keeps it, and shows it to nobody.

use std::fmt;
use std::ops::Not;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Content;
use crate::provider::applications::Applications;
use crate::tencent::{ApiVersion, App, SdkAppId};
use crate::terraform::{Attr, Context, Diagnostic};

/// An object's private data. It says no more than it must: Terraform writes the whole state after each object that it changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// Tells the objects of one application apart. Each write makes a new one, and so does reading an object of which a
    /// copy was read before.
    pub(super) object: Key,
    /// The key of the digests below.
    pub(super) key: Key,
    /// The digest of the write-only value that was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    /// What a refresh found, if its secret is not the one that was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<Drift>,
    /// The [fingerprint](Self::fingerprint) of Tencent's own form of what was written. It is no drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stored_as: Option<String>,
    /// The keys of the application's other objects that may stay. If one does, destroying this object deletes nothing.
    ///
    /// A refresh sets this and the next: Terraform plans once more when it applies, and passes only what a refresh has
    /// set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) others: Vec<Key>,
    /// Another object of the application is destroyed, so this one is written again if it stays.
    #[serde(skip_serializing_if = "Not::not")]
    pub(super) rewrite: bool,
    /// The provider settings of the last read or write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin>,
    /// The plan, until it is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) planned: Option<Planned>,
}

/// A remote object with another secret than the one that was last sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Drift {
    /// The [fingerprint](Memory::fingerprint) of all of it.
    content: String,
    /// The digest of its secret.
    secret: String,
}

/// The provider settings that determine the remote object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    endpoint: String,
    /// The provider's own `sdk_app_id`.
    default: Option<String>,
}

/// A plan for one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Planned {
    /// The SDKAppID before the apply; none if there is no object yet.
    pub(super) prior_id: Option<String>,
    /// The SDKAppID after the apply; none if the object is destroyed or the SDKAppID is not known.
    pub(super) id: Option<String>,
    /// The applications with more than one object of this kind. Terraform plans a tainted object as if it were new, and
    /// destroys it by the plan of its replacement.
    pub(super) shared: Vec<String>,
    /// For a destruction: another object needs the remote object, so nothing is deleted.
    pub(super) is_kept: bool,
    /// For a destruction: an object of the plan may turn out to belong to the same application.
    pub(super) may_get_twin: bool,
    /// The provider settings of the plan, for the SDKAppID after the apply; for a destruction, that of before.
    pub(super) origin: Option<Origin>,
    /// What the plan has found and shown, if it has looked. For a destruction, that is what the refresh found: Terraform
    /// 1.9 to 1.11 plans the end of an object without a block from the state before the refresh.
    pub(super) seen: Option<Seen>,
    /// What is there is this object's own, which this plan replaces.
    pub(super) is_own: bool,
    /// For a move to another application: another object of the plan hands on what is there.
    pub(super) takes_over: bool,
    /// For an object whose SDKAppID is not known yet: the applications that have an object of this kind already.
    pub(super) managed: Vec<String>,
}

/// What a plan has found at Tencent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Seen {
    Nothing,
    /// The [fingerprint](Memory::fingerprint) of what is there.
    Content(String),
}

/// A random key.
///
/// As the key of digests, it does not stop someone who can read the state from guessing secrets; it makes guessing
/// start anew for each object, so that a secret with a random part is safe.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Key(String);

impl Default for Key {
    /// Generates a new key.
    fn default() -> Self {
        Self(STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Digests a remote object: see [`Memory::fingerprint`].
    pub(super) fn fingerprint(&self, content: &impl Content) -> String {
        self.digest(&serde_json::to_vec(content).expect("strings are JSON"))
    }

    fn digest(&self, text: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes a key of any length");
        hmac.update(text);
        STANDARD_NO_PAD.encode(hmac.finalize().into_bytes())
    }
}

impl Memory {
    /// Takes the plan out of the private data, because it is being applied.
    pub(super) fn begin_apply(cx: &mut Context) -> (Self, Planned) {
        let mut memory: Self = cx.private();
        let planned = memory.planned.take();
        if planned.is_some() {
            cx.set_private(&memory);
        }
        (memory, planned.unwrap_or_default())
    }

    /// Returns the provider settings that an apply must keep to: those of the object's last read or write, or those of the
    /// plan of one that does not exist yet.
    pub(super) fn origin_of(&self, exists: bool) -> Option<&Origin> {
        if exists { self.origin.as_ref() } else { self.planned.as_ref().and_then(|planned| planned.origin.as_ref()) }
    }

    /// Returns whether the host has kept nothing of what each read and each write leaves. Pulumi's bridge does so where it
    /// deletes.
    pub(super) fn is_lost(&self) -> bool {
        self.origin.is_none() && self.secret.is_none() && self.drift.is_none()
    }

    /// Digests a remote object instead of keeping it: it may contain a secret.
    pub(super) fn fingerprint(&self, content: &impl Content) -> String {
        self.key.fingerprint(content)
    }

    /// Remembers the write-only value that was sent, if there was one.
    pub(super) fn remember_secret(&mut self, secret: Option<&SecretString>) {
        self.secret = secret.map(|secret| self.digest_of(secret));
    }

    /// Returns whether `secret` is the write-only value that was last sent.
    pub(super) fn knows(&self, secret: &SecretString) -> bool {
        self.secret.as_ref().is_some_and(|known| *known == self.digest_of(secret))
    }

    /// Returns whether Tencent has `secret`, as far as the last write or refresh tells.
    pub(super) fn tells_that_tencent_has(&self, secret: &SecretString) -> bool {
        self.drift.as_ref().map_or_else(|| self.knows(secret), |drift| drift.secret == self.digest_of(secret))
    }

    /// Notes what a refresh found. Returns whether its secret is the one that was last sent.
    pub(super) fn note_secret_of(&mut self, found: &impl Content) -> bool {
        let secret = found.write_only_part();
        let is_same = self.knows(&secret);
        let drift = || Drift { content: self.fingerprint(found), secret: self.digest_of(&secret) };
        self.drift = (!is_same).then(drift);
        is_same
    }

    fn digest_of(&self, secret: &SecretString) -> String {
        self.key.digest(secret.expose_secret().as_bytes())
    }

    /// Returns whether `found` is Tencent's own form of what was written.
    pub(super) fn is_stored_form(&self, found: &impl Content) -> bool {
        self.stored_as.as_ref().is_some_and(|stored_as| *stored_as == self.fingerprint(found))
    }

    /// Returns whether the last refresh found `found`, or it is Tencent's own form of what was written.
    pub(super) fn has_seen(&self, planned: &Planned, found: &impl Content) -> bool {
        let drift = self.drift.as_ref().map(|drift| &drift.content);
        let seen = [planned.seen.as_ref().and_then(Seen::content), drift, self.stored_as.as_ref()];
        seen.contains(&Some(&self.fingerprint(found)))
    }

    /// Notes what a plan has found.
    pub(super) fn see(&self, found: Option<&impl Content>) -> Seen {
        found.map_or(Seen::Nothing, |found| Seen::Content(self.fingerprint(found)))
    }
}

impl Planned {
    /// Returns the SDKAppID before the apply.
    pub(super) fn prior_sdk_app_id(&self) -> Option<SdkAppId> {
        self.prior_id.as_ref()?.parse().ok()
    }

    /// Returns the SDKAppID after the apply.
    pub(super) fn sdk_app_id(&self) -> Option<SdkAppId> {
        self.id.as_ref()?.parse().ok()
    }

    /// Returns whether this plan replaces the object of SDKAppID `id` by one of the same application.
    pub(super) fn replaces(&self, id: &Attr<String>) -> bool {
        self.id.is_some() && self.id.as_ref() == id.known()
    }

    /// Returns whether another object of SDKAppID `id` existed when this was planned, before `id` was known.
    pub(super) fn is_managed(&self, id: &Attr<String>) -> bool {
        id.known().is_some_and(|id| self.managed.contains(id))
    }

    /// Returns whether this plan, that of a tainted object's replacement, leaves the remote object to another object.
    pub(super) fn keeps(&self, id: &Attr<String>) -> bool {
        self.prior_id.is_none() && id.known().is_some_and(|id| self.shared.contains(id))
    }
}

impl Seen {
    pub(super) fn content(&self) -> Option<&String> {
        if let Self::Content(content) = self { Some(content) } else { None }
    }
}

impl Origin {
    pub(super) fn of(apps: &Applications, app: &App, version: ApiVersion) -> Self {
        Self { endpoint: app.endpoint().of(version).to_string(), default: default_id(apps) }
    }

    /// Checks that writes still go where the object was last read or planned.
    pub(super) fn check(&self, app: &App, version: ApiVersion) -> Result<(), Diagnostic> {
        let now = app.endpoint().of(version).to_string();
        if self.endpoint == now {
            return Ok(());
        }
        let what = format!(
            "SDKAppID {} was last read or planned through {}, but the provider now calls {now}.",
            app.sdk_app_id(),
            self.endpoint
        );
        Err(other_environment(&what, "region and endpoint (TENCENT_REGION, TENCENT_ENDPOINT)"))
    }

    /// Checks that the provider's default application is still the one of the last read.
    pub(super) fn check_default(&self, apps: &Applications) -> Result<(), Diagnostic> {
        match (&self.default, default_id(apps)) {
            (Some(then), Some(now)) if *then != now => {
                let what = format!(
                    "The provider's SDKAppID was {then} when this object was last read or planned; now it is {now}."
                );
                Err(other_environment(&what, "sdk_app_id (TENCENT_SDK_APP_ID)").on("sdk_app_id"))
            }
            _ => Ok(()),
        }
    }
}

fn default_id(apps: &Applications) -> Option<String> {
    apps.default_sdk_app_id().known().map(ToString::to_string)
}

fn other_environment(what: &str, arguments: &str) -> Diagnostic {
    Diagnostic::error(
        "The provider's configuration has changed since the plan",
        format!(
            "{what} Nothing was written. Apply with the same {arguments} as in the plan, or run a new plan without \
             -refresh=false."
        ),
    )
}
