//! The client's side: requests for `:embedContent` and `:batchEmbedContents`, and their answers. Names are taken in the
//! vendor's spelling and in snake case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::embeddings::{Input, Part, Request, Response, Vector};
use crate::json::{Document, Json, Node, Writer, camel};
use crate::media::{data_url, kind_of_mime, standard_base64};
use crate::{Fault, MediaKind};

/// Bytes of one number of a vector in base64.
const NUMBER_BYTES: usize = 4;

/// Reads a client's body for `:embedContent`. The model is said by the path.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode_request(model: &str, body: &[u8]) -> Result<Request, Fault> {
    let document = parse(body)?;
    let mut request = Request { model: bare(model), ..Request::default() };
    embed(document.root(), &mut request)?;
    Ok(request)
}

/// Reads a client's body for `:batchEmbedContents`. Settings of single requests have to agree: no other vendor takes
/// them apart.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode_batch_request(model: &str, body: &[u8]) -> Result<Request, Fault> {
    let document = parse(body)?;
    let requests = document.root().expect("requests")?;
    let mut all = Request { model: bare(model), is_list: true, ..Request::default() };
    let mut extras = Vec::new();
    for (position, item) in requests.expect_items()?.enumerate() {
        let mut one = Request::default();
        embed(item, &mut one)?;
        if position == 0 {
            (all.dimensions, all.input_type) = (one.dimensions, one.input_type.take());
        } else if one.dimensions != all.dimensions {
            return Err(disagrees(position, "outputDimensionality"));
        } else if one.input_type != all.input_type {
            return Err(disagrees(position, "taskType"));
        }
        all.input.append(&mut one.input);
        extras.push(one.extra);
    }
    if all.input.is_empty() {
        return Err(requests.invalid("must hold at least one request"));
    }
    all.extra = joined(extras);
    Ok(all)
}

fn disagrees(position: usize, name: &str) -> Fault {
    let path = format!("requests[{position}].{name}");
    let what = "must be the same in every request; send requests that differ apart";
    Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path)
}

/// Other fields, if they are the same in every request; else each is kept under its path, to be reported.
fn joined(mut extras: Vec<Vec<(String, Json)>>) -> Vec<(String, Json)> {
    if extras.windows(2).all(|pair| pair[0] == pair[1]) {
        return extras.pop().unwrap_or_default();
    }
    let named = |(position, fields): (usize, Vec<(String, Json)>)| {
        fields.into_iter().map(move |(name, value)| (format!("requests[{position}].{name}"), value))
    };
    extras.into_iter().enumerate().flat_map(named).collect()
}

fn parse(body: &[u8]) -> Result<Document<'_>, Fault> {
    Document::of_request(body)
}

fn bare(model: &str) -> String {
    model.strip_prefix("models/").unwrap_or(model).to_owned()
}

/// One request: what to embed, and how.
fn embed(item: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    request.input.push(content(item.expect("content")?)?);
    settings(item, request)
}

fn settings(object: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for (name, value) in object.expect_fields()?.filter(|(_, value)| !value.is_null()) {
        match camel(&name).as_str() {
            "content" | "model" => {}
            "outputDimensionality" => request.dimensions = Some(value.expect_u64()?),
            "taskType" => {
                let task = value.expect_str()?.into_owned();
                request.input_type = Some(task).filter(|task| task != "TASK_TYPE_UNSPECIFIED");
            }
            // Newer clients write the same settings one level deeper.
            "embedContentConfig" => settings(value, request)?,
            name => request.extra.push((name.to_owned(), Json::of(value))),
        }
    }
    Ok(())
}

/// One text is a text; anything else stays in parts.
fn content(content: Node<'_>) -> Result<Input, Fault> {
    let parts = content.expect("parts")?;
    let list = if parts.is_array() { parts.items().collect() } else { vec![parts] };
    let mut parsed = list.into_iter().map(part).collect::<Result<Vec<_>, Fault>>()?;
    match (parsed.pop(), parsed.is_empty()) {
        (None, _) => Err(parts.invalid("must hold at least one part")),
        (Some(Part::Text(text)), true) => Ok(Input::Text(text)),
        (Some(last), _) => {
            parsed.push(last);
            Ok(Input::Parts(parsed))
        }
    }
}

