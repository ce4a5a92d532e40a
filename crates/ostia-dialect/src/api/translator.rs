//! Operations whose answers come in one piece, told in another vendor's form.
//!
//! Each of them is a folder of its own with its canonical request and answer, and gives one [`Translator`], which the rows
//! of its APIs name. Conversations are more than that, and have [`chat`](crate::chat).

use std::fmt;

use super::Api;
use crate::{Fault, Observed};

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
    /// Headers that the body asks for.
    pub headers: Vec<(&'static str, String)>,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
    /// Reads the answer.
    pub reader: Reader,
}

/// What [`Reader::read`] gives: the client's body, and what the answer says.
pub type Answer = (Vec<u8>, Observed);

type Read = dyn FnOnce(&[u8]) -> Result<Answer, Fault>;

/// Reads one answer, and writes it in the client's form.
pub struct Reader(Box<Read>);

impl Reader {
    /// One that reads so.
    pub fn new(read: impl FnOnce(&[u8]) -> Result<Answer, Fault> + 'static) -> Reader {
        Reader(Box::new(read))
    }

    /// The client's body.
    ///
    /// # Errors
    /// 502 for a body that is no answer, or that cannot be said in the client's form.
    pub fn read(self, body: &[u8]) -> Result<Answer, Fault> {
        (self.0)(body)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}
