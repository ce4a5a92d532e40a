#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::{encode, encode_event, encode_last_element};
use crate::fault::from_answer;
use crate::{Fault, FaultKind};

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn every_kind_has_a_word() {
    for (kind, code, status) in [
        (FaultKind::InvalidRequest, 400, "INVALID_ARGUMENT"),
        (FaultKind::Authentication, 401, "UNAUTHENTICATED"),
        (FaultKind::Permission, 403, "PERMISSION_DENIED"),
        (FaultKind::NotFound, 404, "NOT_FOUND"),
        (FaultKind::TooLarge, 413, "INVALID_ARGUMENT"),
        (FaultKind::RateLimit, 429, "RESOURCE_EXHAUSTED"),
        (FaultKind::Quota, 429, "RESOURCE_EXHAUSTED"),
        (FaultKind::ContextLength, 400, "INVALID_ARGUMENT"),
        (FaultKind::Server, 500, "INTERNAL"),
        (FaultKind::Upstream, 502, "UNAVAILABLE"),
        (FaultKind::Overloaded, 503, "UNAVAILABLE"),
        (FaultKind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let expected = json!({"error": {"code": code, "message": "m", "status": status}});
        assert_eq!(value(&encode(&Fault::new(kind, "m"))), expected);
    }
    let status = |fault: Fault| value(&encode(&fault))["error"]["status"].clone();
    assert_eq!(status(Fault::invalid("m").with_status(409)), "ABORTED");
    assert_eq!(status(Fault::new(FaultKind::Server, "m").with_status(501)), "UNIMPLEMENTED");
}

#[test]
fn the_field_and_the_reason_are_details() {
    let mut fault =
        Fault::invalid("too \"long\"").with_param("contents[0]").with_code("context_length_exceeded");
    fault.vendor_type = Some("invalid_request_error".into());
    let details = json!([
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "context_length_exceeded"},
        {"@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "contents[0]", "description": "too \"long\""}]},
    ]);
    let expected = json!({"error": {"code": 400, "message": "too \"long\"", "status": "INVALID_ARGUMENT",
        "details": details}});
    assert_eq!(value(&encode(&fault)), expected);
    let event = encode_event(&fault);
    let data = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\r\n\r\n").unwrap();
    assert_eq!(value(data), expected);
    assert!(data.starts_with(b"{\"error\":"), "the SDK looks for this beginning");
    for (before, is_first) in [("", true), ("[{}", false)] {
        let array = [before.as_bytes(), &encode_last_element(&fault, is_first)].concat();
        assert_eq!(value(&array).as_array().unwrap().last(), Some(&expected));
    }
}

#[test]
fn what_the_vendor_itself_said_comes_out_again() {
    for (code, status, reason) in [
        (400, "FAILED_PRECONDITION", None),
        (429, "RESOURCE_EXHAUSTED", None),
        (400, "INVALID_ARGUMENT", Some("API_KEY_INVALID")),
    ] {
        let mut body = json!({"error": {"code": code, "message": "No.", "status": status}});
        if let Some(reason) = reason {
            let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason});
            body["error"]["details"] = json!([info]);
        }
        let fault = from_answer(code, body.to_string().as_bytes());
        assert_eq!(value(&encode(&fault)), body);
    }
}
