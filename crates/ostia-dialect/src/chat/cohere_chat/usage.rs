//! Tokens: <https://docs.cohere.com/reference/chat>, `usage`.

use crate::Usage;
use crate::json::{Json, Node};

/// `usage`: the tokens that went through the model, or where they are not said those that are billed.
pub(super) fn decode(usage: Node<'_>) -> Option<Usage> {
    let tokens = usage.some("tokens").or_else(|| usage.some("billed_units"))?;
    Some(Usage {
        prompt: tokens.u64("input_tokens").unwrap_or(0),
        completion: tokens.u64("output_tokens").unwrap_or(0),
        cached: usage.u64("cached_tokens"),
        reasoning: tokens.u64("reasoning_tokens"),
        ..Usage::default()
    })
}

/// Units that are billed, which differ from the tokens used; kept for clients that want them.
pub(super) fn billed_units(usage: Node<'_>) -> Option<(String, Json)> {
    usage.some("billed_units").map(|units| ("billed_units".to_owned(), Json::of(units)))
}
