//! The output of an answer: its items as they grow, and the events that tell of them.
//!
//! Streams and whole answers are made in the same steps, so that they cannot differ: the steps of a whole
//! answer are told to nobody. An item ends when the next one begins or the answer stops, because only then it
//! is known whether it is whole.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming>.

mod call;
mod events;
mod message;
mod thought;

pub(in crate::chat::openai_responses) use events::Events;

use self::call::Call;
use self::events::Place;
use self::message::{Kind, Message};
use self::thought::Thought;
use crate::chat::limits::GivenIds;
use crate::chat::opaque::{self, Opaque};
use crate::json::{Document, Json};
use crate::{Block, Content, Delta, Dialect, Media, MediaKind, Signature, Source};

/// The state of an item or an answer that is whole.
pub(in crate::chat::openai_responses) const COMPLETED: &str = "completed";
/// The state of one that was cut off.
pub(in crate::chat::openai_responses) const INCOMPLETE: &str = "incomplete";
/// The state of one that is being made.
pub(in crate::chat::openai_responses) const IN_PROGRESS: &str = "in_progress";

/// The output so far.
#[derive(Debug)]
pub(in crate::chat::openai_responses) struct Output {
    id_suffix: String,
    done: Vec<Json>,
    open: Option<Open>,
    /// Characters of text before the open part: sources have their places in the whole text.
    characters: u64,
    ids: GivenIds,
    refused: bool,
    /// The proof of the open block, which came behind its start.
    late: Option<Signature>,
    /// Log-probabilities of a text that has not begun.
    logprobs: Vec<Json>,
}

/// The item that is being made.
#[derive(Debug)]
enum Open {
    Message(Message),
    Thought(Thought),
    Call(Call),
}

impl Output {
    /// Nothing yet. Ids are made of `id_suffix`.
    pub(in crate::chat::openai_responses) fn new(id_suffix: &str) -> Output {
        Output {
            id_suffix: id_suffix.to_owned(),
            done: Vec::new(),
            open: None,
            characters: 0,
            ids: GivenIds::of(Dialect::OpenaiResponses, 0),
            refused: false,
            late: None,
            logprobs: Vec::new(),
        }
    }

    /// The finished items.
    pub(in crate::chat::openai_responses) fn items(&self) -> &[Json] {
        &self.done
    }

    /// Has the model declined in words of its own?
    pub(in crate::chat::openai_responses) fn refused(&self) -> bool {
        self.refused
    }

    /// A block begins; it may hold content already.
    pub(in crate::chat::openai_responses) fn begin(&mut self, block: &Block, events: &mut Events<'_>) {
        if let (Some(signature), false) = (&block.signature, matches!(block.content, Content::Reasoning(_))) {
            self.carry(&Opaque::Next(signature.clone()), events);
        }
        match &block.content {
            Content::Text { text, citations } => {
                self.part(Kind::Text, text, events);
                citations.iter().for_each(|citation| self.extend(&Delta::Citation(citation.clone()), events));
            }
            Content::Refusal(text) => {
                self.refused = true;
                self.part(Kind::Refusal, text, events);
            }
            Content::Reasoning(text) => {
                let place = self.next_place("rs", events);
                let mut thought = Thought::open(place, block.signature.clone(), events);
                thought.say(text, events);
                self.open = Some(Open::Thought(thought));
            }
            Content::ToolCall { id, name, arguments, kind } => {
                let place = self.next_place(call::prefix(*kind), events);
                let id = self.ids.next(id, &self.id_suffix);
                let mut call = Call::open(place, &id, (block.namespace.as_deref(), name), *kind, events);
                call.extend(arguments, events);
                self.open = Some(Open::Call(call));
            }
            Content::Media(media) => self.media(media, events),
            Content::Foreign { dialect: Dialect::OpenaiResponses, value } => self.item(value, events),
            Content::Foreign { dialect, value } => {
                self.carry(&Opaque::Foreign { dialect: *dialect, value: value.clone() }, events);
            }
            // A model gives no results of calls.
            Content::ToolResult { .. } => {}
        }
    }

    /// More of the open block.
    pub(in crate::chat::openai_responses) fn extend(&mut self, delta: &Delta, events: &mut Events<'_>) {
        match (delta, &mut self.open) {
            (Delta::Signature(signature), Some(Open::Thought(thought))) => thought.sign(signature),
            (Delta::Signature(signature), _) => self.late = Some(signature.clone()),
            (Delta::Text(text), Some(Open::Message(message))) => message.say(text, events),
            (Delta::Text(text), Some(Open::Thought(thought))) => thought.say(text, events),
            (Delta::Citation(citation), Some(Open::Message(message))) => message.cite(citation),
            (Delta::Arguments(arguments), Some(Open::Call(call))) => call.extend(arguments, events),
            // Blocks that come whole, and blocks that have no room for this.
            (Delta::Text(_) | Delta::Citation(_) | Delta::Arguments(_), _) => {}
        }
    }

    /// The open block ends.
    pub(in crate::chat::openai_responses) fn end(&mut self, events: &mut Events<'_>) {
        if let Some(Open::Message(message)) = &mut self.open {
            self.characters += message.end_part(self.characters, events);
        }
        if let Some(signature) = self.late.take() {
            self.carry(&Opaque::Previous(signature), events);
        }
    }

