//! What is asked of a target.

use std::rc::Rc;

use bytes::Bytes;
use ostia_dialect::Fault;
use ostia_dialect::json::Document;
use ostia_dialect::relay::{self, Peek};

use crate::inbound::route::Typed;
use crate::responses_api::StoreHandle;

/// A body and what has been seen of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The operation.
    pub typed: &'a Typed<'a>,
    /// The client's body.
    pub body: &'a Bytes,
    /// The same, its fields recorded.
    pub document: &'a Document<'a>,
    /// Model and stream.
    pub peek: &'a Peek,
    /// Who remembers the answer, where that is settled already.
    pub keep: Option<&'a Rc<StoreHandle>>,
    /// The answer may have to be gone on with: it is decoded, and written anew.
    pub continues: bool,
}

/// Model and stream, from the request line where it says them, else from the body.
///
/// # Errors
/// 400 for a body that is no object, or in which one of them is of the wrong kind.
pub fn peek(typed: &Typed<'_>, document: &Document<'_>) -> Result<Peek, Fault> {
    match typed.line() {
        Some(line) => Ok(Peek { model: Some(line.model.to_owned()), stream: line.stream }),
        None => relay::peek(document),
    }
}

/// What a target is asked to do.
#[derive(Debug, Clone, Copy)]
pub enum Errand<'a> {
    /// A call that is understood.
    Typed(Asked<'a>),
    /// One that is handed on unread.
    Passed {
        /// The whole body, which may have to be sent more than once.
        body: &'a Bytes,
        /// Errors stay in the provider's own words.
        raw: bool,
    },
}

impl<'a> Errand<'a> {
    /// What is understood of it.
    pub fn asked(self) -> Option<Asked<'a>> {
        match self {
            Errand::Typed(asked) => Some(asked),
            Errand::Passed { .. } => None,
        }
    }
}
