//! An agent that thinks and calls tools for twenty turns, in every format that a client may speak, in front of a model of
//! every format. The model is scripted; what it was told at the end has to be everything that was said, in order, its own
//! thoughts with their proofs included.

use std::sync::Arc;

use ostia_testkit::Upstream;
use ostia_testkit::model::{Call, Speech, Told, Turn};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const TURNS: usize = 20;
/// The turn in which a tool fails.
const FAILING: usize = 7;

/// The model's answer in this turn: a thought, in some turns words, one or two calls, and at the end words alone.
fn turn(at: usize) -> Turn {
    let call = |of: usize| Call {
        id: format!("call_{at}_{of}"),
        namespace: None,
        name: if of == 0 { "weather".into() } else { "clock".into() },
        arguments: json!({"city": format!("città {at}.{of}"), "exact": of == 0}),
    };
    let calls = match at {
        _ if at == TURNS - 1 => Vec::new(),
        _ if at.is_multiple_of(3) => vec![call(0), call(1)],
        _ => vec![call(0)],
    };
    let speaks = calls.is_empty() || at.is_multiple_of(4);
    Turn {
        thought: Some((format!("I think {at}"), format!("proof-{at}"))),
        text: speaks.then(|| format!("Turn {at}.")),
        calls,
    }
}

fn result(at: usize, of: usize) -> String {
    if at == FAILING { "no such city".into() } else { format!("result {at}.{of}") }
}

/// Everything that was said before the last turn.
fn expected(proofs: bool) -> Vec<Told> {
    let (mut told, mut calls) = (vec![Told::User("Begin.".into())], 0);
    for at in 0..TURNS - 1 {
        let Turn { thought, text, calls: called } = turn(at);
        told.extend(thought.filter(|_| proofs).map(|(_, proof)| Told::Thought(proof)));
        told.extend(text.map(Told::Said));
        let first = calls;
        for call in &called {
            told.push(Told::Called(call.name.clone(), call.arguments.clone()));
            calls += 1;
        }
        told.extend((0..called.len()).map(|of| Told::Result(first + of, result(at, of))));
    }
    told
}

/// A client's side of a conversation, in its own format.
trait Agent {
    /// The request's path and body.
    fn ask(&self, model: &str, stream: bool) -> (String, Value);
    /// Adds an answer to the history; gives its calls: id and name.
    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<(String, String)>;
    /// Adds the results of all calls of a turn.
    fn give(&mut self, results: &[(String, String, String)], failed: bool);
}

fn events(reply: &Reply) -> Vec<Value> {
    let events = data_of(reply.text()).into_iter().filter(|event| *event != "[DONE]");
    events.map(crate::json).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}, "exact": {"type": "boolean"}}})
}

/// Adds the fields of `delta` to those of `whole`: texts grow, everything else is replaced.
fn grow(whole: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().into_iter().flatten() {
        match (&mut whole[name], value) {
            (Value::String(known), Value::String(more))
                if !["id", "type", "name"].contains(&name.as_str()) =>
            {
                known.push_str(more);
            }
            (known @ Value::Object(_), Value::Object(_)) => grow(known, value),
            (known, value) => *known = value.clone(),
        }
    }
}

fn at_index<'v>(list: &'v mut Vec<Value>, index: &Value) -> &'v mut Value {
    let index = usize::try_from(index.as_u64().unwrap()).unwrap();
    if list.len() <= index {
        list.resize(index + 1, json!({}));
    }
    &mut list[index]
}

/// OpenAI Chat Completions, with the fields beyond OpenAI's that hold the proofs.
struct Chat(Vec<Value>);

