//! Vertex AI's batch prediction jobs: rows and results in Cloud Storage, one model for all
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage>,
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/batch>).
//!
//! Rows of Claude have an id, and those of Gemini's embeddings a key
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/batch-prediction-genai-embeddings>). Those of Gemini have
//! neither, and come back in no certain order; but what was asked comes back with each answer, and so does a label in it. Older models
//! that embed have nothing of the kind, and so no rows here.

use std::collections::BTreeMap;

use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, RowResult, Settings, State, Status, Storage, Upload,
    UploadedFile, time_of,
};
use super::objects::{self, Folder};
use super::results::Results;
use crate::json::{Document, Json, Node};
use crate::relay::Splice;
use crate::step::{Content, Place, Step};
use crate::{Api, Fault, fault};

/// Most rows, and the largest file:
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini>.
pub static VERTEX: BatchForm = BatchForm {
    own_header: None,
    rows: &[
        (Api::GeminiGenerate, GOOGLE),
        (Api::GeminiEmbed, GOOGLE),
        (Api::AnthropicMessages, "publishers/anthropic"),
    ],
    rows_min: 1,
    rows_max: 200_000,
    bytes_max: 1 << 30,
    one_model: true,
    separator: "\n",
    storage: Some(STORAGE),
    encode_row,
    upload: Some(UPLOAD),
    create,
    status: |id| Step::get(Place::Behind(Api::VertexBatches, format!("/{id}"))),
    cancel: |id| Step::post(Place::Behind(Api::VertexBatches, format!("/{id}:cancel")), Content::Nothing),
    decode,
    results,
    decode_result,
};

/// Rows as an object of the bucket.
pub(crate) const UPLOAD: Upload =
    Upload { begin: None, send: upload, file: UploadedFile::Chosen(|batch| FOLDER.rows(batch)), ready: None };
/// The bucket.
pub(crate) const STORAGE: Storage = Storage { api: Api::GcsObjects, needed: &[BUCKET], check };

const GOOGLE: &str = "publishers/google";
const BUCKET: &str = "vertex_storage_bucket_name";
pub(crate) const FOLDER: Folder = Folder { bucket: BUCKET, prefix: "vertex_storage_prefix" };
/// The label with the row's key
/// (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/add-labels-to-api-calls>).
const LABEL: &str = "ostia_row";

fn check(settings: Settings<'_>) -> Result<(), Fault> {
    FOLDER.check(settings)
}

fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    let document = Document::of_request_to(body, 2)?;
    document.root().expect_fields()?;
    if document.root().some("content").is_some() {
        return encode_embedding(out, key, document.root());
    }
    if document.root().some("contents").is_none() {
        return super::write_row(out, body, |w, body| {
            w.field_str("custom_id", key);
            w.field_raw("request", body);
        });
    }
    let labels = Json::build(|w| {
        w.object(|w| {
            for (name, value) in document.root().some("labels").iter().flat_map(|labels| labels.fields()) {
                if name != LABEL {
                    w.field_raw(&name, value.text());
                }
            }
            w.field_str(LABEL, key);
        });
    });
    let mut splice = Splice::new(&document)?;
    splice.set("labels", labels);
    super::write_row(out, &splice.finish(), |w, body| w.field_raw("request", body))
}

/// What `embedContent` has beside the content, and what it has in `embedContentConfig`, is in one object here, whose names are written
/// with underscores.
fn encode_embedding(out: &mut Vec<u8>, key: &str, body: Node<'_>) -> Result<(), Fault> {
    let request = Json::build(|w| {
        w.object(|w| {
            let others = body.fields().filter(|(name, _)| name != "content" && name != "model");
            let (nested, flat): (Vec<_>, Vec<_>) =
                others.partition(|(name, value)| snake_case(name) == CONFIG && value.is_object());
            if let Some(content) = body.some("content") {
                w.field_raw("content", content.text());
            }
            w.field_object(CONFIG, |w| {
                let nested = nested.iter().flat_map(|(_, config)| config.fields());
                // What stands in both is said once.
                let fields: BTreeMap<String, Node<'_>> =
                    nested.chain(flat).map(|(name, value)| (snake_case(&name), value)).collect();
                let said = fields.iter().filter(|(_, value)| !value.is_null());
                said.for_each(|(name, value)| w.field_raw(name, value.text()));
            });
        });
    });
    super::write_row(out, request.as_str().as_bytes(), |w, request| {
        w.field_str("key", key);
        w.field_raw("request", request);
    })
}

