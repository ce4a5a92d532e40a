//! Rows of a provider's batches that embed, and others that are no conversations: told in the provider's form, and their answers in the
//! client's.

use std::sync::{Arc, Mutex};

use ostia_testkit::vendor::{cohere, gemini, openai};
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::avro;
use super::clouds::{Cloud, vector};
use super::tools::{form, get, id, lines, over};
use super::vendors::{parts, rows_of, unknown};
use crate::gateway::Gateway;
use crate::wire::Ask;

const PATH: &str = "/v1/embeddings";

fn row(custom_id: &str, url: &str, body: Value) -> String {
    json!({"custom_id": custom_id, "method": "POST", "url": url, "body": body}).to_string()
}

/// A vendor that has rows for embeddings, and keeps those of its one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Gemini,
    Mistral,
    Cohere,
}

impl Vendor {
    const ALL: [Vendor; 3] = [Vendor::Gemini, Vendor::Mistral, Vendor::Cohere];

    fn provider(self) -> &'static str {
        match self {
            Vendor::Gemini => "google",
            Vendor::Mistral => "mistral-ai",
            Vendor::Cohere => "cohere",
        }
    }

    fn model(self) -> &'static str {
        match self {
            Vendor::Gemini => "gemini-embedding-001",
            Vendor::Mistral => "mistral-embed",
            Vendor::Cohere => "embed-v4.0",
        }
    }

    fn config(self, upstream: &Upstream) -> String {
        let base = if self == Vendor::Mistral { "/v1" } else { "" };
        format!(
            "providers:\n  {}: {{base_url: \"{}{base}\", api_key: sk-operator}}\n",
            self.provider(),
            upstream.url()
        )
    }

    /// The vendor, and the rows that it gets.
    fn serve(self) -> (Upstream, Arc<Mutex<Vec<Value>>>) {
        let rows = Arc::new(Mutex::new(Vec::new()));
        let own = rows.clone();
        let upstream = Upstream::serve(move |request| {
            let rows = &mut *own.lock().unwrap();
            match self {
                Vendor::Gemini => of_gemini(request, rows),
                Vendor::Mistral => of_mistral(request, rows),
                Vendor::Cohere => of_cohere(request, rows),
            }
        });
        (upstream, rows)
    }
}

fn told(rows: &[Value], line: impl Fn(&Value) -> Value) -> Answer {
    let lines = rows.iter().rev().map(|row| format!("{}\n", line(row)));
    Answer::with("application/jsonl", lines.collect::<String>())
}

/// <https://ai.google.dev/api/batch-api>
fn of_gemini(request: &Request, rows: &mut Vec<Value>) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/upload/v1beta/files") => {
            *rows = rows_of(&parts(request)[1].1);
            return Answer::json(json!({"file": {"name": "files/in-1"}}).to_string());
        }
        ("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent") => {
            assert_eq!(request.json()["batch"]["inputConfig"], json!({"fileName": "files/in-1"}));
        }
        ("GET", "/v1beta/batches/b1") => {}
        ("GET", "/download/v1beta/files/out-1:download?alt=media") => {
            return told(rows, |row| {
                let said = row["request"]["content"]["parts"][0]["text"].as_str().unwrap();
                let mut answer = crate::json(&gemini::embed(&vector(said)));
                answer["tokenCount"] = json!("3");
                match said {
                    "bad" => json!({"key": row["key"], "error": {"code": 3, "message": "Bad row."}}),
                    _ => json!({"key": row["key"], "response": answer}),
                }
            });
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET";
    let bad = rows.iter().filter(|row| row.to_string().contains("\"bad\"")).count();
    let output = if is_over { json!({"responsesFile": "files/out-1"}) } else { Value::Null };
    let state = if is_over { "BATCH_STATE_SUCCEEDED" } else { "BATCH_STATE_PENDING" };
    let stats = json!({"successfulRequestCount": (rows.len() - bad).to_string(), "failedRequestCount": bad.to_string()});
    let metadata = json!({"state": state, "name": "batches/b1", "batchStats": stats, "output": output});
    Answer::json(json!({"name": "batches/b1", "metadata": metadata}).to_string())
}

