//! A text with a marked secret, as a callback URL.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::tencent::CallbackUrl;
use url::Url;

const SECRET: &str = "tok3n";

fuzz_target!(|text: &str| {
    let url = CallbackUrl::from(text.to_owned());
    let masked = url.to_string();
    assert_eq!(format!("{url:?}"), format!("\"{masked}\""));
    assert!(url.is_equivalent(&url));

    let hidden = url.clone().secret().to_string();

    if url.check().is_ok() {
        let parsed = Url::parse(text).expect("a URL");
        for shown in [&masked, &hidden].map(|shown| Url::parse(shown).expect("still a URL")) {
            assert_eq!(parsed.host(), shown.host(), "{text:?}: who gets the events must show");
            assert_eq!(parsed.port_or_known_default(), shown.port_or_known_default(), "{text:?}");
        }
    } else {
        assert_eq!(hidden, "***");
    }

    // Read as a browser would, valid or not.
    if let Ok(parsed) = Url::parse(text)
        && text.matches(SECRET).count() == 1
    {
        let values =
            parsed.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').map_or(pair, |p| p.1));
        let secret = [parsed.username(), parsed.password().unwrap_or_default(), parsed.fragment().unwrap_or_default()]
            .into_iter()
            .chain(values)
            .any(|part| part.contains(SECRET));
        assert!(!(secret || parsed.path().contains(SECRET)) || !hidden.contains(SECRET), "{text:?} shows as {hidden:?}");
        assert!(!secret || !masked.contains(SECRET), "{text:?} shows as {masked:?}");
    }
});
