//! Operations that a model does which only converses: what it is asked in words, and how its answer is read.
//!
//! Each of them says in the row of its API how a request becomes one or several conversations. In which dialect these are led, and
//! with whom, is decided elsewhere.

use std::fmt;

use super::{Answered, Asked};
use crate::{Fault, Request, Response};

/// How an operation is asked for in conversations.
#[derive(Debug, Clone, Copy)]
pub struct ByChat {
    /// The conversations that a request becomes.
    pub ask: fn(asked: Asked<'_>) -> Result<Questions, Fault>,
    /// Is this a model that is made for it, and does nothing else?
    pub is_made_for_it: fn(model: &str) -> bool,
    /// The field of the client's body that is told to the model.
    pub field: &'static str,
    /// Where in the client's body stands what this path in the body of a conversation leads to. `None`: the client did not say it.
    pub place: fn(path: &str) -> Option<String>,
}

/// What is asked.
#[derive(Debug)]
pub struct Questions {
    /// One conversation for each part of the request; never none.
    pub requests: Vec<Request>,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
    /// Reads the answers.
    pub reader: ChatReader,
}

type Read = dyn FnOnce(&[Response]) -> Answered;

/// Reads the answers to all conversations, in their order, and writes one in the client's form.
pub struct ChatReader(Box<Read>);

impl ChatReader {
    /// One that reads so.
    pub fn new(read: impl FnOnce(&[Response]) -> Answered + 'static) -> ChatReader {
        ChatReader(Box::new(read))
    }

    /// What the answers say, and the client's body; 502 for an answer that is not what was asked for.
    pub fn read(self, answers: &[Response]) -> Answered {
        (self.0)(answers)
    }
}

impl fmt::Debug for ChatReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatReader")
    }
}
