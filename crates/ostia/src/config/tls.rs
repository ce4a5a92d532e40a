//! The certificate that clients see, and those that they may have to show, from their files.

use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ostia_config::{Code, Report, Tls, TlsVersion};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, Error, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// Longest file of certificates or of a key, in bytes.
const PEM_BYTES_MAX: u64 = 4 << 20;
/// What is spoken on a connection, the best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What is needed to speak TLS with clients.
#[derive(Clone)]
pub struct ServerTls(pub Arc<ServerConfig>);

impl fmt::Debug for ServerTls {
    /// A private key is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// Reads the files. `read` gives one. What is wrong goes into the report, and there is nothing then.
    pub fn load(
        tls: &Tls,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
        report: &mut Report,
    ) -> Option<ServerTls> {
        let mut files = PemFiles { read, report };
        // Each is looked at, so that all problems are told at once.
        let cert = files.certificates("tls.cert", &tls.cert);
        let key = files.key("tls.key", &tls.key);
        let authorities = match &tls.client_ca {
            None => Some(None),
            Some(path) => files.authorities("tls.client_ca", path).map(Some),
        };
        let (cert, key, authorities) = (cert?, key?, authorities?);
        warn_of_dates(&cert, &tls.cert, report);
        match server_config(tls, cert, key, authorities) {
            Ok(config) => Some(ServerTls(Arc::new(config))),
            Err(Error::InconsistentKeys(_)) => {
                let (key, cert) = (tls.key.display(), tls.cert.display());
                let message = format!("the key in {key} does not belong to the first certificate in {cert}");
                let hint = "put the gateway's own certificate first, and name the key that it was made with";
                report.add_at("tls.key", Code::WrongValue, message, Some(hint.to_owned()));
                None
            }
            Err(error) => {
                let message = format!("cannot be used with {}: {error}", tls.key.display());
                let hint =
                    "use a key of type RSA (2048 bits or more), P-256, P-384 or Ed25519, and its certificate";
                report.add_at("tls.cert", Code::WrongValue, message, Some(hint.to_owned()));
                None
            }
        }
    }
}

fn server_config(
    tls: &Tls,
    cert: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: Option<RootCertStore>,
) -> Result<ServerConfig, Error> {
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let versions: &[&SupportedProtocolVersion] = match tls.min_version {
        TlsVersion::Tls12 => &[&TLS13, &TLS12],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let shows_certificate = authorities.is_some();
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions)?;
    let builder = match authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(client_verifier(authorities, provider)?),
    };
    let mut config = builder.with_single_cert(cert, key)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    match shows_certificate {
        // Whoever comes again shows the certificate again: it may have expired since.
        true => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        // Nothing is kept here for those who come again: they bring it along.
        false => config.ticketer = aws_lc_rs::Ticketer::new()?,
    }
    Ok(config)
}

fn client_verifier(
    authorities: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
    builder.build().map_err(|error| Error::General(error.to_string()))
}

/// The files of a configuration, and what is wrong with them.
struct PemFiles<'a> {
    read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    report: &'a mut Report,
}

impl PemFiles<'_> {
    fn text(&mut self, field: &str, path: &Path) -> Option<Vec<u8>> {
        match (self.read)(path) {
            Ok(text) => Some(text),
            Err(error) => {
                let message = format!("the file {} cannot be read: {error}", path.display());
                let hint = "name a PEM file that the gateway's user may read".to_owned();
                self.report.add_at(field, Code::UnreadableFile, message, Some(hint));
                None
            }
        }
    }

    fn wrong<T>(&mut self, field: &str, message: String, hint: &str) -> Option<T> {
        self.report.add_at(field, Code::WrongValue, message, Some(hint.to_owned()));
        None
    }

    fn certificates(&mut self, field: &str, path: &Path) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.text(field, path)?;
        match certificates(&text) {
            Some(found) => Some(found),
            None => {
                let message =
                    format!("the file {} has no certificate in it that can be read", path.display());
                let hint =
                    "it must be a PEM file: -----BEGIN CERTIFICATE-----, the gateway's own certificate first";
                self.wrong(field, message, hint)
            }
        }
    }

    fn key(&mut self, field: &str, path: &Path) -> Option<PrivateKeyDer<'static>> {
        let text = self.text(field, path)?;
        if let Ok(key) = PrivateKeyDer::from_pem_slice(&text) {
            return Some(key);
        }
        let path = path.display();
        match text.windows(9).any(|word| word == b"ENCRYPTED") {
            true => {
                let message =
                    format!("the private key in {path} is encrypted, and the gateway has no password for it");
                self.wrong(field, message, "write it without: openssl pkey -in KEY -out PLAIN-KEY")
            }
            false => {
                let message = format!("the file {path} has no private key in it that can be read");
                self.wrong(field, message, "it must be a PEM file: -----BEGIN PRIVATE KEY-----")
            }
        }
    }

    fn authorities(&mut self, field: &str, path: &Path) -> Option<RootCertStore> {
        let mut store = RootCertStore::empty();
        for (number, certificate) in (1..).zip(self.certificates(field, path)?) {
            if store.add(certificate).is_err() {
                let message =
                    format!("certificate {number} in {} is not one of an authority", path.display());
                return self.wrong(field, message, "take it out, or have it made anew");
            }
        }
        Some(store)
    }
}

/// The certificates of a PEM file; `None` where there is none, or one that is none.
pub fn certificates(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().ok()?;
    let are_readable = found.iter().all(|found| ParsedCertificate::try_from(found).is_ok());
    (!found.is_empty() && are_readable).then_some(found)
}

/// Reads a file of certificates or of a key.
///
/// # Errors
/// It is not there, may not be read, or is too long to be one.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(PEM_BYTES_MAX + 1).read_to_end(&mut text)?;
    match text.len() as u64 <= PEM_BYTES_MAX {
        true => Ok(text),
        false => Err(io::Error::other("it is too long")),
    }
}

/// Clients refuse a certificate that has expired, or does not hold yet.
fn warn_of_dates(chain: &[CertificateDer<'_>], path: &Path, report: &mut Report) {
    for (number, certificate) in (1..).zip(chain) {
        let Some(what) = date_problem(certificate, UnixTime::now()) else { continue };
        let message = format!("certificate {number} in {} {what}: clients refuse it", path.display());
        let hint = "have it renewed; a new file is in force at once".to_owned();
        report.add_at("tls.cert", Code::Expired, message, Some(hint));
    }
}

/// What is wrong with the dates of a certificate.
fn date_problem(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<String> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    // Dates are looked at first. That nobody has signed it is what comes next: there is nobody here who could have.
    let verified = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        now,
        aws_lc_rs::default_provider().signature_verification_algorithms.all,
    );
    let Err(Error::InvalidCertificate(problem)) = verified else { return None };
    let seconds = |time: UnixTime| Duration::from_secs(time.as_secs());
    match problem {
        CertificateError::ExpiredContext { time, not_after } => {
            Some(format!("expired {} ago", rough(seconds(time).saturating_sub(seconds(not_after)))))
        }
        CertificateError::NotValidYetContext { time, not_before } => Some(format!(
            "holds only in {}; is this machine's clock right?",
            rough(seconds(not_before).saturating_sub(seconds(time)))
        )),
        CertificateError::Expired => Some("has expired".to_owned()),
        CertificateError::NotValidYet => Some("does not hold yet".to_owned()),
        _ => None,
    }
}

/// A time, to the day or to the hour.
fn rough(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    match hours {
        0..48 => format!("{} hours", hours.max(1)),
        _ => format!("{} days", hours / 24),
    }
}
