//! Attempts into the account of their request: what was sent, what came, and how its answer ended.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::observe::{AskedFor, Subject, WholeAnswer};
use ostia_dialect::{Fault, Observed, Usage};
use ostia_store::CacheResult;
use ostia_store::Outcome;

use super::account::{Account, Made};
use super::facts::Failure;
use super::hook_results::{self, HookEvents};
use super::records::few;
use crate::client::socket::Channel;
use crate::errors::attempt_error::AttemptError;
use crate::log::{self, End};
use crate::message::body::{Body, Events, FramePoll, Resume, Watcher};
use crate::upstream::{BaseUrl, SendFault, UpstreamBody};

/// Headers in which providers name a call, the first that is there counts.
const REQUEST_ID: [&str; 5] =
    ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-goog-request-id"];

/// Most names of what could not be said to a provider that are looked at; fewer are kept.
const DROPPED_MAX: usize = 100;

/// The attempts at one target, in the account of their request. One that is dropped before it is settled was abandoned.
#[derive(Debug, Default)]
pub struct Booking {
    account: Rc<Account>,
    provider: Option<HeaderValue>,
    index_path: Option<HeaderValue>,
    model: Option<Box<str>>,
    /// As much of the call's body as is taken for text, in bytes, where that is a part of what the client asked.
    text_bytes: Cell<Option<u64>>,
    /// The attempt under way.
    number: Cell<Option<usize>>,
    /// Its answer may tell what guardrails found.
    tells_guardrails: Cell<bool>,
}

impl Booking {
    /// At a target of this provider, which this target of the config is, for this model.
    pub fn new(
        account: Rc<Account>,
        provider: Option<HeaderValue>,
        index_path: Option<HeaderValue>,
        model: Option<Box<str>>,
    ) -> Booking {
        let (text_bytes, number, tells_guardrails) = Default::default();
        Booking { account, provider, index_path, model, text_bytes, number, tells_guardrails }
    }

    /// The calls to come ask only a part of what the client asked, of so many bytes of text.
    pub fn asks(&self, text_bytes: u64) {
        self.text_bytes.set(Some(text_bytes));
    }

    /// Is anything kept of the request?
    pub fn is_open(&self) -> bool {
        self.account.is_kept()
    }

    /// A request is sent, in this span, to this host.
    pub fn send(&self, sent: Instant, span: Option<NonZeroU64>, to: &BaseUrl) {
        if !self.account.is_kept() {
            return;
        }
        self.number.set(self.account.send(Made {
            provider: self.provider.clone(),
            index_path: self.index_path.clone(),
            model: self.model.clone(),
            span,
            server: to.authority().clone(),
            port: to.port(),
            status: None,
            request_id: None,
            sent,
            connected: None,
            first_byte: None,
            first_token: None,
            ended: None,
            outcome: Outcome::Abandoned,
            failure: None,
            is_late: false,
            is_part: false,
            text_bytes: self.text_bytes.get(),
            observed: Observed::default(),
            asked: AskedFor::default(),
            spent: None,
            cache: None,
            dropped: Vec::new(),
        }));
    }

    /// The head of the answer, or none, after this end of the wait.
    pub fn head(&self, answer: &Result<Response<UpstreamBody>, SendFault>, sent: Instant, ended: Instant) {
        self.account.wait(ended - sent);
        let Some(number) = self.number.get() else { return };
        let told = answer.as_ref().ok();
        self.tells_guardrails
            .set(told.is_some_and(|answer| hook_results::may_be_told(answer.status(), answer.headers())));
        self.account.attempt(number, |made, _| match answer {
            Ok(answer) => {
                made.cache = answer.extensions().get().copied();
                made.status = Some(answer.status().as_u16());
                made.request_id = request_id(answer.headers());
                (made.connected, made.first_byte) = (answer.body().connected(), Some(ended));
            }
            Err(fault) => made.is_late = matches!(fault, SendFault::FirstByteTimeout),
        });
    }

