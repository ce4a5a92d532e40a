//! Documents ranked: clients of three forms in front of every vendor's own.

use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const JINA: &str = r#"{"model":"m","object":"list","usage":{"total_tokens":9,"prompt_tokens":9},"results":[{"index":1,"relevance_score":0.90},{"index":0,"relevance_score":1e-3}]}"#;
const COHERE: &str = r#"{"id":"r-1","results":[{"index":1,"relevance_score":0.90},{"index":0,"relevance_score":1e-3}],"meta":{"billed_units":{"search_units":1}}}"#;
const VOYAGE: &str = r#"{"object":"list","data":[{"relevance_score":0.90,"index":1},{"relevance_score":1e-3,"index":0}],"model":"m","usage":{"total_tokens":9}}"#;

fn asked() -> Value {
    json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2})
}

/// Who is asked: headers of the client, and what the provider gets.
struct Way {
    provider: &'static str,
    model: &'static str,
    headers: &'static [(&'static str, &'static str)],
    target: &'static str,
    documents: &'static str,
    answer: &'static str,
}

#[test]
fn every_vendor_is_asked_in_its_own_form() {
    let gateway = Gateway::start();
    let (google, azure) = (&[("x-ostia-vertex-project-id", "p")], &[("x-ostia-azure-resource-name", "res")]);
    let way = |provider, model, headers, target, documents, answer| Way {
        provider,
        model,
        headers,
        target,
        documents,
        answer,
    };
    let rank = "/v1/projects/p/locations/global/rankingConfigs/default_ranking_config:rank";
    let invoke = "/model/cohere.rerank-v3-5%3A0/invoke";
    let results = r#"{"results":[{"index":1,"relevance_score":0.90},{"index":0,"relevance_score":1e-3}]}"#;
    let rankings = r#"{"rankings":[{"index":1,"logit":0.90},{"index":0,"logit":1e-3}]}"#;
    let records = r#"{"records":[{"id":"1","score":0.90},{"id":"0","score":1e-3}]}"#;
    let scored = r#"{"data":[{"index":1,"score":0.90},{"index":0,"score":1e-3}],"usage":{"rerank_units":1}}"#;
    for way in [
        way("cohere", "m", &[], "/v2/rerank", "documents", COHERE),
        way("jina", "m", &[], "/rerank", "documents", JINA),
        way("together-ai", "m", &[], "/v1/rerank", "documents", JINA),
        way("vllm", "m", &[], "/v1/rerank", "documents", JINA),
        way("voyage", "m", &[], "/rerank", "documents", VOYAGE),
        way("pinecone", "m", &[], "/rerank", "documents", scored),
        way("nim", "m", &[], "/ranking", "passages", rankings),
        way("vertex-ai", "semantic-ranker-default-004", google, rank, "records", records),
        way("azure-ai", "cohere-rerank-v5-pro", azure, "/providers/cohere/v2/rerank", "documents", COHERE),
        way("bedrock", "cohere.rerank-v3-5:0", &[], invoke, "documents", results),
    ] {
        let upstream = Upstream::always(Answer::json(way.answer));
        let mut body = asked();
        body["model"] = json!(way.model);
        let ask = Ask::post_at(&upstream, way.provider, "/v1/rerank", body.to_string());
        let ask = way.headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{}: {}", way.provider, reply.text());
        let seen = upstream.last();
        assert_eq!(seen.target, way.target, "{}", way.provider);
        assert_eq!(seen.json()[way.documents].as_array().map(Vec::len), Some(2), "{}", seen.text());
        let told = reply.text();
        assert!(
            told.contains(r#"{"index":1,"relevance_score":0.90},{"index":0,"relevance_score":1e-3}"#),
            "{told}"
        );
        assert_eq!(reply.header("x-ostia-dropped"), None, "{}", way.provider);
    }
}

#[test]
fn what_needs_no_other_words_passes_byte_for_byte() {
    let gateway = Gateway::start();
    let body = r#"{ "documents" : ["a","b"], "query":"q", "x_own": 1.50, "model":"m" }"#;
    let voyage =
        r#"{ "documents" : ["a","b"], "query":"q", "top_k": null, "truncation" : true, "model":"m" }"#;
    let cohere = COHERE.replace("\"meta\"", " \"x_new\": 1.0 , \"meta\"");
    for (provider, path, target, body, answer) in [
        ("cohere", "/v1/rerank", "/v2/rerank", body, cohere.as_str()),
        ("cohere", "/v2/rerank", "/v2/rerank", body, cohere.as_str()),
        ("jina", "/v1/rerank", "/rerank", body, JINA),
        ("llamacpp", "/v1/rerank/", "/v1/rerank", body, JINA),
        // A server that copies OpenAI's chat may have copied Jina's or Voyage's rerank.
        ("openai", "/v1/rerank", "/rerank", body, JINA),
        ("openai", "/v1/rerank", "/rerank", voyage, VOYAGE),
        ("voyage", "/v1/rerank", "/rerank", voyage, VOYAGE),
    ] {
        let upstream = Upstream::always(Answer::json(answer));
        let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, answer), "{provider} {path}");
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.text().as_str()), (target, body), "{provider} {path}");
    }
}

