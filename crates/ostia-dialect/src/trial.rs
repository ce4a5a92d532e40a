//! What the tests of all dialects share: streams that are read wherever they are cut, and what answers are made of.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::frame::sse::Framer;
use crate::{Decoder, Dialect, Encoder, Event, Fault, Fold, Grammar, Response};

/// The events of an upstream's stream that comes in these pieces, as far as it is good, and how it ended.
pub fn read(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<Event>, Result<(), Fault>) {
    let (mut framer, mut decoder, mut events) = (Framer::default(), Decoder::new(dialect), Vec::new());
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
    let mut grammar = Grammar::default();
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
