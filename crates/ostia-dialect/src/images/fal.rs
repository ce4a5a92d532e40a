//! Models at fal (<https://docs.fal.ai/model-apis/model-endpoints/queue>): `POST /{model}` of its queue is answered with a job, and the
//! result is at another address than how far that is.

use super::{Encoded, Image, Request, Response, refused, size};
use crate::Fault;
use crate::api::job::{Job, Method, Place};
use crate::json::{Node, Writer};

/// How the images are come by. What failed is told by the status of the result.
pub static JOB: Job = Job {
    status: Place::At(&["status_url"]),
    state: "status",
    done: &["COMPLETED"],
    failed: &[],
    reasons: &[],
    result: Some(Place::At(&["response_url"])),
    stream: None,
    cancel: Some((Method::Put, Place::At(&["cancel_url"]))),
    told_at_submit: None,
    every_ms: 500,
};

/// How the names of models end that take several images; all others take one.
const SEVERAL: &str = "/edit";

/// The body. Fields that the hub does not know go along: the models have many of their own.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    request.refuse_mask("say in the prompt what is to change")?;
    let is_list = request.model.ends_with(SEVERAL);
    let pictures = request.pictures(if is_list { usize::MAX } else { 1 })?;
    let pixels = size::pixels(request);
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("prompt", request.words());
        match pictures {
            [] => {}
            several if is_list => {
                w.field_array("image_urls", |w| several.iter().for_each(|picture| picture.write_url(w)));
            }
            several => several.iter().for_each(|picture| {
                w.key("image_url");
                picture.write_url(w);
            }),
        }
        if let Some((width, height)) = pixels {
            w.field_object("image_size", |w| {
                w.field_u64("width", width);
                w.field_u64("height", height);
            });
        }
        for (name, number) in [("num_images", request.n), ("seed", request.seed)] {
            if let Some(number) = number {
                w.field_u64(name, number);
            }
        }
        let texts = [
            ("aspect_ratio", &request.aspect_ratio),
            ("output_format", &request.output_format),
            ("negative_prompt", &request.negative_prompt),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        request.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let unsaid: &[&str] = match pixels {
        Some(_) => &["quality", "user"],
        None => &["size", "quality", "user"],
    };
    Ok(Encoded::json(body.into_bytes(), request.dropped(unsaid, |_| true)))
}

/// Reads a result: `images`, or one `image`.
///
/// Fails with 400 where all of them were blackened because of what is to be seen.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    let list = root.some("images");
    let single = root.some("image");
    let found = list.iter().flat_map(|list| list.items()).chain(single);
    let images: Vec<Image> = found.filter_map(|image| Image::of_url(image.some("url")?)).collect();
    let flags = root.some("has_nsfw_concepts").filter(Node::is_array);
    let is_flagged = |flags: Node<'_>| {
        let mut flags = flags.items().map(|flag| flag.as_bool() == Some(true)).peekable();
        flags.peek().is_some() && flags.all(|flag| flag)
    };
    if flags.is_some_and(is_flagged) {
        return Err(refused("has_nsfw_concepts"));
    }
    Ok(Some(Response { images, ..Response::default() }))
}