    /// Log-probabilities (`{"content": [...]}`) of the open text, or of the next one.
    pub(in crate::chat::openai_responses) fn logprobs(&mut self, value: &Json, events: &mut Events<'_>) {
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return };
        let told = document.root().get("content").into_iter().flat_map(|list| list.items()).map(Json::of);
        self.logprobs.extend(told);
        self.tell_logprobs(events);
    }

    fn tell_logprobs(&mut self, events: &mut Events<'_>) {
        if let Some(Open::Message(message)) = &mut self.open {
            message.logprobs(&mut self.logprobs, events);
        }
    }

    /// The open item ends in this state.
    pub(in crate::chat::openai_responses) fn close(&mut self, status: &str, events: &mut Events<'_>) {
        let Some(open) = self.open.take() else { return };
        let item = match open {
            Open::Message(message) => message.close(status, events),
            Open::Thought(thought) => thought.close(events),
            Open::Call(call) => call.close(status, events),
        };
        self.finish(item, events);
    }

    fn finish(&mut self, item: Json, events: &mut Events<'_>) {
        events.item("response.output_item.done", self.done.len(), &item);
        self.done.push(item);
    }

    /// A part of a message. Words that follow one another stand in one message.
    fn part(&mut self, kind: Kind, text: &str, events: &mut Events<'_>) {
        if !matches!(self.open, Some(Open::Message(_))) {
            let place = self.next_place("msg", events);
            self.open = Some(Open::Message(Message::open(place, events)));
        }
        if let Some(Open::Message(message)) = &mut self.open {
            message.begin_part(kind, events);
            message.say(text, events);
        }
        self.tell_logprobs(events);
    }

    /// An item that exists only to carry what another vendor wants to see again.
    fn carry(&mut self, wrapped: &Opaque, events: &mut Events<'_>) {
        let place = self.next_place("rs", events);
        self.whole(thought::carrier(&place, &opaque::encode(wrapped)), events);
    }

    /// An item as the vendor has it. The call of a client's tool is announced first: clients wait for that, and take the
    /// call from its end.
    fn item(&mut self, value: &Json, events: &mut Events<'_>) {
        let Some((tool, call_id)) = call::of_tool(value) else {
            let place = self.next_place("item", events);
            return self.whole(with(value, &[("id", &place.id)]), events);
        };
        let place = self.next_place(tool.prefix(), events);
        let call_id = self.ids.next(&call_id, &self.id_suffix);
        let item = with(value, &[("id", &place.id), ("call_id", &call_id)]);
        events.item("response.output_item.added", place.index, &call::in_progress(&item));
        self.finish(item, events);
    }

    /// An item that comes whole.
    fn whole(&mut self, item: Json, events: &mut Events<'_>) {
        events.item("response.output_item.added", self.done.len(), &item);
        self.finish(item, events);
    }

    /// Images have an item; of everything else a message can only speak.
    fn media(&mut self, media: &Media, events: &mut Events<'_>) {
        let Media { kind: MediaKind::Image, source: Source::Base64(data), .. } = media else {
            self.part(Kind::Note, &note(media), events);
            return;
        };
        let place = self.next_place("ig", events);
        let image = |status, result| call::image(&place, status, media.mime.as_deref(), result);
        events.item("response.output_item.added", place.index, &image(IN_PROGRESS, None));
        events.tell("response.image_generation_call.completed", |w| place.write(w));
        self.finish(image(COMPLETED, Some(data)), events);
    }

    /// Ends the open item, and gives the place of the next one. Items of the request have ids of the same suffix, without
    /// the `o`.
    fn next_place(&mut self, prefix: &str, events: &mut Events<'_>) -> Place {
        self.close(COMPLETED, events);
        let index = self.done.len();
        Place { index, id: format!("{prefix}_{}_o{index}", self.id_suffix) }
    }
}

/// Is this the id of an item that [`Output`] made?
pub(in crate::chat::openai_responses) fn is_made_here(id: &str) -> bool {
    let number = id.rsplit_once("_o").map(|(_, number)| number).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The item with these fields. An id of its own it keeps.
fn with(item: &Json, fields: &[(&str, &str)]) -> Json {
    let Ok(document) = Document::parse_to(item.as_str().as_bytes(), 1) else { return item.clone() };
    let root = document.root();
    let is_kept = |name: &str| name == "id" && root.str(name).is_some_and(|id| !id.is_empty());
    if !root.is_object() || fields.iter().all(|(name, _)| is_kept(name)) {
        return item.clone();
    }
    Json::build(|w| {
        w.object(|w| {
            let given = || fields.iter().filter(|(name, _)| !is_kept(name));
            given().for_each(|(name, text)| w.field_str(name, text));
            let is_said = |name: &str| given().all(|(field, _)| *field != name);
            for (name, value) in root.fields().filter(|(name, _)| is_said(name)) {
                w.field_raw(&name, value.text());
            }
        });
    })
}

/// What a client reads where the API has no form for a recording, a film or a document.
fn note(media: &Media) -> String {
    let noun = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    };
    match &media.source {
        Source::Url(url) if media.kind == MediaKind::Image => format!("![{noun}]({url})"),
        Source::Url(url) => format!("[{noun}]({url})"),
        Source::Text(text) => text.clone(),
        Source::FileId(id) => format!("[{noun}: the provider's file {id}]"),
        Source::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or("an unknown type");
            format!("[{noun}: {} bytes of {mime}, for which this API has no form]", data.len() / 4 * 3)
        }
    }
}
