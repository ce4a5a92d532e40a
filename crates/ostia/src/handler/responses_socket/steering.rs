//! What clients say while answers are under way: which answer it is for, and what waits for the next one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use ostia_dialect::responses_socket::LaneId;
use ostia_dialect::responses_socket::steer::{self, Queued, Steer, Unsaid};
use tokio::sync::Notify;

/// Most that is queued on a connection, and its bytes.
const QUEUED_MAX: usize = 16;
const QUEUED_BYTES_MAX: usize = 1 << 20;
/// Most of what the client said that it has heard nothing of yet. No more is read meanwhile.
const UNHEARD_MAX: usize = 16;
/// Answers whose end is remembered, to tell them from those that there never were.
const ENDED_MAX: usize = 64;

/// Of all answers of a connection.
#[derive(Default)]
pub(super) struct Steering {
    under_way: RefCell<Vec<Rc<Steered>>>,
    /// Ids of the last answers that are at their end.
    ended: RefCell<VecDeque<String>>,
    /// What waits for a request of the client's that goes on from an answer: the lane, and what is for it.
    held: RefCell<Vec<(LaneId, Queued)>>,
    /// What is queued, and its bytes.
    queued: Cell<(usize, usize)>,
    unheard: Cell<usize>,
}

/// An answer under way, as it is steered.
pub(super) struct Steered {
    response_id: String,
    is_steerable: bool,
    /// What has come and the client has heard nothing of.
    come: RefCell<VecDeque<Steer>>,
    has_come: Notify,
}

impl Steered {
    /// Waits for something.
    pub async fn next(&self) {
        self.has_come.notified().await;
    }
}

impl Steering {
    /// Is there room for one more?
    pub fn has_room(&self) -> bool {
        self.unheard.get() < UNHEARD_MAX
    }

    /// An answer is under way.
    pub fn begin(&self, response_id: String, is_steerable: bool) -> Rc<Steered> {
        let (come, has_come) = (RefCell::default(), Notify::new());
        let steered = Rc::new(Steered { response_id, is_steerable, come, has_come });
        self.under_way.borrow_mut().push(steered.clone());
        steered
    }

    /// It is at its end: nothing more can be said.
    pub fn end(&self, steered: &Rc<Steered>) {
        self.under_way.borrow_mut().retain(|other| !Rc::ptr_eq(other, steered));
        let mut ended = self.ended.borrow_mut();
        ended.push_back(steered.response_id.clone());
        if ended.len() > ENDED_MAX {
            ended.pop_front();
        }
    }

    /// Something is said. `Err`: nothing comes of it, and this is the event that tells that.
    pub fn say(&self, steer: Steer) -> Result<(), String> {
        let under_way = self.under_way.borrow();
        if let Some(steered) = under_way.iter().find(|steered| steered.response_id == steer.previous) {
            steered.come.borrow_mut().push_back(steer);
            steered.has_come.notify_one();
            self.is_to_hear();
            return Ok(());
        }
        let why = match self.ended.borrow().contains(&steer.previous) {
            true => Unsaid::Completed,
            false => Unsaid::NotFound,
        };
        Err(steer::failed(0, None, &steer, why, None))
    }

    /// The client is to hear something of what it said.
    pub fn is_to_hear(&self) {
        self.unheard.set(self.unheard.get() + 1);
    }

    /// It has heard that.
    pub fn heard(&self) {
        self.unheard.set(self.unheard.get() - 1);
    }

    /// The next that has come for an answer: queued, or the event that tells why it is not. `number`: that of the event.
    pub fn take(
        &self,
        steered: &Steered,
        number: u64,
        stream_id: Option<&str>,
        new_id: impl FnOnce() -> String,
    ) -> Option<Result<Queued, String>> {
        let steer = steered.come.borrow_mut().pop_front()?;
        let (count, bytes) = self.queued.get();
        let more = (count + 1, bytes + steer.input.len());
        let why = match &steer.items {
            Err(what) => Unsaid::Invalid(what),
            Ok(_) if !steered.is_steerable => Unsaid::NotSupported,
            Ok(_) if more.0 > QUEUED_MAX || more.1 > QUEUED_BYTES_MAX => Unsaid::TooMany,
            Ok(_) => {
                self.queued.set(more);
                return Some(Ok(Queued { id: format!("steer_{}", new_id()), steer }));
            }
        };
        Some(Err(steer::failed(number, None, &steer, why, stream_id)))
    }

    /// It has been said, or given back.
    pub fn forget(&self, queued: &Queued) {
        let (count, bytes) = self.queued.get();
        self.queued.set((count - 1, bytes - queued.steer.input.len()));
    }

    /// Keeps what waits for a request in this lane.
    pub fn hold(&self, lane: LaneId, queued: Vec<Queued>) {
        self.held.borrow_mut().extend(queued.into_iter().map(|queued| (lane, queued)));
    }

    /// What has waited for a request in this lane that goes on from this answer.
    pub fn held(&self, lane: LaneId, previous: Option<&str>) -> Vec<Queued> {
        let mut held = self.held.borrow_mut();
        let is_for = |(of, queued): &mut (LaneId, Queued)| {
            *of == lane && Some(queued.steer.previous.as_str()) == previous
        };
        held.extract_if(.., is_for).map(|(_, queued)| queued).collect()
    }
}
