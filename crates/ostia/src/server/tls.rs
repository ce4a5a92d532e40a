//! The TLS handshake with a client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{HEAD_DRAIN, Phase, linger};
use crate::client::socket::Socket;
use crate::config::tls::ServerTls;
use crate::log::{Level, Log, Target};

/// How long a client may take for its handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// The socket of a client that speaks TLS. Whoever speaks HTTP without is told so; `None` for whom nothing can be done.
pub async fn accept(
    stream: TcpStream,
    tls: &ServerTls,
    mut phase: watch::Receiver<Phase>,
    log: &Log,
) -> Option<Socket> {
    let peer = stream.peer_addr();
    let drained = async {
        let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
        sleep(HEAD_DRAIN).await;
    };
    let accepted = tokio::select! {
        accepted = timeout(HANDSHAKE_WITHIN, shake_hands(stream, tls)) => accepted,
        () = drained => return None,
    };
    match accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(socket) => socket,
        Err(error) => {
            // Port scanners and probes of load balancers come and go: no reason to fill a log with them.
            let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
            log.say(Level::Debug, Target::Server, format!("No TLS with {peer}: {error}."));
            None
        }
    }
}

async fn shake_hands(stream: TcpStream, tls: &ServerTls) -> io::Result<Option<Socket>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    // A client that speaks TLS begins with 22 (RFC 8446, section 5.1), one that speaks HTTP with the name of a method.
    if first[0].is_ascii_uppercase() {
        let mut socket = Socket::Left(stream);
        socket.write_all(SPEAKS_HTTPS).await?;
        linger::end(&mut socket).await;
        return Ok(None);
    }
    match TlsAcceptor::from(Arc::clone(&tls.0)).accept(stream).into_fallible().await {
        Ok(stream) => Ok(Some(Socket::Right(Box::new(stream)))),
        Err((error, stream)) => {
            // The client has been told why, and is to hear it.
            linger::end(&mut Socket::Left(stream)).await;
            Err(error)
        }
    }
}

/// The answer to a client that speaks HTTP where TLS is expected.
pub const SPEAKS_HTTPS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\
content-length: 167\r\n\r\n{\"error\":{\"message\":\"This port speaks HTTPS: write https:// in place of http:// in the base URL.\",\
\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"https_expected\"}}";

#[cfg(test)]
mod tests {
    use super::SPEAKS_HTTPS;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = String::from_utf8_lossy(SPEAKS_HTTPS);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}: {head}", body.len());
    }
}
