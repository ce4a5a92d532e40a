#![allow(clippy::unwrap_used)]

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::{TEXT_CHARS_MAX, from_answer, from_body};
use crate::json::Document;
use crate::{Fault, FaultKind};

/// What a body is read as: message, type, code, field to blame.
#[track_caller]
fn check(status: u16, body: &str, message: &str, words: [Option<&str>; 3]) -> Fault {
    let fault = from_answer(status, body.as_bytes());
    assert_eq!(fault.message, message, "{body}");
    let [kind, code, param] = words;
    let found = [fault.vendor_type.as_deref(), fault.code.as_deref(), fault.param.as_deref()];
    assert_eq!(found, [kind, code, param], "{body}");
    assert_eq!(fault.status, status, "{body}");
    fault
}

#[test]
fn the_envelope_of_openai() {
    let openai = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    check(
        400,
        openai,
        "too long",
        [Some("invalid_request_error"), Some("context_length_exceeded"), Some("messages")],
    );
    // Azure leaves out the type or gives null, and writes numbers as text.
    let filtered = r#"{"error":{"message":"filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"R"}}}"#;
    check(400, filtered, "filtered", [None, Some("content_filter"), Some("prompt")]);
    check(
        401,
        r#"{"error":{"code":"401","message":"Access denied"}}"#,
        "Access denied",
        [None, Some("401"), None],
    );
    let detailed =
        r#"{"error":{"code":"RateLimitReached","message":"slow down","details":"slow down, please"}}"#;
    check(429, detailed, "slow down", [None, Some("RateLimitReached"), None]);
    // Groq, llama.cpp, OpenRouter, Perplexity add fields or give the code as a number.
    let groq = r#"{"error":{"message":"did not call","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"maybe"}}"#;
    check(400, groq, "did not call", [Some("invalid_request_error"), Some("tool_use_failed"), None]);
    let llama =
        r#"{"error":{"code":400,"message":"too long","n_ctx":512,"type":"exceed_context_size_error"}}"#;
    check(400, llama, "too long", [Some("exceed_context_size_error"), Some("400"), None]);
    let router = r#"{"error":{"code":400,"message":"no such model","metadata":{"raw":"x"}},"user_id":"u"}"#;
    check(400, router, "no such model", [None, Some("400"), None]);
    let together = r#"{"id":"9","error":{"message":"Invalid request","type":"invalid_request_error","param":"","code":null}}"#;
    check(400, together, "Invalid request", [Some("invalid_request_error"), None, None]);
}

#[test]
fn other_envelopes() {
    let anthropic =
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"},"request_id":"r"}"#;
    check(404, anthropic, "model: x", [Some("not_found_error"), None, None]);
    check(400, r#"{"message":"no video"}"#, "no video", [None, None, None]);
    check(400, r#"{"Message":"no video"}"#, "no video", [None, None, None]);
    check(401, r#"{"id":"2","message":"Incorrect API key"}"#, "Incorrect API key", [None, None, None]);
    check(401, r#"{"message":"No API key found","request_id":"e"}"#, "No API key found", [None, None, None]);
    let mistral = r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500","raw_status_code":400}"#;
    check(400, mistral, "Invalid model: x", [Some("invalid_model"), Some("1500"), None]);
    let flat = r#"{"code":400,"message":"Validation","type":"Bad Request"}"#;
    check(400, flat, "Validation", [Some("Bad Request"), Some("400"), None]);
    check(
        400,
        r#"{"code":"invalid-argument","error":"no such model"}"#,
        "no such model",
        [None, Some("invalid-argument"), None],
    );
    check(
        422,
        r#"{"error":"template","error_type":"template_error"}"#,
        "template",
        [Some("template_error"), None, None],
    );
    check(404, r#"{"error":"model not found"}"#, "model not found", [None, None, None]);
    check(500, r#"{"errors":[{"message":"first"},{"message":"second"}]}"#, "first", [None, None, None]);
}

#[test]
fn details() {
    check(401, r#"{"detail":"Sign in again."}"#, "Sign in again.", [None, None, None]);
    let missing =
        r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"value_error.missing"}]}"#;
    check(422, missing, "field required (body.messages.0)", [None, None, None]);
    let nested = r#"{"object":"error","message":{"detail":[{"loc":["body"],"msg":"required"}]}}"#;
    check(422, nested, "required (body)", [None, None, None]);
    let titled = r#"{"detail":"- input: text is required\n","status":422,"title":"Input validation failed"}"#;
    check(422, titled, "- input: text is required\n", [None, None, None]);
}

#[test]
fn the_envelope_of_google() {
    let quota = r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"RetryInfo","retryDelay":"17.384s"}]}}"#;
    for body in [quota.to_owned(), format!("[{quota}]")] {
        let word = Some("RESOURCE_EXHAUSTED");
        let fault = check(429, &body, "quota", [word, word, None]);
        assert_eq!((fault.kind, fault.wait_s), (FaultKind::RateLimit, NonZeroU32::new(18)));
    }
    let key = r#"{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT","details":[{"@type":"ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
    let fault =
        check(400, key, "API key not valid", [Some("INVALID_ARGUMENT"), Some("API_KEY_INVALID"), None]);
    assert_eq!(fault.kind, FaultKind::Authentication);
    check(
        500,
        r#"{"error":{"code":500,"message":"","status":"INTERNAL"}}"#,
        "INTERNAL",
        [Some("INTERNAL"), Some("INTERNAL"), None],
    );
}

