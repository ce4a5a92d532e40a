//! Content blocks of a request: <https://platform.claude.com/docs/en/api/messages>, `ContentBlockParam`.

use super::extras::{Extras, Place};
use super::media;
use crate::chat::anthropic_messages::block::{caller, own_citation};
use crate::chat::tools::arguments;
use crate::json::{Json, Writer};
use crate::{Block, Citation, Content, Dialect, Fault, Media, MediaKind, Message, Role, Signature, ToolKind};

/// A block, and where it stands in the hub's request.
pub(super) struct Placed<'r> {
    pub(super) block: &'r Block,
    place: Option<Place>,
}

impl Placed<'_> {
    /// The number of its message in the hub's request.
    pub(super) fn message(&self) -> Option<usize> {
        self.place.and_then(Place::message)
    }
}

/// The blocks of the turn with this number that can be said; the others are reported.
///
/// Fails on a call with free text.
pub(super) fn sayable<'r>(
    message: &'r Message,
    number: usize,
    dropped: &mut Vec<String>,
) -> Result<Vec<Placed<'r>>, Fault> {
    let mut calls = 0;
    let mut kept = Vec::new();
    for (position, block) in message.blocks.iter().enumerate() {
        if let Content::ToolCall { kind, .. } = &block.content {
            check_call(*kind, format_args!("messages[{number}].tool_calls[{calls}]"))?;
            calls += 1;
        }
        if fits(message.role, block) && is_sayable(block) {
            kept.push(Placed { block, place: Some(Place::Block(number, position)) });
            report_details(message, block, number, position, dropped);
        } else if !is_empty(block) {
            dropped.push(match block.content {
                Content::Reasoning(_) => format!("messages[{number}].reasoning_content"),
                _ => format!("messages[{number}].content[{position}]"),
            });
        }
    }
    Ok(kept)
}

/// What is lost inside a block that is otherwise said.
fn report_details(
    message: &Message,
    block: &Block,
    number: usize,
    position: usize,
    dropped: &mut Vec<String>,
) {
    let path = || format!("messages[{number}].content[{position}]");
    match &block.content {
        Content::Text { citations, .. } if citations.iter().any(|source| own_citation(source).is_none()) => {
            dropped.push(format!("messages[{number}].annotations"));
        }
        Content::Media(medium) => report_medium(medium, &path(), dropped),
        Content::ToolResult { content, .. } => {
            // A turn that is one result is the result itself; elsewhere the result is a block of the turn.
            let is_whole = message.role == Role::Tool && message.blocks.len() == 1;
            let path = if is_whole { format!("messages[{number}]") } else { path() };
            for (inside, inner) in content.iter().enumerate() {
                let path = || format!("{path}.content[{inside}]");
                if !is_sayable(inner) && !is_empty(inner) {
                    dropped.push(path());
                } else if let Content::Media(medium) = &inner.content {
                    report_medium(medium, &path(), dropped);
                }
            }
        }
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::ToolCall { .. }
        | Content::Foreign { .. } => {}
    }
}

/// Images have no level of detail here, and no names.
fn report_medium(medium: &Media, path: &str, dropped: &mut Vec<String>) {
    if medium.detail.as_deref().is_some_and(|detail| detail != "auto") {
        dropped.push(format!("{path}.image_url.detail"));
    }
    if medium.kind == MediaKind::Image && medium.name.is_some() {
        dropped.push(format!("{path}.file.filename"));
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

/// Are these words, whoever says them?
pub(super) fn is_words(block: &Block) -> bool {
    match block.content {
        Content::Text { .. } | Content::Refusal(_) => true,
        Content::Reasoning(_)
        | Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => false,
    }
}

/// Has this block a form in this dialect? Empty text has none.
fn is_sayable(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) => !text.is_empty(),
        Content::Reasoning(_) => own(block).is_some(),
        Content::Media(medium) => media::is_sayable(medium),
        Content::ToolCall { .. } | Content::ToolResult { .. } => true,
        Content::Foreign { dialect, .. } => *dialect == Dialect::AnthropicMessages,
    }
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

/// The block's proof, if it is of this dialect.
fn own(block: &Block) -> Option<&Signature> {
    block.signature.as_ref().filter(|signature| signature.dialect == Dialect::AnthropicMessages)
}

fn check_call(kind: ToolKind, path: std::fmt::Arguments<'_>) -> Result<(), Fault> {
    if kind == ToolKind::Custom {
        let what = "calls with free text have no form in this model's API; use a function";
        return Err(Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path.to_string()));
    }
    Ok(())
}

/// Writes a block that [`sayable`] let pass; `trim` cuts white space at the end of text.
pub(super) fn write(out: &mut Writer, placed: &Placed<'_>, extras: &Extras<'_>, trim: bool) {
    let Placed { block, place } = *placed;
    if let Content::Foreign { value, .. } = &block.content {
        out.raw(value.as_str());
        return;
    }
    if let Some(whole) = extras.whole(place) {
        out.raw(whole.as_str());
        return;
    }
    out.object(|out| {
        match &block.content {
            Content::Text { text, citations } => write_text(out, text, citations, trim),
            Content::Refusal(text) => write_text(out, text, &[], trim),
            Content::Reasoning(text) => {
                out.field_str("type", "thinking");
                out.field_str("thinking", text);
                out.field_str("signature", own(block).map_or("", |signature| &signature.value));
            }
            Content::Media(medium) => media::write(out, medium),
            Content::ToolCall { id, name, arguments, .. } => {
                out.field_str("type", "tool_use");
                out.field_str("id", id);
                out.field_str("name", name);
                out.field_raw("input", &arguments::object(arguments));
                if let Some(caller) = block.signature.as_ref().and_then(caller) {
                    out.field_raw("caller", caller);
                }
            }
            Content::ToolResult { id, content, is_error, .. } => {
                write_result(out, id, *is_error);
                write_result_content(out, content, place, extras);
            }
            Content::Foreign { .. } => {}
        }
        if let Some(marker) =
            block.cache_control.as_ref().filter(|_| !matches!(block.content, Content::Reasoning(_)))
        {
            out.field_raw("cache_control", marker.as_str());
        }
        extras.at(place).iter().for_each(|(name, value)| out.field_raw(name, value.as_str()));
    });
}

fn write_text(out: &mut Writer, text: &str, citations: &[Citation], trim: bool) {
    out.field_str("type", "text");
    out.field_str("text", if trim { text.trim_end() } else { text });
    let own: Vec<&Json> = citations.iter().filter_map(own_citation).collect();
    if !own.is_empty() {
        out.field_array("citations", |out| own.iter().for_each(|value| out.raw(value.as_str())));
    }
}

fn write_result(out: &mut Writer, id: &str, is_error: bool) {
    out.field_str("type", "tool_result");
    out.field_str("tool_use_id", id);
    if is_error {
        out.field_bool("is_error", true);
    }
}

fn write_result_content(out: &mut Writer, content: &[Block], place: Option<Place>, extras: &Extras<'_>) {
    let sayable = content.iter().enumerate().filter(|(_, block)| is_sayable(block));
    let placed = |(at, block)| Placed { block, place: place.and_then(|place| place.inside(at)) };
    let kept: Vec<Placed<'_>> = sayable.map(placed).collect();
    match kept.as_slice() {
        [] => {}
        [
            Placed {
                block: Block { content: Content::Text { text, citations }, cache_control: None, .. },
                ..
            },
        ] if citations.is_empty() => {
            out.field_str("content", text);
        }
        kept => out.field_array("content", |out| {
            kept.iter().for_each(|placed| write(out, placed, extras, false));
        }),
    }
}
