//! TLS to upstreams: whose certificates are trusted, and which one is shown.

mod believed;

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

pub use believed::Believed;

/// TLS settings. What rustls needs is made of them when it is first needed, and shared by all cores.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    trust: Trust,
    identity: Option<Identity>,
    configs: Arc<Configs>,
}

/// What rustls needs.
#[derive(Debug, Default)]
struct Configs {
    /// For HTTP/1.1 alone.
    http1: OnceLock<Arc<ClientConfig>>,
    /// With HTTP/2 on offer.
    http2: OnceLock<Arc<ClientConfig>>,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Those that the system trusts, or Mozilla's list where the system has none.
    pub system_roots: bool,
    /// And those of these authorities.
    pub authorities: Authorities,
}

impl Default for Trust {
    fn default() -> Trust {
        Trust { system_roots: true, authorities: Authorities::default() }
    }
}

/// Certificates of authorities.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// A client certificate with its private key.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Authorities {
    /// Reads a file of certificates.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(pem: &[u8]) -> Result<Authorities, String> {
        let certificates = certificates(pem)?;
        let mut roots = RootCertStore::empty();
        for (at, certificate) in certificates.iter().enumerate() {
            let added = roots.add(certificate.clone());
            added.map_err(|error| format!("its certificate {} cannot be used: {error}", at + 1))?;
        }
        Ok(Authorities(certificates))
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

/// What is wrong with the files of a client certificate.
#[derive(Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// With the one of the certificate.
    Certificate(String),
    /// With the one of the key, or with both.
    Key(String),
}

impl Identity {
    /// Reads the two files of a client certificate.
    ///
    /// # Errors
    /// What is wrong with them. Nothing of the key is repeated.
    pub fn parse(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Identity, IdentityFault> {
        let chain = certificates(certificate_pem).map_err(IdentityFault::Certificate)?;
        let key = private_key(key_pem).map_err(IdentityFault::Key)?;
        // The one that builders of configurations take too.
        let builder = ClientConfig::builder();
        let certified = CertifiedKey::from_der(chain, key.clone_key(), builder.crypto_provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                IdentityFault::Key("its key is not the one of the certificate".to_owned())
            }
            rustls::Error::InvalidCertificate(error) => {
                IdentityFault::Certificate(format!("its first certificate cannot be used: {error}"))
            }
            error => IdentityFault::Key(format!("its key cannot be used: {error}")),
        })?;
        Ok(Identity { certified: Arc::new(certified), key: Arc::new(key) })
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        self.certified.cert == other.certified.cert && self.key == other.key
    }
}

impl fmt::Debug for Identity {
    /// The key is nobody's to read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err("has no certificate (-----BEGIN CERTIFICATE-----) in it".to_owned())
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(not_pem(&error)),
    }
}

/// How files begin whose key can be read only with a passphrase.
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    if ENCRYPTED.iter().any(|mark| pem.windows(mark.len()).any(|window| window == *mark)) {
        return Err(
            "has a key with a passphrase, which nobody could type in: write it without one, readable \
                    for the gateway alone"
                .to_owned(),
        );
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => "has no private key (-----BEGIN PRIVATE KEY-----) in it".to_owned(),
        error => not_pem(&error),
    })
}

/// Without what stands there: it may be a part of a key.
fn not_pem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "has no end (-----END ...-----): is it all there?",
        _ => "is not PEM",
    }
    .to_owned()
}

/// Names of protocols (RFC 7301).
const HTTP1: &[u8] = b"http/1.1";
pub(super) const HTTP2: &[u8] = b"h2";

impl Tls {
    /// With these settings.
    pub fn new(trust: Trust, identity: Option<Identity>) -> Tls {
        Tls { trust, identity, configs: Arc::default() }
    }

    /// Would the other one trust the same, and show the same?
    pub fn is_same(&self, other: &Tls) -> bool {
        self.trust == other.trust && self.identity == other.identity
    }

    /// The same without what was agreed with servers so far: sessions that could be resumed.
    pub fn forgetful(&self) -> Tls {
        let forget = |config: &OnceLock<Arc<ClientConfig>>| {
            let config = config.get().map(|config| {
                let mut config = ClientConfig::clone(config);
                config.resumption = rustls::client::Resumption::default();
                Arc::new(config)
            });
            config.map(OnceLock::from).unwrap_or_default()
        };
        let configs = Configs { http1: forget(&self.configs.http1), http2: forget(&self.configs.http2) };
        Tls { configs: Arc::new(configs), ..self.clone() }
    }

