//! Tokens: <https://platform.claude.com/docs/en/api/messages>, `Usage`.
//!
//! The vendor counts what a cache gave and took beside `input_tokens`; in the hub both are part of the prompt.

use crate::chat::usage::Charge;
use crate::json::{Node, Writer};
use crate::{ServiceTier, Usage};

/// What has been counted so far: an answer says it at once, a stream in several events, where the later value counts.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    cache_written_1h: Option<u64>,
    web_searches: Option<u64>,
    tier: Option<ServiceTier>,
    charge: Option<Charge>,
    thinking: Option<u64>,
}

impl Tokens {
    /// Takes what this object says.
    pub(super) fn observe(&mut self, usage: Node<'_>) {
        let details = usage.some("output_tokens_details");
        // <https://platform.claude.com/docs/en/build-with-claude/prompt-caching#1-hour-cache-duration>
        let created = usage.some("cache_creation");
        let of_tools = usage.some("server_tool_use");
        for (known, newer) in [
            (&mut self.input, usage.u64("input_tokens")),
            (&mut self.output, usage.u64("output_tokens")),
            (&mut self.cache_read, usage.u64("cache_read_input_tokens")),
            (&mut self.cache_written, usage.u64("cache_creation_input_tokens")),
            (
                &mut self.cache_written_1h,
                created.and_then(|created| created.u64("ephemeral_1h_input_tokens")),
            ),
            (&mut self.web_searches, of_tools.and_then(|tools| tools.u64("web_search_requests"))),
            (&mut self.thinking, details.and_then(|details| details.u64("thinking_tokens"))),
        ] {
            *known = newer.or(*known);
        }
        let is_fast = usage.str("speed").as_deref() == Some("fast");
        let tier = usage.str("service_tier").map(|tier| ServiceTier::named(&tier));
        self.tier = is_fast.then_some(ServiceTier::Fast).or(tier).or(self.tier);
        self.charge = Charge::decode(usage).or(self.charge);
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
            cache_written_1h: self.cache_written_1h,
            web_searches: self.web_searches,
            tier: self.tier,
            charge: self.charge,
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
    if let Some(hour) = usage.cache_written_1h {
        w.field_object("cache_creation", |w| {
            w.field_u64("ephemeral_5m_input_tokens", written.saturating_sub(hour));
            w.field_u64("ephemeral_1h_input_tokens", hour.min(written));
        });
    }
    w.field_u64("output_tokens", usage.completion);
    if let Some(thinking) = usage.reasoning {
        w.field_object("output_tokens_details", |w| w.field_u64("thinking_tokens", thinking));
    }
}
