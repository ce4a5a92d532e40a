//! One request on a WebSocket, and its answer: the events of its stream, one in each message.

use std::rc::Rc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Response, response};
use http_body_util::BodyExt as _;
use ostia_dialect::frame::{Framer, Framing};
use ostia_dialect::openai_responses::request::echo;
use ostia_dialect::responses_socket::steer::{self, Queued};
use ostia_dialect::responses_socket::{self as socket, Create, LaneId};
use ostia_dialect::{Api, Family, Fault, RenderOptions};
use ostia_providers::prepare::ApiCall;

use super::Connection;
use super::steering::Steered;
use super::turns::Turns;
use super::writer::Gone;
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

/// One request, and the answer to it.
pub(super) struct Turn<'t> {
    turns: &'t Turns<'t>,
    lane: LaneId,
    create: &'t Create,
    /// What the client said before, and stands in this request. It has been said when the answer begins.
    unsaid: Vec<Queued>,
    /// The answer, once it has begun.
    steered: Option<Rc<Steered>>,
    /// What the client says meanwhile.
    queued: Vec<Queued>,
    /// So many events were told that are not of the provider's answer.
    moved: u64,
    /// The last event.
    last: String,
}

/// How an answer has ended.
pub(super) struct Ended {
    /// By this event; `None`: by none of its own.
    pub last: Option<String>,
    /// What the client said meanwhile.
    pub queued: Vec<Queued>,
    /// The place of the next event in its stream.
    pub next_number: u64,
}

impl<'t> Turn<'t> {
    /// One that has not begun. `unsaid`: what the client said before, and stands in this request.
    pub fn new(turns: &'t Turns<'t>, lane: LaneId, create: &'t Create, unsaid: Vec<Queued>) -> Turn<'t> {
        let (queued, last) = (Vec::new(), String::new());
        Turn { turns, lane, create, unsaid, steered: None, queued, moved: 0, last }
    }

    /// Answers the request, which has this body.
    ///
    /// # Errors
    /// The client takes nothing any more.
    pub async fn run(mut self, body: &Bytes) -> Result<Ended, Gone> {
        let recalled = self.turns.chain.borrow().recall(body);
        let last = match recalled {
            Ok(whole) => {
                let body = whole.map_or_else(|| body.clone(), Bytes::from);
                let last = match self.create.generates {
                    true => self.generate(&body).await?,
                    false => self.prepare(&body).await?,
                };
                // What is stored is found by its id, wherever it was made.
                let is_ours = !self.create.store || !self.create.generates;
                if let Some(last) = last.as_ref().filter(|_| is_ours) {
                    self.turns.chain.borrow_mut().remember(self.lane, &body, last);
                }
                last
            }
            Err(fault) => {
                self.fail(&fault).await?;
                None
            }
        };
        let next_number = self.next_number();
        self.turns.give_back(self.create, self.unsaid, next_number).await?;
        Ok(Ended { last, queued: self.queued, next_number })
    }

    /// The place of the next event in the stream of this answer.
    fn next_number(&self) -> u64 {
        socket::number(&self.last).map_or(0, |number| number + 1)
    }

    fn stream_id(&self) -> Option<&'t str> {
        self.create.stream_id.as_deref()
    }

    async fn hear(&self, event: String) -> Result<(), Gone> {
        self.turns.writer.hear(event).await
    }

    async fn fail(&self, fault: &Fault) -> Result<(), Gone> {
        self.hear(socket::fault(fault, self.stream_id())).await
    }

    /// Asks a provider. Gives the event that the answer ended with, if there was one.
    async fn generate(&mut self, body: &Bytes) -> Result<Option<String>, Gone> {
        let (head, body) = self.turns.connection.respond(body).await.into_parts();
        if !head.status.is_success() {
            self.hear(refused(&head, body, self.stream_id()).await).await?;
            return Ok(None);
        }
        let handed_on = self.hand_on(body).await;
        if let Some(steered) = self.steered.take() {
            self.end(&steered).await?;
        }
        match handed_on? {
            Ok(last) => Ok(Some(last)),
            Err(fault) => self.fail(&fault).await.map(|()| None),
        }
    }

