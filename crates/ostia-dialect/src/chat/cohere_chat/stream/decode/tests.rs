#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::test_support::{self, fold, is_whole, read_cut};
use crate::{Dialect, FaultKind, Response};

/// The events of a stream, as far as it is good, and how it ended.
fn read(stream: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    test_support::read(Dialect::CohereChat, &[stream])
}

/// Events as the vendor sends them, with the marker behind the last.
fn wire(events: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        let name = event["type"].as_str().unwrap_or_default();
        bytes.extend_from_slice(format!("event: {name}\ndata: {event}\n\n").as_bytes());
    }
    bytes.extend_from_slice(b"data: [DONE]\n\n");
    bytes
}

/// Runs a stream over every two-way split of its bytes; the fold has to equal the unary form.
#[track_caller]
fn check(events: &[Value], unary: &Value) {
    let expected: Response = Dialect::CohereChat.decode(unary.to_string().as_bytes()).unwrap();
    let (events, ended) = read_cut(Dialect::CohereChat, &wire(events));
    ended.unwrap();
    assert_eq!(fold(&events), expected);
}

#[test]
fn parts_may_alternate() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let more = |arguments: &str| json!({"function": {"arguments": arguments}});
    let cited = json!({"start": 0, "end": 1, "type": "TEXT_CONTENT", "content_index": 0, "sources": []});
    let mut answer = unary(
        json!({"content": [{"type": "text", "text": "ab"}, {"type": "thinking", "thinking": "c"}], "citations": [cited],
            "tool_calls": [call("c0", "{\"x\":1}"), call("c1", "{}")]}),
        "COMPLETE",
    );
    answer["usage"] = usage();
    check(
        &[
            start(),
            content("content-start", 0, json!({"type": "text", "text": "a"})),
            content("content-start", 1, json!({"type": "thinking", "thinking": ""})),
            tool("tool-call-start", 0, call("c0", "")),
            tool("tool-call-delta", 0, more("{\"x\"")),
            content("content-delta", 0, json!({"text": "b"})),
            cites(&cited),
            ends("content-end", 0),
            content("content-delta", 1, json!({"thinking": "c"})),
            tool("tool-call-delta", 0, more(":1}")),
            ends("content-end", 1),
            tool("tool-call-start", 1, call("c1", "")),
            ends("tool-call-end", 0),
            ends("tool-call-end", 1),
            end("COMPLETE"),
        ],
        &answer,
    );
}

#[track_caller]
fn fails(events: &[Value]) -> Fault {
    let (events, ended) = read_cut(Dialect::CohereChat, &wire(events));
    assert!(!is_whole(&events));
    ended.unwrap_err()
}

fn start() -> Value {
    json!({"type": "message-start", "id": "m1", "delta": {"message":
        {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}})
}

fn content(kind: &str, index: u64, content: Value) -> Value {
    json!({"type": kind, "index": index, "delta": {"message": {"content": content}}})
}

fn ends(kind: &str, index: u64) -> Value {
    json!({"type": kind, "index": index})
}

fn plan(text: &str) -> Value {
    json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}})
}

fn tool(kind: &str, index: u64, call: Value) -> Value {
    json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": call}}})
}

fn cites(citation: &Value) -> Value {
    json!({"type": "citation-start", "index": 0, "delta": {"message": {"citations": citation}}})
}

fn usage() -> Value {
    json!({"billed_units": {"input_tokens": 5, "output_tokens": 2},
        "tokens": {"input_tokens": 60, "output_tokens": 4}, "cached_tokens": 48})
}

fn end(reason: &str) -> Value {
    json!({"type": "message-end", "delta": {"finish_reason": reason, "usage": usage()}})
}

fn unary(message: Value, reason: &str) -> Value {
    json!({"id": "m1", "message": message, "finish_reason": reason, "usage": usage()})
}

#[test]
fn thoughts_then_text_with_citations() {
    let here = json!({"start": 0, "end": 2, "text": "Zü", "type": "TEXT_CONTENT", "content_index": 1,
        "sources": [{"type": "document", "id": "d", "document": {"title": "T", "url": "https://u.example"}}]});
    let late = json!({"start": 3, "end": 4, "text": "!", "sources": [{"type": "tool", "id": "t"}]});
    let thought = json!({"start": 0, "end": 1, "type": "THINKING_CONTENT", "sources": []});
    check(
        &[
            start(),
            content("content-start", 0, json!({"type": "thinking", "thinking": ""})),
            content("content-delta", 0, json!({"thinking": "So "})),
            content("content-delta", 0, json!({"thinking": "be it"})),
            ends("content-end", 0),
            cites(&thought),
            content("content-start", 1, json!({"type": "text", "text": ""})),
            content("content-delta", 1, json!({"text": "Zü"})),
            cites(&here),
            ends("citation-end", 0),
            content("content-delta", 1, json!({"text": "ri !"})),
            ends("content-end", 1),
            cites(&late),
            end("COMPLETE"),
        ],
        &unary(
            json!({"content": [{"type": "thinking", "thinking": "So be it"}, {"type": "text", "text": "Züri !"}],
                "citations": [thought, here, late]}),
            "COMPLETE",
        ),
    );
}

#[test]
fn a_plan_and_calls() {
    let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let more = |arguments: &str| json!({"function": {"arguments": arguments}});
    check(
        &[
            start(),
            plan("I "),
            plan("will"),
            tool("tool-call-start", 0, call("c1", "f", "")),
            tool("tool-call-delta", 0, more("{\"a\":")),
            tool("tool-call-delta", 0, more(" 1}")),
            ends("tool-call-end", 0),
            tool("tool-call-start", 1, call("c2", "g", "{}")),
            ends("tool-call-end", 1),
            end("TOOL_CALL"),
        ],
        &unary(
            json!({"tool_plan": "I will", "tool_calls": [call("c1", "f", "{\"a\": 1}"), call("c2", "g", "{}")]}),
            "TOOL_CALL",
        ),
    );
}

