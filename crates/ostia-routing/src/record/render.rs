//! Notes to what can be read.

use std::time::Duration;

use super::{BreakerState, By, Event, Log, NoRetry, Record, Skip, Step, TARGETS_MAX, Target};
use crate::breaker::{self, remaining_ms};
use crate::config::Balance;
use crate::outcome::{Kind, Reason, Verdict};

use crate::route::{Child, Leaf, Route, Rule};
use crate::state::Slots;
use crate::time::{Time, micros};

/// What a record is made of.
pub(crate) struct Source<'a> {
    pub(crate) route: &'a Route,
    pub(crate) slots: Option<&'a Slots>,
    pub(crate) prices: &'a [Option<f64>],
    pub(crate) log: &'a Log,
    pub(crate) result: &'static str,
    pub(crate) attempts: u32,
    pub(crate) began: Time,
    pub(crate) deadline: Option<Time>,
    pub(crate) now: Time,
}

/// As it is written in a record.
pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Exhausted => "exhausted",
        Reason::Stopped => "stopped",
        Reason::Deadline => "deadline",
        Reason::AttemptsMax => "attempts_max",
        Reason::ClientGone => "client_gone",
        Reason::Broken => "broken",
        Reason::TooMuchWork => "too_much_work",
    }
}

impl Source<'_> {
    pub(crate) fn record(&self) -> Record {
        let answered = self.log.notes.iter().rev().find_map(|(_, event)| match event {
            Event::Ended { leaf, verdict, .. } if verdict.is_success() => Some(*leaf),
            _ => None,
        });
        Record {
            result: self.result,
            answered_by: answered.filter(|_| self.result == "answered").and_then(|leaf| self.path(leaf)),
            attempts: self.attempts,
            deadline_ms: self.deadline.map(|deadline| millis(deadline.since(self.began))),
            steps: self.log.notes.iter().map(|(at, event)| self.step(*at, *event)).collect(),
            steps_left_out: self.log.left_out,
            targets: (0..self.route.leaves().len().min(TARGETS_MAX)).map(|leaf| self.target(leaf)).collect(),
            order_if_all_fail: Vec::new(),
        }
    }

    fn path(&self, leaf: usize) -> Option<String> {
        self.route.leaves().get(leaf).map(|leaf| leaf.index_path.clone())
    }

    fn step(&self, at: Time, event: Event) -> Step {
        let at_ms = millis(at.since(self.began));
        let plain = |step| Step {
            at_ms,
            step,
            target: None,
            attempt: None,
            status: None,
            class: None,
            wait_ms: None,
            why: None,
        };
        let about = |step, leaf| Step { target: self.path(leaf), ..plain(step) };
        match event {
            Event::Chosen { branch, member, by } => self.chosen(branch, member, by, plain("chosen")),
            Event::Skipped { leaf, why } => {
                Step { why: Some(skip(why).to_owned()), ..about("skipped", leaf) }
            }
            Event::Tried { leaf, number, retry, kind } => {
                Step { attempt: Some(number), why: purpose(kind, retry), ..about("tried", leaf) }
            }
            Event::Ended { leaf, number, verdict } => Step {
                attempt: Some(number),
                status: verdict.status(),
                class: verdict.class(),
                why: what_happened(verdict).map(str::to_owned),
                ..about(if verdict.is_success() { "answered" } else { "failed" }, leaf)
            },
            Event::Malformed { leaf, number } => {
                let why = Some("an event is no whole JSON object, and went on as it came".to_owned());
                Step { attempt: Some(number), why, ..about("malformed", leaf) }
            }
            Event::Dropped { leaf, number } => {
                let why = Some("another attempt was quicker".to_owned());
                Step { attempt: Some(number), why, ..about("dropped", leaf) }
            }
            Event::Waits { leaf, wait, told } => {
                let why = if told { "the target asked for this wait" } else { "back-off with jitter" };
                Step { wait_ms: Some(millis(wait)), why: Some(why.to_owned()), ..about("waits", leaf) }
            }
            Event::NotAgain { leaf, why, told } => Step {
                wait_ms: told.map(millis),
                why: Some(no_retry(why).to_owned()),
                ..about("not_again", leaf)
            },
            Event::BreakersIgnored => {
                let why = "every target's circuit breaker is open, so none of them counts";
                Step { why: Some(why.to_owned()), ..plain("breakers_ignored") }
            }
            Event::GaveUp(why) => Step { why: Some(reason(why).to_owned()), ..plain("gave_up") },
        }
    }

    fn chosen(&self, branch: usize, member: usize, by: By, step: Step) -> Step {
        let Some(branch) = self.route.branches.get(branch) else { return step };
        let why = match by {
            By::Order => "the next in order".to_owned(),
            By::Condition(Some(index)) => format!("conditions[{index}] holds"),
            By::Condition(None) => "no condition holds".to_owned(),
            By::Sticky => "the caller's own target".to_owned(),
            By::Balance(balance) => how(balance).to_owned(),
        };
        Step { target: Some(format!("{}.targets[{member}]", branch.index_path)), why: Some(why), ..step }
    }

    fn target(&self, index: usize) -> Target {
        let gauge = self.gauge(index).and_then(|gauge| self.slots?.gauge(gauge));
        let leaf = self.route.leaves().get(index);
        Target {
            target: self.path(index).unwrap_or_default(),
            name: leaf.and_then(|leaf| leaf.settings.name.clone()),
            provider: leaf.and_then(|leaf| leaf.settings.provider.clone()),
            breaker: leaf.and_then(|leaf| self.breaker(leaf)),
            open_requests: gauge.map(|gauge| gauge.pending()),
            first_token_ms: gauge
                .and_then(|gauge| gauge.latency_us(self.now))
                .map(|micros| micros.round() / 1000.0),
            expected_price: self.prices.get(index).copied().flatten(),
        }
    }

    /// The gauge of a leaf that is itself a member of a pool.
    fn gauge(&self, leaf: usize) -> Option<usize> {
        self.route.branches.iter().find_map(|branch| match &branch.rule {
            Rule::Pool(pool) => {
                let member = branch.members.iter().position(|member| *member == Child::Leaf(leaf))?;
                pool.gauge(member)
            }
            Rule::Single | Rule::Fallback(_) | Rule::Conditional { .. } => None,
        })
    }

    fn breaker(&self, leaf: &Leaf) -> Option<BreakerState> {
        leaf.breaker.as_ref()?;
        let slot = leaf.slot.and_then(|slot| self.slots?.target(slot));
        let state = slot.map_or(breaker::State::Closed, |slot| slot.breaker.state(self.now));
        let (requests, failures) = slot.map_or((0, 0), |slot| slot.breaker.counts(self.now));
        let (state, open_for_ms) = match state {
            breaker::State::Closed => ("closed", None),
            breaker::State::Open(until) => ("open", Some(remaining_ms(until, self.now))),
            breaker::State::HalfOpen => ("half_open", None),
        };
        Some(BreakerState { state, open_for_ms, requests, failures })
    }
}

