//! Together's batches: in OpenAI's form with differences. Files have a purpose and a path of their own, states are written in capitals,
//! and no rows are counted (<https://docs.together.ai/docs/inference/batch/overview>, <https://docs.together.ai/reference/batch-create>).

use super::form::{BatchForm, Found, NewBatch, Part, State, Status, Upload, UploadedFile, time_of};
use super::openai_lines;
use super::results::Results;
use crate::json::{Json, Node};
use crate::step::{self, Content, Place, Step};
use crate::{Api, Fault};

/// Most rows, and the largest file: <https://docs.together.ai/docs/inference/batch/overview>.
pub static TOGETHER: BatchForm = BatchForm {
    own_header: None,
    rows: &[(Api::OpenaiChat, "/v1/chat/completions")],
    rows_min: 1,
    rows_max: 50_000,
    bytes_max: 100 << 20,
    one_model: false,
    separator: "\n",
    storage: None,
    encode_row,
    upload: Some(Upload {
        begin: None,
        send: upload,
        file: UploadedFile::Told(|root| Some(root.str("id")?.into_owned())),
        ready: None,
    }),
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}/cancel")), Content::Nothing),
    decode,
    results,
    decode_result: openai_lines::decode_result,
};

fn at(path: String) -> Place {
    Place::Behind(Api::TogetherBatches, path)
}

/// The batch says what its rows call.
fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, body, |w, body| {
        w.field_str("custom_id", key);
        w.field_raw("body", body);
    })
}

fn upload(batch: &NewBatch<'_>) -> Step {
    upload_for(batch.name, "batch-api")
}

/// In one request, where the SDK sends larger files past the API (<https://docs.together.ai/reference/upload-file>).
pub(crate) fn upload_for(name: &str, purpose: &str) -> Step {
    let file_name = format!("{name}.jsonl");
    let fields = [("purpose", purpose), ("file_name", file_name.as_str()), ("file_type", "jsonl")];
    Step::post(Place::Behind(Api::OpenaiFiles, "/upload".to_owned()), step::form(name, &fields, "file"))
}

fn create(batch: &NewBatch<'_>, file: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("input_file_id", file);
            w.field_str("endpoint", batch.endpoint);
            w.field_str("completion_window", "24h");
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

/// Where it is made it stands in an answer around it (<https://docs.together.ai/docs/inference/batch/manage>).
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let batch = root.some("job").unwrap_or(root);
    let (Some(id), Some(word)) = (batch.str("id"), batch.str("status")) else {
        return Err(Fault::upstream("The provider's answer is no batch."));
    };
    let status = match &*word {
        "COMPLETED" => Status::Completed,
        "FAILED" => Status::Failed,
        "EXPIRED" => Status::Expired,
        "CANCELLED" => Status::Cancelled,
        _ => Status::InProgress,
    };
    let text = |name: &str| batch.str(name).filter(|text| !text.is_empty()).map(|text| text.into_owned());
    let percent = batch.some("progress").and_then(|progress| progress.as_f64()).unwrap_or_default();
    Ok(State {
        found: Found { id: id.into_owned(), output: text("output_file_id"), errors: text("error_file_id") },
        status,
        completed: 0,
        failed: 0,
        percent: Some(percent.clamp(0.0, 100.0) as u64),
        expires_s: time_of(batch, "job_deadline"),
        cancelling_s: None,
        ended_s: time_of(batch, "completed_at"),
        reason: text("error"),
    })
}

fn results(found: &Found, part: Part) -> Option<Results> {
    let file = match part {
        Part::Output => &found.output,
        Part::Errors => &found.errors,
    };
    let step = Step::get(Place::Behind(Api::OpenaiFiles, format!("/{}/content", file.as_ref()?)));
    Some(Results::Lines(step))
}
