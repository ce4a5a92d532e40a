//! Where strings may end: every quote, backslash and control character of a text.
//!
//! Searching for one mark after the other costs a mispredicted branch for each; looking at whole blocks costs the same
//! whatever is in them, and leaves a bit for every mark.

use std::sync::LazyLock;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

/// Bytes that one word has bits for.
const BLOCK_BYTES: usize = 64;
/// Blocks that are looked at together: it takes a while to find out what the processor can do.
const WINDOW_BLOCKS: usize = 32;

/// The marks of one text, asked for from its beginning to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'t> {
    text: &'t [u8],
    /// The first block of the window.
    first: usize,
    /// The marks of each block: bit `n` for its byte `n`.
    window: [u64; WINDOW_BLOCKS],
}

impl<'t> Marks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Marks<'t> {
        let mut marks = Marks { text, first: 0, window: [0; WINDOW_BLOCKS] };
        marks.look_from(0);
        marks
    }

    /// The first mark at `from` or behind it, or the end of the text.
    pub(super) fn next(&mut self, from: usize) -> usize {
        let mut block = from / BLOCK_BYTES;
        let mut bits = self.bits(block) & (u64::MAX << (from % BLOCK_BYTES));
        while bits == 0 {
            block += 1;
            if block * BLOCK_BYTES >= self.text.len() {
                return self.text.len();
            }
            bits = self.bits(block);
        }
        block * BLOCK_BYTES + bits.trailing_zeros() as usize
    }

    fn bits(&mut self, block: usize) -> u64 {
        if block.wrapping_sub(self.first) >= WINDOW_BLOCKS {
            self.look_from(block);
        }
        self.window[block - self.first]
    }

    #[cold]
    fn look_from(&mut self, block: usize) {
        static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
        self.first = block;
        let text = &self.text[self.text.len().min(block * BLOCK_BYTES)..];
        dispatch!(*LEVEL, simd => look(simd, text, &mut self.window));
    }
}

/// The marks of as many blocks as there is room for.
#[inline(always)]
fn look<S: Simd>(simd: S, text: &[u8], window: &mut [u64; WINDOW_BLOCKS]) {
    let (blocks, rest) = text.as_chunks();
    let mut last = [b' '; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    for (bits, block) in window.iter_mut().zip(blocks.iter().chain([&last])) {
        let bytes = u8x64::from_slice(simd, block);
        let control = bytes.simd_lt(u8x64::splat(simd, b' '));
        let marks =
            bytes.simd_eq(u8x64::splat(simd, b'"')) | bytes.simd_eq(u8x64::splat(simd, b'\\')) | control;
        *bits = marks.to_bitmask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(byte: u8, at: usize, length: usize, from: usize, expected: usize) {
        let mut text = vec![b'a'; length];
        text[at] = byte;
        assert_eq!(Marks::new(&text).next(from), expected, "{byte} at {at} of {length}, from {from}");
    }

    #[test]
    fn every_byte() {
        for byte in 0..=u8::MAX {
            let is_mark = byte < 0x20 || byte == b'"' || byte == b'\\';
            for at in 0..BLOCK_BYTES {
                check(byte, at, BLOCK_BYTES, 0, if is_mark { at } else { BLOCK_BYTES });
            }
        }
    }

    #[test]
    fn every_place() {
        for length in [1, 63, 64, 65, 130] {
            for at in 0..length {
                for from in 0..=length {
                    check(b'"', at, length, from, if from <= at { at } else { length });
                }
            }
        }
        assert_eq!(Marks::new(b"").next(0), 0);
    }

    #[test]
    fn beyond_the_first_window() {
        const WINDOW_BYTES: usize = WINDOW_BLOCKS * BLOCK_BYTES;
        for length in [WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 4 * WINDOW_BYTES + 7] {
            for step in [1, 63, 64, 97, WINDOW_BYTES, 2 * WINDOW_BYTES + 5] {
                let text: Vec<u8> = (0..length).map(|at| if at % step == 0 { b'\\' } else { b'a' }).collect();
                let mut marks = Marks::new(&text);
                for from in (0..=length).step_by(step.min(31)) {
                    let expected = from.next_multiple_of(step).min(length);
                    assert_eq!(marks.next(from), expected, "every {step} of {length}, from {from}");
                }
            }
        }
    }

    #[test]
    fn one_after_the_other() {
        let text = b"\"\\n\"".repeat(100);
        let (mut marks, mut at) = (Marks::new(&text), 0);
        for expected in (0..400).filter(|at| at % 4 != 2) {
            assert_eq!(marks.next(at), expected);
            at = expected + 1;
        }
        assert_eq!(marks.next(at), text.len());
    }
}
