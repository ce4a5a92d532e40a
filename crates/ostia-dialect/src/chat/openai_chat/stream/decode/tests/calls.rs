//! Calls whose pieces come in any order, and in any of the ways in which servers name them.

use serde_json::{Value, json};

use super::{call, check_deltas, chunk, end, fails, frames, piece};
use crate::frame::Frame;
use crate::test_support::{self, fold};
use crate::{Content, Decoder, Dialect, Event};

const X: &str = "{\"x\":1}";
const Y: &str = "{\"y\":2}";

fn two() -> Value {
    json!({"tool_calls": [call("a", "f", X), call("b", "g", Y)]})
}

/// Pieces of calls, each as index, id, name, arguments.
#[track_caller]
fn check(pieces: &[(u32, &'static str, &'static str, &str)], message: &Value) {
    let told = pieces.iter().map(|(index, id, name, arguments)| {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        piece(Some(*index), some(id), some(name), arguments)
    });
    check_deltas(&told.collect::<Vec<_>>(), "tool_calls", message.clone());
}

#[test]
fn pieces_of_several_calls_may_alternate() {
    check(
        &[(0, "a", "f", "{\"x\""), (1, "b", "g", "{\"y\""), (0, "", "", ":1}"), (1, "", "", ":2}")],
        &two(),
    );
    check(
        &[(0, "a", "f", ""), (1, "b", "g", ""), (1, "", "", Y), (0, "", "", "{\"x\":"), (0, "", "", "1}")],
        &two(),
    );
    // All of index 0: the id tells which.
    check(
        &[(0, "a", "f", "{\"x\":"), (0, "b", "g", "{\"y\":"), (0, "a", "", "1}"), (0, "b", "", "2}")],
        &two(),
    );
    // The first has no arguments at all.
    let bare = json!({"tool_calls": [call("a", "f", "{}"), call("b", "g", Y)]});
    check(&[(0, "a", "f", ""), (1, "b", "g", "{\"y\":"), (1, "", "", "2}")], &bare);
    // White space behind a call that is whole.
    check(&[(0, "a", "f", X), (1, "b", "g", "{\"y\":"), (0, "", "", " "), (1, "", "", "2}")], &two());
}

#[test]
fn ids_and_names_may_come_late_or_in_pieces_or_again() {
    for first in [(0, "", "f", ""), (0, "a", "", ""), (0, "a", "f", "")] {
        check(&[first, (0, "a", "f", "{\"x\":"), (0, "", "", "1}"), (1, "b", "g", Y)], &two());
    }
    check(&[(0, "a", "", "{\"x\":"), (0, "", "f", "1}"), (1, "b", "g", Y)], &two());
    check(&[(0, "", "f", ""), (0, "a", "", X), (1, "", "g", ""), (1, "b", "", Y)], &two());
    // A new id with every piece.
    check(&[(0, "a", "f", "{\"x\":"), (0, "c", "", "1"), (0, "d", "", "}"), (1, "b", "g", Y)], &two());
    // An index that is used again.
    check(&[(0, "a", "f", X), (0, "b", "g", ""), (0, "", "", Y)], &two());
    check(&[(0, "a", "f", X), (0, "b", "", ""), (0, "b", "g", Y)], &two());
    // The same tool twice, without ids.
    let same = json!({"tool_calls": [call("", "f", X), call("", "f", Y)]});
    check(&[(0, "", "f", X), (0, "", "f", Y)], &same);
    let name = |name: &str| json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": name}}]});
    let message = json!({"tool_calls": [call("a", "get_weather", X)]});
    check_deltas(&[name("get_"), name("weather"), piece(Some(0), None, None, X)], "tool_calls", message);
}

#[test]
fn words_between_the_pieces_of_a_call_do_not_end_it() {
    let open = piece(Some(0), Some("a"), Some("f"), "{\"x\":");
    let rest = piece(Some(0), None, None, "1}");
    for between in [json!({"content": "\n"}), json!({"reasoning": "hm"}), json!({"refusal": "no"})] {
        let mut message = json!({"tool_calls": [call("a", "f", X)]});
        let field = between.as_object().unwrap().iter().next().unwrap();
        message[field.0] = field.1.clone();
        let stream = frames(&[
            chunk(0, open.clone(), None),
            chunk(0, between, None),
            chunk(0, rest.clone(), None),
            end("tool_calls"),
        ]);
        let (events, ended) = test_support::read_cut(Dialect::OpenaiChat, stream.as_bytes());
        ended.unwrap();
        let told = fold(&events).choices.remove(0);
        assert_eq!(told.blocks[0], test_support::call("a", "f", X));
        assert_eq!(told.blocks.len(), 2, "{told:?}");
    }
}

