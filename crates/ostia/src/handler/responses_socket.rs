//! The Responses API over a WebSocket, in front of every provider (<https://developers.openai.com/api/docs/guides/websocket-mode>).
//!
//! Each `response.create` is a request of its own, as if it had been posted: with its own record, retries, fallbacks and remembered answers.
//! They are answered one after the other, in the order in which they came.

mod turn;

use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Method, Response, StatusCode, header, request};
use ostia_dialect::responses_socket::{self as socket, Chain, Create, Said};
use ostia_dialect::{Fault, FaultKind, Observed};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::Client;
use crate::client::socket::Socket;
use crate::config::settings::WebSocketLimits;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::handshake;
use crate::message::body::Body;
use crate::websocket::{End, Served, Session, Signals};

/// Requests that wait for the answer to the one before, and their bytes. No more are read meanwhile.
const WAITING_MAX: usize = 16;
const WAITING_BYTES_MAX: usize = 1 << 20;
/// What is remembered of a connection's own answers, in bytes, if that is more than the last one.
const CHAIN_BYTES_MAX: usize = 8 << 20;
/// How long one may be open: OpenAI closes its own after so long.
const TOTAL_MAX: Duration = Duration::from_secs(60 * 60);
/// What is read at once, in bytes.
const READ_BYTES: usize = 8 << 10;
/// How long last words may take.
const LAST_WORDS_MAX: Duration = Duration::from_millis(800);

/// What says in `openai-beta` that a client speaks so; for the gateway alone.
const BETA: &str = "responses_websockets";

/// Agrees to a WebSocket.
pub fn open(inbound: Inbound<'_>, client: &Rc<Client>) -> Response<Body> {
    let Inbound { core, caller, gateway, parts, .. } = inbound;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    handshake::agree(&parts.headers, None, response.headers_mut());
    let connection = Connection {
        core: core.clone(),
        caller: caller.clone(),
        gateway: gateway.clone(),
        parts: posted(parts),
        client: client.clone(),
        limits: core.settings.websockets,
    };
    response.map(|()| {
        Body::events(Served::new(|socket, unread, signals| {
            Box::pin(connection.serve(socket, unread, signals))
        }))
    })
}

