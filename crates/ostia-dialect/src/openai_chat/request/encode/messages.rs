//! The conversation.
//!
//! A tool's message takes text alone, so pictures and documents in a result follow all results of the turn, in a message
//! of the user's that names their call.

use crate::json::Writer;
use crate::{Block, Content, Dialect, Form, Media, MediaKind, Message, Role, Source, ToolKind};

/// What a document is called that has no name; the vendor requires one.
const UNNAMED: &str = "document.pdf";

/// Writes `messages`; reports what is left out.
pub(super) fn write(messages: &[Message], form: &Form, w: &mut Writer, dropped: &mut Vec<String>) {
    w.field_array("messages", |w| {
        let mut shown: Vec<(&str, &Media)> = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            if message.role != Role::Tool {
                show(std::mem::take(&mut shown), w);
            }
            let mut turn = Turn { at, message, dropped };
            match message.role {
                Role::System => turn.said("system", w),
                Role::Developer => turn.said("developer", w),
                Role::User => turn.said("user", w),
                Role::Assistant => turn.answered(form, w),
                Role::Tool => turn.results(&mut shown, w),
            }
        }
        show(shown, w);
    });
}

/// What tools showed, as a turn of the user's.
fn show(shown: Vec<(&str, &Media)>, w: &mut Writer) {
    if shown.is_empty() {
        return;
    }
    w.object(|w| {
        w.field_str("role", "user");
        w.field_array("content", |w| {
            for (id, media) in shown {
                write_text(&format!("Part of the result of tool call {id}:"), w);
                write_media(media, w);
            }
        });
    });
}

struct Turn<'m, 'd> {
    at: usize,
    message: &'m Message,
    dropped: &'d mut Vec<String>,
}

impl<'m> Turn<'m, '_> {
    fn drop(&mut self, what: &str) {
        self.dropped.push(format!("messages[{}]{what}", self.at));
    }

    /// A turn of the operator or the user.
    fn said(&mut self, role: &str, w: &mut Writer) {
        let message = self.message;
        let media = message.role == Role::User;
        let kept = self.sayable(|content| match content {
            Content::Text { .. } | Content::Refusal(_) => true,
            Content::Media(medium) => media && is_sayable(medium),
            Content::Reasoning(_)
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::Foreign { .. } => false,
        });
        w.object(|w| {
            w.field_str("role", role);
            write_name(message, w);
            write_content(&kept, w);
        });
    }

    /// A turn of the model.
    fn answered(&mut self, form: &Form, w: &mut Writer) {
        let message = self.message;
        let kept = self.sayable(|content| match content {
            Content::Text { .. } | Content::Refusal(_) | Content::Reasoning(_) | Content::ToolCall { .. } => {
                true
            }
            Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => false,
        });
        let (mut words, mut calls, mut thoughts) = (Vec::new(), Vec::new(), Vec::new());
        for block in kept {
            match &block.content {
                Content::ToolCall { .. } => calls.push(block),
                Content::Reasoning(text) => thoughts.push(text.as_str()),
                Content::Text { .. }
                | Content::Refusal(_)
                | Content::Media(_)
                | Content::ToolResult { .. }
                | Content::Foreign { .. } => words.push(block),
            }
        }
        let thoughts = thoughts.concat();
        let thinks = form.reasoning_parts && !thoughts.is_empty();
        w.object(|w| {
            w.field_str("role", "assistant");
            write_name(message, w);
            match () {
                () if thinks => w.field_array("content", |w| {
                    write_thinking(&thoughts, w);
                    words.iter().for_each(|block| write_part(block, w));
                }),
                () if words.is_empty() => w.key("content").null(),
                () => write_content(&words, w),
            }
            if let Some(field) = form.reasoning_field.as_deref().filter(|_| !thinks && !thoughts.is_empty()) {
                w.field_str(field, &thoughts);
            }
            if !calls.is_empty() {
                w.field_array("tool_calls", |w| calls.iter().for_each(|call| write_call(call, w)));
            }
        });
    }

    /// The results of calls, one message each.
    fn results(&mut self, shown: &mut Vec<(&'m str, &'m Media)>, w: &mut Writer) {
        let message = self.message;
        for block in &message.blocks {
            let Content::ToolResult { id, name: _, content, is_error } = &block.content else { continue };
            let mut text = String::new();
            for (inside, inner) in content.iter().enumerate() {
                match &inner.content {
                    Content::Text { text: words, .. } | Content::Refusal(words) => text.push_str(words),
                    Content::Media(Media { source: Source::Text(words), .. }) => text.push_str(words),
                    Content::Media(medium) if is_sayable(medium) => shown.push((id, medium)),
                    Content::Media(_)
                    | Content::Reasoning(_)
                    | Content::ToolCall { .. }
                    | Content::ToolResult { .. }
                    | Content::Foreign { .. } => self.drop(&format!(".content[{inside}]")),
                }
                if inner.cache_control.is_some() {
                    self.drop(&format!(".content[{inside}].cache_control"));
                }
            }
            if *is_error {
                self.drop(".is_error");
            }
            if block.cache_control.is_some() {
                self.drop(".cache_control");
            }
            w.object(|w| {
                w.field_str("role", "tool");
                w.field_str("tool_call_id", id);
                w.field_str("content", &text);
            });
        }
    }

    /// The blocks that can be said in this turn; the others, and marks that cannot be said, are reported. Thoughts that
    /// the vendor does not take back are no loss: it never saw them either.
    fn sayable(&mut self, fits: impl Fn(&Content) -> bool) -> Vec<&'m Block> {
        let mut kept = Vec::new();
        let message = self.message;
        for (position, block) in message.blocks.iter().enumerate() {
            if !fits(&block.content) {
                self.drop(&format!(".content[{position}]"));
                continue;
            }
            if block.cache_control.is_some() {
                self.drop(&format!(".content[{position}].cache_control"));
            }
            if matches!(&block.content, Content::Text { citations, .. } if !citations.is_empty()) {
                self.drop(".annotations");
            }
            kept.push(block);
        }
        kept
    }
}

