//! Google generateContent: <https://ai.google.dev/api/generate-content>. The proof is the `thoughtSignature` of what follows
//! the thought: the first call, or where there is none the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Offer, Told, Turn, halves, items, offer};
use crate::vendor::events as sse;

fn parts(turn: &Turn) -> Vec<Value> {
    let mut parts = Vec::new();
    if let Some((thought, _)) = &turn.thought {
        parts.push(json!({"text": thought, "thought": true}));
    }
    let mut proven = parts.len();
    if let Some(text) = &turn.text {
        parts.push(json!({"text": text}));
    }
    if !turn.calls.is_empty() {
        proven = parts.len();
    }
    let call = |call: &super::Call| json!({"functionCall": {"name": call.name, "args": call.arguments}});
    parts.extend(turn.calls.iter().map(call));
    if let (Some((_, proof)), Some(part)) = (&turn.thought, parts.get_mut(proven)) {
        part["thoughtSignature"] = json!(STANDARD.encode(proof));
    }
    parts
}

fn chunk(parts: &[Value], finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(reason) = finish {
        candidate["finishReason"] = json!(reason);
    }
    json!({
        "candidates": [candidate], "modelVersion": "m", "responseId": "r-1",
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9}
    })
}

pub(super) fn whole(turn: &Turn) -> Value {
    chunk(&parts(turn), Some("STOP"))
}

pub(super) fn events(turn: &Turn) -> String {
    let mut chunks = Vec::new();
    for part in parts(turn) {
        match part["text"].as_str() {
            Some(text) => {
                chunks.extend(halves(text).map(|piece| {
                    let thought = part["thought"] == true;
                    chunk(
                        &[if thought {
                            json!({"text": piece, "thought": true})
                        } else {
                            json!({"text": piece})
                        }],
                        None,
                    )
                }));
                // The proof comes behind the text, in a part of its own.
                if let Some(proof) = part.get("thoughtSignature") {
                    chunks.push(chunk(&[json!({"text": "", "thoughtSignature": proof})], None));
                }
            }
            None => chunks.push(chunk(&[part], None)),
        }
    }
    chunks.push(chunk(&[json!({"text": ""})], Some("STOP")));
    sse(chunks)
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let body = &spelled(body);
    let mut told = Vec::new();
    // Names of calls that wait for their result: the format joins them by name and order.
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut calls = 0;
    for content in items(&body["contents"]) {
        let turn = told.len();
        for part in items(&content["parts"]) {
            let proof = part["thoughtSignature"].as_str().and_then(decoded);
            if let Some(proof) = proof {
                // The thought came first, wherever its proof stands.
                told.insert(turn, Told::Thought(String::from_utf8(proof).unwrap_or_default()));
            }
            if let Some(call) = part.get("functionCall") {
                let name = call["name"].as_str().unwrap_or_default().to_owned();
                open.push((calls, name.clone()));
                calls += 1;
                told.push(Told::Called(name, call["args"].clone()));
            } else if let Some(response) = part.get("functionResponse") {
                let name = response["name"].as_str().unwrap_or_default();
                let at = open.iter().position(|(_, waiting)| waiting == name);
                let (number, _) = open.remove(at.unwrap_or_else(|| panic!("no call of {name} waits")));
                told.push(Told::Result(number, words(&response["response"])));
            } else if let Some(text) = part["text"].as_str().filter(|text| !text.is_empty()) {
                match (content["role"] == "user", part["thought"] == true) {
                    (true, _) => told.push(Told::User(text.into())),
                    (false, true) => {}
                    (false, false) => told.push(Told::Said(text.into())),
                }
            }
        }
    }
    told
}

/// Google takes both alphabets of base64 (<https://protobuf.dev/programming-guides/json/>), and its SDK writes the one
/// for URLs. The word for calls without a proof (<https://ai.google.dev/gemini-api/docs/thought-signatures>) is none.
fn decoded(proof: &str) -> Option<Vec<u8>> {
    if proof == "skip_thought_signature_validator" {
        return None;
    }
    STANDARD.decode(proof.replace('-', "+").replace('_', "/")).ok()
}

/// The words of a result, under whichever key they stand.
fn words(response: &Value) -> String {
    let values = response.as_object().into_iter().flat_map(|fields| fields.values());
    values.filter_map(Value::as_str).collect()
}

pub(super) fn offers(body: &Value) -> Vec<Offer> {
    let body = &spelled(body);
    let declared = items(&body["tools"]).flat_map(|tool| items(&tool["functionDeclarations"]));
    let schema = |tool: &Value| match tool.get("parametersJsonSchema") {
        Some(schema) => schema.clone(),
        None => tool["parameters"].clone(),
    };
    declared.map(|tool| offer(&tool["name"], Some(&schema(tool)))).collect()
}

/// Free JSON, whose names are the client's own.
const FREE: &[&str] =
    &["args", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "responseSchema"];

/// The same with every name of the vendor's in its own spelling: it takes the names of its protocol buffers too
/// (<https://protobuf.dev/programming-guides/json/>), and a list without items is none.
pub(crate) fn spelled(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let name = camel(name);
                let value = if FREE.contains(&name.as_str()) { value.clone() } else { spelled(value) };
                (name, value)
            });
            let absent =
                |name: &str, value: &Value| name == "stopSequences" && *value == Value::Array(Vec::new());
            fields.filter(|(name, value)| !absent(name, value)).collect()
        }
        Value::Array(items) => items.iter().map(spelled).collect(),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        name + &head.to_ascii_uppercase() + tail
    })
}
