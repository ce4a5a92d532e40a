//! The decision record: what was decided for a request, and why.
//!
//! While a request runs, decisions are noted as a few words each. Only when somebody reads the record are
//! they turned into what can be read, together with what the shared state says of the targets then.

mod render;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::config::Balance;
use crate::outcome::{Class, Kind, Reason, Verdict};
use crate::route::Route;
use crate::state::Slots;
use crate::time::Time;

pub(crate) use render::{Source, reason};

/// Most notes on one request; further ones are counted.
const NOTES_MAX: usize = 512;
/// Most targets whose state is told.
const TARGETS_MAX: usize = 100;

/// The decision record of one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// `under_way`, `answered`, or why there is no answer: `exhausted`, `stopped`, `deadline`,
    /// `attempts_max`, `client_gone`, `broken`, `too_much_work`.
    pub result: &'static str,
    /// The target that answered: `config.targets[1]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// How many attempts were made.
    pub attempts: u32,
    /// How long the request may take, from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// What was decided, in order.
    pub steps: Vec<Step>,
    /// How many steps there were beyond those.
    #[serde(skip_serializing_if = "is_zero")]
    pub steps_left_out: u32,
    /// The first hundred targets, and what is known of them.
    pub targets: Vec<Target>,
    /// Only of a dry run: which targets would be asked one after the other, if all failed to connect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_if_all_fail: Vec<String>,
}

/// One decision, or what it led to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Milliseconds after the beginning of the request.
    pub at_ms: u64,
    /// `chosen`, `skipped`, `tried`, `answered`, `failed`, `malformed`, `dropped`, `waits`, `not_again`,
    /// `breakers_ignored`, `gave_up`.
    pub step: &'static str,
    /// The target or strategy that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Which attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The status that the target answered with, or that stands for what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The class of the failure, as `stop_on` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// How long it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What is known of a target when the record is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Which one: `config.targets[0]`.
    pub target: String,
    /// Its name in the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its provider in the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Its circuit breaker, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerState>,
    /// Its open requests, where the pool counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_requests: Option<u32>,
    /// Its usual time to the first token, where the pool measures it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// What the request was expected to cost there, where prices are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_price: Option<f64>,
}

/// A circuit breaker as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BreakerState {
    /// `closed`, `open` or `half_open`.
    pub state: &'static str,
    /// How long it stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_for_ms: Option<u64>,
    /// Requests that count at present.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is remembered of a plan that is over: as much as its record needs.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) route: Arc<Route>,
    pub(crate) slots: Option<Arc<Slots>>,
    pub(crate) prices: Vec<Option<f64>>,
    pub(crate) log: Log,
    pub(crate) result: &'static str,
    pub(crate) attempts: u32,
    pub(crate) began: Time,
    pub(crate) deadline: Option<Time>,
}

impl History {
    /// The route that was followed.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Puts another route in its place: the same one, without what a record does not need.
    pub fn replace_route(&mut self, route: Arc<Route>) {
        self.route = route;
    }

    /// What was decided, and why.
    pub fn record(&self, now: Time) -> Record {
        let source = Source {
            route: &self.route,
            slots: self.slots.as_deref(),
            prices: &self.prices,
            log: &self.log,
            result: self.result,
            attempts: self.attempts,
            began: self.began,
            deadline: self.deadline,
            now,
        };
        source.record()
    }
}

impl Route {
    /// What is known of its targets at this time: of the first hundred.
    pub fn targets(&self, now: Time) -> Vec<Target> {
        let (log, result, attempts) = (&Log::default(), "", 0);
        let slots = self.slots.as_deref();
        let source = Source {
            route: self,
            slots,
            prices: &[],
            log,
            result,
            attempts,
            began: now,
            deadline: None,
            now,
        };
        source.record().targets
    }
}

/// The notes on one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    notes: Vec<(Time, Event)>,
    left_out: u32,
}

impl Log {
    pub(crate) fn push(&mut self, now: Time, event: Event) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push((now, event));
        } else {
            self.left_out += 1;
        }
    }
}

/// One note.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Chosen { branch: usize, member: usize, by: By },
    Skipped { leaf: usize, why: Skip },
    Tried { leaf: usize, number: u32, retry: u32, kind: Kind },
    Ended { leaf: usize, number: u32, verdict: Verdict },
    Dropped { leaf: usize, number: u32 },
    Malformed { leaf: usize, number: u32 },
    Waits { leaf: usize, wait: Duration, told: bool },
    NotAgain { leaf: usize, why: NoRetry, told: Option<Duration> },
    BreakersIgnored,
    GaveUp(Reason),
}

/// What chose a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// There was nothing to choose.
    Order,
    /// The condition of this index, or the default.
    Condition(Option<usize>),
    /// The caller's key.
    Sticky,
    /// The rule of the pool.
    Balance(Balance),
}

/// Why a target was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    BreakerOpen,
    CannotContinue,
}

/// Why a target was not asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRetry {
    WaitTooLong,
    BudgetSpent,
}
