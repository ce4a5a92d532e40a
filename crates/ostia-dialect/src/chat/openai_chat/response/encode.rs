//! The canonical answer to the client's body.

use crate::chat::limits::GivenIds;
use crate::chat::opaque::{self, Opaque};
use crate::chat::openai_chat::usage;
use crate::chat::response::characters;
use crate::json::{Document, Json, Writer};
use crate::media::data_url;
use crate::{
    Block, Choice, Citation, Content, Dialect, Media, MediaKind, RenderOptions, Response, Signature, Source,
    ToolKind,
};

/// The whole body of a chat completion.
pub fn encode(response: &Response, options: &RenderOptions) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        match response.id.as_str() {
            "" => w.field_str("id", &invented_id(options)),
            id => w.field_str("id", id),
        }
        w.field_str("object", "chat.completion");
        w.field_u64("created", response.created.unwrap_or(options.created));
        w.field_str("model", or(&response.model, &options.model));
        w.field_array("choices", |w| {
            for choice in &response.choices {
                encode_choice(w, choice, options);
            }
        });
        if let Some(usage) = &response.usage {
            w.key("usage");
            usage::encode(w, usage, options);
        }
        if let Some(tier) = &response.service_tier {
            w.field_str("service_tier", tier);
        }
        if let Some(fingerprint) = &response.system_fingerprint {
            w.field_str("system_fingerprint", fingerprint);
        }
        if !options.strict {
            w.field_str("provider", &options.provider);
            for (name, value) in response.extra.iter().filter(|(name, _)| name != "provider") {
                w.field_raw(name, value.as_str());
            }
        }
    });
    w.into_bytes()
}

pub(in crate::chat::openai_chat) fn or<'a>(given: &'a str, fallback: &'a str) -> &'a str {
    if given.is_empty() { fallback } else { given }
}

fn encode_choice(w: &mut Writer, choice: &Choice, options: &RenderOptions) {
    w.object(|w| {
        w.field_u64("index", choice.index.into());
        w.field_object("message", |w| encode_message(w, choice, options));
        match &choice.logprobs {
            Some(logprobs) => w.field_raw("logprobs", logprobs.as_str()),
            None => w.key("logprobs").null(),
        }
        w.field_str("finish_reason", choice.finish.openai());
        if !options.strict {
            for (name, value) in &choice.extra {
                w.field_raw(name, value.as_str());
            }
        }
    });
}

fn encode_message(w: &mut Writer, choice: &Choice, options: &RenderOptions) {
    let said = Said::of(&choice.blocks);
    w.field_str("role", "assistant");
    match said.text {
        Some(text) => w.field_str("content", &text),
        None => w.key("content").null(),
    }
    match said.refusal {
        Some(refusal) => w.field_str("refusal", &refusal),
        None => w.key("refusal").null(),
    }
    if let Some(reasoning) = said.reasoning {
        w.field_str("reasoning_content", &reasoning);
    }
    encode_calls(w, choice, options);
    encode_annotations(w, &choice.blocks);
    encode_media(w, &choice.blocks, options);
    if !options.strict {
        w.field_array("content_blocks", |w| {
            for block in &choice.blocks {
                content_block(w, block);
            }
        });
    }
}

/// The words of an answer, by kind.
struct Said {
    text: Option<String>,
    refusal: Option<String>,
    reasoning: Option<String>,
}

impl Said {
    fn of(blocks: &[Block]) -> Said {
        let mut said = Said { text: None, refusal: None, reasoning: None };
        for block in blocks {
            let (slot, words) = match &block.content {
                Content::Text { text, .. } => (&mut said.text, text),
                Content::Refusal(text) => (&mut said.refusal, text),
                Content::Reasoning(text) => (&mut said.reasoning, text),
                Content::Media(_)
                | Content::ToolCall { .. }
                | Content::ToolResult { .. }
                | Content::Foreign { .. } => continue,
            };
            slot.get_or_insert_default().push_str(words);
        }
        // An answer that says nothing and calls nothing has empty content, not none.
        let called = blocks.iter().any(|block| matches!(block.content, Content::ToolCall { .. }));
        if said.text.is_none() && said.refusal.is_none() && !called {
            said.text = Some(String::new());
        }
        said
    }
}

