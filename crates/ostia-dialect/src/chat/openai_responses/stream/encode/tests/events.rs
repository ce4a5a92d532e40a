use serde_json::{Value, json};

use super::{accumulated, call, check_whole, options, read, told};
use crate::chat::opaque::{self, Opaque};
use crate::chat::openai_responses::stream::Encoder;
use crate::test_support::{END, begin, more, raw, say, start, stop, thought};
use crate::{
    Block, Citation, Content, Delta, Dialect, Event, Fault, FaultKind, Finish, Media, MediaKind, Signature,
    Source, ToolKind, Usage,
};

/// What the client sees of these events between the first two and the last one: type, place, and what it
/// says.
#[track_caller]
fn check(events: &[Event], expected: &[(&str, Value)]) {
    let all = [&[start()], events, &[stop(0, Finish::Stop), Event::Finish]].concat();
    let told = check_whole(&all);
    let shown: Vec<(String, Value)> = told[2..told.len() - 1].iter().map(said).collect();
    let expected: Vec<(String, Value)> =
        expected.iter().map(|(kind, said)| (format!("response.{kind}"), said.clone())).collect();
    assert_eq!(shown, expected);
}

/// An event without what [`super::accumulated`] has looked at.
fn said(event: &Value) -> (String, Value) {
    let mut event = event.clone();
    let fields = event.as_object_mut().unwrap();
    let kind = fields.remove("type").unwrap().as_str().unwrap().to_owned();
    for name in ["sequence_number", "output_index", "item_id", "content_index", "summary_index"] {
        fields.remove(name);
    }
    (kind, event)
}

fn text_part(text: &str) -> Value {
    json!({"part": {"type": "output_text", "text": text, "annotations": [], "logprobs": []}})
}

fn delta(text: &str) -> Value {
    json!({"delta": text, "logprobs": []})
}

fn message(status: &str, parts: &[Value]) -> Value {
    let parts: Vec<&Value> = parts.iter().map(|part| &part["part"]).collect();
    json!({"item": {"id": "msg_9_o0", "type": "message", "status": status, "role": "assistant", "content": parts}})
}

#[test]
fn words() {
    check(
        &[begin(Block::text("a")), say("b"), say(""), END, begin(Block::text("")), say("c"), END],
        &[
            ("output_item.added", message("in_progress", &[])),
            ("content_part.added", text_part("")),
            ("output_text.delta", delta("a")),
            ("output_text.delta", delta("b")),
            ("output_text.done", json!({"text": "ab", "logprobs": []})),
            ("content_part.done", text_part("ab")),
            ("content_part.added", text_part("")),
            ("output_text.delta", delta("c")),
            ("output_text.done", json!({"text": "c", "logprobs": []})),
            ("content_part.done", text_part("c")),
            ("output_item.done", message("completed", &[text_part("ab"), text_part("c")])),
        ],
    );
    let part = |text: &str| json!({"part": {"type": "refusal", "refusal": text}});
    check(
        &[begin(Block::new(Content::Refusal("n".into()))), say("o"), END],
        &[
            ("output_item.added", message("in_progress", &[])),
            ("content_part.added", part("")),
            ("refusal.delta", json!({"delta": "n"})),
            ("refusal.delta", json!({"delta": "o"})),
            ("refusal.done", json!({"refusal": "no"})),
            ("content_part.done", part("no")),
            ("output_item.done", message("completed", &[part("no")])),
        ],
    );
}

#[test]
fn thoughts() {
    let item = |text: &str, proof: Option<&str>| {
        let summary: Vec<Value> = [text]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| json!({"type": "summary_text", "text": text}))
            .collect();
        let mut item = json!({"id": "rs_9_o0", "type": "reasoning", "summary": summary});
        if let Some(proof) = proof {
            item["encrypted_content"] = json!(proof);
        }
        json!({"item": item})
    };
    let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
    let own = Signature { dialect: Dialect::OpenaiResponses, value: "proof".into() };
    check(
        &[begin(thought("")), say("h"), say("m"), more(Delta::Signature(own.clone())), END],
        &[
            ("output_item.added", item("", None)),
            ("reasoning_summary_part.added", part("")),
            ("reasoning_summary_text.delta", json!({"delta": "h"})),
            ("reasoning_summary_text.delta", json!({"delta": "m"})),
            ("reasoning_summary_text.done", json!({"text": "hm"})),
            ("reasoning_summary_part.done", part("hm")),
            ("output_item.done", item("hm", Some("proof"))),
        ],
    );
    let hidden = Block { signature: Some(own), ..thought("") };
    check(
        &[begin(hidden), END],
        &[("output_item.added", item("", Some("proof"))), ("output_item.done", item("", Some("proof")))],
    );
}

