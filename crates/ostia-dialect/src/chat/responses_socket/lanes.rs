//! The lanes of a connection: which of the requests that have come is answered next.
//!
//! Those of one lane are answered one after the other, in the order in which they came; those of several lanes at once. Bounds as
//! OpenAI has them: <https://developers.openai.com/api/docs/guides/websocket-mode>, section "Limits per connection".

use std::collections::VecDeque;

use super::{Create, Refused};
use crate::Fault;

/// Most answers that are under way at once.
const ACTIVE_MAX: usize = 16;
/// Most lanes with a name, of all that the connection has seen.
const NAMED_MAX: usize = 32;
/// Requests that wait, and their bytes: no more are read meanwhile.
const WAITING_MAX: usize = 16;
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneId(usize);

/// The lanes of a connection, and what waits in them.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: Vec<Lane>,
    waiting: VecDeque<(LaneId, Result<Create, Refused>)>,
    active: usize,
}

#[derive(Debug)]
struct Lane {
    /// JSON.
    stream_id: Option<String>,
    is_busy: bool,
}

impl Lanes {
    /// Takes a request, or what is wrong with one: it is told in its turn.
    ///
    /// # Errors
    /// The lane that it names would be one too many.
    pub fn add(&mut self, asked: Result<Create, Refused>) -> Result<(), Refused> {
        let stream_id = match &asked {
            Ok(create) => &create.stream_id,
            Err(refused) => &refused.stream_id,
        };
        let lane = match self.lanes.iter().position(|lane| lane.stream_id == *stream_id) {
            Some(known) => LaneId(known),
            None => self.open(stream_id.clone())?,
        };
        self.waiting.push_back((lane, asked));
        Ok(())
    }

    fn open(&mut self, stream_id: Option<String>) -> Result<LaneId, Refused> {
        let named = self.lanes.iter().filter(|lane| lane.stream_id.is_some()).count();
        if stream_id.is_some() && named >= NAMED_MAX {
            let message = format!(
                "This WebSocket has had {NAMED_MAX} different `stream_id`s: use one of them again, or open another one."
            );
            let fault = Fault::invalid(message).with_param("stream_id");
            let fault = Box::new(fault.with_code("websocket_stream_limit_reached"));
            return Err(Refused { fault, stream_id });
        }
        self.lanes.push(Lane { stream_id, is_busy: false });
        Ok(LaneId(self.lanes.len() - 1))
    }

    /// Is there room for one more request?
    pub fn has_room(&self) -> bool {
        let bytes = |(_, asked): &(LaneId, Result<Create, Refused>)| {
            asked.as_ref().map_or(0, |create| create.body.len())
        };
        self.waiting.len() < WAITING_MAX && self.waiting.iter().map(bytes).sum::<usize>() < WAITING_BYTES_MAX
    }

    /// Does any wait?
    pub fn are_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next one to be answered: the first in a lane in which nothing is under way. Its lane is busy until [`Lanes::end`].
    pub fn begin(&mut self) -> Option<(LaneId, Result<Create, Refused>)> {
        if self.active >= ACTIVE_MAX {
            return None;
        }
        let at = self.waiting.iter().position(|(lane, _)| !self.lanes[lane.0].is_busy)?;
        let next = self.waiting.remove(at)?;
        self.lanes[next.0.0].is_busy = true;
        self.active += 1;
        Some(next)
    }

    /// The answer that was under way in this lane is at its end.
    pub fn end(&mut self, lane: LaneId) {
        self.lanes[lane.0].is_busy = false;
        self.active -= 1;
    }

    /// Does a request wait in this lane that goes on from this answer?
    pub fn goes_on_from(&self, lane: LaneId, response_id: &str) -> bool {
        let goes_on = |asked: &Result<Create, Refused>| {
            asked.as_ref().is_ok_and(|create| create.previous.as_deref() == Some(response_id))
        };
        self.waiting.iter().any(|(of, asked)| *of == lane && goes_on(asked))
    }
}
