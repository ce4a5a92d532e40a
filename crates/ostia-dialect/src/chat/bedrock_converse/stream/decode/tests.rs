#![allow(clippy::unwrap_used, clippy::expect_used)]

use ostia_testkit::event_stream::{event, exception};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::test_support::{self, fold, is_whole, read_cut};
use crate::{Dialect, Event, Fault, FaultKind, Response};

const OWN: Dialect = Dialect::BedrockConverse;

type Told = (&'static str, Value);

fn wire(events: &[Told]) -> Vec<u8> {
    events.iter().flat_map(|(kind, payload)| event(kind, payload)).collect()
}

/// Runs a stream over every two-way split of its bytes; the fold has to equal the unary form.
#[track_caller]
fn check(events: &[Told], unary: &Value) {
    let expected: Response = OWN.decode(unary.to_string().as_bytes()).unwrap();
    let (events, ended) = read_cut(OWN, &wire(events));
    ended.unwrap();
    assert_eq!(fold(&events), expected);
}

fn start() -> Told {
    ("messageStart", json!({"p": "abc", "role": "assistant"}))
}

fn begin(index: u64, start: Value) -> Told {
    ("contentBlockStart", json!({"contentBlockIndex": index, "start": start}))
}

fn more(index: u64, delta: Value) -> Told {
    ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta, "p": "abcd"}))
}

fn end(index: u64) -> Told {
    ("contentBlockStop", json!({"contentBlockIndex": index}))
}

fn stop(reason: &str) -> Told {
    ("messageStop", json!({"stopReason": reason}))
}

fn usage() -> Value {
    json!({"inputTokens": 5, "outputTokens": 2, "totalTokens": 7})
}

fn metadata() -> Told {
    ("metadata", json!({"usage": usage(), "metrics": {"latencyMs": 5}, "p": "a"}))
}

fn unary(content: Value, reason: &str) -> Value {
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason,
           "usage": usage(), "metrics": {"latencyMs": 5}})
}

#[test]
fn thoughts_words_and_calls() {
    check(
        &[
            start(),
            more(0, json!({"reasoningContent": {"text": "So "}})),
            more(0, json!({"reasoningContent": {"text": "be it"}})),
            more(0, json!({"reasoningContent": {"signature": "si"}})),
            more(0, json!({"reasoningContent": {"signature": "g"}})),
            end(0),
            more(1, json!({"text": "Zü"})),
            more(1, json!({"text": "ri"})),
            more(1, json!({"text": ""})),
            end(1),
            begin(2, json!({"toolUse": {"toolUseId": "c", "name": "f"}})),
            more(2, json!({"toolUse": {"input": ""}})),
            more(2, json!({"toolUse": {"input": "{\"a\":"}})),
            more(2, json!({"toolUse": {"input": "1}"}})),
            end(2),
            begin(3, json!({"toolUse": {"toolUseId": "d", "name": "g"}})),
            end(3),
            stop("tool_use"),
            metadata(),
        ],
        &unary(
            json!([{"reasoningContent": {"reasoningText": {"text": "So be it", "signature": "sig"}}}, {"text": "Züri"},
                   {"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1}}},
                   {"toolUse": {"toolUseId": "d", "name": "g", "input": {}}}]),
            "tool_use",
        ),
    );
}

#[test]
fn citations_hidden_thoughts_and_pictures() {
    let cited = json!({"title": "T", "sourceContent": [{"text": "s"}], "location": {"web": {"url": "https://a.example"}}});
    check(
        &[
            start(),
            // "Eq" and "QC" in base64.
            more(0, json!({"reasoningContent": {"redactedContent": "RXE="}})),
            more(0, json!({"reasoningContent": {"redactedContent": "UUM="}})),
            end(0),
            begin(1, json!({})),
            more(1, json!({"text": "Rome"})),
            more(1, json!({"citation": cited})),
            end(1),
            begin(2, json!({"image": {"format": "png"}})),
            more(2, json!({"image": {"source": {"bytes": "iVBORw=="}}})),
            more(2, json!({"image": {"source": {"bytes": "DQoaCg=="}}})),
            end(2),
            stop("end_turn"),
            metadata(),
        ],
        &unary(
            json!([{"reasoningContent": {"redactedContent": "RXFRQw=="}},
                   {"citationsContent": {"content": [{"text": "Rome"}], "citations": [cited]}},
                   {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}]),
            "end_turn",
        ),
    );
}

#[test]
fn tools_that_the_vendor_runs() {
    check(
        &[
            start(),
            begin(
                0,
                json!({"toolUse": {"toolUseId": "s", "name": "nova_code_interpreter", "type": "server_tool_use"}}),
            ),
            more(0, json!({"toolUse": {"input": "{\"snippet\":"}})),
            more(0, json!({"toolUse": {"input": "\"1\"}"}})),
            end(0),
            begin(
                1,
                json!({"toolResult": {"toolUseId": "s", "type": "nova_code_interpreter_result", "status": "success"}}),
            ),
            more(1, json!({"toolResult": [{"json": {"stdOut": "1"}}]})),
            more(1, json!({"toolResult": [{"text": "x"}]})),
            end(1),
            begin(2, json!({"ofTomorrow": {"x": 1}})),
            more(2, json!({"ofTomorrow": {"y": 1}})),
            end(2),
            stop("end_turn"),
            metadata(),
        ],
        &unary(
            json!([{"toolUse": {"toolUseId": "s", "name": "nova_code_interpreter", "type": "server_tool_use", "input": {"snippet": "1"}}},
                   {"toolResult": {"toolUseId": "s", "type": "nova_code_interpreter_result", "status": "success",
                                   "content": [{"json": {"stdOut": "1"}}, {"text": "x"}]}},
                   {"ofTomorrow": {"x": 1}}]),
            "end_turn",
        ),
    );
}

#[test]
fn blocks_may_alternate_and_lack_their_ends() {
    check(
        &[
            start(),
            more(0, json!({"text": "a"})),
            begin(1, json!({"toolUse": {"toolUseId": "c", "name": "f"}})),
            more(1, json!({"toolUse": {"input": "{}"}})),
            more(0, json!({"text": "b"})),
            more(2, json!({"text": "z"})),
            end(1),
            end(0),
            stop("tool_use"),
            metadata(),
        ],
        &unary(
            json!([{"text": "ab"}, {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}}, {"text": "z"}]),
            "tool_use",
        ),
    );
}

