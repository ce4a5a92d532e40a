//! Vendors that have batches in a form of their own, as upstreams that answer each row with its own words, the last one first. A row that
//! says `bad` is refused, one that says `late` is not asked in time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::avro;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Anthropic,
    Gemini,
    Mistral,
    Xai,
    Together,
    Fireworks,
    Cohere,
}

/// What one of them has.
#[derive(Debug, Default)]
struct Kept {
    /// Rows of files, by their ids.
    files: BTreeMap<String, Vec<Value>>,
    /// The rows of the one batch.
    rows: Vec<Value>,
    is_cancelled: bool,
    is_running: bool,
    /// Somebody has waited for the vendor to look through the rows.
    is_looked_through: bool,
    /// Where it is.
    url: String,
}

impl Vendor {
    pub const ALL: [Vendor; 7] = [
        Vendor::Anthropic,
        Vendor::Gemini,
        Vendor::Mistral,
        Vendor::Xai,
        Vendor::Together,
        Vendor::Fireworks,
        Vendor::Cohere,
    ];

    /// Are files in OpenAI's form the provider's own?
    pub fn has_files(self) -> bool {
        [Vendor::Mistral, Vendor::Xai].contains(&self)
    }

    /// Have rows of several models no place in one batch?
    pub fn has_one_model(self) -> bool {
        [Vendor::Gemini, Vendor::Mistral, Vendor::Fireworks, Vendor::Cohere].contains(&self)
    }

    /// The provider that speaks so.
    pub fn provider(self) -> &'static str {
        match self {
            Vendor::Anthropic => "anthropic",
            Vendor::Gemini => "google",
            Vendor::Mistral => "mistral-ai",
            Vendor::Xai => "x-ai",
            Vendor::Together => "together-ai",
            Vendor::Fireworks => "fireworks-ai",
            Vendor::Cohere => "cohere",
        }
    }

    pub fn model(self) -> &'static str {
        match self {
            Vendor::Anthropic => "claude-sonnet-4-5",
            Vendor::Gemini => "gemini-2.5-flash",
            Vendor::Mistral => "mistral-small-latest",
            Vendor::Xai => "grok-4.3",
            Vendor::Together => "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            Vendor::Fireworks => "accounts/fireworks/models/llama-v3p1-8b-instruct",
            Vendor::Cohere => "command-r7b-12-2024",
        }
    }

    /// The gateway's configuration, with the operator's key for this upstream.
    pub fn config(self, upstream: &Upstream) -> String {
        let base = match self {
            Vendor::Anthropic | Vendor::Mistral | Vendor::Xai => format!("{}/v1", upstream.url()),
            Vendor::Gemini | Vendor::Together | Vendor::Cohere => upstream.url(),
            Vendor::Fireworks => format!("{}/inference/v1", upstream.url()),
        };
        let more = match self {
            Vendor::Fireworks => ", settings: {fireworks_account_id: acme}",
            _ => "",
        };
        format!("providers:\n  {}: {{base_url: \"{base}\", api_key: sk-operator{more}}}\n", self.provider())
    }

    /// The vendor, whose batches are over when they are asked for.
    pub fn serve(self) -> Upstream {
        self.serve_with(false)
    }

    /// The same, whose batches run on.
    pub fn serve_running(self) -> Upstream {
        self.serve_with(true)
    }

    fn serve_with(self, is_running: bool) -> Upstream {
        let kept = Arc::new(Mutex::new(Kept { is_running, ..Kept::default() }));
        Upstream::serve(move |request| {
            let header = match self {
                Vendor::Anthropic => "x-api-key",
                Vendor::Gemini => "x-goog-api-key",
                _ => "authorization",
            };
            let kept = &mut *kept.lock().unwrap();
            let key = request.header(header);
            // Whoever knows a signed address needs no key, and a storage refuses one.
            if let Some(file) = request.target.strip_prefix("/storage/") {
                assert!(key.is_none(), "{request:?}");
                return in_storage(file, kept);
            }
            let key = key.unwrap_or_default();
            if key.trim_start_matches("Bearer ") != "sk-operator" {
                return Answer::json(openai::error("No.", "authentication_error", "no")).status(401);
            }
            kept.url = format!("http://{}", request.header("host").unwrap());
            match self {
                Vendor::Anthropic => of_anthropic(request, kept),
                Vendor::Gemini => of_gemini(request, kept),
                Vendor::Mistral => of_mistral(request, kept),
                Vendor::Xai => of_xai(request, kept),
                Vendor::Together => of_together(request, kept),
                Vendor::Fireworks => of_fireworks(request, kept),
                Vendor::Cohere => of_cohere(request, kept),
            }
        })
    }

    /// What was asked and answered, for whoever judges it by the vendor's own models: `{vendor, kind, body}`.
    pub fn judged(self, request: &Request, answer: &Answer) -> Vec<Value> {
        let body = answer.body();
        let text = String::from_utf8_lossy(&body);
        let told = |kind: &str, body: Value| json!({"vendor": self.provider(), "kind": kind, "body": body});
        let target = request.target.as_str();
        let ends = |ends: &[&str]| ends.iter().any(|end| target.ends_with(end));
        let is_results = ends(&["/results", "/content", "alt=media"]) || target.starts_with("/storage/");
        let makes = ends(&["/batches", ":batchGenerateContent", "/batch/jobs", "/batchInferenceJobs"]);
        match request.method.as_str() {
            "GET" if target.ends_with(".avro") => vec![told("result", json!(BASE64_STANDARD.encode(&body)))],
            "GET" if is_results => rows_of(&text).into_iter().map(|row| told("result", row)).collect(),
            "GET" if target.contains("/results?") => {
                let page = crate::json(&text);
                page["results"].as_array().unwrap().iter().map(|row| told("result", row.clone())).collect()
            }
            "GET" if target.contains("/datasets/") => Vec::new(),
            "GET" => vec![told("batch", crate::json(&text))],
            _ if makes => vec![told("create", request.json()), told("made", crate::json(&text))],
            _ if ends(&["/files", "/files/upload", ":upload"]) || target.starts_with("/v1/datasets?") => {
                let rows = parts(request).pop().unwrap().1;
                rows_of(&rows).into_iter().map(|row| told("row", row)).collect()
            }
            _ if ends(&["/datasets"]) => vec![told("dataset", request.json())],
            _ => Vec::new(),
        }
    }

    /// What a row of this vendor's says.
    fn said(self, row: &Value) -> String {
        let said = match self {
            Vendor::Anthropic => &row["params"]["messages"][0]["content"],
            Vendor::Gemini => &row["request"]["contents"][0]["parts"][0]["text"],
            _ => &row["body"]["messages"][0]["content"],
        };
        let said = if said.is_array() { &said[0]["text"] } else { said };
        said.as_str().unwrap_or_else(|| panic!("{row}")).to_owned()
    }
}

