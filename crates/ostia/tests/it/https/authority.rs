//! Certificates, and clients that believe them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE, Reply};

/// An authority that a test makes for itself.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, as PEM.
pub struct Identity {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for this machine's own address, by this name, that ends in this year.
    pub fn until(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Identity { cert: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    /// A certificate that holds.
    pub fn identity(&self, name: &str) -> Identity {
        self.until(name, 4000)
    }

    /// A client that believes this authority.
    pub fn client(&self) -> Client {
        Client::new(self, &[&rustls::version::TLS13, &rustls::version::TLS12], None)
    }
}

/// What a gateway with TLS is started with.
pub const TLS: &str = "tls: { cert: own.pem, key: own.key }\n";

/// A gateway with this certificate, and this after what says so in its file.
pub fn start(identity: &Identity, config: &str) -> Gateway {
    Setup::new()
        .config(&format!("{TLS}{config}"))
        .file("own.pem", &identity.cert)
        .file("own.key", &identity.key)
        .start()
}

/// A client.
#[derive(Clone)]
pub struct Client {
    pub config: ClientConfig,
}

/// A connection.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Client {
    /// One that speaks these versions and shows this certificate.
    pub fn new(
        believes: &Authority,
        versions: &[&'static SupportedProtocolVersion],
        shows: Option<&Identity>,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(believes.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
        let config = match shows {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(identity.cert.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        Client { config }
    }

    /// The same, which offers these protocols.
    pub fn offering(mut self, protocols: &[&str]) -> Client {
        self.config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// A connection, its handshake done.
    ///
    /// # Errors
    /// Why there is none.
    pub fn connect(&self, gateway: &Gateway) -> std::io::Result<Stream> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(self.config.clone()), name).unwrap();
        let stream = TcpStream::connect(gateway.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// Asks over HTTP/1.1.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn ask(&self, gateway: &Gateway, ask: &Ask) -> std::io::Result<Reply> {
        let mut stream = self.connect(gateway)?;
        next(&mut stream, ask)
    }
}

/// Asks for something on a connection, which stays for more.
///
/// # Errors
/// It ends before the answer does.
pub fn next(stream: &mut Stream, ask: &Ask) -> std::io::Result<Reply> {
    stream.write_all(&ask.bytes())?;
    let mut raw = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        if let Some((reply, _)) = Reply::parse(&raw, false).filter(|(reply, _)| reply.whole) {
            return Ok(reply);
        }
        match stream.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => raw.extend_from_slice(&piece[..length]),
        }
    }
}

/// The certificate that was shown.
pub fn shown(stream: &Stream) -> Vec<u8> {
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}
