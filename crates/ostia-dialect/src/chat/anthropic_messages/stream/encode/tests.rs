#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod property;

use serde_json::{Value, json};

use super::Encoder;
use crate::chat::anthropic_messages::response::encode;
use crate::chat::opaque::{self, Opaque};
use crate::frame::{Framer, Framing};
use crate::json::Json;
use crate::test_support::{END, begin, fold, more, options, raw, read_cut, stop, written};
use crate::{
    Block, ClientDialect, Content, Delta, Dialect, Event, Fault, FaultKind, Finish, Signature, ToolKind,
    Usage,
};

fn stream(events: &[Event]) -> Vec<u8> {
    written(crate::Encoder::new(ClientDialect::AnthropicMessages, options(true), false), events)
}

/// The data of the events; each has its type for a name.
fn data(stream: &[u8]) -> Vec<Value> {
    let (mut framer, mut all) = (Framer::new(Framing::Sse), Vec::new());
    framer.push(stream);
    while let Some(frame) = framer.next().unwrap() {
        let data: Value = serde_json::from_slice(frame.data).unwrap();
        assert_eq!(data["type"], frame.event);
        all.push(data);
    }
    all
}

/// The message that these events make, as the vendor's Python SDK puts it together (`lib/streaming/_messages.py`).
fn accumulate(events: &[Value]) -> Value {
    let mut message = Value::Null;
    let (mut json, mut open) = (String::new(), false);
    for event in events {
        match event["type"].as_str().unwrap() {
            "ping" => {}
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                assert!(!std::mem::replace(&mut open, true), "a block within a block");
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(event["index"], content.len());
                content.push(event["content_block"].clone());
                json.clear();
            }
            "content_block_delta" => {
                let block = &mut message["content"][event["index"].as_u64().unwrap() as usize];
                add(block, &event["delta"], &mut json);
            }
            "content_block_stop" => {
                assert!(std::mem::replace(&mut open, false), "the end of no block");
                assert_eq!(
                    event["index"].as_u64().unwrap() + 1,
                    message["content"].as_array().unwrap().len() as u64
                );
            }
            "message_delta" => {
                assert!(!open);
                for part in ["delta", "usage"] {
                    let place = if part == "delta" { &mut message } else { &mut message["usage"] };
                    for (name, value) in event[part].as_object().unwrap() {
                        place[name] = value.clone();
                    }
                }
            }
            "message_stop" => assert_eq!(Some(event), events.last()),
            other => panic!("{other}"),
        }
    }
    message
}

fn add(block: &mut Value, delta: &Value, json: &mut String) {
    let append = |place: &mut Value, more: &Value| {
        *place = json!(place.as_str().unwrap().to_owned() + more.as_str().unwrap());
    };
    match (block["type"].as_str().unwrap(), delta["type"].as_str().unwrap()) {
        ("text", "text_delta") => append(&mut block["text"], &delta["text"]),
        ("thinking", "thinking_delta") => append(&mut block["thinking"], &delta["thinking"]),
        ("thinking", "signature_delta") => block["signature"] = delta["signature"].clone(),
        ("text", "citations_delta") => match block["citations"].as_array_mut() {
            Some(sources) => sources.push(delta["citation"].clone()),
            None => block["citations"] = json!([delta["citation"]]),
        },
        ("tool_use", "input_json_delta") => {
            json.push_str(delta["partial_json"].as_str().unwrap());
            if let Ok(input) = serde_json::from_str(json) {
                block["input"] = input;
            }
        }
        (kind, delta) => panic!("{delta} in {kind}"),
    }
}

/// The stream of these events makes the message that the unary form is.
fn check(events: Vec<Event>) {
    let message = accumulate(&data(&stream(&events)));
    let unary = encode(&fold(&events), &options(true));
    assert_eq!(message, serde_json::from_slice::<Value>(&unary).unwrap());
}

fn start() -> Event {
    Event::Start { id: "id".into(), model: "told".into(), created: None }
}

fn google() -> Signature {
    Signature { dialect: Dialect::GeminiGenerate, value: "g".into() }
}

