//! Operations whose answers come in one piece, told in another vendor's form.
//!
//! Each of them is a folder of its own with its canonical request and answer, and gives one [`Translator`], which the rows
//! of its APIs name. Conversations are more than that, and have [`chat`](crate::chat).

use std::fmt;

use super::{Api, Operation};
use crate::observe::Subject;
use crate::{Fault, Observed, embeddings};

/// How the requests of an operation are told in another vendor's form.
#[derive(Debug, Clone, Copy)]
pub struct Translator {
    /// The API that takes the place of the client's, of those that a provider offers.
    pub upstream: fn(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api>,
    /// Tells a request in the form of that API.
    pub translate: fn(asked: Asked<'_>, upstream: Api) -> Result<Translated, Fault>,
}

/// A request as a client made it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The client's API.
    pub api: Api,
    /// The model that the path names; empty where the body does.
    pub path_model: &'a str,
    /// The model to ask for in place of the client's.
    pub model: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The most inputs of a call that the provider is known to take, where a request may have several.
    pub inputs_max: Option<usize>,
}

/// A request in another vendor's form, and how its answer is read.
#[derive(Debug)]
pub struct Translated {
    /// The API that is asked.
    pub api: Api,
    /// The model that is asked for.
    pub model: String,
    /// The body.
    pub body: Vec<u8>,
    /// Further bodies, each of a call of its own to the same path: a list that is longer than a call may be.
    pub more: Vec<Vec<u8>>,
    /// Headers that the body asks for.
    pub headers: Vec<(&'static str, String)>,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
    /// Reads the answer, or those of all calls.
    pub reader: Reader,
}

/// What [`Reader::read`] gives: the client's body, and what the answer says.
pub type Answer = (Vec<u8>, Observed);

/// What answers say, and the client's body, or why there is none: what they took is charged for all the same.
pub type Answered = (Observed, Result<Vec<u8>, Fault>);

/// The answer to one call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Came<'a> {
    /// Its body.
    pub body: &'a [u8],
    /// Tokens of the input, where a header tells them ([`Api::input_tokens_header`]).
    pub input_tokens: Option<u64>,
}

impl Came<'_> {
    /// What it says by itself, of an answer of this API; nothing of one that cannot be read.
    pub fn observed(&self, api: Api) -> Observed {
        match (api.dialect(), api.operation()) {
            (Some(dialect), _) => dialect
                .decode(self.body)
                .map_or_else(|_| Observed::default(), |said| Observed::of_response(&said)),
            (None, Operation::Embeddings(dialect)) => embeddings::observed(dialect, *self),
            (None, _) => Observed::of_body(Subject::of(api), self.body),
        }
    }
}

type Read = dyn FnOnce(&[Came<'_>]) -> Answered;

/// Reads one answer, or those of several calls, and writes one in the client's form.
pub struct Reader(Box<Read>);

impl Reader {
    /// One that reads a single answer.
    pub fn new(read: impl FnOnce(&[u8]) -> Result<Answer, Fault> + 'static) -> Reader {
        Reader::of_all(move |parts| match read(parts.first().copied().unwrap_or_default().body) {
            Ok((body, observed)) => (observed, Ok(body)),
            Err(fault) => (Observed::default(), Err(fault)),
        })
    }

    /// One that reads the answers of all calls, in their order.
    pub fn of_all(read: impl FnOnce(&[Came<'_>]) -> Answered + 'static) -> Reader {
        Reader(Box::new(read))
    }

    /// The client's body.
    ///
    /// # Errors
    /// 502 for a body that is no answer, or that cannot be said in the client's form.
    pub fn read(self, body: &[u8]) -> Result<Answer, Fault> {
        let (observed, body) = self.read_all(&[Came { body, input_tokens: None }]);
        Ok((body?, observed))
    }

    /// The same of the answers of all calls, in their order. What they say is told also where the body cannot be had.
    pub fn read_all(self, parts: &[Came<'_>]) -> Answered {
        (self.0)(parts)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}
