//! An answer that begins before it is known whose it is.
//!
//! A config waits for the first words of a stream, so that another target can still answer where there are none. A client
//! that would hear nothing for too long meanwhile gets the head of a stream, and signs of life; the words follow, from
//! whichever target says them. If none does, the stream ends with the error, which had a status of its own before.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body as _, Frame};
use ostia_dialect::Fault;
use ostia_dialect::frame::Grammar;
use ostia_dialect::frame::KeepAlive;

use crate::client::{AnswerDeadline, Client};
use crate::errors::failure;
use crate::message::body::{Body, Events, FramePoll};
use crate::responses_api;
use crate::upstream::BodyFault;

/// The stream of such an answer.
pub struct Late<F> {
    state: State<F>,
    grammar: Grammar,
    client: Rc<Client>,
    /// Why it has to end here.
    ending: Option<Fault>,
}

enum State<F> {
    /// Nobody has said anything.
    Waiting(Pin<Box<F>>),
    /// Nobody will: why is being read.
    Refused(Pin<Box<dyn Future<Output = Fault>>>),
    /// This is the answer.
    Answered(Body),
    /// The client has been told that there is none.
    Broken,
}

impl<F> std::fmt::Debug for Late<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Late").field("grammar", &self.grammar).finish_non_exhaustive()
    }
}

impl<F> Late<F> {
    /// The rest of an answer that began so, with what is still being asked.
    pub fn new(answering: Pin<Box<F>>, grammar: Grammar, client: Rc<Client>) -> Late<F> {
        Late { state: State::Waiting(answering), grammar, client, ending: None }
    }

    fn answered(&mut self, response: Response<Body>) {
        if let Some(AnswerDeadline(due)) = response.extensions().get::<AnswerDeadline>() {
            self.client.due.set(*due);
        }
        self.state = match response.status().is_success() {
            true => State::Answered(response.into_body()),
            false => State::Refused(Box::pin(responses_api::refusal(response))),
        };
    }

    fn tell_fault(&mut self, fault: &Fault) -> Bytes {
        self.state = State::Broken;
        failure::event(self.grammar, fault, "").into()
    }
}

impl<F: Future<Output = Response<Body>>> Events for Late<F> {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            if let Some(fault) = self.ending.take() {
                return Poll::Ready(Some(Ok(Frame::data(self.tell_fault(&fault)))));
            }
            match &mut self.state {
                State::Waiting(answering) => match answering.as_mut().poll(context) {
                    Poll::Ready(response) => self.answered(response),
                    Poll::Pending if self.client.is_pinged.take() => {
                        let ping = self.grammar.keep_alive(false).bytes();
                        return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(ping)))));
                    }
                    Poll::Pending => return Poll::Pending,
                },
                State::Refused(refusal) => self.ending = Some(ready!(refusal.as_mut().poll(context))),
                State::Answered(body) => return Pin::new(body).poll_frame(context),
                State::Broken => return Poll::Ready(Some(Err(BodyFault::Broken))),
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        match &mut self.state {
            State::Answered(body) => body.fail(&fault),
            State::Waiting(_) | State::Refused(_) | State::Broken => self.ending = Some(fault),
        }
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        match &self.state {
            State::Answered(body) => body.keep_alive(),
            State::Waiting(_) | State::Refused(_) => Some(self.grammar.keep_alive(false)),
            State::Broken => None,
        }
    }
}
