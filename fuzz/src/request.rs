//! Requests of clients, and what upstreams are told of them.

use ostia_dialect::json::Document;
use ostia_dialect::{ClientDialect, Dialect, EncodeOptions, Fault, PathParams, embeddings, openai_chat};

/// A request of a client is refused or understood; what is understood can be said in every upstream dialect.
pub fn conversation(client: ClientDialect, data: &[u8]) {
    let line = PathParams { model: "m", stream: false };
    match Document::of_request(data).and_then(|body| client.decode(&body, line)) {
        Err(fault) => refused(&fault),
        Ok(request) => {
            for dialect in Dialect::ALL {
                let mut request = request.clone();
                match dialect.encode(&mut request, &EncodeOptions::default()) {
                    Err(fault) => refused(&fault),
                    Ok(encoded) => {
                        crate::assert_json(&encoded.body);
                        client.in_own_words(&request, encoded.dropped);
                    }
                }
            }
        }
    }
}

/// An embeddings request is refused or understood; what is understood can be said in every upstream dialect.
pub fn embeddings(data: &[u8]) {
    match embeddings::openai::decode_request(data) {
        Err(fault) => refused(&fault),
        Ok(request) => {
            for dialect in embeddings::Dialect::ALL {
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
