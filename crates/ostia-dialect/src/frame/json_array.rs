//! A JSON array that grows: `[{...},\r\n{...}\r\n]`, one element for each chunk of an answer.
//!
//! An element is cut out as soon as it is whole, and not checked: whoever reads it does that. What stands outside of
//! the elements is, because behind a missing comma nobody could say where the next one begins.

use std::ops::Range;

use memchr::memchr2;

use super::{FRAME_BYTES_MAX, Frame, too_large};
use crate::Fault;
use crate::json::DEPTH_MAX;

/// Cuts an array that grows into its elements.
#[derive(Debug, Default)]
pub struct Framer {
    /// Bytes from the first one that is not used up.
    input: Vec<u8>,
    /// How many of them have been used up since.
    used: usize,
    elements: Elements,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.used);
        self.elements.forget(self.used);
        self.used = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next whole element, if the bytes hold one.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        let element = self.elements.next(&self.input)?;
        self.used = self.elements.used();
        Ok(element.map(|element| Frame { event: "", data: &self.input[element] }))
    }

    /// The stream has ended. Fails where the array is not closed.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        if self.elements.is_closed() { Ok(None) } else { Err(unclosed()) }
    }
}

/// Finds the elements of an array that grows, in bytes that somebody else holds: a window that loses bytes at its start
/// ([`Elements::forget`]) and gains some at its end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Elements {
    /// How much of the window has been read.
    at: usize,
    /// Where in it the open element begins.
    start: usize,
    place: Place,
    /// Open brackets and braces of the open element.
    depth: usize,
    in_text: bool,
    /// The last byte was the backslash of an escape.
    is_escaped: bool,
}

/// Where in the array the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// Before the array.
    #[default]
    Before,
    /// Before the first element.
    First,
    /// Inside an element.
    Inside,
    /// Behind an element.
    Behind,
    /// Behind a comma.
    Comma,
    /// Behind the array.
    Closed,
}

impl Elements {
    /// The next whole element of the window; `None` until more of it comes.
    ///
    /// Fails, and does so again, when an element grows beyond [`FRAME_BYTES_MAX`] or nests deeper than [`DEPTH_MAX`],
    /// and at a byte that cannot stand where it does outside of the elements.
    pub(crate) fn next(&mut self, window: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        if self.place != Place::Inside && !self.begin(window)? {
            return Ok(None);
        }
        let end = self.end(window)?;
        if end.unwrap_or(window.len()) - self.start > FRAME_BYTES_MAX {
            return Err(too_large());
        }
        Ok(end.map(|end| {
            self.place = Place::Behind;
            self.start..end
        }))
    }

    /// How much of the window is not needed any more.
    pub(crate) fn used(&self) -> usize {
        if self.place == Place::Inside { self.start } else { self.at }
    }

    /// The first bytes of the window are gone. Only what is read, and in no element that is open.
    pub(crate) fn forget(&mut self, bytes: usize) {
        self.at -= bytes;
        self.start = self.start.saturating_sub(bytes);
    }

    /// Is the array whole?
    pub(crate) fn is_closed(&self) -> bool {
        self.place == Place::Closed
    }

    /// Goes on to the next element; `false`: the window does not reach it.
    fn begin(&mut self, window: &[u8]) -> Result<bool, Fault> {
        while let Some(byte) = window.get(self.at) {
            self.place = match (self.place, byte) {
                (place, b' ' | b'\t' | b'\r' | b'\n') => place,
                (Place::Before, b'[') => Place::First,
                (Place::Behind, b',') => Place::Comma,
                (Place::First | Place::Behind, b']') => Place::Closed,
                (
                    Place::First | Place::Comma,
                    b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n',
                ) => {
                    (self.place, self.start) = (Place::Inside, self.at);
                    return Ok(true);
                }
                (place, _) => return Err(outside(place)),
            };
            self.at += 1;
        }
        Ok(false)
    }

    /// Where the open element ends; `None`: not in this window.
    fn end(&mut self, window: &[u8]) -> Result<Option<usize>, Fault> {
        while let Some(byte) = window.get(self.at) {
            if self.in_text {
                self.text(&window[self.at..]);
                if !self.in_text && self.depth == 0 {
                    return Ok(Some(self.at));
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' if self.depth >= DEPTH_MAX => {
                    return Err(not_an_array(&format!("an element nests deeper than {DEPTH_MAX} levels")));
                }
                b'{' | b'[' => self.depth += 1,
                // The end of a number or a word is what follows it.
                b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return Ok(Some(self.at));
                }
                b'}' | b']' => self.depth -= 1,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 1;
            if self.depth == 0 && !self.in_text {
                return Ok(Some(self.at));
            }
        }
        Ok(None)
    }

    /// Passes over a text as far as `rest` goes, which begins inside of it.
    fn text(&mut self, rest: &[u8]) {
        if std::mem::take(&mut self.is_escaped) {
            self.at += 1;
            return;
        }
        let Some(length) = memchr2(b'"', b'\\', rest) else {
            self.at += rest.len();
            return;
        };
        self.at += length + 1;
        match rest[length] {
            b'"' => self.in_text = false,
            _ => self.is_escaped = true,
        }
    }
}

/// What should have stood here.
fn outside(place: Place) -> Fault {
    not_an_array(match place {
        Place::Before => "it does not begin with `[`",
        Place::First | Place::Comma | Place::Inside => "something stands in it that is no value",
        Place::Behind => "behind an element stands neither `,` nor `]`",
        Place::Closed => "something stands behind its end",
    })
}

/// Why an array that has ended is no whole one.
fn unclosed() -> Fault {
    not_an_array("it ended before it was closed")
}

fn not_an_array(why: &str) -> Fault {
    Fault::upstream(format!("The provider sent a stream that is not one JSON array: {why}."))
}
