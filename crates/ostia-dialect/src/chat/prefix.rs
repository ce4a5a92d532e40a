//! Where the prompt of one request differs from that of the one before: what a provider's prompt cache could not go on from.
//!
//! Providers cache prompts from their beginning, tools first, then the system prompt, then the messages
//! (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>,
//! <https://platform.openai.com/docs/guides/prompt-caching>). So requests are compared in that order, as they were written, in the words of
//! any client's format. Marks that say where to cache are no part of a prompt. A request whose end was cut off is compared as far as
//! it goes.

mod cut;
mod diagnosed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use diagnosed::{Diagnosed, diagnosed};

use crate::json::{Document, Node};

/// Characters that are told of what differs, and of what stands before it.
const EXCERPT_CHARACTERS: usize = 60;
const EXCERPT_BEFORE: usize = 16;
/// Fields that decide, beside the prompt, whether a cache is gone on from.
const SETTINGS: [&str; 10] = [
    "tool_choice",
    "toolConfig",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "output_config",
    "text",
    "service_tier",
    "prompt_cache_key",
];
/// What marks a place to cache, and is no part of a prompt.
const MARKS: [&str; 2] = ["cache_control", "prompt_cache_breakpoint"];

/// How a request goes on from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A part differs.
    Part(Place),
    /// A part is gone, and with it all behind it.
    Gone(Place),
    /// The prompt goes on from the other one, but this field differs.
    Setting(&'static str),
    /// It goes on from the other one.
    None,
    /// As far as both are there it goes on; the end of one was cut off.
    NoneSoFar,
    /// They cannot be read.
    Unknown,
}

/// Where two prompts part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `the system prompt`, `message 3 (user)`, `tool 2 (search)`.
    pub part: String,
    /// The first character of it that differs, counted from 1.
    pub character: u64,
    /// How many characters of the prompt stand before that.
    pub characters_before: u64,
    /// How many characters the prompt has; `None` where its end was cut off.
    pub characters: Option<u64>,
    /// The text around there in the request before; `None` where that had no such part.
    pub before: Option<String>,
    /// The same in this one.
    pub after: Option<String>,
}

/// A request's body, as far as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// The bytes.
    pub body: &'a [u8],
    /// The end was cut off.
    pub is_cut: bool,
}

/// Where `after` differs from `before`, which was sent first.
pub fn change(before: Prompt<'_>, after: Prompt<'_>) -> Change {
    let (Some(old), Some(new)) = (whole(before), whole(after)) else { return Change::Unknown };
    let (Ok(old), Ok(new)) = (Document::parse(&old), Document::parse(&new)) else { return Change::Unknown };
    let (old_parts, new_parts) = (parts(old.root()), parts(new.root()));
    if old_parts.is_empty() || new_parts.is_empty() {
        return Change::Unknown;
    }
    let is_cut = before.is_cut || after.is_cut;
    match first_difference(&old_parts, &new_parts, (before.is_cut, after.is_cut)) {
        Some(change) => change,
        None if is_cut => Change::NoneSoFar,
        None => changed_setting(old.root(), new.root()).map_or(Change::None, Change::Setting),
    }
}

fn whole(prompt: Prompt<'_>) -> Option<Cow<'_, [u8]>> {
    if prompt.is_cut { cut::completed(prompt.body).map(Cow::Owned) } else { Some(Cow::Borrowed(prompt.body)) }
}

/// A part of a prompt.
struct Part<'d> {
    kind: Kind,
    number: usize,
    /// The role of a message, the name of a tool.
    name: Cow<'d, str>,
    text: Cow<'d, str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tool,
    System,
    Message,
}

impl Part<'_> {
    fn told(&self) -> String {
        let Part { number, name, .. } = self;
        match (self.kind, name.is_empty()) {
            (Kind::System, _) => "the system prompt".to_owned(),
            (Kind::Tool, true) => format!("tool {number}"),
            (Kind::Tool, false) => format!("tool {number} ({name})"),
            // Chat Completions has no other place for it.
            (Kind::Message, false) if self.number == 1 && matches!(&**name, "system" | "developer") => {
                "the system prompt".to_owned()
            }
            (Kind::Message, true) => format!("message {number}"),
            (Kind::Message, false) => format!("message {number} ({name})"),
        }
    }

    fn is_like(&self, other: &Part<'_>) -> bool {
        self.kind == other.kind && self.name == other.name && self.text == other.text
    }

    fn characters(&self) -> u64 {
        self.text.chars().count() as u64
    }
}

