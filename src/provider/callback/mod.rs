//! What the callback configurations of all services share.
//!
//! | file | what |
//! | --- | --- |
//! | `service.rs` | what one service adds: its names, its words, its events |
//! | `resource.rs`, `data_source.rs`, `list_resource.rs` | the objects that each service has |
//! | `probe.rs` | action `tencent_callback_probe` |
//! | `commands.rs`, `url.rs` | checks of the arguments; function `callback_commands` |
//! | `remote.rs` | the configuration at Tencent: read, written so that the outcome is known, deleted |
//! | `several.rs`, `claims.rs` | which objects of one run are the same configuration, and what becomes of it |
//! | `record.rs` | what one run has found and done at it |
//! | `attempt.rs` | one operation on it: how long that may be, and whom it waits for |
//! | `memory.rs` | what the provider remembers of an object beside its state |
//! | `model.rs` | what Terraform knows of it: the attributes of the resource |
//! | `plan.rs` | planning: nothing is overwritten by surprise, and nothing that is still wanted is deleted |

pub(crate) mod attempt;
pub(crate) mod claims;
pub(crate) mod commands;
pub(crate) mod data_source;
pub(crate) mod list_resource;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod record;
mod remote;
pub(crate) mod resource;
pub(crate) mod service;
pub(crate) mod several;
mod url;

use self::service::Subject;
use crate::tencent::{CallbackConfiguration, SdkAppId};
use crate::terraform::Diagnostic;

pub(crate) use remote::{Callback, Record, Unwritten, Written};

/// "A, B to URL", masked.
pub(crate) fn describe(configuration: &CallbackConfiguration) -> String {
    let commands: Vec<_> = configuration.callback_commands.iter().map(String::as_str).collect();
    let commands = if commands.is_empty() { "no events".to_owned() } else { list(&commands) };
    format!("{commands} to {}", configuration.url)
}

pub(crate) fn list(commands: &[&str]) -> String {
    commands.join(", ")
}

fn refused_to_overwrite(subject: Subject, existing: &CallbackConfiguration) -> Diagnostic {
    let Subject { service, id } = subject;
    Diagnostic::error(
        format!("SDKAppID {id} already has a {} callback configuration", service.title),
        format!(
            "It sends {}, and overwrite_existing is false.\n\n{}\n\nTo replace it, set overwrite_existing to \
             true.",
            describe(existing),
            how_to_import(id)
        ),
    )
    .on("overwrite_existing")
}

/// The block stands on lines of its own, indented: Terraform does not break such lines.
pub(crate) fn how_to_import(id: SdkAppId) -> String {
    format!(
        "To keep it, import it: add this block, with the address of the resource shown above, and run a new plan. If \
         that plan shows a change, adjust the resource to what exists. (If the resource was renamed, use a moved block \
         instead.)\n\n  import {{\n    to = ADDRESS\n    id = \"{id}\"\n  }}"
    )
}
