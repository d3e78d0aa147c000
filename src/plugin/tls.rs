//! AutoMTLS: each side creates a certificate for this one process, and trusts only that of the other side.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use super::ServeError;
use crate::crypto;

/// The plugin's own certificate, and a TLS acceptor that trusts the host's certificate only.
pub(super) struct Tls {
    certificate: CertificateDer<'static>,
    pub(super) acceptor: TlsAcceptor,
}

impl Tls {
    /// Creates our certificate, and an acceptor that trusts only the certificate in `pem`.
    pub(super) fn pinned_to(pem: &str) -> Result<Self, ServeError> {
        let unreadable = |error: &dyn std::fmt::Display| ServeError::Environment {
            name: "PLUGIN_CLIENT_CERT",
            reason: format!("it is not a certificate in PEM ({error}), and without one, anyone could connect"),
        };
        let client = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| unreadable(&error))?;
        // With an invalid certificate pinned, the plugin would refuse its own host, which could not tell why.
        ParsedCertificate::try_from(&client).map_err(|error| unreadable(&error))?;
        let failed = |error: &dyn std::fmt::Display| ServeError::Tls(error.to_string());

        // The host accepts any curve, and this one has the fastest key generation.
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| failed(&e))?;
        let mut params = CertificateParams::new(["localhost".to_owned()]).map_err(|e| failed(&e))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&key).map_err(|e| failed(&e))?.der().clone();

        let crypto = crypto::provider();
        let verifier = PinnedClient { certificate: client, crypto: Arc::clone(&crypto) };
        let mut config = ServerConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|e| failed(&e))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .map_err(|e| failed(&e))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // One host connects once, so there is no session to resume.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Returns our certificate in the form of the handshake line.
    pub(super) fn certificate_field(&self) -> String {
        STANDARD_NO_PAD.encode(&self.certificate)
    }
}

/// A verifier that accepts only the client whose certificate the host announced.
///
/// Verifying a chain would be wrong: hosts mark their certificate as one of a certificate authority, so a chain check
/// would refuse the certificate itself, and accept every certificate that it has signed.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    // The certificate is public. These signatures prove that the client holds its key.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
