//! OpenAI's images, for clients: generation (<https://platform.openai.com/docs/api-reference/images/create>), edits
//! (<https://platform.openai.com/docs/api-reference/images/createEdit>) and variations
//! (<https://platform.openai.com/docs/api-reference/images/createVariation>).

use super::{Image, Picture, Request, Response, ResponseFormat, Task};
use crate::form::Form;
use crate::json::{Document, Json, Node, Writer};
use crate::observe::media_usage;
use crate::{Fault, Files};

/// Fields that hold pictures to be edited: those of forms, and those of JSON.
const PICTURES: [&str; 2] = ["image", "images"];
/// The field of the picture that says where the first one is to change.
const MASK: &str = "mask";

/// Reads a client's request; `body` holds the fields of the form, where there is one, and `files` what was fetched for it. Beyond
/// OpenAI's fields it understands those that most other vendors have: `aspect_ratio`, `seed`, `negative_prompt`.
///
/// # Errors
/// 400 that names the field.
pub fn decode_request(task: Task, body: &[u8], form: Option<&Form>, files: &Files) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let boundary = form.map(|form| form.boundary.clone());
    let mut request = Request { task, boundary, ..Request::default() };
    if task != Task::Vary {
        request.prompt = text(root.expect("prompt")?)?;
    }
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        let is_picture = task != Task::Generate && (PICTURES.contains(&&*name) || name == MASK);
        if !is_picture {
            field(&mut request, &name, value)?;
        }
    }
    if task != Task::Generate {
        read_pictures(&mut request, root, form, files)?;
    }
    Ok(request)
}

fn read_pictures(
    request: &mut Request,
    root: Node<'_>,
    form: Option<&Form>,
    files: &Files,
) -> Result<(), Fault> {
    let found = |name: &str| match (form, root.some(name)) {
        (Some(form), _) => Picture::of_form(form, name),
        (None, Some(value)) => Picture::of_json(value),
        (None, None) => Ok(Vec::new()),
    };
    for name in PICTURES {
        for picture in found(name)? {
            request.pictures.push(picture.with(files)?);
        }
    }
    let mut masks = found(MASK)?.into_iter();
    request.mask = masks.next().map(|mask| mask.with(files)).transpose()?;
    match (request.pictures.len(), masks.next()) {
        (0, _) => {
            Err(Fault::invalid("Missing `image`: send the image that is to be changed.").with_param("image"))
        }
        (_, Some(_)) => Err(Fault::invalid("Send one file only as `mask`.").with_param(MASK)),
        (_, None) => Ok(()),
    }
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "prompt" => {}
        "model" => request.model = text(value)?,
        "n" => request.n = Some(number(value)?),
        "size" => request.size = Some(text(value)?),
        "aspect_ratio" => request.aspect_ratio = Some(text(value)?),
        "quality" => request.quality = Some(text(value)?),
        "response_format" => request.response_format = Some(response_format(value)?),
        "output_format" => request.output_format = Some(text(value)?),
        "seed" => request.seed = Some(number(value)?),
        "negative_prompt" => request.negative_prompt = Some(text(value)?),
        "user" => request.user = Some(text(value)?),
        "stream" if value.expect_bool()? => {
            return Err(value.invalid("this model's images come in one piece only; ask without it"));
        }
        "stream" | "partial_images" => {}
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

/// A number, which forms have as a text.
fn number(value: Node<'_>) -> Result<u64, Fault> {
    let written = value.as_str().and_then(|text| text.trim().parse().ok());
    written.map_or_else(|| value.expect_u64(), Ok)
}

fn text(value: Node<'_>) -> Result<String, Fault> {
    value.expect_str().map(|text| text.into_owned())
}

fn response_format(value: Node<'_>) -> Result<ResponseFormat, Fault> {
    match &*value.expect_str()? {
        "url" => Ok(ResponseFormat::Url),
        "b64_json" | "base64" => Ok(ResponseFormat::Base64),
        other => Err(value.invalid(format_args!("must be `url` or `b64_json`, not `{other}`"))),
    }
}

/// Reads `data`, as vendors have it that copy this form. They never say why there is none.
pub(super) fn decode(root: Node<'_>) -> Result<Option<Response>, Fault> {
    Ok(response(root))
}

fn response(root: Node<'_>) -> Option<Response> {
    let image = |entry: Node<'_>| {
        let (format, data) = match (entry.some("b64_json"), entry.some("url")) {
            (Some(data), _) => (ResponseFormat::Base64, data),
            (None, data) => (ResponseFormat::Url, data?),
        };
        let revised_prompt = entry.some("revised_prompt").map(Json::of);
        data.is_string().then(|| Image { format, data: Json::of(data), revised_prompt })
    };
    let data = root.some("data").filter(Node::is_array)?;
    Some(Response {
        created: root.u64("created").unwrap_or(0),
        images: data.items().map(image).collect::<Option<_>>()?,
        usage: root.some("usage").and_then(media_usage),
    })
}

/// Writes the answer for a client.
pub(super) fn encode_response(response: &Response) -> Vec<u8> {
    let length = response.images.iter().map(|image| image.data.as_str().len()).sum::<usize>();
    let mut body = Writer::with_capacity(256 + length);
    body.object(|w| {
        w.field_u64("created", response.created);
        w.field_array("data", |w| response.images.iter().for_each(|image| write_image(w, image)));
        if let Some(usage) = response.usage.filter(|usage| usage.total() > 0) {
            w.field_object("usage", |w| {
                w.field_u64("input_tokens", usage.prompt);
                w.field_u64("output_tokens", usage.completion);
                w.field_u64("total_tokens", usage.prompt.saturating_add(usage.completion));
            });
        }
    });
    body.into_bytes()
}

fn write_image(w: &mut Writer, image: &Image) {
    let name = match image.format {
        ResponseFormat::Url => "url",
        ResponseFormat::Base64 => "b64_json",
    };
    w.object(|w| {
        w.field_raw(name, image.data.as_str());
        if let Some(prompt) = &image.revised_prompt {
            w.field_raw("revised_prompt", prompt.as_str());
        }
    });
}
