//! Canonical events to the client's events.

use crate::{Event, Fault, View};

/// Writes a stream of response events.
#[derive(Debug)]
pub struct Encoder {
    view: View,
}

impl Encoder {
    /// An encoder at the start of a stream.
    pub fn new(view: View) -> Encoder {
        Encoder { view }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        let _ = (event, out, &self.view);
        unimplemented!()
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        let _ = (fault, out);
        unimplemented!()
    }

    /// The Response object, when the stream is whole.
    pub fn whole(&self) -> Option<Vec<u8>> {
        unimplemented!()
    }
}