fn first_difference(
    old: &[Part<'_>],
    new: &[Part<'_>],
    (old_is_cut, new_is_cut): (bool, bool),
) -> Option<Change> {
    let mut before = 0;
    let characters = (!new_is_cut).then(|| new.iter().map(Part::characters).sum());
    for (at, part) in new.iter().enumerate() {
        let Some(was) = old.get(at) else { break };
        if part.is_like(was) {
            before += part.characters();
            continue;
        }
        let common = common_characters(&was.text, &part.text);
        // The last part of a request that was cut may have had more.
        let ends_here = |parts: &[Part<'_>], own: &Part<'_>, is_cut: bool| {
            is_cut && at + 1 == parts.len() && common as u64 == own.characters() && part.kind == was.kind
        };
        if ends_here(old, was, old_is_cut) || ends_here(new, part, new_is_cut) {
            return None;
        }
        let is_other = part.kind != was.kind || part.name != was.name;
        let common = if is_other { 0 } else { common };
        return Some(Change::Part(Place {
            part: part.told(),
            character: common as u64 + 1,
            characters_before: before + common as u64,
            characters,
            before: (part.kind == was.kind).then(|| excerpt(&was.text, common)),
            after: Some(excerpt(&part.text, common)),
        }));
    }
    let gone = old.get(new.len()).filter(|_| !new_is_cut)?;
    Some(Change::Gone(Place {
        part: gone.told(),
        character: 1,
        characters_before: before,
        characters,
        before: Some(excerpt(&gone.text, 0)),
        after: None,
    }))
}

fn common_characters(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

/// The text around a character.
fn excerpt(text: &str, at: usize) -> String {
    text.chars().skip(at.saturating_sub(EXCERPT_BEFORE)).take(EXCERPT_CHARACTERS).collect()
}

fn changed_setting(old: Node<'_>, new: Node<'_>) -> Option<&'static str> {
    let text = |root: Node<'_>, name: &str| root.some(name).map(|node| node.text().to_owned());
    SETTINGS.into_iter().find(|name| text(old, name) != text(new, name))
}

/// A prompt in the order in which providers cache it.
fn parts<'d>(root: Node<'d>) -> Vec<Part<'d>> {
    let mut parts = Vec::new();
    let listed = |name: &str| root.some(name).filter(Node::is_array);
    for (at, tool) in listed("tools").into_iter().flat_map(|tools| tools.items()).enumerate() {
        let name = tool.str("name").or_else(|| tool.get("function")?.str("name")).unwrap_or_default();
        parts.push(Part { kind: Kind::Tool, number: at + 1, name, text: written(tool).into() });
    }
    let system = ["system", "instructions", "systemInstruction", "system_instruction"];
    for node in system.into_iter().filter_map(|name| root.some(name)) {
        parts.push(Part { kind: Kind::System, number: 1, name: "".into(), text: words(node) });
    }
    let messages = ["messages", "input", "contents"].into_iter().find_map(|name| root.some(name));
    match messages {
        Some(messages) if messages.is_array() => {
            parts.extend(messages.items().enumerate().map(|(at, message)| Part {
                kind: Kind::Message,
                number: at + 1,
                name: message.str("role").or_else(|| message.str("type")).unwrap_or_default(),
                text: words(message),
            }));
        }
        Some(text) => {
            parts.push(Part { kind: Kind::Message, number: 1, name: "user".into(), text: words(text) });
        }
        None => {}
    }
    parts
}

/// The words of a message, a block or a list of them; what has none, as it is written.
fn words<'d>(node: Node<'d>) -> Cow<'d, str> {
    if let Some(text) = node.as_str() {
        return text;
    }
    if node.is_array() {
        return node.items().map(|item| words(item).into_owned()).collect::<String>().into();
    }
    if let Some(text) = node.str("text") {
        return text;
    }
    let inner = ["content", "parts"].into_iter().find_map(|name| node.some(name));
    let calls = node.some("tool_calls").map(|calls| calls.text());
    match (inner, calls) {
        (Some(inner), None) => words(inner),
        (Some(inner), Some(calls)) => format!("{}{calls}", words(inner)).into(),
        (None, _) => written(node).into(),
    }
}

/// An object as it is written, but for marks.
fn written(node: Node<'_>) -> String {
    if !node.is_object() {
        return node.text().to_owned();
    }
    let fields = node.fields().filter(|(name, _)| !MARKS.contains(&&**name));
    fields.map(|(name, value)| format!("{name}: {}\n", value.text())).collect()
}
