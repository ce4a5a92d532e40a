//! Items of an output, told as the events of one choice.
//!
//! A stream says an item in deltas and then whole, an answer only whole: whatever has not been said in deltas is said
//! when the item is whole, so both come to the same blocks. Each part of a message is a block; the parts of a reasoning
//! item, summaries or the thoughts themselves, are one block, with a blank line between them. Items that the hub has
//! no words for are handed on whole. Sources: <https://platform.openai.com/docs/api-reference/responses/object> and
//! <https://platform.openai.com/docs/api-reference/responses-streaming>.

pub(super) mod part;

use std::borrow::Cow;

use self::part::{Part, PartKind};
use crate::chat::openai_responses::usage;
use crate::chat::response::characters;
use crate::json::{Json, Node, SurrogateJoiner};
use crate::{
    Block, Citation, Content, Delta, Dialect, Event, Media, MediaKind, Metered, Signature, Source, ToolKind,
};

/// What stands between the parts of one reasoning item.
const PARAGRAPH: &str = "\n\n";
/// What a call says of its origin, which the vendor wants to see again with the call.
pub(super) const CALL_ORIGIN: [&str; 2] = ["caller", NAMESPACE];
/// The container of the tool that is called.
pub(super) const NAMESPACE: &str = "namespace";

/// Tells one item after the other.
#[derive(Debug, Default)]
pub(super) struct Output {
    item: Item,
    /// A block is open.
    is_open: bool,
    /// The end of what the open block said.
    halves: SurrogateJoiner,
    /// Characters of all texts so far, and of those before the open block: citations count from their own part.
    text_chars: u64,
    text_start: u64,
    /// Tools that the vendor ran.
    tools: Metered,
}

/// The item that is being said.
#[derive(Debug, Default)]
struct Item {
    /// The part that the open block says.
    part: Option<Part>,
    /// The last part of each kind that has been said.
    spoken: [Option<u64>; PartKind::COUNT],
    /// Citations of the part so far.
    citations: usize,
    /// The part's log-probabilities came with its deltas.
    has_logprobs: bool,
    /// It is a call that has begun; it says nothing but arguments.
    is_call: bool,
    has_arguments: bool,
}

impl Output {
    /// An item begins. Only a call says more than that it does; one without a name waits until it is whole.
    pub(super) fn begin(&mut self, item: Node<'_>, events: &mut Vec<Event>) {
        let is_named = item.str("name").is_some_and(|name| !name.is_empty());
        if let Some(kind) = call_kind(item).filter(|_| is_named) {
            self.begin_call(item, kind, events);
        }
    }

    /// More words of a part.
    pub(super) fn words(&mut self, part: Part, words: Option<Node<'_>>, events: &mut Vec<Event>) {
        let is_filled = |words: &Node<'_>| words.is_string() && words.text() != "\"\"";
        let Some(words) = words.filter(is_filled).filter(|_| !self.item.is_call) else { return };
        self.turn_to(part, events);
        self.item.spoken[part.kind as usize] = Some(part.index);
        let words = self.halves.join(words).unwrap_or_default();
        if part.kind == PartKind::Text {
            self.text_chars = self.text_chars.saturating_add(characters(&words));
        }
        events.push(delta(Delta::Text(words.into_owned())));
    }

    /// Log-probabilities of the words just said, as a list.
    pub(super) fn logprobs(&mut self, list: Option<Node<'_>>, events: &mut Vec<Event>) {
        let Some(list) = list.filter(|list| list.items().next().is_some()) else { return };
        self.item.has_logprobs = true;
        let value = Json::build(|w| w.object(|w| w.field_raw("content", list.text())));
        events.push(Event::Logprobs { choice: 0, value });
    }

    /// One more source of a text.
    pub(super) fn citation(&mut self, part: Part, annotation: Node<'_>, events: &mut Vec<Event>) {
        if part.kind != PartKind::Text || self.item.is_call {
            return;
        }
        self.turn_to(part, events);
        self.item.citations += 1;
        events.push(delta(Delta::Citation(citation(annotation, self.text_start))));
    }

