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
        // What went on with an answer before has text before it.
        let sent = if self.kind == Kind::Continue && sent == Sent::Nothing { Sent::Text } else { sent };
        let policy = self.leaf(leaf).map_or(MidStreamPolicy::Error, |leaf| leaf.mid_stream());
        let kind = match (policy, sent) {
            (MidStreamPolicy::Restart | MidStreamPolicy::Continue, Sent::Nothing) => Kind::Restart,
            (MidStreamPolicy::Continue, Sent::Text) => Kind::Continue,
            (MidStreamPolicy::Error, _) | (_, Sent::ToolCall) | (MidStreamPolicy::Restart, Sent::Text) => {
                return self.break_off(now);
            }
        };
        self.kind = kind;
        match self.resume(leaf, now) {
            Some(attempt) if kind == Kind::Continue => MidStream::Continue(attempt),
            Some(attempt) => MidStream::Restart(attempt),
            None => self.break_off(now),
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
