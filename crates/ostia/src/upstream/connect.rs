//! From a host to a connection: resolve, check, connect, shake hands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SendFault;
use crate::upstream::egress::{Guard, Origin};

/// TLS settings, made when they are first needed and shared by all cores.
#[derive(Debug, Clone, Default)]
pub struct Tls(Arc<OnceLock<Arc<rustls::ClientConfig>>>);

impl Tls {
    /// The same without what was agreed with servers so far: sessions that could be resumed.
    pub fn forgetful(&self) -> Tls {
        let config = self.0.get().map(|config| {
            let mut config = rustls::ClientConfig::clone(config);
            config.resumption = rustls::client::Resumption::default();
            Arc::new(config)
        });
        Tls(Arc::new(config.map(OnceLock::from).unwrap_or_default()))
    }

    fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.0.get_or_init(|| Arc::new(client_config())).clone())
    }
}

/// Trusts what the system trusts, or Mozilla's list where the system has none.
fn client_config() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Where a connection goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) origin: Origin,
}

/// Opens a connection to an address that the guard admits.
pub(super) async fn connect(to: To<'_>, guard: &Guard, tls: &Tls) -> Result<Stream, SendFault> {
    let addresses = resolve(to).await.map_err(SendFault::Resolve)?;
    let admitted = guard.admit(to.host, &addresses, to.origin).map_err(SendFault::Refused)?;
    let tcp = connect_any(&admitted).await.map_err(SendFault::Connect)?;
    // Small writes go out at once: an event must not wait for the acknowledgement of the last one.
    let _ = tcp.set_nodelay(true);
    if !to.tls {
        return Ok(Stream::Plain(tcp));
    }
    let name = ServerName::try_from(to.host.trim_matches(['[', ']']).to_owned())
        .map_err(|error| SendFault::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let stream = tls.connector().connect(name, tcp).await.map_err(SendFault::Tls)?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn resolve(to: To<'_>) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = to.host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, to.port)]);
    }
    Ok(lookup_host((to.host, to.port)).await?.collect())
}

async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for &address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection, with TLS or without.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_agreed_with_servers_is_forgotten_and_nothing_else() {
        let tls = Tls::default();
        assert!(tls.forgetful().0.get().is_none(), "nothing was agreed yet");
        let _ = tls.connector();
        let [own, same, forgetful] =
            [&tls, &tls.clone(), &tls.forgetful()].map(|tls| tls.0.get().cloned().unwrap());
        assert!(Arc::ptr_eq(&own, &same) && !Arc::ptr_eq(&own, &forgetful));
        assert_eq!(own.alpn_protocols, forgetful.alpn_protocols);
    }
}