pub fn unknown(request: &Request) -> Answer {
    let message = format!("{} {}", request.method, request.target);
    Answer::json(openai::error(&message, "not_found_error", "not_found")).status(404)
}

/// How many of the rows are answered, refused, and not asked.
fn counts(vendor: Vendor, rows: &[Value]) -> [usize; 3] {
    let said: Vec<String> = rows.iter().map(|row| vendor.said(row)).collect();
    let count = |word: &str| said.iter().filter(|said| *said == word).count();
    let (bad, late) = (count("bad"), count("late"));
    [said.len() - bad - late, bad, late]
}

fn lines(rows: &[Value], line: impl Fn(&Value) -> Option<Value>) -> Answer {
    let lines = rows.iter().rev().filter_map(line).map(|line| format!("{line}\n"));
    Answer::with("application/x-jsonl", lines.collect::<String>())
}

/// <https://platform.claude.com/docs/en/api/messages/batches/create>
fn of_anthropic(request: &Request, kept: &mut Kept) -> Answer {
    const PATH: &str = "/v1/messages/batches";
    // The gateway's own, or the client's of those that are handed on.
    assert!(
        request.header("anthropic-version").is_some_and(|version| version.starts_with("202")),
        "{request:?}"
    );
    let Some(rest) = request.target.strip_prefix(PATH) else { return unknown(request) };
    match (request.method.as_str(), rest) {
        ("POST", "") => {
            kept.rows = request.json()["requests"].as_array().unwrap().clone();
            for row in &kept.rows {
                let id = row["custom_id"].as_str().unwrap();
                let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
                assert!((1..=64).contains(&id.len()) && id.chars().all(is_plain), "{row}");
                assert!(row["params"]["max_tokens"].is_u64() && row["params"]["stream"] != true, "{row}");
            }
        }
        ("POST", "/msgbatch_1/cancel") => kept.is_cancelled = true,
        ("GET", "/msgbatch_1") => {}
        ("GET", "/msgbatch_1/results") => {
            return lines(&kept.rows, |row| {
                let said = Vendor::Anthropic.said(row);
                let result = match said.as_str() {
                    "bad" => json!({"type": "errored", "error": {
                        "type": "error", "request_id": "req_1",
                        "error": {"type": "invalid_request_error", "message": "Bad row."}}}),
                    "late" => json!({"type": "expired"}),
                    _ => json!({"type": "succeeded", "message": crate::json(&anthropic::message(&said))}),
                };
                Some(json!({"custom_id": row["custom_id"], "result": result}))
            });
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET" && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Anthropic, &kept.rows) } else { [0; 3] };
    let processing = if is_over { 0 } else { kept.rows.len() };
    let status = match (is_over, kept.is_cancelled) {
        (true, _) => "ended",
        (false, true) => "canceling",
        (false, false) => "in_progress",
    };
    let time = "2026-08-19T14:44:51.493319+00:00";
    Answer::json(
        json!({
            "id": "msgbatch_1", "type": "message_batch", "processing_status": status,
            "request_counts": {"processing": processing, "succeeded": good, "errored": bad, "canceled": 0, "expired": late},
            "ended_at": is_over.then_some(time), "created_at": time, "expires_at": "2026-08-20T14:44:51.493319+00:00",
            "archived_at": null, "cancel_initiated_at": kept.is_cancelled.then_some(time),
            "results_url": is_over.then_some("https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"),
        })
        .to_string(),
    )
}

/// The parts of a form or of related contents, each with its head.
pub fn parts(request: &Request) -> Vec<(String, String)> {
    let media = request.header("content-type").unwrap();
    let boundary = format!("--{}", media.split_once("boundary=").unwrap().1);
    let text = request.text();
    assert!(text.starts_with(&boundary) && text.ends_with(&format!("\r\n{boundary}--\r\n")), "{text}");
    let parts = text.split(&boundary).skip(1).filter(|part| *part != "--\r\n");
    let cut = |part: &str| {
        let (head, content) = part.split_once("\r\n\r\n").unwrap();
        (head.trim().to_owned(), content.strip_suffix("\r\n").unwrap().to_owned())
    };
    parts.map(cut).collect()
}

pub fn rows_of(text: &str) -> Vec<Value> {
    text.lines().map(crate::json).collect()
}

/// <https://ai.google.dev/api/batch-api>
fn of_gemini(request: &Request, kept: &mut Kept) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/upload/v1beta/files") => {
            assert_eq!(request.header("x-goog-upload-protocol").as_deref(), Some("multipart"));
            let parts = parts(request);
            assert_eq!(crate::json(&parts[0].1)["file"]["mimeType"], "application/jsonl");
            kept.files.insert("abc-1".to_owned(), rows_of(&parts[1].1));
            return Answer::json(
                json!({"file": {"name": "files/abc-1", "mimeType": "application/jsonl"}}).to_string(),
            );
        }
        ("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent") => {
            let batch = &request.json()["batch"];
            let file = batch["inputConfig"]["fileName"].as_str().unwrap().strip_prefix("files/").unwrap();
            assert!(batch["displayName"].is_string());
            kept.rows = kept.files[file].clone();
        }
        ("POST", "/v1beta/batches/b1:cancel") => {
            kept.is_cancelled = true;
            return Answer::json("{}");
        }
        ("GET", "/v1beta/batches/b1") => {}
        ("GET", "/download/v1beta/files/batch-b1:download?alt=media") => {
            return lines(&kept.rows, |row| {
                let said = Vendor::Gemini.said(row);
                Some(match said.as_str() {
                    "bad" => json!({"key": row["key"], "error": {"code": 3, "message": "Bad row."}}),
                    "late" => {
                        json!({"key": row["key"], "error": {"code": 4, "message": "Deadline exceeded."}})
                    }
                    _ => json!({"key": row["key"], "response": crate::json(&gemini::generate(&said))}),
                })
            });
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET" && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Gemini, &kept.rows) } else { [0; 3] };
    let state = match (is_over, kept.is_cancelled) {
        (true, true) => "BATCH_STATE_CANCELLED",
        (true, false) => "BATCH_STATE_SUCCEEDED",
        (false, _) => "BATCH_STATE_RUNNING",
    };
    let output = if is_over { json!({"responsesFile": "files/batch-b1"}) } else { Value::Null };
    Answer::json(
        json!({
            "name": "batches/b1", "done": is_over,
            "metadata": {
                "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
                "model": "models/gemini-2.5-flash", "displayName": "b", "state": state, "name": "batches/b1",
                "createTime": "2026-08-19T14:34:12.267870162Z", "endTime": "2026-08-19T14:44:51.267870162Z",
                "batchStats": {
                    "requestCount": kept.rows.len().to_string(), "successfulRequestCount": good.to_string(),
                    "failedRequestCount": (bad + late).to_string(),
                },
                "output": output,
            },
        })
        .to_string(),
    )
}

/// <https://docs.mistral.ai/api/endpoint/batch>
fn of_mistral(request: &Request, kept: &mut Kept) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files") => {
            let parts = parts(request);
            assert!(parts[0].0.contains("name=\"purpose\"") && parts[0].1 == "batch", "{parts:?}");
            kept.files.insert("in-1".to_owned(), rows_of(&parts[1].1));
            return Answer::json(json!({"id": "in-1", "object": "file", "purpose": "batch"}).to_string());
        }
        ("POST", "/v1/batch/jobs") => {
            let job = request.json();
            let said = (&job["model"], &job["endpoint"], job["input_files"].as_array().unwrap().len());
            assert_eq!(said, (&json!("mistral-small-latest"), &json!("/v1/chat/completions"), 1), "{job}");
            kept.rows = kept.files[job["input_files"][0].as_str().unwrap()].clone();
            assert!(kept.rows.iter().all(|row| row["body"]["model"].is_null()), "the job says it");
        }
        ("POST", "/v1/batch/jobs/job-1/cancel") => kept.is_cancelled = true,
        ("GET", "/v1/batch/jobs/job-1") => {}
        ("GET", "/v1/files/out-1/content") => {
            return lines(&kept.rows, |row| {
                let said = Some(Vendor::Mistral.said(row))
                    .filter(|said| !["bad", "late"].contains(&said.as_str()))?;
                let body = crate::json(&openai::chat(&said));
                let response = json!({"status_code": 200, "body": body});
                Some(
                    json!({"id": "batch-r", "custom_id": row["custom_id"], "response": response, "error": null}),
                )
            });
        }
        ("GET", "/v1/files/err-1/content") => {
            return lines(&kept.rows, |row| {
                Some(Vendor::Mistral.said(row)).filter(|said| ["bad", "late"].contains(&said.as_str()))?;
                let body = json!({"object": "error", "message": "Bad row.", "type": "invalid_request_error"});
                let response = json!({"status_code": 400, "body": body});
                Some(
                    json!({"id": "batch-r", "custom_id": row["custom_id"], "response": response, "error": null}),
                )
            });
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET" && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Mistral, &kept.rows) } else { [0; 3] };
    let status = match (is_over, kept.is_cancelled) {
        (true, true) => "CANCELLED",
        (false, true) => "CANCELLATION_REQUESTED",
        (true, false) => "SUCCESS",
        (false, false) => "RUNNING",
    };
    Answer::json(
        json!({
            "id": "job-1", "object": "batch", "input_files": ["in-1"], "metadata": {}, "endpoint": "/v1/chat/completions",
            "model": "mistral-small-latest", "errors": [], "status": status, "created_at": 1_787_150_052,
            "output_file": (is_over && good > 0).then_some("out-1"),
            "error_file": (is_over && bad + late > 0).then_some("err-1"),
            "total_requests": kept.rows.len(), "completed_requests": good + bad + late,
            "succeeded_requests": good, "failed_requests": bad + late,
        })
        .to_string(),
    )
}