/// How many calls have begun after each of these deltas.
#[track_caller]
fn check_begun(deltas: &[Value], begun: &[usize]) {
    let (mut decoder, mut events) = (Decoder::new(Dialect::OpenaiChat), Vec::new());
    let is_call = |event: &&Event| matches!(event, Event::BlockStart { block, .. } if matches!(block.content, Content::ToolCall { .. }));
    for (delta, begun) in deltas.iter().zip(begun) {
        let data = chunk(0, delta.clone(), None).to_string();
        decoder.push(Frame { event: "", data: data.as_bytes() }, &mut events).unwrap();
        assert_eq!(events.iter().filter(is_call).count(), *begun, "{delta}");
    }
}

#[test]
fn calls_in_order_are_told_at_once() {
    let first = piece(Some(0), Some("a"), Some("f"), "");
    let second = piece(Some(1), Some("b"), Some("g"), "");
    let more = |index, arguments| piece(Some(index), None, None, arguments);
    check_begun(&[first.clone(), more(0, X), second.clone(), more(1, Y)], &[1, 1, 2, 2]);
    // The second waits for the first, and no longer.
    check_begun(&[first, second, more(1, Y), more(0, "{\"x\":"), more(0, "1}")], &[1, 1, 1, 1, 2]);
}

#[test]
fn what_belongs_to_no_call_is_a_fault() {
    let stream = |pieces: &[Value]| {
        let chunks: Vec<Value> = pieces.iter().map(|piece| chunk(0, piece.clone(), None)).collect();
        frames(&chunks) + &frames(&[end("tool_calls")])
    };
    let nameless = fails(&stream(&[piece(Some(0), Some("a"), None, X)]));
    assert!(nameless.message.contains("has no name"), "{nameless}");
    let whole = piece(Some(0), Some("a"), Some("f"), X);
    let late = piece(Some(0), None, None, "}");
    let ended = fails(&stream(&[whole, json!({"content": "x"}), late]));
    assert!(ended.message.contains("not open"), "{ended}");
    let cut = frames(&[chunk(0, piece(Some(0), Some("a"), Some("f"), "{\"x\":"), None)]) + "data: [DONE]\n\n";
    assert!(fails(&cut).message.contains("in the middle"));
    let long = piece(Some(0), Some("a"), None, &"x".repeat(1 << 20));
    let (_, endless) = test_support::read(Dialect::OpenaiChat, &[stream(&[long.clone(), long]).as_bytes()]);
    assert!(endless.unwrap_err().message.contains("without its name"));
    // An id that no call follows is none.
    let (events, ended) =
        test_support::read(Dialect::OpenaiChat, &[stream(&[piece(Some(0), Some("a"), None, "")]).as_bytes()]);
    ended.unwrap();
    assert!(fold(&events).choices[0].blocks.is_empty());
}

#[test]
fn halves_of_characters_meet_in_words_and_arguments() {
    let delta = |fields: &str| format!(r#"data: {{"choices":[{{"index":0,"delta":{{{fields}}}}}]}}"#);
    let call = |fields: &str| delta(&format!(r#""tool_calls":[{{"index":0,{fields}}}]"#));
    let lines = [
        delta(r#""reasoning":"a\ud83d""#),
        delta(r#""reasoning":"\ude00b""#),
        delta(r#""content":"c\ud83d""#),
        delta(r#""content":[{"type":"text","text":"\ude01\ud83d"}]"#),
        call(r#""id":"a","function":{"name":"f","arguments":"{\"x\":\"\ud83d"}"#),
        call(r#""function":{"arguments":"\ude02\"}"}"#),
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#.to_owned(),
    ];
    let (events, ended) =
        test_support::read_cut(Dialect::OpenaiChat, lines.map(|line| line + "\n\n").concat().as_bytes());
    ended.unwrap();
    let blocks = fold(&events).choices.remove(0).blocks;
    let call = test_support::call("a", "f", "{\"x\":\"\u{1f602}\"}");
    let (thought, text) = (test_support::thought("a\u{1f600}b"), crate::Block::text("c\u{1f601}"));
    assert_eq!(blocks, [thought, text, call, crate::Block::text("\u{fffd}")]);
}
