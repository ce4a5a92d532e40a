//! What of the gateway's own can be asked for: one row for each method and path.

mod analytics;
mod clients;
mod exports;
mod gateway;
mod requests;

use utoipa::openapi::HttpMethod;

use super::Shape;
use crate::endpoints::logs::parameters::table::Form;
use crate::inbound::route::KeptPath;

/// A line of JSON for each of many.
const LINES: &str = "application/jsonl";

/// A method at a path.
pub(super) struct Own {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    /// More about it; empty where the summary says all.
    pub(super) about: &'static str,
    pub(super) of: For,
    pub(super) takes: Takes,
    pub(super) body: Option<(&'static str, Shape)>,
    pub(super) answer: Answer,
    /// In whose form its bodies and errors are.
    pub(super) words: Words,
    /// Statuses of errors besides those for whoever may not ask.
    pub(super) errors: &'static [u16],
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Anybody,
    Clients,
    Operators,
    /// Operators, and clients for what is their own.
    Both,
}

/// In whose form bodies, answers and errors are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// JSON, and errors as OpenAI has them.
    Openai,
    /// JSON or protobuf, and errors as OTLP has them (<https://opentelemetry.io/docs/specs/otlp/#failures>).
    Otlp,
}

/// What may stand in the query.
pub(super) enum Takes {
    Nothing,
    /// The rows of the table that may stand at this path.
    At(KeptPath<'static>),
    /// A few of its own.
    Own(&'static [(&'static str, Form, &'static str)]),
}

/// What is answered.
pub(super) enum Answer {
    /// JSON: what it is, and its shape.
    Json(&'static str, Box<Shape>),
    /// Something else: its media type, and what it is.
    Text(&'static str, &'static str),
}

/// All of them.
pub(super) fn all() -> Vec<Own> {
    [
        gateway::health(),
        requests::requests(),
        exports::exports(),
        analytics::analytics(),
        analytics::portkeys(),
        requests::feedback(),
        requests::otel(),
        gateway::gateway(),
        clients::own(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read(
    id: &'static str,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    answer: Shape,
) -> Own {
    Own {
        method: HttpMethod::Get,
        path,
        id,
        tag,
        summary,
        about: "",
        of: For::Operators,
        takes: Takes::Nothing,
        body: None,
        answer: Answer::Json("What was asked for.", Box::new(answer)),
        words: Words::Openai,
        errors: &[400, 404, 503, 504],
    }
}
