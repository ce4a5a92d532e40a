//! Embeddings told in another vendor's form.

use std::borrow::Cow;

use super::limits::inputs_max;
use super::{Client, Dialect, Input, Request, Response, Usage, decode, encode, jina, mistral, voyage};
use crate::api::{Asked, Came, Operation, Reader, Translated, Translator};
use crate::json::{Document, Node};
use crate::{Api, Fault, Observed};

/// How embeddings are told in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

/// The form that the provider has. One that copies OpenAI's chat may have copied its embeddings.
fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    client_of(client)?;
    // Google's for lists comes with the other one.
    let is_first = |dialect: &Dialect| *dialect != Dialect::GeminiBatch;
    let mut known = Dialect::ALL.into_iter().filter(is_first).map(Api::of_embeddings);
    let is_copied = || client != Api::OpenaiEmbeddings && offers(Api::OpenaiChat);
    known.find(|api| offers(*api)).or_else(|| is_copied().then_some(Api::OpenaiEmbeddings))
}

fn translate(asked: Asked<'_>, upstream: Api) -> Result<Translated, Fault> {
    let (Some(client), Operation::Embeddings(dialect)) = (client_of(asked.api), upstream.operation()) else {
        return Err(Fault::invalid("Embeddings are not asked for so.").with_code("unsupported_operation"));
    };
    let mut request = client.decode(asked.path_model, asked.body)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    let most = asked.inputs_max.into_iter().chain(inputs_max(dialect, &request.model)).min();
    let calls = split(&request, most)?;
    let mut bodies = Vec::with_capacity(calls.len());
    let mut dropped = Vec::new();
    for call in &calls {
        let encoded = encode(dialect, call)?;
        bodies.push(encoded.body);
        dropped = encoded.dropped;
    }
    let api = Api::of_embeddings(dialect.of_request(calls.first().map_or(&request, Cow::as_ref)));
    drop(calls);
    let mut bodies = bodies.into_iter();
    Ok(Translated {
        api,
        model: request.model.clone(),
        body: bodies.next().unwrap_or_default(),
        more: bodies.collect(),
        headers: Vec::new(),
        dropped,
        reader: Reader::of_all(move |parts| match joined(dialect, parts) {
            Ok(response) => (Observed::of_embeddings(&response), client.encode(&request, &response)),
            Err(fault) => (Observed::default(), Err(fault)),
        }),
    })
}

/// Most calls that one list becomes. OpenAI takes as many inputs in one
/// (<https://platform.openai.com/docs/api-reference/embeddings/create>, `input`).
const CALLS_MAX: usize = 2048;

/// The request, or several of no more than `most` inputs each.
fn split(request: &Request, most: Option<usize>) -> Result<Vec<Cow<'_, Request>>, Fault> {
    let Some(most) = most.map(|most| most.max(1)) else { return Ok(vec![Cow::Borrowed(request)]) };
    // Where a call has one input there is no method for lists, not for those of one either.
    let is_list = request.is_list && most > 1;
    if request.input.len() <= most && request.is_list == is_list {
        return Ok(vec![Cow::Borrowed(request)]);
    }
    let inputs_max = most.saturating_mul(CALLS_MAX);
    if request.input.len() > inputs_max {
        let what = format!("at most {inputs_max} inputs for this model; send more in several requests");
        return Err(super::input_fault(&what));
    }
    let part = |input: &[Input]| Request { input: input.to_vec(), is_list, ..request.but_input() };
    Ok(request.input.chunks(most).map(|input| Cow::Owned(part(input))).collect())
}

/// One answer of those of several calls, in their order. Tokens are known where all of them tell theirs.
fn joined(dialect: Dialect, parts: &[Came<'_>]) -> Result<Response, Fault> {
    let mut whole = Response::default();
    let mut tokens = Some((0, 0));
    for part in parts {
        let Response { id, model, vectors, usage, images } = decode(dialect, part.body)?;
        let told = part.input_tokens.map(|count| Usage { prompt_tokens: count, total_tokens: count });
        let sum = |(prompt, total): (u64, u64), usage: Usage| {
            (prompt.saturating_add(usage.prompt_tokens), total.saturating_add(usage.total_tokens))
        };
        tokens = tokens.zip(usage.or(told)).map(|(so_far, usage)| sum(so_far, usage));
        whole.vectors.extend(vectors);
        whole.images = whole.images.saturating_add(images);
        if whole.id.is_empty() {
            (whole.id, whole.model) = (id, model);
        }
    }
    whole.usage = tokens.map(|(prompt_tokens, total_tokens)| Usage { prompt_tokens, total_tokens });
    Ok(whole)
}

/// What one answer says; nothing of one that cannot be read.
pub(crate) fn observed(dialect: Dialect, came: Came<'_>) -> Observed {
    joined(dialect, &[came]).map_or_else(|_| Observed::default(), |said| Observed::of_embeddings(&said))
}

fn client_of(api: Api) -> Option<Client> {
    match api.operation() {
        Operation::Embeddings(dialect) => Client::of(dialect),
        _ => None,
    }
}

/// Can a body of OpenAI's form go to this API as it is? Three vendors have OpenAI's form but for a few fields, and a body without
/// those is one of their own; the answers are alike.
pub fn fits(upstream: Api, body: Node<'_>) -> bool {
    let otherwise: &[&str] = match upstream {
        Api::JinaEmbeddings => &jina::OTHERWISE,
        Api::MistralEmbeddings => &mistral::OTHERWISE,
        Api::VoyageEmbeddings => &voyage::OTHERWISE,
        _ => return false,
    };
    let is_other = |name: &&str| body.some(name).is_some();
    // Voyage has no word for what it does anyway.
    let is_float = body.str("encoding_format").as_deref() == Some("float");
    if otherwise.iter().any(is_other) || upstream == Api::VoyageEmbeddings && is_float {
        return false;
    }
    body.get("input").is_some_and(|input| is_own_input(upstream, input))
}

/// Texts, which all of them take, or what Jina takes besides: objects that hold a text or an image.
fn is_own_input(upstream: Api, input: Node<'_>) -> bool {
    let is_text = |node: Option<Node<'_>>| node.is_some_and(|node| node.is_string());
    let is_of_jina = |one: Node<'_>| {
        let is_there = is_text(one.get("text")) || is_text(one.get("image"));
        upstream == Api::JinaEmbeddings && is_there && one.fields().count() == 1
    };
    let is_own = |one: Node<'_>| one.is_string() || is_of_jina(one);
    match input.is_array() {
        true => {
            Document::parse_to(input.text().as_bytes(), 2).is_ok_and(|list| list.root().items().all(is_own))
        }
        false => input.is_string(),
    }
}
