//! A text with a marked secret, as a callback URL.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::tencent::CallbackUrl;
use url::Url;

/// No escape sequence of a message ends with its capital letter.
const SECRET: &str = "Tok3n";

fuzz_target!(|text: &str| {
    let url = CallbackUrl::from(text.to_owned());
    let masked = url.to_string();
    assert_eq!(format!("{url:?}"), format!("\"{masked}\""));
    assert!(url.is_equivalent(&url));

    let hidden = url.clone().secret().to_string();

    if url.check().is_ok() {
        let parsed = Url::parse(text).expect("a URL");
        // What does not print is escaped, with backslashes, which no valid URL has. A long text is cut, but its host shows,
        // unless it is percent-encoded.
        let is_changed = |shown: &str| shown.contains('\\') || shown.ends_with('…') && text.contains('%');
        let whole = [&masked, &hidden].into_iter().filter(|shown| !is_changed(shown));
        for shown in whole.map(|shown| Url::parse(shown).expect("still a URL")) {
            assert_eq!(parsed.host(), shown.host(), "{text:?}: who gets the events must show");
            assert_eq!(parsed.port_or_known_default(), shown.port_or_known_default(), "{text:?}");
        }
    } else {
        assert_eq!(hidden, "***");
    }

    // Read as a browser would, valid or not.
    if let Ok(parsed) = Url::parse(text)
        // A browser drops these, which can complete a second secret.
        && text.replace(['\t', '\n', '\r'], "").matches(SECRET).count() == 1
    {
        let values =
            parsed.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').map_or(pair, |p| p.1));
        let secret = [parsed.username(), parsed.password().unwrap_or_default(), parsed.fragment().unwrap_or_default()]
            .into_iter()
            .chain(values)
            .any(|part| part.contains(SECRET));
        assert!(
            !(secret || parsed.path().contains(SECRET)) || !hidden.contains(SECRET),
            "{text:?} shows as {hidden:?}"
        );
        assert!(!secret || !masked.contains(SECRET), "{text:?} shows as {masked:?}");
    }
});
