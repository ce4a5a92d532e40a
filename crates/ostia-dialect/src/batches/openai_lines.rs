//! Lines of results in OpenAI's form (<https://platform.openai.com/docs/api-reference/batch/request-output>), or nearly so.

use super::form::{Outcome, RowResult};
use crate::json::Node;
use crate::{Fault, fault};

/// Reads a line: the status and the body of what the row was answered with, or why it was not.
pub(super) fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let Some(key) = root.str("custom_id") else {
        return Err(Fault::upstream("A line of the provider's results is of no row."));
    };
    let response = root.some("response");
    let status = response.and_then(|response| response.u64("status_code"));
    let body = response.and_then(|response| response.some("body"));
    let outcome = match (status, body, root.some("error")) {
        (None | Some(..400), Some(body), None) if body.is_object() => Outcome::Answer(body.text()),
        (status, body, error) => {
            let status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 400);
            let words = error.or(body).map_or("", |words| words.text());
            Outcome::Refused(Box::new(fault::from_answer(status.unwrap_or(500), words.as_bytes())))
        }
    };
    Ok(RowResult { key, outcome })
}
