//! Images at Amazon Bedrock, by InvokeModel: Amazon's own models (Nova Canvas, Titan:
//! <https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html>) and Stability's
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stability-diffusion.html>), which have a form of
//! their own.

use super::{Image, Request, Response, ResponseFormat, refused, size};
use crate::json::{Json, Node, Writer};
use crate::{Encoded, Fault};

/// What stands in the ids, profiles and ARNs of models that have Stability's form.
const STABILITY: &str = "stability.";
/// The ratios that Stability's models have.
const RATIOS: [&str; 9] = ["16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"];
/// An extra field of Amazon's models, by the name that they give it.
const CFG_SCALE: &str = "cfgScale";

/// The body for `POST /model/{model}/invoke`, whose path names the model.
pub(super) fn encode(request: &Request) -> Encoded {
    if request.model.contains(STABILITY) { stability(request) } else { amazon(request) }
}

fn amazon(request: &Request) -> Encoded {
    let pixels = size::pixels(request);
    let quality = quality(request);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("taskType", "TEXT_IMAGE");
        w.field_object("textToImageParams", |w| {
            w.field_str("text", &request.prompt);
            if let Some(prompt) = &request.negative_prompt {
                w.field_str("negativeText", prompt);
            }
        });
        w.field_object("imageGenerationConfig", |w| {
            w.field_u64("numberOfImages", request.n.unwrap_or(1));
            if let Some((width, height)) = pixels {
                w.field_u64("width", width);
                w.field_u64("height", height);
            }
            if let Some(quality) = quality {
                w.field_str("quality", quality);
            }
            if let Some(seed) = request.seed {
                w.field_u64("seed", seed);
            }
            let own = request.extra.iter().filter(|(name, _)| name == CFG_SCALE);
            own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
        });
    });
    let unsaid = [
        ("size", pixels.is_none()),
        ("quality", quality.is_none()),
        ("aspect_ratio", true),
        ("response_format", true),
        ("output_format", true),
        ("user", true),
    ];
    let unsaid: Vec<&str> = unsaid.iter().filter(|(_, is_so)| *is_so).map(|(name, _)| *name).collect();
    let dropped = request.dropped(&unsaid, |name| name == CFG_SCALE);
    Encoded { body: body.into_bytes(), dropped, ..Encoded::default() }
}

/// The models have two qualities; OpenAI's newer ones have three, its older ones the first and another word for the second.
fn quality(request: &Request) -> Option<&'static str> {
    match request.quality.as_deref()? {
        "hd" | "high" | "premium" => Some("premium"),
        "standard" | "low" | "medium" => Some("standard"),
        _ => None,
    }
}

/// A call makes one image.
fn stability(request: &Request) -> Encoded {
    let ratio = size::ratio(request, &RATIOS);
    let texts = [
        ("negative_prompt", request.negative_prompt.as_deref()),
        ("aspect_ratio", ratio.map(|ratio| ratio.word)),
        ("output_format", request.output_format.as_deref()),
    ];
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", &request.prompt);
        for (name, text) in texts {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        if let Some(seed) = request.seed {
            w.field_u64("seed", seed);
        }
    });
    let is_kept = ratio.is_some_and(|ratio| ratio.is_exact);
    let unsaid: &[&str] = match is_kept {
        true => &["n", "quality", "response_format", "user"],
        false => &["n", "size", "aspect_ratio", "quality", "response_format", "user"],
    };
    Encoded { body: body.into_bytes(), dropped: request.dropped(unsaid, |_| false), ..Encoded::default() }
}

/// Reads `images`.
///
/// Fails with 400 where there is none and it says why, in Amazon's words (`error`) or Stability's (`finish_reasons`).
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let list = root.some("images").filter(Node::is_array);
    let image = |data: Node<'_>| {
        let is_there = data.as_str().is_some_and(|data| !data.is_empty());
        is_there.then(|| Image { format: ResponseFormat::Base64, data: Json::of(data), revised_prompt: None })
    };
    let images: Vec<Image> = list.iter().flat_map(|list| list.items()).filter_map(image).collect();
    if images.is_empty() {
        let filtered = root.some("finish_reasons");
        let filtered = filtered.iter().flat_map(|reasons| reasons.items()).find_map(|reason| reason.as_str());
        return root.str("error").or(filtered).map_or(Ok(None), |reason| Err(refused(&reason)));
    }
    Ok(Some(Response { images, ..Response::default() }))
}
