//! OpenAI's embeddings (<https://developers.openai.com/api/reference/resources/embeddings>), for clients and upstreams.

use super::{Dtype, EncodingFormat, Input, Part, Request, Response, Usage, input_fault, numbers};
use crate::json::{Document, Json, Kind, Node, Writer};
use crate::media::{data_url, image_type_of};
use crate::{Encoded, Fault};

/// Reads a client's request.
///
/// `input` may be a text, a list of texts, a list of token numbers or a list of such lists, as with OpenAI. Beyond that
/// an element may be an object of a text and an image that make one vector: `{"text": ..., "image": {"url" | "base64":
/// ...}}`, or `{"content": [...]}` with parts as in chat messages. Of the fields that other vendors have besides, the words of
/// any are understood: `input_type`, `task` or `task_type`, `output_dimension`, `output_dtype` or `embedding_type`, `truncate`
/// or `truncation`.
///
/// Fails with 400 that names the field.
pub fn decode_request(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let model = root.expect("model")?.expect_str()?.into_owned();
    let input = root.expect("input")?;
    let mut request = Request { model, input: inputs(input)?, is_list: is_list(input), ..Request::default() };
    for (name, value) in root.fields() {
        if !value.is_null() {
            field(&mut request, &name, value)?;
            spell(&mut request, &name);
        }
    }
    Ok(request)
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "model" | "input" => {}
        "dimensions" | "output_dimension" | "dimensionality" => {
            request.dimensions = Some(value.expect_u64()?)
        }
        "encoding_format" => request.encoding_format = encoding_format(value)?,
        "user" => request.user = Some(value.expect_str()?.into_owned()),
        "input_type" | "task" | "task_type" | "taskType" => {
            request.input_type = Some(value.expect_str()?.into_owned());
        }
        "output_dtype" | "embedding_type" => output_dtype(request, value)?,
        "truncate" if value.is_string() => request.truncate = Some(value.expect_str()?.into_owned()),
        "truncate" | "truncation" => {
            request.truncate = Some(if value.expect_bool()? { "END" } else { "NONE" }.to_owned());
        }
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

/// Notes what the client calls a field by another name than ours, for whatever is told of it.
fn spell(request: &mut Request, name: &str) {
    let ours = match name {
        "task" | "task_type" | "taskType" => "input_type",
        "truncation" => "truncate",
        "embedding_type" => "output_dtype",
        _ => return,
    };
    request.spelled.push((ours, name.to_owned()));
}

fn encoding_format(value: Node<'_>) -> Result<EncodingFormat, Fault> {
    match &*value.expect_str()? {
        "float" => Ok(EncodingFormat::Float),
        "base64" => Ok(EncodingFormat::Base64),
        other => Err(value.invalid(format_args!("must be `float` or `base64`, not `{other}`"))),
    }
}

/// Of what numbers the vectors are. `base64` is the name of a type at some vendors.
fn output_dtype(request: &mut Request, value: Node<'_>) -> Result<(), Fault> {
    let name = value.expect_str()?;
    if name == "base64" {
        request.encoding_format = EncodingFormat::Base64;
        return Ok(());
    }
    let must = || value.invalid("must be `float`, `int8`, `uint8`, `binary` or `ubinary`");
    request.output_dtype = Some(Dtype::from_name(&name).ok_or_else(must)?);
    Ok(())
}

/// Is this a list of inputs, rather than one text or one list of tokens?
fn is_list(input: Node<'_>) -> bool {
    input.is_array() && !is_tokens(input)
}

fn is_tokens(input: Node<'_>) -> bool {
    input.items().next().is_some_and(|first| first.kind() == Kind::Number)
}

fn inputs(input: Node<'_>) -> Result<Vec<Input>, Fault> {
    if !is_list(input) {
        return Ok(vec![one(input)?]);
    }
    let all = input.items().map(one).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Err(input.invalid("must not be empty"));
    }
    Ok(all)
}

fn one(input: Node<'_>) -> Result<Input, Fault> {
    match input.kind() {
        Kind::String => text(input).map(Input::Text),
        Kind::Array => {
            if !is_tokens(input) {
                return Err(input.invalid("must be a text or a list of token numbers"));
            }
            for token in input.items() {
                token.expect_u64()?;
            }
            Ok(Input::Tokens(Json::of(input)))
        }
        Kind::Object => parts(input).map(Input::Parts),
        Kind::Null | Kind::Bool | Kind::Number => Err(input.invalid("must be a text, or a list of texts")),
    }
}

fn text(node: Node<'_>) -> Result<String, Fault> {
    let text = node.expect_str()?;
    if text.is_empty() { Err(node.invalid("must not be empty")) } else { Ok(text.into_owned()) }
}

fn parts(input: Node<'_>) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    if let Some(node) = input.some("text") {
        parts.push(Part::Text(text(node)?));
    }
    if let Some(image) = input.some("image") {
        parts.push(Part::Image(image_url(image)?));
    }
    for part in input.some("content").iter().flat_map(|content| content.items()) {
        parts.push(match part.expect("type")?.expect_str()?.as_ref() {
            "text" => Part::Text(text(part.expect("text")?)?),
            "image_url" => Part::Image(image_url(part.expect("image_url")?)?),
            other => return Err(part.invalid(format_args!("parts of type `{other}` cannot be embedded"))),
        });
    }
    if parts.is_empty() {
        Err(input.invalid("must hold a `text`, an `image` or `content`"))
    } else {
        Ok(parts)
    }
}

