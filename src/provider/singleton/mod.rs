//! Remote objects that an application has exactly one of, such as its Call callback configuration: one flow for all.
//!
//! Tencent overwrites such an object as a whole, silently. So a plan that creates one looks first whether there is one
//! already, each write and deletion looks again, and an update sends nothing unless the content changes.
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | what a kind of remote object adds to the flow |
//! | `resource.rs` | the managed resource of any kind: what each operation does |
//! | `model.rs` | the arguments and attributes that all kinds share |
//! | `plan.rs` | the steps of planning: nothing is overwritten by surprise, and nothing that is still wanted is deleted |
//! | `remote.rs` | one operation at Tencent: reading, waiting, and how long it may take |
//! | `apply.rs` | writing and deleting so that the outcome is known |
//! | `attempts.rs` | the attempts of a write or a deletion, each right after a look |
//! | `ledger.rs` | what this process knows about the objects of one application, and the decisions that follow |
//! | `history.rs` | what this process has changed, which tells a stale read from someone else's change |
//! | `memory.rs` | private data: what the provider remembers of an object beside its state |
//! | `moved.rs` | what resources of other providers have managed, for `moved` blocks |
//! | `messages.rs` | the diagnostics |
//! | `orders/` | tests: an explorer of every order in which a host may call, and of every fate of the calls at Tencent |

mod apply;
mod attempts;
mod history;
mod ledger;
mod memory;
mod messages;
mod model;
mod moved;
#[cfg(test)]
mod orders;
mod plan;
mod remote;
mod resource;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::applications::{Applications, Purpose};
use crate::tencent::{SdkAppId, Service, Stored};
use crate::terraform::{Attr, Attribute, Context, Data, Diagnostic, Diagnostics, Number};

pub(crate) use ledger::{Ledger, Ledgers};
pub(crate) use messages::sentence;
pub(crate) use model::{DEFAULT_TIMEOUT, Model, Operation, Timeouts, id_attribute, validate_secret};
pub(crate) use remote::Remote;
pub(crate) use resource::Singleton;

/// A kind of remote object that an application has exactly one of.
pub(crate) trait Kind: Wording<Self> + fmt::Debug + Copy + Send + Sync + 'static {
    /// The remote object itself, as Tencent stores it.
    type Content: Content;
    /// The arguments that describe it in a configuration.
    type Arguments: Arguments<Content = Self::Content>;

    /// Returns the type of the resource, such as `tencent_call_callback`.
    fn type_name(&self) -> &'static str;

    /// Returns the service that has it.
    fn service(&self) -> Service;

    /// Documents the resource, in Markdown.
    fn description(&self) -> String;

    /// Returns the schema of [`Self::Arguments`].
    fn attributes(&self) -> Vec<Attribute>;

    /// Checks the arguments as far as they are known.
    fn validate(&self, arguments: &Self::Arguments) -> Diagnostics;

    /// Warns about something in `found` that an import shows.
    fn review_imported(&self, _id: SdkAppId, _found: &Self::Content) -> Option<Diagnostic> {
        None
    }
}

/// A remote object as Tencent stores it.
pub(crate) trait Content: Stored + Clone + fmt::Debug + Send + Sync + 'static {
    /// Returns whether both make Tencent do the same.
    fn is_same(&self, other: &Self) -> bool;

    /// Returns the part that a write-only argument may hold, in one spelling for all that mean the same.
    fn write_only_part(&self) -> SecretString;

    /// Returns how `stored` differs from this, if it is a form that Tencent itself may give to it.
    fn own_form(&self, _stored: &Self) -> Option<&'static str> {
        None
    }

    /// Makes messages show as little of the secret part as possible.
    #[must_use]
    fn concealed(self) -> Self {
        self
    }
}

/// Returns whether both make Tencent do the same, or both are none.
fn is_same<C: Content>(one: Option<&C>, other: Option<&C>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The arguments that describe a remote object. One of them may be secret: it has a twin that is write-only, and a
/// version that makes Terraform send the twin again.
pub(crate) trait Arguments: Data + Clone + Default + fmt::Debug + Send + Sync + 'static {
    /// The remote object that they describe.
    type Content: Content;

    /// Returns the described remote object, if all of it is known. A state lacks write-only values.
    fn content(&self) -> Option<Self::Content>;

    /// Describes `found`, in the spelling that is here already if that means the same.
    #[must_use]
    fn holding(self, found: Self::Content) -> Self;

    /// Returns whether anything but the secret argument differs.
    fn differs(&self, other: &Self) -> bool;

    /// Returns whether the secret argument is not set, so that its write-only twin is.
    fn is_write_only(&self) -> bool;

    /// Returns the secret argument or its write-only twin if it is known, spelled as by [`Content::write_only_part`].
    fn secret(&self) -> Option<SecretString>;

    /// Returns the secret that no message may show, even if Tencent quotes it in an error.
    fn unquotable(&self) -> Option<&SecretString> {
        None
    }

    /// Leaves out the secret argument, and sets the version of its write-only twin.
    #[must_use]
    fn write_only(self, version: Attr<Number>) -> Self;

    /// Returns the version of the write-only argument.
    fn version(&self) -> &Attr<Number>;

    /// Takes over the spelling of `prior` where it means the same, so that Terraform shows no difference.
    #[must_use]
    fn spelled_like(self, _prior: &Self) -> Self {
        self
    }

    /// Reconstructs what was written, given that Tencent stores `_stored`, as far as the state tells.
    fn written_as(&self, _stored: &Self::Content) -> Option<Self::Content> {
        self.content()
    }

    /// Returns whether `found` contains the write-only argument, which no state may hold.
    fn is_disclosed_by(&self, found: &Self::Content) -> bool;
}