/// The name of a part of a form.
pub fn named(part: &(String, String)) -> (&str, &str) {
    let name = part.0.split("name=\"").nth(1).unwrap().split('"').next().unwrap();
    (name, part.1.as_str())
}

/// <https://docs.x.ai/developers/advanced-api-usage/batch-api>: pages of two rows.
fn of_xai(request: &Request, kept: &mut Kept) -> Answer {
    const RESULTS: &str = "/v1/batches/batch_1/results?limit=1000";
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files") => {
            let parts = parts(request);
            assert_eq!((parts.len(), named(&parts[0]).0), (1, "file"), "{parts:?}");
            kept.files.insert("file_in".to_owned(), rows_of(&parts[0].1));
            let file =
                json!({"id": "file_in", "object": "file", "bytes": 1, "filename": "b.jsonl", "purpose": ""});
            return Answer::json(file.to_string());
        }
        ("POST", "/v1/batches") => {
            let batch = request.json();
            assert!(batch["name"].is_string() && batch.as_object().unwrap().len() == 2, "{batch}");
            kept.rows = kept.files[batch["input_file_id"].as_str().unwrap()].clone();
            for row in &kept.rows {
                let asked = (&row["method"], &row["url"]);
                assert_eq!(asked, (&json!("POST"), &json!("/v1/chat/completions")), "{row}");
                assert!(row["body"]["model"].is_string() && row["body"]["stream"] != true, "{row}");
            }
        }
        ("POST", "/v1/batches/batch_1:cancel") => kept.is_cancelled = true,
        ("GET", "/v1/batches/batch_1") => {}
        ("GET", target) if target.starts_with(RESULTS) => {
            let token = target.strip_prefix(RESULTS).unwrap().strip_prefix("&pagination_token=");
            let begin: usize = token.map_or(0, |token| token.strip_prefix("at%2F").unwrap().parse().unwrap());
            let rows = kept.rows.iter().rev().skip(begin).take(2).map(|row| {
                let said = Vendor::Xai.said(row);
                let result = match said.as_str() {
                    "bad" => json!({"error": {"code": 3, "message": "Bad row.", "details": []}}),
                    "late" => json!({"error": {"code": 4, "message": "Deadline exceeded.", "details": []}}),
                    _ => json!({"response": {"chat_get_completion": crate::json(&openai::chat(&said))}}),
                };
                json!({"batch_request_id": row["custom_id"], "batch_result": result})
            });
            let rows: Vec<Value> = rows.collect();
            let next = (begin + 2 < kept.rows.len()).then(|| format!("at/{}", begin + 2));
            return Answer::json(json!({"results": rows, "pagination_token": next}).to_string());
        }
        _ => return unknown(request),
    }
    let is_read = request.method == "GET";
    let is_over = is_read && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Xai, &kept.rows) } else { [0; 3] };
    let rows = if is_read { kept.rows.len() } else { 0 };
    Answer::json(
        json!({
            "batch_id": "batch_1", "name": "b", "create_time": "2026-08-19", "expire_time": "2026-08-20",
            "create_api_key_id": "k", "cancel_time": kept.is_cancelled.then_some("2026-08-19"), "cancel_by_xai_message": null,
            "state": {
                "num_requests": rows, "num_pending": rows - good - bad - late, "num_success": good, "num_error": bad + late,
                "num_cancelled": 0,
            },
        })
        .to_string(),
    )
}

