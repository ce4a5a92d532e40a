//! From a client's call to the request of a provider: which way it is carried, what is sent, and how the answer is read.
//!
//! Whoever sends it has nothing left to decide: [`way`] says how a call gets to a [`Recipient`], and [`prepare`] makes the
//! request. Nothing is asked of anybody here, so a dry run is the same without sending.

mod affinity;
mod body;
mod by_chat;
mod call;
mod cannot_take;
mod drop_params;
mod elsewhere;
mod output_bound;
mod relay;
mod required;
mod translate;
mod way;

pub use affinity::{Affinity, affinity};
pub use body::finish;
pub use call::{ApiCall, Wanted};
pub use cannot_take::CannotTake;
pub use relay::{goes_as_it_came, with_params};
pub use translate::decode;
pub use way::{Way, client_dialect, way};

use bytes::Bytes;
use ostia_dialect::api::job::Upload;
use ostia_dialect::api::{MediaReader, Reader};
use ostia_dialect::form::Piece;
use ostia_dialect::frame::Framing;
use ostia_dialect::remote::Remote;
use ostia_dialect::rules::ModelFacts;
use ostia_dialect::{Api, ClientDialect, Dialect, Fault, Files, Request, Undo};
use serde_json::{Map, Value};

use crate::Provider;
use crate::settings::Values;

/// Whom a request is written for: a provider, and what a config says of the bodies that go there.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// Who.
    pub provider: &'a Provider,
    /// The path of the base URL.
    pub base_path: &'a str,
    /// The provider's settings for this call.
    pub values: &'a Values,
    /// The model to ask for, where that is not what the client says.
    pub model: Option<&'a str>,
    /// Body fields that are always set.
    pub override_params: Option<&'a Map<String, Value>>,
    /// Body fields that are set where the client gave none.
    pub default_params: Option<&'a Map<String, Value>>,
    /// Body fields to leave out, by path.
    pub drop_params: &'a [String],
    /// Whatever is missing from a relayed body is told at once.
    pub checks_body: bool,
    /// It is one of several, so that the conversation may have been led with another one.
    pub is_one_of_several: bool,
    /// The name by which it is known what the model takes, where its own does not tell ([`Request::base_model`]).
    pub base_model: Option<&'a str>,
    /// What is known of the model besides.
    pub facts: ModelFacts,
    /// What the model is known not to take.
    pub cannot_take: CannotTake,
    /// Chat goes to Mistral's fill-in-the-middle endpoint (<https://docs.mistral.ai/api/endpoint/fim>).
    pub fills_in_the_middle: bool,
}

impl Recipient<'_> {
    /// The name by which it is known what the model of a call takes.
    fn known_as<'n>(&self, call: &'n ApiCall<'_>) -> Option<&'n str>
    where
        Self: 'n,
    {
        self.base_model.or(self.model).or(call.model())
    }

    /// Says in a conversation what is known of its model.
    fn tell_of_model(&self, request: &mut Request) {
        request.base_model = self.base_model.map(str::to_owned);
        request.facts = self.facts;
    }
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Prepared {
    /// The provider is asked.
    Request(Outgoing),
    /// Nobody is asked: the tokens of this conversation are counted here.
    Estimate {
        /// The client's dialect.
        client: ClientDialect,
        /// What is counted.
        request: Box<Request>,
    },
    /// Files have to be fetched first, because the provider takes bytes only. Then it is prepared once more.
    Fetch(Vec<Remote>),
}

/// A request that can be sent, and how its answer is read.
#[derive(Debug)]
pub struct Outgoing {
    /// The API that is asked.
    pub api: Api,
    /// Path and query, base URL's path included.
    pub path: String,
    /// The body, but for what [`finish`] does.
    pub body: Content,
    /// What has to be sent before: the body names where it is.
    pub upload: Option<Box<Upload>>,
    /// Further bodies, each for a call of its own to the same path, whose answers are read together.
    pub more: Vec<Bytes>,
    /// Headers that the body asks for.
    pub headers: Vec<(&'static str, String)>,
    /// Headers of the client's that mean nothing there.
    pub without: &'static [&'static str],
    /// Fields of the client's that are not said, by path in its own words.
    pub dropped: Vec<String>,
    /// How the answer is read.
    pub answer: Reading,
}

/// The body of a request.
#[derive(Debug)]
pub enum Content {
    /// The client's own, as it came.
    Own,
    /// JSON.
    Json(Bytes),
    /// Anything else, with files that the client sent.
    Pieces {
        /// What it is.
        content_type: String,
        /// The pieces, in their order.
        pieces: Vec<Piece>,
    },
}

/// How an answer is read.
#[derive(Debug)]
pub enum Reading {
    /// Handed on as it comes.
    AsItIs {
        /// The API that is asked.
        api: Api,
        /// How the client wants it.
        wanted: Wanted,
        /// How the provider's streams are framed.
        framing: Framing,
    },
    /// A conversation, read and written anew.
    Conversation(Box<Conversation>),
    /// In one piece, as this reader says.
    Whole {
        /// The API that is asked.
        api: Api,
        /// Reads it.
        reader: Reader,
    },
    /// Something else than JSON, or made so.
    Media {
        /// The API that is asked.
        api: Api,
        /// Reads it.
        reader: MediaReader,
    },
}

/// How the answer to a conversation is read and written anew.
#[derive(Debug)]
pub struct Conversation {
    /// The client's dialect.
    pub client: ClientDialect,
    /// The dialect that the provider answers in.
    pub upstream: Dialect,
    /// How its streams are framed.
    pub framing: Framing,
    /// The model that was asked for.
    pub model: String,
    /// A stream is wanted.
    pub stream: bool,
    /// The client of a stream wants to know what it cost.
    pub include_usage: bool,
    /// A stream is framed as one JSON array.
    pub array: bool,
    /// What has to be undone in the answer.
    pub undo: Undo,
}

/// The request of a call that is carried this way. With a `beginning` it asks for the rest of an answer that began so.
/// `files`: what was fetched for it.
///
/// # Errors
/// 400 for what the client's body does not say or says wrongly, for what the provider has no form for, and for a file that was
/// not to be had.
pub fn prepare(
    way: Way,
    call: &ApiCall<'_>,
    recipient: &Recipient<'_>,
    beginning: Option<&str>,
    files: &Files,
) -> Result<Prepared, Fault> {
    let request = match way {
        Way::Relay => relay::relay(call, call.api, recipient),
        Way::RelayTo(upstream) => relay::relay(call, upstream, recipient),
        Way::Repair => relay::repair(call, recipient),
        Way::Converse(client) => {
            return translate::conversation(client, call, recipient, beginning, files);
        }
        Way::Translate(upstream) => return translate::other(upstream, call, recipient, files),
        Way::ByChat => return by_chat::prepare(call, recipient, files),
        Way::Count(client) => return translate::count(client, call, recipient, files),
    };
    request.map(Prepared::Request)
}

#[cfg(test)]
mod tests;
