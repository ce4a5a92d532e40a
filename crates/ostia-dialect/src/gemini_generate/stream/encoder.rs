//! Canonical events to the client's chunks.

use crate::{Event, Fault, View};

/// Writes a stream of `GenerateContentResponse` chunks.
#[derive(Debug)]
pub struct Encoder {
    view: View,
    array: bool,
}

impl Encoder {
    /// An encoder at the start of a stream. `array` asks for Google's framing without `alt=sse`: one JSON array.
    pub fn new(view: View, array: bool) -> Encoder {
        Encoder { view, array }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        let _ = (event, out, &self.view, self.array);
        unimplemented!()
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        let _ = (fault, out);
        unimplemented!()
    }
}