/// The words of messages about a kind.
pub(crate) trait Wording<K: Kind> {
    /// Returns the full name, such as "Call callback configuration".
    fn name(&self) -> String;

    /// Returns the words that messages are built from.
    fn words(&self) -> &'static Words;

    /// Describes a remote object without its secrets, to follow [`Words::sends`].
    fn describe(&self, content: &K::Content) -> String;

    /// Says what it means to others that `wanted` replaces `found`, if there is something to say.
    fn consequence(&self, _found: &K::Content, _wanted: Option<&K::Content>) -> Option<&'static str> {
        None
    }

    /// Says what drift of a write-only argument does until the next apply.
    fn drift(&self, found: &K::Content) -> String;

    /// Says what Tencent goes on doing with a remote object that Terraform only forgets.
    fn after_forgetting(&self, last: &K::Arguments) -> String;
}

/// The words of a kind that messages are built from.
#[derive(Debug)]
pub(crate) struct Words {
    /// The subject of a sentence about the remote object.
    pub(crate) subject: &'static str,
    /// The verb in the present.
    pub(crate) sends: &'static str,
    /// The verb in the past.
    pub(crate) sent: &'static str,
    /// The words after a description of something else than what was written, if the description alone does not tell.
    pub(crate) unlike_written: &'static str,
    /// The argument that may be secret, such as `url`.
    pub(crate) argument: &'static str,
    /// The noun for that argument, such as "URL".
    pub(crate) secret: &'static str,
}

/// An object of a kind, as Terraform knows it.
pub(crate) type Object<K> = Model<<K as Kind>::Arguments>;

/// The ledger of one application.
type LedgerOf<K> = Arc<Ledger<<K as Kind>::Content>>;

/// The provider as configured, in its dealings with one kind of remote object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a, K> {
    pub(crate) apps: &'a Applications,
    pub(crate) kind: K,
}

impl<'a, K: Kind> Scope<'a, K> {
    pub(crate) fn new(apps: &'a Applications, kind: K) -> Self {
        Self { apps, kind }
    }

    fn ledgers(&self) -> Arc<Ledgers<K::Content>> {
        self.apps.extension(self.kind.type_name())
    }

    /// Names the remote object of `model`, and returns its ledger, if the application is known.
    fn known(&self, model: &Object<K>) -> Option<(Subject<K>, LedgerOf<K>)> {
        let id = self.apps.sdk_app_id(&Attr::Known(model.common.sdk_app_id.known()?.clone()), Purpose::Name).ok()?;
        Some((Subject { kind: self.kind, id }, self.ledgers().of(id)))
    }

    /// Returns whether calls can be made for the application of `model`.
    fn is_reachable(&self, model: &Object<K>, cx: &Context) -> bool {
        cx.provider_is_known() && self.apps.is_known(&model.common.sdk_app_id)
    }

    /// Begins an operation on the remote object that `model` describes.
    ///
    /// # Errors
    ///
    /// If no application is named, or the provider has no credentials for it.
    fn remote(&self, model: &Object<K>, operation: Operation, cx: &Context) -> Result<Remote<'a, K>, Diagnostics> {
        let timeout = Timeouts::of(&model.common.timeouts, operation);
        let purpose = match operation {
            Operation::Create => Purpose::Call,
            Operation::Read | Operation::Update | Operation::Delete => Purpose::Object,
        };
        let app = self.apps.app(self.apps.sdk_app_id(&model.common.sdk_app_id, purpose)?, purpose)?;
        Ok(Remote::new(*self, app, timeout, cx).concealing(&model.arguments))
    }
}

/// The remote object of one application, by name: "Call callback configuration of SDKAppID 1400000001".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<K> {
    pub(crate) kind: K,
    pub(crate) id: SdkAppId,
}

impl<K: Kind> fmt::Display for Subject<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of SDKAppID {}", self.kind.name(), self.id)
    }
}
