//! Checks of the arguments `url` and `url_wo`.

use super::kind::CallbackArguments;
use crate::tencent::{CallbackUrl, Concern, InvalidCallbackUrl};
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// Checks that exactly one URL is set and valid. While an argument is unknown, the check of it waits.
pub(super) fn validate(config: &CallbackArguments) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    match (&config.url, &config.url_wo) {
        (Attr::Null, Attr::Null) => {
            let detail = "Set url, or url_wo for a URL that must not be in the state or the plan.";
            diagnostics.push(Diagnostic::error("Missing url", detail).on("url"));
        }
        (Attr::Known(_), Attr::Known(_)) => {
            let detail = "url and url_wo both say where Tencent posts the events. Remove one of them.";
            diagnostics.push(Diagnostic::error("Both url and url_wo", detail).on("url_wo"));
        }
        _ => {
            let argument = if config.url.is_null() { "url_wo" } else { "url" };
            diagnostics.extend(config.callback_url().into_iter().flat_map(|url| check(argument, &url)));
        }
    }
    if config.url_wo.is_null() && !config.url_wo_version.is_null() && !config.url.is_null() {
        let detail = "url_wo_version says when to send url_wo again, but url_wo is not set. Remove url_wo_version.";
        diagnostics.push(Diagnostic::error("url_wo_version without url_wo", detail).on("url_wo_version"));
    }
    diagnostics
}

pub(super) fn invalid(argument: &str, url: &CallbackUrl, error: InvalidCallbackUrl) -> Diagnostic {
    let advice = if error == InvalidCallbackUrl::WhiteSpace { ". trimspace() removes it" } else { "" };
    let detail = format!("\"{url}\" cannot be a callback URL: {error}{advice}.");
    Diagnostic::invalid(argument, detail)
}

fn check(argument: &str, url: &CallbackUrl) -> Vec<Diagnostic> {
    let concerns = match url.check() {
        Ok(concerns) => concerns,
        Err(error) => return vec![invalid(argument, url, error)],
    };
    let warning = |concern| match concern {
        Concern::Unencrypted => Diagnostic::warning(
            "The callback URL does not use https",
            format!("Tencent will post events to {url} in clear text. Use https if the receiver supports it."),
        ),
        Concern::Unreachable => Diagnostic::warning(
            "Tencent cannot reach the callback URL",
            format!(
                "{url} is an address of this machine or of a private network. Tencent posts events from the internet: \
                 use the receiver's public address."
            ),
        ),
        Concern::Long => Diagnostic::warning(
            "The callback URL is very long",
            "It has more than 2,000 characters, which is more than many servers and proxies accept, and Tencent adds \
             parameters of its own. Check that events arrive.",
        ),
    };
    concerns.into_iter().map(|concern| warning(concern).on(argument)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_url_is_quoted_without_its_secrets() {
        let url = "https://ops:tok3n@hooks.example.com/a b?key=tok3n".to_owned();
        let found = check("url", &url.into());
        assert_eq!(found.len(), 1);
        assert!(found[0].detail.starts_with("\"https://***@hooks.example.com/a b?key=***\" cannot be"), "{found:?}");
    }
}