#[test]
fn citations_count_from_the_start_of_the_message() {
    let cited = json!({"start": 0, "end": 1, "type": "TEXT_CONTENT", "content_index": 0, "sources": []});
    let events = [
        start(),
        plan("Plän"),
        content("content-start", 0, json!({"type": "text", "text": "Q"})),
        cites(&cited),
        ends("content-end", 0),
        end("COMPLETE"),
    ];
    let message =
        json!({"tool_plan": "Plän", "content": [{"type": "text", "text": "Q"}], "citations": [cited]});
    check(&events, &unary(message, "COMPLETE"));
    let (events, _) = read(&wire(&events));
    let found = events.iter().find_map(|event| match event {
        Event::Delta { delta: Delta::Citation(citation), .. } => Some((citation.start, citation.end)),
        _ => None,
    });
    assert_eq!(found, Some((Some(4), Some(5))));
}

#[test]
fn unknown_parts_and_log_probabilities() {
    let logprob = |text: &str, value: f64| json!({"text": text, "token_ids": [1], "logprobs": [value]});
    let mut delta = content("content-delta", 0, json!({"text": "a"}));
    delta["logprobs"] = logprob("a", -0.5);
    let mut more = content("content-delta", 0, json!({"text": "b"}));
    more["logprobs"] = logprob("b", -0.25);
    let novel = json!({"type": "novel", "x": [1, 2]});
    let mut answer = unary(json!({"content": [{"type": "text", "text": "ab"}, novel]}), "COMPLETE");
    answer["logprobs"] = json!([logprob("a", -0.5), logprob("b", -0.25)]);
    check(
        &[
            start(),
            json!({"type": "debug", "prompt": "p"}),
            content("content-start", 0, json!({"type": "text", "text": ""})),
            delta,
            more,
            ends("content-end", 0),
            content("content-start", 1, novel.clone()),
            ends("content-end", 1),
            end("COMPLETE"),
        ],
        &answer,
    );
}

#[test]
fn parts_without_a_start_and_a_stream_without_an_id() {
    let events = [content("content-delta", 0, json!({"text": "a"})), end("MAX_TOKENS")];
    let mut answer = unary(json!({"content": [{"type": "text", "text": "a"}]}), "MAX_TOKENS");
    answer["id"] = json!("");
    check(&events, &answer);
}

#[test]
fn failures() {
    let text = content("content-start", 0, json!({"type": "text", "text": "a"}));
    let broken = fails(&[start(), text.clone()]);
    assert_eq!((broken.kind, broken.status), (FaultKind::Upstream, 502));

    let error =
        json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "the model crashed"}});
    let fault = fails(&[start(), text.clone(), error]);
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Server, "the model crashed"));

    assert_eq!(fails(&[start(), text, end("TIMEOUT")]).kind, FaultKind::Timeout);
    let limited = fails(&[json!({"id": "e", "message": "slow down", "status_code": 429})]);
    assert_eq!((limited.kind, limited.status), (FaultKind::RateLimit, 429));
    assert_eq!(fails(&[json!({"type": "error", "error": {"message": "m", "type": "t"}})]).message, "m");
    assert_eq!(fails(&[start(), json!({"error": "m"})]).message, "m");
    assert_eq!(read(b"event: error\ndata: {\"message\":\"m\"}\n\n").1.unwrap_err().message, "m");

    let orphan = tool("tool-call-delta", 1, json!({"function": {"arguments": "{}"}}));
    assert_eq!(fails(&[start(), orphan]).kind, FaultKind::Upstream);
    assert_eq!(read(b"data: {\"type\":\n\n").1.unwrap_err().kind, FaultKind::Upstream);
}

fn any_event() -> impl Strategy<Value = Value> {
    let index = 0..3u64;
    prop_oneof![
        Just(start()),
        Just(end("COMPLETE")),
        index.clone().prop_map(|at| content("content-start", at, json!({"type": "text", "text": "x"}))),
        index.clone().prop_map(|at| content("content-start", at, json!({"type": "novel"}))),
        index.clone().prop_map(|at| content("content-delta", at, json!({"thinking": "y"}))),
        index.clone().prop_map(|at| content("content-delta", at, json!({"text": 7}))),
        index.clone().prop_map(|at| ends("content-end", at)),
        index.clone().prop_map(|at| tool("tool-call-start", at, json!([{"id": "c"}]))),
        index.prop_map(|at| tool("tool-call-delta", at, json!({"function": {"arguments": "{"}}))),
        Just(plan("p")),
        Just(cites(&json!({"start": 0, "end": 1}))),
        Just(json!({"type": "message-end", "logprobs": {"text": "x", "logprobs": [-1]}})),
        Just(json!({"delta": {"message": 3}})),
    ]
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_the_grammar_or_fails(events in prop::collection::vec(any_event(), 0..12)) {
        let (events, ended) = read(&wire(&events));
        prop_assert_eq!(is_whole(&events), ended.is_ok());
    }

    #[test]
    fn mutated_bytes_never_panic(at in 0usize..400, byte: u8) {
        let mut bytes = wire(&[start(), plan("p"), content("content-start", 0, json!({"type": "text", "text": "x"})),
            cites(&json!({"start": 0, "end": 1, "sources": []})), end("COMPLETE")]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let (events, ended) = read(&bytes);
        prop_assert_eq!(is_whole(&events), ended.is_ok());
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = Dialect::CohereChat.decode(&bytes);
    }
}
