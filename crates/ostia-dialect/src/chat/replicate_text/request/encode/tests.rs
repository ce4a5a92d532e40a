#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::test_support::{call, decoded, function, result, thought, turn};
use crate::{Message, Role};

/// What a model gets of a client's body, without and with a stream.
#[track_caller]
fn check(model: &str, fields: &Value, input: Value, dropped: &[&str]) {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut request = decoded(ClientDialect::OpenaiChat, body.to_string()).unwrap();
    let encoded = encode(&request).unwrap();
    assert_eq!(sent(&encoded), json!({"input": input}));
    assert_eq!(encoded.headers, [("prefer", "wait".to_owned())]);
    assert_eq!(encoded.dropped, dropped);
    request.stream = true;
    let encoded = encode(&request).unwrap();
    assert_eq!(sent(&encoded), json!({"input": input, "stream": true}));
    assert!(encoded.headers.is_empty());
}

fn sent(encoded: &Encoded) -> Value {
    serde_json::from_slice(&encoded.body).unwrap()
}

const LLAMA: &str = "meta/meta-llama-3-70b-instruct";

#[test]
fn what_a_user_says_is_the_prompt() {
    check(LLAMA, &json!({}), json!({"prompt": "Hi"}), &[]);
    let turns = json!([{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Rhyme."},
                       {"role": "user", "content": "Hi"}]);
    check(
        LLAMA,
        &json!({"messages": turns}),
        json!({"prompt": "Hi", "system_prompt": "Be brief.\n\nRhyme."}),
        &[],
    );
    check(
        "google/gemini-2.5-flash",
        &json!({"messages": turns}),
        json!({"prompt": "Hi", "system_instruction": "Be brief.\n\nRhyme."}),
        &[],
    );
}

#[test]
fn several_turns_are_a_transcript() {
    let mut turns = vec![
        json!({"role": "user", "content": "Hi", "name": "ann"}),
        json!({"role": "assistant", "content": "Hello."}),
        json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
    ];
    let told = "User: Hi\n\nAssistant: Hello.\n\nUser: a\n\nb\n\nAssistant:";
    check(LLAMA, &json!({"messages": turns}), json!({"prompt": told}), &["messages[0].name"]);
    // The model goes on with what it is said to have begun.
    turns.push(json!({"role": "assistant", "content": "So"}));
    check(LLAMA, &json!({"messages": turns}), json!({"prompt": format!("{told} So")}), &["messages[0].name"]);
}

#[test]
fn parameters_have_the_names_of_the_model() {
    let all = json!({"max_tokens": 9, "temperature": 0.50, "top_p": 0.9, "seed": 4, "presence_penalty": 1,
                     "stop": ["a", "b"], "reasoning_effort": "low"});
    check(
        LLAMA,
        &all,
        json!({"prompt": "Hi", "max_tokens": 9, "temperature": 0.50, "top_p": 0.9, "seed": 4, "presence_penalty": 1,
               "stop_sequences": "a,b"}),
        &["reasoning_effort"],
    );
    check(
        "openai/gpt-5",
        &all,
        json!({"prompt": "Hi", "max_completion_tokens": 9, "reasoning_effort": "low"}),
        &["temperature", "top_p", "seed", "presence_penalty", "stop"],
    );
    check(
        "anthropic/claude-4-sonnet",
        &json!({"max_tokens": 9}),
        json!({"prompt": "Hi", "max_tokens": 1024}),
        &["max_tokens"],
    );
    check(
        "meta/llama-2-70b-chat",
        &json!({"max_tokens": 9}),
        json!({"prompt": "Hi", "max_new_tokens": 9}),
        &[],
    );
    check(LLAMA, &json!({"stop": "a,b"}), json!({"prompt": "Hi"}), &["stop"]);
}

#[test]
fn fields_of_nobody_else_are_inputs() {
    check(
        LLAMA,
        &json!({"prompt_template": "{prompt}", "min_tokens": 2, "metadata": {"a": "b"}, "n": 2, "prompt": "x",
                "response_format": {"type": "json_object"}}),
        json!({"prompt": "Hi", "prompt_template": "{prompt}", "min_tokens": 2}),
        &["metadata", "prompt", "n", "response_format"],
    );
}

#[test]
fn images_stand_beside_the_prompt() {
    let part = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let (web, data) = ("https://example.com/a.png", "data:image/jpeg;base64,/9j/4AAQ");
    let turns = json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}, part(web), part(data)]}]);
    check(
        "openai/gpt-4o",
        &json!({"messages": turns}),
        json!({"prompt": "Hi", "image_input": [web, data]}),
        &[],
    );
    check(
        LLAMA,
        &json!({"messages": turns}),
        json!({"prompt": "Hi", "image": web}),
        &["messages[0].content[2]"],
    );
}

#[test]
fn tools_are_refused_and_their_history_is_told() {
    let mut request = Request {
        model: LLAMA.into(),
        messages: vec![Message::text(Role::User, "Hi")],
        tools: vec![function("f")],
        ..Request::default()
    };
    let fault = encode(&request).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tools")));
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(encode(&request).unwrap().dropped, ["tools"]);
    request.tools.clear();
    request.messages.extend([
        turn(Role::Assistant, [thought("Hm"), call("c", "f", "{\"a\":1}")]),
        turn(Role::Tool, [result("c", [crate::Block::text("sunny")], false)]),
    ]);
    let encoded = encode(&request).unwrap();
    let told = "User: Hi\n\nAssistant: [f {\"a\":1}]\n\nTool: sunny\n\nAssistant:";
    assert_eq!(sent(&encoded)["input"]["prompt"], told);
    assert_eq!(encoded.dropped, ["messages[1].content[0]"]);
}