impl Agent for Chat {
    fn ask(&self, model: &str, stream: bool) -> (String, Value) {
        let tool = |name| json!({"type": "function", "function": {"name": name, "parameters": schema()}});
        let body = json!({"model": model, "stream": stream, "reasoning_effort": "high", "messages": self.0,
                          "tools": [tool("weather"), tool("clock")]});
        ("/v1/chat/completions".into(), body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<(String, String)> {
        let message =
            if stream { Chat::folded(reply) } else { reply.json()["choices"][0]["message"].clone() };
        let calls =
            items(&message["tool_calls"]).map(|call| (text(&call["id"]), text(&call["function"]["name"])));
        let calls = calls.collect();
        self.0.push(message);
        calls
    }

    fn give(&mut self, results: &[(String, String, String)], _: bool) {
        let result = |(id, _, words): &(String, String, String)| json!({"role": "tool", "tool_call_id": id, "content": words});
        self.0.extend(results.iter().map(result));
    }
}

impl Chat {
    fn folded(reply: &Reply) -> Value {
        let (mut message, mut calls, mut blocks) = (json!({}), Vec::new(), Vec::new());
        for chunk in events(reply) {
            let mut delta = chunk["choices"][0]["delta"].clone();
            // The chunk with the usage has no choices.
            let Some(fields) = delta.as_object_mut() else { continue };
            for call in items(&fields.remove("tool_calls").unwrap_or_default()) {
                grow(at_index(&mut calls, &call["index"]), call);
            }
            for block in items(&fields.remove("content_blocks").unwrap_or_default()) {
                grow(at_index(&mut blocks, &block["index"]), &block["delta"]);
            }
            grow(&mut message, &delta);
        }
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        // Deltas do not tell the type of the block that they belong to; a call has none.
        for block in &mut blocks {
            if block.get("type").is_none() {
                let kind = if block.get("thinking").is_some() { "thinking" } else { "text" };
                block["type"] = json!(kind);
            }
        }
        blocks.retain(|block| block.as_object().unwrap().len() > 1);
        if !blocks.is_empty() {
            message["content_blocks"] = json!(blocks);
        }
        message
    }
}

/// OpenAI Responses, which keeps the conversation itself.
struct Responses(Vec<Value>);

impl Agent for Responses {
    fn ask(&self, model: &str, stream: bool) -> (String, Value) {
        let tool = |name| json!({"type": "function", "name": name, "parameters": schema(), "strict": false});
        let body = json!({"model": model, "stream": stream, "store": false, "reasoning": {"effort": "high"},
                          "include": ["reasoning.encrypted_content"], "input": self.0,
                          "tools": [tool("weather"), tool("clock")]});
        ("/v1/responses".into(), body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<(String, String)> {
        let body = if stream { events(reply).pop().unwrap()["response"].clone() } else { reply.json() };
        let output: Vec<Value> = items(&body["output"]).cloned().collect();
        let calls = output.iter().filter(|item| item["type"] == "function_call");
        let calls = calls.map(|call| (text(&call["call_id"]), text(&call["name"]))).collect();
        self.0.extend(output);
        calls
    }

    fn give(&mut self, results: &[(String, String, String)], _: bool) {
        let result = |(id, _, words): &(String, String, String)| json!({"type": "function_call_output", "call_id": id, "output": words});
        self.0.extend(results.iter().map(result));
    }
}

/// Anthropic Messages.
struct Messages(Vec<Value>);

impl Agent for Messages {
    fn ask(&self, model: &str, stream: bool) -> (String, Value) {
        let tool = |name| json!({"name": name, "input_schema": schema()});
        let body = json!({"model": model, "max_tokens": 8000, "stream": stream, "messages": self.0,
                          "thinking": {"type": "enabled", "budget_tokens": 2000},
                          "tools": [tool("weather"), tool("clock")]});
        ("/v1/messages".into(), body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<(String, String)> {
        let content = match stream {
            true => Messages::folded(reply),
            false => items(&reply.json()["content"]).cloned().collect(),
        };
        let calls = content.iter().filter(|block| block["type"] == "tool_use");
        let calls = calls.map(|call| (text(&call["id"]), text(&call["name"]))).collect();
        self.0.push(json!({"role": "assistant", "content": content}));
        calls
    }

    fn give(&mut self, results: &[(String, String, String)], failed: bool) {
        let result = |(id, _, words): &(String, String, String)| json!({"type": "tool_result", "tool_use_id": id, "content": words, "is_error": failed});
        let content: Vec<Value> = results.iter().map(result).collect();
        self.0.push(json!({"role": "user", "content": content}));
    }
}

impl Messages {
    fn folded(reply: &Reply) -> Vec<Value> {
        let mut content: Vec<Value> = Vec::new();
        let mut input = String::new();
        for event in events(reply) {
            match event["type"].as_str().unwrap() {
                "content_block_start" => {
                    content.push(event["content_block"].clone());
                    input.clear();
                }
                "content_block_delta" => {
                    let (block, mut delta) = (content.last_mut().unwrap(), event["delta"].clone());
                    input.push_str(delta["partial_json"].as_str().unwrap_or_default());
                    let fields = delta.as_object_mut().unwrap();
                    fields.retain(|name, _| name != "type" && name != "partial_json");
                    grow(block, &delta);
                }
                "content_block_stop" if !input.is_empty() => {
                    content.last_mut().unwrap()["input"] = crate::json(&input);
                }
                _ => {}
            }
        }
        content
    }
}

/// Google generateContent.
struct Gemini(Vec<Value>);

impl Agent for Gemini {
    fn ask(&self, model: &str, stream: bool) -> (String, Value) {
        let tool = |name| json!({"name": name, "parametersJsonSchema": schema()});
        let body = json!({"contents": self.0, "tools": [{"functionDeclarations": [tool("weather"), tool("clock")]}],
                          "generationConfig": {"thinkingConfig": {"thinkingLevel": "high", "includeThoughts": true}}});
        let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        (format!("/v1beta/models/{model}:{verb}"), body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<(String, String)> {
        let chunks = if stream { events(reply) } else { vec![reply.json()] };
        let parts = chunks.iter().flat_map(|chunk| items(&chunk["candidates"][0]["content"]["parts"]));
        let parts: Vec<Value> = parts.cloned().collect();
        let calls = parts.iter().filter_map(|part| part.get("functionCall"));
        let calls = calls.map(|call| (text(&call["id"]), text(&call["name"]))).collect();
        self.0.push(json!({"role": "model", "parts": parts}));
        calls
    }

    fn give(&mut self, results: &[(String, String, String)], failed: bool) {
        let key = if failed { "error" } else { "output" };
        let result = |(id, name, words): &(String, String, String)| {
            let mut response = json!({"name": name, "response": {key: words}});
            if !id.is_empty() {
                response["id"] = json!(id);
            }
            json!({"functionResponse": response})
        };
        let parts: Vec<Value> = results.iter().map(result).collect();
        self.0.push(json!({"role": "user", "parts": parts}));
    }
}

fn agents() -> [(&'static str, Box<dyn Agent>); 4] {
    let said = json!({"role": "user", "content": "Begin."});
    [
        ("chat", Box::new(Chat(vec![said.clone()]))),
        ("responses", Box::new(Responses(vec![said.clone()]))),
        ("messages", Box::new(Messages(vec![said]))),
        ("gemini", Box::new(Gemini(vec![json!({"role": "user", "parts": [{"text": "Begin."}]})]))),
    ]
}

/// A model of each vendor whose thoughts go back and forth.
fn model(speech: Speech) -> &'static str {
    match speech {
        Speech::Chat | Speech::Responses => "gpt-5",
        Speech::Messages => "claude-sonnet-4-5",
        Speech::Gemini => "gemini-3-pro-preview",
        Speech::Cohere => "command-a-reasoning-08-2025",
        Speech::Converse => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Speech::Ollama => "qwen3:8b",
    }
}

/// A model that follows the script: which turn it is follows from the number of answers in what it is told.
fn scripted(speech: Speech) -> Upstream {
    Upstream::serve(move |request| {
        let body = request.json();
        let told = speech.read(&body);
        let before =
            told.iter().filter(|piece| matches!(piece, Told::Called(name, _) if name == "weather")).count();
        let in_path = ["streamGenerate", "converse-stream"];
        let stream = body["stream"] == true || in_path.iter().any(|words| request.target.contains(words));
        speech.answer(&turn(before), stream)
    })
}

fn run(name: &str, agent: &mut dyn Agent, speech: Speech, upstream: &Upstream, gateway: &Gateway) {
    for at in 0..TURNS {
        // Every other turn is streamed.
        let stream = !at.is_multiple_of(2);
        let (path, body) = agent.ask(model(speech), stream);
        let ask = Ask::post(&path, body.to_string())
            .header("x-ostia-provider", &format!("at-{speech:?}").to_lowercase())
            .header("x-ostia-strict-open-ai-compliance", "false");
        let reply = ask.to(gateway);
        let told = format!("{name} to {speech:?}, turn {at}: {}", reply.text());
        assert!(reply.status == 200 && reply.whole, "{told}");
        let calls = agent.take(&reply, stream);
        let names: Vec<&str> = calls.iter().map(|(_, name)| name.as_str()).collect();
        let called = turn(at).calls;
        assert_eq!(names, called.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), "{told}");
        if calls.is_empty() {
            assert!(reply.text().contains("Turn") && at == TURNS - 1, "{told}");
            break;
        }
        let results = calls.into_iter().enumerate().map(|(of, (id, name))| (id, name, result(at, of)));
        agent.give(&results.collect::<Vec<_>>(), at == FAILING);
    }
    let told = speech.read(&upstream.last().json());
    let wanted = expected(speech.takes_proofs());
    for (at, (told, wanted)) in told.iter().zip(&wanted).enumerate() {
        assert_eq!(told, wanted, "{name} to {speech:?}: piece {at}");
    }
    assert_eq!(told.len(), wanted.len(), "{name} to {speech:?}");
}

#[test]
fn twenty_turns_in_every_format_in_front_of_every_format() {
    let upstreams: Vec<Arc<Upstream>> =
        Speech::ALL.into_iter().map(|speech| Arc::new(scripted(speech))).collect();
    let rows = Speech::ALL.iter().zip(&upstreams).map(|(speech, upstream)| {
        let (name, row) = (format!("at-{speech:?}").to_lowercase(), speech.row());
        format!("  {name}: {{base_url: \"{}/v1\", local: true, {row}}}\n", upstream.url())
    });
    let gateway = Gateway::with(&format!("providers:\n{}", rows.collect::<String>()));
    for (speech, upstream) in Speech::ALL.into_iter().zip(&upstreams) {
        for (name, mut agent) in agents() {
            run(name, agent.as_mut(), speech, upstream, &gateway);
        }
    }
}
