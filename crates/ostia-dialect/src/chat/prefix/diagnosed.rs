//! What a provider itself says of a prompt that it did not find in its cache, where a client asked for that:
//! `diagnostics.cache_miss_reason` (<https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics>) and
//! `prompt_cache_diagnostics` (<https://developers.openai.com/api/docs/guides/prompt-caching/diagnostics>).

use memchr::memmem;

use crate::json::Document;

/// Most bytes of a diagnosis that are read.
const DIAGNOSIS_BYTES_MAX: usize = 4 << 10;

/// The field with the diagnosis, the field of it that says why, and the one that says how much.
const FORMS: [(&str, &str, &str); 2] = [
    ("\"cache_miss_reason\"", "type", "cache_missed_input_tokens"),
    ("\"prompt_cache_diagnostics\"", "reason", "cache_missed_tokens"),
];

/// Why a provider says that it could not go on from its cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Its word for it: `system_changed`, `tools_changed`, ...
    pub reason: String,
    /// Tokens that were missed, where it tells how many.
    pub tokens: Option<u64>,
}

/// What an answer says of it, whole or streamed, whatever else is in it.
pub fn diagnosed(answer: &[u8]) -> Option<Diagnosed> {
    FORMS.into_iter().find_map(|(field, reason, tokens)| {
        memmem::find_iter(answer, field).find_map(|at| {
            let rest = answer[at + field.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
            let document = Document::parse(object(rest)?).ok()?;
            let root = document.root();
            Some(Diagnosed { reason: root.str(reason)?.into_owned(), tokens: root.u64(tokens) })
        })
    })
}

/// The object that a text begins with.
fn object(text: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut string) = (0_usize, None);
    if text.first() != Some(&b'{') {
        return None;
    }
    for (at, byte) in text.iter().enumerate().take(DIAGNOSIS_BYTES_MAX) {
        match (string, byte) {
            (Some(true), _) => string = Some(false),
            (Some(false), b'\\') => string = Some(true),
            (Some(false), b'"') => string = None,
            (Some(false), _) => {}
            (None, b'"') => string = Some(false),
            (None, b'{') => depth += 1,
            (None, b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[..=at]);
                }
            }
            (None, _) => {}
        }
    }
    None
}
