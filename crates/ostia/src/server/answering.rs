//! An answer on its way to the client, from the moment in which it is asked for.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use ostia_dialect::{Family, Fault, FaultKind};
use tokio::time::Instant;

use super::late::Late;
use crate::client::socket::Channel;
use crate::client::{AnswerDeadline, Client, Early, Protocol};
use crate::errors::reply;
use crate::gauge::{Counted, Kind};
use crate::message::body::{Body, FramePoll};
use crate::message::media::{is_events, media_type};
use crate::timer::LazyTimer;
use crate::upstream::BodyFault;

/// An answer in the making. Ends at once when the gateway stops.
pub struct Answering<F> {
    /// `None` once there is an answer.
    answering: Option<Pin<Box<F>>>,
    family: Family,
    client: Rc<Client>,
    /// Where an answer is left that goes over to another protocol.
    switched: Option<SwitchedAnswer>,
}

/// An answer that goes over to another protocol, once its head has been given.
pub type SwitchedAnswer = Rc<Cell<Option<Answer>>>;

impl<F> Answering<F> {
    /// What `answering` gives, in words of this family if it has to end before.
    pub fn new(answering: Pin<Box<F>>, family: Family, client: Rc<Client>) -> Answering<F> {
        Answering { answering: Some(answering), family, client, switched: None }
    }

    /// An answer that goes over to another protocol is left here, and its head has no body.
    pub fn switching_into(self, switched: &SwitchedAnswer) -> Answering<F> {
        Answering { switched: Some(switched.clone()), ..self }
    }
}

impl<F: Future<Output = Response<Body>> + 'static> Answering<F> {
    /// The answer, or one that begins before it is known whose it is.
    fn poll_response(&mut self, context: &mut Context<'_>) -> Poll<Response<Body>> {
        let Some(answering) = &mut self.answering else { return Poll::Pending };
        if let Poll::Ready(response) = answering.as_mut().poll(context) {
            return Poll::Ready(response);
        }
        let Some(early) = self.client.early.take() else { return Poll::Pending };
        let Some(answering) = self.answering.take() else { return Poll::Pending };
        let Early { head, grammar } = *early;
        let late = Late::new(answering, grammar, self.client.clone());
        Poll::Ready(head.map(|()| Body::events(late)))
    }
}

impl<F: Future<Output = Response<Body>> + 'static> Future for Answering<F> {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = match self.client.is_cut() {
            true => reply::fault(self.family, &stopping(), None, ""),
            false => ready!(self.poll_response(context)),
        };
        if let Some(AnswerDeadline(due)) = response.extensions().get::<AnswerDeadline>() {
            self.client.due.set(*due);
        }
        let is_alone = self.client.connection.protocol == Protocol::Http1;
        if response.status().as_u16() >= 400 && is_alone && !self.client.is_read() {
            // A body that is not wanted ends its connection, where it is in the way of the next request.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let client = self.client.clone();
        client.is_handed_over.set(true);
        let is_switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let counted = is_stream(&response).then(|| Counted::new(Kind::Stream));
        let mut response = response.map(|body| Answer::new(body, client.clone(), counted));
        if let Some(switched) = self.switched.as_ref().filter(|_| is_switching) {
            let empty = Answer::new(Body::Full(None), client, None);
            switched.set(Some(std::mem::replace(response.body_mut(), empty)));
        }
        Poll::Ready(Ok(response))
    }
}

/// Does it come in events, decoded here or handed on?
fn is_stream(response: &Response<Body>) -> bool {
    match response.body() {
        Body::Full(_) => false,
        Body::Events(_) => true,
        Body::Passed(_) | Body::With(_) => is_events(media_type(response.headers())),
    }
}

/// The body of an answer on its way to the client.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    /// It has been told that the gateway stops.
    is_told: bool,
    /// Why it breaks off, once what came before has left: after so many flushes.
    broken: Option<(BodyFault, usize)>,
    silence: Silence,
    client: Rc<Client>,
    /// Of a stream.
    _counted: Option<Counted>,
}

/// The head of an answer alone, for whoever asked with HEAD. For HTTP/1.1 the library sees to that.
pub fn head_alone(response: Response<Answer>) -> Response<Answer> {
    let (mut parts, mut answer) = response.into_parts();
    if let Some(length) = answer.size_hint().exact().filter(|_| !answer.is_end_stream()) {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    answer.body = Body::Full(None);
    Response::from_parts(parts, answer)
}

/// How long there was nothing to send.
#[derive(Debug, Default)]
struct Silence {
    /// `None` while there is something.
    since: Option<Instant>,
    timer: Option<LazyTimer>,
}

impl Silence {
    /// Is it too long?
    fn poll_over(&mut self, limit: Duration, context: &mut Context<'_>) -> Poll<()> {
        let due = *self.since.get_or_insert_with(Instant::now) + limit;
        let timer = self.timer.get_or_insert_with(|| LazyTimer::new(due));
        ready!(timer.poll_over(due, context));
        self.since = None;
        Poll::Ready(())
    }
}

impl Answer {
    fn new(body: Body, client: Rc<Client>, counted: Option<Counted>) -> Answer {
        Answer { body, is_told: false, broken: None, silence: Silence::default(), client, _counted: counted }
    }

    /// Takes the client's connection, which has gone over to another protocol.
    pub fn switch(&mut self, socket: Channel, unread: Bytes) {
        self.client.is_busy.set(true);
        self.body.switch(socket, unread);
    }

    /// The gateway stops: what is under way may come to its end.
    pub fn drain(&mut self) {
        self.body.drain();
    }

    /// Serves the connection that it has taken. Ready when that is over.
    pub fn poll_switched(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.client.is_cut() && !self.is_told {
            self.is_told = true;
            self.body.fail(&stopping());
        }
        while let Some(Ok(_)) = ready!(Pin::new(&mut self.body).poll_frame(context)) {}
        Poll::Ready(())
    }

    /// A sign of life, where a stream has been silent for too long.
    fn poll_keep_alive(&mut self, context: &mut Context<'_>) -> FramePoll {
        let Some((limit, keep_alive)) = self.client.keep_alive().zip(self.body.keep_alive()) else {
            return Poll::Pending;
        };
        ready!(self.silence.poll_over(limit, context));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(keep_alive.bytes())))))
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyFault;

    /// The next piece. A fault waits until everything before it has left: the connection ends with it, and with the
    /// connection whatever has not been sent yet, be it the head of the answer or the words that tell the fault.
    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> FramePoll {
        if let Some((_, flushes)) = &self.broken {
            return match self.client.connection.flushes() != *flushes {
                true => Poll::Ready(self.broken.take().map(|(fault, _)| Err(fault))),
                false => Poll::Pending,
            };
        }
        self.client.is_handed_over.set(false);
        if self.client.is_cut() && !self.is_told {
            self.is_told = true;
            self.body.fail(&stopping());
        }
        let polled = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Pending => self.poll_keep_alive(context),
            Poll::Ready(Some(Err(fault))) => {
                let flushes = self.client.connection.wait_for_flush(context);
                self.broken = Some((fault, flushes));
                Poll::Pending
            }
            Poll::Ready(frame) => {
                self.silence.since = None;
                Poll::Ready(frame)
            }
        };
        self.client.is_handed_over.set(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.client.is_busy.set(false);
    }
}

/// What a client hears whose answer is not whole when the gateway stops.
fn stopping() -> Fault {
    let message = "The gateway is shutting down. Send the request again.";
    Fault::new(FaultKind::Overloaded, message).with_status(503).with_code("gateway_stopping")
}
