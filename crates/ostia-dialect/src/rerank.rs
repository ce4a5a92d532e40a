//! Rerank: documents, the most fitting to a query first, over every vendor's way to ask for it.
//!
//! Clients speak Jina's form, which is also that of Cohere's first version and of most servers, Cohere's second or Voyage's.
//! Scores are carried as text, so a digit is never changed on the way; so are documents. A document that the client wants
//! back, and that the vendor does not send, is put beside its score here: the client sent it.

pub mod bedrock;
pub mod cohere;
pub mod jina;
pub mod nvidia;
pub mod pinecone;
mod request;
#[cfg(test)]
mod tests;
mod translator;
pub mod vertex;
pub mod voyage;

pub use request::{Passage, Request, decode_request};
pub use translator::{TRANSLATOR, fits, meant};

use crate::json::{Document, Json, Node, Writer};
use crate::{Encoded, Fault};

/// A wire format for ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Cohere's `/v2/rerank`.
    Cohere,
    /// Jina's `/rerank`.
    Jina,
    /// Voyage's `/rerank`.
    Voyage,
    /// Amazon Bedrock's `InvokeModel`.
    Bedrock,
    /// NVIDIA's `/ranking`.
    Nvidia,
    /// Pinecone's `/rerank`.
    Pinecone,
    /// Google's `rankingConfigs:rank`.
    Vertex,
}

impl Dialect {
    /// Every dialect, in the order of the enum.
    pub const ALL: [Dialect; 7] = [
        Dialect::Cohere,
        Dialect::Jina,
        Dialect::Voyage,
        Dialect::Bedrock,
        Dialect::Nvidia,
        Dialect::Pinecone,
        Dialect::Vertex,
    ];
}

/// A form in which clients ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Cohere's `/v2/rerank`.
    Cohere,
    /// Jina's `/rerank`.
    Jina,
    /// Voyage's `/rerank`.
    Voyage,
}

impl Client {
    /// The client's side of a dialect, if it has one.
    pub fn of(dialect: Dialect) -> Option<Client> {
        match dialect {
            Dialect::Cohere => Some(Client::Cohere),
            Dialect::Jina => Some(Client::Jina),
            Dialect::Voyage => Some(Client::Voyage),
            Dialect::Bedrock | Dialect::Nvidia | Dialect::Pinecone | Dialect::Vertex => None,
        }
    }

    /// Writes a whole answer.
    pub fn encode(self, request: &Request, response: &Response) -> Vec<u8> {
        match self {
            Client::Cohere => cohere::encode_response(request, response),
            Client::Jina => jina::encode_response(request, response),
            Client::Voyage => voyage::encode_response(request, response),
        }
    }
}

/// The ranking.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The upstream's id for the answer; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where it was not said.
    pub model: String,
    /// The documents that fit best, in the upstream's order, no more than were asked for.
    pub results: Vec<Ranked>,
    /// What it cost.
    pub usage: Usage,
    /// Cohere's account of the call, as it was written.
    pub meta: Option<Json>,
}

/// A document's place in the ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Which of the request's documents it is, from 0.
    pub index: usize,
    /// How well it fits: the number as the upstream wrote it.
    pub score: Json,
}

/// What a ranking cost, so far as the upstream says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub tokens: Option<u64>,
    /// Searches that are billed: a query with up to a hundred documents, mostly.
    pub search_units: Option<u64>,
}

/// The body for this request in the upstream's dialect, and what it could not say.
///
/// Fails with 400 that names a document that the dialect cannot say.
pub fn encode(dialect: Dialect, request: &Request) -> Result<Encoded, Fault> {
    match dialect {
        Dialect::Cohere => cohere::encode(request),
        Dialect::Jina => jina::encode(request),
        Dialect::Voyage => voyage::encode(request),
        Dialect::Bedrock => bedrock::encode(request),
        Dialect::Nvidia => nvidia::encode(request),
        Dialect::Pinecone => pinecone::encode(request),
        Dialect::Vertex => vertex::encode(request),
    }
}

/// Reads a whole answer of an upstream to this request.
///
/// Fails with 502 where the body is not of the dialect, or ranks what was not sent.
pub fn decode(dialect: Dialect, request: &Request, body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let response = match dialect {
        Dialect::Cohere => cohere::decode(root),
        Dialect::Jina => jina::decode(root),
        Dialect::Voyage => voyage::decode(root),
        Dialect::Bedrock => bedrock::decode(root),
        Dialect::Nvidia => nvidia::decode(root),
        Dialect::Pinecone => pinecone::decode(root),
        Dialect::Vertex => vertex::decode(root),
    };
    let mut response =
        response.ok_or_else(|| Fault::upstream("The provider's answer has no ranking of documents."))?;
    let sent = request.documents.len();
    if let Some(other) = response.results.iter().find(|ranked| ranked.index >= sent) {
        let message = format!("The provider ranked document {}, and {sent} were sent.", other.index);
        return Err(Fault::upstream(message));
    }
    let wanted = request.top_n.and_then(|top_n| usize::try_from(top_n).ok());
    response.results.truncate(wanted.unwrap_or(usize::MAX));
    Ok(response)
}

/// The entries of a list, each with its index and its score in the field of this name.
fn ranked(list: Node<'_>, score: &str) -> Option<Vec<Ranked>> {
    let one = |entry: Node<'_>| {
        let score = entry.some(score).filter(|score| score.as_f64().is_some())?;
        Some(Ranked { index: usize::try_from(entry.u64("index")?).ok()?, score: Json::of(score) })
    };
    if list.is_array() { list.items().map(one).collect() } else { None }
}

/// What servers count in the form of OpenAI's; some have the total alone.
fn tokens(root: Node<'_>) -> Option<u64> {
    let usage = root.some("usage")?;
    usage.u64("prompt_tokens").or_else(|| usage.u64("total_tokens"))
}

/// Index, score and, where the client wants it, the document. `write` adds the document.
fn write_results(w: &mut Writer, request: &Request, response: &Response, write: fn(&mut Writer, &Passage)) {
    for ranked in &response.results {
        w.object(|w| {
            w.field_u64("index", ranked.index as u64);
            w.field_raw("relevance_score", ranked.score.as_str());
            let wanted = request.documents.get(ranked.index).filter(|_| request.return_documents);
            if let Some(document) = wanted {
                w.key("document");
                write(w, document);
            }
        });
    }
}

/// The names of fields that were given, of those that a dialect cannot say.
fn dropped<'a>(
    request: &'a Request,
    hub: &[(&str, bool)],
    is_own: impl Fn(&str) -> bool + 'a,
) -> Vec<String> {
    let hub = hub.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned());
    let extra = request.extra.iter().map(|(name, _)| name).filter(|name| !is_own(name));
    hub.chain(extra.cloned()).collect()
}
