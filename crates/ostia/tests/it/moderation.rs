//! Moderation and OCR: understood, in the forms of several vendors, and by models that converse.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Request, Upstream};
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

/// A model that finds fault with what speaks of bombs.
fn guard() -> Upstream {
    Upstream::serve(|request: &Request| {
        let body = request.json();
        let said = body["messages"][0]["content"].as_str().unwrap_or_default();
        Answer::json(openai::chat(if said.contains("bomb") { "\n\nunsafe\nS9" } else { "safe" }))
    })
}

#[test]
fn a_guard_judges_each_text() {
    let upstream = guard();
    let body = json!({"model": "meta-llama/llama-guard-4-12b", "input": ["a flower", "a bomb", "a cake"], "user": "u"});
    let reply = Ask::post_at(&upstream, "groq", "/v1/moderations", body.to_string()).to(&Gateway::start());
    assert_eq!((reply.status, reply.header("x-ostia-dropped")), (200, Some("user")), "{}", reply.text());
    let answer = reply.json();
    let flagged: Vec<&Value> =
        answer["results"].as_array().unwrap().iter().map(|result| &result["flagged"]).collect();
    assert_eq!(flagged, [&json!(false), &json!(true), &json!(false)]);
    let bomb = &answer["results"][1];
    assert_eq!(bomb["categories"]["illicit/violent"], json!(true));
    assert_eq!(
        (&bomb["category_scores"]["illicit/violent"], &bomb["category_scores"]["hate"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(upstream.count(), 3);
    assert!(upstream.requests().iter().all(|request| request.target == "/chat/completions"));
}

#[test]
fn any_model_judges_where_it_is_configured() {
    let upstream = Upstream::serve(|request: &Request| {
        let text = request.text();
        if text.contains("broken") {
            return Answer::json(anthropic::error("api_error", "on fire")).status(500);
        }
        let names =
            if text.contains("hurt") { r#"{"categories":["harassment"]}"# } else { "I would rather not." };
        Answer::json(anthropic::message(names))
    });
    let gateway = Gateway::with(&format!(
        "providers:\n  anthropic: {{ base_url: '{}/v1', api_key: k, by_chat: {{ openai_moderations: ['claude-haiku-*'] }} }}\n",
        upstream.url()
    ));
    let ask = |model: &str, input: &str| {
        let body = json!({"model": format!("@anthropic/{model}"), "input": input}).to_string();
        Ask::post("/v1/moderations", body).to(&gateway)
    };
    let reply = ask("claude-haiku-4-5", "I will hurt you");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let result = &reply.json()["results"][0];
    assert_eq!((&result["flagged"], &result["categories"]["harassment"]), (&json!(true), &json!(true)));
    // What is no verdict is an error, and never "not flagged".
    let reply = ask("claude-haiku-4-5", "a flower");
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains("no verdict"), "{}", reply.text());
    let records = crate::store::listed(&gateway, 2);
    let record = records.iter().find(|record| record["status"] == 502).unwrap();
    assert_eq!(record["attempts"][0]["usage"]["prompt_tokens"], 10, "it is paid for all the same: {record}");
    // Of several conversations one is no verdict: the other was paid for too, and is told once.
    let body =
        json!({"model": "@anthropic/claude-haiku-4-5", "input": ["I will hurt you", "broken"]}).to_string();
    assert_eq!(Ask::post("/v1/moderations", body).to(&gateway).status, 500);
    let record = &crate::store::listed(&gateway, 3)[0];
    let told = |at: usize| &record["attempts"][at]["usage"]["prompt_tokens"];
    assert_eq!((told(0), told(1)), (&json!(10), &Value::Null), "{record}");
    let reply = ask("claude-opus-4-6", "a flower");
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("unsupported_operation")));
}

#[test]
fn bad_input_is_told_before_anybody_is_asked() {
    let (upstream, gateway) = (guard(), Gateway::start());
    for (body, param) in [
        (r#"{"model":"llama-guard-3"}"#.to_owned(), "input"),
        (r#"{"model":"llama-guard-3","input":[]}"#.to_owned(), "input"),
        (
            r#"{"model":"llama-guard-3","input":[{"role":"nobody","content":"a"}]}"#.to_owned(),
            "input[0].role",
        ),
        (json!({"model": "llama-guard-3", "input": vec!["a"; 200]}).to_string(), "input"),
    ] {
        let reply = Ask::post_at(&upstream, "groq", "/v1/moderations", body.as_str()).to(&gateway);
        assert_eq!(
            (reply.status, &reply.json()["error"]["param"]),
            (400, &json!(param)),
            "{body}: {}",
            reply.text()
        );
    }
    assert_eq!(upstream.count(), 0);
}

const PDF: &str = "data:application/pdf;base64,JVBERi0=";

fn document(model: &str, more: Value) -> String {
    let mut body = json!({"model": model, "document": {"type": "document_url", "document_url": PDF}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn azure_reads_documents_as_a_job() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let upstream = Upstream::serve(move |request: &Request| {
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        match request.method.as_str() {
            "POST" => Answer::empty()
                .status(202)
                .header("operation-location", &format!("{own}/results/1?api-version=x")),
            _ if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => {
                Answer::json(r#"{"status":"running"}"#)
            }
            _ => Answer::json(
                r##"{"status":"succeeded","analyzeResult":{"modelId":"prebuilt-layout","content":"# A","pages":[{"pageNumber":1,"spans":[{"offset":0,"length":3}]}]}}"##,
            ),
        }
    });
    let body = document("prebuilt-layout", json!({"pages": [0], "include_image_base64": true}));
    let ask = Ask::post("/v1/ocr", body).header("x-ostia-provider", "azure-document-intelligence");
    let ask = ask.header("x-ostia-custom-host", &upstream.url()).header("authorization", "Bearer az-key");
    let reply = ask.header("x-ostia-azure-resource-name", "r").to(&Gateway::start());
    assert_eq!(
        (reply.status, reply.header("x-ostia-dropped")),
        (200, Some("include_image_base64")),
        "{}",
        reply.text()
    );
    assert_eq!(reply.json()["pages"][0]["markdown"], "# A");
    let seen = upstream.requests();
    assert_eq!(
        seen[0].target,
        "/documentintelligence/documentModels/prebuilt-layout:analyze?api-version=2024-11-30&outputContentFormat=markdown\
         &stringIndexType=unicodeCodePoint&pages=1"
    );
    assert_eq!(seen[0].json(), json!({"base64Source": "JVBERi0="}));
    assert_eq!(seen[2].target, "/results/1?api-version=x");
    assert!(
        seen.iter().all(|request| request.header("ocp-apim-subscription-key").as_deref() == Some("az-key"))
    );
}

#[test]
fn a_job_that_fails_says_why() {
    let upstream = Upstream::serve(|request: &Request| {
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        match request.method.as_str() {
            "POST" => Answer::empty().status(202).header("operation-location", &format!("{own}/results/1")),
            _ => Answer::json(
                r#"{"status":"failed","error":{"code":"InvalidRequest","message":"Invalid request.","innererror":{"message":"The file is corrupted."}}}"#,
            ),
        }
    });
    let ask = Ask::post_at(
        &upstream,
        "azure-document-intelligence",
        "/v1/ocr",
        document("prebuilt-read", json!({})),
    );
    let reply = ask.header("x-ostia-azure-resource-name", "r").to(&Gateway::start());
    assert_eq!(reply.status, 500, "{}", reply.text());
    assert!(reply.text().contains("The file is corrupted."), "{}", reply.text());
}

#[test]
fn a_model_that_sees_reads_where_it_is_configured() {
    let upstream = Upstream::always(Answer::json(anthropic::message("<<<PAGE 1>>>\nOne\n<<<PAGE 2>>>\nTwo")));
    let gateway = Gateway::with(&format!(
        "providers:\n  anthropic: {{ base_url: '{}/v1', api_key: k, by_chat: {{ mistral_ocr: ['*'] }} }}\n",
        upstream.url()
    ));
    let reply = Ask::post("/v1/ocr", document("@anthropic/claude-sonnet-4-5", json!({}))).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = reply.json();
    assert_eq!((&answer["pages"][1]["index"], &answer["pages"][1]["markdown"]), (&json!(1), &json!("Two")));
    assert_eq!(answer["usage_info"]["pages_processed"], 2);
    let seen = upstream.last();
    assert_eq!(seen.target, "/v1/messages");
    assert_eq!(seen.json()["messages"][0]["content"][0]["source"]["data"], "JVBERi0=");
    for (more, param) in [
        (json!({"document": {"type": "file", "file_id": "f"}}), "document"),
        (json!({"document": {"type": "image_url", "image_url": 7}}), "document.image_url"),
        (json!({"pages": "x"}), "pages"),
    ] {
        let reply = Ask::post("/v1/ocr", document("@anthropic/claude-sonnet-4-5", more)).to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(param)), "{}", reply.text());
    }
}

#[test]
fn a_document_at_an_address_is_fetched_for_who_takes_bytes() {
    let files = Upstream::always(Answer::with("image/png", b"\x89PNG\r\n\x1a\n".as_slice()));
    let upstream = Upstream::always(Answer::json(openai::chat("text")));
    let gateway = Gateway::with(&format!(
        "egress: {{allow_private: [localhost]}}\nproviders:\n  seer: {{ base_url: '{}', api_key: k, dialects: [openai_chat], local: true, \
         quirks: {{media_urls: []}}, by_chat: {{ mistral_ocr: ['*'] }} }}\n",
        upstream.url()
    ));
    let url = format!("http://localhost:{}/a.png", files.address().port());
    let body = json!({"model": "@seer/m", "document": {"type": "image_url", "image_url": url}}).to_string();
    let reply = Ask::post("/v1/ocr", body).to(&gateway);
    assert_eq!((reply.status, files.count()), (200, 1), "{}", reply.text());
    let shown = upstream.last().json()["messages"][0]["content"][0]["image_url"]["url"].to_string();
    assert!(shown.starts_with("\"data:image/png;base64,"), "{shown}");
}
