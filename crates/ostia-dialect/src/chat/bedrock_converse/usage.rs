//! Tokens: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>.

use crate::Usage;
use crate::json::{Json, Node};

/// `usage`. Its `inputTokens` leave out what was read from the cache or written to it
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>).
pub(super) fn decode(usage: Node<'_>) -> Usage {
    let number = |name: &str| usage.u64(name);
    let (read, written) = (number("cacheReadInputTokens"), number("cacheWriteInputTokens"));
    let cached = [read, written].into_iter().flatten();
    Usage {
        prompt: cached.fold(number("inputTokens").unwrap_or(0), u64::saturating_add),
        completion: number("outputTokens").unwrap_or(0),
        cached: read,
        cache_written: written,
        cache_written_1h: kept_for_an_hour(usage),
        ..Usage::default()
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html>
fn kept_for_an_hour(usage: Node<'_>) -> Option<u64> {
    let details = usage.some("cacheDetails")?;
    let hours = details.items().filter(|detail| detail.str("ttl").as_deref() == Some("1h"));
    hours.filter_map(|detail| detail.u64("inputTokens")).reduce(u64::saturating_add)
}

/// How long what was written to the cache is kept there, which the hub has no room for.
pub(super) fn cache_details(usage: Node<'_>) -> Option<(String, Json)> {
    usage.some("cacheDetails").map(|details| ("cacheDetails".to_owned(), Json::of(details)))
}
