//! Clouds whose batches have rows and results in an object storage, as upstreams that answer each row with its own words, the last one
//! first. A row that says `bad` is refused. What is not signed with the one key that they know is refused as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::{digest, hmac};
use ostia_testkit::vendor::{anthropic, bedrock, gemini};
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

/// A cloud, and a model there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Claude, whose rows are bodies of InvokeModel.
    BedrockClaude,
    /// A model of Amazon's own, whose rows are bodies of Converse.
    BedrockNova,
    VertexGemini,
    VertexClaude,
    /// Titan's embeddings, whose rows are bodies of InvokeModel.
    BedrockTitan,
    /// Gemini's embeddings, whose rows have keys.
    VertexEmbedding,
}

pub const KEY_ID: &str = "AKIDOPERATOR";
pub const SECRET: &str = "secret-of-the-operator";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/batches";
const JOB: &str = "abcdefghij12";
const FOLDER: &str = "prediction-model-2026-08-20T14:34:51.500000Z";

/// What a cloud has.
#[derive(Debug, Default)]
pub struct Kept {
    /// Objects by bucket and name.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// What made the job.
    pub job: Value,
    pub is_running: bool,
    is_stopped: bool,
    /// Why the job failed.
    pub failure: Option<String>,
    /// What was asked and answered, for whoever judges it: `{vendor, kind, body}`.
    pub heard: Vec<Value>,
}

pub type Shared = Arc<Mutex<Kept>>;

impl Cloud {
    /// Those with models that converse.
    pub const ALL: [Cloud; 4] =
        [Cloud::BedrockClaude, Cloud::BedrockNova, Cloud::VertexGemini, Cloud::VertexClaude];

    pub fn is_bedrock(self) -> bool {
        matches!(self, Cloud::BedrockClaude | Cloud::BedrockNova | Cloud::BedrockTitan)
    }

