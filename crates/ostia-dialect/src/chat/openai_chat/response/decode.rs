//! The upstream's unary answer to the canonical one.

use std::borrow::Cow;

use crate::chat::openai_chat::part::{source_of_url, thinking_text, thought_signature};
use crate::chat::openai_chat::usage;
use crate::fault::from_body;
use crate::json::{Document, Json, Node};
use crate::{
    Block, Choice, Citation, Content, Dialect, Fault, Finish, Media, MediaKind, Response, Signature, ToolKind,
};

/// Reads a whole answer. A body that holds an error, or no choices, is a fault.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    if let Some(fault) = root.some("error").and_then(|_| from_body(root, 502)) {
        return Err(fault);
    }
    let Some(choices) = root.get("choices").filter(|choices| choices.is_array()) else {
        return Err(from_body(root, 502).unwrap_or_else(|| {
            Fault::upstream("The provider's answer is not a chat completion: it has no `choices`.")
        }));
    };
    Ok(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: root.str("model").unwrap_or_default().into_owned(),
        created: root.u64("created"),
        choices: choices
            .items()
            .enumerate()
            .map(|(position, choice)| decode_choice(position, choice))
            .collect::<Result<_, Fault>>()?,
        usage: usage::decode(root).map(|usage| usage.with_tools(usage::tools(root))),
        service_tier: root.str("service_tier").map(Cow::into_owned),
        system_fingerprint: root.str("system_fingerprint").map(Cow::into_owned),
        extra: root
            .fields()
            .filter(|(name, value)| !known::RESPONSE.contains(&name.as_ref()) && !value.is_null())
            .map(|(name, value)| (name.into_owned(), Json::of(value)))
            .collect(),
    })
}

/// Field names that the hub has a place for; everything else goes to `extra`.
pub(in crate::chat::openai_chat) mod known {
    pub(in crate::chat::openai_chat) const RESPONSE: &[&str] = &[
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "service_tier",
        "system_fingerprint",
        "x_groq",
        "error",
        // Noise of random length, against those who count bytes on the wire.
        "obfuscation",
    ];
    pub(in crate::chat::openai_chat) const CHOICE: &[&str] =
        &["index", "message", "delta", "finish_reason", "logprobs", "finish_details"];
}

fn decode_choice(position: usize, choice: Node<'_>) -> Result<Choice, Fault> {
    let native = native_finish(choice);
    if let Some(fault) = failure(choice, native.as_deref()) {
        return Err(fault);
    }
    let mut blocks = Vec::new();
    if let Some(message) = choice.some("message") {
        decode_blocks(message, &mut blocks);
    }
    Ok(Choice {
        index: choice.u64("index").and_then(|index| u32::try_from(index).ok()).unwrap_or(position as u32),
        finish: finish_of(native.as_deref().unwrap_or_default()),
        native_finish: native.map(Cow::into_owned),
        stop_sequence: None,
        logprobs: choice.some("logprobs").map(Json::of),
        extra: choice_extra(choice).collect(),
        blocks,
    })
}

/// The failure that a choice tells of: in an `error` of its own (OpenRouter, `choices[0].error`), or by its finish reason
/// alone. What was said until then is no answer.
/// <https://openrouter.ai/docs/api-reference/errors> and <https://docs.mistral.ai/api/> (`error`), vLLM and SGLang
/// (`abort`), Google (`function_call_filter: MALFORMED_FUNCTION_CALL`, NousResearch/hermes-agent#83882).
pub(in crate::chat::openai_chat) fn failure(choice: Node<'_>, native: Option<&str>) -> Option<Fault> {
    let is_told = |error: &Node<'_>| {
        error.fields().next().is_some() || error.as_str().is_some_and(|text| !text.is_empty())
    };
    let error = choice.some("error").filter(is_told);
    let is_failure = |word: &&str| {
        matches!(*word, "error" | "abort")
            || word.starts_with("function_call_filter")
            || word.eq_ignore_ascii_case("malformed_function_call")
    };
    let word = native.filter(is_failure);
    let unsaid = || Fault {
        vendor_type: word.map(Box::from),
        ..Fault::upstream(format!(
            "The provider failed while it was answering ({}).",
            word.unwrap_or("an error without a message")
        ))
    };
    match error {
        Some(error) => Some(match error.as_str() {
            Some(text) => Fault::upstream(text),
            None => from_body(error, 502).unwrap_or_else(unsaid),
        }),
        None => word.map(|_| unsaid()),
    }
}

