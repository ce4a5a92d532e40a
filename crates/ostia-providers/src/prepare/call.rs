//! What a client asks for.

use std::cell::OnceCell;

use bytes::Bytes;
use ostia_dialect::api::Answers;
use ostia_dialect::form::Form;
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
    /// The client's body; of a form its fields, as JSON.
    pub body: &'a Bytes,
    /// The form, where the client sent one.
    pub form: Option<&'a Form>,
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
    /// As it is: a sound, or a text.
    Bytes,
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
        let mut call = ApiCall { api, path, query, body, form: None, document, peek, whole: OnceCell::new() };
        call.peek.stream |= call.asks_by_word();
        Ok(call)
    }

    /// Reads the fields of a form, which are `body`.
    ///
    /// # Errors
    /// As for [`ApiCall::read`].
    pub fn read_form(
        api: Api,
        query: &'a str,
        form: &'a Form,
        body: &'a Bytes,
    ) -> Result<ApiCall<'a>, Fault> {
        let call = ApiCall::read(api, None, query, body, usize::MAX)?;
        Ok(ApiCall { form: Some(form), ..call })
    }

    /// Has the rest of the body not come yet?
    pub fn is_partial(&self) -> bool {
        self.form.is_some_and(|form| form.is_partial)
    }

    /// Does a word of this API's own ask for a stream?
    fn asks_by_word(&self) -> bool {
        let (field, word) = self.api.stream_field();
        field != "stream" && self.document.root().str(field).as_deref() == Some(word)
    }

    /// The same call with another body.
    ///
    /// # Errors
    /// As for [`ApiCall::read`].
    pub fn with_body<'b>(&self, body: &'b Bytes) -> Result<ApiCall<'b>, Fault>
    where
        'a: 'b,
    {
        let call = ApiCall::read(self.api, self.path, self.query, body, usize::MAX)?;
        Ok(ApiCall { form: self.form, ..call })
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
            _ if !self.peek.stream => self.wanted_whole(),
            Framing::JsonArray => Wanted::Array,
            Framing::Sse
            | Framing::JsonLines
            | Framing::AwsEventStream
            | Framing::AwsChunks
            | Framing::AwsParts => Wanted::Events,
        }
    }

    fn wanted_whole(&self) -> Wanted {
        let format = || self.document.root().str("response_format");
        match self.api.answers() {
            Answers::Bytes => Wanted::Bytes,
            Answers::JsonOrText(texts) if format().is_some_and(|format| texts.contains(&&*format)) => {
                Wanted::Bytes
            }
            Answers::Json | Answers::JsonOrText(_) => Wanted::Whole,
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
