//! The vendor's unary answer to the canonical one: <https://platform.claude.com/docs/en/api/messages>, `Message`.

use super::ending::Ending;
use crate::chat::anthropic_messages::{block, error};
use crate::json::Document;
use crate::{Choice, Fault, Response};

/// Reads a whole answer.
///
/// Fails with the provider's own error where the body is an error envelope, and with 502 where it is no answer.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    if error::is_error(root) {
        return Err(error::decode(root));
    }
    let Some(content) = root.get("content").filter(|content| content.is_array()) else {
        return Err(Fault::upstream("The provider's answer holds no `content`."));
    };
    let mut ending = Ending::default();
    ending.observe(root);
    content.items().for_each(|block| ending.block(block));
    let mut text_chars = 0;
    let choice = Choice {
        index: 0,
        blocks: content.items().map(|node| block::decode(node, &mut text_chars)).collect(),
        finish: ending.finish(),
        extra: ending.choice_extra(),
        native_finish: ending.stop_reason.clone(),
        stop_sequence: ending.stop_sequence.clone(),
        logprobs: None,
    };
    let text = |name| root.str(name).unwrap_or_default().into_owned();
    Ok(Response {
        id: text("id"),
        model: text("model"),
        choices: vec![choice],
        usage: ending.usage(),
        service_tier: ending.service_tier(),
        extra: ending.response_extra(),
        ..Response::default()
    })
}

#[cfg(test)]
mod tests;
