//! A text as a UserSig, or as the document inside one.

#![no_main]

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::tencent::{SdkAppId, UserSig};

thread_local! {
    // Reused, because making one takes longer than the rest.
    static ZLIB: RefCell<ZlibEncoder<Vec<u8>>> = RefCell::new(ZlibEncoder::new(Vec::new(), Compression::none()));
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        look(text.to_owned());
    }
    // Mutations break zlib's checksum, so a UserSig is made from the document here.
    let compressed = ZLIB.with_borrow_mut(|zlib| zlib.write_all(data).and_then(|()| zlib.reset(Vec::new())));
    let compressed = compressed.expect("a write to memory");
    look(STANDARD.encode(compressed).replace('+', "*").replace('/', "-").replace('=', "_"));
});

fn look(text: String) {
    let user_sig = UserSig::from(text);
    assert_eq!(format!("{user_sig:?}"), "UserSig(…)");
    let Ok(claims) = user_sig.claims() else { return };
    let ours = SdkAppId::try_from(1_400_000_001).expect("an SDKAppID");
    let id = SdkAppId::try_from(claims.sdk_app_id).unwrap_or(ours);
    for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)] {
        for (identifier, id) in [("administrator", ours), (claims.identifier.as_str(), id)] {
            if let Err(error) = user_sig.check(identifier, id, now) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
    if u64::from(id) != claims.sdk_app_id {
        return;
    }
    // Its claims can be signed and read back.
    let times = (Duration::from_secs(claims.issued_at), Duration::from_secs(claims.lifetime));
    if let Some(issued) = SystemTime::UNIX_EPOCH.checked_add(times.0) {
        let again = UserSig::sign(&"a key".to_owned().into(), &claims.identifier, id, issued, times.1);
        assert_eq!(again.claims().as_ref(), Ok(&claims));
    }
}