fn write_name(message: &Message, w: &mut Writer) {
    if let Some(name) = &message.name {
        w.field_str("name", name);
    }
}

/// One text is a string, which every vendor takes; anything more is a list of parts.
fn write_content(blocks: &[&Block], w: &mut Writer) {
    match blocks {
        [] => w.field_str("content", ""),
        [Block { content: Content::Text { text, .. }, .. }] => w.field_str("content", text),
        blocks => w.field_array("content", |w| blocks.iter().for_each(|block| write_part(block, w))),
    }
}

fn write_part(block: &Block, w: &mut Writer) {
    match &block.content {
        Content::Text { text, .. } => write_text(text, w),
        Content::Refusal(text) => w.object(|w| {
            w.field_str("type", "refusal");
            w.field_str("refusal", text);
        }),
        Content::Media(media) => write_media(media, w),
        Content::Reasoning(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => {}
    }
}

fn write_text(text: &str, w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", "text");
        w.field_str("text", text);
    });
}

fn write_thinking(text: &str, w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", "thinking");
        w.field_array("thinking", |w| write_text(text, w));
    });
}

fn write_call(block: &Block, w: &mut Writer) {
    let Content::ToolCall { id, name, arguments, kind } = &block.content else { return };
    let (word, input) = match kind {
        ToolKind::Function => ("function", "arguments"),
        ToolKind::Custom => ("custom", "input"),
    };
    w.object(|w| {
        w.field_str("id", id);
        w.field_str("type", word);
        w.field_object(word, |w| {
            w.field_str("name", name);
            let empty = arguments.trim().is_empty() && *kind == ToolKind::Function;
            w.field_str(input, if empty { "{}" } else { arguments });
        });
        // Google's signature goes back where its OpenAI-compatible API puts it.
        if let Some(signature) = block.signature.as_ref().filter(|proof| proof.dialect == Dialect::OpenaiChat)
        {
            w.field_raw("extra_content", &signature.value);
        }
    });
}

/// Has this medium a form here? Sound only with its bytes; documents not by address; films not at all.
fn is_sayable(media: &Media) -> bool {
    match (media.kind, &media.source) {
        (_, Source::Text(_) | Source::FileId(_)) => true,
        (MediaKind::Image, Source::Url(_) | Source::Base64(_)) => true,
        (MediaKind::Audio | MediaKind::Document, Source::Base64(_)) => true,
        (MediaKind::Audio | MediaKind::Document, Source::Url(_)) => false,
        (MediaKind::Video, Source::Url(_) | Source::Base64(_)) => false,
    }
}

fn write_media(media: &Media, w: &mut Writer) {
    let mime = |usual: &'static str| media.mime.clone().unwrap_or_else(|| usual.to_owned());
    match (&media.source, media.kind) {
        (Source::Text(text), _) => write_text(text, w),
        (Source::FileId(id), _) => write_file(w, |w| w.field_str("file_id", id)),
        (Source::Url(url), _) => write_image(url, media.detail.as_deref(), w),
        (Source::Base64(data), MediaKind::Image) => {
            write_image(&format!("data:{};base64,{data}", mime("image/png")), media.detail.as_deref(), w);
        }
        (Source::Base64(data), MediaKind::Audio) => write_audio(data, media.mime.as_deref(), w),
        (Source::Base64(data), MediaKind::Document | MediaKind::Video) => write_file(w, |w| {
            w.field_str("filename", media.name.as_deref().unwrap_or(UNNAMED));
            w.field_str("file_data", &format!("data:{};base64,{data}", mime("application/pdf")));
        }),
    }
}

fn write_image(url: &str, detail: Option<&str>, w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", "image_url");
        w.field_object("image_url", |w| {
            w.field_str("url", url);
            if let Some(detail) = detail {
                w.field_str("detail", detail);
            }
        });
    });
}

/// The vendor names two formats, `wav` and `mp3`; others go by their own name.
fn write_audio(data: &str, mime: Option<&str>, w: &mut Writer) {
    let format = match mime.and_then(|mime| mime.strip_prefix("audio/")) {
        None | Some("wav" | "x-wav" | "wave") => "wav",
        Some("mpeg") => "mp3",
        Some(other) => other,
    };
    w.object(|w| {
        w.field_str("type", "input_audio");
        w.field_object("input_audio", |w| {
            w.field_str("data", data);
            w.field_str("format", format);
        });
    });
}

fn write_file(w: &mut Writer, fields: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.field_str("type", "file");
        w.field_object("file", fields);
    });
}
