//! Signed assertions (RFC 7515, RFC 7523): who somebody is, said with a private key.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::Failure;

/// How an assertion is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

/// `header.claims.signature`; the header gets its `alg`.
///
/// # Errors
/// The PEM holds no RSA key.
pub fn sign(algorithm: Algorithm, mut header: Value, claims: &Value, pem: &str) -> Result<String, Failure> {
    let (name, encoding): (_, &dyn aws_lc_rs::signature::RsaEncoding) = match algorithm {
        Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
        Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
    };
    header["alg"] = name.into();
    let key = key(pem)?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signature).map_err(|_| no_key())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The key of a PEM, in PKCS #8 or PKCS #1.
///
/// # Errors
/// It holds none.
pub fn key(pem: &str) -> Result<RsaKeyPair, Failure> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| no_key())? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(no_key()),
    }
    .map_err(|_| no_key())
}

/// The SHA-256 thumbprint of the first certificate (RFC 7515, section 4.1.8).
///
/// # Errors
/// The PEM holds no certificate.
pub fn thumbprint(pem: &str) -> Result<String, Failure> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        Failure::missing(
            "the PEM holds no certificate",
            "It must hold the certificate and its private key, one behind the other.",
        )
    })?;
    Ok(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &certificate)))
}

fn no_key() -> Failure {
    Failure::missing("the private key is no RSA key in PEM", "It must be the key as the vendor gave it out.")
}
