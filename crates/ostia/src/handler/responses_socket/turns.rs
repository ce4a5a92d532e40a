//! What all requests of a connection share, and how one of them comes to its answers: its own, and those that follow from it by
//! themselves.

use std::cell::RefCell;

use bytes::Bytes;
use ostia_dialect::responses_socket::steer::{self, Queued, Unsaid};
use ostia_dialect::responses_socket::{self as socket, Chain, Create, LaneId, Lanes, Refused, Said};
use tokio::time::Instant;

use super::steering::Steering;
use super::turn::{Ended, Turn};
use super::writer::{Gone, Writer};
use super::{Asked, CHAIN_BYTES_MAX, Connection, TOTAL_MAX};

/// What all requests of a connection share.
pub(super) struct Turns<'c> {
    pub connection: &'c Connection,
    pub writer: Writer,
    pub steering: Steering,
    pub chain: RefCell<Chain>,
    /// How long requests are answered.
    pub until: Instant,
    lanes: RefCell<Lanes>,
}

impl<'c> Turns<'c> {
    /// Of a connection on which nothing was said.
    pub fn new(connection: &'c Connection, writer: Writer) -> Turns<'c> {
        Turns {
            connection,
            writer,
            steering: Steering::default(),
            chain: RefCell::new(Chain::new(CHAIN_BYTES_MAX)),
            until: Instant::now() + connection.limits.total.min(TOTAL_MAX),
            lanes: RefCell::default(),
        }
    }

    /// Is there room for one more thing that the client says?
    pub fn have_room(&self) -> bool {
        self.lanes.borrow().has_room() && self.steering.has_room()
    }

    /// Do any wait?
    pub fn are_awaited(&self) -> bool {
        self.lanes.borrow().are_awaited()
    }

    /// Is it too late for another answer?
    pub fn are_late(&self) -> bool {
        Instant::now() >= self.until || self.connection.core.upstreams.are_replaced()
    }

    /// Takes what the client says. Gives what it hears of that outside of any answer.
    pub fn take(&self, asked: Asked) -> Option<impl Future<Output = Result<(), Gone>> + '_> {
        let event = match asked {
            Ok(Said::Create(create)) => self.add(Ok(create))?,
            Ok(Said::Steer(steer)) => self.steering.say(steer).err()?,
            Ok(Said::Processed) => return None,
            Err(refused) => self.add(Err(refused))?,
        };
        self.steering.is_to_hear();
        Some(async move {
            self.writer.hear(event).await?;
            self.steering.heard();
            Ok(())
        })
    }

    /// Waits until the client has taken the pong, which the library writes: a client that sends pings and reads nothing would have the
    /// gateway hold one for each.
    pub fn pong(&self) -> impl Future<Output = Result<(), Gone>> + '_ {
        self.steering.is_to_hear();
        self.writer.touch();
        async move {
            self.writer.flush().await?;
            self.steering.heard();
            Ok(())
        }
    }

    fn add(&self, asked: Result<Create, Refused>) -> Option<String> {
        let refused = self.lanes.borrow_mut().add(asked).err()?;
        Some(socket::fault(&refused.fault, refused.stream_id.as_deref()))
    }

    /// Begins the next request whose turn it is.
    pub fn begin(&self) -> Option<impl Future<Output = Result<(), Gone>> + '_> {
        let (lane, asked) = self.lanes.borrow_mut().begin()?;
        self.writer.touch();
        Some(async move {
            match asked {
                Ok(create) => self.answer(lane, create).await?,
                Err(Refused { fault, stream_id }) => {
                    self.writer.hear(socket::fault(&fault, stream_id.as_deref())).await?;
                }
            }
            self.lanes.borrow_mut().end(lane);
            Ok(())
        })
    }

    /// Answers a request, and those that follow from it by themselves.
    async fn answer(&self, lane: LaneId, mut create: Create) -> Result<(), Gone> {
        let mut queued = self.steering.held(lane, create.previous.as_deref());
        if !queued.is_empty() {
            // An input that makes no sense is told of by whoever reads the request.
            create.body = steer::before_input(&create.body, &queued).unwrap_or(create.body);
        }
        loop {
            let body = Bytes::from(std::mem::take(&mut create.body));
            let ended = Turn::new(self, lane, &create, queued).run(&body).await?;
            match self.follow(lane, &create, &body, ended).await? {
                Some((next, said)) => (create, queued) = (next, said),
                None => return Ok(()),
            }
        }
    }

    /// What becomes of what was said while a request was answered: the next request, with what is said in it.
    async fn follow(
        &self,
        lane: LaneId,
        create: &Create,
        body: &[u8],
        Ended { last, queued, next_number: number }: Ended,
    ) -> Result<Option<(Create, Vec<Queued>)>, Gone> {
        if queued.is_empty() {
            return Ok(None);
        }
        let response_id = last.as_deref().filter(|last| is_to_go_on(last)).and_then(socket::response_id);
        let Some((last, response_id)) = last.as_deref().zip(response_id) else {
            return self.give_back(create, queued, number).await.map(|()| None);
        };
        let is_awaited = self.lanes.borrow().goes_on_from(lane, &response_id);
        let required = steer::required_input(last);
        if !is_awaited && required.is_empty() {
            return match steer::successor(body, &response_id, &queued) {
                Ok(body) if !self.are_late() => {
                    let previous = Some(response_id);
                    Ok(Some((Create { body, previous, ..create.clone() }, queued)))
                }
                Ok(_) | Err(_) => self.give_back(create, queued, number).await.map(|()| None),
            };
        }
        if !is_awaited {
            for (number, queued) in (number..).zip(&queued) {
                let event = steer::pending(number, queued, &required, create.stream_id.as_deref());
                self.writer.hear(event).await?;
            }
        }
        self.steering.hold(lane, queued);
        Ok(None)
    }

    /// Gives back what could not be said.
    pub async fn give_back(&self, create: &Create, queued: Vec<Queued>, number: u64) -> Result<(), Gone> {
        for (number, Queued { id, steer }) in (number..).zip(&queued) {
            let why = Unsaid::NoSuccessor;
            let event = steer::failed(number, Some(id), steer, why, create.stream_id.as_deref());
            self.writer.hear(event).await?;
        }
        queued.iter().for_each(|queued| self.steering.forget(queued));
        Ok(())
    }
}

/// Can a conversation go on from the answer that this event ended?
fn is_to_go_on(last: &str) -> bool {
    matches!(socket::kind(last).as_deref(), Some("response.completed" | "response.incomplete"))
}
