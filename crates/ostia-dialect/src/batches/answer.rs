//! What came of a row, as a row of the files that a batch ends with.

use crate::json::{Document, Writer};

/// What the name of an answer begins with, and what stands before the number of the row.
const ID_PREFIX: &str = "batch_req_";

/// A line for a row that was asked. `body` is the answer; one that is no JSON is told as a text.
pub fn encode_answer(
    (batch, number): (&str, u64),
    custom_id: &str,
    status: u16,
    request_id: &str,
    body: &[u8],
) -> Vec<u8> {
    line((batch, number), custom_id, body.len(), |w| {
        w.field_object("response", |w| {
            w.field_u64("status_code", u64::from(status));
            w.field_str("request_id", request_id);
            w.key("body");
            write_body(w, body);
        });
        w.key("error").null();
    })
}

/// A line for a row that was not asked, and why.
pub fn encode_fault((batch, number): (&str, u64), custom_id: &str, code: &str, message: &str) -> Vec<u8> {
    line((batch, number), custom_id, message.len(), |w| {
        w.key("response").null();
        w.field_object("error", |w| {
            w.field_str("code", code);
            w.field_str("message", message);
        });
    })
}

fn line(
    (batch, number): (&str, u64),
    custom_id: &str,
    bytes: usize,
    write: impl FnOnce(&mut Writer),
) -> Vec<u8> {
    let mut w = Writer::with_capacity(bytes + 256);
    w.object(|w| {
        w.field_str("id", &format!("{ID_PREFIX}{batch}_{number}"));
        w.field_str("custom_id", custom_id);
        write(w);
    });
    let mut line = w.into_bytes();
    line.push(b'\n');
    line
}

/// Outside of texts JSON may have line ends, and a line may not.
fn write_body(w: &mut Writer, body: &[u8]) {
    match Document::parse_to(body, 0) {
        Ok(document) => w.raw(&document.text().trim().replace(['\n', '\r'], " ")),
        Err(_) => w.string(&String::from_utf8_lossy(body)),
    }
}

/// The number of the row that a line of this batch answers; `None` for one that is cut off, or that nobody here has written.
pub fn number_of(line: &[u8], batch: &str) -> Option<u64> {
    let document = Document::parse_to(line, 1).ok()?;
    let id = document.root().str("id")?;
    id.strip_prefix(ID_PREFIX)?.strip_prefix(batch)?.strip_prefix('_')?.parse().ok()
}
