#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Decoder;
use crate::test_support::{self, fold, is_whole, read_cut};
use crate::{Block, Content, Delta, Dialect, Event, Finish, Media, MediaKind, Signature, Source, ToolKind};

fn sse(data: &[Value]) -> Vec<u8> {
    let frame = |data: &Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or("x"));
    data.iter().map(frame).collect::<String>().into_bytes()
}

/// The Response object with these items.
fn whole(status: &str, output: Value) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 7, "model": "m", "status": status, "output": output})
}

/// The events of the stream that begins, says this and ends with these items: the same for every split.
fn said(data: &[Value], output: Value) -> Vec<Event> {
    let begin = json!({"type": "response.created", "response": whole("in_progress", json!([]))});
    let end = json!({"type": "response.completed", "response": whole("completed", output)});
    let bytes = sse(&[&[begin], data, &[end]].concat());
    let (events, ended) = read_cut(Dialect::OpenaiResponses, &bytes);
    ended.unwrap();
    assert!(is_whole(&events));
    events
}

/// A stream comes to the same answer as its last object, which has these blocks.
fn check(data: &[Value], output: Value, blocks: &[Block]) {
    let answer = fold(&said(data, output.clone()));
    assert_eq!(answer.choices[0].blocks, blocks);
    assert_eq!(
        Dialect::OpenaiResponses.decode(whole("completed", output).to_string().as_bytes()).unwrap(),
        answer
    );
}

fn added(index: u64, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn done(index: u64, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

/// An event of the first part of an item.
fn on(index: u64, kind: &str, fields: Value) -> Value {
    let mut event = json!({"type": format!("response.{kind}"), "output_index": index, "content_index": 0});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

fn message(text: &str) -> Value {
    let part = json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
}

fn function_call(call: &str, arguments: &str) -> Value {
    json!({"id": format!("fc_{call}"), "type": "function_call", "call_id": call, "name": "f", "arguments": arguments})
}

fn call(id: &str, arguments: &str, kind: ToolKind) -> Block {
    let (id, name, arguments) = (id.into(), "f".into(), arguments.into());
    Block::new(Content::ToolCall { id, name, arguments, kind })
}

fn own(value: &str) -> Option<Signature> {
    Some(Signature { dialect: Dialect::OpenaiResponses, value: value.into() })
}

fn thought(text: &str, proof: Option<&str>) -> Block {
    let mut block = Block::new(Content::Reasoning(text.into()));
    block.signature = proof.and_then(own);
    block
}

fn foreign(item: &Value) -> Block {
    let value = crate::json::Json::from_value(item);
    Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value })
}

#[test]
fn words_go_on_at_once() {
    let message = message("Grüß Gott");
    let data = [
        added(0, json!({"id": "msg_1", "type": "message", "role": "assistant", "content": []})),
        on(0, "content_part.added", json!({"part": {"type": "output_text", "text": ""}})),
        on(0, "output_text.delta", json!({"delta": "Grüß ", "logprobs": [], "obfuscation": "x"})),
        on(0, "output_text.delta", json!({"delta": "Gott"})),
        on(0, "output_text.done", json!({"text": "Grüß Gott"})),
        on(0, "content_part.done", json!({"part": message["content"][0]})),
        done(0, &message),
    ];
    check(&data, json!([message]), &[Block::text("Grüß Gott")]);
    let deltas = said(&data, json!([message])).into_iter().filter_map(|event| match event {
        Event::Delta { delta: Delta::Text(text), .. } => Some(text),
        _ => None,
    });
    assert_eq!(deltas.collect::<Vec<_>>(), ["Grüß ", "Gott"]);
}

#[test]
fn what_a_server_leaves_out_is_made_good() {
    let output = json!([message("Hi"), function_call("c1", "{}")]);
    let blocks = [Block::text("Hi"), call("c1", "{}", ToolKind::Function)];
    let (text, calls) = (&output[0], &output[1]);
    let streams: [&[Value]; 7] = [
        // Nothing but the end.
        &[],
        // Whole items only.
        &[done(0, text), done(1, calls)],
        // Whole parts only.
        &[on(0, "output_text.done", json!({"text": "Hi"})), done(0, text), done(1, calls)],
        &[on(0, "content_part.done", json!({"part": text["content"][0]})), done(0, text), done(1, calls)],
        // Deltas of items that never began, and whose end is told only by the last object.
        &[on(0, "output_text.delta", json!({"delta": "Hi"}))],
        // No deltas for the arguments; the name comes with the whole item.
        &[
            done(0, text),
            added(1, json!({"type": "function_call", "id": "fc_c1"})),
            on(1, "function_call_arguments.delta", json!({"delta": "{}"})),
            on(1, "function_call_arguments.done", json!({"arguments": "{}"})),
            done(1, calls),
        ],
        // No places: what comes next belongs to the open item.
        &[
            json!({"type": "response.output_text.delta", "delta": "Hi"}),
            json!({"type": "response.output_item.done", "item": text}),
            json!({"type": "response.output_item.added", "item": calls}),
            json!({"type": "response.output_item.done", "item": calls}),
        ],
    ];
    for data in streams {
        check(data, output.clone(), &blocks);
    }
    // The last object may have no output at all.
    let answer = fold(&said(&[done(0, text), done(1, calls)], json!([])));
    assert_eq!(
        (answer.choices[0].blocks.as_slice(), answer.choices[0].finish),
        (&blocks[..], Finish::ToolCalls)
    );
}

#[test]
fn items_that_are_said_side_by_side_come_one_after_the_other() {
    let thought_item = json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
    let items = [message("ab"), thought_item, function_call("c1", "{\"a\":1}"), function_call("c2", "{}")];
    let data = [
        added(0, json!({"type": "message", "id": "msg_1", "content": []})),
        on(0, "output_text.delta", json!({"delta": "a"})),
        added(1, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        added(2, json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""})),
        on(2, "function_call_arguments.delta", json!({"delta": "{\"a\""})),
        added(3, json!({"type": "function_call", "call_id": "c2", "name": "f", "arguments": ""})),
        on(0, "output_text.delta", json!({"delta": "b"})),
        done(3, &items[3]),
        on(2, "function_call_arguments.delta", json!({"delta": ":1}"})),
        done(0, &items[0]),
        done(1, &items[1]),
        // Late news of what is whole says nothing.
        on(0, "output_text.delta", json!({"delta": "c"})),
        on(2, "function_call_arguments.done", json!({"arguments": "{\"a\":1}"})),
        done(2, &items[2]),
    ];
    let blocks = [
        Block::text("ab"),
        thought("", Some("gAAA")),
        call("c1", "{\"a\":1}", ToolKind::Function),
        call("c2", "{}", ToolKind::Function),
    ];
    check(&data, json!(items), &blocks);
    // The ends of the later ones may be missing, too.
    check(&data[..10], json!(items), &blocks);
}

