#![allow(clippy::unwrap_used)]

mod fields;
mod limits;
mod media;
mod models;
mod tools;
mod turns;

use serde_json::{Value, json};

use crate::test_support::{decoded, value};
use crate::{ClientDialect, Dialect, EncodeOptions, Encoded, Fault, Request};

const OWN: Dialect = Dialect::BedrockConverse;
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// What the vendor is sent of a client's request, or why not.
fn sent(client: ClientDialect, body: &Value) -> Result<(Value, Vec<String>), Fault> {
    let mut request = decoded(client, body.to_string()).unwrap();
    let Encoded { body, dropped, .. } = OWN.encode(&mut request, &EncodeOptions::default())?;
    Ok((value(&body), dropped))
}

/// A Chat Completions request of this model with these fields beside a question.
fn chat(model: &str, fields: Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "q"}]});
    fields.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

/// The same in Anthropic's format.
fn messages(model: &str, fields: Value) -> Value {
    let mut body = chat(model, json!({"max_tokens": 4000}));
    fields.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

#[track_caller]
fn of_chat(model: &str, fields: Value) -> (Value, Vec<String>) {
    sent(ClientDialect::OpenaiChat, &chat(model, fields)).unwrap()
}

#[track_caller]
fn of_messages(model: &str, fields: Value) -> (Value, Vec<String>) {
    sent(ClientDialect::AnthropicMessages, &messages(model, fields)).unwrap()
}

fn encode(request: &Request) -> Result<(Value, Vec<String>), Fault> {
    let Encoded { body, dropped, .. } = OWN.encode(&mut request.clone(), &EncodeOptions::default())?;
    Ok((value(&body), dropped))
}
