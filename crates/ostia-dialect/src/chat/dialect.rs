//! The dialects of conversations as upstreams speak them: the one place that matches over all of them. As clients speak
//! them they are in `client.rs`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::limits::LimitOverrides;
use crate::chat::{
    adapt, anthropic_messages, bedrock_converse, cohere_chat, gemini_generate, ollama_chat, openai_chat,
    openai_responses, repair, replicate_text,
};
use crate::frame::Frame;
use crate::json::{Document, Writer};
use crate::{Event, Fault, MediaKind, Metered, Request, Response, Undo, Usage};

/// A wire format for conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Google generateContent.
    GeminiGenerate,
    /// Cohere Chat, version 2.
    CohereChat,
    /// Amazon Bedrock Converse.
    BedrockConverse,
    /// Ollama's own chat.
    OllamaChat,
    /// Replicate's predictions of language models.
    ReplicateText,
}

/// A request in an upstream's words.
#[derive(Debug, Clone, Default)]
pub struct Encoded {
    /// The JSON body.
    pub body: Vec<u8>,
    /// Headers that go with it (`anthropic-beta`), lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Paths of the client's fields that the dialect cannot say, in the order met (`logit_bias`,
    /// `messages[2].name`).
    pub dropped: Vec<String>,
    /// What has to be undone in the answer.
    pub undo: Undo,
}

/// How one upstream spells its dialect, where not all of its vendors do it in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Chat Completions: the field of an assistant message in which the reasoning of earlier turns goes back. Absent: it
    /// is not sent back.
    pub reasoning_field: Option<String>,
    /// Chat Completions: the reasoning of earlier turns goes back as a part of `content`, of type `thinking`.
    pub reasoning_parts: bool,
    /// Chat Completions: the usage at the end of a stream comes without being asked for, and asking is an error.
    pub usage_unasked: bool,
    /// Chat Completions and Responses: what of OpenAI's own the upstream is known to take, by the names of [`OPENAI_FEATURES`].
    /// Absent: all of it.
    pub takes: Option<Vec<String>>,
    /// Where the limits differ from those of the dialect's first vendor.
    pub limits: LimitOverrides,
    /// Every dialect: the kinds of media that the upstream fetches from addresses of the web. Absent: those that the dialect's
    /// first vendor does.
    pub media_urls: Option<Vec<MediaKind>>,
}

/// What OpenAI's own formats have, and servers that copy them often have not: top-level fields of Chat Completions, and what has
/// no field of its own. <https://platform.openai.com/docs/api-reference/chat/create>,
/// <https://platform.openai.com/docs/api-reference/responses/create>
pub const OPENAI_FEATURES: [&str; 19] = [
    // `tool_choice` of type `allowed_tools`.
    "allowed_tools",
    "audio",
    // Responses: the types of tools that the client runs, but for `function` and `custom`: `namespace`, `local_shell`, `shell`,
    // `apply_patch`, `tool_search`.
    "client_tools",
    // Tools of type `custom`.
    "custom_tools",
    // The role.
    "developer",
    // Other levels of `reasoning_effort` than low, medium and high.
    "efforts",
    // The newer name of `max_tokens`.
    "max_completion_tokens",
    "metadata",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "verbosity",
    // Responses: the tool.
    "web_search",
    "web_search_options",
];

impl EncodeOptions {
    /// Has an upstream the types that this dialect has for tools that clients run?
    pub(crate) fn has_types_of(&self, owner: Dialect, upstream: Dialect) -> bool {
        owner == upstream && (owner != Dialect::OpenaiResponses || self.takes("client_tools"))
    }

    /// Is this known to be taken? What is none of [`OPENAI_FEATURES`] is.
    pub(crate) fn takes(&self, feature: &str) -> bool {
        self.takes.as_ref().is_none_or(|known| {
            known.iter().any(|name| name == feature) || !OPENAI_FEATURES.contains(&feature)
        })
    }
}

/// Fields of a Messages request that counting does not take: they concern the answer.
const NOT_COUNTED: [&str; 9] = [
    "container",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];
/// The same of a Responses request.
const NOT_COUNTED_BY_RESPONSES: [&str; 15] = [
    "include",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "user",
];
/// The body that asks Bedrock how many tokens a body has that one of its models would be invoked with
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelTokensRequest.html>): in base64.
pub fn invoked_count_body(body: &[u8]) -> Vec<u8> {
    let mut w = Writer::with_capacity(body.len() * 4 / 3 + 64);
    w.object(|w| {
        w.field_object("input", |w| {
            w.field_object("invokeModel", |w| w.field_str("body", &BASE64_STANDARD.encode(body)));
        });
    });
    w.into_bytes()
}

/// The only fields of a Converse request that counting takes.
const COUNTED_BY_CONVERSE: [&str; 4] = ["additionalModelRequestFields", "messages", "system", "toolConfig"];