/// A line of results in OpenAI's form, if it belongs into this part.
fn of_openai(vendor: Vendor, row: &Value, is_output: bool) -> Option<Value> {
    let said = vendor.said(row);
    let is_good = !["bad", "late"].contains(&said.as_str());
    let response = match is_good {
        true => json!({"status_code": 200, "body": crate::json(&openai::chat(&said))}),
        false => {
            json!({"status_code": 400, "body": {"error": {"message": "Bad row.", "type": "invalid_request_error"}}})
        }
    };
    (is_good == is_output)
        .then(|| json!({"custom_id": row["custom_id"], "response": response, "error": null}))
}

/// <https://docs.together.ai/docs/inference/batch/overview>; the contents of files lie in a storage.
fn of_together(request: &Request, kept: &mut Kept) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files/upload") => {
            let parts = parts(request);
            let fields: Vec<(&str, &str)> = parts[..3].iter().map(named).collect();
            assert_eq!((fields[0], fields[1].0), (("purpose", "batch-api"), "file_name"), "{parts:?}");
            assert_eq!((fields[2], named(&parts[3]).0), (("file_type", "jsonl"), "file"), "{parts:?}");
            kept.files.insert("file-in".to_owned(), rows_of(&parts[3].1));
            let file = json!({
                "id": "file-in", "object": "file", "bytes": 1, "created_at": 1, "filename": "b.jsonl", "FileType": "jsonl",
                "purpose": "batch-api",
            });
            return Answer::json(file.to_string());
        }
        ("POST", "/v1/batches") => {
            kept.rows = kept.files[request.json()["input_file_id"].as_str().unwrap()].clone();
            assert!(kept.rows.iter().all(|row| row["body"]["model"].is_string()));
        }
        ("POST", "/v1/batches/b-1/cancel") => kept.is_cancelled = true,
        ("GET", "/v1/batches/b-1") => {}
        ("GET", "/v1/files/file-out/content") => {
            return Answer::json("").status(302).header("location", "/storage/file-out");
        }
        ("GET", "/v1/files/file-err/content") => {
            let location = format!("{}/storage/file-err", kept.url);
            return Answer::json("").status(302).header("location", &location);
        }
        _ => return unknown(request),
    }
    let is_made = request.target.ends_with("/batches");
    let is_over = request.method == "GET" && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Together, &kept.rows) } else { [0; 3] };
    let status = match (is_over, kept.is_cancelled) {
        (true, true) => "CANCELLED",
        (true, false) => "COMPLETED",
        (false, _) if is_made => "VALIDATING",
        (false, _) => "IN_PROGRESS",
    };
    let job = json!({
        "id": "b-1", "user_id": "u", "input_file_id": "file-in", "file_size_bytes": 1, "status": status,
        "job_deadline": "2026-08-20T14:44:51Z", "created_at": "2026-08-19T14:44:51Z", "endpoint": "/v1/chat/completions",
        "progress": if is_over { 100.0 } else { 50.0 }, "completed_at": is_over.then_some("2026-08-19T15:44:51.5Z"),
        "output_file_id": (is_over && good > 0).then_some("file-out"),
        "error_file_id": (is_over && bad + late > 0).then_some("file-err"),
    });
    Answer::json(if is_made { json!({"job": job}) } else { job }.to_string())
}

