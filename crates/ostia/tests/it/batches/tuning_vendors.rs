//! Vendors that train models in a form of their own, as upstreams: each has one job, which runs for as long as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::clouds::{KEY_ID, ROLE, SECRET, is_signed};
use super::vendors::{dataset, named, parts, rows_of, unknown};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trainer {
    Together,
    Fireworks,
    Vertex,
    Bedrock,
}

/// What one of them has, and how it is to go.
#[derive(Debug, Default)]
pub struct Kept {
    /// Rows of files, by their ids.
    pub files: BTreeMap<String, Vec<Value>>,
    /// What the one job was made of.
    pub job: Value,
    pub is_running: bool,
    pub is_cancelled: bool,
    pub fails: bool,
    is_looked_through: bool,
}

impl Trainer {
    pub const ALL: [Trainer; 4] = [Trainer::Together, Trainer::Fireworks, Trainer::Vertex, Trainer::Bedrock];

    /// The provider that speaks so.
    pub fn provider(self) -> &'static str {
        match self {
            Trainer::Together => "together-ai",
            Trainer::Fireworks => "fireworks-ai",
            Trainer::Vertex => "vertex-ai",
            Trainer::Bedrock => "bedrock",
        }
    }

    pub fn model(self) -> &'static str {
        match self {
            Trainer::Together => "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
            Trainer::Fireworks => "accounts/fireworks/models/llama-v3p1-8b-instruct",
            Trainer::Vertex => "gemini-2.5-flash",
            Trainer::Bedrock => "amazon.nova-lite-v1:0:300k",
        }
    }

    /// The model that comes of it.
    pub fn trained(self) -> &'static str {
        match self {
            Trainer::Together => "me/Meta-Llama-3.1-8B-mine-1",
            Trainer::Fireworks => "accounts/acme/models/mine-1",
            Trainer::Vertex => "projects/123/locations/us-central1/endpoints/9",
            Trainer::Bedrock => {
                "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdefghij12"
            }
        }
    }

    /// A row of these words as it is sent there.
    pub fn told(self, row: &Value, words: &str) -> Value {
        match self {
            Trainer::Together | Trainer::Fireworks => row.clone(),
            Trainer::Vertex => json!({"contents": [
                {"role": "user", "parts": [{"text": words}]}, {"role": "model", "parts": [{"text": "yes"}]},
            ]}),
            Trainer::Bedrock => json!({"schemaVersion": "bedrock-conversation-2024", "messages": [
                {"role": "user", "content": [{"text": words}]}, {"role": "assistant", "content": [{"text": "yes"}]},
            ]}),
        }
    }

    /// The tokens that it tells.
    pub fn tokens(self) -> Value {
        if self == Trainer::Bedrock { Value::Null } else { json!(850) }
    }

    /// The gateway's configuration, with the operator's key for this upstream.
    pub fn config(self, upstream: &Upstream) -> String {
        if self == Trainer::Bedrock {
            return format!(
                "providers:\n  bedrock: {{base_url: \"{}\", credentials: {{aws_access_key_id: {KEY_ID}, aws_secret_access_key: \
                 {SECRET}}}, settings: {{aws_s3_bucket: rows-1, aws_s3_prefix: a/b, aws_batch_role_arn: \"{ROLE}\"}}}}\n",
                upstream.url()
            );
        }
        let (path, more) = match self {
            Trainer::Together => ("", ""),
            Trainer::Fireworks => ("/inference/v1", ", settings: {fireworks_account_id: acme}"),
            Trainer::Vertex => (
                "",
                ", settings: {vertex_project_id: p, vertex_region: us-central1, vertex_storage_bucket_name: rows-1, \
                 vertex_storage_prefix: a/b}",
            ),
            Trainer::Bedrock => ("", ""),
        };
        format!(
            "providers:\n  {}: {{base_url: \"{}{path}\", api_key: sk-operator{more}}}\n",
            self.provider(),
            upstream.url()
        )
    }

    pub fn serve(self) -> (Upstream, Arc<Mutex<Kept>>) {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let own = kept.clone();
        let upstream = Upstream::serve(move |request| {
            let is_let_in = match self {
                Trainer::Bedrock => {
                    let service = if request.target.starts_with("/model-") { "bedrock" } else { "s3" };
                    is_signed(request, service, KEY_ID, SECRET)
                }
                _ => request.header("authorization").as_deref() == Some("Bearer sk-operator"),
            };
            if !is_let_in {
                return Answer::json(openai::error("No.", "authentication_error", "no")).status(401);
            }
            let kept = &mut *own.lock().unwrap();
            match self {
                Trainer::Together => of_together(request, kept),
                Trainer::Fireworks => of_fireworks(request, kept),
                Trainer::Vertex => of_vertex(request, kept),
                Trainer::Bedrock => of_bedrock(request, kept),
            }
        });
        (upstream, kept)
    }

    /// What was asked and answered, for whoever judges it by the vendor's own models: `{vendor, kind, body}`.
    pub fn judged(self, request: &Request, answer: &Answer) -> Vec<Value> {
        let told = |kind: &str, body: Value| json!({"vendor": self.provider(), "kind": kind, "body": body});
        let said = || crate::json(&String::from_utf8_lossy(&answer.body()));
        let target = request.target.as_str();
        let last = target.rsplit('/').next().unwrap();
        if request.method == "PUT" || request.method == "POST" && target.starts_with("/upload/storage/") {
            return rows_of(&request.text()).into_iter().map(|row| told("tuning_row", row)).collect();
        }
        match (request.method.as_str(), last) {
            (
                "POST",
                "fine-tunes" | "supervisedFineTuningJobs" | "tuningJobs" | "model-customization-jobs",
            ) => {
                vec![told("tuning_create", request.json()), told("tuning", said())]
            }
            ("POST", "dpoJobs") => vec![told("dpo_create", request.json())],
            ("POST", "datasets") => vec![told("dataset", request.json())],
            ("GET", "events" | "checkpoints") => vec![told(last, said())],
            ("GET", _) if !target.contains("/datasets/") && !target.contains("dpoJobs") => {
                vec![told("tuning", said())]
            }
            _ => Vec::new(),
        }
    }
}

