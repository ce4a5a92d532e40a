//! Anthropic's message batches: all rows in one body (<https://platform.claude.com/docs/en/api/messages/batches/create>).

use super::form::time_of;
use super::form::{BatchForm, Found, NewBatch, Outcome, Part, RowResult, State, Status};
use super::results::Results;
use crate::json::Node;
use crate::step::{Content, Place, Step};
use crate::{Api, Fault, fault};

/// Most requests and bytes: <https://platform.claude.com/docs/en/build-with-claude/batch-processing>.
pub static ANTHROPIC: BatchForm = BatchForm {
    own_header: Some("anthropic-version"),
    rows: &[(Api::AnthropicMessages, "")],
    rows_min: 1,
    rows_max: 100_000,
    bytes_max: 256 << 20,
    one_model: false,
    separator: ",",
    storage: None,
    encode_row,
    upload: None,
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}/cancel")), Content::Nothing),
    decode,
    results,
    decode_result,
};

fn at(path: String) -> Place {
    Place::Behind(Api::AnthropicBatches, path)
}

fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    super::write_row(out, body, |w, body| {
        w.field_str("custom_id", key);
        w.field_raw("params", body);
    })
}

fn create(_: &NewBatch<'_>, _: &str) -> Step {
    let content = Content::Rows {
        content_type: "application/json".to_owned(),
        before: b"{\"requests\":[".to_vec(),
        after: b"]}".to_vec(),
    };
    Step::post(at(String::new()), content)
}

/// <https://platform.claude.com/docs/en/api/messages/batches/retrieve>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let counts = root.some("request_counts");
    let count = |name: &str| counts.and_then(|counts| counts.u64(name)).unwrap_or_default();
    let (id, processing) = match (root.str("id"), root.str("processing_status")) {
        (Some(id), Some(processing)) => (id, processing),
        _ => return Err(Fault::upstream("The provider's answer is no message batch.")),
    };
    let cancelling_s = time_of(root, "cancel_initiated_at");
    let status = match &*processing {
        "ended" if cancelling_s.is_some() => Status::Cancelled,
        "ended" if count("expired") > 0 => Status::Expired,
        "ended" => Status::Completed,
        "canceling" => Status::Cancelling,
        _ => Status::InProgress,
    };
    Ok(State {
        found: Found { id: id.into_owned(), ..Found::default() },
        status,
        completed: count("succeeded"),
        failed: count("errored") + count("canceled") + count("expired"),
        percent: None,
        expires_s: time_of(root, "expires_at"),
        cancelling_s,
        ended_s: time_of(root, "ended_at"),
        reason: None,
    })
}

/// One stream has all.
fn results(found: &Found, _: Part) -> Option<Results> {
    Some(Results::Lines(Step::get(at(format!("/{}/results", found.id)))))
}

/// <https://platform.claude.com/docs/en/api/messages/batches/results>
fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let result = root.some("result");
    let kind = result.and_then(|result| result.str("type"));
    let outcome = match (result, kind.as_deref()) {
        (Some(result), Some("succeeded")) => {
            result.some("message").map(|message| Outcome::Answer(message.text()))
        }
        (Some(result), Some("errored")) => result.some("error").map(|error| refused(error.text())),
        (_, Some("canceled")) => Some(Outcome::CANCELLED),
        (_, Some("expired")) => Some(Outcome::EXPIRED),
        _ => None,
    };
    match (root.str("custom_id"), outcome) {
        (Some(key), Some(outcome)) => Ok(RowResult { key, outcome }),
        _ => Err(Fault::upstream("A line of the provider's results is none of a message batch.")),
    }
}

fn refused(error: &str) -> Outcome<'static> {
    let told = fault::in_success(error.as_bytes());
    Outcome::Refused(Box::new(told.unwrap_or_else(|| Fault::upstream("The provider says no reason."))))
}
