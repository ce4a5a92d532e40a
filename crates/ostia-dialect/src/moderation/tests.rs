#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

mod by_chat;

use super::*;
use crate::Api;
use crate::api::{Asked, Translated};

fn translated(body: &str) -> Result<Translated, crate::Fault> {
    let asked = Asked {
        api: Api::OpenaiModerations,
        path_model: "",
        model: None,
        body: body.as_bytes(),
        inputs_max: None,
    };
    (TRANSLATOR.translate)(asked, Api::MistralModerations)
}

/// What Mistral gets of a client's request, and where.
#[track_caller]
fn check(client: &Value, api: Api, upstream: Value, dropped: &[&str]) {
    let translated = translated(&client.to_string()).unwrap();
    assert_eq!(translated.api, api);
    assert_eq!(translated.dropped, dropped);
    assert_eq!(serde_json::from_slice::<Value>(&translated.body).unwrap(), upstream);
}

#[test]
fn requests() {
    let texts = Api::MistralModerations;
    check(&json!({"model": "m", "input": "a"}), texts, json!({"model": "m", "input": ["a"]}), &[]);
    check(
        &json!({"model": "m", "input": ["a", "b\n"], "user": "u", "metadata": {"x": 1}}),
        texts,
        json!({"model": "m", "input": ["a", "b\n"], "metadata": {"x": 1}}),
        &["user"],
    );
    check(
        &json!({"model": "m", "input": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
        texts,
        json!({"model": "m", "input": ["a\nb"]}),
        &[],
    );
    let messages = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]);
    check(
        &json!({"model": "m", "input": messages}),
        Api::MistralChatModerations,
        json!({"model": "m", "input": [messages]}),
        &[],
    );
}

#[test]
fn faults_name_the_field() {
    for (body, param) in [
        (r#"{"model": "m"}"#, "input"),
        (r#"{"model": "m", "input": []}"#, "input"),
        (r#"{"model": "m", "input": 1}"#, "input"),
        (r#"{"model": "m", "input": ["a", 1]}"#, "input[1]"),
        (r#"{"model": "m", "input": [{"type": "image_url", "image_url": {"url": "x"}}]}"#, "input[0]"),
        (r#"{"model": 1, "input": "a"}"#, "model"),
        (r#"{"input": "a"}"#, "model"),
    ] {
        let fault = translated(body).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}: {fault}");
    }
}

#[test]
fn answers_have_both_names() {
    let answer = r#"{"id":"mod-1","model":"own","usage":{"prompt_tokens":7},"results":[
        {"categories":{"sexual":false,"selfharm":true,"pii":false},"category_scores":{"sexual":1.0e-5,"selfharm":0.90,"pii":0}}]}"#;
    let reader = translated(r#"{"model": "m", "input": "a"}"#).unwrap().reader;
    let (body, _) = reader.read(answer.as_bytes()).unwrap();
    let expected = concat!(
        r#"{"id":"mod-1","model":"own","results":[{"flagged":true,"#,
        r#""categories":{"sexual":false,"selfharm":true,"self-harm":true,"pii":false},"#,
        r#""category_scores":{"sexual":1.0e-5,"selfharm":0.90,"self-harm":0.90,"pii":0}}],"#,
        r#""usage":{"prompt_tokens":7,"total_tokens":7}}"#
    );
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

#[test]
fn answers_that_are_none() {
    for answer in [
        "",
        "{}",
        r#"{"results":{}}"#,
        r#"{"results":[]}"#,
        r#"{"results":[{}]}"#,
        r#"{"results":[{"categories":{"a":1}}]}"#,
    ] {
        let reader = translated(r#"{"model": "m", "input": "a"}"#).unwrap().reader;
        assert_eq!(reader.read(answer.as_bytes()).unwrap_err().status, 502, "{answer}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = openai::decode_request(&bytes);
        let reader = translated(r#"{"model": "m", "input": "a"}"#).unwrap().reader;
        let _ = reader.read(&bytes);
    }
}
