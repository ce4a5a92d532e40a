#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::{decode, encode, encode_event};
use crate::json::Document;
use crate::{Fault, FaultKind};

#[test]
fn faults_become_envelopes() {
    let cases = [
        (FaultKind::InvalidRequest, "invalid_request_error"),
        (FaultKind::ContentPolicy, "invalid_request_error"),
        (FaultKind::Authentication, "authentication_error"),
        (FaultKind::Permission, "permission_error"),
        (FaultKind::NotFound, "not_found_error"),
        (FaultKind::TooLarge, "request_too_large"),
        (FaultKind::RateLimit, "rate_limit_error"),
        (FaultKind::Overloaded, "overloaded_error"),
        (FaultKind::Timeout, "timeout_error"),
        (FaultKind::Upstream, "api_error"),
        (FaultKind::Server, "api_error"),
    ];
    for (kind, word) in cases {
        let body = String::from_utf8(encode(&Fault::new(kind, "No \"x\"."), Some("req_1"))).unwrap();
        let error = format!(r#"{{"type":"{word}","message":"No \"x\"."}}"#);
        assert_eq!(body, format!(r#"{{"type":"error","error":{error},"request_id":"req_1"}}"#));
    }
    let unpaid = Fault::new(FaultKind::Quota, "Pay.");
    let event = String::from_utf8(encode_event(&unpaid)).unwrap();
    let data = r#"{"type":"error","error":{"type":"billing_error","message":"Pay."}}"#;
    assert_eq!(event, format!("event: error\ndata: {data}\n\n"));
}

#[test]
fn a_conversation_that_is_too_long_is_told_in_words_that_clients_know() {
    let check = |said: &str, told: &str| {
        let body = encode(&Fault::new(FaultKind::ContextLength, said), None);
        let expected =
            format!(r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{told}"}}}}"#);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    };
    check(
        "Range of input length should be [1, 9]",
        "prompt is too long: Range of input length should be [1, 9]",
    );
    for own in [
        "prompt is too long: 2 tokens > 1 maximum",
        "The Prompt is too long",
        "a and `b` exceed context limit: 1 + 2 > 2",
    ] {
        check(own, own);
    }
}

#[test]
fn envelopes_become_faults() {
    let check = |text: &str, kind: FaultKind, status: u16, vendor_type: Option<&str>, message: &str| {
        let document = Document::parse(text.as_bytes()).unwrap();
        let fault = decode(document.root());
        assert_eq!((fault.kind, fault.status), (kind, status));
        assert_eq!(fault.vendor_type.as_deref(), vendor_type);
        assert_eq!(fault.message, message);
    };
    let word = Some("overloaded_error");
    let text =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#;
    check(text, FaultKind::Overloaded, 529, word, "Overloaded");
    let text = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#;
    check(text, FaultKind::RateLimit, 429, Some("rate_limit_error"), "Slow down");
    let text = r#"{"type":"error","error":{"type":"odd"}}"#;
    let message = r#"The provider reported an error without a message: {"type":"odd"}"#;
    check(text, FaultKind::Server, 500, Some("odd"), message);
    let text = r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}"#;
    let message = "prompt is too long: 2 tokens > 1 maximum";
    check(text, FaultKind::ContextLength, 400, Some("invalid_request_error"), message);
    let text = r#"{"type":"error","error":{"type":"api_error","message":"Insufficient balance"}}"#;
    check(text, FaultKind::Quota, 429, Some("api_error"), "Insufficient balance");
    check(r#"{"type":"error","message":"Flat"}"#, FaultKind::Server, 500, None, "Flat");
}