#[test]
fn bodies_that_are_no_json() {
    let plain = "Failed to deserialize the JSON body: missing field `messages`";
    check(422, plain, plain, [None, None, None]);
    check(503, "no healthy upstream\n", "no healthy upstream", [None, None, None]);
    let empty = "The provider answered with status 503 and an empty body.";
    check(503, "", empty, [None, None, None]);
    check(503, " \r\n", empty, [None, None, None]);
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head><body></body></html>";
    check(
        502,
        page,
        "The provider answered with status 502 and a page for people: 502 Bad Gateway",
        [None, None, None],
    );
    check(502, "<html>", "The provider answered with status 502 and a page for people", [None, None, None]);
    check(500, "{}", "{}", [None, None, None]);
    check(500, r#"{"message":""}"#, r#"{"message":""}"#, [None, None, None]);
    let long = "é".repeat(TEXT_CHARS_MAX + 1);
    check(500, &long, &long[.."é".len() * TEXT_CHARS_MAX], [None, None, None]);
}

#[test]
fn kinds_follow_from_the_status() {
    for (status, kind) in [
        (400, FaultKind::InvalidRequest),
        (401, FaultKind::Authentication),
        (402, FaultKind::Quota),
        (403, FaultKind::Permission),
        (404, FaultKind::NotFound),
        (408, FaultKind::Timeout),
        (413, FaultKind::TooLarge),
        (422, FaultKind::InvalidRequest),
        (424, FaultKind::Server),
        (429, FaultKind::RateLimit),
        (498, FaultKind::Overloaded),
        (500, FaultKind::Server),
        (501, FaultKind::Server),
        (502, FaultKind::Upstream),
        (503, FaultKind::Overloaded),
        (504, FaultKind::Timeout),
        (529, FaultKind::Overloaded),
    ] {
        for body in ["", "text", r#"{"error":{"message":"m"}}"#] {
            assert_eq!(from_answer(status, body.as_bytes()).kind, kind, "{status} {body}");
        }
    }
}

#[test]
fn an_error_that_came_with_a_success_may_name_its_own_status() {
    for (body, status, kind) in [
        (r#"{"error":{"message":"m","code":429}}"#, 429, FaultKind::RateLimit),
        (r#"{"error":{"message":"m","code":200}}"#, 502, FaultKind::Upstream),
        (r#"{"error":{"message":"m","code":70000}}"#, 502, FaultKind::Upstream),
        (r#"{"error":{"message":"m","type":"overloaded_error"}}"#, 503, FaultKind::Overloaded),
        (r#"{"error":{"message":"m","type":"rate_limit_error"}}"#, 429, FaultKind::RateLimit),
        (r#"{"error":{"message":"m","status":"UNAVAILABLE"}}"#, 503, FaultKind::Overloaded),
    ] {
        let document = Document::parse(body.as_bytes()).unwrap();
        let fault = from_body(document.root(), 502).unwrap();
        assert_eq!((fault.status, fault.kind), (status, kind), "{body}");
    }
    for body in [r#"{"id":"a","type":"message"}"#, r#"{"error":{}}"#, "[]", "3"] {
        assert_eq!(from_body(Document::parse(body.as_bytes()).unwrap().root(), 502), None, "{body}");
    }
}

proptest! {
    #[test]
    fn every_body_gives_a_message(status in 400..600_u16, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let fault = from_answer(status, &bytes);
        prop_assert!(!fault.message.is_empty() && fault.status == status);
    }
}

#[test]
fn the_xml_of_s3() {
    let denied = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/a is not \
                  authorized to perform: s3:PutObject &amp; &lt;more&gt;</Message><RequestId>1</RequestId></Error>";
    let words = "User: arn:aws:iam::1:user/a is not authorized to perform: s3:PutObject & <more>";
    let fault = check(403, denied, words, [None, Some("AccessDenied"), None]);
    assert_eq!(fault.kind, FaultKind::Permission);
    let missing = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";
    let fault = check(404, missing, "The specified key does not exist.", [None, Some("NoSuchKey"), None]);
    assert_eq!(fault.kind, FaultKind::NotFound);
    // A page that has no such words, and one that only begins so.
    check(
        403,
        "<Error><Code>x</Code></Error>",
        "The provider answered with status 403 and a page for people",
        [None; 3],
    );
    check(403, "no <Error><Code>x</Code>", "no <Error><Code>x</Code>", [None; 3]);
}
