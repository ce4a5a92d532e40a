//! "Did you mean ...?": the known word that a misspelt one was probably meant to be.

use std::cmp::Reverse;

/// Longest word that is compared, in bytes; the comparison costs the product of both lengths.
const WORD_BYTES_MAX: usize = 64;
/// Most words that one is compared with.
const WORDS_MAX: usize = 200;

/// The one of `known` that is closest to `word`, if it is close enough to be worth naming.
///
/// Close enough means at most one edit (insert, delete, replace, swap of neighbours) for each three letters
/// of `word`, and always at least one. Case does not count. Of two that are more than one edit away the one with the longer
/// common beginning is meant: few misspell the first letters.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    let word = word.to_ascii_lowercase();
    let known = known.into_iter().take(WORDS_MAX);
    // Optimal string alignment: the distance that counts a swap of neighbours as one edit.
    let edits = |candidate: &str| strsim::osa_distance(&word, &candidate.to_ascii_lowercase());
    let measured = known.map(|candidate| (edits(candidate), candidate));
    measured
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, candidate)| {
            let common = if *edits > 1 { common_beginning(&word, candidate) } else { 0 };
            (*edits, Reverse(common))
        })
        .map(|(_, candidate)| candidate)
}

/// How many bytes at the beginning are the same.
fn common_beginning(word: &str, candidate: &str) -> usize {
    word.bytes().zip(candidate.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

#[cfg(test)]
mod tests {
    use super::{WORDS_MAX, nearest};

    #[test]
    fn names_only_what_is_close() {
        let known = ["provider", "api_key", "retry", "weight"];
        let cases = [
            ("provder", Some("provider")),
            ("api_kye", Some("api_key")),
            ("API_KEY", Some("api_key")),
            ("wieght", Some("weight")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest("repare", ["rename", "repair"]), Some("repair"));
        assert_eq!(nearest(&"a".repeat(1000), known), None);
        let many = || (0..WORDS_MAX).map(|_| "colour").chain(["retry"]);
        assert_eq!((nearest("retyr", many()), nearest("retyr", many().skip(1))), (None, Some("retry")));
    }
}
