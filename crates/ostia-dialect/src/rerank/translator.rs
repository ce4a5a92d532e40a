//! Rankings told in another vendor's form.

use super::{Client, Dialect, Request, Response, decode, decode_request, encode};
use crate::api::{Asked, Operation, Reader, Translated, Translator};
use crate::json::{Document, Kind, Node};
use crate::{Api, Fault, Meter, Metered, Observed, Usage};

/// How rankings are told in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

/// The forms of providers, those first that say most.
const UPSTREAMS: [Api; 7] = [
    Api::JinaRerank,
    Api::CohereRerank,
    Api::PineconeRerank,
    Api::VoyageRerank,
    Api::NvidiaRerank,
    Api::VertexRerank,
    Api::BedrockRerank,
];

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    client_of(client)?;
    UPSTREAMS.into_iter().find(|api| offers(*api))
}

fn translate(asked: Asked<'_>, upstream: Api) -> Result<Translated, Fault> {
    let (Some(client), Operation::Rerank(dialect)) = (client_of(asked.api), upstream.operation()) else {
        return Err(Fault::invalid("Documents are not ranked so.").with_code("unsupported_operation"));
    };
    let mut request = decode_request(asked.body)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    let encoded = encode(dialect, &request)?;
    Ok(Translated {
        api: upstream,
        model: request.model.clone(),
        body: encoded.body,
        more: Vec::new(),
        headers: encoded.headers,
        dropped: encoded.dropped,
        reader: reader(client, dialect, request),
    })
}

fn reader(client: Client, dialect: Dialect, mut request: Request) -> Reader {
    if !request.return_documents {
        // Only their number matters to the answer, and they may be large.
        request.documents.iter_mut().for_each(super::Passage::clear);
    }
    Reader::new(move |body| {
        let response = decode(dialect, &request, body)?;
        Ok((client.encode(&request, &response), observed(&response)))
    })
}

fn observed(response: &Response) -> Observed {
    let super::Usage { tokens, search_units } = response.usage;
    let metered = Metered::one(Meter::Queries, search_units.unwrap_or(0));
    let usage =
        tokens.or(search_units).map(|_| Usage { prompt: tokens.unwrap_or(0), metered, ..Usage::default() });
    Observed::of_usage(usage)
}

fn client_of(api: Api) -> Option<Client> {
    match api.operation() {
        Operation::Rerank(dialect) => Client::of(dialect),
        _ => None,
    }
}

/// The form that a client means at the path that they share. Voyage's own fields say that it is Voyage's, also where they are
/// `null`, as its SDK sends them.
pub fn meant(body: Node<'_>) -> Api {
    let is_voyage =
        body.get("top_n").is_none() && (body.get("top_k").is_some() || body.get("truncation").is_some());
    if is_voyage { Api::VoyageRerank } else { Api::JinaRerank }
}

/// Can a body in Jina's form go to Cohere as it is? It can where all is text and no documents are wanted back, and the answers
/// are alike.
pub fn fits(upstream: Api, body: Node<'_>) -> bool {
    let are_texts = |documents: Node<'_>| {
        Document::parse_to(documents.text().as_bytes(), 1)
            .is_ok_and(|list| list.root().items().all(|document| document.kind() == Kind::String))
    };
    upstream == Api::CohereRerank
        && body.some("return_documents").is_none_or(|wanted| wanted.as_bool() == Some(false))
        && body.get("query").is_some_and(|query| query.is_string())
        && body.get("documents").is_some_and(are_texts)
}
