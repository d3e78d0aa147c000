//! Resource `tencent_live_callback_token`: the token that Live signs its events with.
//!
//! | file | what |
//! | --- | --- |
//! | `kind.rs` | what a callback token adds to the flow of `singleton/` |
//! | `messages.rs` | how messages speak of it: none shows a token, or a part of one |

mod kind;
mod messages;

pub(super) use kind::CallbackTokenKind;