    /// The answer to a handshake, of this status, came after this wait; `None`: none came.
    pub fn handshake(&self, status: Option<u16>, sent: Instant, ended: Instant) {
        self.account.wait(ended - sent);
        let Some(number) = self.number.get() else { return };
        self.account.attempt(number, |made, _| {
            (made.status, made.first_byte) = (status, status.map(|_| ended));
        });
    }

    /// A further call of the same attempt, which needs several.
    pub fn beside(&self) -> Booking {
        let Booking { account, provider, index_path, model, .. } = self;
        Booking::new(account.clone(), provider.clone(), index_path.clone(), model.clone())
    }

    /// It was answered whole, and said this.
    pub fn answered(&self, observed: &Observed) {
        if let Some(number) = self.number.get() {
            end(&self.account, number, Outcome::Answered, Some(observed));
        }
    }

    /// What it took is told with the attempt that it is a part of.
    pub fn tell_with_attempt(self) {
        let Some(number) = self.number.take() else { return };
        self.account.attempt(number, |made, _| {
            made.is_part = true;
            made.observed.begin_again();
        });
    }

    /// The caches of all its parts come to this.
    pub fn cached(&self, cache: Option<CacheResult>) {
        if let Some(number) = self.number.get() {
            self.account.attempt(number, |made, _| made.cache = cache);
        }
    }

    /// How long providers were waited for so far.
    pub fn waited(&self) -> Duration {
        self.account.waited()
    }

    /// They were waited for side by side: this long in all.
    pub fn set_waited(&self, time: Duration) {
        self.account.set_waited(time);
    }

    /// An answer came, and its request says that this will be charged for; asked only where anything is kept.
    pub fn asked(&self, asked_for: impl FnOnce() -> AskedFor) {
        if let Some(number) = self.number.get() {
            self.account.attempt(number, |made, _| made.asked = asked_for());
        }
    }

    /// The answer, looked at on its way for what is said of it.
    pub fn follow(&self, body: Body, subject: Subject, observed: &Observed) -> Body {
        let Some(number) = self.number.get() else { return body };
        let account = self.account.clone();
        match body {
            Body::Full(_) => {
                end(&account, number, Outcome::Answered, Some(observed));
                body
            }
            Body::Events(events) => {
                let hooks = self.tells_guardrails.get().then(Box::default);
                Body::events(Booked { events, account, number, hooks, has_token: false, is_over: false })
            }
            body => {
                body.watched(Whole { answer: WholeAnswer::new(subject), account, number, is_over: false })
            }
        }
    }

    /// That is what came of it; `dropped` could not be said to the provider.
    pub fn settle<T>(&self, answer: &Result<T, AttemptError>, dropped: &[String]) {
        let Some(number) = self.number.take() else { return };
        self.account.attempt(number, |made, keeps_message| {
            made.dropped = few(dropped.iter().take(DROPPED_MAX).cloned().collect());
            if dropped.len() > DROPPED_MAX {
                made.dropped.push(format!("and {} besides", dropped.len() - DROPPED_MAX));
            }
            if let Err(error) = answer {
                made.outcome = Outcome::Failed;
                made.failure = Some(Failure::of(&error.fault, keeps_message));
                made.ended.get_or_insert_with(Instant::now);
            }
        });
    }

    /// It goes on with an answer that broke off.
    pub fn continues(&self) {
        self.account.continued_by.set(self.number.take());
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            end(&self.account, number, Outcome::Abandoned, None);
        }
    }
}

impl Account {
    /// The stream that the client gets has broken off with this fault, and somebody is asked for the rest.
    pub fn broke_off(&self) {
        self.has_broken.set(true);
    }
}

fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let id = REQUEST_ID.iter().find_map(|name| headers.get(*name))?;
    id.to_str().ok().map(log::name)
}

/// An attempt is over, and was seen to say this.
fn end(account: &Account, number: usize, outcome: Outcome, observed: Option<&Observed>) {
    account.attempt(number, |made, keeps_message| {
        if made.ended.is_none() {
            (made.ended, made.outcome) = (Some(Instant::now()), outcome);
        }
        if let Some(observed) = observed {
            if let Some(fault) = &observed.fault {
                made.outcome = Outcome::Broken;
                made.failure = Some(Failure::of(fault, keeps_message));
            }
            // What a provider chose the length of is kept no longer than what a client did.
            made.observed = observed.clone();
            made.observed.fault = None;
            made.observed.model = observed.model.as_deref().map(log::name);
        }
    });
}

