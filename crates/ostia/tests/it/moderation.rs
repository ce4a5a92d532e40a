//! Moderation and OCR: understood, and moderation in two vendors' forms.

use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const OPENAI: &str = r#"{"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":false,"categories":{"sexual":false},"category_scores":{"sexual":1.0e-5}}]}"#;
const MISTRAL: &str = r#"{"id":"m-1","model":"mistral-moderation-latest","usage":{"prompt_tokens":7},"results":[{"categories":{"sexual":false,"selfharm":true},"category_scores":{"sexual":1.0e-5,"selfharm":0.90}}]}"#;
const PAGES: &str = r#"{"pages":[{"index":0,"markdown":"text"}],"model":"mistral-ocr-latest","usage_info":{"pages_processed":1}}"#;
const DOCUMENT: &str = r#"{ "model":"m", "document" : {"type":"document_url","document_url":"https://d.example/1.pdf"}, "x": 1.0 }"#;

#[test]
fn openai_is_relayed_also_without_a_model() {
    let upstream = Upstream::always(Answer::json(OPENAI));
    let gateway = Gateway::with(&format!(
        "providers:\n  openai: {{ base_url: '{}/v1', api_key: k }}\n",
        upstream.url()
    ));
    for body in [
        r#"{ "input" : "a" }"#,
        r#"{"model":"omni-moderation-latest","input":[{"type":"image_url","image_url":{"url":"x"}}]}"#,
    ] {
        let reply = Ask::post("/v1/moderations", body).header("x-ostia-provider", "openai").to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, OPENAI));
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.text().as_str()), ("/v1/moderations", body));
    }
}

#[test]
fn mistral_is_told_texts_and_conversations() {
    let gateway = Gateway::start();
    let messages = json!([{"role": "user", "content": "a"}]);
    for (input, target, sent) in [
        (json!("a"), "/moderations", json!(["a"])),
        (messages.clone(), "/chat/moderations", json!([messages])),
    ] {
        let upstream = Upstream::always(Answer::json(MISTRAL));
        let body = json!({"model": "m", "input": input}).to_string();
        let reply = Ask::post_at(&upstream, "mistral-ai", "/v1/moderations", body).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.json()), (target, json!({"model": "m", "input": sent})));
        let result = &reply.json()["results"][0];
        assert_eq!((&result["flagged"], &result["categories"]["self-harm"]), (&json!(true), &json!(true)));
        assert_eq!(result["category_scores"]["selfharm"], json!(0.9));
        assert!(reply.text().contains(r#""sexual":1.0e-5"#), "{}", reply.text());
    }
}

#[test]
fn a_config_moderates_at_another_vendor_where_one_fails() {
    let gateway = Gateway::start();
    let first = Upstream::always(Answer::json(r#"{"error":{"message":"no"}}"#).status(500));
    let second = Upstream::always(Answer::json(MISTRAL));
    let target = |provider: &str, upstream: &Upstream, params: Value| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "k", "override_params": params});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        target("openai", &first, json!({})), target("mistral-ai", &second, json!({"model": "mistral-moderation-latest"}))]});
    let ask = Ask::post("/v1/moderations", r#"{"input":"a"}"#).header("x-ostia-config", &config.to_string());
    let reply = ask.header("x-ostia-trace-id", "t").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["results"][0]["flagged"], json!(true));
    let record = Ask::new("GET", "/v1/explain/t").to(&gateway).json();
    assert_eq!(record["usage"]["prompt_tokens"], 7, "{record}");
}

#[test]
fn documents_are_read_at_mistral_and_at_clouds() {
    let gateway = Gateway::start();
    let place = "/v1/projects/p/locations/global/publishers/mistralai/models/mistral-ocr-2505:rawPredict";
    let none: &[(&str, &str)] = &[];
    let (google, azure) =
        (&[("x-ostia-vertex-project-id", "p")][..], &[("x-ostia-azure-resource-name", "res")][..]);
    for (provider, model, headers, target) in [
        ("mistral-ai", "m", none, "/ocr"),
        ("vertex-ai", "mistral-ocr-2505", google, place),
        ("azure-ai", "mistral-document-ai-2512", azure, "/providers/mistral/azure/ocr"),
    ] {
        let upstream = Upstream::always(Answer::json(PAGES));
        let body = DOCUMENT.replace("\"m\"", &format!("\"{model}\""));
        let ask = Ask::post_at(&upstream, provider, "/v1/ocr", body.as_str());
        let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, PAGES), "{provider}");
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.text()), (target, body), "{provider}");
    }
    let upstream = Upstream::always(Answer::json(PAGES));
    let gateway = Gateway::with(&format!(
        "providers:\n  mistral-ai: {{ base_url: '{}/v1', api_key: k }}\n",
        upstream.url()
    ));
    let reply =
        Ask::post("/v1/ocr", DOCUMENT.replace("\"m\"", "\"@mistral/mistral-ocr-latest\"")).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(upstream.last().json()["model"], "mistral-ocr-latest");
    let reply = Ask::post_at(&upstream, "anthropic", "/v1/ocr", DOCUMENT).to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("unsupported_operation")));
}