/// The upstream's word for the end; an empty one says nothing (Snowflake), and OpenAI's first vision models put it
/// into `finish_details`.
pub(in crate::chat::openai_chat) fn native_finish<'d>(choice: Node<'d>) -> Option<Cow<'d, str>> {
    let details = || choice.some("finish_details")?.str("type");
    choice.str("finish_reason").or_else(details).filter(|word| !word.is_empty())
}

/// Vendor fields of a choice.
pub(in crate::chat::openai_chat) fn choice_extra(choice: Node<'_>) -> impl Iterator<Item = (String, Json)> {
    let unknown = |(name, value): &(Cow<'_, str>, Node<'_>)| {
        !known::CHOICE.contains(&name.as_ref()) && !value.is_null()
    };
    choice.fields().filter(unknown).map(|(name, value)| (name.into_owned(), Json::of(value)))
}

/// The words that vendors of this format use, in OpenAI's meaning.
pub(crate) fn finish_of(word: &str) -> Finish {
    match word {
        "length" | "model_length" | "max_tokens" | "MAX_TOKENS" | "model_context_window_exceeded" => {
            Finish::Length
        }
        // DeepSeek and Z.ai were interrupted: what came is not the whole.
        "insufficient_system_resource" | "network_error" => Finish::Length,
        "tool_calls" | "function_call" | "tool_use" => Finish::ToolCalls,
        "content_filter" | "safety" | "SAFETY" | "sensitive" => Finish::ContentFilter,
        word if word.starts_with("content_filter:") => Finish::ContentFilter,
        // stop, eos (Together), eos_token (TGI), STOP, end_turn, none (Snowflake), and what comes next.
        _ => Finish::Stop,
    }
}

/// The words of a message, which in a stream come in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat::openai_chat) enum Words {
    Text,
    Refusal,
    Reasoning,
}

impl Words {
    pub(in crate::chat::openai_chat) const ALL: [Words; 3] = [Words::Text, Words::Refusal, Words::Reasoning];

    /// Which words a block holds, if it holds any.
    pub(in crate::chat::openai_chat) fn of(content: &Content) -> Option<Words> {
        match content {
            Content::Text { .. } => Some(Words::Text),
            Content::Refusal(_) => Some(Words::Refusal),
            Content::Reasoning(_) => Some(Words::Reasoning),
            Content::Media(_)
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::Foreign { .. } => None,
        }
    }

    /// A block of these words.
    pub(in crate::chat::openai_chat) fn block(self, text: String) -> Block {
        Block::new(match self {
            Words::Text => Content::Text { text, citations: Vec::new() },
            Words::Refusal => Content::Refusal(text),
            Words::Reasoning => Content::Reasoning(text),
        })
    }
}

/// How the text of a string is read: whole, or as the next piece of these words.
type Read<'r, 'd> = &'r mut dyn FnMut(Words, Node<'d>) -> String;

/// The blocks of a message: reasoning, words, media, refusal, calls.
fn decode_blocks(message: Node<'_>, blocks: &mut Vec<Block>) {
    decode_words(message, blocks, &mut |_, text| text.as_str().unwrap_or_default().into_owned());
    for call in message.some("tool_calls").iter().flat_map(|calls| calls.items()) {
        blocks.extend(decode_call(call));
    }
    if let Some(call) = message.some("function_call") {
        // A legacy call has no id: its name joins call and result.
        blocks.extend(function_block(call.str("name").unwrap_or_default(), call, ToolKind::Function));
    }
}

/// All of a message or delta but its calls, which come in pieces in a stream.
pub(in crate::chat::openai_chat) fn decode_words<'d>(
    message: Node<'d>,
    blocks: &mut Vec<Block>,
    read: Read<'_, 'd>,
) {
    let text = |name| message.get(name).filter(Node::is_string);
    let is_filled = |text: &Node<'_>| text.text() != "\"\"";
    if let Some(text) = text("reasoning_content").or(text("reasoning")).filter(is_filled) {
        blocks.push(Words::Reasoning.block(read(Words::Reasoning, text)));
    }
    match message.some("content") {
        Some(content) if content.is_string() && is_filled(&content) => {
            blocks.push(Words::Text.block(read(Words::Text, content)));
        }
        Some(content) => content.items().for_each(|part| blocks.push(decode_part(part, read))),
        None => {}
    }
    decode_citations(message, blocks);
    if let Some(refusal) = text("refusal").filter(is_filled) {
        blocks.push(Words::Refusal.block(read(Words::Refusal, refusal)));
    }
    for image in message.some("images").iter().flat_map(|images| images.items()) {
        blocks.extend(image.some("image_url").and_then(|url| url.str("url")).map(|url| decode_image(&url)));
    }
    if let Some(audio) =
        message.some("audio").filter(|audio| audio.str("data").is_some_and(|data| !data.is_empty()))
    {
        let value = Json::build(|w| w.object(|w| w.field_raw("audio", audio.text())));
        blocks.push(Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value }));
    }
}

