//! Content blocks of a request
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::media::{self, Beside, Names};
use crate::chat::bedrock_converse::block::{own_citation, redacted};
use crate::chat::rules::{CachePoints, Maker, Rules};
use crate::chat::tools::arguments;
use crate::json::{Document, Json, Writer};
use crate::{Block, Content, Dialect, Fault, MediaKind, Message, Request, Role, ToolKind};

/// What came of a call that says nothing: "The content field ... cannot be empty when status value is error."
/// (<https://github.com/aws-samples/sample-multi-agent-orchestration-chat-on-agentcore/issues/15>).
const NO_RESULT: &str = "(no output)";

/// A block, and where it stands in the hub's request.
pub(super) struct Placed<'r> {
    pub(super) block: &'r Block,
    /// Message and position.
    pub(super) place: (usize, usize),
}

/// The blocks of the turn with this number that can be said; the others are reported.
///
/// Fails on a call with free text.
pub(super) fn sayable<'r>(
    message: &'r Message,
    number: usize,
    rules: &Rules,
    dropped: &mut Vec<String>,
) -> Result<Vec<Placed<'r>>, Fault> {
    let mut calls = 0;
    let mut kept = Vec::new();
    for (position, block) in message.blocks.iter().enumerate() {
        if let Content::ToolCall { kind, .. } = &block.content {
            check_call(*kind, format_args!("messages[{number}].tool_calls[{calls}]"))?;
            calls += 1;
        }
        if fits(message.role, block) && is_sayable(block, rules) {
            kept.push(Placed { block, place: (number, position) });
            report(message, block, (number, position), rules, dropped);
        } else if !is_empty(block) {
            dropped.push(match block.content {
                Content::Reasoning(_) => format!("messages[{number}].reasoning_content"),
                _ => format!("messages[{number}].content[{position}]"),
            });
        }
    }
    Ok(kept)
}

fn check_call(kind: ToolKind, path: std::fmt::Arguments<'_>) -> Result<(), Fault> {
    if kind == ToolKind::Custom {
        let what = "calls with free text have no form in this model's API; use a function";
        return Err(Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path.to_string()));
    }
    Ok(())
}

/// What is lost inside a block that is otherwise said.
fn report(
    message: &Message,
    block: &Block,
    (number, position): (usize, usize),
    rules: &Rules,
    dropped: &mut Vec<String>,
) {
    let whole = message.role == Role::Tool && message.blocks.len() == 1;
    let path = match whole {
        true => format!("messages[{number}]"),
        false => format!("messages[{number}].content[{position}]"),
    };
    if let Some(marker) = &block.cache_control {
        report_marker(marker, &path, rules, dropped);
    }
    match &block.content {
        Content::Text { citations, .. } if citations.iter().any(|source| own_citation(source).is_none()) => {
            dropped.push(format!("messages[{number}].annotations"));
        }
        Content::Media(medium) if medium.detail.as_deref().is_some_and(|detail| detail != "auto") => {
            dropped.push(format!("{path}.image_url.detail"));
        }
        Content::ToolResult { content, is_error, .. } => {
            if *is_error && !rules.converse.status {
                dropped.push(format!("{path}.is_error"));
            }
            for (inside, inner) in content.iter().enumerate() {
                let path = format!("{path}.content[{inside}]");
                if let Some(marker) = &inner.cache_control {
                    report_marker(marker, &path, rules, dropped);
                }
                if !is_result(inner, rules) && !is_empty(inner) {
                    dropped.push(path);
                }
            }
        }
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::Media(_)
        | Content::ToolCall { .. }
        | Content::Foreign { .. } => {}
    }
}

fn report_marker(marker: &Json, path: &str, rules: &Rules, dropped: &mut Vec<String>) {
    let points = rules.converse.cache_points;
    if points == CachePoints::Never {
        dropped.push(format!("{path}.cache_control"));
    } else if Point::of(marker, CachePoints::All).ttl != Point::of(marker, points).ttl {
        dropped.push(format!("{path}.cache_control.ttl"));
    }
}

/// The system prompt is text alone, and models do not say media.
fn fits(role: Role, block: &Block) -> bool {
    match role {
        Role::System | Role::Developer => matches!(block.content, Content::Text { .. }),
        Role::Assistant => !matches!(block.content, Content::Media(_)),
        Role::User | Role::Tool => true,
    }
}

