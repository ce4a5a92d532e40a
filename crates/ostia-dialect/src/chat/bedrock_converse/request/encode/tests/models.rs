//! What some models refuse: each row of the rules, by what is sent.

use serde_json::{Value, json};

use super::{CLAUDE, of_chat, of_messages};

const LLAMA: &str = "us.meta.llama3-3-70b-instruct-v1:0";
const NOVA: &str = "amazon.nova-lite-v1:0";

#[test]
fn models_without_a_system_prompt_hear_it_from_the_user() {
    let messages = json!([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]);
    for model in [
        "amazon.titan-text-premier-v1:0",
        "mistral.mistral-7b-instruct-v0:2",
        "mistral.mixtral-8x7b-instruct-v0:1",
    ] {
        let (body, dropped) = of_chat(model, json!({"messages": messages}));
        assert_eq!(body["system"], Value::Null, "{model}");
        assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "s"}, {"text": "q"}]}]));
        assert_eq!(dropped, Vec::<String>::new());
    }
    let begun = json!([{"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]);
    let (body, _) = of_chat("amazon.titan-text-lite-v1", json!({"messages": begun}));
    assert_eq!(body["messages"][0], json!({"role": "user", "content": [{"text": "s"}]}));
    let (body, _) = of_chat(NOVA, json!({"messages": messages}));
    assert_eq!(body["system"], json!([{"text": "s"}]));
}

#[test]
fn models_that_end_with_the_user() {
    let messages = json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]);
    for (model, goes_on) in [
        (CLAUDE, true),
        (NOVA, true),
        ("global.anthropic.claude-opus-4-6-v1", false),
        (LLAMA, false),
        ("mistral.mistral-large-2402-v1:0", false),
        ("openai.gpt-oss-20b-1:0", false),
    ] {
        let (body, dropped) = of_chat(model, json!({"messages": messages}));
        let last = body["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["role"] == "assistant", goes_on, "{model}");
        assert_eq!(dropped == ["messages[1].prefix"], !goes_on, "{model} {dropped:?}");
    }
}

#[test]
fn models_that_take_results_alone() {
    let messages = json!([{"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "1"}, {"role": "user", "content": "more"}]);
    let (body, dropped) = of_chat(LLAMA, json!({"messages": messages}));
    let content = json!([{"toolResult": {"toolUseId": "c", "content": [{"text": "1"}, {"text": "more"}]}}]);
    assert_eq!((&body["messages"][2]["content"], dropped), (&content, vec![]));
    let (body, _) = of_chat(NOVA, json!({"messages": messages}));
    assert_eq!(body["messages"][2]["content"].as_array().unwrap().len(), 2);
}

#[test]
fn models_that_hear_of_no_failure() {
    let failed = json!({"messages": [{"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": true}]}]});
    for (model, told) in [(CLAUDE, true), (NOVA, true), (LLAMA, false), ("qwen.qwen3-32b-v1:0", false)] {
        let (body, dropped) = of_messages(model, failed.clone());
        assert_eq!(body["messages"][2]["content"][0]["toolResult"]["status"] == "error", told, "{model}");
        assert_eq!(dropped.is_empty(), told, "{model}: {dropped:?}");
    }
}

#[test]
fn models_with_little_or_no_cache() {
    let marker = json!({"type": "ephemeral", "ttl": "1h"});
    let marked = json!({"system": [{"type": "text", "text": "s", "cache_control": marker}],
                        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": marker}]});
    let (body, dropped) = of_messages(NOVA, marked.clone());
    assert_eq!(body["system"], json!([{"text": "s"}, {"cachePoint": {"type": "default"}}]));
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(dropped, ["messages[0].content[0].cache_control.ttl", "tools[0].cache_control"]);
    let mut all = marked;
    all["cache_control"] = json!({"type": "ephemeral"});
    let (body, dropped) = of_messages(LLAMA, all);
    assert!(!body.to_string().contains("cachePoint"));
    assert_eq!(dropped, ["messages[0].content[0].cache_control", "cache_control", "tools[0].cache_control"]);
}

#[test]
fn models_without_stop_sequences() {
    for (model, taken) in [
        (CLAUDE, true),
        (NOVA, true),
        (LLAMA, true),
        ("openai.gpt-oss-20b-1:0", false),
        ("qwen.qwen3-coder-30b-a3b-v1:0", false),
        ("amazon.titan-text-express-v1", false),
    ] {
        let (body, dropped) = of_chat(model, json!({"stop": ["X"]}));
        assert_eq!(body["inferenceConfig"]["stopSequences"] == json!(["X"]), taken, "{model}");
        assert_eq!(dropped == ["stop"], !taken, "{model}");
    }
}

#[test]
fn models_that_draw_in_one_way_only() {
    let both = json!({"temperature": 0.5, "top_p": 0.5});
    for (model, sampled, lost) in [
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", json!({"temperature": 0.5, "topP": 0.5}), &[][..]),
        (CLAUDE, json!({"temperature": 0.5}), &["top_p"]),
        ("us.anthropic.claude-opus-4-7-v1:0", Value::Null, &["temperature", "top_p"]),
        (NOVA, json!({"temperature": 0.5, "topP": 0.5}), &[]),
    ] {
        let (body, dropped) = of_chat(model, both.clone());
        assert_eq!(
            (&body["inferenceConfig"], dropped.as_slice()),
            (&sampled, lost.iter().map(|&p| p.to_owned()).collect::<Vec<_>>().as_slice()),
            "{model}"
        );
    }
}
