#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod encode;
mod errors;
mod property;
mod request;
mod stream;
mod unary;

use crate::trial;
use crate::{ClientDialect, Dialect, Encoder, Event, Fault, View};

fn value(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice(text).unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(text)))
}

/// The events of a stream, as far as it is good, and how it ended.
fn read(stream: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    trial::read(Dialect::OpenaiChat, &[stream])
}

/// The client's stream of these events.
fn written(events: &[Event], view: View) -> Vec<u8> {
    trial::written(Encoder::new(ClientDialect::OpenaiChat, view, false), events)
}

/// The chunks of a client's stream, which has to end with `[DONE]`.
fn chunks(out: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(out).unwrap();
    let body = text.strip_suffix("data: [DONE]\n\n").expect("the end");
    body.split_terminator("\n\n")
        .map(|event| value(event.strip_prefix("data: ").unwrap().as_bytes()))
        .collect()
}