/// <https://docs.together.ai/reference/post-fine-tunes>
fn of_together(request: &Request, kept: &mut Kept) -> Answer {
    match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files/upload") => {
            let parts = parts(request);
            let fields: Vec<(&str, &str)> = parts[..3].iter().map(named).collect();
            assert_eq!((fields[0], fields[1].0), (("purpose", "fine-tune"), "file_name"), "{parts:?}");
            assert_eq!((fields[2], named(&parts[3]).0), (("file_type", "jsonl"), "file"), "{parts:?}");
            let id = format!("file-{}", kept.files.len() + 1);
            kept.files.insert(id.clone(), rows_of(&parts[3].1));
            let file = json!({
                "id": id, "object": "file", "bytes": 1, "created_at": 1, "filename": "b.jsonl", "FileType": "jsonl",
                "purpose": "fine-tune",
            });
            return Answer::json(file.to_string());
        }
        ("POST", "/v1/fine-tunes") => {
            let job = request.json();
            assert!(kept.files.contains_key(job["training_file"].as_str().unwrap()), "{job}");
            if let Some(file) = job["validation_file"].as_str() {
                assert!(kept.files.contains_key(file) && job["n_evals"].as_u64() > Some(0), "{job}");
            }
            kept.job = job;
            return Answer::json(together_job(kept, "pending").to_string());
        }
        ("POST", "/v1/fine-tunes/ft-1/cancel") => {
            kept.is_cancelled = true;
            return Answer::json(together_job(kept, "cancel_requested").to_string());
        }
        ("GET", "/v1/fine-tunes/ft-1") => {}
        ("GET", "/v1/fine-tunes/ft-1/events") => {
            let events = json!({"object": "list", "data": [
                event("job_pending", "info", "Job was created.", 51), event("training_start", "info", "Training started.", 53),
                event("warning", "warning", "Slow.", 52),
            ]});
            return Answer::json(events.to_string());
        }
        ("GET", "/v1/fine-tunes/ft-1/checkpoints") => {
            let checkpoint = json!({
                "checkpoint_type": "Intermediate at step 10", "created_at": "2026-08-19T14:44:51Z", "path": "s3://x", "step": 10,
                "object_name": "me/m-step-10",
            });
            return Answer::json(json!({"data": [checkpoint]}).to_string());
        }
        _ => return unknown(request),
    }
    let status = match (kept.is_cancelled, kept.fails, kept.is_running) {
        (true, ..) => "cancelled",
        (_, true, _) => "error",
        (_, _, true) => "running",
        _ => "completed",
    };
    Answer::json(together_job(kept, status).to_string())
}

fn event(kind: &str, level: &str, message: &str, second: u32) -> Value {
    json!({
        "object": "fine-tune-event", "type": kind, "level": level, "message": message,
        "created_at": format!("2026-08-19T14:44:{second}Z"),
    })
}

fn together_job(kept: &Kept, status: &str) -> Value {
    let time = "2026-08-19T14:44:51.500Z";
    let events = match kept.fails {
        true => vec![event("job_error", "error", "Line 1 is wrong.", 51)],
        false => Vec::new(),
    };
    json!({
        "id": "ft-1", "status": status, "user_id": "u", "created_at": time, "updated_at": time, "model": kept.job["model"],
        "training_file": kept.job["training_file"], "token_count": 850, "total_price": 15,
        "model_output_name": Trainer::Together.trained(), "n_epochs": 1, "batch_size": 8, "events": events,
    })
}

