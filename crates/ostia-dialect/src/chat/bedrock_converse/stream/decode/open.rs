//! The block that is being said.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::bedrock_converse::block;
use crate::chat::response::characters;
use crate::frame::FRAME_BYTES_MAX;
use crate::json::{Document, Json, Node, SurrogateJoiner, Writer};
use crate::{Block, Content, Delta, Event, Fault};

/// Most bytes of one block that are held back until it is whole.
const BLOCK_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// A block, and what of it has not been told yet.
#[derive(Debug)]
pub(super) struct Open {
    kind: Kind,
    halves: SurrogateJoiner,
    /// Bytes held back.
    held: usize,
}

#[derive(Debug)]
enum Kind {
    /// Where the text begins in the message's, and its sources.
    Text {
        start: u64,
        citations: Vec<Json>,
    },
    Reasoning {
        signature: String,
    },
    Redacted {
        bytes: Vec<u8>,
    },
    Call,
    /// A call of a tool that the vendor runs: how it began, and its input.
    ServerCall {
        start: Json,
        input: String,
    },
    /// What came of it.
    ServerResult {
        start: Json,
        content: Vec<Json>,
    },
    Image {
        format: String,
        bytes: Vec<u8>,
    },
    /// A block of a kind that nobody knows, as it began.
    Other {
        start: Json,
    },
}

impl Open {
    /// A block that begins with an event of its own. That of a text or a thought, where there is one, says nothing.
    pub(super) fn begun(start: Node<'_>, events: &mut Vec<Event>) -> Option<Open> {
        let open = |kind| Some(Open { kind, halves: SurrogateJoiner::default(), held: start.text().len() });
        if let Some(call) = start.some("toolUse") {
            if block::is_servers(call) {
                return open(Kind::ServerCall { start: Json::of(call), input: String::new() });
            }
            begin(block::tool_call(call, String::new()), events);
            return open(Kind::Call);
        }
        if let Some(result) = start.some("toolResult") {
            return open(Kind::ServerResult { start: Json::of(result), content: Vec::new() });
        }
        if let Some(image) = start.some("image") {
            let format = image.str("format").unwrap_or_default().into_owned();
            return open(Kind::Image { format, bytes: Vec::new() });
        }
        let is_known = |name: &str| matches!(name, "text" | "reasoningContent");
        let says = start.fields().any(|(name, _)| !is_known(&name));
        says.then(|| open(Kind::Other { start: Json::of(start) })).flatten()
    }

    /// Takes more of the block, which begins with it if it has not yet.
    ///
    /// Fails with 502 where it belongs to no block that is open, and where more is held back than may be.
    pub(super) fn more(
        open: &mut Option<Open>,
        delta: Node<'_>,
        text_chars: &mut u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        if open.is_none() {
            *open = Open::of_words(delta, *text_chars, events)?;
        }
        let Some(open) = open else { return Ok(()) };
        open.take(delta, text_chars, events);
        if open.held > BLOCK_BYTES_MAX {
            return Err(Fault::upstream(format!(
                "The provider sent a block of more than {BLOCK_BYTES_MAX} bytes."
            )));
        }
        Ok(())
    }

    /// A block that begins with its first words; `None` for what nobody knows.
    fn of_words(delta: Node<'_>, start: u64, events: &mut Vec<Event>) -> Result<Option<Open>, Fault> {
        let thought = delta.some("reasoningContent");
        let kind = if delta.some("text").or(delta.some("citation")).is_some() {
            begin(Block::text(""), events);
            Kind::Text { start, citations: Vec::new() }
        } else if thought.is_some_and(|thought| thought.some("redactedContent").is_some()) {
            Kind::Redacted { bytes: Vec::new() }
        } else if thought.is_some() {
            begin(Block::new(Content::Reasoning(String::new())), events);
            Kind::Reasoning { signature: String::new() }
        } else if delta.some("toolUse").is_some() {
            return Err(Fault::upstream("The provider sent arguments for a call that it had not begun."));
        } else {
            return Ok(None);
        };
        Ok(Some(Open { kind, halves: SurrogateJoiner::default(), held: 0 }))
    }

