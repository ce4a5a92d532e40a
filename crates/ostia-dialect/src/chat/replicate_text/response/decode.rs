//! A prediction that is done to the canonical answer (<https://replicate.com/docs/reference/http#predictions.get>).

#[cfg(test)]
mod tests;

use crate::chat::replicate_text::{error, usage};
use crate::chat::time;
use crate::json::{Document, Kind, Node};
use crate::{Block, Choice, Fault, Finish, Response};

/// Reads a prediction.
///
/// Fails with 502 where the body is no JSON, and with the vendor's reason where the prediction failed.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let text = root.some("output").and_then(text).ok_or_else(|| error::decode(root))?;
    Ok(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: root.str("model").unwrap_or_default().into_owned(),
        created: root.str("created_at").and_then(|at| time::unix_seconds(&at)),
        usage: root.some("metrics").and_then(usage::decode),
        choices: vec![Choice {
            index: 0,
            blocks: Some(text).filter(|text| !text.is_empty()).map(Block::text).into_iter().collect(),
            finish: Finish::Stop,
            native_finish: root.str("status").map(|word| word.into_owned()),
            stop_sequence: None,
            logprobs: None,
            extra: Vec::new(),
        }],
        ..Response::default()
    })
}

/// A text, or the pieces of one. Models that give something else are no language models.
fn text(output: Node<'_>) -> Option<String> {
    match output.kind() {
        Kind::String => output.as_str().map(|text| text.into_owned()),
        Kind::Array => output.items().map(|piece| piece.as_str()).collect(),
        Kind::Null | Kind::Bool | Kind::Number | Kind::Object => None,
    }
}
