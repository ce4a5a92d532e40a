//! From a host to a connection: resolve, check, connect, shake hands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;

use super::SendFault;
use super::transport::Transport;
use crate::upstream::egress::{Guard, Origin};

/// Where a connection goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct To<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) origin: Origin,
}

/// Opens a connection to an address that the guard admits.
pub(super) async fn connect(to: To<'_>, guard: &Guard, transport: &Transport) -> Result<Stream, SendFault> {
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
    let stream = transport.tls.connector().connect(name, tcp).await.map_err(SendFault::Tls)?;
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
