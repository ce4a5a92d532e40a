#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::test_support::{fold, is_whole, read_cut};
use crate::{Block, Dialect, FaultKind};

const D: Dialect = Dialect::ReplicateText;

fn event(name: &str, data: &str) -> String {
    let lines: String = data.split('\n').map(|line| format!("data: {line}\n")).collect();
    format!("event: {name}\nid: 1690212292:0\n{lines}\n")
}

/// Runs a stream over every two-way split of its bytes.
#[track_caller]
fn check(stream: &str, text: &str) {
    let (events, ended) = read_cut(D, stream.as_bytes());
    ended.unwrap();
    let response = fold(&events);
    let blocks = if text.is_empty() { Vec::new() } else { vec![Block::text(text)] };
    assert_eq!(response.choices[0].blocks, blocks);
}

#[track_caller]
fn fails(stream: &str, kind: FaultKind, message: &str) {
    let (events, ended) = read_cut(D, stream.as_bytes());
    assert!(!is_whole(&events));
    let fault = ended.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (kind, message));
}

#[test]
fn words_come_as_they_are() {
    let stream =
        [event("output", "Hi"), event("output", " thére"), event("output", "\n\n* a"), event("done", "{}")];
    check(&stream.concat(), "Hi thére\n\n* a");
    check(&[event("logs", "loading"), event("done", "{}")].concat(), "");
    // An answer that looks like JSON is words all the same, and nothing follows the end.
    let stream = [event("output", "{\"reason\": 1}"), event("done", "{}"), event("output", "late")];
    check(&stream.concat(), "{\"reason\": 1}");
}

#[test]
fn errors_and_ends_that_are_none() {
    let said = event("output", "Hi");
    fails(&[said.clone(), event("error", "\"out of memory\"")].concat(), FaultKind::Server, "out of memory");
    fails(&event("error", "plain words"), FaultKind::Server, "plain words");
    fails(&event("error", "{\"detail\": \"gone\"}"), FaultKind::Server, "gone");
    fails(
        &[said.clone(), event("done", "{\"reason\": \"canceled\"}")].concat(),
        FaultKind::Server,
        "The provider's prediction ended with `canceled`.",
    );
    fails(&said, FaultKind::Upstream, "The provider broke off before the answer was whole.");
    fails("", FaultKind::Upstream, "The provider broke off before the answer was whole.");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read_cut(D, &bytes);
        let _ = D.decode(&bytes);
    }
}
