//! Tokens: <https://platform.openai.com/docs/api-reference/chat/object>, `usage`.

use crate::chat::usage::Charge;
use crate::json::{Node, Writer};
use crate::{RenderOptions, Usage};

/// Usage where OpenAI puts it, or where Groq's streams put it.
pub(super) fn decode(root: Node<'_>) -> Option<Usage> {
    root.some("usage").or_else(|| root.some("x_groq")?.some("usage")).map(counts)
}

/// Reads the object.
pub(crate) fn counts(usage: Node<'_>) -> Usage {
    let [prompt_details, completion_details] =
        ["prompt_tokens_details", "completion_tokens_details"].map(|group| usage.some(group));
    let of_prompt = |name: &str| prompt_details.and_then(|details| details.u64(name));
    let of_completion = |name: &str| completion_details.and_then(|details| details.u64(name));
    let prompt = usage.u64("prompt_tokens").unwrap_or_default();
    let completion = usage.u64("completion_tokens").unwrap_or_default();
    Usage {
        prompt,
        completion,
        total: usage.u64("total_tokens").filter(|&total| total != prompt.saturating_add(completion)),
        cached: of_prompt("cached_tokens")
            .or(usage.u64("prompt_cache_hit_tokens"))
            .or(usage.u64("cached_tokens")),
        cache_written: of_prompt("cache_write_tokens"),
        reasoning: of_completion("reasoning_tokens").or(usage.u64("reasoning_tokens")),
        audio_prompt: of_prompt("audio_tokens"),
        audio_completion: of_completion("audio_tokens"),
        accepted_prediction: of_completion("accepted_prediction_tokens"),
        rejected_prediction: of_completion("rejected_prediction_tokens"),
        image_completion: of_completion("image_tokens"),
        charge: Charge::decode(usage),
        ..Usage::default()
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
