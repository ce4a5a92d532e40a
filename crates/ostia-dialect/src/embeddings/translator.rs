//! Embeddings told in another vendor's form.

use super::{Client, Dialect, decode, encode, jina, mistral, voyage};
use crate::api::{Asked, Operation, Reader, Translated, Translator};
use crate::json::{Document, Node};
use crate::{Api, Fault, Observed};

/// How embeddings are told in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

/// The form that the provider has. One that copies OpenAI's chat may have copied its embeddings.
fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    client_of(client)?;
    // Google's for lists comes with the other one.
    let mut known =
        Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::GeminiBatch).map(Api::of_embeddings);
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
    let encoded = encode(dialect, &request)?;
    Ok(Translated {
        api: Api::of_embeddings(dialect.of_request(&request)),
        model: request.model.clone(),
        body: encoded.body,
        headers: encoded.headers,
        dropped: encoded.dropped,
        reader: Reader::new(move |body| {
            let response = decode(dialect, body)?;
            Ok((client.encode(&request, &response)?, Observed::of_embeddings(&response)))
        }),
    })
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
