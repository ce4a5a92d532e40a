//! The vendor's events to canonical ones.

use crate::frame::sse::Frame;
use crate::{Event, Fault};

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {}

impl Decoder {
    /// Takes the next frame.
    ///
    /// # Errors
    /// The provider's own error where it is one; 502 where the stream is broken.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let _ = (frame, events);
        unimplemented!()
    }

    /// The upstream has closed the stream.
    ///
    /// # Errors
    /// 502 where the answer is not whole.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let _ = events;
        unimplemented!()
    }
}
