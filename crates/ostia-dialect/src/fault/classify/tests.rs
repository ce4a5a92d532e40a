#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::{Fault, Sign, from_answer, from_body, rows};
use super::classify;
use crate::FaultKind::{self, *};
use crate::json::Document;

/// What an error answer means.
#[track_caller]
fn check(status: u16, body: &str, expected: FaultKind) {
    let fault = from_answer(status, body.as_bytes());
    assert_eq!((fault.kind, fault.status), (expected, status), "{body}");
}

/// What an error means that came without a status, and the status that it gets.
#[track_caller]
fn unsaid(body: &str, expected: FaultKind, status: u16) {
    let fault = from_body(Document::parse(body.as_bytes()).unwrap().root(), 502).unwrap();
    assert_eq!((fault.kind, fault.status), (expected, status), "{body}");
}

fn openai(message: &str, kind: &str, code: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":"{code}"}}}}"#)
}

#[test]
fn too_long_in_every_vendors_words() {
    let coded = [
        openai("m", "invalid_request_error", "context_length_exceeded"),
        r#"{"error":{"code":400,"message":"request (2009 tokens) exceeds the available context size (512 tokens), try increasing it","n_ctx":512,"type":"exceed_context_size_error"}}"#.into(),
        openai("m", "x", "model_max_prompt_tokens_exceeded"),
        r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"message\":\"prompt is too long: 9 tokens > 8 maximum\"}"}}}"#.into(),
    ];
    coded.iter().for_each(|body| check(400, body, ContextLength));
    for message in [
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Input is too long for requested model.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
        "Invalid request: Your request exceeded model token limit: 262144 (requested: 291351)",
        "invalid params, context window exceeds limit (2013)",
        "Prompt exceeds max length",
        "Input length 203743 exceeds the maximum length 202752",
        "Please reduce the length of the messages or completion. Current length is 8201 while limit is 8192",
        "The input (140000 tokens) is longer than the model's context length (131072 tokens).",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244 and 1000",
        "Input length 300000 exceeds the maximum allowed input length of 262112 tokens.",
        "prompt token count of 74490 exceeds the limit of 72000",
        "The decoder prompt (length 21535) is longer than the maximum model length of 16384.",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        "Trying to keep the first 9 tokens when context the overflows. However, the model is loaded with less.",
        "prompt too long; exceeded max context length by 1119046 tokens",
        "Prompt contains 65673 tokens, too large for model with 32768 maximum context length",
        "The prompt is too long: 98327, model maximum context length: 65535",
        "litellm.ContextWindowExceededError: x",
    ] {
        for status in [400, 413, 422] {
            check(status, &openai(message, "invalid_request_error", "x"), ContextLength);
        }
        unsaid(&openai(message, "invalid_request_error", "x"), ContextLength, 400);
        check(500, &openai(message, "x", "x"), Server);
        check(429, &openai(message, "x", "x"), RateLimit);
    }
}

