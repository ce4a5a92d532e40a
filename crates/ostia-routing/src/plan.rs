//! One request's way through a route: whom to ask now, how long to wait, when to give up.
//!
//! The shell asks [`Plan::next`], makes the attempt, reports its [`Outcome`], and asks again. Time is an
//! argument, and so is chance (the seed); the same arguments give the same decisions. However the request
//! ends, the shell calls [`Plan::finish`], also when the client goes away: what counts open requests would
//! not hear of it otherwise.
//!
//! ```text
//! Choose -> Attempt -> success -> Answered -> (the stream breaks) -> Attempt ...
//!   ^         |  ^
//!   |         v  | after a wait
//!   +------ failure -> GiveUp
//! ```

mod decide;
mod hedge;
mod mend;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use crate::breaker::Pass;
use crate::condition::Facts;
use crate::hash::Dice;
pub use crate::outcome::{Kind, Reason};
use crate::outcome::{Outcome, Verdict};
use crate::record::{self, Event, History, Log, Record, Source};
use crate::route::{Leaf, Route};
use crate::state::Slots;
use crate::time::Time;
use walk::{Asked, Walk};

/// Most attempts of one request, whatever its config says. More than a root can have targets.
pub const ATTEMPTS_MAX: u32 = 128;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Ask this target. As long as its outcome is not reported, the same is said again.
    Attempt(Attempt),
    /// Nothing until then.
    Wait(Time),
    /// The last attempt has the answer.
    Answered,
    /// No further attempt; the client gets the last answer, or is told why there is none.
    GiveUp(Reason),
}

/// One call to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Whom to ask: its index in [`Route::leaves`].
    pub leaf: usize,
    /// Which attempt of the request, from 1.
    pub number: u32,
    /// Which retry at this target; 0 for the first try.
    pub retry: u32,
    /// What for.
    pub kind: Kind,
    /// When it is made.
    pub began: Time,
    /// How long it may take.
    pub limits: Limits,
}

/// How long an attempt may take; `None` where the config does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// From sending to the head of the answer.
    pub first_byte: Option<Duration>,
    /// From sending to the first token.
    pub first_token: Option<Duration>,
    /// Between two pieces of the answer.
    pub idle: Option<Duration>,
    /// The deadline of the request.
    pub until: Option<Time>,
}

/// What the client has of a stream that broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Text that can be continued. What breaks before there is any was no answer yet, but an attempt that failed.
    Text,
    /// A tool call, or the beginning of one: no model can be asked to go on in the middle of it.
    ToolCall,
}

/// What to do about a stream that broke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MidStream {
    /// Tell the client, in its own dialect.
    Error,
    /// Ask for the rest, with what the client has as the beginning of the answer.
    Continue(Attempt),
}

/// One request's decisions.
#[derive(Debug)]
pub struct Plan {
    route: Arc<Route>,
    slots: Option<Arc<Slots>>,
    asked: Asked,
    dice: Dice,
    began: Time,
    deadline: Option<Time>,
    walk: Walk,
    stage: Stage,
    visit: Visit,
    /// What is under way: one attempt, and its hedge.
    running: [Option<Running>; 2],
    /// The last failure, as far as it decides what comes next.
    verdict: Option<Verdict>,
    attempts: u32,
    hedged: bool,
    /// What attempts are for. To continue an answer, only targets will do that are declared capable of it.
    kind: Kind,
    /// A breaker has refused a target; all have, and so none counts.
    refused: bool,
    forced: bool,
    log: Log,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Choose,
    Waiting(Time),
    Busy,
    Answered,
    Over(Reason),
}

/// The stay at one target.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    leaf: usize,
    retries: u32,
    waited: Duration,
    /// It was asked once more after its stream broke.
    resumed: bool,
}

/// An attempt under way.
#[derive(Debug)]
struct Running {
    attempt: Attempt,
    /// The breaker's leave, until it is handed back.
    pass: Option<Pass>,
    gauges: Vec<usize>,
    /// Its answer is what the client gets.
    committed: bool,
}

impl Plan {
    /// A plan for one request. `seed` should differ from request to request; `facts` are asked only here, and
    /// only if the route has conditions, sticky pools or prices.
    pub fn new(route: Arc<Route>, facts: &dyn Facts, seed: u64, now: Time) -> Plan {
        let slots = route.slots.clone();
        Plan::with(route, slots, facts, seed, now)
    }

