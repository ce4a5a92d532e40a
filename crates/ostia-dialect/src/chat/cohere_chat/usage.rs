//! Tokens: <https://docs.cohere.com/reference/chat>, `usage`.

use crate::json::{Json, Node};
use crate::{Meter, Metered, Usage};

/// `usage`: the tokens that went through the model, or where they are not said those that are billed, which are fewer: the vendor's
/// own instructions are not among them.
pub(super) fn decode(usage: Node<'_>) -> Option<Usage> {
    let (tokens, billed) = (usage.some("tokens"), usage.some("billed_units"));
    let count =
        |name: &str| billed.filter(|_| tokens.is_some()).and_then(|billed| billed.u64(name)).unwrap_or(0);
    let metered = Metered::one(Meter::BilledInput, count("input_tokens"))
        .with(Meter::BilledOutput, count("output_tokens"));
    let tokens = tokens.or(billed)?;
    Some(Usage {
        prompt: tokens.u64("input_tokens").unwrap_or(0),
        completion: tokens.u64("output_tokens").unwrap_or(0),
        cached: usage.u64("cached_tokens"),
        reasoning: tokens.u64("reasoning_tokens"),
        metered,
        ..Usage::default()
    })
}

/// Units that are billed, which differ from the tokens used; kept for clients that want them.
pub(super) fn billed_units(usage: Node<'_>) -> Option<(String, Json)> {
    usage.some("billed_units").map(|units| ("billed_units".to_owned(), Json::of(units)))
}
