//! The vendor's unary answer to the canonical one: <https://platform.openai.com/docs/api-reference/responses/object>.

use crate::chat::event::Fold;
use crate::chat::openai_responses::error;
use crate::chat::openai_responses::item::Output;
use crate::chat::openai_responses::response::ending;
use crate::json::Document;
use crate::{Fault, Response};

/// Reads a whole answer.
///
/// # Errors
/// The provider's own error where the body is one or tells of an answer that failed; 502 where it is no answer, or one
/// that is not whole yet.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let Some(items) = root.get("output").filter(|output| output.is_array()) else {
        return Err(match root.some("error").or(root.some("message")).or(root.some("detail")) {
            Some(_) => error::decode(root),
            None => Fault::upstream("The provider's answer is no response: it has no `output`."),
        });
    };
    let (mut output, mut events) = (Output::default(), vec![ending::start(Some(root))]);
    items.items().for_each(|item| output.end(item, &mut events));
    let status = root.str("status").unwrap_or("completed".into());
    ending::end(root, &status, output.tools(), &mut events)?;
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().ok_or_else(|| Fault::upstream("The provider's answer is not whole."))
}

#[cfg(test)]
mod tests;