#[test]
fn each_client_is_answered_in_its_own_form() {
    let gateway = Gateway::start();
    let check = |provider: &str, path: &str, more: Value, answer: &str, expected: Value| {
        let upstream = Upstream::always(Answer::json(answer));
        let mut body = json!({"model": "m", "query": "q", "documents": ["a", {"text": "b"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = Ask::post_at(&upstream, provider, path, body.to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json(), expected, "{provider} {path}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
    };
    let wanted = json!({"return_documents": true});
    let results = json!([{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}},
                         {"index": 0, "relevance_score": 1e-3, "document": {"text": "a"}}]);
    let units = json!({"billed_units": {"search_units": 1}});
    let jina = json!({"id": "r-1", "model": "m", "object": "list", "results": results, "meta": units});
    check("cohere", "/v1/rerank", wanted.clone(), COHERE, jina);
    let cohere = json!({"results": results, "meta": {"tokens": {"input_tokens": 9}}});
    check("jina", "/v2/rerank", wanted, JINA, cohere);
    let data = json!([{"index": 1, "relevance_score": 0.9, "document": "b"}]);
    let body = json!({"top_k": 1, "return_documents": true, "documents": ["a", "b"]});
    let voyage = json!({"object": "list", "data": data, "model": "m", "usage": {"total_tokens": 9}});
    check("jina", "/v1/rerank", body, JINA, voyage);
}

#[test]
fn a_config_goes_on_from_vendor_to_vendor_and_the_record_counts() {
    let gateway = Gateway::start();
    let first = Upstream::always(Answer::json(r#"{"message":"no"}"#).status(500));
    let second = Upstream::always(Answer::json(VOYAGE));
    let target = |provider: &str, upstream: &Upstream, model: &str| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "k", "override_params": {"model": model}});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        target("cohere", &first, "rerank-v4"), target("voyage", &second, "rerank-3")]});
    let reply = Ask::post("/v1/rerank", asked().to_string())
        .header("x-ostia-config", &config.to_string())
        .header("x-ostia-trace-id", "t")
        .to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["results"][0], json!({"index": 1, "relevance_score": 0.9}));
    let seen = (first.last().json(), second.last().json());
    assert_eq!((&seen.0["model"], &seen.1["model"]), (&json!("rerank-v4"), &json!("rerank-3")));
    assert_eq!((&seen.0["top_n"], &seen.1["top_k"]), (&json!(2), &json!(2)));
    let record = Ask::new("GET", "/v1/explain/t").to(&gateway).json();
    assert_eq!(record["usage"]["prompt_tokens"], 9, "{record}");
}

#[test]
fn the_model_names_the_provider() {
    let upstream = Upstream::always(Answer::json(VOYAGE));
    let gateway = Gateway::with(&format!(
        "providers:\n  voyage: {{ base_url: '{}/v1', api_key: k }}\n",
        upstream.url()
    ));
    let body = json!({"model": "@voyage/rerank-3", "query": "q", "documents": ["a", "b"], "top_n": 1});
    let reply = Ask::post("/v1/rerank", body.to_string()).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["results"], json!([{"index": 1, "relevance_score": 0.9}]));
    let seen = upstream.last();
    assert_eq!((seen.target.as_str(), &seen.json()["model"]), ("/v1/rerank", &json!("rerank-3")));
    assert_eq!(seen.header("authorization").as_deref(), Some("Bearer k"));
}

#[test]
fn what_cannot_be_said_is_told() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(VOYAGE)));
    let body = json!({"model": "m", "query": "q", "documents": ["a", "b"], "max_tokens_per_doc": 5});
    let ask = Ask::post_at(&upstream, "voyage", "/v2/rerank", body.to_string());
    let reply = ask.to(&gateway);
    assert_eq!((reply.status, reply.header("x-ostia-dropped")), (200, Some("max_tokens_per_doc")));
    let refused = ask.header("x-ostia-lossless", "true").to(&gateway);
    assert_eq!((refused.status, upstream.count()), (400, 1), "{}", refused.text());
    for (body, param) in [
        (json!({"model": "m", "query": "q"}), "documents"),
        (json!({"model": "m", "documents": ["a"]}), "query"),
        (json!({"model": "m", "query": "q", "documents": ["a", 1]}), "documents[1]"),
        (json!({"model": "m", "query": "q", "documents": [{"image": "x"}]}), "documents[0]"),
        (json!({"model": "m", "query": "q", "documents": ["a"], "top_n": "x"}), "top_n"),
        (json!({"query": "q", "documents": ["a"], "top_n": 1}), "model"),
    ] {
        let reply = Ask::post_at(&upstream, "voyage", "/v1/rerank", body.to_string()).to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(param)), "{}", reply.text());
    }
    let reply = Ask::post_at(&upstream, "anthropic", "/v1/rerank", asked().to_string()).to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("unsupported_operation")));
    assert_eq!(upstream.count(), 1);
    let other = r#"{"data":[{"relevance_score":0.9,"index":7}]}"#;
    let upstream = Upstream::always(Answer::json(other));
    let reply = Ask::post_at(&upstream, "voyage", "/v1/rerank", asked().to_string()).to(&gateway);
    assert_eq!(reply.status, 502, "{}", reply.text());
}