impl Dialect {
    /// Every dialect, in the order of the enum.
    pub const ALL: [Dialect; 8] = [
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        Dialect::AnthropicMessages,
        Dialect::GeminiGenerate,
        Dialect::CohereChat,
        Dialect::BedrockConverse,
        Dialect::OllamaChat,
        Dialect::ReplicateText,
    ];

    /// The body that asks how many tokens a request has, from the body of the request itself.
    ///
    /// Sources: <https://platform.claude.com/docs/en/api/messages-count-tokens>,
    /// <https://ai.google.dev/api/tokens>, <https://platform.openai.com/docs/api-reference/responses/input-tokens>,
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>.
    pub fn count_body(self, model: &str, body: &[u8]) -> Vec<u8> {
        let Ok(document) = Document::parse_to(body, 1) else { return body.to_vec() };
        let without = |fields: &[&str], w: &mut Writer| {
            for (name, value) in document.root().fields().filter(|(name, _)| !fields.contains(&name.as_ref()))
            {
                w.field_raw(&name, value.text());
            }
        };
        let mut w = Writer::with_capacity(body.len());
        w.object(|w| match self {
            Dialect::GeminiGenerate => w.field_object("generateContentRequest", |w| {
                w.field_str("model", &format!("models/{}", model.trim_start_matches("models/")));
                without(&["model"], w);
            }),
            Dialect::AnthropicMessages => without(&NOT_COUNTED, w),
            Dialect::OpenaiResponses => without(&NOT_COUNTED_BY_RESPONSES, w),
            Dialect::BedrockConverse => w.field_object("input", |w| {
                w.field_object("converse", |w| {
                    let counted = document.root().fields();
                    let counted = counted.filter(|(name, _)| COUNTED_BY_CONVERSE.contains(&name.as_ref()));
                    counted.for_each(|(name, value)| w.field_raw(&name, value.text()));
                });
            }),
            Dialect::OpenaiChat | Dialect::CohereChat | Dialect::OllamaChat | Dialect::ReplicateText => {
                without(&[], w);
            }
        });
        w.into_bytes()
    }

    /// The number in the answer to [`Dialect::count_body`].
    pub fn decode_count(self, body: &[u8]) -> Option<u64> {
        let document = Document::parse_to(body, 1).ok()?;
        let names = [(Dialect::GeminiGenerate, "totalTokens"), (Dialect::BedrockConverse, "inputTokens")];
        let name =
            names.iter().find(|(dialect, _)| *dialect == self).map_or("input_tokens", |(_, name)| name);
        document.root().u64(name)
    }

    /// Has the dialect tools that are called with free text?
    pub fn has_custom_tools(self) -> bool {
        match self {
            Dialect::OpenaiChat | Dialect::OpenaiResponses => true,
            Dialect::AnthropicMessages
            | Dialect::GeminiGenerate
            | Dialect::CohereChat
            | Dialect::BedrockConverse
            | Dialect::OllamaChat
            | Dialect::ReplicateText => false,
        }
    }

    /// The dialect of this name.
    pub(crate) fn from_name(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The name used in configuration and reports.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenaiChat => "openai_chat",
            Dialect::OpenaiResponses => "openai_responses",
            Dialect::AnthropicMessages => "anthropic_messages",
            Dialect::GeminiGenerate => "gemini_generate",
            Dialect::CohereChat => "cohere_chat",
            Dialect::BedrockConverse => "bedrock_converse",
            Dialect::OllamaChat => "ollama_chat",
            Dialect::ReplicateText => "replicate_text",
        }
    }

    /// The upstream's body for a request, and what it could not say. The request is changed to what this vendor takes.
    ///
    /// # Errors
    /// 400 for a request that makes no sense to this vendor, or has a tool that only another vendor runs, naming the
    /// field.
    pub fn encode(self, request: &mut Request, options: &EncodeOptions) -> Result<Encoded, Fault> {
        let adapted = adapt::adapt(request, self, options)?;
        let mut encoded = match self {
            Dialect::OpenaiChat => openai_chat::request::encode(request, options),
            Dialect::OpenaiResponses => openai_responses::request::encode(request),
            Dialect::AnthropicMessages => anthropic_messages::request::encode(request),
            Dialect::GeminiGenerate => gemini_generate::request::encode(request),
            Dialect::CohereChat => cohere_chat::request::encode(request),
            Dialect::BedrockConverse => bedrock_converse::request::encode(request),
            Dialect::OllamaChat => ollama_chat::request::encode(request),
            Dialect::ReplicateText => replicate_text::request::encode(request),
        }?;
        adapted.report(&mut encoded);
        Ok(encoded)
    }

    /// Reads the upstream's whole answer.
    ///
    /// # Errors
    /// 502 for a body that is no answer; the upstream's own error where the body holds one.
    pub fn decode(self, body: &[u8]) -> Result<Response, Fault> {
        let mut response = match self {
            Dialect::OpenaiChat => openai_chat::response::decode(body),
            Dialect::AnthropicMessages => anthropic_messages::response::decode(body),
            Dialect::GeminiGenerate => gemini_generate::response::decode(body),
            Dialect::CohereChat => cohere_chat::response::decode(body),
            Dialect::BedrockConverse => bedrock_converse::response::decode(body),
            Dialect::OllamaChat => ollama_chat::response::decode(body),
            Dialect::ReplicateText => replicate_text::response::decode(body),
            Dialect::OpenaiResponses => openai_responses::response::decode(body),
        }?;
        repair::response(&mut response);
        Ok(response)
    }
}

