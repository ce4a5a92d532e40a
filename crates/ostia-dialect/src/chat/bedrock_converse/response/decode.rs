//! The vendor's unary answer to the canonical one
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax>).
//!
//! It names neither itself nor the model.

#[cfg(test)]
mod tests;

use crate::chat::bedrock_converse::response::ending;
use crate::chat::bedrock_converse::{block, error, usage};
use crate::json::{Document, Node};
use crate::{Choice, Fault, Response};

/// Reads a whole answer.
///
/// Fails with 502 where the body is no JSON or the model's words could not be read, and with the vendor's message where it is
/// an error.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let Some(output) = root.some("output").filter(Node::is_object) else { return Err(error::decode(root)) };
    let content = output.some("message").and_then(|message| message.some("content"));
    let mut text_chars = 0;
    let blocks = content.iter().flat_map(|content| content.items());
    let blocks = blocks.map(|node| block::decode(node, &mut text_chars)).collect();
    let native_finish = root.str("stopReason").map(|word| word.into_owned());
    let used = root.some("usage");
    let extra = ending::own_fields(root).into_iter().chain(ending::beside(root));
    Ok(Response {
        choices: vec![Choice {
            index: 0,
            blocks,
            finish: ending::finish(native_finish.as_deref())?,
            native_finish,
            stop_sequence: ending::stop_sequence(root),
            logprobs: None,
            extra: Vec::new(),
        }],
        usage: used.map(usage::decode),
        service_tier: ending::service_tier(root),
        extra: extra.chain(used.and_then(usage::cache_details)).collect(),
        ..Response::default()
    })
}
