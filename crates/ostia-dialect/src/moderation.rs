//! Moderation: is a text harmful, and how? Over every vendor's way to ask for it.
//!
//! Clients speak OpenAI's form. Vendors sort harm into categories of their own: where one means the same as one of OpenAI's it is
//! told under both names, so that a client of either finds it, and all others are told as they came. Nothing is said of
//! categories that the vendor does not judge. A model that converses can judge too (`by_chat`). Scores are carried as text, so a digit is never changed on the way.

mod by_chat;
mod guard;
pub mod mistral;
pub mod openai;
#[cfg(test)]
mod tests;
mod translator;

pub use by_chat::BY_CHAT;
pub use translator::TRANSLATOR;

use crate::json::Json;

/// A wire format for moderation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/moderations`.
    Openai,
    /// Mistral's `/moderations`.
    Mistral,
    /// Mistral's `/chat/moderations`.
    MistralChat,
}

/// A call of a model that judges.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The upstream's model id; none where the client leaves it to the vendor.
    pub model: Option<String>,
    /// What to judge.
    pub input: Input,
    /// Other fields: name and value, in the order they came.
    pub extra: Vec<(String, Json)>,
}

/// What is to be judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Texts, each a string of JSON and judged for itself.
    Texts(Vec<Json>),
    /// The messages of a conversation, judged together: the list as the client wrote it.
    Conversation(Json),
}

/// The verdicts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The upstream's id for the answer; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where it was not said.
    pub model: String,
    /// One verdict for each text, in their order.
    pub results: Vec<Verdict>,
    /// Tokens read, where the upstream said.
    pub tokens: Option<u64>,
}

/// What is said of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Is it harmful in this way?
    pub categories: Vec<(String, bool)>,
    /// How sure the model is, as it was written.
    pub scores: Vec<(String, Json)>,
}
