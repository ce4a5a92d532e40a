//! TLS in front of a scripted upstream.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread;

use ostia_testkit::Upstream;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::authority::{Authority, Pair};

/// What is known of one connection after its handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The certificate that the other side showed.
    pub certificate: Option<CertificateDer<'static>>,
    /// The name that it asked for.
    pub name: Option<String>,
    /// The protocol that both agreed on.
    pub protocol: Option<String>,
    /// A session of before was resumed.
    pub is_resumed: bool,
}

/// A TLS server on a free port of 127.0.0.1 that hands all bytes on to an upstream.
#[derive(Debug)]
pub struct Front {
    pub address: SocketAddr,
    met: Arc<Mutex<Vec<Met>>>,
}

impl Front {
    /// In front of this upstream. Asks for a certificate of `clients`, and needs none.
    pub fn before(upstream: &Upstream, pair: &Pair, clients: Option<&Authority>) -> Front {
        Front::speaking(upstream.address(), pair, clients, &[])
    }

    /// The same, with protocols to choose from.
    pub fn speaking(
        behind: SocketAddr,
        pair: &Pair,
        clients: Option<&Authority>,
        protocols: &[&str],
    ) -> Front {
        let builder = rustls::ServerConfig::builder();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.der()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).allow_unauthenticated();
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut config = builder.with_single_cert(vec![pair.cert_der()], pair.key_der()).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let met = Arc::<Mutex<Vec<Met>>>::default();
        let meeting = met.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(accept(listener, acceptor, behind, meeting));
        });
        Front { address, met }
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// All connections whose handshake came to its end.
    pub fn met(&self) -> Vec<Met> {
        self.met.lock().unwrap().clone()
    }
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
    met: Arc<Mutex<Vec<Met>>>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, met) = (acceptor.clone(), met.clone());
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let session = stream.get_ref().1;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            met.lock().unwrap().push(Met {
                certificate: session
                    .peer_certificates()
                    .and_then(|chain| chain.first().map(|first| first.clone().into_owned())),
                name: session.server_name().map(str::to_owned),
                protocol: session.alpn_protocol().map(text),
                is_resumed: session.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            });
            let Ok(mut behind) = TcpStream::connect(behind).await else { return };
            let _ = copy_bidirectional(&mut stream, &mut behind).await;
        });
    }
}
