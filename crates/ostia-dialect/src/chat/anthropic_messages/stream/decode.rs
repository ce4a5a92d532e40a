//! The vendor's stream to canonical events: <https://platform.claude.com/docs/en/build-with-claude/streaming>.
//!
//! Every event of a block carries its index, so blocks may alternate: what is said of a block that begins before the
//! one before it has ended waits for that. Text, thinking and calls go on as they come. Blocks that only this dialect
//! knows are put together and sent whole, so that they can be handed back as they are. Citations name the whole block as
//! their place and therefore wait for its end. `ping` and unknown events are passed over.

use crate::chat::anthropic_messages::block;
use crate::chat::anthropic_messages::error;
use crate::chat::anthropic_messages::response::ending::Ending;
use crate::chat::block_queue::BlockQueue;
use crate::chat::response::characters;
use crate::frame::FRAME_BYTES_MAX;
use crate::frame::Frame;
use crate::json::{Document, Json, Node, SurrogateJoiner};
use crate::{Block, Content, Delta, Event, Fault, Usage};

/// Most bytes of one block that are held back until it is whole.
const BLOCK_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    finished: bool,
    /// The blocks by their indexes, with the events of those that wait.
    queue: BlockQueue<Option<u64>, (Saying, Box<str>)>,
    open: Option<Open>,
    /// Characters of the message's text so far.
    text_chars: u64,
    ending: Ending,
}

/// What an event says of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Begin,
    More,
    End,
}

/// The block that is being said.
#[derive(Debug)]
struct Open {
    kind: Kind,
    halves: SurrogateJoiner,
    /// Bytes held back.
    held: usize,
}

#[derive(Debug)]
enum Kind {
    Text {
        start: u64,
        citations: Vec<Json>,
    },
    Reasoning {
        signature: String,
    },
    /// `input` stands in for arguments that never came in pieces.
    Call {
        input: String,
        said: bool,
    },
    Foreign {
        start: Json,
        input: String,
        pieces: Vec<(String, String)>,
    },
}

