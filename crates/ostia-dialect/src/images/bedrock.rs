//! Images at Amazon Bedrock, by InvokeModel: Amazon's own models (Nova Canvas, Titan:
//! <https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html>) and Stability's
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stability-diffusion.html>), which have a form of
//! their own.

use super::encoded::mask_mark;
use super::{Encoded, Image, Request, Response, ResponseFormat, Task, refused, size};
use crate::Fault;
use crate::form::Shade;
use crate::json::{Json, Node, Writer};

/// What stands in the ids, profiles and ARNs of models that have Stability's form.
const STABILITY: &str = "stability.";
/// The ratios that Stability's models have.
const RATIOS: [&str; 9] = ["16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"];
/// Extra fields of the configuration of Amazon's models, by the names that they give them.
const CONFIG_FIELDS: [&str; 1] = ["cfgScale"];
/// Words that say which part of an image is to change, in the place of a mask.
const MASK_PROMPTS: [&str; 2] = ["maskPrompt", "mask_prompt"];
/// How what lies outside of a mask is painted; given, it is painted in place of what lies inside.
const OUTPAINTING_MODES: [&str; 2] = ["outPaintingMode", "outpainting_mode"];
/// How like the images are that are made from others.
const SIMILARITY: [&str; 2] = ["similarityStrength", "similarity_strength"];
/// Images that one is made from.
const PICTURES_MAX: usize = 5;
/// Extra fields of Stability's models and services, by their own names.
const STABILITY_FIELDS: [&str; 19] = [
    "mode",
    "strength",
    "style_preset",
    "grow_mask",
    "search_prompt",
    "select_prompt",
    "left",
    "right",
    "up",
    "down",
    "creativity",
    "control_strength",
    "fidelity",
    "composition_fidelity",
    "style_strength",
    "change_strength",
    "cfg_scale",
    "shadow_strength",
    "light_source_direction",
];
/// What stands in the ids of services that take a mask, white where the image is to change.
const MASKED: [&str; 2] = ["inpaint", "erase"];
/// What stands in the ids of those of Stability's models that make images from words, and from an image where `mode` says so.
const GENERATORS: [&str; 3] = ["sd3", "stable-image-ultra", "stable-image-core"];
/// How far an image may be from the one that it is made from, where the client does not say and the model has to know: halfway.
const STRENGTH: &str = "0.5";

/// The body for `POST /model/{model}/invoke`, whose path names the model.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    if request.model.contains(STABILITY) { stability(request) } else { amazon(request) }
}

/// What one of Amazon's models is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    Text,
    Variation,
    Inside,
    Outside,
}

impl Paint {
    fn of(request: &Request) -> Paint {
        match request.task {
            Task::Generate => Paint::Text,
            Task::Vary => Paint::Variation,
            Task::Edit if one_of(request, &OUTPAINTING_MODES).is_some() => Paint::Outside,
            Task::Edit if request.mask.is_some() || one_of(request, &MASK_PROMPTS).is_some() => Paint::Inside,
            // Without a place that is to change, the whole image is made anew after the words.
            Task::Edit => Paint::Variation,
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Paint::Text => ("TEXT_IMAGE", "textToImageParams"),
            Paint::Variation => ("IMAGE_VARIATION", "imageVariationParams"),
            Paint::Inside => ("INPAINTING", "inPaintingParams"),
            Paint::Outside => ("OUTPAINTING", "outPaintingParams"),
        }
    }

    /// The extra fields that stand beside the prompt, each with its name there.
    fn fields(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Paint::Text => &[],
            Paint::Variation => &[("similarityStrength", &SIMILARITY)],
            Paint::Inside => &[("maskPrompt", &MASK_PROMPTS)],
            Paint::Outside => &[("maskPrompt", &MASK_PROMPTS), ("outPaintingMode", &OUTPAINTING_MODES)],
        }
    }
}

/// An extra field by any of its names.
fn one_of<'r>(request: &'r Request, names: &[&str]) -> Option<&'r Json> {
    names.iter().find_map(|name| request.extra(name))
}

