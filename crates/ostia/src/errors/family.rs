//! Whose words a client expects errors in.

use ostia_providers::Offer;

/// Whose words errors are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// Google's.
    Google,
}

/// The words in which a client of this path expects errors.
pub fn family(path: &str) -> Family {
    match path.strip_prefix("/v1/messages") {
        Some("") => Family::Anthropic,
        Some(rest) if rest.starts_with('/') => Family::Anthropic,
        _ if path.starts_with("/v1beta/") || path.starts_with("/upload/v1beta/") => Family::Google,
        _ if path.starts_with("/v1/models/") && path.contains(':') => Family::Google,
        _ => Family::Openai,
    }
}

/// The words in which a client of this offer expects errors.
pub fn family_of(offer: Offer) -> Family {
    match offer {
        Offer::AnthropicMessages | Offer::AnthropicCountTokens => Family::Anthropic,
        Offer::GeminiGenerate | Offer::GeminiCountTokens | Offer::GeminiEmbed | Offer::GeminiBatchEmbed => {
            Family::Google
        }
        _ => Family::Openai,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_words() {
        for (path, expected) in [
            ("/v1/messages", Family::Anthropic),
            ("/v1/messages/count_tokens", Family::Anthropic),
            ("/v1/messagesx", Family::Openai),
            ("/v1/chat/completions", Family::Openai),
            ("/v1beta/models/m:generateContent", Family::Google),
            ("/v1/models/m:generateContent", Family::Google),
            ("/v1/models/m", Family::Openai),
        ] {
            assert_eq!(family(path), expected, "{path}");
        }
    }
}
