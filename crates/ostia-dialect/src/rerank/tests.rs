#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Api;
use crate::api::Asked;

fn request(body: &Value) -> Request {
    decode_request(body.to_string().as_bytes()).unwrap()
}

/// Reads a client's request and compares what the upstream gets.
#[track_caller]
fn check(dialect: Dialect, client: &Value, upstream: Value, dropped: &[&str]) {
    let encoded = encode(dialect, &request(client)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&encoded.body).unwrap(), upstream, "{dialect:?}");
    assert_eq!(encoded.dropped, dropped, "{dialect:?}");
}

/// Reads a client's request that cannot be served and compares what is blamed.
#[track_caller]
fn refuses(client: &str, param: &str) {
    let fault = decode_request(client.as_bytes()).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref().unwrap_or("")), (400, param), "{fault}");
}

/// Asks as this client, reads an upstream's answer, and compares what the client gets, to the digit.
#[track_caller]
fn answers(client: Api, upstream: Api, body: &Value, answer: &str, expected: &str) {
    let body = body.to_string();
    let asked = Asked { api: client, path_model: "", model: None, body: body.as_bytes(), inputs_max: None };
    let translated = (TRANSLATOR.translate)(asked, upstream).unwrap();
    let (body, _) = translated.reader.read(answer.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

/// All that a client may say.
fn everything() -> Value {
    json!({"model": "m", "query": "q", "documents": ["a", {"text": "b", "id": 7}], "top_n": 2,
           "return_documents": true, "max_tokens_per_doc": 9, "truncation": false, "priority": 3,
           "rank_fields": ["text"], "novel": [1]})
}

#[test]
fn faults_name_the_field() {
    refuses(r#"{"query": "q", "documents": ["a"]}"#, "model");
    refuses(r#"{"model": "m", "documents": ["a"]}"#, "query");
    refuses(r#"{"model": "m", "query": "q"}"#, "documents");
    refuses(r#"{"model": "m", "query": "q", "documents": []}"#, "documents");
    refuses(r#"{"model": "m", "query": "q", "documents": "a"}"#, "documents");
    refuses(r#"{"model": "m", "query": "q", "documents": ["a", 1]}"#, "documents[1]");
    refuses(r#"{"model": "m", "query": ["q"], "documents": ["a"]}"#, "query");
    refuses(r#"{"model": "m", "query": "q", "documents": ["a"], "top_n": -1}"#, "top_n");
    refuses(r#"{"model": "m", "query": "q", "documents": ["a"], "top_k": "2"}"#, "top_k");
    refuses(r#"{"model": "m", "query": "q", "documents": ["a"], "return_documents": 1}"#, "return_documents");
    refuses(r#"{"model": "m""#, "");
}

#[test]
fn requests_of_each_dialect() {
    let all = everything();
    check(
        Dialect::Cohere,
        &all,
        json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2, "max_tokens_per_doc": 9, "priority": 3}),
        &["truncation", "rank_fields", "novel"],
    );
    check(
        Dialect::Jina,
        &all,
        json!({"model": "m", "query": "q", "documents": ["a", {"text": "b", "id": 7}], "top_n": 2,
               "return_documents": false, "priority": 3, "rank_fields": ["text"], "novel": [1]}),
        &["max_tokens_per_doc", "truncation"],
    );
    check(
        Dialect::Voyage,
        &all,
        json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 2, "truncation": false}),
        &["max_tokens_per_doc", "priority", "rank_fields", "novel"],
    );
    check(
        Dialect::Bedrock,
        &all,
        json!({"query": "q", "documents": ["a", "b"], "top_n": 2}),
        &["max_tokens_per_doc", "truncation", "priority", "rank_fields", "novel"],
    );
    check(
        Dialect::Nvidia,
        &all,
        json!({"model": "m", "query": {"text": "q"}, "passages": [{"text": "a"}, {"text": "b", "id": 7}], "truncate": "NONE"}),
        &["max_tokens_per_doc", "priority", "rank_fields", "novel"],
    );
    check(
        Dialect::Pinecone,
        &all,
        json!({"model": "m", "query": "q", "documents": [{"text": "a"}, {"text": "b", "id": 7}], "top_n": 2,
               "return_documents": false, "rank_fields": ["text"], "parameters": {"truncate": "NONE"}}),
        &["max_tokens_per_doc", "priority", "novel"],
    );
    check(
        Dialect::Vertex,
        &all,
        json!({"model": "m", "query": "q", "records": [{"id": "0", "content": "a"}, {"id": "1", "content": "b"}],
               "topN": 2, "ignoreRecordDetailsInResponse": true}),
        &["max_tokens_per_doc", "truncation", "priority", "rank_fields", "novel"],
    );
}

#[test]
fn models_of_cohere_at_bedrock_are_told_the_version() {
    let client = json!({"model": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0", "query": "q",
                        "documents": ["a"], "max_tokens_per_doc": 9});
    let upstream = json!({"query": "q", "documents": ["a"], "api_version": 2, "max_tokens_per_doc": 9});
    check(Dialect::Bedrock, &client, upstream, &[]);
}

#[test]
fn data_and_images_among_the_documents() {
    let data = json!({"model": "m", "query": {"text": "q"}, "documents": [{"title": "t", "year": 1}]});
    let text = r#"{"title":"t","year":1}"#;
    check(Dialect::Cohere, &data, json!({"model": "m", "query": "q", "documents": [text]}), &[]);
    let image = json!({"model": "m", "query": "q", "documents": ["a", {"image": "https://i.example/1.png"}]});
    for dialect in Dialect::ALL {
        let encoded = encode(dialect, &request(&image));
        match dialect {
            Dialect::Jina | Dialect::Nvidia | Dialect::Pinecone => assert!(encoded.is_ok(), "{dialect:?}"),
            Dialect::Cohere | Dialect::Voyage | Dialect::Bedrock | Dialect::Vertex => {
                let fault = encoded.unwrap_err();
                assert_eq!((fault.status, fault.param.as_deref()), (400, Some("documents[1]")), "{fault}");
            }
        }
    }
}

#[test]
fn answers_of_each_dialect_for_each_client() {
    let body =
        json!({"model": "m", "query": "q", "documents": ["a", {"text": "b\n"}], "return_documents": true});
    let as_jina = |upstream: Api, answer: &str, expected: &str| {
        answers(Api::JinaRerank, upstream, &body, answer, expected);
    };
    let results = r#"[{"index":1,"relevance_score":0.50,"document":{"text":"b\n"}},{"index":0,"relevance_score":-1e-3,"document":{"text":"a"}}]"#;
    let told = |more: &str| format!(r#"{{"model":"m","object":"list","results":{results}{more}}}"#);
    as_jina(
        Api::CohereRerank,
        r#"{"id":"x","results":[{"index":1,"relevance_score":0.50},{"index":0,"relevance_score":-1e-3}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#,
        &told(r#","meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}"#).replacen(
            '{',
            r#"{"id":"x","#,
            1,
        ),
    );
    as_jina(
        Api::VoyageRerank,
        r#"{"object":"list","data":[{"relevance_score":0.50,"index":1},{"relevance_score":-1e-3,"index":0}],"model":"own","usage":{"total_tokens":43}}"#,
        &told(r#","usage":{"prompt_tokens":43,"total_tokens":43},"meta":{"tokens":{"input_tokens":43}}"#)
            .replacen(r#""m""#, r#""own""#, 1),
    );
    as_jina(
        Api::NvidiaRerank,
        r#"{"rankings":[{"index":1,"logit":0.50},{"index":0,"logit":-1e-3}]}"#,
        &told(""),
    );
    as_jina(
        Api::PineconeRerank,
        r#"{"model":"m","data":[{"index":1,"score":0.50},{"index":0,"score":-1e-3}],"usage":{"rerank_units":2}}"#,
        &told(r#","meta":{"billed_units":{"search_units":2}}"#),
    );
    as_jina(
        Api::VertexRerank,
        r#"{"records":[{"id":"1","score":0.50},{"id":"0","score":-1e-3}]}"#,
        &told(""),
    );
    as_jina(
        Api::BedrockRerank,
        r#"{"results":[{"index":1,"relevance_score":0.50},{"index":0,"relevance_score":-1e-3}]}"#,
        &told(""),
    );
    let jina = r#"{"model":"m","object":"list","usage":{"total_tokens":5},"results":[{"index":1,"relevance_score":0.50,"document":{"text":"b"}},{"index":0,"relevance_score":-1e-3}]}"#;
    answers(
        Api::CohereRerank,
        Api::JinaRerank,
        &body,
        jina,
        &format!(r#"{{"results":{results},"meta":{{"tokens":{{"input_tokens":5}}}}}}"#),
    );
    answers(
        Api::VoyageRerank,
        Api::JinaRerank,
        &json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 1, "return_documents": true}),
        jina,
        r#"{"object":"list","data":[{"index":1,"relevance_score":0.50,"document":"b"}],"model":"m","usage":{"total_tokens":5}}"#,
    );
}

#[test]
fn a_score_of_nothing_is_left_out_by_google() {
    let asked = request(&json!({"model": "m", "query": "q", "documents": ["a"]}));
    let response = decode(Dialect::Vertex, &asked, br#"{"records":[{"id":"0"}]}"#).unwrap();
    assert_eq!(response.results[0].score.as_str(), "0");
}

#[test]
fn answers_that_are_none() {
    let asked = request(&json!({"model": "m", "query": "q", "documents": ["a"]}));
    for dialect in Dialect::ALL {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"results":{}}"#,
            r#"{"results":[{"index":1,"relevance_score":1}],"data":[{"index":1,"relevance_score":1,"score":1}],
               "rankings":[{"index":1,"logit":1}],"records":[{"id":"1","score":1}]}"#,
            r#"{"results":[{"index":0,"relevance_score":"1"}],"data":[{"index":0}],"rankings":[{"logit":1}],"records":[{"id":"x","score":1}]}"#,
        ] {
            assert_eq!(
                decode(dialect, &asked, body.as_bytes()).unwrap_err().status,
                502,
                "{dialect:?} {body}"
            );
        }
    }
}

#[test]
fn what_a_client_means_and_where_it_fits() {
    let check = |body: &str, client: Api, at_cohere: bool| {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(Api::JinaRerank.meant_by(document.root()), client, "{body}");
        assert_eq!(Api::JinaRerank.fits(Api::CohereRerank, document.root()), at_cohere, "{body}");
        assert!(!Api::JinaRerank.fits(Api::VoyageRerank, document.root()), "{body}");
    };
    let (jina, voyage) = (Api::JinaRerank, Api::VoyageRerank);
    check(r#"{"query":"q","documents":["a"]}"#, jina, true);
    check(r#"{"query":"q","documents":["a"],"top_n":2,"return_documents":false}"#, jina, true);
    check(r#"{"query":"q","documents":["a"],"return_documents":true}"#, jina, false);
    check(r#"{"query":"q","documents":["a",{"text":"b"}]}"#, jina, false);
    check(r#"{"query":{"text":"q"},"documents":["a"]}"#, jina, false);
    check(r#"{"query":"q"}"#, jina, false);
    check(r#"{"query":"q","documents":["a"],"top_k":null,"truncation":true}"#, voyage, true);
    check(r#"{"query":"q","documents":["a"],"top_k":1,"top_n":1}"#, jina, true);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = decode_request(&bytes);
        let asked = request(&json!({"model": "m", "query": "q", "documents": ["a"]}));
        for dialect in Dialect::ALL {
            let _ = decode(dialect, &asked, &bytes);
        }
    }

    #[test]
    fn documents_arrive_as_they_were_written(texts in prop::collection::vec(any::<String>(), 1..5)) {
        let asked = request(&json!({"model": "m", "query": "q", "documents": texts}));
        let sent = encode(Dialect::Cohere, &asked).unwrap();
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        prop_assert_eq!(&sent["documents"], &json!(texts));
    }
}
