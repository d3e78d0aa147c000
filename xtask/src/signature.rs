//! Detached OpenPGP signatures, as the registries want them.

use std::env;
use std::fs;
use std::path::Path;

use pgp::composed::{Deserializable as _, DetachedSignature, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password};

use crate::Result;

/// The variable with the passphrase of a locked key.
const PASSPHRASE: &str = "SIGNING_KEY_PASSPHRASE";

/// A signature, and whose it is.
pub(crate) struct Signature {
    /// In binary form.
    pub(crate) bytes: Vec<u8>,
    /// What Terraform shows of the key when it installs.
    pub(crate) key_id: String,
}

/// Signs with the secret key in a file, armored or not.
pub(crate) fn sign(key_file: &Path, content: &[u8]) -> Result<Signature> {
    let named = |cause: &dyn std::fmt::Display| format!("cannot sign with {}: {cause}", key_file.display());
    let file = fs::read(key_file).map_err(|cause| named(&cause))?;
    let (key, _) = SignedSecretKey::from_reader_single(file.as_slice()).map_err(|cause| named(&cause))?;
    let passphrase = env::var(PASSPHRASE).map_or_else(|_| Password::empty(), Password::from);
    let signature = DetachedSignature::sign_binary_data(
        rand::thread_rng(),
        &key.primary_key,
        &passphrase,
        HashAlgorithm::Sha512,
        content,
    )
    .map_err(|cause| named(&format!("{cause}. If the key is locked, set {PASSPHRASE}")))?;
    // A key that may not sign, or a wrong passphrase that nobody noticed.
    signature.verify(&key.primary_key.public_key(), content).map_err(|cause| named(&cause))?;
    Ok(Signature { bytes: signature.to_bytes()?, key_id: key.legacy_key_id().to_string().to_uppercase() })
}
