#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::{Dialect, FaultKind, Usage};

fn done(output: Value) -> Value {
    json!({"id": "p1", "model": "meta/m", "status": "succeeded", "created_at": "2026-05-04T20:01:02.264Z", "error": null,
           "output": output, "metrics": {"input_token_count": 8, "output_token_count": 2, "predict_time": 0.1},
           "urls": {"get": "https://api.example.com/v1/predictions/p1"}})
}

#[track_caller]
fn check(output: Value, text: &str) {
    let response = Dialect::ReplicateText.decode(done(output).to_string().as_bytes()).unwrap();
    let blocks = if text.is_empty() { Vec::new() } else { vec![Block::text(text)] };
    assert_eq!((response.id.as_str(), response.model.as_str()), ("p1", "meta/m"));
    assert_eq!(response.created, Some(1_777_924_862));
    assert_eq!(response.usage, Some(Usage { prompt: 8, completion: 2, ..Usage::default() }));
    assert_eq!((&response.choices[0].blocks, response.choices[0].finish), (&blocks, Finish::Stop));
}

#[test]
fn an_output_is_a_text_or_its_pieces() {
    check(json!("Hi thére"), "Hi thére");
    check(json!(["Hi", " thé", "re"]), "Hi thére");
    check(json!([]), "");
}

#[test]
fn what_is_no_answer() {
    let fails = |body: &str, kind: FaultKind, message: &str| {
        let fault = Dialect::ReplicateText.decode(body.as_bytes()).unwrap_err();
        assert_eq!(fault.kind, kind, "{body}");
        assert!(fault.message.contains(message), "{fault}");
    };
    fails("", FaultKind::Upstream, "The provider's answer is");
    fails(r#"{"status":"failed","error":"CUDA out of memory","output":null}"#, FaultKind::Server, "CUDA");
    fails(
        r#"{"title":"Not found","detail":"no such model","status":404}"#,
        FaultKind::Server,
        "no such model",
    );
    fails(&done(json!([1])).to_string(), FaultKind::Server, "");
    fails("{}", FaultKind::Server, "");
}
