//! The vendor's events to canonical ones: <https://platform.openai.com/docs/api-reference/responses-streaming>.
//!
//! Items may be said side by side, but the hub takes one block after the other: what is said of a later item waits until
//! the one before it is whole. Servers leave out much: an item may come only as `output_item.done`, or only in the
//! Response object at the end, which therefore fills every gap. The progress of hosted tools, keep-alives and events
//! unknown to us are passed over. The stream is whole at `response.completed` or `response.incomplete`.

use crate::chat::block_queue::BlockQueue;
use crate::chat::openai_responses::error;
use crate::chat::openai_responses::item::part::{Part, PartKind};
use crate::chat::openai_responses::item::{Output, plain};
use crate::chat::openai_responses::response::ending;
use crate::frame::Frame;
use crate::json::{Document, Node};
use crate::{Event, Fault};

/// Most items of one answer.
const ITEMS_MAX: usize = 4096;

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    finished: bool,
    output: Output,
    /// Every item so far, in the order met.
    items: Vec<Item>,
    /// Which of them is being said, and what is said of the items behind it.
    queue: BlockQueue<usize, (Saying, Box<str>)>,
}

/// What tells an item from others.
#[derive(Debug)]
struct Item {
    index: Option<u64>,
    /// Empty where it is not known. Some servers give an item another id in each event.
    id: String,
    is_whole: bool,
}

/// What an event says of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    /// It begins.
    Begin,
    /// It is whole.
    Whole,
    /// More words of a part.
    Words(PartKind),
    /// A part is whole: of this kind, or of the kind that the part itself tells.
    WholePart(Option<PartKind>),
    /// One more source of a text.
    Source,
    /// More arguments of a call.
    Arguments,
    /// The arguments of a call are whole, and stand in this field.
    WholeArguments(&'static str),
}

impl Decoder {
    /// Takes the next frame.
    ///
    /// # Errors
    /// The provider's own error where it is one; 502 where the stream is broken.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished || frame.data.is_empty() || frame.data == b"[DONE]" {
            return Ok(());
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent an event that is {fault}.")))?;
        let event = document.root();
        let kind = event.str("type").unwrap_or(frame.event.into());
        match kind.as_ref() {
            "response.created" | "response.queued" | "response.in_progress" => {
                self.start(event.some("response"), events);
            }
            "response.completed" => return self.end(event, "completed", events),
            "response.incomplete" => return self.end(event, "incomplete", events),
            "response.failed" => return Err(error::decode(event.some("response").unwrap_or(event))),
            "response.cancelled" => return Err(Fault::upstream("The provider called the answer off.")),
            "error" => return Err(error::decode(event)),
            kind => match Saying::of(kind) {
                Some(saying) => {
                    self.start(None, events);
                    return self.item_event(saying, event, events);
                }
                None if !kind.starts_with("response.") && event.some("error").is_some() => {
                    return Err(error::decode(event));
                }
                None => {}
            },
        }
        Ok(())
    }

    /// The upstream has closed the stream.
    ///
    /// # Errors
    /// 502 where the answer is not whole.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.finished {
            return Ok(());
        }
        Err(Fault::upstream("The provider broke off before the answer was whole."))
    }

    fn start(&mut self, response: Option<Node<'_>>, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            events.push(ending::start(response));
        }
    }

    /// Says what this event says of its item, or lets it wait.
    fn item_event(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let item = self.item(saying, event)?;
        if self.items[item].is_whole {
            return Ok(());
        }
        match self.queue.open() {
            Some(open) if open != item => {
                let text = event.text();
                return self.queue.wait(item, (saying, text.into()), text.len());
            }
            _ => self.queue.begin(item),
        }
        self.say(item, saying, event, events);
        self.release(events);
        Ok(())
    }

    /// The item that this event is about, be it a new one.
    fn item(&mut self, saying: Saying, event: Node<'_>) -> Result<usize, Fault> {
        let index = event.u64("output_index");
        let id = event.some("item").and_then(|item| item.str("id")).or(event.str("item_id"));
        let id = id.unwrap_or_default();
        if let Some(known) = self.known(saying == Saying::Begin, index, &id) {
            return Ok(known);
        }
        if self.items.len() == ITEMS_MAX {
            return Err(Fault::upstream(format!("The provider sent more than {ITEMS_MAX} items.")));
        }
        self.items.push(Item { index, id: id.into_owned(), is_whole: false });
        Ok(self.items.len() - 1)
    }

    /// The item with this number, or where events have none, with this id; else the open one.
    fn known(&self, begins: bool, index: Option<u64>, id: &str) -> Option<usize> {
        let is_this = |item: &Item| match index {
            Some(_) => item.index == index,
            None => !id.is_empty() && item.id == id,
        };
        let known = self.items.iter().rposition(is_this);
        if begins {
            // One that is whole and begins again is another: some servers number all items 0.
            return known.filter(|&at| !self.items[at].is_whole);
        }
        let may_be_open = |at: &usize| index.is_none() && (id.is_empty() || self.items[*at].id.is_empty());
        known.or(self.queue.open().filter(may_be_open))
    }

    /// Lets the waiting items speak, up to the first that is not whole.
    fn release(&mut self, events: &mut Vec<Event>) {
        while let Some((item, waited)) = self.queue.next() {
            for (saying, text) in waited {
                let document = Document::parse(text.as_bytes()).ok();
                if let Some(document) = document.filter(|_| !self.items[item].is_whole) {
                    self.say(item, saying, document.root(), events);
                }
            }
        }
    }

    /// Says what this event says of the open item.
    fn say(&mut self, item: usize, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) {
        let output = &mut self.output;
        let delta = event.some("delta");
        let index = || event.u64("content_index").or(event.u64("summary_index")).unwrap_or_default();
        match saying {
            Saying::Begin => event.some("item").iter().for_each(|node| output.begin(*node, events)),
            Saying::Whole => event.some("item").iter().for_each(|node| self.end_item(item, *node, events)),
            Saying::Words(kind) => {
                output.words(Part { kind, index: index() }, delta, events);
                output.logprobs(event.some("logprobs"), events);
            }
            Saying::WholePart(kind) => {
                let node = event.some("part").unwrap_or(event);
                let told = Part::of(node, index());
                output.whole_part(Part { kind: kind.unwrap_or(told.kind), ..told }, node, events);
            }
            Saying::Source => {
                let part = Part { kind: PartKind::Text, index: index() };
                output.citation(part, event.some("annotation").unwrap_or(event), events);
            }
            Saying::Arguments => output.arguments(delta, events),
            Saying::WholeArguments(field) => {
                let arguments = event.some(field);
                arguments.iter().for_each(|node| output.whole_arguments(&plain(*node), events));
            }
        }
    }

    fn end_item(&mut self, item: usize, node: Node<'_>, events: &mut Vec<Event>) {
        self.output.end(node, events);
        self.items[item].id = node.str("id").unwrap_or_default().into_owned();
        self.items[item].is_whole = true;
        self.queue.end();
    }

    /// The answer is whole: what the stream left out is said from the Response object.
    fn end(&mut self, event: Node<'_>, status: &str, events: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(response) = event.some("response") else {
            return Err(Fault::upstream("The provider ended the stream without a response."));
        };
        self.start(Some(response), events);
        let whole: Vec<Node<'_>> =
            response.some("output").into_iter().flat_map(|list| list.items()).collect();
        while let Some(open) = self.queue.open() {
            self.queue.end();
            match self.items[open].find(&whole) {
                Some(item) => self.output.end(item, events),
                None => self.output.abandon(events),
            }
            self.release(events);
        }
        for (at, item) in whole.iter().enumerate() {
            if !self.items.iter().any(|known| known.is(at, *item)) {
                self.output.end(*item, events);
            }
        }
        // A server may name the event after what it does and still call the answer cut off or failed.
        let own = response.str("status").filter(|own| matches!(own.as_ref(), "incomplete" | "failed"));
        let status = own.as_deref().unwrap_or(status);
        ending::end(response, status, self.output.tools(), events)?;
        self.finished = true;
        Ok(())
    }
}