    pub fn provider(self) -> &'static str {
        if self.is_bedrock() { "bedrock" } else { "vertex-ai" }
    }

    pub fn model(self) -> &'static str {
        match self {
            Cloud::BedrockClaude => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Cloud::BedrockNova => "amazon.nova-lite-v1:0",
            Cloud::VertexGemini => "gemini-2.5-flash",
            Cloud::VertexClaude => "claude-sonnet-4-5",
            Cloud::BedrockTitan => "amazon.titan-embed-text-v2:0",
            Cloud::VertexEmbedding => "gemini-embedding-001",
        }
    }

    /// The provider's entry, with the operator's credential for this address.
    pub fn config(self, url: &str) -> String {
        let entry = match self.is_bedrock() {
            true => format!(
                "credentials: {{aws_access_key_id: {KEY_ID}, aws_secret_access_key: {SECRET}}}, settings: {{aws_s3_bucket: rows-1, \
                 aws_s3_prefix: a/b, aws_batch_role_arn: \"{ROLE}\"}}"
            ),
            false => "api_key: token-of-the-operator, settings: {vertex_project_id: p, vertex_region: us-central1, \
                      vertex_storage_bucket_name: rows-1, vertex_storage_prefix: a/b}"
                .to_owned(),
        };
        format!("providers:\n  {}: {{base_url: \"{url}\", {entry}}}\n", self.provider())
    }

    /// The cloud, whose jobs are over when they are asked for.
    pub fn serve(self) -> (Upstream, Shared) {
        let kept = Shared::default();
        let own = kept.clone();
        let upstream = Upstream::serve(move |request| self.answer(request, &mut own.lock().unwrap()));
        (upstream, kept)
    }

    pub fn answer(self, request: &Request, kept: &mut Kept) -> Answer {
        match self.is_bedrock() {
            true => self.of_bedrock(request, kept),
            false => self.of_vertex(request, kept),
        }
    }

    fn heard(self, kept: &mut Kept, kind: &str, body: &Value) {
        kept.heard.push(json!({"vendor": self.provider(), "kind": kind, "body": body}));
    }

    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html>
    fn of_bedrock(self, request: &Request, kept: &mut Kept) -> Answer {
        const PATH: &str = "/model-invocation-job";
        let Some(rest) = request.target.strip_prefix(PATH) else { return self.of_s3(request, kept) };
        if !is_signed(request, "bedrock", KEY_ID, SECRET) {
            return Answer::json(bedrock::error("The request signature does not match.")).status(403);
        }
        match (request.method.as_str(), rest) {
            ("POST", "") => {
                kept.job = request.json();
                let job = kept.job.clone();
                self.heard(kept, "create", &job);
                let made = json!({"jobArn": format!("arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/{JOB}")});
                self.heard(kept, "batch", &made);
                Answer::json(made.to_string())
            }
            ("POST", "/abcdefghij12/stop") => {
                kept.is_stopped = true;
                Answer::empty()
            }
            ("GET", "/abcdefghij12") => self.bedrock_job(kept),
            _ => Answer::json(bedrock::error(&format!("{} {}", request.method, request.target))).status(404),
        }
    }

    fn bedrock_job(self, kept: &mut Kept) -> Answer {
        let status = match (&kept.failure, kept.is_stopped, kept.is_running) {
            (Some(_), ..) => "Failed",
            (None, true, _) => "Stopped",
            (None, false, true) => "InProgress",
            (None, false, false) => "Completed",
        };
        let input = kept.job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].as_str().unwrap().to_owned();
        let folder = kept.job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].as_str().unwrap().to_owned();
        let rows = rows_of(&kept.objects[input.strip_prefix("s3://").unwrap()]);
        assert!(rows.len() >= 100, "{}", rows.len());
        let bad = rows.iter().filter(|row| self.said(row) == "bad").count();
        let is_over = status == "Completed";
        if is_over {
            let results = rows.iter().rev().map(|row| self.bedrock_result(row));
            let name = format!("{}{JOB}/rows.jsonl.out", folder.strip_prefix("s3://").unwrap());
            kept.objects.insert(name, results.collect::<String>().into_bytes());
        }
        let mut told = json!({
            "jobArn": format!("arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/{JOB}"),
            "jobName": kept.job["jobName"], "modelId": kept.job["modelId"], "roleArn": kept.job["roleArn"],
            "submitTime": "2026-08-20T14:34:51Z", "status": status, "modelInvocationType": kept.job["modelInvocationType"],
            "inputDataConfig": kept.job["inputDataConfig"], "outputDataConfig": kept.job["outputDataConfig"],
            "jobExpirationTime": "2026-08-21T14:34:51Z", "totalRecordCount": rows.len(),
            "successRecordCount": if is_over { rows.len() - bad } else { 0 }, "errorRecordCount": if is_over { bad } else { 0 },
        });
        if let Some(failure) = &kept.failure {
            told["message"] = json!(failure);
        }
        self.heard(kept, "batch", &told);
        Answer::json(told.to_string())
    }

    fn bedrock_result(self, row: &Value) -> String {
        let said = self.said(row);
        let answer = match self {
            Cloud::BedrockClaude => anthropic::message(&said),
            Cloud::BedrockTitan => {
                json!({"embedding": vector(&said), "inputTextTokenCount": 3, "embeddingsByType": {}})
                    .to_string()
            }
            _ => bedrock::converse(&said),
        };
        let mut line = json!({"modelInput": row["modelInput"], "recordId": row["recordId"]});
        match said.as_str() {
            "bad" => line["error"] = json!({"errorCode": 400, "errorMessage": "Bad row."}),
            _ => line["modelOutput"] = crate::json(&answer),
        }
        format!("{line}\n")
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    fn of_s3(self, request: &Request, kept: &mut Kept) -> Answer {
        let refused = |status: u16, code: &str, message: &str| {
            let xml = format!(
                "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            );
            Answer::with("application/xml", xml).status(status)
        };
        if !is_signed(request, "s3", KEY_ID, SECRET) {
            return refused(403, "SignatureDoesNotMatch", "The request signature does not match.");
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let name = path.trim_start_matches('/').to_owned();
        match (request.method.as_str(), query) {
            _ if !name.starts_with("rows-1/") => {
                refused(404, "NoSuchBucket", "The specified bucket does not exist")
            }
            ("PUT", "") => {
                assert!(
                    request.header("content-length").is_some(),
                    "S3 takes no chunks: {:?}",
                    request.headers
                );
                let rows = rows_of(&request.body);
                rows.iter().for_each(|row| self.heard(kept, "row", row));
                kept.objects.insert(name, request.body.clone());
                Answer::empty()
            }
            ("GET", "") => match kept.objects.get(&name) {
                Some(object) => Answer::with("binary/octet-stream", object.clone()),
                None => refused(404, "NoSuchKey", "The specified key does not exist."),
            },
            _ => refused(405, "MethodNotAllowed", "The specified method is not allowed."),
        }
    }

    /// <https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs>
    fn of_vertex(self, request: &Request, kept: &mut Kept) -> Answer {
        const PATH: &str = "/v1/projects/p/locations/us-central1/batchPredictionJobs";
        if request.header("authorization").as_deref() != Some("Bearer token-of-the-operator") {
            return Answer::json(gemini::error(401, "UNAUTHENTICATED", "No.")).status(401);
        }
        let Some(rest) = request.target.strip_prefix(PATH) else { return self.of_gcs(request, kept) };
        match (request.method.as_str(), rest) {
            ("POST", "") => {
                kept.job = request.json();
                let job = kept.job.clone();
                self.heard(kept, "create", &job);
                self.vertex_job(kept, true)
            }
            ("POST", "/77:cancel") => {
                kept.is_stopped = true;
                Answer::json("{}")
            }
            ("GET", "/77") => self.vertex_job(kept, false),
            _ => Answer::json(gemini::error(404, "NOT_FOUND", &request.target)).status(404),
        }
    }

    fn vertex_job(self, kept: &mut Kept, is_new: bool) -> Answer {
        let state = match (&kept.failure, kept.is_stopped, is_new || kept.is_running) {
            (Some(_), ..) if !is_new => "FAILED",
            (_, true, _) => "CANCELLED",
            (_, false, true) => "PENDING",
            (_, false, false) => "SUCCEEDED",
        };
        let input = kept.job["inputConfig"]["gcsSource"]["uris"][0].as_str().unwrap().to_owned();
        let folder =
            kept.job["outputConfig"]["gcsDestination"]["outputUriPrefix"].as_str().unwrap().to_owned();
        let rows = rows_of(&kept.objects[input.strip_prefix("gs://").unwrap()]);
        let bad = rows.iter().filter(|row| self.said(row) == "bad").count();
        let mut told = json!({
            "name": "projects/123/locations/us-central1/batchPredictionJobs/77", "displayName": kept.job["displayName"],
            "model": kept.job["model"], "inputConfig": kept.job["inputConfig"], "outputConfig": kept.job["outputConfig"],
            "state": format!("JOB_STATE_{state}"), "createTime": "2026-08-20T14:34:51.500000Z",
        });
        if state == "SUCCEEDED" {
            let results: String = rows.iter().rev().map(|row| self.vertex_result(row)).collect();
            let directory = format!("{folder}{FOLDER}");
            let name = format!("{}/predictions.jsonl", directory.strip_prefix("gs://").unwrap());
            rows_of(results.as_bytes()).iter().for_each(|row| self.heard(kept, "result", row));
            kept.objects.insert(name, results.into_bytes());
            told["endTime"] = json!("2026-08-20T14:44:51.500000Z");
            told["outputInfo"] = json!({"gcsOutputDirectory": directory});
            told["completionStats"] =
                json!({"successfulCount": (rows.len() - bad).to_string(), "failedCount": bad.to_string()});
        }
        if let Some(failure) = kept.failure.as_ref().filter(|_| !is_new) {
            told["error"] = json!({"code": 3, "message": failure});
        }
        self.heard(kept, "batch", &told);
        Answer::json(told.to_string())
    }

    fn vertex_result(self, row: &Value) -> String {
        let said = self.said(row);
        let answer = match self {
            Cloud::VertexClaude => anthropic::message(&said),
            Cloud::VertexEmbedding => {
                json!({"embedding": {"values": vector(&said)}, "usageMetadata": {"promptTokenCount": 3}})
                    .to_string()
            }
            _ => gemini::generate(&said),
        };
        let mut line = row.clone();
        line["processed_time"] = json!("2026-08-20T14:40:51.500000Z");
        let refused = format!("Bad Request: {}", gemini::error(400, "INVALID_ARGUMENT", "Bad row."));
        let is_bad = said == "bad";
        line["status"] = json!(if is_bad { refused } else { String::new() });
        line["response"] = if is_bad { json!({}) } else { crate::json(&answer) };
        format!("{line}\n")
    }

    /// <https://docs.cloud.google.com/storage/docs/json_api/v1/objects>
    fn of_gcs(self, request: &Request, kept: &mut Kept) -> Answer {
        let refused =
            |status: u16, message: &str| Answer::json(gemini::error(status, "", message)).status(status);
        let plain = request.target.replace("%2F", "/").replace("%3A", ":");
        match (request.method.as_str(), plain.as_str()) {
            ("POST", target)
                if target.starts_with("/upload/storage/v1/b/rows-1/o?uploadType=media&name=a/b/") =>
            {
                let (_, name) = target.split_once("&name=").unwrap();
                rows_of(&request.body).iter().for_each(|row| self.heard(kept, "row", row));
                kept.objects.insert(format!("rows-1/{name}"), request.body.clone());
                Answer::json(json!({"kind": "storage#object", "name": name, "bucket": "rows-1"}).to_string())
            }
            ("GET", target) => {
                let found = target
                    .strip_prefix("/storage/v1/b/rows-1/o/")
                    .and_then(|rest| rest.strip_suffix("?alt=media"));
                let object = found.and_then(|name| kept.objects.get(&format!("rows-1/{name}")));
                match object {
                    Some(object) => Answer::with("application/octet-stream", object.clone()),
                    None => refused(404, "No such object."),
                }
            }
            _ => refused(404, "The specified bucket does not exist."),
        }
    }

    /// What a row says.
    fn said(self, row: &Value) -> String {
        let said = match self {
            Cloud::BedrockClaude => &row["modelInput"]["messages"][0]["content"],
            Cloud::BedrockNova => &row["modelInput"]["messages"][0]["content"],
            Cloud::VertexGemini => &row["request"]["contents"][0]["parts"],
            Cloud::VertexClaude => &row["request"]["messages"][0]["content"],
            Cloud::BedrockTitan => &row["modelInput"]["inputText"],
            Cloud::VertexEmbedding => &row["request"]["content"]["parts"],
        };
        let said = if said.is_array() { &said[0]["text"] } else { said };
        said.as_str().unwrap_or_else(|| panic!("{row}")).to_owned()
    }
}

/// What a text is embedded as.
pub fn vector(text: &str) -> [f64; 2] {
    [text.len() as f64, 0.5]
}

pub fn rows_of(text: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(text).lines().map(crate::json).collect()
}

/// Is it signed for this service in `us-east-1`, with these keys? An object's body may stay unsigned.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
pub fn is_signed(request: &Request, service: &str, key_id: &str, secret: &str) -> bool {
    let Some(authorization) = request.header("authorization") else { return false };
    let field = |name: &str| authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name));
    let credential = format!("Credential={key_id}/");
    let (Some(scope), Some(names)) = (field(&credential), field("SignedHeaders=")) else { return false };
    if scope.split_once('/').is_none_or(|(_, rest)| rest != format!("us-east-1/{service}/aws4_request")) {
        return false;
    }
    let is_named = |name: &str| names.split(';').any(|named| named == name);
    let own = request.headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
    assert!(is_named("host") && own.clone().all(|(name, _)| is_named(name)), "{authorization}");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sha = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes).as_ref());
    let told = request.header("x-amz-content-sha256");
    let payload = match told.as_deref() {
        Some("UNSIGNED-PAYLOAD") => "UNSIGNED-PAYLOAD".to_owned(),
        _ => sha(&request.body),
    };
    assert!(
        told.is_none_or(|told| told == payload)
            && (service != "s3" || request.header("x-amz-content-sha256").is_some())
    );
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", request.header(name).unwrap().trim())).collect();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    // All services but this one encode what is encoded once more.
    let path = if service == "s3" { path.to_owned() } else { path.replace('%', "%25") };
    let canonical = format!("{}\n{path}\n{query}\n{headers}\n{names}\n{payload}", request.method);
    let day = request.header("x-amz-date").unwrap();
    let to_sign = format!("AWS4-HMAC-SHA256\n{day}\n{scope}\n{}", sha(canonical.as_bytes()));
    let keyed = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part));
    field("Signature=").is_some_and(|signature| signature == hex(&keyed(&key, &to_sign)))
}
