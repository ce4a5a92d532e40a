//! The canonical answer.

use crate::json::Json;
use crate::{Block, Usage};

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The upstream's id for it; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where it was not said.
    pub model: String,
    /// Unix seconds, where the upstream said.
    pub created: Option<u64>,
    /// The answers, one unless several were asked for.
    pub choices: Vec<Choice>,
    /// What it cost, in tokens.
    pub usage: Option<Usage>,
    /// The tier that served it.
    pub service_tier: Option<String>,
    /// OpenAI's `system_fingerprint`.
    pub system_fingerprint: Option<String>,
    /// Vendor fields outside the choices (`citations`, `groundingMetadata`), shown only to clients that want them.
    pub extra: Vec<(String, Json)>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its number, from 0.
    pub index: u32,
    /// What is said, in order.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub finish: Finish,
    /// The upstream's own word for that, where it has one.
    pub native_finish: Option<String>,
    /// The stop sequence that was met, where the upstream says.
    pub stop_sequence: Option<String>,
    /// Log-probabilities in OpenAI's shape (`{"content": [...]}`).
    pub logprobs: Option<Json>,
    /// Vendor fields of this choice, shown only to clients that want them.
    pub extra: Vec<(String, Json)>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model had said everything, or met a stop sequence.
    Stop,
    /// The token limit.
    Length,
    /// The model waits for the results of its calls.
    ToolCalls,
    /// A filter held it back.
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The vendor paused a long turn; send it back to go on.
    Pause,
}

impl Finish {
    /// OpenAI's word.
    pub fn openai(self) -> &'static str {
        match self {
            Finish::Stop | Finish::Pause => "stop",
            Finish::Length => "length",
            Finish::ToolCalls => "tool_calls",
            Finish::ContentFilter | Finish::Refusal => "content_filter",
        }
    }
}

/// How long a text is in characters, in which [`Citation`]s count.
pub(crate) fn characters(text: &str) -> u64 {
    // Most texts are ASCII, and that is quicker to see than to count.
    let count = if text.is_ascii() { text.len() } else { text.chars().count() };
    count as u64
}

/// A source that an answer quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// Its address, where it has one.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// First character of the quoting text, counted in characters from the start of the message's text.
    pub start: Option<u64>,
    /// The character behind the last one.
    pub end: Option<u64>,
    /// The citation as the vendor wrote it, to be handed back to that vendor.
    pub value: Option<Json>,
}
