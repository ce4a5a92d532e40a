//! Models at Segmind (<https://docs.segmind.com/api>): `POST /v1/{model}` with the model's own fields, answered in JSON where base64 is
//! asked for.

use super::{Encoded, Image, Request, Response, size};
use crate::Fault;
use crate::json::{Node, Writer};

/// The body. Fields that the hub does not know go along: the models have many of their own.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    request.refuse_mask("say in the prompt what is to change")?;
    let pictures = request.pictures(1)?;
    let pixels = size::pixels(request);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", request.words());
        for picture in pictures {
            w.key("image");
            picture.write_base64(w);
        }
        if let Some((width, height)) = pixels {
            w.field_u64("img_width", width);
            w.field_u64("img_height", height);
        }
        for (name, number) in [("samples", request.n), ("seed", request.seed)] {
            if let Some(number) = number {
                w.field_u64(name, number);
            }
        }
        let texts = [("aspect_ratio", &request.aspect_ratio), ("negative_prompt", &request.negative_prompt)];
        for (name, text) in texts {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        w.field_bool("base64", true);
        request.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let unsaid: &[&str] = match pixels {
        Some(_) => &["quality", "response_format", "output_format", "user"],
        None => &["size", "quality", "response_format", "output_format", "user"],
    };
    Ok(Encoded::json(body.into_bytes(), request.dropped(unsaid, |name| name != "base64")))
}

/// Reads `image`.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let image = root.some("image").and_then(Image::of_base64);
    Ok(image.map(|image| Response { images: vec![image], ..Response::default() }))
}