/// <https://docs.mistral.ai/api/endpoint/batch>
fn of_mistral(request: &Request, rows: &mut Vec<Value>) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files") => {
            *rows = rows_of(&parts(request)[1].1);
            return Answer::json(json!({"id": "in-1"}).to_string());
        }
        ("POST", "/v1/batch/jobs") => {
            let job = request.json();
            assert!(
                ["/v1/embeddings", "/v1/moderations"].contains(&job["endpoint"].as_str().unwrap()),
                "{job}"
            );
        }
        ("GET", "/v1/batch/jobs/job-1") => {}
        ("GET", "/v1/files/out-1/content") => {
            return told(rows, |row| {
                let said = row["body"]["input"].as_str().or(row["body"]["input"][0].as_str()).unwrap();
                let moderation = json!({"id": "m", "model": "mistral-moderation-2411", "results": [
                    {"categories": {"selfharm": false}, "category_scores": {"selfharm": 0.25}}]});
                let body = match said {
                    "Judge me." => moderation,
                    _ => crate::json(&openai::embeddings(&[&vector(said)])),
                };
                json!({"custom_id": row["custom_id"], "response": {"status_code": 200, "body": body}, "error": null})
            });
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET";
    Answer::json(
        json!({
            "id": "job-1", "status": if is_over { "SUCCESS" } else { "QUEUED" }, "output_file": is_over.then_some("out-1"),
            "succeeded_requests": if is_over { rows.len() } else { 0 }, "failed_requests": 0,
        })
        .to_string(),
    )
}

/// <https://docs.cohere.com/reference/create-batch>, <https://docs.cohere.com/reference/create-dataset>
fn of_cohere(request: &Request, rows: &mut Vec<Value>) -> Answer {
    let dataset = |parts: Value| {
        Answer::json(
            json!({"dataset": {"validation_status": "validated", "dataset_parts": parts}}).to_string(),
        )
    };
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", target) if target.starts_with("/v1/datasets?name=batch_ostia_") => {
            assert!(target.ends_with("&type=batch-embed-v2-input"), "{target}");
            *rows = rows_of(&parts(request)[0].1);
            return Answer::json(json!({"id": "in-1"}).to_string());
        }
        ("GET", "/v1/datasets/in-1") => return dataset(json!([])),
        ("GET", "/v1/datasets/out-1") => {
            let url = format!("http://{}/storage/part-1.avro", request.header("host").unwrap());
            return dataset(json!([{"url": url}]));
        }
        ("GET", "/storage/part-1.avro") => return embedded_rows(rows),
        ("POST", "/v2/batches") => assert_eq!(request.json()["model"], Vendor::Cohere.model()),
        ("GET", "/v2/batches/c-1") => {}
        _ => return unknown(request),
    }
    let (is_over, count) = (request.method == "GET", rows.len());
    let batch = json!({
        "id": "c-1", "status": if is_over { "BATCH_STATUS_COMPLETED" } else { "BATCH_STATUS_QUEUED" },
        "output_dataset_id": "out-1", "num_successful_records": if is_over { count } else { 0 },
    });
    Answer::json(json!({"batch": batch}).to_string())
}

/// Answers of Cohere's in Avro.
fn embedded_rows(rows: &[Value]) -> Answer {
    let record = |name: &str, fields: Value| json!({"type": "record", "name": name, "fields": fields});
    let list = |items: Value| json!({"type": "array", "items": items});
    let vectors =
        record("Vectors", json!([{"name": "float", "type": ["null", list(list(json!("double")))]}]));
    let units = record("Units", json!([{"name": "input_tokens", "type": "double"}]));
    let meta = record("Meta", json!([{"name": "billed_units", "type": units}]));
    let body = record(
        "Body",
        json!([{"name": "id", "type": "string"}, {"name": "embeddings", "type": vectors}, {"name": "meta", "type": meta}]),
    );
    let schema = record(
        "Row",
        json!([{"name": "custom_id", "type": "string"}, {"name": "body", "type": ["null", body]}, {"name": "error", "type": ["null", "string"]}]),
    );
    let answered = |row: &Value| {
        let texts = row["body"]["texts"].as_array().unwrap();
        let vectors: Vec<[f64; 2]> = texts.iter().map(|text| vector(text.as_str().unwrap())).collect();
        let vectors: Vec<&[f64]> = vectors.iter().map(|vector| vector.as_slice()).collect();
        let mut body = crate::json(&cohere::embed(&vectors));
        body["meta"]["billed_units"]["input_tokens"] = json!(4.0);
        json!({"custom_id": row["custom_id"], "body": body, "error": ""})
    };
    let rows: Vec<Value> = rows.iter().rev().map(answered).collect();
    Answer::with("application/octet-stream", avro::file(&schema, &rows))
}

fn upload(provider: &str, rows: &str) -> Ask {
    Ask::new("POST", "/v1/files")
        .header("content-type", "multipart/form-data; boundary=bnd")
        .header("x-ostia-provider", provider)
        .body(form("batch", rows.as_bytes()))
}

