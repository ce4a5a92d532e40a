//! Recraft's edits (<https://www.recraft.ai/docs/api-reference/tools/image-to-image>,
//! <https://www.recraft.ai/docs/api-reference/tools/inpainting>): a form to `POST /images/imageToImage`, or with a mask to
//! `/images/inpaint`. Answers are as OpenAI's.

use super::{Encoded, Request, ResponseFormat};
use crate::Fault;
use crate::form::Shade;
use crate::json::{Document, Kind};

/// Extra fields of the vendor's own.
const OWN_FIELDS: [&str; 6] = ["strength", "style", "substyle", "style_id", "controls", "text_layout"];
/// How far the image may be from the one that it is made from, where the client does not say and the vendor has to know: halfway.
const STRENGTH: &str = "0.5";

/// The form.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let pictures = request.pictures(1)?;
    let mask = request.painted_mask(Shade::White, false)?;
    let n = request.n.map(|n| n.to_string());
    let format = request.response_format.map(|format| match format {
        ResponseFormat::Url => "url",
        ResponseFormat::Base64 => "b64_json",
    });
    let strength = mask.is_none() && request.extra("strength").is_none();
    let fields = [
        ("model", Some(request.model.as_str()).filter(|model| !model.is_empty())),
        ("prompt", Some(request.words())),
        ("strength", strength.then_some(STRENGTH)),
        ("n", n.as_deref()),
        ("negative_prompt", request.negative_prompt.as_deref()),
        ("response_format", format),
        ("image_format", request.output_format.as_deref()),
    ];
    let mut said: Vec<(String, String)> =
        fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect();
    let own = request.extra.iter().filter(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
    said.extend(own.map(|(name, value)| (name.clone(), text(value.as_str()))));
    let dropped = request
        .dropped(&["size", "aspect_ratio", "quality", "seed", "user"], |name| OWN_FIELDS.contains(&name));
    let place = if mask.is_some() { "inpaint" } else { "imageToImage" };
    let encoded = Encoded::form(request.boundary.as_deref(), &said, (pictures, mask), dropped)?;
    Ok(Encoded { in_path: Some(place.to_owned()), ..encoded })
}

/// What a form says for a JSON value.
fn text(json: &str) -> String {
    match Document::parse(json.as_bytes()) {
        Ok(document) if document.root().kind() == Kind::String => {
            document.root().as_str().unwrap_or_default().into_owned()
        }
        _ => json.to_owned(),
    }
}
