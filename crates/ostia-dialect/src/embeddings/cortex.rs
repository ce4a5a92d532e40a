//! Snowflake Cortex's embeddings of texts (<https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/cortex-embed>).
//! Answers are as OpenAI's, but that a vector may be the only item of a list.

use super::{Request, Response, Vector, openai, text};
use crate::json::{Document, Json, Node, Writer};
use crate::{Encoded, Fault};

/// The body for `POST /cortex/inference:embed`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let texts = request.input.iter().map(text).collect::<Result<Vec<&str>, Fault>>()?;
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_array("text", |w| texts.iter().for_each(|text| w.string(text)));
    });
    let mut dropped = request.dropped(&["user", "input_type", "truncate", "output_dtype"], |_| false);
    if request.dimensions.is_some() {
        dropped.push("dimensions".to_owned());
    }
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Reads `data`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let mut response = openai::decode_response(root)?;
    for vector in &mut response.vectors {
        if let Vector::Floats(numbers) = vector
            && let Some(inner) = inner(numbers)
        {
            *numbers = inner;
        }
    }
    Some(response)
}

/// The list in a list.
fn inner(numbers: &Json) -> Option<Json> {
    let list = Document::parse_to(numbers.as_str().as_bytes(), 1).ok()?;
    list.root().items().next().filter(Node::is_array).map(Json::of)
}
