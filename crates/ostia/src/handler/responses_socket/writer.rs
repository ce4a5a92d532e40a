//! What a client hears on a connection that answers several requests at once: one message after the other. Whoever has something to
//! say waits for that, and reads no more of its provider's answer meanwhile.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::sync::Mutex;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Sink;

/// The client takes nothing any more.
#[derive(Debug)]
pub(super) struct Gone;

/// Has the client taken it, in time?
fn taken(sent: Result<Result<(), Error>, Elapsed>) -> Result<(), Gone> {
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

/// The client's side of a connection.
pub(super) struct Writer {
    sink: Mutex<Sink>,
    /// How long it may take nothing.
    patience: Duration,
    /// Since when it has heard nothing.
    silent_since: Cell<Instant>,
}

impl Writer {
    /// Of this connection. `patience`: how long the client may take nothing.
    pub fn new(sink: Sink, patience: Duration) -> Writer {
        Writer { sink: Mutex::new(sink), patience, silent_since: Cell::new(Instant::now()) }
    }

    /// Tells an event.
    ///
    /// # Errors
    /// The client takes nothing any more.
    pub async fn hear(&self, event: String) -> Result<(), Gone> {
        self.send(Message::text(event)).await
    }

    /// Sends a message, after those of others who have come before.
    ///
    /// # Errors
    /// The client takes nothing any more.
    pub async fn send(&self, message: Message) -> Result<(), Gone> {
        let mut sink = self.sink.lock().await;
        let sent = timeout(self.patience, sink.send(message)).await;
        self.touch();
        taken(sent)
    }

    /// Waits until the client has taken all that there is.
    ///
    /// # Errors
    /// It takes nothing any more.
    pub async fn flush(&self) -> Result<(), Gone> {
        let mut sink = self.sink.lock().await;
        taken(timeout(self.patience, sink.flush()).await)
    }

    /// Silence begins anew.
    pub fn touch(&self) {
        self.silent_since.set(Instant::now());
    }

    /// Tells the client, and whatever is on the way, again and again that the connection lives, while there is nothing else to say for
    /// so long. Ends when the client takes nothing any more.
    pub async fn pulse(&self, keep_alive: Option<Duration>) -> Gone {
        let Some(keep_alive) = keep_alive else { return pending().await };
        loop {
            sleep_until(self.silent_since.get() + keep_alive).await;
            // Something may have been said meanwhile; and where it is being said now, the client is waited for.
            if self.silent_since.get() + keep_alive > Instant::now() {
                continue;
            }
            if let Err(gone) = self.send(Message::Ping(Bytes::new())).await {
                return gone;
            }
        }
    }
}
