//! Numbered events.

use crate::frame::sse;
use crate::json::{Json, Writer};

/// Whom the steps of an answer are told to.
#[derive(Debug)]
pub(in crate::chat::openai_responses) struct Events<'a> {
    /// The number of the next event, and where it is written; absent where nobody listens.
    to: Option<(&'a mut u64, &'a mut Vec<u8>)>,
}

/// Where an item stands in the output, and its id.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) id: String,
}

impl Place {
    /// `"item_id", "output_index"`
    pub(super) fn write(&self, w: &mut Writer) {
        w.field_str("item_id", &self.id);
        w.field_u64("output_index", self.index as u64);
    }
}

impl<'a> Events<'a> {
    /// Events that nobody sees.
    pub(in crate::chat::openai_responses) fn untold() -> Events<'a> {
        Events { to: None }
    }

    /// Events that go on from `number`, appended to `out`.
    pub(in crate::chat::openai_responses) fn told(number: &'a mut u64, out: &'a mut Vec<u8>) -> Events<'a> {
        Events { to: Some((number, out)) }
    }

    /// One event: its type, its number, and the fields that `write` adds.
    pub(in crate::chat::openai_responses) fn tell(&mut self, kind: &str, write: impl FnOnce(&mut Writer)) {
        let Some((number, out)) = &mut self.to else { return };
        for piece in ["event: ", kind, "\ndata: "] {
            out.extend_from_slice(piece.as_bytes());
        }
        sse::object(out, b"{", |w| {
            w.field_str("type", kind);
            w.field_u64("sequence_number", **number);
            write(w);
        });
        out.extend_from_slice(b"\n\n");
        **number += 1;
    }

    /// An event about a whole item.
    pub(super) fn item(&mut self, kind: &str, index: usize, item: &Json) {
        self.tell(kind, |w| {
            w.field_u64("output_index", index as u64);
            w.field_raw("item", item.as_str());
        });
    }
}
