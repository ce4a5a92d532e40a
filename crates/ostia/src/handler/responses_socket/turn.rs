//! One request on a WebSocket, and its answer: the events of its stream, one in each message.

use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::SinkExt as _;
use http::{HeaderMap, Response, response};
use http_body_util::BodyExt as _;
use ostia_dialect::frame::{Framer, Framing};
use ostia_dialect::openai_responses::request::echo;
use ostia_dialect::responses_socket::{self as socket, Chain, Create};
use ostia_dialect::{Api, Family, Fault, RenderOptions};
use ostia_providers::prepare::ApiCall;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{Asked, Connection, Sink};
use crate::client::Client;
use crate::errors::failure;
use crate::errors::reply;
use crate::handler::carry;
use crate::inbound::Inbound;
use crate::inbound::route::ApiPath;
use crate::message::body::Body;
use crate::record::Record;

/// Most bytes of an answer that is an error.
const ERROR_BYTES_MAX: usize = 1 << 20;
/// The status of an error that a stream ends with, where nobody said one.
const BROKEN_STATUS: u16 = 502;

/// The client takes nothing any more.
#[derive(Debug)]
pub(super) struct Gone;

/// The client's side, for one answer.
struct Listener<'a> {
    sink: &'a mut Sink,
    /// How long it may take nothing.
    patience: Duration,
    /// How long it hears nothing before it gets a sign of life; `None`: it gets none.
    keep_alive: Option<Duration>,
}

