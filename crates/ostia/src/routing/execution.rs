//! One request's way through its config: the plan, the clock that it follows, and its end.

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, FaultKind, Observed};
use ostia_routing::plan::{Attempt, MidStream, Plan, Reason, Sent, Step};
use ostia_routing::{Limit, Outcome, Route, Time, Verdict};
use tokio::time::sleep;

use crate::client::socket::Channel;
use crate::clock;
use crate::core::Core;
use crate::errors::attempt_error::AttemptError;
use crate::message::body::{Body, Events, FramePoll};
use crate::record::decisions::SharedPlan;

/// A plan under way. It ends when this is dropped: with the answer's last byte, or when the client leaves.
#[derive(Debug)]
pub struct Execution {
    plan: Arc<Mutex<Plan>>,
    route: Arc<Route>,
    core: Rc<Core>,
    /// The plan has heard of its end.
    is_over: bool,
}

/// What became of one attempt.
#[derive(Debug)]
pub struct AttemptResult {
    /// Which one.
    pub attempt: Attempt,
    /// The answer, its first words here; or why there is none.
    pub answer: Result<Response<Body>, AttemptError>,
    /// When that was known.
    pub ended: Time,
}

impl Execution {
    /// Begins.
    pub fn new(core: Rc<Core>, plan: Plan) -> Execution {
        Execution { route: plan.route().clone(), plan: Arc::new(Mutex::new(plan)), core, is_over: false }
    }

    /// The plan. Not to be held while anything is waited for.
    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan for the records.
    pub fn shared(&self) -> SharedPlan {
        SharedPlan { plan: self.plan.clone(), route: self.route.clone() }
    }

    /// The route that it follows.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// The core that it runs on.
    pub fn core(&self) -> &Rc<Core> {
        &self.core
    }

    /// The next attempt from now on, after whatever has to be waited for; or why there is none.
    pub async fn next(&mut self, mut now: Time) -> Result<Attempt, Reason> {
        loop {
            let step = self.plan().next(now);
            match step {
                Step::Attempt(attempt) => return Ok(attempt),
                Step::Wait(time) => sleep(clock::until(time)).await,
                Step::GiveUp(reason) => return Err(reason),
                Step::Answered => return Err(Reason::Exhausted),
            }
            now = clock::now();
        }
    }

    /// The answer is whole.
    pub fn end(mut self, now: Time) {
        self.plan().finish(now);
        self.is_over = true;
    }

    /// The answer broke off with this fault, when the client had so much of it. What now?
    pub fn broken(&self, fault: &Fault, sent: Sent) -> MidStream {
        let verdict = match fault.kind {
            FaultKind::Timeout => Verdict::Late(Limit::Idle),
            _ => Verdict::Broken,
        };
        self.plan().broken(verdict, sent, clock::now())
    }

    /// Notes what became of an attempt. Is its answer the one that the client gets? A config may ask on for a status that
    /// it lists.
    pub fn note(&self, result: &AttemptResult) -> bool {
        let further = self.route.leaves().get(result.attempt.leaf).is_some_and(|leaf| {
            leaf.settings.retry.as_ref().is_some_and(|retry| retry.use_retry_after_header)
        });
        let outcome = match &result.answer {
            Ok(answer) => Outcome::of(Verdict::Success { status: answer.status().as_u16() }),
            Err(error) => error.outcome(further),
        };
        let mut plan = self.plan();
        plan.outcome(&result.attempt, outcome, result.ended);
        plan.next(result.ended) == Step::Answered
    }
}

/// An event stream whose plan hears how it ends.
#[derive(Debug)]
pub struct Followed {
    events: Box<dyn Events>,
    execution: Execution,
    /// The plan has heard of a malformed event.
    is_noted: bool,
    /// Why it broke off, for whoever asks next.
    fault: Option<Fault>,
}

impl Followed {
    /// Follows this stream.
    pub fn new(events: Box<dyn Events>, execution: Execution) -> Followed {
        Followed { events, execution, is_noted: false, fault: None }
    }
}

impl Events for Followed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        let polled = self.events.poll_frame(context);
        if let Some(fault) = self.events.take_fault() {
            self.execution.broken(&fault, Sent::ToolCall);
            self.fault = Some(fault);
        }
        if !self.is_noted && self.events.is_malformed() {
            self.is_noted = true;
            self.execution.plan().malformed(clock::now());
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
        self.fault.take()
    }

    fn observed(&mut self) -> Option<&Observed> {
        self.events.observed()
    }

    fn switch(&mut self, client: Channel, unread: Bytes) {
        self.events.switch(client, unread);
    }

    fn drain(&mut self) {
        self.events.drain();
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if !self.is_over {
            self.plan().finish(clock::now());
        }
    }
}

/// What a client is told that nobody answered, where no provider said anything either.
pub fn given_up(reason: Reason) -> Fault {
    let (kind, message) = match reason {
        Reason::TooMuchWork => return too_much_work(),
        Reason::Deadline => {
            (FaultKind::Timeout, "The deadline of the request is over, and no target has answered.")
        }
        Reason::AttemptsMax => {
            (FaultKind::Upstream, "The most attempts of one request are made, and none was answered.")
        }
        Reason::Exhausted | Reason::Stopped | Reason::Broken | Reason::ClientGone => {
            (FaultKind::Upstream, "No target of the config could be asked.")
        }
    };
    Fault::new(kind, message).with_code("no_target_answered")
}

fn too_much_work() -> Fault {
    let message = "The conditions of the config are too much work for a request of this size: let fewer of them have a \
                   $regex on a long text, or ask for fewer different fields of the body.";
    Fault::invalid(message).with_code("config_too_costly").with_param("config")
}

/// A limit of the config was passed.
pub fn late(limit: Limit, provider: &str, after: Duration) -> AttemptError {
    let what = match limit {
        Limit::FirstToken => "said nothing",
        Limit::Connect | Limit::FirstByte | Limit::Idle | Limit::Deadline => "did not answer",
    };
    let message = format!("Provider `{provider}` {what} within {} ms.", after.as_millis());
    AttemptError::without_answer(Fault::new(FaultKind::Timeout, message), Verdict::Late(limit))
}
