//! The Responses API over a WebSocket, in front of every provider (<https://developers.openai.com/api/docs/guides/websocket-mode>).
//!
//! Each `response.create` is a request of its own, as if it had been posted: with its own record, retries, fallbacks and remembered answers.
//! Those of one lane (`stream_id`) are answered one after the other, in the order in which they came, and those of several lanes at once
//! ([`Turns`]).

mod steering;
mod turn;
mod turns;
mod writer;

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{HeaderValue, Method, Response, StatusCode, header, request};
use ostia_dialect::responses_socket::{self as socket, Refused, Said};
use ostia_dialect::{Fault, FaultKind, Observed};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::Client;
use crate::client::socket::Channel;
use crate::config::settings::WebSocketLimits;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::handshake;
use crate::message::body::Body;
use crate::websocket::{End, Served, Session, Signals};
use turns::Turns;
use writer::{Gone, Writer};

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
    for name in [
        header::UPGRADE,
        header::CONNECTION,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
        header::SEC_WEBSOCKET_EXTENSIONS,
        header::SEC_WEBSOCKET_PROTOCOL,
    ] {
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

type Sink = SplitSink<WebSocketStream<Channel>, Message>;
type Stream = SplitStream<WebSocketStream<Channel>>;

/// What a client said, or what is wrong with it.
type Asked = Result<Said, Refused>;

/// What has come.
enum Came {
    Said(Asked),
    /// It is answered with a pong.
    Ping,
}

/// What is under way: an answer, or a word about something that the client said.
type Running<'t> = FuturesUnordered<Pin<Box<dyn Future<Output = Result<(), Gone>> + 't>>>;

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
}

impl Connection {
    async fn serve(self, socket: Channel, unread: Bytes, signals: Signals) -> Session {
        let WebSocketLimits { frame_bytes_max, message_bytes_max, .. } = self.limits;
        let message_bytes_max = message_bytes_max.min(self.core.settings.limits.body_bytes_max);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .max_frame_size(Some(frame_bytes_max))
            .max_message_size(Some(message_bytes_max));
        let socket =
            WebSocketStream::from_partially_read(socket, unread.into(), Role::Server, Some(config)).await;
        let (sink, stream) = socket.split();
        let mut asking = Asking { stream, last: Instant::now() };
        let turns = Turns::new(&self, Writer::new(sink, self.limits.idle));
        let over = self.answer(&turns, &mut asking, &signals).await;
        let _ = timeout(LAST_WORDS_MAX, last_words(&over, &turns.writer, &mut asking.stream)).await;
        let end = self.end(over);
        Session { end, observed: Observed::default() }
    }

    /// Answers all that is asked.
    async fn answer(&self, turns: &Turns<'_>, asking: &mut Asking, signals: &Signals) -> Over {
        let mut running = Running::new();
        let mut pulse = pin!(turns.writer.pulse(self.core.settings.keep_alive));
        let (mut is_draining, mut is_late) = (false, false);
        loop {
            // Under another configuration the client may be somebody else, or nobody: it opens another one, and is asked.
            is_late |= turns.are_awaited() && turns.are_late();
            while !is_late && let Some(turn) = turns.begin() {
                running.push(turn.boxed_local());
            }
            if running.is_empty() && (is_late || is_draining) {
                return if is_late { Over::TooLong } else { Over::Stopped };
            }
            let look_at = turns.until.min(asking.last + self.limits.idle);
            tokio::select! {
                Some(done) = running.next(), if !running.is_empty() => match done {
                    Ok(()) => asking.last = Instant::now(),
                    Err(Gone) => return Over::Left,
                },
                // A client that leaves takes the requests under way with it.
                came = asking.next(), if turns.have_room() => match came {
                    Ok(Came::Said(asked)) => if let Some(word) = turns.take(asked) {
                        running.push(word.boxed_local());
                    },
                    Ok(Came::Ping) => running.push(turns.pong().boxed_local()),
                    Err(over) => return over,
                },
                Gone = &mut pulse, if !running.is_empty() => return Over::Left,
                () = sleep_until(look_at), if running.is_empty() => {
                    is_late = Instant::now() >= turns.until;
                    // A ping may have come meanwhile.
                    if !is_late && Instant::now() >= asking.last + self.limits.idle {
                        return Over::Idle;
                    }
                }
                () = signals.drain.notified() => is_draining = true,
                () = signals.stop.notified() => return Over::Stopped,
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
    /// The next that comes of the client. Whoever drops this may call it again.
    async fn next(&mut self) -> Result<Came, Over> {
        loop {
            let message = self.stream.next().await;
            self.last = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => return Ok(Came::Said(socket::decode(text.as_bytes()))),
                Some(Ok(Message::Binary(_))) => {
                    let fault = Fault::invalid("Send events as text messages, not as binary ones.");
                    return Ok(Came::Said(Err(fault.into())));
                }
                Some(Ok(Message::Close(_))) => return Err(Over::Closed),
                Some(Ok(Message::Ping(_))) => return Ok(Came::Ping),
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
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
async fn last_words(over: &Over, writer: &Writer, stream: &mut Stream) {
    let (code, reason) = match over {
        Over::Closed => (CloseCode::Normal, ""),
        Over::Left => return,
        Over::Refused(code, why) => (*code, *why),
        Over::Idle => (CloseCode::Away, "nothing was said for too long (websockets.idle)"),
        Over::TooLong => {
            let _ = writer.hear(socket::fault(&too_long(), None)).await;
            (CloseCode::Normal, "")
        }
        Over::Stopped => (CloseCode::Restart, "the gateway is shutting down"),
    };
    let _ = writer.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    while let Some(Ok(_)) = stream.next().await {}
}

/// OpenAI's code for it, by which clients know to open another one.
fn too_long() -> Fault {
    let message = "This WebSocket was open for as long as one may be, or another configuration is in force: open another one.";
    Fault::invalid(message).with_code("websocket_connection_limit_reached")
}
