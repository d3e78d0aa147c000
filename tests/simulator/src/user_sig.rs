//! The verification of UserSigs of version 2.0, written from their description alone.
//!
//! A UserSig is JSON, zlib-compressed (RFC 1950) and then in base64, with `+`, `/` and `=` replaced by `*`, `-` and
//! `_`. Its `TLS.sig` is the base64 of an HMAC-SHA256 over the other fields as lines of text.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

/// The most bytes that a UserSig is decompressed to. A genuine one has a few hundred.
const MAX_JSON_BYTES: u64 = 16 * 1024;

/// The reason why a UserSig is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Unreadable,
    OtherIdentifier,
    OtherSdkAppId,
    WrongKey,
    Expired,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdk_app_id: u64,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.expire")]
    expire: u64,
    #[serde(rename = "TLS.userbuf")]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

/// Checks that `user_sig` was made with `secret_key` for this application and account, and is valid at `now` (Unix
/// seconds). The account and the application are checked before the signature, because they say more about what went
/// wrong.
pub(crate) fn verify(
    user_sig: &str,
    sdk_app_id: u64,
    identifier: &str,
    secret_key: &str,
    now: u64,
) -> Result<(), Flaw> {
    let fields = decode(user_sig).ok_or(Flaw::Unreadable)?;
    if fields.identifier != identifier {
        return Err(Flaw::OtherIdentifier);
    }
    if fields.sdk_app_id != sdk_app_id {
        return Err(Flaw::OtherSdkAppId);
    }
    if !is_signed_with(&fields, secret_key) {
        return Err(Flaw::WrongKey);
    }
    if now > fields.time.saturating_add(fields.expire) {
        return Err(Flaw::Expired);
    }
    Ok(())
}

fn decode(user_sig: &str) -> Option<Fields> {
    let base64 = user_sig
        .chars()
        .map(|c| match c {
            '*' => Some('+'),
            '-' => Some('/'),
            '_' => Some('='),
            '+' | '/' | '=' => None,
            other => Some(other),
        })
        .collect::<Option<String>>()?;
    let compressed = STANDARD.decode(base64).ok()?;
    let mut json = Vec::new();
    ZlibDecoder::new(&compressed[..]).take(MAX_JSON_BYTES + 1).read_to_end(&mut json).ok()?;
    if json.len() as u64 > MAX_JSON_BYTES {
        return None;
    }
    serde_json::from_slice(&json).ok().filter(|fields: &Fields| fields.version == "2.0")
}

fn is_signed_with(fields: &Fields, secret_key: &str) -> bool {
    let mut content = format!(
        "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
        fields.identifier, fields.sdk_app_id, fields.time, fields.expire
    );
    if let Some(userbuf) = &fields.userbuf {
        content += &format!("TLS.userbuf:{userbuf}\n");
    }
    let Ok(sig) = STANDARD.decode(&fields.sig) else { return false };
    Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())
        .is_ok_and(|mac| mac.chain_update(content).verify_slice(&sig).is_ok())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const ID: u64 = 1_400_000_001;
    const KEY: &str = crate::Simulator::SECRET_KEY;
    const MADE: u64 = 1_760_000_000;

    /// A UserSig that Tencent's own implementation made, tls-sig-api-v2 1.1, at MADE for 3600 seconds.
    const BY_TENCENT: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkElNyM-Myi0uKEkvyi2BKilOyEwsKMlOACgxNDCDAECqXWlGQWZQKlDE2MzCAipVk5oJEDM3NoIph5mSmg*zwSff2Kk338rDwrrQwNijVtnDNynApD-Ascvb29E33LUktCjIJyAorLbD0tVWqBQAKdzUL";
    /// A UserSig like BY_TENCENT with the user buffer `abc`.
    const BY_TENCENT_WITH_USERBUF: &str = "eJw9jTEPgjAQRv8K6WxIqwTFxMHFAXFQDMSx2oKHAem1oInxv0uleuN7L9*9yDFJ-V4iWXpk6lMy8b4EhGwMFDAKLmpoQBvk5o6-RIsbb1sQQ8ACOh5zTj5bQDmYWUipYwZqS9g8dLHjnZZ47gr755TH1X8eSosqzTOmNph26pCZUEGl1iaNAsRdsb0keRD1ZhHz-eNarsj7AzBEPPA_";

    fn packed(json: &[u8]) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(json).expect("compressed");
        let base64 = STANDARD.encode(zlib.finish().expect("compressed"));
        base64.replace('+', "*").replace('/', "-").replace('=', "_")
    }

    #[test]
    fn a_user_sig_of_tencents_own_implementation_is_accepted() {
        for user_sig in [BY_TENCENT, BY_TENCENT_WITH_USERBUF] {
            assert_eq!(verify(user_sig, ID, "administrator", KEY, MADE), Ok(()));
            assert_eq!(verify(user_sig, ID, "administrator", KEY, MADE + 3600), Ok(()), "the last second");
        }
    }

    #[test]
    fn the_first_flaw_is_named() {
        let cases = [
            (ID, "administrator", KEY, MADE + 3601, Flaw::Expired),
            (ID, "administrator", "another key", MADE, Flaw::WrongKey),
            (ID, "somebody", KEY, MADE, Flaw::OtherIdentifier),
            (ID + 1, "administrator", KEY, MADE, Flaw::OtherSdkAppId),
        ];
        for (sdk_app_id, identifier, key, now, flaw) in cases {
            assert_eq!(verify(BY_TENCENT, sdk_app_id, identifier, key, now), Err(flaw));
        }
    }

    #[test]
    fn a_text_that_is_not_a_user_sig_is_unreadable() {
        let standard_alphabet = BY_TENCENT.replace('*', "+").replace('-', "/").replace('_', "=");
        let other_version = packed(
            br#"{"TLS.ver":"1.0","TLS.identifier":"administrator","TLS.sdkappid":1400000001,"TLS.time":1760000000,"TLS.expire":3600,"TLS.sig":""}"#,
        );
        let number_as_string = packed(
            br#"{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":"1400000001","TLS.time":1760000000,"TLS.expire":3600,"TLS.sig":""}"#,
        );
        let bomb = packed(&vec![b' '; 10 * MAX_JSON_BYTES as usize]);
        let not_compressed = STANDARD.encode(b"{}");
        let cases = [
            "",
            "%",
            &BY_TENCENT[..BY_TENCENT.len() / 2],
            &standard_alphabet,
            &other_version,
            &number_as_string,
            &bomb,
            &not_compressed,
        ];
        for user_sig in cases {
            assert_eq!(verify(user_sig, ID, "administrator", KEY, MADE), Err(Flaw::Unreadable), "{user_sig}");
        }
    }
}
