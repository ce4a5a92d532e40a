//! What is written besides records, by the one thread that writes, for somebody who waits for it.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::answers::ReadError;
use crate::engine::Engine;
use crate::feedback::{Feedback, FeedbackChange, NotTheirs};
use crate::reader::Busy;
use crate::spans::Joined;
use crate::write_error::{Checked, WriteError};

/// Orders that wait.
pub(crate) const WAITING_MAX: usize = 64;

/// Told the engine, or why nothing can be written.
pub(crate) type Order = Box<dyn FnOnce(Result<&mut Engine, ReadError>) + Send>;

/// Where orders are handed over.
#[derive(Clone)]
pub struct Orders(SyncSender<Order>);

impl fmt::Debug for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Orders")
    }
}

/// How an order was carried out.
pub type Done = Result<Result<(), NotTheirs>, ReadError>;

impl Orders {
    pub(crate) fn new() -> (Orders, Receiver<Order>) {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        (Orders(sender), receiver)
    }

    /// Keeps all of this feedback, or none; then calls `done`.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn keep(&self, all: Vec<Feedback>, done: impl FnOnce(Done) + Send + 'static) -> Result<(), Busy> {
        self.give(done, move |engine| engine.keep_feedback(&all))
    }

    /// Changes the feedback of this name, if it is of this key or there is none; then calls `done`.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn change(
        &self,
        id: String,
        key: Option<String>,
        change: FeedbackChange,
        done: impl FnOnce(Done) + Send + 'static,
    ) -> Result<(), Busy> {
        self.give(done, move |engine| engine.change_feedback(&id, key.as_deref(), &change))
    }

    /// Keeps all of these spans and logs of applications, or none; then calls `done`. `now_ms`: milliseconds since 1970.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn join(
        &self,
        all: Joined,
        now_ms: i64,
        done: impl FnOnce(Done) + Send + 'static,
    ) -> Result<(), Busy> {
        self.give(done, move |engine| engine.join(&all, now_ms).map(Ok))
    }

    fn give(
        &self,
        done: impl FnOnce(Done) + Send + 'static,
        order: impl FnOnce(&mut Engine) -> Checked + Send + 'static,
    ) -> Result<(), Busy> {
        let unwritten = |error: WriteError| ReadError::Unreadable(error.to_string());
        let order: Order =
            Box::new(move |engine| done(engine.and_then(|engine| order(engine).map_err(unwritten))));
        self.0.try_send(order).map_err(|_| Busy)
    }
}
