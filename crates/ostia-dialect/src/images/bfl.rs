//! Black Forest Labs' models (<https://docs.bfl.ai/quick_start/generating_images>): a submit to `POST /v1/{model}` is answered with a job,
//! and that with the address of the image, which is there for ten minutes.

use super::encoded::mask_mark;
use super::{Encoded, Image, Request, Response, ResponseFormat, size};
use crate::api::job::{Job, Place};
use crate::chat::usage::Charge;
use crate::form::Shade;
use crate::json::{Json, Node, Writer};
use crate::{Fault, FaultKind, Usage};

/// How the image is come by (<https://docs.bfl.ai/api_integration/integration_guidelines>).
pub static JOB: Job = Job {
    status: Place::At(&["polling_url"]),
    state: "status",
    done: &["Ready"],
    failed: &[
        ("Request Moderated", FaultKind::ContentPolicy),
        ("Content Moderated", FaultKind::ContentPolicy),
        ("Task not found", FaultKind::Server),
        ("Error", FaultKind::Server),
    ],
    reasons: &[&["details", "Moderation Reasons"], &["details"], &["result", "error"]],
    result: None,
    stream: None,
    cancel: None,
    told_at_submit: Some(COST),
    // "sleep 0.5" (<https://docs.bfl.ai/flux_models/flux_1_1_pro>).
    every_ms: 500,
};

/// What it costs, in credits: settled in the answer of a job that is done (<https://docs.bfl.ai/api-reference/utility/get-result>), else as
/// the answer to the submit has it.
const COST: &str = "cost";

/// What stands in the ids of models that are told a ratio, and no size (<https://docs.bfl.ai/kontext/kontext_text_to_image>,
/// <https://docs.bfl.ai/flux_models/flux_1_1_pro_ultra_raw>).
const BY_RATIO: [&str; 2] = ["kontext", "ultra"];
/// Their ratios: any from 21:9 to 9:21. These are the common ones.
const RATIOS: [&str; 11] = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9", "9:21"];
/// What stands in the ids of models that take a mask.
const FILLER: &str = "fill";
/// What stands in the ids of models that paint in or around one image (<https://docs.bfl.ai/flux_tools/flux_1_fill>).
const PAINTERS: [&str; 2] = [FILLER, "expand"];
/// The fields of images, in their order (<https://docs.bfl.ai/flux_2/flux2_image_editing>).
const PICTURES: [&str; 8] = [
    "input_image",
    "input_image_2",
    "input_image_3",
    "input_image_4",
    "input_image_5",
    "input_image_6",
    "input_image_7",
    "input_image_8",
];

/// The body for `POST /v1/{model}`. A job makes one image. Fields that the hub does not know go along: the models have many of
/// their own.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let is_painter = PAINTERS.iter().any(|word| request.model.contains(word));
    if !request.model.contains(FILLER) {
        request.refuse_mask(
            "ask one that fills (`flux-pro-1.0-fill`), or say in the prompt what is to change",
        )?;
    }
    // White where the image is to change (<https://docs.bfl.ai/flux_tools/flux_1_fill>).
    let mask = request.painted_mask(Shade::White, true)?;
    let pictures = request.pictures(if is_painter { 1 } else { PICTURES.len() })?;
    let by_ratio = BY_RATIO.iter().any(|word| request.model.contains(word));
    let ratio = size::ratio(request, &RATIOS).filter(|_| by_ratio);
    let pixels = size::pixels(request).filter(|_| !by_ratio && !is_painter);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", request.words());
        for (picture, name) in pictures.iter().zip(PICTURES) {
            w.key(if is_painter { "image" } else { name });
            picture.write_base64(w);
        }
        if mask.is_some() {
            w.field_raw("mask", &format!("\"{}\"", mask_mark()));
        }
        if let Some(ratio) = ratio {
            w.field_str("aspect_ratio", ratio.word);
        }
        if let Some((width, height)) = pixels {
            w.field_u64("width", width);
            w.field_u64("height", height);
        }
        if let Some(seed) = request.seed {
            w.field_u64("seed", seed);
        }
        if let Some(format) = &request.output_format {
            w.field_str("output_format", format);
        }
        request.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let mut unsaid = vec!["n", "quality", "negative_prompt", "user"];
    if pixels.is_none() && !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.push("size");
    }
    if !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.push("aspect_ratio");
    }
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, |_| true)).with_mask(mask))
}

/// Reads a job that is done.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let result = root.some("result");
    let sample = result.and_then(|result| result.some("sample")).filter(Node::is_string);
    let revised_prompt =
        result.and_then(|result| result.some("prompt")).filter(Node::is_string).map(Json::of);
    let image = |data| Image { format: ResponseFormat::Url, data: Json::of(data), revised_prompt };
    // A credit is a cent (<https://docs.bfl.ai/quick_start/pricing>).
    let charge = root.some(COST).and_then(Charge::of_cents);
    let usage = charge.map(|charge| Usage { charge: Some(charge), ..Usage::default() });
    Ok(sample.map(|sample| Response { images: vec![image(sample)], usage, ..Response::default() }))
}