    fn with(route: Arc<Route>, slots: Option<Arc<Slots>>, facts: &dyn Facts, seed: u64, now: Time) -> Plan {
        let asked = Asked::of(&route, facts);
        let mut log = Log::default();
        let stage = if asked.too_much { Stage::Over(Reason::TooMuchWork) } else { Stage::Choose };
        if let Stage::Over(reason) = stage {
            log.push(now, Event::GaveUp(reason));
        }
        Plan {
            asked,
            slots,
            dice: Dice::new(seed),
            began: now,
            deadline: route.deadline.map(|deadline| now.after(deadline)),
            walk: Walk::default(),
            stage,
            visit: Visit::default(),
            running: [None, None],
            verdict: None,
            attempts: 0,
            hedged: false,
            kind: Kind::Usual,
            refused: false,
            forced: false,
            log,
            route,
        }
    }

    /// With a deadline of the shell's own; the earlier one counts.
    pub fn bounded_by(mut self, deadline: Time) -> Plan {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// The route that it follows.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// What to do now.
    pub fn next(&mut self, now: Time) -> Step {
        match self.stage {
            Stage::Busy => match self.running.iter().flatten().next() {
                Some(running) => Step::Attempt(running.attempt),
                None => self.proceed(now),
            },
            Stage::Waiting(until) if now < until => Step::Wait(until),
            Stage::Choose | Stage::Waiting(_) => self.proceed(now),
            Stage::Answered => Step::Answered,
            Stage::Over(reason) => Step::GiveUp(reason),
        }
    }

    /// What became of an attempt. A success may be reported as soon as the first token is there; until then
    /// the answer must not be shown to the client. An attempt that is not under way is not heard.
    pub fn outcome(&mut self, attempt: &Attempt, outcome: impl Into<Outcome>, now: Time) {
        let outcome = outcome.into();
        let Some(place) = self.place_of(attempt) else { return };
        self.log
            .push(now, Event::Ended { leaf: attempt.leaf, number: attempt.number, verdict: outcome.verdict });
        if outcome.verdict.is_success() && !self.wants_another(attempt, outcome.verdict) {
            return self.commit(place, outcome.verdict, now);
        }
        self.release(place, outcome.verdict, now);
        if outcome.verdict == Verdict::ClientGone {
            return self.finish(now);
        }
        self.verdict = Some(outcome.verdict);
        // While another attempt is under way, the request has not failed.
        if self.running.iter().all(Option::is_none) {
            self.stage = self.after_failure(attempt, outcome, now);
        }
    }

    /// The request is over, however it went. To be called once the answer is whole or the client is gone; it
    /// may be called more than once.
    pub fn finish(&mut self, now: Time) {
        for place in 0..self.running.len() {
            self.release(place, Verdict::ClientGone, now);
        }
        if !matches!(self.stage, Stage::Answered | Stage::Over(_)) {
            self.give_up(Reason::ClientGone, now);
        }
    }

    /// What was decided so far, and why.
    pub fn record(&self, now: Time) -> Record {
        let source = Source {
            route: &self.route,
            slots: self.slots.as_deref(),
            prices: &self.asked.prices,
            log: &self.log,
            result: self.result(),
            attempts: self.attempts,
            began: self.began,
            deadline: self.deadline,
            now,
        };
        source.record()
    }

    /// What is left to remember of a plan that nobody follows any further.
    pub fn into_history(self) -> History {
        History {
            result: self.result(),
            route: self.route,
            slots: self.slots,
            prices: self.asked.prices,
            log: self.log,
            attempts: self.attempts,
            began: self.began,
            deadline: self.deadline,
        }
    }

    fn result(&self) -> &'static str {
        match self.stage {
            Stage::Answered => "answered",
            Stage::Over(reason) => record::reason(reason),
            Stage::Choose | Stage::Waiting(_) | Stage::Busy => "under_way",
        }
    }

    /// What would be decided for a request, if the first target that is asked answered, and in which order
    /// others would be asked if each of them failed. Nobody is called, and no other request feels it.
    pub fn explain(route: Arc<Route>, facts: &dyn Facts, seed: u64, now: Time) -> Record {
        let copy = || route.slots.as_ref().map(|slots| Arc::new(slots.copy()));
        let plan = || Plan::with(route.clone(), copy(), facts, seed, now);
        let mut answered = plan();
        if let Step::Attempt(attempt) = answered.next(now) {
            answered.outcome(&attempt, Verdict::SUCCESS, now);
        }
        let mut record = answered.record(now);
        let mut failing = plan();
        while let Step::Attempt(attempt) = failing.next(now) {
            record.push_order(failing.leaf(attempt.leaf));
            failing.release(0, Verdict::ClientGone, now);
            failing.verdict = Some(Verdict::Unreachable);
            failing.stage = Stage::Choose;
        }
        record
    }

    fn leaf(&self, leaf: usize) -> Option<&Leaf> {
        self.route.leaves().get(leaf)
    }
}
