//! The cryptography of TLS, on both sides: that of *ring*, and signatures on the curve P-521.
//!
//! Terraform signs with P-521, which *ring* lacks. AWS-LC has it, but makes the executable, which Terraform hashes on every
//! command, 1.2 MB larger, and takes C compilers a third of the time of a whole build.

use std::sync::{Arc, LazyLock};

use p521::ecdsa::signature::Verifier as _;
use p521::ecdsa::{DerSignature, VerifyingKey};
use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

/// Returns the algorithms for rustls.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { signature_verification_algorithms: verification(), ..ring::default_provider() })
}

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// Returns *ring*'s algorithms and P-521. The latter has its own place in a handshake, and the last one in a certificate.
fn verification() -> WebPkiSupportedAlgorithms {
    static ALL: LazyLock<Vec<Algorithm>> = LazyLock::new(|| [of_ring().all, P521].concat());
    static MAPPING: LazyLock<Vec<(SignatureScheme, &[Algorithm])>> =
        LazyLock::new(|| [of_ring().mapping, &[(SignatureScheme::ECDSA_NISTP521_SHA512, P521)]].concat());
    WebPkiSupportedAlgorithms { all: &ALL, mapping: &MAPPING }
}

fn of_ring() -> WebPkiSupportedAlgorithms {
    ring::default_provider().signature_verification_algorithms
}

const P521: &[Algorithm] = &[&EcdsaP521Sha512];

/// ECDSA on the curve P-521, of a SHA-512 hash.
#[derive(Debug)]
struct EcdsaP521Sha512;

impl SignatureVerificationAlgorithm for EcdsaP521Sha512 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::from_bytes(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

#[cfg(test)]
mod tests {
    use p521::ecdsa::Signature;

    use super::*;

    /// The public key of RFC 6979, A.2.7, as an uncompressed point.
    const KEY: &str = "04\
        01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4\
        00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5";
    /// Its signature of `sample`, with SHA-512: r and s.
    const SIGNATURE: &str = "\
        00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa\
        00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn the_signature_of_rfc_6979_is_verified() {
        let signature = Signature::from_slice(&bytes(SIGNATURE)).expect("a signature").to_der();
        let is_verified = |key: &[u8], message: &[u8], signature: &[u8]| {
            EcdsaP521Sha512.verify_signature(key, message, signature).is_ok()
        };
        let key = bytes(KEY);
        assert!(is_verified(&key, b"sample", signature.as_bytes()));
        assert!(!is_verified(&key, b"another", signature.as_bytes()));
        assert!(!is_verified(&key[1..], b"sample", signature.as_bytes()));
        assert!(!is_verified(&key, b"sample", &bytes(SIGNATURE)));
        assert!(!is_verified(&key, b"sample", &[]));
    }

    #[test]
    fn handshakes_and_certificates_may_use_p_521_beside_the_algorithms_of_ring() {
        let algorithms = provider().signature_verification_algorithms;
        assert_eq!(algorithms.all.len(), of_ring().all.len() + 1);
        let schemes = algorithms.supported_schemes();
        for scheme in [SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ECDSA_NISTP256_SHA256] {
            assert!(schemes.contains(&scheme), "{scheme:?}");
        }
        assert_eq!(schemes.len(), of_ring().supported_schemes().len() + 1);
    }
}