/// <https://docs.fireworks.ai/api-reference/create-supervised-fine-tuning-job>
fn of_fireworks(request: &Request, kept: &mut Kept) -> Answer {
    let Some(path) = request.target.strip_prefix("/v1/accounts/acme") else { return unknown(request) };
    match (request.method.as_str(), path) {
        ("POST", "/datasets") => {
            let body = request.json();
            let name = body["datasetId"].as_str().unwrap();
            assert!((1..=63).contains(&name.len()) && !kept.files.contains_key(name), "{body}");
            assert!(body["dataset"]["exampleCount"].as_str().unwrap().parse::<u64>().unwrap() >= 3, "{body}");
            return Answer::json(dataset(name, "UPLOADING"));
        }
        ("POST", path) if path.ends_with(":upload") => {
            let name = path.strip_prefix("/datasets/").unwrap().strip_suffix(":upload").unwrap();
            let parts = parts(request);
            assert_eq!((parts.len(), named(&parts[0]).0), (1, "file"), "{parts:?}");
            kept.files.insert(name.to_owned(), rows_of(&parts[0].1));
            kept.is_looked_through = false;
            let id = format!("accounts/acme/datasets/{name}");
            return Answer::json(
                json!({"id": id, "object": "file", "bytes": 1, "purpose": "dataset"}).to_string(),
            );
        }
        ("GET", path) if path.starts_with("/datasets/") => {
            let name = path.strip_prefix("/datasets/").unwrap();
            let state =
                if std::mem::replace(&mut kept.is_looked_through, true) { "READY" } else { "UPLOADING" };
            return Answer::json(dataset(name, state));
        }
        ("POST", "/supervisedFineTuningJobs" | "/dpoJobs") => {
            assert!(kept.is_looked_through, "the rows were not ready");
            kept.job = request.json();
            assert!(kept.files.contains_key(kept.job["dataset"].as_str().unwrap()), "{}", kept.job);
        }
        ("POST", "/supervisedFineTuningJobs/j-1:cancel" | "/dpoJobs/j-1:cancel") => {
            assert_eq!(request.json(), json!({}));
            kept.is_cancelled = true;
            return Answer::json("{}");
        }
        ("GET", "/supervisedFineTuningJobs/j-1" | "/dpoJobs/j-1") => {}
        _ => return unknown(request),
    }
    let is_made = request.method == "POST";
    let (state, message) = match (kept.is_cancelled, kept.fails, kept.is_running) {
        _ if is_made => ("CREATING", ""),
        (true, ..) => ("CANCELLED", ""),
        (_, true, _) => ("FAILED", "Line 1 is wrong."),
        (_, _, true) => ("RUNNING", ""),
        _ => ("COMPLETED", ""),
    };
    let collection = path.split('/').nth(1).unwrap();
    let time = "2026-08-19T14:44:51.500Z";
    let mut job = json!({
        "name": format!("accounts/acme/{collection}/j-1"), "state": format!("JOB_STATE_{state}"), "createTime": time,
        "completedTime": (!is_made && state != "RUNNING").then_some(time), "dataset": kept.job["dataset"],
        "status": {"code": if message.is_empty() { "OK" } else { "INVALID_ARGUMENT" }, "message": message},
    });
    let own = json!({"baseModel": Trainer::Fireworks.model(), "outputModel": Trainer::Fireworks.trained()});
    match collection {
        "dpoJobs" => job["trainingConfig"] = own,
        _ => {
            job.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            job["jobProgress"] = json!({"percent": 100, "inputTokens": 850});
        }
    }
    Answer::json(job.to_string())
}

/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.tuningJobs>
fn of_vertex(request: &Request, kept: &mut Kept) -> Answer {
    const OBJECTS: &str = "/upload/storage/v1/b/rows-1/o?uploadType=media&name=";
    let plain = request.target.replace("%2F", "/");
    if let Some(name) = plain.strip_prefix(OBJECTS).filter(|_| request.method == "POST") {
        assert!(name.starts_with("a/b/ftjob-ostia-") && name.ends_with("/rows.jsonl"), "{name}");
        kept.files.insert(format!("gs://rows-1/{name}"), rows_of(&request.text()));
        return Answer::json(json!({"kind": "storage#object", "name": name, "bucket": "rows-1"}).to_string());
    }
    let path = plain.strip_prefix("/v1/projects/p/locations/us-central1/tuningJobs");
    match (request.method.as_str(), path) {
        ("POST", Some("")) => {
            kept.job = request.json();
            let spec = vertex_spec(kept);
            let uris = ["trainingDatasetUri", "validationDatasetUri"]
                .map(|name| spec[name].as_str().map(str::to_owned));
            assert!(uris.iter().flatten().all(|uri| kept.files.contains_key(uri)), "{}", kept.job);
            return Answer::json(vertex_job(kept, "PENDING").to_string());
        }
        ("POST", Some("/77:cancel")) => {
            kept.is_cancelled = true;
            return Answer::json("{}");
        }
        ("GET", Some("/77")) => {}
        _ => return unknown(request),
    }
    let state = match (kept.is_cancelled, kept.fails, kept.is_running) {
        (true, ..) => "CANCELLED",
        (_, true, _) => "FAILED",
        (_, _, true) => "RUNNING",
        _ => "SUCCEEDED",
    };
    Answer::json(vertex_job(kept, state).to_string())
}