fn encode_calls(w: &mut Writer, choice: &Choice, options: &RenderOptions) {
    let calls = || choice.blocks.iter().filter(|block| matches!(block.content, Content::ToolCall { .. }));
    if calls().next().is_none() {
        return;
    }
    let mut ids = GivenIds::of(Dialect::OpenaiChat, choice.index);
    w.field_array("tool_calls", |w| {
        for block in calls() {
            let Content::ToolCall { id, name, arguments, kind } = &block.content else { continue };
            w.object(|w| {
                encode_call_head(w, &ids.next(id, &options.id_suffix), *kind);
                encode_call_body(w, name, arguments, *kind);
                if let (false, Some(signature)) = (options.strict, &block.signature) {
                    shown_proof(w, signature);
                }
            });
        }
    });
}

/// The id of an answer to which the upstream gave none.
pub(in crate::chat::openai_chat) fn invented_id(options: &RenderOptions) -> String {
    format!("chatcmpl-{}", options.id_suffix)
}

pub(in crate::chat::openai_chat) fn encode_call_head(w: &mut Writer, id: &str, kind: ToolKind) {
    w.field_str("id", id);
    w.field_str("type", if kind == ToolKind::Custom { "custom" } else { "function" });
}

pub(in crate::chat::openai_chat) fn encode_call_body(
    w: &mut Writer,
    name: &str,
    arguments: &str,
    kind: ToolKind,
) {
    let (group, input) = match kind {
        ToolKind::Custom => ("custom", "input"),
        ToolKind::Function => ("function", "arguments"),
    };
    w.field_object(group, |w| {
        w.field_str("name", name);
        w.field_str(input, arguments);
    });
}

/// A Google signature on a call, where Google's own OpenAI-compatible API puts it.
pub(in crate::chat::openai_chat) fn extra_content(w: &mut Writer, signature: &Signature) {
    if signature.dialect == Dialect::GeminiGenerate {
        thought_signature(w, &signature.value);
    }
}

/// The proof of anything but a thought, as clients see it: in the place that those of Google's API hand back,
/// and there as an opaque value if it is another vendor's.
pub(in crate::chat::openai_chat) fn shown_proof(w: &mut Writer, signature: &Signature) {
    match signature.dialect {
        Dialect::GeminiGenerate => thought_signature(w, &signature.value),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::AnthropicMessages
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => thought_signature(w, &opaque::encode(&Opaque::Own(signature.clone()))),
    }
}

fn thought_signature(w: &mut Writer, value: &str) {
    w.field_object("extra_content", |w| {
        w.field_object("google", |w| w.field_str("thought_signature", value));
    });
}

fn encode_annotations(w: &mut Writer, blocks: &[Block]) {
    let cited = blocks.iter().any(|block| match &block.content {
        Content::Text { citations, .. } => citations.iter().any(|citation| citation.url.is_some()),
        _ => false,
    });
    if !cited {
        return;
    }
    w.field_array("annotations", |w| {
        let mut before = 0;
        for block in blocks {
            let Content::Text { text, citations } = &block.content else { continue };
            let length = characters(text);
            for citation in citations {
                annotation(w, citation, before, before + length);
            }
            before += length;
        }
    });
}

/// OpenAI's `url_citation`. A source without an address has no form here; one without a place covers its block.
pub(in crate::chat::openai_chat) fn annotation(w: &mut Writer, citation: &Citation, start: u64, end: u64) {
    let Some(url) = &citation.url else { return };
    w.object(|w| {
        w.field_str("type", "url_citation");
        w.field_object("url_citation", |w| {
            w.field_str("url", url);
            w.field_str("title", citation.title.as_deref().unwrap_or_default());
            w.field_u64("start_index", citation.start.unwrap_or(start));
            w.field_u64("end_index", citation.end.unwrap_or(end));
        });
    });
}