    /// A part is whole: says what of it has not been said.
    pub(super) fn whole_part(&mut self, part: Part, node: Node<'_>, events: &mut Vec<Event>) {
        let has_said = self.item.spoken[part.kind as usize].is_some_and(|last| part.index <= last);
        if has_said && self.item.part != Some(part) {
            // It is behind us.
            return;
        }
        if part.kind == PartKind::Unknown {
            return self.unknown_part(part, node, events);
        }
        if !has_said {
            self.words(part, node.some(part.kind.field()), events);
        }
        let is_open = self.item.part == Some(part);
        let told = if is_open { self.item.citations } else { 0 };
        let sources = node.some("annotations").into_iter().flat_map(|list| list.items());
        sources.skip(told).for_each(|source| self.citation(part, source, events));
        if is_open && !self.item.has_logprobs {
            self.logprobs(node.some("logprobs"), events);
        }
    }

    fn unknown_part(&mut self, part: Part, node: Node<'_>, events: &mut Vec<Event>) {
        if !self.item.is_call {
            self.whole(foreign(message_of(node)), events);
            self.item.spoken[part.kind as usize] = Some(part.index);
        }
    }

    /// More arguments of the open call. Those that come before its name are told when it is whole.
    pub(super) fn arguments(&mut self, arguments: Option<Node<'_>>, events: &mut Vec<Event>) {
        if self.item.is_call {
            let arguments = arguments.and_then(|arguments| self.halves.join(arguments));
            self.push_arguments(&arguments.unwrap_or_default(), events);
        }
    }

    fn push_arguments(&mut self, arguments: &str, events: &mut Vec<Event>) {
        if !arguments.is_empty() {
            self.item.has_arguments = true;
            events.push(delta(Delta::Arguments(arguments.to_owned())));
        }
    }

    /// The arguments of the open call are whole.
    pub(super) fn whole_arguments(&mut self, arguments: &str, events: &mut Vec<Event>) {
        if self.item.is_call && !self.item.has_arguments {
            self.push_arguments(arguments, events);
        }
    }

    /// What the vendor charges for by the items that are whole.
    pub(super) fn tools(&self) -> Metered {
        self.tools
    }

    /// The item is whole: says what of it has not been said, and ends it.
    pub(super) fn end(&mut self, item: Node<'_>, events: &mut Vec<Event>) {
        self.tools = self.tools.plus(&usage::item(item));
        if self.item.is_call && call_kind(item).is_none() {
            // It began as a call and was none.
            self.abandon(events);
        }
        let parts = |name: &str| item.some(name).into_iter().flat_map(|parts| parts.items()).zip(0..);
        match item.str("type").as_deref() {
            Some("message") => {
                parts("content").for_each(|(node, at)| self.whole_part(Part::of(node, at), node, events));
            }
            Some("reasoning") => {
                let thoughts = parts("content").chain(parts("summary"));
                thoughts.for_each(|(node, at)| self.whole_part(Part::of(node, at), node, events));
                self.proof(item, events);
            }
            Some("function_call" | "custom_tool_call") => self.whole_call(item, events),
            Some("image_generation_call") => {
                self.whole(image(item).unwrap_or_else(|| foreign(Json::of(item))), events);
            }
            _ => self.whole(foreign(Json::of(item)), events),
        }
        self.abandon(events);
    }

    /// Nothing more is known of the item.
    pub(super) fn abandon(&mut self, events: &mut Vec<Event>) {
        self.close(events);
        self.item = Item::default();
    }

    /// What lets the vendor think on. An item with neither words nor proof says nothing.
    fn proof(&mut self, item: Node<'_>, events: &mut Vec<Event>) {
        let Some(proof) = item.str("encrypted_content").filter(|proof| !proof.is_empty()) else { return };
        if !self.is_open {
            self.open(Block::new(Content::Reasoning(String::new())), events);
        }
        events.push(delta(Delta::Signature(own(proof.into_owned()))));
    }

    fn begin_call(&mut self, item: Node<'_>, kind: ToolKind, events: &mut Vec<Event>) {
        if self.item.is_call {
            return;
        }
        let text = |name: &str| item.str(name).unwrap_or_default().into_owned();
        let (id, name, arguments) = (text("call_id"), text("name"), String::new());
        let namespace = item.str(NAMESPACE).map(Cow::into_owned);
        self.open(Block { namespace, ..Block::new(Content::ToolCall { id, name, arguments, kind }) }, events);
        self.item.is_call = true;
    }

    fn whole_call(&mut self, item: Node<'_>, events: &mut Vec<Event>) {
        let kind = call_kind(item).unwrap_or(ToolKind::Function);
        self.begin_call(item, kind, events);
        let arguments = item.some(if kind == ToolKind::Custom { "input" } else { "arguments" });
        self.whole_arguments(&arguments.map_or(Cow::Borrowed(""), plain), events);
        events.extend(origin(item).map(|origin| delta(Delta::Signature(own(origin)))));
    }

