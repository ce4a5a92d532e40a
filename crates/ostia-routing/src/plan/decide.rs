//! The single decisions: after a failure, about a target, at the bounds.

use std::time::Duration;

use super::walk::{View, Walk};
use super::{ATTEMPTS_MAX, Attempt, Kind, Limits, Plan, Reason, Running, Stage, Step, Visit};
use crate::balance::Gauge;
use crate::breaker::Pass;
use crate::outcome::{Class, Limit, Outcome, Verdict};
use crate::record::{Event, NoRetry, Skip};
use crate::retry;
use crate::state::Slot;
use crate::time::Time;

impl Plan {
    /// The next attempt, or the end.
    pub(super) fn proceed(&mut self, now: Time) -> Step {
        if let Some(reason) = self.bound(now) {
            return self.give_up(reason, now);
        }
        let again = matches!(self.stage, Stage::Waiting(_)).then_some(self.visit.leaf);
        let again = again.and_then(|leaf| self.admit(leaf, now).map(|pass| (leaf, pass)));
        if let Some((leaf, pass)) = again {
            return Step::Attempt(self.start(leaf, pass, self.kind, now));
        }
        match self.advance(now) {
            Some((leaf, pass)) => Step::Attempt(self.start(leaf, pass, self.kind, now)),
            None if self.walk.stopped => self.give_up(Reason::Stopped, now),
            None => self.give_up(Reason::Exhausted, now),
        }
    }