    fn take(&mut self, delta: Node<'_>, text_chars: &mut u64, events: &mut Vec<Event>) {
        let thought = delta.some("reasoningContent");
        let halves = &mut self.halves;
        let mut join = |piece: Option<Node<'_>>| {
            let text = piece.and_then(|piece| halves.join(piece));
            text.filter(|text| !text.is_empty()).map(|text| text.into_owned())
        };
        match &mut self.kind {
            Kind::Text { citations, .. } => {
                if let Some(text) = join(delta.get("text")) {
                    *text_chars += characters(&text);
                    say(Delta::Text(text), events);
                }
                if let Some(citation) = delta.some("citation") {
                    self.held += citation.text().len();
                    citations.push(Json::of(citation));
                }
            }
            Kind::Reasoning { signature } => {
                if let Some(text) = join(thought.and_then(|thought| thought.get("text"))) {
                    say(Delta::Text(text), events);
                }
                if let Some(more) = thought.and_then(|thought| thought.str("signature")) {
                    self.held += more.len();
                    signature.push_str(&more);
                }
            }
            Kind::Redacted { bytes } => {
                let piece = thought.and_then(|thought| thought.str("redactedContent"));
                self.held += append(piece.as_deref(), bytes);
            }
            Kind::Call => {
                let input = delta.some("toolUse").and_then(|call| call.get("input"));
                if let Some(piece) = join(input) {
                    say(Delta::Arguments(piece), events);
                }
            }
            Kind::ServerCall { input, .. } => {
                if let Some(piece) = join(delta.some("toolUse").and_then(|call| call.get("input"))) {
                    self.held += piece.len();
                    input.push_str(&piece);
                }
            }
            Kind::ServerResult { content, .. } => {
                let result = delta.some("toolResult");
                self.held += result.map_or(0, |result| result.text().len());
                content.extend(result.iter().flat_map(|result| result.items()).map(Json::of));
            }
            Kind::Image { bytes, .. } => {
                let source = delta.some("image").and_then(|image| image.some("source"));
                let piece = source.and_then(|source| source.str("bytes"));
                self.held += append(piece.as_deref(), bytes);
            }
            Kind::Other { .. } => {}
        }
    }

    /// Tells what was held back, and ends the block.
    pub(super) fn close(mut self, text_chars: &mut u64, events: &mut Vec<Event>) {
        if let Some(half) = self.halves.end().map(str::to_owned) {
            match &mut self.kind {
                Kind::Text { .. } => {
                    *text_chars += 1;
                    say(Delta::Text(half), events);
                }
                Kind::Reasoning { .. } => say(Delta::Text(half), events),
                Kind::Call => say(Delta::Arguments(half), events),
                Kind::ServerCall { input, .. } => input.push_str(&half),
                Kind::Redacted { .. }
                | Kind::ServerResult { .. }
                | Kind::Image { .. }
                | Kind::Other { .. } => {}
            }
        }
        match self.kind {
            Kind::Text { start, citations } => {
                for source in &citations {
                    if let Ok(document) = Document::parse(source.as_str().as_bytes()) {
                        let citation = block::citation(document.root(), start, *text_chars);
                        say(Delta::Citation(citation), events);
                    }
                }
            }
            Kind::Reasoning { signature } if signature.is_empty() => {}
            Kind::Reasoning { signature } => say(Delta::Signature(block::own(signature)), events),
            Kind::Redacted { bytes } => {
                begin(block::foreign(block::redacted(&BASE64_STANDARD.encode(bytes))), events);
            }
            Kind::Call => {}
            Kind::ServerCall { start, input } => begin(block::foreign(server_call(&start, &input)), events),
            Kind::ServerResult { start, content } => {
                begin(block::foreign(server_result(&start, &content)), events);
            }
            Kind::Image { format, bytes } => {
                begin(block::picture(&format, BASE64_STANDARD.encode(bytes)), events);
            }
            Kind::Other { start } => begin(block::foreign(start), events),
        }
        events.push(Event::BlockEnd { choice: 0 });
    }
}

fn begin(block: Block, events: &mut Vec<Event>) {
    events.push(Event::BlockStart { choice: 0, block });
}

fn say(delta: Delta, events: &mut Vec<Event>) {
    events.push(Event::Delta { choice: 0, delta });
}

/// Adds the bytes of a piece in base64; gives how long it is.
fn append(piece: Option<&str>, bytes: &mut Vec<u8>) -> usize {
    let Some(piece) = piece else { return 0 };
    // What is not in base64 says nothing.
    if let Ok(more) = BASE64_STANDARD.decode(piece) {
        bytes.extend(more);
    }
    piece.len()
}

/// A call as a whole answer has it. Input that was cut off is left out of it.
fn server_call(start: &Json, input: &str) -> Json {
    let is_whole = Document::parse(input.as_bytes()).is_ok();
    whole("toolUse", start, |w| w.field_raw("input", if is_whole { input } else { "{}" }))
}

fn server_result(start: &Json, content: &[Json]) -> Json {
    whole("toolResult", start, |w| {
        w.field_array("content", |w| content.iter().for_each(|part| w.raw(part.as_str())));
    })
}

fn whole(name: &str, start: &Json, rest: impl FnOnce(&mut Writer)) -> Json {
    let document = Document::parse(start.as_str().as_bytes()).ok();
    Json::build(|w| {
        w.object(|w| {
            w.field_object(name, |w| {
                let fields = document.iter().flat_map(|document| document.root().fields());
                fields.for_each(|(name, value)| w.field_raw(&name, value.text()));
                rest(w);
            });
        });
    })
}