#[test]
fn the_frame_may_name_the_event() {
    let data = [
        added(0, json!({"type": "message", "id": "msg_1", "content": []})),
        added(1, json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""})),
        on(1, "function_call_arguments.delta", json!({"delta": "{}"})),
        on(0, "output_text.delta", json!({"delta": "a"})),
        done(0, &message("a")),
        done(1, &function_call("c1", "{}")),
        json!({"type": "response.completed", "response": whole("completed", json!([]))}),
    ];
    let untyped = |event: &Value| {
        let mut event = event.clone();
        let kind = event.as_object_mut().unwrap().remove("type").unwrap();
        format!("event: {}\ndata: {event}\n\n", kind.as_str().unwrap())
    };
    let bytes = data.iter().map(untyped).collect::<String>();
    let named = read_cut(Dialect::OpenaiResponses, bytes.as_bytes());
    assert!(is_whole(&named.0));
    assert_eq!(named, read_cut(Dialect::OpenaiResponses, &sse(&data)));
}

#[test]
fn items_that_all_have_the_same_number_are_told_apart() {
    let calls = [function_call("c1", "{}"), function_call("c2", "{}")];
    let data =
        [added(0, calls[0].clone()), done(0, &calls[0]), added(0, calls[1].clone()), done(0, &calls[1])];
    let blocks = [call("c1", "{}", ToolKind::Function), call("c2", "{}", ToolKind::Function)];
    check(&data, json!(calls), &blocks);
}