/// A stream that books what it says.
#[derive(Debug)]
struct Booked {
    events: Box<dyn Events>,
    account: Rc<Account>,
    number: usize,
    /// Where it may tell what guardrails found.
    hooks: Option<Box<HookEvents>>,
    has_token: bool,
    is_over: bool,
}

impl Booked {
    fn note_guardrails(&mut self, polled: &FramePoll) {
        if let Some(hooks) = &mut self.hooks
            && let Poll::Ready(Some(Ok(frame))) = polled
            && let Some(bytes) = frame.data_ref()
        {
            self.account.note_guardrails(hooks.push(bytes));
        }
    }

    fn note_first_token(&mut self) {
        self.has_token = self.events.observed().is_some_and(|observed| observed.first_token);
        if self.has_token {
            self.account.attempt(self.number, |made, _| made.first_token = Some(Instant::now()));
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.book(outcome);
        }
    }

    /// Books what the attempt has said, less what is counted of those before.
    fn book(&mut self, outcome: Outcome) {
        let spent = self.events.spent().map(Box::new);
        end(&self.account, self.number, outcome, self.events.observed());
        self.account.attempt(self.number, |made, _| made.spent = spent);
    }

    /// The attempt has broken off, and another one goes on: what was said until then is its, and what comes the other's.
    fn change_hands(&mut self) {
        if self.account.has_broken.take() {
            self.book(Outcome::Broken);
        }
        if let Some(next) = self.account.continued_by.take() {
            self.number = next;
        }
    }
}

impl Events for Booked {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        let polled = self.events.poll_frame(context);
        if self.account.has_broken.get() || self.account.continued_by.get().is_some() {
            self.change_hands();
        }
        if !self.has_token && polled.is_ready() {
            self.note_first_token();
        }
        self.note_guardrails(&polled);
        match &polled {
            Poll::Ready(None) => self.end(Outcome::Answered),
            Poll::Ready(Some(Err(_))) => self.end(Outcome::Broken),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn fail(&mut self, fault: Fault) {
        self.events.fail(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        self.events.keep_alive()
    }

    fn take_fault(&mut self) -> Option<Fault> {
        let fault = self.events.take_fault();
        if let Some(fault) = &fault {
            self.account.attempt(self.number, |made, keeps_message| {
                (made.outcome, made.failure) = (Outcome::Broken, Some(Failure::of(fault, keeps_message)));
            });
        }
        fault
    }

    fn observed(&mut self) -> Option<&Observed> {
        self.events.observed()
    }

    fn spent(&self) -> Option<Usage> {
        self.events.spent()
    }

    fn is_malformed(&self) -> bool {
        self.events.is_malformed()
    }

    fn can_be_resumed(&self) -> bool {
        self.events.can_be_resumed()
    }

    fn resumed_by(&mut self, failover: Box<dyn Resume>) {
        self.events.resumed_by(failover);
    }

    fn switch(&mut self, client: Channel, unread: Bytes) {
        self.events.switch(client, unread);
    }

    fn drain(&mut self) {
        self.events.drain();
    }
}

impl Drop for Booked {
    fn drop(&mut self) {
        self.end(Outcome::Abandoned);
    }
}

/// A large answer in one piece, searched for what it says as it passes.
#[derive(Debug)]
struct Whole {
    answer: WholeAnswer,
    account: Rc<Account>,
    number: usize,
    is_over: bool,
}

impl Whole {
    fn close(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.is_over, true) {
            end(&self.account, self.number, outcome, Some(&self.answer.observed()));
        }
    }
}

impl Watcher for Whole {
    fn piece(&mut self, bytes: &Bytes) {
        self.answer.push(bytes);
    }

    fn end(&mut self, end: End) {
        self.close(match end {
            End::Whole => Outcome::Answered,
            End::Broken => Outcome::Broken,
            End::ClientLeft => Outcome::Abandoned,
        });
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.close(Outcome::Abandoned);
    }
}
