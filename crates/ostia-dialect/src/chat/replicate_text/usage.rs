//! Tokens: the `metrics` of a prediction (<https://replicate.com/docs/reference/http#predictions.get>). Models that are not counted
//! by tokens have none.

use crate::Usage;
use crate::json::Node;

/// The counts of a prediction of a language model.
pub(super) fn decode(metrics: Node<'_>) -> Option<Usage> {
    let (prompt, completion) = (metrics.u64("input_token_count"), metrics.u64("output_token_count"));
    prompt.or(completion)?;
    Some(Usage { prompt: prompt.unwrap_or(0), completion: completion.unwrap_or(0), ..Usage::default() })
}
