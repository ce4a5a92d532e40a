//! The body of an answer that goes over to a WebSocket: it begins when the client's connection is handed over, and lives as long as the
//! session.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, Observed};
use tokio::sync::Notify;

use crate::client::socket::Channel;
use crate::message::body::{Events, FramePoll};
use crate::upstream::BodyFault;

/// A session, before and while the client's connection carries it.
#[derive(Debug)]
pub struct Served {
    state: State,
    signals: Signals,
    observed: Observed,
    /// What the provider did wrong.
    fault: Option<Fault>,
}

/// What a session hears of the gateway.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// The gateway stops: what is under way may come to its end.
    pub drain: Rc<Notify>,
    /// It ends now.
    pub stop: Rc<Notify>,
}

/// A session that is over.
#[derive(Debug)]
pub struct Session {
    /// How it ended.
    pub end: End,
    /// What was seen of it.
    pub observed: Observed,
}

/// How a session ended.
#[derive(Debug)]
pub enum End {
    /// Both sides have closed it.
    Closed,
    /// The client went without a word, or takes nothing any more.
    ClientLeft,
    /// A bound of the gateway's, or what the client may not say.
    Ours(Fault),
    /// The provider's side broke.
    Upstream(Fault),
}

type Running = Pin<Box<dyn Future<Output = Session>>>;
type Begin = Box<dyn FnOnce(Channel, Bytes, Signals) -> Running>;

enum State {
    /// The client's connection still speaks HTTP.
    Agreed(Begin),
    Running(Running),
    Over,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Agreed(_) => "Agreed",
            State::Running(_) => "Running",
            State::Over => "Over",
        })
    }
}

impl Served {
    /// One that begins so, with the client's connection and what was read of it.
    pub fn new(begin: impl FnOnce(Channel, Bytes, Signals) -> Running + 'static) -> Served {
        Served {
            state: State::Agreed(Box::new(begin)),
            signals: Signals::default(),
            observed: Observed::default(),
            fault: None,
        }
    }

    fn over(&mut self, Session { end, observed }: Session) -> FramePoll {
        (self.state, self.observed) = (State::Over, observed);
        let broken = |fault| Poll::Ready(Some(Err(fault)));
        match end {
            End::Closed => Poll::Ready(None),
            End::ClientLeft => broken(BodyFault::ClientLeft),
            // Nothing to hold against the provider.
            End::Ours(fault) => {
                self.observed.fault = Some(fault);
                broken(BodyFault::Broken)
            }
            End::Upstream(fault) => {
                self.fault = Some(fault);
                broken(BodyFault::Broken)
            }
        }
    }
}

impl Events for Served {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        match &mut self.state {
            State::Agreed(_) => Poll::Pending,
            State::Running(running) => {
                let session = ready!(running.as_mut().poll(context));
                self.over(session)
            }
            State::Over => Poll::Ready(None),
        }
    }

    fn fail(&mut self, _fault: Fault) {
        self.signals.stop.notify_one();
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    fn observed(&mut self) -> Option<&Observed> {
        Some(&self.observed)
    }

    fn switch(&mut self, client: Channel, unread: Bytes) {
        if let State::Agreed(begin) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Running(begin(client, unread, self.signals.clone()));
        }
    }

    fn drain(&mut self) {
        self.signals.drain.notify_one();
    }
}