fn vertex_spec(kept: &Kept) -> Value {
    let spec = |name: &str| kept.job.get(name).cloned();
    spec("supervisedTuningSpec").or_else(|| spec("preferenceOptimizationSpec")).unwrap()
}

fn vertex_job(kept: &Kept, state: &str) -> Value {
    let mut job = kept.job.clone();
    job["name"] = json!("projects/123/locations/us-central1/tuningJobs/77");
    job["state"] = json!(format!("JOB_STATE_{state}"));
    job["createTime"] = json!("2026-08-19T14:40:51.500000Z");
    if matches!(state, "SUCCEEDED" | "FAILED" | "CANCELLED") {
        job["endTime"] = json!("2026-08-19T14:44:51.500000Z");
    }
    match state {
        "SUCCEEDED" => {
            let endpoint = Trainer::Vertex.trained();
            job["tunedModel"] = json!({
                "model": "projects/123/locations/us-central1/models/8@1", "endpoint": endpoint,
                "checkpoints": [{"checkpointId": "1", "epoch": "1", "step": "10", "endpoint": endpoint}],
            });
            job["tuningDataStats"] = json!({"supervisedTuningDataStats": {"totalBillableTokenCount": "850"}});
        }
        "FAILED" => job["error"] = json!({"code": 3, "message": "Line 1 is wrong."}),
        _ => {}
    }
    job
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelCustomizationJob.html>
fn of_bedrock(request: &Request, kept: &mut Kept) -> Answer {
    const JOB: &str = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-lite-v1:0:300k/abcdefghij12";
    if let Some(name) = request.target.strip_prefix("/rows-1/").filter(|_| request.method == "PUT") {
        assert!(name.starts_with("a/b/ftjob-ostia-") && name.ends_with("/rows.jsonl"), "{name}");
        kept.files.insert(format!("s3://rows-1/{name}"), rows_of(&request.text()));
        return Answer::empty();
    }
    let own = format!("/{}", JOB.replace(':', "%3A").replace('/', "%2F"));
    let Some(path) = request.target.strip_prefix("/model-customization-jobs") else {
        return unknown(request);
    };
    match (request.method.as_str(), path) {
        ("POST", "") => {
            kept.job = request.json();
            let training = &kept.job["trainingDataConfig"]["s3Uri"];
            assert!(kept.files.contains_key(training.as_str().unwrap()), "{}", kept.job);
            if let Some(validators) = kept.job.get("validationDataConfig") {
                assert!(
                    kept.files.contains_key(validators["validators"][0]["s3Uri"].as_str().unwrap()),
                    "{}",
                    kept.job
                );
            }
            assert_eq!(kept.job["roleArn"], ROLE);
            return Answer::json(json!({"jobArn": JOB}).to_string()).status(201);
        }
        ("POST", path) if path == format!("{own}/stop") => {
            kept.is_cancelled = true;
            return Answer::empty();
        }
        ("GET", path) if path == own => {}
        _ => return unknown(request),
    }
    let status = match (kept.is_cancelled, kept.fails, kept.is_running) {
        (true, ..) => "Stopped",
        (_, true, _) => "Failed",
        (_, _, true) => "InProgress",
        _ => "Completed",
    };
    let mut job = json!({
        "jobArn": JOB, "jobName": kept.job["jobName"], "outputModelName": kept.job["customModelName"], "roleArn": ROLE,
        "status": status, "creationTime": "2026-08-19T14:40:51Z", "customizationType": "FINE_TUNING",
        "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1",
        "hyperParameters": kept.job["hyperParameters"], "trainingDataConfig": kept.job["trainingDataConfig"],
        "validationDataConfig": {"validators": []}, "outputDataConfig": kept.job["outputDataConfig"],
    });
    if status != "InProgress" {
        job["endTime"] = json!("2026-08-19T14:44:51.500Z");
    }
    match status {
        "Completed" => job["outputModelArn"] = json!(Trainer::Bedrock.trained()),
        "Failed" => job["failureMessage"] = json!("Line 1 is wrong."),
        _ => {}
    }
    Answer::json(job.to_string())
}
