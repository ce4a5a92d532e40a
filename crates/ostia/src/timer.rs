//! A timer that is moved often and seldom fires.

#[cfg(test)]
pub mod set_clock;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set again and again, each time for a later moment.
///
/// Moving a timer costs more than reading the clock, so it stays where it is, and is moved only when it fires too early
/// or would fire too late.
#[derive(Debug)]
pub struct LazyTimer(Pin<Box<Sleep>>);

impl LazyTimer {
    /// Set for `due`.
    pub fn new(due: Instant) -> LazyTimer {
        LazyTimer(Box::pin(sleep_until(due)))
    }

    /// Has `due` come? Registers the task where it has not.
    pub fn poll_over(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        if self.0.deadline() > due {
            self.0.as_mut().reset(due);
        }
        loop {
            if self.0.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(due);
        }
    }
}
