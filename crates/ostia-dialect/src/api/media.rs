//! Operations whose requests or answers are more than JSON: forms with files, sounds, streams of pieces.
//!
//! The same as [`Translator`](super::Translator) is for those that are JSON on both sides, and in one piece.

use std::fmt;

use super::job::Upload;
use super::{Api, Asked};
use crate::form::{Form, Piece};
use crate::{Fault, Files, Observed, Remote};

/// Finds the files at addresses in a request for this API.
type FindRemotes = fn(asked: Asked<'_>, form: Option<&Form>, upstream: Api) -> Result<Vec<Remote>, Fault>;

/// How the requests of an operation are told in another vendor's form.
#[derive(Debug, Clone, Copy)]
pub struct MediaTranslator {
    /// The API that takes the place of the client's, of those that a provider offers.
    pub upstream: fn(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api>,
    /// The files at addresses that have to be fetched before a request is told so.
    pub remotes: FindRemotes,
    /// Tells a request in the form of that API. Of a form the body of `asked` holds the fields, as JSON; `files` are those that were
    /// fetched.
    pub translate:
        fn(asked: Asked<'_>, form: Option<&Form>, files: &Files, upstream: Api) -> Result<Told, Fault>,
}

/// For operations whose requests name no files at addresses.
pub fn no_remotes(_: Asked<'_>, _: Option<&Form>, _: Api) -> Result<Vec<Remote>, Fault> {
    Ok(Vec::new())
}

/// A request in another vendor's form, and how its answer is read.
#[derive(Debug)]
pub struct Told {
    /// The API that is asked.
    pub api: Api,
    /// What its path names: the model, or a voice.
    pub in_path: String,
    /// The query that says the rest; percent-encoded.
    pub query: String,
    /// What the body is.
    pub content_type: String,
    /// The body.
    pub body: Vec<Piece>,
    /// What has to be sent before; the body names where it is.
    pub upload: Option<Box<Upload>>,
    /// Headers that the body asks for.
    pub headers: Vec<(&'static str, String)>,
    /// Fields of the client's that could not be said.
    pub dropped: Vec<String>,
    /// Reads the answer.
    pub reader: MediaReader,
}

/// An answer that has been read whole, in the client's form.
#[derive(Debug)]
pub struct MediaAnswer {
    /// What it is.
    pub content_type: &'static str,
    /// The client's body.
    pub body: Vec<u8>,
    /// What it says.
    pub observed: Observed,
}

/// Makes a client's answer of the files that belong to it.
type Finish = dyn FnOnce(&Files) -> Result<MediaAnswer, Fault>;

/// What comes of an answer that was read whole.
pub enum Read {
    /// The client's.
    Answer(Box<MediaAnswer>),
    /// It names files, which have to be fetched first.
    Fetch {
        /// Where they are.
        remotes: Vec<Remote>,
        /// Makes the client's answer of them.
        finish: Box<Finish>,
    },
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Read::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Read::Fetch { remotes, .. } => f.debug_tuple("Fetch").field(remotes).finish(),
        }
    }
}

type ReadWhole = dyn FnOnce(&[u8]) -> Result<Read, Fault>;

/// How an answer becomes the client's.
pub enum MediaReader {
    /// It is JSON, read whole.
    Whole(Box<ReadWhole>),
    /// It is no JSON, and changed while it passes.
    Passing(Box<dyn Passing>),
}

/// Changes the bytes of an answer while they pass.
pub trait Passing: fmt::Debug {
    /// What the client's answer is; `None`: what the provider says that it is.
    fn content_type(&self) -> Option<&'static str>;

    /// The client's bytes for these.
    fn push(&mut self, bytes: &[u8]) -> Vec<u8>;

    /// What stands behind the last of them.
    fn finish(&mut self) -> Vec<u8>;

    /// Do the bytes go on as they are?
    fn is_same(&self) -> bool;
}

impl MediaReader {
    /// One that reads an answer whole.
    pub fn whole(read: impl FnOnce(&[u8]) -> Result<MediaAnswer, Fault> + 'static) -> MediaReader {
        MediaReader::fetching(move |body| Ok(Read::Answer(Box::new(read(body)?))))
    }

    /// The same of one that may name files, which belong to it.
    pub fn fetching(read: impl FnOnce(&[u8]) -> Result<Read, Fault> + 'static) -> MediaReader {
        MediaReader::Whole(Box::new(read))
    }

    /// One that changes what passes.
    pub fn passing(passing: impl Passing + 'static) -> MediaReader {
        MediaReader::Passing(Box::new(passing))
    }
}

impl fmt::Debug for MediaReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaReader::Whole(_) => f.write_str("Whole"),
            MediaReader::Passing(passing) => f.debug_tuple("Passing").field(passing).finish(),
        }
    }
}
