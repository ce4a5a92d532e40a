//! A request to a vendor about what it keeps: batches, files, jobs that train models. Nothing is sent from here: whoever has a network asks it.

use crate::Api;

/// A request to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How it is asked.
    pub method: Method,
    /// Where.
    pub place: Place,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// These are all: nothing that a client wants to have passed on goes along.
    pub is_bare: bool,
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
    /// For what is there to be this.
    Put,
    /// For what is there to go.
    Delete,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind the provider's path of this API, at its host.
    Behind(Api, String),
    /// The same, where that path stands in the place of this end of the base URL's own, if it ends so.
    Beside(Api, &'static str, String),
    /// This path behind the base URL.
    Path(String),
}

impl Place {
    /// The API at whose host it is.
    pub fn api(&self) -> Option<Api> {
        match self {
            Place::Behind(api, _) | Place::Beside(api, ..) => Some(*api),
            Place::Path(_) => None,
        }
    }
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
    pub(crate) fn get(place: Place) -> Step {
        Step::new(Method::Get, place, Content::Nothing)
    }

    pub(crate) fn post(place: Place, content: Content) -> Step {
        Step::new(Method::Post, place, content)
    }

    pub(crate) fn delete(place: Place) -> Step {
        Step::new(Method::Delete, place, Content::Nothing)
    }

    pub(crate) fn new(method: Method, place: Place, content: Content) -> Step {
        Step { method, place, headers: Vec::new(), is_bare: false, content }
    }
}

/// A form with these fields and, behind them, the rows as the file of this field. `name`: the file's, and the word between the parts.
pub(crate) fn form(name: &str, fields: &[(&str, &str)], file: &str) -> Content {
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