impl Listener<'_> {
    /// Tells an event.
    async fn hear(&mut self, text: String) -> Result<(), Gone> {
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(self.patience, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Waits for something. Meanwhile the client, and whatever is on the way, is told that the connection lives.
    async fn wait<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Gone> {
        let Some(keep_alive) = self.keep_alive else { return Ok(future.await) };
        let mut future = pin!(future);
        loop {
            match timeout(keep_alive, future.as_mut()).await {
                Ok(output) => return Ok(output),
                Err(_) => self.send(Message::Ping(Bytes::new())).await?,
            }
        }
    }
}

impl Connection {
    /// Answers one request.
    ///
    /// # Errors
    /// The client takes nothing any more.
    pub(super) async fn turn(&self, asked: Asked, chain: &mut Chain, sink: &mut Sink) -> Result<(), Gone> {
        let keep_alive = self.core.settings.keep_alive;
        let listener = &mut Listener { sink, patience: self.limits.idle, keep_alive };
        let create = match asked {
            Ok(create) => create,
            Err(fault) => return listener.hear(socket::fault(&fault, None)).await,
        };
        let stream_id = create.stream_id.as_deref();
        let body = match chain.recall(&create.body) {
            Ok(whole) => Bytes::from(whole.unwrap_or(create.body)),
            Err(fault) => return listener.hear(socket::fault(&fault, stream_id)).await,
        };
        let create = Create { body: Vec::new(), ..create };
        let last = match create.generates {
            true => self.generate(&create, &body, listener).await?,
            false => self.prepare(&create, &body, listener).await?,
        };
        // What is stored is found by its id, wherever it was made.
        if let Some(last) = last.filter(|_| !create.store || !create.generates) {
            chain.remember(&body, &last);
        }
        Ok(())
    }

    /// Asks a provider. Gives the event that the answer ended with, if there was one.
    async fn generate(
        &self,
        create: &Create,
        body: &Bytes,
        listener: &mut Listener<'_>,
    ) -> Result<Option<String>, Gone> {
        let response = listener.wait(self.respond(body)).await?;
        let stream_id = create.stream_id.as_deref();
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            listener.hear(refused(&head, body, stream_id).await).await?;
            return Ok(None);
        }
        let fault = match hand_on(body, stream_id, listener).await? {
            Ok(last) => return Ok(last),
            Err(fault) => fault,
        };
        listener.hear(socket::fault(&fault, stream_id)).await?;
        Ok(None)
    }

    /// The answer to a request as if it had been posted, in the client's words whatever happens.
    async fn respond(&self, body: &Bytes) -> Response<Body> {
        let Connection { core, caller, parts, .. } = self;
        // Nobody begins this answer early: the connection is open, and what it says is no stream of bytes.
        let client = Client::new(core.settings.limits.header_bytes_max, self.client.connection.clone());
        let mut record = Record::begin(&client, &core.books, &parts.method, parts.uri.path());
        let mut gateway = self.gateway.clone();
        gateway.begin(&mut record, &parts.headers, || core.new_id());
        record.account().call(Some(Api::OpenaiResponses.name()));
        record.account().sent_by(caller.owner, caller.name(&core.settings.gateway_keys));
        let files = &Rc::default();
        let inbound = Inbound { core, caller, gateway: &gateway, parts, upload: None, files };
        let answer = Box::pin(carry(inbound, &ApiPath::from(Api::OpenaiResponses), body, &mut record)).await;
        let mut response = answer.unwrap_or_else(|fault| {
            record.account().failed(&fault);
            reply::fault(Family::Openai, &fault, record.provider(), record.trace_id())
        });
        record.answer(&mut response);
        response
    }

    /// Answers a request that only prepares a next one: nobody is asked.
    async fn prepare(
        &self,
        create: &Create,
        body: &Bytes,
        listener: &mut Listener<'_>,
    ) -> Result<Option<String>, Gone> {
        let stream_id = create.stream_id.as_deref();
        let call = match ApiCall::read(Api::OpenaiResponses, None, "", body, usize::MAX) {
            Ok(call) => call,
            Err(fault) => {
                listener.hear(socket::fault(&fault, stream_id)).await?;
                return Ok(None);
            }
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let render = RenderOptions {
            strict: true,
            id_suffix: self.core.new_id(),
            model: call.model().unwrap_or_default().to_owned(),
            created: now.as_secs(),
            echo: echo(&call.document),
            ..RenderOptions::default()
        };
        let [created, completed] = socket::prepared(&render, stream_id);
        listener.hear(created).await?;
        listener.hear(completed.clone()).await?;
        Ok(Some(completed))
    }
}

/// Hands on the events of a stream. Gives the one that ended it, or why none did.
async fn hand_on(
    mut body: Body,
    stream_id: Option<&str>,
    listener: &mut Listener<'_>,
) -> Result<Result<Option<String>, Fault>, Gone> {
    let mut framer = Framer::new(Framing::Sse);
    let mut last = None;
    while let Some(frame) = listener.wait(body.frame()).await? {
        let bytes = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(fault) if last.is_none() => return Ok(Err(failure::of_body(&fault))),
            Err(_) => break,
        };
        framer.push(&bytes);
        loop {
            let event = match framer.next() {
                Ok(Some(frame)) if last.is_none() => Event::of(&frame),
                Ok(Some(_)) => continue,
                Ok(None) => break,
                Err(fault) => return Ok(Err(fault)),
            };
            let Some(Event { kind, data }) = event else { continue };
            listener
                .hear(match kind.as_str() {
                    "error" => socket::error_message(&data, BROKEN_STATUS, stream_id),
                    _ => socket::message(&data, stream_id),
                })
                .await?;
            if socket::is_last(&kind) {
                last = Some(data);
            }
        }
    }
    match last {
        Some(last) => Ok(Ok(Some(last))),
        None => Ok(Err(Fault::upstream("The answer broke off before it was whole."))),
    }
}

/// An event of a stream.
struct Event {
    kind: String,
    data: String,
}

impl Event {
    /// `None` for what is no event: a sign of life, or the end of a stream in another dialect.
    fn of(frame: &ostia_dialect::frame::Frame<'_>) -> Option<Event> {
        let data = std::str::from_utf8(frame.data).ok().filter(|data| data.starts_with('{'))?;
        let kind = match frame.event {
            "" => socket::kind(data)?,
            event => event.to_owned(),
        };
        Some(Event { kind, data: data.to_owned() })
    }
}

/// What a client hears of an answer that is an error.
async fn refused(head: &response::Parts, mut body: Body, stream_id: Option<&str>) -> String {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let piece = frame.into_data().unwrap_or_default();
        if bytes.len() + piece.len() <= ERROR_BYTES_MAX {
            bytes.extend_from_slice(&piece);
        }
    }
    socket::refused(head.status.as_u16(), &bytes, told(&head.headers), stream_id)
}

/// The headers of an error that clients read: when to try again, how much is left, and by which name to ask for help.
fn told(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let all = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    all.filter(|(name, _)| *name == "retry-after" || name.starts_with("x-"))
}
