//! OpenAI's image generation (<https://platform.openai.com/docs/api-reference/images/create>), for clients.

use super::{Image, Request, Response, ResponseFormat, Usage};
use crate::Fault;
use crate::json::{Document, Json, Node, Writer};

/// Reads a client's request. Beyond OpenAI's fields it understands those that most other vendors have: `aspect_ratio`, `seed`,
/// `negative_prompt`.
///
/// # Errors
/// 400 that names the field.
pub fn decode_request(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let mut request = Request { prompt: text(root.expect("prompt")?)?, ..Request::default() };
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        field(&mut request, &name, value)?;
    }
    Ok(request)
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "prompt" => {}
        "model" => request.model = text(value)?,
        "n" => request.n = Some(value.expect_u64()?),
        "size" => request.size = Some(text(value)?),
        "aspect_ratio" => request.aspect_ratio = Some(text(value)?),
        "quality" => request.quality = Some(text(value)?),
        "response_format" => request.response_format = Some(response_format(value)?),
        "output_format" => request.output_format = Some(text(value)?),
        "seed" => request.seed = Some(value.expect_u64()?),
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

/// Reads `data`, as vendors have it that copy this form.
pub(super) fn decode_response(root: Node<'_>) -> Option<Response> {
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
        usage: root.some("usage").and_then(|usage| {
            let input_tokens = usage.u64("input_tokens")?;
            Some(Usage { input_tokens, output_tokens: usage.u64("output_tokens").unwrap_or(0) })
        }),
    })
}

/// Writes the answer for a client.
///
/// Fails with 502 where it wants base64 and the upstream gave addresses.
pub(super) fn encode_response(request: &Request, response: &Response) -> Result<Vec<u8>, Fault> {
    let wants_base64 = request.response_format == Some(ResponseFormat::Base64);
    if wants_base64 && response.images.iter().any(|image| image.format == ResponseFormat::Url) {
        let message = "The provider gave addresses of images where base64 was asked for: ask with `response_format` `url`, and \
                       fetch them.";
        return Err(Fault::upstream(message).with_param("response_format"));
    }
    let length = response.images.iter().map(|image| image.data.as_str().len()).sum::<usize>();
    let mut body = Writer::with_capacity(256 + length);
    body.object(|w| {
        w.field_u64("created", response.created);
        w.field_array("data", |w| response.images.iter().for_each(|image| write_image(w, image)));
        if let Some(Usage { input_tokens, output_tokens }) = response.usage {
            w.field_object("usage", |w| {
                w.field_u64("input_tokens", input_tokens);
                w.field_u64("output_tokens", output_tokens);
                w.field_u64("total_tokens", input_tokens + output_tokens);
            });
        }
    });
    Ok(body.into_bytes())
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
