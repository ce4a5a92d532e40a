//! A second attempt when the first token is late.

use super::{Attempt, Kind, Plan, Stage};
use crate::time::Time;

impl Plan {
    /// When a second target is to be asked beside the one under way; `None` if none is. Once a request at
    /// most.
    pub fn hedge_at(&self) -> Option<Time> {
        let running = self.running[0].as_ref().filter(|running| !running.committed)?;
        if self.hedged || self.stage != Stage::Busy || running.attempt.kind != Kind::Usual {
            return None;
        }
        let hedge = self.leaf(running.attempt.leaf)?.hedge.as_ref()?;
        Some(running.attempt.began.after(hedge.after))
    }

    /// The second attempt; `None` if it is not due, the target's budget for such is spent, or there is no
    /// other target. The attempt under way goes on, and the first success of the two counts.
    pub fn hedge(&mut self, now: Time) -> Option<Attempt> {
        if self.hedge_at().is_none_or(|at| now < at) {
            return None;
        }
        // It is asked for once, whatever comes of it.
        self.hedged = true;
        if self.bound(now).is_some() {
            return None;
        }
        let first = self.running[0].as_ref()?.attempt.leaf;
        let target = self.leaf(first)?;
        let slot = self.slots.as_ref()?.target(target.slot?)?;
        if !slot.hedges.take(target.hedge.as_ref()?.budget, now) {
            return None;
        }
        // Nothing has failed, so every strategy may ask on; and if there is nobody else, nothing has
        // happened.
        let (walk, visit, verdict) = (self.walk.clone(), self.visit, self.verdict.take());
        let found = self.advance(now);
        self.verdict = verdict;
        match found {
            Some((leaf, pass)) => Some(self.start(leaf, pass, Kind::Hedge, now)),
            None => {
                (self.walk, self.visit) = (walk, visit);
                None
            }
        }
    }
}
