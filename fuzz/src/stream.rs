//! Streams of upstreams.

use ostia_dialect::frame::Framer;
use ostia_dialect::{
    Api, ClientDialect, Content, Decoder, Dialect, Encoder, Event, EventGrammar, Fault, Fold, Response,
};

/// Most events that a byte of a stream may give, and some for its ends: a decoder that makes more of less grows
/// without bound.
const EVENTS_PER_BYTE_MAX: usize = 4;
const EVENTS_AROUND_MAX: usize = 600;

/// A stream keeps the grammar or fails, and says the same in any pieces. What it says can be told to every client.
pub fn check(dialect: Dialect, data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    let (events, ended) = decode(dialect, &[data]);
    assert!(events.len() <= EVENTS_PER_BYTE_MAX * data.len() + EVENTS_AROUND_MAX, "{} events", events.len());
    let mut grammar = EventGrammar::default();
    for event in &events {
        if let Err(broken) = grammar.push(event) {
            panic!("{broken}: {event:?} in {events:?}");
        }
    }
    assert_eq!(ended.is_ok(), grammar.finish().is_ok(), "{ended:?} {events:?}");
    let (again, ended_again) = decode(dialect, &crate::pieces(data, seed));
    assert_eq!((&again, &ended_again), (&events, &ended));
    for (client, strict) in crate::clients() {
        tell(&events, client, strict, ended.is_ok());
    }
}

fn decode(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<Event>, Result<(), Fault>) {
    let mut events = Vec::new();
    let ended = run(dialect, pieces, &mut events);
    (events, ended)
}

fn run(dialect: Dialect, pieces: &[&[u8]], events: &mut Vec<Event>) -> Result<(), Fault> {
    let (mut framer, mut decoder) = (Framer::new(Api::of_dialect(dialect).framing(true)), Decoder::new(dialect));
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next()? {
            decoder.push(frame, events)?;
        }
    }
    if let Some(frame) = framer.finish()? {
        decoder.push(frame, events)?;
    }
    decoder.finish(events)
}

/// The client's stream is one that our own decoder understands; that of a Chat client has the same words.
fn tell(events: &[Event], client: ClientDialect, strict: bool, whole: bool) {
    let mut encoder = Encoder::new(client, crate::options(strict), false);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let (told, ended) = decode(client.dialect(), &[&out]);
    // A call without a name is none to our decoder.
    if !whole || events.iter().any(is_nameless_call) {
        return;
    }
    assert!(ended.is_ok(), "{client:?}: {ended:?}: {}", String::from_utf8_lossy(&out));
    if client == ClientDialect::OpenaiChat {
        assert_eq!(words(&fold(told)), words(&fold(events.to_vec())), "{}", String::from_utf8_lossy(&out));
    }
}

fn is_nameless_call(event: &Event) -> bool {
    match event {
        Event::BlockStart { block, .. } => {
            matches!(&block.content, Content::ToolCall { name, .. } if name.is_empty())
        }
        _ => false,
    }
}

fn fold(events: Vec<Event>) -> Response {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().expect("a whole stream")
}

/// Text, and names and arguments of the calls, by choice.
fn words(response: &Response) -> Vec<(u32, String, Vec<(String, String)>)> {
    let mut choices: Vec<_> = response
        .choices
        .iter()
        .map(|choice| {
            let (mut text, mut calls) = (String::new(), Vec::new());
            for block in &choice.blocks {
                match &block.content {
                    Content::Text { text: more, .. } => text.push_str(more),
                    Content::ToolCall { name, arguments, .. } => {
                        calls.push((name.clone(), arguments.clone()))
                    }
                    _ => {}
                }
            }
            (choice.index, text, calls)
        })
        .collect();
    // The client's stream begins with choice 0, whether or not the upstream has one.
    choices.retain(|(_, text, calls)| !text.is_empty() || !calls.is_empty());
    choices.sort();
    choices
}
