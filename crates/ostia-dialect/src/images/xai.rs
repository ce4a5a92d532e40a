//! xAI's edits (<https://docs.x.ai/developers/model-capabilities/images/generation>): `POST /images/edits` in JSON, with pictures as
//! addresses or data URLs. Answers are as OpenAI's.

use super::{Encoded, Picture, Request, ResponseFormat, size};
use crate::Fault;
use crate::json::{Node, Writer};

/// The ratios that the models have.
const RATIOS: [&str; 11] = ["1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "1:2", "2:1", "9:20", "20:9"];
/// Pictures that one image is made from.
const PICTURES_MAX: usize = 3;
/// An extra field of the vendor's own.
const RESOLUTION: &str = "resolution";

/// The body for `POST /images/edits`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let pictures = request.pictures(PICTURES_MAX)?;
    let ratio = size::ratio(request, &RATIOS);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_str("prompt", request.words());
        match pictures {
            [one] => {
                w.key("image");
                write(one, w);
            }
            several => w.field_array("images", |w| several.iter().for_each(|one| write(one, w))),
        }
        if let Some(n) = request.n {
            w.field_u64("n", n);
        }
        if let Some(ratio) = ratio {
            w.field_str("aspect_ratio", ratio.word);
        }
        match request.response_format {
            Some(ResponseFormat::Url) => w.field_str("response_format", "url"),
            Some(ResponseFormat::Base64) => w.field_str("response_format", "b64_json"),
            None => {}
        }
        if let Some(user) = &request.user {
            w.field_str("user", user);
        }
        let own = request.extra(RESOLUTION);
        own.into_iter().for_each(|value| w.field_raw(RESOLUTION, value.as_str()));
    });
    let mut unsaid = vec!["mask", "quality", "output_format", "seed", "negative_prompt"];
    unsaid.extend(
        (!ratio.is_some_and(|ratio| ratio.is_exact))
            .then_some(["size", "aspect_ratio"])
            .into_iter()
            .flatten(),
    );
    Ok(Encoded::json(body.into_bytes(), request.dropped(&unsaid, |name| name == RESOLUTION)))
}

fn write(picture: &Picture, w: &mut Writer) {
    w.object(|w| {
        w.key("url");
        picture.write_url(w);
        w.field_str("type", "image_url");
    });
}

/// Is a body of a client's in this form as it is? Its pictures are then under `image` or `images`, each with a `url`.
pub(super) fn is_own(body: Node<'_>) -> bool {
    let mut pictures = body.some("image").into_iter().chain(body.some("images")).peekable();
    // One level of the body is known: the text says the rest.
    pictures.peek().is_some()
        && body.some("mask").is_none()
        && pictures.all(|picture| !picture.is_string() && picture.text().contains("\"url\""))
}
