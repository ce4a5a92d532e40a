//! HTTPS to the gateway of this configuration.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, OtherError, StreamOwned,
};

use crate::config::tls::{certificates, read};
use crate::upstream::tls::Believed;

/// What is said where the gateway wants to see a certificate.
pub const WANTS_CERTIFICATE: &str =
    "the gateway wants a certificate of its clients (tls.client_ca): give --client-cert and --client-key";

/// Whom to believe, and what to show.
#[derive(Debug)]
pub struct Credentials {
    own: CertificateDer<'static>,
    shows: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Credentials {
    /// From PEM files: the gateway's certificate, and a client's certificate with its key.
    ///
    /// # Errors
    /// Which file is of no use.
    pub fn read(own: &Path, shows: Option<(&Path, &Path)>) -> Result<Credentials, String> {
        let chain = |path: &Path| {
            let text = read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            certificates(&text).ok_or_else(|| format!("{} has no certificate in it", path.display()))
        };
        let own = chain(own)?.swap_remove(0);
        let Some((cert, key)) = shows else { return Ok(Credentials { own, shows: None }) };
        let text = read(key).map_err(|error| format!("{} cannot be read: {error}", key.display()))?;
        let key = PrivateKeyDer::from_pem_slice(&text)
            .map_err(|_| format!("{} has no private key in it", key.display()))?;
        Ok(Credentials { own, shows: Some((chain(cert)?, key)) })
    }

    /// Speaks TLS on this connection.
    pub fn secure(
        self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> io::Result<impl io::Read + io::Write + use<>> {
        let name = ServerName::IpAddress(address.ip().into());
        let connection = ClientConnection::new(Arc::new(self.config().map_err(io::Error::other)?), name);
        Ok(Told(StreamOwned::new(connection.map_err(io::Error::other)?, stream)))
    }

    fn config(self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let own = self.own;
        let other = || {
            let why = io::Error::other("it is not the one in the file that the configuration names");
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
        };
        let verifier = Believed::new(provider.clone(), move |shown: &CertificateDer<'_>| {
            (*shown == own).then_some(()).ok_or_else(other)
        });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match self.shows {
            None => Ok(builder.with_no_client_auth()),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key),
        }
    }
}

/// Says in words what the gateway refuses.
struct Told(StreamOwned<ClientConnection, TcpStream>);

impl Told {
    fn told<T>(result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
            match cause {
                Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => {
                    io::Error::other(WANTS_CERTIFICATE)
                }
                // TLS 1.2 has no word of its own for it.
                _ => error,
            }
        })
    }
}

impl io::Read for Told {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Told::told(self.0.read(buffer))
    }
}

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Told::told(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Told::told(self.0.flush())
    }
}
