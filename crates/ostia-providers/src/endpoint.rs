//! Where an offer is: the path of its endpoint, and the whole URL at a provider or at a custom host.
//!
//! A URL is base, prefix and path. A custom host takes the place of the base alone, so whoever puts a proxy of their
//! own before a provider keeps the paths that the provider has.

use crate::{Offer, Provider};
use std::borrow::Cow;
use std::fmt::Write;

/// The usual path of an offer, after base URL and prefix; what a provider's row may override. Only Google's paths
/// depend on the model and on whether the answer is streamed
/// (<https://ai.google.dev/api/generate-content>); they carry their query (`?alt=sse`).
///
/// ```
/// use ostia_providers::{Offer, endpoint::path};
/// assert_eq!(path(Offer::OpenaiChat, "any", true), "/chat/completions");
/// assert_eq!(path(Offer::GeminiEmbed, "m", false), "/v1beta/models/m:embedContent");
/// ```
pub fn path(offer: Offer, model: &str, stream: bool) -> Cow<'static, str> {
    Cow::Borrowed(match offer {
        Offer::OpenaiChat => "/chat/completions",
        Offer::OpenaiResponses => "/responses",
        Offer::OpenaiInputTokens => "/responses/input_tokens",
        Offer::OpenaiCompletions => "/completions",
        Offer::OpenaiEmbeddings => "/embeddings",
        Offer::OpenaiImages => "/images/generations",
        Offer::OpenaiImageEdits => "/images/edits",
        Offer::OpenaiSpeech => "/audio/speech",
        Offer::OpenaiTranscriptions => "/audio/transcriptions",
        Offer::OpenaiTranslations => "/audio/translations",
        Offer::OpenaiModerations => "/moderations",
        Offer::OpenaiFiles => "/files",
        Offer::OpenaiBatches => "/batches",
        Offer::OpenaiFineTunes => "/fine_tuning/jobs",
        Offer::OpenaiRealtime => "/realtime",
        Offer::AnthropicMessages => "/messages",
        Offer::AnthropicCountTokens => "/messages/count_tokens",
        Offer::AnthropicBatches => "/messages/batches",
        Offer::GeminiGenerate if stream => return gemini(model, ":streamGenerateContent?alt=sse"),
        Offer::GeminiGenerate => return gemini(model, ":generateContent"),
        Offer::GeminiCountTokens => return gemini(model, ":countTokens"),
        Offer::GeminiEmbed => return gemini(model, ":embedContent"),
        Offer::GeminiBatchEmbed => return gemini(model, ":batchEmbedContents"),
        Offer::CohereChat => "/v2/chat",
        Offer::CohereEmbed => "/v2/embed",
        Offer::CohereRerank => "/v2/rerank",
        Offer::JinaRerank | Offer::VoyageRerank => "/rerank",
    })
}

/// Everything after the base URL for this offer of this provider: its own path, or prefix and usual path.
pub fn path_of<'a>(provider: &'a Provider, offer: Offer, model: &str, stream: bool) -> Cow<'a, str> {
    match provider.paths.get(&offer) {
        Some(own) if own.contains("{model}") => {
            let mut encoded = String::new();
            percent_encode(model, &mut encoded);
            Cow::Owned(own.replace("{model}", &encoded))
        }
        Some(own) => Cow::Borrowed(own),
        None if provider.prefix.is_empty() => path(offer, model, stream),
        None => Cow::Owned(provider.prefix.clone() + &path(offer, model, stream)),
    }
}

/// The URL or path with this query at its end; the query has no `?` of its own.
pub fn with_query(mut url: String, query: &str) -> String {
    if !query.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(query);
    }
    url
}

/// Appends the text with everything percent-encoded that is not unreserved (RFC 3986, section 2.3): safe as one
/// path segment and as a query value.
pub fn percent_encode(text: &str, out: &mut String) {
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Google names a model as a resource: `models/gemini-x` or `tunedModels/mine`; a bare name is one of `models`.
fn gemini(model: &str, method: &str) -> Cow<'static, str> {
    let (collection, id) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), id)) => (collection, id),
        _ => ("models", model),
    };
    let mut path = format!("/v1beta/{collection}/");
    percent_encode(id, &mut path);
    path.push_str(method);
    Cow::Owned(path)
}

#[cfg(test)]
mod tests;
