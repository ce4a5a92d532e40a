//! The vendor's unary answer to the canonical one.
//!
//! A whole answer and an event of a stream are the same object, so both are read by the same code.

pub(in crate::chat::gemini_generate) mod candidate;
mod grounding;
mod partial;

use crate::chat::event::Fold;
use crate::chat::gemini_generate::stream::decode::Decoder;
use crate::json::Document;
use crate::{Fault, Response};

/// Reads a whole answer: one `GenerateContentResponse`
/// (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>), or the array of them that the vendor
/// streams where nobody asked for server-sent events.
///
/// Fails where the body is an error message, is not JSON, or holds neither a candidate nor the reason why not.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider sent an answer that is {fault}.")))?;
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.take(document.root(), &mut events)?;
    decoder.assume_whole();
    decoder.finish(&mut events)?;
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().ok_or_else(|| Fault::upstream("The provider broke off before the answer was whole."))
}

#[cfg(test)]
mod tests;
