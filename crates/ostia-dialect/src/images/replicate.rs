//! Models at Replicate (<https://replicate.com/docs/reference/http#models.predictions.create>): `POST /models/{owner}/{name}/predictions`
//! with the model's own input. The vendor waits for the result for a minute, and answers with a job where that was too short.

use super::{Encoded, Image, Request, Response, size};
use crate::api::job::{Job, Method, Place};
use crate::json::{Kind, Node, Writer};
use crate::{Fault, FaultKind};

/// How the images are come by (<https://replicate.com/docs/topics/predictions/lifecycle>).
pub static JOB: Job = Job {
    status: Place::At(&["urls", "get"]),
    state: "status",
    done: &["succeeded"],
    failed: &[("failed", FaultKind::Server), ("canceled", FaultKind::Server), ("aborted", FaultKind::Server)],
    reasons: &[&["error"]],
    result: None,
    stream: Some(Place::At(&["urls", "stream"])),
    cancel: Some((Method::Post, Place::At(&["urls", "cancel"]))),
    told_at_submit: None,
    every_ms: 1000,
};

/// The ratios that most official models have.
const RATIOS: [&str; 11] = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9", "9:21"];

/// How models take images: what stands in their names, the field, and whether that is a list. The first that fits counts; each is
/// from the page of one of these models (`https://replicate.com/OWNER/NAME/api/schema`).
const PICTURES: [(&str, &str, bool); 5] = [
    ("flux-2", "input_images", true),
    ("nano-banana", "image_input", true),
    ("seedream", "image_input", true),
    ("qwen-image", "image", false),
    // flux-kontext-pro and -max, and others after them.
    ("", "input_image", false),
];

/// The body. Fields that the hub does not know are inputs of the model's.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    request.refuse_mask("say in the prompt what is to change")?;
    let (_, field, is_list) = PICTURES
        .into_iter()
        .find(|(word, ..)| request.model.contains(word))
        .unwrap_or(("", "input_image", false));
    let pictures = request.pictures(if is_list { usize::MAX } else { 1 })?;
    // A near one would do, but not every model has each.
    let ratio = size::ratio(request, &RATIOS).filter(|ratio| ratio.is_exact);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_object("input", |w| {
            w.field_str("prompt", request.words());
            match pictures {
                [] => {}
                several if is_list => {
                    w.field_array(field, |w| several.iter().for_each(|picture| picture.write_url(w)));
                }
                several => several.iter().for_each(|picture| {
                    w.key(field);
                    picture.write_url(w);
                }),
            }
            if let Some(ratio) = ratio {
                w.field_str("aspect_ratio", ratio.word);
            }
            if let Some(n) = request.n.filter(|n| *n != 1) {
                w.field_u64("num_outputs", n);
            }
            if let Some(seed) = request.seed {
                w.field_u64("seed", seed);
            }
            if let Some(format) = request.output_format.as_deref() {
                w.field_str("output_format", if format == "jpeg" { "jpg" } else { format });
            }
            if let Some(prompt) = &request.negative_prompt {
                w.field_str("negative_prompt", prompt);
            }
            request.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
        });
    });
    let unsaid: &[&str] = match ratio {
        Some(_) => &["quality", "user"],
        None => &["size", "aspect_ratio", "quality", "user"],
    };
    let encoded = Encoded::json(body.into_bytes(), request.dropped(unsaid, |_| true));
    Ok(Encoded { headers: vec![("prefer", "wait".to_owned())], ..encoded })
}

/// Reads a prediction that is done: its output is one address, or a list.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let Some(output) = root.some("output") else { return Ok(None) };
    let images: Vec<Image> = match output.kind() {
        Kind::Array => output.items().filter_map(Image::of_url).collect(),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Object => {
            Image::of_url(output).into_iter().collect()
        }
    };
    Ok(Some(Response { images, ..Response::default() }))
}
