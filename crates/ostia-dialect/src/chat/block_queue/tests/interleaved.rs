//! Blocks that are said side by side come to the same answer as blocks that are said one after the other, in every
//! dialect whose events tell which block they are about, wherever their texts are cut.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::test_support::{fold, read};
use crate::{Block, Content, Dialect, Response};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
    Call,
    Custom,
}

/// A block, and where its text is cut.
#[derive(Debug, Clone)]
struct Said {
    kind: Kind,
    text: String,
    cuts: Vec<Index>,
}

fn said(kinds: &'static [Kind]) -> impl Strategy<Value = Vec<Said>> {
    let words = prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n{}é🦀😀]{1,5}"];
    let one = (prop::sample::select(kinds), words, prop::collection::vec(any::<Index>(), 0..4));
    let one = one.prop_map(|(kind, words, cuts)| {
        let text = if kind == Kind::Call { json!({"x": words, "y": [1, {}]}).to_string() } else { words };
        Said { kind, text, cuts }
    });
    prop::collection::vec(one, 1..6)
}

impl Said {
    /// The pieces of the text as JSON strings, cut between any two units of UTF-16.
    fn pieces(&self) -> Vec<String> {
        let units: Vec<u16> = self.text.encode_utf16().collect();
        let mut ends: Vec<usize> = self.cuts.iter().map(|cut| cut.index(units.len() + 1)).collect();
        ends.push(units.len());
        ends.sort_unstable();
        let mut from = 0;
        ends.into_iter().map(|end| literal(&units[std::mem::replace(&mut from, end)..end])).collect()
    }
}

fn literal(units: &[u16]) -> String {
    let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{escaped}\"")
}

/// The events of one block in a dialect, of which the first begins it.
type Tell = fn(usize, &Said) -> Vec<String>;

fn chat(at: usize, said: &Said) -> Vec<String> {
    let field = match said.kind {
        Kind::Text => "content",
        Kind::Thought => "reasoning_content",
        Kind::Call | Kind::Custom => return chat_call(at, said),
    };
    let delta =
        |piece: String| format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"{field}":{piece}}}}}]}}"#);
    said.pieces().into_iter().map(delta).collect()
}

