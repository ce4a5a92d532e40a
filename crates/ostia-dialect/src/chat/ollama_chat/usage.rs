//! Tokens: <https://docs.ollama.com/api/usage>.

use crate::Usage;
use crate::json::Node;

/// The counts of a whole answer, or of the last line of a stream. A prompt that was all in the cache may have none.
pub(super) fn decode(root: Node<'_>) -> Option<Usage> {
    let (prompt, completion) = (root.u64("prompt_eval_count"), root.u64("eval_count"));
    prompt.or(completion)?;
    Some(Usage { prompt: prompt.unwrap_or(0), completion: completion.unwrap_or(0), ..Usage::default() })
}