/// <https://docs.fireworks.ai/guides/batch-inference>, as it was seen to answer.
fn of_fireworks(request: &Request, kept: &mut Kept) -> Answer {
    const ACCOUNT: &str = "/v1/accounts/acme";
    let Some(path) = request.target.strip_prefix(ACCOUNT) else { return unknown(request) };
    match (request.method.as_str(), path) {
        ("POST", "/datasets") => {
            let body = request.json();
            let name = body["datasetId"].as_str().unwrap();
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!((1..=63).contains(&name.len()) && name.bytes().all(is_plain), "{body}");
            assert!(body["dataset"]["exampleCount"].as_str().unwrap().parse::<u64>().unwrap() > 0, "{body}");
            return Answer::json(dataset(name, "UPLOADING"));
        }
        ("POST", path) if path.ends_with(":upload") => {
            let name = path.strip_prefix("/datasets/").unwrap().strip_suffix(":upload").unwrap();
            let parts = parts(request);
            assert_eq!((parts.len(), named(&parts[0]).0), (1, "file"), "{parts:?}");
            kept.files.insert(name.to_owned(), rows_of(&parts[0].1));
            let id = format!("accounts/acme/datasets/{name}");
            return Answer::json(
                json!({"id": id, "object": "file", "bytes": 1, "purpose": "dataset"}).to_string(),
            );
        }
        ("POST", "/batchInferenceJobs") => {
            assert!(kept.is_looked_through, "the rows were not ready");
            let job = request.json();
            assert_eq!(job["model"], Vendor::Fireworks.model(), "{job}");
            kept.rows = kept.files[job["inputDatasetId"].as_str().unwrap()].clone();
            assert!(kept.rows.iter().all(|row| row["body"]["model"].is_null()), "the job says it");
        }
        ("DELETE", "/batchInferenceJobs/job-1") => {
            kept.is_cancelled = true;
            return Answer::json("{}");
        }
        ("GET", "/batchInferenceJobs/job-1") if kept.is_cancelled => {
            return Answer::json(
                json!({"code": 5, "message": "resource not found", "details": []}).to_string(),
            )
            .status(404);
        }
        ("GET", "/batchInferenceJobs/job-1") => {}
        ("GET", "/datasets/bij-out:getDownloadEndpoint") => {
            assert!(request.body.is_empty());
            let address = |file: &str| format!("{}/storage/{file}?X-Goog-Expires=599", kept.url);
            let files = json!({
                "dataset/bij-out/BIJOutputSet.jsonl": address("results"), "dataset/bij-out/error-data": address("errors"),
            });
            return Answer::json(json!({"filenameToSignedUrls": files}).to_string());
        }
        ("GET", path) if path.starts_with("/datasets/") => {
            let name = path.strip_prefix("/datasets/").unwrap();
            let state =
                if std::mem::replace(&mut kept.is_looked_through, true) { "READY" } else { "UPLOADING" };
            return Answer::json(dataset(name, state));
        }
        _ => return unknown(request),
    }
    let is_over = request.method == "GET" && !kept.is_running;
    let [good, bad, late] = if is_over { counts(Vendor::Fireworks, &kept.rows) } else { [0; 3] };
    let state = match request.method.as_str() {
        "POST" => "VALIDATING",
        _ if is_over => "COMPLETED",
        _ => "RUNNING",
    };
    let time = "2026-08-19T14:44:51.645723285Z";
    Answer::json(
        json!({
            "name": "accounts/acme/batchInferenceJobs/job-1", "displayName": "b", "createTime": time, "createdBy": "a@b.example",
            "expireTime": "2026-08-20T14:44:51Z", "inputDatasetId": "accounts/acme/datasets/in",
            "outputDatasetId": "accounts/acme/datasets/bij-out", "model": Vendor::Fireworks.model(), "precision": "BF16",
            "state": format!("JOB_STATE_{state}"), "status": {"code": "OK", "message": ""}, "updateTime": time,
            "lifecycle": {"endTime": is_over.then_some(time)},
            "jobProgress": {
                "percent": if is_over { 100 } else { 0 }, "totalInputRequests": kept.rows.len(),
                "totalProcessedRequests": good + bad + late, "successfullyProcessedRequests": good, "failedRequests": bad + late,
            },
        })
        .to_string(),
    )
}

