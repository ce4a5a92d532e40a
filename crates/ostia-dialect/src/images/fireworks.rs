//! Image models at Fireworks (<https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt>): `POST
//! /workflows/{model}/text_to_image`, answered in JSON where that is accepted.

use super::{Encoded, Image, Request, Response, refused, size};
use crate::Fault;
use crate::json::{Node, Writer};

/// The ratios that the models have.
const RATIOS: [&str; 11] = ["1:1", "21:9", "16:9", "3:2", "5:4", "4:5", "2:3", "9:16", "9:21", "4:3", "3:4"];
/// Extra fields of the models' own.
const OWN_FIELDS: [&str; 2] = ["guidance_scale", "num_inference_steps"];

/// The body. A call makes one image.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let ratio = size::ratio(request, &RATIOS);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", &request.prompt);
        if let Some(ratio) = ratio {
            w.field_str("aspect_ratio", ratio.word);
        }
        if let Some(seed) = request.seed {
            w.field_u64("seed", seed);
        }
        let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let mut unsaid = vec!["n", "quality", "response_format", "output_format", "negative_prompt", "user"];
    if !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.extend(["size", "aspect_ratio"]);
    }
    let dropped = request.dropped(&unsaid, |name| OWN_FIELDS.contains(&name));
    let headers = vec![("accept", "application/json".to_owned())];
    Ok(Encoded { headers, ..Encoded::json(body.into_bytes(), dropped) })
}

/// Reads `base64`: data URLs, or base64 alone.
///
/// Fails with 400 where it was filtered.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    if let Some(reason) = root.str("finishReason").filter(|reason| reason == "CONTENT_FILTERED") {
        return Err(refused(&reason));
    }
    let list = root.some("base64");
    let images = list.iter().flat_map(|list| list.items()).filter_map(Image::of_base64).collect();
    Ok(Some(Response { images, ..Response::default() }))
}
