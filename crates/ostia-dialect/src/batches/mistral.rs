//! Mistral's batch jobs: rows in a file of its own, one model and one endpoint for all
//! (<https://docs.mistral.ai/api/endpoint/batch>).

use super::form::{BatchForm, Found, NewBatch, Part, State, Status, Upload, UploadedFile};
use super::openai_lines;
use super::results::Results;
use crate::json::{Json, Node};
use crate::step::{self, Content, Place, Step};
use crate::{Api, Fault};

/// Most rows: <https://docs.mistral.ai/capabilities/batch>; the largest file: <https://docs.mistral.ai/api/endpoint/files>.
pub static MISTRAL: BatchForm = BatchForm {
    own_header: None,
    rows: &[
        (Api::OpenaiChat, "/v1/chat/completions"),
        (Api::MistralEmbeddings, "/v1/embeddings"),
        (Api::MistralModerations, "/v1/moderations"),
        (Api::MistralChatModerations, "/v1/chat/moderations"),
        (Api::MistralOcr, "/v1/ocr"),
    ],
    rows_min: 1,
    rows_max: 1_000_000,
    bytes_max: 512 << 20,
    one_model: true,
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
    status: |id| Step::get(Place::Behind(Api::MistralBatches, format!("/{id}"))),
    cancel: |id| Step::post(Place::Behind(Api::MistralBatches, format!("/{id}/cancel")), Content::Nothing),
    decode,
    results,
    decode_result: openai_lines::decode_result,
};

/// The job says the model.
fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, &super::without_model(body)?, |w, body| {
        w.field_str("custom_id", key);
        w.field_raw("body", body);
    })
}

fn upload(batch: &NewBatch<'_>) -> Step {
    let content = step::form(batch.name, &[("purpose", "batch")], "file");
    Step::post(Place::Behind(Api::OpenaiFiles, String::new()), content)
}

fn create(batch: &NewBatch<'_>, file: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_array("input_files", |w| w.string(file));
            w.field_str("model", batch.model);
            w.field_str("endpoint", batch.endpoint);
            // By it the job is known at the vendor.
            w.field_object("metadata", |w| w.field_str("batch", batch.name));
        });
    });
    Step::post(Place::Behind(Api::MistralBatches, String::new()), Content::Json(body.as_str().into()))
}

/// <https://docs.mistral.ai/api/endpoint/batch#operation-jobs_api_routes_batch_get_batch_job>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let (Some(id), Some(word)) = (root.str("id"), root.str("status")) else {
        return Err(Fault::upstream("The provider's answer is no batch job."));
    };
    let status = match &*word {
        "SUCCESS" => Status::Completed,
        "FAILED" => Status::Failed,
        "TIMEOUT_EXCEEDED" => Status::Expired,
        "CANCELLATION_REQUESTED" => Status::Cancelling,
        "CANCELLED" => Status::Cancelled,
        _ => Status::InProgress,
    };
    let file = |name: &str| root.str(name).map(|id| id.into_owned());
    let error = root.some("errors").and_then(|errors| errors.items().next());
    Ok(State {
        found: Found { id: id.into_owned(), output: file("output_file"), errors: file("error_file") },
        status,
        completed: root.u64("succeeded_requests").unwrap_or_default(),
        failed: root.u64("failed_requests").unwrap_or_default(),
        percent: None,
        expires_s: None,
        cancelling_s: None,
        ended_s: root.u64("completed_at"),
        reason: error.and_then(|error| Some(error.str("message")?.into_owned())),
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
