//! Tokens: <https://platform.claude.com/docs/en/api/messages>, `Usage`.
//!
//! The vendor counts what a cache gave and took beside `input_tokens`; in the hub both are part of the prompt.

use crate::Usage;
use crate::json::{Node, Writer};

/// What has been counted so far: an answer says it at once, a stream in several events, where the later value counts.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    thinking: Option<u64>,
}

impl Tokens {
    /// Takes what this object says.
    pub(super) fn observe(&mut self, usage: Node<'_>) {
        let details = usage.some("output_tokens_details");
        for (known, newer) in [
            (&mut self.input, usage.u64("input_tokens")),
            (&mut self.output, usage.u64("output_tokens")),
            (&mut self.cache_read, usage.u64("cache_read_input_tokens")),
            (&mut self.cache_written, usage.u64("cache_creation_input_tokens")),
            (&mut self.thinking, details.and_then(|details| details.u64("thinking_tokens"))),
        ] {
            *known = newer.or(*known);
        }
    }

    /// The hub's count of it.
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let count = |tokens: Option<u64>| tokens.unwrap_or(0);
        Some(Usage {
            prompt: count(self.input)
                .saturating_add(count(self.cache_read))
                .saturating_add(count(self.cache_written)),
            completion: count(self.output),
            cached: self.cache_read,
            cache_written: self.cache_written,
            reasoning: self.thinking,
            ..Usage::default()
        })
    }
}

/// Reads an object that says all at once.
pub(crate) fn decode(usage: Node<'_>) -> Option<Usage> {
    let mut tokens = Tokens::default();
    tokens.observe(usage);
    tokens.usage()
}

/// Writes the fields of the object: three parts of the prompt. Unknown is zero. Some vendors tell of more cached tokens than
/// the prompt has (Grok at Azure); clients add the parts up, so that they are held to it.
pub(super) fn encode(w: &mut Writer, usage: &Usage) {
    let read = usage.cached.unwrap_or(0).min(usage.prompt);
    let written = usage.cache_written.unwrap_or(0).min(usage.prompt - read);
    w.field_u64("input_tokens", usage.prompt - read - written);
    w.field_u64("cache_creation_input_tokens", written);
    w.field_u64("cache_read_input_tokens", read);
    w.field_u64("output_tokens", usage.completion);
    if let Some(thinking) = usage.reasoning {
        w.field_object("output_tokens_details", |w| w.field_u64("thinking_tokens", thinking));
    }
}
