//! What the provider remembers of an object beside its state. Terraform keeps it, and shows it to nobody.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::claims::ClaimNumber;
use super::remote::Callback;
use crate::provider::applications::Tencent;
use crate::tencent::{App, CallbackConfiguration, CallbackUrl};
use crate::terraform::{Attr, Context, Diagnostic};

/// An object's private data.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    pub(crate) key: Key,
    /// The digest of the URL that was last sent, if Terraform does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// If Terraform does not keep the URL, and another one was found: the [fingerprint](Self::fingerprint) of all that was
    /// found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drift: Option<String>,
    /// The [fingerprint](Self::fingerprint) of what Tencent stores instead of what was written, if that is a form of its
    /// own. As long as that is what is there, it is no drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored_as: Option<String>,
    /// Another object of the application stays: destroying this one deletes nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) keep: bool,
    /// Another object of the application is destroyed: if this one stays, it is written again.
    ///
    /// Terraform plans once more when it applies, and passes only what reading has set.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) rewrite: bool,
    /// How it was reached when it was last read or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// From planning until applying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) planned: Option<Planned>,
}

/// What of the provider's configuration decides which object is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    endpoint: String,
    /// The provider's own `sdk_app_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

/// What was planned for an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Planned {
    /// Its number in the process that plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<ClaimNumber>,
    /// The SDKAppID of the object as it was; none for one that did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prior_id: Option<String>,
    /// The SDKAppID of the object as it will be; none for one that is destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// For a new object: the SDKAppIDs of those of which this run has read more than one object of the service. Terraform
    /// plans a tainted one as if it were new, and destroys it by this plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) shared: Vec<String>,
    /// How it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// The [fingerprint](Memory::fingerprint) of what reading it found. Up to some version, Terraform plans the end of an
    /// object that has no block any more from the state of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<String>,
}

/// What an object's digests are made with. It keeps nobody who can read the state from trying URLs out; it makes
/// everybody try for each object anew, so that a URL with a random part is safe.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Key(String);

/// A new one.
impl Default for Key {
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
    pub(crate) fn digest(&self, text: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes a key of any length");
        hmac.update(text);
        STANDARD_NO_PAD.encode(hmac.finalize().into_bytes())
    }
}

pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}

impl Memory {
    /// Right after `callback` was written. `url` is what was sent, if Terraform does not keep it.
    pub(crate) fn of_written(
        callback: &Callback<'_>,
        url: Option<&CallbackUrl>,
        stored_as: Option<&CallbackConfiguration>,
    ) -> Self {
        let mut memory = Self { origin: Some(callback.origin()), ..Self::default() };
        memory.url = url.map(|url| memory.digest_of(url));
        memory.stored_as = stored_as.map(|stored_as| memory.fingerprint(stored_as));
        memory
    }

    /// A digest rather than the configuration: its URL may be secret.
    pub(crate) fn fingerprint(&self, configuration: &CallbackConfiguration) -> String {
        self.key.digest(&serde_json::to_vec(configuration).expect("strings are JSON"))
    }

    pub(crate) fn digest_of(&self, url: &CallbackUrl) -> String {
        self.key.digest(url.canonical().as_bytes())
    }

    /// Whether this is the URL that was last sent, of those that Terraform does not keep.
    pub(crate) fn knows_url(&self, url: &CallbackUrl) -> bool {
        self.url.as_ref().is_some_and(|known| *known == self.digest_of(url))
    }

    /// Forgets what was planned: it is being applied.
    pub(crate) fn begin_apply(cx: &mut Context) -> Self {
        let memory: Self = cx.private();
        if memory.planned.is_some() {
            cx.set_private(&Self { planned: None, ..memory.clone() });
        }
        memory
    }

    /// Whether `found` is what Tencent made of what was written, or what was there when this was planned.
    pub(crate) fn knows(&self, found: &CallbackConfiguration) -> bool {
        let seen = self.planned.as_ref().and_then(|planned| planned.seen.as_ref());
        self.knows_as_stored(found) || [seen, self.drift.as_ref()].contains(&Some(&self.fingerprint(found)))
    }

    /// Whether `found` is what Tencent made of what was written.
    pub(crate) fn knows_as_stored(&self, found: &CallbackConfiguration) -> bool {
        self.stored_as.as_ref().is_some_and(|stored_as| *stored_as == self.fingerprint(found))
    }
}

impl Planned {
    /// Whether the object of this SDKAppID, which this plan replaces, leaves its configuration to another one.
    pub(crate) fn keeps(&self, id: &Attr<String>) -> bool {
        self.prior_id.is_none() && id.known().is_some_and(|id| self.shared.contains(id))
    }
}

impl Origin {
    pub(crate) fn of(tencent: &Tencent, app: &App) -> Self {
        Self { endpoint: app.endpoint().to_string(), default: default_id(tencent) }
    }

    /// The object that was read or planned like this is to be written by way of `app`.
    pub(crate) fn check(&self, app: &App) -> Result<(), Diagnostic> {
        let now = app.endpoint().to_string();
        if self.endpoint == now {
            return Ok(());
        }
        let what = format!(
            "SDKAppID {} was last read through {}, but the provider now calls {now}.",
            app.sdk_app_id(),
            self.endpoint
        );
        Err(other_environment(&what, "region and endpoint (TENCENT_REGION, TENCENT_ENDPOINT)"))
    }

    /// The object that was read or planned like this belongs to the provider's own application.
    pub(crate) fn check_default(&self, tencent: &Tencent) -> Result<(), Diagnostic> {
        match (&self.default, default_id(tencent)) {
            (Some(then), Some(now)) if *then != now => {
                let what =
                    format!("The provider's SDKAppID was {then} when this object was last read; now it is {now}.");
                Err(other_environment(&what, "sdk_app_id (TENCENT_SDK_APP_ID)").on("sdk_app_id"))
            }
            _ => Ok(()),
        }
    }
}

fn default_id(tencent: &Tencent) -> Option<String> {
    match tencent.default_sdk_app_id() {
        Attr::Known(id) => Some(id.to_string()),
        _ => None,
    }
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
