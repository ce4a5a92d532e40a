#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::test_support::{call, choice, thought};
use crate::{Dialect, FaultKind, Usage};

/// Decodes an answer of 2026-05-04 with these fields.
fn read(fields: Value) -> Result<Response, Fault> {
    let mut body = json!({"model": "qwen3:4b", "created_at": "2026-05-04T20:01:02.264968Z", "done": true});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Dialect::OllamaChat.decode(body.to_string().as_bytes())
}

#[test]
fn a_whole_answer() {
    let response = read(json!({
        "message": {"role": "assistant", "content": "Hi", "thinking": "Hm.", "tool_calls": [
            {"id": "call_1", "function": {"index": 0, "name": "f", "arguments": {"b": 1, "a": [2.50]}}},
            {"function": {"name": "g", "arguments": "{\"x\":1}"}}, {"function": {"name": "h"}}]},
        "done_reason": "stop", "total_duration": 7, "load_duration": 1, "prompt_eval_count": 11,
        "prompt_eval_duration": 2, "eval_count": 5, "eval_duration": 4, "remote_host": "https://ollama.com:443",
        "logprobs": [{"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [
            {"token": "Hi", "logprob": -0.25}]}, {"token": "é", "logprob": -1}]
    }))
    .unwrap();
    assert_eq!((response.id.as_str(), response.model.as_str()), ("", "qwen3:4b"));
    assert_eq!(response.created, Some(1_777_924_862));
    assert_eq!(response.usage, Some(Usage { prompt: 11, completion: 5, ..Usage::default() }));
    let names: Vec<&str> = response.extra.iter().map(|(name, _)| name.as_str()).collect();
    let durations = ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"];
    assert_eq!(names, [&durations[..], &["remote_host"]].concat());
    let calls =
        [call("call_1", "f", r#"{"b":1,"a":[2.5]}"#), call("", "g", r#"{"x":1}"#), call("", "h", "{}")];
    let blocks = [&[thought("Hm."), Block::text("Hi")], &calls[..]].concat();
    let told = &response.choices[0];
    let logprobs = json!({"content": [
        {"token": "Hi", "logprob": -0.25, "bytes": [72, 105],
         "top_logprobs": [{"token": "Hi", "logprob": -0.25, "bytes": [72, 105]}]},
        {"token": "é", "logprob": -1, "bytes": [195, 169], "top_logprobs": []}]});
    assert_eq!(told.logprobs.as_ref().unwrap().to_value(), logprobs);
    let expected = Choice {
        native_finish: Some("stop".into()),
        logprobs: told.logprobs.clone(),
        ..choice(blocks, Finish::ToolCalls)
    };
    assert_eq!(*told, expected);
}

#[test]
fn ends() {
    let check = |reason: Value, expected: Finish| {
        let message = json!({"role": "assistant", "content": ""});
        let response = read(json!({"message": message, "done_reason": reason})).unwrap();
        assert_eq!(response.choices[0].finish, expected, "{reason}");
        assert!(response.choices[0].blocks.is_empty() && response.usage.is_none());
    };
    check(json!("stop"), Finish::Stop);
    check(json!("length"), Finish::Length);
    check(json!("load"), Finish::Stop);
    check(json!("unload"), Finish::Stop);
    check(Value::Null, Finish::Stop);
}

#[test]
fn what_is_no_answer() {
    let check = |body: &str, kind: FaultKind, message: &str| {
        let fault = decode(body.as_bytes()).unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (kind, message), "{body}");
    };
    check(
        r#"{"error":"model runner has unexpectedly stopped"}"#,
        FaultKind::Server,
        "model runner has unexpectedly stopped",
    );
    check(r#"{"error":"unauthorized","status":401}"#, FaultKind::Authentication, "unauthorized");
    check("{}", FaultKind::Server, "The provider sent an answer without a message.");
    assert_eq!(decode(b"<html>").unwrap_err().kind, FaultKind::Upstream);
}