/// Reads the stream of an upstream that speaks some dialect.
#[derive(Debug)]
pub struct Decoder {
    reader: Reader,
    repair: repair::Stream,
}

/// The half that knows the dialect.
#[derive(Debug)]
enum Reader {
    OpenaiChat(openai_chat::stream::Decoder),
    OpenaiResponses(openai_responses::stream::Decoder),
    AnthropicMessages(anthropic_messages::stream::Decoder),
    GeminiGenerate(gemini_generate::stream::Decoder),
    CohereChat(cohere_chat::stream::Decoder),
    BedrockConverse(bedrock_converse::stream::Decoder),
    OllamaChat(ollama_chat::stream::Decoder),
    ReplicateText(replicate_text::stream::Decoder),
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(dialect: Dialect) -> Decoder {
        let reader = match dialect {
            Dialect::OpenaiChat => Reader::OpenaiChat(Default::default()),
            Dialect::OpenaiResponses => Reader::OpenaiResponses(Default::default()),
            Dialect::AnthropicMessages => Reader::AnthropicMessages(Default::default()),
            Dialect::GeminiGenerate => Reader::GeminiGenerate(Default::default()),
            Dialect::CohereChat => Reader::CohereChat(Default::default()),
            Dialect::BedrockConverse => Reader::BedrockConverse(Default::default()),
            Dialect::OllamaChat => Reader::OllamaChat(Default::default()),
            Dialect::ReplicateText => Reader::ReplicateText(Default::default()),
        };
        Decoder { reader, repair: Default::default() }
    }

    /// Takes the next frame; appends what it means.
    ///
    /// # Errors
    /// An error that the upstream sent, or a frame that is not its dialect. The stream is over then.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let from = events.len();
        let read = match &mut self.reader {
            Reader::OpenaiChat(decoder) => decoder.push(frame, events),
            Reader::OpenaiResponses(decoder) => decoder.push(frame, events),
            Reader::AnthropicMessages(decoder) => decoder.push(frame, events),
            Reader::GeminiGenerate(decoder) => decoder.push(frame, events),
            Reader::CohereChat(decoder) => decoder.push(frame, events),
            Reader::BedrockConverse(decoder) => decoder.push(frame, events),
            Reader::OllamaChat(decoder) => decoder.push(frame, events),
            Reader::ReplicateText(decoder) => decoder.push(frame, events),
        };
        self.repair.events(events, from);
        read
    }

    /// What a stream has counted before its end, in the dialects that do; the others tell it with their events.
    pub fn usage(&self) -> Option<Usage> {
        match &self.reader {
            Reader::AnthropicMessages(decoder) => decoder.usage(),
            Reader::GeminiGenerate(decoder) => decoder.usage(),
            Reader::OpenaiChat(_)
            | Reader::OpenaiResponses(_)
            | Reader::CohereChat(_)
            | Reader::BedrockConverse(_)
            | Reader::OllamaChat(_)
            | Reader::ReplicateText(_) => None,
        }
    }

    /// Tools that the vendor ran, as far as a stream shows traces of them, in the dialects that count them with the tokens: where nobody
    /// asks for that count they are told here alone.
    pub fn tools(&self) -> Metered {
        match &self.reader {
            Reader::OpenaiChat(decoder) => decoder.tools(),
            Reader::OpenaiResponses(_)
            | Reader::AnthropicMessages(_)
            | Reader::GeminiGenerate(_)
            | Reader::CohereChat(_)
            | Reader::BedrockConverse(_)
            | Reader::OllamaChat(_)
            | Reader::ReplicateText(_) => Metered::default(),
        }
    }

    /// The upstream has closed the stream.
    ///
    /// # Errors
    /// The answer was not whole.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let from = events.len();
        let ended = match &mut self.reader {
            Reader::OpenaiChat(decoder) => decoder.finish(events),
            Reader::OpenaiResponses(decoder) => decoder.finish(),
            Reader::AnthropicMessages(decoder) => decoder.finish(),
            Reader::GeminiGenerate(decoder) => decoder.finish(events),
            Reader::CohereChat(decoder) => decoder.finish(),
            Reader::BedrockConverse(decoder) => decoder.finish(events),
            Reader::OllamaChat(decoder) => decoder.finish(),
            Reader::ReplicateText(decoder) => decoder.finish(),
        };
        self.repair.events(events, from);
        ended
    }
}

#[cfg(test)]
mod tests;
