//! Resource `tencent_live_callback_token`: what Live signs the events with that it posts.
//!
//! | file | what |
//! | --- | --- |
//! | `resource.rs` | the resource |
//! | `token.rs` | checks of the arguments `token` and `token_wo` |
//! | `model.rs` | what Terraform knows of a token: the attributes, and the provider's own memory of it |
//! | `plan.rs` | planning: no token is overwritten by surprise, and none is deleted that is still wanted |
//! | `remote.rs` | the token at Tencent: read, written so that the outcome is known, deleted |
//!
//! It keeps the same promises as `callback/`, whose [`Claims`](super::callback::claims::Claims) it uses, and is simpler by
//! what a token has not: spellings that mean the same, a form that Tencent stores it in, a call that only creates.
//!
//! No message here shows a token, or a part of one.

mod model;
mod plan;
mod remote;
pub(super) mod resource;
mod token;

use std::fmt;

use super::callback::how_to_import;
use super::callback::record::OneOfItsKind;
use crate::tencent::{CallbackToken, SdkAppId};
use crate::terraform::Diagnostic;

pub(super) use remote::{Record, Remote};

/// What it is called where the kinds of things that an application has one of are told apart.
const KIND: &str = "Live callback token";

/// Which token: an application has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject(pub(super) SdkAppId);

impl OneOfItsKind for Subject {
    fn kind(&self) -> String {
        KIND.to_owned()
    }
}

/// "Live callback token of SDKAppID 1400000001"
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND} of SDKAppID {}", self.0)
    }
}

fn describe(token: &CallbackToken) -> &'static str {
    if token.enabled { "an enabled token" } else { "a disabled token" }
}

/// What it means to receivers that `wanted` takes the place of `found`, as far as it is known.
fn consequence(found: &CallbackToken, wanted: Option<&CallbackToken>) -> &'static str {
    match wanted {
        _ if !found.enabled => "It is disabled, so no receiver depends on it.",
        Some(wanted) if !wanted.enabled => {
            "Events will no longer be signed: receivers that check signatures will refuse them."
        }
        _ => "Receivers that check signatures with the old token will refuse events until they have the new one.",
    }
}

fn refused_to_overwrite(subject: Subject, existing: &CallbackToken) -> Diagnostic {
    Diagnostic::error(
        format!("SDKAppID {} already has a Live callback token", subject.0),
        format!(
            "It has {}, and overwrite_existing is false.\n\n{}\n\nTo replace it, set overwrite_existing to true.",
            describe(existing),
            how_to_import(subject.0)
        ),
    )
    .on("overwrite_existing")
}