pub fn dataset(name: &str, state: &str) -> String {
    let name = format!("accounts/acme/datasets/{name}");
    json!({"name": name, "state": state, "status": {"code": "OK", "message": ""}, "userUploaded": {}})
        .to_string()
}

/// Files at addresses of their own.
fn in_storage(file: &str, kept: &Kept) -> Answer {
    match file {
        "file-out" => lines(&kept.rows, |row| of_openai(Vendor::Together, row, true)),
        "file-err" => lines(&kept.rows, |row| of_openai(Vendor::Together, row, false)),
        "results?X-Goog-Expires=599" => lines(&kept.rows, |row| {
            let line = of_openai(Vendor::Fireworks, row, true)?;
            Some(json!({"custom_id": line["custom_id"], "response": line["response"]["body"]}))
        }),
        "errors?X-Goog-Expires=599" => lines(&kept.rows, |row| {
            let line = of_openai(Vendor::Fireworks, row, false)?;
            let error = json!({"code": 400, "message": "Bad row."});
            Some(json!({"custom_id": line["custom_id"], "error": error}))
        }),
        "part-1.avro" => of_avro(&kept.rows[kept.rows.len() / 2..]),
        "part-2.avro" => of_avro(&kept.rows[..kept.rows.len() / 2]),
        _ => Answer::json("{}").status(404),
    }
}