#[test]
fn thoughts_are_one_block_with_their_proof() {
    let item = json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAA", "summary": [
        {"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]});
    let summary = |at: u64, kind: &str, fields: Value| {
        let mut event = on(0, &format!("reasoning_summary_{kind}"), fields);
        event["summary_index"] = at.into();
        event.as_object_mut().unwrap().remove("content_index");
        event
    };
    let data = [
        added(0, json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "early", "summary": []})),
        summary(0, "part.added", json!({"part": {"type": "summary_text", "text": ""}})),
        summary(0, "text.delta", json!({"delta": "On"})),
        summary(0, "text.delta", json!({"delta": "e."})),
        summary(0, "text.done", json!({"text": "One."})),
        summary(0, "part.done", json!({"part": item["summary"][0]})),
        summary(1, "text.done", json!({"text": "Two."})),
        done(0, &item),
    ];
    let block = thought("One.\n\nTwo.", Some("gAAA"));
    check(&data, json!([item]), std::slice::from_ref(&block));
    check(&[done(0, &item)], json!([item]), &[block]);

    let open = json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Short."}],
        "content": [{"type": "reasoning_text", "text": "Long."}]});
    let data = [
        on(0, "reasoning_text.delta", json!({"delta": "Long."})),
        on(0, "content_part.done", json!({"part": open["content"][0]})),
        done(0, &open),
    ];
    check(&data, json!([open]), &[thought("Long.\n\nShort.", None)]);

    // With neither words nor proof there is nothing to say.
    let empty = json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": null});
    check(&[added(0, empty.clone()), done(0, &empty)], json!([empty, message("")]), &[]);
}