fn chat_call(at: usize, said: &Said) -> Vec<String> {
    let (kind, input) = if said.kind == Kind::Call { ("function", "arguments") } else { ("custom", "input") };
    let piece = |(number, piece): (usize, String)| {
        let (id, name) = match number {
            0 => (format!(r#""id":"c{at}","type":"{kind}","#), r#""name":"f","#),
            _ => (String::new(), ""),
        };
        let call = format!(r#"{{{id}"index":{at},"{kind}":{{{name}"{input}":{piece}}}}}"#);
        format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#)
    };
    said.pieces().into_iter().enumerate().map(piece).collect()
}

fn messages(at: usize, said: &Said) -> Vec<String> {
    let (block, delta, field) = match said.kind {
        Kind::Text => (json!({"type": "text", "text": ""}), "text_delta", "text"),
        Kind::Thought => (json!({"type": "thinking", "thinking": ""}), "thinking_delta", "thinking"),
        Kind::Call | Kind::Custom => (
            json!({"type": "tool_use", "id": format!("c{at}"), "name": "f", "input": {}}),
            "input_json_delta",
            "partial_json",
        ),
    };
    let more = |piece: String| {
        let delta = format!(r#"{{"type":"{delta}","{field}":{piece}}}"#);
        format!(r#"{{"type":"content_block_delta","index":{at},"delta":{delta}}}"#)
    };
    let begin = json!({"type": "content_block_start", "index": at, "content_block": block}).to_string();
    let end = json!({"type": "content_block_stop", "index": at}).to_string();
    [begin].into_iter().chain(said.pieces().into_iter().map(more)).chain([end]).collect()
}

fn responses(at: usize, said: &Said) -> Vec<String> {
    let item = item(at, said);
    let delta = match said.kind {
        Kind::Text => "output_text",
        Kind::Thought => "reasoning_summary_text",
        Kind::Call => "function_call_arguments",
        Kind::Custom => "custom_tool_call_input",
    };
    let more =
        |piece: String| format!(r#"{{"type":"response.{delta}.delta","output_index":{at},"delta":{piece}}}"#);
    let bare = match said.kind {
        Kind::Text | Kind::Thought => json!({"type": item["type"]}),
        Kind::Call | Kind::Custom => json!({"type": item["type"], "call_id": item["call_id"], "name": "f"}),
    };
    let begin = json!({"type": "response.output_item.added", "output_index": at, "item": bare}).to_string();
    let end = json!({"type": "response.output_item.done", "output_index": at, "item": item}).to_string();
    [begin].into_iter().chain(said.pieces().into_iter().map(more)).chain([end]).collect()
}

fn item(at: usize, said: &Said) -> Value {
    let (text, id) = (&said.text, format!("c{at}"));
    match said.kind {
        Kind::Text => json!({"type": "message", "content": [{"type": "output_text", "text": text}]}),
        Kind::Thought => json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}),
        Kind::Call => json!({"type": "function_call", "call_id": id, "name": "f", "arguments": text}),
        Kind::Custom => json!({"type": "custom_tool_call", "call_id": id, "name": "f", "input": text}),
    }
}

fn cohere(at: usize, said: &Said) -> Vec<String> {
    let told = |kind: &str, message: String| {
        format!(r#"{{"type":"{kind}","index":{at},"delta":{{"message":{message}}}}}"#)
    };
    let part = |kind: &str, piece: &str| match said.kind {
        Kind::Text => told(kind, format!(r#"{{"content":{{"type":"text","text":{piece}}}}}"#)),
        Kind::Thought => told(kind, format!(r#"{{"content":{{"type":"thinking","thinking":{piece}}}}}"#)),
        Kind::Call | Kind::Custom => told(
            kind,
            format!(r#"{{"tool_calls":{{"id":"c{at}","function":{{"name":"f","arguments":{piece}}}}}}}"#),
        ),
    };
    let is_call = matches!(said.kind, Kind::Call | Kind::Custom);
    let [begin, more, end] = match is_call {
        true => ["tool-call-start", "tool-call-delta", "tool-call-end"],
        false => ["content-start", "content-delta", "content-end"],
    };
    let pieces = said.pieces();
    let more = pieces.iter().map(|piece| part(more, piece));
    let end = json!({"type": end, "index": at}).to_string();
    [part(begin, "\"\"")].into_iter().chain(more).chain([end]).collect()
}

/// The events of all blocks: each block's in their order, and beginnings in the order of the blocks.
fn interleaved(blocks: &[Said], turns: &[Index], tell: Tell) -> Vec<String> {
    let mut queues: Vec<VecDeque<String>> =
        blocks.iter().enumerate().map(|(at, said)| tell(at, said).into()).collect();
    let (mut told, mut begun) = (Vec::new(), 0);
    for turn in turns {
        let may_speak: Vec<usize> =
            (0..queues.len().min(begun + 1)).filter(|at| !queues[*at].is_empty()).collect();
        if may_speak.is_empty() {
            break;
        }
        let at = may_speak[turn.index(may_speak.len())];
        begun = begun.max(at + 1);
        told.extend(queues[at].pop_front());
    }
    told.extend(queues.into_iter().flatten());
    told
}

/// The answer of a stream of these events between a beginning and an end, cut in two.
fn answer(dialect: Dialect, begin: &str, told: &[String], end: &str, cut: Index) -> Response {
    let events = [begin].into_iter().chain(told.iter().map(String::as_str)).chain([end]);
    let stream: String = events.map(|event| format!("data: {event}\n\n")).collect();
    let (head, tail) = stream.as_bytes().split_at(cut.index(stream.len()));
    let (events, ended) = read(dialect, &[head, tail]);
    ended.unwrap_or_else(|fault| panic!("{fault}: {stream}"));
    fold(&events)
}

/// Words by kind, and calls in order: Chat Completions numbers only its calls.
fn by_kind(response: &Response) -> (String, String, Vec<Block>) {
    let (mut text, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    for block in &response.choices[0].blocks {
        match &block.content {
            Content::Text { text: more, .. } => text.push_str(more),
            Content::Reasoning(more) => thoughts.push_str(more),
            _ => calls.push(block.clone()),
        }
    }
    (text, thoughts, calls)
}

/// The same blocks, whole and one after the other.
fn ordered(blocks: &[Said], tell: Tell) -> Vec<String> {
    let whole = blocks.iter().map(|said| Said { cuts: Vec::new(), ..said.clone() });
    whole.enumerate().flat_map(|(at, said)| tell(at, &said)).collect()
}

const ALL: &[Kind] = &[Kind::Text, Kind::Thought, Kind::Call, Kind::Custom];
const WITHOUT_FREE_TEXT: &[Kind] = &[Kind::Text, Kind::Thought, Kind::Call];

fn turns() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..40)
}

proptest! {
    #[test]
    fn chat_completions(mut blocks in said(ALL), turns in turns(), cut in any::<Index>()) {
        // Words have no index: two texts that alternate are one.
        let mut words = Vec::new();
        blocks.retain(|said| {
            let is_call = matches!(said.kind, Kind::Call | Kind::Custom);
            let is_new = is_call || !words.contains(&said.kind);
            words.push(said.kind);
            is_new
        });
        let end = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
        let begin = r#"{"id":"a","choices":[{"index":0,"delta":{"role":"assistant"}}]}"#;
        let answer = |told: &[String]| answer(Dialect::OpenaiChat, begin, told, end, cut);
        let side_by_side = answer(&interleaved(&blocks, &turns, chat));
        let in_order = answer(&ordered(&blocks, chat));
        prop_assert_eq!(by_kind(&side_by_side), by_kind(&in_order));
        prop_assert_eq!(side_by_side.choices[0].finish, in_order.choices[0].finish);
        prop_assert_eq!(in_order.choices[0].blocks.len() <= blocks.len(), true);
    }

    #[test]
    fn messages_events(blocks in said(WITHOUT_FREE_TEXT), turns in turns(), cut in any::<Index>()) {
        let begin = r#"{"type":"message_start","message":{"id":"a","model":"m","content":[]}}"#;
        let end = r#"{"type":"message_stop"}"#;
        let answer = |told: &[String]| answer(Dialect::AnthropicMessages, begin, told, end, cut);
        let side_by_side = answer(&interleaved(&blocks, &turns, messages));
        prop_assert_eq!(side_by_side.choices[0].blocks.len(), blocks.len());
        prop_assert_eq!(side_by_side, answer(&ordered(&blocks, messages)));
    }

    #[test]
    fn responses_events(blocks in said(ALL), turns in turns(), cut in any::<Index>()) {
        let begin = r#"{"type":"response.created","response":{"id":"a","model":"m"}}"#;
        let output: Vec<Value> = blocks.iter().enumerate().map(|(at, said)| item(at, said)).collect();
        let end = json!({"type": "response.completed", "response": {"id": "a", "model": "m",
            "status": "completed", "output": output}}).to_string();
        let answer = |told: &[String]| answer(Dialect::OpenaiResponses, begin, told, &end, cut);
        let side_by_side = answer(&interleaved(&blocks, &turns, responses));
        prop_assert_eq!(side_by_side.choices[0].blocks.len(), blocks.len());
        prop_assert_eq!(side_by_side, answer(&ordered(&blocks, responses)));
    }

    #[test]
    fn cohere_events(blocks in said(WITHOUT_FREE_TEXT), turns in turns(), cut in any::<Index>()) {
        let begin = r#"{"type":"message-start","id":"a"}"#;
        let end = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#;
        let answer = |told: &[String]| answer(Dialect::CohereChat, begin, told, end, cut);
        let side_by_side = answer(&interleaved(&blocks, &turns, cohere));
        prop_assert_eq!(side_by_side.choices[0].blocks.len(), blocks.len());
        prop_assert_eq!(side_by_side, answer(&ordered(&blocks, cohere)));
    }
}