/// Where a row of embeddings says how.
const CONFIG: &str = "embed_content_config";

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// <https://docs.cloud.google.com/storage/docs/json_api/v1/objects/insert>
fn upload(batch: &NewBatch<'_>) -> Step {
    let content =
        Content::Rows { content_type: "application/jsonl".to_owned(), before: Vec::new(), after: Vec::new() };
    let address = FOLDER.rows(batch);
    let (bucket, name) = address.split_once('/').unwrap_or_default();
    let (bucket, name) = (objects::encoded(bucket), objects::encoded(name));
    let path = format!("/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}");
    Step { is_bare: true, ..Step::post(Place::Behind(Api::GcsObjects, path), content) }
}

/// <https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs/create>
fn create(batch: &NewBatch<'_>, rows: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("displayName", batch.name);
            w.field_str("model", &format!("{}/models/{}", batch.endpoint, batch.model));
            w.field_object("inputConfig", |w| {
                w.field_str("instancesFormat", "jsonl");
                w.field_object("gcsSource", |w| {
                    w.field_array("uris", |w| w.string(&format!("gs://{rows}")));
                });
            });
            w.field_object("outputConfig", |w| {
                w.field_str("predictionsFormat", "jsonl");
                w.field_object("gcsDestination", |w| {
                    w.field_str("outputUriPrefix", &format!("gs://{}", FOLDER.of(batch)));
                });
            });
        });
    });
    let content = Content::Json(body.as_str().into());
    Step::post(Place::Behind(Api::VertexBatches, String::new()), content)
}

/// <https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let name = root.str("name");
    let id = name.as_deref().and_then(|name| name.rsplit_once("/batchPredictionJobs/"));
    let (Some((_, id)), Some(word)) = (id, root.str("state")) else {
        return Err(Fault::upstream("The provider's answer is no batch prediction job."));
    };
    let status = match &*word {
        "JOB_STATE_SUCCEEDED" | "JOB_STATE_PARTIALLY_SUCCEEDED" => Status::Completed,
        "JOB_STATE_FAILED" => Status::Failed,
        "JOB_STATE_EXPIRED" => Status::Expired,
        "JOB_STATE_CANCELLING" => Status::Cancelling,
        "JOB_STATE_CANCELLED" => Status::Cancelled,
        _ => Status::InProgress,
    };
    let stats = root.some("completionStats");
    let count = |name: &str| stats.map_or(0, |stats| count(stats, name));
    let folder = root.some("outputInfo").and_then(|info| info.str("gcsOutputDirectory"));
    let output = folder.as_deref().and_then(|folder| objects::address(folder, "gs://"));
    Ok(State {
        found: Found {
            id: id.to_owned(),
            output: output.map(|folder| format!("{}/predictions.jsonl", folder.trim_end_matches('/'))),
            errors: None,
        },
        status,
        completed: count("successfulCount"),
        failed: count("failedCount"),
        percent: None,
        expires_s: None,
        cancelling_s: None,
        ended_s: time_of(root, "endTime"),
        reason: root.some("error").and_then(|error| Some(error.str("message")?.into_owned())),
    })
}

/// Google writes numbers of 64 bits as texts.
fn count(stats: Node<'_>, name: &str) -> u64 {
    stats.u64(name).or_else(|| stats.str(name)?.parse().ok()).unwrap_or_default()
}

/// One file has all (<https://docs.cloud.google.com/storage/docs/json_api/v1/objects/get>).
fn results(found: &Found, _: Part) -> Option<Results> {
    let (bucket, name) = found.output.as_ref()?.split_once('/')?;
    let (bucket, name) = (objects::encoded(bucket), objects::encoded(name));
    let path = format!("/storage/v1/b/{bucket}/o/{name}?alt=media");
    Some(Results::Lines(Step { is_bare: true, ..Step::get(Place::Behind(Api::GcsObjects, path)) }))
}

fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let label = || root.some("request")?.some("labels")?.str(LABEL);
    let key = root.str("custom_id").or_else(|| root.str("key")).or_else(label);
    let status = root.str("status").filter(|status| !status.is_empty());
    let outcome = match (status, root.some("response")) {
        (Some(status), _) => Some(Outcome::Refused(Box::new(refused(&status)))),
        (None, Some(response)) if response.is_object() => Some(Outcome::Answer(response.text())),
        (None, _) => None,
    };
    match (key, outcome) {
        (Some(key), Some(outcome)) => Ok(RowResult { key, outcome }),
        _ => Err(Fault::upstream("A line of the provider's results is none of a batch prediction job.")),
    }
}

/// A few words, and mostly the answer of the call behind them: `Bad Request: {"error": {"code": 400, ...}}`.
fn refused(status: &str) -> Fault {
    let answer = status.find('{').and_then(|at| fault::in_success(&status.as_bytes()[at..]));
    answer.unwrap_or_else(|| fault::from_answer(500, status.as_bytes()))
}
