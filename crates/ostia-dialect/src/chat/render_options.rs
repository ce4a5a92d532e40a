//! What the client of an answer is to see.

use crate::json::Json;

/// What an answer says that the upstream does not: names the client asked under, and what the client wants told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderOptions {
    /// Exactly the fields of the client's dialect (for Chat Completions `reasoning_content` besides). Off: vendor fields
    /// and `content_blocks` too.
    pub strict: bool,
    /// Tell the usage at the end of a Chat Completions stream. The other dialects always tell it.
    pub include_usage: bool,
    /// Unique for this answer, letters and digits: each dialect makes the ids that it needs of it
    /// (`chatcmpl-{id_suffix}`, `resp_{id_suffix}`). Ids of calls are short, because vendors bound them: they are a hash of it.
    pub id_suffix: String,
    /// The model to show where the upstream named none.
    pub model: String,
    /// Unix seconds to show where the upstream said none.
    pub created: u64,
    /// The provider that answered.
    pub provider: String,
    /// Fields of the request that the answer repeats, in order: only Responses does that.
    pub echo: Vec<(String, Json)>,
}
