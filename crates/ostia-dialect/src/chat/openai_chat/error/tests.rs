#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use serde_json::json;

use super::{encode, encode_event};
use crate::test_support::value;
use crate::{Fault, FaultKind};

#[test]
fn every_kind_has_a_word() {
    for (kind, word) in [
        (FaultKind::InvalidRequest, "invalid_request_error"),
        (FaultKind::NotFound, "invalid_request_error"),
        (FaultKind::TooLarge, "invalid_request_error"),
        (FaultKind::Authentication, "authentication_error"),
        (FaultKind::Permission, "permission_error"),
        (FaultKind::RateLimit, "rate_limit_error"),
        (FaultKind::Timeout, "timeout_error"),
        (FaultKind::Overloaded, "overloaded_error"),
        (FaultKind::Upstream, "upstream_error"),
        (FaultKind::Server, "server_error"),
    ] {
        let body = value(&encode(&Fault::new(kind, "m"), None));
        assert_eq!(body, json!({"error": {"message": "m", "type": word, "param": null, "code": null}}));
    }
}

#[test]
fn codes_that_clients_act_on() {
    let code = |kind, code: Option<&str>| {
        let fault = Fault { code: code.map(str::to_owned), ..Fault::new(kind, "m") };
        value(&encode(&fault, None))["error"]["code"].clone()
    };
    assert_eq!(code(FaultKind::ContextLength, None), "context_length_exceeded");
    assert_eq!(code(FaultKind::ContextLength, Some("invalid_parameter_error")), "context_length_exceeded");
    assert_eq!(code(FaultKind::Quota, None), "insufficient_quota");
    assert_eq!(code(FaultKind::Quota, Some("Arrearage")), "Arrearage");
    assert_eq!(code(FaultKind::RateLimit, None), serde_json::Value::Null);
}

#[test]
fn what_the_upstream_said_is_kept() {
    let mut fault =
        Fault::invalid("too \"long\"").with_param("messages[0]").with_code("context_length_exceeded");
    fault.vendor_type = Some("their_error".into());
    let expected = json!({"error": {"message": "too \"long\"", "type": "their_error", "param": "messages[0]",
        "code": "context_length_exceeded"}, "provider": "p"});
    assert_eq!(value(&encode(&fault, Some("p"))), expected);
    let event = encode_event(&fault, Some("p"));
    let data = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
    assert_eq!(value(data), expected);
}
