//! What an answer has said so far, for whoever keeps an account of it: read on the way, and changed by nobody.
//!
//! It is the same however the answer is carried: a stream that is translated tells it by its events, one that is relayed
//! by the few of its events that are looked into ([`relay`](crate::relay)), and an answer in one piece by its end.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::json::{Document, Node};
use crate::relay::Grammar;
use crate::{
    Block, Content, Delta, Event, Fault, Finish, Response, Usage, anthropic_messages, embeddings,
    gemini_generate, openai_chat, openai_responses,
};

/// Longest count of tokens that is read, in bytes.
const USAGE_BYTES_MAX: usize = 4 << 10;

/// What an answer has said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Something has been said: words, thoughts, a call, or that it is all.
    pub first_token: bool,
    /// What it cost, so far as it says.
    pub usage: Option<Usage>,
    /// Why it ended: the first of its choices.
    pub finish: Option<Finish>,
    /// How often its sender said only that it is there.
    pub pings: u32,
    /// Why it is no answer, where that was seen: an error that was told in it, or an event before its first token that makes
    /// no sense.
    pub fault: Option<Fault>,
    /// Something has been said that is not yet on its way.
    said: bool,
}

impl Observed {
    /// Takes note of an event; `is_sent`: with it, something has been sent on. What an encoder holds back is not said yet.
    pub fn event(&mut self, event: &Event, is_sent: bool) {
        self.said = self.said || says_something(event);
        self.first_token |= self.said && is_sent;
        match event {
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop { choice, finish, .. } if *choice == 0 || self.finish.is_none() => {
                self.finish = Some(*finish);
            }
            _ => {}
        }
    }

    /// Takes note that the sender said only that it is there.
    pub fn ping(&mut self) {
        self.pings = self.pings.saturating_add(1);
    }

    /// What a whole answer says.
    pub fn of_response(response: &Response) -> Observed {
        let finish = response.choices.first().map(|choice| choice.finish);
        Observed { usage: response.usage, finish, ..Observed::default() }
    }

    /// What an answer of vectors says.
    pub fn of_embeddings(response: &embeddings::Response) -> Observed {
        let usage = response.usage.map(|usage| Usage {
            prompt: usage.prompt_tokens,
            total: Some(usage.total_tokens).filter(|total| *total != usage.prompt_tokens),
            ..Usage::default()
        });
        Observed { usage, ..Observed::default() }
    }

    /// What the body of a whole answer of this kind says. It is searched for two fields and not read: the last that counts
    /// tokens, and the first that says why a choice ended.
    ///
    /// ```
    /// use ostia_dialect::{Finish, Observed, relay::Grammar};
    /// let body = br#"{"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#;
    /// let observed = Observed::of_body(Grammar::OpenaiChat, body);
    /// assert_eq!((observed.usage.unwrap().total(), observed.finish), (8, Some(Finish::Length)));
    /// ```
    pub fn of_body(grammar: Grammar, body: &[u8]) -> Observed {
        let name = if grammar == Grammar::GeminiGenerate { &USAGE_GOOGLE } else { &USAGE };
        let counts = name.find_iter(body).filter_map(|at| object(&body[at + name.needle().len()..]));
        let usage = counts.last().and_then(|text| usage_of(grammar, text));
        Observed { usage, finish: finish_of(grammar, body), ..Observed::default() }
    }
}

pub(crate) static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
pub(crate) static USAGE_GOOGLE: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new("\"usageMetadata\""));

/// The value of a field and what follows it; `text` begins behind the field's name.
fn value(text: &[u8]) -> Option<&[u8]> {
    Some(text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

/// Is the value of a field an object?
pub(crate) fn is_object(text: &[u8]) -> bool {
    value(text).is_some_and(|value| value.starts_with(b"{"))
}

/// The object that is the value of a field, if it is one. The texts in a count of
/// tokens have no braces; of anything else that has, what is cut out here is no JSON.
fn object(text: &[u8]) -> Option<&[u8]> {
    let value = value(text)?;
    let value = value.starts_with(b"{").then_some(&value[..value.len().min(USAGE_BYTES_MAX)])?;
    let mut depth = 0usize;
    let end = value.iter().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map(|end| &value[..=end])
}

fn usage_of(grammar: Grammar, text: &[u8]) -> Option<Usage> {
    let document = Document::parse(text).ok()?;
    usage(grammar, document.root())
}

/// Reads a count of tokens. What is no conversation has the fields of one of OpenAI's two formats.
pub(crate) fn usage(grammar: Grammar, counts: Node<'_>) -> Option<Usage> {
    let has = |names: [&str; 2]| names.iter().any(|name| counts.u64(name).is_some());
    match grammar {
        Grammar::AnthropicMessages => anthropic_messages::usage(counts),
        Grammar::GeminiGenerate => gemini_generate::usage(counts),
        _ if has(["input_tokens", "output_tokens"]) => Some(openai_responses::usage(counts)),
        _ if has(["prompt_tokens", "completion_tokens"]) => Some(openai_chat::usage(counts)),
        _ => None,
    }
}

/// Why the first choice of a whole answer ended.
fn finish_of(grammar: Grammar, body: &[u8]) -> Option<Finish> {
    let word = |name: &str| {
        let mut found = memchr::memmem::find_iter(body, name).filter_map(|at| word(&body[at + name.len()..]));
        found.next()
    };
    match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions => {
            word("\"finish_reason\"").map(openai_chat::finish)
        }
        Grammar::AnthropicMessages => word("\"stop_reason\"").map(anthropic_messages::finish),
        Grammar::GeminiGenerate => word("\"finishReason\"").map(gemini_generate::finish),
        Grammar::OpenaiResponses => {
            let name = "\"incomplete_details\"";
            let at = memchr::memmem::find(body, name.as_bytes());
            match at.and_then(|at| object(&body[at + name.len()..])) {
                Some(details) => {
                    let document = Document::parse(details).ok()?;
                    Some(openai_responses::finish(document.root().str("reason").as_deref()))
                }
                None => word("\"status\"").filter(|status| *status == "completed").map(|_| Finish::Stop),
            }
        }
        Grammar::Unknown => None,
    }
}

/// The text that is the value of a field, if it is one with something in it.
fn word(text: &[u8]) -> Option<&str> {
    let value = value(text)?.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', value).filter(|end| *end > 0)?;
    std::str::from_utf8(&value[..end]).ok()
}

/// Does an event say words, thoughts, a call, or that it is all?
fn says_something(event: &Event) -> bool {
    match event {
        Event::BlockStart { block, .. } => holds_something(block),
        Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => !text.is_empty(),
        Event::Finish => true,
        _ => false,
    }
}

fn holds_something(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => !text.is_empty(),
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => true,
    }
}

#[cfg(test)]
mod tests;
