//! Every way to cut bytes into pieces, as networks do.

/// Bytes in pieces.
pub type Pieces = Vec<Vec<u8>>;

/// Every cut in two, both ends included.
pub fn in_two(bytes: &[u8]) -> impl Iterator<Item = Pieces> + '_ {
    (0..=bytes.len()).map(|at| vec![bytes[..at].to_vec(), bytes[at..].to_vec()])
}

/// Each byte alone.
pub fn bytes(bytes: &[u8]) -> Pieces {
    bytes.iter().map(|byte| vec![*byte]).collect()
}

/// Each line alone, with its end (LF, CR or CRLF).
pub fn lines(bytes: &[u8]) -> Pieces {
    let mut lines: Pieces = vec![Vec::new()];
    for (at, &byte) in bytes.iter().enumerate() {
        if let Some(line) = lines.last_mut() {
            line.push(byte);
        }
        if byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n') {
            lines.push(Vec::new());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Pieces of 1 to `longest` bytes; the same seed gives the same pieces.
pub fn random(bytes: &[u8], seed: u64, longest: usize) -> Pieces {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.usize(1..=longest).min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

/// Cuts where parsers trip: before, inside and behind line ends, behind every colon and backslash, inside every
/// character of more than one byte, before the last byte.
pub fn hostile(bytes: &[u8]) -> Pieces {
    let mut pieces: Pieces = vec![Vec::new()];
    for (at, &byte) in bytes.iter().enumerate() {
        if let Some(piece) = pieces.last_mut() {
            piece.push(byte);
        }
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        let before_one = next & 0xc0 == 0x80 || matches!(next, b'\r' | b'\n');
        if matches!(byte, b'\r' | b'\n' | b':' | b'\\') || before_one || at + 2 == bytes.len() {
            pieces.push(Vec::new());
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A few of each kind, with a name for messages: whole, lines, bytes, hostile, and random pieces of several sizes.
pub fn sample(all: &[u8]) -> Vec<(String, Pieces)> {
    let mut cuts = vec![
        ("whole".to_owned(), vec![all.to_vec()]),
        ("lines".to_owned(), lines(all)),
        ("bytes".to_owned(), bytes(all)),
        ("hostile".to_owned(), hostile(all)),
    ];
    cuts.extend([(1, 7), (2, 40), (3, 200)].map(|(seed, longest)| {
        (format!("random pieces of up to {longest} (seed {seed})"), random(all, seed, longest))
    }));
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let text = "data: \u{e9}\\n\r\n\r\nevent: x\rdata: 1\n\n".as_bytes();
        for (name, pieces) in sample(text) {
            assert_eq!(pieces.concat(), text, "{name}");
            assert!(pieces.iter().all(|piece| !piece.is_empty()), "{name}");
        }
        assert_eq!(in_two(text).count(), text.len() + 1);
        assert!(in_two(text).all(|pieces| pieces.concat() == text));
        assert_eq!(
            lines(b"a\r\nb\rc\nd"),
            [b"a\r\n".to_vec(), b"b\r".to_vec(), b"c\n".to_vec(), b"d".to_vec()]
        );
        assert_ne!(random(text, 1, 5), random(text, 2, 5));
    }

    #[test]
    fn hostile_cuts_divide_characters_and_line_ends() {
        assert_eq!(hostile("\u{e9}\r\n".as_bytes()), [vec![0xc3], vec![0xa9], vec![b'\r'], vec![b'\n']]);
    }
}
