//! Detached OpenPGP signatures, as the registries require them.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use pgp::composed::{Deserializable as _, DetachedSignature, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password};

use crate::Result;

/// The variable with the passphrase of a locked key.
pub(crate) const PASSPHRASE: &str = "SIGNING_KEY_PASSPHRASE";

/// A signature and its key.
pub(crate) struct Signature {
    /// The signature in binary form.
    pub(crate) bytes: Vec<u8>,
    /// The key ID that Terraform shows when it installs the provider.
    pub(crate) key_id: String,
}

/// Signs with the secret key in a file, armored or not, locked with a passphrase or not.
pub(crate) fn sign(key_file: &Path, passphrase: Option<&str>, content: &[u8]) -> Result<Signature> {
    let named = |cause: &dyn Display| format!("cannot sign with {}: {cause}", key_file.display());
    let file = fs::read(key_file).map_err(|cause| named(&cause))?;
    let (key, _) = SignedSecretKey::from_reader_single(file.as_slice())
        .map_err(|cause| named(&format!("it is not an OpenPGP secret key ({cause})")))?;
    let password = match (key.primary_key.secret_params().is_encrypted(), passphrase) {
        (true, None) => return Err(named(&format!("the key is locked, and {PASSPHRASE} is not set")).into()),
        (true, Some(passphrase)) => Password::from(passphrase),
        (false, _) => Password::empty(),
    };
    let (key_id, rng) = (key.legacy_key_id().to_string().to_uppercase(), rand::thread_rng());
    let key = &key.primary_key;
    let signature =
        DetachedSignature::sign_binary_data(rng, key, &password, HashAlgorithm::Sha512, content).map_err(|cause| {
            match passphrase {
                Some(_) => named(&format!("{PASSPHRASE} does not unlock the key ({cause})")),
                None => named(&cause),
            }
        })?;
    signature.verify(&key.public_key(), content).map_err(|cause| named(&cause))?;
    Ok(Signature { bytes: signature.to_bytes()?, key_id })
}

#[cfg(test)]
mod tests {
    use pgp::composed::{ArmorOptions, KeyType, SecretKeyParamsBuilder};

    use super::*;

    /// Makes a file with a key, locked or not.
    fn key(passphrase: Option<&str>) -> tempfile::NamedTempFile {
        let key = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .primary_user_id("Test <test@example.com>".into())
            .passphrase(passphrase.map(str::to_owned))
            .build()
            .expect("parameters")
            .generate(rand::thread_rng())
            .expect("a key");
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), key.to_armored_string(ArmorOptions::default()).expect("text")).expect("written");
        file
    }

    #[test]
    fn a_locked_key_needs_its_passphrase() {
        let sign = |key: &tempfile::NamedTempFile, passphrase| sign(key.path(), passphrase, b"content");
        let (open, locked) = (key(None), key(Some("s3cret")));
        assert_eq!(sign(&open, None).expect("a signature").key_id.len(), 16);
        assert!(sign(&open, Some("needless")).is_ok());
        assert!(sign(&locked, Some("s3cret")).is_ok());
        for (passphrase, said) in
            [(None, "SIGNING_KEY_PASSPHRASE is not set"), (Some("wr0ng"), "does not unlock the key")]
        {
            let error = sign(&locked, passphrase).err().expect("locked").to_string();
            assert!(error.contains(said) && !error.contains("wr0ng"), "{error}");
        }
    }

    #[test]
    fn an_invalid_key_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "no key").expect("written");
        let error = sign(file.path(), None, b"content").err().expect("no key").to_string();
        assert!(error.contains("not an OpenPGP secret key"), "{error}");
    }
}
