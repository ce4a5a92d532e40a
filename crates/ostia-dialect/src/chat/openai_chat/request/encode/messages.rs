//! The conversation: <https://platform.openai.com/docs/api-reference/chat/create#chat_create-messages>.
//!
//! The results of calls follow the calls at once, one message for each. They hold words alone, so what else a tool
//! answered goes into a user's message behind the last of them. A turn of which nothing can be said is left out: the
//! vendor refuses messages without content.

use std::fmt::Arguments;

use super::blocks;
use super::parts::{self, Part};
use crate::chat::openai_chat::response::{encode_call_body, extra_content};
use crate::chat::order;
use crate::chat::tools::arguments;
use crate::json::{Document, Writer};
use crate::{Block, Content, Dialect, EncodeOptions, Fault, Message, Role, Signature, ToolKind};

/// The words of a result that has none, but attachments.
const SEE_BELOW: &str = "The result is attached to the next message.";

/// The conversation in the vendor's order; reports what is left out. `signed`: calls keep Google's signatures.
///
/// # Errors
/// 400 where nothing is left.
pub(super) fn plan<'r>(
    messages: &'r [Message],
    options: &'r EncodeOptions,
    developer: &'static str,
    signed: bool,
    dropped: &mut Vec<String>,
) -> Result<Vec<Turn<'r>>, Fault> {
    let mut planner =
        Planner { options, developer, signed, dropped, turns: Vec::new(), attachments: Vec::new() };
    for place in order::results_behind_calls(messages) {
        planner.message(&messages[place], place);
    }
    planner.attach();
    if planner.turns.is_empty() {
        let what = "at least one message with content is needed";
        return Err(Fault::invalid(format!("Invalid `messages`: {what}")).with_param("messages"));
    }
    Ok(planner.turns)
}

/// One message of the body.
#[derive(Debug)]
pub(super) enum Turn<'r> {
    /// Words of the operator or the user.
    Said { role: &'static str, name: Option<&'r str>, parts: Vec<Part<'r>> },
    /// Words and calls of the model.
    Answered(Answer<'r>),
    /// The result of one call.
    Result { id: &'r str, name: Option<&'r str>, words: String },
}

/// A turn of the model.
#[derive(Debug, Default)]
pub(super) struct Answer<'r> {
    name: Option<&'r str>,
    parts: Vec<Part<'r>>,
    /// The field for the reasoning of earlier turns, and the thoughts.
    reasoning: Option<(&'r str, String)>,
    calls: Vec<Call<'r>>,
    /// The id of what was spoken.
    audio: Option<String>,
}

#[derive(Debug)]
struct Call<'r> {
    id: &'r str,
    name: &'r str,
    arguments: &'r str,
    kind: ToolKind,
    signature: Option<&'r Signature>,
}

/// What has been planned so far.
struct Planner<'r, 'd> {
    options: &'r EncodeOptions,
    /// The role of the operator's newer word.
    developer: &'static str,
    signed: bool,
    dropped: &'d mut Vec<String>,
    turns: Vec<Turn<'r>>,
    /// Of results, for the message behind the last of them.
    attachments: Vec<Part<'r>>,
}