    /// Which bound of the whole request is reached.
    pub(super) fn bound(&self, now: Time) -> Option<Reason> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Reason::Deadline);
        }
        (self.attempts >= ATTEMPTS_MAX).then_some(Reason::AttemptsMax)
    }

    pub(super) fn give_up(&mut self, reason: Reason, now: Time) -> Step {
        self.stage = Stage::Over(reason);
        self.log.push(now, Event::GaveUp(reason));
        Step::GiveUp(reason)
    }

    /// Walks to the next target that may be asked.
    pub(super) fn advance(&mut self, now: Time) -> Option<(usize, Pass)> {
        loop {
            let slots = self.slots.as_deref();
            let view = View { route: &self.route, slots, asked: &self.asked, verdict: self.verdict, now };
            match self.walk.next(&view, &mut self.dice, &mut self.log) {
                Some(leaf) => {
                    self.visit = Visit { leaf, ..Visit::default() };
                    if let Some(pass) = self.admit(leaf, now) {
                        return Some((leaf, pass));
                    }
                }
                // Every target is left alone: then none is, because to ask nobody is certain to fail.
                None if self.refused && !self.forced && self.attempts == 0 => {
                    self.forced = true;
                    self.walk = Walk::default();
                    self.log.push(now, Event::BreakersIgnored);
                }
                None => return None,
            }
        }
    }

    /// Whether a target may be asked now.
    pub(super) fn admit(&mut self, leaf: usize, now: Time) -> Option<Pass> {
        let target = self.route.leaves().get(leaf)?;
        if self.kind == Kind::Continue && !target.continues() {
            self.log.push(now, Event::Skipped { leaf, why: Skip::CannotContinue });
            return None;
        }
        let Some((rule, slot)) = target.breaker.as_ref().zip(self.slot_of(leaf)) else {
            return Some(Pass::Usual);
        };
        let pass = slot.breaker.enter(rule, now);
        if pass.is_none() && self.forced {
            return Some(Pass::Usual);
        }
        if pass.is_none() {
            self.refused = true;
            self.log.push(now, Event::Skipped { leaf, why: Skip::BreakerOpen });
        }
        pass
    }

    fn slot_of(&self, leaf: usize) -> Option<&Slot> {
        self.slots.as_ref()?.target(self.leaf(leaf)?.slot?)
    }

    /// Begins an attempt.
    pub(super) fn start(&mut self, leaf: usize, pass: Pass, kind: Kind, now: Time) -> Attempt {
        self.attempts += 1;
        let (number, retry) = (self.attempts, self.visit.retries);
        let attempt = Attempt { leaf, number, retry, kind, began: now, limits: self.limits(leaf) };
        let gauges = self.walk.gauges(&self.route);
        self.each_gauge(&gauges, |gauge| gauge.begin());
        if retry == 0 && kind == Kind::Usual {
            self.earn(leaf, now);
        }
        self.log.push(now, Event::Tried { leaf, number, retry, kind });
        let running = Running { attempt, pass: Some(pass), gauges, committed: false };
        let place = usize::from(kind == Kind::Hedge && self.running[0].is_some());
        self.running[place] = Some(running);
        self.stage = Stage::Busy;
        attempt
    }

    fn limits(&self, leaf: usize) -> Limits {
        let Some(leaf) = self.leaf(leaf) else { return Limits::default() };
        Limits {
            first_byte: leaf.settings.request_timeout_ms.map(Duration::from_millis),
            first_token: leaf.settings.first_token_timeout_ms.map(Duration::from_millis),
            idle: leaf.settings.idle_timeout_ms.map(Duration::from_millis),
            until: self.deadline,
        }
    }

    /// Takes one retry from a target's budget, where it has one.
    pub(super) fn afford_retry(&self, leaf: usize, now: Time) -> bool {
        let rule = self.leaf(leaf).and_then(|leaf| leaf.retry.as_ref());
        rule.zip(self.slot_of(leaf)).is_none_or(|(rule, slot)| slot.retries.take(rule.budget, now))
    }

    /// A request to a target adds to its budgets.
    fn earn(&self, leaf: usize, now: Time) {
        let Some((target, slot)) = self.leaf(leaf).zip(self.slot_of(leaf)) else { return };
        if let Some(retry) = &target.retry {
            slot.retries.earn(retry.budget, now);
        }
        if let Some(hedge) = &target.hedge {
            slot.hedges.earn(hedge.budget, now);
        }
    }

    pub(super) fn place_of(&self, attempt: &Attempt) -> Option<usize> {
        self.running.iter().position(|running| {
            running.as_ref().is_some_and(|own| own.attempt.number == attempt.number && !own.committed)
        })
    }

    /// Whether a success is still a reason to ask again or elsewhere, as 246 can be.
    pub(super) fn wants_another(&self, attempt: &Attempt, verdict: Verdict) -> bool {
        let retries = |rule: &retry::Rule| rule.wants(verdict) && attempt.retry < rule.attempts;
        let again = self.leaf(attempt.leaf).and_then(|leaf| leaf.retry.as_ref()).is_some_and(retries);
        again || self.walk.moves_on(&self.route, verdict)
    }

    /// The answer is found: the client gets this one, and another attempt under way is not needed.
    pub(super) fn commit(&mut self, place: usize, verdict: Verdict, now: Time) {
        let Some(mut running) = self.running[place].take() else { return };
        self.drop_other(1 - place, now);
        let pass = running.pass.take();
        self.hand_back(&running, pass, verdict, now);
        running.committed = true;
        if self.visit.leaf != running.attempt.leaf {
            self.visit = Visit { leaf: running.attempt.leaf, ..Visit::default() };
        }
        self.running[0] = Some(running);
        self.observe(0, now);
        self.stage = Stage::Answered;
    }

    /// Tells the gauges how long the first token took, or has taken so far.
    fn observe(&self, place: usize, now: Time) {
        let Some(running) = &self.running[place] else { return };
        let latency = now.since(running.attempt.began);
        self.each_gauge(&running.gauges, |gauge| gauge.observe(latency, now));
    }

    /// Another attempt was quicker than the one at this place, if there is one.
    fn drop_other(&mut self, place: usize, now: Time) {
        if let Some(Attempt { leaf, number, .. }) = self.running[place].as_ref().map(|other| other.attempt) {
            self.log.push(now, Event::Dropped { leaf, number });
            self.observe(place, now);
            self.release(place, Verdict::ClientGone, now);
        }
    }

    /// An attempt is over, if there is one.
    pub(super) fn release(&mut self, place: usize, verdict: Verdict, now: Time) {
        let Some(mut running) = self.running[place].take() else { return };
        let failed = speaks_against(verdict);
        self.each_gauge(&running.gauges, |gauge| {
            gauge.end();
            if failed {
                gauge.fail(now);
            }
        });
        let pass = running.pass.take();
        // A stream that breaks after its success was told is a failure of its own.
        let pass = pass.or_else(|| (verdict != Verdict::ClientGone).then_some(Pass::Usual));
        self.hand_back(&running, pass, verdict, now);
    }

    fn hand_back(&self, running: &Running, pass: Option<Pass>, verdict: Verdict, now: Time) {
        let leaf = running.attempt.leaf;
        let rule = self.leaf(leaf).and_then(|leaf| leaf.breaker.as_ref());
        if let (Some(rule), Some(slot), Some(pass)) = (rule, self.slot_of(leaf), pass) {
            slot.breaker.leave(rule, pass, verdict, now);
        }
    }

    fn each_gauge(&self, gauges: &[usize], change: impl Fn(&Gauge)) {
        let slots = self.slots.as_deref();
        gauges.iter().filter_map(|index| slots?.gauge(*index)).for_each(change);
    }

    /// Again here, after a wait, or elsewhere.
    pub(super) fn after_failure(&mut self, attempt: &Attempt, outcome: Outcome, now: Time) -> Stage {
        let Some(wait) = self.wait_before_retry(attempt.leaf, outcome, now) else { return Stage::Choose };
        let (leaf, until) = (attempt.leaf, now.after(wait));
        self.visit.retries += 1;
        self.visit.waited = self.visit.waited.saturating_add(wait);
        self.log.push(now, Event::Waits { leaf, wait, told: outcome.wait.is_some() });
        Stage::Waiting(until)
    }

    /// How long to wait before the same target is asked again; `None` if it is not.
    fn wait_before_retry(&mut self, leaf: usize, outcome: Outcome, now: Time) -> Option<Duration> {
        let rule = self.route.leaves().get(leaf)?.retry.as_ref()?;
        if leaf != self.visit.leaf || self.visit.retries >= rule.attempts || !rule.wants_again(outcome) {
            return None;
        }
        let left = rule.wait_max.saturating_sub(self.visit.waited);
        let wait = match (outcome.verdict, outcome.wait) {
            // A guardrail's verdict is not mended by time.
            (Verdict::Denied | Verdict::Success { .. }, _) => Duration::ZERO,
            (_, Some(told)) => told,
            (_, None) => retry::backoff(self.visit.retries, &mut self.dice).min(left),
        };
        let too_long = wait > left || self.deadline.is_some_and(|deadline| now.after(wait) >= deadline);
        let why = match too_long {
            true => NoRetry::WaitTooLong,
            false if self.afford_retry(leaf, now) => return Some(wait),
            false => NoRetry::BudgetSpent,
        };
        self.log.push(now, Event::NotAgain { leaf, why, told: outcome.wait });
        None
    }
}

/// Whether a member that fails like this is a bad choice for the next request too.
fn speaks_against(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Refused { status, class } => status == 429 || status >= 500 || class == Class::Quota,
        Verdict::Unreachable | Verdict::Broken | Verdict::BadAnswer => true,
        Verdict::Late(limit) => limit != Limit::Deadline,
        Verdict::Success { .. }
        | Verdict::Untranslatable
        | Verdict::SignIn
        | Verdict::Denied
        | Verdict::ClientGone => false,
    }
}
