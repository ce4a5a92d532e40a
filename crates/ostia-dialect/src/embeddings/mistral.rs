//! Mistral's embeddings (<https://docs.mistral.ai/api/endpoint/embeddings>): OpenAI's, but for two names and types of numbers.
//! What the vendor does not know it refuses. Answers are as OpenAI's.

use super::openai::write_inputs;
use super::{EncodingFormat, Input, Request, input_fault};
use crate::json::Writer;
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 1] = ["metadata"];

/// Fields of OpenAI's that it has under another name, or not at all. A body without them is one of its own.
pub(super) const OTHERWISE: [&str; 6] = ["dimensions", "user", "input_type", "task", "task_type", "truncate"];

/// The body for `POST /embeddings`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| !matches!(input, Input::Text(_))) {
        return Err(input_fault("this model takes texts only"));
    }
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        write_inputs(w, request);
        if request.encoding_format == EncodingFormat::Base64 {
            w.field_str("encoding_format", "base64");
        }
        if let Some(dimensions) = request.dimensions {
            w.field_u64("output_dimension", dimensions);
        }
        if let Some(dtype) = request.output_dtype {
            w.field_str("output_dtype", dtype.name());
        }
        let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let dropped = request.dropped(&["user", "input_type", "truncate"], |name| OWN_FIELDS.contains(&name));
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}
