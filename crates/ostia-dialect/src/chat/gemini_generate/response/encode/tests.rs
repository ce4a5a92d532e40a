#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::encode;
use crate::chat::gemini_generate::response::decode::decode;
use crate::test_support::{choice, options, raw};
use crate::{Block, Choice, Citation, Content, Dialect, Finish, Response, Usage};

fn written(response: &Response, strict: bool) -> Value {
    serde_json::from_slice(&encode(response, &options(strict))).unwrap()
}

/// The only candidate of an answer.
fn candidate(choice: Choice) -> Value {
    written(&Response { choices: vec![choice], ..Response::default() }, true)["candidates"][0].clone()
}

fn citation(url: Option<&str>, title: &str, span: Option<(u64, u64)>) -> Citation {
    Citation {
        url: url.map(str::to_owned),
        title: Some(title.to_owned()),
        start: span.map(|span| span.0),
        end: span.map(|span| span.1),
        value: None,
    }
}

fn cited(text: &str, citations: Vec<Citation>) -> Block {
    Block::new(Content::Text { text: text.to_owned(), citations })
}

/// Recorded answers of the vendor, read and written again.
#[test]
fn what_the_vendor_said_comes_out_again() {
    for body in [
        json!({
            "candidates": [{
                "content": {"parts": [
                    {"text": "Hm.", "thought": true},
                    {"text": "{\"result\": 8}", "thoughtSignature": "c2ln"},
                    {"executableCode": {"language": "PYTHON", "code": "1", "id": "8xju7mua"}},
                    {"inlineData": {"mimeType": "image/jpeg", "data": "/9j/"}},
                    {"functionCall": {"name": "f", "args": {"a": [1, 2.50]}, "id": "96c1su3s"}},
                ], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
                "avgLogprobs": -0.59,
                "groundingMetadata": {"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "u", "domain": "d"}}]},
                "safetyRatings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "LOW"}],
                "finishMessage": "Model generated function call(s).",
            }],
            "usageMetadata": {
                "promptTokenCount": 22, "candidatesTokenCount": 6, "totalTokenCount": 140, "thoughtsTokenCount": 106,
                "cachedContentTokenCount": 4, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
                "serviceTier": "standard",
            },
            "modelVersion": "gemini-2.5-flash",
            "responseId": "6b6Fat2NHcKknsEPz6PNmQw",
            "createTime": "2026-05-04T20:01:02Z",
        }),
        json!({
            "candidates": [{"content": {"parts": [{"text": "a"}], "role": "model"}, "finishReason": "RECITATION", "index": 0,
                "citationMetadata": {"citationSources": [{"uri": "u", "startIndex": 0, "endIndex": 1}]}}],
            "promptFeedback": {"safetyRatings": []},
            "modelVersion": "m", "responseId": "r",
        }),
    ] {
        assert_eq!(written(&decode(body.to_string().as_bytes()).unwrap(), true), body);
    }
}

#[test]
fn an_answer_without_words_is_an_empty_candidate() {
    let response = Response {
        choices: vec![choice(vec![Block::text("")], Finish::ContentFilter)],
        usage: Some(Usage { prompt: 2, ..Usage::default() }),
        ..Response::default()
    };
    let expected = json!({
        "candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "SAFETY", "index": 0}],
        "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 0, "totalTokenCount": 2},
        "modelVersion": "asked", "responseId": "9",
    });
    assert_eq!(written(&response, true), expected);
}

#[test]
fn reasons_are_the_vendors() {
    let refusal = || vec![Block::new(Content::Refusal("No.".into()))];
    for (blocks, finish, native, reason) in [
        (vec![], Finish::Stop, None, "STOP"),
        (vec![], Finish::Stop, Some("end_turn"), "STOP"),
        (vec![], Finish::Stop, Some("COMPLETE"), "STOP"),
        (vec![], Finish::Stop, Some("OTHER"), "OTHER"),
        (vec![], Finish::Length, Some("length"), "MAX_TOKENS"),
        (vec![], Finish::ToolCalls, Some("tool_calls"), "STOP"),
        (vec![], Finish::ContentFilter, Some("PROHIBITED_CONTENT"), "PROHIBITED_CONTENT"),
        (vec![], Finish::ContentFilter, Some("content_filter"), "SAFETY"),
        (vec![], Finish::Refusal, Some("refusal"), "SAFETY"),
        (vec![], Finish::Pause, Some("pause_turn"), "STOP"),
        (refusal(), Finish::Stop, Some("stop"), "SAFETY"),
        (refusal(), Finish::Length, None, "MAX_TOKENS"),
    ] {
        let said = Choice { native_finish: native.map(str::to_owned), ..choice(blocks, finish) };
        assert_eq!(candidate(said)["finishReason"], reason, "{finish:?} {native:?}");
    }
    let told = candidate(choice(refusal(), Finish::Stop));
    assert_eq!(told["content"]["parts"], json!([{"text": "No."}]));
}

#[test]
fn sources_are_told_in_bytes() {
    let blocks = vec![
        cited("Größe ", vec![citation(Some("u"), "U", Some((0, 5)))]),
        cited(
            "zählt.",
            vec![
                citation(Some("v"), "V", Some((6, 11))),
                citation(Some("u"), "U", Some((6, 11))),
                citation(None, "a file", None),
                citation(Some("w"), "W", Some((90, 99))),
            ],
        ),
    ];
    let expected = json!({
        "groundingChunks": [
            {"web": {"uri": "u", "title": "U"}},
            {"web": {"uri": "v", "title": "V"}},
            {"retrievedContext": {"title": "a file"}},
            {"web": {"uri": "w", "title": "W"}},
        ],
        "groundingSupports": [
            {"segment": {"startIndex": 0, "endIndex": 7, "text": "Größe"}, "groundingChunkIndices": [0]},
            {"segment": {"startIndex": 8, "endIndex": 14, "text": "zählt"}, "groundingChunkIndices": [1, 0]},
            {"groundingChunkIndices": [2]},
            {"groundingChunkIndices": [3]},
        ],
    });
    assert_eq!(candidate(choice(blocks.clone(), Finish::Stop))["groundingMetadata"], expected);
    let response = Response { choices: vec![choice(blocks, Finish::Stop)], ..Response::default() };
    let again = decode(&encode(&response, &options(true))).unwrap();
    let Content::Text { citations, .. } = &again.choices[0].blocks[0].content else { panic!() };
    let spans: Vec<_> = citations.iter().map(|one| (one.url.as_deref(), one.start, one.end)).collect();
    assert_eq!(
        spans,
        [
            (Some("u"), Some(0), Some(5)),
            (Some("v"), Some(6), Some(11)),
            (Some("u"), Some(6), Some(11)),
            (None, None, None),
            (Some("w"), None, None),
        ]
    );
}

#[test]
fn only_open_clients_see_what_other_vendors_add() {
    let json = |value: Value| raw(value);
    let mut said = choice(vec![Block::text("a")], Finish::Stop);
    said.extra = vec![("content_filter_results".into(), json(json!({}))), ("index".into(), json(json!(7)))];
    let extra = vec![("citations".into(), json(json!(["u"]))), ("responseId".into(), json(json!("x")))];
    let response = Response { choices: vec![said], extra, ..Response::default() };
    let (strict, open) = (written(&response, true), written(&response, false));
    assert_eq!(
        (strict.get("citations"), strict["candidates"][0].get("content_filter_results")),
        (None, None)
    );
    assert_eq!(
        (&open["citations"], &open["candidates"][0]["content_filter_results"]),
        (&json!(["u"]), &json!({}))
    );
    assert_eq!((&open["responseId"], &open["candidates"][0]["index"]), (&json!("9"), &json!(0)));
}

#[test]
fn probabilities_have_the_vendors_shape() {
    let token = |text: &str| json!({"token": text, "logprob": -0.5, "bytes": null, "top_logprobs": []});
    let logprobs = json!({"content": [token("a")], "refusal": [token("b")]});
    let said = Choice { logprobs: Some(raw(logprobs)), ..choice(vec![], Finish::Stop) };
    let token = |text: &str| json!({"token": text, "logProbability": -0.5});
    let expected = json!({"chosenCandidates": [token("a"), token("b")],
        "topCandidates": [{"candidates": []}, {"candidates": []}]});
    assert_eq!(candidate(said)["logprobsResult"], expected);
}

#[test]
fn free_text_is_wrapped() {
    let kind = crate::ToolKind::Custom;
    let call = Content::ToolCall { id: "c".into(), name: "patch".into(), arguments: "+a".into(), kind };
    let told = candidate(choice(vec![Block::new(call)], Finish::ToolCalls));
    let expected = json!([{"functionCall": {"id": "c", "name": "patch", "args": {"input": "+a"}}}]);
    assert_eq!(told["content"]["parts"], expected);
}

#[test]
fn times_are_those_that_were_read() {
    for (seconds, time) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_827_401, "2000-02-29T12:30:01Z"),
        (1_735_689_599, "2024-12-31T23:59:59Z"),
        (1_772_323_200, "2026-03-01T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ] {
        let response = Response { created: Some(seconds), ..Response::default() };
        assert_eq!(written(&response, true)["createTime"], time);
    }
    // No upstream's number stops us.
    let _ = encode(&Response { created: Some(u64::MAX), ..Response::default() }, &options(true));
}

#[test]
fn blocks_of_others_are_wrapped_even_where_nothing_is_said() {
    let value = raw(json!({"type": "redacted_thinking", "data": "x"}));
    let block = Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value });
    let told = candidate(choice(vec![block], Finish::Stop));
    let part = &told["content"]["parts"][0];
    assert_eq!((&part["text"], &part["thought"]), (&json!(""), &json!(true)));
    assert!(part["thoughtSignature"].as_str().is_some_and(|wrapped| !wrapped.contains('.')));
}