/// Has this block a form in this dialect? Text of white space has none, not even before calls, where models write it
/// (<https://github.com/continuedev/continue/issues/9767>).
fn is_sayable(block: &Block, rules: &Rules) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) => !text.trim_start().is_empty(),
        Content::Reasoning(_) => proof(block, rules).is_some(),
        Content::Media(medium) => media::is_sayable(medium, &rules.converse),
        Content::ToolCall { .. } | Content::ToolResult { .. } => true,
        Content::Foreign { dialect, value } => match dialect {
            Dialect::BedrockConverse => true,
            Dialect::AnthropicMessages => hidden(value, rules).is_some(),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::GeminiGenerate
            | Dialect::CohereChat
            | Dialect::OllamaChat
            | Dialect::ReplicateText => false,
        },
    }
}

/// Can this stand in the result of a call?
fn is_result(block: &Block, rules: &Rules) -> bool {
    match &block.content {
        Content::Media(medium) if medium.kind == MediaKind::Audio => false,
        Content::Text { .. } | Content::Refusal(_) | Content::Media(_) => is_sayable(block, rules),
        Content::Foreign { dialect, .. } => *dialect == Dialect::BedrockConverse,
        Content::Reasoning(_) | Content::ToolCall { .. } | Content::ToolResult { .. } => false,
    }
}

/// Can this, which stood beside a result, stand in it? The vendor's own blocks have other forms there.
pub(super) fn joins_result(block: &Block, rules: &Rules) -> bool {
    !matches!(block.content, Content::Foreign { .. }) && is_result(block, rules)
}

/// Says this block nothing, so that nothing is lost without it?
fn is_empty(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => text.is_empty(),
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => false,
    }
}

/// The proof of a thought. That of one of Anthropic's models holds wherever the model is served
/// (<https://platform.claude.com/docs/en/build-with-claude/extended-thinking>, "Cross-platform").
fn proof<'b>(block: &'b Block, rules: &Rules) -> Option<&'b str> {
    let signature = block.signature.as_ref()?;
    let is_own = match signature.dialect {
        Dialect::BedrockConverse => true,
        Dialect::AnthropicMessages => rules.converse.maker == Maker::Anthropic,
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::OllamaChat
        | Dialect::ReplicateText => false,
    };
    is_own.then_some(signature.value.as_str())
}

/// A thought of Anthropic's that nobody may read: the vendor has its text as bytes, in base64 once more.
fn hidden(value: &Json, rules: &Rules) -> Option<Json> {
    if rules.converse.maker != Maker::Anthropic {
        return None;
    }
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    let root = document.root();
    let data = root.str("data").filter(|_| root.str("type").as_deref() == Some("redacted_thinking"))?;
    Some(redacted(&BASE64_STANDARD.encode(data.as_bytes())))
}

/// Are these words, whoever says them?
pub(super) fn is_words(block: &Block) -> bool {
    matches!(block.content, Content::Text { .. } | Content::Refusal(_))
}

/// Is it a thought, as a turn with calls begins with while the model thinks?
pub(super) fn is_thought(block: &Block, rules: &Rules) -> bool {
    match &block.content {
        Content::Reasoning(_) => true,
        Content::Foreign { dialect: Dialect::BedrockConverse, value } => {
            let document = Document::parse(value.as_str().as_bytes());
            document.is_ok_and(|document| document.root().some("reasoningContent").is_some())
        }
        Content::Foreign { value, .. } => hidden(value, rules).is_some(),
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. } => false,
    }
}

/// Writes blocks, and keeps what they share.
pub(super) struct Scribe<'r> {
    pub(super) request: &'r Request,
    pub(super) rules: &'r Rules,
    pub(super) names: Names,
}

