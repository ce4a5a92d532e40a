//! A deadline that is moved often and seldom met.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Waits for pieces of an answer: each must come within `idle` of the last, all of them before `end`.
///
/// Moving a timer costs more than reading the clock, so it is set once, and moved only when it fires too early.
#[derive(Debug)]
pub struct Patience {
    idle: Duration,
    end: Instant,
    last: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Starts now.
    pub fn new(idle: Duration, end: Instant) -> Patience {
        Patience { idle, end, last: Instant::now(), sleep: None }
    }

    /// A piece has come.
    pub fn renew(&mut self) {
        self.last = Instant::now();
    }

    /// Is the time up? Registers the task where it is not.
    pub fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let due = (self.last + self.idle).min(self.end);
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}
