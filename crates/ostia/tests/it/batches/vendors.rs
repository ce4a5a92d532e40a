//! Vendors that have batches in a form of their own, as upstreams that answer each row with its own words, the last one first. A row that
//! says `bad` is refused, one that says `late` is not asked in time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Anthropic,
    Gemini,
    Mistral,
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
}

impl Vendor {
    pub const ALL: [Vendor; 3] = [Vendor::Anthropic, Vendor::Gemini, Vendor::Mistral];

    /// The provider that speaks so.
    pub fn provider(self) -> &'static str {
        match self {
            Vendor::Anthropic => "anthropic",
            Vendor::Gemini => "google",
            Vendor::Mistral => "mistral-ai",
        }
    }

    pub fn model(self) -> &'static str {
        match self {
            Vendor::Anthropic => "claude-sonnet-4-5",
            Vendor::Gemini => "gemini-2.5-flash",
            Vendor::Mistral => "mistral-small-latest",
        }
    }

    /// The gateway's configuration, with the operator's key for this upstream.
    pub fn config(self, upstream: &Upstream) -> String {
        let base = match self {
            Vendor::Anthropic | Vendor::Mistral => format!("{}/v1", upstream.url()),
            Vendor::Gemini => upstream.url(),
        };
        format!("providers:\n  {}: {{base_url: \"{base}\", api_key: sk-operator}}\n", self.provider())
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
                Vendor::Mistral => "authorization",
            };
            let key = request.header(header).unwrap_or_default();
            if key.trim_start_matches("Bearer ") != "sk-operator" {
                return Answer::json(openai::error("No.", "authentication_error", "no")).status(401);
            }
            let kept = &mut *kept.lock().unwrap();
            match self {
                Vendor::Anthropic => of_anthropic(request, kept),
                Vendor::Gemini => of_gemini(request, kept),
                Vendor::Mistral => of_mistral(request, kept),
            }
        })
    }

    /// What was asked and answered, for whoever judges it by the vendor's own models: `{vendor, kind, body}`.
    pub fn judged(self, request: &Request, answer: &Answer) -> Vec<Value> {
        let body = answer.body();
        let text = String::from_utf8_lossy(&body);
        let told = |kind: &str, body: Value| json!({"vendor": self.provider(), "kind": kind, "body": body});
        let target = request.target.as_str();
        let is_results = ["/results", "/content", "alt=media"].iter().any(|end| target.ends_with(end));
        let makes = ["/messages/batches", ":batchGenerateContent", "/batch/jobs"]
            .iter()
            .any(|end| target.ends_with(end));
        match request.method.as_str() {
            "GET" if is_results => rows_of(&text).into_iter().map(|row| told("result", row)).collect(),
            "GET" => vec![told("batch", crate::json(&text))],
            _ if makes => vec![told("create", request.json()), told("batch", crate::json(&text))],
            _ if target.ends_with("/files") => {
                rows_of(&parts(request)[1].1).into_iter().map(|row| told("row", row)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a row of this vendor's says.
    fn said(self, row: &Value) -> String {
        let said = match self {
            Vendor::Anthropic => &row["params"]["messages"][0]["content"],
            Vendor::Gemini => &row["request"]["contents"][0]["parts"][0]["text"],
            Vendor::Mistral => &row["body"]["messages"][0]["content"],
        };
        let said = if said.is_array() { &said[0]["text"] } else { said };
        said.as_str().unwrap_or_else(|| panic!("{row}")).to_owned()
    }
}

fn unknown(request: &Request) -> Answer {
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
    assert_eq!(request.header("anthropic-version").as_deref(), Some("2023-06-01"));
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
            "archived_at": null, "cancel_initiated_at": kept.is_cancelled.then_some(time), "results_url": null,
        })
        .to_string(),
    )
}

/// The parts of a form or of related contents, each with its head.
fn parts(request: &Request) -> Vec<(String, String)> {
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

fn rows_of(text: &str) -> Vec<Value> {
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
