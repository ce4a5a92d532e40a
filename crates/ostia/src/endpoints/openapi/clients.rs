//! APIs that clients have from their vendors: where they are here, and who describes them.

use ostia_dialect::Api;
use ostia_dialect::api::Path;
use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, Required, ResponseBuilder};

use super::operations::Words;
use super::{JSON, described_at, fault, in_path, names_in};

/// One of them.
pub(super) struct ClientApi {
    pub(super) path: String,
    pub(super) operation: Operation,
}

const OPENAI: &str = "https://platform.openai.com/docs/api-reference";
const ANTHROPIC: &str = "https://platform.claude.com/docs/en/api";
const GOOGLE: &str = "https://ai.google.dev/api";

/// Each with the page of its vendor's reference.
const APIS: [(Api, &str, &str); 21] = [
    (Api::OpenaiChat, OPENAI, "/chat/create"),
    (Api::OpenaiResponses, OPENAI, "/responses/create"),
    (Api::OpenaiInputTokens, OPENAI, "/responses/input-tokens"),
    (Api::OpenaiCompletions, OPENAI, "/completions/create"),
    (Api::OpenaiEmbeddings, OPENAI, "/embeddings/create"),
    (Api::OpenaiImages, OPENAI, "/images/create"),
    (Api::OpenaiImageEdits, OPENAI, "/images/createEdit"),
    (Api::OpenaiImageVariations, OPENAI, "/images/createVariation"),
    (Api::OpenaiSpeech, OPENAI, "/audio/createSpeech"),
    (Api::OpenaiTranscriptions, OPENAI, "/audio/createTranscription"),
    (Api::OpenaiTranslations, OPENAI, "/audio/createTranslation"),
    (Api::OpenaiModerations, OPENAI, "/moderations/create"),
    (Api::AnthropicMessages, ANTHROPIC, "/messages"),
    (Api::AnthropicCountTokens, ANTHROPIC, "/messages-count-tokens"),
    (Api::GeminiGenerate, GOOGLE, "/generate-content"),
    (Api::GeminiCountTokens, GOOGLE, "/tokens"),
    (Api::GeminiEmbed, GOOGLE, "/embeddings"),
    (Api::GeminiBatchEmbed, GOOGLE, "/embeddings"),
    (Api::JinaRerank, "https://api.jina.ai", "/redoc"),
    (Api::MistralOcr, "https://docs.mistral.ai", "/api/endpoint/ocr"),
    (Api::CohereRerank, "https://docs.cohere.com", "/reference/rerank"),
];

/// All of them, at each of their paths.
pub(super) fn all() -> impl Iterator<Item = ClientApi> {
    APIS.into_iter().flat_map(|(api, vendor, page)| {
        let url = format!("{vendor}{page}");
        paths(api).into_iter().map(move |path| ClientApi { operation: operation(api, &path, &url), path })
    })
}

/// Where the gateway has it.
pub(super) fn paths(api: Api) -> Vec<String> {
    match (api.gateway_path(), api.path()) {
        (Some(path), _) => vec![format!("/v1{path}")],
        (None, Path::OfModel { verb, stream_verb }) => {
            let verbs = std::iter::once(verb).chain(stream_verb);
            verbs.map(|verb| format!("/v1beta/models/{{model}}:{verb}")).collect()
        }
        (None, Path::Fixed(path)) => vec![path.to_owned()],
        (None, Path::WithModel { .. } | Path::WithModelPath(_)) => Vec::new(),
    }
}

fn operation(api: Api, path: &str, url: &str) -> Operation {
    let media = if api.takes_forms() { "multipart/form-data" } else { JSON };
    let id = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>();
    let mut made = OperationBuilder::new()
        .operation_id(Some(id.trim_matches('_')))
        .tag("APIs of vendors")
        .summary(Some(format!("{}, as its vendor has it", api.name())))
        .description(Some(
            "Any model of any provider is asked in this form. What is asked and answered is described by the vendor.",
        ))
        .request_body(Some(
            RequestBodyBuilder::new().content(media, Content::default()).required(Some(Required::True)).build(),
        ))
        .response("200", ResponseBuilder::new().description("In the vendor's form; streamed where that is asked for."))
        .response("default", fault(Words::Openai, "In the form of the vendor whose API it is."));
    for name in names_in(path) {
        made = made.parameter(in_path(name));
    }
    let mut operation = made.build();
    operation.external_docs = Some(described_at(url));
    operation
}
