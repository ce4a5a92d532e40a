//! What the vendor refuses whatever the model: each is made to fit, or reported.

use serde_json::{Value, json};

use super::{CLAUDE, of_chat};

fn call(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}})
}

#[test]
fn ids_and_names_in_the_vendors_letters() {
    let long = "x".repeat(65);
    for (id, name) in [("call:1", "a.b"), (long.as_str(), long.as_str()), ("", "ok"), ("a b", "é")] {
        let (body, _) = of_chat(
            CLAUDE,
            json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call(id, name)]},
                                {"role": "tool", "tool_call_id": id, "content": "1"}],
                   "tools": [{"type": "function", "function": {"name": name}}]}),
        );
        let called = &body["messages"][1]["content"][0]["toolUse"];
        let fits = |text: &Value| {
            let text = text.as_str().unwrap();
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        };
        assert!(fits(&called["toolUseId"]) && fits(&called["name"]), "{called}");
        assert_eq!(body["messages"][2]["content"][0]["toolResult"]["toolUseId"], called["toolUseId"]);
        assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], called["name"]);
    }
}

#[test]
fn blank_texts_and_stop_sequences() {
    let (body, dropped) = of_chat(
        CLAUDE,
        json!({"messages": [{"role": "system", "content": " "},
                            {"role": "user", "content": [{"type": "text", "text": "\n"}, {"type": "text", "text": "q"}]}],
               "stop": ["\n", "", "X"]}),
    );
    assert_eq!(body["system"], Value::Null);
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "q"}]}]));
    assert_eq!(body["inferenceConfig"]["stopSequences"], json!(["X"]));
    assert_eq!(dropped, ["stop", "messages[0].content[0]", "messages[1].content[0]"]);
}

#[test]
fn numbers_in_their_bounds() {
    let (body, dropped) =
        of_chat("anthropic.claude-3-haiku-20240307-v1:0", json!({"temperature": 1.5, "top_p": 1.5}));
    assert_eq!(body["inferenceConfig"], json!({"temperature": 1, "topP": 1}));
    assert_eq!(dropped, ["temperature", "top_p"]);
    let (body, _) = of_chat(CLAUDE, json!({"max_tokens": 0}));
    assert_eq!(body["inferenceConfig"]["maxTokens"], 1);
}

#[test]
fn arguments_that_are_no_object() {
    let (body, _) = of_chat(
        CLAUDE,
        json!({"messages": [{"role": "user", "content": "q"},
                            {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a"}}]},
                            {"role": "tool", "tool_call_id": "c", "content": "1"}],
               "tools": [{"type": "function", "function": {"name": "f"}}]}),
    );
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], json!({"INVALID_JSON": "{\"a"}));
}
