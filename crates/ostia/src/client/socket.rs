//! The socket of a client, plain or with TLS.

use std::io;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// The socket of a client: bytes pass as they are on the left one, and encrypted on the right one.
pub type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// What another protocol than HTTP is spoken on: a connection that has gone over to it, or a stream of one that speaks HTTP/2.
pub type Channel = Either<Socket, TokioIo<Upgraded>>;

/// What is below.
pub fn tcp(socket: &Socket) -> &TcpStream {
    match socket {
        Either::Left(stream) => stream,
        Either::Right(stream) => stream.get_ref().0,
    }
}

/// Is it encrypted?
pub fn is_tls(socket: &Socket) -> bool {
    matches!(socket, Either::Right(_))
}

/// Have both sides agreed on HTTP/2?
pub fn is_for_http2(socket: &Socket) -> bool {
    match socket {
        Either::Left(_) => false,
        Either::Right(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
    }
}

/// Waits until something has come.
pub async fn readable(socket: &Socket) -> io::Result<()> {
    match socket {
        // What came with the end of the handshake is here already.
        Either::Right(stream) if !stream.get_ref().1.wants_read() => Ok(()),
        Either::Left(_) | Either::Right(_) => tcp(socket).readable().await,
    }
}
