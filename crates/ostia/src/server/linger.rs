//! The end of a connection, or of a stream, whose client may still be sending. A request can be refused before its body has come; a socket
//! that is closed with bytes unread resets the connection, and the client never sees why it was refused.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::socket::Socket;

/// Most bytes that are read and thrown away.
const BYTES_MAX: usize = 256 << 20;
/// Longest time that this takes.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Longest time without a byte: by then the client waits for the end, too.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 << 10;

/// Says that nothing more will be sent, then takes what the client still sends, within bounds.
pub async fn end(stream: &mut Socket) {
    let ended = async {
        let _ = stream.shutdown().await;
        drain(stream).await;
    };
    let _ = timeout(TIME_MAX, ended).await;
}

/// Takes what the client still sends of a body that nobody wants, within the same bounds.
pub async fn end_body(mut body: Incoming) {
    let drained = async {
        let mut bytes = 0;
        while bytes < BYTES_MAX {
            match timeout(SILENCE_MAX, body.frame()).await {
                Ok(Some(Ok(frame))) => bytes += frame.data_ref().map_or(0, Bytes::len),
                Ok(None | Some(Err(_))) | Err(_) => return,
            }
        }
    };
    let _ = timeout(TIME_MAX, drained).await;
}

async fn drain(stream: &mut Socket) {
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    while bytes < BYTES_MAX {
        match timeout(SILENCE_MAX, stream.read(&mut piece)).await {
            Ok(Ok(length @ 1..)) => bytes += length,
            Ok(Ok(0) | Err(_)) | Err(_) => return,
        }
    }
}
