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
    let told = Asked::read(client, body.to_string().as_bytes()).unwrap();
    let (told_system, told) = (told.system_instructions().as_deref().map(parsed), parsed(&told.messages()));
    told_system.iter().flat_map(items).for_each(check_part);
    items(&told).for_each(|message| check_message(message, &[]));
    assert_eq!(told_system, system, "{client:?}");
    assert_eq!(told, messages, "{client:?}");
}

#[track_caller]
fn check_output(client: ClientDialect, body: &str, expected: Option<Value>) {
    let told = Answered::read(client, body.as_bytes()).map(|answered| parsed(&answered.messages()));
    told.iter().flat_map(items).for_each(|message| check_message(message, &["finish_reason"]));
    assert_eq!(told, expected, "{client:?} {body}");
}

/// What the schemas want of each part, written down by hand: the texts and the objects that have to be there, besides `type`. A part of
/// another type may have what it likes.
const PARTS: [(&str, &[&str], &[&str]); 9] = [
    ("text", &["content"], &[]),
    ("reasoning", &["content"], &[]),
    ("tool_call", &["name"], &[]),
    ("tool_call_response", &[], &[]),
    ("server_tool_call", &["name"], &["server_tool_call"]),
    ("server_tool_call_response", &[], &["server_tool_call_response"]),
    ("blob", &["modality", "content"], &[]),
    ("uri", &["modality", "uri"], &[]),
    ("file", &["modality", "file_id"], &[]),
];
/// Texts wherever they are there.
const TEXTS: [&str; 3] = ["id", "mime_type", "name"];

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

#[track_caller]
fn check_part(part: &Value) {
    let of = part["type"].as_str().unwrap();
    let (_, texts, objects) =
        PARTS.iter().find(|(known, ..)| *known == of).copied().unwrap_or((of, &[], &[]));
    for name in texts {
        assert!(part[name].is_string(), "{name}: {part}");
    }
    for name in objects {
        assert!(part[name]["type"].is_string(), "{name}: {part}");
    }
    for name in TEXTS {
        assert!(part.get(name).is_none_or(Value::is_string), "{name}: {part}");
    }
    assert!(of != "tool_call_response" || part.get("response").is_some(), "{part}");
}

#[track_caller]
fn check_message(message: &Value, more: &[&str]) {
    for name in ["role"].iter().chain(more) {
        assert!(message[name].is_string(), "{name}: {message}");
    }
    assert!(message.get("name").is_none_or(Value::is_string), "{message}");
    items(&message["parts"]).for_each(check_part);
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
            let told = Asked::read(client, body.as_bytes()).map(|told| told.messages());
            assert_eq!(told, None, "{client:?} {body}");
        }
        for body in ["", "x", "{", "{\"error\": {\"message\": \"no\"}}"] {
            check_output(client, body, None);
        }
    }
}

#[test]
fn tools_that_a_vendor_ran_are_parts_of_their_own() {
    let search =
        json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": []});
    let told = json!([
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "server_tool_call": search},
        {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": found}]);
    let said = |parts: &Value| Some(json!([{"role": "assistant", "parts": parts, "finish_reason": "stop"}]));
    let messages = json!({"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1}, "content": [search, found]});
    check_output(ClientDialect::AnthropicMessages, &messages.to_string(), said(&told));
    let call = json!({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}});
    let responses =
        json!({"id": "r", "object": "response", "status": "completed", "model": "m", "output": [call]});
    let told =
        json!([{"type": "server_tool_call", "id": "ws_1", "name": "web_search", "server_tool_call": call}]);
    check_output(ClientDialect::OpenaiResponses, &responses.to_string(), said(&told));
    let (code, result) =
        (json!({"language": "PYTHON", "code": "1+1"}), json!({"outcome": "OUTCOME_OK", "output": "2"}));
    let gemini = json!({"candidates": [{"content": {"role": "model", "parts": [
        {"executableCode": code}, {"codeExecutionResult": result}]}, "finishReason": "STOP"}], "modelVersion": "m"});
    let told = json!([
        {"type": "server_tool_call", "name": "code_execution", "server_tool_call": {"type": "code_execution", "executableCode": code}},
        {"type": "server_tool_call_response", "server_tool_call_response": {"type": "code_execution", "codeExecutionResult": result}}]);
    check_output(ClientDialect::GeminiGenerate, &gemini.to_string(), said(&told));
}

#[test]
fn what_is_asked_for_besides_words() {
    let check =
        |client: ClientDialect, body: Value, expected: &[(&str, Parameter<'_>)], tools: Option<Value>| {
            let asked = Asked::read(client, body.to_string().as_bytes()).unwrap();
            assert_eq!(asked.parameters(), expected, "{client:?}");
            let told = asked.tool_definitions().as_deref().map(parsed);
            let is_whole =
                |tool: &Value| ["type", "name", "description"].iter().all(|name| tool[name].is_string());
            assert!(told.iter().flat_map(items).all(is_whole), "{told:?}");
            assert_eq!(told, tools, "{client:?}");
        };
    use Parameter::{Count, Number, Text, Texts};
    let stop = ["END".to_owned()];
    let schema = json!({"type": "object"});
    let function = json!({"type": "function", "name": "f", "description": "d", "parameters": schema});
    let ask = || json!([{"role": "user", "content": "hi"}]);
    check(
        ClientDialect::OpenaiChat,
        json!({"model": "m", "messages": ask(), "max_completion_tokens": 9, "n": 2, "seed": 7, "temperature": 0.5, "top_p": 1,
            "frequency_penalty": 0.1, "presence_penalty": -1, "stop": "END", "reasoning_effort": "low",
            "response_format": {"type": "json_object"},
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}]}),
        &[
            ("gen_ai.request.max_tokens", Count(9)),
            ("gen_ai.request.choice.count", Count(2)),
            ("gen_ai.request.seed", Count(7)),
            ("gen_ai.request.top_p", Number(1.0)),
            ("gen_ai.request.temperature", Number(0.5)),
            ("gen_ai.request.frequency_penalty", Number(0.1)),
            ("gen_ai.request.presence_penalty", Number(-1.0)),
            ("gen_ai.request.stop_sequences", Texts(&stop)),
            ("gen_ai.request.reasoning.level", Text("low")),
            ("gen_ai.output.type", Text("json")),
        ],
        Some(json!([function])),
    );
    check(
        ClientDialect::OpenaiResponses,
        json!({"model": "m", "input": "hi", "previous_response_id": "resp_1", "tools": [{"type": "web_search"}]}),
        &[("gen_ai.request.previous_response.id", Text("resp_1"))],
        Some(json!([{"type": "web_search", "name": "web_search", "description": ""}])),
    );
    check(
        ClientDialect::AnthropicMessages,
        json!({"model": "m", "max_tokens": 9, "top_k": 40, "messages": ask()}),
        &[("gen_ai.request.max_tokens", Count(9)), ("gen_ai.request.top_k", Count(40))],
        None,
    );
    check(
        ClientDialect::GeminiGenerate,
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"topK": 40.0, "candidateCount": 1}}),
        &[("gen_ai.request.top_k", Count(40))],
        None,
    );
}

#[test]
fn an_answer_has_a_name() {
    let chat = json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "rain"}}]});
    let id = Answered::read(ClientDialect::OpenaiChat, chat.to_string().as_bytes())
        .map(|told| told.id().to_owned());
    assert_eq!(id.as_deref(), Some("chatcmpl-1"));
}