impl Scribe<'_> {
    /// Writes a block that [`sayable`] let pass, and the cache point behind it; `trim` cuts white space at the end of text.
    pub(super) fn write(&mut self, w: &mut Writer, placed: &Placed<'_>, trim: bool) {
        let Placed { block, place } = placed;
        match &block.content {
            Content::Text { text, citations } => {
                let text = if trim { text.trim_end() } else { text };
                let sources: Vec<&Json> = citations.iter().filter_map(own_citation).collect();
                w.object(|w| match sources.is_empty() {
                    true => w.field_str("text", text),
                    false => cited(w, text, &sources),
                });
            }
            Content::Refusal(text) => w.object(|w| w.field_str("text", text)),
            Content::Reasoning(text) => w.object(|w| {
                w.field_object("reasoningContent", |w| {
                    w.field_object("reasoningText", |w| {
                        w.field_str("text", text);
                        w.field_str("signature", proof(block, self.rules).unwrap_or_default());
                    });
                });
            }),
            Content::Media(medium) => {
                let beside = Beside::of(self.request, &format!("messages[{}].content[{}]", place.0, place.1));
                media::write(w, medium, &mut self.names, &beside);
            }
            Content::ToolCall { id, name, arguments, .. } => w.object(|w| {
                w.field_object("toolUse", |w| {
                    w.field_str("toolUseId", id);
                    w.field_str("name", name);
                    w.field_raw("input", &arguments::object(arguments));
                });
            }),
            Content::ToolResult { .. } => self.result(w, block, &[]),
            Content::Foreign { dialect: Dialect::BedrockConverse, value } => w.raw(value.as_str()),
            Content::Foreign { value, .. } => {
                hidden(value, self.rules).into_iter().for_each(|value| w.raw(value.as_str()));
            }
        }
        self.point(w, block);
    }

    /// Writes the result of a call, with `more` of the turn in it where it may not stand beside it.
    pub(super) fn result(&mut self, w: &mut Writer, block: &Block, more: &[Placed<'_>]) {
        let Content::ToolResult { id, content, is_error, .. } = &block.content else { return };
        let status = self.rules.converse.status && *is_error;
        let (rules, names) = (self.rules, &mut self.names);
        let inside: Vec<&Block> = content.iter().filter(|block| is_result(block, rules)).collect();
        w.object(|w| {
            w.field_object("toolResult", |w| {
                w.field_str("toolUseId", id);
                w.field_array("content", |w| {
                    if inside.is_empty() {
                        w.object(|w| w.field_str("text", NO_RESULT));
                    }
                    let more =
                        more.iter().map(|placed| placed.block).filter(|block| joins_result(block, rules));
                    inside.into_iter().chain(more).for_each(|block| inner(w, block, names));
                });
                if status {
                    w.field_str("status", "error");
                }
            });
        });
    }

    /// The cache point behind a block, if it or something in it is marked.
    fn point(&self, w: &mut Writer, block: &Block) {
        let points = self.rules.converse.cache_points;
        // What says nothing is not told, and neither is its mark.
        let inside = match &block.content {
            Content::ToolResult { content, .. } => {
                let told = content.iter().filter(|inner| is_result(inner, self.rules));
                told.filter_map(|inner| inner.cache_control.as_ref()).next()
            }
            _ => None,
        };
        let marker = block.cache_control.as_ref().or(inside);
        if let Some(marker) = marker.filter(|_| points != CachePoints::Never) {
            cache_point(w, &Point::of(marker, points));
        }
    }
}

/// A block of a result.
fn inner(w: &mut Writer, block: &Block, names: &mut Names) {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) => w.object(|w| w.field_str("text", text)),
        Content::Media(medium) => media::write(w, medium, names, &Beside::default()),
        Content::Foreign { value, .. } => w.raw(value.as_str()),
        Content::Reasoning(_) | Content::ToolCall { .. } | Content::ToolResult { .. } => {}
    }
}

fn cited(w: &mut Writer, text: &str, sources: &[&Json]) {
    w.field_object("citationsContent", |w| {
        w.field_array("content", |w| w.object(|w| w.field_str("text", text)));
        w.field_array("citations", |w| sources.iter().for_each(|source| w.raw(source.as_str())));
    });
}

/// Up to where the prompt is to be cached, and for how long.
pub(super) struct Point {
    ttl: Option<&'static str>,
}

impl Point {
    /// Anthropic's marker (`{"type":"ephemeral","ttl":"1h"}`) in the vendor's words. Models that keep it for five minutes only
    /// are not told how long.
    pub(super) fn of(marker: &Json, points: CachePoints) -> Point {
        let document = Document::parse(marker.as_str().as_bytes()).ok();
        let ttl = document.as_ref().and_then(|document| document.root().str("ttl"));
        Point {
            ttl: match (ttl.as_deref(), points) {
                (Some("1h"), CachePoints::All) => Some("1h"),
                (Some("5m"), CachePoints::All) => Some("5m"),
                (_, _) => None,
            },
        }
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CachePointBlock.html>
pub(super) fn cache_point(w: &mut Writer, point: &Point) {
    w.object(|w| {
        w.field_object("cachePoint", |w| {
            w.field_str("type", "default");
            point.ttl.into_iter().for_each(|ttl| w.field_str("ttl", ttl));
        });
    });
}
