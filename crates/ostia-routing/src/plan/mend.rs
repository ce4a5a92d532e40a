//! A stream that breaks after it began.

use super::{Attempt, Kind, MidStream, Plan, Reason, Sent, Stage};
use crate::config::MidStreamPolicy;
use crate::outcome::Verdict;
use crate::record::Event;
use crate::time::Time;

impl Plan {
    /// The answer that was committed has broken ([`Verdict::Broken`] or [`Verdict::Late`]) when the client
    /// had so much of it. The target is asked once more before the next one is; whoever goes on with an
    /// answer must be declared capable of it (`prefill`).
    pub fn broken(&mut self, verdict: Verdict, sent: Sent, now: Time) -> MidStream {
        let Some(broken) = self.running[0].as_ref().filter(|running| running.committed) else {
            return MidStream::Error;
        };
        let Attempt { leaf, number, .. } = broken.attempt;
        if verdict == Verdict::ClientGone {
            self.finish(now);
            return MidStream::Error;
        }
        self.log.push(now, Event::Ended { leaf, number, verdict });
        self.release(0, verdict, now);
        self.verdict = Some(verdict);
        let policy = self.leaf(leaf).map_or(MidStreamPolicy::Error, |leaf| leaf.mid_stream());
        match (policy, sent) {
            (MidStreamPolicy::Continue, Sent::Text) => {}
            (MidStreamPolicy::Error, _) | (_, Sent::ToolCall) => return self.break_off(now),
        }
        self.kind = Kind::Continue;
        self.resume(leaf, now).map_or_else(|| self.break_off(now), MidStream::Continue)
    }

    /// The answer that was committed has an event that is malformed, and went on as it came.
    pub fn malformed(&mut self, now: Time) {
        if let Some(Attempt { leaf, number, .. }) = self.running[0].as_ref().map(|running| running.attempt) {
            self.log.push(now, Event::Malformed { leaf, number });
        }
    }

    fn break_off(&mut self, now: Time) -> MidStream {
        self.give_up(Reason::Broken, now);
        MidStream::Error
    }

    /// The same target once more, or the next.
    fn resume(&mut self, leaf: usize, now: Time) -> Option<Attempt> {
        if self.bound(now).is_some() {
            return None;
        }
        self.stage = Stage::Choose;
        let here = leaf == self.visit.leaf && !self.visit.resumed && self.afford_retry(leaf, now);
        let pass = if here { self.admit(leaf, now) } else { None };
        let (leaf, pass) = match pass {
            Some(pass) => (leaf, pass),
            None => self.advance(now)?,
        };
        self.visit.resumed |= leaf == self.visit.leaf && here;
        Some(self.start(leaf, pass, self.kind, now))
    }
}