    /// Opens the block of this part, where it is not the open one.
    fn turn_to(&mut self, part: Part, events: &mut Vec<Event>) {
        let before = self.item.part.replace(part);
        if before == Some(part) {
            return;
        }
        (self.item.citations, self.item.has_logprobs) = (0, false);
        if before.is_some_and(|before| before.kind.is_thought()) && part.kind.is_thought() {
            self.end_words(events);
            events.push(delta(Delta::Text(PARAGRAPH.to_owned())));
        } else {
            self.open(part.kind.block(), events);
            self.item.part = Some(part);
        }
    }

    /// A block that comes whole.
    fn whole(&mut self, block: Block, events: &mut Vec<Event>) {
        self.open(block, events);
        self.close(events);
    }

    fn open(&mut self, block: Block, events: &mut Vec<Event>) {
        self.close(events);
        self.is_open = true;
        events.push(Event::BlockStart { choice: 0, block });
    }

    /// A half character at the end of what the open block said stays alone.
    fn end_words(&mut self, events: &mut Vec<Event>) {
        let Some(half) = self.halves.end().map(str::to_owned).filter(|_| self.is_open) else { return };
        if self.item.is_call {
            return events.push(delta(Delta::Arguments(half)));
        }
        if self.item.part.is_some_and(|part| part.kind == PartKind::Text) {
            self.text_chars = self.text_chars.saturating_add(1);
        }
        events.push(delta(Delta::Text(half)));
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        self.end_words(events);
        if std::mem::take(&mut self.is_open) {
            events.push(Event::BlockEnd { choice: 0 });
        }
        self.item.part = None;
        self.text_start = self.text_chars;
    }
}

fn delta(delta: Delta) -> Event {
    Event::Delta { choice: 0, delta }
}

/// How this item calls a tool, if it does.
fn call_kind(item: Node<'_>) -> Option<ToolKind> {
    match item.str("type").as_deref() {
        Some("function_call") => Some(ToolKind::Function),
        Some("custom_tool_call") => Some(ToolKind::Custom),
        _ => None,
    }
}

/// A string, or the text of what some servers send instead: the arguments as an object.
pub(super) fn plain(node: Node<'_>) -> Cow<'_, str> {
    node.as_str().unwrap_or(Cow::Borrowed(node.text()))
}

/// Who made a call that did not come from the model itself, and the namespace of its tool, as an object:
/// <https://platform.openai.com/docs/guides/tools-tool-search>. The usual call has neither.
fn origin(item: Node<'_>) -> Option<String> {
    let is_direct = |value: &Node<'_>| value.str("type").as_deref() == Some("direct");
    let fields = CALL_ORIGIN.map(|name| item.some(name).filter(|value| !is_direct(value)));
    fields.iter().any(Option::is_some).then(|| {
        let named = CALL_ORIGIN.iter().zip(fields).filter_map(|(name, value)| Some((name, value?)));
        let object =
            Json::build(|w| w.object(|w| named.for_each(|(name, value)| w.field_raw(name, value.text()))));
        object.as_str().to_owned()
    })
}

/// A source as the vendor tells it, of the text that begins at this character.
pub(super) fn citation(annotation: Node<'_>, text_start: u64) -> Citation {
    let text = |name| annotation.str(name).map(Cow::into_owned);
    let place = |name| annotation.u64(name).map(|at| text_start.saturating_add(at));
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        start: place("start_index"),
        end: place("end_index"),
        value: Some(Json::of(annotation)),
    }
}

/// The picture that the vendor's own tool has painted.
fn image(item: Node<'_>) -> Option<Block> {
    let data = item.str("result").filter(|data| !data.is_empty())?;
    let format = item.str("output_format").unwrap_or(Cow::Borrowed("png"));
    Some(Block::new(Content::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64(data.into_owned()),
        mime: Some(format!("image/{format}")),
        name: None,
        detail: None,
    })))
}

/// A part that the hub has no words for, as a message of its own.
fn message_of(part: Node<'_>) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "message");
            w.field_str("role", "assistant");
            w.field_array("content", |w| w.raw(part.text()));
        });
    })
}

fn foreign(value: Json) -> Block {
    Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value })
}

fn own(value: String) -> Signature {
    Signature { dialect: Dialect::OpenaiResponses, value }
}