/// An image as an address or a data URL, or an object that holds either, or bare base64 in `base64`.
fn image_url(image: Node<'_>) -> Result<String, Fault> {
    if image.is_string() {
        return text(image);
    }
    if let Some(url) = image.some("url") {
        return text(url);
    }
    let data = text(image.expect("base64")?)?;
    Ok(if data.starts_with("data:") {
        data
    } else {
        data_url(image_type_of(&data).unwrap_or("image/jpeg"), &data)
    })
}

/// Writes the answer for a client that asked this.
///
/// Numbers are written as the upstream wrote them; where the client wants base64 and the upstream sent numbers, or the other
/// way round, they are packed or unpacked here. Tokens are 0 where the upstream does not count them, because the field has to be there.
///
/// Fails with 502 where the upstream sent another count of vectors than there are inputs, or no numbers.
pub fn encode_response(request: &Request, response: &Response) -> Result<Vec<u8>, Fault> {
    let (asked, came) = (request.input.len(), response.vectors.len());
    if asked != came {
        return Err(Fault::upstream(format!("The provider sent {came} embeddings for {asked} inputs.")));
    }
    let packed = response.vectors.iter().map(|vector| numbers::written(vector, request));
    let vectors = packed.collect::<Result<Vec<_>, _>>()?;
    let usage = response.usage.unwrap_or_default();
    let mut body =
        Writer::with_capacity(256 + vectors.iter().map(|vector| vector.as_str().len()).sum::<usize>());
    body.object(|w| {
        w.field_str("object", "list");
        w.field_array("data", |w| {
            for (index, vector) in vectors.iter().enumerate() {
                w.object(|w| {
                    w.field_str("object", "embedding");
                    w.field_u64("index", index as u64);
                    w.field_raw("embedding", vector.as_str());
                });
            }
        });
        w.field_str("model", if response.model.is_empty() { &request.model } else { &response.model });
        w.field_object("usage", |w| {
            w.field_u64("prompt_tokens", usage.prompt_tokens);
            w.field_u64("total_tokens", usage.total_tokens);
        });
    });
    Ok(body.into_bytes())
}

/// The request for an upstream. Fields that the hub does not know go along, because servers that speak this dialect have
/// many of their own; but not those of Google's clients, which no such server knows.
pub(super) fn encode_request(request: &Request) -> Result<Encoded, Fault> {
    if request.input.iter().any(|input| matches!(input, Input::Parts(_))) {
        return Err(input_fault("this model takes text only"));
    }
    let input_type = request.input_type.as_deref().filter(|word| !is_google_task(word));
    let (user, truncate) = (request.user.as_deref(), request.truncate.as_deref());
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", &request.model);
        write_inputs(w, request);
        if let Some(dimensions) = request.dimensions {
            w.field_u64("dimensions", dimensions);
        }
        if request.encoding_format == EncodingFormat::Base64 {
            w.field_str("encoding_format", "base64");
        }
        for (name, text) in [("user", user), ("input_type", input_type), ("truncate", truncate)] {
            if let Some(text) = text {
                w.field_str(name, text);
            }
        }
        if let Some(dtype) = request.output_dtype {
            w.field_str("output_dtype", dtype.name());
        }
        let extra = request.extra.iter().filter(|(name, _)| !is_google_field(name));
        extra.for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let task = request.input_type.as_deref().filter(|word| is_google_task(word)).map(|_| "taskType");
    let extra = request.extra.iter().map(|(name, _)| name.as_str()).filter(|name| is_google_field(name));
    let dropped = task.into_iter().chain(extra).map(str::to_owned).collect();
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Google's words for what vectors are for are in capitals.
fn is_google_task(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// A field of Google's, or one that differs between the requests of a batch.
fn is_google_field(name: &str) -> bool {
    super::gemini::own_field(name).is_some() || name.starts_with("requests[")
}

/// `input` as the client wrote it: one, or a list.
pub(super) fn write_inputs(w: &mut Writer, request: &Request) {
    w.key("input");
    match request.input.as_slice() {
        [only] if !request.is_list => write_input(w, only),
        all => w.array(|w| all.iter().for_each(|input| write_input(w, input))),
    }
}

fn write_input(w: &mut Writer, input: &Input) {
    match input {
        Input::Text(text) => w.string(text),
        Input::Tokens(list) => w.raw(list.as_str()),
        Input::Parts(_) => {}
    }
}

/// Reads an upstream's answer: `data[].embedding` in the order of `index`.
pub(super) fn decode_response(root: Node<'_>) -> Option<Response> {
    let data = root.some("data").filter(Node::is_array)?;
    let mut entries = Vec::new();
    for (place, entry) in data.items().enumerate() {
        let index = entry.u64("index").unwrap_or(place as u64);
        entries.push((index, super::vector(entry.some("embedding")?)?));
    }
    entries.sort_by_key(|(index, _)| *index);
    Some(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: root.str("model").unwrap_or_default().into_owned(),
        vectors: entries.into_iter().map(|(_, vector)| vector).collect(),
        usage: root.some("usage").map(usage),
        images: 0,
    })
}

/// Some servers count only the total.
fn usage(usage: Node<'_>) -> Usage {
    let total_tokens = usage.u64("total_tokens");
    let prompt_tokens = usage.u64("prompt_tokens").or(total_tokens).unwrap_or(0);
    Usage { prompt_tokens, total_tokens: total_tokens.unwrap_or(prompt_tokens) }
}
