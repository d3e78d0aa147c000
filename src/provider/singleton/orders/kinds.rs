//! The kinds of objects as the explorer configures and stores them.

use serde_json::{Value as Json, json};

use super::tencent::Content;
use crate::provider::applications::Applications;
use crate::provider::callback::CallbackKind;
use crate::provider::callback_token::CallbackTokenKind;
use crate::provider::services::{CallbackService, SERVICES};
use crate::provider::singleton::{Object, Singleton};
use crate::terraform::{Block as _, Data as _, Registry, Type, Value};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The callback configuration of this one of the [`SERVICES`].
    Callback(usize),
    Token,
}

impl Default for Kind {
    fn default() -> Self {
        Self::CALL
    }
}

impl Kind {
    pub(super) const CALL: Self = Self::Callback(0);
    pub(super) const ROOM: Self = Self::Callback(1);
    pub(super) const LIVE: Self = Self::Callback(2);

    fn service(index: usize) -> &'static CallbackService {
        SERVICES[index]
    }

    pub(super) fn registry(self) -> Registry<Applications> {
        match self {
            Self::Callback(index) => Registry::new().resource(Singleton(CallbackKind(Self::service(index)))),
            Self::Token => Registry::new().resource(Singleton(CallbackTokenKind)),
        }
    }

    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Callback(index) => Singleton(CallbackKind(Self::service(index))).type_name(),
            Self::Token => Singleton(CallbackTokenKind).type_name(),
        }
    }

    pub(super) fn ty(self) -> Type {
        match self {
            Self::Callback(_) => Object::<CallbackKind>::ty(),
            Self::Token => Object::<CallbackTokenKind>::ty(),
        }
    }

    /// Returns whether the first call only creates: an existing object is replaced by another call.
    pub(super) fn sets_only_once(self) -> bool {
        self != Self::CALL && self != Self::Token
    }

    /// Returns the error code of a call that found no object.
    pub(super) fn absent(self) -> u32 {
        if self == Self::Token { 100_302 } else { 100_301 }
    }

    /// Returns the argument that the content is in, its write-only twin, and the version of that.
    pub(super) fn arguments(self) -> [&'static str; 3] {
        match self {
            Self::Callback(_) => ["url", "url_wo", "url_wo_version"],
            Self::Token => ["token", "token_wo", "token_wo_version"],
        }
    }

    /// Returns the other required argument, with its value.
    pub(super) fn rest(self) -> (&'static str, Value) {
        match self {
            Self::Callback(index) => {
                let command = Value::String(Self::command(index));
                ("callback_commands", Value::Set([command].into_iter().collect()))
            }
            Self::Token => ("enabled", Value::Bool(true)),
        }
    }

    fn command(index: usize) -> String {
        Self::service(index).events[0].command.to_owned()
    }

    /// Returns what Tencent answers that it holds.
    pub(super) fn stored(self, content: Content) -> Json {
        match self {
            Self::Callback(index) => json!({ "Url": text(content), "CallbackCommandList": [Self::command(index)] }),
            Self::Token => json!({ "Token": text(content), "IsTokenEnable": true }),
        }
    }

    /// Returns what a call with this body writes.
    pub(super) fn written(self, body: &Json) -> Option<Content> {
        content(body[if self == Self::Token { "Token" } else { "Url" }].as_str()?)
    }

    /// Returns whether `message` shows the content. A token is never shown: the message says that there is one.
    pub(super) fn is_shown_by(self, content: Content, message: &str) -> bool {
        message.contains(text(content).trim_end_matches('/'))
            || self == Self::Token && message.contains("an enabled token")
    }
}

/// Writes a content as an argument of every kind can.
pub(super) fn text(content: Content) -> String {
    format!("https://{content}.example.com/")
}

/// Reads a content back.
pub(super) fn content(text: &str) -> Option<Content> {
    text.strip_prefix("https://")?.chars().next()
}
