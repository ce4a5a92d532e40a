//! Event streams on their way back to the client.
//!
//! All of them wait for the client: nothing is read from the upstream before the client has taken what was read last.
//! When the upstream breaks off, the client gets an error event in its own dialect, and then a broken end.

pub mod changed;
pub mod first_token;
pub mod relayed;
mod resumable;
pub mod stage;
pub mod translated;

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The client has been told that the answer is broken.
    Broken,
    Whole,
}