impl<'r> Planner<'r, '_> {
    fn message(&mut self, message: &'r Message, place: usize) {
        // Spelled out only where something is lost.
        let path = format_args!("messages[{place}]");
        // Clients of some dialects send results among the words of a user's turn.
        let is_result = |block: &Block| matches!(block.content, Content::ToolResult { .. });
        for (at, block) in message.blocks.iter().enumerate().filter(|(_, block)| is_result(block)) {
            // A turn that is one result is itself the message.
            let is_whole = message.role == Role::Tool && message.blocks.len() == 1;
            let part = format_args!("{path}.content[{at}]");
            let path = if is_whole { path } else { part };
            match message.role {
                Role::User | Role::Tool => self.result(block, path),
                Role::System | Role::Developer | Role::Assistant => self.dropped.push(path.to_string()),
            }
        }
        if message.blocks.iter().all(is_result) {
            return;
        }
        self.attach();
        match message.role {
            Role::System => self.said("system", message, path),
            Role::Developer => self.said(self.developer, message, path),
            Role::User | Role::Tool => self.said("user", message, path),
            Role::Assistant => self.answered(message, path),
        }
    }

    fn said(&mut self, role: &'static str, message: &'r Message, path: Arguments<'_>) {
        let parts = self.parts(message, path);
        if !parts.is_empty() {
            self.turns.push(Turn::Said { role, name: message.name.as_deref(), parts });
        }
    }

    fn answered(&mut self, message: &'r Message, path: Arguments<'_>) {
        let name = message.name.as_deref();
        let mut answer = Answer { name, parts: self.parts(message, path), ..Answer::default() };
        for block in &message.blocks {
            match &block.content {
                Content::Reasoning(text) => answer.think(self.options.reasoning_field.as_deref(), text),
                Content::ToolCall { id, name, arguments, kind } => {
                    let signature = block.signature.as_ref().filter(|_| self.signed);
                    answer.calls.push(Call { id, name, arguments, kind: *kind, signature });
                }
                content => answer.audio = answer.audio.or_else(|| spoken(content)),
            }
        }
        match self.turns.last_mut() {
            Some(Turn::Answered(last)) if last.is_unfinished() => last.join(answer),
            _ if answer.is_empty() => {}
            _ => self.turns.push(Turn::Answered(answer)),
        }
    }

    /// What can be said of the blocks that are content; the rest is reported.
    fn parts(&mut self, message: &'r Message, path: Arguments<'_>) -> Vec<Part<'r>> {
        let mut parts = Vec::with_capacity(message.blocks.len());
        for (at, block) in message.blocks.iter().enumerate() {
            let path = format_args!("{path}.content[{at}]");
            match (&block.content, message.role) {
                // Said before the rest of the turn.
                (Content::ToolResult { .. }, _) => continue,
                // Fields of their own.
                (Content::ToolCall { .. }, Role::Assistant) => {}
                (content, Role::Assistant) if spoken(content).is_some() => {}
                _ => self.part(message.role, block, path, &mut parts),
            }
            self.marks(block, path);
        }
        parts
    }

    fn part(&mut self, role: Role, block: &'r Block, path: Arguments<'_>, parts: &mut Vec<Part<'r>>) {
        match blocks::part(role, block, self.options) {
            Some(part) => {
                self.medium(block, &part, path);
                parts.push(part);
            }
            // Vendors that do not take the thoughts of earlier turns refuse them; nobody misses them.
            None if matches!(block.content, Content::Reasoning(_)) => {}
            None => self.dropped.push(path.to_string()),
        }
    }

    /// Reports what the part for a medium has no place for: only images have a level of detail, and only
    /// files a name.
    fn medium(&mut self, block: &Block, part: &Part<'_>, path: Arguments<'_>) {
        let Content::Media(medium) = &block.content else { return };
        let is_image = matches!(part, Part::Image { .. });
        if !is_image && medium.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.dropped.push(format!("{path}.image_url.detail"));
        }
        if medium.name.is_some() && (is_image || matches!(part, Part::Audio { .. })) {
            self.dropped.push(format!("{path}.file.filename"));
        }
    }

    /// Reports the marks of a block that the format has no place for. A proof means nothing to another vendor, and is
    /// not missed.
    fn marks(&mut self, block: &Block, path: Arguments<'_>) {
        if block.cache_control.is_some() {
            self.dropped.push(format!("{path}.cache_control"));
        }
        if matches!(&block.content, Content::Text { citations, .. } if !citations.is_empty()) {
            self.dropped.push(format!("{path}.citations"));
        }
    }

    /// The result of a call: its words, joined, because many servers take nothing but a string here.
    fn result(&mut self, block: &'r Block, path: Arguments<'_>) {
        let Content::ToolResult { id, name, content, is_error } = &block.content else { return };
        self.marks(block, path);
        if *is_error {
            self.dropped.push(format!("{path}.is_error"));
        }
        let mut parts = Vec::with_capacity(content.len());
        for (at, inner) in content.iter().enumerate() {
            let path = format_args!("{path}.content[{at}]");
            self.part(Role::Tool, inner, path, &mut parts);
            self.marks(inner, path);
        }
        let (mut words, mut attached) = sort(parts);
        if !attached.is_empty() {
            if words.is_empty() {
                words = SEE_BELOW.to_owned();
            }
            self.attachments.push(Part::Text(format!("Attached to the result of the call {id}:").into()));
            self.attachments.append(&mut attached);
        }
        self.turns.push(Turn::Result { id, name: name.as_deref(), words });
    }

    /// Ends a run of results.
    fn attach(&mut self) {
        if !self.attachments.is_empty() {
            let parts = std::mem::take(&mut self.attachments);
            self.turns.push(Turn::Said { role: "user", name: None, parts });
        }
    }
}

