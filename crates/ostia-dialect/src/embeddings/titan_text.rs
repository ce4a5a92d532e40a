//! Titan's text embeddings over InvokeModel
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>).
//!
//! One text a call. The first version takes nothing but the text.

use super::limits::is_older;
use super::{Dialect, EXTRAS, Request, Response, Usage, lone_text, vector};
use crate::json::{Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 1] = ["normalize"];

/// The body for one text.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let text = lone_text(request)?;
    let is_first = is_older(Dialect::TitanText, &request.model);
    let dimensions = request.dimensions.filter(|_| !is_first);
    let own = |name: &str| OWN_FIELDS.contains(&name) && !is_first;
    let mut body = Writer::with_capacity(text.len() + 64);
    body.object(|w| {
        w.field_str("inputText", text);
        dimensions.into_iter().for_each(|length| w.field_u64("dimensions", length));
        let extra = request.extra.iter().filter(|(name, _)| own(name));
        extra.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let mut dropped = request.dropped(EXTRAS, own);
    if request.dimensions.is_some() && dimensions.is_none() {
        dropped.push("dimensions".to_owned());
    }
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Reads `embedding`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let vectors = vec![vector(root.some("embedding")?)?];
    let tokens = root.u64("inputTextTokenCount");
    let usage = tokens.map(|tokens| Usage { prompt_tokens: tokens, total_tokens: tokens });
    Some(Response { vectors, usage, ..Response::default() })
}
