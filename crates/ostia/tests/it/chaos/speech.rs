//! The clients' formats: how each asks, and what it reads in an answer.

use ostia_testkit::model::Speech;
use serde_json::{Value, json};

use crate::data_of;
use crate::wire::Reply;

/// What a client understands of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub text: String,
    /// It told its end.
    pub finished: bool,
    /// It told an error in its own format.
    pub failed: bool,
}

/// As a part of the name of a provider.
pub fn name(speech: Speech) -> String {
    format!("{speech:?}").to_lowercase()
}

/// As a provider's row says it.
pub fn dialect(speech: Speech) -> &'static str {
    match speech {
        Speech::Chat => "openai_chat",
        Speech::Responses => "openai_responses",
        Speech::Messages => "anthropic_messages",
        Speech::Gemini => "gemini_generate",
        Speech::Cohere => "cohere_chat",
        Speech::Converse => "bedrock_converse",
        Speech::Ollama => "ollama_chat",
    }
}

/// A client's path and body.
pub fn request(client: Speech, words: &str, stream: bool) -> (&'static str, String) {
    let messages = json!([{"role": "user", "content": words}]);
    let (path, body) = match client {
        Speech::Chat => {
            ("/v1/chat/completions", json!({"model": "m", "messages": messages, "stream": stream}))
        }
        Speech::Responses => {
            // What is kept would count as memory that did not come back.
            ("/v1/responses", json!({"model": "m", "input": words, "stream": stream, "store": false}))
        }
        Speech::Messages => {
            let body = json!({"model": "m", "max_tokens": 64, "messages": messages, "stream": stream});
            ("/v1/messages", body)
        }
        Speech::Gemini => {
            let path = match stream {
                true => "/v1beta/models/m:streamGenerateContent?alt=sse",
                false => "/v1beta/models/m:generateContent",
            };
            (path, json!({"contents": [{"role": "user", "parts": [{"text": words}]}]}))
        }
        Speech::Cohere | Speech::Converse | Speech::Ollama => panic!("no client speaks it"),
    };
    (path, body.to_string())
}

/// The text of a whole answer.
pub fn read_whole(client: Speech, body: &Value) -> String {
    match client {
        Speech::Chat => text(&body["choices"][0]["message"]["content"]),
        Speech::Responses => items(&body["output"]).map(|item| texts(&item["content"])).collect(),
        Speech::Messages | Speech::Cohere | Speech::Converse | Speech::Ollama => texts(&body["content"]),
        Speech::Gemini => texts(&body["candidates"][0]["content"]["parts"]),
    }
}

/// What a stream says. Its last event may be cut off where the connection was.
pub fn read_stream(client: Speech, reply: &Reply) -> Result<Read, String> {
    let mut read = Read::default();
    for data in data_of(&String::from_utf8_lossy(&reply.body)) {
        if data == "[DONE]" {
            read.finished = client == Speech::Chat;
            continue;
        }
        let event: Value =
            serde_json::from_str(data).map_err(|error| format!("an event: {error}: {data}"))?;
        match client {
            Speech::Chat => read.text += &text(&event["choices"][0]["delta"]["content"]),
            Speech::Responses | Speech::Messages | Speech::Cohere | Speech::Converse | Speech::Ollama => {
                match text(&event["type"]).as_str() {
                    "response.output_text.delta" => read.text += &text(&event["delta"]),
                    "content_block_delta" => read.text += &text(&event["delta"]["text"]),
                    "response.completed" | "message_stop" => read.finished = true,
                    _ => {}
                }
            }
            Speech::Gemini => {
                read.text += &texts(&event["candidates"][0]["content"]["parts"]);
                read.finished |= event["candidates"][0]["finishReason"].is_string();
            }
        }
        read.failed |= is_error(client, &event) || event["type"] == "response.failed";
    }
    Ok(read)
}

/// Is this an error in the client's format, as a body or as an event?
pub fn is_error(client: Speech, body: &Value) -> bool {
    let error = &body["error"];
    let said = error["message"].as_str().is_some_and(|message| !message.is_empty());
    match client {
        Speech::Chat => said && error["type"].is_string(),
        // An event has its words at the top too.
        Speech::Responses => {
            said && error["type"].is_string() || body["type"] == "error" && body["message"].is_string()
        }
        Speech::Messages | Speech::Cohere | Speech::Converse | Speech::Ollama => {
            said && body["type"] == "error" && error["type"].is_string()
        }
        Speech::Gemini => said && error["code"].is_u64() && error["status"].is_string(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(parts: &Value) -> String {
    items(parts).map(|part| text(&part["text"])).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