impl Decoder {
    /// Takes the next frame.
    ///
    /// Fails with the provider's own error on an `error` event, and with 502 on data that is not this dialect.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.finished {
            return Ok(());
        }
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("An event of the provider's stream is {fault}.")))?;
        let event = document.root();
        match event.str("type").as_deref().unwrap_or(frame.event) {
            "message_start" => self.message_start(event, events),
            "content_block_start" => self.block_event(Saying::Begin, event, events)?,
            "content_block_delta" => self.block_event(Saying::More, event, events)?,
            "content_block_stop" => self.block_event(Saying::End, event, events)?,
            "message_delta" => {
                self.ending.observe(event);
                event.some("delta").into_iter().for_each(|delta| self.ending.observe(delta));
            }
            "message_stop" => self.message_stop(events)?,
            "error" => return Err(error::decode(event)),
            _ => {}
        }
        Ok(())
    }

    /// What has been counted so far: the prompt already when the answer begins.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.ending.usage()
    }

    /// The upstream has closed the stream. Fails where it broke off before `message_stop`.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.finished {
            return Ok(());
        }
        Err(Fault::upstream("The provider broke off before the answer was whole."))
    }

    fn message_start(&mut self, event: Node<'_>, events: &mut Vec<Event>) {
        let Some(message) = event.some("message") else { return };
        if self.started {
            return;
        }
        let text = |name| message.str(name).unwrap_or_default().into_owned();
        self.start(text("id"), text("model"), events);
        self.ending.observe(message);
        let content = message.get("content").into_iter().flat_map(|content| content.items());
        for node in content {
            let block = block::decode(node, &mut self.text_chars);
            events.push(Event::BlockStart { choice: 0, block });
            events.push(Event::BlockEnd { choice: 0 });
        }
    }

    fn start(&mut self, id: String, model: String, events: &mut Vec<Event>) {
        self.started = true;
        events.push(Event::Start { id, model, created: None });
    }

    /// Says what this event says of its block, or lets it wait.
    fn block_event(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.started {
            self.start(String::new(), String::new(), events);
        }
        let index = event.u64("index");
        let open = self.queue.open();
        let has_turn = open == Some(index) || open.is_none() && saying == Saying::Begin;
        if !has_turn && (saying == Saying::Begin || self.queue.waits(index)) {
            return self.queue.wait(index, (saying, event.text().into()), event.text().len());
        }
        match saying {
            _ if has_turn => self.say(saying, event, events)?,
            Saying::More if event.some("delta").is_some() => {
                return Err(Fault::upstream("The provider continued a block that is not open."));
            }
            Saying::Begin | Saying::More | Saying::End => {}
        }
        self.release(events)
    }

    /// Lets the waiting blocks speak, up to the first that has not ended.
    fn release(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        while let Some((_, waited)) = self.queue.next() {
            for (saying, text) in waited {
                let document = Document::parse(text.as_bytes()).map_err(|fault| {
                    Fault::upstream(format!("An event of the provider's stream is {fault}."))
                })?;
                self.say(saying, document.root(), events)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, saying: Saying, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        match saying {
            Saying::Begin => self.block_start(event, events),
            Saying::More => return self.block_delta(event, events),
            Saying::End => self.close(events),
        }
        Ok(())
    }

    fn block_start(&mut self, event: Node<'_>, events: &mut Vec<Event>) {
        self.close(events);
        let Some(node) = event.some("content_block") else { return };
        self.ending.block(node);
        self.queue.begin(event.u64("index"));
        let mut halves = SurrogateJoiner::default();
        let (kind, block) = self.open(node, &mut halves);
        self.open = Some(Open { kind, halves, held: node.text().len() });
        events.extend(block.map(|block| Event::BlockStart { choice: 0, block }));
    }

    /// How the block will be told, and what of it can be told already.
    fn open(&mut self, node: Node<'_>, halves: &mut SurrogateJoiner) -> (Kind, Option<Block>) {
        let mut words = |name| node.get(name).and_then(|text| halves.join(text)).unwrap_or_default();
        match node.str("type").as_deref() {
            Some("text") => {
                let text = words("text");
                let sources = node.get("citations").into_iter().flat_map(|list| list.items());
                let kind = Kind::Text { start: self.text_chars, citations: sources.map(Json::of).collect() };
                self.text_chars += characters(&text);
                (kind, Some(Block::text(text)))
            }
            Some("thinking") => {
                let block = Block::new(Content::Reasoning(words("thinking").into_owned()));
                let signature = node.str("signature").unwrap_or_default().into_owned();
                (Kind::Reasoning { signature }, Some(block))
            }
            Some("tool_use") => {
                let input = node.some("input").map_or("{}", |input| input.text()).to_owned();
                (Kind::Call { input, said: false }, Some(block::tool_call(node, String::new())))
            }
            _ => (Kind::Foreign { start: Json::of(node), input: String::new(), pieces: Vec::new() }, None),
        }
    }

    fn block_delta(&mut self, event: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let Some(delta) = event.some("delta") else { return Ok(()) };
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let kind = delta.str("type").unwrap_or_default();
        let halves = &mut open.halves;
        let mut text =
            |name| delta.get(name).and_then(|text| halves.join(text)).unwrap_or_default().into_owned();
        let say = |delta| Event::Delta { choice: 0, delta };
        match (&mut open.kind, kind.as_ref()) {
            (Kind::Text { .. }, "text_delta") => {
                let text = text("text");
                self.text_chars += characters(&text);
                events.push(say(Delta::Text(text)));
            }
            (Kind::Text { citations, .. }, "citations_delta") => {
                open.held += delta.text().len();
                citations.extend(delta.some("citation").map(Json::of));
            }
            (Kind::Reasoning { .. }, "thinking_delta") => events.push(say(Delta::Text(text("thinking")))),
            (Kind::Reasoning { signature }, "signature_delta") => {
                open.held += delta.text().len();
                signature.push_str(&delta.str("signature").unwrap_or_default());
            }
            (Kind::Call { said, .. }, "input_json_delta") => {
                let piece = text("partial_json");
                if !piece.is_empty() {
                    *said = true;
                    events.push(say(Delta::Arguments(piece)));
                }
            }
            (Kind::Foreign { input, pieces, .. }, _) => {
                open.held += delta.text().len();
                collect(delta, input, pieces);
            }
            // Kinds of delta that the vendor may add later.
            (Kind::Text { .. } | Kind::Reasoning { .. } | Kind::Call { .. }, _) => {}
        }
        if open.held > BLOCK_BYTES_MAX {
            return Err(Fault::upstream(format!(
                "The provider sent a block of more than {BLOCK_BYTES_MAX} bytes."
            )));
        }
        Ok(())
    }

    /// Tells what was held back of the open block, and ends it.
    fn close(&mut self, events: &mut Vec<Event>) {
        self.queue.end();
        let Some(mut open) = self.open.take() else { return };
        let say = |delta| Event::Delta { choice: 0, delta };
        if let Some(half) = open.halves.end().map(str::to_owned) {
            match &mut open.kind {
                Kind::Text { .. } => {
                    self.text_chars += 1;
                    events.push(say(Delta::Text(half)));
                }
                Kind::Reasoning { .. } => events.push(say(Delta::Text(half))),
                Kind::Call { said, .. } => {
                    *said = true;
                    events.push(say(Delta::Arguments(half)));
                }
                Kind::Foreign { .. } => {}
            }
        }
        match open.kind {
            Kind::Text { start, citations } => {
                let end = self.text_chars;
                let sources = citations.iter().filter_map(|source| {
                    let document = Document::parse(source.as_str().as_bytes()).ok()?;
                    Some(block::citation(document.root(), start, end))
                });
                events.extend(sources.map(|citation| say(Delta::Citation(citation))));
            }
            Kind::Reasoning { signature } if signature.is_empty() => {}
            Kind::Reasoning { signature } => events.push(say(Delta::Signature(block::own(signature)))),
            Kind::Call { said: true, .. } => {}
            Kind::Call { input, said: false } => events.push(say(Delta::Arguments(input))),
            Kind::Foreign { start, input, pieces } => {
                let block = block::foreign(assemble(start, &input, &pieces));
                events.push(Event::BlockStart { choice: 0, block });
            }
        }
        events.push(Event::BlockEnd { choice: 0 });
    }

    fn message_stop(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.started {
            self.start(String::new(), String::new(), events);
        }
        self.close(events);
        while self.queue.is_awaited() {
            // Some servers leave out that a block ends.
            self.release(events)?;
            self.close(events);
        }
        let ending = &self.ending;
        let field = |choice| move |(name, value): (String, Json)| Event::Extra { choice, name, value };
        events.push(Event::Stop {
            choice: 0,
            finish: ending.finish(),
            native: ending.stop_reason.clone(),
            stop_sequence: ending.stop_sequence.clone(),
        });
        events.extend(ending.choice_extra().into_iter().map(field(Some(0))));
        events.extend(ending.response_extra().into_iter().map(field(None)));
        if let Some(tier) = ending.service_tier() {
            events.push(Event::Meta { service_tier: Some(tier), system_fingerprint: None });
        }
        events.extend(ending.usage().map(Event::Usage));
        events.push(Event::Finish);
        self.finished = true;
        Ok(())
    }
}

/// Takes a piece of a block that only this dialect knows: input as JSON text, other strings by their field
/// (`compaction_delta` adds to `content`).
fn collect(delta: Node<'_>, input: &mut String, pieces: &mut Vec<(String, String)>) {
    for (name, value) in delta.fields() {
        let Some(text) = value.as_str() else { continue };
        match name.as_ref() {
            "type" => {}
            "partial_json" => input.push_str(&text),
            _ => match pieces.iter_mut().find(|(known, _)| *known == name) {
                Some((_, piece)) => piece.push_str(&text),
                None => pieces.push((name.into_owned(), text.into_owned())),
            },
        }
    }
}

/// The block as it began, with its pieces in place. Input that is cut off is left as it began.
fn assemble(start: Json, input: &str, pieces: &[(String, String)]) -> Json {
    let whole_input = Document::parse(input.as_bytes()).is_ok();
    if !whole_input && pieces.is_empty() {
        return start;
    }
    let Ok(document) = Document::parse(start.as_str().as_bytes()) else { return start };
    Json::build(|out| {
        out.object(|out| {
            let mut rest: Vec<&(String, String)> = pieces.iter().collect();
            for (name, value) in document.root().fields() {
                if name == "input" && whole_input {
                    out.field_raw("input", input);
                } else if let Some(at) = rest.iter().position(|(known, _)| *known == name) {
                    let before = value.as_str().unwrap_or_default();
                    out.field_str(&name, &format!("{before}{}", rest.remove(at).1));
                } else {
                    out.field_raw(&name, value.text());
                }
            }
            rest.iter().for_each(|(name, piece)| out.field_str(name, piece));
        });
    })
}

#[cfg(test)]
mod tests;
