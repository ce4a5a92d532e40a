//! Fireworks' batch inference jobs: rows in a dataset, one model for all, and results in the files of another dataset, at addresses of
//! their own (<https://docs.fireworks.ai/guides/batch-inference>, <https://docs.fireworks.ai/api-reference/create-batch-inference-job>).
//!
//! Its paths are those of an account, beside the ones of inference.

use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, Ready, RowResult, State, Status, Upload, UploadedFile, time_of,
};
use super::results::{FileFormat, Listing, Results};
use super::rpc;
use crate::json::{Json, Node};
use crate::step::{self, Content, Place, Step};
use crate::{Api, Fault};

/// Where inference is. What belongs to an account is beside it.
pub(crate) const BESIDE: &str = "/inference/v1";

/// Rows as a dataset of the account, which is looked through before anything can be made of it.
pub(crate) const UPLOAD: Upload = Upload {
    begin: Some(dataset),
    send: |batch| {
        let path = format!("/datasets/{}:upload", name(batch));
        Step::post(at(path), step::form(batch.name, &[], "file"))
    },
    file: UploadedFile::Told(|root| last_segment(&root.str("id")?)),
    ready: Some(Ready { step: |id| Step::get(at(format!("/datasets/{id}"))), decode: is_ready }),
};

/// The largest file that one request sends: <https://docs.fireworks.ai/api-reference/upload-dataset-files>.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 150 << 20;

/// Nothing is said of the number of rows.
pub static FIREWORKS: BatchForm = BatchForm {
    own_header: None,
    rows: &[(Api::OpenaiChat, "")],
    rows_min: 1,
    rows_max: u64::MAX,
    bytes_max: UPLOAD_BYTES_MAX,
    one_model: true,
    separator: "\n",
    storage: None,
    encode_row,
    upload: Some(UPLOAD),
    create,
    status: |id| Step::get(at(format!("/batchInferenceJobs/{id}"))),
    // There is no other way (<https://docs.fireworks.ai/api-reference/delete-batch-inference-job>).
    cancel: |id| Step::delete(at(format!("/batchInferenceJobs/{id}"))),
    decode,
    results,
    decode_result,
};

fn at(path: String) -> Place {
    Place::Beside(Api::FireworksBatches, BESIDE, path)
}

/// Names have small letters, digits and hyphens.
fn name(batch: &NewBatch<'_>) -> String {
    batch.name.replace('_', "-").to_ascii_lowercase()
}

/// `accounts/a/datasets/d` is `d`.
fn last_segment(name: &str) -> Option<String> {
    name.rsplit('/').next().map(str::to_owned)
}

/// The job says the model.
fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, &super::without_model(body)?, |w, body| {
        w.field_str("custom_id", key);
        w.field_raw("body", body);
    })
}

/// <https://docs.fireworks.ai/api-reference/create-dataset>; without the number of rows it is refused.
fn dataset(batch: &NewBatch<'_>) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("datasetId", &name(batch));
            w.field_object("dataset", |w| {
                w.field_object("userUploaded", |_| {});
                // Numbers of 64 bits are texts.
                w.field_str("exampleCount", &batch.rows.to_string());
            });
        });
    });
    Step::post(at("/datasets".to_owned()), Content::Json(body.as_str().into()))
}

fn is_ready(root: Node<'_>) -> Result<bool, Fault> {
    let Some(state) = root.str("state") else {
        return Err(Fault::upstream("The provider's answer is no dataset."));
    };
    let status = root.some("status");
    let code = status.and_then(|status| status.str("code")).unwrap_or_default();
    match (&*state, &*code) {
        ("READY", _) => Ok(true),
        (_, "" | "OK") => Ok(false),
        _ => {
            let words = status.and_then(|status| status.str("message")).unwrap_or_default();
            Err(Fault::invalid(words.into_owned()))
        }
    }
}

fn create(batch: &NewBatch<'_>, file: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("displayName", batch.name);
            w.field_str("model", batch.model);
            w.field_str("inputDatasetId", file);
        });
    });
    Step::post(at("/batchInferenceJobs".to_owned()), Content::Json(body.as_str().into()))
}

/// <https://docs.fireworks.ai/api-reference/get-batch-inference-job>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let id = root.str("name").and_then(|name| last_segment(&name));
    let (Some(id), Some(word)) = (id, root.str("state")) else {
        return Err(Fault::upstream("The provider's answer is no batch inference job."));
    };
    let status = match word.strip_prefix("JOB_STATE_").unwrap_or(&word) {
        "COMPLETED" => Status::Completed,
        "FAILED" => Status::Failed,
        // Both keep what was answered by then.
        "EXPIRED" | "EARLY_STOPPED" => Status::Expired,
        "CANCELLING" => Status::Cancelling,
        "CANCELLED" | "DELETING" | "DELETING_CLEANING_UP" | "DELETED" => Status::Cancelled,
        _ => Status::InProgress,
    };
    let progress = root.some("jobProgress");
    let count = |name: &str| progress.and_then(|progress| progress.u64(name)).unwrap_or_default();
    let reason = root.some("status").and_then(|status| status.str("message"));
    let output = root.str("outputDatasetId").filter(|output| !output.is_empty());
    Ok(State {
        found: Found { id, output: output.and_then(|output| last_segment(&output)), errors: None },
        status,
        completed: count("successfullyProcessedRequests"),
        failed: count("failedRequests"),
        percent: None,
        expires_s: time_of(root, "expireTime"),
        cancelling_s: None,
        ended_s: root.some("lifecycle").and_then(|lifecycle| time_of(lifecycle, "endTime")),
        reason: reason.filter(|reason| !reason.is_empty()).map(|reason| reason.into_owned()),
    })
}

/// One dataset has all: a file of rows that were answered, and one of those that failed.
fn results(found: &Found, _: Part) -> Option<Results> {
    let step = Step::get(at(format!("/datasets/{}:getDownloadEndpoint", found.output.as_ref()?)));
    Some(Results::Files(Listing { step, decode: addresses, format: FileFormat::Lines }))
}

/// <https://docs.fireworks.ai/api-reference/get-dataset-download-endpoint>
fn addresses(root: Node<'_>) -> Vec<String> {
    let files = root.some("filenameToSignedUrls");
    let fields = files.into_iter().flat_map(|files| files.fields());
    fields.filter_map(|(_, address)| Some(address.as_str()?.into_owned())).collect()
}

/// The answer is what a call by itself would have; of a row that failed nothing more is told than that it stands in the other file.
fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let Some(key) = root.str("custom_id") else {
        return Err(Fault::upstream("A line of the provider's results is of no row."));
    };
    let answer = root.some("response").filter(|answer| answer.some("choices").is_some());
    let outcome = match (answer, root.some("error")) {
        (Some(answer), None) => Outcome::Answer(answer.text()),
        (_, error) => {
            let told = error.or(root.some("response")).unwrap_or(root);
            Outcome::Refused(Box::new(rpc::refused(told)))
        }
    };
    Ok(RowResult { key, outcome })
}
