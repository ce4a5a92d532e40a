//! Tokens: <https://platform.openai.com/docs/api-reference/responses/object>, `usage`.

use crate::Usage;
use crate::chat::usage::Charge;
use crate::json::{Node, Writer};

/// Reads the object.
pub(crate) fn decode(usage: Node<'_>) -> Usage {
    let detail = |group: &str, name: &str| usage.some(group).and_then(|details| details.u64(name));
    let prompt = usage.u64("input_tokens").unwrap_or_default();
    let completion = usage.u64("output_tokens").unwrap_or_default();
    Usage {
        prompt,
        completion,
        total: usage.u64("total_tokens").filter(|&total| total != prompt.saturating_add(completion)),
        cached: detail("input_tokens_details", "cached_tokens"),
        cache_written: detail("input_tokens_details", "cache_write_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        image_prompt: detail("input_tokens_details", "image_tokens"),
        image_completion: detail("output_tokens_details", "image_tokens"),
        charge: Charge::decode(usage),
        ..Usage::default()
    }
}

/// Writes the fields of the object.
pub(super) fn encode(w: &mut Writer, usage: &Usage) {
    w.field_u64("input_tokens", usage.prompt);
    w.field_object("input_tokens_details", |w| {
        w.field_u64("cached_tokens", usage.cached.unwrap_or_default());
        w.field_u64("cache_write_tokens", usage.cache_written.unwrap_or_default());
    });
    w.field_u64("output_tokens", usage.completion);
    w.field_object("output_tokens_details", |w| {
        w.field_u64("reasoning_tokens", usage.reasoning.unwrap_or_default());
    });
    w.field_u64("total_tokens", usage.total());
}
