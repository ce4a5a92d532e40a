//! The same conversation in every dialect that clients speak, and what each alone can say.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const CLIENTS: [ClientDialect; 4] = ClientDialect::ALL;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn check_input(client: ClientDialect, body: &Value, system: Option<Value>, messages: Value) {
    let told = input(client, body.to_string().as_bytes()).unwrap();
    assert_eq!(told.system_instructions.as_deref().map(parsed), system, "{client:?}");
    assert_eq!(parsed(&told.messages), messages, "{client:?}");
}

#[track_caller]
fn check_output(client: ClientDialect, body: &str, expected: Option<Value>) {
    let told = output(client, body.as_bytes());
    assert_eq!(told.as_deref().map(parsed), expected, "{client:?} {body}");
}

fn text(text: &str) -> Value {
    json!({"type": "text", "content": text})
}

#[test]
fn a_turn_with_a_tool_in_every_dialect() {
    let system = || Some(json!([text("be brief")]));
    let call =
        |id: &str| json!({"type": "tool_call", "id": id, "name": "weather", "arguments": {"city": "Rome"}});
    let result = |id: &str| json!({"type": "tool_call_response", "id": id, "response": "rain"});
    let told = |id: &str| {
        vec![
            json!({"role": "user", "parts": [text("Rome?")]}),
            json!({"role": "assistant", "parts": [call(id)]}),
            json!({"role": "tool", "parts": [result(id)]}),
        ]
    };
    let chat = json!({"model": "m", "messages": [
        {"role": "system", "content": "be brief"}, {"role": "user", "content": "Rome?"},
        {"role": "assistant", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"}]});
    let mut with_system = vec![json!({"role": "system", "parts": [text("be brief")]})];
    with_system.extend(told("c1"));
    check_input(ClientDialect::OpenaiChat, &chat, None, with_system.into());
    let responses = json!({"model": "m", "instructions": "be brief", "input": [
        {"role": "user", "content": "Rome?"},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"}]});
    check_input(ClientDialect::OpenaiResponses, &responses, system(), told("c1").into());
    let messages = json!({"model": "m", "max_tokens": 9, "system": "be brief", "messages": [
        {"role": "user", "content": "Rome?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Rome"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]}]});
    check_input(ClientDialect::AnthropicMessages, &messages, system(), told("c1").into());
    let gemini = json!({"systemInstruction": {"parts": [{"text": "be brief"}]}, "contents": [
        {"role": "user", "parts": [{"text": "Rome?"}]}]});
    check_input(ClientDialect::GeminiGenerate, &gemini, system(), json!([told("")[0]]));
}

#[test]
fn files_and_what_has_no_part_of_its_own() {
    let note = "[image/png, 9999 bytes, sha256 00]";
    let images = json!({"model": "m", "messages": [{"role": "user", "name": "Ann", "content": [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1"}}]}]});
    let parts = json!([
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
        {"type": "file", "modality": "document", "file_id": "file-1"}]);
    let expected = json!([{"role": "user", "name": "Ann", "parts": parts}]);
    check_input(ClientDialect::OpenaiChat, &images, None, expected);
    let kept = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": note}}]}]});
    let omitted = json!({"type": "omitted", "modality": "image", "mime_type": "image/png", "content": note});
    check_input(ClientDialect::AnthropicMessages, &kept, None, json!([{"role": "user", "parts": [omitted]}]));
    let broken = json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":"}}]}]});
    let call = json!({"type": "tool_call", "id": "c", "name": "f", "arguments": "{\"a\":"});
    check_input(ClientDialect::OpenaiChat, &broken, None, json!([{"role": "assistant", "parts": [call]}]));
}

#[test]
fn answers_whole_and_streamed() {
    let said = |parts: Value, finish: &str| {
        Some(json!([{"role": "assistant", "parts": parts, "finish_reason": finish}]))
    };
    let chat = json!({"id": "1", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "rain"}}]});
    check_output(ClientDialect::OpenaiChat, &chat.to_string(), said(json!([text("rain")]), "stop"));
    let messages = json!({"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}, "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]});
    let parts = json!([{"type": "reasoning", "content": "hm"},
        {"type": "tool_call", "id": "c1", "name": "f", "arguments": {}}]);
    check_output(ClientDialect::AnthropicMessages, &messages.to_string(), said(parts, "tool_call"));
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let (first, second) = (chunk("{\"content\":\"ra\"}", "null"), chunk("{\"content\":\"in\"}", "null"));
    let end = chunk("{}", "\"length\"");
    let stream = format!("{first}{second}{end}data: [DONE]\n\n");
    check_output(ClientDialect::OpenaiChat, &stream, said(json!([text("rain")]), "length"));
    // Without its end nothing is said of it.
    check_output(ClientDialect::OpenaiChat, &format!("{first}{second}"), None);
    let gemini = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "rain"}]}, "finishReason": "STOP"}],
        "modelVersion": "m"});
    for body in [gemini.to_string(), format!("[{gemini}]"), format!("data: {gemini}\n\n")] {
        check_output(ClientDialect::GeminiGenerate, &body, said(json!([text("rain")]), "stop"));
    }
}

#[test]
fn what_cannot_be_read_is_not_told() {
    for client in CLIENTS {
        for body in ["", "x", "{", "[]", "{}", "{\"messages\": 1, \"input\": 2, \"contents\": 3}"] {
            assert_eq!(input(client, body.as_bytes()).map(|told| told.messages), None, "{client:?} {body}");
        }
        for body in ["", "x", "{", "{\"error\": {\"message\": \"no\"}}"] {
            check_output(client, body, None);
        }
    }
}
