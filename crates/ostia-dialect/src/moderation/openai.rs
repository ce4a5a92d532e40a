//! OpenAI's moderation (<https://platform.openai.com/docs/api-reference/moderations/create>), for clients.

use super::{Input, Request, Response};
use crate::Fault;
use crate::json::{Document, Json, Node, Writer};

/// Reads a client's request. `input` is a text, a list of texts, a list of parts as in chat messages, which are judged
/// together, or, beyond OpenAI's form, a list of messages.
///
/// # Errors
/// 400 that names the field.
pub fn decode_request(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let model = root.some("model").map(|model| model.expect_str()).transpose()?;
    let known = ["model", "input"];
    let extra = root.fields().filter(|(name, value)| !known.contains(&name.as_ref()) && !value.is_null());
    Ok(Request {
        model: model.map(|model| model.into_owned()),
        input: input(root.expect("input")?)?,
        extra: extra.map(|(name, value)| (name.into_owned(), Json::of(value))).collect(),
    })
}

fn input(input: Node<'_>) -> Result<Input, Fault> {
    if input.is_string() {
        return Ok(Input::Texts(vec![Json::of(input)]));
    }
    let Some(first) = input.items().next() else {
        return Err(input.invalid("must be a text, or a list of texts"));
    };
    match first {
        _ if first.is_string() => texts(input),
        _ if first.some("role").is_some() => Ok(Input::Conversation(Json::of(input))),
        _ => parts(input),
    }
}

fn texts(input: Node<'_>) -> Result<Input, Fault> {
    let one = |text: Node<'_>| text.expect_str().map(|_| Json::of(text));
    input.items().map(one).collect::<Result<Vec<Json>, Fault>>().map(Input::Texts)
}

/// Parts are judged together, so they are one text.
fn parts(input: Node<'_>) -> Result<Input, Fault> {
    let mut whole = String::new();
    for part in input.items() {
        if part.expect("type")?.expect_str()? != "text" {
            return Err(part.invalid("this model judges texts only"));
        }
        if !whole.is_empty() {
            whole.push('\n');
        }
        whole.push_str(&part.expect("text")?.expect_str()?);
    }
    Ok(Input::Texts(vec![Json::build(|w| w.string(&whole))]))
}

/// Writes the answer for a client.
pub(super) fn encode_response(request: &Request, response: &Response) -> Vec<u8> {
    let asked = request.model.as_deref().unwrap_or_default();
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("id", &response.id);
        w.field_str("model", if response.model.is_empty() { asked } else { &response.model });
        w.field_array("results", |w| {
            for verdict in &response.results {
                w.object(|w| {
                    w.field_bool("flagged", verdict.categories.iter().any(|(_, is_so)| *is_so));
                    w.field_object("categories", |w| {
                        verdict.categories.iter().for_each(|(name, is_so)| w.field_bool(name, *is_so));
                    });
                    w.field_object("category_scores", |w| {
                        verdict.scores.iter().for_each(|(name, score)| w.field_raw(name, score.as_str()));
                    });
                });
            }
        });
        if let Some(tokens) = response.tokens {
            w.field_object("usage", |w| {
                w.field_u64("prompt_tokens", tokens);
                w.field_u64("total_tokens", tokens);
            });
        }
    });
    body.into_bytes()
}