#[test]
fn calls() {
    let arguments = |text: &str| more(Delta::Arguments(text.into()));
    let item = |status: &str, input: &str| {
        json!({"item": {"id": "fc_9_o0", "type": "function_call", "status": status, "call_id": "c", "name": "f",
                        "arguments": input}})
    };
    check(
        &[begin(call(ToolKind::Function)), arguments("{"), arguments("}"), END],
        &[
            ("output_item.added", item("in_progress", "")),
            ("function_call_arguments.delta", json!({"delta": "{"})),
            ("function_call_arguments.delta", json!({"delta": "}"})),
            ("function_call_arguments.done", json!({"name": "f", "arguments": "{}"})),
            ("output_item.done", item("completed", "{}")),
        ],
    );
    let item = |status: &str, input: &str| {
        json!({"item": {"id": "ctc_9_o0", "type": "custom_tool_call", "status": status, "call_id": "c", "name": "f",
                        "input": input}})
    };
    check(
        &[begin(call(ToolKind::Custom)), arguments("1+1"), END],
        &[
            ("output_item.added", item("in_progress", "")),
            ("custom_tool_call_input.delta", json!({"delta": "1+1"})),
            ("custom_tool_call_input.done", json!({"input": "1+1"})),
            ("output_item.done", item("completed", "1+1")),
        ],
    );
}

#[test]
fn sources() {
    let citation = |start| Citation { url: Some("u".into()), title: None, start, end: start, value: None };
    let cite = |start| more(Delta::Citation(citation(start)));
    let note = |start: u64, end: u64| json!({"type": "url_citation", "url": "u", "title": "", "start_index": start, "end_index": end});
    let mut second = text_part("\u{e9}b");
    second["part"]["annotations"] = json!([note(0, 2), note(1, 1)]);
    check(
        &[
            begin(Block::text("a")),
            END,
            begin(Block::text("\u{e9}")),
            cite(None),
            say("b"),
            cite(Some(2)),
            END,
        ],
        &[
            ("output_item.added", message("in_progress", &[])),
            ("content_part.added", text_part("")),
            ("output_text.delta", delta("a")),
            ("output_text.done", json!({"text": "a", "logprobs": []})),
            ("content_part.done", text_part("a")),
            ("content_part.added", text_part("")),
            ("output_text.delta", delta("\u{e9}")),
            ("output_text.delta", delta("b")),
            ("output_text.annotation.added", json!({"annotation_index": 0, "annotation": note(0, 2)})),
            ("output_text.annotation.added", json!({"annotation_index": 1, "annotation": note(1, 1)})),
            ("output_text.done", json!({"text": "\u{e9}b", "logprobs": []})),
            ("content_part.done", second.clone()),
            ("output_item.done", message("completed", &[text_part("a"), second])),
        ],
    );
}

#[test]
fn logprobs_come_behind_their_words() {
    let probable = |token: &str| Event::Logprobs {
        choice: 0,
        value: raw(format!(r#"{{"content":[{{"token":"{token}"}}]}}"#)),
    };
    let tokens = |tokens: &[&str]| tokens.iter().map(|token| json!({"token": token})).collect::<Vec<_>>();
    let part = |all: &[&str], text: &str| json!({"part": {"type": "output_text", "text": text, "annotations": [], "logprobs": tokens(all)}});
    let told = |token: &str| json!({"delta": "", "logprobs": tokens(&[token])});
    check(
        // Some upstreams tell them before the first word, or behind the last.
        &[probable("a"), begin(Block::text("a")), say("b"), probable("b"), say("c"), END, probable("c")],
        &[
            ("output_item.added", message("in_progress", &[])),
            ("content_part.added", part(&[], "")),
            ("output_text.delta", delta("a")),
            ("output_text.delta", told("a")),
            ("output_text.delta", delta("b")),
            ("output_text.delta", told("b")),
            ("output_text.delta", delta("c")),
            ("output_text.delta", told("c")),
            ("output_text.done", json!({"text": "abc", "logprobs": tokens(&["a", "b", "c"])})),
            ("content_part.done", part(&["a", "b", "c"], "abc")),
            ("output_item.done", message("completed", &[part(&["a", "b", "c"], "abc")])),
        ],
    );
}

#[test]
fn proofs_of_other_blocks() {
    let gemini = Signature { dialect: Dialect::GeminiGenerate, value: "proof".into() };
    let kinds = |events: &[Event]| -> Vec<Value> {
        let all = [&[start()], events, &[stop(0, Finish::ToolCalls), Event::Finish]].concat();
        let told = told(&all);
        assert_eq!(accumulated(&told), told.last().unwrap()["response"]);
        told.last().unwrap()["response"]["output"].as_array().unwrap().clone()
    };
    let signed = Block { signature: Some(gemini.clone()), ..call(ToolKind::Function) };
    let known = kinds(&[begin(signed), END]);
    assert_eq!(known[0]["encrypted_content"], json!(opaque::encode(&Opaque::Next(gemini.clone()))));
    assert_eq!(known[1]["type"], "function_call");
    let late = more(Delta::Signature(gemini.clone()));
    let learned =
        kinds(&[begin(call(ToolKind::Function)), late.clone(), END, begin(Block::text("a")), late, END]);
    let previous = json!(opaque::encode(&Opaque::Previous(gemini)));
    let types: Vec<&Value> = learned.iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["function_call", "reasoning", "message", "reasoning"]);
    assert_eq!((&learned[1]["encrypted_content"], &learned[3]["encrypted_content"]), (&previous, &previous));
}

#[test]
fn blocks_that_come_whole() {
    let item = raw(r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#);
    let foreign = Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value: item.clone() });
    let shown = json!({"item": item.to_value()});
    check(&[begin(foreign), END], &[("output_item.added", shown.clone()), ("output_item.done", shown)]);
    let (kind, source) = (MediaKind::Image, Source::Base64("AAAA".into()));
    let image = Media { kind, source, mime: None, name: None, detail: None };
    let shown = |status: &str, result: Value| json!({"item": {"id": "ig_9_o0", "type": "image_generation_call", "status": status, "result": result}});
    check(
        &[begin(Block::new(Content::Media(image))), END],
        &[
            ("output_item.added", shown("in_progress", Value::Null)),
            ("image_generation_call.completed", json!({})),
            ("output_item.done", shown("completed", json!("AAAA"))),
        ],
    );
}

