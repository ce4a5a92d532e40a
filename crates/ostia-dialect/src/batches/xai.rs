//! xAI's batches: rows in a file in OpenAI's form, and everything else in its own: what is said of a batch are the counts of its rows, and
//! results come in pages (<https://docs.x.ai/developers/advanced-api-usage/batch-api>,
//! <https://docs.x.ai/developers/rest-api-reference/inference/batches>).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, RowResult, State, Status, Upload, UploadedFile, time_of,
};
use super::page::PageFields;
use super::results::{Pages, Results};
use super::rpc;
use crate::json::{Json, Node};
use crate::step::{self, Content, Place, Step};
use crate::{Api, Fault, fault};

/// What rows call. They may call `/v1/responses` too, and are answered by a chat completion all the same.
const CHAT: &str = "/v1/chat/completions";
/// Rows of a page: as many as there may be.
const PAGE_ROWS: u32 = 1000;

/// The vendor names no bounds of files with rows, and says itself what is too large.
pub static XAI: BatchForm = BatchForm {
    own_header: None,
    rows: &[(Api::OpenaiChat, CHAT)],
    rows_min: 1,
    rows_max: u64::MAX,
    bytes_max: u64::MAX,
    one_model: false,
    separator: "\n",
    storage: None,
    encode_row,
    upload: Some(Upload {
        begin: None,
        // It takes no purpose.
        send: |batch| {
            Step::post(Place::Behind(Api::OpenaiFiles, String::new()), step::form(batch.name, &[], "file"))
        },
        file: UploadedFile::Told(|root| Some(root.str("id")?.into_owned())),
        ready: None,
    }),
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}:cancel")), Content::Nothing),
    decode,
    results,
    decode_result,
};

fn at(path: String) -> Place {
    Place::Behind(Api::XaiBatches, path)
}

fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, body, |w, body| {
        w.field_str("custom_id", key);
        w.field_str("method", "POST");
        w.field_str("url", CHAT);
        w.field_raw("body", body);
    })
}

fn create(batch: &NewBatch<'_>, file: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("name", batch.name);
            w.field_str("input_file_id", file);
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

/// Counts of rows, all of them 0 until the file has been read. A batch that the vendor itself has ended says why: the file had a bad row,
/// or its model has no batches.
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let (Some(id), Some(counts)) = (root.str("batch_id"), root.some("state")) else {
        return Err(Fault::upstream("The provider's answer is no batch."));
    };
    let count = |name: &str| counts.u64(name).unwrap_or_default();
    let (rows, pending) = (count("num_requests"), count("num_pending"));
    let reason = root.str("cancel_by_xai_message").filter(|reason| !reason.is_empty());
    let is_ended = root.some("cancel_time").is_some();
    let status = match (is_ended, &reason) {
        (_, Some(_)) => Status::Failed,
        (true, None) if pending > 0 => Status::Cancelling,
        (true, None) => Status::Cancelled,
        (false, None) if rows > 0 && pending == 0 => Status::Completed,
        (false, None) => Status::InProgress,
    };
    Ok(State {
        found: Found { id: id.into_owned(), ..Found::default() },
        status,
        completed: count("num_success"),
        failed: count("num_error") + count("num_cancelled"),
        percent: None,
        expires_s: time_of(root, "expire_time"),
        cancelling_s: time_of(root, "cancel_time"),
        ended_s: None,
        reason: reason.map(|reason| reason.into_owned()),
    })
}

/// The pages have all rows.
fn results(_: &Found, _: Part) -> Option<Results> {
    let fields = PageFields { list: "results", next: "pagination_token" };
    Some(Results::Pages(Pages { fields, step: page }))
}

fn page(found: &Found, token: Option<&str>) -> Step {
    let next =
        token.map(|token| format!("&pagination_token={}", utf8_percent_encode(token, NON_ALPHANUMERIC)));
    Step::get(at(format!("/{}/results?limit={PAGE_ROWS}{}", found.id, next.unwrap_or_default())))
}

/// What a row was answered with stands under the name of what it called.
fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let Some(key) = root.str("batch_request_id") else {
        return Err(Fault::upstream("A row of the provider's results is none of a batch."));
    };
    let result = root.some("batch_result");
    let answer = result.and_then(|result| result.some("response")?.some("chat_get_completion"));
    // A row that was answered may have the error `{"code": 0}`.
    let error = result.and_then(|result| result.some("error")).filter(|error| error.u64("code") != Some(0));
    let outcome = match (answer, error, root.str("error_message").filter(|words| !words.is_empty())) {
        (Some(answer), None, None) => Outcome::Answer(answer.text()),
        (_, Some(error), _) if error.u64("code") == Some(rpc::CANCELLED) => Outcome::CANCELLED,
        (_, Some(error), _) => Outcome::Refused(Box::new(rpc::refused(error))),
        (_, None, words) => {
            Outcome::Refused(Box::new(fault::from_answer(500, words.unwrap_or_default().as_bytes())))
        }
    };
    Ok(RowResult { key, outcome })
}