fn amazon(request: &Request) -> Result<Encoded, Fault> {
    let paint = Paint::of(request);
    // <https://docs.aws.amazon.com/nova/latest/userguide/image-gen-access.html#image-gen-masking>
    let changes = if paint == Paint::Outside { Shade::White } else { Shade::Black };
    let mask = request.painted_mask(changes, true)?.filter(|_| paint != Paint::Variation);
    let is_edited = matches!(paint, Paint::Inside | Paint::Outside);
    request.pictures(if is_edited { 1 } else { PICTURES_MAX })?;
    // An image that is edited keeps its size.
    let pixels = size::pixels(request).filter(|_| !is_edited);
    let quality = quality(request);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        let (task, params) = paint.names();
        w.field_str("taskType", task);
        w.field_object(params, |w| params_of(request, paint, w));
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
            write_extra(request, &CONFIG_FIELDS, w);
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
    let is_own = |name: &str| {
        CONFIG_FIELDS.contains(&name) || paint.fields().iter().any(|(_, names)| names.contains(&name))
    };
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, is_own)).with_mask(mask))
}

fn params_of(request: &Request, paint: Paint, w: &mut Writer) {
    match paint {
        Paint::Text => {}
        Paint::Variation => {
            w.field_array("images", |w| request.pictures.iter().for_each(|picture| picture.write_base64(w)));
        }
        Paint::Inside | Paint::Outside => {
            for picture in &request.pictures {
                w.key("image");
                picture.write_base64(w);
            }
            if request.mask.is_some() {
                w.field_raw("maskImage", &format!("\"{}\"", mask_mark()));
            }
        }
    }
    for (name, names) in paint.fields() {
        one_of(request, names).into_iter().for_each(|value| w.field_raw(name, value.as_str()));
    }
    if !request.prompt.is_empty() {
        w.field_str("text", &request.prompt);
    }
    if let Some(prompt) = &request.negative_prompt {
        w.field_str("negativeText", prompt);
    }
}

fn write_extra(request: &Request, names: &[&str], w: &mut Writer) {
    let own = request.extra.iter().filter(|(name, _)| names.contains(&name.as_str()));
    own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
}

/// The models have two qualities; OpenAI's newer ones have three, its older ones the first and another word for the second.
fn quality(request: &Request) -> Option<&'static str> {
    match request.quality.as_deref()? {
        "hd" | "high" | "premium" => Some("premium"),
        "standard" | "low" | "medium" => Some("standard"),
        _ => None,
    }
}

/// A call makes one image; from another one by the services for that
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/stable-image-services.html>), or by a model that has a mode for it.
fn stability(request: &Request) -> Result<Encoded, Fault> {
    let pictures = request.pictures(1)?;
    if !MASKED.iter().any(|service| request.model.contains(service)) {
        request.refuse_mask(
            "ask a service that paints in or erases (`stable-image-inpaint`, `stable-image-erase-object`)",
        )?;
    }
    let mask = request.painted_mask(Shade::White, true)?;
    let has_mode = GENERATORS.iter().any(|generator| request.model.contains(generator));
    // An image that is made from another one has its ratio.
    let ratio = size::ratio(request, &RATIOS).filter(|_| pictures.is_empty());
    let texts = [
        ("negative_prompt", request.negative_prompt.as_deref()),
        ("aspect_ratio", ratio.map(|ratio| ratio.word)),
        ("output_format", request.output_format.as_deref()),
    ];
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        if !request.prompt.is_empty() || pictures.is_empty() || has_mode {
            w.field_str("prompt", request.words());
        }
        for picture in pictures {
            w.key("image");
            picture.write_base64(w);
            if has_mode {
                write_mode(request, w);
            }
        }
        if mask.is_some() {
            w.field_raw("mask", &format!("\"{}\"", mask_mark()));
        }
        for (name, text) in texts {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        if let Some(seed) = request.seed {
            w.field_u64("seed", seed);
        }
        write_extra(request, stability_fields(request), w);
    });
    let mut unsaid = vec!["n", "quality", "response_format", "user"];
    if !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.extend(["size", "aspect_ratio"]);
    }
    let is_own = |name: &str| stability_fields(request).contains(&name);
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, is_own)).with_mask(mask))
}

fn stability_fields(request: &Request) -> &'static [&'static str] {
    if request.task == Task::Generate { &[] } else { &STABILITY_FIELDS }
}

fn write_mode(request: &Request, w: &mut Writer) {
    if request.extra("mode").is_none() {
        w.field_str("mode", "image-to-image");
    }
    if request.extra("strength").is_none() {
        w.field_raw("strength", STRENGTH);
    }
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
