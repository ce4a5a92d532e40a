//! OpenAI Responses: <https://platform.openai.com/docs/api-reference/responses>. The proof is `encrypted_content`.

use serde_json::{Value, json};

use super::{Call, Offer, Told, Turn, called, halves, items, json_of, number_of, offer, text_of};
use crate::vendor::named_events;

/// Ids of items are unique in a conversation as long as those of calls and the last texts are.
fn output(turn: &Turn) -> Vec<Value> {
    let mut output = Vec::new();
    let own = turn.calls.first().map_or("last", |call| call.id.as_str());
    if let Some((thought, proof)) = &turn.thought {
        output.push(json!({"type": "reasoning", "id": format!("rs_{own}"), "encrypted_content": proof,
                           "summary": [{"type": "summary_text", "text": thought}]}));
    }
    if let Some(text) = &turn.text {
        output.push(
            json!({"type": "message", "id": format!("msg_{own}"), "status": "completed", "role": "assistant",
                           "content": [{"type": "output_text", "text": text, "annotations": []}]}),
        );
    }
    output.extend(turn.calls.iter().map(call));
    output
}

fn call(call: &Call) -> Value {
    let (id, name) = (&call.id, &call.name);
    let mut item = match call.arguments.as_str() {
        Some(input) => json!({"type": "custom_tool_call", "id": format!("ctc_{id}"), "call_id": id,
                              "name": name, "input": input, "status": "completed"}),
        None => json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": name,
                       "arguments": call.arguments.to_string(), "status": "completed"}),
    };
    if let Some(namespace) = &call.namespace {
        item["namespace"] = json!(namespace);
    }
    item
}

pub(super) fn whole(turn: &Turn) -> Value {
    response(&output(turn), "completed")
}

fn response(output: &[Value], status: &str) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status, "error": null,
        "incomplete_details": null, "model": "m", "output": output, "parallel_tool_calls": true,
        "tool_choice": "auto", "tools": [],
        "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
                  "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 11}
    })
}

pub(super) fn events(turn: &Turn) -> String {
    let output = output(turn);
    let mut events = vec![json!({"type": "response.created", "response": response(&[], "in_progress")})];
    for (at, item) in output.iter().enumerate() {
        item_events(item, at, &mut events);
    }
    events.push(json!({"type": "response.completed", "response": response(&output, "completed")}));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    named_events(events)
}

fn item_events(item: &Value, at: usize, events: &mut Vec<Value>) {
    let id = &item["id"];
    let mut open = item.clone();
    let mut push = |mut event: Value| {
        event["output_index"] = json!(at);
        event["item_id"] = id.clone();
        events.push(event);
    };
    match item["type"].as_str().unwrap_or_default() {
        "reasoning" => {
            open["summary"] = json!([]);
            push(json!({"type": "response.output_item.added", "item": open}));
            let part = json!({"type": "summary_text", "text": ""});
            push(json!({"type": "response.reasoning_summary_part.added", "summary_index": 0, "part": part}));
            let text = item["summary"][0]["text"].as_str().unwrap_or_default();
            for piece in halves(text) {
                push(
                    json!({"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": piece}),
                );
            }
            push(json!({"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": text}));
        }
        "message" => {
            open["content"] = json!([]);
            push(json!({"type": "response.output_item.added", "item": open}));
            let part = json!({"type": "output_text", "text": "", "annotations": []});
            push(json!({"type": "response.content_part.added", "content_index": 0, "part": part}));
            let text = item["content"][0]["text"].as_str().unwrap_or_default();
            for piece in halves(text) {
                push(json!({"type": "response.output_text.delta", "content_index": 0, "delta": piece}));
            }
            push(json!({"type": "response.output_text.done", "content_index": 0, "text": text}));
        }
        "custom_tool_call" => {
            open["input"] = json!("");
            push(json!({"type": "response.output_item.added", "item": open}));
            let input = item["input"].as_str().unwrap_or_default();
            for piece in halves(input) {
                push(json!({"type": "response.custom_tool_call_input.delta", "delta": piece}));
            }
            push(json!({"type": "response.custom_tool_call_input.done", "input": input}));
        }
        _ => {
            open["arguments"] = json!("");
            push(json!({"type": "response.output_item.added", "item": open}));
            let arguments = item["arguments"].as_str().unwrap_or_default();
            for piece in halves(arguments) {
                push(json!({"type": "response.function_call_arguments.delta", "delta": piece}));
            }
            push(json!({"type": "response.function_call_arguments.done", "arguments": arguments}));
        }
    }
    push(json!({"type": "response.output_item.done", "item": item}));
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    if let Some(text) = body["input"].as_str() {
        told.push(Told::User(text.into()));
    }
    for item in items(&body["input"]) {
        match item["type"].as_str().unwrap_or("message") {
            "message" if item["role"] == "user" => told.push(Told::User(text_of(&item["content"]))),
            "message" if item["role"] == "assistant" => told.push(Told::Said(text_of(&item["content"]))),
            "reasoning" => {
                let proof = item["encrypted_content"].as_str().unwrap_or_default();
                told.push(Told::Thought(proof.to_owned()));
            }
            kind @ ("function_call" | "custom_tool_call") => {
                ids.push(item["call_id"].as_str().unwrap_or_default().to_owned());
                let free = kind == "custom_tool_call";
                let arguments = if free { item["input"].clone() } else { json_of(&item["arguments"]) };
                told.push(called(&item["name"], arguments));
            }
            "function_call_output" | "custom_tool_call_output" => {
                told.push(Told::Result(number_of(&ids, &item["call_id"]), text_of(&item["output"])));
            }
            _ => {}
        }
    }
    told
}

pub(super) fn offers(body: &Value) -> Vec<Offer> {
    let later = items(&body["input"]).filter(|item| item["type"] == "additional_tools");
    let lists = std::iter::once(&body["tools"]).chain(later.map(|item| &item["tools"]));
    lists.flat_map(items).flat_map(members).collect()
}

/// A tool, or those that a namespace groups.
fn members(tool: &Value) -> Vec<Offer> {
    match tool["type"].as_str().unwrap_or_default() {
        "function" => vec![offer(&tool["name"], Some(&tool["parameters"]))],
        "custom" => vec![offer(&tool["name"], None)],
        "namespace" => {
            let namespace = tool["name"].as_str().map(str::to_owned);
            let inside = |member: Offer| Offer { namespace: namespace.clone(), ..member };
            items(&tool["tools"]).flat_map(members).map(inside).collect()
        }
        _ => Vec::new(),
    }
}