/// <https://docs.cohere.com/reference/create-batch>, <https://docs.cohere.com/reference/create-dataset>
fn of_cohere(request: &Request, kept: &mut Kept) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", target) if target.starts_with("/v1/datasets?name=batch_ostia_") => {
            assert!(target.ends_with("&type=batch-chat-v2-input"), "{target}");
            let parts = parts(request);
            assert_eq!((parts.len(), named(&parts[0]).0), (1, "data"), "{parts:?}");
            let rows = rows_of(&parts[0].1);
            // The types of a dataset's columns are fixed.
            for message in rows.iter().flat_map(|row| row["body"]["messages"].as_array().unwrap()) {
                assert!(message["content"].is_null() || message["content"].is_array(), "{message}");
            }
            kept.files.insert("in-1".to_owned(), rows);
            return Answer::json(json!({"id": "in-1"}).to_string());
        }
        ("GET", "/v1/datasets/in-1") => {
            let is_known = std::mem::replace(&mut kept.is_looked_through, true);
            return Answer::json(cohere_dataset(
                "in-1",
                if is_known { "validated" } else { "processing" },
                &[],
            ));
        }
        ("GET", "/v1/datasets/out-1") => {
            let parts = ["part-1.avro", "part-2.avro"].map(|part| format!("{}/storage/{part}", kept.url));
            return Answer::json(cohere_dataset("out-1", "validated", &parts));
        }
        ("POST", "/v2/batches") => {
            assert!(kept.is_looked_through, "the rows were not ready");
            let batch = request.json();
            assert_eq!(batch["model"], Vendor::Cohere.model(), "{batch}");
            kept.rows = kept.files[batch["input_dataset_id"].as_str().unwrap()].clone();
            assert!(kept.rows.iter().all(|row| row["body"]["model"].is_null()), "the batch says it");
        }
        ("POST", "/v2/batches/c-1:cancel") => {
            kept.is_cancelled = true;
            return Answer::json("{}");
        }
        ("GET", "/v2/batches/c-1") => {}
        _ => return unknown(request),
    }
    let is_over = request.method == "GET" && (!kept.is_running || kept.is_cancelled);
    let [good, bad, late] = if is_over { counts(Vendor::Cohere, &kept.rows) } else { [0; 3] };
    let status = match (is_over, kept.is_cancelled) {
        (true, true) => "CANCELED",
        (true, false) => "COMPLETED",
        (false, true) => "CANCELING",
        (false, false) => "QUEUED",
    };
    let time = "2026-08-19T14:44:51.5Z";
    let batch = json!({
        "id": "c-1", "name": "b", "creator_id": "c", "org_id": "o", "status": format!("BATCH_STATUS_{status}"),
        "created_at": time, "updated_at": time, "input_dataset_id": "in-1", "output_dataset_id": "out-1",
        "model": Vendor::Cohere.model(), "input_tokens": "1", "output_tokens": "1", "num_records": kept.rows.len(),
        "num_successful_records": good, "num_failed_records": bad + late,
    });
    Answer::json(json!({"batch": batch}).to_string())
}

