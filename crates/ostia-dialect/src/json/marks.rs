//! Quotes, backslashes and control characters of a text: where the scan of a string has to stop, and what has to be escaped
//! to be written.
//!
//! Searching for one mark after the other costs a mispredicted branch for each; looking at whole blocks costs the same
//! whatever is in them. The escapes of most texts, `\n` and `\"`, are known as such in the same look and passed over.

use std::sync::LazyLock;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

/// Bytes that one word has bits for.
const BLOCK_BYTES: usize = 64;
/// Blocks that are looked at together: it takes a while to find out what the processor can do.
const WINDOW_BLOCKS: usize = 16;

/// The marks of one text, asked for from its beginning to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'t> {
    text: &'t [u8],
    /// The first block of the window.
    first: usize,
    window: [Block; WINDOW_BLOCKS],
}

/// The marks of one block: bit `n` for its byte `n`.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Where to stop.
    stops: u64,
    /// Every backslash.
    slashes: u64,
    /// Every quote, backslash and control character.
    special: u64,
}

/// Where a string is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// The place, or the end of the text.
    pub(super) at: usize,
    /// There are escapes before it.
    pub(super) escaped: bool,
}

impl<'t> Marks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Marks<'t> {
        let mut marks = Marks { text, first: 0, window: [Block::default(); WINDOW_BLOCKS] };
        marks.look_from(0);
        marks
    }

    /// The first place to stop at, from `from` on, which is not the second byte of an escape.
    pub(super) fn next(&mut self, from: usize) -> Stop {
        self.find(from, |block| block.stops)
    }

    /// The first byte from `from` on that cannot stand in a string as it is, or the end of the text.
    pub(super) fn next_special(&mut self, from: usize) -> usize {
        self.find(from, |block| block.special).at
    }

    #[inline(always)]
    fn find(&mut self, from: usize, marks: impl Fn(Block) -> u64) -> Stop {
        let mut number = from / BLOCK_BYTES;
        let mut ahead = u64::MAX << (from % BLOCK_BYTES);
        let mut slashes = 0;
        loop {
            let block = self.block(number);
            let found = marks(block) & ahead;
            if found != 0 {
                let place = found.trailing_zeros();
                slashes |= block.slashes & ahead & !(u64::MAX << place);
                return Stop { at: number * BLOCK_BYTES + place as usize, escaped: slashes != 0 };
            }
            slashes |= block.slashes & ahead;
            ahead = u64::MAX;
            number += 1;
            if number * BLOCK_BYTES >= self.text.len() {
                return Stop { at: self.text.len(), escaped: slashes != 0 };
            }
        }
    }

    fn block(&mut self, number: usize) -> Block {
        if number.wrapping_sub(self.first) >= WINDOW_BLOCKS {
            self.look_from(number);
        }
        self.window[number - self.first]
    }

    #[cold]
    fn look_from(&mut self, number: usize) {
        static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
        self.first = number;
        let (before, text) = self.text.split_at(self.text.len().min(number * BLOCK_BYTES));
        let behind_slash = before.last() == Some(&b'\\');
        dispatch!(*LEVEL, simd => look(simd, text, behind_slash, &mut self.window));
    }
}

/// Cannot this byte stand in a string as it is (RFC 8259, section 7)?
pub(super) fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The marks of as many blocks as there is room for. `behind_slash`: the byte before `text` is a backslash.
#[inline(always)]
fn look<S: Simd>(simd: S, text: &[u8], behind_slash: bool, window: &mut [Block; WINDOW_BLOCKS]) {
    let (blocks, rest) = text.as_chunks();
    let mut last = [b' '; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    let mut slash_before = u64::from(behind_slash);
    for (block, bytes) in window.iter_mut().zip(blocks.iter().chain([&last])) {
        let bytes = u8x64::from_slice(simd, bytes);
        let is = |byte| bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let (quotes, slashes) = (is(b'"'), is(b'\\'));
        let controls = bytes.simd_lt(u8x64::splat(simd, b' ')).to_bitmask();
        // Of backslashes in a row it takes counting to know which are escapes: those are looked at one by one, and so is one
        // at the end of its block.
        let alone = slashes & !(slashes << 1 | slash_before) & !(slashes >> 1);
        let plain = alone & (quotes | is(b'n')) >> 1;
        let stops = quotes & !(plain << 1) | slashes & !plain | controls;
        *block = Block { stops, slashes, special: quotes | slashes | controls };
        slash_before = slashes >> (BLOCK_BYTES - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW_BYTES: usize = WINDOW_BLOCKS * BLOCK_BYTES;

    /// The end of the string that `from` lies in, looking at every byte.
    fn end_bytewise(text: &[u8], from: usize) -> Stop {
        let (mut at, mut escaped) = (from, false);
        while let Some(&byte) = text.get(at) {
            match byte {
                b'\\' => (at, escaped) = (at + 2, true),
                b'"' | 0..b' ' => return Stop { at, escaped },
                _ => at += 1,
            }
        }
        Stop { at: text.len(), escaped }
    }

    /// The same from stop to stop.
    fn end(text: &[u8], from: usize) -> Stop {
        let (mut marks, mut at, mut escaped) = (Marks::new(text), from, false);
        loop {
            let stop = marks.next(at);
            escaped |= stop.escaped;
            match text.get(stop.at) {
                Some(b'\\') => (at, escaped) = (stop.at + 2, true),
                _ => return Stop { at: stop.at, escaped },
            }
        }
    }

    fn check(text: &[u8], from: usize) {
        assert_eq!(end(text, from), end_bytewise(text, from), "{} from {from}", text.escape_ascii());
        let special =
            text[from..].iter().position(|byte| is_special(*byte)).map_or(text.len(), |place| from + place);
        assert_eq!(Marks::new(text).next_special(from), special, "{} from {from}", text.escape_ascii());
    }

    #[test]
    fn every_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK_BYTES {
                let mut text = [b'a'; BLOCK_BYTES];
                text[at] = byte;
                check(&text, 0);
            }
        }
    }

    #[test]
    fn every_place() {
        for length in [0, 1, 63, 64, 65, 130] {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                text[at] = b'"';
                (0..=length).for_each(|from| check(&text, from));
            }
        }
    }

    #[test]
    fn every_row_of_escapes_across_borders() {
        const LETTERS: [u8; 4] = *b"\"\\na";
        for number in 0..LETTERS.len().pow(6) {
            let row = (0..6).map(|place| LETTERS[number / LETTERS.len().pow(place) % LETTERS.len()]);
            for before in (BLOCK_BYTES - 6..=BLOCK_BYTES).chain([WINDOW_BYTES - 3]) {
                let text: Vec<u8> =
                    std::iter::repeat_n(b'a', before).chain(row.clone()).chain(*b"a\"").collect();
                check(&text, 0);
            }
        }
    }

    #[test]
    fn many_windows() {
        for length in [WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 4 * WINDOW_BYTES + 7] {
            for step in [1, 63, 64, 97, WINDOW_BYTES, 2 * WINDOW_BYTES + 5] {
                let text: Vec<u8> = (0..length).map(|at| if at % step == 0 { b'"' } else { b'a' }).collect();
                let mut marks = Marks::new(&text);
                for from in (0..=length).step_by(step.min(31)) {
                    let at = from.next_multiple_of(step).min(length);
                    assert_eq!(marks.next(from), Stop { at, escaped: false }, "every {step} of {length}");
                    assert_eq!(marks.next_special(from), at, "every {step} of {length}");
                }
            }
        }
    }
}
