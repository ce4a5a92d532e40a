#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generation;
mod schema;
mod tools;
mod turns;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chat::gemini_generate::request::encode::encode;
use crate::json::Document;
use crate::{ClientDialect, Fault, PathParams, Request};

const MODEL: &str = "models/gemini-2.5-flash";

fn decode(model: &str, stream: bool, body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    ClientDialect::GeminiGenerate.decode(&Document::of_request(body.as_ref())?, PathParams { model, stream })
}

fn read(body: &Value) -> Request {
    decode(MODEL, false, body.to_string().as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {body:#}"))
}

/// A question, with these fields.
fn ask(fields: Value) -> Value {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}]});
    fields.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

/// What the vendor would get of a client's body once it went through the hub, and what is missing from it.
#[track_caller]
fn check(client: &Value, upstream: &Value, dropped: &[&str]) {
    let encoded = encode(&read(client)).unwrap();
    let got: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(&got, upstream, "{got:#}");
    assert_eq!(encoded.dropped, dropped);
}

/// The body comes out as it went in, and nothing is missing.
#[track_caller]
fn check_same(body: &Value) {
    check(body, body, &[]);
}

#[track_caller]
fn refuses(body: &Value, param: &str) {
    let Fault { status, param: blamed, message, .. } =
        decode(MODEL, false, body.to_string().as_bytes()).unwrap_err();
    assert_eq!((status, blamed.as_deref().unwrap_or("")), (400, param), "{message}");
}

#[test]
fn model_and_streaming_are_said_by_the_path() {
    let body = ask(json!({"model": "models/other"})).to_string();
    for (path, stream) in [("models/gemini-x", true), ("gemini-x", false)] {
        let request = decode(path, stream, body.as_bytes()).unwrap();
        assert_eq!(
            (request.model.as_str(), request.stream, request.include_usage),
            ("gemini-x", stream, true)
        );
        assert!(request.extra.is_empty());
    }
}

#[test]
fn a_request_that_is_to_be_counted_may_stand_one_level_deeper() {
    let body =
        json!({"generateContentRequest": ask(json!({"systemInstruction": {"parts": [{"text": "s"}]}}))});
    assert_eq!(read(&body).places, ["systemInstruction", "contents[0]"]);
}

#[test]
fn losses_are_told_in_the_vendors_words() {
    let request = read(&json!({
        "contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}]}, {"parts": [{"text": "q"}]}],
        "systemInstruction": "s",
        "generationConfig": {"seed": 1, "candidateCount": 2},
        "labels": {"a": "b"},
    }));
    let encoded = crate::Dialect::AnthropicMessages
        .encode(&mut request.clone(), &crate::EncodeOptions::default())
        .unwrap();
    let mut told = crate::ClientDialect::GeminiGenerate.in_own_words(&request, encoded.dropped);
    told.sort();
    let expected =
        ["contents[0].content[0]", "generationConfig.candidateCount", "generationConfig.seed", "labels"];
    assert_eq!(told, expected);
}

#[test]
fn own_fields_go_on_as_they_came() {
    let fields = json!({
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/1",
        "labels": {"team": "a"},
    });
    check_same(&ask(fields));
    let snake = ask(json!({"cached_content": "cachedContents/1", "of_tomorrow": 1, "tools": null}));
    check(&snake, &ask(json!({"cachedContent": "cachedContents/1"})), &["of_tomorrow"]);
}

#[test]
fn tiers_have_everyones_words() {
    for (tier, expected) in [
        ("standard", Some("default")),
        ("SERVICE_TIER_FLEX", Some("flex")),
        ("priority", Some("priority")),
        ("unspecified", None),
    ] {
        assert_eq!(read(&ask(json!({"serviceTier": tier}))).service_tier.as_deref(), expected);
    }
    check_same(&ask(json!({"serviceTier": "flex"})));
}

#[test]
fn bodies_that_are_no_request_name_the_field() {
    refuses(&json!([]), "");
    refuses(&json!({}), "contents");
    refuses(&ask(json!({"generationConfig": []})), "generationConfig");
    refuses(&ask(json!({"tools": [1]})), "tools[0]");
    refuses(&ask(json!({"toolConfig": 1})), "toolConfig");
    refuses(&ask(json!({"serviceTier": 1})), "serviceTier");
    refuses(&ask(json!({"systemInstruction": 1})), "systemInstruction");
}

/// A request of real fields with values that mostly fit.
fn body() -> impl Strategy<Value = Value> {
    let odd = || {
        prop::sample::select(vec![
            json!(null),
            json!(3),
            json!("x"),
            json!([]),
            json!({}),
            json!([{}]),
            json!(true),
        ])
    };
    let kinds = prop::sample::select(vec![
        "text",
        "thought",
        "thoughtSignature",
        "functionCall",
        "functionResponse",
        "inlineData",
        "fileData",
        "executableCode",
        "videoMetadata",
    ]);
    let part = prop_oneof![
        Just(json!({"text": "x"})),
        Just(json!({"text": "x", "thought": true})),
        Just(json!({"text": "", "thoughtSignature": "c2ln"})),
        Just(json!({"functionCall": {"name": "f", "args": {}}})),
        Just(json!({"functionResponse": {"name": "f", "response": {"output": "x"}}})),
        (kinds, odd()).prop_map(|(kind, value)| json!({kind: value})),
        odd(),
    ];
    let role = prop::sample::select(vec![
        json!("user"),
        json!("model"),
        json!("function"),
        json!(null),
        json!("odd"),
    ]);
    let parts = prop_oneof![prop::collection::vec(part, 1..4).prop_map(Value::from), odd()];
    let content = (role, parts).prop_map(|(role, parts)| json!({"role": role, "parts": parts}));
    let config = prop::sample::select(vec![
        "temperature",
        "topK",
        "maxOutputTokens",
        "stopSequences",
        "responseMimeType",
        "responseSchema",
        "responseLogprobs",
        "logprobs",
        "thinkingConfig",
        "responseModalities",
        "seed",
        "of_tomorrow",
    ]);
    let fields = prop::sample::select(vec![
        "generationConfig",
        "tools",
        "toolConfig",
        "systemInstruction",
        "serviceTier",
        "contents",
        "of_tomorrow",
    ]);
    let contents = prop::collection::vec(content, 1..4);
    (contents, prop::option::of((fields, odd())), config, odd()).prop_map(|(contents, field, name, value)| {
        let mut body = json!({"contents": contents, "generationConfig": {name: value}});
        if let Some((name, value)) = field {
            body[name] = value;
        }
        body
    })
}

proptest! {
    #[test]
    fn requests_are_understood_or_refused(body in body()) {
        match decode(MODEL, true, body.to_string().as_bytes()) {
            Ok(request) => {
                prop_assert_eq!(request.places.len(), request.messages.len());
                let _ = encode(&request);
            }
            Err(fault) => prop_assert!(fault.status == 400 && fault.param.is_some(), "{:?}", fault),
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(MODEL, false, &bytes);
    }
}
