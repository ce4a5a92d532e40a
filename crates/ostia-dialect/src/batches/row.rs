//! One row: a call, and the client's name for it.

use std::borrow::Cow;
use std::ops::Range;

use super::{CUSTOM_ID_BYTES_MAX, LINE_BYTES_MAX};
use crate::Fault;
use crate::json::{Document, Node};

/// A call of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The client's name for it.
    pub custom_id: Cow<'a, str>,
    /// The path that is called, as `/v1/chat/completions`.
    pub url: Cow<'a, str>,
    /// Where its body stands in the line.
    pub body: Range<usize>,
}

/// What is wrong with a row, in words that follow on `Line 3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// OpenAI's word for it, where it has one.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl RowFault {
    /// A fault of this kind.
    pub fn new(code: &'static str, message: impl Into<String>) -> RowFault {
        RowFault { code, message: message.into() }
    }

    /// A line that is too long.
    pub fn too_long() -> RowFault {
        RowFault::new("line_too_long", format!("is longer than {LINE_BYTES_MAX} bytes"))
    }

    /// The same as an answer to whoever sent the file.
    pub fn of_line(&self, number: u64) -> Fault {
        let message = format!("Line {number} of the file {}.", self.message);
        Fault::invalid(message).with_param("file").with_code(self.code)
    }
}

impl<'a> Row<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &'a [u8]) -> Result<Row<'a>, RowFault> {
        let document = Document::parse_to(line, 2)
            .map_err(|fault| RowFault::new("invalid_json_line", format!("is no JSON: it is {fault}")))?;
        let root = document.root();
        if !root.is_object() {
            return Err(RowFault::new("invalid_json_line", "is no JSON object"));
        }
        let custom_id = text(root, "custom_id")?;
        if custom_id.is_empty() || custom_id.len() > CUSTOM_ID_BYTES_MAX {
            let message =
                format!("has a `custom_id` that is empty or longer than {CUSTOM_ID_BYTES_MAX} bytes");
            return Err(RowFault::new("invalid_custom_id", message));
        }
        let (method, url) = (text(root, "method")?, text(root, "url")?);
        if method != "POST" {
            return Err(RowFault::new("invalid_method", "has a `method` other than \"POST\""));
        }
        let body = some(root, "body")?;
        check_body(body)?;
        let (custom_id, url) = (Cow::Owned(custom_id.into_owned()), Cow::Owned(url.into_owned()));
        Ok(Row { custom_id, url, body: body.range() })
    }
}

/// A body is an object, and its answer comes whole and at once.
fn check_body(body: Node<'_>) -> Result<(), RowFault> {
    if !body.is_object() {
        return Err(RowFault::new("invalid_body", "has a `body` that is no object"));
    }
    for name in ["stream", "background"] {
        if body.get(name).and_then(|node| node.as_bool()) == Some(true) {
            let message = format!("asks for `{name}`, which no row of a batch can have: leave it out");
            return Err(RowFault::new("invalid_body", message));
        }
    }
    Ok(())
}

fn some<'d>(root: Node<'d>, name: &str) -> Result<Node<'d>, RowFault> {
    root.some(name).ok_or_else(|| RowFault::new("missing_required_parameter", format!("has no `{name}`")))
}

fn text<'d>(root: Node<'d>, name: &str) -> Result<Cow<'d, str>, RowFault> {
    some(root, name)?
        .as_str()
        .ok_or_else(|| RowFault::new("invalid_type", format!("has a `{name}` that is no text")))
}