/// The head of the requests that are not posted.
fn posted(parts: &request::Parts) -> request::Parts {
    let mut parts = parts.clone();
    parts.method = Method::POST;
    let headers = &mut parts.headers;
    for name in
        [header::UPGRADE, header::CONNECTION, header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_PROTOCOL]
    {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let is_ours = |beta: &HeaderValue| beta.to_str().is_ok_and(|beta| beta.starts_with(BETA));
    if headers.get("openai-beta").is_some_and(is_ours) {
        headers.remove("openai-beta");
    }
    parts
}

/// A client's connection, and what holds for all requests on it.
struct Connection {
    core: Rc<Core>,
    caller: Caller,
    gateway: GatewayHeaders,
    parts: request::Parts,
    client: Rc<Client>,
    limits: WebSocketLimits,
}

type Sink = SplitSink<WebSocketStream<Socket>, Message>;
type Stream = SplitStream<WebSocketStream<Socket>>;

/// What a client said: a request, or what is wrong with it.
type Asked = Result<Create, Fault>;

/// Why no request is answered any more.
enum Over {
    /// The client has closed the connection.
    Closed,
    /// It went without a word, or takes nothing any more.
    Left,
    /// What it said makes no sense.
    Refused(CloseCode, &'static str),
    Idle,
    TooLong,
    Stopped,
}

/// What a client says, and when it said something last.
struct Asking {
    stream: Stream,
    last: Instant,
    /// What has come while something else was answered.
    waiting: VecDeque<Asked>,
}

impl Connection {
    async fn serve(self, socket: Socket, unread: Bytes, signals: Signals) -> Session {
        let WebSocketLimits { frame_bytes_max, message_bytes_max, .. } = self.limits;
        let message_bytes_max = message_bytes_max.min(self.core.settings.limits.body_bytes_max);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .max_frame_size(Some(frame_bytes_max))
            .max_message_size(Some(message_bytes_max));
        let socket =
            WebSocketStream::from_partially_read(socket, unread.into(), Role::Server, Some(config)).await;
        let (mut sink, stream) = socket.split();
        let mut asking = Asking { stream, last: Instant::now(), waiting: VecDeque::new() };
        let over = self.answer(&mut sink, &mut asking, &signals).await;
        let _ = timeout(LAST_WORDS_MAX, last_words(&over, &mut sink, &mut asking.stream)).await;
        Session { end: self.end(over), observed: Observed::default() }
    }

    /// Answers one request after the other.
    async fn answer(&self, sink: &mut Sink, asking: &mut Asking, signals: &Signals) -> Over {
        let mut chain = Chain::new(CHAIN_BYTES_MAX);
        let until = Instant::now() + self.limits.total.min(TOTAL_MAX);
        let mut is_draining = false;
        loop {
            let asked = match asking.waiting.pop_front() {
                Some(asked) => asked,
                None if is_draining => return Over::Stopped,
                None => match self.wait(asking, until, signals).await {
                    Ok(Some(asked)) => asked,
                    Ok(None) => {
                        is_draining = true;
                        continue;
                    }
                    Err(over) => return over,
                },
            };
            // Under another configuration the client may be somebody else, or nobody: it opens another one, and is asked.
            if Instant::now() >= until || self.core.upstreams.are_replaced() {
                return Over::TooLong;
            }
            let mut turn = pin!(self.turn(asked, &mut chain, sink));
            loop {
                tokio::select! {
                    taken = &mut turn => match taken {
                        Ok(()) => break,
                        Err(_) => return Over::Left,
                    },
                    // A client that leaves takes the request under way with it.
                    asked = asking.next(), if asking.has_room() => match asked {
                        Ok(asked) => asking.waiting.push_back(asked),
                        Err(over) => return over,
                    },
                    () = signals.drain.notified() => is_draining = true,
                    () = signals.stop.notified() => return Over::Stopped,
                }
            }
            asking.last = Instant::now();
        }
    }

    /// Waits for the next request; `None`: the gateway stops.
    async fn wait(
        &self,
        asking: &mut Asking,
        until: Instant,
        signals: &Signals,
    ) -> Result<Option<Asked>, Over> {
        loop {
            let idle = asking.last + self.limits.idle;
            tokio::select! {
                asked = asking.next() => return asked.map(Some),
                () = sleep_until(idle.min(until)) => {
                    if Instant::now() >= until {
                        return Err(Over::TooLong);
                    }
                    // A ping may have come meanwhile.
                    if Instant::now() >= asking.last + self.limits.idle {
                        return Err(Over::Idle);
                    }
                }
                () = signals.drain.notified() => return Ok(None),
                () = signals.stop.notified() => return Err(Over::Stopped),
            }
        }
    }

    fn end(&self, over: Over) -> End {
        let ours = |kind, message: String, code| End::Ours(Fault::new(kind, message).with_code(code));
        match over {
            // One that was open for as long as it may be ends as it should.
            Over::Closed | Over::TooLong => End::Closed,
            Over::Left => End::ClientLeft,
            Over::Refused(_, why) => ours(
                FaultKind::InvalidRequest,
                format!("A frame was refused: {why}."),
                "websocket_frame_refused",
            ),
            Over::Idle => ours(
                FaultKind::Timeout,
                format!("Nothing was said for {} s (websockets.idle).", self.limits.idle.as_secs()),
                "websocket_idle",
            ),
            Over::Stopped => {
                ours(FaultKind::Overloaded, "The gateway is shutting down.".to_owned(), "gateway_stopping")
            }
        }
    }
}

impl Asking {
    /// Is there room for one more request?
    fn has_room(&self) -> bool {
        let bytes = |asked: &Asked| asked.as_ref().map_or(0, |create| create.body.len());
        self.waiting.len() < WAITING_MAX && self.waiting.iter().map(bytes).sum::<usize>() < WAITING_BYTES_MAX
    }

    /// The next thing that the client says. Whoever drops this may call it again.
    async fn next(&mut self) -> Result<Asked, Over> {
        loop {
            let message = self.stream.next().await;
            self.last = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => match socket::decode(text.as_bytes()) {
                    Ok(Said::Create(create)) => return Ok(Ok(create)),
                    Ok(Said::Processed) => {}
                    Err(fault) => return Ok(Err(fault)),
                },
                Some(Ok(Message::Binary(_))) => {
                    return Ok(Err(Fault::invalid("Send events as text messages, not as binary ones.")));
                }
                Some(Ok(Message::Close(_))) => return Err(Over::Closed),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(Error::Capacity(_))) => return Err(Over::Refused(CloseCode::Size, LARGE)),
                Some(Err(Error::Protocol(_))) => return Err(Over::Refused(CloseCode::Protocol, BROKEN)),
                Some(Err(Error::Utf8(_))) => return Err(Over::Refused(CloseCode::Invalid, NO_TEXT)),
                Some(Err(_)) | None => return Err(Over::Left),
            }
        }
    }
}

const LARGE: &str = "message too large (websockets.message_bytes, websockets.frame_bytes, limits.body_bytes)";
const BROKEN: &str = "frames break the protocol";
const NO_TEXT: &str = "a text is not UTF-8";

/// Says why it is over, and waits for the client's last word.
async fn last_words(over: &Over, sink: &mut Sink, stream: &mut Stream) {
    let (code, reason) = match over {
        Over::Closed => (CloseCode::Normal, ""),
        Over::Left => return,
        Over::Refused(code, why) => (*code, *why),
        Over::Idle => (CloseCode::Away, "nothing was said for too long (websockets.idle)"),
        Over::TooLong => {
            let _ = sink.send(Message::text(socket::fault(&too_long(), None))).await;
            (CloseCode::Normal, "")
        }
        Over::Stopped => (CloseCode::Restart, "the gateway is shutting down"),
    };
    let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    while let Some(Ok(_)) = stream.next().await {}
}

/// OpenAI's code for it, by which clients know to open another one.
fn too_long() -> Fault {
    let message = "This WebSocket was open for as long as one may be, or another configuration is in force: open another one.";
    Fault::invalid(message).with_code("websocket_connection_limit_reached")
}
