//! Requests of clients, and what upstreams are told of them.

use ostia_dialect::{Dialect, Fault, embeddings, openai_chat};

const UPSTREAMS: [Dialect; 3] = [Dialect::AnthropicMessages, Dialect::GeminiGenerate, Dialect::CohereChat];

/// A chat request is refused or understood; what is understood can be said in every upstream dialect.
pub fn chat(data: &[u8]) {
    match openai_chat::request::decode(data) {
        Err(fault) => refused(&fault),
        Ok(request) => {
            for dialect in UPSTREAMS {
                match dialect.encode(&request, &ostia_dialect::Form::default()) {
                    Err(fault) => refused(&fault),
                    Ok(encoded) => crate::assert_json(&encoded.body),
                }
            }
        }
    }
}

/// An embeddings request is refused or understood; what is understood can be said in every upstream dialect.
pub fn embeddings(data: &[u8]) {
    use embeddings::Dialect::{Cohere, Gemini, Openai};
    match embeddings::openai::decode_request(data) {
        Err(fault) => refused(&fault),
        Ok(request) => {
            for dialect in [Openai, Gemini, Cohere] {
                match embeddings::encode(dialect, &request) {
                    Err(fault) => refused(&fault),
                    Ok(encoded) => crate::assert_json(&encoded.body),
                }
            }
        }
    }
}

/// A client is told what is wrong with its request, as its own fault.
fn refused(fault: &Fault) {
    assert!(!fault.message.is_empty() && (400..500).contains(&fault.status), "{fault:?}");
    crate::assert_json(&openai_chat::error::encode(fault, None));
}
