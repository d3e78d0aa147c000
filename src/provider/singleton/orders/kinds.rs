//! The kinds of objects as the explorer configures and stores them.

use serde_json::{Value as Json, json};

use super::tencent::Content;
use crate::provider::applications::Applications;
use crate::provider::callback::CallbackKind;
use crate::provider::callback_token::CallbackTokenKind;
use crate::provider::services::{Actions, CallbackService, Commands, SERVICES};
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
    pub(super) const LEGACY_CALL: Self = Self::Callback(3);

    fn service(index: usize) -> &'static CallbackService {
        SERVICES[index]
    }

    pub(super) fn registry(self) -> Registry<Applications> {
        match self {
            Self::LEGACY_CALL => Registry::new().resource(Singleton(CallbackKind(Self::service(3), Actions))),
            Self::Callback(index) => Registry::new().resource(Singleton(CallbackKind(Self::service(index), Commands))),
            Self::Token => Registry::new().resource(Singleton(CallbackTokenKind)),
        }
    }

    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Callback(index) => Self::service(index).type_name,
            Self::Token => Singleton(CallbackTokenKind).type_name(),
        }
    }

    pub(super) fn ty(self) -> Type {
        match self {
            Self::LEGACY_CALL => Object::<CallbackKind<Actions>>::ty(),
            Self::Callback(_) => Object::<CallbackKind>::ty(),
            Self::Token => Object::<CallbackTokenKind>::ty(),
        }
    }

    /// Returns whether the first call only creates: an existing object is replaced by another call.
    pub(super) fn sets_only_once(self) -> bool {
        matches!(self, Self::ROOM | Self::LIVE)
    }

    /// Returns the error code of a call that found no object. For Legacy Call, that may be a success with nothing in it.
    pub(super) fn absent(self) -> u32 {
        match self {
            Self::LEGACY_CALL => 0,
            Self::Callback(_) => 100_301,
            Self::Token => 100_302,
        }
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
                (Self::service(index).argument(), Value::Set([command].into_iter().collect()))
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
            Self::LEGACY_CALL => json!({ "address": text(content), "actions": [Self::command(3)] }),
            Self::Callback(index) => json!({ "Url": text(content), "CallbackCommandList": [Self::command(index)] }),
            Self::Token => json!({ "Token": text(content), "IsTokenEnable": true }),
        }
    }

    /// Returns what a call with this body writes.
    pub(super) fn written(self, body: &Json) -> Option<Content> {
        let field = match self {
            Self::LEGACY_CALL => "address",
            Self::Callback(_) => "Url",
            Self::Token => "Token",
        };
        content(body[field].as_str()?)
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
