//! What a client of this dialect says reaches an upstream of it as it was.

use serde_json::{Value, json};

use super::{body, decode};
use crate::chat::anthropic_messages::request::encode::encode;

const MODEL: &str = "claude-sonnet-4-6";

/// The upstream's body is the client's: a text is a list of one block, and order and defaults do not count.
fn check(fields: Value) {
    let mut said = body(&fields);
    said["model"] = json!(MODEL);
    said["max_tokens"] = json!(8000);
    let request = decode(said.to_string().as_bytes()).unwrap();
    let encoded = encode(&request).unwrap();
    assert_eq!(encoded.dropped, Vec::<String>::new());
    let heard: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(in_one_form(heard), in_one_form(said));
}

fn in_one_form(mut body: Value) -> Value {
    let text = |value: &mut Value| {
        if value.is_string() {
            *value = json!([{"type": "text", "text": value}]);
        }
    };
    if let Some(system) = body.get_mut("system") {
        text(system);
    }
    for message in body["messages"].as_array_mut().unwrap() {
        text(&mut message["content"]);
        for block in message["content"].as_array_mut().unwrap() {
            if block["type"] == "tool_result" {
                text(&mut block["content"]);
            }
        }
    }
    body
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

#[test]
fn fields() {
    check(json!({"system": "s", "stream": true, "temperature": 0.5, "stop_sequences": ["x"], "top_k": 3}));
    check(json!({"metadata": {"user_id": "u"}, "service_tier": "standard_only", "container": "c"}));
    check(json!({"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}}));
    check(
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low", "task_budget": {"n": 1}}}),
    );
    check(json!({"thinking": {"type": "of_tomorrow"}}));
    check(json!({"output_config": {"effort": "low"}}));
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    check(json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}));
    check(
        json!({"system": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                            {"type": "text", "text": "B"}]}),
    );
}

#[test]
fn tools() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    check(json!({
        "tools": [
            {"name": "a", "input_schema": schema},
            {"type": "bash_20250124", "name": "bash"},
            {"name": "b", "description": "d", "input_schema": schema, "strict": true, "defer_loading": true,
             "input_examples": [{"x": "y"}], "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20260209", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "tool", "name": "a", "disable_parallel_tool_use": true},
    }));
    let place = json!({"type": "approximate", "city": "Rome"});
    check(json!({"tools": [
        {"type": "web_search_20250305", "name": "web_search", "user_location": place}]}));
}

#[test]
fn blocks() {
    let text = |text: &str| json!({"type": "text", "text": text});
    check(user(json!([
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}, "transformations": {"a": "b"}},
        {"type": "document", "title": "t", "context": "c", "citations": {"enabled": true},
         "cache_control": {"type": "ephemeral"},
         "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
        {"type": "document", "source": {"type": "content", "content": [text("A"), text("B")]}},
        {"type": "search_result", "source": "https://x.test", "title": "T", "content": [text("A")]},
        {"type": "container_upload", "file_id": "f"},
    ])));
    let source = json!({"type": "page_location", "document_title": "T", "cited_text": "c"});
    check(json!({"messages": [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "EqQC"},
            {"type": "text", "text": "I look.", "citations": [source]},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            {"type": "tool_use", "id": "a", "name": "look", "input": {"x": 1}, "toolset_name": "browser"},
            {"type": "tool_use", "id": "b", "name": "look", "input": {}, "cache_control": {"type": "ephemeral"},
             "caller": {"type": "code_execution_20250825", "tool_id": "s"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": "no"},
            {"type": "tool_result", "tool_use_id": "b", "cache_control": {"type": "ephemeral"}, "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "search_result", "source": "u", "title": "T", "content": [text("A")]},
                {"type": "tool_reference", "tool_name": "n"}]},
            text("And?")]},
    ]}));
}

#[test]
fn what_does_not_fit_is_reported_in_the_clients_words() {
    let said = json!({"model": MODEL, "max_tokens": 9, "system": "s", "odd": 1, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "q", "odd": 1, "context": "no document"}]}]});
    let request = decode(said.to_string().as_bytes()).unwrap();
    let dropped = encode(&request).unwrap().dropped;
    let dropped = crate::ClientDialect::AnthropicMessages.in_own_words(&request, dropped);
    assert_eq!(dropped, ["odd", "messages[0].content[0].odd", "messages[0].content[0].context"]);
}
