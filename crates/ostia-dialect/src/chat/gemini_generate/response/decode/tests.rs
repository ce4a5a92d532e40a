#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use crate::{Block, Content, Dialect, Fault, FaultKind, Finish, MediaKind, Response, Source};

fn decode(body: &[u8]) -> Result<Response, Fault> {
    Dialect::GeminiGenerate.decode(body)
}

fn answer(candidate: Value) -> crate::Choice {
    let body = json!({ "candidates": [candidate], "modelVersion": "m" });
    let mut response = decode(body.to_string().as_bytes()).unwrap();
    assert_eq!(response.choices.len(), 1);
    response.choices.remove(0)
}

#[test]
fn reasons_have_one_meaning() {
    let cases = [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::ContentFilter),
        ("RECITATION", Finish::ContentFilter),
        ("LANGUAGE", Finish::ContentFilter),
        ("SPII", Finish::ContentFilter),
        ("MODEL_ARMOR", Finish::ContentFilter),
        ("IMAGE_SAFETY", Finish::ContentFilter),
        ("NEWER_THAN_THIS", Finish::Stop),
    ];
    for (reason, finish) in cases {
        let choice = answer(json!({ "finishReason": reason }));
        assert_eq!((choice.finish, choice.native_finish.as_deref()), (finish, Some(reason)));
        assert!(choice.blocks.is_empty());
    }
    let calls = json!({ "parts": [{ "functionCall": { "name": "f", "args": {} } }] });
    let cases = [("STOP", Finish::ToolCalls), ("MAX_TOKENS", Finish::Length)];
    for (reason, finish) in cases {
        assert_eq!(answer(json!({ "content": calls, "finishReason": reason })).finish, finish);
    }
    let silent = answer(json!({ "content": calls }));
    assert_eq!((silent.finish, silent.native_finish), (Finish::ToolCalls, None));
}

#[test]
fn reasons_that_mean_a_failure_are_errors() {
    for (reason, kind, status) in [
        ("MALFORMED_FUNCTION_CALL", FaultKind::Upstream, 502),
        ("UNEXPECTED_TOOL_CALL", FaultKind::Upstream, 502),
        ("TOO_MANY_TOOL_CALLS", FaultKind::Upstream, 502),
        ("MISSING_THOUGHT_SIGNATURE", FaultKind::InvalidRequest, 400),
        ("MALFORMED_RESPONSE", FaultKind::Upstream, 502),
        ("OTHER", FaultKind::Upstream, 502),
        ("IMAGE_OTHER", FaultKind::Upstream, 502),
        ("NO_IMAGE", FaultKind::Upstream, 502),
    ] {
        let parts = json!({ "parts": [{ "functionCall": { "name": "f", "args": {} } }] });
        for message in [Value::Null, json!("print(f)")] {
            let candidate = json!({ "content": parts, "finishReason": reason, "finishMessage": message });
            let fault = decode(json!({ "candidates": [candidate] }).to_string().as_bytes()).unwrap_err();
            assert_eq!((fault.kind, fault.status, fault.code.as_deref()), (kind, status, Some(reason)));
            assert!(fault.message.contains(reason), "{fault}");
            assert!(fault.message.contains(message.as_str().unwrap_or_default()), "{fault}");
        }
    }
}

#[test]
fn parts_of_the_vendors_own_are_kept_as_they_came() {
    let code = json!({ "executableCode": { "code": "1 + 1" }, "thoughtSignature": "c2ln" });
    let draft = json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thought": true });
    let image =
        json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thoughtSignature": "c2ln" });
    let choice = answer(json!({ "content": { "parts": [code, draft, image] }, "finishReason": "STOP" }));
    for (block, part) in choice.blocks.iter().zip([&code, &draft]) {
        let Content::Foreign { dialect: Dialect::GeminiGenerate, value } = &block.content else { panic!() };
        assert_eq!(&value.to_value(), part);
    }
    let Content::Media(media) = &choice.blocks[2].content else { panic!() };
    assert_eq!((media.kind, &media.source), (MediaKind::Image, &Source::Base64("AAAA".to_owned())));
    assert_eq!(choice.blocks[2].signature.as_ref().unwrap().value, "c2ln");
}