fn cohere_dataset(id: &str, status: &str, parts: &[String]) -> String {
    let parts: Vec<Value> =
        parts.iter().map(|url| json!({"id": url, "name": "part", "url": url, "index": 0})).collect();
    let time = "2026-08-19T14:44:51Z";
    let dataset = json!({
        "id": id, "name": "b", "created_at": time, "updated_at": time, "dataset_type": "batch-chat-v2-input",
        "validation_status": status, "dataset_parts": parts,
    });
    json!({"dataset": dataset}).to_string()
}

/// Rows of results as Cohere has them.
fn of_avro(rows: &[Value]) -> Answer {
    let record = |name: &str, fields: Value| json!({"type": "record", "name": name, "fields": fields});
    let part = record(
        "Part",
        json!([{"name": "type", "type": "string"}, {"name": "text", "type": ["null", "string"]}]),
    );
    let message = record(
        "Message",
        json!([{"name": "role", "type": "string"}, {"name": "content", "type": ["null", {"type": "array", "items": part}]}]),
    );
    let tokens = record(
        "Tokens",
        json!([{"name": "input_tokens", "type": "double"}, {"name": "output_tokens", "type": "double"}]),
    );
    let reason = json!({"type": "enum", "name": "Reason", "symbols": ["COMPLETE", "MAX_TOKENS"]});
    let usage = record("Usage", json!([{"name": "tokens", "type": ["null", tokens]}]));
    let body = record(
        "Body",
        json!([
            {"name": "id", "type": "string"}, {"name": "finish_reason", "type": reason},
            {"name": "message", "type": message}, {"name": "usage", "type": ["null", usage]},
        ]),
    );
    let row = record(
        "Row",
        json!([
            {"name": "custom_id", "type": "string"}, {"name": "body", "type": ["null", body]},
            {"name": "error", "type": ["null", "string"]},
        ]),
    );
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let said = Vendor::Cohere.said(row);
            if ["bad", "late"].contains(&said.as_str()) {
                return json!({"custom_id": row["custom_id"], "error": "Bad row."});
            }
            let message = json!({"role": "assistant", "content": [{"type": "text", "text": said}]});
            let usage = json!({"tokens": {"input_tokens": 3.0, "output_tokens": 1.0}});
            let body = json!({"id": "c", "finish_reason": "COMPLETE", "message": message, "usage": usage});
            json!({"custom_id": row["custom_id"], "body": body})
        })
        .collect();
    Answer::with("application/octet-stream", avro::file(&row, &rows))
}