#[test]
fn accounts_without_credit() {
    check(
        429,
        &openai("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
        Quota,
    );
    check(402, &openai("Insufficient Balance", "unknown_error", "invalid_request_error"), Quota);
    check(402, "", Quota);
    check(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
        Quota,
    );
    check(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC."}}"#,
        Quota,
    );
    check(429, &openai("suspended due to insufficient balance", "exceeded_current_quota_error", ""), Quota);
    check(429, r#"{"error":{"code":"1113","message":"余额不足或无可用资源包,请充值。"}}"#, Quota);
    check(
        403,
        r#"{"code":"permission-denied","error":"Your team has either used all available credits or reached its monthly spending limit."}"#,
        Quota,
    );
    check(403, &openai("user quota is not enough", "v_api_error", "insufficient_user_quota"), Quota);
    check(
        400,
        &openai(
            "Access denied, please make sure your account is in good standing.",
            "Arrearage",
            "Arrearage",
        ),
        Quota,
    );
    check(403, r#"{"error":{"message":"Key limit exceeded (monthly limit).","code":403}}"#, Quota);
    unsaid(&openai("m", "insufficient_quota", "insufficient_quota"), Quota, 429);
    unsaid(r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#, Quota, 429);
    // A short limit in the same words, which a wait mends.
    let google = r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 33.5s.","status":"RESOURCE_EXHAUSTED"}}"#;
    check(429, google, RateLimit);
    check(500, &openai("upstream billing: insufficient balance", "x", "x"), Server);
    check(
        429,
        &openai("Rate limit reached for gpt-4o on tokens per min (TPM)", "tokens", "rate_limit_exceeded"),
        RateLimit,
    );
}

#[test]
fn refusals_because_of_what_is_said() {
    check(
        400,
        r#"{"error":{"message":"m","code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        ContentPolicy,
    );
    check(400, &openai("The response was filtered", "", "content_filter"), ContentPolicy);
    check(400, &openai("m", "image_generation_user_error", "moderation_blocked"), ContentPolicy);
    check(
        400,
        &openai("Content Exists Risk", "invalid_request_error", "invalid_request_error"),
        ContentPolicy,
    );
    check(400, r#"{"code":"DataInspectionFailed","message":"m"}"#, ContentPolicy);
    check(
        400,
        &openai(
            "Input data may contain inappropriate content.",
            "data_inspection_failed",
            "data_inspection_failed",
        ),
        ContentPolicy,
    );
    check(
        403,
        r#"{"code":"permission-denied","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}"#,
        ContentPolicy,
    );
    check(
        403,
        r#"{"error":{"message":"x requires moderation. Your input was flagged for \"violence\"","code":403}}"#,
        ContentPolicy,
    );
    check(
        400,
        r#"{"error":{"type":"content_filter","message":"The request was rejected because it was considered high risk"}}"#,
        ContentPolicy,
    );
    check(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
        ContentPolicy,
    );
    unsaid(r#"{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}"#, ContentPolicy, 400);
}

#[test]
fn wrong_keys() {
    let expired = r#"{"message":"The security token included in the request is expired"}"#;
    check(403, expired, Authentication);
    check(403, r#"{"message":"User is not authorized to perform: bedrock:InvokeModel"}"#, Permission);
    let google = r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    check(400, google, Authentication);
    check(
        400,
        r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT"}}"#,
        Authentication,
    );
    check(
        400,
        r#"{"code":"invalid-argument","error":"Incorrect API key provided. You can obtain an API key from https://console.x.ai."}"#,
        Authentication,
    );
    check(401, &openai("Invalid API Key", "invalid_request_error", "invalid_api_key"), Authentication);
    check(403, &openai("You have no access", "x", "x"), Permission);
}

#[test]
fn limits_and_overload() {
    unsaid(&openai("m", "requests", "rate_limit_exceeded"), RateLimit, 429);
    unsaid(
        r#"{"id":"x","choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}"#,
        RateLimit,
        429,
    );
    unsaid(r#"{"error":"model is overloaded"}"#, Overloaded, 503);
    unsaid(r#"{"error":{"code":"server_is_overloaded","message":"m"}}"#, Overloaded, 503);
    unsaid(r#"{"error":{"code":"server_error","message":"m"}}"#, Server, 500);
    unsaid(r#"{"error":{"code":"invalid_prompt","message":"m"}}"#, InvalidRequest, 400);
    unsaid(r#"{"error":{"message":"who knows"}}"#, Upstream, 502);
    check(429, &openai("The engine is currently overloaded", "engine_overloaded_error", ""), Overloaded);
    check(500, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Overloaded);
    // The same code as a limit in time, of a request that no wait makes smaller.
    check(
        413,
        &openai("Request too large ... on tokens per minute (TPM)", "tokens", "rate_limit_exceeded"),
        TooLarge,
    );
    check(503, &openai("m", "server_error", "x"), Overloaded);
}

#[test]
fn ordinary_errors_stay_what_they_are() {
    for message in [
        "max_tokens is too large: 300000. This model supports at most 16384 completion tokens",
        "Invalid 'messages[1].name': string too long. Expected a string with maximum length 64",
        "Unsupported parameter: 'content_filter' is not supported with this model.",
        "Missing required parameter: 'api_key_id'",
        "Thinking mode does not support this tool_choice",
        "Invalid token in prompt: 123456. Minimum value is 0",
        "Too many inputs in request, split into more batches.",
        "tools: the limit of 128 is exceeded",
        "Unknown quota project",
        "temperature: range: 0..1",
        "stop: maximum length is 4",
    ] {
        check(400, &openai(message, "invalid_request_error", "invalid_value"), InvalidRequest);
        check(422, &openai(message, "invalid_request_error", "invalid_value"), InvalidRequest);
    }
    check(404, &openai("The model does not exist", "invalid_request_error", "model_not_found"), NotFound);
    check(400, "Too many tokens, please wait before trying again.", InvalidRequest);
}

#[test]
fn no_row_hides_another() {
    for row in rows() {
        let mut fault = Fault::upstream("m");
        match row.sign {
            Sign::Code(word) | Sign::Type(word) => fault.code = Some(word.into()),
            Sign::TypeBegins(word) => fault.vendor_type = Some(format!("{word}x").into()),
            Sign::Words(pieces) => fault.message = pieces.join(" 1 "),
        }
        classify(&mut fault, None, None);
        assert_eq!(fault.kind, row.kind, "{}: {}", row.vendor, row.sign);
        assert!(!row.source.is_empty() && row.source.contains(['/', '#']), "{}", row.sign);
    }
}

proptest! {
    #[test]
    fn every_error_has_a_kind(status in prop::option::of(100..1000_u16), texts in prop::array::uniform3(prop::option::of(".{0,40}"))) {
        let [message, code, vendor_type] = texts;
        let vendor_type = vendor_type.map(String::into_boxed_str);
        let mut fault = Fault { code, vendor_type, ..Fault::upstream(message.clone().unwrap_or_default()) };
        classify(&mut fault, status, message.as_deref());
        prop_assert_eq!(fault.status, status.unwrap_or(fault.kind.status()));
    }
}