    /// For HTTP/1.1, or with HTTP/2 on offer as well.
    pub(super) fn connector(&self, offers_http2: bool) -> TlsConnector {
        let config = match offers_http2 {
            false => self.configs.http1.get_or_init(|| Arc::new(self.client_config(&[HTTP1]))),
            true => self.configs.http2.get_or_init(|| Arc::new(self.client_config(&[HTTP2, HTTP1]))),
        };
        TlsConnector::from(config.clone())
    }

    /// For what is no HTTP: no protocol is on offer.
    pub fn without_protocols(&self) -> Arc<ClientConfig> {
        Arc::new(self.client_config(&[]))
    }

    fn client_config(&self, protocols: &[&[u8]]) -> ClientConfig {
        let config = ClientConfig::builder().with_root_certificates(self.trust.roots());
        let mut config = match &self.identity {
            Some(identity) => {
                let shown = SingleCertAndKey::from(identity.certified.clone());
                config.with_client_cert_resolver(Arc::new(shown))
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }
}

/// For a server that may be anybody: what is sent is hidden from those who listen, and from nobody who stands in between.
pub fn unverified() -> Arc<ClientConfig> {
    let builder = ClientConfig::builder();
    let verifier = Believed::new(builder.crypto_provider().clone(), |_: &CertificateDer<'_>| Ok(()));
    Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

impl Trust {
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        if self.system_roots {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        roots.add_parsable_certificates(self.authorities.0.iter().cloned());
        roots
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_agreed_with_servers_is_forgotten_and_nothing_else() {
        let tls = Tls::default();
        assert!(tls.forgetful().configs.http1.get().is_none(), "nothing was agreed yet");
        let _ = tls.connector(false);
        let [own, same, forgetful] =
            [&tls, &tls.clone(), &tls.forgetful()].map(|tls| tls.configs.http1.get().cloned().unwrap());
        assert!(Arc::ptr_eq(&own, &same) && !Arc::ptr_eq(&own, &forgetful));
        assert_eq!(own.alpn_protocols, forgetful.alpn_protocols);
    }

    #[test]
    fn files_that_are_wrong_are_refused() {
        let pair = |name: &str| {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            (made.cert.pem(), made.signing_key.serialize_pem())
        };
        let ((cert, key), (other_cert, other_key)) = (pair("a"), pair("b"));
        let of_certificate = |what: &str| Err(IdentityFault::Certificate(what.to_owned()));
        let of_key = |what: &str| Err(IdentityFault::Key(what.to_owned()));
        let none = "has no certificate (-----BEGIN CERTIFICATE-----) in it";
        let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        for (cert, key, expected) in [
            (&*cert, &*key, Ok(())),
            (&other_cert, &other_key, Ok(())),
            (&format!("{cert}{other_cert}"), &key, Ok(())),
            ("", &key, of_certificate(none)),
            (&key, &key, of_certificate(none)),
            (
                &cert[..cert.len() / 2],
                &key,
                of_certificate("has no end (-----END ...-----): is it all there?"),
            ),
            (&cert, &cert, of_key("has no private key (-----BEGIN PRIVATE KEY-----) in it")),
            (&cert, &other_key, of_key("its key is not the one of the certificate")),
        ] {
            let found = Identity::parse(cert.as_bytes(), key.as_bytes()).map(|_| ());
            assert_eq!(found, expected, "{cert} {key}");
        }
        let found = Identity::parse(cert.as_bytes(), encrypted.as_bytes());
        assert!(matches!(found, Err(IdentityFault::Key(why)) if why.contains("passphrase")));
        assert!(Authorities::parse(cert.as_bytes()).is_ok());
        assert_eq!(Authorities::parse(b"nothing"), Err(none.to_owned()));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Authorities::parse(broken.as_bytes()).unwrap_err().contains("certificate 1 cannot be used"));
    }

    #[test]
    fn no_way_of_printing_shows_a_key() {
        let made = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        let identity = Identity::parse(made.cert.pem().as_bytes(), key.as_bytes()).unwrap();
        let printed = format!("{:#?}", Tls::new(Trust::default(), Some(identity)));
        assert!(printed.contains("Identity") && printed.len() < 600, "{printed}");
    }
}