/// One of the parts that Mistral's reasoning models answer with.
fn decode_part<'d>(part: Node<'d>, read: Read<'_, 'd>) -> Block {
    match part.str("type").as_deref() {
        Some("text") => {
            Words::Text.block(part.get("text").map_or_else(String::new, |text| read(Words::Text, text)))
        }
        Some("thinking") => Words::Reasoning.block(thinking_text(part, |text| read(Words::Reasoning, text))),
        _ => Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value: Json::of(part) }),
    }
}

fn decode_image(url: &str) -> Block {
    let (source, mime) = source_of_url(url);
    Block::new(Content::Media(Media { kind: MediaKind::Image, source, mime, name: None, detail: None }))
}

/// Hangs the sources on the first text. In a stream they come behind the words, in a delta that has none.
fn decode_citations(message: Node<'_>, blocks: &mut Vec<Block>) {
    let annotations = message.some("annotations").into_iter().flat_map(|annotations| annotations.items());
    let found: Vec<Citation> = annotations.map(decode_annotation).collect();
    if found.is_empty() {
        return;
    }
    let text = blocks.iter_mut().find_map(|block| match &mut block.content {
        Content::Text { citations, .. } => Some(citations),
        _ => None,
    });
    match text {
        Some(citations) => citations.extend(found),
        None => blocks.push(Block::new(Content::Text { text: String::new(), citations: found })),
    }
}

pub(in crate::chat::openai_chat) fn decode_annotation(annotation: Node<'_>) -> Citation {
    let cited = annotation.some("url_citation");
    let text = |name: &str| cited.and_then(|cited| cited.str(name)).map(Cow::into_owned);
    let number = |name: &str| cited.and_then(|cited| cited.u64(name));
    Citation {
        url: text("url"),
        title: text("title"),
        start: number("start_index"),
        end: number("end_index"),
        value: Some(Json::of(annotation)),
    }
}

fn decode_call(call: Node<'_>) -> Option<Block> {
    let (inner, kind) = called(call)?;
    let mut block = function_block(call.str("id").unwrap_or_default(), inner, kind)?;
    block.signature = call_signature(call, inner);
    Some(block)
}

/// What is called, and of which kind. Snowflake puts an empty `custom` beside a `function`: there the type counts.
pub(in crate::chat::openai_chat) fn called(call: Node<'_>) -> Option<(Node<'_>, ToolKind)> {
    let function = || call.some("function").map(|function| (function, ToolKind::Function));
    let custom = || call.some("custom").map(|custom| (custom, ToolKind::Custom));
    match call.str("type").as_deref() {
        Some("function") => function().or_else(custom),
        Some(_) | None => custom().or_else(function),
    }
}

/// Google's signature of a call, in either place that is in use.
pub(in crate::chat::openai_chat) fn call_signature(call: Node<'_>, inner: Node<'_>) -> Option<Signature> {
    thought_signature(call).or_else(|| {
        let value = inner.str("thought_signature")?.into_owned();
        Some(Signature { dialect: Dialect::GeminiGenerate, value })
    })
}

/// `None` for the empty shell that Snowflake sends where there is no call.
fn function_block(id: Cow<'_, str>, inner: Node<'_>, kind: ToolKind) -> Option<Block> {
    let name = inner.str("name").unwrap_or_default().into_owned();
    let arguments = match inner.some("arguments").or(inner.some("input")) {
        Some(arguments) => arguments.as_str().unwrap_or(Cow::Borrowed(arguments.text())).into_owned(),
        None => String::new(),
    };
    if name.is_empty() && arguments.is_empty() {
        return None;
    }
    Some(Block::new(Content::ToolCall { id: id.into_owned(), name, arguments, kind }))
}
