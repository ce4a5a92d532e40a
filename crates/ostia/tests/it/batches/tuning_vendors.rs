//! Vendors that train models in a form of their own, as upstreams: each has one job, which runs for as long as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::vendors::{dataset, named, parts, rows_of, unknown};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trainer {
    Together,
    Fireworks,
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
    pub const ALL: [Trainer; 2] = [Trainer::Together, Trainer::Fireworks];

    /// The provider that speaks so.
    pub fn provider(self) -> &'static str {
        match self {
            Trainer::Together => "together-ai",
            Trainer::Fireworks => "fireworks-ai",
        }
    }

    pub fn model(self) -> &'static str {
        match self {
            Trainer::Together => "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
            Trainer::Fireworks => "accounts/fireworks/models/llama-v3p1-8b-instruct",
        }
    }

    /// The model that comes of it.
    pub fn trained(self) -> &'static str {
        match self {
            Trainer::Together => "me/Meta-Llama-3.1-8B-mine-1",
            Trainer::Fireworks => "accounts/acme/models/mine-1",
        }
    }

    /// The gateway's configuration, with the operator's key for this upstream.
    pub fn config(self, upstream: &Upstream) -> String {
        let (path, more) = match self {
            Trainer::Together => ("", ""),
            Trainer::Fireworks => ("/inference/v1", ", settings: {fireworks_account_id: acme}"),
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
            if request.header("authorization").as_deref() != Some("Bearer sk-operator") {
                return Answer::json(openai::error("No.", "authentication_error", "no")).status(401);
            }
            let kept = &mut *own.lock().unwrap();
            match self {
                Trainer::Together => of_together(request, kept),
                Trainer::Fireworks => of_fireworks(request, kept),
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
        match (request.method.as_str(), last) {
            ("POST", "fine-tunes" | "supervisedFineTuningJobs") => {
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
