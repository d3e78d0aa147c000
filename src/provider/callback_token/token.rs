//! The arguments `token` and `token_wo`: what Tencent can sign with.

use secrecy::SecretString;

use super::model::TokenModel;
use crate::tencent::{CallbackToken, InvalidCallbackToken};
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// Checks that there is exactly one token, as far as that is known yet, and that one.
pub(super) fn validate(config: &TokenModel) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    match (&config.token, &config.token_wo) {
        (Attr::Null, Attr::Null) => {
            let detail = "Set token, or token_wo for a token that must not be in the state or the plan.";
            diagnostics.push(Diagnostic::error("Missing token", detail).on("token"));
        }
        (Attr::Known(_), Attr::Known(_)) => {
            let detail = "token and token_wo both say what Tencent signs with. Remove one of them.";
            diagnostics.push(Diagnostic::error("Both token and token_wo", detail).on("token_wo"));
        }
        (Attr::Known(token), _) => diagnostics.extend(check("token", token).err()),
        (Attr::Null, Attr::Known(token)) => diagnostics.extend(check("token_wo", token).err()),
        _ => {}
    }
    if config.token_wo.is_null() && !config.token_wo_version.is_null() && !config.token.is_null() {
        let detail = "token_wo_version says when to send token_wo again, but token_wo is not set. Remove \
                      token_wo_version.";
        diagnostics.push(Diagnostic::error("token_wo_version without token_wo", detail).on("token_wo_version"));
    }
    diagnostics
}

pub(super) fn check(argument: &str, token: &SecretString) -> Result<(), Diagnostic> {
    CallbackToken::check(token).map_err(|error| {
        let advice = match error {
            InvalidCallbackToken::Empty => "Use a random text, such as 64 hexadecimal digits.",
            InvalidCallbackToken::WhiteSpace => "trimspace() removes it.",
        };
        Diagnostic::error(format!("Invalid {argument}"), format!("The token cannot be used: {error}. {advice}"))
            .on(argument)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::AttributePath;

    #[test]
    fn there_is_one_token_and_it_is_never_quoted() {
        let text = |text: &str| Attr::Known(SecretString::from(text.to_owned()));
        let version = || Attr::Known(1_u64.into());
        let nothing = || TokenModel::imported("1400000001".parse().expect("an SDKAppID"));
        for (config, blamed) in [
            (TokenModel { token: text("tok3n"), ..nothing() }, None),
            (TokenModel { token: Attr::Unknown, ..nothing() }, None),
            (TokenModel { token_wo: text("tok3n"), token_wo_version: version(), ..nothing() }, None),
            (TokenModel { token_wo: text("tok3n"), ..nothing() }, None),
            (TokenModel { token: Attr::Unknown, token_wo: text("tok3n"), ..nothing() }, None),
            (nothing(), Some("token")),
            (TokenModel { token: text("tok3n"), token_wo: text("tok3n"), ..nothing() }, Some("token_wo")),
            (TokenModel { token: text(""), ..nothing() }, Some("token")),
            (TokenModel { token: text("tok3n\n"), ..nothing() }, Some("token")),
            (TokenModel { token_wo: text(" tok3n"), ..nothing() }, Some("token_wo")),
            (TokenModel { token_wo: text(""), ..nothing() }, Some("token_wo")),
            (TokenModel { token: text("tok3n"), token_wo_version: version(), ..nothing() }, Some("token_wo_version")),
        ] {
            let found: Vec<_> = validate(&config).into_iter().collect();
            assert!(!format!("{found:?}").contains("tok3n"), "{found:?}");
            let found: Vec<_> = found.into_iter().map(|d| d.path).collect();
            assert_eq!(found, blamed.map(|name| Some(AttributePath::attribute(name))).into_iter().collect::<Vec<_>>());
        }
    }
}
