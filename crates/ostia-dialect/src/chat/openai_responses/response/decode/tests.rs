#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use crate::{Block, Dialect, Fault, Finish, Response, Usage};

fn decode(body: &[u8]) -> Result<Response, Fault> {
    Dialect::OpenaiResponses.decode(body)
}

fn answer(fields: Value) -> Value {
    let words = json!({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]});
    let mut body =
        json!({"id": "resp_1", "object": "response", "created_at": 7, "model": "m", "output": [words]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn decoded(fields: Value) -> Response {
    decode(answer(fields).to_string().as_bytes()).unwrap()
}

#[test]
fn the_facts_beside_the_items() {
    let response = decoded(json!({
        "status": "completed",
        "error": null,
        "temperature": 1.0,
        "tools": [],
        "service_tier": "flex",
        "billing": {"payer": "developer"},
        "moderation": null,
        "usage": {
            "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15,
        },
    }));
    assert_eq!((response.id.as_str(), response.model.as_str(), response.created), ("resp_1", "m", Some(7)));
    assert_eq!(response.service_tier.as_deref(), Some("flex"));
    assert_eq!(response.choices[0].blocks, [Block::text("Hi")]);
    let extra: Vec<_> = response.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extra, [("billing", r#"{"payer":"developer"}"#)]);
    let usage = Usage {
        prompt: 10,
        completion: 5,
        cached: Some(4),
        cache_written: Some(2),
        reasoning: Some(3),
        ..Usage::default()
    };
    assert_eq!(response.usage, Some(usage));
}

#[test]
fn why_it_ended() {
    let call = json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]);
    let incomplete = |reason: &str| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
    let mut cut_off = incomplete("max_output_tokens");
    cut_off["output"] = call.clone();
    let cases = [
        (json!({"status": "completed"}), Finish::Stop, "completed"),
        (json!({}), Finish::Stop, "completed"),
        (json!({"status": "completed", "output": call}), Finish::ToolCalls, "completed"),
        (incomplete("max_output_tokens"), Finish::Length, "max_output_tokens"),
        (incomplete("content_filter"), Finish::ContentFilter, "content_filter"),
        (json!({"status": "incomplete"}), Finish::Length, "incomplete"),
        (cut_off, Finish::Length, "max_output_tokens"),
    ];
    for (fields, finish, native) in cases {
        let choice = &decoded(fields.clone()).choices[0];
        assert_eq!((choice.finish, choice.native_finish.as_deref()), (finish, Some(native)), "{fields}");
    }
}

#[test]
fn what_is_no_answer_is_a_fault() {
    let failed = |code: &str| json!({"status": "failed", "error": {"code": code, "message": "Oh."}});
    let cases = [
        (answer(failed("server_error")), 500, "Oh."),
        (answer(failed("rate_limit_exceeded")), 429, "Oh."),
        (answer(failed("image_too_large")), 400, "Oh."),
        (answer(failed("of_tomorrow")), 502, "Oh."),
        (answer(json!({"status": "queued"})), 502, "`queued`"),
        (answer(json!({"status": "cancelled"})), 502, "`cancelled`"),
        (json!({"error": {"message": "No.", "type": "invalid_request_error"}}), 400, "No."),
        (json!({"code": "invalid-argument", "error": "Model not found: x"}), 502, "Model not found: x"),
        (json!({"choices": []}), 502, "no `output`"),
        (json!(7), 502, "no `output`"),
    ];
    for (body, status, message) in cases {
        let fault = decode(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.status, status, "{body}");
        assert!(fault.message.contains(message), "{fault}");
    }
    assert!(decode(b"{").unwrap_err().message.contains("not valid JSON"));
}
