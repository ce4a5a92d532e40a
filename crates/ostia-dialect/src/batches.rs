//! Many calls in one file: its rows, and the rows of what comes back, in OpenAI's form
//! (<https://platform.openai.com/docs/api-reference/batch>).
//!
//! Vendors that have batches in a form of their own are a [`BatchForm`] each ([`ANTHROPIC`], [`BEDROCK`], [`COHERE`], [`FIREWORKS`],
//! [`GEMINI`], [`MISTRAL`], [`TOGETHER`], [`VERTEX`], [`XAI`]), which the row of their API names.
//!
//! Lines are cut from the bytes as these come, and each is looked at by itself, so that a file needs no more memory than its
//! longest line. The body of a row is handed on as it stands.

mod answer;
mod anthropic;
mod asked;
mod avro;
pub(crate) mod bedrock;
mod cohere;
pub(crate) mod fireworks;
pub(crate) mod form;
mod gemini;
mod lines;
mod messages;
mod mistral;
pub(crate) mod objects;
mod openai_lines;
mod page;
mod results;
mod row;
mod rpc;
#[cfg(test)]
mod tests;
pub(crate) mod together;
pub(crate) mod vertex;
mod xai;

pub use crate::step::{Content, Method, Place, Step};
pub use answer::{encode_answer, encode_fault, number_of};
pub use anthropic::ANTHROPIC;
pub use asked::{ASKED_BYTES_MAX, AskedReading, AskedRow, Telling, ToldCall};
pub use bedrock::BEDROCK;
pub use cohere::COHERE;
pub use fireworks::FIREWORKS;
pub use form::{
    BatchForm, Found, NewBatch, Outcome, Part, Ready, RowResult, Settings, State, Status, Storage, Upload,
    UploadedFile,
};
pub use gemini::GEMINI;
pub use lines::{Line, Lines, TooLong};
pub use messages::{MESSAGES_URL, message_result, message_rows, results_path, with_results_here};
pub use mistral::MISTRAL;
pub use page::PageFields;
pub use results::{FileFormat, Listing, Pages, RESULT_DEPTH, Results, ResultsReader, Source};
pub use row::{Row, RowFault};
pub use together::TOGETHER;
pub use vertex::VERTEX;
pub use xai::XAI;

use std::borrow::Cow;

use crate::Fault;
use crate::json::{Document, Writer};
use crate::relay::Splice;

/// Longest line of a file, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// Longest line of a vendor's results, in bytes: some repeat the row before its answer, and write it in another way.
pub const RESULT_BYTES_MAX: usize = 4 * LINE_BYTES_MAX;
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

/// The JSON of a call without its model, where the batch says it for all of its rows.
fn without_model(body: &[u8]) -> Result<Vec<u8>, Fault> {
    let document = Document::of_request_to(body, 1)?;
    let mut splice = Splice::new(&document)?;
    splice.remove("model");
    Ok(splice.finish())
}
