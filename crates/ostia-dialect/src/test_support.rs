//! What the tests of all dialects share: streams that are read wherever they are cut, and what answers are made of.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Display;

use crate::api::{MediaAnswer, Read};
use crate::frame::Framer;
use crate::json::{Document, Json};
use crate::{
    Api, Block, Choice, ClientDialect, Content, Decoder, Delta, Dialect, EncodeOptions, Encoded, Encoder,
    Event, EventGrammar, Fault, Finish, Fold, Message, PathParams, RenderOptions, Request, Response, Role,
    Signature, Tool, ToolKind,
};

/// An answer that names no files.
pub fn answered(read: Read) -> MediaAnswer {
    match read {
        Read::Answer(answer) => *answer,
        Read::Fetch { remotes, .. } => panic!("files are to be fetched: {remotes:?}"),
    }
}

/// A request as an upstream of this dialect gets it.
pub fn encoded(dialect: Dialect, request: &Request) -> Result<Encoded, Fault> {
    dialect.encode(&mut request.clone(), &EncodeOptions::default())
}

/// Gives every call an id that no other has.
pub fn tell_apart<'b>(blocks: impl Iterator<Item = &'b mut Block>) {
    for (at, block) in blocks.enumerate() {
        if let Content::ToolCall { id, .. } = &mut block.content {
            id.push_str(&at.to_string());
        }
    }
}

/// What a client's body says, without whose client it is; where the path would tell the model, that is `m`.
pub fn decoded(client: ClientDialect, body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    let path = PathParams { model: "m", stream: false };
    let request = client.decode(&Document::of_request(body.as_ref())?, path)?;
    Ok(Request { client: None, ..request })
}

/// The events of an upstream's stream that comes in these pieces, as far as it is good, and how it ended.
pub fn read(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<Event>, Result<(), Fault>) {
    let (mut framer, mut decoder, mut events) =
        (Framer::new(Api::of_dialect(dialect).framing(true)), Decoder::new(dialect), Vec::new());
    let mut run = || {
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next()? {
                decoder.push(frame, &mut events)?;
            }
        }
        if let Some(frame) = framer.finish()? {
            decoder.push(frame, &mut events)?;
        }
        decoder.finish(&mut events)
    };
    let ended = run();
    (events, ended)
}

/// The same for bytes that may be cut in two anywhere: it never makes a difference.
#[track_caller]
pub fn read_cut(dialect: Dialect, bytes: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    let whole = read(dialect, &[bytes]);
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(read(dialect, &[head, tail]), whole, "cut at {cut}");
    }
    whole
}

/// Do the events have their end? They keep the grammar in any case.
#[track_caller]
pub fn is_whole(events: &[Event]) -> bool {
    let mut grammar = EventGrammar::default();
    for event in events {
        grammar.push(event).unwrap_or_else(|broken| panic!("{broken}: {event:?}"));
    }
    grammar.finish().is_ok()
}

/// The whole answer of events that keep the grammar.
#[track_caller]
pub fn fold(events: &[Event]) -> Response {
    assert!(is_whole(events), "{events:?}");
    let mut fold = Fold::default();
    events.iter().for_each(|event| fold.push(event.clone()));
    fold.finish().unwrap()
}

/// The client's stream of these events.
pub fn written(mut encoder: Encoder, events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    out
}

/// What every client of a test sees besides what the upstream said.
pub fn options(strict: bool) -> RenderOptions {
    RenderOptions {
        strict,
        include_usage: true,
        id_suffix: "9".into(),
        model: "asked".into(),
        created: 7,
        provider: "p".into(),
        echo: Vec::new(),
    }
}

/// A body as a value.
pub fn value(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice(text).unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(text)))
}

/// JSON as the hub carries it, from its text or from a value.
pub fn raw(json: impl Display) -> Json {
    Json::of(Document::parse(json.to_string().as_bytes()).unwrap().root())
}

/// A tool without anything but its name.
pub fn function(name: &str) -> Tool {
    let name = name.to_owned();
    Tool::Function { name, description: None, parameters: None, strict: None, cache_control: None }
}

/// A message of no name.
pub fn turn(role: Role, blocks: impl Into<Vec<Block>>) -> Message {
    Message { role, name: None, blocks: blocks.into() }
}

/// A thought without proof.
pub fn thought(text: &str) -> Block {
    Block::new(Content::Reasoning(text.to_owned()))
}

/// A call of a function.
pub fn call(id: &str, name: &str, arguments: &str) -> Block {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

/// A result of the call with this id.
pub fn result(id: &str, content: impl Into<Vec<Block>>, is_error: bool) -> Block {
    Block::new(Content::ToolResult { id: id.to_owned(), name: None, content: content.into(), is_error })
}

/// The block with a proof of this vendor's.
pub fn signed(block: Block, dialect: Dialect, value: &str) -> Block {
    Block { signature: Some(Signature { dialect, value: value.to_owned() }), ..block }
}

/// The first and only choice of an answer.
pub fn choice(blocks: Vec<Block>, finish: Finish) -> Choice {
    Choice {
        index: 0,
        blocks,
        finish,
        native_finish: None,
        stop_sequence: None,
        logprobs: None,
        extra: Vec::new(),
    }
}

/// The first event of an answer.
pub fn start() -> Event {
    Event::Start { id: "a".into(), model: "m".into(), created: Some(5) }
}

/// The start of a block of the first choice.
pub fn begin(block: Block) -> Event {
    Event::BlockStart { choice: 0, block }
}

/// More of its open block.
pub fn more(delta: Delta) -> Event {
    Event::Delta { choice: 0, delta }
}

/// More words of its open block.
pub fn say(words: &str) -> Event {
    more(Delta::Text(words.into()))
}

/// The end of its open block.
pub const END: Event = Event::BlockEnd { choice: 0 };

/// The end of a choice.
pub fn stop(choice: u32, finish: Finish) -> Event {
    Event::Stop { choice, finish, native: None, stop_sequence: None }
}
