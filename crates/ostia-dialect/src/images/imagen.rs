//! Images by Google's Imagen models (<https://ai.google.dev/gemini-api/docs/imagen>,
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api>), and edits by the one that is made for them
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit>).

use super::encoded::mask_mark;
use super::{Encoded, Image, Request, Response, ResponseFormat, Task, refused, size};
use crate::Fault;
use crate::form::Shade;
use crate::json::{Json, Node, Writer};

/// The ratios that the models have.
const RATIOS: [&str; 5] = ["1:1", "3:4", "4:3", "9:16", "16:9"];
/// From this length of the longer side on, in pixels, an image is one of the larger kind.
const LARGE_FROM: u64 = 1820;
/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 8] = [
    "personGeneration",
    "safetySetting",
    "enhancePrompt",
    "addWatermark",
    "language",
    "editMode",
    "baseSteps",
    "guidanceScale",
];
/// What stands in the names of models that edit.
const EDITORS: &str = "capability";
/// How images are edited where the client does not say: with a mask, inside of it; without one, as the words say.
const EDIT_MODES: (&str, &str) = ("EDIT_MODE_INPAINT_INSERTION", "EDIT_MODE_DEFAULT");

/// The body for `:predict`.
///
/// Fails with 400 for an edit by a model that makes images from words alone.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let is_edit = request.task == Task::Edit;
    if is_edit && !request.model.contains(EDITORS) {
        let message = format!(
            "Invalid `model`: `{}` makes images from words alone; ask `imagen-3.0-capability-001` for edits.",
            request.model
        );
        return Err(Fault::invalid(message).with_param("model").with_code("unsupported_operation"));
    }
    request.pictures(1)?;
    let mask = request.painted_mask(Shade::White, true)?;
    // An image that is edited keeps its size.
    let ratio = size::ratio(request, &RATIOS).filter(|_| !is_edit);
    let is_large =
        !is_edit && size::pixels(request).is_some_and(|(width, height)| width.max(height) >= LARGE_FROM);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_array("instances", |w| {
            w.object(|w| {
                w.field_str("prompt", &request.prompt);
                if is_edit {
                    references(request, w);
                }
            });
        });
        w.field_object("parameters", |w| {
            if is_edit && request.extra("editMode").is_none() {
                let (with_mask, without) = EDIT_MODES;
                w.field_str("editMode", if mask.is_some() { with_mask } else { without });
            }
            w.field_u64("sampleCount", request.n.unwrap_or(1));
            if let Some(ratio) = ratio {
                w.field_str("aspectRatio", ratio.word);
            }
            if is_large {
                w.field_str("sampleImageSize", "2K");
            }
            if let Some(seed) = request.seed {
                w.field_u64("seed", seed);
            }
            if let Some(prompt) = &request.negative_prompt {
                w.field_str("negativePrompt", prompt);
            }
            if let Some(format) = &request.output_format {
                w.field_object("outputOptions", |w| w.field_str("mimeType", &format!("image/{format}")));
            }
            let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
            own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
        });
    });
    let is_kept = ratio.is_some_and(|ratio| ratio.is_exact);
    let unsaid: &[&str] = match is_kept {
        true => &["quality", "response_format", "user"],
        false => &["quality", "response_format", "user", "size", "aspect_ratio"],
    };
    let dropped = request.dropped(unsaid, |name| OWN_FIELDS.contains(&name));
    Ok(Encoded::json(body.into_bytes(), dropped).with_mask(mask))
}

/// The image, and its mask, which is white where the image is to change.
fn references(request: &Request, w: &mut Writer) {
    w.field_array("referenceImages", |w| {
        for picture in &request.pictures {
            w.object(|w| {
                w.field_str("referenceType", "REFERENCE_TYPE_RAW");
                w.field_u64("referenceId", 1);
                w.field_object("referenceImage", |w| {
                    w.key("bytesBase64Encoded");
                    picture.write_base64(w);
                });
            });
        }
        if request.mask.is_some() {
            w.object(|w| {
                w.field_str("referenceType", "REFERENCE_TYPE_MASK");
                w.field_u64("referenceId", 2);
                w.field_object("referenceImage", |w| {
                    w.field_raw("bytesBase64Encoded", &format!("\"{}\"", mask_mark()));
                });
                w.field_object("maskImageConfig", |w| w.field_str("maskMode", "MASK_MODE_USER_PROVIDED"));
            });
        }
    });
}

/// Reads `predictions`; those that were filtered have no image.
///
/// Fails with 400 where there is none and it says why.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let predictions = root.some("predictions");
    let predictions = || predictions.iter().flat_map(|list| list.items());
    let images: Vec<Image> = predictions().filter_map(image).collect();
    if images.is_empty() {
        let reason = predictions().find_map(|one| one.str("raiFilteredReason"));
        return reason.map_or(Ok(None), |reason| Err(refused(&reason)));
    }
    Ok(Some(Response { images, ..Response::default() }))
}

fn image(prediction: Node<'_>) -> Option<Image> {
    let data = prediction.some("bytesBase64Encoded").filter(Node::is_string)?;
    let revised_prompt = prediction.some("prompt").filter(Node::is_string).map(Json::of);
    Some(Image { format: ResponseFormat::Base64, data: Json::of(data), revised_prompt })
}
