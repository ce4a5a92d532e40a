use proptest::prelude::*;

use super::env;
use crate::{check, load};

const EXAMPLE: &str = include_str!("../../ostia.example.yaml");

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = check("o.yaml", &String::from_utf8_lossy(&bytes), &env).report.render(true);
    }

    #[test]
    fn yaml_like_text_never_panics(text in r#"([a-z]{1,3}|[\[\]{}:,&*!|>'"%@\-?# \n\t$]){0,60}"#) {
        let _ = check("o.yaml", &text, &env).report.render(true);
    }

    /// The example with a few characters changed is read, or its problems stand in it.
    #[test]
    fn a_damaged_file_is_read_or_explained(
        edits in proptest::collection::vec((0..EXAMPLE.len(), r#"[a-z0-9\[\]{}:,'"\-# \n$]?"#), 1..4),
    ) {
        let mut text = EXAMPLE.to_owned();
        for (index, letter) in edits {
            let at = index % text.len();
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &letter);
            }
        }
        let report = check("o.yaml", &text, &env).report;
        prop_assert_eq!(report.render(false).is_empty(), report.problems().is_empty());
        if let Err(problems) = load(&text, &env) {
            prop_assert!(!problems.is_empty());
            let lines = text.lines().count() as u32 + 1;
            prop_assert!(problems.iter().all(|problem| problem.place.line <= lines), "{:?}", problems);
        }
    }
}
