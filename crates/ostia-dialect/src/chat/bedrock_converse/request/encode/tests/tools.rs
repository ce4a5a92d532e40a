//! Tools and the choice among them.

use serde_json::{Value, json};

use super::{CLAUDE, chat, of_chat, of_messages, sent};
use crate::ClientDialect;

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "d", "parameters":
        {"type": "object", "properties": {"a": {"type": "string"}}}}})
}

fn spec(name: &str) -> Value {
    json!({"toolSpec": {"name": name, "description": "d", "inputSchema": {"json":
        {"type": "object", "properties": {"a": {"type": "string"}}}}}})
}

/// The `toolConfig` of a model with two tools, for this choice.
#[track_caller]
fn check(model: &str, choice: Value, expected: Value, lost: &[&str]) {
    let (body, dropped) =
        of_chat(model, json!({"tools": [function("f"), function("g")], "tool_choice": choice}));
    assert_eq!(
        (body["toolConfig"].clone(), dropped),
        (expected, lost.iter().map(|&path| path.into()).collect())
    );
}

#[test]
fn choices_as_the_models_take_them() {
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let both = json!([spec("f"), spec("g")]);
    check(CLAUDE, json!("auto"), json!({"tools": both}), &[]);
    check(CLAUDE, json!("required"), json!({"tools": both, "toolChoice": {"any": {}}}), &[]);
    check(CLAUDE, named("g"), json!({"tools": both, "toolChoice": {"tool": {"name": "g"}}}), &[]);
    // The vendor has no word for "none".
    check(CLAUDE, json!("none"), Value::Null, &[]);
    let allowed =
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("g")]}});
    check(CLAUDE, allowed, json!({"tools": [spec("g")], "toolChoice": {"any": {}}}), &[]);
    let large = "mistral.mistral-large-2407-v1:0";
    check(large, json!("required"), json!({"tools": both, "toolChoice": {"any": {}}}), &[]);
    check(large, named("g"), json!({"tools": [spec("g")], "toolChoice": {"any": {}}}), &[]);
    let llama = "us.meta.llama3-3-70b-instruct-v1:0";
    check(llama, json!("auto"), json!({"tools": both}), &[]);
    check(llama, json!("required"), json!({"tools": both}), &["tool_choice"]);
    check(llama, named("g"), json!({"tools": both}), &["tool_choice"]);
    check(
        "amazon.nova-pro-v1:0",
        named("f"),
        json!({"tools": both, "toolChoice": {"tool": {"name": "f"}}}),
        &[],
    );
    // It cannot think and be forced at once.
    let (body, dropped) = of_messages(
        CLAUDE,
        json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"},
               "thinking": {"type": "enabled", "budget_tokens": 2000}}),
    );
    assert_eq!(body["additionalModelRequestFields"], Value::Null);
    assert_eq!(
        (&body["toolConfig"]["toolChoice"], dropped),
        (&json!({"any": {}}), vec!["thinking".to_owned()])
    );
    let (body, dropped) = of_messages(
        "us.anthropic.claude-opus-5-5-v1:0",
        json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}}),
    );
    assert_eq!((&body["toolConfig"]["toolChoice"], dropped), (&Value::Null, vec!["tool_choice".to_owned()]));
}

#[test]
fn tools_of_the_history_have_to_be_there() {
    let history = json!([{"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "1"}]);
    let placeholder = json!({"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]});
    let (body, dropped) = of_chat(CLAUDE, json!({"messages": history}));
    assert_eq!((&body["toolConfig"], dropped), (&placeholder, vec![]));
    // "None" cannot be said there.
    let (body, dropped) =
        of_chat(CLAUDE, json!({"messages": history, "tools": [function("g")], "tool_choice": "none"}));
    assert_eq!(
        (&body["toolConfig"], dropped),
        (&json!({"tools": [spec("g")]}), vec!["tool_choice".to_owned()])
    );
    let (body, _) = of_chat(CLAUDE, json!({"messages": history, "tool_choice": "none"}));
    assert_eq!(body["toolConfig"], placeholder);
    let lone =
        json!([{"role": "user", "content": "q"}, {"role": "tool", "tool_call_id": "c", "content": "1"}]);
    let (body, _) = of_chat(CLAUDE, json!({"messages": lone}));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "tool");
}

#[test]
fn what_of_a_tool_is_said() {
    let (body, dropped) = of_messages(
        CLAUDE,
        json!({"tools": [{"name": "f", "description": " ", "input_schema": {"type": "object"}, "strict": true},
                         {"name": "g", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                         {"type": "bash_20250124", "name": "bash"}]}),
    );
    let tools = &body["toolConfig"]["tools"];
    assert_eq!(tools[0]["toolSpec"]["strict"], true);
    assert_eq!(tools[0]["toolSpec"]["description"], Value::Null);
    assert_eq!(tools[1], json!({"toolSpec": {"name": "g", "inputSchema": {"json": {"type": "object"}}}}));
    assert_eq!(tools[2], json!({"cachePoint": {"type": "default", "ttl": "1h"}}));
    assert_eq!(tools[3]["toolSpec"]["name"], "bash");
    assert_eq!(dropped, Vec::<String>::new());
    let strict = json!({"tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters":
        {"type": "object", "properties": {}, "additionalProperties": false}}}]});
    let (body, dropped) = of_chat("amazon.nova-pro-v1:0", strict);
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["strict"], Value::Null);
    assert_eq!(dropped, ["tools[0].strict"]);
}

#[test]
fn models_that_take_none() {
    let ask = |model: &str, stream: bool| {
        sent(ClientDialect::OpenaiChat, &chat(model, json!({"tools": [function("f")], "stream": stream})))
    };
    for (model, whole, streamed) in [
        (CLAUDE, true, true),
        ("amazon.nova-micro-v1:0", true, true),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", true, false),
        ("mistral.mistral-large-2402-v1:0", true, false),
        ("amazon.titan-text-express-v1", false, false),
        ("mistral.mistral-7b-instruct-v0:2", false, false),
        ("mistral.mixtral-8x7b-instruct-v0:1", false, false),
        ("us.deepseek.r1-v1:0", false, false),
        ("deepseek.v3-v1:0", true, true),
    ] {
        for (stream, taken) in [(false, whole), (true, streamed)] {
            match ask(model, stream) {
                Ok(_) => assert!(taken, "{model} {stream}"),
                Err(fault) => {
                    assert_eq!((taken, fault.status, fault.param.as_deref()), (false, 400, Some("tools")))
                }
            }
        }
    }
}

#[test]
fn one_call_at_a_time() {
    let tools = json!([function("f")]);
    let one = json!({"type": "auto", "disable_parallel_tool_use": true});
    let ask = |model: &str, choice: Value| {
        let (body, dropped) =
            of_chat(model, json!({"tools": tools, "tool_choice": choice, "parallel_tool_calls": false}));
        (body["additionalModelRequestFields"]["tool_choice"].clone(), dropped)
    };
    let lost = (Value::Null, vec!["parallel_tool_calls".to_owned()]);
    assert_eq!(ask(CLAUDE, json!("auto")), (one, vec![]));
    assert_eq!(ask(CLAUDE, json!("required")), lost);
    assert_eq!(ask(CLAUDE, json!("none")), lost);
    assert_eq!(ask("anthropic.claude-3-5-sonnet-20241022-v2:0", json!("auto")), lost);
    assert_eq!(ask("amazon.nova-pro-v1:0", json!("auto")), lost);
}
