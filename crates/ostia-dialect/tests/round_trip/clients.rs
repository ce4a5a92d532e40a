//! Clients as their SDKs are: they gather a stream to a turn of the model, and hand the turn back as it came.

use std::collections::BTreeMap;

use ostia_dialect::frame::{Framer, Framing};
use ostia_dialect::{Block, ClientDialect, Content, RenderOptions, ToolKind};
use serde_json::{Value, json};

/// What these clients see: everything.
pub fn options() -> RenderOptions {
    RenderOptions {
        strict: false,
        include_usage: true,
        id_suffix: "s".into(),
        model: "asked".into(),
        created: 7,
        provider: "p".into(),
        echo: Vec::new(),
    }
}

/// The turn of the model in a whole answer: messages, items, blocks or contents.
pub fn turn(client: ClientDialect, whole: &[u8]) -> Vec<Value> {
    let mut answer: Value = serde_json::from_slice(whole).unwrap();
    match client {
        ClientDialect::OpenaiChat => vec![answer["choices"][0]["message"].take()],
        ClientDialect::OpenaiResponses => list(answer["output"].take()),
        ClientDialect::AnthropicMessages => list(answer["content"].take()),
        ClientDialect::GeminiGenerate => vec![answer["candidates"][0]["content"].take()],
    }
}

/// The same from the bytes of a stream.
pub fn gathered(client: ClientDialect, stream: &[u8]) -> Vec<Value> {
    let mut events = events(stream);
    match client {
        ClientDialect::OpenaiChat => {
            let mut message = Message::default();
            events.iter().for_each(|chunk| message.take(&chunk["choices"][0]["delta"]));
            vec![message.whole()]
        }
        ClientDialect::OpenaiResponses => list(events.last_mut().unwrap()["response"]["output"].take()),
        ClientDialect::AnthropicMessages => blocks(&events),
        ClientDialect::GeminiGenerate => {
            events.iter_mut().map(|chunk| chunk["candidates"][0]["content"].take()).collect()
        }
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other => panic!("no list: {other}"),
    }
}

/// The events of a stream, without its mark of the end.
pub fn events(stream: &[u8]) -> Vec<Value> {
    let mut framer = Framer::new(Framing::Sse);
    framer.push(stream);
    let mut events = Vec::new();
    while let Some(frame) = framer.next().unwrap() {
        if frame.data != b"[DONE]" {
            events.push(serde_json::from_slice(frame.data).unwrap());
        }
    }
    events
}

/// A message of Chat Completions in the making, as Portkey's SDK gathers it.
#[derive(Default)]
struct Message {
    words: BTreeMap<String, String>,
    calls: Vec<Value>,
    blocks: BTreeMap<u64, Value>,
    others: BTreeMap<String, Value>,
}

impl Message {
    fn take(&mut self, delta: &Value) {
        for (name, value) in delta.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("tool_calls", Value::Array(calls)) => calls.iter().for_each(|call| self.call(call)),
                ("content_blocks", Value::Array(blocks)) => blocks.iter().for_each(|block| {
                    let open = self.blocks.entry(block["index"].as_u64().unwrap()).or_insert(json!({}));
                    join(open, &block["delta"]);
                }),
                ("role", _) => {}
                (_, Value::String(text)) => self.words.entry(name.clone()).or_default().push_str(text),
                (_, value) => drop(self.others.insert(name.clone(), value.clone())),
            }
        }
    }

    fn call(&mut self, call: &Value) {
        let index = call["index"].as_u64().unwrap() as usize;
        if index == self.calls.len() {
            self.calls.push(json!({}));
        }
        let mut more = call.clone();
        more.as_object_mut().unwrap().remove("index");
        join(&mut self.calls[index], &more);
    }

    fn whole(self) -> Value {
        let mut message = json!({"role": "assistant", "content": null});
        let words = self.words.into_iter().map(|(name, text)| (name, text.into()));
        words.chain(self.others).for_each(|(name, value)| message[name] = value);
        if !self.calls.is_empty() {
            message["tool_calls"] = self.calls.into();
        }
        let blocks = self.blocks.into_values().map(|mut block| {
            for kind in ["text", "thinking"] {
                if block.get("type").is_none() && block.get(kind).is_some() {
                    block["type"] = kind.into();
                }
            }
            // A proof may come alone.
            if block.get("type").is_none() && block.get("signature").is_some() {
                (block["type"], block["thinking"]) = ("thinking".into(), "".into());
            }
            block
        });
        message["content_blocks"] = blocks.collect();
        message
    }
}