/// A batch of these rows that is over.
#[track_caller]
fn ended(gateway: &Gateway, provider: &str, rows: &[String]) -> Value {
    let file = id(&upload("ostia", &rows.join("\n")).to(gateway));
    let body = json!({"input_file_id": file, "completion_window": "24h"});
    let create = Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", provider);
    over(gateway, &id(&create.to(gateway)))
}

/// A vector, as numbers or packed.
#[derive(Debug, PartialEq)]
enum Vector {
    Floats(Vec<f64>),
    Packed(String),
}

fn floats(numbers: [f64; 2]) -> Vector {
    Vector::Floats(numbers.to_vec())
}

#[track_caller]
fn check(line: &Value, expected: Vector) {
    let response = &line["response"];
    let body = &response["body"];
    assert_eq!((response["status_code"].as_u64(), &body["object"]), (Some(200), &json!("list")), "{line}");
    assert_eq!(body["data"].as_array().unwrap().len(), 1, "{line}");
    let told = match &body["data"][0]["embedding"] {
        Value::String(packed) => Vector::Packed(packed.clone()),
        list => {
            Vector::Floats(list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect())
        }
    };
    assert_eq!(told, expected, "{line}");
}

#[test]
fn embeddings_are_told_in_each_vendors_form_and_answered_in_the_clients() {
    for vendor in Vendor::ALL {
        let (upstream, got) = vendor.serve();
        let gateway = Gateway::with(&vendor.config(&upstream));
        let model = vendor.model();
        let rows = [
            row("one", PATH, json!({"model": model, "input": "Hello"})),
            row(
                "list",
                PATH,
                json!({"model": model, "input": ["A list."], "input_type": "query", "user": "u"}),
            ),
            row(
                "packed",
                PATH,
                json!({"model": model, "input": "ab", "encoding_format": "base64", "user": "u"}),
            ),
        ];
        let ended = ended(&gateway, vendor.provider(), &rows);
        assert_eq!(ended["status"], "completed", "{vendor:?}: {ended}");
        assert_eq!(ended["request_counts"], json!({"total": 3, "completed": 3, "failed": 0}), "{vendor:?}");
        let output = lines(&gateway, &ended["output_file_id"]);
        check(&output["one"], floats([5.0, 0.5]));
        check(&output["list"], floats([7.0, 0.5]));
        let tokens = &output["one"]["response"]["body"]["usage"]["prompt_tokens"];
        assert!(tokens.as_u64().is_some_and(|tokens| tokens > 0), "{vendor:?}: {output:?}");
        // 2.0 and 0.5, little end first.
        check(&output["packed"], Vector::Packed("AAAAQAAAAD8=".to_owned()));
        let got = got.lock().unwrap().clone();
        assert!(
            got.iter().all(|row| row["body"]["model"].is_null()),
            "{vendor:?}: the batch says it: {got:?}"
        );
    }
}

#[test]
fn embeddings_in_buckets_of_clouds() {
    for cloud in [Cloud::BedrockTitan, Cloud::VertexEmbedding] {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let input = |number: usize| match number {
            3 => json!("bad"),
            number if number % 2 == 0 => json!([format!("text {number}")]),
            number => json!(format!("text {number}")),
        };
        let body = |number| json!({"model": cloud.model(), "input": input(number), "dimensions": 256});
        let rows: Vec<String> =
            (0..100).map(|number| row(&format!("row-{number}"), PATH, body(number))).collect();
        let ended = ended(&gateway, cloud.provider(), &rows);
        assert_eq!(ended["request_counts"], json!({"total": 100, "completed": 99, "failed": 1}), "{ended}");
        let output = lines(&gateway, &ended["output_file_id"]);
        for number in [0, 1, 99] {
            check(&output[&format!("row-{number}")], floats([if number < 10 { 6.0 } else { 7.0 }, 0.5]));
        }
        let refused = &lines(&gateway, &ended["error_file_id"])["row-3"]["response"];
        assert_eq!((refused["status_code"].as_u64(), output.len()), (Some(400), 99), "{refused}");
        let kept = kept.lock().unwrap();
        let first = kept.heard.iter().find(|heard| heard["kind"] == "row").unwrap()["body"].clone();
        if cloud.is_bedrock() {
            let told = json!({"recordId": "1", "modelInput": {"inputText": "text 0", "dimensions": 256}});
            assert_eq!((first, &kept.job["modelInvocationType"]), (told, &json!("InvokeModel")));
        } else {
            let content = json!({"parts": [{"text": "text 0"}]});
            let told = json!({"key": "1", "request": {"content": content, "embed_content_config": {"output_dimensionality": 256}}});
            assert_eq!(first, told);
            assert_eq!(kept.job["model"], "publishers/google/models/gemini-embedding-001");
        }
    }
}