/// Pictures go into `images`, the place that clients of image models look at; recordings into OpenAI's `audio`.
fn encode_media(w: &mut Writer, blocks: &[Block], options: &RenderOptions) {
    let media = |wanted: MediaKind| {
        blocks.iter().filter_map(move |block| match &block.content {
            Content::Media(media) if media.kind == wanted => Some(media),
            _ => None,
        })
    };
    if media(MediaKind::Image).next().is_some() {
        w.field_array("images", |w| media(MediaKind::Image).for_each(|image| encode_image(w, image)));
    }
    if let Some(Media { source: Source::Base64(data), .. }) = media(MediaKind::Audio).next() {
        w.field_object("audio", |w| {
            w.field_str("id", &invented_id(options));
            w.field_str("data", data);
            w.field_str("transcript", "");
            w.field_u64("expires_at", options.created);
        });
    }
    if let Some(audio) = blocks.iter().find_map(audio_of) {
        w.field_raw("audio", audio.as_str());
    }
}

/// The recording that an upstream of this format gave, as it wrote it.
pub(in crate::chat::openai_chat) fn audio_of(block: &Block) -> Option<Json> {
    let Content::Foreign { dialect: Dialect::OpenaiChat, value } = &block.content else { return None };
    let document = Document::parse_to(value.as_str().as_bytes(), 1).ok()?;
    document.root().get("audio").map(Json::of)
}

pub(in crate::chat::openai_chat) fn encode_image(w: &mut Writer, image: &Media) {
    w.object(|w| image_fields(w, image));
}

fn image_fields(w: &mut Writer, image: &Media) {
    let url = match &image.source {
        Source::Base64(data) => data_url(image.mime.as_deref().unwrap_or("image/png"), data),
        Source::Url(url) | Source::FileId(url) | Source::Text(url) => url.clone(),
    };
    w.field_str("type", "image_url");
    w.field_object("image_url", |w| w.field_str("url", &url));
}

/// A block as non-strict clients see it: Portkey's `content_blocks`, which hold Anthropic's shapes.
pub(in crate::chat::openai_chat) fn content_block(w: &mut Writer, block: &Block) {
    let signature = block.signature.as_ref();
    match &block.content {
        Content::Text { text, .. } => w.object(|w| {
            w.field_str("type", "text");
            w.field_str("text", text);
            signature.iter().for_each(|signature| shown_proof(w, signature));
        }),
        Content::Reasoning(thinking) => w.object(|w| {
            w.field_str("type", "thinking");
            w.field_str("thinking", thinking);
            if let Some(signature) = signature {
                w.field_str("signature", &proof(signature));
            }
        }),
        // What is spoken has a field of its own.
        Content::Foreign { .. } if audio_of(block).is_some() => {}
        Content::Foreign { dialect, value } => foreign(w, *dialect, value),
        Content::Media(media) if media.kind == MediaKind::Image => {
            w.object(|w| {
                image_fields(w, media);
                signature.iter().for_each(|signature| shown_proof(w, signature));
            });
        }
        // Calls, refusals and recordings have fields of their own.
        Content::Media(_) | Content::Refusal(_) | Content::ToolCall { .. } | Content::ToolResult { .. } => {}
    }
}

/// A block that only its vendor knows. Those of Anthropic are what the field is for, and Google's are told by
/// having no type; another's goes as an opaque value, or it would be taken for Anthropic's when it comes back.
fn foreign(w: &mut Writer, dialect: Dialect, value: &Json) {
    match dialect {
        Dialect::AnthropicMessages | Dialect::GeminiGenerate => w.raw(value.as_str()),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => w.object(|w| {
            w.field_str("type", "redacted_thinking");
            w.field_str("data", &opaque::encode(&Opaque::Foreign { dialect, value: value.clone() }));
        }),
    }
}

/// The proof of a thought in Anthropic's block: its own as it is, another vendor's as an opaque value.
pub(in crate::chat::openai_chat) fn proof(signature: &Signature) -> String {
    match signature.dialect {
        Dialect::AnthropicMessages => signature.value.clone(),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => opaque::encode(&Opaque::Own(signature.clone())),
    }
}