impl Record {
    /// A further target of the order in which all would be asked.
    pub(crate) fn push_order(&mut self, leaf: Option<&Leaf>) {
        self.order_if_all_fail.extend(leaf.map(|leaf| leaf.index_path.clone()));
    }
}

fn millis(duration: Duration) -> u64 {
    micros(duration) / 1000
}

fn how(balance: Balance) -> &'static str {
    match balance {
        Balance::Weighted => "drawn by weight",
        Balance::RoundRobin => "its turn",
        Balance::LeastPending => "the fewest open requests",
        Balance::LeastLatency => "the quicker one of two that were drawn",
        Balance::LeastCost => "the lowest expected price",
    }
}

fn skip(why: Skip) -> &'static str {
    match why {
        Skip::BreakerOpen => "its circuit breaker is open",
        Skip::CannotContinue => "it is not declared capable of going on with an answer (prefill)",
    }
}

fn no_retry(why: NoRetry) -> &'static str {
    match why {
        NoRetry::WaitTooLong => "the wait is longer than what is left of max_wait or the deadline",
        NoRetry::BudgetSpent => "the target's budget of retries is spent",
    }
}

fn purpose(kind: Kind, retry: u32) -> Option<String> {
    match kind {
        Kind::Usual if retry > 0 => Some(format!("retry {retry}")),
        Kind::Usual => None,
        Kind::Hedge => Some("the first token of another attempt is late".to_owned()),
        Kind::Continue => Some("goes on with an answer that broke off".to_owned()),
    }
}

fn what_happened(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Success { .. } | Verdict::Refused { .. } => None,
        Verdict::Unreachable => Some("no connection, or one that broke before the answer began"),
        Verdict::Broken => Some("the answer broke off"),
        Verdict::Late(limit) => Some(limit.as_str()),
        Verdict::Untranslatable => Some("the request cannot be said in the target's dialect"),
        Verdict::SignIn => Some("the gateway could not sign in"),
        Verdict::BadAnswer => Some("the answer is not what was promised"),
        Verdict::Denied => Some("a guardrail denied it"),
        Verdict::ClientGone => Some("the client went away"),
    }
}
