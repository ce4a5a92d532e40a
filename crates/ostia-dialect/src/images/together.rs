//! Together's images (<https://docs.together.ai/reference/post-images-generations>): OpenAI's form with another word for base64,
//! and with width and height apart. Answers are as OpenAI's.

use super::{Encoded, Request, ResponseFormat, size};
use crate::Fault;
use crate::json::Writer;

/// Fields of OpenAI's that it has in other words, or not at all. A body without them is one of its own, but for the word for
/// base64.
pub(super) const OTHERWISE: [&str; 9] = [
    "size",
    "quality",
    "style",
    "user",
    "background",
    "moderation",
    "output_compression",
    "partial_images",
    "stream",
];

/// The body for `POST /images/generations`. Fields that the hub does not know go along: the models have many of their own.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    // <https://docs.together.ai/docs/flux-kontext>: one, at an address or as a data URL.
    let pictures = request.pictures(1)?;
    let pixels = size::pixels(request);
    let texts = [
        ("aspect_ratio", request.aspect_ratio.as_deref()),
        ("output_format", request.output_format.as_deref()),
        ("negative_prompt", request.negative_prompt.as_deref()),
    ];
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        w.field_str("prompt", request.words());
        if let [picture] = pictures {
            w.key("image_url");
            picture.write_url(w);
        }
        if let Some((width, height)) = pixels {
            w.field_u64("width", width);
            w.field_u64("height", height);
        }
        for (name, number) in [("n", request.n), ("seed", request.seed)] {
            if let Some(number) = number {
                w.field_u64(name, number);
            }
        }
        for (name, text) in texts {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        match request.response_format {
            Some(ResponseFormat::Url) => w.field_str("response_format", "url"),
            Some(ResponseFormat::Base64) => w.field_str("response_format", "base64"),
            None => {}
        }
        let own = request.extra.iter().filter(|(name, _)| is_own(name));
        own.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let unsaid: &[&str] = match pixels {
        Some(_) => &["mask", "quality", "user"],
        None => &["mask", "size", "quality", "user"],
    };
    Ok(Encoded::json(body.into_bytes(), request.dropped(unsaid, is_own)))
}

fn is_own(name: &str) -> bool {
    !OTHERWISE.contains(&name)
}
