//! The certificate authority of one simulator, and the server certificate that it signs.

use std::error::Error;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The names that the server certificate is for.
const NAMES: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// A flaw of a server certificate whose issuer is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another host.
    OtherHost,
    /// The certificate is the authority's own.
    Authority,
}

/// Creates an acceptor for TLS connections, and returns the authority's certificate as PEM.
pub(crate) fn make(flaw: Option<CertificateFlaw>) -> Result<(TlsAcceptor, String), Box<dyn Error + Send + Sync>> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(NAMES.map(str::to_owned))?;
    ca.distinguished_name.push(DnType::CommonName, "Tencent simulator CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;
    let ca_pem = ca_certificate.pem();

    let (certificate, key) = match flaw {
        Some(CertificateFlaw::Authority) => (ca_certificate, ca_key),
        flaw => {
            let key = KeyPair::generate()?;
            (server_certificate(flaw)?.signed_by(&key, &Issuer::new(ca, ca_key))?, key)
        }
    };

    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), ca_pem))
}

fn server_certificate(flaw: Option<CertificateFlaw>) -> Result<CertificateParams, rcgen::Error> {
    let names = match flaw {
        Some(CertificateFlaw::OtherHost) => vec!["other.example.com".to_owned()],
        _ => NAMES.map(str::to_owned).to_vec(),
    };
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "Tencent simulator");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    match flaw {
        Some(CertificateFlaw::Expired) => server.not_after = date_time_ymd(2001, 2, 3),
        Some(CertificateFlaw::NotYetValid) => server.not_before = date_time_ymd(4000, 1, 1),
        _ => {}
    }
    Ok(server)
}
