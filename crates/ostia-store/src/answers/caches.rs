//! What was read from providers' prompt caches, and calls that can be compared.

/// What one key's calls of one model read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// The gateway's key; empty where there was none.
    pub key: String,
    /// Who was asked.
    pub provider: String,
    /// For which model; empty where that is not known.
    pub model: String,
    /// How often.
    pub attempts: u64,
    /// Tokens that were read,
    pub prompt_tokens: u64,
    /// and of those, from the provider's cache.
    pub cached_tokens: u64,
}

/// A call that read less from its provider's cache than the one before it in the same session, with the same key and of the same
/// model there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheFall {
    /// The call before and this one, as [`Reader::compared`](crate::Reader::compared) finds them.
    pub numbers: (i64, i64),
    /// The session.
    pub session: String,
    /// The gateway's key; empty where there was none.
    pub key: String,
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// When the call before came, and when this one did, in milliseconds since 1970.
    pub started_ms: (i64, i64),
    /// Tokens that this one read,
    pub prompt_tokens: u64,
    /// and from the cache: the call before, and this one.
    pub cached_tokens: (u64, u64),
}

/// A request, as far as a comparison needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Its own name.
    pub id: String,
    /// The client's body, and whether its end was cut off; `None`: it is not kept.
    pub request: Option<(Vec<u8>, bool)>,
    /// The answer's, as far as it is kept.
    pub response: Option<Vec<u8>>,
}

impl CacheFall {
    /// How many tokens fewer came from the cache: no more than this call read otherwise.
    pub fn tokens(&self) -> u64 {
        let fewer = self.cached_tokens.0.saturating_sub(self.cached_tokens.1);
        fewer.min(self.prompt_tokens.saturating_sub(self.cached_tokens.1))
    }
}

/// A width of sums, and from when to when.
pub(crate) type Piece = (i64, (i64, i64));
