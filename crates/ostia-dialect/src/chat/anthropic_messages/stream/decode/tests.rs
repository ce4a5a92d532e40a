#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use crate::test_support::{self, fold, is_whole, raw, read_cut};
use crate::{Block, Content, Dialect, Event, Fault, FaultKind, Finish, ToolKind};

/// The events of a stream, wherever it is cut.
fn read(stream: &str) -> Result<Vec<Event>, Fault> {
    let (events, ended) = read_cut(Dialect::AnthropicMessages, stream.as_bytes());
    ended.map(|()| events)
}

/// The events as the vendor frames them: the type is the name of the event.
fn sse(events: &[&str]) -> String {
    let name = |event: &str| {
        serde_json::from_str::<serde_json::Value>(event).unwrap()["type"].as_str().unwrap().to_owned()
    };
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1,"service_tier":"standard"}}}"#;
const PING: &str = r#"{"type":"ping"}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn end(reason: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"output_tokens":9}}}}"#
    )
}

fn block(index: u64, start: &str, deltas: &[&str]) -> Vec<String> {
    let mut events =
        vec![format!(r#"{{"type":"content_block_start","index":{index},"content_block":{start}}}"#)];
    let delta = |delta: &&str| format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#);
    events.extend(deltas.iter().map(delta));
    events.push(format!(r#"{{"type":"content_block_stop","index":{index}}}"#));
    events
}

/// A stream of these blocks, cut anywhere, says the same as a unary answer with this content.
fn check(blocks: &[Vec<String>], reason: &str, content: &str) {
    let end = end(reason);
    let mut events = vec![START, PING];
    events.extend(blocks.iter().flatten().map(String::as_str));
    events.extend([end.as_str(), STOP]);
    let stream = sse(&events);
    let unary = format!(
        r#"{{"id":"msg_1","type":"message","model":"claude-x","content":[{content}],"stop_reason":"{reason}","stop_sequence":null,"usage":{{"input_tokens":3,"output_tokens":9,"service_tier":"standard"}}}}"#
    );
    let expected = Dialect::AnthropicMessages.decode(unary.as_bytes()).unwrap();
    assert_eq!(fold(&read(&stream).unwrap()), expected);
    let crlf = stream.replace('\n', "\r\n");
    assert_eq!(fold(&read(&crlf).unwrap()), expected);
}

#[test]
fn text() {
    let text = |text: &str| format!(r#"{{"type":"text_delta","text":"{text}"}}"#);
    let said = block(0, r#"{"type":"text","text":""}"#, &[&text("Gré"), &text("ß \\n"), &text("")]);
    check(&[said], "end_turn", r#"{"type":"text","text":"Gréß \n"}"#);
    check(&[], "max_tokens", "");
    let begun = block(0, r#"{"type":"text","text":"A"}"#, &[&text("B")]);
    check(&[begun], "end_turn", r#"{"type":"text","text":"AB"}"#);
}

#[test]
fn citations() {
    let cited = r#"{"type":"web_search_result_location","url":"https://x.test","title":"X"}"#;
    let first = block(0, r#"{"type":"text","text":""}"#, &[r#"{"type":"text_delta","text":"Né "}"#]);
    let delta = format!(r#"{{"type":"citations_delta","citation":{cited}}}"#);
    let second = block(
        1,
        r#"{"citations":[],"type":"text","text":""}"#,
        &[&delta, r#"{"type":"text_delta","text":"two"}"#],
    );
    let content =
        format!(r#"{{"type":"text","text":"Né "}},{{"type":"text","text":"two","citations":[{cited}]}}"#);
    check(&[first, second], "end_turn", &content);
}

#[test]
fn thinking() {
    let start = r#"{"type":"thinking","thinking":"","signature":""}"#;
    let proof = r#"{"type":"signature_delta","signature":"s1"}"#;
    let said = block(0, start, &[r#"{"type":"thinking_delta","thinking":"Hm."}"#, proof]);
    check(&[said], "end_turn", r#"{"type":"thinking","thinking":"Hm.","signature":"s1"}"#);
    check(&[block(0, start, &[proof])], "end_turn", r#"{"type":"thinking","thinking":"","signature":"s1"}"#);
    let hidden = r#"{"type":"redacted_thinking","data":"xyz"}"#;
    check(&[block(0, hidden, &[])], "end_turn", hidden);
}

#[test]
fn calls() {
    let start = |input: &str| format!(r#"{{"type":"tool_use","id":"t1","name":"look","input":{input}}}"#);
    let piece = |piece: &str| format!(r#"{{"type":"input_json_delta","partial_json":"{piece}"}}"#);
    let said = block(0, &start("{}"), &[&piece(""), &piece(r#"{\"x\": "#), &piece("1}")]);
    check(&[said], "tool_use", &start(r#"{"x": 1}"#));
    check(&[block(0, &start("{}"), &[&piece("")])], "tool_use", &start("{}"));
    check(&[block(0, &start(r#"{"x":1}"#), &[])], "tool_use", &start(r#"{"x":1}"#));
    let caller = r#"{"type":"tool_use","id":"t1","name":"look","input":{},"caller":{"type":"code_execution_20250825"}}"#;
    check(
        &[block(0, caller, &[]), block(1, &start("{}"), &[&piece("{}")])],
        "tool_use",
        &format!("{caller},{}", start("{}")),
    );
}

#[test]
fn arguments_that_are_cut_off_stay_as_they_are() {
    let start = r#"{"type":"tool_use","id":"t1","name":"look","input":{}}"#;
    let call = block(0, start, &[r#"{"type":"input_json_delta","partial_json":"{\"x"}"#]);
    let end = end("max_tokens");
    let mut events = vec![START];
    events.extend(call.iter().map(String::as_str));
    events.extend([end.as_str(), STOP]);
    let choice = fold(&read(&sse(&events)).unwrap()).choices.remove(0);
    let (id, name, arguments) = ("t1".into(), "look".into(), "{\"x".into());
    let expected = Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function });
    assert_eq!((choice.blocks, choice.finish), (vec![expected], Finish::Length));
}

#[test]
fn blocks_of_the_vendor_come_whole() {
    let start =
        r#"{"type":"server_tool_use","id":"s1","name":"web_search","input":{},"caller":{"type":"direct"}}"#;
    let piece = |piece: &str| format!(r#"{{"type":"input_json_delta","partial_json":"{piece}"}}"#);
    let said = block(0, start, &[&piece(r#"{\"query\":"#), &piece(r#"\"x\"}"#)]);
    let whole = r#"{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"},"caller":{"type":"direct"}}"#;
    check(&[said], "end_turn", whole);
    check(&[block(0, start, &[&piece(r#"{\"query"#)])], "max_tokens", start);
    let summary = block(
        0,
        r#"{"type":"compaction","content":null}"#,
        &[
            r#"{"type":"compaction_delta","content":"So "}"#,
            r#"{"type":"compaction_delta","content":"far."}"#,
        ],
    );
    check(&[summary], "end_turn", r#"{"type":"compaction","content":"So far."}"#);
    let result =
        r#"{"type":"web_search_tool_result","tool_use_id":"s1","content":[{"url":"https://x.test"}]}"#;
    check(&[block(0, result, &[])], "pause_turn", result);
}

#[test]
fn blocks_may_alternate() {
    let words = |text: &str| format!(r#"{{"type":"text_delta","text":"{text}"}}"#);
    let cited = r#"{"type":"web_search_result_location","url":"https://x.test","title":"X"}"#;
    let source = format!(r#"{{"type":"citations_delta","citation":{cited}}}"#);
    let first = block(0, r#"{"type":"text","text":""}"#, &[&words("so"), &words(" on")]);
    let second = block(1, r#"{"type":"text","text":""}"#, &[&words("far"), &source]);
    let start = |input: &str| {
        format!(r#"{{"type":"server_tool_use","id":"s1","name":"web_search","input":{input}}}"#)
    };
    let third = block(2, &start("{}"), &[r#"{"type":"input_json_delta","partial_json":"{\"q\":1}"}"#]);
    let content = format!(
        r#"{{"type":"text","text":"so on"}},{{"type":"text","text":"far","citations":[{cited}]}},{}"#,
        start(r#"{"q":1}"#)
    );
    // By turns, one event of each; the second ends before the first does.
    let turns = [&first[..2], &second[..3], &third[..2], &second[3..], &third[2..], &first[2..]];
    check(&turns.map(<[String]>::to_vec), "end_turn", &content);
    // Ends that are left out.
    let open = [&first[..3], &second[..3], &third[..2]];
    check(&open.map(<[String]>::to_vec), "end_turn", &content);
}

#[test]
fn what_is_new_is_passed_over() {
    let text = block(
        0,
        r#"{"type":"text","text":""}"#,
        &[r#"{"type":"delta_of_tomorrow","text":"x"}"#, r#"{"type":"text_delta","text":"A"}"#],
    );
    let mut events = text;
    events.push(r#"{"type":"event_of_tomorrow","index":0}"#.into());
    check(&[events], "end_turn", r#"{"type":"text","text":"A"}"#);
}

#[test]
fn content_may_come_with_the_start() {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","content":[{"type":"tool_use","id":"t1","name":"look","input":{"x":1}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":1}}}"#;
    let response = fold(&read(&sse(&[start, STOP])).unwrap());
    let (id, name, arguments) = ("t1".into(), "look".into(), r#"{"x":1}"#.into());
    let expected = Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function });
    assert_eq!(response.choices[0].blocks, [expected]);
    assert_eq!(response.choices[0].finish, Finish::ToolCalls);
}

#[test]
fn data_may_be_padded_and_follow_the_end() {
    let stream = format!(
        "event: message_start\ndata: {START}   \n\nevent: message_stop\ndata:   {STOP} \n\ndata: [DONE]\n\n"
    );
    assert_eq!(fold(&read(&stream).unwrap()).id, "msg_1");
}

#[test]
fn later_facts_win() {
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"category":"bio"}},
        "usage":{"input_tokens":7,"cache_read_input_tokens":2,"output_tokens":9},"context_management":{"applied_edits":[]}}"#
        .replace('\n', " ");
    let response = fold(&read(&sse(&[START, &delta, STOP])).unwrap());
    let usage = response.usage.unwrap();
    assert_eq!((usage.prompt, usage.completion, usage.cached), (9, 9, Some(2)));
    assert_eq!(response.extra, [("context_management".to_owned(), raw(r#"{"applied_edits":[]}"#))]);
    assert_eq!(response.choices[0].extra, [("stop_details".to_owned(), raw(r#"{"category":"bio"}"#))]);
    assert_eq!(response.service_tier.as_deref(), Some("default"));
}

#[test]
fn broken_streams_are_faults() {
    let check = |stream: &str, kind: FaultKind, status: u16, message: &str| {
        let fault = read(stream).unwrap_err();
        assert_eq!((fault.kind, fault.status), (kind, status), "{stream}");
        assert!(fault.message.contains(message), "{}", fault.message);
    };
    let broke_off = "broke off before the answer was whole";
    check("", FaultKind::Upstream, 502, broke_off);
    check(&sse(&[START]), FaultKind::Upstream, 502, broke_off);
    check(&sse(&[START, &end("end_turn")]), FaultKind::Upstream, 502, broke_off);
    let error =
        r#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}"#;
    check(&sse(&[START, error]), FaultKind::Overloaded, 529, "Overloaded");
    check(&sse(&[error]), FaultKind::Overloaded, 529, "Overloaded");
    check("event: error\ndata: {\"error\":{\"message\":\"Odd\"}}\n\n", FaultKind::Server, 500, "Odd");
    check("event: message_start\ndata: {\"type\"\n\n", FaultKind::Upstream, 502, "not valid JSON");
    let lost = r#"{"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"x"}}"#;
    check(&sse(&[START, lost]), FaultKind::Upstream, 502, "not open");
}

#[test]
fn foreign_blocks_keep_their_dialect() {
    let start = r#"{"type":"container_upload","file_id":"f1"}"#;
    let shown = block(0, start, &[]);
    let mut events = vec![START];
    events.extend(shown.iter().map(String::as_str));
    events.push(STOP);
    let response = fold(&read(&sse(&events)).unwrap());
    let Content::Foreign { dialect, value } = &response.choices[0].blocks[0].content else { panic!() };
    assert_eq!((*dialect, value.as_str()), (Dialect::AnthropicMessages, start));
}

/// Events of a real shape, in any order.
fn any_event() -> impl Strategy<Value = String> {
    let index = 0..3_u64;
    let starts = prop::sample::select(vec![
        r#"{"type":"text","text":""}"#,
        r#"{"type":"thinking","thinking":""}"#,
        r#"{"type":"tool_use","id":"a","name":"b","input":{}}"#,
        r#"{"type":"server_tool_use","id":"a","name":"b","input":{}}"#,
        r#"7"#,
    ]);
    let deltas = prop::sample::select(vec![
        r#"{"type":"text_delta","text":"x"}"#,
        r#"{"type":"thinking_delta","thinking":"x"}"#,
        r#"{"type":"signature_delta","signature":"x"}"#,
        r#"{"type":"input_json_delta","partial_json":"{"}"#,
        r#"{"type":"citations_delta","citation":{"type":"char_location"}}"#,
        r#"null"#,
    ]);
    let whole = prop::sample::select(vec![
        START.to_owned(),
        PING.to_owned(),
        STOP.to_owned(),
        end("end_turn"),
        r#"{"type":"error","error":{}}"#.to_owned(),
        r#"{"type":"message_start","message":{"content":[{"type":"text","text":"x"},1]}}"#.to_owned(),
    ]);
    prop_oneof![
        (index.clone(), starts).prop_map(|(i, s)| format!(
            r#"{{"type":"content_block_start","index":{i},"content_block":{s}}}"#
        )),
        (index.clone(), deltas)
            .prop_map(|(i, d)| format!(r#"{{"type":"content_block_delta","index":{i},"delta":{d}}}"#)),
        index.prop_map(|i| format!(r#"{{"type":"content_block_stop","index":{i}}}"#)),
        whole,
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(test_support::read(Dialect::AnthropicMessages, &[&bytes]).1.is_err());
        let _ = Dialect::AnthropicMessages.decode(&bytes);
    }

    #[test]
    fn any_order_keeps_the_grammar_or_fails(events in prop::collection::vec(any_event(), 0..20)) {
        let lines: Vec<&str> = events.iter().map(String::as_str).collect();
        let (events, ended) = test_support::read(Dialect::AnthropicMessages, &[sse(&lines).as_bytes()]);
        prop_assert_eq!(is_whole(&events), ended.is_ok());
    }
}
