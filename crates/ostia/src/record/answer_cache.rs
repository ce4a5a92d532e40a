//! What gateways say in the head of an answer of their cache of answers, as data: another gateway may stand behind this one.
//!
//! This is no vendor's prompt cache, which makes tokens cheaper and is told in the count of them. An answer that came from such a
//! cache cost its gateway nothing.

use ostia_store::{Actor, CacheResult, CacheStatus};

/// A header that tells it.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// In small letters.
    header: &'static str,
    /// What its value says.
    value: Value,
    /// The header with the age of the answer, in seconds.
    age: Option<&'static str>,
    /// The header with the similarity.
    similarity: Option<&'static str>,
    /// Where that can be read.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by whoever looks after the table"))]
    source: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    /// One of [`WORDS`].
    Word,
    /// The name of an entry: only an answer from the cache has one.
    Entry,
}

/// All headers that are known to tell it.
const ROWS: [Row; 7] = [
    row("x-portkey-cache-status", "https://portkey.ai/docs/api-reference/inference-api/response-schema"),
    row("cf-aig-cache-status", "https://developers.cloudflare.com/ai-gateway/features/caching/"),
    row("helicone-cache", "https://docs.helicone.ai/features/advanced-usage/caching"),
    Row {
        age: Some("x-openrouter-cache-age"),
        ..row("x-openrouter-cache-status", "https://openrouter.ai/docs/guides/features/response-caching")
    },
    // The similarity alone is no hit: a miss has one too.
    Row {
        value: Value::Entry,
        similarity: Some("x-litellm-semantic-similarity"),
        ..row("x-litellm-cache-key", "https://docs.litellm.ai/docs/proxy/caching")
    },
    Row {
        age: Some("x-ai-cache-age"),
        similarity: Some("x-ai-cache-similarity"),
        ..row("x-ai-cache-status", "https://apisix.apache.org/docs/apisix/plugins/ai-cache/")
    },
    Row {
        age: Some("age"),
        ..row("x-cache-status", "https://developer.konghq.com/plugins/ai-semantic-cache/")
    },
];

const fn row(header: &'static str, source: &'static str) -> Row {
    Row { header, value: Value::Word, age: None, similarity: None, source }
}

/// Their words, in capitals, with a space between two.
const WORDS: [(&str, CacheStatus); 10] = [
    ("HIT", CacheStatus::Hit),
    // The first layer of APISIX's cache looks for the same request, the second for one that means the same.
    ("HIT L1", CacheStatus::Hit),
    ("HIT L2", CacheStatus::SemanticHit),
    ("SEMANTIC HIT", CacheStatus::SemanticHit),
    ("MISS", CacheStatus::Miss),
    ("SEMANTIC MISS", CacheStatus::SemanticMiss),
    ("REFRESH", CacheStatus::Refresh),
    ("REFRESHED", CacheStatus::Refresh),
    ("DISABLED", CacheStatus::Disabled),
    ("BYPASS", CacheStatus::Disabled),
];

/// A status by a gateway's word for it, whatever its case, with a space, a hyphen or an underscore between two words.
pub fn status(word: &str) -> Option<CacheStatus> {
    let letters = word.trim().bytes().map(|byte| match byte {
        b'-' | b'_' => b' ',
        letter => letter.to_ascii_uppercase(),
    });
    WORDS.iter().find(|(known, _)| letters.clone().eq(known.bytes())).map(|(_, status)| *status)
}

/// What these lines of headers say, names and values. Of several caches that an answer came through, one that had it counts.
pub fn read<'h, I: Iterator<Item = (&'h str, &'h [u8])>>(lines: impl Fn() -> I) -> Option<CacheResult> {
    let mut found: Option<(&Row, CacheStatus)> = None;
    for (name, value) in lines() {
        let Some(row) = ROWS.iter().find(|row| row.header.eq_ignore_ascii_case(name)) else { continue };
        let Some(status) = text(value).and_then(|value| row.status(value)) else { continue };
        if found.is_none_or(|(_, known)| status.is_hit() && !known.is_hit()) {
            found = Some((row, status));
        }
    }
    let (row, status) = found?;
    let value = |wanted: Option<&str>| {
        let wanted = wanted?;
        lines().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).and_then(|(_, value)| text(value))
    };
    let similarity = value(row.similarity).and_then(similarity);
    let by_meaning = matches!(row.value, Value::Entry) && similarity.is_some();
    Some(CacheResult {
        by: Actor::Upstream,
        status: if by_meaning { CacheStatus::SemanticHit } else { status },
        age_s: value(row.age).filter(|_| status.is_hit()).and_then(|age| age.parse().ok()),
        similarity,
    })
}

/// What a cache of another gateway's did, of which no more is known.
pub fn told(status: CacheStatus) -> CacheResult {
    CacheResult { by: Actor::Upstream, status, age_s: None, similarity: None }
}

impl Row {
    fn status(&self, value: &str) -> Option<CacheStatus> {
        match self.value {
            Value::Word => status(value),
            Value::Entry => (!value.is_empty()).then_some(CacheStatus::Hit),
        }
    }
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().map(str::trim)
}

/// A number from 0 to 1.
fn similarity(text: &str) -> Option<f64> {
    text.parse().ok().filter(|similarity| (0.0..=1.0).contains(similarity))
}

#[cfg(test)]
mod tests;
