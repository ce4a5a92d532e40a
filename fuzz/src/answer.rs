//! Whole answers of upstreams.

use ostia_dialect::{Dialect, embeddings, fault, openai_chat};

/// A whole answer of any dialect is refused or can be told to every client.
pub fn chat(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match Dialect::ALL[usize::from(which) % Dialect::ALL.len()].decode(data) {
        Ok(response) => {
            for (client, strict) in crate::clients() {
                crate::assert_json(&client.encode(&response, &crate::options(strict)));
            }
        }
        Err(fault) => assert!(!fault.message.is_empty() && fault.status >= 400, "{fault:?}"),
    }
}

/// An embeddings answer of any dialect is refused or can be told to the client.
pub fn embeddings(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let all = embeddings::Dialect::ALL;
    let Ok(response) = embeddings::decode(all[usize::from(which) % all.len()], data) else { return };
    for format in ["float", "base64"] {
        let body = format!(r#"{{"model":"m","input":["a","b"],"encoding_format":"{format}"}}"#);
        let request = embeddings::openai::decode_request(body.as_bytes()).expect("a request");
        if let Ok(body) = embeddings::openai::encode_response(&request, &response) {
            crate::assert_json(&body);
        }
    }
}

/// Every error body becomes an error that the client can read.
pub fn error(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let status = 400 + u16::from(which) % 200;
    let fault = fault::from_answer(status, data);
    assert!(!fault.message.is_empty() && (400..600).contains(&fault.status), "{fault:?}");
    crate::assert_json(&openai_chat::error::encode(&fault, Some("p")));
}
