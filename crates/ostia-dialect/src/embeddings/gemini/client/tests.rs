#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{decode_batch_request, decode_request, encode_response};
use crate::embeddings::{Dialect, Request, Response, Usage, Vector, decode, encode};
use crate::json::Json;

fn one(body: Value) -> Request {
    decode_request("models/g", body.to_string().as_bytes()).unwrap()
}

fn batch(body: Value) -> Request {
    decode_batch_request("g", body.to_string().as_bytes()).unwrap()
}

/// What the upstream gets of a client's request, and what is missing from it.
#[track_caller]
fn check(dialect: Dialect, request: &Request, upstream: Value, dropped: &[&str]) {
    let encoded = encode(dialect, request).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&encoded.body).unwrap(), upstream);
    assert_eq!(encoded.dropped, dropped);
}

#[test]
fn one_content_is_one_input() {
    let body = json!({"model": "models/g", "content": {"parts": [{"text": "a"}], "role": "user"},
        "taskType": "RETRIEVAL_QUERY", "title": "T", "output_dimensionality": 8, "autoTruncate": null});
    let request = one(body);
    assert_eq!((request.model.as_str(), request.is_list), ("g", false));
    let google = json!({"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8,
        "taskType": "RETRIEVAL_QUERY", "title": "T"});
    check(Dialect::Gemini, &request, google, &[]);
    let cohere = json!({"model": "g", "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"],
        "output_dimension": 8});
    check(Dialect::Cohere, &request, cohere, &["title"]);
    let openai = json!({"model": "g", "input": "a", "dimensions": 8});
    check(Dialect::Openai, &request, openai, &["taskType", "title"]);
}

#[test]
fn settings_may_stand_one_level_deeper() {
    let body = json!({"content": {"parts": {"text": "a"}},
        "embedContentConfig": {"taskType": "TASK_TYPE_UNSPECIFIED", "outputDimensionality": 8, "autoTruncate": true}});
    let google =
        json!({"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8, "autoTruncate": true});
    check(Dialect::Gemini, &one(body), google, &[]);
}

#[test]
fn texts_and_images_stay_together() {
    let body = json!({"content": {"parts": [{"text": "a"}, {"inline_data": {"mime_type": "image/png", "data": "__79"}},
        {"fileData": {"fileUri": "https://a.example/i.png"}}]}});
    let google = json!({"content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "//79"}},
        {"fileData": {"fileUri": "https://a.example/i.png"}}]}});
    check(Dialect::Gemini, &one(body), google, &[]);
}

/// As the vendor's SDK for Python writes it.
#[test]
fn a_batch_is_a_list() {
    let content = |text: &str| json!({"parts": [{"text": text}], "role": "user"});
    let item = |text: &str| json!({"content": content(text), "taskType": "CLUSTERING", "outputDimensionality": 4, "model": "models/g"});
    let request = batch(json!({"requests": [item("a"), item("b")]}));
    let google = |text: &str| {
        json!({"model": "models/g", "content": {"parts": [{"text": text}]}, "outputDimensionality": 4,
            "taskType": "CLUSTERING"})
    };
    check(Dialect::Gemini, &request, json!({"requests": [google("a"), google("b")]}), &[]);
    let openai = json!({"model": "g", "input": ["a", "b"], "dimensions": 4});
    check(Dialect::Openai, &request, openai, &["taskType"]);
    let single = batch(json!({"requests": [{"content": content("a")}]}));
    check(Dialect::Openai, &single, json!({"model": "g", "input": ["a"]}), &[]);
}

#[test]
fn titles_of_single_requests_are_reported() {
    let item = |title: &str| json!({"content": {"parts": [{"text": "a"}]}, "title": title});
    let request = batch(json!({"requests": [item("A"), item("B")]}));
    let openai = json!({"model": "g", "input": ["a", "a"]});
    check(Dialect::Openai, &request, openai, &["requests[0].title", "requests[1].title"]);
    let same = batch(json!({"requests": [item("A"), item("A")]}));
    check(Dialect::Openai, &same, json!({"model": "g", "input": ["a", "a"]}), &["title"]);
}

