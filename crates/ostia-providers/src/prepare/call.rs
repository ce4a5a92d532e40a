//! What a client asks for.

use std::cell::OnceCell;

use bytes::Bytes;
use ostia_dialect::frame::Framing;
use ostia_dialect::json::Document;
use ostia_dialect::openai_responses::request::refers_to_earlier;
use ostia_dialect::relay::{self, Peek};
use ostia_dialect::{Api, Fault, PathParams};

/// A call of an API that is understood: its body, and what has been seen of it.
#[derive(Debug)]
pub struct ApiCall<'a> {
    /// The API, which is the client's.
    pub api: Api,
    /// What the path says, where it names the model.
    pub path: Option<PathParams<'a>>,
    /// The query of the client's URL.
    pub query: &'a str,
    /// The client's body.
    pub body: &'a Bytes,
    /// The same, its fields recorded: all of them, or those of its top.
    pub document: Document<'a>,
    /// Model and stream.
    pub peek: Peek,
    /// All of the body's fields, where the document has only those of its top.
    whole: OnceCell<Document<'a>>,
}

/// How a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// In one piece.
    Whole,
    /// As a stream of events.
    Events,
    /// As one JSON array that grows: Google's framing without `alt=sse`.
    Array,
}

impl<'a> ApiCall<'a> {
    /// Reads a body as deep as it is said.
    ///
    /// # Errors
    /// 400 for a body that is no object, or in which model or stream are of the wrong kind.
    pub fn read(
        api: Api,
        path: Option<PathParams<'a>>,
        query: &'a str,
        body: &'a Bytes,
        depth: usize,
    ) -> Result<ApiCall<'a>, Fault> {
        let document = Document::of_request_to(body, depth)?;
        let peek = match path {
            Some(path) => Peek { model: Some(path.model.to_owned()), stream: path.stream },
            None => relay::peek(&document)?,
        };
        let api = api.meant_by(document.root());
        Ok(ApiCall { api, path, query, body, document, peek, whole: OnceCell::new() })
    }

    /// The same call with another body.
    ///
    /// # Errors
    /// As for [`ApiCall::read`].
    pub fn with_body<'b>(&self, body: &'b Bytes) -> Result<ApiCall<'b>, Fault>
    where
        'a: 'b,
    {
        ApiCall::read(self.api, self.path, self.query, body, usize::MAX)
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

    /// How the client wants its answer.
    pub fn wanted(&self) -> Wanted {
        match self.framing() {
            _ if !self.peek.stream => Wanted::Whole,
            Framing::JsonArray => Wanted::Array,
            Framing::Sse | Framing::JsonLines | Framing::AwsEventStream | Framing::AwsChunks => {
                Wanted::Events
            }
        }
    }

    /// How a stream is framed. A client of Google's dialect may ask for events in place of one JSON array.
    pub(super) fn framing(&self) -> Framing {
        self.api.framing(self.asks_for_events())
    }

    pub(super) fn asks_for_events(&self) -> bool {
        self.query.split('&').any(|field| field == "alt=sse")
    }

    /// Does it refer to something that is not in it, but remembered from earlier calls?
    pub fn refers_to_earlier(&self) -> bool {
        self.api == Api::OpenaiResponses && refers_to_earlier(&self.document)
    }
}
