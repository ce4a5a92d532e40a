//! What a dialect's upstream half writes, its client half understands: read and written again, it is the
//! same.

use ostia_dialect::json::Document;
use ostia_dialect::{
    ClientDialect, Dialect, EncodeOptions, Encoded, PathParams, Request, Tool, tools::custom,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{conversations, holds};

/// How thoughts go back to servers of Chat Completions that want them. One that does not gets none.
pub fn form() -> EncodeOptions {
    EncodeOptions { reasoning_parts: true, ..EncodeOptions::default() }
}

/// The request as this dialect's client writes it; a tool that a vendor without its like was asked to run is
/// left out.
pub fn written(dialect: Dialect, request: &mut Request) -> Encoded {
    if !dialect.has_custom_tools() {
        custom::replace(request);
    }
    dialect.encode(&mut request.clone(), &form()).unwrap_or_else(|fault| {
        assert!(fault.param.as_deref().is_some_and(|param| param.starts_with("tools[")), "{fault}");
        request.tools.retain(|tool| !matches!(tool, Tool::Hosted { .. }));
        dialect.encode(&mut request.clone(), &form()).unwrap()
    })
}

/// What this dialect's client half makes of a body that was written for this request.
pub fn read(client: ClientDialect, body: &[u8], asked: &Request) -> Request {
    let line = PathParams { model: &asked.model, stream: asked.stream };
    let request = Document::of_request(body).and_then(|body| client.decode(&body, line));
    request.unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(body)))
}

fn check(client: ClientDialect, mut request: Request) -> Result<(), TestCaseError> {
    let dialect = client.dialect();
    let first = written(dialect, &mut request);
    let again = dialect.encode(&mut read(client, &first.body, &request), &form());
    let again = again.map_err(|fault| TestCaseError::fail(format!("{fault}")))?;
    let value = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    prop_assert_eq!(in_one_form(value(&first.body)).to_string(), value(&again.body).to_string());
    prop_assert_eq!(again.dropped, Vec::<String>::new(), "{}", String::from_utf8_lossy(&first.body));
    Ok(())
}

fn every(client: ClientDialect) {
    holds(&conversations::request(client.dialect()), |request| check(client, request));
}

#[test]
fn chat_completions_understands_itself() {
    every(ClientDialect::OpenaiChat);
}

#[test]
fn responses_understands_itself() {
    every(ClientDialect::OpenaiResponses);
}

#[test]
fn messages_understands_itself() {
    every(ClientDialect::AnthropicMessages);
}

#[test]
fn generate_content_understands_itself() {
    every(ClientDialect::GeminiGenerate);
}

/// What a model says in a row may stand in one piece or in several: a text of Google's in as many parts as
/// its stream had chunks (a signature belongs to its own part, or ends the text if its part is empty), a turn
/// of Responses in as many messages as the client likes.
fn in_one_form(mut body: Value) -> Value {
    let turns = body.get_mut("contents").and_then(Value::as_array_mut).into_iter().flatten();
    for turn in turns.filter(|turn| turn["role"] == "model") {
        merge(turn["parts"].as_array_mut().unwrap(), join_texts);
    }
    if let Some(items) = body.get_mut("input").and_then(Value::as_array_mut) {
        merge(items, |before, item| {
            let joins = before["role"] == "assistant" && item["role"] == "assistant";
            if joins {
                before["content"] = [parts(before), parts(item)].concat().into();
            }
            joins
        });
    }
    body
}

/// Adds a text of Google's to the one before, unless that is signed.
fn join_texts(before: &mut Value, part: &Value) -> bool {
    let is_text = |part: &Value| part["text"].is_string() && part.get("thought").is_none();
    let proof = part.get("thoughtSignature");
    let joins = is_text(before) && before.get("thoughtSignature").is_none() && is_text(part);
    let joins = joins && (proof.is_none() || text(part).is_empty());
    if joins {
        before["text"] = [text(before), text(part)].concat().into();
        proof.into_iter().for_each(|proof| before["thoughtSignature"] = proof.clone());
    }
    joins
}

/// Drops the values that `join` has added to the one before.
fn merge(values: &mut Vec<Value>, join: impl Fn(&mut Value, &Value) -> bool) {
    for value in std::mem::take(values) {
        if !values.last_mut().is_some_and(|before| join(before, &value)) {
            values.push(value);
        }
    }
}

fn text(part: &Value) -> &str {
    part["text"].as_str().unwrap()
}

/// The content of a message, a string as the part that it stands for.
fn parts(message: &Value) -> Vec<Value> {
    match &message["content"] {
        Value::String(text) => vec![json!({"type": "output_text", "text": text, "annotations": []})],
        parts => parts.as_array().unwrap().clone(),
    }
}