#[test]
fn what_stands_beside() {
    let mut answer = unary(json!([{"text": "a"}]), "guardrail_intervened");
    answer["additionalModelResponseFields"] = json!({"delta": {"stop_sequence": "X"}});
    answer["trace"] = json!({"guardrail": {"actionReason": "r"}});
    answer["serviceTier"] = json!({"type": "priority"});
    answer["usage"]["cacheDetails"] = json!([{"ttl": "5m", "inputTokens": 1}]);
    check(
        &[
            start(),
            ("initial-response", json!({})),
            more(0, json!({"text": "a"})),
            end(0),
            (
                "messageStop",
                json!({"stopReason": "guardrail_intervened", "additionalModelResponseFields": {"delta": {"stop_sequence": "X"}}}),
            ),
            (
                "metadata",
                json!({"usage": answer["usage"], "metrics": {"latencyMs": 5}, "trace": answer["trace"],
                                "serviceTier": {"type": "priority"}}),
            ),
        ],
        &answer,
    );
    let (events, ended) = read_cut(OWN, &wire(&[more(0, json!({"text": "a"})), stop("end_turn")]));
    assert!(ended.is_ok() && is_whole(&events));
    assert_eq!(fold(&events).usage, None);
}

#[track_caller]
fn fails(bytes: &[u8]) -> Fault {
    let (events, ended) = read_cut(OWN, bytes);
    assert!(!is_whole(&events));
    ended.unwrap_err()
}

#[test]
fn failures() {
    let text = more(0, json!({"text": "a"}));
    let broken = fails(&wire(&[start(), text.clone(), end(0)]));
    assert_eq!((broken.kind, broken.status), (FaultKind::Upstream, 502));
    let orphan = more(1, json!({"toolUse": {"input": "{}"}}));
    assert!(fails(&wire(&[start(), orphan])).message.contains("had not begun"));
    assert_eq!(fails(&wire(&[start(), text.clone(), stop("malformed_tool_use")])).status, 502);
    let thrown = |name, words| [wire(&[start(), text.clone()]), exception(name, words)].concat();
    let slow = fails(&thrown("throttlingException", "slow"));
    assert_eq!((slow.kind, slow.status, slow.message.as_str()), (FaultKind::RateLimit, 429, "slow"));
    assert_eq!(fails(&thrown("modelStreamErrorException", "m")).status, 424);
    assert_eq!(fails(&exception("validationException", "bad")).status, 400);
    assert_eq!(fails(&wire(&[start(), text.clone(), stop("end_turn"), text])).kind, FaultKind::Upstream);
    assert_eq!(fails(&[]).status, 502);
}

fn any_event() -> impl Strategy<Value = Told> {
    let index = 0..3u64;
    prop_oneof![
        Just(start()),
        Just(metadata()),
        Just(stop("end_turn")),
        index.clone().prop_map(|at| begin(at, json!({"toolUse": {"toolUseId": "c", "name": "f"}}))),
        index.clone().prop_map(|at| begin(at, json!({"toolUse": {"type": "server_tool_use"}}))),
        index.clone().prop_map(|at| begin(at, json!({"toolResult": 3}))),
        index.clone().prop_map(|at| begin(at, json!({"image": {}}))),
        index.clone().prop_map(|at| more(at, json!({"text": "x"}))),
        index.clone().prop_map(|at| more(at, json!({"text": 7, "citation": {}}))),
        index.clone().prop_map(|at| more(at, json!({"reasoningContent": {"text": "y", "signature": "s"}}))),
        index.clone().prop_map(|at| more(at, json!({"reasoningContent": {"redactedContent": "%"}}))),
        index.clone().prop_map(|at| more(at, json!({"toolUse": {"input": "{"}}))),
        index.clone().prop_map(|at| more(at, json!({"toolResult": [1]}))),
        index.prop_map(end),
        Just(("contentBlockDelta", json!({"delta": 3}))),
        Just(("ofTomorrow", json!(1))),
    ]
}

fn read(bytes: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    test_support::read(OWN, &[bytes])
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_the_grammar_or_fails(events in prop::collection::vec(any_event(), 0..12)) {
        let (events, ended) = read(&wire(&events));
        prop_assert_eq!(is_whole(&events), ended.is_ok());
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = OWN.decode(&bytes);
    }
}
