//! What gateways say in the head of an answer of their cache of answers, as data: another gateway may stand behind this one.
//!
//! This is no vendor's prompt cache, which makes tokens cheaper and is told in the count of them. An answer that came from such a
//! cache cost its gateway nothing.

/// What a cache of answers did for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// The answer to the same request was there.
    Hit,
    /// The answer to a request that means the same was there.
    SemanticHit,
    /// There was none, and somebody was asked.
    Miss,
    /// None was near enough, and somebody was asked.
    SemanticMiss,
    /// It was not looked for, as the client wants a new one, or the one that was there is too old.
    Refresh,
    /// Nobody wants answers of such requests kept, or it cannot be.
    Disabled,
}

/// What the head of an answer says of the cache that it came through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CacheAnswer {
    /// What it did.
    pub status: CacheStatus,
    /// How long the answer had been there, in seconds.
    pub age_s: Option<u64>,
    /// How near the request is to the one that was answered, from 0 to 1.
    pub similarity: Option<f64>,
}

/// A header that tells it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// In small letters.
    pub header: &'static str,
    /// What its value says.
    value: Value,
    /// The header with the age of the answer, in seconds.
    age: Option<&'static str>,
    /// The header with the similarity.
    similarity: Option<&'static str>,
    /// Where that can be read.
    pub source: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    /// One of [`WORDS`].
    Word,
    /// The name of an entry: only an answer from the cache has one.
    Entry,
}

/// All headers that are known to tell it.
pub const ROWS: [Row; 7] = [
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

impl CacheStatus {
    /// All of them.
    pub const ALL: [CacheStatus; 6] = [
        CacheStatus::Hit,
        CacheStatus::SemanticHit,
        CacheStatus::Miss,
        CacheStatus::SemanticMiss,
        CacheStatus::Refresh,
        CacheStatus::Disabled,
    ];

    /// Did the answer come from the cache?
    pub fn is_hit(self) -> bool {
        matches!(self, CacheStatus::Hit | CacheStatus::SemanticHit)
    }

    /// As records tell it.
    pub fn as_str(self) -> &'static str {
        match self {
            CacheStatus::Hit => "hit",
            CacheStatus::SemanticHit => "semantic_hit",
            CacheStatus::Miss => "miss",
            CacheStatus::SemanticMiss => "semantic_miss",
            CacheStatus::Refresh => "refresh",
            CacheStatus::Disabled => "disabled",
        }
    }

    /// By a gateway's word for it, whatever its case, with a space, a hyphen or an underscore between two words.
    ///
    /// ```
    /// use ostia_dialect::answer_cache::CacheStatus;
    /// assert_eq!(CacheStatus::named("SEMANTIC HIT"), Some(CacheStatus::SemanticHit));
    /// assert_eq!(CacheStatus::named("Bypass"), Some(CacheStatus::Disabled));
    /// assert_eq!(CacheStatus::named("dynamic"), None);
    /// ```
    pub fn named(word: &str) -> Option<CacheStatus> {
        let letters = word.trim().bytes().map(|byte| match byte {
            b'-' | b'_' => b' ',
            letter => letter.to_ascii_uppercase(),
        });
        WORDS.iter().find(|(known, _)| letters.clone().eq(known.bytes())).map(|(_, status)| *status)
    }
}

impl CacheAnswer {
    /// What these lines of headers say, names and values. Of several caches that an answer came through, one that had it counts.
    ///
    /// ```
    /// use ostia_dialect::answer_cache::{CacheAnswer, CacheStatus};
    /// let head = [("x-openrouter-cache-status", b"HIT".as_slice()), ("x-openrouter-cache-age", b"12")];
    /// let told = CacheAnswer::read(|| head.into_iter()).unwrap();
    /// assert_eq!((told.status, told.age_s), (CacheStatus::Hit, Some(12)));
    /// ```
    pub fn read<'h, I: Iterator<Item = (&'h str, &'h [u8])>>(lines: impl Fn() -> I) -> Option<CacheAnswer> {
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
        Some(CacheAnswer {
            status: if by_meaning { CacheStatus::SemanticHit } else { status },
            age_s: value(row.age).filter(|_| status.is_hit()).and_then(|age| age.parse().ok()),
            similarity,
        })
    }
}

impl Row {
    fn status(&self, value: &str) -> Option<CacheStatus> {
        match self.value {
            Value::Word => CacheStatus::named(value),
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