    /// Hands on the events of a stream. Gives the one that ended it, or why none did.
    async fn hand_on(&mut self, mut body: Body) -> Result<Result<String, Fault>, Gone> {
        let mut framer = Framer::new(Framing::Sse);
        let mut last = None;
        while let Some(frame) = self.next(&mut body).await? {
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
                let Some(event) = event else { continue };
                if let Some(ended) = self.tell(event).await? {
                    last = Some(ended);
                }
            }
        }
        let broken = || Fault::upstream("The answer broke off before it was whole.");
        Ok(last.ok_or_else(broken))
    }

    /// The next piece of the answer. Meanwhile the client hears of what it says itself.
    async fn next(&mut self, body: &mut Body) -> Result<Option<Piece>, Gone> {
        loop {
            let Some(steered) = self.steered.clone() else { return Ok(body.frame().await) };
            tokio::select! {
                frame = body.frame() => return Ok(frame),
                () = steered.next() => self.take(&steered).await?,
            }
        }
    }

    /// Tells an event. Gives it where it has ended the answer.
    async fn tell(&mut self, Event { kind, data }: Event) -> Result<Option<String>, Gone> {
        let is_last = socket::is_last(&kind);
        if kind == "response.created" {
            self.begin(&data);
        }
        if let Some(steered) = self.steered.take_if(|_| is_last) {
            self.end(&steered).await?;
        }
        self.last = socket::moved(data, self.moved);
        let event = match kind.as_str() {
            "error" => socket::error_message(&self.last, BROKEN_STATUS, self.stream_id()),
            _ => socket::message(&self.last, self.stream_id()),
        };
        self.hear(event).await?;
        Ok(is_last.then(|| self.last.clone()))
    }

    /// The answer has begun: what stands in its request has been said.
    fn begin(&mut self, created: &str) {
        self.unsaid.drain(..).for_each(|queued| self.turns.steering.forget(&queued));
        if let Some(id) = socket::response_id(created).filter(|_| self.steered.is_none()) {
            self.steered = Some(self.turns.steering.begin(id, self.create.is_steerable));
        }
    }

    /// It is at its end, when the client has heard of all that it said meanwhile.
    async fn end(&mut self, steered: &Rc<Steered>) -> Result<(), Gone> {
        self.take(steered).await?;
        self.turns.steering.end(steered);
        Ok(())
    }

    /// Tells what becomes of what the client has said.
    async fn take(&mut self, steered: &Steered) -> Result<(), Gone> {
        let Turns { steering, connection, .. } = self.turns;
        let new_id = || connection.core.new_id();
        while let Some(taken) = steering.take(steered, self.next_number(), self.stream_id(), new_id) {
            let event = match taken {
                Ok(queued) => {
                    let event = steer::accepted(self.next_number(), &queued, self.stream_id());
                    self.queued.push(queued);
                    event
                }
                Err(event) => event,
            };
            self.last.clone_from(&event);
            self.moved += 1;
            self.hear(event).await?;
            steering.heard();
        }
        Ok(())
    }

    /// Answers a request that only prepares a next one: nobody is asked.
    async fn prepare(&mut self, body: &Bytes) -> Result<Option<String>, Gone> {
        let call = match ApiCall::read(Api::OpenaiResponses, None, "", body, usize::MAX) {
            Ok(call) => call,
            Err(fault) => return self.fail(&fault).await.map(|()| None),
        };
        let core = &self.turns.connection.core;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let render = RenderOptions {
            strict: true,
            id_suffix: core.new_id(),
            model: call.model().unwrap_or_default().to_owned(),
            created: now.as_secs(),
            echo: echo(&call.document),
            ..RenderOptions::default()
        };
        let [created, completed] = socket::prepared(&render);
        self.unsaid.drain(..).for_each(|queued| self.turns.steering.forget(&queued));
        for event in [&created, &completed] {
            self.hear(socket::message(event, self.stream_id())).await?;
        }
        Ok(Some(completed))
    }
}

/// A piece of an answer.
type Piece = Result<http_body::Frame<Bytes>, crate::upstream::BodyFault>;

impl Connection {
    /// The answer to a request as if it had been posted, in the client's words whatever happens.
    async fn respond(&self, body: &Bytes) -> Response<Body> {
        let Connection { core, caller, parts, .. } = self;
        // Nobody begins this answer early: the connection is open, and what it says is no stream of bytes.
        let client = Client::new(core.settings.limits.header_bytes_max, self.client.connection.clone());
        let mut record = Record::begin(&client, &core.books, &parts.method, parts.uri.path());
        let mut gateway = self.gateway.clone();
        gateway.begin(&mut record, &parts.headers, || core.new_id());
        record.account().call(Some(Api::OpenaiResponses.name()));
        let keys = &core.settings.gateway_keys;
        record.account().sent_by(caller.owner, caller.name(keys), caller.bodies(keys));
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
