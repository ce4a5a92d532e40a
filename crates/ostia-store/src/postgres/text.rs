//! Texts as PostgreSQL can keep them, and as its indexes can hold them.

use std::borrow::Cow;

/// Longest text in a column that is looked for by. An entry of an index has room for 2,704 bytes, and that of sums holds four texts
/// (<https://www.postgresql.org/docs/15/btree-limits.html>).
const TEXT_BYTES_MAX: usize = 500;

/// A text for a column: without zero bytes, which no text of PostgreSQL's may have, and not too long. What is looked for has to go
/// through this too.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected);
        check("", "");
        check("gpt-4o", "gpt-4o");
        check("a\0b", "a\u{fffd}b");
        check(&"ä".repeat(251), &"ä".repeat(250));
        check(&format!("{}{}", "a".repeat(499), "ä"), &"a".repeat(499));
    }
}
