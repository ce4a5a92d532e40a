//! Ids that clients are given.

use super::super::{GivenIds, made_up};
use crate::Dialect;

#[track_caller]
fn check(client: Dialect, given: &[&str], expected: &[&str]) {
    let mut ids = GivenIds::of(client, 0);
    let told: Vec<String> = given.iter().map(|id| ids.next(id, "9").into_owned()).collect();
    assert_eq!(told.len(), expected.len());
    for (told, expected) in told.iter().zip(expected) {
        match expected.strip_suffix('*') {
            Some(start) => assert!(told.starts_with(start) && told.len() > start.len(), "{told}"),
            None => assert_eq!(told, expected),
        }
    }
    let mut sorted = told.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), told.len(), "{told:?}");
}

#[test]
fn ids_are_what_the_clients_own_vendor_takes() {
    use Dialect::{AnthropicMessages, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let long = "l".repeat(80);
    check(AnthropicMessages, &["toolu_1", "call-2"], &["toolu_1", "call-2"]);
    check(AnthropicMessages, &["f.a:0", "f:a-0"], &["ostia1-f-2Ea-3A0", "ostia1-f-3Aa-2D0"]);
    check(AnthropicMessages, &["a", "a", "a"], &["a", "a_*", "a_*"]);
    check(OpenaiChat, &["functions.a:0"], &["functions.a:0"]);
    check(OpenaiChat, &[&long], &["llll*"]);
    check(OpenaiResponses, &[&long[..64], &long], &[&long[..64], "llll*"]);
    check(GeminiGenerate, &[&long, "a b"], &[&long, "a b"]);
    check(OpenaiChat, &["", "x", ""], &[&made_up("9", 0, 0), "x", &made_up("9", 0, 2)]);
}
