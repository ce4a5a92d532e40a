//! Stability's services (<https://platform.stability.ai/docs/api-reference>): `POST /v2beta/stable-image/{service}` with a form, answered
//! in JSON where that is accepted.

use super::{Encoded, Image, Request, Response, Task, refused, size};
use crate::Fault;
use crate::form::Shade;
use crate::json::{Kind, Node};

/// The ratios that the models have.
const RATIOS: [&str; 9] = ["16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"];

/// The services by the names that models are given, and what is asked of them with an image.
const SERVICES: [(&str, &str); 19] = [
    ("core", "generate/core"),
    ("ultra", "generate/ultra"),
    ("sd3", "generate/sd3"),
    ("erase", "edit/erase"),
    ("inpaint", "edit/inpaint"),
    ("outpaint", "edit/outpaint"),
    ("search-and-replace", "edit/search-and-replace"),
    ("search-and-recolor", "edit/search-and-recolor"),
    ("remove-background", "edit/remove-background"),
    ("sketch", "control/sketch"),
    ("structure", "control/structure"),
    ("style", "control/style"),
    ("style-transfer", "control/style-transfer"),
    ("fast", "upscale/fast"),
    ("conservative", "upscale/conservative"),
    ("upscale-fast", "upscale/fast"),
    ("upscale-conservative", "upscale/conservative"),
    ("control-sketch", "control/sketch"),
    ("control-structure", "control/structure"),
];
/// Services that take a mask, white where the image is to change.
const MASKED: [&str; 2] = ["edit/inpaint", "edit/erase"];
/// How a name may begin that is the service's own otherwise (`stable-image-core`).
const PREFIX: &str = "stable-image-";
/// What the names of models begin with that one service has several of.
const SD3: &str = "sd3";
/// How far an image may be from the one that it is made from, where the client does not say and the model has to know: halfway.
const STRENGTH: &str = "0.5";

/// The form for a service. A call makes one image.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let service = service(request)?;
    if !MASKED.contains(&service) {
        request.refuse_mask("ask its `inpaint` or `erase`")?;
    }
    let mask = request.painted_mask(Shade::White, false)?;
    let pictures = request.pictures(1)?;
    let makes = service.starts_with("generate/");
    let ratio = size::ratio(request, &RATIOS).filter(|_| makes && pictures.is_empty());
    let seed = request.seed.map(|seed| seed.to_string());
    let is_sd3 = service.ends_with(SD3);
    let is_made_from = makes && !pictures.is_empty();
    let prompt = Some(request.words()).filter(|_| makes || request.task != Task::Vary);
    let fields = [
        ("prompt", prompt),
        ("model", Some(request.model.as_str()).filter(|model| is_sd3 && *model != SD3)),
        ("mode", Some("image-to-image").filter(|_| is_sd3 && is_made_from)),
        ("strength", Some(STRENGTH).filter(|_| is_made_from && request.extra("strength").is_none())),
        ("aspect_ratio", ratio.map(|ratio| ratio.word)),
        ("negative_prompt", request.negative_prompt.as_deref()),
        ("output_format", request.output_format.as_deref()),
        ("seed", seed.as_deref()),
    ];
    let mut said: Vec<(String, String)> =
        fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect();
    said.extend(request.extra.iter().map(|(name, value)| (name.clone(), text(value.as_str()))));
    let mut unsaid = vec!["n", "quality", "response_format", "user"];
    if !ratio.is_some_and(|ratio| ratio.is_exact) {
        unsaid.extend(["size", "aspect_ratio"]);
    }
    let encoded = Encoded::form(
        request.boundary.as_deref(),
        &said,
        (pictures, mask),
        request.dropped(&unsaid, |_| true),
    )?;
    let headers = vec![("accept", "application/json".to_owned())];
    Ok(Encoded { in_path: Some(service.to_owned()), headers, ..encoded })
}

/// What a form says for a JSON value.
fn text(json: &str) -> String {
    match crate::json::Document::parse(json.as_bytes()) {
        Ok(document) if document.root().kind() == Kind::String => {
            document.root().as_str().unwrap_or_default().into_owned()
        }
        _ => json.to_owned(),
    }
}

fn service(request: &Request) -> Result<&'static str, Fault> {
    let name = request.model.strip_prefix(PREFIX).unwrap_or(&request.model);
    let name = if name.starts_with(SD3) { SD3 } else { name };
    SERVICES.iter().find(|(known, _)| *known == name).map(|(_, service)| *service).ok_or_else(|| {
        let names: Vec<&str> = SERVICES.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "Invalid `model`: there is no service `{}`; there are {}.",
            request.model,
            names.join(", ")
        );
        Fault::invalid(message).with_param("model").with_code("model_not_found").with_status(404)
    })
}

/// Reads `image`.
///
/// Fails with 400 where it was filtered.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    if let Some(reason) = root.str("finish_reason").filter(|reason| reason == "CONTENT_FILTERED") {
        return Err(refused(&reason));
    }
    let image = root.some("image").and_then(Image::of_base64);
    Ok(image.map(|image| Response { images: vec![image], ..Response::default() }))
}
