//! Rows that embed, and how their answers are told.

use serde_json::{Value, json};

use super::super::*;
use super::forms::told;
use crate::{Api, Fault};

fn row(form: &BatchForm, body: &Value) -> Result<Value, Fault> {
    let mut out = Vec::new();
    (form.encode_row)(&mut out, "12", format!("{body:#}").as_bytes())?;
    assert!(!out.contains(&b'\n'), "one line");
    Ok(serde_json::from_slice(&out).unwrap())
}

#[test]
fn rows() {
    let check = |form: &BatchForm, body: Value, expected: Value| {
        assert_eq!(row(form, &body).unwrap(), expected);
    };
    let content = json!({"parts": [{"text": "a\nb"}]});
    check(
        &GEMINI,
        json!({"content": content, "outputDimensionality": 8}),
        json!({"key": "12", "request": {"content": content, "outputDimensionality": 8}}),
    );
    check(
        &BEDROCK,
        json!({"inputText": "a\n"}),
        json!({"recordId": "12", "modelInput": {"inputText": "a\n"}}),
    );
    let vertex =
        |config: Value| json!({"key": "12", "request": {"content": content, "embed_content_config": config}});
    check(&VERTEX, json!({"content": content, "model": "models/m"}), vertex(json!({})));
    check(
        &VERTEX,
        json!({"outputDimensionality": 8, "taskType": "CLUSTERING", "title": null, "content": content, "autoTruncate": false,
            "embedContentConfig": {"documentOcr": true, "task_type": "X"}}),
        vertex(
            json!({"document_ocr": true, "output_dimensionality": 8, "task_type": "CLUSTERING", "auto_truncate": false}),
        ),
    );
    check(
        &COHERE,
        json!({"model": "m", "texts": ["a\n"], "input_type": "search_query", "embedding_types": ["base64"], "truncate": null}),
        json!({"custom_id": "12", "body": {"texts": ["a\n"], "input_type": "search_query", "embedding_types": ["float"]}}),
    );
    let images = json!({"images": ["data:x"], "embedding_types": ["int8"], "max_tokens": 7});
    check(&COHERE, images.clone(), json!({"custom_id": "12", "body": images}));
    for (field, named) in [("output_dimension", "dimensions"), ("priority", "priority")] {
        let fault = row(&COHERE, &json!({"texts": ["a"], field: 7})).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(named)), "{fault:?}");
    }
}

#[test]
fn a_batch_of_googles_is_made_by_the_method_for_its_rows() {
    let path = |model: &str| {
        let new = NewBatch {
            name: "b",
            api: Api::GeminiBatches,
            model,
            endpoint: GEMINI.endpoint(Api::GeminiEmbed).unwrap(),
            rows: 1,
            settings: Settings(&[]),
        };
        match (GEMINI.create)(&new, "f").place {
            Place::Path(path) => path,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(path("m"), "/v1beta/models/m:asyncBatchEmbedContent");
    assert_eq!(path("tunedModels/m"), "/v1beta/tunedModels/m:asyncBatchEmbedContent");
    assert_eq!(path("a/../b?c"), "/v1beta/models/a%2F..%2Fb%3Fc:asyncBatchEmbedContent");
}

/// A row of this call, as it is when it was kept.
fn asked(upstream: Api, model: Option<&str>, body: &Value) -> AskedRow {
    let call = ToldCall {
        api: Api::OpenaiEmbeddings,
        upstream,
        path_model: String::new(),
        model: model.map(str::to_owned),
        body: format!("{body:#}").into_bytes(),
    };
    let row = AskedRow { custom_id: "mine \u{e9}".to_owned(), reading: AskedReading::Told(call) };
    AskedRow::decode(&row.encode()).unwrap()
}

#[test]
fn answers_are_told_as_the_call_wants_them() {
    let check = |form: &BatchForm, row: &AskedRow, line: Value, expected: Value| {
        let (part, told) = told(form, row, &line.to_string());
        let response = &told["response"];
        assert_eq!(
            (part, &told["custom_id"], &response["status_code"]),
            (Part::Output, &json!("mine \u{e9}"), &json!(200))
        );
        assert_eq!(response["body"], expected, "{told}");
    };
    let list = |model: &str, embedding: Value, tokens: u64| {
        json!({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": embedding}], "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
    };
    let plain = json!({"model": "m", "input": ["a"]});
    let packed = json!({"model": "m", "input": "a", "encoding_format": "base64"});
    let gemini = |tokens: Value| json!({"key": "12", "response": {"embedding": {"values": [2.0, 0.5]}, "tokenCount": tokens}});
    check(&GEMINI, &asked(Api::GeminiEmbed, None, &plain), gemini(json!(3)), list("m", json!([2.0, 0.5]), 3));
    check(
        &GEMINI,
        &asked(Api::GeminiEmbed, Some("n"), &packed),
        gemini(json!("3")),
        list("n", json!("AAAAQAAAAD8="), 3),
    );
    check(
        &VERTEX,
        &asked(Api::GeminiEmbed, None, &plain),
        json!({"key": "12", "status": "", "request": {}, "response": {"embedding": {"values": [2.0]}, "usageMetadata": {"promptTokenCount": 4}}}),
        list("m", json!([2.0]), 4),
    );
    check(
        &BEDROCK,
        &asked(Api::TitanTextEmbed, None, &plain),
        json!({"recordId": "12", "modelInput": {}, "modelOutput": {"embedding": [2.0], "inputTextTokenCount": 5}}),
        list("m", json!([2.0]), 5),
    );
    check(
        &COHERE,
        &asked(Api::CohereEmbed, None, &packed),
        json!({"custom_id": "12", "error": "", "body": {"embeddings": {"float": [[2.0, 0.5]]}, "meta": {"billed_units": {"input_tokens": 6}}}}),
        list("m", json!("AAAAQAAAAD8="), 6),
    );
}

#[test]
fn what_is_no_answer_is_an_error_in_the_clients_form() {
    let row = asked(Api::GeminiEmbed, None, &json!({"model": "m", "input": "a"}));
    let (_, none) = told(&GEMINI, &row, r#"{"key":"12","response":{"candidates":[]}}"#);
    assert_eq!(none["response"]["status_code"], 502, "{none}");
    let (part, refused) = told(&GEMINI, &row, r#"{"key":"12","error":{"code":3,"message":"No."}}"#);
    let response = &refused["response"];
    assert_eq!((part, &response["status_code"]), (Part::Errors, &json!(400)), "{refused}");
    assert_eq!(response["body"]["error"]["message"], "No.", "{refused}");
    for kept in [
        r#"{"id":"a","api":"openai_embeddings","upstream":"none","path_model":"","body":{}}"#,
        r#"{"id":"a","api":"openai_embeddings","body":{}}"#,
    ] {
        assert!(AskedRow::decode(kept.as_bytes()).is_none(), "{kept}");
    }
}
