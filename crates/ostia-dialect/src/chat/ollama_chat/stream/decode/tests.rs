#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::test_support::{fold, is_whole, read_cut};
use crate::{Dialect, FaultKind, Response};

fn line(message: Value) -> Value {
    json!({"model": "m", "created_at": "2026-05-04T20:01:02.264968Z", "message": message, "done": false})
}

fn last(message: Value) -> Value {
    let mut last = line(message);
    let end = json!({"done": true, "done_reason": "stop", "total_duration": 9, "prompt_eval_count": 3, "eval_count": 2});
    last.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
    last
}

fn wire(lines: &[Value]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

/// Runs a stream over every two-way split of its bytes; the fold has to equal the unary form.
#[track_caller]
fn check(lines: &[Value], unary: &Value) {
    let expected: Response = Dialect::OllamaChat.decode(unary.to_string().as_bytes()).unwrap();
    let (events, ended) = read_cut(Dialect::OllamaChat, &wire(lines));
    ended.unwrap();
    assert_eq!(fold(&events), expected);
}

#[track_caller]
fn fails(bytes: &[u8], kind: FaultKind, message: &str) {
    let (events, ended) = read_cut(Dialect::OllamaChat, bytes);
    assert!(!is_whole(&events));
    let fault = ended.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (kind, message));
}

fn says(name: &str, text: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    message[name] = json!(text);
    line(message)
}

fn call(name: &str) -> Value {
    json!({"id": format!("call_{name}"), "function": {"index": 0, "name": name, "arguments": {"x": 1}}})
}

#[test]
fn thoughts_words_and_calls() {
    let lines = [
        says("thinking", "Hm"),
        says("thinking", "."),
        says("content", "Hi "),
        says("content", "thére"),
        line(json!({"role": "assistant", "content": "", "tool_calls": [call("f")]})),
        line(json!({"role": "assistant", "content": "", "tool_calls": [call("g")]})),
        last(json!({"role": "assistant", "content": ""})),
    ];
    let whole = json!({"role": "assistant", "thinking": "Hm.", "content": "Hi thére", "tool_calls": [call("f"), call("g")]});
    check(&lines, &last(whole));
}

#[test]
fn one_line_is_a_whole_answer() {
    let whole = last(json!({"role": "assistant", "content": "a🦀", "tool_calls": [call("f")]}));
    check(std::slice::from_ref(&whole), &whole);
    let (events, ended) = read_cut(Dialect::OllamaChat, whole.to_string().as_bytes());
    assert!(ended.is_ok() && is_whole(&events));
}

#[test]
fn thoughts_may_go_on_behind_words() {
    let lines = [
        says("content", "a"),
        says("thinking", "b"),
        says("content", "c"),
        last(json!({"role": "assistant"})),
    ];
    let (events, ended) = read_cut(Dialect::OllamaChat, &wire(&lines));
    ended.unwrap();
    let kinds = fold(&events).choices.remove(0).blocks;
    let expected = [Block::text("a"), Block::new(Content::Reasoning("b".into())), Block::text("c")];
    assert_eq!(kinds, expected);
}

#[test]
fn probabilities_come_with_their_words() {
    let token = |text: &str| json!([{"token": text, "logprob": -0.5, "bytes": text.as_bytes()}]);
    let mut lines =
        [says("content", "a"), says("content", "b"), last(json!({"role": "assistant", "content": ""}))];
    (lines[0]["logprobs"], lines[1]["logprobs"]) = (token("a"), token("b"));
    let mut whole = last(json!({"role": "assistant", "content": "ab"}));
    whole["logprobs"] = json!([token("a")[0], token("b")[0]]);
    check(&lines, &whole);
}

#[test]
fn halves_of_a_character_meet() {
    let half = |text: &str| format!(r#"{{"message":{{"content":"{text}"}},"done":false}}"#) + "\n";
    let end = r#"{"message":{"content":""},"done":true}"#;
    let bytes = [half(r"\ud83e"), half(r"\udd80"), end.to_owned()].concat();
    let (events, ended) = read_cut(Dialect::OllamaChat, bytes.as_bytes());
    ended.unwrap();
    assert_eq!(fold(&events).choices.remove(0).blocks, [Block::text("🦀")]);
}

#[test]
fn what_breaks_off_or_fails() {
    let begun = wire(&[says("content", "a")]);
    fails(&begun, FaultKind::Upstream, "The provider broke off before the answer was whole.");
    fails(b"", FaultKind::Upstream, "The provider broke off before the answer was whole.");
    let with = |line: &str| [begun.clone(), line.as_bytes().to_vec()].concat();
    fails(&with("{\"error\":\"an error was encountered\"}\n"), FaultKind::Server, "an error was encountered");
    fails(
        &with("{\"error\":\"rate limit exceeded\",\"status\":429}\n"),
        FaultKind::RateLimit,
        "rate limit exceeded",
    );
    fails(&with("{\"model\":\"m\"}\n"), FaultKind::Server, "The provider sent an answer without a message.");
    let (_, ended) = read_cut(Dialect::OllamaChat, &with("{]\n"));
    assert_eq!(ended.unwrap_err().kind, FaultKind::Upstream);
}

proptest! {
    // Each is read with every cut.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_pieces_say_the_same(
        pieces in prop::collection::vec((any::<bool>(), "(?s).{0,4}"), 0..8),
        calls in prop::collection::vec("[a-z]{1,3}", 0..3),
    ) {
        let mut lines: Vec<Value> = pieces
            .iter()
            .map(|(thinks, text)| says(if *thinks { "thinking" } else { "content" }, text))
            .collect();
        lines.extend(calls.iter().map(|name| line(json!({"role": "assistant", "content": "", "tool_calls": [call(name)]}))));
        lines.push(last(json!({"role": "assistant", "content": ""})));
        let (events, ended) = read_cut(Dialect::OllamaChat, &wire(&lines));
        prop_assert!(ended.is_ok());
        let blocks = fold(&events).choices.remove(0).blocks;
        let (mut said, mut thought, mut called) = (String::new(), String::new(), Vec::new());
        for block in &blocks {
            match &block.content {
                Content::Text { text, .. } => said.push_str(text),
                Content::Reasoning(text) => thought.push_str(text),
                Content::ToolCall { name, .. } => called.push(name.clone()),
                _ => panic!("{block:?}"),
            }
        }
        let joined = |thinks: bool| -> String {
            pieces.iter().filter(|(is_thought, _)| *is_thought == thinks).map(|(_, text)| text.as_str()).collect()
        };
        prop_assert_eq!((said, thought, called), (joined(false), joined(true), calls));
    }
}