/// The words of a result, and all else.
fn sort(parts: Vec<Part<'_>>) -> (String, Vec<Part<'_>>) {
    let mut words = Vec::with_capacity(parts.len());
    let mut attached = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => words.push(text),
            other => attached.push(other),
        }
    }
    (words.join("\n"), attached)
}

/// The id of what a server of this format spoke in an earlier turn: that is all it wants to hear of it.
fn spoken(content: &Content) -> Option<String> {
    let Content::Foreign { dialect: Dialect::OpenaiChat, value } = content else { return None };
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    let is_part = document.root().some("type").is_some();
    let id = document.root().some("audio")?.str("id")?.into_owned();
    (!is_part).then_some(id)
}

impl<'r> Answer<'r> {
    fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.calls.is_empty() && self.audio.is_none() && self.reasoning.is_none()
    }

    /// Must what follows from the model stand in the same message? The results of calls have to come next, and thoughts
    /// belong to what they led to. Clients of some dialects send each of these on its own.
    fn is_unfinished(&self) -> bool {
        !self.calls.is_empty() || (self.parts.is_empty() && self.audio.is_none())
    }

    fn join(&mut self, more: Answer<'r>) {
        self.name = self.name.or(more.name);
        self.parts.extend(more.parts);
        self.calls.extend(more.calls);
        self.audio = self.audio.take().or(more.audio);
        if let Some((field, text)) = more.reasoning {
            self.think(Some(field), &text);
        }
    }

    fn think(&mut self, field: Option<&'r str>, text: &str) {
        let Some(field) = field.filter(|_| !text.is_empty()) else { return };
        let (_, thoughts) = self.reasoning.get_or_insert_with(|| (field, String::new()));
        if !thoughts.is_empty() {
            thoughts.push_str("\n\n");
        }
        thoughts.push_str(text);
    }
}

impl Turn<'_> {
    /// Appends the message.
    pub(super) fn write(&self, w: &mut Writer) {
        w.object(|w| match self {
            Turn::Said { role, name, parts } => {
                w.field_str("role", role);
                name.iter().for_each(|name| w.field_str("name", name));
                parts::write(w.key("content"), parts);
            }
            Turn::Answered(answer) => answer.write(w),
            Turn::Result { id, name, words } => {
                w.field_str("role", "tool");
                w.field_str("tool_call_id", id);
                name.iter().for_each(|name| w.field_str("name", name));
                w.field_str("content", words);
            }
        });
    }
}

impl Answer<'_> {
    fn write(&self, w: &mut Writer) {
        w.field_str("role", "assistant");
        self.name.iter().for_each(|name| w.field_str("name", name));
        self.reasoning.iter().for_each(|(field, thoughts)| w.field_str(field, thoughts));
        match self.parts.as_slice() {
            // Only beside calls or sound may there be none.
            [] if self.calls.is_empty() && self.audio.is_none() => w.field_str("content", ""),
            [] => w.key("content").null(),
            parts => parts::write(w.key("content"), parts),
        }
        if !self.calls.is_empty() {
            w.field_array("tool_calls", |w| self.calls.iter().for_each(|call| call.write(w)));
        }
        self.audio.iter().for_each(|id| w.field_object("audio", |w| w.field_str("id", id)));
    }
}

impl Call<'_> {
    fn write(&self, w: &mut Writer) {
        // Servers read the arguments, and some refuse what is no object: vllm-project/vllm#43995, sgl-project/sglang#28035.
        let arguments = match self.kind {
            ToolKind::Function => arguments::object(self.arguments),
            ToolKind::Custom => self.arguments.into(),
        };
        w.object(|w| {
            w.field_str("id", self.id);
            w.field_str("type", if self.kind == ToolKind::Custom { "custom" } else { "function" });
            encode_call_body(w, self.name, &arguments, self.kind);
            // Servers that sign calls do it in one vendor's way and insist on seeing it again.
            self.signature.iter().for_each(|signature| extra_content(w, signature));
        });
    }
}
