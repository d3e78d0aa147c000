//! The resource itself.

use secrecy::{ExposeSecret as _, SecretString};

use crate::model;
use crate::provider::services::live;
use crate::provider::singleton::{Arguments, Content, Kind, Wording as _, validate_secret};
use crate::tencent::{CallbackToken, InvalidCallbackToken, Service};
use crate::terraform::{Attr, Attribute, Diagnostic, Diagnostics, Number, Type, Value};

/// The callback token of Live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallbackTokenKind;

model! {
    /// The arguments that describe a callback token.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct TokenArguments {
        token: Attr<SecretString>,
        token_wo: Attr<SecretString>,
        token_wo_version: Attr<Number>,
        pub(super) enabled: Attr<bool>,
    }
}

impl Kind for CallbackTokenKind {
    type Content = CallbackToken;
    type Arguments = TokenArguments;

    fn type_name(&self) -> &'static str {
        "tencent_live_callback_token"
    }

    fn service(&self) -> Service {
        live::API
    }

    fn description(&self) -> String {
        DESCRIPTION.to_owned()
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::new("token", Type::String, TOKEN).sensitive(),
            Attribute::new("token_wo", Type::String, TOKEN_WO).write_only(),
            Attribute::new("token_wo_version", Type::Number, TOKEN_WO_VERSION),
            Attribute::new("enabled", Type::Bool, "Whether Tencent signs events with the token. Default: `true`.")
                .default_value(Value::Bool(true)),
        ]
    }

    fn validate(&self, arguments: &TokenArguments) -> Diagnostics {
        let TokenArguments { token, token_wo, token_wo_version, .. } = arguments;
        let mut diagnostics = validate_secret(self.words(), token, token_wo, token_wo_version);
        let argument = if arguments.is_write_only() { "token_wo" } else { "token" };
        diagnostics.extend(arguments.secret().and_then(|token| check(argument, &token)));
        diagnostics
    }
}

fn check(argument: &str, token: &SecretString) -> Option<Diagnostic> {
    let error = CallbackToken::check(token).err()?;
    let advice = match error {
        InvalidCallbackToken::Empty => "Use a random text, such as 64 hexadecimal digits.",
        InvalidCallbackToken::WhiteSpace => "trimspace() removes it.",
    };
    let detail = format!("The token cannot be used: {error}. {advice}");
    Some(Diagnostic::invalid(argument, detail))
}

impl Arguments for TokenArguments {
    type Content = CallbackToken;

    fn content(&self) -> Option<CallbackToken> {
        Some(CallbackToken { token: self.secret()?, enabled: *self.enabled.known()? })
    }

    fn holding(self, found: CallbackToken) -> Self {
        Self { token: Attr::Known(found.token), enabled: Attr::Known(found.enabled), ..self }
    }

    fn differs(&self, other: &Self) -> bool {
        self.enabled != other.enabled
    }

    fn is_write_only(&self) -> bool {
        self.token.is_null()
    }

    fn secret(&self) -> Option<SecretString> {
        self.unquotable().cloned()
    }

    fn unquotable(&self) -> Option<&SecretString> {
        if self.is_write_only() { &self.token_wo } else { &self.token }.known()
    }

    fn write_only(self, version: Attr<Number>) -> Self {
        Self { token: Attr::Null, token_wo_version: version, ..self }
    }

    fn version(&self) -> &Attr<Number> {
        &self.token_wo_version
    }

    fn is_disclosed_by(&self, found: &CallbackToken) -> bool {
        self.secret().is_some_and(|secret| secret.expose_secret() == found.token.expose_secret())
    }
}

impl Content for CallbackToken {
    fn is_same(&self, other: &Self) -> bool {
        Self::is_same(self, other)
    }

    fn write_only_part(&self) -> SecretString {
        self.token.clone()
    }
}

const DESCRIPTION: &str = "\
The token that Tencent signs the events of live streams with. Of Tencent's services, only Live signs its events.

With an enabled token, Tencent adds two query parameters to the URL of `tencent_live_callback`: `RequestTime`, the time in \
Unix seconds, and `Sign`, the SHA-256 of the token followed by that time, in lower-case hexadecimal digits. The receiver \
computes the same, compares the two in constant time, and refuses an event if its signature is missing or different, or if \
its `RequestTime` is off by more than a minute. The function `callback_signature` computes signatures, too.

!> **Changing the token:** A receiver that checks signatures refuses every event as soon as its token differs from the one at \
Tencent. To change the token without losing events, let the receiver accept both the old and the new token for a while.

Tencent keeps **one** token per application. A plan fails if it would overwrite an existing one. Right before each write and \
each deletion, the provider checks again, and fails if it finds a token that the plan did not show. With \
`overwrite_existing = true`, these errors are warnings. No message shows a token. Without a token, events are no longer signed.

~> **One resource per application:** Manage the token of each application with one resource, in one provider block. Rename a \
resource with a `moved` block. If two objects in the state belong to one application, destroying one of them keeps the token for \
the other, unless `-target` or OpenTofu's `-exclude` leaves the other out, or the two belong to different provider blocks.";

const TOKEN: &str = "The token, which the receiver needs as well. Terraform masks it in its output, but plan and state \
                     contain it in clear text. Exactly one of `token` and `token_wo` must be set. Tencent's example has \
                     128 characters; no limit is documented.";
const TOKEN_WO: &str = "The same as `token`, but in neither the plan nor the state. Requires Terraform or OpenTofu 1.11 or \
                        later: see [Write-only arguments](../guides/security.md#write-only-arguments).";
const TOKEN_WO_VERSION: &str = "Any number. Change it whenever you change `token_wo`: Terraform cannot see that change by \
                                itself.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::blamed;

    #[test]
    fn exactly_one_valid_token_is_set_and_no_message_quotes_it() {
        let text = |text: &str| Attr::Known(SecretString::from(text.to_owned()));
        let version = || Attr::Known(1_u64.into());
        for (token, token_wo, token_wo_version, expected) in [
            (text("tok3n"), Attr::Null, Attr::Null, None),
            (Attr::Unknown, text("tok3n"), Attr::Null, None),
            (Attr::Null, text("tok3n"), version(), None),
            (Attr::Null, Attr::Null, Attr::Null, Some("token")),
            (text("tok3n"), text("tok3n"), Attr::Null, Some("token_wo")),
            (text(""), Attr::Null, Attr::Null, Some("token")),
            (text("tok3n\n"), Attr::Null, Attr::Null, Some("token")),
            (Attr::Null, text(" tok3n"), Attr::Null, Some("token_wo")),
            (text("tok3n"), Attr::Null, version(), Some("token_wo_version")),
        ] {
            let arguments = TokenArguments { token, token_wo, token_wo_version, enabled: Attr::Null };
            let found = CallbackTokenKind.validate(&arguments);
            assert!(!format!("{found:?}").contains("tok3n"), "{found:?}");
            assert_eq!(blamed(found).as_deref(), expected);
        }
    }
}
