//! Amazon Bedrock Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

use serde_json::{Value, json};

use super::{Call, Offer, Told, Turn, halves, items, number_of, offer, text_of};
use crate::event_stream::event;
use crate::vendor::bedrock::usage;

fn finish(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "end_turn" } else { "tool_use" }
}

fn metadata() -> Value {
    json!({"usage": usage(), "metrics": {"latencyMs": 5}})
}

fn opened(call: &Call) -> Value {
    json!({"toolUseId": call.id, "name": call.name})
}

pub(super) fn whole(turn: &Turn) -> Value {
    let thought = turn.thought.iter().map(|(thought, proof)| {
        json!({"reasoningContent": {"reasoningText": {"text": thought, "signature": proof}}})
    });
    let text = turn.text.iter().map(|text| json!({"text": text}));
    let calls = turn.calls.iter().map(|call| {
        let mut used = opened(call);
        used["input"] = call.arguments.clone();
        json!({"toolUse": used})
    });
    let content: Vec<Value> = thought.chain(text).chain(calls).collect();
    let mut answer = metadata();
    answer["output"] = json!({"message": {"role": "assistant", "content": content}});
    answer["stopReason"] = json!(finish(turn));
    answer
}

pub(super) fn events(turn: &Turn) -> Vec<u8> {
    let mut blocks: Vec<(Option<Value>, Vec<Value>)> = Vec::new();
    if let Some((thought, proof)) = &turn.thought {
        let words = halves(thought).map(|piece| json!({"reasoningContent": {"text": piece}}));
        let proof = json!({"reasoningContent": {"signature": proof}});
        blocks.push((None, words.into_iter().chain([proof]).collect()));
    }
    if let Some(text) = &turn.text {
        blocks.push((None, halves(text).map(|piece| json!({"text": piece})).to_vec()));
    }
    for call in &turn.calls {
        let arguments = call.arguments.to_string();
        let deltas = halves(&arguments).map(|piece| json!({"toolUse": {"input": piece}}));
        blocks.push((Some(json!({"toolUse": opened(call)})), deltas.to_vec()));
    }
    let mut stream = event("messageStart", &json!({"role": "assistant"}));
    for (index, (start, deltas)) in blocks.into_iter().enumerate() {
        if let Some(start) = start {
            stream.extend(event("contentBlockStart", &json!({"contentBlockIndex": index, "start": start})));
        }
        for delta in deltas {
            let more = json!({"contentBlockIndex": index, "delta": delta, "p": "abcdefghij"});
            stream.extend(event("contentBlockDelta", &more));
        }
        stream.extend(event("contentBlockStop", &json!({"contentBlockIndex": index})));
    }
    stream.extend(event("messageStop", &json!({"stopReason": finish(turn)})));
    stream.extend(event("metadata", &metadata()));
    stream
}

pub(super) fn read(body: &Value) -> Vec<Told> {
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    for message in items(&body["messages"]) {
        let user = message["role"] == "user";
        for block in items(&message["content"]) {
            if let Some(text) = block["text"].as_str() {
                told.push(if user { Told::User(text.into()) } else { Told::Said(text.into()) });
            }
            if let Some(proof) = block["reasoningContent"]["reasoningText"]["signature"].as_str() {
                told.push(Told::Thought(proof.to_owned()));
            }
            let call = &block["toolUse"];
            if let Some(id) = call["toolUseId"].as_str() {
                ids.push(id.to_owned());
                let name = call["name"].as_str().unwrap_or_default().to_owned();
                told.push(Told::Called(name, call["input"].clone()));
            }
            let result = &block["toolResult"];
            if !result.is_null() {
                let number = number_of(&ids, &result["toolUseId"]);
                told.push(Told::Result(number, text_of(&result["content"])));
            }
        }
    }
    told
}

pub(super) fn offers(body: &Value) -> Vec<Offer> {
    let specs = items(&body["toolConfig"]["tools"]).map(|tool| &tool["toolSpec"]);
    let own = specs.filter(|spec| !spec.is_null());
    own.map(|spec| offer(&spec["name"], Some(&spec["inputSchema"]["json"]))).collect()
}
