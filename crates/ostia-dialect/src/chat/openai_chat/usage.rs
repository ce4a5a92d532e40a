//! Tokens: <https://platform.openai.com/docs/api-reference/chat/object>, `usage`.

use crate::json::{Node, Writer};
use crate::{RenderOptions, Usage};

/// Usage where OpenAI puts it, or where Groq's streams put it.
pub(super) fn decode(root: Node<'_>) -> Option<Usage> {
    root.some("usage").or_else(|| root.some("x_groq")?.some("usage")).map(counts)
}

/// Reads the object.
pub(crate) fn counts(usage: Node<'_>) -> Usage {
    let detail = |group: &str, name: &str| usage.some(group).and_then(|details| details.u64(name));
    let prompt = usage.u64("prompt_tokens").unwrap_or_default();
    let completion = usage.u64("completion_tokens").unwrap_or_default();
    Usage {
        prompt,
        completion,
        total: usage.u64("total_tokens").filter(|&total| total != prompt.saturating_add(completion)),
        cached: detail("prompt_tokens_details", "cached_tokens")
            .or(usage.u64("prompt_cache_hit_tokens"))
            .or(usage.u64("cached_tokens")),
        cache_written: detail("prompt_tokens_details", "cache_write_tokens"),
        reasoning: detail("completion_tokens_details", "reasoning_tokens").or(usage.u64("reasoning_tokens")),
        audio_prompt: detail("prompt_tokens_details", "audio_tokens"),
        audio_completion: detail("completion_tokens_details", "audio_tokens"),
        accepted_prediction: detail("completion_tokens_details", "accepted_prediction_tokens"),
        rejected_prediction: detail("completion_tokens_details", "rejected_prediction_tokens"),
    }
}

/// Writes the object. What a cache took is shown in the field that Anthropic has for it, where the client is not strict.
pub(super) fn encode(w: &mut Writer, usage: &Usage, options: &RenderOptions) {
    w.object(|w| {
        w.field_u64("prompt_tokens", usage.prompt);
        w.field_u64("completion_tokens", usage.completion);
        w.field_u64("total_tokens", usage.total());
        w.field_object("prompt_tokens_details", |w| {
            w.field_u64("cached_tokens", usage.cached.unwrap_or_default());
            w.field_u64("audio_tokens", usage.audio_prompt.unwrap_or_default());
        });
        w.field_object("completion_tokens_details", |w| {
            w.field_u64("reasoning_tokens", usage.reasoning.unwrap_or_default());
            w.field_u64("audio_tokens", usage.audio_completion.unwrap_or_default());
            w.field_u64("accepted_prediction_tokens", usage.accepted_prediction.unwrap_or_default());
            w.field_u64("rejected_prediction_tokens", usage.rejected_prediction.unwrap_or_default());
        });
        if let (false, Some(written)) = (options.strict, usage.cache_written) {
            w.field_u64("cache_creation_input_tokens", written);
            w.field_u64("cache_read_input_tokens", usage.cached.unwrap_or_default());
        }
    });
}
