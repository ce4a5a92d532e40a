//! From a host to a connection: resolve, check, connect, shake hands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::SendFault;
use super::egress::{Guard, Origin, Refusal, is_public};
use super::proxy::Proxy;
use super::tls::{HTTP2, Tls};
use super::tunnel::{self, Wanted};

/// Most addresses of a host that a proxy is asked for.
const PROXIED_ADDRESSES_MAX: usize = 3;

/// Where a connection goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) origin: Origin,
    /// What stands on the way.
    pub(super) proxy: Option<&'a Arc<Proxy>>,
    /// HTTP/2 is on offer.
    pub(super) offers_http2: bool,
}

/// Opens a connection to a host of the operator's that speaks no HTTP: no proxy stands on the way.
///
/// # Errors
/// The host has no address, or none that may be reached, or nobody answers there.
pub async fn directly(host: &str, port: u16, guard: &Guard) -> io::Result<TcpStream> {
    let addresses = resolve(host, port).await?;
    let refused = |refusal: Refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal.to_string());
    let admitted = guard.admit(host, &addresses, Origin::Operator).map_err(refused)?;
    connect_any(&admitted).await
}

/// Opens a connection to an address that the guard admits, or through a proxy.
pub(super) async fn connect(to: To<'_>, guard: &Guard, tls: &Tls) -> Result<Stream, SendFault> {
    let stream = match to.proxy {
        None => {
            let addresses = resolve(to.host, to.port).await.map_err(SendFault::Resolve)?;
            let admitted = guard.admit(to.host, &addresses, to.origin).map_err(SendFault::Refused)?;
            Stream::Left(connect_any(&admitted).await.map_err(SendFault::Connect)?)
        }
        Some(proxy) => connect_through(proxy, to, guard).await?,
    };
    match to.tls {
        true => secure(stream, to.host, tls.connector(to.offers_http2)).await.map_err(SendFault::Tls),
        false => Ok(stream),
    }
}

/// A host that a client chose is resolved and checked here, so that the proxy has no say in what its name means. One of the
/// operator's or of the built-in table may have a name that only the proxy can resolve.
async fn connect_through(proxy: &Arc<Proxy>, to: To<'_>, guard: &Guard) -> Result<Stream, SendFault> {
    let is_clients = matches!(to.origin, Origin::Client | Origin::Content);
    if proxy.resolves() && !is_clients && address_of(to.host).is_none() {
        guard.admit_name(to.host).map_err(SendFault::Refused)?;
        return tunnel::open(proxy, Wanted::Name(to.host, to.port), guard).await.map_err(SendFault::proxy);
    }
    let resolved = resolve(to.host, to.port).await;
    let addresses = resolved.map_err(if is_clients { SendFault::Unchecked } else { SendFault::Resolve })?;
    let admitted = guard.admit(to.host, &addresses, to.origin).map_err(SendFault::Refused)?;
    if is_clients && !admitted.iter().all(|address| is_public(address.ip())) {
        // Private, and the operator allows it: no way that leads through a proxy of the internet's.
        return Ok(Stream::Left(connect_any(&admitted).await.map_err(SendFault::Connect)?));
    }
    let mut opened = Err(SendFault::Connect(io::ErrorKind::AddrNotAvailable.into()));
    for address in admitted.into_iter().take(PROXIED_ADDRESSES_MAX) {
        opened = tunnel::open(proxy, Wanted::Address(address), guard).await.map_err(SendFault::proxy);
        if opened.is_ok() {
            break;
        }
    }
    opened
}

/// TLS on a connection.
pub(super) async fn secure(stream: Stream, host: &str, connector: TlsConnector) -> io::Result<Stream> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    match stream {
        Either::Left(stream) => {
            Ok(Either::Right(Either::Left(Box::new(connector.connect(name, stream).await?))))
        }
        Either::Right(Either::Left(stream)) => {
            Ok(Either::Right(Either::Right(Box::new(connector.connect(name, *stream).await?))))
        }
        Either::Right(Either::Right(_)) => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

/// A host that is an address.
fn address_of(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(ip) = address_of(host) {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    Ok(lookup_host((host, port)).await?.collect())
}

pub(super) async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for &address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small writes go out at once: an event must not wait for the acknowledgement of the last one.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A connection: plain, with TLS, or with TLS through a proxy that is itself spoken to by TLS.
pub(super) type Stream =
    Either<TcpStream, Either<Box<TlsStream<TcpStream>>, Box<TlsStream<TlsStream<TcpStream>>>>>;

/// Did both sides agree on HTTP/2?
pub(super) fn is_http2(stream: &Stream) -> bool {
    let protocol = match stream {
        Either::Left(_) => None,
        Either::Right(Either::Left(stream)) => stream.get_ref().1.alpn_protocol(),
        Either::Right(Either::Right(stream)) => stream.get_ref().1.alpn_protocol(),
    };
    protocol == Some(HTTP2)
}
