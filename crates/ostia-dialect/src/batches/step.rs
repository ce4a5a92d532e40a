//! A request to a vendor about a batch. Nothing is sent from here: whoever has a network asks it.

use crate::Api;

/// A request to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How it is asked.
    pub method: Method,
    /// Where.
    pub place: Place,
    /// Headers besides the usual ones.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub content: Content,
}

/// How a request is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// For what is there.
    Get,
    /// For what is to be done.
    Post,
    /// For what is there to go.
    Delete,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind the provider's path of this API.
    Behind(Api, String),
    /// The same, where that path stands in the place of this end of the base URL's own, if it ends so.
    Beside(Api, &'static str, String),
    /// This path behind the base URL.
    Path(String),
}

/// What a request holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Vec<u8>),
    /// The rows.
    Rows {
        /// What it is.
        content_type: String,
        /// What stands before them.
        before: Vec<u8>,
        /// What stands behind them.
        after: Vec<u8>,
    },
}

impl Step {
    pub(super) fn get(place: Place) -> Step {
        Step { method: Method::Get, place, headers: &[], content: Content::Nothing }
    }

    pub(super) fn post(place: Place, content: Content) -> Step {
        Step { method: Method::Post, place, headers: &[], content }
    }

    pub(super) fn delete(place: Place) -> Step {
        Step { method: Method::Delete, ..Step::get(place) }
    }
}

/// A form with these fields and, behind them, the rows as the file of this field. `name`: the file's, and the word between the parts.
pub(super) fn form(name: &str, fields: &[(&str, &str)], file: &str) -> Content {
    let field = |(field, value): &(&str, &str)| {
        format!("--{name}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
    };
    let head = format!(
        "--{name}\r\nContent-Disposition: form-data; name=\"{file}\"; filename=\"{name}.jsonl\"\r\n\
         Content-Type: application/jsonl\r\n\r\n"
    );
    Content::Rows {
        content_type: format!("multipart/form-data; boundary={name}"),
        before: (fields.iter().map(field).collect::<String>() + &head).into_bytes(),
        after: format!("\r\n--{name}--\r\n").into_bytes(),
    }
}
