#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;
mod property;

use serde_json::{Value, json};

use super::Encoder;
use crate::chat::openai_responses::response;
use crate::test_support::{self, fold, raw};
use crate::{Block, Content, Event, RenderOptions, ToolKind};

fn options() -> RenderOptions {
    RenderOptions { echo: vec![("metadata".into(), raw(r#"{"k":"v"}"#))], ..test_support::options(true) }
}

fn call(kind: ToolKind) -> Block {
    Block::new(Content::ToolCall { id: "c".into(), name: "f".into(), arguments: String::new(), kind })
}

/// The client's events of these.
fn told(events: &[Event]) -> Vec<Value> {
    let (mut encoder, mut out) = (Encoder::new(options()), Vec::new());
    for event in events {
        assert_eq!(encoder.whole(), None);
        encoder.push(event, &mut out);
    }
    let read = read(&out);
    if matches!(events.last(), Some(Event::Finish)) {
        let whole: Value = serde_json::from_slice(&encoder.whole().unwrap()).unwrap();
        assert_eq!(read.last().unwrap()["response"], whole);
    }
    read
}

/// The data of a stream whose events are named by their types and numbered from 0.
fn read(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(data["type"], name);
            data
        })
        .collect();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
    }
    events
}

/// The answer as it was made before the client's eyes: what the vendor's SDKs put together of a stream. Every
/// `done` has to say what the deltas before it said.
fn accumulated(events: &[Value]) -> Value {
    let (last, events) = events.split_last().unwrap();
    assert_eq!(
        (&events[0]["type"], &events[1]["type"]),
        (&json!("response.created"), &json!("response.in_progress"))
    );
    assert_eq!(events[0]["response"], events[1]["response"]);
    assert_eq!(events[0]["response"]["status"], "in_progress");
    let mut output = Items::default();
    events[2..].iter().for_each(|event| output.take(event));
    assert!(!output.open, "the last item has no end");
    let status = last["type"].as_str().unwrap().strip_prefix("response.").unwrap();
    assert_eq!(last["response"]["status"], status);
    for name in ["id", "created_at", "model", "metadata", "tools"] {
        assert_eq!(last["response"][name], events[0]["response"][name], "{name}");
    }
    let mut response = last["response"].clone();
    response["output"] = json!(output.done);
    response
}

/// The items of a stream.
#[derive(Default)]
struct Items {
    done: Vec<Value>,
    open: bool,
    part_open: bool,
}

impl Items {
    fn take(&mut self, event: &Value) {
        let kind = event["type"].as_str().unwrap();
        if kind == "response.output_item.added" {
            assert!(!self.open, "{event}");
            assert_eq!(event["output_index"], self.done.len(), "{event}");
            assert!(!event["item"]["id"].as_str().unwrap().is_empty(), "{event}");
            self.done.push(event["item"].clone());
            self.open = true;
            return;
        }
        assert!(self.open, "{event}");
        assert_eq!(event["output_index"], self.done.len() - 1, "{event}");
        if kind == "response.output_item.done" {
            assert!(!self.part_open, "{event}");
            return self.item_done(&event["item"]);
        }
        let item = self.done.last_mut().unwrap();
        assert_eq!(event["item_id"], item["id"], "{event}");
        let list = if kind.contains("summary") { "summary" } else { "content" };
        let index = event.get("summary_index").or(event.get("content_index")).and_then(Value::as_u64);
        match kind.strip_prefix("response.").unwrap() {
            "content_part.added" | "reasoning_summary_part.added" => {
                let parts = item[list].as_array_mut().unwrap();
                assert!(!self.part_open && index == Some(parts.len() as u64), "{event}");
                parts.push(event["part"].clone());
                self.part_open = true;
            }
            "content_part.done" | "reasoning_summary_part.done" => {
                assert_eq!(item[list][usize::try_from(index.unwrap()).unwrap()], event["part"], "{event}");
                self.part_open = false;
            }
            "function_call_arguments.delta" => push(&mut item["arguments"], event),
            "custom_tool_call_input.delta" => push(&mut item["input"], event),
            "function_call_arguments.done" => {
                assert_eq!((&item["arguments"], &item["name"]), (&event["arguments"], &event["name"]));
            }
            "custom_tool_call_input.done" => assert_eq!(item["input"], event["input"]),
            "image_generation_call.completed" => {}
            kind => {
                assert!(self.part_open, "{event}");
                in_part(kind, &mut item[list][usize::try_from(index.unwrap()).unwrap()], event);
            }
        }
    }

    /// A state, a proof and an image may come with the end of an item; everything else has to be there.
    fn item_done(&mut self, whole: &Value) {
        let item = self.done.last_mut().unwrap();
        for name in ["status", "encrypted_content", "result"] {
            if let Some(late) = whole.get(name) {
                item[name] = late.clone();
            }
        }
        assert_eq!(item, whole);
        self.open = false;
    }
}

fn in_part(kind: &str, part: &mut Value, event: &Value) {
    match kind {
        "output_text.delta" => {
            push(&mut part["text"], event);
            let more = event["logprobs"].as_array().unwrap().clone();
            part["logprobs"].as_array_mut().unwrap().extend(more);
        }
        "reasoning_summary_text.delta" => push(&mut part["text"], event),
        "refusal.delta" => push(&mut part["refusal"], event),
        "output_text.annotation.added" => {
            let notes = part["annotations"].as_array_mut().unwrap();
            assert_eq!(event["annotation_index"], notes.len());
            notes.push(event["annotation"].clone());
        }
        "output_text.done" => {
            assert_eq!((&part["text"], &part["logprobs"]), (&event["text"], &event["logprobs"]));
        }
        "reasoning_summary_text.done" => assert_eq!(part["text"], event["text"]),
        "refusal.done" => assert_eq!(part["refusal"], event["refusal"]),
        _ => panic!("no event of this API: {event}"),
    }
}

fn push(text: &mut Value, event: &Value) {
    let whole = format!("{}{}", text.as_str().unwrap(), event["delta"].as_str().unwrap());
    *text = json!(whole);
}

/// What the client puts together is what it is told at the end, and the whole answer of the same events.
#[track_caller]
fn check_whole(events: &[Event]) -> Vec<Value> {
    let told = told(events);
    let made = accumulated(&told);
    assert_eq!(made, told.last().unwrap()["response"]);
    let unary: Value = serde_json::from_slice(&response::encode(&fold(events), &options())).unwrap();
    assert_eq!(made, unary);
    told
}
