//! A realtime session of the mock: what is said comes back.

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::spawn_local;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Body;

/// Sessions are many, and their frames small.
const READ_BYTES: usize = 8 << 10;

/// Agrees to a WebSocket, and says back what is said on it.
pub(super) fn agree(mut request: Request<Incoming>) -> Option<Response<Body>> {
    let key = derive_accept_key(request.headers().get(SEC_WEBSOCKET_KEY)?.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    spawn_local(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
        let stream = TokioIo::new(upgraded);
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        while let Some(Ok(message)) = socket.next().await {
            let is_said = matches!(message, Message::Text(_) | Message::Binary(_));
            if is_said && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(Either::Left(http_body_util::Full::default()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&key).ok()?);
    Some(response)
}
