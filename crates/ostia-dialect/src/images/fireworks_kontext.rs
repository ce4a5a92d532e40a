//! Fireworks' models that make an image of words and another image
//! (<https://docs.fireworks.ai/api-reference/generate-or-edit-image-using-flux-kontext>): a submit to `POST /workflows/{model}` is answered with
//! the id of a job, which is asked for by `POST` behind the same path.

use super::{Encoded, Request, size};
use crate::api::job::{Job, Place};
use crate::json::Writer;
use crate::{Fault, FaultKind};

/// How the image is come by (<https://docs.fireworks.ai/api-reference/get-generated-image-from-flux-kontex>).
pub static JOB: Job = Job {
    status: Place::Posted { behind: "/get_result", id: "request_id" },
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
    told_at_submit: None,
    every_ms: 500,
};

/// Ratios: any from 21:9 to 9:21. These are the common ones.
const RATIOS: [&str; 11] = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9", "9:21"];
/// Extra fields of the models' own.
const OWN_FIELDS: [&str; 2] = ["prompt_upsampling", "safety_tolerance"];

/// The body. A job makes one image, of one image at most. What comes of it is read as its maker's (`bfl`).
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    request.refuse_mask("say in the prompt what is to change")?;
    let pictures = request.pictures(1)?;
    let ratio = size::ratio(request, &RATIOS);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", request.words());
        if let Some(picture) = pictures.first() {
            w.key("input_image");
            picture.write_base64(w);
        }
        if let Some(ratio) = ratio {
            w.field_str("aspect_ratio", ratio.word);
        }
        if let Some(seed) = request.seed {
            w.field_u64("seed", seed);
        }
        if let Some(format) = &request.output_format {
            w.field_str("output_format", format);
        }
        let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let mut unsaid = vec!["n", "quality", "negative_prompt", "user"];
    if !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.extend(["size", "aspect_ratio"]);
    }
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, |name| OWN_FIELDS.contains(&name))))
}
