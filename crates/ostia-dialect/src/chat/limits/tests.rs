#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod requests;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::{Characters, LimitOverrides, Limits, Range, Spelling, spelling};
use crate::Dialect;

const EXACTLY_NINE: Spelling = Spelling { chars_min: 9, ..Spelling::of(Characters::Alphanumeric, Some(9)) };

fn spellings() -> Vec<Spelling> {
    let tables = Dialect::ALL.map(Limits::of);
    let mut all: Vec<Spelling> =
        tables.iter().flat_map(|limits| [limits.tool_ids.takes, limits.tool_names.takes]).collect();
    all.extend([EXACTLY_NINE, Spelling::of(Characters::Alphanumeric, Some(20))]);
    all
}

/// Names that are alike after the plainest of mappings, long ones, and anything.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a1_.:/ -]{0,4}",
        "(mcp__server__){4,10}[a-c]{0,3}",
        "[a-zA-Z0-9]{9}",
        "\\PC{0,12}",
        select(vec!["é", "名前", "9", "_", "-"]).prop_map(str::to_owned),
    ]
}

proptest! {
    /// Another spelling is taken, tells two names apart, is the same every time, and is not spelled otherwise again.
    #[test]
    fn names_are_respelled(names in prop::collection::btree_set(name(), 1..8), spelling in select(spellings())) {
        let taken = |name: &String| match spelling.takes(name) {
            true => name.clone(),
            false => spelling.respelled(name, 0),
        };
        let others: BTreeSet<String> = names.iter().map(taken).collect();
        prop_assert_eq!(others.len(), names.len());
        prop_assert!(others.iter().all(|other| spelling.takes(other)), "{:?}", others);
        prop_assert_eq!(others.iter().map(taken).collect::<BTreeSet<_>>(), others.clone());
        let again: Vec<String> = names.iter().map(|name| spelling.respelled(name, 7)).collect();
        prop_assert!(again.iter().all(|other| spelling.takes(other) && !others.contains(other)));
    }

    /// An escaped id is taken where only its characters are bounded, and holds the other one.
    #[test]
    fn ids_are_escaped(id in name()) {
        let other = spelling::escaped(&id);
        prop_assert!(Limits::of(Dialect::AnthropicMessages).tool_ids.takes.takes(&other));
        prop_assert_eq!(spelling::unescaped(&other), Some(id.clone()));
        prop_assert_eq!(spelling::unescaped(&id), None);
    }

    /// Ids that are made up are taken by every vendor, and are all different.
    #[test]
    fn ids_are_made_up(id_suffix in "[a-f0-9]{32}") {
        let ids: Vec<String> =
            (0..3).flat_map(|choice| (0..40).map(move |at| (choice, at))).map(|(choice, at)| spelling::made_up(&id_suffix, choice, at)).collect();
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for spelling in spellings() {
            prop_assert!(spelling.chars_min > 1 || ids.iter().all(|id| spelling.takes(id)));
        }
        prop_assert!(ids.iter().all(|id| EXACTLY_NINE.takes(id)));
    }
}

#[test]
fn what_is_taken() {
    let chat = Limits::of(Dialect::OpenaiChat).tool_names.takes;
    let gemini = Limits::of(Dialect::GeminiGenerate).tool_names.takes;
    let cohere = Limits::of(Dialect::CohereChat).tool_names.takes;
    let long = "n".repeat(64);
    for (spelling, name, taken) in [
        (chat, "get_weather-2", true),
        (chat, "2fa", true),
        (chat, "", false),
        (chat, "fs.read", false),
        (chat, "na\u{ef}ve", false),
        (chat, &*long, true),
        (chat, &*format!("{long}n"), false),
        (gemini, "fs.read:file-1", true),
        (gemini, "_x", true),
        (gemini, "2fa", false),
        (gemini, "-x", false),
        (cohere, "get_weather", true),
        (cohere, "get-weather", false),
        (EXACTLY_NINE, "D681PevKs", true),
        (EXACTLY_NINE, "D681PevK", false),
        (EXACTLY_NINE, "call_0001", false),
    ] {
        assert_eq!(spelling.takes(name), taken, "{name}");
    }
}

/// The same in every version: or prompts that were cached are not found any more.
#[test]
fn spellings_do_not_change() {
    let chat = Limits::of(Dialect::OpenaiChat).tool_names.takes;
    let gemini = Limits::of(Dialect::GeminiGenerate).tool_names.takes;
    for (spelling, name, number, other) in [
        (chat, "fs.read:file", 0, "fs_read_file_"),
        (chat, "fs.read:file", 1, "fs_read_file_"),
        (gemini, "2fa_check", 0, "_2fa_check_"),
        (EXACTLY_NINE, "call_1", 0, ""),
    ] {
        let told = spelling.respelled(name, number);
        assert!(told.starts_with(other) && spelling.takes(&told), "{told}");
    }
    assert_eq!(chat.respelled("fs.read:file", 0), "fs_read_file_D2bsKOw2q0V");
    assert_eq!(EXACTLY_NINE.respelled("call_1", 0), "l36AvP7KQ");
}

#[test]
fn a_row_differs() {
    let row = LimitOverrides {
        tool_ids: Some(EXACTLY_NINE),
        temperature: Some(Range::between(0.0, 1.5)),
        ..LimitOverrides::default()
    };
    let (limits, first) = (Limits::of(Dialect::OpenaiChat).with(&row), Limits::of(Dialect::OpenaiChat));
    assert_eq!(limits.tool_ids.takes, EXACTLY_NINE);
    assert_eq!(limits.temperature.map(|limit| limit.takes), Some(Range::of(0, 150)));
    assert_eq!((limits.tool_names, limits.stops), (first.tool_names, first.stops));
}