#[test]
fn an_answer_that_was_cut_off() {
    let facts = [
        Event::Meta { service_tier: Some("flex".into()), system_fingerprint: None },
        Event::Usage(Usage { prompt: 3, completion: 4, ..Usage::default() }),
        Event::Finish,
    ];
    let said = [start(), begin(thought("a")), END, begin(Block::text("b")), END, stop(0, Finish::Length)];
    let told = check_whole(&[&said[..], &facts].concat());
    let last = told.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(last["response"]["output"][1]["status"], "incomplete");
    assert_eq!(last["response"]["usage"]["total_tokens"], 7);
    assert_eq!(last["response"]["service_tier"], "flex");
}

#[test]
fn only_one_answer_is_told() {
    let other = |event: Event| match event {
        Event::BlockStart { block, .. } => Event::BlockStart { choice: 1, block },
        Event::Stop { finish, native, stop_sequence, .. } => {
            Event::Stop { choice: 1, finish, native, stop_sequence }
        }
        _ => Event::BlockEnd { choice: 1 },
    };
    let second = [other(begin(Block::text("b"))), other(END), other(stop(0, Finish::Length))];
    let first = [begin(Block::text("a")), END, stop(0, Finish::Stop)];
    let told = check_whole(&[&[start()], &second[..1], &first, &second[1..], &[Event::Finish]].concat());
    let response = &told.last().unwrap()["response"];
    assert_eq!((&response["status"], response["output"].as_array().unwrap().len()), (&json!("completed"), 1));
    assert_eq!(response["output"][0]["content"][0]["text"], "a");
}

#[test]
fn an_answer_without_words() {
    let told = check_whole(&[start(), stop(0, Finish::Stop), Event::Finish]);
    assert_eq!(told.len(), 3);
    assert_eq!(told[2]["response"]["output"], json!([]));
}

#[test]
fn a_failure_ends_the_stream_with_what_was_said() {
    let (mut encoder, mut out) = (Encoder::new(options()), Vec::new());
    for event in [start(), begin(Block::text("a")), END, begin(call(ToolKind::Function))] {
        encoder.push(&event, &mut out);
    }
    let fault = Fault::new(FaultKind::Overloaded, "busy").with_param("model");
    encoder.fail(&fault, &mut out);
    let events = read(&out);
    let [.., error, failed] = &events[..] else { panic!("{events:?}") };
    let told = json!({"code": "server_error", "message": "busy", "param": "model"});
    for (name, value) in told.as_object().unwrap() {
        assert_eq!((&error[name], &error["error"][name]), (value, value));
    }
    assert_eq!((&error["type"], &error["error"]["type"]), (&json!("error"), &json!("overloaded_error")));
    assert_eq!(failed["type"], "response.failed");
    let response = &failed["response"];
    assert_eq!(response["status"], "failed");
    assert_eq!(response["error"], json!({"code": "server_error", "message": "busy"}));
    assert_eq!(response["output"][0]["content"][0]["text"], "a");
    assert_eq!(response["output"][1]["status"], "incomplete");
    assert_eq!(encoder.whole(), None);
}

#[test]
fn a_failure_before_the_start_is_told_too() {
    let mut out = Vec::new();
    Encoder::new(options()).fail(&Fault::upstream("broke off"), &mut out);
    let kinds: Vec<Value> = read(&out).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["error", "response.failed"]);
}

#[test]
fn an_answer_that_is_too_large_breaks_off() {
    let (mut encoder, mut out) = (Encoder::new(options()), Vec::new());
    encoder.bytes_left = 5000;
    for event in [start(), begin(Block::text("a"))] {
        encoder.push(&event, &mut out);
    }
    let held = encoder.bytes_left;
    assert_eq!(read(&out).last().unwrap()["delta"], "a");
    encoder.push(&say(&"b".repeat(held)), &mut out);
    let events = read(&out);
    assert_eq!(events.last().unwrap()["type"], "response.failed");
    for event in [say("c"), END, stop(0, Finish::Stop), Event::Finish] {
        encoder.push(&event, &mut out);
    }
    encoder.fail(&Fault::upstream("broke off"), &mut out);
    assert_eq!((read(&out), encoder.whole()), (events, None));
}
