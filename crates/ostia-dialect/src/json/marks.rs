//! Where strings may end: every quote, backslash and control character of a text.
//!
//! Searching for one mark after the other costs a mispredicted branch for each; looking at whole blocks costs the same
//! whatever is in them, and leaves a bit for every mark.

use wide::u8x16;

/// Bytes looked at together: as many as a word has bits.
const BLOCK_BYTES: usize = 64;

/// The marks of one text, asked for from its beginning to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'t> {
    text: &'t [u8],
    /// Where the block begins that was looked at last.
    start: usize,
    /// Its marks: bit `n` for byte `n`.
    bits: u64,
}

impl<'t> Marks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Marks<'t> {
        Marks { text, start: 0, bits: bits_at(text, 0) }
    }

    /// The first mark at `from` or behind it, or the end of the text.
    pub(super) fn next(&mut self, from: usize) -> usize {
        let in_block = from % BLOCK_BYTES;
        self.look_at(from - in_block);
        let mut bits = self.bits & (u64::MAX << in_block);
        while bits == 0 {
            let next = self.start + BLOCK_BYTES;
            if next >= self.text.len() {
                return self.text.len();
            }
            self.look_at(next);
            bits = self.bits;
        }
        self.start + bits.trailing_zeros() as usize
    }

    fn look_at(&mut self, start: usize) {
        if start != self.start {
            (self.start, self.bits) = (start, bits_at(self.text, start));
        }
    }
}

fn bits_at(text: &[u8], start: usize) -> u64 {
    let rest = &text[start..];
    match rest.first_chunk() {
        Some(block) => bits(block),
        None => {
            let mut block = [b' '; BLOCK_BYTES];
            block[..rest.len()].copy_from_slice(rest);
            bits(&block)
        }
    }
}

fn bits(block: &[u8; BLOCK_BYTES]) -> u64 {
    let (pieces, _) = block.as_chunks::<16>();
    pieces.iter().rev().fold(0, |bits, &piece| {
        let bytes = u8x16::new(piece);
        let control = bytes.simd_eq(bytes.min(u8x16::splat(0x1f)));
        let marks = bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | control;
        bits << 16 | u64::from(marks.to_bitmask())
    })
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