#[test]
fn faults_name_the_field() {
    let content = json!({"parts": [{"text": "a"}]});
    for (body, param) in [
        (json!([]), ""),
        (json!({}), "content"),
        (json!({"content": "a"}), "content"),
        (json!({"content": {"parts": []}}), "content.parts"),
        (json!({"content": {"parts": [{}]}}), "content.parts[0]"),
        (json!({"content": {"parts": [{"text": 1}]}}), "content.parts[0].text"),
        (
            json!({"content": {"parts": [{"inlineData": {"mimeType": "audio/wav", "data": ""}}]}}),
            "content.parts[0].inlineData",
        ),
        (
            json!({"content": {"parts": [{"inlineData": {"data": ""}}]}}),
            "content.parts[0].inlineData.mimeType",
        ),
        (json!({"content": content, "outputDimensionality": -1}), "outputDimensionality"),
        (json!({"content": content, "taskType": 1}), "taskType"),
    ] {
        let fault = decode_request("g", body.to_string().as_bytes()).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref().unwrap_or("")), (400, param), "{fault}");
    }
    let item = |name: &str, value: Value| json!({"content": content, name: value});
    for (items, param) in [
        (json!([]), "requests"),
        (json!([item("taskType", json!("A")), item("taskType", json!("B"))]), "requests[1].taskType"),
        (
            json!([item("model", json!("m")), item("outputDimensionality", json!(4))]),
            "requests[1].outputDimensionality",
        ),
        (json!([{}]), "requests[0].content"),
    ] {
        let body = json!({ "requests": items }).to_string();
        let fault = decode_batch_request("g", body.as_bytes()).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{fault}");
    }
}

fn answer(vectors: Vec<Vector>, usage: Option<Usage>) -> Response {
    Response { vectors, usage, ..Response::default() }
}

fn floats(text: &str) -> Vector {
    Vector::Floats(Json::build(|w| w.raw(text)))
}

#[test]
fn answers_keep_every_digit() {
    let usage = Some(Usage { prompt_tokens: 3, total_tokens: 4 });
    // 1.0 is 00 00 80 3f and -2.5 is 00 00 20 c0, little end first; the last is 0.1.
    let packed = || Vector::Base64("AACAPwAAIMDNzMw9".into());
    let cases = [
        (false, answer(vec![floats("[0.10, -1e-7]")], None), r#"{"embedding":{"values":[0.10, -1e-7]}}"#),
        (
            false,
            answer(vec![packed()], usage),
            r#"{"embedding":{"values":[1,-2.5,0.1]},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":4}}"#,
        ),
        (
            true,
            answer(vec![floats("[1]"), packed()], None),
            r#"{"embeddings":[{"values":[1]},{"values":[1,-2.5,0.1]}]}"#,
        ),
    ];
    for (batch, response, expected) in cases {
        assert_eq!(String::from_utf8(encode_response(batch, &response).unwrap()).unwrap(), expected);
    }
}

#[test]
fn vectors_that_are_none() {
    let infinite = BASE64_STANDARD.encode(f32::INFINITY.to_le_bytes());
    for text in ["AACA", "%", infinite.as_str()] {
        let response = answer(vec![Vector::Base64(text.into())], None);
        assert_eq!(encode_response(true, &response).unwrap_err().status, 502, "{text}");
    }
    assert_eq!(encode_response(false, &answer(Vec::new(), None)).unwrap_err().status, 502);
    assert_eq!(
        encode_response(false, &answer(vec![floats("[]"), floats("[]")], None)).unwrap_err().status,
        502
    );
}

proptest! {
    #[test]
    fn packed_numbers_are_the_same(numbers in prop::collection::vec(any::<f32>().prop_filter("finite", |n| n.is_finite()), 1..20)) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let response = answer(vec![Vector::Base64(BASE64_STANDARD.encode(bytes))], None);
        let body = encode_response(false, &response).unwrap();
        let Vector::Floats(list) = &decode(Dialect::Gemini, &body).unwrap().vectors[0] else { panic!() };
        let texts = list.as_str().trim_matches(['[', ']']).split(',');
        let again: Vec<u32> = texts.map(|text| text.parse::<f32>().unwrap().to_bits()).collect();
        prop_assert_eq!(again, numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>());
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = (decode_request("g", &bytes), decode_batch_request("g", &bytes));
    }
}