#[test]
fn calls_of_either_kind() {
    let custom =
        json!({"id": "ctc_1", "type": "custom_tool_call", "call_id": "c1", "name": "f", "input": "a b"});
    let mut program = function_call("c2", "{\"a\":1}");
    program["caller"] = json!({"type": "program", "caller_id": "p"});
    let mut direct = function_call("c3", "");
    direct["caller"] = json!({"type": "direct"});
    let mut signed = call("c2", "{\"a\":1}", ToolKind::Function);
    signed.signature = own(r#"{"caller":{"type":"program","caller_id":"p"}}"#);
    let data = [
        added(0, json!({"type": "custom_tool_call", "call_id": "c1", "name": "f", "input": ""})),
        on(0, "custom_tool_call_input.delta", json!({"delta": "a "})),
        on(0, "custom_tool_call_input.delta", json!({"delta": "b"})),
        on(0, "custom_tool_call_input.done", json!({"input": "a b"})),
        done(0, &custom),
        added(1, function_call("c2", "")),
        on(1, "function_call_arguments.delta", json!({"delta": "{\"a\":1}"})),
        done(1, &program),
        added(2, direct.clone()),
        done(2, &direct),
    ];
    let blocks = [call("c1", "a b", ToolKind::Custom), signed, call("c3", "{}", ToolKind::Function)];
    check(&data, json!([custom, program, direct]), &blocks);
}

#[test]
fn sources_count_from_the_start_of_the_answer() {
    let source = |at: u64| json!({"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": at, "end_index": at + 1});
    let file = json!({"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 3});
    let part =
        |text: &str, sources: Value| json!({"type": "output_text", "text": text, "annotations": sources});
    let item = json!({"type": "message", "id": "msg_1", "content": [
        part("Größe", json!([source(1)])), part("zwei", json!([source(2), file]))]});
    let second = |mut event: Value| {
        event["content_index"] = 1.into();
        event
    };
    let data = [
        on(0, "output_text.delta", json!({"delta": "Größe"})),
        on(0, "output_text.annotation.added", json!({"annotation": source(1), "annotation_index": 0})),
        on(0, "content_part.done", json!({"part": item["content"][0]})),
        second(on(0, "output_text.delta", json!({"delta": "zwei"}))),
        second(on(0, "output_text_annotation.added", json!({"annotation": source(2)}))),
        done(0, &item),
    ];
    let answer = fold(&said(&data, json!([item])));
    let places = answer.choices[0].blocks.iter().flat_map(|block| match &block.content {
        Content::Text { citations, .. } => {
            citations.iter().map(|one| (one.title.as_deref(), one.start, one.end)).collect()
        }
        _ => Vec::new(),
    });
    let expected =
        [(Some("X"), Some(1), Some(2)), (Some("X"), Some(7), Some(8)), (Some("a.pdf"), None, None)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    check(&data, json!([item]), &answer.choices[0].blocks);
    check(&[done(0, &item)], json!([item]), &answer.choices[0].blocks);
}

#[test]
fn refusals_pictures_and_items_unknown_to_us() {
    let refused = json!({"type": "message", "id": "msg_1", "content": [
        {"type": "refusal", "refusal": "No."}, {"type": "output_audio", "data": "AA"}]});
    let picture =
        json!({"type": "image_generation_call", "id": "ig_1", "output_format": "webp", "result": "UklG"});
    let search =
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}});
    let failed = json!({"type": "image_generation_call", "id": "ig_2", "status": "failed", "result": null});
    let data = [
        on(0, "refusal.delta", json!({"delta": "N"})),
        on(0, "refusal.delta", json!({"delta": "o."})),
        on(0, "refusal.done", json!({"refusal": "No."})),
        done(0, &refused),
        on(1, "image_generation_call.partial_image", json!({"partial_image_b64": "x"})),
        done(1, &picture),
        added(2, json!({"type": "web_search_call", "id": "ws_1", "status": "in_progress"})),
        on(2, "web_search_call.searching", json!({"item_id": "ws_1"})),
        json!({"type": "keepalive"}),
        done(2, &search),
        done(3, &failed),
    ];
    let audio = json!({"type": "message", "role": "assistant", "content": [refused["content"][1]]});
    let image = Media {
        kind: MediaKind::Image,
        source: Source::Base64("UklG".into()),
        mime: Some("image/webp".into()),
        name: None,
        detail: None,
    };
    let blocks = [
        Block::new(Content::Refusal("No.".into())),
        foreign(&audio),
        Block::new(Content::Media(image)),
        foreign(&search),
        foreign(&failed),
    ];
    check(&data, json!([refused, picture, search, failed]), &blocks);
}

#[test]
fn log_probabilities_are_told_once() {
    let (first, second) = (json!({"token": "a", "logprob": -0.5}), json!({"token": "b", "logprob": 0}));
    let item = json!({"type": "message", "id": "msg_1", "content": [
        {"type": "output_text", "text": "ab", "annotations": [], "logprobs": [first, second]}]});
    let by_deltas = [
        on(0, "output_text.delta", json!({"delta": "a", "logprobs": [first]})),
        on(0, "output_text.delta", json!({"delta": "b", "logprobs": [second]})),
        on(0, "output_text.done", json!({"text": "ab", "logprobs": [first, second]})),
        done(0, &item),
    ];
    let at_the_end = [
        on(0, "output_text.delta", json!({"delta": "ab", "logprobs": []})),
        on(0, "output_text.done", json!({"text": "ab", "logprobs": [first, second]})),
        done(0, &item),
    ];
    for data in [by_deltas.as_slice(), &at_the_end, &[]] {
        check(data, json!([item]), &[Block::text("ab")]);
        let logprobs = fold(&said(data, json!([item]))).choices[0].logprobs.clone().unwrap();
        assert_eq!(logprobs.to_value(), json!({"content": [first, second]}));
    }
}

#[test]
fn what_breaks_off_or_fails_is_a_fault() {
    let created = || json!({"type": "response.created", "response": whole("in_progress", json!([]))});
    let word = || on(0, "output_text.delta", json!({"delta": "Hal"}));
    let failed = json!({"status": "failed", "error": {"code": "server_error", "message": "Oh."}});
    let flat =
        json!({"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": null});
    let nested = json!({"type": "error", "error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "Pay."}});
    let cases = [
        (vec![], 502, "broke off"),
        (vec![created(), word()], 502, "broke off"),
        (vec![created(), json!({"type": "response.failed", "response": failed})], 500, "Oh."),
        (vec![created(), json!({"type": "response.completed", "response": failed})], 500, "Oh."),
        (vec![created(), json!({"type": "response.failed"})], 502, "did not say why"),
        (vec![created(), json!({"type": "response.cancelled"})], 502, "called the answer off"),
        (vec![word(), flat], 429, "Slow down."),
        (vec![nested], 429, "Pay."),
        (vec![json!({"error": {"message": "Bad key.", "code": 401}})], 401, "Bad key."),
        (vec![created(), json!({"type": "response.completed"})], 502, "without a response"),
    ];
    for (data, status, message) in cases {
        let bytes = sse(&data);
        let fault = read_cut(Dialect::OpenaiResponses, &bytes).1.unwrap_err();
        assert_eq!(fault.status, status, "{fault}");
        assert!(fault.message.contains(message), "{fault}");
        assert_ne!(fault.vendor_type.as_deref(), Some("error"));
    }
    let fault = read_cut(Dialect::OpenaiResponses, b"data: {\"type\":\n\n").1.unwrap_err();
    assert!(fault.status == 502 && fault.message.contains("not valid JSON"), "{fault}");
}

#[test]
fn nothing_counts_after_the_end() {
    let end = json!({"type": "response.incomplete", "response": whole("incomplete", json!([message("Hi")]))});
    let late = json!({"type": "error", "message": "late"});
    let bytes = [sse(&[end, late]), b"data: [DONE]\n\n".to_vec()].concat();
    let answer = fold(&read_cut(Dialect::OpenaiResponses, &bytes).0);
    assert_eq!((answer.id.as_str(), answer.choices[0].finish), ("resp_1", Finish::Length));
}

#[test]
fn what_grows_is_bounded() {
    let begin = added(0, json!({"type": "message", "content": []}));
    let mut decoder = Decoder::default();
    let mut push = |data: &Value| {
        let text = data.to_string();
        let frame = crate::frame::Frame { event: "", data: text.as_bytes() };
        decoder.push(frame, &mut Vec::new())
    };
    push(&begin).unwrap();
    for index in 1..super::ITEMS_MAX as u64 {
        push(&added(index, json!({"type": "message"}))).unwrap();
    }
    let fault = push(&added(u64::from(u32::MAX), json!({"type": "message"}))).unwrap_err();
    assert!(fault.message.contains("items"), "{fault}");
    let words = on(
        1,
        "output_text.delta",
        json!({"delta": "x".repeat(crate::chat::block_queue::WAITING_BYTES_MAX / 2)}),
    );
    push(&words).unwrap();
    let fault = push(&words).unwrap_err();
    assert!(fault.message.contains("bytes before it ended"), "{fault}");
}

/// Events, whole and broken, in any order.
fn any_event() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        "output_item.added",
        "output_item.done",
        "content_part.done",
        "output_text.delta",
        "output_text.done",
        "output_text.annotation.added",
        "refusal.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_part.done",
        "reasoning_text.done",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "custom_tool_call_input.done",
        "completed",
        "incomplete",
    ]);
    let items = prop::sample::select(vec![
        message("ab"),
        json!({"type": "message", "content": [{"type": "refusal", "refusal": "n"}, {"type": "new"}, 7]}),
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "g"}),
        json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a": 1}}),
        json!({"type": "function_call"}),
        json!({"type": "web_search_call"}),
        json!({}),
        json!(null),
    ]);
    let parts = prop::sample::select(vec![
        json!({"type": "output_text", "text": "t", "annotations": [{"type": "url_citation"}], "logprobs": [1]}),
        json!({"type": "reasoning_text", "text": "r"}),
        json!({"type": "new"}),
        json!("x"),
    ]);
    (kinds, prop::option::of(0..3u64), 0..2u64, items, parts, "[ab]{0,2}").prop_map(
        |(kind, index, part, item, node, text)| {
            json!({"type": format!("response.{kind}"), "output_index": index, "content_index": part, "item": item,
                   "part": node, "annotation": node, "delta": text, "text": text, "arguments": text,
                   "response": whole("completed", json!([item]))})
        },
    )
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_the_grammar(
        mut data in prop::collection::vec(any_event(), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        data.push(json!({"type": "response.completed", "response": whole("completed", json!([message("z")]))}));
        let mut bytes = sse(&data);
        let (events, ended) = test_support::read(Dialect::OpenaiResponses, &[&bytes]);
        prop_assert!(ended.is_ok() && is_whole(&events));
        bytes.truncate(cut.index(bytes.len() + 1));
        let (events, ended) = test_support::read(Dialect::OpenaiResponses, &[&bytes]);
        prop_assert_eq!(is_whole(&events), ended.is_ok());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let _ = test_support::read(Dialect::OpenaiResponses, &[head, tail]);
        let _ = Dialect::OpenaiResponses.decode(&bytes);
    }
}
