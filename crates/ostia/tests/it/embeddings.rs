//! Embeddings at vendors whose form is nearly OpenAI's, or their own.

use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const DATA: &str = r#"{"object":"list","data":[{"object":"embedding","embedding":[0.50,-1e-3],"index":0}],"model":"m","usage":{"total_tokens":4}}"#;

#[test]
fn openais_clients_are_told_in_each_vendors_words() {
    let gateway = Gateway::start();
    let check =
        |provider: &str, target: &str, more: Value, answer: &str, expected: Value, dropped: Option<&str>| {
            let upstream = Upstream::always(Answer::json(answer));
            let mut body = json!({"model": "m", "input": ["a"], "dimensions": 2});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let reply = Ask::post_at(&upstream, provider, "/v1/embeddings", body.to_string()).to(&gateway);
            assert_eq!(reply.status, 200, "{provider}: {}", reply.text());
            let seen = upstream.last();
            assert_eq!((seen.target.as_str(), seen.json()), (target, expected), "{provider}");
            assert!(reply.text().contains("[0.50,-1e-3]"), "{provider}: {}", reply.text());
            let told = reply.json();
            let usage = (&told["usage"]["prompt_tokens"], &told["usage"]["total_tokens"]);
            assert_eq!(usage, (&json!(4), &json!(4)), "{provider}");
            assert_eq!(reply.header("x-ostia-dropped"), dropped, "{provider}");
        };
    let query = json!({"input_type": "search_query", "encoding_format": "float", "user": "u"});
    check(
        "voyage",
        "/embeddings",
        query.clone(),
        DATA,
        json!({"model": "m", "input": ["a"], "input_type": "query", "output_dimension": 2}),
        Some("user"),
    );
    check(
        "mistral-ai",
        "/embeddings",
        json!({"output_dtype": "float"}),
        DATA,
        json!({"model": "m", "input": ["a"], "output_dimension": 2, "output_dtype": "float"}),
        None,
    );
    check(
        "jina",
        "/embeddings",
        query.clone(),
        DATA,
        json!({"model": "m", "input": ["a"], "task": "retrieval.query", "dimensions": 2}),
        Some("user"),
    );
    check(
        "nomic",
        "/embedding/text",
        query,
        r#"{"embeddings":[[0.50,-1e-3]],"usage":{"prompt_tokens":4,"total_tokens":4},"model":"m"}"#,
        json!({"model": "m", "texts": ["a"], "task_type": "search_query", "dimensionality": 2}),
        Some("user"),
    );
    check(
        "voyage",
        "/multimodalembeddings",
        json!({"model": "voyage-multimodal-3.5", "input": [{"text": "t", "image": "https://i.example/1.png"}]}),
        DATA,
        json!({"model": "voyage-multimodal-3.5", "output_dimension": 2, "inputs": [{"content": [
            {"type": "text", "text": "t"}, {"type": "image_url", "image_url": "https://i.example/1.png"}]}]}),
        None,
    );
}

#[test]
fn vendors_own_bodies_pass_byte_for_byte() {
    let gateway = Gateway::start();
    for (provider, body) in [
        (
            "voyage",
            r#"{ "input":["a"], "model" : "m","input_type":"query","output_dtype":null,"encoding_format":"base64", "x":1.0}"#,
        ),
        (
            "mistral-ai",
            r#"{ "input":"a", "model" : "m","output_dimension":8, "output_dtype":"int8", "x":1.0}"#,
        ),
        (
            "jina",
            r#"{ "input":[{"text":"a"},{"image":"b"}], "model" : "m","task":"retrieval.query","late_chunking":true, "x":1.0}"#,
        ),
    ] {
        let upstream = Upstream::always(Answer::json(DATA));
        let reply = Ask::post_at(&upstream, provider, "/v1/embeddings", body).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, DATA), "{provider}");
        assert_eq!(upstream.last().text(), body, "{provider}");
    }
}

#[test]
fn vectors_come_in_the_form_that_the_client_wants() {
    let gateway = Gateway::start();
    let ask = |provider: &str, more: Value, answer: &str| {
        let upstream = Upstream::always(Answer::json(answer));
        let mut body = json!({"model": "m", "input": "a", "user": "u"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = Ask::post_at(&upstream, provider, "/v1/embeddings", body.to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["data"][0]["embedding"].clone()
    };
    let numbers = r#"{"data":[{"embedding":[1,-2.5],"index":0}],"model":"m","usage":{"total_tokens":4}}"#;
    let packed =
        r#"{"data":[{"embedding":"AACAPwAAIMA=","index":0}],"model":"m","usage":{"total_tokens":4}}"#;
    let bytes = r#"{"data":[{"embedding":[-128,0,127],"index":0}],"model":"m","usage":{"total_tokens":4}}"#;
    let base64 = json!({"encoding_format": "base64"});
    assert_eq!(ask("voyage", base64.clone(), numbers), json!("AACAPwAAIMA="));
    assert_eq!(ask("voyage", base64, packed), json!("AACAPwAAIMA="));
    assert_eq!(ask("voyage", json!({}), packed), json!([1, -2.5]));
    assert_eq!(ask("voyage", json!({"output_dtype": "int8"}), bytes), json!([-128, 0, 127]));
    let both = json!({"output_dtype": "int8", "encoding_format": "base64"});
    assert_eq!(ask("mistral-ai", both, bytes), json!("gAB/"));
}

#[test]
fn googles_clients_reach_them_too() {
    let upstream = Upstream::always(Answer::json(DATA));
    let body =
        r#"{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":2}"#;
    let ask = Ask::post("/v1beta/models/voyage-4:embedContent", body).header("x-goog-api-key", "sk-client");
    let ask = ask.header("x-ostia-provider", "voyage").header("x-ostia-custom-host", &upstream.url());
    let reply = ask.to(&Gateway::start());
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["embedding"]["values"], json!([0.5, -1e-3]));
    let sent = json!({"model": "voyage-4", "input": "a", "input_type": "query", "output_dimension": 2});
    assert_eq!(upstream.last().json(), sent);
}
