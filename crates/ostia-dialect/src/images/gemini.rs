//! Images by Google's Gemini models (<https://ai.google.dev/gemini-api/docs/image-generation>): an answer of `generateContent`
//! that has images in it.

use super::{Encoded, Image, Picture, Request, Response, ResponseFormat, refused, size};
use crate::json::{Json, Node, Writer};
use crate::{Fault, gemini_generate};

/// The ratios that the models have.
const RATIOS: [&str; 10] = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"];
/// From this length of the longer side on, in pixels, an image is one of a larger kind, and its name.
const LARGE: [(u64, &str); 2] = [(3072, "4K"), (1820, "2K")];

/// The body for `:generateContent`. A call makes one image, from as many others as the model takes.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let ratio = size::ratio(request, &RATIOS);
    let larger = size::pixels(request).map(|(width, height)| width.max(height));
    let kind = larger.and_then(|side| LARGE.iter().find(|(from, _)| side >= *from)).map(|(_, kind)| *kind);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_array("contents", |w| {
            w.object(|w| {
                w.field_str("role", "user");
                w.field_array("parts", |w| {
                    request.pictures.iter().for_each(|picture| write(picture, w));
                    w.object(|w| w.field_str("text", request.words()));
                });
            });
        });
        w.field_object("generationConfig", |w| {
            w.field_array("responseModalities", |w| ["TEXT", "IMAGE"].iter().for_each(|word| w.string(word)));
            if ratio.is_some() || kind.is_some() {
                w.field_object("imageConfig", |w| {
                    if let Some(ratio) = ratio {
                        w.field_str("aspectRatio", ratio.word);
                    }
                    if let Some(kind) = kind {
                        w.field_str("imageSize", kind);
                    }
                });
            }
            if let Some(seed) = request.seed {
                w.field_u64("seed", seed);
            }
        });
    });
    let unsaid = ["mask", "n", "quality", "response_format", "output_format", "negative_prompt", "user"];
    let is_kept = ratio.is_some_and(|ratio| ratio.is_exact);
    let unsaid: Vec<&str> = unsaid
        .into_iter()
        .chain((!is_kept).then_some(["size", "aspect_ratio"]).into_iter().flatten())
        .collect();
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, |_| false)))
}

fn write(picture: &Picture, w: &mut Writer) {
    w.object(|w| {
        w.field_object("inlineData", |w| {
            w.field_str("mimeType", &picture.media());
            w.key("data");
            picture.write_base64(w);
        });
    });
}

/// Reads the images of all candidates, but for those that it only thought of.
///
/// Fails with 400 where there is none and it says why.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let candidates = root.some("candidates");
    let candidates = || candidates.iter().flat_map(|list| list.items());
    let parts = candidates().filter_map(|candidate| candidate.some("content")?.some("parts"));
    let images: Vec<Image> = parts.flat_map(|parts| parts.items()).filter_map(image).collect();
    if images.is_empty() {
        let feedback = root.some("promptFeedback").and_then(|feedback| feedback.str("blockReason"));
        let finish =
            candidates().find_map(|one| one.str("finishMessage").or_else(|| one.str("finishReason")));
        return feedback.or(finish).map_or(Ok(None), |reason| Err(refused(&reason)));
    }
    let usage = root.some("usageMetadata").and_then(gemini_generate::usage);
    Ok(Some(Response { created: 0, images, usage }))
}

fn image(part: Node<'_>) -> Option<Image> {
    let is_thought = part.get("thought").and_then(|thought| thought.as_bool()) == Some(true);
    let inline = part.some("inlineData").or_else(|| part.some("inline_data")).filter(|_| !is_thought)?;
    let data = inline.some("data").filter(Node::is_string)?;
    Some(Image { format: ResponseFormat::Base64, data: Json::of(data), revised_prompt: None })
}