fn call(arguments: &str) -> Block {
    let (id, name, arguments) = (String::new(), "look".into(), arguments.into());
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

#[test]
fn the_events_of_an_answer() {
    let events = [
        start(),
        begin(Block::new(Content::Reasoning("Hm".into()))),
        more(Delta::Text(".".into())),
        more(Delta::Signature(google())),
        END,
        begin(Block { signature: Some(google()), ..call("") }),
        more(Delta::Arguments(" {\"x\":".into())),
        more(Delta::Arguments("1}".into())),
        END,
        stop(0, Finish::ToolCalls),
        Event::Usage(Usage { prompt: 9, completion: 5, cached: Some(3), ..Usage::default() }),
        Event::Finish,
    ];
    let expected = r#"event: message_start
data: {"type":"message_start","message":{"id":"id","type":"message","role":"assistant","model":"told","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"OWN"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"NEXT"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"buSGj8wBM","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

"#;
    let expected = expected
        .replace("OWN", &opaque::encode(&Opaque::Own(google())))
        .replace("NEXT", &opaque::encode(&Opaque::Next(google())));
    assert_eq!(String::from_utf8(stream(&events)).unwrap(), expected);
    check(events.into());
}

#[test]
fn arguments_become_an_object() {
    for pieces in [
        &["", ""][..],
        &["nu", "ll", " "],
        &["nu", "mber"],
        &["  ", "[1,", "2]"],
        &["say \"", "hi\"\u{e9}\n"],
        &["{", "}"],
        &[" {\"a\": \"", "b\"}"],
    ] {
        let mut events = vec![start(), begin(call(""))];
        events.extend(pieces.iter().map(|piece| more(Delta::Arguments((*piece).into()))));
        events.extend([END, stop(0, Finish::ToolCalls), Event::Finish]);
        check(events);
    }
}

#[test]
fn only_one_choice_is_told() {
    let other = |event: Event| match event {
        Event::BlockStart { block, .. } => Event::BlockStart { choice: 1, block },
        Event::BlockEnd { .. } => Event::BlockEnd { choice: 1 },
        Event::Stop { .. } => {
            Event::Stop { choice: 1, finish: Finish::Length, native: None, stop_sequence: None }
        }
        event => event,
    };
    let told = [begin(Block::text("Hi")), END, stop(0, Finish::Stop)];
    let mut events = vec![start()];
    events.extend(told.iter().flat_map(|event| [event.clone(), other(event.clone())]));
    events.push(Event::Finish);
    check(events);
}

#[test]
fn vendor_facts_come_with_the_end() {
    let extra =
        |choice, name: &str, value: Value| Event::Extra { choice, name: name.into(), value: raw(value) };
    let events = vec![
        start(),
        Event::Stop {
            choice: 0,
            finish: Finish::Stop,
            native: Some("stop_sequence".into()),
            stop_sequence: Some("x".into()),
        },
        extra(Some(0), "stop_details", json!({"type": "refusal"})),
        extra(None, "container", json!({"id": "c"})),
        extra(None, "server_tool_use", json!({"web_search_requests": 1})),
        Event::Meta { service_tier: Some("default".into()), system_fingerprint: None },
        Event::Finish,
    ];
    check(events);
}

#[test]
fn an_error_ends_the_stream() {
    let (mut encoder, mut out) = (Encoder::new(options(true)), Vec::new());
    encoder.push(&start(), &mut out);
    let began = out.len();
    encoder.fail(&Fault::new(FaultKind::Overloaded, "Busy."), &mut out);
    let event = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}});
    assert_eq!(data(&out[began..]), [event]);
}

/// A stream of the vendor's own, read and written again, makes the same message.
#[test]
fn the_vendors_own_stream_makes_the_same_message() {
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
               "model": "claude-x", "content": [], "stop_reason": null, "stop_sequence": null, "usage":
               {"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2,
                "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block":
               {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQB"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block":
               {"type": "redacted_thinking", "data": "EqQC"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "citations_delta", "citation":
               {"type": "page_location", "document_title": "T"}}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "content_block_start", "index": 3, "content_block":
               {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}}),
        json!({"type": "content_block_delta", "index": 3, "delta":
               {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_stop", "index": 3}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
               "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let bytes: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let (heard, ended) = read_cut(Dialect::AnthropicMessages, bytes.as_bytes());
    ended.unwrap();
    assert_eq!(accumulate(&data(&stream(&heard))), accumulate(&events));
}

/// An upstream may have cut its events into several lines of data.
#[test]
fn line_ends_between_tokens_do_not_end_an_event() {
    let value = Json::build(|w| w.raw("{\"type\":\r\"code_execution_tool_result\",\n\"content\":[]}"));
    let block = Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value: value.clone() });
    let events = [start(), begin(block), END];
    let told = data(&stream(&events));
    assert_eq!(told[2]["content_block"], value.to_value());
}