impl Item {
    /// Is it the item at this place of the whole output?
    fn is(&self, at: usize, item: Node<'_>) -> bool {
        let same_id = !self.id.is_empty() && item.str("id").is_some_and(|id| id == self.id);
        same_id || self.index == Some(at as u64)
    }

    fn find<'d>(&self, whole: &[Node<'d>]) -> Option<Node<'d>> {
        whole.iter().enumerate().find(|(at, item)| self.is(*at, **item)).map(|(_, item)| *item)
    }
}

impl Saying {
    /// What an event of this kind says; `None` where the hub has no words for it, or it is said again by another.
    fn of(kind: &str) -> Option<Saying> {
        Some(match kind {
            "response.output_item.added" => Saying::Begin,
            "response.output_item.done" => Saying::Whole,
            "response.output_text.delta" => Saying::Words(PartKind::Text),
            "response.refusal.delta" => Saying::Words(PartKind::Refusal),
            "response.reasoning_text.delta" => Saying::Words(PartKind::Thought),
            "response.reasoning_summary_text.delta" => Saying::Words(PartKind::Summary),
            "response.output_text.done" => Saying::WholePart(Some(PartKind::Text)),
            "response.refusal.done" => Saying::WholePart(Some(PartKind::Refusal)),
            "response.reasoning_text.done" => Saying::WholePart(Some(PartKind::Thought)),
            "response.reasoning_summary_text.done" | "response.reasoning_summary_part.done" => {
                Saying::WholePart(Some(PartKind::Summary))
            }
            "response.content_part.done" => Saying::WholePart(None),
            // The second name is that of older servers.
            "response.output_text.annotation.added" | "response.output_text_annotation.added" => {
                Saying::Source
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                Saying::Arguments
            }
            "response.function_call_arguments.done" => Saying::WholeArguments("arguments"),
            "response.custom_tool_call_input.done" => Saying::WholeArguments("input"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