#[test]
fn probabilities_have_openais_shape() {
    let chosen = json!([{ "token": "ä", "logProbability": -0.5 }]);
    let top = json!([{ "candidates": [{ "token": "ä", "logProbability": -0.5 }, { "token": "b", "logProbability": -2 }] }]);
    let choice = answer(json!({
        "content": { "parts": [{ "text": "ä" }] },
        "finishReason": "STOP",
        "logprobsResult": { "chosenCandidates": chosen, "topCandidates": top },
        "avgLogprobs": -0.5,
    }));
    let token = json!({ "token": "ä", "logprob": -0.5, "bytes": [195, 164] });
    let other = json!({ "token": "b", "logprob": -2, "bytes": [98] });
    let mut entry = token.clone();
    entry["top_logprobs"] = json!([token, other]);
    assert_eq!(choice.logprobs.unwrap().to_value(), json!({ "content": [entry] }));
    assert_eq!(choice.extra[0].0, "avgLogprobs");
    assert_eq!(choice.blocks, [Block::text("ä")]);
}

#[test]
fn usage_has_one_meaning() {
    let body = json!({
        "candidates": [{ "finishReason": "STOP" }],
        "usageMetadata": {
            "promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 3,
            "thoughtsTokenCount": 2, "toolUsePromptTokenCount": 5, "totalTokenCount": 20,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 9 }, { "modality": "AUDIO", "tokenCount": 1 }],
            "candidatesTokensDetails": [{ "modality": "AUDIO", "tokenCount": 3 }],
        },
    });
    let usage = decode(body.to_string().as_bytes()).unwrap().usage.unwrap();
    assert_eq!((usage.prompt, usage.completion, usage.total), (10, 5, Some(20)));
    assert_eq!((usage.cached, usage.reasoning), (Some(4), Some(2)));
    assert_eq!((usage.audio_prompt, usage.audio_completion), (Some(1), Some(3)));
}

#[test]
fn times_are_unix_seconds() {
    let cases = [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2000-02-29T12:30:01.5Z", Some(951_827_401)),
        ("2024-12-31T23:59:59Z", Some(1_735_689_599)),
        ("2024-13-01T00:00:00Z", None),
        ("0000-00-00T00:00:00Z", None),
        ("yesterday", None),
    ];
    for (time, seconds) in cases {
        let body = json!({ "candidates": [{ "finishReason": "STOP" }], "createTime": time });
        assert_eq!(decode(body.to_string().as_bytes()).unwrap().created, seconds, "{time}");
    }
}

#[test]
fn faults_say_what_the_vendor_said() {
    let error = |code: u16, status: &str, details: Value| json!({ "error": { "code": code, "message": "No.", "status": status, "details": details } });
    let key = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" }]);
    let cases = [
        (error(429, "RESOURCE_EXHAUSTED", json!([])), FaultKind::RateLimit, 429, "RESOURCE_EXHAUSTED"),
        (error(400, "INVALID_ARGUMENT", key), FaultKind::Authentication, 400, "API_KEY_INVALID"),
        (json!([error(404, "NOT_FOUND", Value::Null)]), FaultKind::NotFound, 404, "NOT_FOUND"),
    ];
    for (body, kind, status, code) in cases {
        let fault = decode(body.to_string().as_bytes()).unwrap_err();
        assert_eq!((fault.kind, fault.status, fault.code.as_deref()), (kind, status, Some(code)));
        assert_eq!(fault.message, "No.");
    }
    for body in ["{}", "[]", "7", "{", "{\"candidates\":[]}", "{\"error\":\"text\"}"] {
        assert_eq!(decode(body.as_bytes()).unwrap_err().status, 502, "{body}");
    }
}

#[test]
fn an_empty_thought_signs_no_words() {
    let thought = json!({ "text": "", "thought": true, "thoughtSignature": "c2ln" });
    let choice =
        answer(json!({ "content": { "parts": [{ "text": "a" }, thought] }, "finishReason": "STOP" }));
    let [text, thought] = choice.blocks.as_slice() else { panic!("two blocks") };
    assert_eq!((&text.content, &text.signature), (&Block::text("a").content, &None));
    assert_eq!(thought.content, Content::Reasoning(String::new()));
    assert_eq!(thought.signature.as_ref().unwrap().value, "c2ln");
}
