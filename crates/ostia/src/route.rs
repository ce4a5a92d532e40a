//! Method and path to endpoint.

use http::Method;
use ostia_providers::Offer;

/// Whose words errors are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /`
    Root,
    /// `GET /health`
    Health,
    /// `GET /ready`
    Ready,
    /// `GET /v1/models`
    Models,
    /// A call that is understood: its dialect decides whether it is relayed or translated.
    Typed(Offer),
    /// Everything else below `/v1/` and `/v1/proxy/`: handed on unread.
    Pass {
        /// Errors are told as they come: the client asked for the provider's own words.
        raw: bool,
    },
    /// Nothing is here.
    Missing,
}

impl Endpoint {
    /// The endpoint of a request line.
    pub fn of(method: &Method, path: &str) -> Endpoint {
        let get = method == Method::GET || method == Method::HEAD;
        match path {
            "/" if get => Endpoint::Root,
            "/health" | "/healthz" | "/v1/health" if get => Endpoint::Health,
            "/ready" | "/readyz" if get => Endpoint::Ready,
            "/v1/models" if get => Endpoint::Models,
            _ => match path.strip_prefix("/v1/") {
                Some("" | "proxy" | "proxy/") | None => Endpoint::Missing,
                Some(rest) if rest.starts_with("proxy/") => Endpoint::Pass { raw: true },
                Some(rest) => match typed(rest).filter(|_| method == Method::POST) {
                    Some(offer) => Endpoint::Typed(offer),
                    None => Endpoint::Pass { raw: false },
                },
            },
        }
    }
}

fn typed(rest: &str) -> Option<Offer> {
    Some(match rest {
        "chat/completions" => Offer::OpenaiChat,
        "completions" => Offer::OpenaiCompletions,
        "embeddings" => Offer::OpenaiEmbeddings,
        "responses" => Offer::OpenaiResponses,
        "messages" => Offer::AnthropicMessages,
        "messages/count_tokens" => Offer::AnthropicCountTokens,
        _ => return None,
    })
}

/// The words in which a client of this path expects errors.
pub fn family(path: &str) -> Family {
    match path.strip_prefix("/v1/messages") {
        Some("") => Family::Anthropic,
        Some(rest) if rest.starts_with('/') => Family::Anthropic,
        _ => Family::Openai,
    }
}

/// The words in which a client of this offer expects errors.
pub fn family_of(offer: Offer) -> Family {
    match offer {
        Offer::AnthropicMessages | Offer::AnthropicCountTokens => Family::Anthropic,
        _ => Family::Openai,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines() {
        for (method, path, expected) in [
            (Method::GET, "/", Endpoint::Root),
            (Method::HEAD, "/health", Endpoint::Health),
            (Method::GET, "/v1/models", Endpoint::Models),
            (Method::GET, "/v1/models/gpt-4o", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/chat/completions", Endpoint::Typed(Offer::OpenaiChat)),
            (Method::GET, "/v1/chat/completions", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/messages", Endpoint::Typed(Offer::AnthropicMessages)),
            (Method::POST, "/v1/messages/batches", Endpoint::Pass { raw: false }),
            (Method::PATCH, "/v1/anything/at/all", Endpoint::Pass { raw: false }),
            (Method::PUT, "/v1/proxy/chat/completions", Endpoint::Pass { raw: true }),
            (Method::POST, "/v2/chat", Endpoint::Missing),
            (Method::POST, "/", Endpoint::Missing),
            (Method::GET, "/v1/", Endpoint::Missing),
            (Method::GET, "/v1", Endpoint::Missing),
        ] {
            assert_eq!(Endpoint::of(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn whose_words() {
        assert_eq!(family("/v1/messages"), Family::Anthropic);
        assert_eq!(family("/v1/messages/count_tokens"), Family::Anthropic);
        assert_eq!(family("/v1/messagesx"), Family::Openai);
        assert_eq!(family("/v1/chat/completions"), Family::Openai);
    }
}