#[test]
fn verdicts_are_told_in_the_words_of_the_client() {
    let (upstream, _) = Vendor::Mistral.serve();
    let gateway = Gateway::with(&Vendor::Mistral.config(&upstream));
    let body = json!({"model": "mistral-moderation-latest", "input": "Judge me."});
    let ended = ended(&gateway, "mistral-ai", &[row("a", "/v1/moderations", body)]);
    let body = &lines(&gateway, &ended["output_file_id"])["a"]["response"]["body"];
    let judged = &body["results"][0];
    assert_eq!(
        (&judged["flagged"], &judged["category_scores"]["self-harm"]),
        (&json!(false), &json!(0.25)),
        "{body}"
    );
}

#[test]
fn what_a_row_cannot_ask_is_named_and_nothing_is_sent() {
    let check =
        |provider: &str, config: &str, upstream: &Upstream, rows: &[String], code: &str, words: &str| {
            let gateway = Gateway::with(config);
            let ended = ended(&gateway, provider, rows);
            let fault = &ended["errors"]["data"][0];
            assert_eq!((&ended["status"], &fault["code"]), (&json!("failed"), &json!(code)), "{ended}");
            assert!(fault["message"].as_str().unwrap().contains(words), "{fault}");
            assert_eq!(upstream.count(), 0, "{provider}");
        };
    let several = |model: &str| vec![row("a", PATH, json!({"model": model, "input": ["a", "b", "c"]}))];
    let (upstream, _) = Vendor::Gemini.serve();
    let config = Vendor::Gemini.config(&upstream);
    check(
        "google",
        &config,
        &upstream,
        &several(Vendor::Gemini.model()),
        "too_many_inputs",
        "Line 1 of the file: To the provider this row is 3 calls",
    );
    let chat = json!({"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "x"}]});
    let mixed = vec![
        row("a", PATH, json!({"model": Vendor::Gemini.model(), "input": "a"})),
        row("b", "/v1/chat/completions", chat),
    ];
    check("google", &config, &upstream, &mixed, "mismatched_model", "Line 2");
    let (upstream, _) = Vendor::Cohere.serve();
    let long = row("a", PATH, json!({"model": "embed-v4.0", "input": "a", "dimensions": 256}));
    check(
        "cohere",
        &Vendor::Cohere.config(&upstream),
        &upstream,
        &[long],
        "unsupported_parameter",
        "`dimensions`",
    );
    let cloud = Cloud::VertexEmbedding;
    let (upstream, _) = cloud.serve();
    let older = several("text-embedding-005");
    check(
        "vertex-ai",
        &cloud.config(&upstream.url()),
        &upstream,
        &older,
        "unsupported_operation",
        "no rows for openai_embeddings",
    );
    let upstream = Upstream::always(Answer::json("{}"));
    let config = format!("providers:\n  together-ai: {{base_url: \"{}\", api_key: k}}\n", upstream.url());
    check(
        "together-ai",
        &config,
        &upstream,
        &several("m"),
        "unsupported_operation",
        "no rows for openai_embeddings",
    );
}

#[test]
fn rows_of_a_batch_are_told_the_same_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let (upstream, _) = Vendor::Gemini.serve();
    let config = Vendor::Gemini.config(&upstream);
    let gateway = super::tools::at(data.path(), &config);
    // What a config sets belongs to how the answer is told.
    let set = json!({"provider": "google", "override_params": {"encoding_format": "base64"}});
    let body = json!({"model": Vendor::Gemini.model(), "input": "ab"});
    let file = id(&upload("ostia", &row("a", PATH, body)).to(&gateway));
    let create = json!({"input_file_id": file, "completion_window": "24h"});
    let create = Ask::post("/v1/batches", create.to_string()).header("x-ostia-config", &set.to_string());
    let name = id(&create.to(&gateway));
    let ended = over(&gateway, &name);
    drop(gateway);
    let gateway = super::tools::at(data.path(), &config);
    assert_eq!(get(&gateway, &format!("/v1/batches/{name}")).json()["status"], "completed");
    check(&lines(&gateway, &ended["output_file_id"])["a"], Vector::Packed("AAAAQAAAAD8=".to_owned()));
}
