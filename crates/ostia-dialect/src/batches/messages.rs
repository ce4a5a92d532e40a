//! Anthropic's message batches for clients of theirs, whoever runs them: the requests of one become rows in OpenAI's form, and rows of
//! results become theirs (<https://platform.claude.com/docs/en/api/messages/batches/create>,
//! <https://platform.claude.com/docs/en/api/messages/batches/results>).

use super::RESULT_DEPTH;
use crate::Fault;
use crate::json::{Document, Node, Writer};

/// What the rows call.
pub const MESSAGES_URL: &str = "/v1/messages";

/// The requests of a batch as rows, each on a line of its own.
///
/// # Errors
/// 400 that names what is missing or is no request.
pub fn message_rows(body: &[u8]) -> Result<Vec<u8>, Fault> {
    let document = Document::of_request_to(body, 3)?;
    let requests = document.root().expect("requests")?;
    if !requests.is_array() || requests.items().next().is_none() {
        return Err(requests.invalid("must be a list of requests, and not an empty one"));
    }
    let mut rows = Vec::with_capacity(body.len() + 256);
    for request in requests.items() {
        let custom_id = request.expect("custom_id")?.expect_str()?;
        let params = request.expect("params")?;
        params.expect_fields()?;
        super::write_row(&mut rows, params.text().as_bytes(), |w, params| {
            w.field_str("custom_id", &custom_id);
            w.field_str("method", "POST");
            w.field_str("url", MESSAGES_URL);
            w.field_raw("body", params);
        })?;
        rows.push(b'\n');
    }
    Ok(rows)
}

/// A row of results in OpenAI's form, of a batch of messages, as one of Anthropic's, with the end of its line.
///
/// # Errors
/// 502 for what is no row of results.
pub fn message_result(line: &[u8]) -> Result<Vec<u8>, Fault> {
    let none = || Fault::upstream("A line of the batch's results is no row.");
    let document = Document::parse_to(line, RESULT_DEPTH).map_err(|_| none())?;
    let root = document.root();
    let custom_id = root.str("custom_id").ok_or_else(none)?;
    let mut w = Writer::with_capacity(line.len() + 128);
    w.object(|w| {
        w.field_str("custom_id", &custom_id);
        w.field_object("result", |w| result(w, root));
    });
    let mut told = w.into_bytes();
    told.push(b'\n');
    Ok(told)
}

fn result(w: &mut Writer, root: Node<'_>) {
    let response = root.some("response");
    let status = response.and_then(|response| response.u64("status_code")).unwrap_or(500);
    match (response.and_then(|response| response.some("body")), root.some("error")) {
        (Some(message), None) if status < 400 => {
            w.field_str("type", "succeeded");
            w.field_raw("message", message.text());
        }
        // What a client of Messages is told of a call that failed is told of a row, too.
        (Some(error), None) if error.is_object() => errored(w, |w| w.field_raw("error", error.text())),
        (other, error) => not_asked(w, other, error),
    }
}

fn not_asked(w: &mut Writer, answer: Option<Node<'_>>, error: Option<Node<'_>>) {
    match error.and_then(|error| error.str("code")).as_deref() {
        Some("batch_cancelled") => w.field_str("type", "canceled"),
        Some("batch_expired") => w.field_str("type", "expired"),
        _ => {
            let said =
                error.and_then(|error| error.str("message")).or(answer.and_then(|answer| answer.as_str()));
            errored(w, |w| {
                w.field_object("error", |w| {
                    w.field_str("type", "error");
                    w.field_object("error", |w| {
                        w.field_str("type", "api_error");
                        w.field_str("message", said.as_deref().unwrap_or("The request was not answered."));
                    });
                });
            });
        }
    }
}

fn errored(w: &mut Writer, error: impl FnOnce(&mut Writer)) {
    w.field_str("type", "errored");
    error(w);
}

/// An answer that tells of batches of Anthropic's, with the results of each where they are for whoever asked here: at a path, and not
/// at the vendor's own host, which the client's key would go to. As it is where it is no such answer.
pub fn with_results_here(answer: Vec<u8>) -> Vec<u8> {
    let Ok(document) = Document::parse_to(&answer, 3) else { return answer };
    let root = document.root();
    let listed = root.some("data").filter(Node::is_array).into_iter().flat_map(|data| data.items());
    let mut changed = Vec::with_capacity(answer.len());
    let mut at = 0;
    for batch in std::iter::once(root).chain(listed) {
        let Some((address, id)) = batch.some("results_url").filter(Node::is_string).zip(batch.str("id"))
        else {
            continue;
        };
        if super::form::is_id(&id) {
            changed.extend_from_slice(&answer[at..address.range().start]);
            changed.extend_from_slice(format!("\"{}\"", results_path(&id)).as_bytes());
            at = address.range().end;
        }
    }
    changed.extend_from_slice(&answer[at..]);
    changed
}

/// Where the results of a batch are.
pub fn results_path(id: &str) -> String {
    format!("{MESSAGES_URL}/batches/{id}/results")
}
