//! Characters that are cut in two between the pieces of a text.
//!
//! JSON writes a character beyond the first 65 536 as two escapes (RFC 8259, section 7). A server that cuts its text
//! between them sends each half in a string of its own: elizaOS/eliza#30904, elie222/rakazo#416.

use std::borrow::Cow;

use super::Node;
use super::document::{unescape, unit};

/// Joins the pieces of one text: a half at the end of a piece waits for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SurrogateJoiner {
    high: Option<u32>,
}

impl SurrogateJoiner {
    /// The text of the next piece; `None` where it is no string. Copies only where escapes have to be undone.
    pub fn join<'d>(&mut self, piece: Node<'d>) -> Option<Cow<'d, str>> {
        if self.high.is_none() && !piece.is_escaped() {
            return piece.as_str();
        }
        let text = piece.text().strip_prefix('"')?.strip_suffix('"')?;
        if text.is_empty() {
            return Some(Cow::Borrowed(""));
        }
        let (first, rest) = match self.high.take() {
            None => (None, text),
            Some(high) => match unit(text).filter(|low| (0xdc00..=0xdfff).contains(low)) {
                Some(low) => (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), &text[6..]),
                None => (Some(char::REPLACEMENT_CHARACTER), text),
            },
        };
        self.high = last_half(rest);
        let rest = if self.high.is_some() { &rest[..rest.len() - 6] } else { rest };
        let mut joined = unescape(rest);
        first.iter().for_each(|first| joined.insert(0, *first));
        Some(Cow::Owned(joined))
    }

    /// The text is whole: what stands for a half that is still alone.
    pub fn end(&mut self) -> Option<&'static str> {
        self.high.take().map(|_| "\u{fffd}")
    }
}

/// The first half of a character, if the text ends with one.
fn last_half(text: &str) -> Option<u32> {
    let (before, escape) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let high = unit(escape).filter(|high| (0xd800..=0xdbff).contains(high))?;
    // An escaped backslash may stand before an `u` that is only a letter.
    let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
    (backslashes % 2 == 0).then_some(high)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Document;

    /// Pieces, as they stand between quotes, and the texts that are told.
    #[track_caller]
    fn check(pieces: &[&str], expected: &[&str], last: Option<&str>) {
        let mut halves = SurrogateJoiner::default();
        for (piece, expected) in pieces.iter().zip(expected) {
            let json = format!("\"{piece}\"");
            let document = Document::parse(json.as_bytes()).unwrap();
            assert_eq!(halves.join(document.root()).as_deref(), Some(*expected), "{piece}");
        }
        assert_eq!(halves.end(), last, "{pieces:?}");
        assert_eq!(halves.end(), None);
    }

    #[test]
    fn halves_meet() {
        check(&["a\\ud83d", "\\ude00b"], &["a", "\u{1f600}b"], None);
        check(&["a\\uD83D", "", "\\uDE00\\ud83d", "\\ude01"], &["a", "", "\u{1f600}", "\u{1f601}"], None);
        check(&["\\ud83d\\ude00", "é\\n"], &["\u{1f600}", "é\n"], None);
    }

    #[test]
    fn a_half_that_stays_alone_is_replaced() {
        check(&["\\ud83d", "x"], &["", "\u{fffd}x"], None);
        check(&["\\ud83d", "\\ud83d", "\\ude00"], &["", "\u{fffd}", "\u{1f600}"], None);
        check(&["a\\ud83d"], &["a"], Some("\u{fffd}"));
        check(&["\\ude00\\ud83dx"], &["\u{fffd}\u{fffd}x"], None);
    }

    #[test]
    fn what_only_looks_like_a_half_is_none() {
        check(&["\\\\ud83d", "\\ude00"], &["\\ud83d", "\u{fffd}"], None);
        check(&["\\\\\\ud83d", "\\ude00"], &["\\", "\u{1f600}"], None);
        check(&["ud83d", "€d83d", "\\u20ac"], &["ud83d", "€d83d", "€"], None);
    }

    #[test]
    fn anything_but_a_string_is_no_text() {
        let document = Document::parse(b"[3, \"\\ud83d\"]").unwrap();
        let mut halves = SurrogateJoiner::default();
        assert_eq!(halves.join(document.root()), None);
        assert_eq!(halves.join(document.root().items().last().unwrap()).as_deref(), Some(""));
        assert_eq!(halves.join(document.root()), None);
    }
}
