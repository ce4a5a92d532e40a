//! Many calls in one file: its rows, and the rows of what comes back, in OpenAI's form
//! (<https://platform.openai.com/docs/api-reference/batch>).
//!
//! Lines are cut from the bytes as these come, and each is looked at by itself, so that a file needs no more memory than its
//! longest line. The body of a row is handed on as it stands.

mod answer;
mod lines;
mod row;
#[cfg(test)]
mod tests;

pub use answer::{encode_answer, encode_fault, number_of};
pub use lines::{Line, Lines, TooLong};
pub use row::{Row, RowFault};

/// Longest line of a file, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// Longest `custom_id`, in bytes.
pub const CUSTOM_ID_BYTES_MAX: usize = 512;
