//! What is written besides records, by the one thread that writes, for somebody who waits for it.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;

use crate::feedback::{self, Feedback, FeedbackChange, NotTheirs};
use crate::reader::{Busy, ReadError};
use crate::spans::{self, Joined};

/// Orders that wait.
const WAITING_MAX: usize = 64;

/// Told the connection, or why there is none.
pub(crate) type Order = Box<dyn FnOnce(Result<&mut Connection, ReadError>) + Send>;

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
        self.give(done, move |connection| feedback::keep(connection, &all))
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
        self.give(done, move |connection| feedback::change(connection, &id, key.as_deref(), &change))
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
        self.give(done, move |connection| spans::insert_spans(connection, &all, now_ms).map(Ok))
    }

    fn give(
        &self,
        done: impl FnOnce(Done) + Send + 'static,
        order: impl FnOnce(&mut Connection) -> rusqlite::Result<Result<(), NotTheirs>> + Send + 'static,
    ) -> Result<(), Busy> {
        let order: Order = Box::new(move |connection| {
            done(connection.and_then(|connection| order(connection).map_err(ReadError::from)))
        });
        self.0.try_send(order).map_err(|_| Busy)
    }
}
