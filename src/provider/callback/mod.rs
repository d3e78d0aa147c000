//! Callback configurations: which events of a service Tencent posts to which URL.
//!
//! | file | what |
//! | --- | --- |
//! | `kind.rs` | what callback configurations add to the flow of `singleton/` |
//! | `messages.rs` | the words of messages about them |
//! | `url.rs`, `commands.rs` | checks of the arguments; function `callback_commands` |
//! | `data_source.rs`, `list_resource.rs` | the other objects that each service has |
//! | `probe.rs` | action `tencent_callback_probe` |

pub(super) mod commands;
pub(super) mod data_source;
mod kind;
pub(super) mod list_resource;
mod messages;
pub(super) mod probe;
mod url;

pub(super) use kind::CallbackKind;