fn part(part: Node<'_>) -> Result<Part, Fault> {
    for (name, value) in part.expect_fields()?.filter(|(_, value)| !value.is_null()) {
        let text = |name: &str, other: &str| {
            let node = value.some(name).or_else(|| value.some(other));
            node.map_or_else(|| value.expect(name), Ok)?.expect_str()
        };
        match camel(&name).as_str() {
            "text" => return Ok(Part::Text(value.expect_str()?.into_owned())),
            "inlineData" => {
                let (mime, data) = (text("mimeType", "mime_type")?, text("data", "data")?);
                image(value, &mime)?;
                return Ok(Part::Image(data_url(&mime, &standard_base64(&data))));
            }
            "fileData" => {
                if let Ok(mime) = text("mimeType", "mime_type") {
                    image(value, &mime)?;
                }
                return Ok(Part::Image(text("fileUri", "file_uri")?.into_owned()));
            }
            _ => {}
        }
    }
    Err(part.invalid("must be a text or an image: this model embeds nothing else"))
}

fn image(node: Node<'_>, mime: &str) -> Result<(), Fault> {
    match kind_of_mime(mime) {
        MediaKind::Image => Ok(()),
        MediaKind::Audio | MediaKind::Video | MediaKind::Document => {
            Err(node.invalid(format_args!("must be an image, not {mime}: this model embeds nothing else")))
        }
    }
}

/// Writes the answer of either method: `{"embedding": {"values"}}`, or `{"embeddings": [{"values"}]}`.
///
/// # Errors
/// 502 where a vector cannot be written as numbers, or where one was asked for and not one came.
pub fn encode_response(batch: bool, response: &Response) -> Result<Vec<u8>, Fault> {
    let vectors = response.vectors.iter().map(numbers).collect::<Result<Vec<_>, Fault>>()?;
    if !batch && vectors.len() != 1 {
        return Err(Fault::upstream(format!("The provider sent {} embeddings for 1 input.", vectors.len())));
    }
    let bytes = vectors.iter().map(|vector| vector.as_str().len() + 16).sum::<usize>();
    let mut w = Writer::with_capacity(128 + bytes);
    let values = |w: &mut Writer, vector: &Json| w.object(|w| w.field_raw("values", vector.as_str()));
    w.object(|w| {
        if batch {
            w.field_array("embeddings", |w| vectors.iter().for_each(|vector| values(w, vector)));
        } else {
            vectors.iter().for_each(|vector| values(w.key("embedding"), vector));
        }
        if let Some(usage) = response.usage {
            w.field_object("usageMetadata", |w| {
                w.field_u64("promptTokenCount", usage.prompt_tokens);
                w.field_u64("totalTokenCount", usage.total_tokens);
            });
        }
    });
    Ok(w.into_bytes())
}

/// The numbers of a vector: as they were written, or the shortest that have the same 32 bits.
fn numbers(vector: &Vector) -> Result<Json, Fault> {
    let bad = || Fault::upstream("The provider's embedding is not a list of numbers.");
    let text = match vector {
        Vector::Floats(list) => return Ok(list.clone()),
        Vector::Base64(text) => text,
    };
    let bytes = STANDARD.decode(text).map_err(|_| bad())?;
    let (fours, []) = bytes.as_chunks::<NUMBER_BYTES>() else { return Err(bad()) };
    let floats = fours.iter().map(|four| f32::from_le_bytes(*four));
    let floats: Vec<String> =
        floats.filter(|number| number.is_finite()).map(|number| number.to_string()).collect();
    // JSON has no words for the others.
    if floats.len() != fours.len() {
        return Err(bad());
    }
    Ok(Json::build(|w| w.array(|w| floats.iter().for_each(|number| w.raw(number)))))
}

#[cfg(test)]
mod tests;
