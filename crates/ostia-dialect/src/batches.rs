//! Many calls in one file: its rows, and the rows of what comes back, in OpenAI's form
//! (<https://platform.openai.com/docs/api-reference/batch>).
//!
//! Vendors that have batches in a form of their own are a [`BatchForm`] each ([`ANTHROPIC`], [`GEMINI`], [`MISTRAL`]), which the row of
//! their API names.
//!
//! Lines are cut from the bytes as these come, and each is looked at by itself, so that a file needs no more memory than its
//! longest line. The body of a row is handed on as it stands.

mod answer;
mod anthropic;
mod asked;
mod form;
mod gemini;
mod lines;
mod mistral;
mod row;
#[cfg(test)]
mod tests;

pub use answer::{encode_answer, encode_fault, number_of};
pub use anthropic::ANTHROPIC;
pub use asked::{AskedReading, AskedRow, Telling};
pub use form::{
    BatchForm, Content, Found, NewBatch, Outcome, Part, Place, RowResult, State, Status, Step, Upload,
};
pub use gemini::GEMINI;
pub use lines::{Line, Lines, TooLong};
pub use mistral::MISTRAL;
pub use row::{Row, RowFault};

use std::borrow::Cow;

use crate::Fault;
use crate::json::Writer;

/// Longest line of a file, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// Room for what stands around the call in a row, in bytes.
const ROW_HEAD_BYTES: usize = 64;
/// Longest `custom_id`, in bytes.
pub const CUSTOM_ID_BYTES_MAX: usize = 512;

/// Writes a row around the JSON of a call, on one line: outside of texts JSON may have line ends.
fn write_row(out: &mut Vec<u8>, body: &[u8], write: impl FnOnce(&mut Writer, &str)) -> Result<(), Fault> {
    let text = std::str::from_utf8(body).map_err(|fault| Fault::invalid(fault.to_string()))?.trim();
    let text = match text.contains(['\n', '\r']) {
        true => Cow::Owned(text.replace(['\n', '\r'], " ")),
        false => Cow::Borrowed(text),
    };
    let mut w = Writer::with_capacity(text.len() + ROW_HEAD_BYTES);
    w.object(|w| write(w, &text));
    out.extend_from_slice(&w.into_bytes());
    Ok(())
}
