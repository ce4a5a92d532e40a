//! Embeddings told in another vendor's form.

use super::{Client, Dialect, decode, encode};
use crate::api::{Asked, Operation, Reader, Translated, Translator};
use crate::{Api, Fault, Observed};

/// How embeddings are told in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

/// The form that the provider has. One that copies OpenAI's chat may have copied its embeddings.
fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    client_of(client)?;
    // Google's for lists comes with the other one.
    let mut known = [Dialect::Openai, Dialect::Gemini, Dialect::Cohere, Dialect::VertexPredict]
        .into_iter()
        .map(Api::of_embeddings);
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
