//! Checks of the arguments `url` and `url_wo`.

use crate::tencent::{CallbackUrl, Concern, InvalidCallbackUrl};
use crate::terraform::Diagnostic;

pub(super) fn invalid(argument: &str, url: &CallbackUrl, error: InvalidCallbackUrl) -> Diagnostic {
    let advice = if error == InvalidCallbackUrl::WhiteSpace { ". trimspace() removes it" } else { "" };
    let detail = format!("\"{url}\" cannot be a callback URL: {error}{advice}.");
    Diagnostic::invalid(argument, detail)
}

/// Checks the URL, and warns about one that may not do what someone wants.
pub(super) fn check(argument: &str, url: &CallbackUrl) -> Vec<Diagnostic> {
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
