//! One connection, from its first byte to its last: TLS, then HTTP/1.1 or HTTP/2.

use std::rc::Rc;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Admission, HEAD_DRAIN, Phase, http1, http2, tls};
use crate::client::socket::{self, Socket};
use crate::client::{Client, Connection, Protocol};
use crate::core::CurrentCore;
use crate::gauge::{Counted, Kind};

/// Serves a client until it leaves or the gateway stops.
pub async fn serve(
    current: Rc<CurrentCore>,
    stream: TcpStream,
    admission: Admission,
    mut phase: watch::Receiver<Phase>,
) {
    let _counted = Counted::new(Kind::Client);
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
    let core = current.get();
    let header_bytes_max = core.settings.limits.header_bytes_max;
    let accepted = match &core.settings.tls {
        None => Some(Socket::Left(stream)),
        Some(tls) => Box::pin(tls::accept(stream, tls, phase.clone(), &core.log)).await,
    };
    drop(core);
    let Some(socket) = accepted else { return };
    let is_tls = socket::is_tls(&socket);
    if is_tls && *phase.borrow() != Phase::Serving {
        // A connection on which nothing was read is closed at once.
        let _ = timeout(HEAD_DRAIN, socket::readable(&socket)).await;
    }
    let (socket, unread) = match socket::is_for_http2(&socket) {
        true => (socket, Bytes::new()),
        false => {
            let connection = Connection::new(peer, Protocol::Http1, is_tls);
            let client = Client::new(header_bytes_max, connection);
            match http1::serve(&current, socket, client, &mut phase).await {
                Some(other) => other,
                None => return,
            }
        }
    };
    let connection = Connection::new(peer, Protocol::Http2, is_tls);
    Box::pin(http2::serve(current, socket, unread, connection, &admission.limit, phase)).await;
    drop(admission.permit);
}
