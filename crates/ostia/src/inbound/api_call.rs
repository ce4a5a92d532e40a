//! What is asked of a target.

use std::cell::OnceCell;

use bytes::Bytes;
use ostia_dialect::Fault;
use ostia_dialect::json::Document;
use ostia_dialect::relay::{self, Peek};

use super::Inbound;
use super::route::Typed;

/// A call of an API that is understood: its body, and what has been seen of it.
#[derive(Debug)]
pub struct ApiCall<'a> {
    /// The request that it came with.
    pub inbound: Inbound<'a>,
    /// The operation.
    pub typed: &'a Typed<'a>,
    /// The client's body.
    pub body: &'a Bytes,
    /// The same, its fields recorded: all of them, or those of its top.
    pub document: Document<'a>,
    /// Model and stream.
    pub peek: Peek,
    /// All of the body's fields, where the document has only those of its top.
    whole: OnceCell<Document<'a>>,
}

impl<'a> ApiCall<'a> {
    /// Reads a body as deep as it is said.
    ///
    /// # Errors
    /// 400 for a body that is no object, or in which model or stream are of the wrong kind.
    pub fn read(
        inbound: Inbound<'a>,
        typed: &'a Typed<'a>,
        body: &'a Bytes,
        depth: usize,
    ) -> Result<ApiCall<'a>, Fault> {
        let document = Document::of_request_to(body, depth)?;
        let peek = match typed.line() {
            Some(line) => Peek { model: Some(line.model.to_owned()), stream: line.stream },
            None => relay::peek(&document)?,
        };
        Ok(ApiCall { inbound, typed, body, document, peek, whole: OnceCell::new() })
    }

    /// The same call with another body.
    ///
    /// # Errors
    /// As for [`ApiCall::read`].
    pub fn with_body<'b>(&self, body: &'b Bytes) -> Result<ApiCall<'b>, Fault>
    where
        'a: 'b,
    {
        ApiCall::read(self.inbound, self.typed, body, usize::MAX)
    }

    /// The model that the client names.
    pub fn model(&self) -> Option<&str> {
        self.peek.model.as_deref()
    }

    /// The body with all its fields: scanned once more at most.
    ///
    /// # Errors
    /// 400 for a body that is no JSON further down.
    pub fn whole(&self) -> Result<&Document<'a>, Fault> {
        if self.document.is_whole() {
            return Ok(&self.document);
        }
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let whole = Document::of_request(self.body)?;
        Ok(self.whole.get_or_init(|| whole))
    }
}

/// What a target is asked to do.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'p, 'a> {
    /// A call that is understood.
    Api(&'p ApiCall<'a>),
    /// One that is handed on unread.
    Unread {
        /// The whole body, which may have to be sent more than once.
        body: &'p Bytes,
        /// Errors stay in the provider's own words.
        raw: bool,
    },
}

impl<'p, 'a> Payload<'p, 'a> {
    /// What is understood of it.
    pub fn api(self) -> Option<&'p ApiCall<'a>> {
        match self {
            Payload::Api(call) => Some(call),
            Payload::Unread { .. } => None,
        }
    }
}
