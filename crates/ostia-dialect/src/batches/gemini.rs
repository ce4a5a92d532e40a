//! Google's batches: rows in a file of its own, one model for all (<https://ai.google.dev/api/batch-api>,
//! <https://ai.google.dev/gemini-api/docs/batch-api>). Rows that embed have the same form, and a method of their own makes the batch.

use super::form::time_of;
use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, RowResult, State, Status, Upload, UploadedFile,
};
use super::objects;
use super::results::Results;
use super::rpc;
use crate::json::{Json, Node};
use crate::step::{Content, Place, Step};
use crate::{Api, Fault};

/// The largest file: <https://ai.google.dev/gemini-api/docs/batch-api>. Nothing is said of the number of rows.
pub static GEMINI: BatchForm = BatchForm {
    own_header: None,
    rows: &[(Api::GeminiGenerate, "batchGenerateContent"), (Api::GeminiEmbed, EMBED)],
    rows_min: 1,
    rows_max: u64::MAX,
    bytes_max: 2 << 30,
    one_model: true,
    separator: "\n",
    storage: None,
    encode_row,
    upload: Some(Upload { begin: None, send: upload, file: UploadedFile::Told(uploaded), ready: None }),
    create,
    status: |id| Step::get(Place::Path(format!("/v1beta/batches/{id}"))),
    cancel: |id| Step::post(Place::Path(format!("/v1beta/batches/{id}:cancel")), Content::Nothing),
    decode,
    results,
    decode_result,
};

/// The method for rows that embed.
const EMBED: &str = "asyncBatchEmbedContent";
/// One request for description and contents.
const MULTIPART: (&str, &str) = ("x-goog-upload-protocol", "multipart");

fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, body, |w, body| {
        w.field_str("key", key);
        w.field_raw("request", body);
    })
}

/// <https://ai.google.dev/api/files#method:-media.upload>
fn upload(batch: &NewBatch<'_>) -> Step {
    let name = batch.name;
    let before = format!(
        "--{name}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n\
         {{\"file\":{{\"displayName\":\"{name}\",\"mimeType\":\"application/jsonl\"}}}}\r\n\
         --{name}\r\nContent-Type: application/jsonl\r\n\r\n"
    );
    let content = Content::Rows {
        content_type: format!("multipart/related; boundary={name}"),
        before: before.into_bytes(),
        after: format!("\r\n--{name}--\r\n").into_bytes(),
    };
    let (name, value) = MULTIPART;
    let headers = vec![(name, value.to_owned())];
    Step { headers, ..Step::post(Place::Path("/upload/v1beta/files".to_owned()), content) }
}

fn uploaded(root: Node<'_>) -> Option<String> {
    id_of("files/", &root.some("file")?.str("name")?)
}

fn id_of(collection: &str, name: &str) -> Option<String> {
    name.strip_prefix(collection).map(str::to_owned)
}

fn create(batch: &NewBatch<'_>, file: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_object("batch", |w| {
                w.field_str("displayName", batch.name);
                w.field_object("inputConfig", |w| w.field_str("fileName", &format!("files/{file}")));
            });
        });
    });
    let place = match batch.endpoint {
        EMBED => Place::Path(format!("/v1beta/{}:{EMBED}", resource(batch.model))),
        _ => Place::Behind(Api::GeminiBatches, String::new()),
    };
    Step::post(place, Content::Json(body.as_str().into()))
}

/// A bare name is one of `models`.
fn resource(model: &str) -> String {
    let (collection, id) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), id)) => (collection, id),
        _ => ("models", model),
    };
    format!("{collection}/{}", objects::encoded(id))
}

/// An operation, whose metadata is the batch.
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let batch = root.some("metadata").unwrap_or(root);
    let id = root.str("name").and_then(|name| id_of("batches/", &name));
    let (Some(id), Some(word)) = (id, batch.str("state")) else {
        return Err(Fault::upstream("The provider's answer is no batch."));
    };
    let status = match word.rsplit_once("STATE_").map_or(&*word, |(_, state)| state) {
        "SUCCEEDED" => Status::Completed,
        "FAILED" => Status::Failed,
        "CANCELLED" => Status::Cancelled,
        "EXPIRED" => Status::Expired,
        _ => Status::InProgress,
    };
    let stats = batch.some("batchStats");
    let output = batch.some("output").or_else(|| root.some("response"));
    let file = output.and_then(|output| id_of("files/", &output.str("responsesFile")?));
    Ok(State {
        found: Found { id, output: file, errors: None },
        status,
        completed: stats.map_or(0, |stats| count(stats, "successfulRequestCount")),
        failed: stats.map_or(0, |stats| count(stats, "failedRequestCount")),
        percent: None,
        expires_s: None,
        cancelling_s: None,
        ended_s: time_of(batch, "endTime"),
        reason: root.some("error").and_then(|error| Some(error.str("message")?.into_owned())),
    })
}

/// Google writes numbers of 64 bits as texts.
fn count(stats: Node<'_>, name: &str) -> u64 {
    stats.u64(name).or_else(|| stats.str(name)?.parse().ok()).unwrap_or_default()
}

/// One file has all.
fn results(found: &Found, _: Part) -> Option<Results> {
    let file = found.output.as_ref()?;
    let step = Step::get(Place::Path(format!("/download/v1beta/files/{file}:download?alt=media")));
    Some(Results::Lines(step))
}

fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let outcome = match (root.some("response"), root.some("error")) {
        (Some(response), None) => Some(Outcome::Answer(response.text())),
        (_, Some(error)) => Some(Outcome::Refused(Box::new(rpc::refused(error)))),
        (None, None) => None,
    };
    match (root.str("key"), outcome) {
        (Some(key), Some(outcome)) => Ok(RowResult { key, outcome }),
        _ => Err(Fault::upstream("A line of the provider's results is none of a batch.")),
    }
}
