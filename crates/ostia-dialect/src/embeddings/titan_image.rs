//! Titan's multimodal embeddings over InvokeModel
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html>): a text, an image, or both as one
//! vector. Answers are as those of its text embeddings.

use super::{EXTRAS, Input, Part, Request, image_data, input_fault, lone, tokens_fault};
use crate::json::Writer;
use crate::{Encoded, Fault};

/// The body for one text, one image, or one of both.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let (text, image) = parts(lone(request)?)?;
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        text.into_iter().for_each(|text| w.field_str("inputText", text));
        image.into_iter().for_each(|data| w.field_str("inputImage", data));
        if let Some(length) = request.dimensions {
            w.field_object("embeddingConfig", |w| w.field_u64("outputEmbeddingLength", length));
        }
    });
    Ok(Encoded { body: body.into_bytes(), dropped: request.dropped(EXTRAS, |_| false), ..Encoded::default() })
}

/// The text and the base64 of the image.
fn parts(input: &Input) -> Result<(Option<&str>, Option<&str>), Fault> {
    let parts = match input {
        Input::Text(text) => return Ok((Some(text), None)),
        Input::Tokens(_) => return Err(tokens_fault()),
        Input::Parts(parts) => parts,
    };
    let (mut text, mut image) = (None, None);
    for part in parts {
        let is_second = match part {
            Part::Text(words) => text.replace(words.as_str()).is_some(),
            Part::Image(url) => image.replace(image_data(url)?.1).is_some(),
        };
        if is_second {
            return Err(input_fault("this model takes at most one text and one image for each vector"));
        }
    }
    Ok((text, image))
}