/// Adds a delta: texts grow, objects are joined, everything else is set.
fn join(open: &mut Value, delta: &Value) {
    match (open, delta) {
        (Value::Object(open), Value::Object(delta)) => {
            delta
                .iter()
                .for_each(|(name, value)| join(open.entry(name.clone()).or_insert(Value::Null), value));
        }
        (Value::String(open), Value::String(more)) => open.push_str(more),
        (open, delta) => *open = delta.clone(),
    }
}

/// The blocks of a message of Anthropic's.
fn blocks(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut input = String::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                blocks.push(event["content_block"].clone());
                input.clear();
            }
            "content_block_delta" => {
                let (block, delta) = (blocks.last_mut().unwrap(), &event["delta"]);
                for (name, value) in delta.as_object().unwrap() {
                    match (name.as_str(), value) {
                        ("type", _) => {}
                        ("partial_json", more) => input.push_str(more.as_str().unwrap()),
                        ("signature", value) => block["signature"] = value.clone(),
                        (name, more) => join(&mut block[name], more),
                    }
                }
            }
            "content_block_stop" if !input.is_empty() => {
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(&input).unwrap();
                input.clear();
            }
            _ => {}
        }
    }
    blocks
}

/// The body of the next request: a question, the turn as it came, an answer to each call, and a word of the
/// user's.
pub fn next(client: ClientDialect, turn: Vec<Value>, said: &[Block]) -> Value {
    let calls = said.iter().filter_map(|block| match &block.content {
        Content::ToolCall { id, name, kind, .. } => Some(result(client, id, name, *kind)),
        _ => None,
    });
    let results: Vec<Value> = calls.collect();
    let user = |text: &str| json!({"role": "user", "content": text});
    match client {
        ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses => {
            let turns: Vec<Value> =
                [user("question")].into_iter().chain(turn).chain(results).chain([user("go on")]).collect();
            let field = if client == ClientDialect::OpenaiChat { "messages" } else { "input" };
            json!({"model": "m", field: turns})
        }
        ClientDialect::AnthropicMessages => {
            let mut last = results;
            last.push(json!({"type": "text", "text": "go on"}));
            json!({"model": "m", "max_tokens": 9000, "messages": [user("question"),
                {"role": "assistant", "content": turn}, {"role": "user", "content": last}]})
        }
        ClientDialect::GeminiGenerate => {
            let mut last = results;
            last.push(json!({"text": "go on"}));
            let question = json!({"role": "user", "parts": [{"text": "question"}]});
            let turns = [question].into_iter().chain(turn).chain([json!({"role": "user", "parts": last})]);
            json!({"contents": turns.collect::<Vec<_>>()})
        }
    }
}

fn result(client: ClientDialect, id: &str, name: &str, kind: ToolKind) -> Value {
    match client {
        ClientDialect::OpenaiChat => {
            json!({"role": "tool", "tool_call_id": id, "content": "done"})
        }
        ClientDialect::OpenaiResponses => {
            let custom = kind == ToolKind::Custom;
            let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
            json!({"type": kind, "call_id": id, "output": "done"})
        }
        ClientDialect::AnthropicMessages => {
            json!({"type": "tool_result", "tool_use_id": id, "content": "done"})
        }
        ClientDialect::GeminiGenerate => {
            json!({"functionResponse": {"id": id, "name": name, "response": {"output": "done"}}})
        }
    }
}
