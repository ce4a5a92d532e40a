#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod encode;
mod errors;
mod property;
mod request;
mod stream;
mod unary;

use super::stream::{Decoder, Encoder};
use crate::View;
use crate::frame::sse::Framer;
use crate::json::{Document, Json};
use crate::{Block, Content, Event, Fault, Fold, Grammar, Response, ToolKind};

fn json(text: &str) -> Json {
    Json::of(Document::parse(text.as_bytes()).unwrap().root())
}

fn value(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice(text).unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(text)))
}

fn view(strict: bool) -> View {
    View {
        strict,
        include_usage: true,
        stem: "9".into(),
        echo: Vec::new(),
        model: "asked".into(),
        created: 7,
        provider: "p".into(),
    }
}

fn call(id: &str, name: &str, arguments: &str) -> Block {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

fn reasoning(text: &str) -> Block {
    Block::new(Content::Reasoning(text.to_owned()))
}

/// The events of a stream that comes in these pieces, as far as it is good, and how it ended.
fn read(pieces: &[&[u8]]) -> (Vec<Event>, Result<(), Fault>) {
    let (mut framer, mut decoder, mut events) = (Framer::default(), Decoder::default(), Vec::new());
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

/// The whole answer of events that keep the grammar.
fn fold(events: &[Event]) -> Response {
    let (mut grammar, mut fold) = (Grammar::default(), Fold::default());
    for event in events {
        grammar.push(event).unwrap_or_else(|broken| panic!("{broken}: {event:?}"));
        fold.push(event.clone());
    }
    grammar.finish().unwrap();
    fold.finish().unwrap()
}

/// The client's stream of these events.
fn written(events: &[Event], view: View) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(view), Vec::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    out
}

/// The chunks of a client's stream, which has to end with `[DONE]`.
fn chunks(out: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(out).unwrap();
    let body = text.strip_suffix("data: [DONE]\n\n").expect("the end");
    body.split_terminator("\n\n")
        .map(|event| value(event.strip_prefix("data: ").unwrap().as_bytes()))
        .collect()
}
